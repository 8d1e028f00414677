//! Real senders, unmodified: Alertmanager, Prometheus, amtool, swaks and PyPI's `pagerduty` and
//! `pypd`.
//!
//! They have clocks of their own, so these worlds run in real time.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::mail_in::takes_mail;
use crate::tls::Proxy;
use crate::world::{LENA, LIMIT, World, variable};

/// A program that runs beside the world, and its log.
struct Program {
    child: Child,
    log: std::path::PathBuf,
}

impl Program {
    fn start(mut command: Command, folder: &Path) -> Self {
        let log = folder.join("log");
        let file = std::fs::File::create(&log).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file).stdin(Stdio::null());
        Self { child: command.kill_on_drop(true).spawn().unwrap(), log }
    }

    async fn stop(mut self) {
        self.child.kill().await.unwrap();
        let log = std::fs::read_to_string(&self.log).unwrap();
        let complaints: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("level=warn") || line.contains("level=error"))
            .collect();
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
}

pub(crate) async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// Waits until somebody listens there.
async fn listening(w: &World, port: u16) {
    w.until("a listener", || listens(port)).await;
}

/// Whether somebody listens there.
pub(crate) async fn listens(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    tokio::net::TcpStream::connect(address).await.is_ok()
}

async fn alertmanager(w: &World, receiver: &str, folder: &Path) -> (Program, u16) {
    let config = format!(
        "route:\n  receiver: bugle\n  group_by: ['...']\n  group_wait: 0s\n  group_interval: 1s\n\
         receivers:\n  - name: bugle\n{receiver}"
    );
    let file = folder.join("alertmanager.yml");
    std::fs::write(&file, config).unwrap();
    let port = free_port().await;
    let mut command = Command::new(variable("BUGLE_TEST_ALERTMANAGER"));
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=");
    let program = Program::start(command, folder);
    listening(w, port).await;
    (program, port)
}

