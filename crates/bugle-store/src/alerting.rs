//! The alerting pass: read what is pending and due, let the engine decide, save it, in one
//! transaction that holds the placement of every tenant in it.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::alert::Alert;
use bugle_domain::event::Event;
use bugle_domain::stage::Stage;
use bugle_domain::{AlertId, EventId, NodeId, TenantId};
use bugle_engine::alerting::{Decisions, Work};
use futures_util::future;
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::alerts::{alert, alert_columns};
use crate::db::statement::Kind::{Id, Int, Text};
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::db::{Durability, Tx, WriteClass, retried};
use crate::decisions;
use crate::error::StoreError;
use crate::events::{event, event_columns};
use crate::ledger::Entries;

use self::progress::read_progress;

pub(crate) mod progress;

/// Most tenants in one pass; more take turns.
const MAX_TENANTS: usize = 64;
/// An event whose decision began and failed this often is decided alone from then on.
const ALONE_FROM: u16 = 2;

/// What one pass may do.
#[derive(Debug)]
pub struct AlertingPass<'a> {
    /// Who decides.
    pub node: NodeId,
    /// The tenants it owns, each with the epoch in which it owns it.
    pub epochs: &'a BTreeMap<TenantId, i64>,
    /// Most events in the pass, over all tenants.
    pub events: u32,
    /// Most alerts whose time has come, over all tenants.
    pub due: u32,
    /// The time.
    pub now: Timestamp,
}

/// What one pass did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PassReport {
    /// Events that were given an outcome.
    pub events: usize,
    /// Alerts opened.
    pub opened: usize,
    /// Notifications that came to be owed.
    pub owed: usize,
    /// Tenants with work whose placement no longer is what the caller believes. Nothing of theirs
    /// was changed.
    pub fenced: Vec<TenantId>,
    /// There may be more to do at once.
    pub more: bool,
    /// When the next alert is due, of those that this pass saw.
    pub next_due: Option<Timestamp>,
    /// Alerts opened or changed.
    pub touched: Vec<(TenantId, AlertId)>,
}

/// Called once for each tenant with work, inside the transaction; may be called again with the same
/// work if the transaction has to be repeated. `None` leaves the tenant for a later pass.
pub type Decide<'a> = dyn FnMut(TenantId, Work) -> Option<Decisions> + Send + 'a;

/// The tenants that have pending events, each with the tries of its oldest: a walk along the index
/// from tenant to tenant, whose cost is the number of tenants and not of events.
pub(crate) static PENDING: Statement = Statement::new(
    "WITH RECURSIVE heads(tenant_id) AS (
         SELECT (SELECT e.tenant_id FROM events e{lite: INDEXED BY events_pending}
             WHERE e.outcome IS NULL AND e.tenant_id > $1
             ORDER BY e.tenant_id, e.id LIMIT 1)
         UNION ALL
         SELECT (SELECT e.tenant_id FROM events e{lite: INDEXED BY events_pending}
             WHERE e.outcome IS NULL AND e.tenant_id > heads.tenant_id
             ORDER BY e.tenant_id, e.id LIMIT 1)
         FROM heads WHERE heads.tenant_id IS NOT NULL
     )
     SELECT heads.tenant_id,
         (SELECT e.tries FROM events e{lite: INDEXED BY events_pending}
             WHERE e.tenant_id = heads.tenant_id AND e.outcome IS NULL
             ORDER BY e.id LIMIT 1)
     FROM heads WHERE heads.tenant_id IS NOT NULL
     LIMIT $2",
);

