//! A replica: what came of sending something harmless along the very path of a request.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::message::text::names;

/// Sending one takes no longer, or whoever sent it has died.
const DONE_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// How far a hop let it through.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passage {
    /// It came through.
    Through,
    /// It stops here.
    Stopped,
    /// It was not sent so far.
    NotReached,
    /// Nothing is known of this hop.
    Unknown,
}

impl Passage {
    /// The word used in text and API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Through => "through",
            Self::Stopped => "stopped",
            Self::NotReached => "not_reached",
            Self::Unknown => "unknown",
        }
    }
}

/// One hop of the path.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Passed {
    /// What it is called: `intake`, `service "checkout"`, `sms`.
    pub hop: String,
    /// How far it let it through.
    pub passage: Passage,
    /// What was seen, in a sentence or two.
    pub text: String,
    /// When that was seen.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// How long it took to get through, or to stop, milliseconds.
    #[serde(default)]
    pub took_ms: Option<u64>,
    /// The provider that took it, or the last that did not, where the hop is a channel.
    #[serde(default)]
    pub provider: Option<String>,
}

impl Passed {
    /// A hop, and what was seen there.
    pub fn new(hop: impl Into<String>, passage: Passage, text: impl Into<String>) -> Self {
        let (hop, text) = (hop.into(), text.into());
        Self { hop, passage, text, at: None, took_ms: None, provider: None }
    }

    /// When that was seen, and how long it took.
    #[must_use]
    pub fn seen(mut self, at: Timestamp, took: Duration) -> Self {
        self.at = Some(at);
        self.took_ms = Some(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// By which provider.
    #[must_use]
    pub fn by(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// The same, where it was not sent so far.
    fn not_reached(self) -> Self {
        Self::new(self.hop, Passage::NotReached, "")
    }
}

/// What came of it, hop by hop.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Replica {
    /// When it was sent.
    pub at: Timestamp,
    /// The hops in their order.
    pub hops: Vec<Passed>,
    /// It is being sent, and nothing is known of its hops yet.
    #[serde(default)]
    pub under_way: bool,
}

impl Replica {
    /// One that is sent now.
    pub fn begun(at: Timestamp) -> Self {
        Self { at, hops: Vec::new(), under_way: true }
    }

    /// Puts the hops together: what comes after one that stops was not reached. The channels are
    /// beside each other, at the end of the path.
    pub fn new(at: Timestamp, path: Vec<Passed>, channels: Vec<Passed>) -> Self {
        let mut stopped = false;
        let mut hops = Vec::new();
        for hop in path {
            let stops = hop.passage == Passage::Stopped;
            hops.push(if stopped { hop.not_reached() } else { hop });
            stopped |= stops;
        }
        hops.extend(channels.into_iter().map(|it| if stopped { it.not_reached() } else { it }));
        Self { at, hops, under_way: false }
    }

    /// Whether it is being sent at `now`. One that is not done in time never will be.
    pub fn is_under_way(&self, now: Timestamp) -> bool {
        self.under_way && now.duration_since(self.at) < DONE_WITHIN
    }

    /// What came of it, in a sentence.
    pub fn outcome(&self) -> String {
        if self.under_way {
            return "It was sent along the path, and what came of it is not known.".to_owned();
        }
        if let Some(Passed { hop, provider, .. }) = self.stops_at() {
            let by = provider.as_ref().map(|it| format!(", by {it}")).unwrap_or_default();
            return format!("It stops at {hop}{by}.");
        }
        let unknown = self.hops.iter().filter(|hop| hop.passage == Passage::Unknown);
        let unknown: Vec<&str> = unknown.map(|hop| hop.hop.as_str()).collect();
        match &unknown[..] {
            [] => "Nothing stopped it.".to_owned(),
            unknown => format!("Nothing stopped it. Not known: {}.", names(unknown)),
        }
    }

    /// The hop where it stops; `None`: nothing stopped it.
    pub fn stops_at(&self) -> Option<&Passed> {
        self.hops.iter().find(|hop| hop.passage == Passage::Stopped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_after_a_stop_is_not_reached() {
        use Passage::{NotReached, Stopped, Through, Unknown};
        let hop = |passage| Passed::new("hop", passage, "seen").by("twilio");
        let hops = |passages: &[Passage]| passages.iter().copied().map(hop).collect::<Vec<_>>();
        let passages = |replica: &Replica| {
            replica.hops.iter().map(|hop| hop.passage).collect::<Vec<Passage>>()
        };
        let at = Timestamp::UNIX_EPOCH;
        let path = hops(&[Through, Unknown, Stopped, Through]);
        let stopped = Replica::new(at, path, hops(&[Through]));
        assert_eq!(passages(&stopped), [Through, Unknown, Stopped, NotReached, NotReached]);
        assert_eq!(stopped.stops_at(), Some(&stopped.hops[2]));
        assert_eq!(stopped.hops[4], Passed::new("hop", NotReached, ""), "it says no more");
        let beside = [Stopped, Through];
        let one = Replica::new(at, hops(&[Through]), hops(&beside));
        assert_eq!(passages(&one)[1..], beside, "one channel does not stop another");
        assert_eq!(one.outcome(), "It stops at hop, by twilio.");
        let whole = Replica::new(at, hops(&[Through]), hops(&[Unknown]));
        assert_eq!(
            (whole.stops_at(), &*whole.outcome()),
            (None, "Nothing stopped it. Not known: hop.")
        );
    }

    #[test]
    fn one_that_is_never_done_is_not_waited_for() {
        let begun = Replica::begun(Timestamp::UNIX_EPOCH);
        let after = |secs| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(secs);
        assert!(begun.is_under_way(after(119)) && !begun.is_under_way(after(120)));
        let done = Replica::new(Timestamp::UNIX_EPOCH, Vec::new(), Vec::new());
        assert!(!done.is_under_way(after(0)));
    }
}
