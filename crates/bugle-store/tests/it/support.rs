//! What the checks stand on: a fresh database each, and short words for making things.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bugle_domain::alert::{Alert, AlertStatus, Escalation};
use bugle_domain::contact::Channel;
use bugle_domain::event::{Action, Event, EventBody, EventOutcome, NewEvent};
use bugle_domain::integration::Dialect;
use bugle_domain::notification::{Attempt, End, Lane, Notification, NotificationState};
use bugle_domain::object::Tenant;
use bugle_domain::{
    AlertId, AllTenants, ClaimId, EventId, IntegrationId, MethodId, NodeId, NotificationId,
    Severity, TenantId, TenantScope, UserId,
};
use bugle_engine::alerting::{Decisions, Work};
use bugle_engine::dispatch::{Candidate, Next, PaceUpdate, Verdict};
use bugle_store::{
    AlertingPass, Claimed, DatabaseUrl, DispatchPass, PassReport, PoolSettings, Store, Stretch,
    TriedRow,
};
use jiff::Timestamp;

/// Defines each check once and runs it on every database there is.
macro_rules! on_each_store {
    ($($check:ident)*) => { $(
        mod $check {
            #[tokio::test]
            async fn sqlite() {
                super::$check(crate::support::Place::sqlite().open().await).await;
            }

            #[tokio::test]
            async fn postgres() {
                super::$check(crate::support::Place::postgres().await.open().await).await;
            }
        }
    )* };
}
pub(crate) use on_each_store;

pub(crate) const NODE: u128 = 1;

/// A database that nobody else uses.
pub(crate) enum Place {
    Sqlite(tempfile::TempDir),
    Postgres(String),
}

/// A store with its place, and one tenant that the node owns.
pub(crate) struct World {
    pub(crate) place: Place,
    pub(crate) store: Store,
    pub(crate) epochs: BTreeMap<TenantId, i64>,
    next: AtomicU64,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub(crate) async fn postgres() -> Self {
        let server = postgres_server();
        let name = format!("t_{}", uuid::Uuid::now_v7().as_simple());
        let pool = sqlx::PgPool::connect(&server).await.unwrap();
        let create = format!("CREATE SCHEMA {name}");
        sqlx::query(sqlx::AssertSqlSafe(create)).execute(&pool).await.unwrap();
        let joint = if server.contains('?') { '&' } else { '?' };
        Self::Postgres(format!("{server}{joint}options=-c%20search_path%3D{name}"))
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        match self {
            Self::Sqlite(folder) => DatabaseUrl::Sqlite(self::path(folder)),
            Self::Postgres(url) => url.parse().unwrap(),
        }
    }

    pub(crate) async fn open_store(&self) -> Store {
        Store::open(&self.url(), settings()).await.unwrap()
    }

    pub(crate) async fn open(self) -> World {
        let store = self.open_store().await;
        let mut world =
            World { place: self, store, epochs: BTreeMap::new(), next: AtomicU64::new(1) };
        world.add_tenant(1).await;
        world
    }
}

impl World {
    /// Spoils what a column of a table says, in the row with that id.
    pub(crate) async fn spoil(&self, (table, column): (&str, &str), id: uuid::Uuid) {
        match &self.place {
            Place::Sqlite(folder) => {
                let spoil = format!("UPDATE {table} SET {column} = '?' WHERE id = ?1");
                let db = rusqlite::Connection::open(path(folder)).unwrap();
                db.busy_timeout(Duration::from_secs(5)).unwrap();
                assert_eq!(db.execute(&spoil, [id.as_bytes()]).unwrap(), 1);
            }
            Place::Postgres(url) => {
                let pool = sqlx::PgPool::connect(url).await.unwrap();
                let spoil = format!("UPDATE {table} SET {column} = '?' WHERE id = $1");
                let spoil = sqlx::query(sqlx::AssertSqlSafe(spoil)).bind(id);
                assert_eq!(spoil.execute(&pool).await.unwrap().rows_affected(), 1);
            }
        }
    }
}

fn path(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("bugle.db")
}

#[expect(clippy::disallowed_methods, reason = "the test runner says where PostgreSQL is")]
fn postgres_server() -> String {
    std::env::var("BUGLE_TEST_POSTGRES").expect(
        "BUGLE_TEST_POSTGRES must say where PostgreSQL is, as postgres://user@host:port/name; \
         `cargo xtask test` starts one and sets it",
    )
}

