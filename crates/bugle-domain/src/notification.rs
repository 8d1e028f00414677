//! Notifications: one message owed to one person by one contact method about one alert.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::contact::Channel;
use crate::ids::{AlertId, ClaimId, MethodId, NotificationId, UserId};
use crate::severity::Urgency;

/// The queue a notification waits in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Served first.
    Urgent,
    /// Served with what is left.
    Bulk,
}

impl Lane {
    /// Both lanes, in the order they are served.
    pub const ALL: [Self; 2] = [Self::Urgent, Self::Bulk];

    /// The lane for messages of `urgency`.
    pub fn of(urgency: Urgency) -> Self {
        match urgency {
            Urgency::Urgent => Self::Urgent,
            Urgency::Normal => Self::Bulk,
        }
    }

    /// The word used in text and API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Bulk => "bulk",
        }
    }

    /// The number used in the database.
    pub fn as_i16(self) -> i16 {
        match self {
            Self::Urgent => 0,
            Self::Bulk => 1,
        }
    }

    /// Reads the number that [`Self::as_i16`] gives.
    pub fn from_i16(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.as_i16() == number)
    }
}

/// What is known of a message's way to its person. Only the last two involve a person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Receipt {
    /// A provider took it.
    Accepted,
    /// A provider says that it reached the phone, mailbox or program.
    Delivered,
    /// A person opened it.
    Seen,
    /// A person acted on it: pressed a key, replied, or used its link.
    Answered,
}

impl Receipt {
    /// All there are, weakest first.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Delivered, Self::Seen, Self::Answered];

    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Seen => "seen",
            Self::Answered => "answered",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|receipt| receipt.as_str() == text)
    }
}

/// How a notification ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// Its person acted on it.
    Answered,
    /// A provider says it reached the phone, mailbox or program, and nothing more is awaited.
    Delivered,
    /// No provider could deliver it.
    Failed,
    /// It was no longer true: acknowledged, resolved or passed on before it was sent.
    Cancelled,
    /// Its deadline passed, or no receipt came in time.
    Expired,
}

impl End {
    /// All there are.
    pub const ALL: [Self; 5] =
        [Self::Answered, Self::Delivered, Self::Failed, Self::Cancelled, Self::Expired];

    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.as_str() == text)
    }
}

/// Where a notification stands. `owed = waiting + sending + handed off + ended`, always.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum NotificationState {
    /// Not before its due time.
    Waiting,
    /// A node has claimed it and may be talking to a provider.
    Sending {
        /// The claim.
        claim: ClaimId,
        /// The claimant sends before this time or not at all.
        send_by: Timestamp,
    },
    /// A provider has it; a receipt is awaited until `receipt_due`.
    HandedOff {
        /// When waiting ends.
        receipt_due: Timestamp,
    },
    /// Final.
    Ended {
        /// How.
        end: End,
        /// Why, as a stable word: `acknowledged`, `resolved`, `no_receipt`, `refused` …
        reason: String,
        /// When.
        at: Timestamp,
    },
}

/// One message owed to one person by one contact method about one alert.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// About which alert.
    pub alert: AlertId,
    /// Owed to whom.
    pub user: UserId,
    /// By which of their methods.
    pub method: MethodId,
    /// Which way that is.
    pub channel: Channel,
    /// Which queue it waits in.
    pub lane: Lane,
    /// The level that owes it, 0-based.
    pub level: usize,
    /// The cycle that owes it, 0-based.
    pub cycle: u8,
    /// When it should have gone out, had nothing been in its way: no stall of ours, no retry, no
    /// ceiling. Never changes; a message says how much later than this it is.
    pub wanted_at: Timestamp,
    /// Not sent before.
    pub due_at: Timestamp,
    /// Not sent after: a page this late says nothing any more.
    pub deadline: Timestamp,
    /// Where it stands.
    pub state: NotificationState,
    /// Claims so far; every try to send is claimed first. Those that came to no provider are not
    /// counted.
    pub tries: u16,
    /// The best receipt so far, and when it came.
    pub receipt: Option<(Receipt, Timestamp)>,
    /// An earlier try may have reached its person: shown as "possibly sent twice".
    pub possible_repeat: bool,
    /// Unguessable text of its link, on channels that reach a person.
    pub token: Option<String>,
    /// What the provider calls the message it took.
    pub provider_ref: Option<String>,
    /// When it came to be owed.
    pub created_at: Timestamp,
}

impl Notification {
    /// Four characters by which a person recognises the same page twice: `K7Q2`.
    pub fn reference(&self) -> String {
        reference(self.id)
    }
}

/// Four characters by which a person recognises the same page twice.
pub fn reference(id: NotificationId) -> String {
    const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let tail = id.as_uuid().as_u128();
    (0..4).map(|i| char::from(ALPHABET[((tail >> (i * 5)) & 31) as usize])).collect()
}

/// What came of one try with one provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum SendOutcome {
    /// The provider has taken the message. Wait for its delivery report.
    Accepted,
    /// Try again, not before this time.
    RetryAt {
        /// When.
        at: Timestamp,
    },
    /// This provider will never deliver it. Use the person's next method now.
    Refused,
    /// The provider does not accept *us*. Use another provider or the person's next method now,
    /// and page the operator.
    Misconfigured,
    /// We cannot know: the request may have been taken. Look it up, or try again at this time,
    /// shown as possibly sent twice.
    RetryUnsure {
        /// When.
        at: Timestamp,
    },
}

impl SendOutcome {
    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::RetryAt { .. } => "retry_at",
            Self::Refused => "refused",
            Self::Misconfigured => "misconfigured",
            Self::RetryUnsure { .. } => "unsure",
        }
    }
}

/// One try with one provider, as kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// Of which notification.
    pub notification: NotificationId,
    /// 1 for the first.
    pub number: u16,
    /// Which provider; empty where the claim was lost before one was chosen.
    pub provider: String,
    /// When the claim was committed.
    pub started_at: Timestamp,
    /// When its outcome was known.
    pub finished_at: Timestamp,
    /// What came of it, as [`SendOutcome::as_str`], or `lost` for a claim found in the hands of the
    /// dead, `found` where the provider was asked and had it, or `not_asked` where no provider
    /// could be.
    pub outcome: String,
    /// The provider's answer in words: status, code, message. At most 300 characters.
    pub detail: String,
    /// What the provider calls the message.
    pub provider_ref: Option<String>,
}
