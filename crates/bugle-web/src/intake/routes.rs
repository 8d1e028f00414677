//! The paths that events are posted to.
//!
//! They stand outside every layer: this is the hot path. Each path works with and without a slash
//! at its end, since real clients post to both and some of them follow no redirect.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use bugle_domain::integration::Dialect;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Serialize;
use serde_json::json;

use super::credential::credential;
use super::door::{Arrived, Refusal, Taken, take};
use super::{
    alertmanager_api, alertmanager_webhook, amtool, answers, native, pagerduty_v1, pagerduty_v2,
};
use crate::api::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED};
use crate::state::{WebSettings, WebState};

/// Longest wait for a whole body.
const BODY_WAIT: Duration = Duration::from_secs(20);

/// All ways in.
pub(crate) fn routes() -> Router<WebState> {
    let router = Router::new();
    let router = both(router, "/api/v1/events", post(take_native));
    let router = both(router, "/v2/enqueue", post(take_pagerduty_v2));
    let router = both(router, "/v2/change/enqueue", post(take_pagerduty_change));
    let v1 = "/generic/2010-04-15/create_event.json";
    let router = both(router, v1, post(take_pagerduty_v1));
    // Grafana can be told to PUT.
    let webhook = post(take_alertmanager_webhook).put(take_alertmanager_webhook);
    let router = both(router, "/alertmanager/webhook", webhook);
    let alerts = post(take_alertmanager_api).get(amtool::alerts);
    let router = both(router, "/api/v2/alerts", alerts);
    both(router, "/api/v2/status", get(amtool::status))
}

fn both(router: Router<WebState>, path: &str, methods: MethodRouter<WebState>) -> Router<WebState> {
    router.route(path, methods.clone()).route(&format!("{path}/"), methods)
}

/// The whole body, within the limits of size and time.
async fn read(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let reading = axum::body::to_bytes(body, limit);
    match tokio::time::timeout(BODY_WAIT, reading).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Refusal::TooLarge),
        Err(_) => Err(Refusal::TooSlow),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Option<&str> {
    headers.get(IDEMPOTENCY_KEY)?.to_str().ok().filter(|key| !key.is_empty())
}

/// The answer to an event in our own dialect.
#[derive(Serialize, utoipa::ToSchema)]
struct NativeAnswer<'a> {
    /// Id of the event.
    id: String,
    dedup_key: &'a str,
    /// `accepted`.
    status: &'static str,
    /// Where to see what becomes of it.
    url: String,
}

/// An event as a sender writes it.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes a document")]
struct NativeEvent {
    /// `trigger`, `acknowledge`, `resolve` or `change`; left out: `trigger`.
    #[schema(required = false)]
    action: String,
    /// What is wrong, in a line. Needed for `trigger` and `change`.
    #[schema(required = false, max_length = 1024)]
    summary: String,
    /// `critical`, `high`, `medium`, `low` or `info`; left out: `high`.
    #[schema(required = false)]
    severity: String,
    /// Which machine or thing says so.
    #[schema(required = false)]
    source: String,
    /// Events with the same key fold into one open alert. Needed for `acknowledge` and `resolve`.
    #[schema(required = false)]
    dedup_key: String,
    /// When it happened.
    #[schema(required = false, format = DateTime)]
    occurred_at: String,
    /// When the alert resolves by itself unless it is sent again.
    #[schema(required = false, format = DateTime)]
    ends_at: String,
    /// Objects with `href` and `text`.
    #[schema(required = false)]
    links: Vec<serde_json::Value>,
    /// Anything else, as an object.
    #[schema(required = false, value_type = Object)]
    details: serde_json::Value,
}

/// Describes what senders are given to write.
#[derive(utoipa::OpenApi)]
#[openapi(paths(take_native))]
struct Described;

/// The part of the API's description that is about events coming in.
pub(crate) fn described() -> utoipa::openapi::OpenApi {
    <Described as utoipa::OpenApi>::openapi()
}

/// Takes an event, with an integration's key. Answered when it is durable.
#[utoipa::path(
    post, path = "/api/v1/events", tag = "events", operation_id = "take event",
    request_body = NativeEvent, params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = NativeAnswer))
)]
async fn take_native(State(state): State<WebState>, request: Request) -> Response {
    let dialect = Dialect::Native;
    let (parts, body) = request.into_parts();
    let taken = async {
        let app = &state.app;
        let raw = read(body, app.max_body()).await?;
        let key = credential(&parts.headers, &parts.uri);
        let idempotency_key = idempotency_key(&parts.headers);
        let (events, now) = (native::parse(&raw), app.now());
        let key = key.as_deref();
        take(app, Arrived { dialect, key, idempotency_key, raw, events, now }).await
    };
    match taken.await {
        Ok(taken) => native_answer(&state.settings, &taken),
        Err(refusal) => answers::refused(dialect, &refusal, None),
    }
}

