//! What was received, how it was read, and what was decided about it.

use bugle_domain::event::{Action, Event, EventOutcome, SuppressReason};
use bugle_domain::object::Directory;
use bugle_domain::text::truncate;
use bugle_engine::message::text::duration;
use jiff::Timestamp;
use serde_json::json;

use super::{Stage, WhyStep};
use crate::events::integration_name;

/// How many of the received characters are shown.
const SHOWN_CHARS: usize = 400;

/// The steps from the bytes to the decision.
pub(super) fn steps(
    directory: &Directory,
    event: &Event,
    raw: Option<&[u8]>,
    number: Option<i64>,
    now: Timestamp,
) -> Vec<WhyStep> {
    let mut steps = vec![received(directory, event, raw), read(event)];
    let waited = duration(now.duration_since(event.received_at));
    let (at, text) = match event.decided_at {
        Some(at) => (at, outcome(event, number)),
        None => (now, format!("{} It has waited for {waited}.", pending(event))),
    };
    let data = json!({ "outcome": event.outcome, "tries": event.tries });
    steps.push(WhyStep { at, stage: Stage::Alerting, text, data });
    steps
}

fn received(directory: &Directory, event: &Event, raw: Option<&[u8]>) -> WhyStep {
    let integration = integration_name(directory, event.integration);
    let dialect = event.dialect.as_str();
    let (size, first) = match raw {
        Some(bytes) => {
            let first = truncate(&String::from_utf8_lossy(bytes), SHOWN_CHARS);
            (format!("{} bytes", bytes.len()), Some(first))
        }
        None => ("A request, whose bytes are not shown,".to_owned(), None),
    };
    let whole = if event.request == event.id { "" } else { " One of several events in it." };
    WhyStep {
        at: event.received_at,
        stage: Stage::Intake,
        text: format!("{size} came by integration \"{integration}\" ({dialect}).{whole}"),
        data: json!({
            "integration": event.integration,
            "dialect": dialect,
            "size_bytes": raw.map(<[u8]>::len),
            "begins": first,
            "request": event.request,
            "raw": format!("/api/v1/events/{}/raw", event.id),
        }),
    }
}

fn read(event: &Event) -> WhyStep {
    let body = &event.body;
    let text = match body.action {
        Action::Trigger => {
            let severity = body.severity.as_str();
            format!(
                "Read as a trigger, {severity}: \"{}\", key \"{}\".",
                body.summary, body.dedup_key
            )
        }
        Action::Acknowledge => format!("Read as an acknowledgement of key \"{}\".", body.dedup_key),
        Action::Resolve => format!("Read as the end of key \"{}\".", body.dedup_key),
        Action::Change => format!("Read as a change: \"{}\".", body.summary),
    };
    let data = serde_json::to_value(body).unwrap_or_default();
    WhyStep { at: event.received_at, stage: Stage::Intake, text, data }
}

/// What an event without an outcome waits for.
pub(crate) fn pending(event: &Event) -> String {
    match event.tries {
        0 | 1 => "It waits for alerting to decide about it.".to_owned(),
        tries => format!("Alerting has begun to decide about it {tries} times without an end."),
    }
}

/// What came of an event, in a sentence.
pub(crate) fn outcome(event: &Event, number: Option<i64>) -> String {
    let alert = number.map_or_else(|| "an alert".to_owned(), |number| format!("alert #{number}"));
    match (&event.outcome, event.body.action) {
        (None, _) => pending(event),
        (Some(EventOutcome::Alerted { .. }), _) => format!("It opened {alert}."),
        (Some(EventOutcome::Folded { .. }), Action::Acknowledge) => {
            format!("It acknowledged {alert}.")
        }
        (Some(EventOutcome::Folded { .. }), Action::Resolve) => format!("It resolved {alert}."),
        (Some(EventOutcome::Folded { .. }), Action::Trigger | Action::Change) => {
            format!("It folded into {alert}, which has the same key and is not over.")
        }
        (Some(EventOutcome::Suppressed { reason }), _) => suppressed(event, *reason),
    }
}

fn suppressed(event: &Event, reason: SuppressReason) -> String {
    let key = &event.body.dedup_key;
    match reason {
        SuppressReason::Info => {
            "Its severity is info, which is tracked and pages nobody.".to_owned()
        }
        SuppressReason::NoOpenAlert => {
            format!("No alert of this integration with key \"{key}\" is open, so it had no effect.")
        }
        SuppressReason::Change => {
            "A change is kept and shown beside alerts of the service, and pages nobody.".to_owned()
        }
        SuppressReason::Quarantined => {
            "It could not be decided after several tries; the fallback policy was told.".to_owned()
        }
    }
}
