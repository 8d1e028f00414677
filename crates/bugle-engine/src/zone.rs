//! Time zones: names to rules, and what a local time means where clocks change.
//!
//! The rules come from the database compiled into the program, never from the machine: two nodes
//! decide alike.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A name that is not of an IANA time zone.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no time zone named {name:?}")]
pub struct ZoneError {
    /// The name.
    pub name: String,
}

/// The zone with this IANA name.
///
/// # Errors
///
/// [`ZoneError`] where there is none.
pub fn zone(name: &str) -> Result<TimeZone, ZoneError> {
    ZONES.get(name).map_err(|_| ZoneError { name: name.to_owned() })
}

/// The names of all zones there are, in order.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = ZONES.available().map(|name| name.to_string()).collect();
    names.sort();
    names
}

/// The first instant at which the clocks of `zone` show `local` or later.
///
/// A local time that does not exist becomes the end of its gap; of one that comes twice, the first
/// is meant. So later local times never become earlier instants.
pub fn instant(zone: &TimeZone, local: DateTime) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let found = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local),
        AmbiguousOffset::Gap { before, after } => after.to_timestamp(local).map(|early| {
            let end = zone.following(early).find(|change| change.offset() == after);
            let latest = || before.to_timestamp(local).unwrap_or(Timestamp::MAX);
            end.map_or_else(latest, |change| change.timestamp())
        }),
    };
    let edge = if local.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    found.unwrap_or(edge)
}

/// Why `local` cannot be meant in `zone`, with the two nearest times that can: where the clocks go
/// forward, they leave some out. `None` where the clocks show it.
pub fn left_out(zone: &TimeZone, local: DateTime) -> Option<String> {
    let found = zone.to_ambiguous_zoned(local);
    if !matches!(found.offset(), AmbiguousOffset::Gap { .. }) {
        return None;
    }
    let (earlier, later) = (found.clone().earlier().ok()?, found.later().ok()?);
    let clock = |at: DateTime| {
        let pattern = if at.date() == local.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        at.strftime(pattern).to_string()
    };
    Some(format!(
        "{} does not exist on that day: the clocks go forward; use {} or {}",
        clock(local),
        clock(earlier.datetime()),
        clock(later.datetime()),
    ))
}

#[cfg(test)]
mod tests;
