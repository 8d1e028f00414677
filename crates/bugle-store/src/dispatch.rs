//! The dispatch pass: take what is due, let the engine judge it, and claim what is to be sent, in
//! one transaction that is committed before anything is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use bugle_domain::notification::{Lane, NotificationState};
use bugle_domain::stage::Stage;
use bugle_domain::{ClaimId, MethodId, NodeId, NotificationId, TenantId};
use bugle_engine::dispatch::{Candidate, Pace, PaceUpdate, Verdict};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::db::statement::Kind::{Id, Int, Text};
use crate::db::statement::{Dialect, Statement, Together};
use crate::db::value::{Rows, row, values};
use crate::db::{Tx, WriteClass, retried};
use crate::error::StoreError;
use crate::ledger::{self, Entries};

use self::due::{FRESH, FRESH_SEEN, HELD, Outlook, add_fresh, add_late};

pub use self::due::Stretch;

pub(crate) use self::due::rank;

pub(crate) mod due;

/// What one pass may claim.
#[derive(Clone, Copy, Debug)]
pub struct DispatchPass<'a> {
    /// Who claims.
    pub node: NodeId,
    /// The lanes it claims from, in the order they are served.
    pub lanes: &'a [Lane],
    /// The only places it looks at, for what came to be due lately: a pass that need not search.
    /// Empty: it searches.
    pub only: &'a BTreeSet<Stretch>,
    /// Names the claim; never used twice.
    pub claim: ClaimId,
    /// What is claimed is sent before this time or not at all.
    pub send_by: Timestamp,
    /// Most notifications in the pass that came to be due lately.
    pub limit: u32,
    /// Most of those that are late, or were held back.
    pub late: u32,
    /// The time.
    pub now: Timestamp,
}

/// What one pass claimed.
#[derive(Debug, Default)]
pub struct Claimed {
    /// Each claimed notification with the index of the message it goes out in. Its
    /// [`tries`](bugle_domain::notification::Notification::tries) count this claim.
    pub sends: Vec<(usize, Candidate)>,
    /// Notifications that ended without being sent.
    pub ended: Vec<(TenantId, NotificationId)>,
    /// There may be more to do at once.
    pub more: bool,
    /// Nothing was done: there was no room for what was seen, or others are at it.
    pub only_left: bool,
    /// When the next notification is due, of those that are not due yet.
    pub next_due: Option<Timestamp>,
}

/// Called once with everything that is due, inside the transaction; may be called again if the
/// transaction has to be repeated. Gives a verdict for each candidate, in their order.
pub type Judge<'a> = dyn FnMut(&[Candidate]) -> (Vec<Verdict>, Vec<PaceUpdate>) + Send + 'a;

/// Whose turn it is, where there are more tenants with work than one pass takes.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    alerting: Mutex<Uuid>,
    dispatch: Mutex<Uuid>,
    late: Mutex<Uuid>,
}

