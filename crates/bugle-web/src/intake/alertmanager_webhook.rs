//! Alertmanager's webhook, version 4: `POST /alertmanager/webhook`. Grafana sends the same form.

use bugle_domain::event::Action;
use serde::Deserialize;
use serde_json::Value;

use super::alertmanager::Alert;
use super::said::{DialectError, Events, Faults};
use super::text;

/// Most alerts of one group; more are one request's worth of work too many.
pub(crate) const MAX_ALERTS: usize = 2_000;

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    alerts: Option<Vec<Alert>>,
    #[serde(default, rename = "externalURL", deserialize_with = "text::loose")]
    external_url: Option<String>,
    #[serde(default, rename = "groupKey", deserialize_with = "text::loose")]
    group_key: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    receiver: Option<String>,
    #[serde(default, rename = "truncatedAlerts")]
    truncated_alerts: Option<Value>,
}

/// Reads one group: an event for each of its alerts, firing or resolved.
///
/// `endsAt` is not used: Alertmanager says itself when an alert is over.
pub(crate) fn parse(raw: &[u8]) -> Events {
    let body: Body = text::object(raw)?;
    let Some(alerts) = body.alerts else {
        let mut faults = Faults::default();
        faults.add("/alerts", "missing", "alerts is missing".to_owned());
        return faults.or(Vec::new());
    };
    if alerts.len() > MAX_ALERTS {
        return Err(DialectError::Unreadable(format!("more than {MAX_ALERTS} alerts")));
    }
    let external_url = body.external_url.unwrap_or_default();
    let truncated = body.truncated_alerts.filter(|number| number.as_u64().unwrap_or(0) > 0);
    let event = |alert: Alert| {
        let over = alert.status.as_deref() == Some("resolved");
        let action = if over { Action::Resolve } else { Action::Trigger };
        let mut event = alert.event(action, &external_url);
        text::detail(&mut event.details, "group_key", body.group_key.clone());
        text::detail(&mut event.details, "receiver", body.receiver.clone());
        if let Some(number) = &truncated {
            event.details.insert("truncated_alerts".to_owned(), number.clone());
        }
        event
    };
    Ok(alerts.into_iter().map(event).collect())
}

#[cfg(test)]
mod tests;
