//! `cargo xtask crash`: the node is killed in the middle of a load, again and again.
//!
//! What was acknowledged must reach the sink, a second copy must say that it may be one, the books
//! must balance, and work must go on soon after the restart.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use crate::bench::{self, Databases};
use crate::fixtures::postgres::Postgres;
use crate::rig::board::Board;
use crate::rig::stand::Stand;

const CONNECTIONS: usize = 64;
/// Work must go on within this after the restart.
const RESUME_LIMIT_S: f64 = 2.0;
/// A message can be doubled only if it was under way at the kill: it arrived at most this before.
const UNDER_WAY: Duration = Duration::from_secs(2);
const ROUND_LIMIT: Duration = Duration::from_mins(3);

/// What to do.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// On which databases.
    #[arg(long, value_enum, default_value_t = Databases::Both)]
    database: Databases,
    /// How often the node is killed.
    #[arg(long, default_value_t = 10)]
    rounds: u32,
    /// Events sent in each round.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..))]
    events: u32,
    /// Decides the points of the kills; chosen by chance unless given.
    #[arg(long)]
    seed: Option<u64>,
    /// This program instead of a build of this checkout: for comparing two builds.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Prints one JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

/// What a run found.
#[derive(Serialize, Debug)]
struct Report {
    seed: u64,
    rounds: Vec<Round>,
    passed: bool,
}

/// What one kill did.
#[derive(Serialize, Debug)]
struct Round {
    database: &'static str,
    number: u32,
    /// Events acknowledged when the node was killed.
    killed_at: usize,
    /// Events acknowledged in all.
    acknowledged: usize,
    /// Acknowledged events without a message: must be none.
    lost: usize,
    /// Events with a second message.
    doubled: usize,
    /// Of those, such as do not say so: must be none.
    unmarked: usize,
    /// Of those, such as were not under way at the kill: must be none.
    needless: usize,
    /// From the restart to the next acknowledgement, in seconds.
    next_accept_s: Option<f64>,
    /// From the restart to the next message at the sink, in seconds.
    next_message_s: Option<f64>,
    passed: bool,
}

/// Kills and restarts, and fails if anything was lost.
pub(crate) async fn run(options: Options) -> Result<()> {
    if cfg!(debug_assertions) {
        return bench::run_release().await;
    }
    let program = bench::program(options.program.clone()).await?;
    let seed = options.seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let mut chance = Chance(seed);
    eprintln!("==> seed {seed}");
    let mut rounds = Vec::new();
    for server in options.database.servers().await? {
        rounds.extend(on_database(&program, server, &options, &mut chance).await?);
    }
    let passed = rounds.iter().all(|round| round.passed);
    let report = Report { seed, rounds, passed };
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{}", if passed { "nothing was lost" } else { "the crash test failed" });
    }
    if !passed {
        bail!("the crash test failed; `--seed {seed}` repeats its kills");
    }
    Ok(())
}

async fn on_database(
    program: &Path,
    server: Option<Arc<Postgres>>,
    options: &Options,
    chance: &mut Chance,
) -> Result<Vec<Round>> {
    let database = if server.is_some() { "postgres" } else { "sqlite" };
    let mut stand = Stand::new(program, server).await?;
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        // Not at the very beginning or end: in the middle of the load.
        let part = chance.part() * 0.85 + 0.05;
        let kill_at = (f64::from(options.events) * part).round();
        let round = Kill { kill_at, pause: Duration::from_micros(chance.next() % 3_000) }
            .run(&mut stand, options.events)
            .await
            .with_context(|| format!("round {number} on {database}"))?;
        let round = Round { database, number, ..round };
        eprintln!("    {}", line(&round));
        rounds.push(round);
    }
    Ok(rounds)
}

/// Where a node is killed.
struct Kill {
    /// After so many acknowledgements of the round.
    kill_at: f64,
    /// And this long after.
    pause: Duration,
}

impl Kill {
    /// Loads the node, kills and restarts it on the way, and looks at what became of the load.
    async fn run(&self, stand: &mut Stand, events: u32) -> Result<Round> {
        let mut load = stand.load(CONNECTIONS, usize::try_from(events)?)?;
        load.survives = true;
        let (events, stop) = (load.events.clone(), Arc::clone(&load.stop));
        let before = stand.board.acked();
        // The load has a thread of its own; should this fail, it ends soon after.
        #[expect(clippy::disallowed_methods, reason = "joined below, with a limit")]
        let shooting = tokio::spawn(load.fire());
        let times = self.strike(stand, before).await;
        stop.store(times.is_err(), Relaxed);
        let fired = tokio::time::timeout(ROUND_LIMIT, shooting).await;
        stop.store(true, Relaxed);
        let times = times?;
        let ended = fired.with_context(|| {
            format!("the load did not end; the node's log:\n{}", stand.node.log_text())
        })?;
        ended.context("the load panicked")??;
        let sums = stand.node.settled_sums().await?;
        let (owed, arrived) = (usize::try_from(sums.owed)?, stand.board.arrived());
        if owed != arrived || sums.owed != sums.accepted {
            bail!("the books do not agree with the sink, which has {arrived} messages: {sums:?}");
        }
        Ok(judge(&stand.board, events, &times))
    }

