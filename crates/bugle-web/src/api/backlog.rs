//! The backlog: what is owed and due, what would become of it, and how fast it drains.

use axum::Json;
use axum::extract::State;
use bugle_app::backlog::{BacklogView, DrainView};
use bugle_app::{App, Caller};
use bugle_engine::dispatch::{BacklogLine, Fates};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::ApiError;

/// What would become of notifications that are owed and due.
#[derive(Serialize, ToSchema)]
pub(crate) struct FatesBody {
    /// They are sent, and say that they are late where they are.
    sent: i64,
    /// They become lines of digests, one digest for a person.
    digested: i64,
    /// They end, because somebody has the alert.
    acknowledged: i64,
    /// They end, because the alert is over.
    resolved: i64,
    /// They end, because they are too late.
    expired: i64,
}

/// The same of one lane and severity.
#[derive(Serialize, ToSchema)]
pub(crate) struct BacklogLineBody {
    lane: &'static str,
    severity: &'static str,
    #[serde(flatten)]
    fates: FatesBody,
}

/// How the backlog drains on the node that answers.
#[derive(Serialize, ToSchema)]
pub(crate) struct DrainBody {
    #[schema(value_type = String, format = DateTime)]
    began_at: Timestamp,
    /// Notifications taken off the backlog per second, over the last minute.
    per_second: f64,
    /// Seconds until it is clear, at that rate.
    clear_in_s: Option<i64>,
    /// The share of what can be sent that the drain may take, in percent.
    share: i64,
}

/// The backlog.
#[derive(Serialize, ToSchema)]
pub(crate) struct BacklogBody {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// All that is owed and due.
    owed: i64,
    total: FatesBody,
    /// By lane and severity, in the order they are served.
    lines: Vec<BacklogLineBody>,
    /// Absent where nothing was taken off it lately.
    drain: Option<DrainBody>,
}

impl From<Fates> for FatesBody {
    fn from(fates: Fates) -> Self {
        let Fates { sent, digested, acknowledged, resolved, expired } = fates;
        Self { sent, digested, acknowledged, resolved, expired }
    }
}

impl From<BacklogLine> for BacklogLineBody {
    fn from(line: BacklogLine) -> Self {
        let BacklogLine { lane, severity, fates } = line;
        Self { lane: lane.as_str(), severity: severity.as_str(), fates: fates.into() }
    }
}

impl From<DrainView> for DrainBody {
    fn from(drain: DrainView) -> Self {
        let DrainView { began_at, per_second, clear_in, share } = drain;
        let clear_in_s = clear_in.map(|left| left.as_secs());
        Self { began_at, per_second, clear_in_s, share }
    }
}

impl From<BacklogView> for BacklogBody {
    fn from(view: BacklogView) -> Self {
        let BacklogView { plan, drain, at } = view;
        Self {
            at,
            owed: plan.total.total(),
            total: plan.total.into(),
            lines: plan.lines.into_iter().map(BacklogLineBody::from).collect(),
            drain: drain.map(DrainBody::from),
        }
    }
}

/// Reads everybody's backlog: what would become of it if it went out now, and how fast it drains.
/// For operators.
#[utoipa::path(
    get, path = "/backlog", tag = "ledger", operation_id = "backlog",
    responses((status = 200, body = BacklogBody))
)]
pub(crate) async fn backlog(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<BacklogBody>, ApiError> {
    Ok(Json(app.backlog(&caller).await?.into()))
}
