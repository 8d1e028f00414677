//! PagerDuty Events API v2: `POST /v2/enqueue` and `POST /v2/change/enqueue`.
//!
//! Source: PagerDuty, *Events API v2*, read 2026-11; error texts as seen from the real service.

use bugle_domain::Severity;
use bugle_domain::event::{Action, EventBody, Link};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::said::{Events, Faults, Said};
use super::text;

#[derive(Deserialize, Default)]
struct Body {
    #[serde(default, deserialize_with = "text::loose")]
    routing_key: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    event_action: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    dedup_key: Option<String>,
    #[serde(default)]
    payload: Option<Payload>,
    #[serde(default, deserialize_with = "text::loose")]
    client: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    client_url: Option<String>,
    #[serde(default)]
    links: Option<Value>,
    #[serde(default)]
    images: Option<Value>,
}

#[derive(Deserialize, Default)]
struct Payload {
    #[serde(default, deserialize_with = "text::loose")]
    summary: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    source: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    severity: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    timestamp: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    component: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    group: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    class: Option<String>,
    #[serde(default)]
    custom_details: Option<Value>,
}

/// Reads a body posted to `/v2/enqueue`.
pub(crate) fn parse(raw: &[u8]) -> Said {
    match text::object::<Body>(raw) {
        Ok(mut body) => Said { key: body.routing_key.take(), events: event(body) },
        Err(error) => Said { key: None, events: Err(error) },
    }
}

/// Reads a body posted to `/v2/change/enqueue`.
pub(crate) fn parse_change(raw: &[u8]) -> Said {
    match text::object::<Body>(raw) {
        Ok(mut body) => Said { key: body.routing_key.take(), events: change(body) },
        Err(error) => Said { key: None, events: Err(error) },
    }
}

fn missing(name: &str) -> impl FnOnce() -> String {
    move || format!("'{name}' is missing or blank")
}

fn event(body: Body) -> Events {
    let mut faults = Faults::default();
    let word = faults.need("/event_action", body.event_action, missing("event_action"));
    let action = match word.as_str() {
        "trigger" | "" => Action::Trigger,
        "acknowledge" => Action::Acknowledge,
        "resolve" => Action::Resolve,
        _ => {
            let message = "'event_action' is invalid (must be one of: trigger acknowledge resolve)";
            faults.add("/event_action", "unknown_value", message.to_owned());
            Action::Trigger
        }
    };
    let dedup_key = if action == Action::Trigger {
        text::given(body.dedup_key).unwrap_or_default()
    } else {
        faults.need("/dedup_key", body.dedup_key, missing("dedup_key"))
    };
    let mut payload = body.payload;
    let mut severity = Severity::Info;
    if action == Action::Trigger {
        match &mut payload {
            None => faults.add("/payload", "missing", missing("payload")()),
            Some(payload) => severity = check_trigger(payload, &mut faults),
        }
    }
    let payload = payload.unwrap_or_default();
    let (links, details) = rest(
        [body.client, body.client_url],
        [body.links, body.images],
        payload.custom_details,
        [("component", payload.component), ("group", payload.group), ("class", payload.class)],
    );
    faults.or(vec![EventBody {
        action,
        summary: text::summary(payload.summary.unwrap_or_default()),
        severity,
        source: text::short(payload.source.unwrap_or_default()),
        dedup_key: text::dedup_key(dedup_key),
        occurred_at: payload.timestamp.and_then(|at| text::time(&at)),
        ends_at: None,
        links,
        details,
    }])
}

/// Notes what a trigger lacks, and reads its severity.
fn check_trigger(payload: &mut Payload, faults: &mut Faults) -> Severity {
    let summary = payload.summary.take();
    payload.summary = Some(faults.need("/payload/summary", summary, missing("payload.summary")));
    let source = payload.source.take();
    payload.source = Some(faults.need("/payload/source", source, missing("payload.source")));
    let word = payload.severity.take();
    let word = faults.need("/payload/severity", word, missing("payload.severity"));
    match word.to_ascii_lowercase().as_str() {
        "critical" | "" => Severity::Critical,
        "error" => Severity::High,
        "warning" => Severity::Medium,
        "info" => Severity::Info,
        _ => {
            let message = "'payload.severity' is invalid \
                (must be one of the following: 'critical', 'warning', 'error' or 'info')";
            faults.add("/payload/severity", "unknown_value", message.to_owned());
            Severity::Critical
        }
    }
}

fn change(body: Body) -> Events {
    let mut faults = Faults::default();
    let payload = body.payload.unwrap_or_default();
    let summary = faults.need("/payload/summary", payload.summary, missing("payload.summary"));
    let (links, details) = rest(
        [body.client, body.client_url],
        [body.links, body.images],
        payload.custom_details,
        [("component", payload.component), ("group", payload.group), ("class", payload.class)],
    );
    faults.or(vec![EventBody {
        action: Action::Change,
        summary: text::summary(summary),
        severity: Severity::Info,
        source: text::short(payload.source.unwrap_or_default()),
        dedup_key: String::new(),
        occurred_at: payload.timestamp.and_then(|at| text::time(&at)),
        ends_at: None,
        links,
        details,
    }])
}

/// Links and details, from the many places that v2 has for them.
fn rest(
    [client, client_url]: [Option<String>; 2],
    [links, images]: [Option<Value>; 2],
    custom_details: Option<Value>,
    named: [(&str, Option<String>); 3],
) -> (Vec<Link>, Map<String, Value>) {
    let mut found = Vec::new();
    text::links(links.as_ref(), "href", "text", &mut found);
    let client_name = client.as_deref().unwrap_or("Sender");
    text::link(client_url.as_deref().unwrap_or_default(), client_name, &mut found);
    text::links(images.as_ref(), "href", "alt", &mut found);
    text::links(images.as_ref(), "src", "alt", &mut found);
    let mut details = text::details(custom_details, "custom_details");
    for (name, value) in named {
        text::detail(&mut details, name, value);
    }
    text::detail(&mut details, "client", client);
    (found, details)
}

/// What is wrong with a key that is not known.
pub(crate) fn key_fault(key: Option<&str>) -> String {
    match key.map(str::trim) {
        None | Some("") => missing("routing_key")(),
        Some(key) if !key.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            "'routing_key' cannot contain non-alphanumeric characters.".to_owned()
        }
        Some(key) if key.len() != 32 => {
            "Length of 'routing_key' is incorrect (should be 32 characters)".to_owned()
        }
        Some(_) => "Invalid routing key".to_owned(),
    }
}

#[cfg(test)]
mod tests;
