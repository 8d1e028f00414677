//! The ledger: the books over every accepted event and every owed notification.

use serde::{Deserialize, Serialize};

use crate::contact::Channel;
use crate::ids::TenantId;
use crate::notification::Lane;

/// The sums of one tenant, or of all.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Sums {
    /// Events answered with 2xx, by intake's own count.
    pub accepted: i64,
    /// Events that have no outcome yet, counted where they wait.
    pub pending: i64,
    /// Events that opened an alert.
    pub alerted: i64,
    /// Events that folded into one.
    pub folded: i64,
    /// Events that changed nothing, for a reason.
    pub suppressed: i64,
    /// Notifications that came to be owed, by alerting's own count.
    pub owed: i64,
    /// Notifications that wait for their time or for a sender, counted where they wait.
    pub waiting: i64,
    /// Notifications claimed by a node, counted likewise.
    pub sending: i64,
    /// Notifications that a provider has and whose receipt is awaited, counted likewise.
    pub handed_off: i64,
    /// Notifications that ended, by kind.
    pub ended: Ended,
}

/// Notifications that ended, by kind.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Ended {
    /// See [`crate::notification::End::Answered`].
    pub answered: i64,
    /// See [`crate::notification::End::Delivered`].
    pub delivered: i64,
    /// See [`crate::notification::End::Failed`].
    pub failed: i64,
    /// See [`crate::notification::End::Cancelled`].
    pub cancelled: i64,
    /// See [`crate::notification::End::Expired`].
    pub expired: i64,
}

impl Ended {
    /// All of them.
    pub fn total(&self) -> i64 {
        self.answered + self.delivered + self.failed + self.cancelled + self.expired
    }
}

impl Sums {
    /// `accepted − (pending + alerted + folded + suppressed)`: 0 unless an event was lost or made
    /// up.
    pub fn event_difference(&self) -> i64 {
        self.accepted - (self.pending + self.alerted + self.folded + self.suppressed)
    }

    /// `owed − (waiting + sending + handed off + ended)`: 0 unless a notification was lost.
    pub fn notification_difference(&self) -> i64 {
        self.owed - (self.waiting + self.sending + self.handed_off + self.ended.total())
    }

    /// Whether both sums come out.
    pub fn balanced(&self) -> bool {
        self.event_difference() == 0 && self.notification_difference() == 0
    }
}

/// Age of the oldest notification that should have been sent by now, in one lane of one channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OwedAge {
    /// The lane.
    pub lane: Lane,
    /// The channel.
    pub channel: Channel,
    /// Milliseconds since its due time.
    pub oldest_ms: i64,
    /// How many are due and not sent.
    pub count: i64,
}

/// The ledger at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Over all that the reader may see.
    pub total: Sums,
    /// By tenant.
    pub tenants: Vec<(TenantId, Sums)>,
    /// Milliseconds that the oldest pending event has waited; `None`: nothing is pending.
    pub oldest_pending_ms: Option<i64>,
    /// The oldest owed notification in each lane and channel that has one due.
    pub owed: Vec<OwedAge>,
}
