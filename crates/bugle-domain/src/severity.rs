//! How bad it is, and how loudly that is said.

use serde::{Deserialize, Serialize};

/// How bad an event or an alert is, worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Users are hurt now.
    Critical,
    /// Users will be hurt soon, or some are.
    High,
    /// Somebody should look today.
    Medium,
    /// Somebody should look some time.
    Low,
    /// Tracked; pages nobody.
    Info,
}

/// How loudly a person is told: which notification rules apply, and which lane is used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// Critical and high: calls are allowed; the urgent lane.
    Urgent,
    /// Medium and low: the quiet rules; the bulk lane.
    Normal,
}

impl Severity {
    /// All severities, worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }

    /// The word as it begins a sentence, or is spoken.
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "Critical",
            Self::High => "High",
            Self::Medium => "Medium",
            Self::Low => "Low",
            Self::Info => "Info",
        }
    }

    /// The four-letter form used where space is short, as in a text message.
    pub fn short(self) -> &'static str {
        match self {
            Self::Critical => "CRIT",
            Self::High => "HIGH",
            Self::Medium => "MED",
            Self::Low => "LOW",
            Self::Info => "INFO",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str().eq_ignore_ascii_case(text))
    }

    /// How loudly people are told, or `None` where nobody is.
    pub fn urgency(self) -> Option<Urgency> {
        match self {
            Self::Critical | Self::High => Some(Urgency::Urgent),
            Self::Medium | Self::Low => Some(Urgency::Normal),
            Self::Info => None,
        }
    }
}

impl Urgency {
    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Normal => "normal",
        }
    }
}
