//! What the watch reads and writes: its canaries, the books at constant cost, one report a node.
//!
//! Nothing here takes a scope: the watch stands above tenants, and its canaries are in tenants that
//! are nobody's.

use bugle_domain::contact::Channel;
use bugle_domain::notification::Lane;
use bugle_domain::{AlertId, EventId, NodeId, NotificationId, TenantId, TenantScope};
use bugle_engine::watch::books::{Books, OwedLane, Totals, Waiting};
use bugle_engine::watch::flight::Marks;
use jiff::Timestamp;

use crate::Store;
use crate::db::row::Row;
use crate::db::statement::{Statement, heads};
use crate::db::value::values;
use crate::db::{Tx, WriteClass};
use crate::dispatch::due::{RANKS, first_of};
use crate::error::StoreError;

/// Canaries read at a time.
const MAX_CANARIES: u32 = 2_000;
/// Rows counted of what waits; beyond that it is only known that there are more.
const MAX_COUNTED: i64 = 10_000;
/// Tenants whose work waits that are named.
const MAX_NAMED: usize = 5;

/// How far a canary got.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CanaryRow {
    /// Its event.
    pub event: EventId,
    /// When it passed each point.
    pub marks: Marks,
    /// Why its notification ended without arriving, as a stable word.
    pub fault: Option<String>,
}

/// What the watch of a node said last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReportRow {
    /// Whose watch.
    pub node: NodeId,
    /// Rises with each report: what stands still is old, whatever the clocks say.
    pub number: i64,
    /// When, by that node's clock.
    pub at: Timestamp,
    /// The report, as JSON.
    pub report: String,
}

pub(crate) static CANARIES: Statement = Statement::new(
    "SELECT e.id, e.received_us, e.decided_us, n.claimed_us, n.receipt, n.receipt_us, n.ended,
         n.ended_reason,
         (SELECT MIN(t.finished_us) FROM attempts t
             WHERE t.tenant_id = n.tenant_id AND t.notification_id = n.id
                 AND t.outcome IN ('accepted', 'found'))
     FROM events e
     LEFT JOIN notifications n ON n.tenant_id = e.tenant_id AND n.alert_id = e.alert_id
     WHERE e.tenant_id = $1 AND e.id >= $2
     ORDER BY e.id LIMIT $3",
);

/// The oldest pending event of each tenant.
pub(crate) static PENDING_HEADS: Statement = Statement::new(concat!(
    heads!(
        "events e{lite: INDEXED BY events_pending}",
        "e.outcome IS NULL",
        "e.tenant_id",
        "e.id",
        ""
    ),
    " SELECT heads.tenant_id,
         (SELECT e.received_us FROM events e{lite: INDEXED BY events_pending}
             WHERE e.tenant_id = heads.tenant_id AND e.outcome IS NULL
             ORDER BY e.id LIMIT 1)
     FROM heads WHERE heads.tenant_id IS NOT NULL AND heads.tenant_id < $1
     LIMIT $2",
));

pub(crate) static PENDING_COUNT: Statement = Statement::new(
    "SELECT COUNT(*) FROM (
         SELECT 1 FROM events e{lite: INDEXED BY events_pending}
         WHERE e.outcome IS NULL AND e.tenant_id < $1 LIMIT $2) AS counted",
);

/// What is due first of each rank of a lane, of each tenant, with its channel.
pub(crate) static OWED_HEADS: Statement = Statement::new(concat!(
    heads!(
        "notifications n{lite: INDEXED BY notifications_waiting}",
        "n.state = 'waiting' AND n.lane = $1",
        "n.tenant_id",
        "n.rank, n.due_us",
        ""
    ),
    " SELECT heads.tenant_id, ",
    first_of!("0", "due_us"),
    ", ",
    first_of!("0", "channel"),
    ", ",
    first_of!("1", "due_us"),
    ", ",
    first_of!("1", "channel"),
    ", ",
    first_of!("2", "due_us"),
    ", ",
    first_of!("2", "channel"),
    ", ",
    first_of!("3", "due_us"),
    ", ",
    first_of!("3", "channel"),
    "
     FROM heads WHERE heads.tenant_id IS NOT NULL AND heads.tenant_id < $2
     LIMIT $3"
));

pub(crate) static OWED_COUNT: Statement = Statement::new(
    "SELECT COUNT(*) FROM (
         SELECT 1 FROM notifications n{lite: INDEXED BY notifications_waiting}
         WHERE n.state = 'waiting' AND n.lane = $1 AND n.tenant_id < $2 LIMIT $3) AS counted",
);

pub(crate) static SENDING_COUNT: Statement = Statement::new(
    "SELECT COUNT(*) FROM (
         SELECT 1 FROM notifications n{lite: INDEXED BY notifications_sending}
         WHERE n.state = 'sending' AND n.tenant_id < $1 LIMIT $2) AS counted",
);

