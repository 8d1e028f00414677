//! Laying stretches of time over one another: what is above hides what is below.

use bugle_domain::schedule::Shift;
use bugle_domain::{OverrideId, UserId};
use jiff::Timestamp;

/// A stretch of time that belongs to somebody, or to nobody on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) user: Option<UserId>,
    pub(super) by_override: Option<OverrideId>,
    pub(super) layer: Option<usize>,
}

/// Lays `above` over `below`. Both are in order and do not overlap in themselves; so is the result.
pub(super) fn over(below: Vec<Stretch>, above: Vec<Stretch>) -> Vec<Stretch> {
    if above.is_empty() {
        return below;
    }
    let mut result = Vec::with_capacity(below.len() + above.len());
    let mut below = below.into_iter().peekable();
    for top in above {
        while let Some(&low) = below.peek() {
            if low.from >= top.until {
                break;
            }
            if low.from < top.from {
                result.push(Stretch { until: low.until.min(top.from), ..low });
            }
            if low.until <= top.until {
                below.next();
            } else {
                // What sticks out behind is looked at again, against the next one above.
                if let Some(rest) = below.peek_mut() {
                    rest.from = top.until;
                }
                break;
            }
        }
        result.push(top);
    }
    result.extend(below);
    result
}

/// The shifts that stretches make: neighbours of the same person and origin are joined, and those
/// of nobody are left out.
pub(super) fn shifts(stretches: Vec<Stretch>) -> Vec<Shift> {
    let mut shifts: Vec<Shift> = Vec::with_capacity(stretches.len());
    for stretch in stretches {
        let Some(user) = stretch.user.filter(|_| stretch.from < stretch.until) else {
            continue;
        };
        let continues = |last: &&mut Shift| {
            last.until == stretch.from
                && last.user == user
                && last.by_override == stretch.by_override
                && last.layer == stretch.layer
        };
        match shifts.last_mut().filter(continues) {
            Some(last) => last.until = stretch.until,
            None => shifts.push(Shift {
                user,
                from: stretch.from,
                until: stretch.until,
                by_override: stretch.by_override,
                layer: stretch.layer,
            }),
        }
    }
    shifts
}