    /// Waits for the moment, kills the node and starts it again.
    async fn strike(&self, stand: &mut Stand, before: usize) -> Result<Times> {
        let began = Instant::now();
        let acked = loop {
            let acked = stand.board.acked() - before;
            if bench::float(acked) >= self.kill_at {
                break acked;
            }
            if began.elapsed() > ROUND_LIMIT {
                bail!("{acked} events in {ROUND_LIMIT:?}; the log:\n{}", stand.node.log_text());
            }
            tokio::time::sleep(Duration::from_micros(500)).await;
        };
        tokio::time::sleep(self.pause).await;
        stand.node.kill().await?;
        let killed_ns = stand.board.now_ns();
        stand.node.spawn()?;
        Ok(Times { acked, killed_ns, restarted_ns: stand.board.now_ns() })
    }
}

/// When a node was killed and restarted, on the board's clock.
struct Times {
    /// Events of the round acknowledged by then.
    acked: usize,
    killed_ns: u64,
    restarted_ns: u64,
}

/// What became of the events of a round.
fn judge(board: &Board, events: Range<usize>, times: &Times) -> Round {
    let fates = board.fates(events.clone());
    let from = times.killed_ns.saturating_sub(bench::nanoseconds(UNDER_WAY));
    let under_way = from..times.killed_ns;
    let is_needless = |&&event: &&usize| !under_way.contains(&board.first_arrival(event));
    let since = |at: Option<u64>| at.map(|at| bench::seconds(at - times.restarted_ns));
    let round = Round {
        database: "",
        number: 0,
        killed_at: times.acked,
        acknowledged: fates.acked,
        lost: fates.missing.len(),
        doubled: fates.doubled.len(),
        unmarked: fates.unmarked.len(),
        needless: fates.doubled.iter().filter(is_needless).count(),
        next_accept_s: since(board.first_ack_after(events, times.restarted_ns)),
        next_message_s: since(board.first_arrival_after(times.restarted_ns)),
        passed: false,
    };
    Round { passed: passes(&round), ..round }
}

fn passes(round: &Round) -> bool {
    let soon = |time: Option<f64>| time.is_some_and(|time| time <= RESUME_LIMIT_S);
    round.lost == 0
        && round.unmarked == 0
        && round.needless == 0
        && soon(round.next_accept_s)
        && soon(round.next_message_s)
}

fn line(round: &Round) -> String {
    let time = |time: Option<f64>| time.map_or("never".to_owned(), |time| format!("{time:.3} s"));
    format!(
        "{:<8} round {:>2}: killed after {:>5}, {:>5} acknowledged, {} lost, {} doubled \
         ({} unmarked, {} needless), next accept after {}, next message after {}: {}",
        round.database,
        round.number,
        round.killed_at,
        round.acknowledged,
        round.lost,
        round.doubled,
        round.unmarked,
        round.needless,
        time(round.next_accept_s),
        time(round.next_message_s),
        if round.passed { "ok" } else { "FAILED" }
    )
}

/// Numbers by chance that a seed repeats (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to 1.
    fn part(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_numbers_and_they_spread() {
        let mut chance = Chance(7);
        let parts: Vec<f64> = (0..100).map(|_| chance.part()).collect();
        assert!(Chance(7).part().to_bits() == parts[0].to_bits());
        assert!(parts.iter().any(|&part| part < 0.1) && parts.iter().any(|&part| part > 0.9));
    }

    #[test]
    fn a_round_passes_only_if_nothing_was_lost_and_work_went_on() {
        let round = || Round {
            database: "sqlite",
            number: 1,
            killed_at: 5,
            acknowledged: 10,
            lost: 0,
            doubled: 2,
            unmarked: 0,
            needless: 0,
            next_accept_s: Some(0.2),
            next_message_s: Some(1.9),
            passed: false,
        };
        assert!(passes(&round()));
        assert!(!passes(&Round { lost: 1, ..round() }));
        assert!(!passes(&Round { unmarked: 1, ..round() }));
        assert!(!passes(&Round { needless: 1, ..round() }));
        assert!(!passes(&Round { next_message_s: None, ..round() }));
        assert!(!passes(&Round { next_accept_s: Some(2.1), ..round() }));
    }
}
