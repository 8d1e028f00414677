//! Measures, from what was sent and what was seen.

use std::time::{Duration, Instant};

use super::board::Sent;
use super::scorecard::Measured;

/// How many there are.
pub(super) fn count(things: usize) -> u64 {
    u64::try_from(things).unwrap_or(u64::MAX)
}

/// A count as a number that can be measured with.
pub(super) fn to_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A stall, as seen from outside.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Stall {
    /// The last sign of life before it.
    pub from: Instant,
    /// The first one after it.
    pub to: Instant,
}

impl Stall {
    /// How long it was.
    pub(super) fn length(&self) -> Duration {
        self.to - self.from
    }
}

/// The longest time without a sign of life that began between two moments, or contains the first;
/// one that goes on ends nowhere.
pub(super) fn stall(signs: &[Instant], (from, to): (Instant, Instant)) -> Option<Stall> {
    let mut signs = signs.to_vec();
    signs.sort_unstable();
    let mut longest: Option<Stall> = None;
    let mut last = from;
    for at in signs {
        let silence = Stall { from: last, to: at };
        if last > to {
            break;
        }
        if at > from && longest.is_none_or(|stall| silence.length() > stall.length()) {
            longest = Some(silence);
        }
        last = at;
    }
    longest
}

/// How long after `at` the last was `done` of what had been `owed` by then.
pub(super) fn drained_s(
    events: &[Sent],
    at: Instant,
    (owed, done): (Moment, Moment),
) -> Option<f64> {
    let mut last = at;
    for sent in events.iter().filter(|sent| owed(sent).is_some_and(|owed| owed <= at)) {
        last = last.max(done(sent)?);
    }
    Some((last - at).as_secs_f64())
}

/// A moment in the life of an event.
pub(super) type Moment = fn(&Sent) -> Option<Instant>;

/// The 99th percentile of how long it took to tell somebody, in milliseconds.
fn p99_ms<'a>(events: impl Iterator<Item = &'a Sent>) -> Option<f64> {
    p99_of(events.filter_map(Sent::took).collect())
}

/// The 99th percentile, in milliseconds.
pub(super) fn p99_of(mut took: Vec<Duration>) -> Option<f64> {
    took.sort_unstable();
    let place = (took.len().saturating_mul(99)).div_ceil(100).checked_sub(1)?;
    Some(took.get(place)?.as_secs_f64() * 1_000.0)
}

/// How late others were told between two moments before the injection, and of what was begun
/// between two later ones. What was under way at the injection says nothing of before.
pub(super) fn others<'a>(
    measured: &mut Measured,
    events: impl IntoIterator<Item = &'a Sent> + Clone,
    (began, injected): (Instant, Instant),
    (from, to): (Instant, Instant),
) {
    let told = |sent: &&Sent| sent.begun >= began && sent.told.is_some_and(|at| at < injected);
    let begun = |sent: &&Sent| sent.begun >= from && sent.begun < to;
    measured.others_p99_before_ms = p99_ms(events.clone().into_iter().filter(told));
    measured.others_p99_during_ms = p99_ms(events.into_iter().filter(begun));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::board::Board;

    #[test]
    fn what_is_under_way_at_the_injection_says_nothing_of_before() {
        let (board, zero) = (Board::default(), Instant::now());
        let at = |seconds| zero + Duration::from_secs(seconds);
        for begun in [1, 4, 6] {
            board.begin(0, at(begun));
        }
        let mut events = board.events();
        let told = [Some(at(2)), Some(at(90)), Some(at(9))];
        events.iter_mut().zip(told).for_each(|(sent, told)| sent.told = told);
        let mut measured = Measured::default();
        others(&mut measured, &events, (at(0), at(5)), (at(5), at(10)));
        assert_eq!(measured.others_p99_before_ms, Some(1_000.0));
        assert_eq!(measured.others_p99_during_ms, Some(3_000.0));
    }

    #[test]
    fn the_longest_silence_is_the_stall() {
        let zero = Instant::now();
        let at = |seconds| zero + Duration::from_secs(seconds);
        let signs = [at(1), at(2), at(9), at(10), at(12)];
        let of = |from, to| Some(Stall { from: at(from), to: at(to) });
        assert_eq!(stall(&signs, (at(3), at(20))), of(2, 9));
        assert_eq!(stall(&signs, (at(9), at(20))), of(10, 12));
        assert_eq!(stall(&signs, (at(1), at(1))), of(1, 2), "later ones are not its own");
        assert_eq!(stall(&signs, (at(13), at(20))), None, "it has not ended");
    }
}
