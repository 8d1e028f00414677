//! Checked: whether a revision fits as a set, and beside what runs while it is brought in.
//!
//! While a change is under way, and for what then still waits in the store, every stage may meet
//! its neighbour in the old revision and in the new one. So every such pair must fit. What did
//! not fit
//! before is not held against the change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bugle_domain::contact::Channel;
use bugle_domain::notification::Lane;
use bugle_domain::revision::{Contract, Revision};
use bugle_domain::stage::Stage;
use serde::{Deserialize, Serialize};

/// Most names that a sentence lists.
const NAMED: usize = 5;

/// A revision with its number; 0: it has none yet.
#[derive(Clone, Copy, Debug)]
pub struct Numbered<'a> {
    /// The number.
    pub number: i64,
    /// What it says.
    pub revision: &'a Revision,
}

/// What a revision is held against.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// What each stage runs with now, on whichever nodes.
    pub running: Vec<(Stage, Numbered<'a>)>,
    /// The providers that are configured.
    pub providers: BTreeMap<Channel, BTreeSet<String>>,
    /// Who uses which channel: contact methods, and through them policies and notification rules.
    pub channels: BTreeMap<Channel, Dependants>,
    /// Who has something in which lane, or may have.
    pub lanes: BTreeMap<String, Dependants>,
    /// Who has events that are pending, or may have.
    pub events: Dependants,
}

/// Who depends on something.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Dependants {
    /// Names of tenants, all of them.
    pub tenants: BTreeSet<String>,
    /// Names of services, with that of their tenant.
    pub services: BTreeSet<String>,
    /// Contact methods.
    pub methods: usize,
    /// Notifications owed now, or events pending now.
    pub waiting: i64,
}

impl fmt::Display for Dependants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} now waiting", self.waiting)?;
        if self.methods > 0 {
            write!(f, ", {}", counted(self.methods, "contact method"))?;
        }
        named(f, "tenant", &self.tenants)?;
        named(f, "service", &self.services)
    }
}

fn named(f: &mut fmt::Formatter<'_>, what: &str, names: &BTreeSet<String>) -> fmt::Result {
    if names.is_empty() {
        return Ok(());
    }
    let some: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let more = if names.len() > NAMED { ", …" } else { "" };
    write!(f, ", {} ({}{more})", counted(names.len(), what), some.join(", "))
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// One end of something that does not fit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct End {
    /// The stage.
    pub stage: Stage,
    /// The revision it would run with; 0: one without a number.
    pub revision: i64,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revision {
            0 => write!(f, "{} (new)", self.stage.as_str()),
            number => write!(f, "{} (revision {number})", self.stage.as_str()),
        }
    }
}

/// What does not fit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum What {
    /// A lane is written and not read.
    Lane {
        /// Its name.
        lane: String,
    },
    /// A lane that the program needs has no name in the revision.
    NoLane {
        /// Its name.
        lane: String,
    },
    /// A version is written and not accepted.
    Contract {
        /// The version.
        version: Contract,
    },
    /// A channel is used, and nobody serves it.
    Channel {
        /// Which.
        channel: Channel,
    },
    /// A provider is named and not configured.
    Provider {
        /// Of which channel.
        channel: Channel,
        /// Its name.
        provider: String,
    },
}

/// Something that does not fit, with both ends and who depends on it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Misfit {
    /// What.
    #[serde(flatten)]
    pub what: What,
    /// Who writes, names or needs it.
    pub from: End,
    /// Who should read it.
    pub to: Option<End>,
    /// Who depends on it.
    pub dependants: Dependants,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, from, to, dependants } = self;
        let to = to.map_or_else(|| "nobody".to_owned(), |end| end.to_string());
        match what {
            What::Lane { lane } => {
                write!(f, "{from} writes to the lane \"{lane}\", and {to} does not read it")?;
            }
            What::NoLane { lane } => {
                write!(f, "{from} has no lane \"{lane}\" to write to")?;
            }
            What::Contract { version } => {
                write!(f, "{from} writes version {version}, and {to} does not accept it")?;
            }
            What::Channel { channel } => {
                write!(f, "{from} has no provider for {}, which is used", channel.as_str())?;
            }
            What::Provider { channel, provider } => {
                let channel = channel.as_str();
                write!(f, "{from} names the provider \"{provider}\" for {channel}, ")?;
                write!(f, "which is not configured")?;
            }
        }
        write!(f, "; {dependants}")
    }
}

/// The pairs of stages of which the second reads what the first writes.
pub const NEIGHBOURS: [(Stage, Stage); 3] = [
    (Stage::Intake, Stage::Alerting),
    (Stage::Alerting, Stage::Dispatch),
    (Stage::Dispatch, Stage::Responses),
];

/// What does not fit when the `changed` stages come to run `wanted`. Empty: it may go ahead.
pub fn checked(
    wanted: Numbered<'_>,
    changed: &BTreeSet<Stage>,
    around: &Surroundings<'_>,
) -> Vec<Misfit> {
    let before = misfits(around, None);
    // What a neighbour or nobody did before, it does not do because of the change.
    let is_old = |misfit: &Misfit| {
        before.iter().filter(|old| old.what == misfit.what).any(|old| match misfit.what {
            What::Channel { .. } => true,
            What::Lane { .. } | What::Contract { .. } => {
                old.to == misfit.to && misfit.to.is_some_and(|to| to.revision != wanted.number)
            }
            What::NoLane { .. } | What::Provider { .. } => false,
        })
    };
    let mut found = misfits(around, Some((wanted, changed)));
    found.retain(|misfit| concerns(misfit, wanted.number) && !is_old(misfit));
    found
}

