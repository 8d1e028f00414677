//! A node of a drill: the program itself, run as a child on a folder that is thrown away.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use bugle_app::tasks::Tasks;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, watch};

use super::api::Api;
use super::board::OPERATORS;
use super::company::Plan;
use super::error::DrillError;
use super::orders::{Order, Point, Word};
use crate::lab::{Account, Lab};
use crate::state::PROBE_NUMBER;

/// How long a node may take to start, and to carry out an order.
const LIMIT: Duration = Duration::from_mins(1);
/// Answers that may wait to be read.
const WORDS: usize = 16;
/// How much of the log's end is shown, in bytes.
const LOG_END: usize = 4_000;

/// How a node is run.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The program.
    pub program: PathBuf,
    /// Mechanisms that are taken out, by name.
    pub without: Vec<String>,
    /// A database, where it is not to be in the folder.
    pub database: Option<String>,
}

/// A node.
pub(super) struct Node {
    settings: Settings,
    plan: Plan,
    address: SocketAddr,
    http: reqwest::Client,
    tasks: Tasks,
    running: Option<Running>,
    folder: TempDir,
}

struct Running {
    child: Child,
    orders: ChildStdin,
    words: mpsc::Receiver<Word>,
    stands: watch::Receiver<Option<Point>>,
    keys: Vec<String>,
}

impl Node {
    /// Prepares one whose providers are the lab's. Nothing runs yet.
    ///
    /// # Errors
    ///
    /// No folder or no port can be had.
    pub(super) fn prepare(
        settings: Settings,
        plan: Plan,
        lab: &Lab,
        tasks: &Tasks,
    ) -> Result<Self, DrillError> {
        let folder = tempfile::Builder::new().prefix("bugle-drill-").tempdir()?;
        // The port is free now, and the same after every restart.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let configuration = configuration(lab, address, plan.readers > 0);
        std::fs::write(folder.path().join("bugle.toml"), configuration)?;
        let (http, tasks) = (lab.client().clone(), tasks.clone());
        Ok(Self { settings, plan, address, http, tasks, running: None, folder })
    }

    /// Starts it, and waits until it takes requests.
    ///
    /// # Errors
    ///
    /// It does not start in time.
    pub(super) async fn start(&mut self) -> Result<(), DrillError> {
        let mut child = self.command()?.spawn()?;
        let (Some(orders), Some(said)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the node has no pipes").into());
        };
        let (send_word, words) = mpsc::channel(WORDS);
        let (send_stand, stands) = watch::channel(None);
        self.tasks.once(listen(said, send_word, send_stand));
        let keys = Vec::new();
        self.running = Some(Running { child, orders, words, stands, keys });
        match self.word("a start").await? {
            Word::Ready { keys } => {
                if let Some(running) = &mut self.running {
                    running.keys = keys;
                }
                Ok(())
            }
            other => Err(DrillError::Node(format!("{other:?}"))),
        }
    }

    fn command(&self) -> Result<Command, DrillError> {
        let plan = serde_json::to_string(&self.plan).map_err(io::Error::other)?;
        let mut command = Command::new(&self.settings.program);
        command.arg("drill-node").arg("--data").arg(self.folder.path().join("data"));
        command.arg("--config").arg(self.folder.path().join("bugle.toml"));
        command.args(["--company", &plan]);
        if let Some(database) = &self.settings.database {
            command.args(["--database", database]);
        }
        for mechanism in &self.settings.without {
            command.args(["--without", mechanism]);
        }
        command.env_clear().kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(self.log()?);
        Ok(command)
    }

    /// Ends it as a power cut would, and waits until it has ended.
    ///
    /// # Errors
    ///
    /// It cannot be killed.
    pub(super) async fn kill(&mut self) -> Result<(), DrillError> {
        if let Some(mut running) = self.running.take() {
            running.child.kill().await?;
        }
        Ok(())
    }

    /// Has it carry out an order.
    ///
    /// # Errors
    ///
    /// It does not, or not in time.
    pub(super) async fn order(&mut self, order: &Order) -> Result<Word, DrillError> {
        let mut line = serde_json::to_vec(order).map_err(io::Error::other)?;
        line.push(b'\n');
        if let Some(running) = &mut self.running {
            running.orders.write_all(&line).await?;
            running.orders.flush().await?;
        }
        match self.word("an order").await? {
            Word::Failed { why } => Err(DrillError::Node(why)),
            word => Ok(word),
        }
    }

