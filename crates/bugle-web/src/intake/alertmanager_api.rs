//! Alertmanager's API v2 as a way in: `POST /api/v2/alerts`, as Prometheus, amtool and rulers use
//! it.

use bugle_domain::event::Action;
use jiff::{SignedDuration, Timestamp};

use super::alertmanager::Alert;
use super::alertmanager_webhook::MAX_ALERTS;
use super::said::{DialectError, Events, Faults};
use super::text;

/// How long an alert lives that says no end, as Alertmanager's own `resolve_timeout`.
const RESOLVE_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Reads a list of alerts at `now`: an event for each.
///
/// An alert whose `endsAt` has passed is over. Any other is firing, and resolves by itself at
/// `endsAt` unless it is sent again; without one, after five minutes. An alert without labels can't
/// be told from others and is left out; only where no alert is left is the request refused.
pub(crate) fn parse(raw: &[u8], now: Timestamp) -> Events {
    let alerts: Vec<Alert> = text::json(raw)?;
    if alerts.len() > MAX_ALERTS {
        return Err(DialectError::Unreadable(format!("more than {MAX_ALERTS} alerts")));
    }
    let mut faults = Faults::default();
    let mut events = Vec::with_capacity(alerts.len());
    for (index, mut alert) in alerts.into_iter().enumerate() {
        alert.labels.0.retain(|_, value| !value.is_empty());
        if alert.labels.0.is_empty() {
            let message = "at least one label pair required".to_owned();
            faults.add(&format!("/{index}/labels"), "missing", message);
            continue;
        }
        // Prometheus' alerts have no fingerprint, and a wrong one would fold what differs.
        alert.fingerprint = None;
        let ends_at = alert.ends_at.as_deref().and_then(text::time);
        let over = ends_at.is_some_and(|at| at <= now);
        let action = if over { Action::Resolve } else { Action::Trigger };
        let mut event = alert.event(action, "");
        if !over {
            event.ends_at = ends_at.or_else(|| now.checked_add(RESOLVE_AFTER).ok());
        }
        events.push(event);
    }
    if events.is_empty() { faults.or(events) } else { Ok(events) }
}

#[cfg(test)]
mod tests;
