//! How fast the store alone is: durable accepts, and whole notifications from event to receipt.
//!
//! `cargo run --release -p bugle-store --example hot_path [URL] [EVENTS]`. Without a URL, a SQLite
//! file in a temporary folder. The deciding closures do next to nothing, so that what is measured
//! is the store.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bugle_domain::alert::{
    Alert, AlertStatus, Escalation, Route, StampedPolicy, TimelineEntry, Told,
};
use bugle_domain::contact::Channel;
use bugle_domain::event::{Action, EventBody, EventOutcome, Link, NewEvent};
use bugle_domain::integration::Dialect;
use bugle_domain::notification::{Attempt, End, Lane, Notification, NotificationState};
use bugle_domain::object::Tenant;
use bugle_domain::policy::{Level, Target};
use bugle_domain::{
    AlertId, AllTenants, ClaimId, EventId, IntegrationId, MethodId, NodeId, NotificationId,
    PolicyId, Severity, TenantId, UserId,
};
use bugle_engine::alerting::{Decisions, Work};
use bugle_engine::dispatch::{Candidate, Next, Verdict};
use bugle_store::{AlertingPass, DatabaseUrl, DispatchPass, PoolSettings, Store, TriedRow};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use uuid::Uuid;

const BATCH: usize = 256;

struct Bench {
    store: Store,
    node: NodeId,
    tenant: TenantId,
    epochs: BTreeMap<TenantId, i64>,
    next: u64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let mut arguments = std::env::args().skip(1);
    let url: DatabaseUrl = match arguments.next().filter(|text| text != "sqlite") {
        Some(text) => text.parse()?,
        None => DatabaseUrl::Sqlite(folder.path().join("bench.db")),
    };
    let events: usize = arguments.next().map_or(Ok(20_000), |text| text.parse())?;
    let settings = PoolSettings {
        connections: 8,
        statement_timeout: Duration::from_secs(10),
        lock_timeout: Duration::from_secs(5),
        acquire_timeout: Duration::from_secs(10),
    };
    let mut bench = Bench::new(Store::open(&url, settings).await?).await?;
    bench.alone(events).await?;
    Box::pin(bench.together(events)).await?;
    let ledger = bench.store.ledger_of_all(AllTenants::granted(), now(0)).await?;
    say(&format!("ledger balances: {}", ledger.total.balanced()));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "it is what this program is for")]
fn say(text: &str) {
    println!("{text}");
}

fn now(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap_or(Timestamp::MAX)
}

/// Ids that rise, as real ones do, with a random-looking tail.
fn id(number: u64) -> Uuid {
    let tail = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Uuid::from_u128((u128::from(number) << 80) | u128::from(tail))
}

impl Bench {
    async fn new(store: Store) -> Result<Self, bugle_store::StoreError> {
        let tenant = TenantId::from_stored(Uuid::now_v7());
        let node = NodeId::from_stored(Uuid::now_v7());
        let made = Tenant {
            id: tenant,
            name: "bench".to_owned(),
            fallback_policy: None,
            time_zone: "UTC".to_owned(),
            created_at: now(0),
        };
        store.create_tenant(AllTenants::granted(), &made).await?;
        let epochs = store.take_placements(node, now(0), now(0)).await?;
        let next = u64::try_from(tenant.as_uuid().as_u128() >> 80).unwrap_or(0);
        Ok(Self { store, node, tenant, epochs, next })
    }

    /// Each stage by itself, one batch after the other.
    async fn alone(&mut self, events: usize) -> Result<(), bugle_store::StoreError> {
        let batches: Vec<Vec<NewEvent>> =
            (0..events / BATCH).map(|_| (0..BATCH).map(|_| self.event()).collect()).collect();
        let count = batches.len() * BATCH;
        let begun = Meter::start();
        for batch in &batches {
            self.store.accept_events(self.node, batch).await?;
        }
        begun.stop("accept, batches of 256", count);
        let small: Vec<Vec<NewEvent>> =
            (0..200).map(|_| (0..16).map(|_| self.event()).collect()).collect();
        let begun = Meter::start();
        for batch in &small {
            self.store.accept_events(self.node, batch).await?;
        }
        begun.stop("accept, batches of 16", 200 * 16);

        let begun = Meter::start();
        let mut decided = 0;
        loop {
            let events = self.decide().await?;
            decided += events;
            if events == 0 {
                break;
            }
        }
        begun.stop("alerting", decided);
        let (mut claiming, mut recording) = (Meter::default(), Meter::default());
        let mut sent = 0;
        loop {
            claiming.go();
            let claimed = self.claim().await?;
            claiming.pause();
            if claimed.is_empty() {
                break;
            }
            sent += claimed.len();
            recording.go();
            self.store.record_tries(self.node, &claimed, now(2)).await?;
            recording.pause();
        }
        claiming.stop("dispatch", sent);
        recording.stop("record", sent);
        Ok(())
    }

