//! A server in process: one tenant, one integration, a clock that stands still.

use axum::body::Body;
use axum::response::Response;
use bugle_app::App;
use bugle_app::app::{Parts, Settings};
use bugle_app::channels::{self, Channels, WebhookSettings};
use bugle_app::clock::Clock;
use bugle_app::store::{
    DatabaseUrl, ObjectChange, PoolSettings, RejectedRequest, Request as KeptRequest, Store,
};
use bugle_domain::contact::Channel;
use bugle_domain::integration::{Dialect, Integration};
use bugle_domain::ledger::Ledger;
use bugle_domain::object::{Object, Tenant};
use bugle_domain::policy::{Level, Policy, Target};
use bugle_domain::revision::Revision;
use bugle_domain::role::Role;
use bugle_domain::user::{NotificationRules, User};
use bugle_domain::{AllTenants, IntegrationId, NodeId, PolicyId, TenantId, TenantScope, UserId};
use bugle_web::WebSettings;
use http::{HeaderMap, Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretBox;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

/// The key of the integration, as long as PagerDuty's.
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";
/// The only tenant.
const TENANT: u128 = 900;
const INTEGRATION: u128 = 50;

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) store: Store,
    router: axum::Router,
    _folder: TempDir,
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

fn objects(quota_per_minute: u32, disabled: bool) -> Vec<Object> {
    let user = UserId::from_stored(Uuid::from_u128(1));
    vec![
        Object::User(User {
            id: user,
            name: "Lena Ortiz".to_owned(),
            email: "lena@halden.example".parse().unwrap(),
            role: Role::Responder,
            time_zone: "Europe/Berlin".to_owned(),
            rules: NotificationRules::default(),
            disabled: false,
        }),
        Object::Policy(Policy {
            id: PolicyId::from_stored(Uuid::from_u128(31)),
            name: "Fallback".to_owned(),
            levels: vec![Level { targets: vec![Target::User(user)], delay_s: 300 }],
            repeat: 0,
        }),
        Object::Integration(Integration {
            id: IntegrationId::from_stored(Uuid::from_u128(INTEGRATION)),
            name: "Prometheus".to_owned(),
            dialect: Dialect::AlertmanagerApi,
            service: None,
            key_hint: KEY[..4].to_owned(),
            quota_per_minute,
            disabled,
        }),
    ]
}

async fn fill(store: &Store, quota_per_minute: u32, disabled: bool) {
    let id = TenantId::from_stored(Uuid::from_u128(TENANT));
    let scope = TenantScope::granted(id);
    let tenant = Tenant {
        id,
        name: "Halden Freight".to_owned(),
        fallback_policy: Some(PolicyId::from_stored(Uuid::from_u128(31))),
        time_zone: "Europe/Berlin".to_owned(),
        created_at: now(),
    };
    store.create_tenant(AllTenants::granted(), &tenant).await.unwrap();
    let put = |object| ObjectChange::Put { object, expected: None };
    let changes: Vec<_> = objects(quota_per_minute, disabled).into_iter().map(put).collect();
    store.save_objects(scope, &changes, now(), "test").await.unwrap();
    let integration = IntegrationId::from_stored(Uuid::from_u128(INTEGRATION));
    let hash: [u8; 32] = Sha256::digest(KEY.as_bytes()).into();
    store.set_integration_key(scope, integration, &hash, now()).await.unwrap();
}

fn no_channels() -> Channels {
    let limits = channels::Limits {
        connect: Duration::from_secs(1),
        request: Duration::from_secs(5),
        rate: None,
    };
    let settings = channels::Settings {
        email: Vec::new(),
        sms: Vec::new(),
        voice: Vec::new(),
        webhook: WebhookSettings { allow: Vec::new(), limits },
        roots: channels::Roots::default(),
    };
    Channels::new(settings, "http://bugle.test/".parse().unwrap()).unwrap()
}

