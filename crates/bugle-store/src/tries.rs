//! What came of tries: recorded against the claim they were made under, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::alert::TimelineEntry;
use bugle_domain::notification::{Attempt, NotificationState};
use bugle_domain::stage::Stage;
use bugle_domain::{AlertId, ClaimId, MethodId, NodeId, NotificationId, TenantId, UserId};
use bugle_engine::dispatch::Next;
use jiff::Timestamp;

use crate::Store;
use crate::alerts::json;
use crate::db::statement::Kind::{Id, Int, Text};
use crate::db::statement::{Dialect, Statement, Together};
use crate::db::value::{Rows, row, values};
use crate::db::{Tx, WriteClass, retried};
use crate::error::StoreError;
use crate::ledger::{self, Entries};
use crate::timeline::Lines;

/// A finished try, with what follows from it.
#[derive(Clone, Debug)]
pub struct TriedRow {
    /// Whose it is.
    pub tenant: TenantId,
    /// Of which notification.
    pub notification: NotificationId,
    /// The claim under which it was made.
    pub claim: ClaimId,
    /// What follows.
    pub next: Next,
    /// The try itself.
    pub attempt: Attempt,
    /// The contact method, where a provider took a text or call for it, or may have.
    pub rang: Option<MethodId>,
}

/// Takes what follows from a try or a receipt; only while the notification is as the decider saw
/// it: under that claim and being sent, or, where no claim is given, not ended.
pub(crate) static FOLLOW: Statement = Statement::with_rows(
    "UPDATE notifications AS n SET state = r.state,
         due_us = COALESCE(r.due_us, n.due_us),
         receipt_due_us = COALESCE(r.receipt_due_us, n.receipt_due_us),
         receipt = COALESCE(r.receipt, n.receipt),
         receipt_us = COALESCE(r.receipt_us, n.receipt_us),
         unsure = r.unsure,
         possible_repeat = CASE WHEN r.unsure = 1 THEN 1 ELSE n.possible_repeat END,
         ended = r.ended,
         ended_reason = r.ended_reason,
         ended_us = r.ended_us,
         provider_ref = COALESCE(r.provider_ref, n.provider_ref),
         tries = n.tries - r.uncounted
     FROM {rows of notifications}
     WHERE {same:n}
         AND ((r.claim_id IS NULL AND n.state <> 'ended')
             OR (n.claim_id = r.claim_id AND n.state = 'sending'))
     RETURNING {pg:n.}id",
    0,
    &[
        ("tenant_id", Id),
        ("id", Id),
        ("claim_id", Id),
        ("state", Text),
        ("due_us", Int),
        ("receipt_due_us", Int),
        ("receipt", Text),
        ("receipt_us", Int),
        ("unsure", Int),
        ("ended", Text),
        ("ended_reason", Text),
        ("ended_us", Int),
        ("provider_ref", Text),
        ("uncounted", Int),
    ],
);

/// Holds the notifications that change; on SQLite a writer holds everything anyway.
pub(crate) static HOLD: Statement = Statement::with_rows(
    "SELECT n.id FROM {rows}
     {lite:JOIN notifications n ON n.tenant_id = r.tenant_id AND n.id = r.id}
     {pg:CROSS JOIN LATERAL (
         SELECT n.id FROM notifications n
         WHERE n.tenant_id = r.tenant_id AND n.id = r.id LIMIT 1
         FOR UPDATE) AS n}",
    0,
    &[("tenant_id", Id), ("id", Id)],
);

