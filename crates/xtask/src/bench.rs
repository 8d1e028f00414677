//! `cargo xtask bench`: how fast, and beside what.
//!
//! Bugle is run as a program, as users run it, with routing, folding, policies, schedules, rules,
//! timeline and ledger on. After each phase the books must balance and agree with the sink.

mod figures;
mod phases;
mod yardstick;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::fixtures;
use crate::fixtures::postgres::Postgres;
use crate::process;
use figures::Report;

/// What to measure.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Measures once and for a short time: for comparing while working, not for keeping.
    #[arg(long)]
    quick: bool,
    /// On which databases.
    #[arg(long, value_enum, default_value_t = Databases::Both)]
    database: Databases,
    /// This program instead of a build of this checkout: for comparing two builds.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Only these, of all there are.
    #[arg(value_enum)]
    only: Vec<Phase>,
}

/// On which databases.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum, Debug)]
pub(crate) enum Databases {
    /// SQLite only.
    Sqlite,
    /// PostgreSQL only.
    Postgres,
    /// Both, one after the other.
    Both,
}

impl Databases {
    /// Each database to run on, with its server if it has one: started when it is first needed.
    pub(crate) async fn servers(self) -> Result<Vec<Option<Arc<Postgres>>>> {
        let mut servers = Vec::new();
        if self != Self::Postgres {
            servers.push(None);
        }
        if self != Self::Sqlite {
            servers.push(Some(Arc::new(fixtures::durable_postgres().await?)));
        }
        Ok(servers)
    }
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum, Debug)]
pub(crate) enum Phase {
    /// What the machine itself can do.
    Yardstick,
    /// From start to the first accepted event.
    Start,
    /// Memory of an idle node, and what its watch takes of a processor.
    Idle,
    /// Event to provider at 10 events a second.
    Latency,
    /// Accepts a second on 1, 16 and 64 connections.
    Accepts,
    /// Notifications a second, and their CPU time.
    Notifications,
    /// The same with the watch and without it, in turns.
    Watch,
    /// Cost of an event with 1,000, 10,000 and 100,000 kept, and memory then.
    Growth,
}

impl Phase {
    const ALL: [Self; 8] = [
        Self::Yardstick,
        Self::Start,
        Self::Idle,
        Self::Latency,
        Self::Accepts,
        Self::Notifications,
        Self::Watch,
        Self::Growth,
    ];
}

/// Measures, and fails if a target was missed.
pub(crate) async fn run(options: Options) -> Result<()> {
    if cfg!(debug_assertions) {
        return run_release().await;
    }
    let program = program(options.program.clone()).await?;
    let phases = if options.only.is_empty() { Phase::ALL.to_vec() } else { options.only.clone() };
    let mut report = Report::default();
    if phases.contains(&Phase::Yardstick) {
        eprintln!("==> the machine");
        yardstick::disk(&mut report).await?;
        yardstick::loopback(&mut report).await?;
    }
    for server in options.database.servers().await? {
        let database = if server.is_some() { "postgres" } else { "sqlite" };
        if phases.contains(&Phase::Yardstick) {
            eprintln!("==> {database}");
            match &server {
                None => yardstick::sqlite(&mut report).await?,
                Some(server) => yardstick::postgres(&mut report, server).await?,
            }
        }
        let mut bench = phases::Bench::new(&program, server, &mut report, options.quick);
        for phase in &phases {
            bench.measure(*phase).await.with_context(|| format!("{phase:?} on {database}"))?;
        }
    }
    report.finish();
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{}", report.table());
    }
    if !report.passed {
        bail!("a target was missed");
    }
    Ok(())
}

/// The program to drive: the one given, or a build of this checkout.
pub(crate) async fn program(given: Option<PathBuf>) -> Result<PathBuf> {
    match given {
        Some(program) => std::path::absolute(program).context("no such path"),
        None => build("bugle").await,
    }
}

/// Runs this same command again from a release build: a slow load would measure itself.
pub(crate) async fn run_release() -> Result<()> {
    let mut again = tokio::process::Command::new(build("xtask").await?);
    let status = again.args(std::env::args_os().skip(1)).kill_on_drop(true).status().await;
    let status = status.context("could not start the release build of xtask")?;
    std::process::exit(status.code().unwrap_or(1));
}

/// Builds Bugle and xtask for release, together, so that they share what they depend on. Returns
/// one of the two programs.
async fn build(name: &str) -> Result<PathBuf> {
    eprintln!("==> cargo build --release");
    let mut cargo = process::command("cargo");
    cargo.args(["build", "--release", "--package", "bugle", "--package", "xtask", "--quiet"]);
    cargo.arg("--message-format=json-render-diagnostics");
    let said = process::printed(&mut cargo).await?;
    let program = said.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_it = message.get("target")?.get("name")? == name;
        let program = message.get("executable")?.as_str()?;
        is_it.then(|| PathBuf::from(program))
    });
    program.with_context(|| format!("cargo built no program `{name}`"))
}

/// The middle of some figures; 0 of none.
fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[expect(clippy::cast_precision_loss, reason = "counts of events stay far below 2^52")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// A duration as the board counts it.
pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A duration of the board, for reading.
pub(crate) fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]).to_string(), "2");
        assert_eq!(median([]).to_string(), "0");
    }
}
