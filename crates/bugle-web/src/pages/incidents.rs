//! Major incidents: the list, and the record of one with its timeline.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use bugle_app::App;
use bugle_app::incidents::IncidentView;
use bugle_domain::IncidentId;
use bugle_engine::incident::{Incident, IncidentSeverity};
use http::StatusCode;
use jiff::Timestamp;

use super::error::PageError;
use super::shell::{Section, page};
use super::times::{Times, When, length};
use super::visitor::Visitor;

#[derive(Template)]
#[template(path = "incidents.html")]
pub(super) struct IncidentsPage {
    rows: Vec<Row>,
}

/// An incident of the list.
struct Row {
    href: String,
    title: String,
    severity: &'static str,
    open: bool,
    at: When,
    lasted: String,
}

#[derive(Template)]
#[template(path = "incident.html")]
pub(super) struct IncidentPage {
    title: String,
    severity: &'static str,
    open: bool,
    evidence: String,
    tenants: String,
    /// Each step of it, with its time and how long after the break it was.
    steps: Vec<Step>,
    lines: Vec<Line>,
    /// Where it is answered, while nobody has.
    answer: Option<String>,
    answered: Option<String>,
}

/// A step.
struct Step {
    name: &'static str,
    at: Option<When>,
    after: String,
}

/// A line of the timeline.
struct Line {
    at: When,
    source: String,
    text: String,
}

fn severity(incident: &Incident) -> &'static str {
    match incident.severity {
        IncidentSeverity::Critical => "Critical",
        IncidentSeverity::Major => "Major",
    }
}

/// `GET /incidents`, for operators.
pub(super) async fn list(State(app): State<App>, visitor: Visitor) -> Result<Response, PageError> {
    let found = app.incidents(&visitor.caller).await?;
    let body = build_list(&found, &visitor.times);
    let shell = visitor.shell(&app, "Incidents", Section::Incidents).await?;
    Ok(page(StatusCode::OK, &shell, &body))
}

/// What the list says. Pure.
pub(super) fn build_list(found: &[Incident], times: &Times) -> IncidentsPage {
    let row = |it: &Incident| Row {
        href: format!("/incidents/{}", it.id),
        title: it.title.clone(),
        severity: severity(it),
        open: it.open(),
        at: times.short(it.declared_at),
        lasted: length(it.recovered_at.unwrap_or(times.now()).duration_since(it.detected_at)),
    };
    IncidentsPage { rows: found.iter().map(row).collect() }
}

/// `GET /incidents/{id}`, for operators.
pub(super) async fn one(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let body = load(&app, &visitor, id).await?;
    let shell = visitor.shell(&app, "Incident", Section::Incidents).await?;
    Ok(page(StatusCode::OK, &shell.live(format!("incident {id}")), &body))
}

/// `POST /incidents/{id}/answer`: "I have it".
pub(super) async fn answer(
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
) -> Result<IncidentPage, PageError> {
    let view = app.incident(&visitor.caller, id).await?;
    let names = app.tenant_names(&visitor.caller, &view.incident.tenants).await?;
    Ok(build(view, names.join(", "), &visitor.times))
}

/// What the page says. Pure.
pub(super) fn build(view: IncidentView, tenants: String, times: &Times) -> IncidentPage {
    let it = view.incident;
    let step = |name, at: Option<Timestamp>| Step {
        name,
        at: at.map(|at| times.exact(at)),
        after: at.map(|at| length(at.duration_since(it.detected_at))).unwrap_or_default(),
    };
    let steps = vec![
        step("Broken", Some(it.detected_at)),
        step("Declared", Some(it.declared_at)),
        step("Mitigated", it.mitigated_at),
        step("Drained", it.drained_at),
        step("Recovered", it.recovered_at),
    ];
    let line = |it: bugle_engine::incident::IncidentLine| Line {
        at: times.exact(it.at),
        source: it.source,
        text: it.text,
    };
    IncidentPage {
        severity: severity(&it),
        open: it.open(),
        tenants,
        steps,
        lines: view.lines.into_iter().map(line).collect(),
        answer: (it.open() && it.answered.is_none())
            .then(|| format!("/incidents/{}/answer", it.id)),
        answered: it.answered.map(|(at, by)| format!("{by}, {}", times.hms(at))),
        title: it.title,
        evidence: it.evidence,
    }
}
