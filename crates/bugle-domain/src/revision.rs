//! Revisions: one configuration of the stages, numbered, that never changes once it is made.
//!
//! A document is read in two steps, what was said and what it means, and every mistake in it is
//! found at once. Nothing has a default: a document that was cut off is not a smaller one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::contact::Channel;
use crate::stage::Stage;

pub mod ranges;
mod read;
mod show;
mod standard;

pub use read::{Mistake, Mistakes};
pub use show::Line;

/// The version of what one stage writes for the next to read.
pub type Contract = u16;

/// What the stages run with. Holds meanings: every field is already checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revision {
    /// How events are taken in.
    pub intake: Intake,
    /// How it is decided what becomes of them.
    pub alerting: Alerting,
    /// How what is owed is sent.
    pub dispatch: Dispatch,
    /// How answers are taken in.
    pub responses: Responses,
    /// Who serves each channel, the preferred one first. A channel without any is off.
    pub channels: BTreeMap<Channel, Vec<String>>,
    /// How long things are kept. Goes with intake.
    pub retention: Retention,
    /// The synthetic events. Goes with intake.
    pub canary: Canary,
    /// What the watch calls too old. Goes with intake.
    pub watch: Watch,
}

/// How events are taken in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intake {
    /// Version of the events it writes.
    pub writes: Contract,
    /// Largest request that brings events, 16 KiB – 16 MiB.
    pub max_body_bytes: u64,
}

/// How it is decided what becomes of events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alerting {
    /// Versions of events it reads.
    pub accepts: BTreeSet<Contract>,
    /// Version of the notifications it writes.
    pub writes: Contract,
    /// Names of the lanes it puts them in.
    pub lanes: BTreeSet<String>,
}

/// How what is owed is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dispatch {
    /// Versions of notifications it reads.
    pub accepts: BTreeSet<Contract>,
    /// Version of the messages it sends, which answers refer to.
    pub writes: Contract,
    /// Names of the lanes it takes them from. One that nothing writes to is no mistake in itself.
    pub lanes: BTreeSet<String>,
    /// Messages that one node sends at the same time, 1–2,000.
    pub parallel: u32,
    /// Messages to one contact method within this time go out together, 0 s – 5 min.
    pub bundle_window: Duration,
    /// Tries to send one message, 1–50.
    pub max_tries: u32,
    /// When an unanswered call is made once more, 30 s – 30 min.
    pub redial_after: Duration,
    /// Most messages to one contact method in an hour, of quiet alerts, 1–1,000.
    pub per_hour: BTreeMap<Channel, u32>,
    /// The same of urgent alerts.
    pub urgent_per_hour: BTreeMap<Channel, u32>,
    /// How long a provider's report is waited for, 10 s – 1 d.
    pub receipt_wait: BTreeMap<Channel, Duration>,
}

/// How answers are taken in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Responses {
    /// Versions of messages whose answers it reads.
    pub accepts: BTreeSet<Contract>,
}

/// How long things are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// Bytes received from senders, 1 h – 3,650 d.
    pub raw_bytes: Duration,
    /// Alerts after their end, with their events, messages and timelines, and events that came to
    /// nothing, 7 d – 3,650 d.
    pub history: Duration,
    /// The log of who changed what, 30 d – 3,650 d.
    pub log: Duration,
}

/// The synthetic events. They can be slowed down, and not turned off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Canary {
    /// Time between two on one path, 1–10 s.
    pub every: Duration,
    /// One that takes longer is late, 1–30 s.
    pub late: Duration,
}

/// What the watch calls too old, and how long it looks before it says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watch {
    /// Of a pending event, 1 s – 5 min.
    pub pending_age: Duration,
    /// Of an owed notification that is due, 1 s – 5 min.
    pub owed_age: Duration,
    /// How long something is bad before it is said, 1–30 s.
    pub red_after: Duration,
    /// How long it is good again before that is said, 1 s – 5 min.
    pub green_after: Duration,
}

/// SHA-256 of the canonical form of a revision.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Revision {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// Every mistake there is.
    pub fn parse(text: &str) -> Result<Self, Mistakes> {
        read::revision(text)
    }

    /// What holds where the operator has said nothing else, with these providers.
    pub fn standard(mut channels: BTreeMap<Channel, Vec<String>>) -> Self {
        for channel in Channel::ALL {
            channels.entry(channel).or_default();
        }
        standard::revision(channels)
    }

    /// Every setting with its value, in the order of the canonical form.
    pub fn lines(&self) -> Vec<Line> {
        show::lines(self)
    }

    /// What it is recognised by: two documents that mean the same have the same.
    pub fn fingerprint(&self) -> Fingerprint {
        show::fingerprint(self)
    }

    /// The stages for which the two say something different.
    pub fn changed(&self, other: &Self) -> BTreeSet<Stage> {
        self.diff(other).iter().map(|change| stage_of(&change.key)).collect()
    }

    /// Every setting in which `other` differs from this one.
    pub fn diff(&self, other: &Self) -> Vec<Difference> {
        let (before, after) = (keyed(self), keyed(other));
        let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let differs = |key: &&String| before.get(*key) != after.get(*key);
        let difference = |key: &String| Difference {
            key: key.clone(),
            before: before.get(key).cloned(),
            after: after.get(key).cloned(),
        };
        keys.into_iter().filter(differs).map(difference).collect()
    }
}

/// One setting that is not the same in two revisions.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Difference {
    /// The setting, with dots.
    pub key: String,
    /// As it was; `None`: not there.
    pub before: Option<String>,
    /// As it would be; `None`: not there.
    pub after: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{}: {} → {}", self.key, shown(&self.before), shown(&self.after))
    }
}

fn keyed(revision: &Revision) -> BTreeMap<String, String> {
    revision.lines().into_iter().map(|line| (line.key, line.value)).collect()
}

/// The stage that runs with a setting.
fn stage_of(key: &str) -> Stage {
    match key.split('.').next() {
        Some("alerting") => Stage::Alerting,
        Some("dispatch" | "channels") => Stage::Dispatch,
        Some("responses") => Stage::Responses,
        _ => Stage::Intake,
    }
}

/// The document that [`Revision::parse`] reads: the canonical form, by sections.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show::document(self, f)
    }
}

impl Fingerprint {
    /// Reads what [`fmt::Display`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(place * 2..place * 2 + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Its first digits, for people.
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
