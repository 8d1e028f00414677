//! The world of a story: one node, two people with phones, a clock that stands until it is pushed.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bugle::config::{self, Sources};
use bugle::demo::{connect, simulated};
use bugle::node::{self, Behaviour, Node, Parts};
use bugle_app::backlog::BacklogView;
use bugle_app::identity::NewApiKey;
use bugle_app::store::{NewRevision, ObjectChange, RevisionSource, Store};
use bugle_app::{Caller, Clock};
use bugle_domain::alert::Actor;
use bugle_domain::contact::Channel;
use bugle_domain::ledger::Sums;
use bugle_domain::revision::Revision;
use bugle_domain::role::Role;
use bugle_domain::stage::Stage;
use bugle_domain::{AllTenants, NodeId, RequestId, TenantScope};
use bugle_lab::{Lab, Phone};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretBox};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

mod people;

pub(crate) use people::{KEYS, LENA, PRIYA, key};

/// How long anything may take on the real clock.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);
/// How often it is looked whether all is done, and how often it must seem so.
const LOOK_EVERY: Duration = Duration::from_millis(3);
const LOOKS: u32 = 4;
/// How far the clock is pushed at once: no further than one thing's time, and not so far that a
/// node would seem to have been away.
const STRIDE_S: i64 = 10;

/// One node and everything around it.
pub(crate) struct World {
    node: Option<Node>,
    pub(crate) lab: Lab,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    /// Where the node is reached.
    pub(crate) base: String,
    pub(crate) api_key: String,
    pub(crate) http: reqwest::Client,
    database: String,
    folder: tempfile::TempDir,
}

/// The answer to a request under a key.
pub(crate) struct Keyed {
    pub(crate) status: u16,
    /// It is that of an earlier request.
    pub(crate) replayed: bool,
    pub(crate) body: Value,
}

