//! What the watch sees. For operators.

use axum::Json;
use axum::extract::State;
use bugle_app::watch::{Report, Watched};
use bugle_app::{App, Caller};
use bugle_engine::watch::{Canary, Verdict};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

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
