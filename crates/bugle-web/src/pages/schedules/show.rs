//! Shows schedules.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::oncall::{OnCallNow, ScheduleView};
use bugle_app::paging::Page;
use bugle_app::permission::Permission;
use bugle_domain::ScheduleId;
use bugle_domain::policy::{Policy, Target};
use bugle_domain::user::User;
use http::StatusCode;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::Deserialize;

use super::timeline::Timeline;
use super::{Cover, Row, SchedulePage, SchedulesPage, build};
use crate::pages::error::PageError;
use crate::pages::parts::{Choice, FieldError, Tab};
use crate::pages::shell::{Section, page};
use crate::pages::times::{Times, format};
use crate::pages::visitor::{Visitor, forget_said};

/// Most people that a form offers.
pub(super) const PEOPLE: u32 = 200;

/// `GET /schedules`.
pub(in crate::pages) async fn list(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let schedules = app.on_call(&visitor.caller).await?;
    let body = SchedulesPage {
        rows: schedules.iter().map(|it| row(it, &visitor.times)).collect(),
        zone: visitor.times.zone_name().to_owned(),
        can_edit: visitor.caller.may(Permission::EditConfiguration),
        said: visitor.browser.said.clone(),
    };
    let shell = visitor.shell(&app, "Schedules", Section::Schedules).await?;
    let mut response = page(StatusCode::OK, &shell, &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

fn row(it: &OnCallNow, times: &Times) -> Row {
    let next = it.next.as_ref().map_or_else(String::new, |next| {
        next.user.as_ref().map_or_else(|| "nobody".to_owned(), |who| who.name.clone())
    });
    Row {
        href: format!("/schedules/{}", it.schedule),
        name: it.name.clone(),
        who: it.user.as_ref().map(|who| who.name.clone()),
        until: it.until.map_or_else(String::new, |at| format!("until {}", times.day_hm(at))),
        next,
        reachable: it.reachable,
        trouble: if it.user.is_some() { "Cannot be reached" } else { "Gap" },
    }
}

/// What is wanted, as the URL says it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(in crate::pages) struct Params {
    /// First day shown.
    from: Option<String>,
    /// Weeks shown.
    span: Option<String>,
    /// `schedule`, `yours` or `utc`.
    zone: Option<String>,
    /// Shifts by day, on a wide screen too.
    list: Option<String>,
    /// The shift that was clicked: two counts of seconds since 1970, with `..` between.
    pick: Option<String>,
}

/// What was typed into the form of a cover, and what is wrong with it.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) user: String,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) reason: String,
    pub(super) preview: Option<String>,
    pub(super) errors: Vec<FieldError>,
}

