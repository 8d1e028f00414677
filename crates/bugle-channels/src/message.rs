//! What is sent, and what came of it.

use std::time::Duration;

use bugle_domain::contact::Address;
use bugle_domain::notification::SendOutcome;
use bugle_domain::{NotificationId, TenantId};
use bytes::Bytes;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::Instant;

/// One message, ready to go.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Which notification it is the message of.
    pub notification: NotificationId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where it goes.
    pub address: Address,
    /// What it says. Of the same channel as `address`.
    pub content: Content,
    /// An earlier try may have arrived. The channel says so where the content does not.
    pub possible_repeat: bool,
    /// For how long it is worth delivering, in seconds, 1–14,400: to the end of the level's delay.
    pub validity_s: u32,
}

/// How a mail stands in a correspondence. The default: it answers nothing, and answers to it go to
/// whom it is from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Correspondence {
    /// The address that answers go to.
    pub reply_to: Option<String>,
    /// The `Message-ID` of the mail that it answers, with its brackets.
    pub answers: Option<String>,
}

/// What a message says, per channel.
#[derive(Clone, Debug)]
pub enum Content {
    /// A mail. Its `Message-ID` follows from the notification.
    Email {
        /// One line.
        subject: String,
        /// The plain part.
        text: String,
        /// The HTML part.
        html: String,
        /// The same for all mails of one alert, such as the alert's id: mail programs thread by it.
        thread_key: String,
        /// Where one request ends mails of this kind; none for those that a person is owed.
        unsubscribe: Option<String>,
        /// Where answers to it go, and what it answers itself.
        correspondence: Correspondence,
    },
    /// A text message. Mapped to GSM-7 where it can be, and given the notification's reference
    /// where it does not have it.
    Sms {
        /// One line.
        text: String,
    },
    /// A call. What is said is fetched by the provider when it is answered.
    Voice,
    /// An HTTP request to a program.
    Webhook {
        /// `webhook-id`: the same for every try.
        id: String,
        /// JSON, at most 20 kB.
        body: Bytes,
        /// Signs the request: `whsec_` and base64.
        secret: SecretString,
    },
}

/// When a message is sent, and until when it may begin to leave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    pub(crate) send_by: Instant,
    pub(crate) now: Timestamp,
}

/// Whose fault it is that something was not sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fault {
    /// Our settings, account or message.
    Us,
    /// The provider, or the network on the way to it.
    Provider,
    /// The address: it does not exist, refuses, or has opted out.
    Contact,
}

impl Fault {
    /// The word used in text and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Provider => "provider",
            Self::Contact => "contact",
        }
    }
}

/// What came of sending once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// Which provider was asked; empty where none could be.
    pub provider: String,
    /// What to do next.
    pub outcome: SendOutcome,
    /// The provider's answer in words: status, code, message. At most 300 characters; for people.
    pub detail: String,
    /// What the provider calls the message.
    pub provider_ref: Option<String>,
    /// It has arrived, and no receipt will follow.
    pub delivered: bool,
    /// The address will never take another message (410, opted out): stop using the method.
    pub gone: bool,
    /// The provider that was asked is passed over for a while, and another one of the channel would
    /// take the message now.
    pub another_provider: bool,
    /// A provider was asked.
    pub asked: bool,
    /// How long it took.
    pub took: Duration,
    /// Whose fault it is; `None` where it was accepted.
    pub fault: Option<Fault>,
}

/// What a provider says when asked whether it has a message already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lookup {
    /// It has: do not send again.
    Found {
        /// Which provider.
        provider: String,
        /// What it calls the message.
        provider_ref: String,
    },
    /// It has not: a resend is no repeat.
    NotFound,
    /// It cannot say: a resend may be a repeat.
    CannotKnow,
}
