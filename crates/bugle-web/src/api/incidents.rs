//! Major incidents: declaring them, their rooms and timelines, and their reports. Those of the
//! tenant, and for operators those of the installation.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bugle_app::incidents::{IncidentView, NewIncident};
use bugle_app::{App, Caller};
use bugle_domain::IncidentId;
use bugle_engine::incident::command::Command;
use bugle_engine::incident::report::{Impact, Report, TenantImpact};
use bugle_engine::incident::room::{LinkedAlert, Origin, Person, Role, Room, Task, Timings};
use bugle_engine::incident::{Incident, IncidentLine, IncidentSeverity};
use bugle_engine::status::State as Health;
use bugle_engine::status::bulletin::DeclaredTrouble;
use bugle_engine::watch::Hop;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::status::named;
use super::wire::{Body, Id, List};
use crate::pages::report_html;
use crate::problem::ApiError;

/// A major incident.
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentBody {
    id: String,
    /// Whose it is; null: the installation's.
    tenant: Option<String>,
    /// Who declared it: `{"by":"watch"}`, `{"by":"person","name":…}` or
    /// `{"by":"alert","name":…,"number":…}`.
    #[schema(value_type = Object)]
    origin: Origin,
    /// `open`, or `recovered` where the watch ended it, or `closed` where a person did.
    status: &'static str,
    /// `critical` or `major`.
    severity: &'static str,
    title: String,
    /// What is affected, in words.
    affected: String,
    /// The hop that broke first, where the watch declared it.
    #[schema(value_type = Option<Object>)]
    hop: Option<Hop>,
    /// Tenants known to be hit.
    tenants: Vec<String>,
    /// What the watch saw.
    evidence: Option<String>,
    /// Since when it is broken, as far as is known.
    #[schema(value_type = String, format = DateTime)]
    detected_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    declared_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    first_post_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_update_by: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    mitigated_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    drained_at: Option<Timestamp>,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    recovered_at: Option<Timestamp>,
    /// Why it was closed.
    close_reason: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    answered_at: Option<Timestamp>,
    answered_by: Option<String>,
    /// `commander`, `communications` and `scribe`.
    #[schema(value_type = Object)]
    roles: BTreeMap<Role, Person>,
    /// Who is here.
    #[schema(value_type = Vec<Object>)]
    here: Vec<Person>,
    #[schema(value_type = Vec<Object>)]
    tasks: Vec<Task>,
    /// Alerts that it is about.
    #[schema(value_type = Vec<Object>)]
    alerts: Vec<LinkedAlert>,
    /// Seconds from when it broke until each step; null: not known, or not yet.
    #[schema(value_type = Object)]
    timings: Timings,
}

impl IncidentBody {
    fn of(room: Room, watch: Option<Incident>) -> Self {
        let answered = watch.as_ref().and_then(|it| it.answered.clone());
        let (answered_at, answered_by) = answered.unzip();
        let hit = watch.as_ref().map(|it| it.tenants.clone()).unwrap_or_default();
        Self {
            id: room.id.to_string(),
            tenant: room.tenant.map(|tenant| tenant.to_string()),
            status: status(&room),
            severity: room.severity.as_str(),
            hop: watch.as_ref().map(|it| it.hop.clone()),
            tenants: hit.iter().map(ToString::to_string).collect(),
            evidence: watch.map(|it| it.evidence),
            detected_at: room.began_at,
            declared_at: room.declared_at,
            first_post_at: room.first_post_at,
            next_update_by: room.next_update_by,
            mitigated_at: room.mitigated_at,
            drained_at: room.drained_at,
            recovered_at: room.closed.as_ref().map(|closed| closed.at),
            answered_at,
            answered_by,
            timings: room.timings(),
            origin: room.origin,
            title: room.title,
            affected: room.affected,
            close_reason: room.closed.map(|closed| closed.reason),
            roles: room.roles,
            here: room.here,
            tasks: room.tasks,
            alerts: room.alerts,
        }
    }
}

