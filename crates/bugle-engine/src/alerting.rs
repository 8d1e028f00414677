//! Alerting: what becomes of events and of alerts whose time has come.

use std::collections::BTreeMap;

use bugle_domain::alert::{Alert, TimelineEntry};
use bugle_domain::event::{Event, EventOutcome};
use bugle_domain::notification::Notification;
use bugle_domain::{AlertId, EventId, IntegrationId};
use jiff::Timestamp;

/// What alerting has to decide for one tenant, read in one transaction.
#[derive(Debug, Default)]
pub struct Work {
    /// Pending events, oldest first.
    pub events: Vec<Event>,
    /// The unresolved alerts that those events' keys name.
    pub open: Vec<Alert>,
    /// Alerts whose [`Alert::due_at`] has passed; may repeat some of `open`.
    pub due: Vec<Alert>,
}

/// What was decided, to be saved in the same transaction.
#[derive(Debug, Default, PartialEq)]
pub struct Decisions {
    /// The outcome of every event of [`Work::events`], in their order.
    pub outcomes: Vec<(EventId, EventOutcome)>,
    /// Alerts that did not exist before, as they now stand. Their number is still 0.
    pub opened: Vec<Alert>,
    /// Alerts that existed before and changed, as they now stand.
    pub changed: Vec<Alert>,
    /// Lines for timelines, in order.
    pub timeline: Vec<(AlertId, Timestamp, TimelineEntry)>,
    /// Notifications that came to be owed.
    pub owed: Vec<Notification>,
    /// Alerts whose waiting notifications end as cancelled, with the reason as a stable word
    /// (`acknowledged`, `resolved`, `passed_on`). Applied before `owed` is added.
    pub cancel: Vec<(AlertId, &'static str)>,
}

/// The open alerts while a batch is decided, found by what folds into them.
pub type OpenAlerts = BTreeMap<(IntegrationId, String), Alert>;
