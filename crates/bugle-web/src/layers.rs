//! What is done for every request but an event's: an id, a line in the log, a figure, and headers
//! that keep browsers careful.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bugle_app::entropy;
use bugle_domain::RequestId;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};

use crate::auth::Asked;
use crate::problem::ApiError;
use crate::state::WebState;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Nothing but what we serve ourselves; no script or style inside a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; \
    style-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; \
    media-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The outermost layer.
pub(crate) async fn around(
    State(state): State<WebState>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let id = RequestId::new(state.app.clock().now(), entropy::bytes());
    request.extensions_mut().insert(Asked(id));
    let method = request.method().clone();
    let mut response = next.run(request).await;
    let id = id.to_string();
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        *response.body_mut() = error.body(Some(&id)).into();
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    secure(response.headers_mut(), state.settings.secure());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let route = path.as_ref().map_or("none", MatchedPath::as_str);
    let (status, took) = (response.status().as_u16(), began.elapsed());
    tracing::debug!(request = id, %method, route, status, took_us = took.as_micros(), "answered");
    metrics::histogram!("bugle_http_request_seconds", "route" => route.to_owned(),
        "status" => status.to_string())
    .record(took.as_secs_f64());
    response
}

/// Headers that a handler has set itself stay.
fn secure(headers: &mut HeaderMap, https: bool) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("x-frame-options"), "DENY");
    set(CACHE_CONTROL, "no-store");
    if https {
        set(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}
