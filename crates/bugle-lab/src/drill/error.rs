//! Why a drill could not be held: not that it failed, but that it measured nothing.

use std::io;
use std::time::Duration;

/// A drill could not be held.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// There is no drill, or no variant of it, of that name.
    #[error("there is no {0}")]
    Unknown(String),
    /// Something of the machine's failed.
    #[error("the machine does not give what a drill needs")]
    Machine(#[from] io::Error),
    /// A request to the node.
    #[error("the node was asked in vain")]
    Request(#[from] reqwest::Error),
    /// The node answered something else than it should.
    #[error("{asked} was answered with {status}: {said}")]
    Answer {
        /// What was asked.
        asked: String,
        /// The HTTP status.
        status: u16,
        /// When to come again, in seconds, where it says so.
        retry_after_s: Option<u64>,
        /// The body.
        said: String,
    },
    /// The node did not do what it was told.
    #[error("the node said: {0}")]
    Node(String),
    /// Something did not come about.
    #[error("{what} did not come about within {limit:?}; the node's log ends with:\n{log}")]
    Never {
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
        /// The end of the node's log.
        log: String,
    },
}