/// Keeps tries as long as their claim has not been given to somebody else, also where a receipt
/// overtook them: what was noted of the try then is later than what it says of itself.
pub(crate) static ATTEMPTS: Statement = Statement::with_rows(
    "INSERT INTO attempts (tenant_id, notification_id, number, provider, started_us, finished_us,
         outcome, detail, provider_ref)
     SELECT r.tenant_id, r.notification_id, r.number, r.provider, r.started_us, r.finished_us,
         r.outcome, r.detail, r.provider_ref
     FROM {rows}
     {lite:JOIN notifications n ON n.tenant_id = r.tenant_id AND n.id = r.notification_id}
     {pg:CROSS JOIN LATERAL (
         SELECT n.claim_id FROM notifications n
         WHERE n.tenant_id = r.tenant_id AND n.id = r.notification_id LIMIT 1) AS n}
     WHERE r.claim_id IS NULL OR n.claim_id = r.claim_id
     ON CONFLICT (tenant_id, notification_id, number, outcome) DO UPDATE SET
         started_us = excluded.started_us, finished_us = excluded.finished_us,
         detail = excluded.detail
     WHERE excluded.started_us < attempts.started_us",
    0,
    &[
        ("tenant_id", Id),
        ("notification_id", Id),
        ("claim_id", Id),
        ("number", Int),
        ("provider", Text),
        ("started_us", Int),
        ("finished_us", Int),
        ("outcome", Text),
        ("detail", Text),
        ("provider_ref", Text),
    ],
);

/// Notes what was taken for a phone, or may have been, and what before it: a reply from there
/// answers it. What is noted already is no other message.
pub(crate) static RANG: Statement = Statement::with_rows(
    "INSERT INTO method_pace (tenant_id, method_id, last_sent_us, window_from_us, window_count,
         last_ids, accepted_us, before_us, before_ids)
     SELECT r.tenant_id, r.method_id, r.accepted_us, r.accepted_us, 0, r.last_ids, r.accepted_us,
         r.before_us, r.before_ids
     FROM {rows}
     WHERE true
     ORDER BY r.tenant_id, r.method_id
     ON CONFLICT (tenant_id, method_id) DO UPDATE SET
         before_us = CASE WHEN excluded.before_us IS NOT NULL THEN excluded.before_us
             WHEN method_pace.last_ids = excluded.last_ids THEN method_pace.before_us
             ELSE method_pace.accepted_us END,
         before_ids = CASE WHEN excluded.before_us IS NOT NULL THEN excluded.before_ids
             WHEN method_pace.last_ids = excluded.last_ids THEN method_pace.before_ids
             ELSE method_pace.last_ids END,
         accepted_us = excluded.accepted_us,
         last_ids = excluded.last_ids",
    0,
    &[
        ("tenant_id", Id),
        ("method_id", Id),
        ("last_ids", Text),
        ("accepted_us", Int),
        ("before_us", Int),
        ("before_ids", Text),
    ],
);

/// Tries, what was taken for phones, and what they come to in the books.
static KEEP: Together<3> = Together::new([&ATTEMPTS, &RANG, &ledger::ADD]);

/// Holds the alerts of notifications that hop, before anything else is held.
pub(crate) static HOLD_ALERTS: Statement = Statement::with_rows(
    "SELECT n.tenant_id, n.id, n.alert_id, n.user_id
     FROM {rows}
     JOIN notifications n ON n.tenant_id = r.tenant_id AND n.id = r.id
         {any:n.tenant_id=tenant_id}{any:n.id=id}
     JOIN alerts a ON a.tenant_id = n.tenant_id AND a.id = n.alert_id
     ORDER BY n.tenant_id, n.alert_id, n.id
     {pg:FOR UPDATE OF a}",
    0,
    &[("tenant_id", Id), ("id", Id)],
);

/// Brings a person's next waiting notification of the same alert forward.
pub(crate) static HOP: Statement = Statement::new(
    "UPDATE notifications SET due_us = CASE WHEN due_us < $4 THEN due_us ELSE $4 END
     WHERE tenant_id = $1 AND state = 'waiting' AND id = (
         SELECT n.id FROM notifications n
         WHERE n.tenant_id = $1 AND n.alert_id = $2 AND n.user_id = $3 AND n.state = 'waiting'
         ORDER BY n.due_us, n.id LIMIT 1)
     RETURNING id",
);