pub(crate) static HANDED_OFF_COUNT: Statement = Statement::new(
    "SELECT COUNT(*) FROM (
         SELECT 1 FROM notifications n{lite: INDEXED BY notifications_handed_off}
         WHERE n.state = 'handed_off' AND n.tenant_id < $1 LIMIT $2) AS counted",
);

/// One row a tenant, node and stage: it does not grow with time.
pub(crate) static TOTALS: Statement = Statement::new(
    "SELECT CAST(COALESCE(SUM(l.accepted), 0) AS BIGINT),
         CAST(COALESCE(SUM(l.alerted + l.folded + l.suppressed), 0) AS BIGINT),
         CAST(COALESCE(SUM(l.owed), 0) AS BIGINT),
         CAST(COALESCE(SUM(l.answered + l.delivered + l.failed + l.cancelled + l.expired), 0)
             AS BIGINT)
     FROM ledger l WHERE l.tenant_id < $1",
);

pub(crate) static REPORT: Statement = Statement::new(
    "INSERT INTO watch_reports (node_id, number, at_us, report) VALUES ($1, 1, $2, $3)
     ON CONFLICT (node_id) DO UPDATE SET
         number = watch_reports.number + 1, at_us = excluded.at_us, report = excluded.report",
);

pub(crate) static REPORTS: Statement = Statement::new(
    "SELECT v.node_id, v.number, v.at_us, v.report FROM watch_reports v ORDER BY v.node_id",
);

pub(crate) static KEY_ENDS: Statement = Statement::new(
    "SELECT MIN(k.expires_us) FROM api_keys k WHERE k.revoked_us IS NULL AND k.expires_us > $1",
);

/// Deletes what canaries left behind in a table.
macro_rules! sweep {
    ($table:literal, $column:literal) => {
        Statement::new(concat!(
            "DELETE FROM ",
            $table,
            " WHERE tenant_id >= $1 AND ",
            $column,
            " < $2"
        ))
    };
}

pub(crate) static SWEEP_REQUESTS: Statement = sweep!("requests", "id");
pub(crate) static SWEEP_REJECTED: Statement = sweep!("rejected_requests", "at_us");
pub(crate) static SWEEP_ATTEMPTS: Statement = sweep!("attempts", "notification_id");
pub(crate) static SWEEP_NOTIFICATIONS: Statement = sweep!("notifications", "id");
pub(crate) static SWEEP_TIMELINE: Statement = sweep!("timeline", "alert_id");
pub(crate) static SWEEP_ALERTS: Statement = sweep!("alerts", "id");
pub(crate) static SWEEP_EVENTS: Statement = sweep!("events", "id");
pub(crate) static SWEEP_AUDIT: Statement = sweep!("audit", "at_us");

impl Store {
    /// How far the canaries in `scope` got, from event `from` on.
    pub async fn canaries(
        &self,
        scope: TenantScope,
        from: EventId,
    ) -> Result<Vec<CanaryRow>, StoreError> {
        let values = values![scope.tenant(), from, MAX_CANARIES];
        self.db.rows(&CANARIES, values).await?.iter().map(canary).collect()
    }

    /// The books, at a cost that grows neither with history nor with what waits. Without the
    /// watch's own tenants.
    pub async fn watch_books(&self, now: Timestamp) -> Result<Books, StoreError> {
        let mut tx = self.db.snapshot().await?;
        let limit = TenantId::reserved_from();
        let heads = tx.rows(&PENDING_HEADS, values![limit, crate::MAX_WALK]).await?;
        let pending_count = count(&mut tx, &PENDING_COUNT, None).await?;
        let head = |row: &Row| Ok((row.time(1)?, TenantId::from_stored(row.id(0)?)));
        let pending = heads.iter().map(head).collect::<Result<_, StoreError>>()?;
        let pending = waiting(pending, pending_count);
        let (mut owed, mut waiting_count) = (Vec::new(), 0);
        for lane in Lane::ALL {
            let values = values![lane.as_i16(), limit, crate::MAX_WALK];
            let heads = tx.rows(&OWED_HEADS, values).await?;
            let lane_count = count(&mut tx, &OWED_COUNT, Some(lane)).await?;
            waiting_count += lane_count;
            owed.push(owed_lane(lane, &heads, lane_count, now)?);
        }
        let sending = count(&mut tx, &SENDING_COUNT, None).await?;
        let handed_off = count(&mut tx, &HANDED_OFF_COUNT, None).await?;
        let totals = totals(&mut tx).await?;
        tx.commit().await?;
        let counts = [pending_count, waiting_count, sending, handed_off];
        let whole = counts.iter().all(|count| *count < MAX_COUNTED);
        let events = totals.accepted - totals.decided - pending_count;
        let notifications = totals.owed - totals.ended - waiting_count - sending - handed_off;
        let difference = whole.then(|| events.abs() + notifications.abs());
        Ok(Books { pending, owed, totals, difference })
    }

    /// Writes what the watch of a node says, over what it said before.
    pub async fn save_watch_report(
        &self,
        node: NodeId,
        report: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.db.run(&REPORT, values![node, now, report]).await.map(drop)
    }