/// `GET /schedules/{id}`.
pub(in crate::pages) async fn one(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(params): Query<Params>,
) -> Result<Response, PageError> {
    let id = id.parse().map_err(|_| PageError::not_found("There is no such schedule."))?;
    let mut response = respond(&app, &visitor, id, &params, Typed::default()).await?;
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// The page of one schedule.
pub(super) async fn respond(
    app: &App,
    visitor: &Visitor,
    id: ScheduleId,
    params: &Params,
    typed: Typed,
) -> Result<Response, PageError> {
    let wrong = !typed.errors.is_empty();
    let body = load(app, visitor, id, params, typed).await?;
    let title = if wrong { format!("Error: {}", body.name) } else { body.name.clone() };
    let shell = visitor.shell(app, &title, Section::Schedules).await?;
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(page(status, &shell.back("/schedules", "Schedules"), &body))
}

/// The window and the zone of the axis.
struct Axis {
    times: Times,
    first: Date,
    weeks: i32,
    from: Timestamp,
    until: Timestamp,
}

fn axis(params: &Params, times: Times) -> Axis {
    let weeks = match params.span.as_deref() {
        Some("1") => 1,
        Some("4") => 4,
        _ => 2,
    };
    let today = times.at(times.now()).date();
    let monday = today - i64::from(today.weekday().to_monday_zero_offset()).days();
    let typed = params.from.as_deref().and_then(|text| text.parse::<Date>().ok());
    let first = typed.filter(|day| (1971..=2200).contains(&day.year())).unwrap_or(monday);
    let midnight = |day: Date| {
        day.to_zoned(times.zone().clone()).map_or_else(|_| times.now(), |at| at.timestamp())
    };
    let (from, until) = (midnight(first), midnight(first + weeks.weeks()));
    Axis { times, first, weeks, from, until }
}

async fn load(
    app: &App,
    visitor: &Visitor,
    id: ScheduleId,
    params: &Params,
    typed: Typed,
) -> Result<SchedulePage, PageError> {
    let (caller, now) = (&visitor.caller, visitor.times.now());
    let month = now + SignedDuration::from_hours(30 * 24);
    let ahead = app.schedule_view(caller, id, now, month).await?;
    let own_zone = &ahead.schedule.time_zone;
    let shown_zone = match params.zone.as_deref() {
        Some("yours") => visitor.times.zone_name(),
        Some("utc") => "UTC",
        _ => own_zone,
    };
    let axis = axis(params, Times::new(shown_zone, now));
    let view = app.schedule_view(caller, id, axis.from, axis.until).await?;
    let users = app.list::<User>(caller, &Page::first(PEOPLE)).await?.items;
    let policies = app.list::<Policy>(caller, &Page::first(PEOPLE)).await?.items;
    let href = format!("/schedules/{id}");
    let pick = url_of(&href, params, &[("pick", "")]);
    let timeline = Timeline {
        view: &view,
        zone: axis.times.zone(),
        day_px: [0.0, 140.0, 70.0, 35.0, 35.0][usize::try_from(axis.weeks).unwrap_or(2).min(4)],
        now,
        href: &pick,
    };
    let svg = timeline.draw();
    let last = axis.first + axis.weeks.weeks() - 1.day();
    Ok(SchedulePage {
        svg,
        used: used(&view, &policies, id),
        now: build::now(&ahead.now, &axis.times),
        gaps: build::gaps(&ahead.gaps, &axis.times),
        range: format!("{} – {}", axis.first.strftime("%-d %b"), last.strftime("%-d %b %Y")),
        earlier: url_of(&href, params, &[("from", &(axis.first - axis.weeks.weeks()).to_string())]),
        today: url_of(&href, params, &[("from", "")]),
        later: url_of(&href, params, &[("from", &(axis.first + axis.weeks.weeks()).to_string())]),
        spans: spans(&href, params, axis.weeks),
        zones: zones(&href, params, own_zone, visitor.times.zone_name()),
        days: build::days(&view, &axis.times),
        list: params.list.is_some(),
        table: build::table(&view, &axis.times),
        zone: axis.times.zone_name().to_owned(),
        schedule_zone: own_zone.clone(),
        cover: cover(&typed, params, &users, &Times::new(own_zone, now), caller.user),
        handoffs: build::handoffs(&ahead, &axis.times),
        overrides: build::made(&ahead, &axis.times),
        can_cover: caller.may(Permission::CoverShift),
        can_edit: caller.may(Permission::EditConfiguration),
        errors: typed.errors,
        said: visitor.browser.said.clone(),
        name: view.schedule.name,
        href,
    })
}

fn used(view: &ScheduleView, policies: &[Policy], id: ScheduleId) -> String {
    let names = |policy: &&Policy| {
        policy.levels.iter().flat_map(|level| &level.targets).any(|it| *it == Target::Schedule(id))
    };
    let names: Vec<&str> = policies.iter().filter(names).map(|it| it.name.as_str()).collect();
    let pages = match names.as_slice() {
        [] => "No escalation policy uses it.".to_owned(),
        some => format!("Pages for {}.", some.join(", ")),
    };
    format!("{pages} Zone {}.", view.schedule.time_zone)
}

/// The page's URL with some values changed; an empty value takes one out.
fn url_of(href: &str, params: &Params, changed: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let kept = [
        ("from", params.from.as_deref()),
        ("span", params.span.as_deref()),
        ("zone", params.zone.as_deref()),
        ("list", params.list.as_deref()),
    ];
    for (key, value) in kept {
        let new = changed.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        if let Some(value) = new.or(value).filter(|value| !value.is_empty()) {
            query.append_pair(key, value);
        }
    }
    // The times of the shift are put behind it.
    if changed.iter().any(|(name, _)| *name == "pick") {
        query.append_pair("pick", "");
    }
    let query = query.finish();
    if query.is_empty() { href.to_owned() } else { format!("{href}?{query}") }
}

fn spans(href: &str, params: &Params, weeks: i32) -> Vec<Tab> {
    let list = params.list.is_some();
    let mut tabs: Vec<Tab> = [("1", "Week"), ("2", "2 weeks"), ("4", "4 weeks")]
        .into_iter()
        .map(|(span, text)| Tab {
            href: url_of(href, params, &[("span", span), ("list", "")]),
            text: text.to_owned(),
            current: !list && span == weeks.to_string(),
        })
        .collect();
    let href = url_of(href, &Params { list: Some("1".to_owned()), ..params.clone() }, &[]);
    tabs.push(Tab { href, text: "List".to_owned(), current: list });
    tabs
}

fn zones(href: &str, params: &Params, own: &str, yours: &str) -> Vec<Tab> {
    let chosen = params.zone.as_deref().unwrap_or("schedule");
    let city = |zone: &str| zone.rsplit('/').next().unwrap_or(zone).replace('_', " ");
    let mut all = vec![("schedule", format!("{}, schedule time", city(own)))];
    if yours != own {
        all.push(("yours", format!("{}, yours", city(yours))));
    }
    all.push(("utc", "UTC".to_owned()));
    all.into_iter()
        .map(|(zone, text)| Tab {
            href: url_of(href, &Params { zone: Some(zone.to_owned()), ..params.clone() }, &[]),
            text,
            current: zone == chosen,
        })
        .collect()
}

fn cover(
    typed: &Typed,
    params: &Params,
    users: &[User],
    own: &Times,
    reader: Option<bugle_domain::UserId>,
) -> Cover {
    let me = reader.map(|user| user.to_string()).unwrap_or_default();
    let chosen = if typed.from.is_empty() && typed.user.is_empty() { &me } else { &typed.user };
    let people = users.iter().filter(|user| !user.disabled);
    let mut people: Vec<Choice> =
        people.map(|user| Choice::new(user.id.to_string(), &*user.name, chosen)).collect();
    people.push(Choice::new("nobody", "Nobody, on purpose", chosen));
    let picked = params.pick.as_deref().and_then(|pick| pick.split_once(".."));
    let local = |text: &str| {
        let at = text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        at.map(|at| format(&own.at(at), "%Y-%m-%dT%H:%M")).unwrap_or_default()
    };
    let (from, until) = match picked {
        Some((from, until)) if typed.from.is_empty() => (local(from), local(until)),
        _ => (typed.from.clone(), typed.until.clone()),
    };
    Cover { people, from, until, reason: typed.reason.clone(), preview: typed.preview.clone() }
}
