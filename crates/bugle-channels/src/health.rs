//! A provider's measured health: what it did lately, its circuit breaker, its rate limit.
//!
//! Pure: `now` is an argument, and nothing here waits.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::settings::Rate;

/// How far back health looks.
const WINDOW: Duration = Duration::from_mins(5);
/// How many sends of a provider are remembered at most.
pub(crate) const PROVIDER_SAMPLES: usize = 512;
/// The same of one target of webhooks, of which there are many: what the breaker looks at.
pub(crate) const TARGET_SAMPLES: usize = SHARE_OF;
/// So many failures in a row open the breaker.
const FAILURES_IN_A_ROW: u32 = 5;
/// So many of the latest sends are looked at for the share that failed …
const SHARE_OF: usize = 20;
/// … within this time; half of them failed opens the breaker.
const SHARE_WITHIN: Duration = Duration::from_mins(1);
/// How long the breaker is open at first; doubled by each probe that fails.
const FIRST_COOL_DOWN: Duration = Duration::from_secs(5);
/// The longest that the breaker stays open.
const LONGEST_COOL_DOWN: Duration = Duration::from_mins(1);

/// How soon it is looked again whether a probe has a result.
const PROBE_LOOK: Duration = Duration::from_secs(1);

/// Whether a provider is used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum BreakerState {
    /// It is.
    Closed,
    /// It failed too often, and is left alone for a while.
    Open,
    /// One message is on its way to find out.
    HalfOpen,
}

impl BreakerState {
    /// The word used in text and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// What a send said about the provider (not about the message).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// It answered as it should, be it with a refusal.
    Worked,
    /// It did not answer, or not sensibly.
    Failed,
    /// It wants to be left alone until then.
    Limited(Instant),
}

/// Whether a message may go to a provider now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Admission {
    /// It may, and has been counted.
    Yes,
    /// Not before this time.
    NotBefore(Instant),
}

/// How soon messages may go to a provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Opening {
    /// How many may go now.
    pub(crate) free: usize,
    /// When the first one after these may.
    pub(crate) next: Instant,
    /// How much later each one after that may; zero where it is not known.
    pub(crate) every: Duration,
}

/// Numbers of the last five minutes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Measured {
    pub(crate) samples: usize,
    pub(crate) success_rate: Option<f64>,
    pub(crate) median: Option<Duration>,
    pub(crate) p99: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
enum Breaker {
    Closed { failures: u32 },
    Open { until: Instant, cool_down: Duration },
    HalfOpen { probe_ends: Instant, cool_down: Duration },
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    took: Duration,
    worked: bool,
}

/// What is known of one provider.
#[derive(Debug)]
pub(crate) struct Health {
    samples: VecDeque<Sample>,
    breaker: Breaker,
    limited_until: Option<Instant>,
    rests_until: Option<Instant>,
    bucket: Option<Bucket>,
    probe_limit: Duration,
    max_samples: usize,
}

impl Health {
    /// Nothing known yet. A probe that has no result after `probe_limit` is given up; only the
    /// newest `max_samples` sends are remembered.
    pub(crate) fn new(rate: Option<Rate>, probe_limit: Duration, max_samples: usize) -> Self {
        Self {
            samples: VecDeque::new(),
            breaker: Breaker::Closed { failures: 0 },
            limited_until: None,
            rests_until: None,
            bucket: rate.map(Bucket::new),
            probe_limit,
            max_samples,
        }
    }

    /// Messages that the provider may be given in an hour; `None` for as many as come.
    pub(crate) fn hourly(&self) -> Option<i64> {
        self.bucket.as_ref().map(Bucket::hourly)
    }

    /// When it could take a message, at the earliest; nothing is counted.
    pub(crate) fn free_at(&self, now: Instant) -> Instant {
        let breaker = match self.breaker {
            Breaker::Closed { .. } => now,
            Breaker::Open { until, .. } => until,
            Breaker::HalfOpen { probe_ends, .. } => probe_ends,
        };
        let bucket = self.bucket.as_ref().map_or(now, |bucket| bucket.free_at(now));
        breaker.max(bucket).max(self.limited_until.unwrap_or(now)).max(now)
    }

    /// How soon messages may go; nothing is counted. `None`: as many as come.
    pub(crate) fn opening(&self, now: Instant) -> Option<Opening> {
        let free_at = self.free_at(now);
        let bucket = self.bucket.as_ref().map(|bucket| bucket.opening(now));
        let every = bucket.map_or(Duration::ZERO, |bucket| bucket.every);
        match self.breaker {
            // Whether others may follow the probe is known when it has a result.
            Breaker::HalfOpen { .. } if free_at > now => {
                Some(Opening { free: 0, next: free_at.min(now + PROBE_LOOK), every })
            }
            Breaker::Open { .. } | Breaker::HalfOpen { .. } if free_at <= now => {
                Some(Opening { free: 1, next: now + PROBE_LOOK, every })
            }
            Breaker::Closed { .. } if free_at <= now => bucket,
            Breaker::Closed { .. } | Breaker::Open { .. } | Breaker::HalfOpen { .. } => {
                Some(Opening { free: 0, next: free_at, every })
            }
        }
    }

