//! What the machine itself can do, measured in the same run as Bugle.

use std::io::{Seek as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::figures::{Figure, Report};
use super::median;
use crate::fixtures::postgres::Postgres;
use crate::process;
use crate::rig::board::{Board, Times};
use crate::rig::load::{Load, Template};
use crate::rig::proc;
use crate::rig::sink::Sink;

/// Between flushes at ten a second.
const PAUSE: Duration = Duration::from_millis(100);
const RUNS: usize = 3;
const PAGE: usize = 4_096;
const PAGES: usize = 256;

/// Single-row commits, one after the other, as a program with SQLite in it would do them.
const SQLITE: &str = r#"
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA synchronous = FULL")
db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
began, count = time.monotonic(), 0
while time.monotonic() < began + 1:
    db.execute("INSERT INTO t (text) VALUES (?)", ("x" * 300,))
    count += 1
print(count / (time.monotonic() - began))
"#;

/// How long a flush of the disk takes: one after the other, and alone, as at ten events a second.
/// A disk that was idle may need much longer than one that is kept busy.
pub(super) async fn disk(report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (name, pause, count) in [("", Duration::ZERO, 5_000), ("_alone", PAUSE, 30)] {
        let mut runs = Vec::new();
        for run in 0..RUNS {
            runs.push(flush(&folder.path().join(run.to_string()), pause, count).await?);
        }
        for (part, quantile) in [("p50", 0.5), ("p99", 0.99)] {
            let value = median(runs.iter().map(|times| times.quantile_ms(quantile)));
            report.add(Figure::new(format!("disk_flush{name}_{part}"), "none", value, "ms"));
        }
    }
    Ok(())
}

async fn flush(path: &std::path::Path, pause: Duration, count: usize) -> Result<Times> {
    let mut file = std::fs::File::create(path).context("could not write to the disk")?;
    // Written once before, as a database's log is: a file that grows costs a second flush.
    file.write_all(&vec![1; PAGE * PAGES])?;
    file.sync_all()?;
    let mut times = Vec::new();
    while times.len() < count {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        let start = Instant::now();
        if times.len() % PAGES == 0 {
            file.rewind()?;
        }
        file.write_all(&[7; PAGE])?;
        file.sync_data()?;
        times.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    Ok(Times::new(times.into_iter()))
}

/// Single-row commits of SQLite in a second.
pub(super) async fn sqlite(report: &mut Report) -> Result<()> {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let folder = tempfile::tempdir()?;
        let mut python = process::command("python3");
        python.args(["-c", SQLITE]).arg(folder.path().join("db"));
        let said = process::output(&mut python).await?;
        runs.push(said.trim().parse::<f64>().with_context(|| format!("SQLite said {said}"))?);
    }
    report.add(Figure::new("commits_1", "sqlite", median(runs), "1/s"));
    Ok(())
}

/// Single-row commits of PostgreSQL in a second, on 1 and on 16 connections.
pub(super) async fn postgres(report: &mut Report, postgres: &Postgres) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("insert.sql");
    std::fs::write(&script, "INSERT INTO yardstick (text) VALUES (repeat('x', 300));\n")?;
    postgres.query("CREATE TABLE yardstick (id bigserial PRIMARY KEY, text text)").await?;
    for connections in ["1", "16"] {
        let mut pgbench = process::command("pgbench");
        pgbench.args(["-n", "-T", "3", "-c", connections, "-j", "1", "-M", "prepared", "-f"]);
        pgbench.arg(&script).arg(postgres.url("postgres"));
        let said = process::output(&mut pgbench).await?;
        let rate = said
            .lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
        let rate = rate.with_context(|| format!("pgbench said {said}"))?;
        report.add(Figure::new(format!("commits_{connections}"), "postgres", rate, "1/s"));
    }
    Ok(())
}

/// The load against the sink, with nothing between them.
pub(super) async fn loopback(report: &mut Report) -> Result<()> {
    const EVENTS: usize = 50_000;
    let board = Arc::new(Board::new(EVENTS * RUNS));
    let sink = Sink::start(Arc::clone(&board))?;
    let head = "POST /loopback HTTP/1.1\r\nhost: 127.0.0.1";
    let body = format!("{{\"dedup_key\":\"bench-0000000\",\"details\":\"{}\"}}", "x".repeat(400));
    let templates: Arc<[Template]> = Arc::from([Template::new(head, &body)?]);
    let (mut rates, mut cpu, mut p50) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let events = board.reserve(EVENTS).context("the board is full")?;
        let load = Load {
            target: sink.address(),
            templates: Arc::clone(&templates),
            board: Arc::clone(&board),
            connections: 64,
            events: events.clone(),
            per_second: None,
            time: None,
            survives: false,
            stop: Arc::default(),
        };
        let (began, used) = (Instant::now(), proc::cpu_seconds(std::process::id())?);
        load.fire().await?.check()?;
        let thousands = super::float(EVENTS) / 1000.0;
        rates.push(super::float(EVENTS) / began.elapsed().as_secs_f64());
        cpu.push((proc::cpu_seconds(std::process::id())? - used) / thousands);
        p50.push(board.ack_times(events).quantile_ms(0.5));
    }
    report.add(Figure::new("loopback_64", "none", median(rates), "1/s"));
    report.add(Figure::new("loopback_cpu_per_1000", "none", median(cpu), "s"));
    report.add(Figure::new("loopback_p50_64", "none", median(p50), "ms"));
    Ok(())
}