/// The tenants that have alerts to look at again, each with the earliest time: likewise.
pub(crate) static DUE: Statement = Statement::new(
    "WITH RECURSIVE heads(tenant_id) AS (
         SELECT (SELECT a.tenant_id FROM alerts a{lite: INDEXED BY alerts_due}
             WHERE a.due_us IS NOT NULL AND a.tenant_id > $1
             ORDER BY a.tenant_id, a.due_us LIMIT 1)
         UNION ALL
         SELECT (SELECT a.tenant_id FROM alerts a{lite: INDEXED BY alerts_due}
             WHERE a.due_us IS NOT NULL AND a.tenant_id > heads.tenant_id
             ORDER BY a.tenant_id, a.due_us LIMIT 1)
         FROM heads WHERE heads.tenant_id IS NOT NULL
     )
     SELECT heads.tenant_id,
         (SELECT a.due_us FROM alerts a{lite: INDEXED BY alerts_due}
             WHERE a.tenant_id = heads.tenant_id AND a.due_us IS NOT NULL
             ORDER BY a.due_us LIMIT 1)
     FROM heads WHERE heads.tenant_id IS NOT NULL
     LIMIT $2",
);

/// Raises the tries of a tenant's oldest pending event.
pub(crate) static RAISE: Statement = Statement::new(
    "UPDATE events SET tries = tries + 1
     WHERE tenant_id = $1 AND outcome IS NULL AND id = (
         SELECT e.id FROM events e
         WHERE e.tenant_id = $1 AND e.outcome IS NULL
         ORDER BY e.id LIMIT 1)",
);

pub(crate) static MARK: Statement = Statement::with_rows(
    "UPDATE events AS e SET tries = e.tries + 1
     FROM {rows of events}
     WHERE {same:e} AND COALESCE(e.outcome, '') = ''
         AND e.tries < 2",
    0,
    &[("tenant_id", Id), ("id", Id)],
);

pub(crate) static IN_HAND: Statement = Statement::new(
    "SELECT e.id FROM events e{lite: INDEXED BY events_pending}
     WHERE e.tenant_id = $1 AND e.outcome IS NULL
     ORDER BY e.id LIMIT $2",
);

/// Locks the placements that the pass relies on: a takeover waits for us, or we see it.
pub(crate) static HOLD: Statement = Statement::with_rows(
    "SELECT p.tenant_id
     FROM {rows}
     JOIN placements p ON p.tenant_id = r.tenant_id AND p.epoch = r.epoch AND p.node_id = $1
     {pg:FOR SHARE OF p}",
    1,
    &[("tenant_id", Id), ("epoch", Int)],
);

pub(crate) static EVENTS: Statement = Statement::with_rows(
    concat!(
        "SELECT e.tenant_id, ",
        event_columns!(),
        " FROM {rows}
         {lite:CROSS JOIN events e ON e.tenant_id = r.tenant_id AND e.id IN (
             SELECT p.id FROM events p INDEXED BY events_pending
             WHERE p.tenant_id = r.tenant_id AND p.outcome IS NULL
             ORDER BY p.id LIMIT $1)}
         {pg:CROSS JOIN LATERAL (
             SELECT e.tenant_id, ",
        event_columns!(),
        "
             FROM events e
             WHERE e.tenant_id = r.tenant_id AND e.outcome IS NULL
             ORDER BY e.id LIMIT $1) AS e}
         ORDER BY e.tenant_id, e.id"
    ),
    1,
    &[("tenant_id", Id)],
);

pub(crate) static OPEN: Statement = Statement::with_rows(
    concat!(
        "SELECT a.tenant_id, ",
        alert_columns!(),
        " FROM {rows}
         {lite:JOIN alerts a ON a.tenant_id = r.tenant_id AND a.integration_id = r.integration_id
             AND a.dedup_key = r.dedup_key AND a.status <> 'resolved'}
         {pg:CROSS JOIN LATERAL (
             SELECT a.tenant_id, ",
        alert_columns!(),
        "
             FROM alerts a
             WHERE a.tenant_id = r.tenant_id AND a.integration_id = r.integration_id
                 AND a.dedup_key = r.dedup_key AND a.status <> 'resolved' LIMIT 1
             FOR UPDATE) AS a}
         ORDER BY a.tenant_id, a.id"
    ),
    0,
    &[("tenant_id", Id), ("integration_id", Id), ("dedup_key", Text)],
);

