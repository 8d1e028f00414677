//! Dispatch: whether a message is still true, what goes together, and what follows from a try.
//!
//! - What became of the alert meanwhile decides what becomes of a page that is late ([`fate()`]):
//!   it is sent and says so, or becomes a line of a digest, or ends.
//! - The first message to a contact method goes alone, at once. What follows within
//!   [`Limits::bundle_window`] is held, and then goes as one message. Where several are due at once
//!   and nothing was sent lately, the worst goes alone and the rest are held.
//! - What a provider did not take is not held back for that: another may take it at once.
//! - A contact method gets only so many messages an hour; what is over waits for the next hour.
//! - What is late and open goes as one message at once, since nothing of it can wait for more; a
//!   new page for the same contact method still goes alone, before it.
//! - Digests are gathered, so that a person gets one and not many.
//! - What is late uses only the [`Room`] that a backlog may take; the rest of it is left for later.
//! - What no provider takes now, by its rate or because it fails, is put off until one does: a try
//!   is not spent on it, and what goes by other channels passes it.
//! - Webhooks (a program reads them) are neither bundled nor limited nor told in digests. A message
//!   that may have been sent already is looked up, and goes alone.

use std::collections::BTreeMap;
use std::time::Duration;

use bugle_domain::alert::AlertStatus;
use bugle_domain::contact::Channel;
use bugle_domain::notification::{End, Notification, NotificationState, Receipt, SendOutcome};
use bugle_domain::{
    AlertId, IntegrationId, MethodId, NotificationId, ServiceId, Severity, TenantId,
};
use jiff::{SignedDuration, Timestamp};

pub use self::backlog::{BacklogLine, BacklogPlan, BacklogRow, Fates, plan_backlog};
pub use self::drain::{Drain, Opening, Places, Room};
pub use self::fate::{Fate, LATE_AFTER, Owed, fate, fresh_for};
pub use self::follow::{after_lost_claim, after_receipt, after_silence, after_try};
pub use self::judge::judge;

mod backlog;
mod drain;
mod fate;
mod follow;
mod judge;

/// What a message says about its alert.
#[derive(Clone, PartialEq, Debug)]
pub struct AlertBrief {
    /// The alert.
    pub id: AlertId,
    /// Its number within the tenant.
    pub number: i64,
    /// Where it stands.
    pub status: AlertStatus,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub summary: String,
    /// Which machine or thing says so.
    pub source: String,
    /// What its events fold by.
    pub dedup_key: String,
    /// Where it came from.
    pub integration: IntegrationId,
    /// What is broken.
    pub service: Option<ServiceId>,
    /// Its links and details as JSON text: `{"links":[…],"details":{…}}`.
    pub extra: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Events in it.
    pub event_count: i64,
}

/// What was lately sent to one contact method of a person, kept so that messages are bundled and
/// ceilings hold. Not kept for webhooks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// When the latest message to it was claimed.
    pub last_sent_at: Timestamp,
    /// When the current ceiling window began.
    pub window_from: Timestamp,
    /// Messages in that window.
    pub window_count: u32,
}

/// A notification that is due, with what must be known to decide about it.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// Whose it is.
    pub tenant: TenantId,
    /// The notification.
    pub notification: Notification,
    /// It was held back before, to be bundled.
    pub held: bool,
    /// A try before this one ended unsure: the provider is asked first.
    pub unsure: bool,
    /// It was judged to go out as a line of a digest.
    pub digest: bool,
    /// Its alert.
    pub alert: AlertBrief,
    /// What was lately sent to its contact method; `None` for webhooks and new methods.
    pub pace: Option<Pace>,
}

/// What becomes of a candidate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Claim and send it. Those with the same `message` go out as one message, worst first.
    Send {
        /// Index of the message within the batch.
        message: usize,
    },
    /// Claim it; it goes out as a line of a digest, with the others of that `message`.
    Digest {
        /// Index of the message within the batch.
        message: usize,
    },
    /// It is no longer true or too late: it ends without being sent.
    End {
        /// How.
        end: End,
        /// Why, as a stable word.
        reason: &'static str,
    },
    /// Not yet: it waits to be bundled, or for the person's ceiling.
    Hold {
        /// Until when.
        until: Timestamp,
    },
    /// There is no room for it until its channel takes more, or until a backlog has drained that it
    /// belongs to now: what is due behind it is looked at first.
    PutOff {
        /// When it is due.
        due_at: Timestamp,
    },
    /// Nothing changes: there is no room for it in this pass.
    Leave,
}

