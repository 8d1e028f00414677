//! What comes back from outside about a notification, and claims and receipts that ran out.

use bugle_domain::contact::PhoneNumber;
use bugle_domain::notification::{Attempt, End, Notification, NotificationState, Receipt};
use bugle_domain::{AlertId, ClaimId, MethodId, NodeId, NotificationId, TenantId, UserId};
use bugle_engine::dispatch::{AlertBrief, Next};
use jiff::{SignedDuration, Timestamp};

use crate::Store;
use crate::alerts::{brief, brief_columns};
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::db::{WriteClass, retried};
use crate::error::StoreError;
use crate::ledger::{Entries, Stage};
use crate::notifications::{NOTIFICATION_COLUMNS, notification, notification_columns};
use crate::tries::{Following, follow, keep_attempts};

/// Called with a notification and its alert while both are held; may be called again if the
/// transaction has to be repeated. `None` changes nothing.
pub type Receive<'a> = dyn FnMut(TenantId, &Notification, &AlertBrief) -> Option<Next> + Send + 'a;

/// Called with a notification whose claim or receipt ran out.
pub type RunOut<'a> = dyn FnMut(&Notification) -> Next + Send + 'a;

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

/// The last message that went to a phone number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastMessage {
    /// Whose it is.
    pub tenant: TenantId,
    /// Whose phone it is.
    pub user: UserId,
    /// The contact method.
    pub method: MethodId,
    /// When it was claimed for sending.
    pub sent_at: Timestamp,
    /// What was in it: each notification with its alert.
    pub notifications: Vec<(NotificationId, AlertId)>,
}

/// Which claims are in the hands of the dead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lost {
    /// Those of an earlier run of this node. Only before its first claim of this run.
    EarlierRunOf(NodeId),
    /// Those whose send-by time passed this long ago, by any node. At least the request limit.
    LongerThan(SignedDuration),
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

/// How a notification ended is final; what is known of its way may still grow.
pub(crate) static RECEIPT: Statement = Statement::new(
    "UPDATE notifications SET receipt = $3, receipt_us = $4
     WHERE tenant_id = $1 AND id = $2 AND {pg:$3::text}{lite:$3} IS NOT NULL",
);

pub(crate) static BY_TOKEN: Statement = Statement::new(
    "SELECT n.tenant_id, n.id, n.alert_id, n.user_id FROM notifications n
     WHERE n.token = $1 AND n.token IS NOT NULL",
);

pub(crate) static BY_PHONE: Statement = Statement::new(
    "SELECT o.tenant_id, o.id, m.last_sent_us, m.last_ids
     FROM objects o
     JOIN method_pace m ON m.tenant_id = o.tenant_id AND m.method_id = o.id
     WHERE o.phone = $1 AND o.phone IS NOT NULL AND o.kind = 'method'
     ORDER BY m.last_sent_us DESC
     LIMIT 1",
);

pub(crate) static PART_OF_MESSAGE: Statement = Statement::with_rows(
    "SELECT n.id, n.alert_id, n.user_id
     FROM {rows}
     JOIN notifications n ON n.tenant_id = $1 AND n.id = r.id
     ORDER BY n.id",
    1,
    &[("id", crate::db::statement::Kind::Id)],
);

pub(crate) static OF_EARLIER_RUN: Statement = Statement::new(concat!(
    "SELECT n.tenant_id, ",
    notification_columns!(),
    ", n.claimed_us FROM notifications n
     WHERE n.state = 'sending' AND n.claim_node_id = $1
     ORDER BY n.send_by_us LIMIT $2
     {pg:FOR UPDATE SKIP LOCKED}"
));

