//! What is looked at beside the canaries: workers, providers, clock, disk, connections, keys.

use std::time::{Duration, Instant};

use bugle_channels::{BreakerState, ProviderStatus};
use bugle_domain::contact::Channel;
use bugle_domain::stage::Stage;
use bugle_engine::watch::Hop;
use bugle_engine::watch::judge::Signal;
use bugle_engine::watch::runway::{self, Gauge, Level, Trends};
use jiff::{SignedDuration, Timestamp};

use super::report::ProviderReport;
use crate::app::Inner;
use crate::clock::Pace;

/// After the clock was set, ages mean nothing for so long.
const SETTLE: Duration = Duration::from_secs(15);
/// A provider is judged by its breaker when it was asked so often.
const MIN_SAMPLES: usize = 3;
/// Bytes of the disk that are left: look, where that is also a small share of it, and too late.
const DISK_WARN: f64 = 10.0 * GIB;
const DISK_BAD: f64 = 0.5 * GIB;
const DISK_SHARE: f64 = 0.15;
const GIB: f64 = 1_073_741_824.0;
/// What is used up within this time is to be looked at, in seconds.
const RUNWAY_WARN_S: i64 = 86_400;
/// Shares of connections that are left: look, and too late.
const CONNECTIONS: (f64, f64) = (0.2, 0.0);

/// What is remembered from one look to the next.
#[derive(Debug)]
pub(super) struct Look {
    pace: Pace,
    set_at: Option<(Instant, SignedDuration)>,
    trends: Trends,
}

impl Look {
    pub(super) fn new() -> Self {
        Self { pace: Pace::default(), set_at: None, trends: Trends::default() }
    }

    /// Compares the wall's clock with the machine's own.
    pub(super) fn clock(&mut self, now: Timestamp) -> Gauge {
        if let Some(off) = self.pace.set_by(now) {
            self.set_at = Some((Instant::now(), off));
        }
        let recent = self.set_at.filter(|(at, _)| at.elapsed() < SETTLE);
        let (level, text) = match recent {
            Some((_, off)) => (Level::Warn, format!("it was set by {} s", off.as_secs())),
            None => (Level::Ok, "it runs evenly".to_owned()),
        };
        Gauge { name: "clock".to_owned(), level, text, runway_s: None }
    }

    /// Whether ages mean nothing just now.
    pub(super) fn clock_was_set(&self) -> bool {
        self.set_at.is_some_and(|(at, _)| at.elapsed() < SETTLE)
    }

    /// Disk and connections.
    pub(super) fn gauges(&mut self, app: &Inner, now: Timestamp) -> Vec<Gauge> {
        let mut gauges = vec![connections(app)];
        gauges.extend(self.disk(app, now));
        gauges
    }

    fn disk(&mut self, app: &Inner, now: Timestamp) -> Option<Gauge> {
        let folder = app.store.file()?.parent()?;
        let found = rustix::fs::statvfs(folder).ok()?;
        #[expect(clippy::cast_precision_loss, reason = "a share is rounded anyway")]
        let (left, whole) = {
            let bytes = |blocks: u64| blocks as f64 * found.f_frsize as f64;
            (bytes(found.f_bavail), bytes(found.f_blocks))
        };
        let runway_s = self.trends.runway_s("disk", left, now);
        let little = left < DISK_WARN && left < whole * DISK_SHARE;
        let soon = runway_s.is_some_and(|seconds| seconds < RUNWAY_WARN_S);
        let level = match (left < DISK_BAD, little || soon) {
            (true, _) => Level::Bad,
            (false, true) => Level::Warn,
            (false, false) => Level::Ok,
        };
        let free = format!("{:.1} GiB free", left / GIB);
        let text = match runway_s {
            Some(seconds) => format!("{free}, full in {}", runway::length(seconds)),
            None => free,
        };
        Some(Gauge { name: "disk".to_owned(), level, text, runway_s })
    }
}

fn connections(app: &Inner) -> Gauge {
    let (used, whole) = app.store.connections();
    let left = f64::from(whole.saturating_sub(used));
    // A pool that is empty for a moment is one that is used.
    let level = runway::level_of_share(left, f64::from(whole), CONNECTIONS).min(Level::Warn);
    let text = format!("{used} of {whole} in use");
    Gauge { name: "connections".to_owned(), level, text, runway_s: None }
}

/// The disk is full: the store cannot do its work.
pub(super) fn full(gauges: &[Gauge], now: Timestamp) -> impl Iterator<Item = Signal> {
    let bad = gauges.iter().filter(|gauge| gauge.level == Level::Bad && gauge.name == "disk");
    bad.map(move |gauge| Signal::certain(Hop::Store, now, format!("disk: {}", gauge.text)))
}

/// Since when each worker has made no pass.
pub(super) fn pulses(app: &Inner, now: Timestamp) -> Vec<(Stage, Timestamp)> {
    let since = |stage| {
        let age = SignedDuration::try_from(app.pulse.age(stage)).unwrap_or_default();
        (stage, now.saturating_sub(age).unwrap_or(now))
    };
    [Stage::Alerting, Stage::Dispatch].map(since).to_vec()
}

/// How the providers do.
pub(super) fn providers(
    statuses: &[ProviderStatus],
    probed: impl Fn(Channel, &str) -> bool,
) -> Vec<ProviderReport> {
    let report = |status: &ProviderStatus| ProviderReport {
        channel: status.channel,
        name: status.name.clone(),
        breaker: status.breaker.as_str().to_owned(),
        probed: probed(status.channel, &status.name),
        samples: status.samples,
        success_rate: status.success_rate,
        median_ms: status.median.map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX)),
        last_error: status.last_error.as_ref().map(|(_, text)| text.clone()),
    };
    statuses.iter().map(report).collect()
}

/// Providers that are left alone because they failed too often.
pub(super) fn failing(statuses: &[ProviderStatus], now: Timestamp) -> Vec<Signal> {
    let broken = |status: &&ProviderStatus| {
        status.breaker != BreakerState::Closed && status.samples >= MIN_SAMPLES
    };
    let signal = |status: &ProviderStatus| {
        let hop = Hop::Provider { channel: status.channel, provider: status.name.clone() };
        let (since, error) = match &status.last_error {
            Some((at, error)) => (*at, error.as_str()),
            None => (now, "no answer"),
        };
        Signal::certain(hop, since, format!("it failed too often: {error}"))
    };
    statuses.iter().filter(broken).map(signal).collect()
}