    /// Waits until it stands still at a step.
    ///
    /// # Errors
    ///
    /// It does not within `limit`.
    pub(super) async fn stands(&mut self, step: Point, limit: Duration) -> Result<(), DrillError> {
        let never = || self.never(format!("{step:?}"), limit);
        let Some(running) = &self.running else { return Err(never()) };
        let mut stands = running.stands.clone();
        let waiting = stands.wait_for(|stands| *stands == Some(step));
        let came = tokio::time::timeout(limit, waiting).await.is_ok_and(|came| came.is_ok());
        if came { Ok(()) } else { Err(never()) }
    }

    async fn word(&mut self, to: &str) -> Result<Word, DrillError> {
        let heard = match &mut self.running {
            Some(running) => tokio::time::timeout(LIMIT, running.words.recv()).await.ok().flatten(),
            None => None,
        };
        heard.ok_or_else(|| self.never(format!("an answer to {to}"), LIMIT))
    }

    /// Its API, as a tenant's lead; the first one's is an operator.
    pub(super) fn api(&self, tenant: usize) -> Api {
        let keys = self.running.as_ref().map(|running| running.keys.as_slice());
        let key = keys.and_then(|keys| keys.get(tenant)).cloned().unwrap_or_default();
        Api::new(self.http.clone(), self.address, key)
    }

    /// Where its status page is written.
    pub(super) fn page(&self) -> PathBuf {
        self.folder.path().join("data/status")
    }

    /// What is said when something does not come about.
    pub(super) fn never(&self, what: impl Into<String>, limit: Duration) -> DrillError {
        DrillError::Never { what: what.into(), limit, log: self.log_end() }
    }

    fn log(&self) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(self.folder.path().join("log"))
    }

    fn log_end(&self) -> String {
        let text = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
        let end = text.get(text.len().saturating_sub(LOG_END)..).unwrap_or_default();
        String::from_utf8_lossy(end).into_owned()
    }
}

/// Hears what the node says until it ends.
async fn listen(
    said: ChildStdout,
    words: mpsc::Sender<Word>,
    stands: watch::Sender<Option<Point>>,
) {
    let mut lines = BufReader::new(said).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Word::Stands { step }) => drop(stands.send_replace(Some(step))),
            Ok(word) => {
                if words.send(word).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::debug!(%error, line, "a drill's node said something else"),
        }
    }
}

/// The configuration file: what an operator would write who had these accounts.
fn configuration(lab: &Lab, address: SocketAddr, mails: bool) -> String {
    let accounts = [("simulated", lab.account()), ("spare", lab.spare_account())];
    let accounts: String =
        accounts.iter().map(|(name, account)| provider(lab, name, *account)).collect();
    let (email, mail_server) =
        if mails { ("email = [\"mail\"]\n", mail_server(lab)) } else { ("", String::new()) };
    let operators = Value::from(lab.hook_url(OPERATORS).as_str());
    format!(
        "[server]\nlisten = \"{address}\"\n\n[log]\nlevel = \"warn\"\n\n\
         [channels]\nsms = [\"simulated\", \"spare\"]\nvoice = [\"simulated\", \"spare\"]\n\
         {email}\n\
         [channels.webhook]\nallow = [\"127.0.0.0/8\"]\n\n\
         [watch]\nreceipt_late_after = \"4s\"\nclear_after = \"4s\"\nrecover_after = \"2s\"\n\n\
         [status]\nupdate_every = \"1m\"\n\n\
         [watch.operators]\nwebhook = [{operators}]\nrepeat = \"10s\"\n{accounts}{mail_server}"
    )
}

fn mail_server(lab: &Lab) -> String {
    let (host, port) = (lab.smtp_addr().ip(), lab.smtp_addr().port());
    format!(
        "\n[providers.mail]\nkind = \"smtp\"\nhost = \"{host}\"\nport = {port}\n\
         security = \"none\"\nfrom = \"Bugle <bugle@halden.example>\"\n"
    )
}

fn provider(lab: &Lab, name: &str, account: Account) -> String {
    let Account { sid, token, number } = account;
    format!(
        "\n[providers.{name}]\nkind = \"twilio\"\napi_url = \"{}\"\naccount_sid = \"{sid}\"\n\
         auth_token = \"{token}\"\nfrom = \"{number}\"\n\n\
         [watch.probes.{name}]\nsms = \"{PROBE_NUMBER}\"\nvoice = \"{PROBE_NUMBER}\"\n",
        lab.twilio_base()
    )
}