    /// All stages at once, as in a running node.
    async fn together(&mut self, events: usize) -> Result<(), bugle_store::StoreError> {
        let batches: Vec<Vec<NewEvent>> =
            (0..events / 64).map(|_| (0..64).map(|_| self.event()).collect()).collect();
        let count = batches.len() * 64;
        let begun = Meter::start();
        let (wake_alerting, wake_dispatch) = (Notify::new(), Notify::new());
        let intake = async {
            for batch in &batches {
                self.store.accept_events(self.node, batch).await?;
                wake_alerting.notify_one();
            }
            Ok::<_, bugle_store::StoreError>(())
        };
        let alerting = async {
            let mut decided = 0;
            while decided < count {
                match self.decide().await? {
                    0 => wake_alerting.notified().await,
                    events => decided += events,
                }
                wake_dispatch.notify_one();
            }
            Ok(())
        };
        let (queue, mut queued) = tokio::sync::mpsc::channel::<Vec<TriedRow>>(4);
        let (bench, woken) = (&*self, &wake_dispatch);
        let dispatch = async move {
            let mut claimed = 0;
            while claimed < count {
                let rows = bench.claim().await?;
                claimed += rows.len();
                if rows.is_empty() {
                    woken.notified().await;
                } else {
                    let _ = queue.send(rows).await;
                }
            }
            Ok(())
        };
        let (store, node) = (self.store.clone(), self.node);
        let record = async {
            while let Some(rows) = queued.recv().await {
                store.record_tries(node, &rows, now(2)).await?;
            }
            Ok(())
        };
        tokio::try_join!(intake, alerting, dispatch, record)?;
        begun.stop("whole notifications, all stages at once", count);
        Ok(())
    }

    fn event(&mut self) -> NewEvent {
        self.next += 1;
        let id = EventId::from_stored(id(self.next));
        let details = [("instance", "db-3.halden.example:9100"), ("job", "node"), ("dc", "osl1")];
        let body = EventBody {
            action: Action::Trigger,
            summary: format!("checkout-api 5xx at 14.2 % (limit 2 %), case {}", self.next),
            severity: Severity::Critical,
            source: "prometheus-eu-1".to_owned(),
            dedup_key: format!("checkout-api/5xx/{}", self.next),
            occurred_at: None,
            ends_at: None,
            links: vec![Link {
                href: "https://grafana.halden.example/d/checkout".to_owned(),
                text: "Graph".to_owned(),
            }],
            details: details.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect(),
        };
        NewEvent {
            id,
            tenant: self.tenant,
            integration: IntegrationId::from_stored(Uuid::from_u128(7)),
            dialect: Dialect::Native,
            received_at: now(0),
            idempotency_key: None,
            raw: serde_json::to_vec(&body).ok(),
            body,
            request: id,
        }
    }

    async fn decide(&self) -> Result<usize, bugle_store::StoreError> {
        let pass = AlertingPass {
            node: self.node,
            epochs: &self.epochs,
            only: &std::collections::BTreeSet::new(),
            events: 256,
            due: 256,
            now: now(1),
        };
        let report = self.store.alerting_pass(&pass, &mut |_, work| Some(open_all(work))).await?;
        Ok(report.events)
    }

    async fn claim(&self) -> Result<Vec<TriedRow>, bugle_store::StoreError> {
        let claim = ClaimId::from_stored(Uuid::now_v7());
        let pass = DispatchPass {
            node: self.node,
            lanes: &Lane::ALL,
            only: &std::collections::BTreeSet::new(),
            claim,
            send_by: now(10),
            limit: 256,
            late: 256,
            now: now(1),
        };
        let mut judge = |candidates: &[Candidate]| {
            let verdicts = (0..candidates.len()).map(|message| Verdict::Send { message });
            (verdicts.collect(), Vec::new())
        };
        let claimed = self.store.dispatch_pass(&pass, &mut judge).await?;
        Ok(claimed.sends.iter().map(|(_, sent)| delivered(sent, claim)).collect())
    }
}

fn waiting() -> Escalation {
    Escalation::Waiting { level: 0, cycle: 0, told_at: now(1), deadline: now(301) }
}