    /// Asks whether a message may go now, and counts it where it may.
    pub(crate) fn admit(&mut self, now: Instant) -> Admission {
        let free_at = self.free_at(now);
        if free_at > now {
            return Admission::NotBefore(free_at);
        }
        match self.breaker {
            Breaker::Closed { .. } => (),
            Breaker::Open { cool_down, .. } | Breaker::HalfOpen { cool_down, .. } => {
                let probe_ends = now + self.probe_limit;
                self.breaker = Breaker::HalfOpen { probe_ends, cool_down };
            }
        }
        if let Some(bucket) = &mut self.bucket {
            bucket.take(now);
        }
        Admission::Yes
    }

    /// Whether another provider is to be preferred, although this one may be used.
    pub(crate) fn rests(&self, now: Instant) -> bool {
        self.rests_until.is_some_and(|until| until > now)
    }

    /// Notes what a send that began at `began` and was admitted said about the provider.
    pub(crate) fn record(&mut self, began: Instant, now: Instant, verdict: Verdict) {
        self.forget(now);
        let worked = verdict != Verdict::Failed;
        let took = now.saturating_duration_since(began);
        self.samples.push_back(Sample { at: now, took, worked });
        match verdict {
            Verdict::Worked => self.close(),
            Verdict::Limited(until) => {
                self.limited_until = Some(until);
                self.close();
            }
            Verdict::Failed => self.fail(now),
        }
    }

    /// Lets others go first until then.
    pub(crate) fn rest(&mut self, until: Instant) {
        self.rests_until = Some(until);
    }

    /// Whether nothing was heard of it for so long that it may as well be new.
    pub(crate) fn is_stale(&self, now: Instant) -> bool {
        self.samples.back().is_none_or(|newest| newest.at + WINDOW <= now)
    }

    /// Whether it is used.
    pub(crate) fn state(&self, now: Instant) -> BreakerState {
        match self.breaker {
            Breaker::Closed { .. } => BreakerState::Closed,
            Breaker::Open { until, .. } if until > now => BreakerState::Open,
            Breaker::Open { .. } | Breaker::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// The numbers of the last five minutes.
    pub(crate) fn measured(&self, now: Instant) -> Measured {
        let recent: Vec<Sample> =
            self.samples.iter().copied().filter(|sample| sample.at + WINDOW > now).collect();
        let mut times: Vec<Duration> = recent.iter().map(|sample| sample.took).collect();
        times.sort_unstable();
        let worked = recent.iter().filter(|sample| sample.worked).count();
        Measured {
            samples: recent.len(),
            success_rate: share(worked, recent.len()),
            median: at_percent(&times, 50),
            p99: at_percent(&times, 99),
        }
    }

    fn close(&mut self) {
        self.breaker = Breaker::Closed { failures: 0 };
    }

    fn fail(&mut self, now: Instant) {
        let cool_down = match self.breaker {
            Breaker::Closed { failures } => {
                let failures = failures.saturating_add(1);
                self.breaker = Breaker::Closed { failures };
                if failures < FAILURES_IN_A_ROW && !self.half_failed(now) {
                    return;
                }
                FIRST_COOL_DOWN
            }
            // What was under way when the breaker opened does not open it further.
            Breaker::Open { .. } => return,
            Breaker::HalfOpen { cool_down, .. } => (cool_down * 2).min(LONGEST_COOL_DOWN),
        };
        self.breaker = Breaker::Open { until: now + cool_down, cool_down };
    }

    fn half_failed(&self, now: Instant) -> bool {
        let latest = self.samples.iter().rev().take(SHARE_OF);
        let latest: Vec<&Sample> =
            latest.take_while(|sample| sample.at + SHARE_WITHIN > now).collect();
        let failed = latest.iter().filter(|sample| !sample.worked).count();
        latest.len() == SHARE_OF && failed * 2 >= SHARE_OF
    }

    fn forget(&mut self, now: Instant) {
        while self.samples.len() >= self.max_samples
            || self.samples.front().is_some_and(|sample| sample.at + WINDOW <= now)
        {
            self.samples.pop_front();
        }
    }
}

/// A rate limit: one virtual slot every `per / messages`, with one period's worth in hand.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    interval: Duration,
    burst: Duration,
    next: Option<Instant>,
}

impl Bucket {
    fn new(rate: Rate) -> Self {
        let interval = rate.per / rate.messages.max(1);
        Self { interval, burst: rate.per.saturating_sub(interval), next: None }
    }

    /// Messages in an hour.
    fn hourly(&self) -> i64 {
        let interval = self.interval.as_micros().max(1);
        i64::try_from(3_600_000_000 / interval).unwrap_or(i64::MAX)
    }

    fn free_at(&self, now: Instant) -> Instant {
        self.next.map_or(now, |next| next.checked_sub(self.burst).unwrap_or(now)).max(now)
    }

    fn opening(&self, now: Instant) -> Opening {
        let (every, next) = (self.interval, self.next.unwrap_or(now).max(now));
        let spare = (now + self.burst).checked_duration_since(next).map(|spare| {
            spare.as_nanos().checked_div(every.as_nanos()).unwrap_or(u128::MAX).saturating_add(1)
        });
        let free = u32::try_from(spare.unwrap_or_default()).unwrap_or(u32::MAX);
        let after = next + every.saturating_mul(free);
        let next = after.checked_sub(self.burst).unwrap_or(now);
        Opening { free: usize::try_from(free).unwrap_or(usize::MAX), next, every }
    }

    fn take(&mut self, now: Instant) {
        self.next = Some(self.next.unwrap_or(now).max(now) + self.interval);
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most 512 samples")]
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn at_percent(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get(last * percent / 100).copied()
}

#[cfg(test)]
mod tests;
