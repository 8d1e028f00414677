//! The ledger: the books, kept by each effect and counted where things wait.

use std::collections::BTreeMap;

use bugle_domain::contact::Channel;
use bugle_domain::ledger::{Ended, Ledger, OwedAge, Sums};
use bugle_domain::notification::{End, Lane};
use bugle_domain::stage::Stage;
use bugle_domain::{AllTenants, NodeId, TenantId, TenantScope};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::db::Tx;
use crate::db::row::Row;
use crate::db::statement::Kind::{Id, Int, Text};
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::error::StoreError;

/// The node under which responses are booked.
const NO_NODE: Uuid = Uuid::nil();

/// What one transaction adds to the books. Each stage adds to rows of its own, so that they never
/// wait for each other; responses and receipts come through any node and are booked under none.
#[derive(Debug, Default)]
pub(crate) struct Entries(BTreeMap<TenantId, Sums>);

impl Entries {
    pub(crate) fn of(&mut self, tenant: TenantId) -> &mut Sums {
        self.0.entry(tenant).or_default()
    }

    pub(crate) fn end(&mut self, tenant: TenantId, end: End, count: i64) {
        let ended = &mut self.of(tenant).ended;
        *match end {
            End::Answered => &mut ended.answered,
            End::Delivered => &mut ended.delivered,
            End::Failed => &mut ended.failed,
            End::Cancelled => &mut ended.cancelled,
            End::Expired => &mut ended.expired,
        } += count;
    }

    /// Writes them; the last statement of a transaction, so that their rows are held shortly.
    pub(crate) async fn save(
        self,
        tx: &mut Tx,
        stage: Stage,
        node: Option<NodeId>,
    ) -> Result<(), StoreError> {
        let rows = self.into_rows(stage, node);
        if rows.is_empty() {
            return Ok(());
        }
        tx.run(&ADD, values![rows]).await.map(drop)
    }

    /// What [`ADD`] adds.
    pub(crate) fn into_rows(self, stage: Stage, node: Option<NodeId>) -> Rows {
        let node = node.map_or(NO_NODE, NodeId::as_uuid);
        let mut rows = Rows::new();
        for (tenant, sums) in self.0 {
            if sums == Sums::default() {
                continue;
            }
            let Ended { answered, delivered, failed, cancelled, expired } = sums.ended;
            rows.push(row![
                tenant,
                node,
                stage.as_str(),
                sums.accepted,
                sums.alerted,
                sums.folded,
                sums.suppressed,
                sums.owed,
                answered,
                delivered,
                failed,
                cancelled,
                expired,
            ]);
        }
        rows
    }
}

pub(crate) static ADD: Statement = Statement::with_rows(
    "INSERT INTO ledger (tenant_id, node_id, stage, accepted, alerted, folded, suppressed, owed,
         answered, delivered, failed, cancelled, expired)
     SELECT r.tenant_id, r.node_id, r.stage, r.accepted, r.alerted, r.folded, r.suppressed, r.owed,
         r.answered, r.delivered, r.failed, r.cancelled, r.expired
     FROM {rows}
     WHERE true
     ON CONFLICT (tenant_id, node_id, stage) DO UPDATE SET
         accepted = ledger.accepted + excluded.accepted,
         alerted = ledger.alerted + excluded.alerted,
         folded = ledger.folded + excluded.folded,
         suppressed = ledger.suppressed + excluded.suppressed,
         owed = ledger.owed + excluded.owed,
         answered = ledger.answered + excluded.answered,
         delivered = ledger.delivered + excluded.delivered,
         failed = ledger.failed + excluded.failed,
         cancelled = ledger.cancelled + excluded.cancelled,
         expired = ledger.expired + excluded.expired",
    0,
    &[
        ("tenant_id", Id),
        ("node_id", Id),
        ("stage", Text),
        ("accepted", Int),
        ("alerted", Int),
        ("folded", Int),
        ("suppressed", Int),
        ("owed", Int),
        ("answered", Int),
        ("delivered", Int),
        ("failed", Int),
        ("cancelled", Int),
        ("expired", Int),
    ],
);

/// A query by one tenant where `$1` is given, over all of them where it is not: all clients, that
/// is, and no watch's (those whose ids begin with [`TenantId::reserved_from`]).
macro_rules! of_tenant {
    ($before:literal, $column:literal, $after:literal) => {
        Statement::new(concat!(
            $before,
            " (",
            "{pg:$1::uuid}{lite:$1} IS NULL AND ",
            $column,
            " < {pg:'ffffffff-ffff-0000-0000-000000000000'}",
            "{lite:X'ffffffffffff00000000000000000000'} OR ",
            $column,
            " = $1) ",
            $after
        ))
    };
}

