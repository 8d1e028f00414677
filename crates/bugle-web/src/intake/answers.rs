//! How each dialect is told that nothing was taken: in the words and with the status on which its
//! clients do the right thing.
//!
//! | | too much | database away | unknown key | unreadable |
//! |---|---|---|---|---|
//! | native | 429 or 503 | 503 | 401 | 400 |
//! | PagerDuty v2 | 429 | 503 | 400 | 400 |
//! | PagerDuty v1 | 403 "retry later" | 503 | 400 | 400 |
//! | Alertmanager webhook, API | 503 | 503 | 401 | 400 |
//! | mail | 451 | 451 | 550 | 554 |
//!
//! Alertmanager's webhook drops what is answered 429 until the next group interval; its PagerDuty
//! v1 retries 403, as does the Nagios plugin, which drops other 4xx.

use axum::Json;
use axum::response::{IntoResponse, Response};
use bugle_app::UseCaseError;
use bugle_app::intake::IntakeError;
use bugle_domain::integration::Dialect;
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};
use serde_json::json;

use super::door::Refusal;
use super::said::DialectError;
use super::{email, pagerduty_v1, pagerduty_v2};
use crate::problem::ApiError;

/// Seconds to wait where nothing else is known.
const RETRY_AFTER_S: u64 = 2;

/// The status that `refusal` is answered with.
pub(crate) fn status(dialect: Dialect, refusal: &Refusal) -> StatusCode {
    let pagerduty = matches!(dialect, Dialect::PagerdutyV2 | Dialect::PagerdutyV1);
    match refusal {
        Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Refusal::NoKey | Refusal::UnknownKey | Refusal::Disabled if pagerduty => {
            StatusCode::BAD_REQUEST
        }
        Refusal::NoKey | Refusal::UnknownKey => StatusCode::UNAUTHORIZED,
        Refusal::Disabled => StatusCode::FORBIDDEN,
        Refusal::Wrong(_) => StatusCode::BAD_REQUEST,
        Refusal::OtherBody => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::Intake(IntakeError::Store(_)) | Refusal::KeysUnavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Refusal::Intake(error @ (IntakeError::Quota { .. } | IntakeError::Overloaded { .. })) => {
            too_much(dialect, error)
        }
    }
}

/// The status that stands in the list of the last requests.
pub(crate) fn kept_status(dialect: Dialect, refusal: &Refusal) -> u16 {
    match dialect {
        Dialect::Email => email::answer(refusal).0,
        _ => status(dialect, refusal).as_u16(),
    }
}

fn too_much(dialect: Dialect, error: &IntakeError) -> StatusCode {
    match (dialect, error) {
        (Dialect::PagerdutyV1, _) => StatusCode::FORBIDDEN,
        (Dialect::PagerdutyV2, _) | (Dialect::Native, IntakeError::Quota { .. }) => {
            StatusCode::TOO_MANY_REQUESTS
        }
        (
            Dialect::Native
            | Dialect::AlertmanagerWebhook
            | Dialect::AlertmanagerApi
            | Dialect::Email,
            _,
        ) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Why, in words, for whoever sent it and for the list of the last requests.
pub(crate) fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::TooLarge => "the body is too long".to_owned(),
        Refusal::TooSlow => "the body took too long to arrive".to_owned(),
        Refusal::NoKey => "the integration's key is missing".to_owned(),
        Refusal::UnknownKey => "no integration has this key".to_owned(),
        Refusal::Disabled => "this integration is disabled".to_owned(),
        Refusal::Wrong(error) => error.to_string(),
        Refusal::OtherBody => {
            "this Idempotency-Key was used with another body, or is longer than 240 bytes"
                .to_owned()
        }
        Refusal::Intake(error) => error.to_string(),
        Refusal::KeysUnavailable => "events can't be stored right now; retry later".to_owned(),
    }
}

