//! Events as rows, and reading them.

use bugle_domain::event::{Event, EventOutcome, SuppressReason};
use bugle_domain::integration::Dialect;
use bugle_domain::{AlertId, EventId, IntegrationId};
use uuid::Uuid;

use crate::db::row::Row;
use crate::error::StoreError;

/// The columns that [`event`] reads, of the table named `e`.
macro_rules! event_columns {
    () => {
        "e.id, e.integration_id, e.dialect, e.received_us, e.body, e.request_id, e.tries,
         e.outcome, e.reason, e.alert_id, e.decided_us"
    };
}
pub(crate) use event_columns;

/// Reads an event from the columns from `at` on.
pub(crate) fn event(row: &Row, at: usize) -> Result<Event, StoreError> {
    let id = row.id(at)?;
    let corrupt = |column, problem: String| StoreError::corrupt(("events", column), id, problem);
    let dialect = Dialect::parse(row.text(at + 2)?);
    Ok(Event {
        id: EventId::from_stored(id),
        integration: IntegrationId::from_stored(row.id(at + 1)?),
        dialect: dialect.ok_or_else(|| corrupt("dialect", "no such dialect".to_owned()))?,
        received_at: row.time(at + 3)?,
        body: serde_json::from_str(row.text(at + 4)?)
            .map_err(|error| corrupt("body", error.to_string()))?,
        request: EventId::from_stored(row.id(at + 5)?),
        tries: u16::try_from(row.int(at + 6)?).unwrap_or(u16::MAX),
        outcome: outcome(row, at + 7, id)?,
        decided_at: row.opt_time(at + 10)?,
    })
}

fn outcome(row: &Row, at: usize, id: Uuid) -> Result<Option<EventOutcome>, StoreError> {
    let corrupt = |problem: &str| StoreError::corrupt(("events", "outcome"), id, problem);
    let Some(word) = row.opt_text(at)? else { return Ok(None) };
    let reason = row.opt_text(at + 1)?.and_then(SuppressReason::parse);
    let alert = row.opt_id(at + 2)?.map(AlertId::from_stored);
    match (word, alert, reason) {
        ("alerted", Some(alert), _) => Ok(Some(EventOutcome::Alerted { alert })),
        ("folded", Some(alert), _) => Ok(Some(EventOutcome::Folded { alert })),
        ("suppressed", _, Some(reason)) => Ok(Some(EventOutcome::Suppressed { reason })),
        ("alerted" | "folded", None, _) => Err(corrupt("its alert is missing")),
        ("suppressed", _, None) => Err(corrupt("its reason is missing")),
        _ => Err(corrupt("no such outcome")),
    }
}

/// The three columns of an outcome.
pub(crate) fn outcome_words(
    outcome: EventOutcome,
) -> (&'static str, Option<&'static str>, Option<AlertId>) {
    match outcome {
        EventOutcome::Alerted { alert } => ("alerted", None, Some(alert)),
        EventOutcome::Folded { alert } => ("folded", None, Some(alert)),
        EventOutcome::Suppressed { reason } => ("suppressed", Some(reason.as_str()), None),
    }
}
