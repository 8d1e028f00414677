//! PagerDuty Events API v1: `POST /generic/2010-04-15/create_event.json`.
//!
//! Source: PagerDuty, *Events API v1*, read 2026-11.

use bugle_domain::Severity;
use bugle_domain::event::{Action, EventBody};
use serde::Deserialize;
use serde_json::Value;

use super::said::{Events, Faults, Said};
use super::text;

#[derive(Deserialize)]
struct Body {
    #[serde(default, deserialize_with = "text::loose")]
    service_key: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    event_type: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    incident_key: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    description: Option<String>,
    #[serde(default)]
    details: Option<Value>,
    #[serde(default, deserialize_with = "text::loose")]
    client: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    client_url: Option<String>,
    #[serde(default)]
    contexts: Option<Value>,
}

/// Reads one body. Version 1 knows no severities: every trigger is critical.
pub(crate) fn parse(raw: &[u8]) -> Said {
    match text::object::<Body>(raw) {
        Ok(mut body) => Said { key: body.service_key.take(), events: event(body) },
        Err(error) => Said { key: None, events: Err(error) },
    }
}

fn missing(name: &str) -> impl FnOnce() -> String {
    move || format!("{name} is missing or blank")
}

fn event(body: Body) -> Events {
    let mut faults = Faults::default();
    let action = match body.event_type.as_deref() {
        Some("trigger") => Action::Trigger,
        Some("acknowledge") => Action::Acknowledge,
        Some("resolve") => Action::Resolve,
        Some(_) | None => {
            let message = "event_type is invalid (must be one of: trigger acknowledge resolve)";
            faults.add("/event_type", "unknown_value", message.to_owned());
            Action::Change
        }
    };
    let (mut summary, mut key) = (body.description, body.incident_key);
    match action {
        Action::Trigger => {
            summary = Some(faults.need("/description", summary, missing("description")));
        }
        Action::Acknowledge | Action::Resolve => {
            key = Some(faults.need("/incident_key", key, missing("incident_key")));
        }
        Action::Change => (),
    }
    let mut links = Vec::new();
    let client = body.client.as_deref().unwrap_or("Sender");
    text::link(body.client_url.as_deref().unwrap_or_default(), client, &mut links);
    text::links(body.contexts.as_ref(), "href", "text", &mut links);
    text::links(body.contexts.as_ref(), "src", "alt", &mut links);
    let source = text::short(client.to_owned());
    let mut details = text::details(body.details, "details");
    text::detail(&mut details, "client", body.client);
    let triggers = action == Action::Trigger;
    faults.or(vec![EventBody {
        action,
        summary: text::summary(summary.unwrap_or_default()),
        severity: if triggers { Severity::Critical } else { Severity::Info },
        source,
        dedup_key: text::dedup_key(text::given(key).unwrap_or_default()),
        occurred_at: None,
        ends_at: None,
        links,
        details,
    }])
}

/// What is wrong with a key that is not known.
pub(crate) fn key_fault(key: Option<&str>) -> String {
    match key.map(str::trim) {
        None | Some("") => missing("service_key")(),
        Some(_) => "service_key is invalid".to_owned(),
    }
}

#[cfg(test)]
mod tests;
