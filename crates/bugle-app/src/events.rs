//! Events: what was said to us, and what came of each.

use bugle_domain::event::Event;
use bugle_domain::{AlertId, IntegrationId};

/// Which events are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventQuery {
    /// By this way in.
    pub integration: Option<IntegrationId>,
    /// That went into this alert.
    pub alert: Option<AlertId>,
    /// Only those without an outcome.
    pub pending: bool,
}

/// One event with the name of what it came by.
#[derive(Clone, PartialEq, Debug)]
pub struct EventView {
    /// The event.
    pub event: Event,
    /// Name of its integration.
    pub integration: String,
    /// Number of the alert it opened or folded into.
    pub alert_number: Option<i64>,
    /// What came of it, in a sentence.
    pub outcome: String,
}

/// The bytes an event came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawRequest {
    /// All of them, as received.
    pub bytes: Vec<u8>,
}