/// What follows for one notification.
pub(crate) struct Following<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) id: NotificationId,
    /// Under which claim it must still be.
    pub(crate) claim: Option<ClaimId>,
    pub(crate) next: &'a Next,
    pub(crate) provider_ref: Option<&'a str>,
}

impl Store {
    /// Records finished tries, and what follows from each. Says for each, in order, whether it
    /// counted: `false` where its claim has passed to somebody else or a receipt overtook it.
    ///
    /// Takes no scope: a worker records what it claimed, whosever it is.
    pub async fn record_tries(
        &self,
        node: NodeId,
        tried: &[TriedRow],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        if tried.is_empty() {
            return Ok(Vec::new());
        }
        retried!(self.record_once(node, tried, now))
    }

    async fn record_once(
        &self,
        node: NodeId,
        tried: &[TriedRow],
        now: Timestamp,
    ) -> Result<Vec<bool>, StoreError> {
        let followings: Vec<Following<'_>> = tried
            .iter()
            .map(|row| Following {
                tenant: row.tenant,
                id: row.notification,
                claim: Some(row.claim),
                next: &row.next,
                provider_ref: row.attempt.provider_ref.as_deref(),
            })
            .collect();
        let mut tx = self.db.write(WriteClass::Then).await?;
        let mut entries = Entries::default();
        let followed = follow(&mut tx, &followings, now, &mut entries).await?;
        let claimed: Vec<_> =
            tried.iter().map(|row| (row.tenant, Some(row.claim), &row.attempt)).collect();
        let entries = entries.into_rows(Stage::Dispatch, Some(node));
        let values =
            [values![attempt_rows(&claimed)], values![rang_rows(tried)?], values![entries]];
        tx.run_together(&KEEP, values).await?;
        tx.commit().await?;
        Ok(tried.iter().map(|row| followed.contains(&row.notification)).collect())
    }
}

