//! The last requests of an integration, accepted and rejected, and events sent from here.

pub mod error;

use bugle_domain::EventId;
use bugle_domain::event::{Action, Link};
use bugle_domain::integration::Dialect;
use bugle_domain::severity::Severity;
use jiff::Timestamp;

/// How many requests of an integration are shown.
pub const SHOWN_REQUESTS: u32 = 50;

/// One request of an integration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestView {
    /// When it had been read whole.
    pub at: Timestamp,
    /// What its sender spoke.
    pub dialect: Dialect,
    /// The events it held; empty: it was rejected.
    pub events: Vec<EventId>,
    /// Why it was rejected, in words.
    pub rejected: Option<String>,
    /// The status it was answered with.
    pub status: u16,
    /// How many bytes.
    pub size_bytes: usize,
    /// The first 2,000 characters, as text; what is not UTF-8 is replaced.
    pub preview: String,
    /// What came of its first event, in a sentence.
    pub outcome: String,
}

/// An event sent from a page or the command line, without the integration's key.
#[derive(Clone, PartialEq, Debug)]
pub struct SentEvent {
    /// What is wanted.
    pub action: Action,
    /// What is wrong, in a line.
    pub summary: String,
    /// How bad it is.
    pub severity: Severity,
    /// Which machine or thing says so.
    pub source: String,
    /// What it folds by; made up where it is missing.
    pub dedup_key: Option<String>,
    /// Links.
    pub links: Vec<Link>,
    /// The rest.
    pub details: serde_json::Map<String, serde_json::Value>,
}

/// What intake said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TakenEvent {
    /// The event, or the first of the same idempotency key.
    pub event: EventId,
    /// What it folds by.
    pub dedup_key: String,
    /// It had been taken before.
    pub repeat: bool,
}

/// Who would be paged by an event of an integration now, without sending one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WouldPage {
    /// The policy, by name, and why that one.
    pub policy: String,
    /// Sentences, one a level: "Level 1: Lena Ortiz by SMS and email at once, by call after 60 s."
    pub levels: Vec<String>,
}
