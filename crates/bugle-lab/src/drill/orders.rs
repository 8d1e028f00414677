//! What a drill tells its node, and what that says: JSON values, one a line, on standard input and
//! output.

use bugle_app::rehearsal::{Step, Work};
use bugle_domain::contact::Channel;
use serde::{Deserialize, Serialize};

/// Something that no user of a node could do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "order")]
pub enum Order {
    /// Keep a document of the stages as a revision that there once was.
    Keep {
        /// The document.
        document: String,
    },
    /// Put a stage on a revision, without a change.
    Put {
        /// The stage's name.
        stage: String,
        /// The revision's number.
        revision: i64,
    },
    /// Hold a stage, or let it go on.
    Hold {
        /// The stage's name.
        stage: String,
        /// Whether it is held.
        held: bool,
    },
    /// Let time pass at once.
    Forward {
        /// How much, in seconds.
        seconds: i64,
    },
    /// Have a kept revision say something else, past every guard.
    Spoil {
        /// Its number.
        revision: i64,
        /// What it says from then on.
        document: String,
    },
    /// Fail, each time, at work about something.
    FailAt {
        /// Which work.
        work: Piece,
        /// What it is about.
        dedup_key: String,
    },
    /// Accept what these tenants send, and lose it where no book knows of it.
    Swallow {
        /// The tenants' numbers, 0-based.
        tenants: Vec<usize>,
    },
    /// Stand still at a step of a notification's way, the next time it is reached.
    StandAt {
        /// Which.
        step: Point,
    },
}

/// A [`Step`], as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// [`Step::Claimed`].
    Claimed,
    /// [`Step::Answered`].
    Answered,
    /// [`Step::Saved`].
    Saved,
    /// [`Step::Receipt`].
    Receipt,
}

impl From<Step> for Point {
    fn from(step: Step) -> Self {
        match step {
            Step::Claimed => Self::Claimed,
            Step::Answered => Self::Answered,
            Step::Saved => Self::Saved,
            Step::Receipt => Self::Receipt,
        }
    }
}

/// A piece of [`Work`], as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// [`Work::Event`].
    Event,
    /// [`Work::Message`] for [`Channel::Sms`].
    Text,
}

impl From<Piece> for Work {
    fn from(piece: Piece) -> Self {
        match piece {
            Piece::Event => Self::Event,
            Piece::Text => Self::Message(Channel::Sms),
        }
    }
}

/// What a node says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "said")]
pub enum Word {
    /// It takes requests.
    Ready {
        /// A key to the API for each tenant, of its lead; the first one's is an operator.
        keys: Vec<String>,
    },
    /// A document is kept.
    Kept {
        /// Its number.
        revision: i64,
    },
    /// An order was carried out.
    Done,
    /// An order could not be carried out.
    Failed {
        /// Why.
        why: String,
    },
    /// It stands still at a step, and does not go on.
    Stands {
        /// Which.
        step: Point,
    },
}