fn concerns(misfit: &Misfit, number: i64) -> bool {
    misfit.from.revision == number || misfit.to.is_some_and(|to| to.revision == number)
}

/// What may meet, with the wanted revision among it where one is given.
fn misfits(
    around: &Surroundings<'_>,
    wanted: Option<(Numbered<'_>, &BTreeSet<Stage>)>,
) -> Vec<Misfit> {
    let of = |stage: Stage| {
        let running = around.running.iter().filter(move |(of, _)| *of == stage);
        let mut all: Vec<Numbered<'_>> = running.map(|(_, numbered)| *numbered).collect();
        all.extend(wanted.filter(|(_, changed)| changed.contains(&stage)).map(|(new, _)| new));
        all.sort_by_key(|numbered| numbered.number);
        all.dedup_by_key(|numbered| numbered.number);
        all
    };
    let mut found = Vec::new();
    for (writer, reader) in NEIGHBOURS {
        for from in of(writer) {
            for to in of(reader) {
                meet((writer, from), (reader, to), around, &mut found);
            }
        }
    }
    for numbered in of(Stage::Alerting) {
        unnamed(numbered, around, &mut found);
    }
    for numbered in of(Stage::Dispatch) {
        unserved(numbered, around, &mut found);
    }
    found
}

/// One stage's writing and the next one's reading.
fn meet(
    (writer, from): (Stage, Numbered<'_>),
    (reader, to): (Stage, Numbered<'_>),
    around: &Surroundings<'_>,
    found: &mut Vec<Misfit>,
) {
    let ends = (
        End { stage: writer, revision: from.number },
        Some(End { stage: reader, revision: to.number }),
    );
    let mut add = |what, dependants: Dependants| {
        found.push(Misfit { what, from: ends.0, to: ends.1, dependants });
    };
    if let Some(version) = not_accepted(writer, from.revision, to.revision) {
        let dependants =
            if writer == Stage::Intake { around.events.clone() } else { everything(around) };
        add(What::Contract { version }, dependants);
    }
    if writer == Stage::Alerting {
        for lane in from.revision.alerting.lanes.difference(&to.revision.dispatch.lanes) {
            let dependants = around.lanes.get(lane).cloned().unwrap_or_default();
            add(What::Lane { lane: lane.clone() }, dependants);
        }
    }
}

/// The version that `writer` writes and the next stage does not accept.
pub fn not_accepted(writer: Stage, from: &Revision, to: &Revision) -> Option<Contract> {
    let (writes, accepts) = match writer {
        Stage::Intake => (from.intake.writes, &to.alerting.accepts),
        Stage::Alerting => (from.alerting.writes, &to.dispatch.accepts),
        Stage::Dispatch => (from.dispatch.writes, &to.responses.accepts),
        Stage::Responses => return None,
    };
    (!accepts.contains(&writes)).then_some(writes)
}

/// All that waits, in whatever lane.
fn everything(around: &Surroundings<'_>) -> Dependants {
    let mut all = Dependants::default();
    for of in around.lanes.values() {
        all.tenants.extend(of.tenants.iter().cloned());
        all.services.extend(of.services.iter().cloned());
        all.waiting += of.waiting;
    }
    all
}

/// Lanes that this program puts notifications in, and that have no name.
fn unnamed(numbered: Numbered<'_>, around: &Surroundings<'_>, found: &mut Vec<Misfit>) {
    let from = End { stage: Stage::Alerting, revision: numbered.number };
    for lane in Lane::ALL.map(Lane::as_str) {
        if !numbered.revision.alerting.lanes.contains(lane) {
            let dependants = around.lanes.get(lane).cloned().unwrap_or_default();
            found.push(Misfit {
                what: What::NoLane { lane: lane.to_owned() },
                from,
                to: None,
                dependants,
            });
        }
    }
}

/// Channels that are used and that nobody serves, and providers that there are not.
fn unserved(numbered: Numbered<'_>, around: &Surroundings<'_>, found: &mut Vec<Misfit>) {
    let from = End { stage: Stage::Dispatch, revision: numbered.number };
    let none = Vec::new();
    for channel in Channel::ALL {
        let named = numbered.revision.channels.get(&channel).unwrap_or(&none);
        let used = around.channels.get(&channel).cloned().unwrap_or_default();
        let known = |name: &&String| {
            around.providers.get(&channel).is_some_and(|known| known.contains(*name))
        };
        for provider in named.iter().filter(|name| !known(name)) {
            let what = What::Provider { channel, provider: provider.clone() };
            found.push(Misfit { what, from, to: None, dependants: used.clone() });
        }
        if named.is_empty() && (used.methods > 0 || used.waiting > 0) {
            let what = What::Channel { channel };
            found.push(Misfit { what, from, to: None, dependants: used });
        }
    }
}

#[cfg(test)]
mod tests;
