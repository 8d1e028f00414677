//! How often something may be tried, per key, by the application's own clock.

use std::fmt;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use jiff::SignedDuration;

use crate::clock::Clock;

/// Keys that are remembered before those that have nothing left to say are dropped.
const MAX_KEYS: usize = 10_000;

/// The application's clock, as `governor` reads one.
#[derive(Clone, Debug)]
struct Ticks(Clock);

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let micros = u64::try_from(self.0.now().as_microsecond()).unwrap_or(0);
        Duration::from_micros(micros)
    }
}

/// A limit per key: `burst` at once, then one every `every`.
pub(crate) struct Limit<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, Ticks, NoOpMiddleware<Duration>>,
    ticks: Ticks,
}

impl<K: Hash + Eq + Clone> fmt::Debug for Limit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limit").field("keys", &self.limiter.len()).finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + Clone> Limit<K> {
    /// A limit by `clock`. `every` is longer than nothing.
    pub(crate) fn new(clock: &Clock, burst: NonZeroU32, every: Duration) -> Self {
        let ticks = Ticks(clock.clone());
        let quota = Quota::with_period(every.max(Duration::from_millis(1)))
            .map_or_else(|| Quota::per_minute(burst), |quota| quota.allow_burst(burst));
        let limiter = RateLimiter::dashmap_with_clock(quota, ticks.clone());
        Self { limiter, ticks }
    }

    /// Counts one try.
    ///
    /// # Errors
    ///
    /// How long to wait before the next.
    pub(crate) fn take(&self, key: &K) -> Result<(), SignedDuration> {
        if self.limiter.len() > MAX_KEYS {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|early| {
            let wait = early.wait_time_from(governor::clock::Clock::now(&self.ticks));
            SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_burst_is_followed_by_a_wait_per_key() {
        let clock = Clock::pushed(Timestamp::from_second(1_700_000_000).unwrap());
        let limit = Limit::new(&clock, NonZeroU32::new(2).unwrap(), Duration::from_mins(1));
        assert_eq!((limit.take(&"a"), limit.take(&"a")), (Ok(()), Ok(())));
        assert_eq!(limit.take(&"a").unwrap_err().as_secs(), 60);
        assert_eq!(limit.take(&"b"), Ok(()));
        clock.push(SignedDuration::from_secs(60));
        assert_eq!(limit.take(&"a"), Ok(()));
        assert!(limit.take(&"a").is_err());
    }
}