fn status(room: &Room) -> &'static str {
    match (&room.closed, &room.origin) {
        (None, _) => "open",
        (Some(_), Origin::Watch) => "recovered",
        (Some(_), Origin::Person { .. } | Origin::Alert { .. }) => "closed",
    }
}

/// A major incident and its timeline.
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentViewBody {
    incident: IncidentBody,
    /// Oldest first: `at`, `source`, `text`, and `link`, the path of the page that shows more.
    #[schema(value_type = Vec<Object>)]
    timeline: Vec<IncidentLine>,
}

impl From<IncidentView> for IncidentViewBody {
    fn from(view: IncidentView) -> Self {
        Self { incident: IncidentBody::of(view.room, view.watch), timeline: view.lines }
    }
}

/// An incident to be declared.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewIncidentBody {
    /// What is wrong, in a line. Left out: what the alert says.
    #[serde(default)]
    #[schema(max_length = 120, required = false)]
    title: String,
    /// `critical` or `major`. Left out: critical.
    #[serde(default)]
    #[schema(value_type = Option<String>, required = false)]
    severity: Option<IncidentSeverity>,
    /// What is affected, in words.
    #[serde(default)]
    #[schema(max_length = 4000, required = false)]
    affected: String,
    /// Since when it is broken. Left out: since the alert, or now.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    began_at: Option<Timestamp>,
    /// The number of the alert that it is declared from.
    #[serde(default)]
    #[schema(required = false)]
    alert: Option<i64>,
    /// Whether it is the installation's own, which only operators declare.
    #[serde(default)]
    #[schema(required = false)]
    installation: bool,
    /// Who leads: a name, a mail address, an id or `me`. Left out: whoever declares it.
    #[serde(default)]
    #[schema(required = false)]
    commander: Option<String>,
    /// Who says what is said outside.
    #[serde(default)]
    #[schema(required = false)]
    communications: Option<String>,
    /// Who writes down what is not written by itself.
    #[serde(default)]
    #[schema(required = false)]
    scribe: Option<String>,
    /// What the public is told of one of the installation, by itself. Left out: nothing yet.
    #[serde(default)]
    #[schema(required = false)]
    told: Option<ToldBody>,
}

/// What the public is told, in words made from this and from what is affected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToldBody {
    /// `degraded_performance`, `partial_outage` or `major_outage`.
    state: String,
    /// What it touches, as bulletins name it.
    #[schema(max_items = 20)]
    components: Vec<String>,
}

impl ToldBody {
    fn meant(self, affected: String) -> Result<DeclaredTrouble, ApiError> {
        let unknown = "`told.state` is `degraded_performance`, `partial_outage` or `major_outage`";
        let state = Health::parse(&self.state);
        Ok(DeclaredTrouble {
            state: state.ok_or_else(|| ApiError::bad_request("bad_query", unknown))?,
            components: named(&self.components)?,
            affected,
        })
    }
}

impl NewIncidentBody {
    fn meant(self) -> Result<NewIncident, ApiError> {
        let new = self;
        let told = new.told.map(|it| it.meant(new.affected.clone())).transpose()?;
        let named = [
            (Role::Commander, new.commander),
            (Role::Communications, new.communications),
            (Role::Scribe, new.scribe),
        ];
        Ok(NewIncident {
            told,
            installation: new.installation,
            title: new.title,
            severity: new.severity,
            affected: new.affected,
            began_at: new.began_at,
            alert: new.alert,
            roles: named.into_iter().filter_map(|(role, name)| Some((role, name?))).collect(),
        })
    }
}

/// What is typed into the room's box.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SayBody {
    /// A note, or a command behind a slash: `/lead Priya: I am off at six`.
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}

/// Lists the newest major incidents, newest first: those of the tenant, and for operators those of
/// the installation.
#[utoipa::path(
    get, path = "/incidents", tag = "incidents", operation_id = "list incidents",
    responses((status = 200, body = List<IncidentBody>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<List<IncidentBody>>, ApiError> {
    let found = app.incidents(&caller).await?;
    Ok(List::whole(found.into_iter().map(|(room, watch)| IncidentBody::of(room, watch)).collect()))
}

/// Declares a major incident.
#[utoipa::path(
    post, path = "/incidents", tag = "incidents", operation_id = "declare incident",
    request_body = NewIncidentBody, responses((status = 201, body = IncidentViewBody))
)]
pub(crate) async fn declare(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<NewIncidentBody>,
) -> Result<(StatusCode, Json<IncidentViewBody>), ApiError> {
    let id = app.declare_incident(&caller, new.meant()?).await?;
    Ok((StatusCode::CREATED, Json(app.incident(&caller, id).await?.into())))
}

