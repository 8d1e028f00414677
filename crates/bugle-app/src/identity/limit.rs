//! How often something may be tried, per key, by the application's own clock.
//!
//! A try costs the same however many keys there are, and so does the memory. While more keys are
//! fresh than are remembered, the others share what is left, each with those that fall into the
//! same slot: whoever comes with very many keys makes the limit tighter for new ones, and looser
//! for nobody.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;

use crate::clock::Clock;

/// Keys of which each is remembered by itself.
const MAX_KEYS: usize = 10_000;
/// Slots that all other keys share.
const SLOTS: usize = 1_024;
/// Keys that one try looks at, whether they have anything left to say.
const SWEPT: usize = 2;

/// When a key would have used up all its tries, had it been given one every `every`; microseconds.
/// One that has passed says nothing.
type Until = i64;

/// A limit per key: `burst` at once, then one every `every`.
pub(crate) struct Limit<K: Hash + Ord + Clone> {
    every_us: i64,
    /// How far ahead of now a key may be.
    ahead_us: i64,
    max_keys: usize,
    kept: Mutex<Kept<K>>,
    clock: Clock,
}

struct Kept<K> {
    keys: BTreeMap<K, Until>,
    /// The same keys, in the order in which they are looked at.
    turns: VecDeque<K>,
    slots: Vec<Until>,
    hasher: RandomState,
}

impl<K: Hash + Ord + Clone> fmt::Debug for Limit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limit").field("every_us", &self.every_us).finish_non_exhaustive()
    }
}

impl<K: Hash + Ord + Clone> Limit<K> {
    /// A limit by `clock`. `every` is longer than nothing.
    pub(crate) fn new(clock: &Clock, burst: NonZeroU32, every: Duration) -> Self {
        Self::remembering(clock, burst, every, (MAX_KEYS, SLOTS))
    }

    fn remembering(
        clock: &Clock,
        burst: NonZeroU32,
        every: Duration,
        (max_keys, slots): (usize, usize),
    ) -> Self {
        let every_us = i64::try_from(every.as_micros()).unwrap_or(i64::MAX).max(1);
        let kept = Kept {
            keys: BTreeMap::new(),
            turns: VecDeque::new(),
            slots: vec![Until::MIN; slots],
            hasher: RandomState::new(),
        };
        Self {
            every_us,
            ahead_us: every_us.saturating_mul(i64::from(burst.get()) - 1),
            max_keys,
            kept: Mutex::new(kept),
            clock: clock.clone(),
        }
    }

    /// Counts one try.
    ///
    /// # Errors
    ///
    /// How long to wait before the next.
    pub(crate) fn take(&self, key: &K) -> Result<(), SignedDuration> {
        let now = self.clock.now().as_microsecond();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.sweep(now);
        let until = kept.place(key, self.max_keys);
        let ahead = until.saturating_sub(now).max(0);
        if ahead > self.ahead_us {
            return Err(SignedDuration::from_micros(ahead - self.ahead_us));
        }
        *until = (*until).max(now).saturating_add(self.every_us);
        Ok(())
    }
}

impl<K: Hash + Ord + Clone> Kept<K> {
    /// Forgets those of the next few keys that have nothing left to say.
    fn sweep(&mut self, now: i64) {
        for _ in 0..SWEPT.min(self.turns.len()) {
            let Some(key) = self.turns.pop_front() else { return };
            if self.keys.get(&key).is_some_and(|until| *until > now) {
                self.turns.push_back(key);
            } else {
                self.keys.remove(&key);
            }
        }
    }

    /// Where a key's tries are counted. One that is remembered from now on may have been counted in
    /// its slot before.
    fn place(&mut self, key: &K, max_keys: usize) -> &mut Until {
        let Self { keys, turns, slots, hasher } = self;
        let hash = usize::try_from(hasher.hash_one(key) >> 1).unwrap_or(0);
        let index = hash % slots.len();
        if !keys.contains_key(key) {
            if keys.len() >= max_keys {
                return &mut slots[index];
            }
            turns.push_back(key.clone());
        }
        let slot = slots[index];
        keys.entry(key.clone()).or_insert(slot)
    }
}

#[cfg(test)]
mod tests;
