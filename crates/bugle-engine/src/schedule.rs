//! Schedules resolved: who is on call at a time, all shifts of a window, and its gaps.
//!
//! Local rules become instants here, by [`crate::zone::instant`]: a handoff that falls into a gap
//! of the clock happens at its end, one that comes twice happens the first time. Turns of hours
//! are real time; turns of days and weeks run from handoff time to handoff time on the wall clock.
//!
//! Work grows with the window asked for, never with how long ago a rotation began.

use bugle_domain::UserId;
use bugle_domain::schedule::{Gap, Override, Schedule, Shift};
use jiff::{SignedDuration, Timestamp};

use self::layer::Rotation;
use self::paint::Stretch;
pub use crate::zone::ZoneError;
use crate::zone::zone;

mod layer;
mod paint;

/// Longest window that is worked out; what is asked beyond it is left out.
pub const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(400 * 24);

/// How far to both sides the ends of a shift are looked for, in steps. A shift that is longer is
/// shown with the last of these as its end.
const REACHES: [SignedDuration; 4] = [
    SignedDuration::from_hours(2 * 24),
    SignedDuration::from_hours(10 * 24),
    SignedDuration::from_hours(60 * 24),
    SignedDuration::from_hours(200 * 24),
];

/// Who is on call at `at`, with the whole of their shift: at most 200 days to either side.
///
/// # Errors
///
/// [`ZoneError`] if the schedule's zone does not exist.
pub fn on_call(
    schedule: &Schedule,
    overrides: &[Override],
    at: Timestamp,
) -> Result<Option<Shift>, ZoneError> {
    if holder(schedule, overrides, at)?.is_none() {
        return Ok(None);
    }
    let mut found = None;
    for reach in REACHES {
        let (from, until) = (minus(at, reach), plus(at, reach));
        let all = shifts(schedule, overrides, from, until)?;
        found = all.into_iter().find(|shift| shift.from <= at && at < shift.until);
        if found.as_ref().is_some_and(|shift| from < shift.from && shift.until < until) {
            break;
        }
    }
    Ok(found)
}

/// Who is on call at `at`, without the rest of their shift: cheap enough for every decision.
///
/// # Errors
///
/// [`ZoneError`] if the schedule's zone does not exist.
pub fn holder(
    schedule: &Schedule,
    overrides: &[Override],
    at: Timestamp,
) -> Result<Option<UserId>, ZoneError> {
    let zone = zone(&schedule.time_zone)?;
    let covers = overrides.iter().filter(|it| it.from <= at && at < it.until);
    if let Some(cover) = covers.max_by_key(|it| it.id) {
        return Ok(cover.user);
    }
    let mut layers = schedule.layers.iter().rev();
    Ok(layers.find_map(|layer| Rotation::new(layer, &zone).holder(at)))
}

/// The result: every shift in the window, in order, cut to the window. Neighbours of the same
/// person and the same origin are one shift.
///
/// # Errors
///
/// [`ZoneError`] if the schedule's zone does not exist.
pub fn shifts(
    schedule: &Schedule,
    overrides: &[Override],
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Shift>, ZoneError> {
    let zone = zone(&schedule.time_zone)?;
    let until = until.min(plus(from, LONGEST_WINDOW));
    let mut result: Vec<Stretch> = Vec::new();
    for (index, layer) in schedule.layers.iter().enumerate() {
        let turns = Rotation::new(layer, &zone).turns(from, until);
        result = paint::over(result, stretches_of_layer(turns, index));
    }
    let mut covers: Vec<&Override> =
        overrides.iter().filter(|it| it.from < until && from < it.until).collect();
    covers.sort_by_key(|it| it.id);
    for cover in covers {
        let stretch = Stretch {
            from: cover.from.max(from),
            until: cover.until.min(until),
            user: cover.user,
            by_override: Some(cover.id),
            layer: None,
        };
        result = paint::over(result, vec![stretch]);
    }
    Ok(paint::shifts(result))
}

/// The shifts of one layer alone, for drawing; empty where there is no such layer.
///
/// # Errors
///
/// [`ZoneError`] if the schedule's zone does not exist.
pub fn layer_shifts(
    schedule: &Schedule,
    layer: usize,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Shift>, ZoneError> {
    let zone = zone(&schedule.time_zone)?;
    let until = until.min(plus(from, LONGEST_WINDOW));
    let Some(rules) = schedule.layers.get(layer) else {
        return Ok(Vec::new());
    };
    let turns = Rotation::new(rules, &zone).turns(from, until);
    Ok(paint::shifts(stretches_of_layer(turns, layer)))
}

/// The stretches of the window in which nobody is on call, in order.
///
/// # Errors
///
/// [`ZoneError`] if the schedule's zone does not exist.
pub fn gaps(
    schedule: &Schedule,
    overrides: &[Override],
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Gap>, ZoneError> {
    let until = until.min(plus(from, LONGEST_WINDOW));
    let mut gaps = Vec::new();
    let mut covered_until = from;
    for shift in shifts(schedule, overrides, from, until)? {
        if covered_until < shift.from {
            gaps.push(Gap { from: covered_until, until: shift.from });
        }
        covered_until = shift.until;
    }
    if covered_until < until {
        gaps.push(Gap { from: covered_until, until });
    }
    Ok(gaps)
}

fn stretches_of_layer(turns: Vec<layer::Turn>, index: usize) -> Vec<Stretch> {
    let stretch = |turn: layer::Turn| Stretch {
        from: turn.from,
        until: turn.until,
        user: Some(turn.user),
        by_override: None,
        layer: Some(index),
    };
    turns.into_iter().map(stretch).collect()
}

fn plus(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn minus(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_sub(span).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