pub(crate) static DUE_ALERTS: Statement = Statement::with_rows(
    concat!(
        "SELECT a.tenant_id, ",
        alert_columns!(),
        " FROM {rows}
         {lite:CROSS JOIN alerts a ON a.tenant_id = r.tenant_id AND a.id IN (
             SELECT d.id FROM alerts d INDEXED BY alerts_due
             WHERE d.tenant_id = r.tenant_id AND d.due_us <= $1
             ORDER BY d.due_us LIMIT $2)}
         {pg:CROSS JOIN LATERAL (
             SELECT a.tenant_id, ",
        alert_columns!(),
        "
             FROM alerts a
             WHERE a.tenant_id = r.tenant_id AND a.due_us <= $1
             ORDER BY a.due_us LIMIT $2
             FOR UPDATE) AS a}
         ORDER BY a.tenant_id, a.id"
    ),
    2,
    &[("tenant_id", Id)],
);

/// What is found before the transaction begins, without any lock: where to look.
#[derive(Default)]
struct Outlook {
    /// Tenants with work, in the order they are served.
    tenants: Vec<TenantId>,
    /// Of those, the ones with pending events.
    pending: BTreeSet<TenantId>,
    /// Of those, the ones with alerts whose time has come.
    due: BTreeSet<TenantId>,
    /// Of those, the ones whose oldest event has failed so often that it is decided alone.
    suspects: Vec<TenantId>,
    /// There are more tenants than one pass takes.
    more: bool,
    next_due: Option<Timestamp>,
}

impl Store {
    /// Decides what is pending and due for the tenants that the node owns.
    ///
    /// Takes no scope: a worker serves every tenant it owns, and a tenant whose placement is not
    /// what `pass.epochs` says is left untouched and reported. Tenants share the pass evenly, and
    /// take turns where there are many.
    ///
    /// An event whose decision began and failed before (see [`Store::mark_suspects`]) is decided
    /// alone after two failures, its [`Event::tries`] raised in a commit of its own first; so one
    /// that kills the process is found, and the others are decided. What to do about one whose
    /// tries run high is the decider's.
    ///
    /// # Errors
    ///
    /// Nothing was decided then, except that tries may have been raised.
    pub async fn alerting_pass(
        &self,
        pass: &AlertingPass<'_>,
        decide: &mut Decide<'_>,
    ) -> Result<PassReport, StoreError> {
        let outlook = self.outlook(pass).await?;
        if outlook.tenants.is_empty() {
            return Ok(PassReport { next_due: outlook.next_due, ..PassReport::default() });
        }
        for tenant in &outlook.suspects {
            self.db.run(&RAISE, values![*tenant]).await?;
        }
        retried!(self.alerting_once(pass, &outlook, decide))
    }

    /// Notes that the decision of these events began and did not come to an end: raises their
    /// tries, up to the number from which they are decided alone.
    ///
    /// Takes no scope: a worker calls it for what it had in hand.
    pub async fn mark_suspects(&self, events: &[(TenantId, EventId)]) -> Result<(), StoreError> {
        let mut rows = Rows::new();
        for (tenant, event) in events {
            rows.push(row![*tenant, *event]);
        }
        if rows.is_empty() {
            return Ok(());
        }
        self.db.run(&MARK, values![rows]).await.map(drop)
    }

    /// Does so after a crash, when nobody knows any more what was in hand: for the oldest `limit`
    /// pending events of each of the tenants. Call it once, before the first pass.
    ///
    /// Takes no scope: a worker calls it for the tenants it owns.
    pub async fn mark_in_hand(
        &self,
        tenants: impl IntoIterator<Item = TenantId>,
        limit: u32,
    ) -> Result<(), StoreError> {
        for tenant in tenants {
            let mut events = Vec::new();
            for row in self.db.rows(&IN_HAND, values![tenant, limit]).await? {
                events.push((tenant, EventId::from_stored(row.id(0)?)));
            }
            self.mark_suspects(&events).await?;
        }
        Ok(())
    }