impl Turns {
    pub(crate) fn alerting(&self) -> Uuid {
        *self.alerting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn set_alerting(&self, tenant: Uuid) {
        *self.alerting.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = tenant;
    }

    fn dispatch(&self) -> Uuid {
        *self.dispatch.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn late(&self) -> Uuid {
        *self.late.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn set_late(&self, tenant: Uuid) {
        *self.late.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = tenant;
    }

    fn set_dispatch(&self, tenant: Uuid) {
        *self.dispatch.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = tenant;
    }
}

pub(crate) static CLAIM: Statement = Statement::with_rows(
    "UPDATE notifications AS n SET state = 'sending', claim_id = $1, claim_node_id = $2,
         send_by_us = $3, claimed_us = $4, tries = n.tries + 1
     FROM {rows of notifications}
     WHERE {same:n} AND n.state{pg: || ''} = 'waiting'",
    4,
    &[("tenant_id", Id), ("id", Id)],
);

pub(crate) static END: Statement = Statement::with_rows(
    "UPDATE notifications AS n SET state = 'ended', ended = r.ended, ended_reason = r.reason,
         ended_us = $1
     FROM {rows of notifications}
     WHERE {same:n} AND n.state{pg: || ''} = 'waiting'",
    1,
    &[("tenant_id", Id), ("id", Id), ("ended", Text), ("reason", Text)],
);

pub(crate) static PUT_OFF: Statement = Statement::with_rows(
    "UPDATE notifications AS n SET due_us = r.due_us, rank = r.rank, held = r.held
     FROM {rows of notifications}
     WHERE {same:n} AND n.state{pg: || ''} = 'waiting'",
    0,
    &[("tenant_id", Id), ("id", Id), ("due_us", Int), ("rank", Int), ("held", Int)],
);

pub(crate) static PACE: Statement = Statement::with_rows(
    "INSERT INTO method_pace (tenant_id, method_id, last_sent_us, window_from_us, window_count,
         last_ids)
     SELECT r.tenant_id, r.method_id, r.last_sent_us, r.window_from_us, r.window_count, '[]'
     FROM {rows}
     WHERE true
     ORDER BY r.tenant_id, r.method_id
     ON CONFLICT (tenant_id, method_id) DO UPDATE SET
         last_sent_us = excluded.last_sent_us,
         window_from_us = excluded.window_from_us,
         window_count = excluded.window_count",
    0,
    &[
        ("tenant_id", Id),
        ("method_id", Id),
        ("last_sent_us", Int),
        ("window_from_us", Int),
        ("window_count", Int),
    ],
);

/// A claim as one statement and one transaction of its own, for PostgreSQL: of what was seen
/// waiting, what nobody else has or is about to have, and the paces of the methods it goes out by.
/// Gives what was claimed.
pub(crate) static CLAIM_SEEN: Statement = Statement::with_rows(
    "{pg:WITH given AS (}
     SELECT r.* FROM {rows}
     {pg:), held AS MATERIALIZED (
         SELECT f.place FROM given r
         CROSS JOIN LATERAL (
             SELECT w.ctid AS place FROM notifications w
             WHERE w.tenant_id = r.tenant_id AND w.id = r.id AND w.state || '' = 'waiting' LIMIT 1
             FOR UPDATE SKIP LOCKED) AS f
     ), claimed AS (
         UPDATE notifications AS n SET state = 'sending', claim_id = $1, claim_node_id = $2,
             send_by_us = $3, claimed_us = $4, tries = n.tries + 1
         FROM held
         WHERE n.ctid = held.place
         RETURNING n.tenant_id, n.id
     ), paces AS (
         INSERT INTO method_pace (tenant_id, method_id, last_sent_us, window_from_us, window_count,
             last_ids)
         SELECT DISTINCT ON (r.tenant_id, r.method_id) r.tenant_id, r.method_id, r.last_sent_us,
             r.window_from_us, r.window_count, '[]'
         FROM given r JOIN claimed c ON c.tenant_id = r.tenant_id AND c.id = r.id
         WHERE r.last_sent_us IS NOT NULL
         ORDER BY r.tenant_id, r.method_id
         ON CONFLICT (tenant_id, method_id) DO UPDATE SET
             last_sent_us = excluded.last_sent_us,
             window_from_us = excluded.window_from_us,
             window_count = excluded.window_count
     )
     SELECT c.tenant_id, c.id FROM claimed c}{lite:WHERE $1 = $2 AND $3 = $4}",
    4,
    &[
        ("tenant_id", Id),
        ("id", Id),
        ("method_id", Id),
        ("last_sent_us", Int),
        ("window_from_us", Int),
        ("window_count", Int),
    ],
);

/// A claim, and what it comes to.
static TAKE: Together<3> = Together::new([&CLAIM, &PACE, &ledger::ADD]);

impl Store {
    /// Claims what is due and is to be sent, ends what is no longer true, puts off what must wait.
    ///
    /// Takes no scope: a worker serves every tenant. The urgent lane goes first; in a lane, what
    /// came to be due lately in the order it did, before what is late: of that the most severe
    /// first, and the newest first of those. Tenants share the pass evenly, and take turns where
    /// there are many. What another node is claiming at the same moment is passed over.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if it is unknown whether the claim was made: nothing of it may
    /// be sent then, and [`Store::lost_claims`] finds it later.
    ///
    /// # Panics
    ///
    /// If `judge` does not return one verdict for each candidate.
    pub async fn dispatch_pass(
        &self,
        pass: &DispatchPass<'_>,
        judge: &mut Judge<'_>,
    ) -> Result<Claimed, StoreError> {
        let outlook =
            if pass.only.is_empty() { self.due_heads(pass).await? } else { Outlook::only(pass) };
        if outlook.fresh.is_empty() && outlook.late.is_empty() {
            return Ok(Claimed { next_due: outlook.next_due, ..Claimed::default() });
        }
        // The usual case, where PostgreSQL is: one round trip to look, one to claim.
        if outlook.late.is_empty() && self.db.dialect() == Dialect::Postgres {
            let claimed = retried!(self.claim_seen(pass, &outlook, judge))?;
            if let Some(claimed) = claimed {
                return Ok(claimed);
            }
        }
        retried!(self.dispatch_once(pass, &outlook, judge))
    }