async fn open() -> (Store, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().join("bugle.db"));
    let pool = PoolSettings {
        connections: 2,
        statement_timeout: Duration::from_secs(5),
        lock_timeout: Duration::from_secs(2),
        acquire_timeout: Duration::from_secs(5),
    };
    (Store::open(&url, pool).await.unwrap(), folder)
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(6_000, false).await
    }

    /// One tenant, whose integration has this quota.
    pub(crate) async fn with(quota_per_minute: u32, disabled: bool) -> Self {
        let (store, folder) = open().await;
        fill(&store, quota_per_minute, disabled).await;
        Self::of(store, folder).await
    }

    /// No tenant yet.
    pub(crate) async fn empty() -> Self {
        let (store, folder) = open().await;
        Self::of(store, folder).await
    }

    async fn of(store: Store, folder: TempDir) -> Self {
        let parts = Parts {
            store: store.clone(),
            channels: no_channels(),
            clock: Clock::pushed(now()),
            handset: None,
        };
        let settings = Settings {
            node: NodeId::from_stored(Uuid::from_u128(7)),
            public_url: "http://bugle.test/".parse().unwrap(),
            key: SecretBox::new(Box::new([7; 32])),
            stages: Revision::standard([(Channel::Webhook, vec!["webhook".to_owned()])].into()),
            mail_domain: Some("in.example".to_owned()),
            operators_key: None,
            rehearsal: bugle_app::rehearsal::Rehearsal::default(),
            version: "0.0.0",
            demo: false,
        };
        let app = App::start(parts, settings).await.unwrap();
        let web = WebSettings {
            public_url: "http://bugle.test/".parse().unwrap(),
            demo: false,
            metrics: None,
            version: "0.0.0",
        };
        let router = bugle_web::router(app.clone(), web);
        Self { app, store, router, _folder: folder }
    }

    /// Sends a request as written, method and path first.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        // A stream does not end.
        let streams = headers.get("content-type").is_some_and(|it| it == "text/event-stream");
        let body = if streams { Body::empty() } else { response.into_body() };
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer { status, headers, text: String::from_utf8_lossy(&body).into_owned() }
    }

    /// Posts a body with a few headers.
    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Replays a request that a real client sent, with `from` replaced by `to`.
    pub(crate) async fn replay(&self, fixture: &str, from: &str, to: &str) -> Answer {
        let text = std::fs::read_to_string(format!(
            "{}/tests/fixtures/{fixture}.http",
            env!("CARGO_MANIFEST_DIR")
        ));
        let text = text.unwrap().replace("\r\n", "\n").replace(from, to);
        let (head, body) = text.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let mut first = lines.next().unwrap().split(' ');
        let mut request =
            Request::builder().method(first.next().unwrap()).uri(first.next().unwrap());
        for line in lines.filter(|line| !line.to_lowercase().starts_with("content-length")) {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// How many events were accepted so far.
    pub(crate) async fn accepted(&self) -> i64 {
        self.ledger().await.total.accepted
    }

    /// Waits until every accepted event has an outcome. The clock goes on meanwhile, so that this
    /// node beats and takes new tenants.
    pub(crate) async fn until_decided(&self) {
        let decided = async {
            while self.ledger().await.total.pending > 0 {
                self.app.clock().push(SignedDuration::from_millis(100));
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), decided).await.unwrap();
    }

    /// The newest request that was not accepted.
    pub(crate) async fn rejected(&self) -> RejectedRequest {
        let scope = TenantScope::granted(TenantId::from_stored(Uuid::from_u128(TENANT)));
        let integration = IntegrationId::from_stored(Uuid::from_u128(INTEGRATION));
        let found = async {
            loop {
                let requests = self.store.requests(scope, integration, 10).await.unwrap();
                if let Some(KeptRequest::Rejected(rejected)) = requests.into_iter().next() {
                    return rejected;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), found).await.unwrap()
    }

    async fn ledger(&self) -> Ledger {
        self.store.ledger_of_all(AllTenants::granted(), now()).await.unwrap()
    }
}
