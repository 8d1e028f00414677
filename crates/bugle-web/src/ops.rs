//! What operators' tools ask: is it alive, is it ready, and its figures.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bugle_app::App;
use bugle_app::readiness::Condition;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use crate::state::{WebSettings, WebState};

/// `/livez`, `/readyz` and `/metrics`.
pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// `GET /livez`: the process turns. Says nothing of the database.
async fn live() -> &'static str {
    "ok\n"
}

/// Whether this node can do its work, and what keeps it from it.
#[derive(Serialize)]
struct ReadyBody {
    ready: bool,
    conditions: Vec<Condition>,
}

/// `GET /readyz`: 200 where this node can do its work, else 503; either says why.
async fn ready(State(app): State<App>) -> Response {
    let conditions = app.readiness().await;
    let ready = conditions.iter().all(|condition| condition.ok);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ReadyBody { ready, conditions })).into_response()
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
