//! The phases: what is done to a node, and what is read off.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::figures::{Figure, Report};
use super::{Phase, float, median, nanoseconds};
use crate::fixtures::postgres::Postgres;
use crate::rig::stand::Stand;

/// What a latency may cost in flushes of a disk at the same pace, where those are slow.
const FLUSHES: f64 = 6.0;
/// Part of a timed run that is not counted.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long an idle node is looked at, at least: its CPU time is counted in hundredths of a second.
const IDLE_LEAST: Duration = Duration::from_secs(5);
/// Events of one run at saturation.
const SATURATED: usize = 20_000;
/// Events of one run while the number of kept events grows.
const GROWTH: usize = 3_000;

/// What a figure should be on one database.
struct Targets {
    accepts_per_s: f64,
    notifications_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// Whether a slow disk excuses a latency.
    flush_bound: bool,
    cpu_s_per_1000: f64,
    start_s: f64,
}

const SQLITE: Targets = Targets {
    accepts_per_s: 10_000.0,
    notifications_per_s: 5_000.0,
    p50_ms: 3.0,
    p99_ms: 10.0,
    flush_bound: true,
    cpu_s_per_1000: 0.35,
    start_s: 0.2,
};

const POSTGRES: Targets = Targets {
    accepts_per_s: 5_000.0,
    notifications_per_s: 2_500.0,
    p50_ms: 6.0,
    p99_ms: 20.0,
    flush_bound: false,
    cpu_s_per_1000: 0.8,
    start_s: 0.4,
};

/// A node without its watch.
const UNWATCHED: &str = "[watch]\nevery = \"0s\"\n";

const IDLE_MIB: f64 = 40.0;
/// Of one core.
const WATCH_PERCENT: f64 = 3.0;
/// How much the watch may slow or burden the main job, as a part of it.
const WATCH_SHARE: f64 = 0.05;
const FULL_MIB: f64 = 120.0;
const GROWTH_RATIO: f64 = 1.2;

