//! Chance that a seed repeats.

use std::time::Duration;

/// Numbers by chance (SplitMix64): the same seed gives the same ones.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// The chance of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(super) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `count` places, from 0.
    pub(super) fn place(&mut self, count: usize) -> usize {
        let count = u64::try_from(count.max(1)).unwrap_or(1);
        usize::try_from(self.number() % count).unwrap_or(0)
    }

    /// A time from `least` up to `most`.
    pub(super) fn time(&mut self, least: Duration, most: Duration) -> Duration {
        let span = u64::try_from(most.saturating_sub(least).as_millis()).unwrap_or(0);
        least + Duration::from_millis(self.number() % (span + 1))
    }

    /// Puts things into an order by chance.
    pub(super) fn shuffle<T>(&mut self, things: &mut [T]) {
        for end in (1..things.len()).rev() {
            let other = self.place(end + 1);
            things.swap(end, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_another_does_not() {
        let numbers = |seed| {
            let mut chance = Chance::new(seed);
            [chance.number(), chance.number(), chance.number()]
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }

    #[test]
    fn times_stay_within_their_limits() {
        let mut chance = Chance::new(1);
        let (least, most) = (Duration::from_millis(20), Duration::from_millis(30));
        assert!((0..100).all(|_| (least..=most).contains(&chance.time(least, most))));
    }
}
