//! A real process that serves, with its folder: it can be configured, killed and started again, and
//! have another node beside it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bugle_app::store::Store;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// How long anything may take: a change has to pass its checkpoints, or to be undone.
pub(crate) const LIMIT: Duration = Duration::from_mins(2);
/// A server with its folder, running or not.
pub(crate) struct Server {
    folder: TempDir,
    child: Option<Child>,
    key: String,
    base: String,
    config: String,
}

impl Server {
    /// Set up, with an operator's key, and not started.
    pub(crate) async fn new(config: &str) -> Self {
        bugle::install_tls();
        let mut server = Self::with(config, "");
        let said = server
            .command(&["setup", "--name", "Lena", "--email", "lena@halden.example", "--json"])
            .output()
            .await
            .unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        let said: Value = serde_json::from_slice(&said.stdout).unwrap();
        said["api_key"].as_str().unwrap().clone_into(&mut server.key);
        server
    }

    fn with(config: &str, key: &str) -> Self {
        let (folder, key) = (tempfile::tempdir().unwrap(), key.to_owned());
        let (base, config) = (String::new(), config.to_owned());
        let server = Self { folder, child: None, key, base, config };
        server.configure(&server.config);
        server
    }

    /// Another node of the same installation, with a folder of its own, not started.
    pub(crate) fn beside(&self) -> Self {
        Self::with(&self.config, &self.key)
    }

    /// Where its data is.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.folder.path().join("bugle.toml"), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bugle"));
        command.args(arguments).arg("--data").arg(self.data());
        command.arg("--config").arg(self.folder.path().join("bugle.toml"));
        command.env_clear().env("BUGLE__LOG__LEVEL", "warn").kill_on_drop(true);
        command
    }

    /// Its database, while it does not run.
    pub(crate) async fn store(&self) -> Store {
        let url = format!("sqlite:{}", self.data().join("bugle.db").display());
        bugle::node::open_store(&url, 1).await.unwrap()
    }

    /// Starts it, and waits until it takes requests.
    pub(crate) async fn start(&mut self) {
        let listen: &Path = &self.data().join("listen");
        let _gone_or_never_there = std::fs::remove_file(listen);
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let mut serve = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        let child = serve.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.child = Some(child);
        let began = Instant::now();
        while !listen.exists() {
            assert!(began.elapsed() < LIMIT, "it never listened: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let address = std::fs::read_to_string(listen).unwrap();
        self.base = format!("http://{}", address.trim());
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The same where it was not killed before.
    pub(crate) async fn kill_if_running(&mut self) {
        if self.child.is_some() {
            self.kill().await;
        }
    }

    /// Ends it as a power cut would.
    pub(crate) async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    /// Where it is reached.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = reqwest::Client::new().get(format!("{}{path}", self.base));
        request.bearer_auth(&self.key).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = reqwest::Client::new().post(format!("{}{path}", self.base));
        let answer = request.bearer_auth(&self.key).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Waits until what is there at a path is as wanted.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let found = self.get(path).await;
            if wanted(&found) {
                return found;
            }
            assert!(began.elapsed() < LIMIT, "never came: {found:#}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until it has logged this.
    pub(crate) async fn until_logged(&self, text: &str) {
        let began = Instant::now();
        while !self.log().contains(text) {
            assert!(began.elapsed() < LIMIT, "it never said {text}: {}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Gives the admin an address.
    pub(crate) async fn method(&self) {
        let users = self.get("/api/v1/users").await;
        let user = users["data"][0]["id"].as_str().unwrap();
        let path = format!("/api/v1/users/{user}/contact-methods");
        let wanted = json!({"name": "mail", "channel": "email", "address": "l@halden.example"});
        let (status, made) = self.post(&path, wanted).await;
        assert!(status < 300, "{made:#}");
    }

    /// Waits until the watch sees canaries come through so many nodes: before, no change is begun.
    pub(crate) async fn until_green(&self, nodes: usize) {
        let came = |found: &Value| {
            let canaries = found["view"]["canaries"].as_array().or(found["canaries"].as_array());
            canaries.is_some_and(|all| {
                let of: BTreeSet<&str> = all.iter().filter_map(|it| it["node"].as_str()).collect();
                of.len() == nodes && all.iter().all(|it| !it["through"].is_null())
            })
        };
        self.until("/api/v1/watch", came).await;
    }

    /// Begins a change of the known-good, as `how` says, and gives its number.
    pub(crate) async fn begin(&self, (from, to): (&str, &str), how: Value) -> i64 {
        let document = self.get("/api/v1/revisions/1").await;
        let document = document["document"].as_str().unwrap().to_owned();
        assert!(document.contains(from), "{document}");
        let mut wanted = how;
        wanted["document"] = json!(document.replace(from, to));
        let (status, begun) = self.post("/api/v1/changes", wanted).await;
        assert_eq!(status, 202, "{begun:#}");
        begun["number"].as_i64().unwrap()
    }

    /// Sends an event with a key of an integration.
    pub(crate) async fn send(&self, key: &str, event: Value) {
        let request = reqwest::Client::new().post(format!("{}/api/v1/events", self.base));
        let answer = request.bearer_auth(key).json(&event).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    }
}
