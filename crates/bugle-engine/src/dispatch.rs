//! Dispatch: whether a message is still true, what goes together, and what follows from a try.

use bugle_domain::alert::AlertStatus;
use bugle_domain::notification::{End, Notification, NotificationState, Receipt, SendOutcome};
use bugle_domain::{
    AlertId, IntegrationId, MethodId, NotificationId, ServiceId, Severity, TenantId,
};
use jiff::Timestamp;

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
}
