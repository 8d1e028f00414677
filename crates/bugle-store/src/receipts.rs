//! What comes back from outside about a notification, and claims and receipts that ran out.

use bugle_domain::contact::Channel;
use bugle_domain::notification::{Attempt, End, Notification, NotificationState};
use bugle_domain::stage::Stage;
use bugle_domain::{AlertId, ClaimId, NodeId, NotificationId, TenantId, UserId};
use bugle_engine::dispatch::{AlertBrief, Next, after_silence};
use jiff::{SignedDuration, Timestamp};

use crate::Store;
use crate::alerts::{brief, brief_columns};
use crate::db::statement::Kind::Id;
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::db::{Tx, WriteClass, retried};
use crate::error::StoreError;
use crate::ledger::Entries;
use crate::notifications::{NOTIFICATION_COLUMNS, notification, notification_columns};
use crate::replies::MESSAGE_OF;
use crate::responses::end_answered;
use crate::tries::{Following, Rang, follow, keep_attempts};

/// Called with a notification and its alert while both are held; may be called again if the
/// transaction has to be repeated. `None` changes nothing.
pub type Receive<'a> = dyn FnMut(TenantId, &Notification, &AlertBrief) -> Option<Next> + Send + 'a;

/// Called with a notification whose claim ran out. `None` leaves it alone.
pub type RunOut<'a> = dyn FnMut(&Notification) -> Option<Next> + Send + 'a;

/// What a token or an id from outside leads to.
#[derive(Clone, PartialEq, Debug)]
pub struct Known {
    /// Whose it is.
    pub tenant: TenantId,
    /// The notification as it was before.
    pub notification: Notification,
    /// Its alert.
    pub alert: AlertBrief,
    /// Something was changed.
    pub changed: bool,
}

/// How long ago the send-by time of a claim passed that nobody answers for any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overdue<'a> {
    /// By a node that is not known to live.
    pub grace: SignedDuration,
    /// These live, and may still have an outcome to save.
    pub living: &'a [NodeId],
    /// By a node that lives: longer than any try takes, so that this one hangs. `None`: it is not
    /// known whether they could save outcomes all the time.
    pub hung: Option<SignedDuration>,
}

/// Which claims are in the hands of the dead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lost<'a> {
    /// Those of an earlier run of this node. Only before its first claim of this run.
    EarlierRunOf(NodeId),
    /// Those whose send-by time passed long ago, at least the request limit.
    LongerThan(Overdue<'a>),
}

pub(crate) static BY_ID: Statement = Statement::new(concat!(
    "SELECT n.tenant_id, ",
    notification_columns!(),
    ", ",
    brief_columns!(),
    " FROM notifications n
     JOIN alerts a ON a.tenant_id = n.tenant_id AND a.id = n.alert_id
     WHERE n.id = $1 AND n.channel IN ('sms', 'voice')
     {pg:FOR UPDATE}"
));

pub(crate) static RECEIPT: Statement = Statement::new(
    "UPDATE notifications SET receipt = $3, receipt_us = $4
     WHERE tenant_id = $1 AND id = $2 AND {pg:$3::text}{lite:$3} IS NOT NULL",
);

pub(crate) static BY_TOKEN: Statement = Statement::new(
    "SELECT n.tenant_id, n.id, n.alert_id, n.user_id FROM notifications n
     WHERE n.token = $1 AND n.token IS NOT NULL",
);

pub(crate) static OF_EARLIER_RUN: Statement = Statement::new(concat!(
    "SELECT n.tenant_id, ",
    notification_columns!(),
    ", n.claimed_us FROM notifications n
     WHERE n.state = 'sending' AND n.claim_node_id = $1
     ORDER BY n.send_by_us LIMIT $2
     {pg:FOR UPDATE SKIP LOCKED}"
));

pub(crate) static OVERDUE: Statement = Statement::with_rows(
    concat!(
        "SELECT n.tenant_id, ",
        notification_columns!(),
        ", n.claimed_us FROM notifications n
         WHERE n.state = 'sending' AND n.send_by_us < $1
             AND (n.send_by_us < $3
                 OR n.claim_node_id NOT IN (SELECT r.node_id FROM {rows}))
         ORDER BY n.send_by_us LIMIT $2
         {pg:FOR UPDATE SKIP LOCKED}"
    ),
    3,
    &[("node_id", Id)],
);

pub(crate) static WITHOUT_RECEIPT: Statement = Statement::new(concat!(
    "SELECT n.tenant_id, ",
    notification_columns!(),
    " FROM notifications n
     WHERE n.state = 'handed_off' AND n.receipt_due_us <= $1
     ORDER BY n.receipt_due_us LIMIT $2
     {pg:FOR UPDATE SKIP LOCKED}"
));

