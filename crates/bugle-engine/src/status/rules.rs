//! From verdicts of the watch to states of components.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::contact::Channel;
use bugle_domain::stage::Stage;
use jiff::Timestamp;

use super::bulletin::Bulletin;
use super::{Component, State};
use crate::watch::{Hop, Verdict};

/// What this installation has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Installed {
    /// Who serves each channel.
    pub providers: BTreeMap<Channel, BTreeSet<String>>,
    /// Whether events are taken in by mail.
    pub mail_in: bool,
    /// Nodes that run.
    pub nodes: usize,
}

impl Installed {
    /// The components there are, in the order they are shown.
    pub fn components(&self) -> Vec<Component> {
        let serves = |component: &Component| match component {
            Component::EmailInitiation => self.mail_in,
            other => other.channel().is_none_or(|channel| self.providers.contains_key(&channel)),
        };
        Component::ALL.into_iter().filter(serves).collect()
    }

    /// The components by which people are reached.
    fn ways_out(&self) -> impl Iterator<Item = Component> {
        self.components().into_iter().filter(|component| component.channel().is_some())
    }
}

/// How each component does that there is.
pub type States<C = Component> = BTreeMap<C, State>;

/// Those verdicts that harm who uses Bugle, and whether there are others only: what holds nothing
/// up is for operators.
pub fn harmful(said: &[Verdict]) -> (Vec<Verdict>, bool) {
    let harmful: Vec<Verdict> = said.iter().filter(|it| !it.harmless).cloned().collect();
    let others_only = harmful.is_empty() && !said.is_empty();
    (harmful, others_only)
}

/// What the watch says of each component.
pub fn seen(installed: &Installed, verdicts: &[Verdict]) -> States {
    let mut states: States =
        installed.components().into_iter().map(|it| (it, State::Operational)).collect();
    for verdict in verdicts {
        for (component, state) in touched(installed, verdict, verdicts) {
            if let Some(known) = states.get_mut(&component) {
                *known = state.max(*known);
            }
        }
    }
    states
}

/// What is shown of each component: what the watch sees, what people have said of it, and what is
/// planned.
pub fn shown<C: Copy + Ord>(
    seen: &States<C>,
    bulletins: &[Bulletin<C>],
    now: Timestamp,
) -> States<C> {
    let mut states = seen.clone();
    let named = |wanted: &dyn Fn(&Bulletin<C>) -> bool| -> Vec<(C, State)> {
        let told = bulletins.iter().filter(|it| it.open() && wanted(it));
        told.flat_map(|it| it.components.iter().map(|component| (*component, it.state))).collect()
    };
    // What the watch declared, the watch follows; a person's word stands until it is taken back.
    for (component, state) in named(&Bulletin::by_hand) {
        if let Some(known) = states.get_mut(&component) {
            *known = state.max(*known);
        }
    }
    for (component, state) in named(&|it| it.is_maintenance_at(now)) {
        if let Some(known) = states.get_mut(&component) {
            *known = state;
        }
    }
    states
}

/// The components that a verdict touches, and what it makes of them.
fn touched(installed: &Installed, verdict: &Verdict, all: &[Verdict]) -> Vec<(Component, State)> {
    if verdict.harmless {
        return Vec::new();
    }
    let everywhere = verdict.nodes.is_empty() || verdict.nodes.len() >= installed.nodes;
    let down = if everywhere { State::MajorOutage } else { State::PartialOutage };
    match &verdict.hop {
        Hop::Store => installed.components().into_iter().map(|it| (it, down)).collect(),
        Hop::Stage { stage: Stage::Intake } => {
            vec![(Component::Intake, down), (Component::EmailInitiation, down)]
        }
        Hop::MailIn => vec![(Component::EmailInitiation, down)],
        Hop::Stage { stage: Stage::Alerting | Stage::Dispatch } => {
            installed.ways_out().map(|it| (it, down)).collect()
        }
        // What goes out still does: answers to it are late or lost.
        Hop::Stage { stage: Stage::Responses } => {
            installed.ways_out().map(|it| (it, State::Degraded)).collect()
        }
        Hop::Provider { channel, .. } => {
            let state = if spared(installed, *channel, all) { State::Degraded } else { down };
            installed
                .ways_out()
                .filter(|it| it.channel() == Some(*channel))
                .map(|it| (it, state))
                .collect()
        }
        // It says nothing of what is broken: only that it might not be noticed.
        Hop::Watch => Vec::new(),
    }
}

/// Whether a provider of the channel is left that nothing is said against.
pub(super) fn spared(installed: &Installed, channel: Channel, verdicts: &[Verdict]) -> bool {
    let broken: BTreeSet<&String> = verdicts
        .iter()
        .filter_map(|it| match &it.hop {
            Hop::Provider { channel: of, provider } if *of == channel => Some(provider),
            _ => None,
        })
        .collect();
    installed.providers.get(&channel).is_some_and(|all| all.iter().any(|it| !broken.contains(it)))
}
