//! Integrations: ways in, their keys, their last requests, and events sent through them from here.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use bugle_app::objects::draft::IntegrationDraft;
use bugle_app::objects::{KeySource, KeyedIntegration, Noun};
use bugle_app::requests::{RequestView, SentEvent};
use bugle_app::{App, Caller};
use bugle_domain::event::{Action, Link};
use bugle_domain::integration::{DEFAULT_QUOTA_PER_MINUTE, Dialect, Integration};
use bugle_domain::{IntegrationId, ServiceId, Severity};
use http::{StatusCode, Uri};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::crud::{self, read_and_write};
use super::keyed::shown_once;
use super::schema::{self, DeletedBody};
use super::wire::{Asking, Body, Id, List, ListParams, Options, created};
use crate::problem::ApiError;
use crate::state::WebSettings;

read_and_write!(
    Integration,
    IntegrationDraft,
    schema::Integration,
    schema::IntegrationDraft,
    "integrations",
    "/integrations",
    "/integrations/{id}"
);

fn default_quota() -> u32 {
    DEFAULT_QUOTA_PER_MINUTE
}

/// A new integration as wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewIntegrationBody {
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    #[schema(value_type = schema::Dialect)]
    dialect: Dialect,
    /// Where its events belong; null: the tenant's fallback policy is told.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// Events it may send in a minute.
    #[serde(default = "default_quota")]
    quota_per_minute: u32,
    #[serde(default)]
    disabled: bool,
    /// A key that its senders have already, 16–128 letters, digits, `-` and `_`; left out: one is
    /// made.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    key: Option<SecretString>,
}

/// An integration whose key was just made or set.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyedBody {
    #[schema(value_type = schema::Integration)]
    integration: Integration,
    /// The key that was made. Not shown again. Null: its owner gave it.
    key: Option<String>,
}

impl From<KeyedIntegration> for KeyedBody {
    fn from(keyed: KeyedIntegration) -> Self {
        let key = keyed.key.map(|key| key.expose_secret().to_owned());
        Self { integration: keyed.integration.object, key }
    }
}

fn source(key: Option<SecretString>) -> KeySource {
    key.map_or(KeySource::Made, KeySource::Given)
}

/// Makes an integration and its key, which is shown this once.
#[utoipa::path(
    post, path = "/integrations", tag = "integrations", operation_id = "create integrations",
    request_body = NewIntegrationBody, params(("dry_run" = Option<String>, Query)),
    responses((status = 201, body = KeyedBody))
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Options(options): Options,
    Body(new): Body<NewIntegrationBody>,
) -> Result<Response, ApiError> {
    let NewIntegrationBody { name, dialect, service, quota_per_minute, disabled, key } = new;
    let draft = IntegrationDraft { name, dialect, service, quota_per_minute, disabled };
    let made = app.create_integration(&caller, draft, source(key), options).await?;
    let version = made.integration.version;
    let path = format!("/api/v1/integrations/{}", made.integration.object.id);
    Ok(created(version, &path, shown_once(Json(KeyedBody::from(made)))))
}

/// Where a key comes from.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyBody {
    /// The key; left out: one is made.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    key: Option<SecretString>,
}

/// Gives an integration another key. The old one ends at once.
#[utoipa::path(
    put, path = "/integrations/{id}/key", tag = "integrations", operation_id = "set key",
    request_body = KeyBody,
    params(("id" = String, Path)), responses((status = 200, body = KeyedBody))
)]
pub(crate) async fn set_key(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IntegrationId>,
    Body(body): Body<KeyBody>,
) -> Result<Json<KeyedBody>, ApiError> {
    Ok(Json(app.set_integration_key(&caller, id, source(body.key)).await?.into()))
}

/// Where an integration's events may be mailed to.
#[derive(Serialize, ToSchema)]
pub(crate) struct AddressBody {
    /// The address; whoever knows it can send events. Null: Bugle takes no mail in.
    address: Option<String>,
}

/// Shows the address that an integration's events may be mailed to.
#[utoipa::path(
    get, path = "/integrations/{id}/address", tag = "integrations",
    operation_id = "show mail address",
    params(("id" = String, Path)), responses((status = 200, body = AddressBody))
)]
pub(crate) async fn address(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IntegrationId>,
) -> Result<Json<AddressBody>, ApiError> {
    let address = app.shown_event_address(&caller, id).await?;
    Ok(Json(AddressBody { address }))
}

