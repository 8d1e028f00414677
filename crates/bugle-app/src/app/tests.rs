//! The whole way of an event, from intake to a program's webhook, on a real database.

use std::time::Duration;

use bugle_domain::contact::{Address, Channel, ContactMethod};
use bugle_domain::event::{Action, EventBody, NewEvent};
use bugle_domain::integration::{Dialect, Integration};
use bugle_domain::object::{Object, Tenant};
use bugle_domain::policy::{Level, Policy, Target};
use bugle_domain::role::Role;
use bugle_domain::service::Service;
use bugle_domain::user::{NotificationRules, User};
use bugle_domain::{AllTenants, EventId, IntegrationId, PolicyId, ServiceId, Severity, UserId};
use bugle_store::{DatabaseUrl, ObjectChange, PoolSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::entropy::bytes;
use crate::world::start;

const POOL: PoolSettings = PoolSettings {
    connections: 4,
    statement_timeout: Duration::from_secs(10),
    lock_timeout: Duration::from_secs(5),
    acquire_timeout: Duration::from_secs(5),
};

/// A program that takes webhooks and shows their bodies.
async fn sink(tasks: &Tasks) -> (Url, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let (bodies, seen) = mpsc::channel(100);
    let stop = tasks.stop_token();
    let serve = async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let bodies = bodies.clone();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                request.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&request).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n")
                    && head.to_lowercase().contains(&format!("content-length: {}", body.len()))
                {
                    let answer =
                        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    bodies.send(body.to_owned()).await.unwrap();
                    break;
                }
            }
        }
    };
    tasks.once(async move {
        tokio::select! { () = serve => (), () = stop.cancelled() => () }
    });
    (url, seen)
}

/// A tenant with one user, reached by webhook, behind one integration.
async fn furnish(store: &Store, hook: Url) -> (TenantId, IntegrationId) {
    let now = Timestamp::UNIX_EPOCH;
    let (tenant, user) = (TenantId::new(now, bytes()), UserId::new(now, bytes()));
    let (policy, service) = (PolicyId::new(now, bytes()), ServiceId::new(now, bytes()));
    let integration = IntegrationId::new(now, bytes());
    let method = ContactMethod {
        id: MethodId::new(now, bytes()),
        user,
        name: "program".to_owned(),
        address: Address::Webhook(hook),
        proven_at: Some(now),
    };
    assert_eq!(method.address.channel(), Channel::Webhook);
    let level = Level { targets: vec![Target::User(user)], delay_s: 300 };
    let objects = [
        Object::User(User {
            id: user,
            name: "Lena Ortiz".to_owned(),
            email: "lena@example.com".parse().unwrap(),
            role: Role::Responder,
            time_zone: "Europe/Berlin".to_owned(),
            rules: NotificationRules::default(),
            disabled: false,
        }),
        Object::Method(method),
        Object::Policy(Policy {
            id: policy,
            name: "all".to_owned(),
            levels: vec![level],
            repeat: 0,
        }),
        Object::Service(Service {
            id: service,
            name: "Payments".to_owned(),
            policy: Some(policy),
            team: None,
            description: String::new(),
            runbook_url: None,
        }),
        Object::Integration(Integration {
            id: integration,
            name: "monitoring".to_owned(),
            dialect: Dialect::Native,
            service: Some(service),
            key_hint: String::new(),
            quota_per_minute: 1_000,
            disabled: false,
        }),
    ];
    let record = Tenant {
        id: tenant,
        name: "test".to_owned(),
        fallback_policy: Some(policy),
        time_zone: "UTC".to_owned(),
        created_at: now,
    };
    store.create_tenant(AllTenants::granted(), &record).await.unwrap();
    let put = |object| ObjectChange::Put { object, expected: None };
    let changes: Vec<_> = objects.into_iter().map(put).collect();
    store.save_objects(TenantScope::granted(tenant), &changes, now, "test").await.unwrap();
    (tenant, integration)
}

