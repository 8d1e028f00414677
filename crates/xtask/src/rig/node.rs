//! A node of Bugle run as a program: made, configured, started, killed.

use std::fs::{File, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::api::{Api, text};
use super::board::Board;
use super::proc;
use crate::fixtures::account::command_as;
use crate::fixtures::postgres::Postgres;
use crate::process;

const START_LIMIT: Duration = Duration::from_secs(30);
const PASSWORD: &str = "correct horse battery staple 7";

/// Loopback is where the sink is.
const CONFIG: &str = "[channels.webhook]\nallow = [\"127.0.0.0/8\"]\n";

/// A node, its data, and its database if that is not a file among them.
pub(crate) struct Node {
    // Dropped in this order: the node ends before its database and its folder go.
    child: Option<Child>,
    postgres: Option<Arc<Postgres>>,
    url: Option<String>,
    program: PathBuf,
    folder: TempDir,
    pub(crate) api: Api,
}

/// The books, as far as we compare them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub(crate) struct Sums {
    pub(crate) accepted: i64,
    pub(crate) pending: i64,
    pub(crate) alerted: i64,
    pub(crate) folded: i64,
    pub(crate) suppressed: i64,
    pub(crate) owed: i64,
    pub(crate) waiting: i64,
    pub(crate) sending: i64,
    pub(crate) handed_off: i64,
    pub(crate) ended: Ended,
}

/// Notifications that ended, by kind.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub(crate) struct Ended {
    pub(crate) answered: i64,
    pub(crate) delivered: i64,
    pub(crate) failed: i64,
    pub(crate) cancelled: i64,
    pub(crate) expired: i64,
}

impl Sums {
    /// Nothing waits that could be done now.
    pub(crate) fn is_settled(&self) -> bool {
        self.pending == 0 && self.waiting == 0 && self.sending == 0
    }

    /// Fails unless both sums come out.
    pub(crate) fn check(&self) -> Result<()> {
        let Ended { answered, delivered, failed, cancelled, expired } = &self.ended;
        let ended = answered + delivered + failed + cancelled + expired;
        let events = self.accepted - self.pending - self.alerted - self.folded - self.suppressed;
        let owed = self.owed - self.waiting - self.sending - self.handed_off - ended;
        if events != 0 || owed != 0 {
            bail!("the ledger is out by {events} events and {owed} notifications: {self:?}");
        }
        Ok(())
    }
}

impl Node {
    /// Makes an empty node: on SQLite, or in a new database of a PostgreSQL.
    pub(crate) async fn set_up(program: &Path, postgres: Option<Arc<Postgres>>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bugle-node-").tempdir()?;
        std::fs::write(folder.path().join("bugle.toml"), CONFIG)?;
        std::fs::write(folder.path().join("password"), PASSWORD)?;
        let url = match &postgres {
            Some(postgres) => Some(postgres.new_database().await?),
            None => None,
        };
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let api = Api { address, key: String::new() };
        let program = program.to_path_buf();
        let mut node = Self { child: None, postgres, url, program, folder, api };
        let mut setup = node.command("setup");
        setup.args(["--name", "Bench", "--email", "bench@example.com", "--json"]);
        setup.arg("--password-file").arg(node.folder.path().join("password"));
        let said = process::output(&mut setup).await?;
        let made: serde_json::Value = serde_json::from_str(said.trim())
            .with_context(|| format!("`bugle setup` printed {said}"))?;
        text(&made, "api_key")?.clone_into(&mut node.api.key);
        Ok(node)
    }

    /// Adds to its configuration; it holds from the next start.
    pub(crate) fn configure(&self, more: &str) -> Result<()> {
        let path = self.folder.path().join("bugle.toml");
        std::fs::write(path, format!("{CONFIG}\n{more}")).context("could not configure the node")
    }

    fn command(&self, name: &str) -> Command {
        let mut command = command_as(None, &self.program);
        command.arg(name).arg("--data").arg(self.folder.path().join("data"));
        if let Some(url) = &self.url {
            command.args(["--database", url]);
        }
        command
    }

