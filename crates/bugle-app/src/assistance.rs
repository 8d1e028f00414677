//! Client Assistance: somebody says that nobody was paged, the ledger's answer is attached at once,
//! and operators answer.
//!
//! What is found and when operators are paged is decided in `bugle_engine::assistance`.

mod desk;
pub mod error;
mod mail;
mod mail_in;
mod notice;
mod open;
mod page;
mod probe;
mod replicate;
mod ring;
pub mod trace;

use bugle_domain::{AlertId, EventId, IntegrationId};
pub use bugle_engine::assistance::finding::Standing;
pub use bugle_engine::assistance::group::Group;
pub use bugle_engine::assistance::{About, AssistanceRequest};
use jiff::Timestamp;

pub use self::desk::{AssistanceDesk, OfTenant};
pub use self::mail_in::{Correspondent, NewMail, Taken};
pub(crate) use self::page::AssistanceLoop;
pub(crate) use self::ring::Shared;
use self::trace::Trace;

/// Requests of one tenant that may be open at once.
pub const MAX_OPEN: u32 = 20;
/// Longest text of a request or an answer, in characters.
pub const MAX_TEXT: usize = 2_000;
/// Most things that are said about one request.
pub const MAX_SAID: usize = 100;
/// Requests that are listed.
const MAX_LISTED: u32 = 200;

/// What somebody says who was not paged. An event, an alert, or else the time that is meant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NewAssistance {
    /// The event that was sent, as it was named when it was accepted.
    pub event: Option<EventId>,
    /// The alert.
    pub alert: Option<AlertId>,
    /// The way in, where one is known.
    pub integration: Option<IntegrationId>,
    /// What was expected, 1–2,000 characters.
    pub expected: String,
    /// The time that is meant: from then; an hour before its end where nothing is said.
    pub from: Option<Timestamp>,
    /// Until then; now where nothing is said. At most 7 days after its beginning.
    pub until: Option<Timestamp>,
}

/// A request with what was attached to it.
#[derive(Clone, PartialEq, Debug)]
pub struct AssistanceView {
    /// The request.
    pub request: AssistanceRequest,
    /// What the ledger says and the causal record; `None` while that could not be read.
    pub trace: Option<Trace>,
    /// Name of its tenant.
    pub tenant: String,
    /// Name of the way in that is meant.
    pub integration: Option<String>,
}

#[cfg(test)]
mod tests;
