//! The dispatch pass: take what is due, let the engine judge it, and claim what is to be sent, in
//! one transaction that is committed before anything is sent.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bugle_domain::notification::{Lane, NotificationState};
use bugle_domain::stage::Stage;
use bugle_domain::{ClaimId, MethodId, NodeId, NotificationId, TenantId};
use bugle_engine::dispatch::{Candidate, Pace, PaceUpdate, Verdict};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::alerts::{BRIEF_COLUMNS, brief, brief_columns, json};
use crate::db::row::Row;
use crate::db::statement::Kind::{Id, Int, Text};
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::db::{Tx, WriteClass, retried};
use crate::error::StoreError;
use crate::ledger::Entries;
use crate::notifications::{NOTIFICATION_COLUMNS, notification, notification_columns};

/// What one pass may claim.
#[derive(Clone, Copy, Debug)]
pub struct DispatchPass<'a> {
    /// Who claims.
    pub node: NodeId,
    /// The lanes it claims from, in the order they are served.
    pub lanes: &'a [Lane],
    /// Names the claim; never used twice.
    pub claim: ClaimId,
    /// What is claimed is sent before this time or not at all.
    pub send_by: Timestamp,
    /// Most notifications in the pass.
    pub limit: u32,
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

    fn set_dispatch(&self, tenant: Uuid) {
        *self.dispatch.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = tenant;
    }
}

/// The tenants that have something waiting in a lane, each with its earliest due time: a walk along
/// the index from tenant to tenant, whose cost is the number of tenants and not of notifications.
pub(crate) static WAITING: Statement = Statement::new(
    "WITH RECURSIVE heads(tenant_id) AS (
         SELECT (SELECT n.tenant_id FROM notifications n{lite: INDEXED BY notifications_waiting}
             WHERE n.state = 'waiting' AND n.lane = $1 AND n.tenant_id > $2
             ORDER BY n.tenant_id, n.due_us LIMIT 1)
         UNION ALL
         SELECT (SELECT n.tenant_id FROM notifications n{lite: INDEXED BY notifications_waiting}
             WHERE n.state = 'waiting' AND n.lane = $1 AND n.tenant_id > heads.tenant_id
             ORDER BY n.tenant_id, n.due_us LIMIT 1)
         FROM heads WHERE heads.tenant_id IS NOT NULL
     )
     SELECT heads.tenant_id,
         (SELECT n.due_us FROM notifications n{lite: INDEXED BY notifications_waiting}
             WHERE n.state = 'waiting' AND n.lane = $1 AND n.tenant_id = heads.tenant_id
             ORDER BY n.due_us LIMIT 1)
     FROM heads WHERE heads.tenant_id IS NOT NULL
     LIMIT $3",
);

pub(crate) static CANDIDATES: Statement = Statement::with_rows(
    concat!(
        "SELECT n.tenant_id, ",
        notification_columns!(),
        ", ",
        brief_columns!(),
        ", n.held, n.unsure, m.last_sent_us, m.window_from_us, m.window_count
         FROM {rows}
         {lite:CROSS JOIN notifications n ON n.tenant_id = r.tenant_id AND n.id IN (
             SELECT w.id FROM notifications w INDEXED BY notifications_waiting
             WHERE w.state = 'waiting' AND w.lane = r.lane AND w.tenant_id = r.tenant_id
                 AND w.due_us <= $1
             ORDER BY w.due_us LIMIT $2)}
         {pg:CROSS JOIN LATERAL (
             SELECT n.tenant_id, n.held, n.unsure, ",
        notification_columns!(),
        "
             FROM notifications n
             WHERE n.state = 'waiting' AND n.lane = r.lane AND n.tenant_id = r.tenant_id
                 AND n.due_us <= $1
             ORDER BY n.due_us LIMIT $2
             FOR UPDATE SKIP LOCKED) AS n}
         {lite:JOIN alerts a ON a.tenant_id = n.tenant_id AND a.id = n.alert_id
         LEFT JOIN method_pace m ON m.tenant_id = n.tenant_id AND m.method_id = n.method_id}
         {pg:CROSS JOIN LATERAL (
             SELECT ",
        brief_columns!(),
        "
             FROM alerts a
             WHERE a.tenant_id = n.tenant_id AND a.id = n.alert_id LIMIT 1) AS a
         LEFT JOIN LATERAL (
             SELECT p.last_sent_us, p.window_from_us, p.window_count
             FROM method_pace p
             WHERE p.tenant_id = n.tenant_id AND p.method_id = n.method_id LIMIT 1) AS m ON true}
         ORDER BY n.lane, n.tenant_id, n.due_us, n.id"
    ),
    2,
    &[("tenant_id", Id), ("lane", Int)],
);

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
    "UPDATE notifications AS n SET due_us = r.due_us, held = 1
     FROM {rows of notifications}
     WHERE {same:n} AND n.state{pg: || ''} = 'waiting'",
    0,
    &[("tenant_id", Id), ("id", Id), ("due_us", Int)],
);

