//! Puts all routes together.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use bugle_app::App;
use http::{Method, StatusCode, Uri};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::timeout::TimeoutLayer;

use crate::problem::ApiError;
use crate::state::{WebSettings, WebState};
use crate::{api, callbacks, intake, layers, ops, pages, watch};

/// Most bytes of a request's body; an event's has a limit of its own.
const BODY_BYTES: usize = 512 * 1_024;
/// Longest time until an answer begins.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// All routes of one process.
///
/// Intake stands outside the layers of everything else: what it does for an event is to read it,
/// save it and answer.
pub fn router(app: App, settings: WebSettings) -> Router {
    let state = WebState { app, settings: Arc::new(settings) };
    let rest = Router::new()
        .merge(pages::routes())
        .merge(api::routes(&state))
        .merge(callbacks::routes())
        .merge(ops::routes())
        .merge(watch::routes())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(CsrfLayer::new().with_rejection_response(cross_site))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_LIMIT))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), layers::around))
        .layer(CompressionLayer::new());
    intake::routes().merge(rest).with_state(state)
}

/// A browser was made to send this by another site.
fn cross_site(_: ProtectionError) -> Response {
    let detail = "this came from another site; open the page itself and try again";
    ApiError::new(StatusCode::FORBIDDEN, "cross_site", detail).into_response()
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    metrics::counter!("bugle_http_panics_total").increment(1);
    ApiError::internal("internal_error").into_response()
}

fn is_api(uri: &Uri) -> bool {
    uri.path().starts_with("/api/")
}

async fn not_found(uri: Uri) -> Response {
    if is_api(&uri) {
        let detail = format!("there is nothing at {}", uri.path());
        return ApiError::new(StatusCode::NOT_FOUND, "no_such_route", detail).into_response();
    }
    pages::not_found().await
}

async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let detail = format!("{method} can't be done here; the Allow header says what can");
    if is_api(&uri) {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        return ApiError::new(status, "method_not_allowed", detail).into_response();
    }
    (StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}
