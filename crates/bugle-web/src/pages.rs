//! The HTML pages.

use axum::Router;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::state::WebState;

/// The routes of all pages.
pub fn routes() -> Router<WebState> {
    Router::new()
}

/// What is shown where there is no page.
pub async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "There is no page here.").into_response()
}