/// Reads a major incident and its timeline.
#[utoipa::path(
    get, path = "/incidents/{id}", tag = "incidents", operation_id = "get incident",
    params(("id" = String, Path)), responses((status = 200, body = IncidentViewBody))
)]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IncidentId>,
) -> Result<Json<IncidentViewBody>, ApiError> {
    Ok(Json(app.incident(&caller, id).await?.into()))
}

/// Answers the alarm of a major incident that the watch declared: it is not repeated any more. For
/// operators.
#[utoipa::path(
    post, path = "/incidents/{id}/answer", tag = "operator", operation_id = "answer incident",
    params(("id" = String, Path)), responses((status = 200, body = IncidentViewBody))
)]
pub(crate) async fn answer(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IncidentId>,
) -> Result<Json<IncidentViewBody>, ApiError> {
    Ok(Json(app.answer_incident(&caller, id).await?.into()))
}

/// Says something in an incident's room, as people type it: a note, or a command behind a slash.
#[utoipa::path(
    post, path = "/incidents/{id}/say", tag = "incidents", operation_id = "say in incident",
    params(("id" = String, Path)), request_body = SayBody,
    responses((status = 200, body = IncidentViewBody))
)]
pub(crate) async fn say(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IncidentId>,
    Body(said): Body<SayBody>,
) -> Result<Json<IncidentViewBody>, ApiError> {
    app.say_in_incident(&caller, id, &said.text).await?;
    Ok(Json(app.incident(&caller, id).await?.into()))
}

/// Does something in an incident's room, as programs say it. `act` is one of `note`, `severity`,
/// `role`, `page`, `task`, `done`, `update`, `status`, `next`, `alert`, `mitigated`, `drained`,
/// `join`, `leave` and `close`.
#[utoipa::path(
    post, path = "/incidents/{id}/acts", tag = "incidents", operation_id = "act in incident",
    params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = IncidentViewBody))
)]
pub(crate) async fn act(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IncidentId>,
    Body(command): Body<Command>,
) -> Result<Json<IncidentViewBody>, ApiError> {
    app.act_in_incident(&caller, id, command).await?;
    Ok(Json(app.incident(&caller, id).await?.into()))
}

/// The draft of an incident's report, and its numbers.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReportBody {
    /// From when on events and notifications are counted.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// What it did to all tenants together.
    #[schema(value_type = Object)]
    total: Impact,
    /// What it did to each that something was said to.
    #[schema(value_type = Vec<Object>)]
    tenants: Vec<TenantImpact>,
    #[schema(value_type = Object)]
    timings: Timings,
    /// The draft.
    markdown: String,
}

impl From<Report> for ReportBody {
    fn from(report: Report) -> Self {
        Self {
            from: report.from,
            until: report.until,
            total: report.total(),
            timings: report.room.timings(),
            markdown: report.markdown(),
            tenants: report.tenants,
        }
    }
}

/// Writes the draft of an incident's report: Markdown, or what `Accept` asks for of `text/html` and
/// `application/json`.
#[utoipa::path(
    get, path = "/incidents/{id}/report", tag = "incidents", operation_id = "report incident",
    params(("id" = String, Path)), responses((status = 200, body = ReportBody))
)]
pub(crate) async fn report(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IncidentId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let report = app.incident_report(&caller, id).await?;
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/json") {
        return Ok(Json(ReportBody::from(report)).into_response());
    }
    let (kind, text) = if accept.contains("text/html") {
        ("text/html; charset=utf-8", report_html(&report))
    } else {
        ("text/markdown; charset=utf-8", report.markdown())
    };
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}