    /// Starts it, and does not wait for anything.
    pub(crate) fn spawn(&mut self) -> Result<()> {
        let mut serve = self.command("serve");
        serve.arg("--config").arg(self.folder.path().join("bugle.toml"));
        serve.args(["--listen", &self.api.address.to_string()]);
        serve.stdout(self.log()?).stderr(self.log()?);
        self.child = Some(serve.spawn().context("could not start `bugle serve`")?);
        Ok(())
    }

    /// Starts it and waits until it takes requests.
    pub(crate) async fn start(&mut self) -> Result<()> {
        self.spawn()?;
        let began = Instant::now();
        while began.elapsed() < START_LIMIT {
            let status = self.child.as_mut().map(Child::try_wait).transpose()?.flatten();
            if let Some(status) = status {
                bail!("`bugle serve` ended at once ({status}):\n{}", self.log_text());
            }
            if self.api.get("/api/v1/ledger").await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let error = self.api.get("/api/v1/ledger").await.err();
        bail!("`bugle serve` was not ready in {START_LIMIT:?} ({error:?}):\n{}", self.log_text())
    }

    /// Ends it as a power cut would.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await.context("could not kill `bugle serve`")?;
        }
        Ok(())
    }

    fn log(&self) -> Result<File> {
        let path = self.folder.path().join("log");
        OpenOptions::new().create(true).append(true).open(path).context("could not write a log")
    }

    /// The end of what it has logged.
    pub(crate) fn log_text(&self) -> String {
        let text = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
        let tail = &text[text.len().saturating_sub(4_000)..];
        String::from_utf8_lossy(tail).into_owned()
    }

    /// CPU seconds used since they started by this node and its database.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        let own = proc::cpu_seconds(self.pid()?)?;
        let database = self.postgres.as_ref().and_then(|postgres| postgres.pid());
        Ok(own + database.map(proc::cpu_seconds).transpose()?.unwrap_or(0.0))
    }

    /// Resident memory of the node, in MiB.
    pub(crate) fn memory_mib(&self) -> Result<f64> {
        proc::memory_mib(self.pid()?)
    }

    fn pid(&self) -> Result<u32> {
        self.child.as_ref().and_then(Child::id).context("the node is not running")
    }

    /// The books of its tenant.
    pub(crate) async fn sums(&self) -> Result<Sums> {
        let ledger = self.api.get("/api/v1/ledger").await?;
        let total = ledger.get("total").unwrap_or(&ledger).clone();
        serde_json::from_value(total).with_context(|| format!("not a ledger: {ledger}"))
    }

    /// Waits until so many events have arrived at the sink and the books are settled, and checks
    /// them against the sink.
    pub(crate) async fn settle(&self, board: &Board, arrivals: usize) -> Result<Sums> {
        wait_for_arrivals(board, arrivals).await.map_err(|error| {
            error.context(format!("the node's log ends with:\n{}", self.log_text()))
        })?;
        let sums = self.settled_sums().await?;
        if board.strangers() > 0 {
            bail!("{} messages were about no event of ours", board.strangers());
        }
        Ok(sums)
    }

    /// Waits until the books are settled, and checks them.
    pub(crate) async fn settled_sums(&self) -> Result<Sums> {
        let began = Instant::now();
        loop {
            let sums = self.sums().await?;
            sums.check()?;
            if sums.is_settled() {
                return Ok(sums);
            }
            if began.elapsed() > Duration::from_mins(1) {
                bail!("the books did not settle: {sums:?}\n{}", self.log_text());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Waits while arrivals go on, until there are so many.
async fn wait_for_arrivals(board: &Board, wanted: usize) -> Result<()> {
    const SILENCE: Duration = Duration::from_secs(20);
    let (mut last, mut since) = (board.arrived(), Instant::now());
    while board.arrived() < wanted {
        if board.arrived() > last {
            (last, since) = (board.arrived(), Instant::now());
        }
        if since.elapsed() > SILENCE {
            bail!("{last} of {wanted} notifications arrived, then none for {SILENCE:?}");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}
