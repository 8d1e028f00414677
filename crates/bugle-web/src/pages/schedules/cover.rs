//! Covers a shift: who, from, until, why.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::objects::WriteOptions;
use bugle_app::objects::draft::OverrideDraft;
use bugle_domain::schedule::Override;
use bugle_domain::{OverrideId, ScheduleId};
use bugle_engine::zone;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::build;
use super::show::{Params, Typed, respond};
use crate::pages::error::{PageError, fields, is_theirs, sentence};
use crate::pages::parts::FieldError;
use crate::pages::visitor::{Visitor, see};

/// Longest window that the effect of a cover is computed for.
const MOST: SignedDuration = SignedDuration::from_hours(400 * 24);

/// A cover, as typed.
#[derive(Deserialize)]
pub(in crate::pages) struct Asked {
    user: String,
    from: String,
    until: String,
    #[serde(default)]
    reason: String,
    preview: Option<String>,
}

/// `POST /schedules/{id}/cover`.
pub(in crate::pages) async fn cover(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(asked): Form<Asked>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let mut typed = Typed {
        user: asked.user.clone(),
        from: asked.from.clone(),
        until: asked.until.clone(),
        reason: asked.reason.clone(),
        ..Typed::default()
    };
    match plan(&app, &visitor, id, &asked).await? {
        Err(errors) => typed.errors = errors,
        Ok((_, effect)) if asked.preview.is_some() => typed.preview = Some(effect),
        Ok((draft, effect)) => {
            match app.create::<Override>(&visitor.caller, draft, WriteOptions::default()).await {
                Ok(_) => {
                    let said = format!("Covered. {effect}");
                    return Ok(see(&visitor.browser, &format!("/schedules/{id}"), &said));
                }
                Err(error) if is_theirs(&error) => typed.errors = fields(&error, "user"),
                Err(error) => return Err(error.into()),
            }
        }
    }
    respond(&app, &visitor, id, &Params::default(), typed).await
}

type Planned = Result<(OverrideDraft, String), Vec<FieldError>>;

/// What is meant, and what it would cause.
async fn plan(
    app: &App,
    visitor: &Visitor,
    id: ScheduleId,
    asked: &Asked,
) -> Result<Planned, PageError> {
    let now = visitor.times.now();
    let soon = now + SignedDuration::from_hours(1);
    let zone_name = app.schedule_view(&visitor.caller, id, now, soon).await?.schedule.time_zone;
    let zone = TimeZone::get(&zone_name).unwrap_or(TimeZone::UTC);
    let (from, until) = match (read(&asked.from, &zone), read(&asked.until, &zone)) {
        (Ok(from), Ok(until)) => (from, until),
        (from, until) => {
            let wrong = [("from", from), ("until", until)].into_iter();
            let wrong = wrong.filter_map(|(field, read)| Some(FieldError::new(field, read.err()?)));
            return Ok(Err(wrong.collect()));
        }
    };
    if until <= from || until.duration_since(from) > MOST {
        let text = "Choose an end after the begin, at most 400 days later.";
        return Ok(Err(vec![FieldError::new("until", text)]));
    }
    if until <= now {
        return Ok(Err(vec![FieldError::new("until", "This is over. Choose a time to come.")]));
    }
    let user = match asked.user.as_str() {
        "nobody" => None,
        text => match text.parse() {
            Ok(user) => Some(user),
            Err(_) => return Ok(Err(vec![FieldError::new("user", "Choose who covers.")])),
        },
    };
    let mut view = app.schedule_view(&visitor.caller, id, from, until).await?;
    if let Some(user) = user
        && let std::collections::btree_map::Entry::Vacant(place) = view.names.entry(user)
    {
        let found = app.get::<bugle_domain::user::User>(&visitor.caller, user).await?;
        place.insert(found.object.name);
    }
    match build::effect(&view, user, (from, until)) {
        Ok(effect) => {
            let reason = asked.reason.trim().to_owned();
            Ok(Ok((OverrideDraft { schedule: id, user, from, until, reason }, effect)))
        }
        Err(nothing) => Ok(Err(vec![FieldError::new("user", nothing)])),
    }
}

/// Reads a local time. One that the clocks leave out is refused with the two nearest; of one that
/// comes twice, the first is meant.
pub(super) fn read(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    let Ok(local) = text.trim().parse::<DateTime>() else {
        return Err("Choose a date and a time, such as 2026-10-23 18:00.".to_owned());
    };
    if let Some(text) = zone::left_out(zone, local) {
        return Err(sentence(&text));
    }
    let found = zone.to_ambiguous_zoned(local);
    found.earlier().map(|zoned| zoned.timestamp()).map_err(|_| "Choose another date.".to_owned())
}

/// The schedule that a path names.
pub(super) fn parse(id: &str) -> Result<ScheduleId, PageError> {
    id.parse().map_err(|_| PageError::not_found("There is no such schedule."))
}

/// `POST /schedules/{id}/covers/{cover}/delete`.
pub(in crate::pages) async fn remove(
    State(app): State<App>,
    visitor: Visitor,
    Path((id, cover)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let cover: OverrideId =
        cover.parse().map_err(|_| PageError::not_found("There is no such cover."))?;
    app.delete::<Override>(&visitor.caller, cover, WriteOptions::default()).await?;
    let said = "Removed. The rotation counts again.";
    Ok(see(&visitor.browser, &format!("/schedules/{id}"), said))
}

#[cfg(test)]
mod tests;
