//! Stages: the parts of the pipeline that hand work to each other.

use serde::{Deserialize, Serialize};

/// A part of the pipeline. The stages meet only in the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Takes events in and keeps them.
    Intake,
    /// Decides what becomes of them, and who is told.
    Alerting,
    /// Claims what is owed, and hands it to providers.
    Dispatch,
    /// Takes in what people and providers answer.
    Responses,
}

impl Stage {
    /// All stages, in the order in which an event meets them.
    pub const ALL: [Self; 4] = [Self::Intake, Self::Alerting, Self::Dispatch, Self::Responses];

    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Alerting => "alerting",
            Self::Dispatch => "dispatch",
            Self::Responses => "responses",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}