async fn amtool(url: &str, arguments: &[&str]) {
    let output = Command::new(variable("BUGLE_TEST_AMTOOL"))
        .arg(format!("--alertmanager.url={url}"))
        .args(arguments)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// One alert fires and ends; Bugle pages, and ends it by itself.
async fn fires_and_ends(w: &World, manager: u16) {
    fires_and_ends_as(w, manager, "db1 is down").await;
}

/// The same where the text says something else.
async fn fires_and_ends_as(w: &World, manager: u16, said: &str) {
    let url = format!("http://127.0.0.1:{manager}");
    let alert = [
        "alert",
        "add",
        "DbDown",
        "severity=critical",
        "instance=db1",
        "--annotation=summary=db1 is down",
    ];
    amtool(&url, &alert).await;
    w.phone(LENA).wait_for_text(said, LIMIT).await.unwrap();
    assert_eq!(w.status(1).await, "open");
    let end = format!("--end={}", w.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"));
    let ended: Vec<&str> = alert.iter().copied().chain([end.as_str()]).collect();
    amtool(&url, &ended).await;
    w.until("the end", || async { w.status(1).await == "resolved" }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alertmanager_pages_through_its_webhook() {
    let w = World::in_real_time().await;
    let folder = tempfile::tempdir().unwrap();
    let receiver = format!(
        "    webhook_configs:\n      - url: {}/alertmanager/webhook\n        send_resolved: true\n        \
         http_config: {{ authorization: {{ credentials: {} }} }}\n",
        w.base,
        crate::world::key("checkout")
    );
    let (program, port) = alertmanager(&w, &receiver, folder.path()).await;
    fires_and_ends(&w, port).await;
    program.stop().await;
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alertmanager_pages_as_it_does_pagerduty() {
    let w = World::in_real_time().await;
    let folder = tempfile::tempdir().unwrap();
    let receiver = format!(
        "    pagerduty_configs:\n      - routing_key: {}\n        url: {}/v2/enqueue\n        \
         severity: critical\n        description: '{{{{ .CommonAnnotations.summary }}}}'\n",
        crate::world::key("checkout"),
        w.base
    );
    let (program, port) = alertmanager(&w, &receiver, folder.path()).await;
    fires_and_ends(&w, port).await;
    program.stop().await;
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alertmanager_pages_by_mail() {
    let w = World::watched(None, takes_mail).await;
    let folder = tempfile::tempdir().unwrap();
    let receiver = format!(
        "    email_configs:\n      - to: {}\n        from: alertmanager@halden.example\n        \
         smarthost: {}\n        require_tls: false\n        send_resolved: true\n",
        w.event_address("checkout").await,
        w.mail_address(),
    );
    let (program, port) = alertmanager(&w, &receiver, folder.path()).await;
    fires_and_ends_as(&w, port, "DbDown db1 critical").await;
    assert_eq!(w.alert(1).await["severity"], "critical");
    program.stop().await;
    w.end().await;
}

/// Sends a mail as a monitor would, from a terminal; gives the whole dialogue.
async fn swaks(w: &World, to: &str, subject: &str) -> String {
    let output = Command::new(variable("BUGLE_TEST_SWAKS"))
        .args(["--server", &w.mail_address().to_string(), "--to", to])
        .args(["--from", "zabbix@halden.example", "--header", &format!("Subject: {subject}")])
        .args(["--header", "X-Priority: 1", "--body", "Host: db1"])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swaks_pages_by_mail() {
    let w = World::watched(None, takes_mail).await;
    let to = w.event_address("checkout").await;
    let said = swaks(&w, &to, "PROBLEM: disk full on db1").await;
    assert!(said.contains("250 2.0.0 OK queued as evt_"), "{said}");
    w.phone(LENA).wait_for_text("disk full on db1", LIMIT).await.unwrap();
    assert_eq!(w.alert(1).await["severity"], "critical", "as X-Priority says");
    swaks(&w, &to, "OK: disk full on db1").await;
    w.until("the end", || async { w.status(1).await == "resolved" }).await;
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_takes_bugle_for_an_alertmanager() {
    let w = World::in_real_time().await;
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yml");
    let rule = "groups:\n  - name: test\n    interval: 1s\n    rules:\n      - alert: DbDown\n        \
                expr: vector(1)\n        labels: { severity: critical }\n        \
                annotations: { summary: db1 is down }\n";
    std::fs::write(&rules, rule).unwrap();
    let config = format!(
        "global: {{ evaluation_interval: 1s }}\nrule_files: ['{}']\nalerting:\n  alertmanagers:\n    \
         - api_version: v2\n      static_configs: [{{ targets: ['{}'] }}]\n      \
         authorization: {{ credentials: {} }}\n",
        rules.display(),
        w.base.trim_start_matches("http://"),
        crate::world::key("checkout")
    );
    let file = folder.path().join("prometheus.yml");
    std::fs::write(&file, config).unwrap();
    let port = free_port().await;
    let mut command = Command::new(variable("BUGLE_TEST_PROMETHEUS"));
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .args(["--rules.alert.resend-delay=1s", "--web.enable-lifecycle"]);
    let program = Program::start(command, folder.path());
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    assert_eq!(w.get("/api/v1/alerts").await["data"].as_array().unwrap().len(), 1);
    // The rule goes; what it said lasts four resends and then ends by itself.
    std::fs::write(&rules, "groups: []\n").unwrap();
    let reload = format!("http://127.0.0.1:{port}/-/reload");
    reqwest::Client::new().post(reload).send().await.unwrap();
    w.until("the end", || async { w.status(1).await == "resolved" }).await;
    program.stop().await;
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amtool_takes_bugle_for_an_alertmanager() {
    let w = World::in_real_time().await;
    let url =
        w.base.replace("http://", &format!("http://amtool:{}@", crate::world::key("checkout")));
    amtool(
        &url,
        &["alert", "add", "DbDown", "severity=critical", "--annotation=summary=db1 is down"],
    )
    .await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    amtool(&url, &["alert", "query"]).await;
    w.end().await;
}

/// Runs a script with the world's address and key.
async fn python(script: &str, base: &str, authority: Option<&Path>) {
    let mut command = Command::new(variable("BUGLE_TEST_PYTHON"));
    command.args(["-c", script, base, crate::world::key("checkout")]);
    if let Some(path) = authority {
        command.env("SSL_CERT_FILE", path);
    }
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pagerduty_client_triggers_acknowledges_resolves_and_tells_changes() {
    let w = World::in_real_time().await;
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(&w.base);
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, &proxy.authority).unwrap();
    let begin = "import sys, pagerduty\n\
                 client = pagerduty.EventsApiV2Client(sys.argv[2], base_url=sys.argv[1])\n";
    let run = async |step: &str| {
        python(&format!("{begin}{step}"), &proxy.url, Some(&authority)).await;
        w.settle().await;
    };
    run("client.trigger('db1 is down', 'test', severity='critical', dedup_key='db1')").await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    run("client.acknowledge('db1')").await;
    assert_eq!(w.status(1).await, "acknowledged");
    run("client.submit('deployed 2.14', source='ci', timestamp='2026-11-20T02:41:00Z')").await;
    run("client.resolve('db1')").await;
    assert_eq!(w.status(1).await, "resolved");
    proxy.stop().await;
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pypd_client_triggers_with_its_trailing_slash() {
    let w = World::in_real_time().await;
    let script = "import sys, pypd\n\
                  pypd.EventV2.base_url = sys.argv[1] + '/v2/enqueue'\n\
                  said = {'summary': 'db1 is down', 'severity': 'critical', 'source': 'test'}\n\
                  pypd.EventV2.create(data={'routing_key': sys.argv[2], 'payload': said,\n\
                  'event_action': 'trigger'})\n";
    python(script, &w.base, None).await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    w.end().await;
}