impl World {
    pub(crate) async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("bugle.db").display());
        Self::open(&url, folder, pushed(), unwatched).await
    }

    pub(crate) async fn on_postgres() -> Self {
        let url = new_schema().await;
        Self::open(&url, tempfile::tempdir().unwrap(), pushed(), unwatched).await
    }

    /// Configured in another way.
    pub(crate) async fn configured(adjust: impl FnOnce(&Lab, &mut Behaviour)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("bugle.db").display());
        let adjusted = |lab: &Lab, behaviour: &mut Behaviour| {
            unwatched(lab, behaviour);
            adjust(lab, behaviour);
        };
        Self::open(&url, folder, pushed(), adjusted).await
    }

    /// On the real clock, for clients and browsers that have one of their own.
    pub(crate) async fn in_real_time() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("bugle.db").display());
        Self::open(&url, folder, Clock::system(), unwatched).await
    }

    /// Waits until something holds, which is asked again and again.
    pub(crate) async fn until<F: Future<Output = bool>>(&self, what: &str, holds: impl Fn() -> F) {
        let waiting = async {
            while !holds().await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        assert!(tokio::time::timeout(LIMIT, waiting).await.is_ok(), "never came: {what}");
    }

    /// A world that watches itself, on the real clock, set as `adjust` says.
    pub(crate) async fn watched(
        url: Option<String>,
        adjust: impl FnOnce(&Lab, &mut Behaviour),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = format!("sqlite:{}", folder.path().join("bugle.db").display());
        let url = url.unwrap_or(own);
        Self::open(&url, folder, Clock::system(), adjust).await
    }

    async fn open(
        url: &str,
        folder: tempfile::TempDir,
        clock: Clock,
        adjust: impl FnOnce(&Lab, &mut Behaviour),
    ) -> Self {
        bugle::install_tls();
        let now = clock.now();
        let store = node::open_store(url, 4).await.unwrap();
        let scope = fill(&store, now).await;
        let lab = Lab::start(clock.clone()).await.unwrap();
        let (node, base) = start(&store, (&lab, &folder), &clock, adjust).await;
        store.set_operator(scope, people::user_id(0), true, now).await.unwrap();
        let api_key = api_key(&node, scope).await;
        let (http, database) = (reqwest::Client::new(), url.to_owned());
        let node = Some(node);
        Self { node, lab, clock, store, base, api_key, http, database, folder }
    }

    /// The node is stopped, time passes, and it is started again.
    pub(crate) async fn down_for(&mut self, seconds: i64) {
        self.node.take().unwrap().stop().await;
        self.clock.push(SignedDuration::from_secs(seconds));
        self.store = node::open_store(&self.database, 4).await.unwrap();
        let (node, base) =
            start(&self.store, (&self.lab, &self.folder), &self.clock, unwatched).await;
        (self.node, self.base) = (Some(node), base);
        self.settle().await;
    }

    /// Sends alerts as Prometheus does, each a name and in how many seconds it ends.
    pub(crate) async fn prometheus_sends(&self, alerts: &[(&str, i64)]) {
        let alert = |(name, ends_in): &(&str, i64)| {
            let ends_at = self.clock.now() + SignedDuration::from_secs(*ends_in);
            json!({ "labels": { "alertname": name, "severity": "critical" }, "endsAt": ends_at })
        };
        let request = self.http.post(format!("{}/api/v2/alerts", self.base));
        let body: Vec<Value> = alerts.iter().map(alert).collect();
        let answer = request.bearer_auth(people::key("checkout")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        self.settle().await;
    }

    /// Puts so many people on call at the checkout, each reached in one way, and gives their
    /// addresses.
    pub(crate) async fn crowd(&self, channel: Channel, size: usize) -> Vec<String> {
        let now = self.clock.now();
        let (objects, addresses) = people::crowd(channel, size, now);
        let put = |object| ObjectChange::Put { object, expected: None };
        let changes: Vec<ObjectChange> = objects.into_iter().map(put).collect();
        let scope = TenantScope::granted(people::tenant_id(0));
        self.store.save_objects(scope, &changes, now, "test").await.unwrap();
        self.forward(2).await;
        addresses
    }

    /// Lena, as an operator.
    pub(crate) async fn operator(&self) -> Caller {
        let tenants = self.store.tenants(AllTenants::granted()).await.unwrap();
        let scope = TenantScope::granted(tenants[0].id);
        caller(scope, true, self.clock.now())
    }

    pub(crate) fn phone(&self, owner: &str) -> Phone {
        self.lab.phone(people::phone(owner))
    }

    /// The application.
    pub(crate) fn app(&self) -> &bugle_app::App {
        &self.node.as_ref().unwrap().app
    }

    /// Where mail is taken in.
    pub(crate) fn mail_address(&self) -> SocketAddr {
        self.node.as_ref().and_then(|node| node.mail_address).unwrap()
    }

    /// The only node.
    pub(crate) fn node_id(&self) -> NodeId {
        self.app().config().node
    }

    /// Puts a stage on a document, past every guard.
    pub(crate) async fn put_stage_on(&self, stage: Stage, document: &str) {
        let revision = Revision::parse(document).unwrap();
        let (author, reason, source) = ("nobody", "behind its back", RevisionSource::Change);
        let new = NewRevision { revision: &revision, author, reason, source };
        let number = self.store.keep_revision(new, self.clock.now()).await.unwrap();
        self.store.aim_stage(self.node_id(), stage, number).await.unwrap();
    }

    /// Puts it back on the first revision.
    pub(crate) async fn put_stage_back(&self, stage: Stage) {
        self.store.aim_stage(self.node_id(), stage, 1).await.unwrap();
    }

    /// Sends an event through the native API with the key of `integration`, and waits until all
    /// that follows at once is done. Returns its id.
    pub(crate) async fn send(&self, integration: &str, event: Value) -> String {
        let id = self.post_event(integration, event).await;
        self.settle().await;
        id
    }

    /// The same, without waiting.
    pub(crate) async fn post_event(&self, integration: &str, event: Value) -> String {
        let answer = self
            .http
            .post(format!("{}/api/v1/events", self.base))
            .bearer_auth(people::key(integration))
            .json(&event)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert_eq!(status, 202, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    /// A critical trigger at the checkout.
    pub(crate) async fn trigger(&self, summary: &str) -> String {
        self.send("checkout", critical(summary)).await
    }

    /// Says at the checkout that what had this summary is over.
    pub(crate) async fn sender_resolves(&self, summary: &str) -> String {
        let event = json!({
            "action": "resolve", "summary": summary, "source": "test", "dedup_key": summary,
        });
        self.send("checkout", event).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.api_key);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&self.api_key);
        let answer = request.json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        self.settle().await;
        serde_json::from_str(&text).unwrap()
    }

    /// Holds dispatch, or lets it go.
    pub(crate) async fn hold_dispatch(&self, hold: bool) {
        self.node.as_ref().unwrap().app.hold(Stage::Dispatch, hold).await;
    }

    /// Everybody's backlog, as an operator sees it.
    pub(crate) async fn backlog(&self) -> BacklogView {
        let app = &self.node.as_ref().unwrap().app;
        let caller = caller(TenantScope::granted(people::tenant_id(0)), true, app.now());
        app.backlog(&caller).await.unwrap()
    }

    /// The sums over all tenants.
    pub(crate) async fn sums(&self) -> Sums {
        let all = AllTenants::granted();
        self.store.ledger_of_all(all, self.clock.now()).await.unwrap().total
    }

    /// Posts under an `Idempotency-Key`.
    pub(crate) async fn post_keyed(&self, path: &str, key: &str, body: Value) -> Keyed {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&self.api_key);
        let answer = request.header("idempotency-key", key).json(&body).send().await.unwrap();
        let replayed = answer.headers().contains_key("idempotency-replayed");
        Keyed { status: answer.status().as_u16(), replayed, body: answer.json().await.unwrap() }
    }

    /// Posts, and gives what was answered.
    pub(crate) async fn try_post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&self.api_key);
        let answer = request.json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Puts, and gives the status that was answered.
    pub(crate) async fn put(&self, path: &str, body: Value) -> u16 {
        let request = self.http.put(format!("{}{path}", self.base)).bearer_auth(&self.api_key);
        request.json(&body).send().await.unwrap().status().as_u16()
    }

    /// Adds people who left long ago.
    pub(crate) async fn add_disabled_users(&self, count: u16) {
        let users = people::disabled(count).into_iter();
        let changes: Vec<ObjectChange> =
            users.map(|object| ObjectChange::Put { object, expected: None }).collect();
        let scope = TenantScope::granted(people::tenant_id(0));
        self.store.save_objects(scope, &changes, self.clock.now(), "test").await.unwrap();
    }

    /// A link that signs Lena in once.
    pub(crate) async fn sign_in_link(&self) -> String {
        self.sign_in_link_of("lena@halden.example").await
    }

    /// The same for whoever has this mail address.
    pub(crate) async fn sign_in_link_of(&self, email: &str) -> String {
        let app = &self.node.as_ref().unwrap().app;
        let made = app.make_sign_in_link(AllTenants::granted(), email).await;
        format!("{}/s/{}", self.base, made.unwrap().token.expose_secret())
    }

    pub(crate) async fn alert(&self, number: i64) -> Value {
        self.get(&format!("/api/v1/alerts/{number}")).await["alert"].take()
    }

    pub(crate) async fn status(&self, number: i64) -> String {
        self.alert(number).await["status"].as_str().unwrap().to_owned()
    }

    /// The causal record of an alert (`4812`) or event (`evt_…`), one line a step.
    pub(crate) async fn why(&self, id: &str) -> String {
        let kind = if id.starts_with("evt_") { "events" } else { "alerts" };
        let why = self.get(&format!("/api/v1/{kind}/{id}/why")).await;
        let steps = why["steps"].as_array().unwrap().iter();
        let lines = steps.map(|step| {
            format!("{}: {}", step["stage"].as_str().unwrap(), step["text"].as_str().unwrap())
        });
        let answer = why["answer"].as_str().unwrap().to_owned();
        std::iter::once(answer).chain(lines).collect::<Vec<_>>().join("\n")
    }

    /// Lets time pass, in strides, and all that becomes due be done.
    pub(crate) async fn forward(&self, seconds: i64) {
        let mut left = seconds;
        while left > 0 {
            let stride = left.min(STRIDE_S);
            self.clock.push(SignedDuration::from_secs(stride));
            self.beat().await;
            self.settle().await;
            left -= stride;
        }
    }

    /// Lets time pass as fast as it does, for what keeps to the machine's clock, until `holds`.
    pub(crate) async fn let_time_pass(&self, holds: impl Fn() -> bool) {
        const STEP: Duration = Duration::from_millis(20);
        let passing = async {
            while !holds() {
                tokio::time::sleep(STEP).await;
                self.clock.push(SignedDuration::try_from(STEP).unwrap());
            }
        };
        assert!(tokio::time::timeout(LIMIT, passing).await.is_ok(), "time passed in vain");
    }

    /// Waits until the node has written down that it is alive now.
    async fn beat(&self) {
        let now = self.clock.now();
        let alive = || async {
            let nodes = self.store.nodes().await.unwrap();
            nodes.iter().any(|node| node.seen_at.as_microsecond() >= now.as_microsecond())
        };
        let waiting = async {
            while !alive().await {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        assert!(tokio::time::timeout(LIMIT, waiting).await.is_ok(), "the node does not beat");
    }

    /// Waits until nothing is pending, due or on its way, and no provider has a report to make.
    pub(crate) async fn settle(&self) {
        let settling = async {
            let (mut quiet, mut last) = (0, None);
            while quiet < LOOKS {
                let reported = !self.lab.has_reports();
                let now = self.clock.now();
                let ledger = self.store.ledger_of_all(AllTenants::granted(), now).await.unwrap();
                let sums = ledger.total;
                let done = sums.pending == 0 && sums.sending == 0 && ledger.owed.is_empty();
                let idle = reported && done;
                quiet = if idle && last.as_ref() == Some(&sums) { quiet + 1 } else { 0 };
                last = Some(sums);
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        if tokio::time::timeout(LIMIT, settling).await.is_err() {
            let ledger = self.store.ledger_of_all(AllTenants::granted(), self.clock.now()).await;
            panic!("the world did not come to rest: {ledger:?}");
        }
    }

    /// Kills the node's workers and its server, and gives the folder of its status page. Nothing is
    /// left but files.
    pub(crate) async fn leave_files(mut self) -> (tempfile::TempDir, std::path::PathBuf) {
        self.node.take().unwrap().stop().await;
        self.lab.stop().await;
        let path = self.folder.path().join("status");
        let empty = tempfile::tempdir().unwrap();
        (std::mem::replace(&mut self.folder, empty), path)
    }

    /// Ends the world: the books must balance, by their counters and counted row by row.
    pub(crate) async fn end(self) {
        let began = std::time::Instant::now();
        loop {
            let kept = self.sums().await;
            let counted = self.store.recount(AllTenants::granted()).await.unwrap().total;
            // What was under way between the two looks is not in both.
            if kept == counted {
                break;
            }
            assert!(began.elapsed() < LIMIT, "{kept:?} {counted:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.end_without(0).await;
    }

    /// The same after retention has dropped so many events.
    pub(crate) async fn end_without(mut self, dropped: i64) {
        let kept = self.sums().await;
        let counted = self.store.recount(AllTenants::granted()).await.unwrap().total;
        assert!(kept.balanced() && counted.balanced(), "{kept:?} {counted:?}");
        assert_eq!(kept.accepted - dropped, counted.accepted);
        if let Some(node) = self.node.take() {
            node.stop().await;
        }
        self.lab.stop().await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        assert!(self.node.is_none() || std::thread::panicking(), "end the world: `w.end().await`");
    }
}

/// A critical trigger.
pub(crate) fn critical(summary: &str) -> Value {
    json!({
        "action": "trigger", "summary": summary, "severity": "critical",
        "source": "test", "dedup_key": summary,
    })
}

fn pushed() -> Clock {
    // A Friday night in Berlin, far from any change of the clocks.
    Clock::pushed("2026-11-20T02:41:00Z".parse().unwrap())
}

/// The watch runs by the real clock: only stories about it have it.
fn unwatched(_: &Lab, behaviour: &mut Behaviour) {
    behaviour.watch.on = false;
}

/// Starts the node, and says where it is reached.
async fn start(
    store: &Store,
    (lab, folder): (&Lab, &tempfile::TempDir),
    clock: &Clock,
    adjust: impl FnOnce(&Lab, &mut Behaviour),
) -> (Node, String) {
    let listener = node::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let public_url = node::default_public_url(listener.local_addr().unwrap()).unwrap();
    connect(lab, &public_url);
    let parts = Parts {
        node: NodeId::new(Timestamp::from_second(1_700_000_000).unwrap(), [9; 10]),
        key: SecretBox::new(Box::new([7; 32])),
        store: store.clone(),
        listener,
        public_url: public_url.clone(),
        clock: clock.clone(),
        handset: Some(Arc::new(lab.clone())),
        metrics: None,
        status: Some(folder.path().join("status")),
        demo: true,
    };
    let defaults = config::parse(&Sources::default()).unwrap();
    let mut behaviour =
        Behaviour { channels: simulated(lab), every_provider: true, ..defaults.into() };
    adjust(lab, &mut behaviour);
    let node = Node::start(parts, behaviour).await.unwrap();
    (node, public_url.as_str().trim_end_matches('/').to_owned())
}

async fn fill(store: &Store, now: Timestamp) -> TenantScope {
    let tenant = people::tenant(now);
    store.create_tenant(AllTenants::granted(), &tenant).await.unwrap();
    let scope = TenantScope::granted(tenant.id);
    let mut changes: Vec<ObjectChange> = people::objects(now)
        .into_iter()
        .map(|object| ObjectChange::Put { object, expected: None })
        .collect();
    changes.extend(KEYS.iter().enumerate().map(|(index, (_, key))| ObjectChange::Key {
        integration: people::integration_id(index),
        hash: Sha256::digest(key.as_bytes()).into(),
    }));
    store.save_objects(scope, &changes, now, "test").await.unwrap();
    store.set_operator(scope, people::user_id(1), true, now).await.unwrap();
    scope
}

/// Lena, who may be an operator.
fn caller(scope: TenantScope, operator: bool, now: Timestamp) -> Caller {
    let (id, name) = (people::user_id(0), LENA.to_owned());
    Caller {
        scope,
        actor: Actor::User { id, name },
        user: Some(id),
        role: Role::Admin,
        operator,
        session: None,
        request: RequestId::new(now, [3; 10]),
    }
}

async fn api_key(node: &Node, scope: TenantScope) -> String {
    let caller = caller(scope, false, node.app.now());
    let new =
        NewApiKey { name: "test".to_owned(), role: Role::Admin, expires_at: None, personal: true };
    let made = node.app.create_key(&caller, new).await.unwrap();
    made.secret.expose_secret().to_owned()
}

/// A schema of its own on the server that the test runner started.
pub(crate) async fn new_schema() -> String {
    let server = variable("BUGLE_TEST_POSTGRES");
    let name = format!("t_{}", uuid::Uuid::now_v7().as_simple());
    let pool = sqlx::PgPool::connect(&server).await.unwrap();
    let create = format!("CREATE SCHEMA {name}");
    sqlx::query(sqlx::AssertSqlSafe(create)).execute(&pool).await.unwrap();
    pool.close().await;
    let joint = if server.contains('?') { '&' } else { '?' };
    format!("{server}{joint}options=-c%20search_path%3D{name}")
}

/// What the test runner says of its surroundings.
#[expect(clippy::disallowed_methods, reason = "the test runner tells tests where things are")]
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} must be set: run `cargo xtask test`, or see `cargo xtask env`")
    })
}
