//! Bugle's own dialect: `POST /api/v1/events`.

use bugle_domain::Severity;
use bugle_domain::event::{Action, EventBody};
use serde::Deserialize;
use serde_json::Value;

use super::said::{Events, Faults};
use super::text;

/// Severity of an event that names none: nobody who sends an event by hand means "look some time".
pub(crate) const DEFAULT_SEVERITY: Severity = Severity::High;

#[derive(Deserialize)]
struct Body {
    #[serde(default, deserialize_with = "text::loose")]
    action: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    summary: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    severity: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    source: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    dedup_key: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    occurred_at: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    ends_at: Option<String>,
    #[serde(default)]
    links: Option<Value>,
    #[serde(default)]
    details: Option<Value>,
}

/// Reads one event. Without `action` it is a trigger; without `severity`, high.
pub(crate) fn parse(raw: &[u8]) -> Events {
    let body: Body = text::object(raw)?;
    let mut faults = Faults::default();
    let action = match text::given(body.action) {
        None => Action::Trigger,
        Some(word) => Action::parse(&word).unwrap_or_else(|| {
            let message = "must be trigger, acknowledge, resolve or change".to_owned();
            faults.add("/action", "unknown_value", message);
            Action::Trigger
        }),
    };
    let severity = match text::given(body.severity) {
        None => DEFAULT_SEVERITY,
        Some(word) => Severity::parse(&word).unwrap_or_else(|| {
            let message = "must be critical, high, medium, low or info".to_owned();
            faults.add("/severity", "unknown_value", message);
            DEFAULT_SEVERITY
        }),
    };
    let summary = match action {
        Action::Trigger | Action::Change => {
            faults.need("/summary", body.summary, || "say what is wrong".to_owned())
        }
        Action::Acknowledge | Action::Resolve => body.summary.unwrap_or_default(),
    };
    let dedup_key = match action {
        Action::Trigger | Action::Change => text::given(body.dedup_key).unwrap_or_default(),
        Action::Acknowledge | Action::Resolve => {
            faults.need("/dedup_key", body.dedup_key, || "say which alert is meant".to_owned())
        }
    };
    let mut time = |pointer, value: Option<String>| {
        let value = text::given(value)?;
        let read = text::time(&value);
        if read.is_none() {
            faults.add(pointer, "not_a_time", "must be a time as in RFC 3339".to_owned());
        }
        read
    };
    let occurred_at = time("/occurred_at", body.occurred_at);
    let ends_at = time("/ends_at", body.ends_at);
    let mut links = Vec::new();
    text::links(body.links.as_ref(), "href", "text", &mut links);
    faults.or(vec![EventBody {
        action,
        summary: text::summary(summary),
        severity,
        source: text::short(body.source.unwrap_or_default()),
        dedup_key: text::dedup_key(dedup_key),
        occurred_at,
        ends_at,
        links,
        details: text::details(body.details, "details"),
    }])
}

#[cfg(test)]
mod tests;
