//! Real processes that are killed and started again: settings of the file that changed meanwhile,
//! and a change that was under way.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// How long anything may take: a change has to pass its checkpoints, or to be undone.
const LIMIT: Duration = Duration::from_mins(2);
/// Providers that nothing is sent to here.
const MAIL: &str = "[providers.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = 1\n\
                    from = \"Bugle <bugle@halden.example>\"\nsecurity = \"none\"\n\
                    [channels]\nemail = [\"mail\"]\n";

/// A server with its folder, running or not.
struct Server {
    folder: TempDir,
    child: Option<Child>,
    key: String,
    base: String,
}

impl Server {
    /// Set up, with an operator's key, and not started.
    async fn new() -> Self {
        bugle::install_tls();
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self { folder, child: None, key: String::new(), base: String::new() };
        server.configure(MAIL);
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

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn configure(&self, text: &str) {
        std::fs::write(self.folder.path().join("bugle.toml"), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bugle"));
        command.args(arguments).arg("--data").arg(self.data());
        command.arg("--config").arg(self.folder.path().join("bugle.toml"));
        command.env_clear().env("BUGLE__LOG__LEVEL", "warn").kill_on_drop(true);
        command
    }

    /// Starts it, and waits until it takes requests.
    async fn start(&mut self) {
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

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends it as a power cut would.
    async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    async fn get(&self, path: &str) -> Value {
        let request = reqwest::Client::new().get(format!("{}{path}", self.base));
        request.bearer_auth(&self.key).send().await.unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = reqwest::Client::new().post(format!("{}{path}", self.base));
        let answer = request.bearer_auth(&self.key).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Waits until what is there at a path is as wanted.
    async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
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
    async fn until_logged(&self, text: &str) {
        let began = Instant::now();
        while !self.log().contains(text) {
            assert!(began.elapsed() < LIMIT, "it never said {text}: {}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Gives the admin an address.
    async fn method(&self) {
        let users = self.get("/api/v1/users").await;
        let user = users["data"][0]["id"].as_str().unwrap();
        let path = format!("/api/v1/users/{user}/contact-methods");
        let wanted = json!({"name": "mail", "channel": "email", "address": "l@halden.example"});
        let (status, made) = self.post(&path, wanted).await;
        assert!(status < 300, "{made:#}");
    }

    /// Waits until the watch sees canaries come through: before, no change is begun.
    async fn until_green(&self) {
        let came = |found: &Value| {
            let canaries = found["view"]["canaries"].as_array().or(found["canaries"].as_array());
            canaries
                .is_some_and(|all| !all.is_empty() && all.iter().all(|it| !it["through"].is_null()))
        };
        self.until("/api/v1/watch", came).await;
    }

    /// Begins a change of the known-good, and gives its number.
    async fn begin(&self, from: &str, to: &str) -> i64 {
        let document = self.get("/api/v1/revisions/1").await;
        let document = document["document"].as_str().unwrap().to_owned();
        assert!(document.contains(from), "{document}");
        let document = document.replace(from, to);
        let wanted = json!({"document": document, "reason": "a test", "watch_s": 10});
        let (status, begun) = self.post("/api/v1/changes", wanted).await;
        assert_eq!(status, 202, "{begun:#}");
        begun["number"].as_i64().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_of_the_file_that_changed_become_a_change_or_are_refused_loudly() {
    let mut server = Server::new().await;
    server.configure(&format!("{MAIL}[dispatch]\nparallel = 17\n"));
    server.start().await;
    let passed = |found: &Value| {
        let seen = found["checkpoints"].as_array().into_iter().flatten();
        seen.into_iter().any(|it| it["state"] == "applied_all")
    };
    let change = server.until("/api/v1/changes/1", passed).await;
    assert_eq!(change["author"], "configuration file", "{change:#}");
    let revision = server.get("/api/v1/revisions/2").await;
    assert!(revision["document"].as_str().unwrap().contains("parallel = 17"), "{revision:#}");
    let (status, _) = server.post("/api/v1/changes/undo", json!({})).await;
    assert_eq!(status, 202);
    server.until("/api/v1/changes/1", |found| found["state"] == "undone").await;
    server.method().await;
    server.kill().await;
    // Somebody is reached by mail, and nobody sends it any more.
    server.configure("");
    server.start().await;
    let refused = server.until("/api/v1/changes/2", |found| found["over"] == true).await;
    assert_eq!(refused["state"], "refused", "{refused:#}");
    let why = refused["why"].as_str().unwrap();
    assert!(why.contains("has no provider for email, which is used"), "{why}");
    server.until_logged("a change is refused").await;
    server.kill().await;
    server.start().await;
    server.until_logged("the stages do not run what the configuration file has").await;
    let (runs, good) = (server.get("/readyz").await, server.get("/api/v1/revisions/1").await);
    assert!(good["document"].as_str().unwrap().contains("email"), "{runs:#}");
    server.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_node_is_killed_in_the_middle_of_it_is_gone_on_with() {
    let mut server = Server::new().await;
    server.start().await;
    server.until_green().await;
    let cases = [
        ("parallel = 256", "parallel = 31", "checked"),
        ("parallel = 256", "parallel = 32", "applied_all"),
    ];
    for (from, to, reached) in cases {
        let number = server.begin(from, to).await;
        let path = format!("/api/v1/changes/{number}");
        let passed = |found: &Value| {
            let seen = found["checkpoints"].as_array().into_iter().flatten();
            seen.into_iter().any(|it| it["state"] == reached)
        };
        let before = server.until(&path, passed).await;
        assert_eq!(before["over"], false, "{before:#}");
        server.kill().await;
        server.start().await;
        let after = server.until(&path, |found| found["over"] == true).await;
        let state = after["state"].as_str().unwrap();
        assert!(["known_good", "undone"].contains(&state), "{after:#}");
        let revision = if state == "known_good" { &after["revision"] } else { &after["previous"] };
        let document = server.get(&format!("/api/v1/revisions/{revision}")).await;
        assert_eq!(document["document"].as_str().unwrap().contains(to), state == "known_good");
        server.until_green().await;
    }
    server.kill().await;
}