pub(crate) static PACE: Statement = Statement::with_rows(
    "INSERT INTO method_pace (tenant_id, method_id, last_sent_us, window_from_us, window_count,
         last_ids)
     SELECT r.tenant_id, r.method_id, r.last_sent_us, r.window_from_us, r.window_count, r.last_ids
     FROM {rows}
     WHERE true
     ORDER BY r.tenant_id, r.method_id
     ON CONFLICT (tenant_id, method_id) DO UPDATE SET
         last_sent_us = excluded.last_sent_us,
         window_from_us = excluded.window_from_us,
         window_count = excluded.window_count,
         last_ids = CASE WHEN excluded.last_ids = '[]' THEN method_pace.last_ids
             ELSE excluded.last_ids END",
    0,
    &[
        ("tenant_id", Id),
        ("method_id", Id),
        ("last_sent_us", Int),
        ("window_from_us", Int),
        ("window_count", Int),
        ("last_ids", Text),
    ],
);

/// Where something is due, found before the transaction begins, without any lock.
struct Outlook {
    /// Tenants with something due, lane by lane, in the order they are served.
    heads: Vec<(Lane, TenantId)>,
    more: bool,
    next_due: Option<Timestamp>,
}

impl Store {
    /// Claims what is due and is to be sent, ends what is no longer true, puts off what must wait.
    ///
    /// Takes no scope: a worker serves every tenant. The urgent lane goes first; within a lane the
    /// tenants share the pass evenly, and take turns where there are many. What another node is
    /// claiming at the same moment is passed over.
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
        let outlook = self.due_heads(pass).await?;
        if outlook.heads.is_empty() {
            return Ok(Claimed { next_due: outlook.next_due, ..Claimed::default() });
        }
        retried!(self.dispatch_once(pass, &outlook, judge))
    }

    async fn due_heads(&self, pass: &DispatchPass<'_>) -> Result<Outlook, StoreError> {
        let turn = self.turns.dispatch();
        let limit = usize::try_from(pass.limit).unwrap_or(usize::MAX);
        let mut outlook = Outlook { heads: Vec::new(), more: false, next_due: None };
        let mut last = Uuid::nil();
        for lane in pass.lanes.iter().copied() {
            let mut found = self.waiting_in(lane, turn).await?;
            if turn != Uuid::nil() {
                found.append(&mut self.waiting_in(lane, Uuid::nil()).await?);
            }
            let mut due = Vec::new();
            for (tenant, at) in found {
                if at <= pass.now {
                    due.push(tenant);
                } else {
                    outlook.next_due = Some(outlook.next_due.map_or(at, |known| known.min(at)));
                }
            }
            // From where the last pass stopped, around.
            due.sort_by_key(|tenant| (tenant.as_uuid() <= turn, *tenant));
            due.dedup();
            for tenant in due {
                if outlook.heads.len() >= limit {
                    outlook.more = true;
                    break;
                }
                outlook.heads.push((lane, tenant));
                last = tenant.as_uuid();
            }
        }
        self.turns.set_dispatch(if outlook.more { last } else { Uuid::nil() });
        Ok(outlook)
    }

    async fn waiting_in(
        &self,
        lane: Lane,
        from: Uuid,
    ) -> Result<Vec<(TenantId, Timestamp)>, StoreError> {
        let values = values![lane.as_i16(), from, crate::MAX_WALK];
        let rows = self.db.rows(&WAITING, values).await?;
        rows.iter().map(|row| Ok((TenantId::from_stored(row.id(0)?), row.time(1)?))).collect()
    }

    async fn dispatch_once(
        &self,
        pass: &DispatchPass<'_>,
        outlook: &Outlook,
        judge: &mut Judge<'_>,
    ) -> Result<Claimed, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let mut candidates = Vec::new();
        for lane in pass.lanes.iter().copied() {
            take(&mut tx, pass, (lane, outlook), &mut candidates).await?;
        }
        let (verdicts, paces) = judge(&candidates);
        assert_eq!(verdicts.len(), candidates.len(), "each candidate has a verdict");
        let sorted = Sorted::new(pass, candidates, verdicts);
        let claimed = sorted.save(&mut tx, pass, paces).await?;
        tx.commit().await?;
        // What is due and was not seen may be behind what was.
        Ok(Claimed { more: true, next_due: outlook.next_due, ..claimed })
    }
}

