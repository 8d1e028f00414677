//! What the watch sees, and the major incidents it declares. For operators.

use axum::Json;
use axum::extract::State;
use bugle_app::incidents::IncidentView;
use bugle_app::watch::{Report, Watched};
use bugle_app::{App, Caller};
use bugle_domain::IncidentId;
use bugle_engine::incident::{Incident, IncidentLine};
use bugle_engine::watch::{Canary, Hop, Verdict};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::{Id, List};
use crate::problem::ApiError;

/// What the watches of all nodes say.
#[derive(Serialize, ToSchema)]
pub(crate) struct WatchBody {
    /// Whether the watch of this node runs.
    on: bool,
    /// When; null where nothing was said yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// What is broken, worst first.
    #[schema(value_type = Vec<Object>)]
    verdicts: Vec<Verdict>,
    /// How the canaries of each path do.
    #[schema(value_type = Vec<Object>)]
    canaries: Vec<Canary>,
    /// What the watch of each node says.
    #[schema(value_type = Vec<Object>)]
    nodes: Vec<Report>,
    /// Nodes whose watch is silent, and when it spoke last.
    #[schema(value_type = Vec<Object>)]
    silent: Vec<(bugle_domain::NodeId, Timestamp)>,
}

impl WatchBody {
    fn of(watched: Option<&Watched>) -> Self {
        let Some(watched) = watched else {
            let (verdicts, canaries) = (Vec::new(), Vec::new());
            let (nodes, silent) = (Vec::new(), Vec::new());
            return Self { on: false, at: None, verdicts, canaries, nodes, silent };
        };
        Self {
            on: true,
            at: Some(watched.view.at),
            verdicts: watched.view.verdicts.clone(),
            canaries: watched.view.canaries.clone(),
            nodes: watched.reports.clone(),
            silent: watched.silent.clone(),
        }
    }
}

/// What the watch sees. For operators.
#[utoipa::path(
    get, path = "/watch", tag = "operator", operation_id = "read the watch",
    responses((status = 200, body = WatchBody))
)]
pub(crate) async fn watch(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<WatchBody>, ApiError> {
    Ok(Json(WatchBody::of(app.watched(&caller)?.as_deref())))
}

/// A major incident.
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentBody {
    id: String,
    /// `open` or `recovered`.
    status: &'static str,
    /// `critical` or `major`.
    severity: &'static str,
    title: String,
    /// The hop that broke first.
    #[schema(value_type = Object)]
    hop: Hop,
    /// Tenants known to be hit.
    tenants: Vec<String>,
    evidence: String,
    #[schema(value_type = String, format = DateTime)]
    detected_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    declared_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    mitigated_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    drained_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    recovered_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    answered_at: Option<Timestamp>,
    answered_by: Option<String>,
}

impl From<Incident> for IncidentBody {
    fn from(it: Incident) -> Self {
        let (answered_at, answered_by) = it.answered.clone().unzip();
        Self {
            id: it.id.to_string(),
            status: if it.open() { "open" } else { "recovered" },
            severity: it.severity.as_str(),
            title: it.title,
            hop: it.hop,
            tenants: it.tenants.iter().map(ToString::to_string).collect(),
            evidence: it.evidence,
            detected_at: it.detected_at,
            declared_at: it.declared_at,
            mitigated_at: it.mitigated_at,
            drained_at: it.drained_at,
            recovered_at: it.recovered_at,
            answered_at,
            answered_by,
        }
    }
}

/// A major incident and its timeline.
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentViewBody {
    incident: IncidentBody,
    /// Oldest first.
    #[schema(value_type = Vec<Object>)]
    timeline: Vec<IncidentLine>,
}

impl From<IncidentView> for IncidentViewBody {
    fn from(view: IncidentView) -> Self {
        Self { incident: view.incident.into(), timeline: view.lines }
    }
}

/// Lists the newest major incidents, newest first. For operators.
#[utoipa::path(
    get, path = "/incidents", tag = "operator", operation_id = "list incidents",
    responses((status = 200, body = List<IncidentBody>))
)]
pub(crate) async fn incidents(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<List<IncidentBody>>, ApiError> {
    let found = app.incidents(&caller).await?;
    Ok(List::whole(found.into_iter().map(IncidentBody::from).collect()))
}

/// Reads a major incident and its timeline. For operators.
#[utoipa::path(
    get, path = "/incidents/{id}", tag = "operator", operation_id = "get incident",
    params(("id" = String, Path)), responses((status = 200, body = IncidentViewBody))
)]
pub(crate) async fn incident(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IncidentId>,
) -> Result<Json<IncidentViewBody>, ApiError> {
    Ok(Json(app.incident(&caller, id).await?.into()))
}

/// Answers the alarm of a major incident: it is not repeated any more. For operators.
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