    /// Claims what was seen without holding it, if there is nothing else to do with any of it.
    /// What somebody else was quicker to claim, or to end, is passed over; where that is all of it,
    /// others are at the same places, and it takes what they do not hold.
    async fn claim_seen(
        &self,
        pass: &DispatchPass<'_>,
        outlook: &Outlook,
        judge: &mut Judge<'_>,
    ) -> Result<Option<Claimed>, StoreError> {
        let (mut candidates, mut room) = (Vec::new(), pass.limit);
        for lane in pass.lanes.iter().copied() {
            if let Some(mut asked) = outlook.fresh_in((lane, &FRESH_SEEN), pass.now, room) {
                let found = self.db.rows(asked.statement, asked.values()).await?;
                add_fresh(&found, &asked, &mut room, &mut candidates)?;
            }
        }
        let (verdicts, paces) = judge(&candidates);
        let simple = |verdict: &Verdict| matches!(verdict, Verdict::Send { .. } | Verdict::Leave);
        if !verdicts.iter().all(simple) {
            return Ok(None);
        }
        let mut sends = Sorted::new(pass, candidates, verdicts).sends;
        let seen = sends.len();
        if seen > 0 {
            let DispatchPass { claim, node, send_by, now, .. } = *pass;
            let values = values![claim, node, send_by, now, seen_rows(&sends, paces)];
            let mut ours = BTreeSet::new();
            for row in self.db.rows(&CLAIM_SEEN, values).await? {
                ours.insert((row.id(0)?, row.id(1)?));
            }
            sends.retain(|(_, Candidate { tenant, notification, .. })| {
                ours.contains(&(tenant.as_uuid(), notification.id.as_uuid()))
            });
        }
        if sends.is_empty() && seen > 0 {
            return Ok(None);
        }
        let only_left = sends.is_empty();
        let next_due = outlook.next_due;
        Ok(Some(Claimed { sends, more: !only_left, only_left, next_due, ..Claimed::default() }))
    }

    async fn dispatch_once(
        &self,
        pass: &DispatchPass<'_>,
        outlook: &Outlook,
        judge: &mut Judge<'_>,
    ) -> Result<Claimed, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let mut candidates = Vec::new();
        let mut room = (pass.limit, pass.late);
        for lane in pass.lanes.iter().copied() {
            if let Some(mut asked) = outlook.fresh_in((lane, &FRESH), pass.now, room.0) {
                let found = tx.rows(asked.statement, asked.values()).await?;
                add_fresh(&found, &asked, &mut room.0, &mut candidates)?;
            }
            if let Some(mut asked) = outlook.late_in(lane, pass.now, room.1) {
                let found = tx.rows(asked.statement, asked.values()).await?;
                add_late(&found, &asked, &mut room.1, &mut candidates)?;
            }
        }
        let (verdicts, paces) = judge(&candidates);
        assert_eq!(verdicts.len(), candidates.len(), "each candidate has a verdict");
        let sorted = Sorted::new(pass, candidates, verdicts);
        let claimed = sorted.save(&mut tx, pass, paces).await?;
        tx.commit().await?;
        // What is due and was not seen may be behind what was. Where nothing was done, there is
        // nothing to be done at once.
        Ok(Claimed { more: !claimed.only_left, next_due: outlook.next_due, ..claimed })
    }
}

