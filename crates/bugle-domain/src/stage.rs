//! Stages: the parts of the pipeline that hand work to each other.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::NodeId;
use crate::revision::Fingerprint;

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

    /// Whether it can be held: work that comes meanwhile waits in the store. At the others somebody
    /// waits for an answer.
    pub fn can_be_held(self) -> bool {
        match self {
            Self::Alerting | Self::Dispatch => true,
            Self::Intake | Self::Responses => false,
        }
    }
}

/// What a node says it runs a stage with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StageRun {
    /// Which node.
    pub node: NodeId,
    /// Which stage.
    pub stage: Stage,
    /// The number of its revision.
    pub revision: i64,
    /// What that revision is recognised by.
    pub fingerprint: Fingerprint,
    /// Since when, by the node's clock.
    pub since: Timestamp,
    /// Whether it takes no new work.
    pub held: bool,
    /// Why it does not run what it should, or nothing at all.
    pub error: Option<String>,
}
