//! The alerting pass: read what is pending and due, let the engine decide, save it, in one
//! transaction that holds the placement of every tenant in it.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::alert::Alert;
use bugle_domain::event::Event;
use bugle_domain::stage::Stage;
use bugle_domain::{AlertId, EventId, NodeId, TenantId};
use bugle_engine::alerting::{Decisions, Work};
use jiff::Timestamp;

use crate::Store;
use crate::alerts::{alert, alert_columns};
use crate::db::statement::Kind::{Id, Int, Text};
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::db::{Durability, Tx, WriteClass, retried};
use crate::decisions;
use crate::dispatch::Stretch;
use crate::error::StoreError;
use crate::events::{event, event_columns};
use crate::ledger::Entries;

use self::progress::read_progress;
use self::search::Outlook;

pub(crate) mod progress;
pub(crate) mod search;

/// An event whose decision began and failed this often is decided alone from then on.
const ALONE_FROM: u16 = 2;

/// What one pass may do.
#[derive(Debug)]
pub struct AlertingPass<'a> {
    /// Who decides.
    pub node: NodeId,
    /// The tenants it owns, each with the epoch in which it owns it.
    pub epochs: &'a BTreeMap<TenantId, i64>,
    /// Of those, the only ones it looks at, for pending events: a pass that need not search. Empty:
    /// it searches. Suspects are left to one that does.
    pub only: &'a BTreeSet<TenantId>,
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
    /// Where of that something is due at once.
    pub fresh: BTreeSet<Stretch>,
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

/// Locks the placements that the pass relies on: a takeover waits for us, or we see it. Gives the
/// tenants whose placement is what we believe, each with the number of its last alert and its
/// oldest pending events, or none, which is a row too.
pub(crate) static HOLD: Statement = Statement::with_rows(
    concat!(
        "SELECT p.tenant_id, m.last_number, ",
        event_columns!(),
        " FROM {rows}
         JOIN placements p ON p.tenant_id = r.tenant_id AND p.epoch = r.epoch AND p.node_id = $1
         {lite:LEFT JOIN alert_numbers m ON m.tenant_id = r.tenant_id
         LEFT JOIN events e ON r.pending = 1 AND e.tenant_id = r.tenant_id AND e.id IN (
             SELECT q.id FROM events q INDEXED BY events_pending
             WHERE q.tenant_id = r.tenant_id AND q.outcome IS NULL
             ORDER BY q.id LIMIT $2)}
         {pg:LEFT JOIN LATERAL (
             SELECT m.last_number FROM alert_numbers m
             WHERE m.tenant_id = r.tenant_id LIMIT 1) AS m ON true
         LEFT JOIN LATERAL (
             SELECT ",
        event_columns!(),
        "
             FROM events e
             WHERE r.pending = 1 AND e.tenant_id = r.tenant_id AND e.outcome IS NULL
             ORDER BY e.id LIMIT $2) AS e ON true}
         ORDER BY p.tenant_id, e.id
         {pg:FOR SHARE OF p}"
    ),
    2,
    &[("tenant_id", Id), ("epoch", Int), ("pending", Int)],
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
        let outlook =
            if pass.only.is_empty() { self.outlook(pass).await? } else { Outlook::only(pass) };
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

    async fn alerting_once(
        &self,
        pass: &AlertingPass<'_>,
        outlook: &Outlook,
        decide: &mut Decide<'_>,
    ) -> Result<PassReport, StoreError> {
        // An event decided and forgotten in a power cut is pending still, and is decided again. The
        // claim that a message goes out on is flushed, and with it the decision it stands on.
        let mut tx = self.db.begin(WriteClass::Then, Durability::WithTheNext).await?;
        let share = u32::try_from(outlook.tenants.len().max(1)).unwrap_or(u32::MAX);
        let limits = (pass.events.div_ceil(share).max(1), pass.due.div_ceil(share).max(1));
        let Held { numbers, mut portions } = hold(&mut tx, pass, outlook, limits.0).await?;
        let held = |tenant: &TenantId| numbers.contains_key(tenant);
        let mut report = PassReport {
            fenced: outlook.tenants.iter().copied().filter(|tenant| !held(tenant)).collect(),
            more: outlook.more,
            next_due: outlook.next_due,
            ..PassReport::default()
        };
        if !pass.only.is_empty() {
            portions.retain(|_, portion| !portion.work.events.first().is_some_and(is_suspect));
        }
        let due = outlook.due.iter().copied().filter(held).collect();
        read(&mut tx, pass.now, (due, limits.1), &mut portions).await?;
        let mut decided = Vec::with_capacity(portions.len());
        for (tenant, Portion { work, more }) in portions {
            if let Some(decisions) = decide(tenant, work) {
                report.more |= more;
                report.count(tenant, &decisions, pass.now);
                decided.push((tenant, decisions));
            }
        }
        let books = (Entries::default(), Stage::Alerting, Some(pass.node));
        decisions::save(&mut tx, decided, (pass.now, numbers), books).await?;
        tx.commit().await?;
        Ok(report)
    }
}

