//! Events and notifications: what was said to us, and what was owed to whom.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bugle_app::events::{EventQuery, EventView};
use bugle_app::notifications::{NotificationQuery, NotificationView};
use bugle_app::{App, Caller};
use bugle_domain::event::{Action, EventOutcome, Link};
use bugle_domain::integration::Dialect;
use bugle_domain::notification::{Attempt, Lane, NotificationState, Receipt};
use bugle_domain::{EventId, NotificationId, ParseIdError, Severity};
use http::Uri;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::schema;
use super::wire::{Asking, Id, List, ListParams, flag, no_such};
use crate::problem::ApiError;

/// One event.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventBody {
    id: String,
    /// Id of the integration it came by.
    integration: String,
    /// Name of that integration.
    integration_name: String,
    #[schema(value_type = schema::Dialect)]
    dialect: Dialect,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    #[schema(value_type = String, example = "trigger")]
    action: Action,
    summary: String,
    #[schema(value_type = String, example = "critical")]
    severity: Severity,
    source: String,
    dedup_key: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    occurred_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    #[schema(value_type = Vec<Object>)]
    links: Vec<Link>,
    #[schema(value_type = Object)]
    details: Map<String, Value>,
    /// Null while it is pending.
    #[schema(value_type = Option<Object>)]
    outcome: Option<EventOutcome>,
    /// The same in a sentence.
    outcome_text: String,
    /// Number of the alert it opened or folded into.
    alert_number: Option<i64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
}

impl From<EventView> for EventBody {
    fn from(view: EventView) -> Self {
        let (event, body) = (&view.event, view.event.body.clone());
        Self {
            id: event.id.to_string(),
            integration: event.integration.to_string(),
            integration_name: view.integration,
            dialect: event.dialect,
            received_at: event.received_at,
            action: body.action,
            summary: body.summary,
            severity: body.severity,
            source: body.source,
            dedup_key: body.dedup_key,
            occurred_at: body.occurred_at,
            ends_at: body.ends_at,
            links: body.links,
            details: body.details,
            outcome: event.outcome,
            outcome_text: view.outcome,
            alert_number: view.alert_number,
            decided_at: event.decided_at,
        }
    }
}

/// Which events are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventParams {
    /// Id of an integration.
    integration: Option<String>,
    /// Id of an alert they went into.
    alert: Option<String>,
    /// `1`: only those without an outcome.
    pending: Option<String>,
}

/// The id in a parameter, if there is one.
fn id<T: std::str::FromStr<Err = ParseIdError>>(
    text: Option<String>,
) -> Result<Option<T>, ApiError> {
    match text.filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|error| no_such(&text, error)),
    }
}

/// Lists events, newest first.
#[utoipa::path(
    get, path = "/events", tag = "events", operation_id = "list events",
    params(EventParams, ListParams), responses((status = 200, body = List<EventBody>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Asking(params): Asking<EventParams>,
    Asking(list): Asking<ListParams>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let (integration, alert) = (id(params.integration)?, id(params.alert)?);
    let query = EventQuery { integration, alert, pending: flag(params.pending.as_deref()) };
    let found = app.events(&caller, &query, &list.page()).await?;
    Ok(List::part(found.map(EventBody::from), &uri))
}

/// Reads one event.
#[utoipa::path(
    get, path = "/events/{id}", tag = "events", operation_id = "get event",
    params(("id" = String, Path)), responses((status = 200, body = EventBody))
)]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<EventId>,
) -> Result<Json<EventBody>, ApiError> {
    Ok(Json(app.event(&caller, id).await?.into()))
}

/// Reads the bytes an event came in, as they were received.
#[utoipa::path(
    get, path = "/events/{id}/raw", tag = "events", operation_id = "get raw event",
    params(("id" = String, Path)),
    responses((status = 200, body = [u8], content_type = "application/octet-stream"))
)]
pub(crate) async fn raw(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<EventId>,
) -> Result<Response, ApiError> {
    let raw = app.raw_request(&caller, id).await?;
    // Never shown as a page: the bytes are anybody's.
    let headers = [(CONTENT_TYPE, "application/octet-stream"), (CONTENT_DISPOSITION, "attachment")];
    Ok((headers, raw.bytes).into_response())
}

