//! Errors as RFC 9457 problems, with stable codes.

use axum::response::{IntoResponse, Response};
use bugle_app::{Chain, ErrorKind, UseCaseError};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

/// One thing wrong with a request, at a place in its body.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON pointer to the place, such as `/levels/0/delay_s`; empty for the whole body.
    pub pointer: String,
    /// Stable token.
    pub code: String,
    /// What is wrong, in words.
    pub message: String,
}

/// Why a request was not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    /// Stable token; explained in the documentation.
    pub code: &'static str,
    /// What went wrong, for whoever sent the request.
    pub detail: String,
    /// Every single thing that is wrong with the body.
    pub errors: Vec<FieldError>,
    /// Seconds after which it is worth trying again.
    pub retry_after_s: Option<u64>,
}

/// The body of an error, as RFC 9457 describes it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct ProblemBody<'a> {
    /// Where this kind of error is explained.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What went wrong.
    detail: &'a str,
    /// The id of this request, as found in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    /// Stable token.
    code: &'a str,
    /// Every single thing that is wrong with the body.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
}

impl ApiError {
    /// An error without particulars.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), retry_after_s: None }
    }

    /// The credential is missing or not good.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// The request can't be read.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// Something is broken here. What, is in the log.
    pub fn internal(code: &'static str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, "internal error")
    }

    /// Adds what is wrong at places of the body.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Says when it is worth trying again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds.max(1));
        self
    }

    /// The body as JSON, with the id of the request where it is known.
    pub(crate) fn body(&self, instance: Option<&str>) -> Bytes {
        let body = ProblemBody {
            kind: format!("/docs/errors#{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            instance,
            code: self.code,
            errors: &self.errors,
        };
        serde_json::to_vec(&body).unwrap_or_default().into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let mut response = (self.status, headers, self.body(None)).into_response();
        // The outermost layer knows the request's id and writes the body again with it.
        response.extensions_mut().insert(self);
        response
    }
}

/// Every use case's error, as the outside may see it: 5xx say nothing of what happened inside.
impl<E: UseCaseError> From<E> for ApiError {
    fn from(error: E) -> Self {
        let status = match error.kind() {
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::Forbidden => StatusCode::FORBIDDEN,
            ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let code = error.code();
        let retry_after_s =
            error.retry_after().and_then(|wait| u64::try_from(wait.as_secs().max(1)).ok());
        if status.is_server_error() {
            tracing::error!(error = %Chain(&error), code, "request failed");
            let detail = match status {
                StatusCode::SERVICE_UNAVAILABLE => "not available right now; try again",
                _ => "internal error",
            };
            return Self { retry_after_s, ..Self::new(status, code, detail) };
        }
        let field = |problem: &bugle_app::Problem| FieldError {
            pointer: problem.pointer.clone(),
            code: problem.code.to_owned(),
            message: problem.message.clone(),
        };
        let errors = error.problems().iter().map(field).collect();
        Self { status, code, detail: error.to_string(), errors, retry_after_s }
    }
}
