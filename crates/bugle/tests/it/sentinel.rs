//! The sentinel: real processes, of which one is killed and one is frozen.

use std::path::Path;
use std::time::{Duration, Instant};

use bugle_app::Clock;
use bugle_lab::Lab;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// What a dead server may take to be noticed.
const PAGED_WITHIN: Duration = Duration::from_secs(15);
/// How long anything else may take.
const LIMIT: Duration = Duration::from_mins(1);
/// What sentinels show to be told what the watch says.
const KEY: &str = "a key for sentinels";

fn bugle(arguments: &[&str], key: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_bugle"))
        .args(arguments)
        .env_clear()
        .env("BUGLE__WATCH__KEY", key)
        .env("BUGLE__LOG__LEVEL", "error")
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Waits until something holds; gives how long that took.
async fn until(what: &str, limit: Duration, holds: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < limit, "never came within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    began.elapsed()
}

/// A server, its sentinel, and the program of the operators.
struct Scene {
    lab: Lab,
    server: Child,
    _sentinel: Child,
    _folder: TempDir,
}

impl Scene {
    /// Both run; the sentinel shows `key`, and tells a program of the operators.
    async fn new(key: &str) -> Self {
        let by_webhook = |lab: &Lab| {
            let hook = lab.hook_url("/operators");
            format!("[watch.operators]\nwebhook = [\"{hook}\"]\nrepeat = \"10s\"\n")
        };
        Self::with(key, by_webhook).await
    }

    /// The same with other settings of the sentinel.
    async fn with(key: &str, settings: impl Fn(&Lab) -> String) -> Self {
        bugle::install_tls();
        let (folder, lab) =
            (tempfile::tempdir().unwrap(), Lab::start(Clock::system()).await.unwrap());
        let data = folder.path().join("data");
        let server = bugle(&["serve", "--data", text(&data), "--listen", "127.0.0.1:0"], KEY);
        let listen = data.join("listen");
        until("the server listens", LIMIT, || listen.exists()).await;
        let address = std::fs::read_to_string(&listen).unwrap();
        let target = format!("http://{}", address.trim());
        // The sentinel begins when there is something to see.
        let client = reqwest::Client::new();
        let state = format!("{target}/watch/state");
        let began = Instant::now();
        loop {
            let answer = client.get(&state).bearer_auth(KEY).send().await.unwrap();
            let body: Value = answer.json().await.unwrap();
            if !body["age_ms"].is_null() {
                break;
            }
            assert!(began.elapsed() < LIMIT, "the watch never spoke: {body}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let config = folder.path().join("sentinel.toml");
        std::fs::write(&config, settings(&lab)).unwrap();
        let arguments =
            ["sentinel", "--target", &target, "--config", text(&config), "--listen", "127.0.0.1:0"];
        let sentinel = bugle(&arguments, key);
        Self { lab, server, _sentinel: sentinel, _folder: folder }
    }

    fn told(&self) -> Vec<Value> {
        let hooks = self.lab.hooks().at("/operators").into_iter();
        hooks.map(|hook| serde_json::from_slice(&hook.body).unwrap()).collect()
    }

    async fn until_told(&self, part: &str, limit: Duration) -> Duration {
        until(part, limit, || {
            self.told().iter().any(|it| it["text"].as_str().unwrap().contains(part))
        })
        .await
    }

    async fn quiet(&self) {
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(self.told(), Vec::<Value>::new());
    }

    async fn signal(&self, name: &str) {
        let pid = self.server.id().unwrap().to_string();
        let status = Command::new("kill").args([name, &pid]).status().await.unwrap();
        assert!(status.success());
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_is_paged_and_repeated_until_somebody_answers() {
    let mut scene = Scene::new(KEY).await;
    scene.quiet().await;
    scene.server.kill().await.unwrap();
    let took = scene.until_told("it does not answer", PAGED_WITHIN).await;
    println!("killed: paged after {took:?}");
    scene.until_told("still in trouble", LIMIT).await;
    let told = scene.told();
    let link = told[0]["answer_url"].as_str().unwrap();
    let client = reqwest::Client::new();
    assert!(client.get(link).send().await.unwrap().text().await.unwrap().contains("I have it"));
    assert!(client.post(link).send().await.unwrap().status().is_success());
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert!(scene.told().len() <= told.len() + 1, "it is quiet after the answer");
    scene.lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_frozen_is_paged_and_well_again_when_it_thaws() {
    let scene = Scene::new(KEY).await;
    scene.quiet().await;
    scene.signal("-STOP").await;
    let took = scene.until_told("it does not answer", PAGED_WITHIN).await;
    println!("frozen: paged after {took:?}");
    scene.signal("-CONT").await;
    scene.until_told("Bugle is well again.", LIMIT).await;
    scene.lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_does_not_speak_to_us_is_paged() {
    let scene = Scene::new("another key").await;
    scene.until_told("its watch does not take our key", PAGED_WITHIN).await;
    scene.lab.stop().await;
}

/// The sentinel's own accounts: for mail, for texts, and at a dead man's switch.
fn own_accounts(lab: &Lab) -> String {
    let (mail, account) = (lab.smtp_addr(), lab.account());
    format!(
        r#"
        [providers.own_mail]
        kind = "smtp"
        host = "{host}"
        port = {port}
        security = "none"
        from = "Bugle <sentinel@halden.example>"

        [providers.own_texts]
        kind = "twilio"
        account_sid = "{sid}"
        auth_token = "{token}"
        from = "{number}"
        api_url = "{api}"

        [watch]
        outside_key = "a key that opens no integration"

        [watch.operators]
        smtp = ["own_mail"]
        twilio = ["own_texts"]
        email = ["ops@halden.example"]
        sms = ["+46700000001"]
        repeat = "10s"

        [watch.heartbeat]
        url = "{alive}"
        every = "1s"
        "#,
        host = mail.ip(),
        port = mail.port(),
        sid = account.sid,
        number = account.number,
        token = account.token,
        api = lab.twilio_base(),
        alive = lab.hook_url("/alive"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_and_texts_say_that_events_are_not_taken_while_the_sign_of_life_goes_on() {
    let scene = Scene::with(KEY, own_accounts).await;
    let text = scene.lab.phone("+46700000001").wait_for_text("401", PAGED_WITHIN).await.unwrap();
    assert!(text.body.contains("it answers 401 to an event"), "{}", text.body);
    let mail =
        scene.lab.mailbox("ops@halden.example").wait_for_mail("401", PAGED_WITHIN).await.unwrap();
    assert!(mail.subject.contains("Bugle is in trouble"), "{}", mail.subject);
    let beats = scene.lab.hooks().at("/alive").len();
    until("it says that it lives", LIMIT, || scene.lab.hooks().at("/alive").len() >= beats + 2)
        .await;
    scene.lab.stop().await;
}