pub(crate) static BOOKED: Statement = of_tenant!(
    "SELECT tenant_id, CAST(SUM(accepted) AS BIGINT), CAST(SUM(alerted) AS BIGINT),
         CAST(SUM(folded) AS BIGINT), CAST(SUM(suppressed) AS BIGINT), CAST(SUM(owed) AS BIGINT),
         CAST(SUM(answered) AS BIGINT), CAST(SUM(delivered) AS BIGINT),
         CAST(SUM(failed) AS BIGINT), CAST(SUM(cancelled) AS BIGINT),
         CAST(SUM(expired) AS BIGINT)
     FROM ledger
     WHERE",
    "tenant_id",
    "GROUP BY tenant_id"
);

pub(crate) static PENDING: Statement = of_tenant!(
    "SELECT tenant_id, COUNT(*) FROM events{lite: INDEXED BY events_pending}
     WHERE outcome IS NULL AND",
    "tenant_id",
    "GROUP BY tenant_id"
);

pub(crate) static WAITING: Statement = of_tenant!(
    "SELECT tenant_id, COUNT(*) FROM notifications{lite: INDEXED BY notifications_waiting}
     WHERE state = 'waiting' AND",
    "tenant_id",
    "GROUP BY tenant_id"
);

pub(crate) static SENDING: Statement = of_tenant!(
    "SELECT tenant_id, COUNT(*) FROM notifications{lite: INDEXED BY notifications_sending}
     WHERE state = 'sending' AND",
    "tenant_id",
    "GROUP BY tenant_id"
);

pub(crate) static HANDED_OFF: Statement = of_tenant!(
    "SELECT tenant_id, COUNT(*) FROM notifications{lite: INDEXED BY notifications_handed_off}
     WHERE state = 'handed_off' AND",
    "tenant_id",
    "GROUP BY tenant_id"
);

pub(crate) static OLDEST_PENDING: Statement = of_tenant!(
    "SELECT MIN(received_us) FROM events{lite: INDEXED BY events_pending}
     WHERE outcome IS NULL AND",
    "tenant_id",
    ""
);

pub(crate) static OWED_AGES: Statement = of_tenant!(
    "SELECT lane, channel, MIN(due_us), COUNT(*)
     FROM notifications{lite: INDEXED BY notifications_waiting}
     WHERE state = 'waiting' AND due_us <= $2 AND",
    "tenant_id",
    "GROUP BY lane, channel ORDER BY lane, channel"
);

pub(crate) static RECOUNT_EVENTS: Statement = of_tenant!(
    "SELECT tenant_id, COUNT(*),
         COUNT(CASE WHEN outcome IS NULL THEN 1 END),
         COUNT(CASE WHEN outcome = 'alerted' THEN 1 END),
         COUNT(CASE WHEN outcome = 'folded' THEN 1 END),
         COUNT(CASE WHEN outcome = 'suppressed' THEN 1 END)
     FROM events WHERE",
    "tenant_id",
    "GROUP BY tenant_id"
);

pub(crate) static RECOUNT_NOTIFICATIONS: Statement = of_tenant!(
    "SELECT tenant_id, COUNT(*),
         COUNT(CASE WHEN state = 'waiting' THEN 1 END),
         COUNT(CASE WHEN state = 'sending' THEN 1 END),
         COUNT(CASE WHEN state = 'handed_off' THEN 1 END),
         COUNT(CASE WHEN ended = 'answered' THEN 1 END),
         COUNT(CASE WHEN ended = 'delivered' THEN 1 END),
         COUNT(CASE WHEN ended = 'failed' THEN 1 END),
         COUNT(CASE WHEN ended = 'cancelled' THEN 1 END),
         COUNT(CASE WHEN ended = 'expired' THEN 1 END)
     FROM notifications WHERE",
    "tenant_id",
    "GROUP BY tenant_id"
);

type BySums = BTreeMap<TenantId, Sums>;

impl Store {
    /// The ledger of one tenant at one moment.
    pub async fn ledger(&self, scope: TenantScope, now: Timestamp) -> Result<Ledger, StoreError> {
        let mut ledger = self.books(Some(scope.tenant()), now).await?;
        // A tenant that nothing was said to has no rows yet.
        if ledger.tenants.is_empty() {
            ledger.tenants.push((scope.tenant(), Sums::default()));
        }
        Ok(ledger)
    }

    /// The ledger of the whole installation at one moment.
    pub async fn ledger_of_all(&self, _: AllTenants, now: Timestamp) -> Result<Ledger, StoreError> {
        self.books(None, now).await
    }

