//! Contact methods and notification rules: never used until proven by a code that was sent.

pub mod error;
mod prove;
mod rules;
pub(crate) mod send;

use bugle_domain::contact::{Channel, ContactMethod};
use bugle_domain::user::NotificationRules;
use bugle_domain::{MethodId, UserId};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// How long a code holds.
pub const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// Wrong codes after which a new one must be sent.
pub const CODE_TRIES: u32 = 5;
/// Most contact methods of one user.
pub const MAX_METHODS: usize = 20;

/// What a new contact method shall be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMethod {
    /// What its owner calls it, 1–80 characters; empty: named after its channel.
    pub name: String,
    /// Which way.
    pub channel: Channel,
    /// Where to, as typed.
    pub address: String,
}

/// A contact method that was made, and what came of sending its code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddedMethod {
    /// The method, not proven yet.
    pub method: ContactMethod,
    /// The code.
    pub code: CodeSent,
}

/// What came of sending something to a method at once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CodeSent {
    /// Whether a provider has taken it.
    pub accepted: bool,
    /// What the provider said, in words.
    pub detail: String,
    /// Which provider was asked; empty where none could be.
    pub provider: String,
    /// Until when the code holds; `None` for tests.
    pub until: Option<Timestamp>,
    /// When it was handed over.
    pub at: Timestamp,
}

/// What was removed with a method.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RemovedMethod {
    /// How many notification rules named it and were removed with it.
    pub rules_removed: usize,
    /// In words, empty if nothing: "2 notification rules that used it were removed."
    pub sentence: String,
}

/// A user's rules as they stand, and what they amount to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RulesView {
    /// Whose.
    pub user: UserId,
    /// As set; empty: the defaults.
    pub rules: NotificationRules,
    /// What happens for urgent alerts: delay in seconds and method, in order.
    pub urgent_steps: Vec<(u32, MethodId)>,
    /// What happens for normal alerts.
    pub normal_steps: Vec<(u32, MethodId)>,
}

#[cfg(test)]
mod tests;