/// Measures on one database and adds to the report.
pub(super) struct Bench<'a> {
    program: PathBuf,
    server: Option<Arc<Postgres>>,
    report: &'a mut Report,
    quick: bool,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        program: &Path,
        server: Option<Arc<Postgres>>,
        report: &'a mut Report,
        quick: bool,
    ) -> Self {
        Self { program: program.to_path_buf(), server, report, quick }
    }

    /// Does one phase, on a node of its own.
    pub(super) async fn measure(&mut self, phase: Phase) -> Result<()> {
        if phase == Phase::Yardstick {
            return Ok(());
        }
        eprintln!("==> {}: {phase:?}", self.database());
        let stand = Stand::new(&self.program, self.server.clone()).await?;
        match phase {
            Phase::Yardstick => Ok(()),
            Phase::Start => self.start(stand).await,
            Phase::Idle => self.idle(stand).await,
            Phase::Latency => self.latency(stand).await,
            Phase::Accepts => self.accepts(stand).await,
            Phase::Notifications => self.notifications(stand).await,
            Phase::Watch => self.watch(stand).await,
            Phase::Growth => self.growth(stand).await,
        }
    }

    async fn start(&mut self, mut stand: Stand) -> Result<()> {
        let mut times = Vec::new();
        for _ in 0..self.runs(5) {
            stand.settle().await?;
            stand.node.kill().await?;
            let began = Instant::now();
            stand.node.spawn()?;
            stand.fire_until_accepted(Duration::from_secs(30)).await?;
            times.push(began.elapsed().as_secs_f64());
        }
        stand.settle().await?;
        let figure = self.figure("start_to_first_accept", median(times), "s");
        self.report.add(figure.at_most(self.targets().start_s));
        Ok(())
    }

    async fn idle(&mut self, mut stand: Stand) -> Result<()> {
        stand.node.kill().await?;
        stand.node.start().await?;
        tokio::time::sleep(self.time(3)).await;
        let figure = self.figure("memory_idle", stand.node.memory_mib()?, "MiB");
        self.report.add(figure.at_most(IDLE_MIB));
        let watched = self.idle_cpu(&stand).await?;
        stand.node.kill().await?;
        stand.node.configure(UNWATCHED)?;
        stand.node.start().await?;
        tokio::time::sleep(self.time(3)).await;
        let unwatched = self.idle_cpu(&stand).await?;
        let figure = self.figure("watch_cpu_percent", (watched - unwatched) * 100.0, "%");
        self.report.add(figure.at_most(WATCH_PERCENT));
        Ok(())
    }

    /// CPU seconds a second of an idle node and its database.
    async fn idle_cpu(&self, stand: &Stand) -> Result<f64> {
        let (began, used) = (Instant::now(), stand.node.cpu_seconds()?);
        tokio::time::sleep(self.time(20).max(IDLE_LEAST)).await;
        Ok((stand.node.cpu_seconds()? - used) / began.elapsed().as_secs_f64())
    }

    async fn latency(&mut self, stand: Stand) -> Result<()> {
        stand.fire(4, 200).await?;
        stand.settle().await?;
        let (mut p50, mut p99) = (Vec::new(), Vec::new());
        let count = if self.quick { 50 } else { 200 };
        for _ in 0..self.runs(3) {
            let mut load = stand.load(2, count)?;
            load.per_second = Some(10.0);
            let events = load.events.clone();
            stand.finish(load).await?;
            stand.settle().await?;
            let times = stand.board.arrival_times(events);
            p50.push(times.quantile_ms(0.5));
            p99.push(times.quantile_ms(0.99));
        }
        let targets = self.targets();
        for (part, target, values) in [("p50", targets.p50_ms, p50), ("p99", targets.p99_ms, p99)] {
            let figure =
                self.figure(format!("event_to_provider_{part}_10_per_s"), median(values), "ms");
            let flush = self.report.find(&format!("disk_flush_alone_{part}"), "none").cloned();
            let flushes = flush.as_ref().map_or(0.0, |flush| flush.value * FLUSHES);
            let target = if targets.flush_bound { target.max(flushes) } else { target };
            self.report.add(figure.at_most(target).beside(flush.as_ref()));
        }
        Ok(())
    }

    async fn accepts(&mut self, stand: Stand) -> Result<()> {
        stand.fire(16, 1_000).await?;
        stand.settle().await?;
        let counted = self.time(3);
        for connections in [1, 16, 64] {
            let (mut rates, mut p50, mut p99) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..self.runs(3) {
                let mut load = stand.load(connections, 100_000)?;
                load.time = Some(WARM_UP + counted);
                let (events, board) = (load.events.clone(), Arc::clone(&stand.board));
                let from = board.now_ns() + nanoseconds(WARM_UP);
                stand.finish(load).await?;
                let window = from..from + nanoseconds(counted);
                let acked = board.acked_ns(events.clone()).filter(|at| window.contains(at)).count();
                rates.push(float(acked) / counted.as_secs_f64());
                let times = board.ack_times(events);
                p50.push(times.quantile_ms(0.5));
                p99.push(times.quantile_ms(0.99));
                stand.settle().await?;
            }
            let figure = self.figure(format!("accepts_{connections}"), median(rates), "1/s");
            let commits = self.commits(connections);
            let figure = figure.beside(commits.as_ref());
            let target = self.targets().accepts_per_s;
            self.report.add(if connections == 64 { figure.at_least(target) } else { figure });
            self.report.add(self.figure(format!("ack_p50_{connections}"), median(p50), "ms"));
            self.report.add(self.figure(format!("ack_p99_{connections}"), median(p99), "ms"));
        }
        Ok(())
    }

    async fn notifications(&mut self, stand: Stand) -> Result<()> {
        stand.fire(64, 2_000).await?;
        stand.settle().await?;
        let (mut rates, mut cpu) = (Vec::new(), Vec::new());
        let (mut p50, mut p99) = (Vec::new(), Vec::new());
        for _ in 0..self.runs(3) {
            let (events, speed) = saturate(&stand).await?;
            cpu.push(speed.cpu_per_1000);
            rates.push(speed.per_second);
            let times = stand.board.arrival_times(events);
            p50.push(times.quantile_ms(0.5));
            p99.push(times.quantile_ms(0.99));
        }
        let targets = self.targets();
        let commits = self.commits(64);
        let figure = self.figure("notifications", median(rates), "1/s");
        self.report.add(figure.at_least(targets.notifications_per_s).beside(commits.as_ref()));
        let loopback = self.report.find("loopback_cpu_per_1000", "none").cloned();
        let figure = self.figure("cpu_per_1000", median(cpu), "s");
        self.report.add(figure.at_most(targets.cpu_s_per_1000).beside(loopback.as_ref()));
        self.report.add(self.figure("event_to_provider_p50_saturated", median(p50), "ms"));
        self.report.add(self.figure("event_to_provider_p99_saturated", median(p99), "ms"));
        Ok(())
    }

    /// A node with its watch against the same node without: several pairs, each in another order
    /// than the one before, so that what grows meanwhile favours neither.
    async fn watch(&mut self, mut stand: Stand) -> Result<()> {
        let (mut rates, mut cpu) = (Vec::new(), Vec::new());
        for pair in 0..self.runs(5) {
            let watched_first = pair % 2 == 0;
            let first = restarted(&mut stand, watched_first).await?;
            let second = restarted(&mut stand, !watched_first).await?;
            let (with, without) = if watched_first { (first, second) } else { (second, first) };
            rates.push(with.per_second / without.per_second);
            cpu.push(with.cpu_per_1000 / without.cpu_per_1000);
        }
        let figure = self.figure("notifications_with_watch", median(rates), "×");
        self.report.add(figure.at_least(1.0 - WATCH_SHARE));
        let figure = self.figure("cpu_with_watch", median(cpu), "×");
        self.report.add(figure.at_most(1.0 + WATCH_SHARE));
        Ok(())
    }

    async fn growth(&mut self, stand: Stand) -> Result<()> {
        let mut kept = 0;
        let mut first = None;
        for (level, name) in [(1_000, "1k"), (10_000, "10k"), (100_000, "100k")] {
            if self.quick && level == 100_000 {
                break;
            }
            stand.fire(64, level - kept).await?;
            stand.settle().await?;
            if level == 100_000 {
                let figure = self.figure("memory_100k", stand.node.memory_mib()?, "MiB");
                self.report.add(figure.at_most(FULL_MIB));
            }
            let mut cpu = Vec::new();
            for _ in 0..3 {
                let used = stand.node.cpu_seconds()?;
                stand.fire(64, GROWTH).await?;
                stand.settle().await?;
                cpu.push((stand.node.cpu_seconds()? - used) / float(GROWTH) * 1_000.0);
            }
            kept = level + 3 * GROWTH;
            let cost = median(cpu);
            self.report.add(self.figure(format!("cpu_per_1000_at_{name}"), cost, "s"));
            let base = *first.get_or_insert(cost);
            if level > 1_000 {
                let figure = self.figure(format!("growth_1k_to_{name}"), cost / base, "×");
                self.report.add(figure.at_most(GROWTH_RATIO));
            }
        }
        Ok(())
    }

    fn database(&self) -> &'static str {
        if self.server.is_some() { "postgres" } else { "sqlite" }
    }

    fn targets(&self) -> &'static Targets {
        if self.server.is_some() { &POSTGRES } else { &SQLITE }
    }

    fn figure(&self, name: impl Into<String>, value: f64, unit: &'static str) -> Figure {
        Figure::new(name, self.database(), value, unit)
    }

    /// The database's own commits with as many connections as it profits from.
    fn commits(&self, connections: usize) -> Option<Figure> {
        let name =
            if connections > 1 && self.server.is_some() { "commits_16" } else { "commits_1" };
        self.report.find(name, self.database()).cloned()
    }

    fn runs(&self, runs: usize) -> usize {
        if self.quick { 1 } else { runs }
    }

    fn time(&self, seconds: u64) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { seconds })
    }
}

/// How fast a run at saturation was, and what it took.
#[derive(Clone, Copy)]
struct Speed {
    per_second: f64,
    cpu_per_1000: f64,
}

/// Sends as many events as fast as it can; their numbers, and how fast they became notifications.
async fn saturate(stand: &Stand) -> Result<(Range<usize>, Speed)> {
    let used = stand.node.cpu_seconds()?;
    let events = stand.fire(64, SATURATED).await?;
    stand.settle().await?;
    let cpu_per_1000 = (stand.node.cpu_seconds()? - used) / float(SATURATED) * 1_000.0;
    let per_second = float(SATURATED) / stand.board.span(events.clone()).as_secs_f64();
    Ok((events, Speed { per_second, cpu_per_1000 }))
}

/// A run at saturation, of the node started anew.
async fn restarted(stand: &mut Stand, watched: bool) -> Result<Speed> {
    stand.node.kill().await?;
    stand.node.configure(if watched { "" } else { UNWATCHED })?;
    stand.node.start().await?;
    stand.fire(64, 2_000).await?;
    stand.settle().await?;
    Ok(saturate(stand).await?.1)
}
