//! Two real nodes on one database: a change goes from one to the other, and what one had in hand
//! when it was killed is finished by the other.

use std::time::{Duration, Instant};

use bugle::node;
use bugle_app::Clock;
use bugle_app::store::{ObjectChange, Store};
use bugle_domain::contact::{Address, Channel, ContactMethod};
use bugle_domain::integration::{DEFAULT_QUOTA_PER_MINUTE, Dialect, Integration};
use bugle_domain::object::Object;
use bugle_domain::stage::Stage;
use bugle_domain::{AllTenants, IntegrationId, MethodId, TenantScope};
use bugle_lab::{Answer, Knobs, Lab, Mail, Service};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::changes::LANES;
use crate::server::{LIMIT, Server};
use crate::world::{critical, new_schema};

/// What one node may take to do what a dead one was to do.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(10);
/// What may have left the dead is left alone so long: it is to be sent within 8 s, and the longest
/// request takes 30 s.
const FINISHED_WITHIN: Duration = Duration::from_secs(50);
/// Who is paged.
const LENA: &str = "lena@halden.example";
/// The key of the way in.
const KEY: &str = "checkout0123456789checkout012345";

/// Two nodes and what is around them.
struct Pair {
    lab: Lab,
    store: Store,
    first: Server,
    second: Server,
}

impl Pair {
    /// Both run, and canaries come through both.
    async fn new() -> Self {
        bugle::install_tls();
        let (url, lab) = (new_schema().await, Lab::start(Clock::system()).await.unwrap());
        let (port, key) = (lab.smtp_addr().port(), "07".repeat(32));
        let mut first = Server::new(&format!(
            "[server]\nkey = \"{key}\"\n[database]\nurl = \"{url}\"\nconnections = 6\n\
             [providers.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\n\
             from = \"Bugle <bugle@halden.example>\"\nsecurity = \"none\"\n\
             [channels]\nemail = [\"mail\"]\n"
        ))
        .await;
        let store = node::open_store(&url, 1).await.unwrap();
        furnish(&store).await;
        first.start().await;
        let mut second = first.beside();
        second.start().await;
        for server in [&first, &second] {
            server.until_green(2).await;
        }
        Self { lab, store, first, second }
    }

    fn mails(&self, about: &str) -> Vec<Mail> {
        let mails = self.lab.mailbox(LENA).mails();
        mails.into_iter().filter(|mail| mail.subject.contains(about)).collect()
    }

    async fn until_mailed(&self, about: &str, within: Duration) -> Duration {
        let began = Instant::now();
        while self.mails(about).is_empty() {
            let log = self.second.log();
            assert!(began.elapsed() < within, "no mail about {about} within {within:?}: {log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        began.elapsed()
    }

    async fn end(mut self) {
        let ledger = self.second.until("/api/v1/ledger", |it| it["total"]["pending"] == 0).await;
        assert_eq!(ledger["balanced"], true, "{ledger:#}");
        for server in [&mut self.first, &mut self.second] {
            server.kill_if_running().await;
        }
        self.lab.stop().await;
    }
}

/// Adds a way in, and a way to reach whoever was set up.
async fn furnish(store: &Store) {
    let tenant = store.tenants(AllTenants::granted()).await.unwrap().remove(0).id;
    let scope = TenantScope::granted(tenant);
    let user = *store.directory(scope).await.unwrap().unwrap().users.keys().next().unwrap();
    let now = Clock::system().now();
    let integration = IntegrationId::new(now, [1; 10]);
    let objects = [
        Object::Method(ContactMethod {
            id: MethodId::new(now, [1; 10]),
            user,
            name: "mail".to_owned(),
            address: Address::parse(Channel::Email, LENA).unwrap(),
            proven_at: Some(now),
        }),
        Object::Integration(Integration {
            id: integration,
            name: "checkout".to_owned(),
            dialect: Dialect::Native,
            service: None,
            key_hint: KEY[..4].to_owned(),
            quota_per_minute: DEFAULT_QUOTA_PER_MINUTE,
            disabled: false,
        }),
    ];
    let mut changes: Vec<ObjectChange> =
        objects.into_iter().map(|object| ObjectChange::Put { object, expected: None }).collect();
    changes.push(ObjectChange::Key { integration, hash: Sha256::digest(KEY.as_bytes()).into() });
    store.save_objects(scope, &changes, now, "test").await.unwrap();
}

/// What was seen on the way of a change, and where.
fn seen(change: &Value, text: &str) -> usize {
    let all = change["checkpoints"].as_array().unwrap().iter();
    all.filter(|it| it["evidence"].as_str().unwrap().contains(text)).count()
}

/// Waits until every stage of both nodes runs a revision and none is held.
async fn both_run(pair: &Pair, revision: i64) {
    let began = Instant::now();
    loop {
        let runs = pair.store.stage_runs().await.unwrap();
        let there = runs.iter().all(|run| run.revision == revision && !run.held);
        if there && runs.len() == 2 * Stage::ALL.len() {
            return;
        }
        assert!(began.elapsed() < LIMIT, "not all run {revision}: {runs:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_goes_node_by_node_and_what_is_red_on_the_first_never_reaches_the_second() {
    let pair = Pair::new().await;
    let forced = json!({"force": true, "reason": "clean up"});
    let number = pair.first.begin(LANES, forced).await;
    pair.second.send(KEY, critical("db1 is down")).await;
    pair.until_mailed("db1 is down", LIMIT).await;
    let path = format!("/api/v1/changes/{number}");
    let undone = pair.second.until(&path, |it| it["over"] == true).await;
    assert_eq!(undone["state"], "undone", "{undone:#}");
    assert_eq!(seen(&undone, "has no tenants"), 1, "{undone:#}");
    assert_eq!(seen(&undone, "runs revision 2"), 1, "only the first ran it: {undone:#}");
    both_run(&pair, 1).await;
    // What is green goes to both, and a person takes it back from both.
    pair.first.until_green(2).await;
    let good = ("parallel = 256", "parallel = 64");
    let number = pair.second.begin(good, json!({"reason": "less at once", "watch_s": 60})).await;
    let path = format!("/api/v1/changes/{number}");
    let applied = pair.first.until(&path, |it| it["state"] == "applied_all").await;
    let to = applied["revision"].as_i64().unwrap();
    assert_eq!(seen(&applied, &format!("runs revision {to}")), 2, "one by one: {applied:#}");
    assert_eq!(pair.first.post("/api/v1/changes/undo", json!({})).await.0, 202);
    pair.second.until(&path, |it| it["state"] == "undone").await;
    both_run(&pair, 1).await;
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_node_had_in_hand_is_finished_by_the_other() {
    let mut pair = Pair::new().await;
    pair.lab.set(Service::Mail, Knobs::answering(Answer::Hang).once());
    pair.first.send(KEY, critical("db1 is down")).await;
    let began = Instant::now();
    while pair.lab.knobs(Service::Mail).answer == Answer::Hang {
        assert!(began.elapsed() < LIMIT, "nothing was sent: {}", pair.first.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    pair.first.kill().await;
    // The dead one decided for the tenant: the other does from now on.
    pair.second.send(KEY, critical("db2 is down")).await;
    pair.until_mailed("db2 is down", TAKEN_OVER_WITHIN).await;
    pair.until_mailed("db1 is down", FINISHED_WITHIN).await;
    assert_eq!(pair.mails("db1 is down").len(), 1);
    let mail = pair.mails("db1 is down").remove(0);
    assert!(mail.text.contains("repeat"), "it may have left: {}", mail.text);
    pair.end().await;
}