impl Store {
    /// Lets `receive` decide about a notification by text message or call, and saves that.
    /// `None`: there is no such notification.
    ///
    /// A report `by` a provider, with what it calls the message, may overtake the record of the try
    /// it is about. The try is noted then: should this process end now, nothing else says of it.
    ///
    /// Takes no scope: providers call back with the id alone, and their signature was checked.
    pub async fn with_notification(
        &self,
        id: NotificationId,
        by: Option<(&str, &str)>,
        now: Timestamp,
        receive: &mut Receive<'_>,
    ) -> Result<Option<Known>, StoreError> {
        retried!(self.receive_once(id, by, now, receive))
    }

    async fn receive_once(
        &self,
        id: NotificationId,
        by: Option<(&str, &str)>,
        now: Timestamp,
        receive: &mut Receive<'_>,
    ) -> Result<Option<Known>, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let Some(row) = tx.row(&BY_ID, values![id]).await? else { return Ok(None) };
        let tenant = TenantId::from_stored(row.id(0)?);
        let notification = notification(&row, 1)?;
        let alert = brief(&row, 1 + NOTIFICATION_COLUMNS)?;
        let mut known = Known { tenant, notification, alert, changed: false };
        if let Some(next) = receive(tenant, &known.notification, &known.alert) {
            let claim = match known.notification.state {
                NotificationState::Sending { claim, .. } => by.map(|by| (claim, by)),
                _ => None,
            };
            if let Some((claim, _)) = claim {
                // Its owner may answer before the provider does.
                rang(&mut tx, &known, claim, now).await?;
            }
            known.changed = receive_next(&mut tx, &known, next, now).await?;
            if let Some((_, by)) = claim {
                let noted = reported_attempt(&known.notification, by, now);
                keep_attempts(&mut tx, &[(tenant, None, &noted)]).await?;
            }
        }
        tx.commit().await?;
        Ok(Some(known))
    }

    /// Finds whose link it is.
    ///
    /// Takes no scope: the token is the credential.
    pub async fn by_token(
        &self,
        token: &str,
    ) -> Result<Option<(TenantId, NotificationId, AlertId, UserId)>, StoreError> {
        let Some(row) = self.db.row(&BY_TOKEN, values![token]).await? else { return Ok(None) };
        Ok(Some((
            TenantId::from_stored(row.id(0)?),
            NotificationId::from_stored(row.id(1)?),
            AlertId::from_stored(row.id(2)?),
            UserId::from_stored(row.id(3)?),
        )))
    }

    /// Takes claims out of the hands of the dead: `run_out` says what follows, and the attempt is
    /// kept as lost. A late result under the old claim changes nothing. Returns how many there
    /// were; fewer than `limit` means that was all.
    ///
    /// Takes no scope: a worker serves every tenant.
    pub async fn lost_claims(
        &self,
        (node, lost): (NodeId, Lost<'_>),
        limit: u32,
        now: Timestamp,
        run_out: &mut RunOut<'_>,
    ) -> Result<u32, StoreError> {
        retried!(self.lost_once((node, lost), limit, now, run_out))
    }

    async fn lost_once(
        &self,
        (node, lost): (NodeId, Lost<'_>),
        limit: u32,
        now: Timestamp,
        run_out: &mut RunOut<'_>,
    ) -> Result<u32, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let rows = match lost {
            Lost::EarlierRunOf(node) => tx.rows(&OF_EARLIER_RUN, values![node, limit]).await?,
            Lost::LongerThan(Overdue { grace, living, hung }) => {
                let ago = |span| now.saturating_sub(span).unwrap_or(Timestamp::MIN);
                let (before, hung) = (ago(grace), hung.map_or(Timestamp::MIN, ago));
                let mut spared = Rows::new();
                for node in living {
                    spared.push(row![*node]);
                }
                tx.rows(&OVERDUE, values![before, limit, hung, spared]).await?
            }
        };
        let (mut nexts, mut attempts, mut rang) = (Vec::new(), Vec::new(), Rang::default());
        for row in &rows {
            let tenant = TenantId::from_stored(row.id(0)?);
            let notification = notification(row, 1)?;
            let Some(next) = run_out(&notification) else { continue };
            let started_at = row.opt_time(1 + NOTIFICATION_COLUMNS)?.unwrap_or(now);
            attempts.push((tenant, None::<ClaimId>, lost_attempt(&notification, started_at, now)));
            let phone = matches!(notification.channel, Channel::Sms | Channel::Voice);
            if let NotificationState::Sending { claim, .. } = notification.state
                && phone
            {
                // It may have gone out, and be answered.
                rang.add((tenant, notification.method), claim, (notification.id, started_at));
            }
            nexts.push((tenant, notification.id, next));
        }
        if nexts.is_empty() {
            // What was looked at is free for others at once, and not when the pool gets to it.
            tx.commit().await?;
            return Ok(0);
        }
        let mut entries = Entries::default();
        let followings: Vec<_> = nexts.iter().map(following).collect();
        follow(&mut tx, &followings, now, &mut entries).await?;
        let attempts: Vec<_> =
            attempts.iter().map(|(tenant, claim, attempt)| (*tenant, *claim, attempt)).collect();
        keep_attempts(&mut tx, &attempts).await?;
        rang.save(&mut tx).await?;
        entries.save(&mut tx, Stage::Dispatch, Some(node)).await?;
        tx.commit().await?;
        Ok(u32::try_from(nexts.len()).unwrap_or(u32::MAX))
    }

    /// Ends notifications whose receipt did not come in time, as the engine says of their silence.
    /// Returns how many there were; fewer than `limit` means that was all.
    ///
    /// Takes no scope: a worker serves every tenant.
    pub async fn expire_receipts(
        &self,
        node: NodeId,
        limit: u32,
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        retried!(self.expire_once(node, limit, now))
    }

    async fn expire_once(
        &self,
        node: NodeId,
        limit: u32,
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let mut nexts = Vec::new();
        for row in &tx.rows(&WITHOUT_RECEIPT, values![now, limit]).await? {
            let notification = notification(row, 1)?;
            if let Some(next) = after_silence(&notification, now) {
                nexts.push((TenantId::from_stored(row.id(0)?), notification.id, next));
            }
        }
        if nexts.is_empty() {
            // What was looked at is free for others at once, and not when the pool gets to it.
            tx.commit().await?;
            return Ok(0);
        }
        let mut entries = Entries::default();
        let followings: Vec<_> = nexts.iter().map(following).collect();
        follow(&mut tx, &followings, now, &mut entries).await?;
        entries.save(&mut tx, Stage::Dispatch, Some(node)).await?;
        tx.commit().await?;
        Ok(u32::try_from(nexts.len()).unwrap_or(u32::MAX))
    }
}

