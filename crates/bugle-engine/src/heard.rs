//! Since when senders could reach us, and what their silence from before that is worth.
//!
//! A sender that gives its alerts an end renews them while they last. One that could not reach us
//! could not renew, so its silence says nothing: it is waited for again.

use jiff::{SignedDuration, Timestamp};

/// What a node last wrote down of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Beat {
    /// When it last wrote to the database, and so could have taken an event.
    pub seen_at: Timestamp,
    /// Since when it knew, then, that some node always could.
    pub heard_since: Timestamp,
}

/// Time without a beat of any node that is taken for a time in which nobody could be heard. Nodes
/// beat every second, and a busy one may be late.
pub const UNHEARD_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// How long a sender is waited for again, at least. Prometheus sends a firing alert again at the
/// first evaluation after `--rules.alert.resend-delay` (1 min), and gives it an end that is four
/// times the longer of that and the rule's evaluation interval (1 min) away (Prometheus,
/// `cmd/prometheus` and `rules/alerting.go`, 2.42).
pub const WAIT_AGAIN_AT_LEAST: SignedDuration = SignedDuration::from_mins(4);

/// And at most: a rule evaluated every 15 min has an end an hour away.
pub const WAIT_AGAIN_AT_MOST: SignedDuration = SignedDuration::from_hours(1);

/// Since when senders could always reach some node, from what every node last wrote down: since
/// `now` where none has been alive of late.
pub fn since(beats: impl IntoIterator<Item = Beat>, now: Timestamp) -> Timestamp {
    let lately = now.saturating_sub(UNHEARD_AFTER).unwrap_or(Timestamp::MIN);
    let alive = beats.into_iter().filter(|beat| beat.seen_at >= lately);
    alive.map(|beat| beat.heard_since).min().unwrap_or(now)
}

/// Until when a sender is waited for that last spoke at `spoke_at` and gave `end`. `None`: it could
/// have been heard in time, and its end stands.
///
/// A sender gets the time again that it gave itself, within [`WAIT_AGAIN_AT_LEAST`] and
/// [`WAIT_AGAIN_AT_MOST`].
pub(crate) fn wait_again(
    spoke_at: Timestamp,
    end: Timestamp,
    heard_since: Timestamp,
) -> Option<Timestamp> {
    let after = |span| heard_since.checked_add(span).unwrap_or(Timestamp::MAX);
    if spoke_at >= heard_since || end >= after(WAIT_AGAIN_AT_LEAST) {
        return None;
    }
    let own = end.duration_since(spoke_at);
    Some(after(own.clamp(WAIT_AGAIN_AT_LEAST, WAIT_AGAIN_AT_MOST)))
}

#[cfg(test)]
mod tests;