fn native_answer(settings: &WebSettings, taken: &[Taken]) -> Response {
    let Some(event) = taken.first() else { return StatusCode::ACCEPTED.into_response() };
    let answer = NativeAnswer {
        id: event.id.to_string(),
        dedup_key: &event.dedup_key,
        status: "accepted",
        url: settings.page(&format!("/events/{}", event.id)),
    };
    let mut response = (StatusCode::ACCEPTED, Json(answer)).into_response();
    if event.repeat {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// `POST /v2/enqueue`.
async fn take_pagerduty_v2(State(state): State<WebState>, request: Request) -> Response {
    match in_body(&state, request, Dialect::PagerdutyV2, pagerduty_v2::parse).await {
        Ok(taken) => {
            let dedup_key = taken.first().map_or("", |event| event.dedup_key.as_str());
            let message = "Event processed";
            let body = json!({"status": "success", "message": message, "dedup_key": dedup_key});
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
        Err(refused) => refused,
    }
}

/// `POST /v2/change/enqueue`.
async fn take_pagerduty_change(State(state): State<WebState>, request: Request) -> Response {
    match in_body(&state, request, Dialect::PagerdutyV2, pagerduty_v2::parse_change).await {
        Ok(_) => {
            let body = json!({"status": "success", "message": "Change event processed"});
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
        Err(refused) => refused,
    }
}

/// `POST /generic/2010-04-15/create_event.json`.
async fn take_pagerduty_v1(State(state): State<WebState>, request: Request) -> Response {
    match in_body(&state, request, Dialect::PagerdutyV1, pagerduty_v1::parse).await {
        Ok(taken) => {
            let key = taken.first().map_or("", |event| event.dedup_key.as_str());
            let message = "Event processed";
            let body = json!({"status": "success", "message": message, "incident_key": key});
            (StatusCode::OK, Json(body)).into_response()
        }
        Err(refused) => refused,
    }
}

/// Takes a request of a dialect that has its key in the body.
async fn in_body(
    WebState { app, .. }: &WebState,
    request: Request,
    dialect: Dialect,
    parse: fn(&[u8]) -> super::said::Said,
) -> Result<Vec<Taken>, Response> {
    let (parts, body) = request.into_parts();
    let raw = read(body, app.max_body())
        .await
        .map_err(|refusal| answers::refused(dialect, &refusal, None))?;
    let said = parse(&raw);
    let (key, events, now) = (said.key, said.events, app.now());
    let refused = |refusal: Refusal| answers::refused(dialect, &refusal, key.as_deref());
    // Without a readable body there is no key, and the body is what is wrong.
    if key.is_none() && matches!(events, Err(super::said::DialectError::Unreadable(_))) {
        return Err(refused(events.map_or_else(Refusal::Wrong, |_| Refusal::NoKey)));
    }
    let idempotency_key = idempotency_key(&parts.headers);
    let key = key.as_deref();
    take(app, Arrived { dialect, key, idempotency_key, raw, events, now }).await.map_err(refused)
}

/// `POST /alertmanager/webhook`.
async fn take_alertmanager_webhook(State(state): State<WebState>, request: Request) -> Response {
    let dialect = Dialect::AlertmanagerWebhook;
    match in_header(&state, request, dialect, |raw, _| alertmanager_webhook::parse(raw)).await {
        Ok(taken) => Json(json!({"status": "success", "events": taken.len()})).into_response(),
        Err(refusal) => answers::refused(dialect, &refusal, None),
    }
}

/// `POST /api/v2/alerts`. amtool takes nothing but 200 for success.
async fn take_alertmanager_api(State(state): State<WebState>, request: Request) -> Response {
    let dialect = Dialect::AlertmanagerApi;
    match in_header(&state, request, dialect, alertmanager_api::parse).await {
        Ok(_) => ([(CONTENT_TYPE, "application/json")], Body::empty()).into_response(),
        Err(refusal) => answers::refused(dialect, &refusal, None),
    }
}

/// Takes a request of a dialect that has its key in a header or the URL.
async fn in_header(
    WebState { app, .. }: &WebState,
    request: Request,
    dialect: Dialect,
    parse: fn(&[u8], jiff::Timestamp) -> super::said::Events,
) -> Result<Vec<Taken>, Refusal> {
    let (parts, body) = request.into_parts();
    let raw = read(body, app.max_body()).await?;
    let key = credential(&parts.headers, &parts.uri);
    let now = app.now();
    let (key, events) = (key.as_deref(), parse(&raw, now));
    let idempotency_key = idempotency_key(&parts.headers);
    take(app, Arrived { dialect, key, idempotency_key, raw, events, now }).await
}