/// Reads the due notifications of one lane, as many as there is room for.
async fn take(
    tx: &mut Tx,
    pass: &DispatchPass<'_>,
    (lane, outlook): (Lane, &Outlook),
    candidates: &mut Vec<Candidate>,
) -> Result<(), StoreError> {
    let mut rows = Rows::new();
    for (_, tenant) in outlook.heads.iter().filter(|(of, _)| *of == lane) {
        rows.push(row![*tenant, lane.as_i16()]);
    }
    let taken = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    let room = pass.limit.saturating_sub(taken);
    if rows.is_empty() || room == 0 {
        return Ok(());
    }
    let share = room.div_ceil(u32::try_from(rows.len()).unwrap_or(u32::MAX));
    for row in &tx.rows(&CANDIDATES, values![pass.now, share, rows]).await? {
        candidates.push(candidate(row)?);
    }
    Ok(())
}

fn candidate(row: &Row) -> Result<Candidate, StoreError> {
    let alert = 1 + NOTIFICATION_COLUMNS;
    let rest = alert + BRIEF_COLUMNS;
    let pace = match row.opt_time(rest + 2)? {
        Some(last_sent_at) => Some(Pace {
            last_sent_at,
            window_from: row.time(rest + 3)?,
            window_count: u32::try_from(row.int(rest + 4)?).unwrap_or(u32::MAX),
        }),
        None => None,
    };
    Ok(Candidate {
        tenant: TenantId::from_stored(row.id(0)?),
        notification: notification(row, 1)?,
        held: row.flag(rest)?,
        unsure: row.flag(rest + 1)?,
        alert: brief(row, alert)?,
        pace,
    })
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
    /// What goes out in one message to each method.
    messages: BTreeMap<(TenantId, MethodId), Vec<NotificationId>>,
}

impl Sorted {
    fn new(pass: &DispatchPass<'_>, candidates: Vec<Candidate>, verdicts: Vec<Verdict>) -> Self {
        let mut sorted = Self::default();
        for (mut candidate, verdict) in candidates.into_iter().zip(verdicts) {
            let (tenant, id) = (candidate.tenant, candidate.notification.id);
            match verdict {
                Verdict::Send { message } => {
                    let method = (tenant, candidate.notification.method);
                    if candidate.notification.channel.reaches_a_person() {
                        sorted.messages.entry(method).or_default().push(id);
                    }
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
                Verdict::Hold { until } => sorted.put_off.push(row![tenant, id, until]),
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
        if !self.claims.is_empty() {
            tx.run(&CLAIM, values![claim, node, send_by, now, self.claims]).await?;
        }
        if !self.ends.is_empty() {
            tx.run(&END, values![now, self.ends]).await?;
        }
        if !self.put_off.is_empty() {
            tx.run(&PUT_OFF, values![self.put_off]).await?;
        }
        // The last pace of a method counts; one statement must not meet a row twice.
        let paces: BTreeMap<_, _> =
            paces.into_iter().map(|update| ((update.tenant, update.method), update.pace)).collect();
        let mut rows = Rows::new();
        for ((tenant, method), pace) in paces {
            let ids = self.messages.get(&(tenant, method)).map_or(&[][..], Vec::as_slice);
            rows.push(row![
                tenant,
                method,
                pace.last_sent_at,
                pace.window_from,
                pace.window_count,
                json(&ids)?,
            ]);
        }
        if !rows.is_empty() {
            tx.run(&PACE, values![rows]).await?;
        }
        self.entries.save(tx, Stage::Dispatch, Some(node)).await?;
        Ok(Claimed { sends: self.sends, ended: self.ended, more: false, next_due: None })
    }
}
