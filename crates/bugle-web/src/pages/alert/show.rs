//! Shows one alert and takes answers to it.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::alerts::AlertView;
use bugle_app::events::EventQuery;
use bugle_app::paging::Page;
use bugle_app::permission::Permission;
use bugle_app::{App, ErrorKind, UseCaseError as _};
use bugle_domain::alert::Via;
use bugle_domain::{AlertId, EventId};
use bugle_engine::respond::{Effect, ResponseAction};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;

use super::AlertPage;
use super::build::{self, Facts};
use crate::pages::error::PageError;
use crate::pages::parts::{Raw, Sev};
use crate::pages::shell::{Section, page};
use crate::pages::times::{Times, count};
use crate::pages::visitor::{Visitor, forget_said, see};

/// Events that the graph is drawn from.
const DRAWN: u32 = 200;
/// Longest text of received bytes that is shown, in bytes.
const RAW_BYTES: usize = 16_384;

/// `GET /alerts/{id}`: the id is `4812` or `alr_…`.
pub(in crate::pages) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = app.find_alert(&visitor.caller, &id).await?;
    let view = app.alert(&visitor.caller, id).await?;
    let (severity, number) = (Sev(view.alert.severity).word(), view.alert.number);
    let title = format!("{severity}: {} – alert {number}", view.alert.summary);
    let body = fill(&app, &visitor, view).await?;
    let shell = visitor.shell(&app, &title, Section::Alerts).await?;
    let open = format!("Alerts · {} open", count(shell.open_alerts));
    let shell = shell.back("/alerts", &open).live(format!("alert {id}"));
    let mut response = page(StatusCode::OK, &shell, &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// Reads everything that the page shows.
pub(in crate::pages) async fn load(
    app: &App,
    visitor: &Visitor,
    id: AlertId,
) -> Result<AlertPage, PageError> {
    let view = app.alert(&visitor.caller, id).await?;
    fill(app, visitor, view).await
}

async fn fill(app: &App, visitor: &Visitor, view: AlertView) -> Result<AlertPage, PageError> {
    let query = EventQuery { alert: Some(view.alert.id), ..EventQuery::default() };
    let events = app.events(&visitor.caller, &query, &Page::first(DRAWN)).await?.items;
    let came: Vec<Timestamp> = events.iter().map(|event| event.event.received_at).collect();
    let raw = raw(app, visitor, &view).await?;
    let facts = Facts {
        came,
        raw,
        can_act: visitor.caller.may(Permission::Respond),
        reply_number: app.reply_number().map(str::to_owned),
        said: visitor.browser.said.clone(),
    };
    Ok(build::page(view, facts, &visitor.caller, &visitor.times))
}

async fn raw(app: &App, visitor: &Visitor, view: &AlertView) -> Result<Option<Raw>, PageError> {
    let opened = match app.event(&visitor.caller, view.alert.opened_by).await {
        Ok(event) => event,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    bytes(app, visitor, opened.event.request, &visitor.times).await
}

/// The bytes of the request that this event came in; `None` where they are no longer kept, or the
/// reader may not see them.
pub(in crate::pages) async fn bytes(
    app: &App,
    visitor: &Visitor,
    event: EventId,
    times: &Times,
) -> Result<Option<Raw>, PageError> {
    match app.raw_request(&visitor.caller, event).await {
        Ok(request) => {
            let shown = &request.bytes[..request.bytes.len().min(RAW_BYTES)];
            let size = count(i64::try_from(request.bytes.len()).unwrap_or(i64::MAX));
            let caption = if shown.len() < request.bytes.len() {
                format!("{size} bytes, the first {} shown", count(16_384))
            } else {
                format!("{size} bytes, times in {}", times.zone_name())
            };
            Ok(Some(Raw { caption, text: String::from_utf8_lossy(shown).into_owned() }))
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Forbidden) => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /alerts/{id}/acknowledge`.
pub(in crate::pages) async fn acknowledge(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    answer(&app, &visitor, &id, (ResponseAction::Acknowledge, None)).await
}

/// `POST /alerts/{id}/resolve`.
pub(in crate::pages) async fn resolve(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    answer(&app, &visitor, &id, (ResponseAction::Resolve, None)).await
}

/// Which level the page showed.
#[derive(Deserialize)]
pub(in crate::pages) struct Seen {
    told_at: Option<Timestamp>,
}

/// `POST /alerts/{id}/pass-on`.
pub(in crate::pages) async fn pass_on(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(seen): Form<Seen>,
) -> Result<Response, PageError> {
    answer(&app, &visitor, &id, (ResponseAction::PassOn, seen.told_at)).await
}

async fn answer(
    app: &App,
    visitor: &Visitor,
    id: &str,
    wanted: (ResponseAction, Option<Timestamp>),
) -> Result<Response, PageError> {
    let alert = app.find_alert(&visitor.caller, id).await?;
    let answered = app.answer(&visitor.caller, alert, wanted, Via::Web).await?;
    // The page itself says who acknowledged and when; what follows from it is said here.
    let said = match &answered.effect {
        Effect::Acknowledged { .. } | Effect::Resolved { .. } => effect_only(&answered.sentence),
        _ => answered.sentence.as_str(),
    };
    Ok(see(&visitor.browser, &format!("/alerts/{}", answered.alert.number), said))
}

/// `Priya will not be paged.` of `Acknowledged. Priya will not be paged.`
fn effect_only(sentence: &str) -> &str {
    sentence.split_once(". ").map_or(sentence, |(_, effect)| effect)
}

/// A note, as typed.
#[derive(Deserialize)]
pub(in crate::pages) struct Note {
    text: String,
}

/// `POST /alerts/{id}/note`.
pub(in crate::pages) async fn note(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(note): Form<Note>,
) -> Result<Response, PageError> {
    let alert = app.find_alert(&visitor.caller, &id).await?;
    app.add_note(&visitor.caller, alert, &note.text).await?;
    Ok(see(&visitor.browser, &format!("/alerts/{id}#timeline"), "Note saved."))
}
