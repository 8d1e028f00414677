//! The clock of a level: how long its people have had to answer.
//!
//! A level's time runs from its first page that a provider accepted; where no provider accepts any,
//! from the first try, since that delay is not ours. While pages are due and none was tried, *we*
//! are the delay, and the clock stands. It stands for [`LONGEST_STAND`] at most: after that
//! somebody else is told, whose pages may go out by another way.

use jiff::{SignedDuration, Timestamp};

/// A page that goes out this soon after its level was told is on time: the clock runs from there.
const ON_TIME: SignedDuration = SignedDuration::from_secs(5);
/// A page that is due this soon is on its way: held to go out with others.
pub const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(1);
/// The longest that the clock of one level stands.
pub const LONGEST_STAND: SignedDuration = SignedDuration::from_hours(1);

/// How far the pages of the level that was told last have come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// When a provider first accepted one.
    pub accepted_at: Option<Timestamp>,
    /// When one was first tried.
    pub tried_at: Option<Timestamp>,
    /// One is due, or is within [`ON_ITS_WAY`], and was never tried.
    pub waits_for_us: bool,
}

/// A level's clock, as it is when its time seems to be over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reading {
    /// It ran out.
    Over,
    /// It runs, but began later than the level was told.
    Runs { from: Timestamp, until: Timestamp },
    /// It stands. To be read again at this time, which is no later than its end if it began now.
    Stands { until: Timestamp },
}

/// Reads the clock of a level that was told at `told_at` and whose people have `delay` to answer.
pub(crate) fn read(
    told_at: Timestamp,
    delay: SignedDuration,
    progress: Progress,
    now: Timestamp,
) -> Reading {
    let Some(began) = progress.accepted_at.or(progress.tried_at) else {
        let end = plus(plus(told_at, delay), LONGEST_STAND);
        return if progress.waits_for_us && now < end {
            Reading::Stands { until: plus(now, delay).min(end) }
        } else {
            Reading::Over
        };
    };
    let on_time = began <= plus(told_at, ON_TIME);
    let from = if on_time { told_at } else { began };
    let until = plus(from, delay);
    if until <= now { Reading::Over } else { Reading::Runs { from, until } }
}

fn plus(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