/// Notes what went out in one message with a notification that is being sent.
async fn rang(
    tx: &mut Tx,
    known: &Known,
    claim: ClaimId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut rang = Rang::default();
    for row in tx.rows(&MESSAGE_OF, values![known.notification.id]).await? {
        let part = NotificationId::from_stored(row.id(1)?);
        rang.add((known.tenant, known.notification.method), claim, (part, now));
    }
    rang.save(tx).await
}

/// Saves what follows from a receipt. How a notification ended is final, but for an answer; what is
/// known of its way may still grow.
async fn receive_next(
    tx: &mut Tx,
    known: &Known,
    next: Next,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (tenant, id) = (known.tenant, known.notification.id);
    let mut entries = Entries::default();
    let was_ended = matches!(known.notification.state, NotificationState::Ended { .. });
    let answered = matches!(next.state, NotificationState::Ended { end: End::Answered, .. });
    let changed = if was_ended && answered {
        end_answered(tx, (tenant, id), now, &mut entries).await?;
        true
    } else if was_ended {
        let word = next.receipt.map(|(receipt, _)| receipt.as_str());
        let at = next.receipt.map(|(_, at)| at);
        tx.run(&RECEIPT, values![tenant, id, word, at]).await? == 1
    } else {
        let next = (tenant, id, next);
        !follow(tx, &[following(&next)], now, &mut entries).await?.is_empty()
    };
    entries.save(tx, Stage::Responses, None).await?;
    Ok(changed)
}

fn following((tenant, id, next): &(TenantId, NotificationId, Next)) -> Following<'_> {
    Following { tenant: *tenant, id: *id, claim: None, next, provider_ref: None }
}

/// A try that its provider reports on before it is recorded.
fn reported_attempt(
    notification: &Notification,
    (provider, provider_ref): (&str, &str),
    now: Timestamp,
) -> Attempt {
    Attempt {
        notification: notification.id,
        number: notification.tries,
        provider: provider.to_owned(),
        started_at: now,
        finished_at: now,
        outcome: "accepted".to_owned(),
        detail: "the provider reported on it before its answer was saved".to_owned(),
        provider_ref: Some(provider_ref.to_owned()),
    }
}

fn lost_attempt(notification: &Notification, started_at: Timestamp, now: Timestamp) -> Attempt {
    Attempt {
        notification: notification.id,
        number: notification.tries,
        provider: String::new(),
        started_at,
        finished_at: now,
        outcome: "lost".to_owned(),
        detail: "the node that claimed it did not say what came of it".to_owned(),
        provider_ref: notification.provider_ref.clone(),
    }
}