/// Opens an alert for each event, with one notification.
fn open_all(work: Work) -> Decisions {
    let mut decisions = Decisions::default();
    let policy = StampedPolicy {
        id: PolicyId::from_stored(Uuid::from_u128(8)),
        name: "Payments".to_owned(),
        levels: (1..=2)
            .map(|number| Level {
                targets: vec![Target::User(UserId::from_stored(Uuid::from_u128(number)))],
                delay_s: 300,
            })
            .collect(),
        repeat: 0,
        fallback: false,
    };
    for event in work.events {
        let alert = AlertId::from_stored(event.id.as_uuid());
        decisions.outcomes.push((event.id, EventOutcome::Alerted { alert }));
        decisions.timeline.push((
            alert,
            now(1),
            TimelineEntry::Opened {
                event: event.id,
                policy: Some(policy.name.clone()),
                route: Route::Service,
            },
        ));
        decisions.timeline.push((
            alert,
            now(1),
            TimelineEntry::LevelTold {
                level: 0,
                cycle: 0,
                told: vec![Told {
                    user: UserId::from_stored(Uuid::from_u128(1)),
                    name: "Lena Vogt".to_owned(),
                    schedule: None,
                    team: None,
                    notifications: 1,
                }],
                missed: Vec::new(),
                next_at: now(301),
            },
        ));
        decisions.owed.push(webhook(alert));
        decisions.opened.push(Alert {
            id: alert,
            number: 0,
            integration: event.integration,
            service: None,
            status: AlertStatus::Open,
            severity: event.body.severity,
            summary: event.body.summary,
            source: event.body.source,
            links: event.body.links,
            details: event.body.details,
            dedup_key: event.body.dedup_key,
            policy: Some(policy.clone()),
            escalation: waiting(),
            resolve_at: None,
            opened_by: event.id,
            opened_at: now(0),
            event_count: 1,
            last_event_at: now(0),
            acknowledged: None,
            resolved_at: None,
        });
    }
    decisions
}

fn webhook(alert: AlertId) -> Notification {
    Notification {
        id: NotificationId::from_stored(alert.as_uuid()),
        alert,
        user: UserId::from_stored(Uuid::from_u128(1)),
        method: MethodId::from_stored(Uuid::from_u128(2)),
        channel: Channel::Webhook,
        lane: Lane::Urgent,
        level: 0,
        cycle: 0,
        wanted_at: now(1),
        due_at: now(1),
        deadline: now(3_600),
        state: NotificationState::Waiting,
        tries: 0,
        receipt: None,
        possible_repeat: false,
        token: None,
        provider_ref: None,
        created_at: now(1),
    }
}

fn delivered(sent: &Candidate, claim: ClaimId) -> TriedRow {
    TriedRow {
        tenant: sent.tenant,
        notification: sent.notification.id,
        claim,
        next: Next {
            state: NotificationState::Ended {
                end: End::Delivered,
                reason: "delivered".to_owned(),
                at: now(2),
            },
            due_at: None,
            receipt: None,
            unsure: false,
            hop: false,
            uncounted: false,
        },
        rang: None,
        attempt: Attempt {
            notification: sent.notification.id,
            number: 1,
            provider: "webhook".to_owned(),
            started_at: now(1),
            finished_at: now(2),
            outcome: "accepted".to_owned(),
            detail: "200 OK".to_owned(),
            provider_ref: None,
        },
    }
}

/// Time and processor time of a stage.
#[derive(Default)]
struct Meter {
    since: Option<(Instant, SignedDuration)>,
    wall: Duration,
    cpu: SignedDuration,
}

impl Meter {
    fn start() -> Self {
        let mut meter = Self::default();
        meter.go();
        meter
    }

    fn go(&mut self) {
        self.since = Some((Instant::now(), cpu()));
    }

    fn pause(&mut self) {
        if let Some((wall, before)) = self.since.take() {
            self.wall += wall.elapsed();
            self.cpu += cpu() - before;
        }
    }

    fn stop(mut self, name: &str, count: usize) {
        self.pause();
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let count = count as f64;
        let rate = count / self.wall.as_secs_f64();
        let micros = self.cpu.as_secs_f64() * 1e6 / count;
        say(&format!("{name}: {rate:.0}/s, {micros:.1} µs of processor time each"));
    }
}

/// Processor time of this process, to 10 ms; nothing where there is no /proc.
fn cpu() -> SignedDuration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: i64 =
        after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<i64>().ok()).sum();
    SignedDuration::from_millis(ticks * 10)
}
