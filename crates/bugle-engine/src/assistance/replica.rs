//! A replica: what came of sending something harmless along the very path of a request.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
    /// What was seen, in a sentence.
    pub text: String,
}

impl Passed {
    /// A hop, and what was seen there.
    pub fn new(hop: impl Into<String>, passage: Passage, text: impl Into<String>) -> Self {
        Self { hop: hop.into(), passage, text: text.into() }
    }
}

/// What came of it, hop by hop.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Replica {
    /// When it was sent.
    pub at: Timestamp,
    /// The hops in their order.
    pub hops: Vec<Passed>,
}

impl Replica {
    /// Puts the hops together: what comes after one that stops was not reached.
    pub fn new(at: Timestamp, seen: Vec<Passed>) -> Self {
        let mut stopped = false;
        let after = |mut it: Passed| {
            if stopped {
                (it.passage, it.text) = (Passage::NotReached, String::new());
            }
            stopped |= it.passage == Passage::Stopped;
            it
        };
        Self { at, hops: seen.into_iter().map(after).collect() }
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
        let hop = |passage| Passed::new("hop", passage, "seen");
        let seen = [Through, Unknown, Stopped, Through, Stopped].map(hop).to_vec();
        let replica = Replica::new(Timestamp::UNIX_EPOCH, seen);
        let passages: Vec<Passage> = replica.hops.iter().map(|hop| hop.passage).collect();
        assert_eq!(passages, [Through, Unknown, Stopped, NotReached, NotReached]);
        assert_eq!(replica.stops_at(), Some(&replica.hops[2]));
        let whole = Replica::new(Timestamp::UNIX_EPOCH, vec![hop(Through), hop(Unknown)]);
        assert_eq!(whole.stops_at(), None);
    }
}
