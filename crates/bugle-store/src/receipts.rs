//! What comes back from outside about a notification, and claims and receipts that ran out.

use bugle_domain::contact::{Channel, PhoneNumber};
use bugle_domain::notification::{Attempt, End, Notification, NotificationState};
use bugle_domain::stage::Stage;
use bugle_domain::{AlertId, ClaimId, MethodId, NodeId, NotificationId, TenantId, UserId};
use bugle_engine::dispatch::{AlertBrief, Next, after_silence};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::Store;
use crate::alerts::{brief, brief_columns};
use crate::db::row::Row;
use crate::db::statement::Kind::Id;
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::db::{Tx, WriteClass, retried};
use crate::error::StoreError;
use crate::ledger::Entries;
use crate::notifications::{NOTIFICATION_COLUMNS, notification, notification_columns};
use crate::responses::end_answered;
use crate::tries::{Following, Rang, follow, keep_attempts};

/// Most contact methods that are looked at for what went to one phone.
const MAX_METHODS: u32 = 8;
/// Most messages to one phone that a reply may be about.
const MAX_MESSAGES: usize = 4;
/// Most notifications that are looked at of what is being sent to one phone.
const MAX_SENDING: u32 = 256;

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

/// A message to a phone number that a provider took, or may have taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastMessage {
    /// Whose it is.
    pub tenant: TenantId,
    /// Whose phone it is.
    pub user: UserId,
    /// The contact method.
    pub method: MethodId,
    /// When it was taken, or given to the provider that has not said yet.
    pub sent_at: Timestamp,
    /// What was in it: each notification with its alert.
    pub notifications: Vec<(NotificationId, AlertId)>,
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

pub(crate) static BY_PHONE: Statement = Statement::new(
    "SELECT o.tenant_id, o.id, COALESCE(m.accepted_us, m.last_sent_us), m.last_ids, m.before_us,
         m.before_ids
     FROM objects o
     JOIN method_pace m ON m.tenant_id = o.tenant_id AND m.method_id = o.id
     WHERE o.phone = $1 AND o.phone IS NOT NULL AND o.kind = 'method'
     ORDER BY COALESCE(m.accepted_us, m.last_sent_us) DESC
     LIMIT $2",
);

/// What is being sent to a phone: the answer of its owner may overtake that of the provider.
pub(crate) static SENDING_TO: Statement = Statement::new(
    "SELECT n.tenant_id, n.claim_id, n.method_id, n.user_id, n.claimed_us, n.id, n.alert_id
     FROM notifications n
     JOIN objects o ON o.tenant_id = n.tenant_id AND o.id = n.method_id AND o.kind = 'method'
         AND o.phone = $1 AND o.phone IS NOT NULL
     WHERE n.state = 'sending' AND n.channel = 'sms'
     ORDER BY n.claimed_us DESC, n.claim_id, n.id
     LIMIT $2",
);

/// What one claim sent to one method went out as one message.
pub(crate) static MESSAGE_OF: Statement = Statement::new(
    "SELECT o.tenant_id, o.id, o.alert_id, o.user_id
     FROM notifications n
     JOIN notifications o ON o.claim_id = n.claim_id AND o.tenant_id = n.tenant_id
         AND o.method_id = n.method_id AND o.channel IN ('sms', 'voice')
     WHERE n.id = $1 AND n.channel IN ('sms', 'voice')
     ORDER BY o.id",
);