/// Saves what follows, hops included; returns those for which it counted.
pub(crate) async fn follow(
    tx: &mut Tx,
    followings: &[Following<'_>],
    now: Timestamp,
    entries: &mut Entries,
) -> Result<BTreeSet<NotificationId>, StoreError> {
    let people = hold_hopping(tx, followings).await?;
    if tx.dialect() == Dialect::Postgres {
        let ids: BTreeSet<_> = followings.iter().map(|it| (it.tenant, it.id)).collect();
        let mut rows = Rows::new();
        for (tenant, id) in ids {
            rows.push(row![tenant, id]);
        }
        tx.run(&HOLD, values![rows]).await?;
    }
    let mut rows = Rows::new();
    for following in followings {
        rows.push(follow_row(following));
    }
    let mut followed = BTreeSet::new();
    for row in tx.rows(&FOLLOW, values![rows]).await? {
        followed.insert(NotificationId::from_stored(row.id(0)?));
    }
    let mut lines = Lines::default();
    for following in followings.iter().filter(|following| followed.contains(&following.id)) {
        if let NotificationState::Ended { end, .. } = following.next.state {
            entries.end(following.tenant, end, 1);
        }
        let (tenant, from) = (following.tenant, following.id);
        if let Some((alert, user)) = people.get(&from).filter(|_| following.next.hop) {
            let next = tx.row(&HOP, values![tenant, *alert, *user, now]).await?;
            let to = next.map(|row| row.id(0)).transpose()?.map(NotificationId::from_stored);
            lines.push((tenant, *alert), now, &TimelineEntry::Hopped { from, to })?;
        }
    }
    lines.save(tx).await?;
    Ok(followed)
}

async fn hold_hopping(
    tx: &mut Tx,
    followings: &[Following<'_>],
) -> Result<BTreeMap<NotificationId, (AlertId, UserId)>, StoreError> {
    let mut rows = Rows::new();
    for following in followings.iter().filter(|following| following.next.hop) {
        rows.push(row![following.tenant, following.id]);
    }
    if rows.is_empty() {
        return Ok(BTreeMap::new());
    }
    let person = |row: &crate::db::row::Row| {
        let id = NotificationId::from_stored(row.id(1)?);
        Ok((id, (AlertId::from_stored(row.id(2)?), UserId::from_stored(row.id(3)?))))
    };
    tx.rows(&HOLD_ALERTS, values![rows]).await?.iter().map(person).collect()
}

fn follow_row(following: &Following<'_>) -> [crate::db::value::Value; 14] {
    let next = following.next;
    let (mut receipt_due, mut ended) = (None, (None, None, None));
    let state = match &next.state {
        NotificationState::Waiting => "waiting",
        NotificationState::Sending { .. } => "sending",
        NotificationState::HandedOff { receipt_due: due } => {
            receipt_due = Some(*due);
            "handed_off"
        }
        NotificationState::Ended { end, reason, at } => {
            ended = (Some(end.as_str()), Some(reason.as_str()), Some(*at));
            "ended"
        }
    };
    row![
        following.tenant,
        following.id,
        following.claim,
        state,
        next.due_at,
        receipt_due,
        next.receipt.map(|(receipt, _)| receipt.as_str()),
        next.receipt.map(|(_, at)| at),
        next.unsure,
        ended.0,
        ended.1,
        ended.2,
        following.provider_ref,
        next.uncounted,
    ]
}

/// Keeps tries, each under the claim it was made under, if that is given.
pub(crate) async fn keep_attempts(
    tx: &mut Tx,
    attempts: &[(TenantId, Option<ClaimId>, &Attempt)],
) -> Result<(), StoreError> {
    tx.run(&ATTEMPTS, values![attempt_rows(attempts)]).await.map(drop)
}

/// What [`ATTEMPTS`] keeps.
fn attempt_rows(attempts: &[(TenantId, Option<ClaimId>, &Attempt)]) -> Rows {
    let mut rows = Rows::new();
    for (tenant, claim, attempt) in attempts {
        rows.push(row![
            *tenant,
            attempt.notification,
            *claim,
            attempt.number,
            attempt.provider.as_str(),
            attempt.started_at,
            attempt.finished_at,
            attempt.outcome.as_str(),
            attempt.detail.as_str(),
            attempt.provider_ref.as_deref(),
        ]);
    }
    rows
}

/// What [`RANG`] notes of tries.
fn rang_rows(tried: &[TriedRow]) -> Result<Rows, StoreError> {
    let mut rang = Rang::default();
    for row in tried {
        if let Some(method) = row.rang {
            let at = row.attempt.finished_at;
            rang.add((row.tenant, method), row.claim, (row.notification, at));
        }
    }
    rang.rows()
}

/// What came to each phone: what one claim sent to it went out as one message.
#[derive(Default)]
pub(crate) struct Rang(BTreeMap<(TenantId, MethodId), BTreeMap<ClaimId, Message>>);

/// When it came, and what was in it.
type Message = (Timestamp, Vec<NotificationId>);

impl Rang {
    /// Adds what came to a phone under a claim.
    pub(crate) fn add(
        &mut self,
        phone: (TenantId, MethodId),
        claim: ClaimId,
        (notification, at): (NotificationId, Timestamp),
    ) {
        let of_phone = self.0.entry(phone).or_default();
        of_phone.entry(claim).or_insert((at, Vec::new())).1.push(notification);
    }

    /// Notes it, if there is any.
    pub(crate) async fn save(self, tx: &mut Tx) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        tx.run(&RANG, values![self.rows()?]).await.map(drop)
    }

    fn rows(self) -> Result<Rows, StoreError> {
        let mut rows = Rows::new();
        for ((tenant, method), of_phone) in self.0 {
            let mut in_order: Vec<Message> = of_phone.into_values().collect();
            in_order.sort_by_key(|(at, _)| *at);
            for (_, ids) in &mut in_order {
                ids.sort_unstable();
            }
            let Some((at, ids)) = in_order.pop() else { continue };
            let (before_at, before) = in_order.pop().unzip();
            let before = json(&before.unwrap_or_default())?;
            rows.push(row![tenant, method, json(&ids)?, at, before_at, before]);
        }
        Ok(rows)
    }
}
