//! What becomes of a notification that is owed, by what became of its alert meanwhile.

use bugle_domain::Severity;
use bugle_domain::alert::AlertStatus;
use bugle_domain::contact::Channel;
use bugle_domain::notification::Lane;
use jiff::{SignedDuration, Timestamp};

use super::Candidate;

/// A notification is late, and says so, when it is this much later than it should have been.
pub const LATE_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// What decides about a notification that is owed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Owed {
    /// Which queue it waits in.
    pub lane: Lane,
    /// Which way it goes.
    pub channel: Channel,
    /// How bad its alert is.
    pub severity: Severity,
    /// Where its alert stands.
    pub status: AlertStatus,
    /// How much later it is than it should have been.
    pub late: SignedDuration,
    /// Its deadline has passed.
    pub past_deadline: bool,
}

/// What becomes of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fate {
    /// It is sent; where it is late, it says so.
    Sent,
    /// It becomes a line of a digest.
    Digested,
    /// It ends: somebody has the alert.
    Acknowledged,
    /// It ends: the alert is over.
    Resolved,
    /// It ends: it is too late for it to say anything.
    Expired,
}

/// How long a page of this severity is as good as new. After that a quiet one is one line of a
/// digest.
pub fn fresh_for(severity: Severity) -> SignedDuration {
    SignedDuration::from_mins(match severity {
        Severity::Critical => 30,
        Severity::High => 15,
        Severity::Medium => 10,
        Severity::Low | Severity::Info => 5,
    })
}

/// Decides what becomes of `owed`. A critical page is never dropped without a word while its alert
/// is open: after its deadline it is a line of a digest.
pub fn fate(owed: Owed) -> Fate {
    let digestible = matches!(owed.channel, Channel::Email | Channel::Sms);
    match owed.status {
        AlertStatus::Acknowledged => Fate::Acknowledged,
        AlertStatus::Resolved => Fate::Resolved,
        AlertStatus::Open if owed.past_deadline => {
            let told = digestible && owed.severity == Severity::Critical;
            if told { Fate::Digested } else { Fate::Expired }
        }
        AlertStatus::Open => {
            let stale = owed.lane == Lane::Bulk && owed.late > fresh_for(owed.severity);
            if digestible && stale { Fate::Digested } else { Fate::Sent }
        }
    }
}

impl Candidate {
    /// Whether it is late at `now`.
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.owed(now).late > LATE_AFTER
    }

    /// What decides about it at `now`.
    pub(super) fn owed(&self, now: Timestamp) -> Owed {
        let notification = &self.notification;
        Owed {
            lane: notification.lane,
            channel: notification.channel,
            severity: self.alert.severity,
            status: self.alert.status,
            late: now.duration_since(crate::message::wanted_at(notification)),
            past_deadline: notification.deadline < now,
        }
    }
}
