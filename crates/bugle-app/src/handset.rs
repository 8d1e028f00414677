//! The simulated phones, mailboxes and programs of the demo, as its pages see them.
//!
//! Nothing here simulates anything: the lab does, and the binary hands it over as a [`Handset`].

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::watch;

/// What a receiver is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ReceiverKind {
    /// A telephone: takes texts and calls.
    Phone {
        /// Its number, E.164.
        number: String,
    },
    /// A mailbox.
    Mailbox {
        /// Its address.
        address: String,
    },
    /// A program that takes webhooks.
    Webhook {
        /// The path it was posted to.
        path: String,
    },
}

/// One simulated receiver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receiver {
    /// The person it belongs to; empty where nobody said.
    pub owner: String,
    /// What it is.
    pub kind: ReceiverKind,
    /// What it received and what was sent from it, oldest first; only the newest are kept.
    pub messages: Vec<HandsetMessage>,
    /// The newest call, also after it has ended.
    pub call: Option<HandsetCall>,
}

/// One message on a receiver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HandsetMessage {
    /// Names the message within the handset.
    pub id: String,
    /// When it arrived, or was sent.
    pub at: Timestamp,
    /// Written by the person who holds the receiver.
    pub sent_by_owner: bool,
    /// The other side: a number, an address, or empty.
    pub peer: String,
    /// The subject of a mail; empty on other receivers.
    pub subject: String,
    /// What it says, as plain text.
    pub text: String,
}

/// Where a call stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallState {
    /// The phone rings.
    Ringing,
    /// Somebody has answered, and hears what is said.
    InCall,
    /// A machine has answered, and records.
    Voicemail,
    /// It is over.
    Ended,
}

impl CallState {
    /// The words shown on a page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::InCall => "in call",
            Self::Voicemail => "voicemail",
            Self::Ended => "ended",
        }
    }
}

/// One call on a phone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HandsetCall {
    /// Names the call within the handset.
    pub id: String,
    /// Where it stands.
    pub state: CallState,
    /// All that has been said to whoever answered, one sentence group a line.
    pub spoken: Vec<String>,
    /// Keys pressed so far, in order.
    pub keys: String,
    /// When the state began.
    pub since: Timestamp,
}

/// Why something could not be done with a receiver.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HandsetError {
    /// There is no such call, or it is over.
    #[error("there is no such call any more")]
    NoSuchCall,
    /// Keys can be pressed only in a call that was answered.
    #[error("the call has not been answered")]
    NotAnswered,
    /// Not one of `0`–`9`, `*`, `#`.
    #[error("a phone has no such key")]
    NoSuchKey,
    /// There is no such phone.
    #[error("there is no such phone")]
    NoSuchPhone,
    /// Bugle did not take what the simulated provider passed on.
    #[error("bugle did not take it: {0}")]
    NotTaken(String),
}

/// Simulated receivers that a person can use through a page.
pub trait Handset: std::fmt::Debug + Send + Sync {
    /// All receivers: first those with a call in progress, then by owner.
    fn receivers(&self) -> Vec<Receiver>;

    /// Answers a call that rings. Returns when the first words have been said.
    fn answer<'a>(&'a self, call: &'a str) -> BoxFuture<'a, Result<(), HandsetError>>;

    /// Lets a machine answer a call that rings.
    fn voicemail<'a>(&'a self, call: &'a str) -> BoxFuture<'a, Result<(), HandsetError>>;

    /// Presses a key in a call; one that still rings is answered first. Returns when Bugle has
    /// replied to it.
    fn press<'a>(&'a self, call: &'a str, key: char) -> BoxFuture<'a, Result<(), HandsetError>>;

    /// Ends a call; one that still rings is declined.
    fn hang_up<'a>(&'a self, call: &'a str) -> BoxFuture<'a, Result<(), HandsetError>>;

    /// Sends a text from a phone to Bugle's number. Returns when Bugle has replied to it.
    fn reply<'a>(
        &'a self,
        phone: &'a str,
        text: &'a str,
    ) -> BoxFuture<'a, Result<(), HandsetError>>;

    /// A counter that changes whenever [`Self::receivers`] may say something new.
    fn subscribe(&self) -> watch::Receiver<u64>;
}