    async fn outlook(&self, pass: &AlertingPass<'_>) -> Result<Outlook, StoreError> {
        let turn = self.turns.alerting();
        let both = |from| future::try_join(self.walk(&PENDING, from), self.walk(&DUE, from));
        let (mut pending, mut due) = both(turn).await?;
        // A walk that began in the middle goes on from the beginning.
        if turn != Uuid::nil() {
            let (more_pending, more_due) = both(Uuid::nil()).await?;
            pending.extend(more_pending);
            due.extend(more_due);
        }
        let mut outlook = Outlook::default();
        let alone: BTreeSet<TenantId> = pending
            .iter()
            .filter(|(_, tries)| *tries >= i64::from(ALONE_FROM))
            .map(|(tenant, _)| *tenant)
            .collect();
        let is_due = |due_us: i64| due_us <= pass.now.as_microsecond();
        outlook.next_due = due
            .iter()
            .filter(|(tenant, at)| !is_due(*at) && pass.epochs.contains_key(tenant))
            .filter_map(|(_, at)| Timestamp::from_microsecond(*at).ok())
            .min();
        outlook.pending = pending.into_iter().map(|(tenant, _)| tenant).collect();
        let due = due.into_iter().filter(|(_, at)| is_due(*at)).map(|(tenant, _)| tenant);
        outlook.due = due.collect();
        let found = outlook.pending.union(&outlook.due).copied();
        outlook.tenants = found.filter(|tenant| pass.epochs.contains_key(tenant)).collect();
        // From where the last pass stopped, around.
        outlook.tenants.sort_by_key(|tenant| (tenant.as_uuid() <= turn, *tenant));
        outlook.more = outlook.tenants.len() > MAX_TENANTS;
        outlook.tenants.truncate(MAX_TENANTS);
        outlook.suspects = outlook.tenants.iter().copied().filter(|t| alone.contains(t)).collect();
        let last = outlook.tenants.last().filter(|_| outlook.more);
        self.turns.set_alerting(last.map_or(Uuid::nil(), |tenant| tenant.as_uuid()));
        Ok(outlook)
    }

    async fn walk(
        &self,
        statement: &'static Statement,
        from: Uuid,
    ) -> Result<Vec<(TenantId, i64)>, StoreError> {
        let rows = self.db.rows(statement, values![from, crate::MAX_WALK]).await?;
        rows.iter().map(|row| Ok((TenantId::from_stored(row.id(0)?), row.int(1)?))).collect()
    }

    async fn alerting_once(
        &self,
        pass: &AlertingPass<'_>,
        outlook: &Outlook,
        decide: &mut Decide<'_>,
    ) -> Result<PassReport, StoreError> {
        // An event decided and forgotten in a power cut is pending still, and is decided again. The
        // claim that a message goes out on is flushed, and with it the decision it stands on.
        let mut tx = self.db.begin(WriteClass::Then, Durability::WithTheNext).await?;
        let held = hold(&mut tx, pass, &outlook.tenants).await?;
        let mut report = PassReport {
            fenced: outlook.tenants.iter().copied().filter(|t| !held.contains(t)).collect(),
            more: outlook.more,
            next_due: outlook.next_due,
            ..PassReport::default()
        };
        let share = u32::try_from(held.len().max(1)).unwrap_or(u32::MAX);
        let limits = (pass.events.div_ceil(share).max(1), pass.due.div_ceil(share).max(1));
        let pending = outlook.pending.intersection(&held).copied().collect();
        let due = outlook.due.intersection(&held).copied().collect();
        let work = read(&mut tx, pass.now, (pending, due), limits).await?;
        let mut decided = Vec::with_capacity(work.len());
        for (tenant, Portion { work, more }) in work {
            if let Some(decisions) = decide(tenant, work) {
                report.more |= more;
                report.count(tenant, &decisions);
                decided.push((tenant, decisions));
            }
        }
        let books = (Entries::default(), Stage::Alerting, Some(pass.node));
        decisions::save(&mut tx, decided, pass.now, books).await?;
        tx.commit().await?;
        Ok(report)
    }
}