    /// The same sums counted row by row, over all of history: slow, and independent of the books.
    /// Where retention has deleted rows it counts fewer.
    pub async fn recount(&self, _: AllTenants) -> Result<Ledger, StoreError> {
        let mut tx = self.db.snapshot().await?;
        let mut sums = BySums::new();
        for row in tx.rows(&RECOUNT_EVENTS, values![None::<Uuid>]).await? {
            let of = sums.entry(tenant(&row)?).or_default();
            of.accepted = row.int(1)?;
            of.pending = row.int(2)?;
            of.alerted = row.int(3)?;
            of.folded = row.int(4)?;
            of.suppressed = row.int(5)?;
        }
        for row in tx.rows(&RECOUNT_NOTIFICATIONS, values![None::<Uuid>]).await? {
            let of = sums.entry(tenant(&row)?).or_default();
            of.owed = row.int(1)?;
            of.waiting = row.int(2)?;
            of.sending = row.int(3)?;
            of.handed_off = row.int(4)?;
            of.ended = ended(&row, 5)?;
        }
        tx.commit().await?;
        Ok(summed(sums))
    }

    async fn books(&self, scope: Option<TenantId>, now: Timestamp) -> Result<Ledger, StoreError> {
        let mut tx = self.db.snapshot().await?;
        let mut sums = BySums::new();
        for row in tx.rows(&BOOKED, values![scope]).await? {
            let of = sums.entry(tenant(&row)?).or_default();
            of.accepted = row.int(1)?;
            of.alerted = row.int(2)?;
            of.folded = row.int(3)?;
            of.suppressed = row.int(4)?;
            of.owed = row.int(5)?;
            of.ended = ended(&row, 6)?;
        }
        for row in tx.rows(&PENDING, values![scope]).await? {
            sums.entry(tenant(&row)?).or_default().pending = row.int(1)?;
        }
        for row in tx.rows(&WAITING, values![scope]).await? {
            sums.entry(tenant(&row)?).or_default().waiting = row.int(1)?;
        }
        for row in tx.rows(&SENDING, values![scope]).await? {
            sums.entry(tenant(&row)?).or_default().sending = row.int(1)?;
        }
        for row in tx.rows(&HANDED_OFF, values![scope]).await? {
            sums.entry(tenant(&row)?).or_default().handed_off = row.int(1)?;
        }
        let mut ledger = summed(sums);
        let oldest = tx.row(&OLDEST_PENDING, values![scope]).await?;
        let oldest = oldest.map(|row| row.opt_time(0)).transpose()?.flatten();
        ledger.oldest_pending_ms = oldest.map(|at| age_ms(at, now));
        for row in tx.rows(&OWED_AGES, values![scope, now]).await? {
            ledger.owed.push(owed_age(&row, now)?);
        }
        tx.commit().await?;
        Ok(ledger)
    }
}

fn tenant(row: &Row) -> Result<TenantId, StoreError> {
    row.id(0).map(TenantId::from_stored)
}

fn ended(row: &Row, from: usize) -> Result<Ended, StoreError> {
    Ok(Ended {
        answered: row.int(from)?,
        delivered: row.int(from + 1)?,
        failed: row.int(from + 2)?,
        cancelled: row.int(from + 3)?,
        expired: row.int(from + 4)?,
    })
}

fn owed_age(row: &Row, now: Timestamp) -> Result<OwedAge, StoreError> {
    let corrupt =
        |column, problem: &str| StoreError::corrupt(("notifications", column), NO_NODE, problem);
    let lane = i16::try_from(row.int(0)?).ok().and_then(Lane::from_i16);
    let channel = Channel::parse(row.text(1)?);
    Ok(OwedAge {
        lane: lane.ok_or_else(|| corrupt("lane", "no such lane"))?,
        channel: channel.ok_or_else(|| corrupt("channel", "no such channel"))?,
        oldest_ms: age_ms(row.time(2)?, now),
        count: row.int(3)?,
    })
}

fn age_ms(at: Timestamp, now: Timestamp) -> i64 {
    (now.as_millisecond() - at.as_millisecond()).max(0)
}

fn summed(sums: BySums) -> Ledger {
    let mut total = Sums::default();
    for of in sums.values() {
        total.accepted += of.accepted;
        total.pending += of.pending;
        total.alerted += of.alerted;
        total.folded += of.folded;
        total.suppressed += of.suppressed;
        total.owed += of.owed;
        total.waiting += of.waiting;
        total.sending += of.sending;
        total.handed_off += of.handed_off;
        total.ended.answered += of.ended.answered;
        total.ended.delivered += of.ended.delivered;
        total.ended.failed += of.ended.failed;
        total.ended.cancelled += of.ended.cancelled;
        total.ended.expired += of.ended.expired;
    }
    Ledger { total, tenants: sums.into_iter().collect(), ..Ledger::default() }
}
