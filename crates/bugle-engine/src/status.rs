//! The status page: which parts of Bugle there are for those who use it, and how each does.
//!
//! What is told follows from what the watch sees by [rules], is written down in
//! [bulletins](bulletin), and is held against the truth by an [audit]. A [`Board`](board::Board) is
//! all that a page needs.

use bugle_domain::contact::Channel;
use serde::{Deserialize, Serialize};

pub mod audit;
pub mod board;
pub mod bulletin;
pub mod history;
pub mod report;
pub mod rules;
pub mod subscribers;
pub mod tenant;
mod words;

/// A part of Bugle as those who use it know it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// Events are taken in.
    Intake,
    /// The pages, on phones and on desks.
    Web,
    /// The API and the command line.
    Api,
    /// Webhooks to programs.
    Integrations,
    /// Events are taken in by mail.
    EmailInitiation,
    /// Notifications by mail.
    Email,
    /// Notifications by text.
    Sms,
    /// Notifications by call.
    Voice,
}

impl Component {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 8] = [
        Self::Intake,
        Self::Web,
        Self::Api,
        Self::Integrations,
        Self::EmailInitiation,
        Self::Email,
        Self::Sms,
        Self::Voice,
    ];

    /// The word used in files, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Web => "web",
            Self::Api => "api",
            Self::Integrations => "integrations",
            Self::EmailInitiation => "email_initiation",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Voice => "voice",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|component| component.as_str() == text)
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Intake => "Event intake",
            Self::Web => "Web interface",
            Self::Api => "API",
            Self::Integrations => "Integration platform",
            Self::EmailInitiation => "Email initiation",
            Self::Email => "Email notifications",
            Self::Sms => "SMS notifications",
            Self::Voice => "Voice notifications",
        }
    }

    /// What it is for, in a sentence.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Intake => "Takes in events from your tools.",
            Self::Web => "The pages, on phones and on desks.",
            Self::Api => "The API and the command line.",
            Self::Integrations => "Webhooks to your programs.",
            Self::EmailInitiation => "Takes in events by mail.",
            Self::Email => "Notifications by email.",
            Self::Sms => "Notifications by text message.",
            Self::Voice => "Notifications by telephone call.",
        }
    }

    /// The channel whose notifications it stands for.
    pub fn channel(self) -> Option<Channel> {
        match self {
            Self::Intake | Self::Web | Self::Api | Self::EmailInitiation => None,
            Self::Integrations => Some(Channel::Webhook),
            Self::Email => Some(Channel::Email),
            Self::Sms => Some(Channel::Sms),
            Self::Voice => Some(Channel::Voice),
        }
    }
}

/// How a component does. Later ones are worse.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It works.
    Operational,
    /// It is worked on, as was announced.
    Maintenance,
    /// It works, slowly or by fewer ways.
    Degraded,
    /// A part of it, or for a part of its users, it does not work.
    PartialOutage,
    /// It does not work.
    MajorOutage,
}

impl State {
    /// All of them, best first.
    pub const ALL: [Self; 5] = [
        Self::Operational,
        Self::Maintenance,
        Self::Degraded,
        Self::PartialOutage,
        Self::MajorOutage,
    ];

    /// The word used in files, API and database: that of Statuspage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::Maintenance => "under_maintenance",
            Self::Degraded => "degraded_performance",
            Self::PartialOutage => "partial_outage",
            Self::MajorOutage => "major_outage",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// What people call it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Operational => "Working",
            Self::Maintenance => "Scheduled maintenance",
            Self::Degraded => "Degraded",
            Self::PartialOutage => "Partly failing",
            Self::MajorOutage => "Down",
        }
    }

    /// How much of the time in this state counts as lost, in percent.
    pub fn lost_percent(self) -> i64 {
        match self {
            Self::Operational | Self::Maintenance | Self::Degraded => 0,
            Self::PartialOutage => 30,
            Self::MajorOutage => 100,
        }
    }
}

#[cfg(test)]
mod tests;
