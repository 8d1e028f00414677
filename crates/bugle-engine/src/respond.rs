//! Responses: what a person's answer does, and what it caused, in a sentence.

use bugle_domain::NotificationId;
use bugle_domain::alert::{Actor, Via};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a person wants done with an alert.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseAction {
    /// "I have it."
    Acknowledge,
    /// "It is over."
    Resolve,
    /// "Not me: tell the next level now."
    PassOn,
}

/// A response as it came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// What is wanted.
    pub action: ResponseAction,
    /// Who wants it.
    pub by: Actor,
    /// How it came.
    pub via: Via,
    /// Through which notification, if through one; it ends as answered.
    pub notification: Option<NotificationId>,
}

/// What a response caused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// It was taken by this response.
    Acknowledged {
        /// First names of those who would have been told next and now will not be.
        not_paged: Vec<String>,
    },
    /// Somebody had taken it before; nothing changed.
    AlreadyAcknowledged {
        /// Who.
        by: Actor,
        /// When.
        at: Timestamp,
    },
    /// It is over by this response.
    Resolved {
        /// First names of those who would have been told next and now will not be.
        not_paged: Vec<String>,
    },
    /// It was over before; nothing changed.
    AlreadyResolved {
        /// When.
        at: Timestamp,
    },
    /// The next level is being told.
    PassedOn {
        /// First names of those who are told now.
        to: Vec<String>,
    },
    /// There is nobody after this level; nothing changed.
    NobodyNext,
}