/// One request of an integration, accepted or rejected.
#[derive(Serialize, ToSchema)]
pub(crate) struct RequestBody {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(value_type = schema::Dialect)]
    dialect: Dialect,
    /// Ids of the events it held; empty: it was rejected.
    events: Vec<String>,
    /// Why it was rejected.
    rejected: Option<String>,
    /// The status it was answered with.
    status: u16,
    size_bytes: usize,
    /// The first 2,000 characters.
    preview: String,
    /// What came of its first event.
    outcome: String,
}

impl From<RequestView> for RequestBody {
    fn from(view: RequestView) -> Self {
        let RequestView { at, dialect, events, rejected, status, size_bytes, preview, outcome } =
            view;
        let events = events.iter().map(ToString::to_string).collect();
        Self { at, dialect, events, rejected, status, size_bytes, preview, outcome }
    }
}

/// Lists the last 50 requests of an integration, newest first, rejected ones too.
#[utoipa::path(
    get, path = "/integrations/{id}/requests", tag = "integrations",
    operation_id = "list requests",
    params(("id" = String, Path)), responses((status = 200, body = List<RequestBody>))
)]
pub(crate) async fn requests(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IntegrationId>,
) -> Result<Json<List<RequestBody>>, ApiError> {
    let found = app.requests(&caller, id).await?;
    Ok(List::whole(found.into_iter().map(RequestBody::from).collect()))
}

/// An event sent without the integration's key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendEventBody {
    #[serde(default = "trigger")]
    #[schema(value_type = String, example = "trigger")]
    action: Action,
    #[serde(default)]
    summary: String,
    #[serde(default = "high")]
    #[schema(value_type = String, example = "high")]
    severity: Severity,
    #[serde(default)]
    source: String,
    #[serde(default)]
    dedup_key: Option<String>,
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    links: Vec<Link>,
    #[serde(default)]
    #[schema(value_type = Object)]
    details: Map<String, Value>,
}

fn trigger() -> Action {
    Action::Trigger
}

fn high() -> Severity {
    crate::intake::DEFAULT_SEVERITY
}

/// What intake said.
#[derive(Serialize, ToSchema)]
pub(crate) struct TakenBody {
    /// Id of the event.
    id: String,
    dedup_key: String,
    /// `accepted`.
    status: &'static str,
    /// Where to see what becomes of it.
    url: String,
}

/// Sends an event through the same intake as everybody's: a test, or `bugle trigger`.
#[utoipa::path(
    post, path = "/integrations/{id}/events", tag = "integrations", operation_id = "send event",
    request_body = SendEventBody,
    params(("id" = String, Path)), responses((status = 202, body = TakenBody))
)]
pub(crate) async fn send_event(
    State(app): State<App>,
    State(settings): State<Arc<WebSettings>>,
    caller: Caller,
    Id(id): Id<IntegrationId>,
    Body(body): Body<SendEventBody>,
) -> Result<(StatusCode, Json<TakenBody>), ApiError> {
    let SendEventBody { action, summary, severity, source, dedup_key, links, details } = body;
    let event = SentEvent { action, summary, severity, source, dedup_key, links, details };
    let taken = app.send_event(&caller, id, event).await?;
    let url = settings.page(&format!("/events/{}", taken.event));
    let (id, dedup_key) = (taken.event.to_string(), taken.dedup_key);
    Ok((StatusCode::ACCEPTED, Json(TakenBody { id, dedup_key, status: "accepted", url })))
}

/// Which severity is meant.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SeverityParams {
    /// `critical` where nothing is said.
    #[param(value_type = Option<String>)]
    severity: Option<Severity>,
}

/// Who would be paged.
#[derive(Serialize, ToSchema)]
pub(crate) struct WouldPageBody {
    /// The policy, by name, and why that one.
    policy: String,
    /// A sentence for each level.
    levels: Vec<String>,
}

/// Says who would be paged now by an event of this integration, without sending one.
#[utoipa::path(
    get, path = "/integrations/{id}/would-page", tag = "integrations",
    operation_id = "would page",
    params(("id" = String, Path), SeverityParams),
    responses((status = 200, body = WouldPageBody))
)]
pub(crate) async fn would_page(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<IntegrationId>,
    Asking(params): Asking<SeverityParams>,
) -> Result<Json<WouldPageBody>, ApiError> {
    let severity = params.severity.unwrap_or(Severity::Critical);
    let would = app.would_page(&caller, id, severity).await?;
    Ok(Json(WouldPageBody { policy: would.policy, levels: would.levels }))
}