/// The stable token of `refusal`.
pub(crate) fn code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::TooLarge => "body_too_large",
        Refusal::TooSlow => "body_too_slow",
        Refusal::NoKey => "key_missing",
        Refusal::UnknownKey => "key_unknown",
        Refusal::Disabled => "integration_disabled",
        Refusal::Wrong(DialectError::Unreadable(_)) => "not_json",
        Refusal::Wrong(DialectError::Invalid(_)) => "invalid_event",
        Refusal::OtherBody => "idempotency_key_reused",
        Refusal::Intake(error) => error.code(),
        Refusal::KeysUnavailable => "storage_failed",
    }
}

fn retry_after_s(refusal: &Refusal) -> Option<u64> {
    match refusal {
        Refusal::Intake(error) => Some(u64::from(error.retry_after_s())),
        Refusal::KeysUnavailable => Some(RETRY_AFTER_S),
        Refusal::TooLarge
        | Refusal::TooSlow
        | Refusal::NoKey
        | Refusal::UnknownKey
        | Refusal::Disabled
        | Refusal::Wrong(_)
        | Refusal::OtherBody => None,
    }
}

/// Counts what was not taken.
pub(crate) fn counted(dialect: Dialect, refusal: &Refusal) {
    metrics::counter!("bugle_requests_rejected_total", "dialect" => dialect.as_str(),
        "reason" => code(refusal))
    .increment(1);
}

/// The whole answer. `key` is the one in the body, for dialects that explain what is wrong with it.
pub(crate) fn refused(dialect: Dialect, refusal: &Refusal, key: Option<&str>) -> Response {
    let status = status(dialect, refusal);
    counted(dialect, refusal);
    let mut response = match dialect {
        Dialect::Native | Dialect::AlertmanagerWebhook | Dialect::Email => {
            problem(status, refusal).into_response()
        }
        Dialect::PagerdutyV2 | Dialect::PagerdutyV1 => pagerduty(dialect, refusal, key, status),
        // Alertmanager's own errors are JSON texts.
        Dialect::AlertmanagerApi => (status, Json(reason(refusal))).into_response(),
    };
    if let Some(seconds) = retry_after_s(refusal) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn problem(status: StatusCode, refusal: &Refusal) -> ApiError {
    let error = ApiError::new(status, code(refusal), reason(refusal));
    match refusal {
        Refusal::Wrong(DialectError::Invalid(errors)) => error.with_errors(errors.clone()),
        _ => error,
    }
}

fn pagerduty(
    dialect: Dialect,
    refusal: &Refusal,
    key: Option<&str>,
    status: StatusCode,
) -> Response {
    let (word, message, errors) = match refusal {
        Refusal::NoKey | Refusal::UnknownKey => {
            let fault = match dialect {
                Dialect::PagerdutyV1 => pagerduty_v1::key_fault(key),
                _ => pagerduty_v2::key_fault(key),
            };
            ("invalid event", "Event object is invalid", vec![fault])
        }
        Refusal::Wrong(DialectError::Unreadable(_)) => (
            "Unrecognized object",
            "Event object format is unrecognized",
            vec!["JSON parse error".to_owned()],
        ),
        Refusal::Wrong(error @ DialectError::Invalid(_)) => {
            ("invalid event", "Event object is invalid", error.messages())
        }
        Refusal::TooLarge | Refusal::TooSlow | Refusal::Disabled | Refusal::OtherBody => {
            ("invalid event", "Event object is invalid", vec![reason(refusal)])
        }
        Refusal::Intake(IntakeError::Quota { .. } | IntakeError::Overloaded { .. }) => {
            // The Nagios plugin looks for "retry later".
            let message =
                "Requests for this service are arriving too quickly.  Please retry later.";
            ("throttle exceeded", message, vec![reason(refusal)])
        }
        Refusal::Intake(IntakeError::Store(_)) | Refusal::KeysUnavailable => {
            ("error", "Event could not be stored. Please retry later.", vec![reason(refusal)])
        }
    };
    let body = json!({ "status": word, "message": message, "errors": errors });
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests;
