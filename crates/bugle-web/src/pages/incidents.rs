//! Major incidents: the list, the room of one, declaring one, and its report.

mod act;
mod declare;
mod report;
mod room;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use bugle_app::App;
use bugle_app::permission::Permission;
use bugle_domain::IncidentId;
use bugle_engine::incident::room::Room;
use bugle_engine::incident::{Incident, IncidentSeverity, LineGroup};
use http::StatusCode;
use serde::Deserialize;

pub(crate) use self::report::html as report_html;
pub(super) use self::room::{RoomPage, Shown, Typed, build};
use super::error::PageError;
use super::parts::FieldError;
use super::shell::{Section, page};
use super::times::{Times, When, length};
use super::visitor::{Visitor, forget_said};
use crate::state::WebState;

/// All paths.
pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/incidents", get(list))
        .route("/incidents/new", get(declare::form).post(declare::declare))
        .route("/incidents/{id}", get(one))
        .route("/incidents/{id}/answer", post(answer))
        .route("/incidents/{id}/say", post(act::say))
        .route("/incidents/{id}/do", post(act::act))
        .route("/incidents/{id}/report", get(report::show))
}

#[derive(Template)]
#[template(path = "incidents.html")]
pub(super) struct IncidentsPage {
    /// Whether the reader may declare one.
    declare: bool,
    /// Whether the reader stands above tenants.
    operator: bool,
    rows: Vec<Row>,
}

/// An incident of the list.
struct Row {
    href: String,
    title: String,
    severity: &'static str,
    open: bool,
    whose: &'static str,
    at: When,
    lasted: String,
}

pub(super) fn severity(severity: IncidentSeverity) -> &'static str {
    match severity {
        IncidentSeverity::Critical => "Critical",
        IncidentSeverity::Major => "Major",
    }
}

/// `GET /incidents`.
async fn list(State(app): State<App>, visitor: Visitor) -> Result<Response, PageError> {
    let found = app.incidents(&visitor.caller).await?;
    let declare = visitor.caller.may(Permission::LeadOwnIncidents)
        || visitor.caller.may(Permission::LeadIncidents);
    let body = build_list(&found, (declare, visitor.caller.operator), &visitor.times);
    let shell = visitor.shell(&app, "Incidents", Section::Incidents).await?;
    Ok(page(StatusCode::OK, &shell, &body))
}

/// What the list says, to somebody who may declare one or is an operator. Pure.
pub(super) fn build_list(
    found: &[(Room, Option<Incident>)],
    (declare, operator): (bool, bool),
    times: &Times,
) -> IncidentsPage {
    let row = |(it, _): &(Room, Option<Incident>)| Row {
        href: format!("/incidents/{}", it.id),
        title: it.title.clone(),
        severity: severity(it.severity),
        open: it.open(),
        whose: if it.tenant.is_some() { "ours" } else { "the installation's" },
        at: times.short(it.declared_at),
        lasted: length(it.until(times.now()).duration_since(it.began_at)),
    };
    IncidentsPage { declare, operator, rows: found.iter().map(row).collect() }
}

/// Which part of the timeline is wanted.
#[derive(Clone, Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    show: String,
}

/// `GET /incidents/{id}`, and `?show=notes` for a part of its timeline.
async fn one(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let shown = Shown { group: LineGroup::parse(&wanted.show), ..Shown::default() };
    answer_with(&app, &visitor, parse(&id)?, shown).await
}

/// The room as an answer, with what was typed and what is wrong with it.
async fn answer_with(
    app: &App,
    visitor: &Visitor,
    id: IncidentId,
    shown: Shown,
) -> Result<Response, PageError> {
    let wrong = !shown.errors.is_empty();
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let topic = match shown.group {
        Some(group) => format!("incident {id} {}", group.as_str()),
        None => format!("incident {id}"),
    };
    let body = load(app, visitor, id, shown).await?;
    let title = if wrong { format!("Error: {}", body.title) } else { body.title.clone() };
    let shell = visitor.shell(app, &title, Section::Incidents).await?;
    let shell = shell.back("/incidents", "Incidents").live(topic);
    let mut response = page(status, &shell, &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// `POST /incidents/{id}/answer`: "I have it".
async fn answer(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    app.answer_incident(&visitor.caller, id).await?;
    Ok(Redirect::to(&format!("/incidents/{id}")).into_response())
}

fn parse(id: &str) -> Result<IncidentId, PageError> {
    id.parse().map_err(|_| PageError::not_found("There is no such incident."))
}

/// Reads one.
pub(super) async fn load(
    app: &App,
    visitor: &Visitor,
    id: IncidentId,
    shown: Shown,
) -> Result<RoomPage, PageError> {
    let view = app.incident(&visitor.caller, id).await?;
    let hit = match &view.watch {
        Some(watch) => app.tenant_names(&visitor.caller, &watch.tenants).await?,
        None => Vec::new(),
    };
    let on_call = app.on_call(&visitor.caller).await?;
    let on_call = on_call.into_iter().filter_map(|it| it.user).map(|user| user.id).collect();
    let said = visitor.browser.said.clone();
    let mut body =
        build(view, Shown { hit, on_call, ..shown }, visitor.caller.user, &visitor.times);
    body.said = said;
    Ok(body)
}

/// What is wrong with a field of the room.
fn wrong(field: &str, text: impl Into<String>) -> Vec<FieldError> {
    vec![FieldError::new(field, text)]
}