/// A causal record.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct WhyBody {
    /// What was asked about: `evt_…` or `alr_…`.
    subject: String,
    event: Option<String>,
    alert: Option<String>,
    alert_number: Option<i64>,
    /// The answer in a sentence.
    answer: String,
    /// Every step, oldest first.
    steps: Vec<WhyStepBody>,
    /// Whether steps were left out because there are too many.
    cut: bool,
}

/// One link of the chain.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct WhyStepBody {
    #[schema(format = DateTime)]
    at: String,
    /// `intake`, `alerting`, `dispatch`, `receipts` or `responses`.
    stage: String,
    /// What, in one sentence.
    text: String,
    /// The same for programs.
    #[schema(value_type = Object)]
    data: Value,
}

/// Says why an event had the effect it had, from the bytes received to the human act.
#[utoipa::path(
    get, path = "/events/{id}/why", tag = "events", operation_id = "why event",
    params(("id" = String, Path)), responses((status = 200, body = WhyBody))
)]
pub(crate) async fn why(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<EventId>,
) -> Result<Response, ApiError> {
    Ok(Json(app.why_event(&caller, id).await?).into_response())
}

/// One message owed to one person by one contact method about one alert.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotificationBody {
    id: String,
    alert: String,
    user: String,
    user_name: String,
    method: String,
    channel: &'static str,
    /// Where to, mostly hidden.
    address: String,
    #[schema(value_type = String, example = "urgent")]
    lane: Lane,
    /// The level that owes it, 0-based.
    level: usize,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    deadline: Timestamp,
    #[schema(value_type = Object)]
    state: NotificationState,
    /// Claims so far.
    tries: u16,
    /// What is known of its way to its person.
    #[schema(value_type = Option<String>)]
    receipt: Option<Receipt>,
    #[schema(value_type = Option<String>, format = DateTime)]
    receipt_at: Option<Timestamp>,
    /// It may have been sent twice.
    possible_repeat: bool,
    /// Four characters that its message carries.
    reference: String,
    /// How it stands, in words.
    words: String,
    /// Every try, oldest first; only where one notification was asked for.
    #[schema(value_type = Vec<Object>)]
    attempts: Vec<Attempt>,
}

impl From<NotificationView> for NotificationBody {
    fn from(view: NotificationView) -> Self {
        let (it, line) = (view.notification, view.line);
        Self {
            id: it.id.to_string(),
            alert: it.alert.to_string(),
            user: it.user.to_string(),
            user_name: line.name,
            method: it.method.to_string(),
            channel: it.channel.as_str(),
            address: line.address,
            lane: it.lane,
            level: it.level,
            due_at: it.due_at,
            deadline: it.deadline,
            tries: it.tries,
            receipt: it.receipt.map(|(receipt, _)| receipt),
            receipt_at: it.receipt.map(|(_, at)| at),
            possible_repeat: it.possible_repeat,
            reference: line.reference,
            words: line.words,
            attempts: view.attempts,
            state: it.state,
        }
    }
}

/// Which notifications are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct NotificationParams {
    /// Id of an alert.
    alert: Option<String>,
    /// Id of a user.
    user: Option<String>,
    /// `1`: only those that have not ended.
    unfinished: Option<String>,
}

/// Lists notifications, newest first.
#[utoipa::path(
    get, path = "/notifications", tag = "notifications", operation_id = "list notifications",
    params(NotificationParams, ListParams),
    responses((status = 200, body = List<NotificationBody>))
)]
pub(crate) async fn notifications(
    State(app): State<App>,
    caller: Caller,
    Asking(params): Asking<NotificationParams>,
    Asking(list): Asking<ListParams>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let (alert, user) = (id(params.alert)?, id(params.user)?);
    let unfinished = flag(params.unfinished.as_deref());
    let query = NotificationQuery { alert, user, unfinished };
    let found = app.notifications(&caller, &query, &list.page()).await?;
    Ok(List::part(found.map(NotificationBody::from), &uri))
}

/// Reads one notification with its tries.
#[utoipa::path(
    get, path = "/notifications/{id}", tag = "notifications", operation_id = "get notification",
    params(("id" = String, Path)), responses((status = 200, body = NotificationBody))
)]
pub(crate) async fn notification(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<NotificationId>,
) -> Result<Json<NotificationBody>, ApiError> {
    Ok(Json(app.notification(&caller, id).await?.into()))
}
