//! The truth audit: whether what the public is told fits what is seen.

use jiff::{SignedDuration, Timestamp};

use super::bulletin::{Bulletin, Kind, Phase};
use super::rules::States;
use super::{Component, State};

/// A component that is down is told of within this time.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_secs(30);
/// A trouble of which nothing is seen any more is ended within this time.
const ENDED_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// Something the page says, or does not say, is not true.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Finding {
    /// A component is down, and no open bulletin names it.
    Untold(Component),
    /// A bulletin says that something is wrong, and nothing is seen of it.
    AllGreen(String),
    /// An update was promised, and is late.
    Overdue(String),
}

impl Finding {
    /// What is not true, in a sentence.
    pub fn text(&self) -> String {
        match self {
            Self::Untold(component) => {
                format!("{} is down, and the status page tells nobody why.", component.name())
            }
            Self::AllGreen(title) => {
                format!("The status page says \"{title}\", and nothing is seen of it.")
            }
            Self::Overdue(title) => {
                format!("The update of \"{title}\" that the status page promised is late.")
            }
        }
    }
}

/// What is not true at `now`. `down_since` says since when each component is not working.
pub fn audit(
    seen: &States,
    down_since: impl Fn(Component) -> Option<Timestamp>,
    bulletins: &[Bulletin],
    now: Timestamp,
) -> Vec<Finding> {
    let open: Vec<&Bulletin> = bulletins.iter().filter(|it| it.open()).collect();
    let mut findings = Vec::new();
    for (component, state) in seen {
        let told = open.iter().any(|it| it.components.contains(component));
        let long = down_since(*component).is_some_and(|at| now.duration_since(at) >= TOLD_WITHIN);
        if *state >= State::PartialOutage && !told && long {
            findings.push(Finding::Untold(*component));
        }
    }
    let green = seen.values().all(|state| *state == State::Operational);
    for it in open {
        let looks = matches!(it.phase(), Phase::Investigating | Phase::Identified);
        let old = now.duration_since(it.updated_at()) >= ENDED_WITHIN;
        if green && looks && old && matches!(it.kind, Kind::Trouble { .. }) {
            findings.push(Finding::AllGreen(it.title.clone()));
        }
        if it.next_by.is_some_and(|by| now > by) {
            findings.push(Finding::Overdue(it.title.clone()));
        }
    }
    findings
}
