//! Why: the causal record of an event or an alert, from the bytes received to the human act.

use bugle_domain::{AlertId, EventId};
use jiff::Timestamp;
use serde::Serialize;

/// The part of the pipeline a step happened in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Bytes came in and were understood.
    Intake,
    /// It was decided what they mean and who must know.
    Alerting,
    /// Messages were sent.
    Dispatch,
    /// What providers said came of them.
    Receipts,
    /// What people did.
    Responses,
}

impl Stage {
    /// The word used in text and API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Alerting => "alerting",
            Self::Dispatch => "dispatch",
            Self::Receipts => "receipts",
            Self::Responses => "responses",
        }
    }
}

/// One link of the chain.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct WhyStep {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub stage: Stage,
    /// What, in one sentence.
    pub text: String,
    /// The same for programs.
    pub data: serde_json::Value,
}

/// A causal record.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Why {
    /// What was asked about: `evt_…` or `alr_…`.
    pub subject: String,
    /// The event at its beginning, where it is kept.
    pub event: Option<EventId>,
    /// The alert it led to.
    pub alert: Option<AlertId>,
    /// The alert's number.
    pub alert_number: Option<i64>,
    /// The answer in a sentence: "Lena was paged and acknowledged after 41 s." or "Nobody was
    /// paged, because …".
    pub answer: String,
    /// Every step, oldest first.
    pub steps: Vec<WhyStep>,
    /// Steps were left out because there are too many; the newest are missing.
    pub cut: bool,
}