fn event(tenant: TenantId, integration: IntegrationId, action: Action) -> NewEvent {
    let now = Clock::system().now();
    let id = EventId::new(now, bytes());
    NewEvent {
        id,
        tenant,
        integration,
        dialect: Dialect::Native,
        received_at: now,
        idempotency_key: None,
        body: EventBody {
            action,
            summary: "disk full".to_owned(),
            severity: Severity::Critical,
            source: "db1".to_owned(),
            dedup_key: "disk".to_owned(),
            occurred_at: None,
            ends_at: None,
            links: Vec::new(),
            details: serde_json::Map::new(),
        },
        request: id,
        raw: Some(b"{}".to_vec()),
    }
}

#[tokio::test]
async fn an_event_becomes_one_message_and_the_ledger_sums_up() {
    let folder = tempfile::tempdir().unwrap();
    let url: DatabaseUrl =
        format!("sqlite:{}", folder.path().join("b.db").display()).parse().unwrap();
    let store = Store::open(&url, POOL).await.unwrap();
    let tasks = Tasks::new();
    let (hook, mut seen) = sink(&tasks).await;
    let (tenant, integration) = furnish(&store, hook).await;
    let app = start(store.clone(), Clock::system()).await;
    let first = vec![event(tenant, integration, Action::Trigger)];
    assert_eq!(app.intake().accept(first, 1_000).await.unwrap(), [bugle_store::Accepted::New]);
    let body = tokio::time::timeout(Duration::from_secs(5), seen.recv()).await.unwrap().unwrap();
    assert!(body.contains("disk full"), "{body}");
    for action in [Action::Trigger, Action::Resolve, Action::Resolve] {
        app.intake().accept(vec![event(tenant, integration, action)], 1_000).await.unwrap();
    }
    let scope = TenantScope::granted(tenant);
    let mut changes = app.changes();
    let settled = async {
        loop {
            let ledger = store.ledger(scope, app.now()).await.unwrap();
            assert!(ledger.total.balanced(), "{ledger:?}");
            if ledger.total.pending == 0 && ledger.total.sending == 0 {
                break ledger;
            }
            let _ = tokio::time::timeout(Duration::from_millis(50), changes.recv()).await;
        }
    };
    let ledger = tokio::time::timeout(Duration::from_secs(5), settled).await.unwrap().total;
    let events = (ledger.accepted, ledger.alerted, ledger.folded, ledger.suppressed);
    assert_eq!(events, (4, 1, 2, 1));
    assert_eq!((ledger.owed, ledger.ended.delivered), (1, 1));
    app.stop().await;
    tasks.stop().await;
}

#[tokio::test]
async fn what_two_kills_left_undecided_is_told_to_those_on_call() {
    let folder = tempfile::tempdir().unwrap();
    let url: DatabaseUrl =
        format!("sqlite:{}", folder.path().join("b.db").display()).parse().unwrap();
    let store = Store::open(&url, POOL).await.unwrap();
    let tasks = Tasks::new();
    let (hook, mut seen) = sink(&tasks).await;
    let (tenant, integration) = furnish(&store, hook).await;
    let node = NodeId::new(Timestamp::UNIX_EPOCH, bytes());
    let left = [event(tenant, integration, Action::Trigger)];
    store.accept_events(node, &left).await.unwrap();
    for _kill in 0..2 {
        store.mark_in_hand([tenant], 256).await.unwrap();
    }
    let app = start(store.clone(), Clock::system()).await;
    let body = tokio::time::timeout(Duration::from_secs(5), seen.recv()).await.unwrap().unwrap();
    assert!(body.contains("disk full"), "{body}");
    let sums = store.ledger(TenantScope::granted(tenant), app.now()).await.unwrap().total;
    assert_eq!((sums.alerted, sums.suppressed), (1, 0));
    app.stop().await;
    tasks.stop().await;
}
