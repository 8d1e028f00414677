//! What operators' tools ask: is it alive, is it ready, and its figures.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::state::{WebSettings, WebState};

/// `/livez` and `/metrics`.
pub(crate) fn routes() -> Router<WebState> {
    Router::new().route("/livez", get(live)).route("/metrics", get(metrics))
}

/// `GET /livez`: the process turns. Says nothing of the database.
async fn live() -> &'static str {
    "ok\n"
}

/// `GET /metrics`: Prometheus' text format.
async fn metrics(State(settings): State<Arc<WebSettings>>) -> Response {
    match &settings.metrics {
        Some(handle) => {
            ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render())
                .into_response()
        }
        None => (StatusCode::NOT_FOUND, "metrics are off\n").into_response(),
    }
}