impl PassReport {
    fn count(&mut self, tenant: TenantId, decisions: &Decisions, now: Timestamp) {
        self.events += decisions.outcomes.len();
        self.opened += decisions.opened.len();
        self.owed += decisions.owed.len();
        let ranks = decisions::ranks(decisions);
        let at_once = decisions.owed.iter().filter(|it| it.due_at <= now);
        self.fresh.extend(at_once.map(|it| {
            let rank = ranks.get(&it.alert).copied().unwrap_or_default();
            Stretch { lane: it.lane, tenant, rank }
        }));
        for alert in decisions.opened.iter().chain(&decisions.changed) {
            self.touched.push((tenant, alert.id));
            self.next_due = match (self.next_due, alert.due_at()) {
                (Some(known), Some(at)) => Some(known.min(at)),
                (known, at) => known.or(at),
            };
        }
    }
}

/// The tenants whose placement is what the pass believes, held so until it ends.
#[derive(Default)]
struct Held {
    /// Of each, the number of its last alert.
    numbers: BTreeMap<TenantId, i64>,
    /// Of those that have some, the pending events.
    portions: BTreeMap<TenantId, Portion>,
}

async fn hold(
    tx: &mut Tx,
    pass: &AlertingPass<'_>,
    outlook: &Outlook,
    max_events: u32,
) -> Result<Held, StoreError> {
    let mut rows = Rows::new();
    for tenant in &outlook.tenants {
        let pending = outlook.pending.contains(tenant);
        rows.push(row![*tenant, pass.epochs.get(tenant).copied(), pending]);
    }
    let mut held = Held::default();
    for row in &tx.rows(&HOLD, values![pass.node, max_events, rows]).await? {
        let tenant = TenantId::from_stored(row.id(0)?);
        held.numbers.insert(tenant, row.opt_int(1)?.unwrap_or(0));
        if row.opt_id(2)?.is_some() {
            take(held.portions.entry(tenant).or_default(), event(row, 2)?, max_events);
        }
    }
    Ok(held)
}

/// One tenant's part of a pass.
#[derive(Default)]
struct Portion {
    work: Work,
    /// There may be more of it.
    more: bool,
}

/// Adds the open alerts that the pending events are about, and the alerts that are due.
async fn read(
    tx: &mut Tx,
    now: Timestamp,
    (due, max_due): (Vec<TenantId>, u32),
    portions: &mut BTreeMap<TenantId, Portion>,
) -> Result<(), StoreError> {
    let mut keys = BTreeSet::new();
    for (tenant, portion) in portions.iter() {
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
        let mut asked = Rows::new();
        for tenant in due {
            asked.push(row![tenant]);
        }
        let found = tx.rows(&DUE_ALERTS, values![now, max_due, asked]).await?;
        for (tenant, alert) in alerts(found)? {
            let portion = portions.entry(tenant).or_default();
            portion.work.due.push(alert);
            portion.more |= portion.work.due.len() >= max_due as usize;
        }
    }
    read_progress(tx, now, portions).await
}

fn alerts(rows: Vec<crate::db::row::Row>) -> Result<Vec<(TenantId, Alert)>, StoreError> {
    rows.iter().map(|row| Ok((TenantId::from_stored(row.id(0)?), alert(row, 1)?))).collect()
}

/// Whether it is decided alone.
fn is_suspect(event: &Event) -> bool {
    event.tries >= ALONE_FROM
}

/// Adds the next pending event, unless it or the first one has to be decided alone.
fn take(portion: &mut Portion, event: Event, max_events: u32) {
    let events = &mut portion.work.events;
    if events.first().is_none_or(|first| !is_suspect(first) && !is_suspect(&event)) {
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