/// A pace to be saved with the claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PaceUpdate {
    /// Whose method.
    pub tenant: TenantId,
    /// Which method.
    pub method: MethodId,
    /// Its pace from now on.
    pub pace: Pace,
}

/// What follows from a try or a receipt, to be saved against the claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Next {
    /// Where the notification stands now.
    pub state: NotificationState,
    /// When it is due again, if it waits.
    pub due_at: Option<Timestamp>,
    /// The best receipt known.
    pub receipt: Option<(Receipt, Timestamp)>,
    /// The next try may repeat this one: ask the provider first, and mark it.
    pub unsure: bool,
    /// Bring the person's next method forward to now.
    pub hop: bool,
    /// Nobody was asked: the try does not count.
    pub uncounted: bool,
}

/// A finished try, to be recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tried {
    /// Of which notification.
    pub notification: NotificationId,
    /// What came of it.
    pub outcome: SendOutcome,
    /// The provider itself says that the message arrived (a webhook's 2xx).
    pub delivered: bool,
    /// Another provider of the channel would take the message now.
    pub another_provider: bool,
    /// A provider was asked; if none was, only the deadline limits how often that may happen.
    pub asked: bool,
}

/// What a provider or a person says of a message that was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReceiptNews {
    /// The provider says it reached the phone, mailbox or program.
    Delivered,
    /// A person opened it.
    Seen,
    /// A person acted on it.
    Answered,
    /// The provider says it did not reach anybody.
    Undelivered {
        /// It never will, at this address.
        permanent: bool,
        /// In the provider's words.
        detail: String,
    },
    /// A call is over.
    CallEnded {
        /// A key was pressed that means something.
        answered_by_key: bool,
        /// A machine took it.
        voicemail: bool,
        /// Somebody or something took it.
        picked_up: bool,
    },
}

/// How much goes to one person, and how long and how often is tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Messages that one contact method of a person gets in an hour, by channel, of quiet alerts.
    /// A channel that is not named has no ceiling.
    pub per_hour: BTreeMap<Channel, u32>,
    /// The same, of urgent alerts. Higher, since a held page may be the one that matters.
    pub urgent_per_hour: BTreeMap<Channel, u32>,
    /// After a message to a method, those that follow within this time go as one.
    pub bundle_window: SignedDuration,
    /// Tries of one notification before it counts as failed. Those that asked no provider are not
    /// counted.
    pub max_tries: u16,
    /// How long a receipt is waited for, by channel.
    pub receipt_wait: BTreeMap<Channel, SignedDuration>,
    /// How long after an unanswered call it is rung once more.
    pub redial_after: SignedDuration,
}

impl Limits {
    /// What holds where the operator has said nothing else.
    pub fn standard() -> Self {
        use Channel::{Email, Sms, Voice, Webhook};
        Self {
            per_hour: BTreeMap::from([(Email, 60), (Sms, 20), (Voice, 6)]),
            urgent_per_hour: BTreeMap::from([(Email, 300), (Sms, 60), (Voice, 30)]),
            bundle_window: SignedDuration::from_secs(5),
            max_tries: 8,
            receipt_wait: BTreeMap::from([
                (Email, SignedDuration::from_hours(1)),
                (Sms, SignedDuration::from_mins(5)),
                (Voice, SignedDuration::from_mins(5)),
                (Webhook, SignedDuration::from_mins(1)),
            ]),
            redial_after: SignedDuration::from_secs(90),
        }
    }

    /// What a revision says.
    pub fn of(dispatch: &bugle_domain::revision::Dispatch) -> Self {
        let span = |of: Duration| SignedDuration::try_from(of).unwrap_or(SignedDuration::MAX);
        let waits = dispatch.receipt_wait.iter().map(|(channel, wait)| (*channel, span(*wait)));
        Self {
            per_hour: dispatch.per_hour.clone(),
            urgent_per_hour: dispatch.urgent_per_hour.clone(),
            bundle_window: span(dispatch.bundle_window),
            max_tries: u16::try_from(dispatch.max_tries).unwrap_or(u16::MAX),
            receipt_wait: waits.collect(),
            redial_after: span(dispatch.redial_after),
        }
    }

    /// How long a receipt of `channel` is waited for.
    pub fn receipt_wait(&self, channel: Channel) -> SignedDuration {
        self.receipt_wait.get(&channel).copied().unwrap_or(SignedDuration::from_mins(5))
    }
}

#[cfg(test)]
mod tests;