/// What [`CLAIM_SEEN`] is asked to claim: each with the pace of its method from then on.
fn seen_rows(sends: &[(usize, Candidate)], paces: Vec<PaceUpdate>) -> Rows {
    let paces = last_paces(paces);
    let mut rows = Rows::new();
    for (_, Candidate { tenant, notification, .. }) in sends {
        let pace = paces.get(&(*tenant, notification.method));
        rows.push(row![
            *tenant,
            notification.id,
            notification.method,
            pace.map(|pace| pace.last_sent_at),
            pace.map(|pace| pace.window_from),
            pace.map(|pace| pace.window_count),
        ]);
    }
    rows
}

/// The last pace of a method counts; one statement must not meet a row twice.
fn last_paces(paces: Vec<PaceUpdate>) -> BTreeMap<(TenantId, MethodId), Pace> {
    paces.into_iter().map(|update| ((update.tenant, update.method), update.pace)).collect()
}

/// Candidates by what becomes of them, as the statements want them.
#[derive(Default)]
struct Sorted {
    sends: Vec<(usize, Candidate)>,
    ended: Vec<(TenantId, NotificationId)>,
    claims: Rows,
    ends: Rows,
    put_off: Rows,
    entries: Entries,
}

impl Sorted {
    fn new(pass: &DispatchPass<'_>, candidates: Vec<Candidate>, verdicts: Vec<Verdict>) -> Self {
        let mut sorted = Self::default();
        for (mut candidate, verdict) in candidates.into_iter().zip(verdicts) {
            let (tenant, id) = (candidate.tenant, candidate.notification.id);
            match verdict {
                Verdict::Send { message } | Verdict::Digest { message } => {
                    candidate.digest = matches!(verdict, Verdict::Digest { .. });
                    sorted.claims.push(row![tenant, id]);
                    let tries = candidate.notification.tries;
                    candidate.notification.tries = tries.saturating_add(1);
                    candidate.notification.state =
                        NotificationState::Sending { claim: pass.claim, send_by: pass.send_by };
                    sorted.sends.push((message, candidate));
                }
                Verdict::End { end, reason } => {
                    sorted.ends.push(row![tenant, id, end.as_str(), reason]);
                    sorted.entries.end(tenant, end, 1);
                    sorted.ended.push((tenant, id));
                }
                Verdict::Hold { until } => {
                    let rank = HELD + rank(candidate.alert.severity);
                    sorted.put_off.push(row![tenant, id, until, rank, true]);
                }
                Verdict::PutOff { due_at } => {
                    let held = candidate.held;
                    let rank = rank(candidate.alert.severity) + if held { HELD } else { 0 };
                    sorted.put_off.push(row![tenant, id, due_at, rank, held]);
                }
                Verdict::Leave => (),
            }
        }
        sorted
    }

    async fn save(
        self,
        tx: &mut Tx,
        pass: &DispatchPass<'_>,
        paces: Vec<PaceUpdate>,
    ) -> Result<Claimed, StoreError> {
        let DispatchPass { node, claim, send_by, now, .. } = *pass;
        let acted = !self.claims.is_empty() || !self.ends.is_empty() || !self.put_off.is_empty();
        if !self.ends.is_empty() {
            tx.run(&END, values![now, self.ends]).await?;
        }
        if !self.put_off.is_empty() {
            tx.run(&PUT_OFF, values![self.put_off]).await?;
        }
        let mut rows = Rows::new();
        for ((tenant, method), pace) in last_paces(paces) {
            let Pace { last_sent_at, window_from, window_count } = pace;
            rows.push(row![tenant, method, last_sent_at, window_from, window_count]);
        }
        let entries = self.entries.into_rows(Stage::Dispatch, Some(node));
        if !self.claims.is_empty() || !rows.is_empty() || !entries.is_empty() {
            let claims = values![claim, node, send_by, now, self.claims];
            tx.run_together(&TAKE, [claims, values![rows], values![entries]]).await?;
        }
        let only_left = !acted;
        let (sends, ended) = (self.sends, self.ended);
        Ok(Claimed { sends, ended, only_left, ..Claimed::default() })
    }
}
