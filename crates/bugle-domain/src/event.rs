//! Events: one thing said to us. Immutable, and ending in exactly one outcome.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AlertId, EventId, IntegrationId, TenantId};
use crate::integration::Dialect;
use crate::severity::Severity;

/// Longest summary kept, in characters; longer ones are cut, never refused.
pub const MAX_SUMMARY_CHARS: usize = 1_024;
/// Longest dedup key, in bytes (PagerDuty's limit).
pub const MAX_DEDUP_KEY_BYTES: usize = 255;
/// Most links kept of one event.
pub const MAX_LINKS: usize = 20;

/// What the sender wants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Something is wrong.
    Trigger,
    /// Somebody has taken it, elsewhere.
    Acknowledge,
    /// It is over.
    Resolve,
    /// Something was changed: kept and shown beside alerts of the service; pages nobody.
    Change,
}

impl Action {
    /// All actions there are.
    pub const ALL: [Self; 4] = [Self::Trigger, Self::Acknowledge, Self::Resolve, Self::Change];

    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
            Self::Change => "change",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

/// A link that came with an event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Link {
    /// Where it leads. Shown as a link only when it is `http` or `https`.
    pub href: String,
    /// What it says.
    #[serde(default)]
    pub text: String,
}

/// The detail of an event of ours that names the user whom it is for.
pub const FOR_USER: &str = "for_user";

/// What a sender said, in our words, whatever dialect it spoke.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EventBody {
    /// What the sender wants.
    pub action: Action,
    /// What is wrong, in a line. Cut to 1,024 characters.
    pub summary: String,
    /// How bad it is.
    pub severity: Severity,
    /// Which machine or thing says so.
    #[serde(default)]
    pub source: String,
    /// Events with the same key fold into one open alert of that integration. At most 255 bytes.
    pub dedup_key: String,
    /// When it happened, if the sender said.
    #[serde(default)]
    pub occurred_at: Option<Timestamp>,
    /// When the alert resolves by itself unless refreshed (Alertmanager's `endsAt`).
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
    /// Links that came with it. At most 20.
    #[serde(default)]
    pub links: Vec<Link>,
    /// The rest of what the sender said: labels, custom details, component, group, class, client.
    #[serde(default)]
    pub details: serde_json::Map<String, serde_json::Value>,
}

/// One event as intake hands it to the store.
#[derive(Clone, PartialEq, Debug)]
pub struct NewEvent {
    /// Fixed at intake; a retry under the same id changes nothing.
    pub id: EventId,
    /// Whose it is.
    pub tenant: TenantId,
    /// By which way it came in.
    pub integration: IntegrationId,
    /// What its sender spoke.
    pub dialect: Dialect,
    /// When intake had read it whole.
    pub received_at: Timestamp,
    /// Makes retries harmless: the second event with this key is answered like the first. At most
    /// 255 bytes.
    pub idempotency_key: Option<String>,
    /// What was said.
    pub body: EventBody,
    /// The request it came in: the id of that request's first event, which holds the bytes.
    pub request: EventId,
    /// The bytes received, on the first event of a request only.
    pub raw: Option<Vec<u8>>,
}

/// Why an event had no effect on anybody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressReason {
    /// Severity `info` is tracked and pages nobody.
    Info,
    /// Acknowledge or resolve of a key that has no open alert.
    NoOpenAlert,
    /// A change event: kept beside the service's alerts.
    Change,
    /// It could not be decided after several tries; the fallback policy was told instead.
    Quarantined,
}

impl SuppressReason {
    /// All reasons there are.
    pub const ALL: [Self; 4] = [Self::Info, Self::NoOpenAlert, Self::Change, Self::Quarantined];

    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::NoOpenAlert => "no_open_alert",
            Self::Change => "change",
            Self::Quarantined => "quarantined",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// What came of an event. Written once, in the transaction of its effects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum EventOutcome {
    /// It opened this alert.
    Alerted {
        /// The alert.
        alert: AlertId,
    },
    /// It was folded into, acknowledged or resolved this alert.
    Folded {
        /// The alert.
        alert: AlertId,
    },
    /// It changed nothing, for a reason.
    Suppressed {
        /// The reason.
        reason: SuppressReason,
    },
}

/// An event as kept.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// By which way it came in.
    pub integration: IntegrationId,
    /// What its sender spoke.
    pub dialect: Dialect,
    /// When intake had read it whole.
    pub received_at: Timestamp,
    /// What was said.
    pub body: EventBody,
    /// The request it came in.
    pub request: EventId,
    /// What came of it; `None` while it is pending.
    pub outcome: Option<EventOutcome>,
    /// When that was decided.
    pub decided_at: Option<Timestamp>,
    /// How often alerting has begun to decide it.
    pub tries: u16,
}