pub(crate) static OVERDUE: Statement = Statement::new(concat!(
    "SELECT n.tenant_id, ",
    notification_columns!(),
    ", n.claimed_us FROM notifications n
     WHERE n.state = 'sending' AND n.send_by_us < $1
     ORDER BY n.send_by_us LIMIT $2
     {pg:FOR UPDATE SKIP LOCKED}"
));

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
    /// Takes no scope: providers call back with the id alone, and their signature was checked.
    pub async fn with_notification(
        &self,
        id: NotificationId,
        now: Timestamp,
        receive: &mut Receive<'_>,
    ) -> Result<Option<Known>, StoreError> {
        retried!(self.receive_once(id, now, receive))
    }

    async fn receive_once(
        &self,
        id: NotificationId,
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
            known.changed = if matches!(known.notification.state, NotificationState::Ended { .. }) {
                let word = next.receipt.map(|(receipt, _)| receipt.as_str());
                let at = next.receipt.map(|(_, at)| at);
                tx.run(&RECEIPT, values![tenant, id, word, at]).await? == 1
            } else {
                let mut entries = Entries::default();
                let next = (tenant, id, next);
                let followings = [following(&next)];
                let changed = !follow(&mut tx, &followings, now, &mut entries).await?.is_empty();
                entries.save(&mut tx, Stage::Responses, None).await?;
                changed
            };
            tx.commit().await?;
        }
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

    /// Finds the last message that went to a phone number, over all tenants.
    ///
    /// Takes no scope: a reply by text message comes from a number, and the provider's signature was
    /// checked.
    pub async fn by_phone(&self, number: &PhoneNumber) -> Result<Option<LastMessage>, StoreError> {
        let Some(row) = self.db.row(&BY_PHONE, values![number.as_str()]).await? else {
            return Ok(None);
        };
        let (tenant, method) = (row.id(0)?, row.id(1)?);
        let ids: Vec<NotificationId> = serde_json::from_str(row.text(3)?)
            .map_err(|error| StoreError::corrupt(("method_pace", "last_ids"), method, error))?;
        let mut rows = crate::db::value::Rows::new();
        for id in ids {
            rows.push([id.into()]);
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let (mut user, mut notifications) = (None, Vec::new());
        for row in self.db.rows(&PART_OF_MESSAGE, values![tenant, rows]).await? {
            user = Some(UserId::from_stored(row.id(2)?));
            notifications
                .push((NotificationId::from_stored(row.id(0)?), AlertId::from_stored(row.id(1)?)));
        }
        Ok(user.map(|user| LastMessage {
            tenant: TenantId::from_stored(tenant),
            user,
            method: MethodId::from_stored(method),
            sent_at: row.time(2).unwrap_or(Timestamp::MIN),
            notifications,
        }))
    }

    /// Takes claims out of the hands of the dead: `run_out` says what follows, and the attempt is
    /// kept as lost. A late result under the old claim changes nothing. Returns how many there
    /// were; fewer than `limit` means that was all.
    ///
    /// Takes no scope: a worker serves every tenant.
    pub async fn lost_claims(
        &self,
        (node, lost): (NodeId, Lost),
        limit: u32,
        now: Timestamp,
        run_out: &mut RunOut<'_>,
    ) -> Result<u32, StoreError> {
        retried!(self.lost_once((node, lost), limit, now, run_out))
    }

    async fn lost_once(
        &self,
        (node, lost): (NodeId, Lost),
        limit: u32,
        now: Timestamp,
        run_out: &mut RunOut<'_>,
    ) -> Result<u32, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let rows = match lost {
            Lost::EarlierRunOf(node) => tx.rows(&OF_EARLIER_RUN, values![node, limit]).await?,
            Lost::LongerThan(grace) => {
                let before = now.saturating_sub(grace).unwrap_or(Timestamp::MIN);
                tx.rows(&OVERDUE, values![before, limit]).await?
            }
        };
        let (mut nexts, mut attempts) = (Vec::new(), Vec::new());
        for row in &rows {
            let tenant = TenantId::from_stored(row.id(0)?);
            let notification = notification(row, 1)?;
            let started_at = row.opt_time(1 + NOTIFICATION_COLUMNS)?.unwrap_or(now);
            attempts.push((tenant, None::<ClaimId>, lost_attempt(&notification, started_at, now)));
            nexts.push((tenant, notification.id, run_out(&notification)));
        }
        if nexts.is_empty() {
            return Ok(0);
        }
        let mut entries = Entries::default();
        let followings: Vec<_> = nexts.iter().map(following).collect();
        follow(&mut tx, &followings, now, &mut entries).await?;
        let attempts: Vec<_> =
            attempts.iter().map(|(tenant, claim, attempt)| (*tenant, *claim, attempt)).collect();
        keep_attempts(&mut tx, &attempts).await?;
        entries.save(&mut tx, Stage::Dispatch, Some(node)).await?;
        tx.commit().await?;
        Ok(u32::try_from(nexts.len()).unwrap_or(u32::MAX))
    }

    /// Ends notifications whose receipt did not come in time: as delivered where a provider said
    /// so, as expired otherwise. Returns how many there were; fewer than `limit` means that was all.
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
            let next = without_receipt(&notification, now);
            nexts.push((TenantId::from_stored(row.id(0)?), notification.id, next));
        }
        if nexts.is_empty() {
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

fn following((tenant, id, next): &(TenantId, NotificationId, Next)) -> Following<'_> {
    Following { tenant: *tenant, id: *id, claim: None, next, provider_ref: None }
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

fn without_receipt(notification: &Notification, now: Timestamp) -> Next {
    let delivered = notification.receipt.is_some_and(|(receipt, _)| receipt >= Receipt::Delivered);
    let (end, reason) =
        if delivered { (End::Delivered, "delivered") } else { (End::Expired, "no_receipt") };
    Next {
        state: NotificationState::Ended { end, reason: reason.to_owned(), at: now },
        due_at: None,
        receipt: None,
        unsure: false,
        hop: false,
    }
}