impl PassReport {
    fn count(&mut self, tenant: TenantId, decisions: &Decisions) {
        self.events += decisions.outcomes.len();
        self.opened += decisions.opened.len();
        self.owed += decisions.owed.len();
        for alert in decisions.opened.iter().chain(&decisions.changed) {
            self.touched.push((tenant, alert.id));
            self.next_due = match (self.next_due, alert.due_at()) {
                (Some(known), Some(at)) => Some(known.min(at)),
                (known, at) => known.or(at),
            };
        }
    }
}

async fn hold(
    tx: &mut Tx,
    pass: &AlertingPass<'_>,
    tenants: &[TenantId],
) -> Result<BTreeSet<TenantId>, StoreError> {
    let mut rows = Rows::new();
    for tenant in tenants {
        rows.push(row![*tenant, pass.epochs.get(tenant).copied()]);
    }
    let held = tx.rows(&HOLD, values![pass.node, rows]).await?;
    held.iter().map(|row| row.id(0).map(TenantId::from_stored)).collect()
}

/// One tenant's part of a pass.
#[derive(Default)]
struct Portion {
    work: Work,
    /// There may be more of it.
    more: bool,
}

/// Reads the work of the tenants that have events pending, and of those that have alerts due.
async fn read(
    tx: &mut Tx,
    now: Timestamp,
    (pending, due): (Vec<TenantId>, Vec<TenantId>),
    (max_events, max_due): (u32, u32),
) -> Result<BTreeMap<TenantId, Portion>, StoreError> {
    let mut portions: BTreeMap<TenantId, Portion> = BTreeMap::new();
    if !pending.is_empty() {
        for row in &tx.rows(&EVENTS, values![max_events, rows(pending)]).await? {
            let portion = portions.entry(TenantId::from_stored(row.id(0)?)).or_default();
            take(portion, event(row, 1)?, max_events);
        }
    }
    let mut keys = BTreeSet::new();
    for (tenant, portion) in &portions {
        for event in &portion.work.events {
            keys.insert((*tenant, event.integration, event.body.dedup_key.as_str()));
        }
    }
    let mut asked = Rows::new();
    for (tenant, integration, key) in keys {
        asked.push(row![tenant, integration, key]);
    }
    if !asked.is_empty() {
        for (tenant, alert) in alerts(tx.rows(&OPEN, values![asked]).await?)? {
            portions.entry(tenant).or_default().work.open.push(alert);
        }
    }
    if !due.is_empty() {
        let found = tx.rows(&DUE_ALERTS, values![now, max_due, rows(due)]).await?;
        for (tenant, alert) in alerts(found)? {
            let portion = portions.entry(tenant).or_default();
            portion.work.due.push(alert);
            portion.more |= portion.work.due.len() >= max_due as usize;
        }
    }
    read_progress(tx, now, &mut portions).await?;
    Ok(portions)
}

fn rows(tenants: Vec<TenantId>) -> Rows {
    let mut rows = Rows::new();
    for tenant in tenants {
        rows.push(row![tenant]);
    }
    rows
}

fn alerts(rows: Vec<crate::db::row::Row>) -> Result<Vec<(TenantId, Alert)>, StoreError> {
    rows.iter().map(|row| Ok((TenantId::from_stored(row.id(0)?), alert(row, 1)?))).collect()
}

/// Adds the next pending event, unless it or the first one has to be decided alone.
fn take(portion: &mut Portion, event: Event, max_events: u32) {
    let alone = |event: &Event| event.tries >= ALONE_FROM;
    let events = &mut portion.work.events;
    if events.first().is_none_or(|first| !alone(first) && !alone(&event)) {
        let received_at = event.received_at;
        events.push(event);
        if events.len() >= max_events as usize {
            portion.more = true;
            portion.work.left_from = Some(received_at);
        }
    } else {
        portion.more = true;
        let left = event.received_at;
        portion.work.left_from = Some(portion.work.left_from.map_or(left, |at| at.min(left)));
    }
}