fn settings() -> PoolSettings {
    PoolSettings {
        connections: 3,
        statement_timeout: Duration::from_secs(10),
        lock_timeout: Duration::from_secs(5),
        acquire_timeout: Duration::from_secs(30),
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(crate) fn uuid(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

pub(crate) fn node(number: u128) -> NodeId {
    NodeId::from_stored(uuid(number))
}

pub(crate) fn tenant(number: u128) -> TenantId {
    TenantId::from_stored(uuid(number))
}

pub(crate) fn scope(number: u128) -> TenantScope {
    TenantScope::granted(tenant(number))
}

pub(crate) fn all() -> AllTenants {
    AllTenants::granted()
}

impl World {
    pub(crate) async fn add_tenant(&mut self, number: u128) {
        let tenant = Tenant {
            id: tenant(number),
            name: format!("tenant {number}"),
            fallback_policy: None,
            time_zone: "Europe/Berlin".to_owned(),
            created_at: at(0),
        };
        self.store.create_tenant(all(), &tenant).await.unwrap();
        self.epochs = self.store.take_placements(node(NODE), at(0), at(0)).await.unwrap();
    }

    /// A number that was not used before, rising like ids do.
    pub(crate) fn fresh(&self) -> u128 {
        (1 << 64) + u128::from(self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn event(&self, tenant_number: u128, dedup_key: &str) -> NewEvent {
        let id = EventId::from_stored(uuid(self.fresh()));
        NewEvent {
            id,
            tenant: tenant(tenant_number),
            integration: IntegrationId::from_stored(uuid(7)),
            dialect: Dialect::Native,
            received_at: at(0),
            idempotency_key: None,
            body: EventBody {
                action: Action::Trigger,
                summary: format!("{dedup_key} is broken"),
                severity: Severity::Critical,
                source: "db-3".to_owned(),
                dedup_key: dedup_key.to_owned(),
                occurred_at: None,
                ends_at: None,
                links: Vec::new(),
                details: serde_json::Map::new(),
            },
            request: id,
            raw: Some(b"{\"as\":\"received\"}".to_vec()),
        }
    }

    pub(crate) async fn accept(&self, events: &[NewEvent]) -> Vec<bugle_store::Accepted> {
        self.store.accept_events(node(NODE), events).await.unwrap()
    }

    /// An alerting pass that opens an alert for each event, or folds it, and owes one notification
    /// for each alert opened.
    pub(crate) async fn decide(&self) -> PassReport {
        self.decide_with(&mut |_, work| Some(self.simple(work))).await
    }

    pub(crate) async fn decide_with(&self, decide: &mut bugle_store::Decide<'_>) -> PassReport {
        self.decide_only(&[], decide).await
    }

    /// The same for a few tenants that are known to have work.
    pub(crate) async fn decide_only(
        &self,
        only: &[TenantId],
        decide: &mut bugle_store::Decide<'_>,
    ) -> PassReport {
        let pass = AlertingPass {
            node: node(NODE),
            epochs: &self.epochs,
            only: &only.iter().copied().collect(),
            events: 256,
            due: 256,
            now: at(1),
        };
        self.store.alerting_pass(&pass, decide).await.unwrap()
    }

    pub(crate) fn simple(&self, work: Work) -> Decisions {
        let mut decisions = Decisions::default();
        let mut open: BTreeMap<String, Alert> =
            work.open.into_iter().map(|alert| (alert.dedup_key.clone(), alert)).collect();
        for event in work.events {
            if let Some(alert) = open.get_mut(&event.body.dedup_key) {
                alert.event_count += 1;
                decisions.outcomes.push((event.id, EventOutcome::Folded { alert: alert.id }));
                continue;
            }
            let alert = self.alert(&event);
            decisions.outcomes.push((event.id, EventOutcome::Alerted { alert: alert.id }));
            decisions.owed.push(self.notification(alert.id));
            open.insert(alert.dedup_key.clone(), alert);
        }
        for alert in open.into_values() {
            let known = alert.number != 0;
            if known { decisions.changed.push(alert) } else { decisions.opened.push(alert) }
        }
        decisions
    }

    pub(crate) fn alert(&self, event: &Event) -> Alert {
        Alert {
            id: AlertId::from_stored(uuid(self.fresh())),
            number: 0,
            integration: event.integration,
            service: None,
            dedup_key: event.body.dedup_key.clone(),
            status: AlertStatus::Open,
            severity: event.body.severity,
            summary: event.body.summary.clone(),
            source: event.body.source.clone(),
            links: Vec::new(),
            details: serde_json::Map::new(),
            policy: None,
            escalation: Escalation::Waiting {
                level: 0,
                cycle: 0,
                told_at: at(1),
                deadline: at(300),
            },
            resolve_at: None,
            opened_by: event.id,
            opened_at: at(1),
            event_count: 1,
            last_event_at: at(1),
            acknowledged: None,
            resolved_at: None,
        }
    }

    pub(crate) fn notification(&self, alert: AlertId) -> Notification {
        let number = self.fresh();
        Notification {
            id: NotificationId::from_stored(uuid(number)),
            alert,
            user: UserId::from_stored(uuid(21)),
            method: MethodId::from_stored(uuid(22)),
            channel: Channel::Sms,
            lane: Lane::Urgent,
            level: 0,
            cycle: 0,
            wanted_at: at(1),
            due_at: at(1),
            deadline: at(3_600),
            state: NotificationState::Waiting,
            tries: 0,
            receipt: None,
            possible_repeat: false,
            token: Some(format!("token{number}")),
            provider_ref: None,
            created_at: at(1),
        }
    }

    /// A dispatch pass that claims what is due at a few places.
    pub(crate) async fn claim_only(&self, only: &BTreeSet<Stretch>, now: Timestamp) -> Claimed {
        self.store.dispatch_pass(&self.pass(only, 256, now), &mut send_all).await.unwrap()
    }

    /// A dispatch pass that claims everything that is due.
    pub(crate) async fn claim(&self, now: Timestamp) -> Claimed {
        self.claim_with(node(NODE), 256, now, &mut send_all).await
    }

    pub(crate) async fn claim_with(
        &self,
        node: NodeId,
        limit: u32,
        now: Timestamp,
        judge: &mut bugle_store::Judge<'_>,
    ) -> Claimed {
        let everywhere = BTreeSet::new();
        let pass = DispatchPass { node, ..self.pass(&everywhere, limit, now) };
        self.store.dispatch_pass(&pass, judge).await.unwrap()
    }

    fn pass<'a>(
        &self,
        only: &'a BTreeSet<Stretch>,
        limit: u32,
        now: Timestamp,
    ) -> DispatchPass<'a> {
        DispatchPass {
            lanes: &Lane::ALL,
            only,
            node: node(NODE),
            claim: ClaimId::from_stored(uuid(self.fresh())),
            send_by: now + jiff::SignedDuration::from_secs(8),
            limit,
            late: limit,
            now,
        }
    }

    pub(crate) async fn balance(&self) {
        let ledger = self.store.ledger_of_all(all(), at(1)).await.unwrap();
        assert!(ledger.total.balanced(), "{ledger:?}");
        let recount = self.store.recount(all()).await.unwrap();
        assert_eq!(ledger.total, recount.total);
        assert_eq!(ledger.tenants, recount.tenants);
    }
}

pub(crate) fn send_all(candidates: &[Candidate]) -> (Vec<Verdict>, Vec<PaceUpdate>) {
    ((0..candidates.len()).map(|message| Verdict::Send { message }).collect(), Vec::new())
}

pub(crate) fn ended(end: End, now: Timestamp) -> Next {
    Next {
        state: NotificationState::Ended { end, reason: end.as_str().to_owned(), at: now },
        due_at: None,
        receipt: None,
        unsure: false,
        hop: false,
        uncounted: false,
    }
}

pub(crate) fn tried(candidate: &Candidate, next: Next) -> TriedRow {
    let NotificationState::Sending { claim, .. } = candidate.notification.state else {
        panic!("a claimed notification is being sent")
    };
    TriedRow {
        tenant: candidate.tenant,
        notification: candidate.notification.id,
        claim,
        next,
        rang: None,
        attempt: Attempt {
            notification: candidate.notification.id,
            number: candidate.notification.tries,
            provider: "twilio".to_owned(),
            started_at: at(1),
            finished_at: at(2),
            outcome: "accepted".to_owned(),
            detail: "201 queued".to_owned(),
            provider_ref: Some("SM1".to_owned()),
        },
    }
}