pub(crate) static PART_OF_MESSAGE: Statement = Statement::with_rows(
    "SELECT n.id, n.alert_id, n.user_id
     FROM {rows}
     JOIN notifications n ON n.tenant_id = $1 AND n.id = r.id{any:n.id=id}
     ORDER BY n.id",
    1,
    &[("id", Id)],
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

    /// Finds the last messages that providers took for a phone number, over all tenants, the
    /// newest first; at most four.
    ///
    /// Takes no scope: a reply by text message comes from a number, and the provider's signature
    /// was checked.
    pub async fn by_phone(&self, number: &PhoneNumber) -> Result<Vec<LastMessage>, StoreError> {
        let mut taken = Vec::new();
        for row in self.db.rows(&BY_PHONE, values![number.as_str(), MAX_METHODS]).await? {
            let (tenant, method) = (TenantId::from_stored(row.id(0)?), row.id(1)?);
            taken.push((row.time(2)?, tenant, method, message_ids(row.text(3)?, method)?));
            if let Some(at) = row.opt_time(4)? {
                taken.push((at, tenant, method, message_ids(row.text(5)?, method)?));
            }
        }
        taken.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        let mut messages = self.sending_to(number).await?;
        for (sent_at, tenant, method, ids) in taken.into_iter().take(MAX_MESSAGES) {
            let parts = self.parts_of_message(tenant, ids).await?;
            let Some((_, _, user)) = parts.first() else { continue };
            messages.push(LastMessage {
                tenant,
                user: *user,
                method: MethodId::from_stored(method),
                sent_at,
                notifications: parts.iter().map(|(id, alert, _)| (*id, *alert)).collect(),
            });
        }
        messages.sort_by_key(|message| std::cmp::Reverse(message.sent_at));
        messages.truncate(MAX_MESSAGES);
        Ok(messages)
    }

    /// What is being sent to this phone, newest first.
    async fn sending_to(&self, number: &PhoneNumber) -> Result<Vec<LastMessage>, StoreError> {
        let mut messages: Vec<(Uuid, LastMessage)> = Vec::new();
        for row in self.db.rows(&SENDING_TO, values![number.as_str(), MAX_SENDING]).await? {
            let claim = row.id(1)?;
            let part = (NotificationId::from_stored(row.id(5)?), AlertId::from_stored(row.id(6)?));
            match messages.last_mut() {
                Some((last, message)) if *last == claim => message.notifications.push(part),
                _ => messages.push((
                    claim,
                    LastMessage {
                        tenant: TenantId::from_stored(row.id(0)?),
                        method: MethodId::from_stored(row.id(2)?),
                        user: UserId::from_stored(row.id(3)?),
                        sent_at: row.time(4)?,
                        notifications: vec![part],
                    },
                )),
            }
        }
        Ok(messages.into_iter().map(|(_, message)| message).collect())
    }

    /// Finds all that went out in one message with this notification, itself included. Empty: there
    /// is no such notification, or it never went out.
    ///
    /// Takes no scope: providers call back with the id alone, and their signature was checked.
    pub async fn same_message(
        &self,
        id: NotificationId,
    ) -> Result<Vec<(TenantId, NotificationId, AlertId, UserId)>, StoreError> {
        let part = |row: &Row| {
            Ok((
                TenantId::from_stored(row.id(0)?),
                NotificationId::from_stored(row.id(1)?),
                AlertId::from_stored(row.id(2)?),
                UserId::from_stored(row.id(3)?),
            ))
        };
        self.db.rows(&MESSAGE_OF, values![id]).await?.iter().map(part).collect()
    }

    async fn parts_of_message(
        &self,
        tenant: TenantId,
        ids: Vec<NotificationId>,
    ) -> Result<Vec<(NotificationId, AlertId, UserId)>, StoreError> {
        let mut rows = Rows::new();
        for id in ids {
            rows.push(row![id]);
        }
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let part = |row: &Row| {
            Ok((
                NotificationId::from_stored(row.id(0)?),
                AlertId::from_stored(row.id(1)?),
                UserId::from_stored(row.id(2)?),
            ))
        };
        self.db.rows(&PART_OF_MESSAGE, values![tenant, rows]).await?.iter().map(part).collect()
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

fn message_ids(text: &str, id: Uuid) -> Result<Vec<NotificationId>, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::corrupt(("method_pace", "last_ids"), id, error))
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
