//! What a page says when it can't be shown.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use bugle_app::{Chain, ErrorKind, Problem, UseCaseError};
use http::StatusCode;

use super::parts::FieldError;
use super::shell::{Layout, Section, Shell, page};

/// Why a page is not shown.
#[derive(Debug)]
pub(super) struct PageError {
    kind: ErrorKind,
    text: String,
}

impl PageError {
    /// What was asked for does not exist.
    pub(super) fn not_found(text: impl Into<String>) -> Self {
        Self { kind: ErrorKind::NotFound, text: text.into() }
    }
}

impl<E: UseCaseError> From<E> for PageError {
    fn from(error: E) -> Self {
        let kind = error.kind();
        if matches!(kind, ErrorKind::Internal | ErrorKind::Unavailable) {
            tracing::error!(error = %Chain(&error), code = error.code(), "page failed");
        }
        Self { kind, text: error.to_string() }
    }
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    title: &'a str,
    text: &'a str,
    href: &'a str,
    link: &'a str,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, title) = match self.kind {
            ErrorKind::Unauthenticated => return Redirect::to("/sign-in").into_response(),
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, "There is nothing here"),
            ErrorKind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "That could not be used"),
            ErrorKind::Conflict => (StatusCode::CONFLICT, "That does not fit any more"),
            ErrorKind::Forbidden => (StatusCode::FORBIDDEN, "You may not do this"),
            ErrorKind::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "Too often"),
            ErrorKind::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "Bugle can't reach its database")
            }
            ErrorKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Something broke here"),
        };
        let text = match self.kind {
            ErrorKind::Internal => "It is in the log. Try again.".to_owned(),
            ErrorKind::Unavailable => {
                "Events are answered when it is back. Try again in a moment.".to_owned()
            }
            _ => sentence(&self.text),
        };
        message(status, title, &text)
    }
}

/// A page that says one thing.
pub(super) fn message(status: StatusCode, title: &str, text: &str) -> Response {
    let title_of_page = format!("Error: {title} – Bugle");
    let to = ("/alerts", "Go to the alerts");
    said(status, title_of_page, Message { title, text, href: to.0, link: to.1 })
}

/// A page that says one thing, with where to go on.
pub(super) fn message_to(
    status: StatusCode,
    title: &str,
    text: &str,
    (href, link): (&str, &str),
) -> Response {
    said(status, title.to_owned(), Message { title, text, href, link })
}

fn said(status: StatusCode, title: String, body: Message<'_>) -> Response {
    let shell = Shell {
        title,
        layout: Layout::Lone,
        section: Section::Alerts,
        back: None,
        user: None,
        operator: false,
        open_alerts: 0,
        demo: false,
        theme: None,
        live: None,
        who: String::new(),
        now_ms: 0,
        now_text: String::new(),
        keys: false,
    };
    page(status, &shell, &body)
}

/// Text of an error as a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    let mut out: String = first.to_uppercase().chain(chars).collect();
    if !out.ends_with(['.', '?', '!']) {
        out.push('.');
    }
    out
}

/// What is wrong with a form, field by field; the field of `/levels/0/delay_s` is
/// `levels-0-delay_s`.
pub(super) fn fields(error: &impl UseCaseError, first_field: &str) -> Vec<FieldError> {
    let each = |problem: &Problem| {
        let field = problem.pointer.trim_start_matches('/').replace('/', "-");
        let field = if field.is_empty() { first_field.to_owned() } else { field };
        FieldError::new(field, sentence(&problem.message))
    };
    let listed: Vec<FieldError> = error.problems().iter().map(each).collect();
    if listed.is_empty() {
        return vec![FieldError::new(first_field, sentence(&error.to_string()))];
    }
    listed
}

/// Whether the person can mend it in the form.
pub(super) fn is_theirs(error: &impl UseCaseError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Invalid | ErrorKind::Conflict | ErrorKind::RateLimited | ErrorKind::Forbidden
    )
}
