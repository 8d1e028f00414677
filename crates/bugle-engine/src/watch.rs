//! What the watch says: which hop is broken, since when, and how the canaries do.
//!
//! A [`Watcher`](judge::Watcher) is given what was seen once a second and says what is broken. It
//! declares nothing for one lost canary, clears nothing before it was green for a while, and says
//! of itself that it is broken when a probe that must fail goes unreported.

use std::collections::BTreeMap;

use bugle_domain::contact::Channel;
use bugle_domain::stage::Stage;
use bugle_domain::{NodeId, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub mod books;
pub mod door;
pub mod fingerprints;
pub mod flight;
pub mod judge;
pub mod outside;
pub mod runway;
pub mod thresholds;

/// A hop on the way of one event.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "hop")]
pub enum Hop {
    /// A stage of ours.
    Stage {
        /// Which.
        stage: Stage,
    },
    /// A provider, or the way to it and back.
    Provider {
        /// Of which channel.
        channel: Channel,
        /// Its name in the configuration.
        provider: String,
    },
    /// The door for mail: events by HTTP are taken in without it.
    MailIn,
    /// What all stages stand on.
    Store,
    /// The watch itself: it did not report what must be reported.
    Watch,
}

impl Hop {
    /// The stage whose change may have broken this hop.
    pub fn stage(&self) -> Option<Stage> {
        match self {
            Self::Stage { stage } => Some(*stage),
            Self::Provider { .. } => Some(Stage::Dispatch),
            Self::MailIn => Some(Stage::Intake),
            Self::Store | Self::Watch => None,
        }
    }

    /// What people call it: `dispatch`, `sms by twilio`, `the database`.
    pub fn name(&self) -> String {
        match self {
            Self::Stage { stage } => stage.as_str().to_owned(),
            Self::Provider { channel, provider } => format!("{} by {provider}", channel.as_str()),
            Self::MailIn => "mail intake".to_owned(),
            Self::Store => "the database".to_owned(),
            Self::Watch => "the watch".to_owned(),
        }
    }

    /// Worst first: what stands under everything, then the stages in their order.
    fn rank(&self) -> (u8, Option<Stage>) {
        match self {
            Self::Store => (0, None),
            Self::Stage { stage } => (1, Some(*stage)),
            Self::MailIn => (2, None),
            Self::Provider { .. } => (3, None),
            Self::Watch => (4, None),
        }
    }
}

/// Something is broken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// What.
    pub hop: Hop,
    /// Since when, as far as is known.
    pub since: Timestamp,
    /// Why this is said, in a sentence.
    pub evidence: String,
    /// Events and notifications that wait because of it.
    pub waiting: i64,
    /// Whose they are; at most a handful are named.
    pub tenants: Vec<TenantId>,
    /// On which nodes; empty: on all, or it is not known.
    pub nodes: Vec<NodeId>,
    /// It runs otherwise than it should, and nothing that users ask for is held up by that.
    #[serde(default)]
    pub harmless: bool,
}

impl Verdict {
    /// Adds what another node says of the same hop.
    fn join(&mut self, other: Self) {
        self.since = self.since.min(other.since);
        self.waiting = self.waiting.max(other.waiting);
        self.nodes.extend(other.nodes);
        self.harmless &= other.harmless;
        for tenant in other.tenants {
            if !self.tenants.contains(&tenant) {
                self.tenants.push(tenant);
            }
        }
    }
}

/// How the synthetic events of one path do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Canary {
    /// Through which node.
    pub node: NodeId,
    /// To which channel.
    pub channel: Channel,
    /// By which provider.
    pub provider: String,
    /// When the latest was sent.
    pub sent_at: Timestamp,
    /// When the latest one that came through had been sent.
    pub through: Option<Timestamp>,
    /// The hop at which the oldest one that is overdue was seen last.
    pub stuck: Option<Hop>,
    /// How long each hop of the latest one that came through took, milliseconds.
    pub hops_ms: Vec<(Stage, i64)>,
}

/// What the watch says at one moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct View {
    /// When.
    pub at: Timestamp,
    /// All that is broken, worst first.
    pub verdicts: Vec<Verdict>,
    /// Each path of each node.
    pub canaries: Vec<Canary>,
}

impl View {
    /// Whether synthetic events sent after `since` came through `node`; `None` while that is not
    /// known.
    pub fn green_since(&self, node: NodeId, since: Timestamp) -> Option<bool> {
        let mut paths = self.canaries.iter().filter(|canary| canary.node == node).peekable();
        paths.peek()?;
        let through = |canary: &Canary| canary.through.is_some_and(|sent| sent >= since);
        if paths.clone().all(through) {
            return Some(true);
        }
        paths.any(|canary| canary.stuck.is_some() && canary.sent_at >= since).then_some(false)
    }

    /// What several watches say, as one.
    pub fn merged(views: impl IntoIterator<Item = Self>, at: Timestamp) -> Self {
        let (mut verdicts, mut canaries) = (BTreeMap::<Hop, Verdict>::new(), Vec::new());
        for view in views {
            canaries.extend(view.canaries);
            for verdict in view.verdicts {
                match verdicts.get_mut(&verdict.hop) {
                    Some(known) => known.join(verdict),
                    None => drop(verdicts.insert(verdict.hop.clone(), verdict)),
                }
            }
        }
        let mut verdicts: Vec<Verdict> = verdicts.into_values().collect();
        verdicts.sort_by_key(|verdict| (verdict.hop.rank(), verdict.since));
        Self { at, verdicts, canaries }
    }

    /// What is said against `stage`.
    pub fn against(&self, stage: Stage) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter(move |verdict| verdict.hop.stage() == Some(stage))
    }
}