    /// What the watch of each node said last.
    pub async fn watch_reports(&self) -> Result<Vec<ReportRow>, StoreError> {
        let report = |row: &Row| {
            Ok(ReportRow {
                node: NodeId::from_stored(row.id(0)?),
                number: row.int(1)?,
                at: row.time(2)?,
                report: row.string(3)?,
            })
        };
        self.db.rows(&REPORTS, values![]).await?.iter().map(report).collect()
    }

    /// When the next API key ends that has an end.
    pub async fn next_key_end(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let row = self.db.row(&KEY_ENDS, values![now]).await?;
        Ok(row.map(|row| row.opt_time(0)).transpose()?.flatten())
    }

    /// Deletes what canaries older than `before` left behind, on whatever node they were sent.
    pub async fn sweep_canaries(&self, before: Timestamp) -> Result<u64, StoreError> {
        let reserved = TenantId::reserved_from();
        let (alert, notification) =
            (AlertId::new(before, [0; 10]), NotificationId::new(before, [0; 10]));
        let event = EventId::new(before, [0; 10]);
        let steps = [
            (&SWEEP_REQUESTS, values![reserved, event]),
            (&SWEEP_REJECTED, values![reserved, before]),
            (&SWEEP_ATTEMPTS, values![reserved, notification]),
            (&SWEEP_NOTIFICATIONS, values![reserved, notification]),
            (&SWEEP_TIMELINE, values![reserved, alert]),
            (&SWEEP_ALERTS, values![reserved, alert]),
            (&SWEEP_EVENTS, values![reserved, event]),
            (&SWEEP_AUDIT, values![reserved, before]),
        ];
        let mut tx = self.db.write(WriteClass::Then).await?;
        let mut swept = 0;
        for (statement, values) in steps {
            swept += tx.run(statement, values).await?;
        }
        tx.commit().await?;
        Ok(swept)
    }
}

async fn count(
    tx: &mut Tx,
    statement: &'static Statement,
    lane: Option<Lane>,
) -> Result<i64, StoreError> {
    let limit = TenantId::reserved_from();
    let values = match lane {
        Some(lane) => values![lane.as_i16(), limit, MAX_COUNTED],
        None => values![limit, MAX_COUNTED],
    };
    tx.row(statement, values).await?.map_or(Ok(0), |row| row.int(0))
}

async fn totals(tx: &mut Tx) -> Result<Totals, StoreError> {
    let row = tx.row(&TOTALS, values![TenantId::reserved_from()]).await?;
    let Some(row) = row else { return Ok(Totals::default()) };
    Ok(Totals {
        accepted: row.int(0)?,
        decided: row.int(1)?,
        owed: row.int(2)?,
        ended: row.int(3)?,
    })
}

/// What waits, from when the first of each tenant does.
fn waiting(mut heads: Vec<(Timestamp, TenantId)>, count: i64) -> Waiting {
    heads.sort_unstable();
    Waiting {
        oldest: heads.first().map(|(at, _)| *at),
        count,
        more: count >= MAX_COUNTED,
        tenants: heads.into_iter().map(|(_, tenant)| tenant).take(MAX_NAMED).collect(),
    }
}

fn owed_lane(
    lane: Lane,
    heads: &[Row],
    count: i64,
    now: Timestamp,
) -> Result<OwedLane, StoreError> {
    let (mut due, mut first) = (Vec::new(), None);
    for row in heads {
        let tenant = TenantId::from_stored(row.id(0)?);
        for rank in 0..RANKS {
            let Some(at) = row.opt_time(1 + 2 * rank)?.filter(|at| *at <= now) else { continue };
            due.push((at, tenant));
            if first.is_none_or(|(before, _)| at < before) {
                first = Some((at, Channel::parse(row.text(2 + 2 * rank)?)));
            }
        }
    }
    due.sort_unstable();
    due.dedup_by_key(|(_, tenant)| *tenant);
    let channel = first.and_then(|(_, channel)| channel);
    Ok(OwedLane { lane, channel, waiting: waiting(due, count) })
}

fn canary(row: &Row) -> Result<CanaryRow, StoreError> {
    let receipt = row.opt_text(4)?;
    let arrived = receipt.is_some_and(|receipt| receipt != "accepted");
    let accepted = receipt.is_some();
    let receipt_at = row.opt_time(5)?;
    let taken = row.opt_time(8)?.or(receipt_at.filter(|_| accepted));
    let lost = matches!(row.opt_text(6)?, Some("failed" | "expired" | "cancelled"));
    Ok(CanaryRow {
        event: EventId::from_stored(row.id(0)?),
        marks: Marks {
            accepted: row.opt_time(1)?,
            decided: row.opt_time(2)?,
            claimed: row.opt_time(3)?,
            taken,
            arrived: receipt_at.filter(|_| arrived),
        },
        fault: if lost { row.opt_text(7)?.map(str::to_owned) } else { None },
    })
}
