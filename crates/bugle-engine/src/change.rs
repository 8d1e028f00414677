//! Guarded change: how the stages come from one revision to another, checkpoint by checkpoint.
//!
//! Pure: [`step`] says what follows from a change, what is observed and the time. Whoever carries
//! it out writes the new state and everything to be done in one transaction, so that a driver that
//! dies leaves a change that another can go on with. What is decided here is in the program and
//! not in a
//! revision: a revision never judges itself.

use std::collections::BTreeMap;

use bugle_domain::NodeId;
use bugle_domain::stage::{Stage, StageRun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::watch::{Hop, View};

pub mod checked;
mod forth;
pub mod stray;
mod undo;

pub use forth::step;

/// A held stage, a new target and a canary each have this long to be seen.
pub const STEP_LIMIT: SignedDuration = SignedDuration::from_secs(15);
/// How long a change is watched where nothing else was said.
pub const WATCH_FOR: SignedDuration = SignedDuration::from_mins(5);
/// A revision that was undone by itself is tried again within this time only by somebody who says
/// that they know it: nothing goes to and fro unless a person wants it.
pub const SETTLES_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Where a change stands: the last checkpoint that it passed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeState {
    /// It is written down.
    Planned,
    /// It fits, and the canary is green.
    Checked,
    /// The first node is free of work.
    Drained,
    /// The first node runs it.
    AppliedOne,
    /// A canary came through it there.
    Canaried,
    /// Every node runs it.
    AppliedAll,
    /// It was watched for its time.
    Watched,
    /// It is what every node falls back to.
    KnownGood,
    /// It is being taken back.
    Undoing,
    /// It was taken back.
    Undone,
    /// It does not fit. Nothing was done.
    Refused,
}

impl ChangeState {
    /// All states.
    pub const ALL: [Self; 11] = [
        Self::Planned,
        Self::Checked,
        Self::Drained,
        Self::AppliedOne,
        Self::Canaried,
        Self::AppliedAll,
        Self::Watched,
        Self::KnownGood,
        Self::Undoing,
        Self::Undone,
        Self::Refused,
    ];

    /// The word used in API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Checked => "checked",
            Self::Drained => "drained",
            Self::AppliedOne => "applied_one",
            Self::Canaried => "canaried",
            Self::AppliedAll => "applied_all",
            Self::Watched => "watched",
            Self::KnownGood => "known_good",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::Refused => "refused",
        }
    }

    /// The words shown to people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Checked => "checked",
            Self::Drained => "drained",
            Self::AppliedOne => "applied on one node",
            Self::Canaried => "canaried",
            Self::AppliedAll => "applied everywhere",
            Self::Watched => "watched",
            Self::KnownGood => "known-good",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::Refused => "refused",
        }
    }

    /// Whether nothing more happens to it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::KnownGood | Self::Undone | Self::Refused)
    }
}

/// What kind of change it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// To a new revision.
    Apply,
    /// To a revision that there was.
    Revert,
}

/// Somebody wants it taken back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UndoWanted {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A change under way or over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// Its number.
    pub number: i64,
    /// What kind it is.
    pub kind: ChangeKind,
    /// The revision it leads to.
    pub revision: i64,
    /// The known-good that it came from, and goes back to.
    pub previous: i64,
    /// The stages that run something different afterwards.
    pub stages: Vec<Stage>,
    /// The nodes, in the order they are changed. The first one is drained for it.
    pub nodes: Vec<NodeId>,
    /// How many of them were told to run it.
    pub reached: usize,
    /// Who wants it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Whether it goes on although it was found not to fit.
    pub forced: bool,
    /// How long it is watched in the end.
    pub watch_for: SignedDuration,
    /// Where it stands.
    pub state: ChangeState,
    /// Since when.
    pub entered_at: Timestamp,
    /// When it was written down.
    pub began_at: Timestamp,
    /// What was broken before it, which is not held against it.
    pub before: Vec<Hop>,
    /// Why it was refused or undone.
    pub why: Option<String>,
    /// Whether a person wants it taken back.
    pub undo: Option<UndoWanted>,
    /// The clean-up that it carries out.
    #[serde(default)]
    pub clean_up: Option<i64>,
}

/// Whether a revision that was undone by itself at that time was so just now.
pub fn was_just_undone(undone_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(undone_at) < SETTLES_AFTER
}

/// What is seen from outside the change.
#[derive(Clone, Debug)]
pub struct Observation {
    /// What the watch says.
    pub view: View,
    /// What the stages run with, of every node that ever reported.
    pub runs: Vec<StageRun>,
    /// The nodes that live, each with since when the driver has seen it do so. What a node has not
    /// done counts against it from then on: one that has just started has sent no canary yet.
    pub alive: BTreeMap<NodeId, Timestamp>,
    /// Why it does not fit. Asked for while it is planned.
    pub misfits: Vec<String>,
}

/// Something to be done, in the transaction that saves the new state. Each may be done twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// The stages of a node take no new work.
    Hold {
        /// Which node.
        node: NodeId,
        /// Which stages.
        stages: Vec<Stage>,
    },
    /// Every stage of every node takes work again.
    ReleaseAll,
    /// The stages of a node run a revision.
    Target {
        /// Which node.
        node: NodeId,
        /// Which stages.
        stages: Vec<Stage>,
        /// Which revision.
        revision: i64,
    },
    /// A node's tenants go to another.
    MoveAway {
        /// From which node.
        from: NodeId,
        /// To which.
        to: NodeId,
    },
    /// What was moved away comes back.
    GiveBack,
    /// Every node falls back to a revision from now on, and has no target of its own.
    KnownGood {
        /// Which revision.
        revision: i64,
    },
    /// A revision is not to be tried again unseen.
    Block {
        /// Which revision.
        revision: i64,
        /// Why.
        why: String,
    },
}

/// What was seen at a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was seen, in a sentence.
    pub text: String,
}

/// What follows. Nothing at all: wait.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The change as it is afterwards.
    pub change: Change,
    /// What is to be done with it, in one transaction.
    pub actions: Vec<Action>,
    /// What is noted.
    pub evidence: Vec<Evidence>,
}

#[cfg(test)]
mod tests;
