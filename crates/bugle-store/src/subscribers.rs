//! Subscribers of the status page, what they are told, and the messages that wait to be sent.
//!
//! Nothing here takes a scope: the status page is the installation's own.

use bugle_domain::contact::{Address, Channel};
use bugle_domain::{BulletinId, NoticeId, SubscriberId};
use bugle_engine::status::Component;
use bugle_engine::status::subscribers::{Notice, Subscriber};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::alerts::json;
use crate::db::row::Row;
use crate::db::statement::Kind::{Id, Text};
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::db::{Tx, WriteClass, retried};
use crate::error::StoreError;
use crate::readable::{or_skipped, readable};
use crate::status::{BulletinRow, bulletin};

/// Bulletins that are looked at once.
const BULLETINS: u32 = 8;
/// Messages that are looked at for each that may be claimed.
const PASSED_OVER: u32 = 8;

/// Who asks again before the button was pressed asks anew; who has pressed it stays as they are.
pub(crate) static ASK: Statement = Statement::new(
    "INSERT INTO subscribers (id, channel, address, components, asked_us)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (channel, address) DO UPDATE SET
         components = CASE WHEN subscribers.confirmed_us IS NULL THEN excluded.components
             ELSE subscribers.components END,
         asked_us = excluded.asked_us
     RETURNING id",
);

pub(crate) static QUEUE: Statement = Statement::with_rows(
    "INSERT INTO subscriber_messages (subscriber_id, channel, notice_id, due_us, tries)
     SELECT r.id, r.channel, $1, $2, 0 FROM {rows}
     WHERE true
     ON CONFLICT DO NOTHING",
    2,
    &[("id", Id), ("channel", Text)],
);

pub(crate) static ONE: Statement = Statement::new(
    "SELECT s.id, s.channel, s.address, s.components, s.asked_us, s.confirmed_us
     FROM subscribers s WHERE s.id = $1",
);

pub(crate) static BY_ADDRESS: Statement =
    Statement::new("SELECT s.id FROM subscribers s WHERE s.channel = $1 AND s.address = $2");

pub(crate) static CHOOSE: Statement = Statement::new(
    "UPDATE subscribers SET components = $2, confirmed_us = COALESCE(confirmed_us, $3)
     WHERE id = $1",
);

pub(crate) static ASK_NO_MORE: Statement = Statement::new(
    "DELETE FROM subscriber_messages
     WHERE subscriber_id = $1 AND notice_id = $2 AND claimed_us IS NULL",
);

pub(crate) static DROP: Statement = Statement::new("DELETE FROM subscribers WHERE id = $1");

pub(crate) static DROP_MESSAGES: Statement =
    Statement::new("DELETE FROM subscriber_messages WHERE subscriber_id = $1");

pub(crate) static UNCONFIRMED: Statement = Statement::new(
    "SELECT s.id FROM subscribers s WHERE s.confirmed_us IS NULL AND s.asked_us <= $1
     ORDER BY s.asked_us LIMIT $2",
);

pub(crate) static UNTOLD: Statement = Statement::new(
    "SELECT b.id, b.version, b.document, t.told_us FROM status_bulletins b
     LEFT JOIN status_told t ON t.bulletin_id = b.id
     WHERE b.updated_us > $1 AND (t.told_us IS NULL OR t.told_us <> b.updated_us)
     ORDER BY b.updated_us LIMIT $2",
);

pub(crate) static TELL: Statement = Statement::new(
    "INSERT INTO status_told (bulletin_id, told_us) VALUES ($1, $2)
     ON CONFLICT (bulletin_id) DO UPDATE SET told_us = excluded.told_us
     WHERE status_told.told_us = $3",
);

pub(crate) static MAKE: Statement = Statement::new(
    "INSERT INTO status_notices (id, made_us, after_id, over, document) VALUES ($1, $2, $3, 0, $4)",
);

pub(crate) static AT_WORK: Statement = Statement::new(
    "SELECT n.id, n.after_id, n.document FROM status_notices n WHERE n.over = 0
     ORDER BY n.id LIMIT 1{pg: FOR UPDATE}",
);

pub(crate) static IS_AT_WORK: Statement =
    Statement::new("SELECT n.over FROM status_notices n WHERE n.over = 0 LIMIT 1");

pub(crate) static NEXT: Statement = Statement::new(
    "SELECT s.id, s.channel, s.address, s.components, s.asked_us, s.confirmed_us
     FROM subscribers s WHERE s.id > $1 ORDER BY s.id LIMIT $2",
);

pub(crate) static ADVANCE: Statement = Statement::new(
    "UPDATE status_notices SET after_id = $3, over = $4 WHERE id = $1 AND after_id = $2",
);

pub(crate) static DROP_OLD: Statement =
    Statement::new("DELETE FROM status_notices WHERE over = 1 AND made_us <= $1");

pub(crate) static DUE: Statement = Statement::new(
    "SELECT m.subscriber_id, m.notice_id, m.tries FROM subscriber_messages m
     WHERE m.channel = $1 AND m.due_us <= $2 AND m.claimed_us IS NULL
     ORDER BY m.due_us LIMIT $3{pg: FOR UPDATE SKIP LOCKED}",
);

pub(crate) static IS_DUE: Statement = Statement::new(
    "SELECT m.due_us FROM subscriber_messages m
     WHERE m.channel = $1 AND m.due_us <= $2 AND m.claimed_us IS NULL LIMIT 1",
);

pub(crate) static CLAIM: Statement = Statement::new(
    "UPDATE subscriber_messages SET claimed_us = $3, tries = tries + 1
     WHERE subscriber_id = $1 AND notice_id = $2 AND claimed_us IS NULL",
);

pub(crate) static PUT_OFF: Statement = Statement::new(
    "UPDATE subscriber_messages SET due_us = $3
     WHERE subscriber_id = $1 AND notice_id = $2 AND claimed_us IS NULL",
);

pub(crate) static NOTICE: Statement =
    Statement::new("SELECT n.document FROM status_notices n WHERE n.id = $1");

pub(crate) static SENT: Statement =
    Statement::new("DELETE FROM subscriber_messages WHERE subscriber_id = $1 AND notice_id = $2");

pub(crate) static AGAIN: Statement = Statement::new(
    "UPDATE subscriber_messages SET claimed_us = NULL, due_us = $3
     WHERE subscriber_id = $1 AND notice_id = $2",
);

pub(crate) static GIVE_UP: Statement = Statement::new(
    "DELETE FROM subscriber_messages WHERE claimed_us IS NOT NULL AND claimed_us <= $1",
);

/// A message that is to be sent now, by whoever claimed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubscriberMessage {
    /// To whom.
    pub to: Subscriber,
    /// What it tells of; nil where it asks to confirm.
    pub notice_id: NoticeId,
    /// What is told; `None`: whether it was they who asked.
    pub notice: Option<Notice>,
    /// Which try this is, 1-based.
    pub tries: i64,
}

/// Which messages are claimed.
pub struct SubscriberClaim<'a> {
    /// By this way only.
    pub channel: Channel,
    /// At most so many.
    pub limit: u32,
    /// Whether one may go to that address now, beside those that are claimed with it.
    pub takes: &'a (dyn Fn(&Address, &[SubscriberMessage]) -> bool + Sync),
    /// Until when one is put off that may not.
    pub else_at: Timestamp,
}

/// A bulletin of which something was not told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Untold {
    /// The bulletin.
    pub row: BulletinRow,
    /// The update up to which it was told, by its time.
    pub told: Option<Timestamp>,
}

/// The notice that asks to confirm.
pub(crate) fn question() -> NoticeId {
    NoticeId::from_stored(Uuid::nil())
}

impl Store {
    /// Notes that somebody asks to be told, and queues the message that asks back. One address has
    /// one entry, and one such message at a time.
    pub async fn ask_to_subscribe(&self, asks: &Subscriber) -> Result<(), StoreError> {
        retried!(self.ask_once(asks))
    }

    async fn ask_once(&self, asks: &Subscriber) -> Result<(), StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let (channel, address) = (asks.address.channel().as_str(), asks.address.as_str());
        let components = json(&asks.components)?;
        let values = values![asks.id, channel, address, components, asks.asked_at];
        let Some(kept) = tx.row(&ASK, values).await? else { return Ok(()) };
        let mut to = Rows::new();
        to.push(row![kept.id(0)?, channel]);
        tx.run(&QUEUE, values![question(), asks.asked_at, to]).await?;
        tx.commit().await
    }

    /// One subscriber.
    pub async fn subscriber(&self, id: SubscriberId) -> Result<Option<Subscriber>, StoreError> {
        self.db.row(&ONE, values![id]).await?.as_ref().map(subscriber).transpose()
    }

    /// Which subscriber has an address.
    pub async fn subscriber_at(
        &self,
        address: &Address,
    ) -> Result<Option<SubscriberId>, StoreError> {
        let values = values![address.channel().as_str(), address.as_str()];
        let found = self.db.row(&BY_ADDRESS, values).await?;
        Ok(found.map(|row| row.id(0)).transpose()?.map(SubscriberId::from_stored))
    }

    /// Keeps what a subscriber wants to be told of, and that the button was pressed; a question
    /// that still waits is not asked any more. `false`: there is no such subscriber any more.
    pub async fn confirm_subscriber(
        &self,
        id: SubscriberId,
        components: &[Component],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        retried!(self.confirm_once(id, components, now))
    }

    async fn confirm_once(
        &self,
        id: SubscriberId,
        components: &[Component],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let there = tx.run(&CHOOSE, values![id, json(&components)?, now]).await? == 1;
        tx.run(&ASK_NO_MORE, values![id, question()]).await?;
        tx.commit().await?;
        Ok(there)
    }

    /// Forgets a subscriber, with all that waits to be sent. `false`: there is none any more.
    pub async fn drop_subscriber(&self, id: SubscriberId) -> Result<bool, StoreError> {
        retried!(self.drop_subscriber_once(id))
    }

    async fn drop_subscriber_once(&self, id: SubscriberId) -> Result<bool, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let dropped = drop_with_messages(&mut tx, id).await?;
        tx.commit().await?;
        Ok(dropped)
    }

    /// Those who asked until then and have not confirmed, the first of them.
    pub async fn unconfirmed_subscribers(
        &self,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<SubscriberId>, StoreError> {
        let rows = self.db.rows(&UNCONFIRMED, values![until, limit]).await?;
        rows.iter().map(|row| Ok(SubscriberId::from_stored(row.id(0)?))).collect()
    }

    /// Bulletins in which something was said since then that subscribers were not told.
    pub async fn untold(&self, since: Timestamp) -> Result<Vec<Untold>, StoreError> {
        let untold = |row: &Row| Ok(Untold { row: bulletin(row)?, told: row.opt_time(3)? });
        let rows = self.db.rows(&UNTOLD, values![since, BULLETINS]).await?;
        readable(&rows, untold)
    }

    /// Keeps what subscribers are to be told, and that a bulletin is told up to an update. `false`:
    /// another node did.
    pub async fn tell_subscribers(
        &self,
        (id, notice): (NoticeId, Option<&Notice>),
        (bulletin, told, up_to): (BulletinId, Option<Timestamp>, Timestamp),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        if tx.run(&TELL, values![bulletin, up_to, told]).await? != 1 {
            return Ok(false);
        }
        if let Some(notice) = notice {
            tx.run(&MAKE, values![id, now, Uuid::nil(), json(notice)?]).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Queues the messages of the oldest notice that is not through, to the next few subscribers
    /// who want it. One transaction with how far it came: each is queued once, whoever is killed.
    /// `None`: there is none.
    pub async fn fan_out(&self, limit: u32, now: Timestamp) -> Result<Option<usize>, StoreError> {
        // Nobody who writes waits for a look that finds nothing.
        if self.db.row(&IS_AT_WORK, values![]).await?.is_none() {
            return Ok(None);
        }
        retried!(self.fan_out_once(limit, now))
    }

    async fn fan_out_once(&self, limit: u32, now: Timestamp) -> Result<Option<usize>, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let Some(row) = tx.row(&AT_WORK, values![]).await? else { return Ok(None) };
        let (id, after) = (row.id(0)?, row.id(1)?);
        let Some(notice) = or_skipped(notice(id, row.text(2)?))? else {
            tx.run(&ADVANCE, values![id, after, after, 1_i64]).await?;
            tx.commit().await?;
            return Ok(Some(0));
        };
        let next = tx.rows(&NEXT, values![after, limit]).await?;
        let mut to = Rows::new();
        for subscriber in readable(&next, subscriber)?.iter().filter(|it| it.wants(&notice)) {
            to.push(row![subscriber.id, subscriber.address.channel().as_str()]);
        }
        let queued = to.len();
        if queued > 0 {
            tx.run(&QUEUE, values![NoticeId::from_stored(id), now, to]).await?;
        }
        let last = next.last().map_or(Ok(after), |last| last.id(0))?;
        let over = next.len() < usize::try_from(limit).unwrap_or(usize::MAX);
        if tx.run(&ADVANCE, values![id, after, last, i64::from(over)]).await? != 1 {
            return Ok(Some(0));
        }
        tx.commit().await?;
        Ok(Some(queued))
    }

    /// Claims messages that are due. Who claims one sends it, at most once: what was claimed and
    /// never accounted for is given up.
    pub async fn claim_subscriber_messages(
        &self,
        claim: &SubscriberClaim<'_>,
        now: Timestamp,
    ) -> Result<Vec<SubscriberMessage>, StoreError> {
        if self.db.row(&IS_DUE, values![claim.channel.as_str(), now]).await?.is_none() {
            return Ok(Vec::new());
        }
        retried!(self.claim_once(claim, now))
    }

    async fn claim_once(
        &self,
        claim: &SubscriberClaim<'_>,
        now: Timestamp,
    ) -> Result<Vec<SubscriberMessage>, StoreError> {
        let limit = usize::try_from(claim.limit).unwrap_or(usize::MAX);
        let mut tx = self.db.write(WriteClass::Then).await?;
        let mut claimed = Vec::new();
        let due = values![claim.channel.as_str(), now, claim.limit.saturating_mul(PASSED_OVER)];
        for due in tx.rows(&DUE, due).await? {
            if claimed.len() == limit {
                break;
            }
            let (to, notice) = (due.id(0)?, due.id(1)?);
            let Some(message) = or_skipped(message(&mut tx, &due).await)?.flatten() else {
                tx.run(&SENT, values![to, notice]).await?;
                continue;
            };
            if !(claim.takes)(&message.to.address, &claimed) {
                tx.run(&PUT_OFF, values![to, notice, claim.else_at]).await?;
            } else if tx.run(&CLAIM, values![to, notice, now]).await? == 1 {
                claimed.push(message);
            }
        }
        tx.commit().await?;
        Ok(claimed)
    }

    /// A message is sent, or will not be.
    pub async fn end_subscriber_message(&self, of: &SubscriberMessage) -> Result<(), StoreError> {
        self.db.run(&SENT, values![of.to.id, of.notice_id]).await.map(drop)
    }

    /// A message was not taken, and is tried again at that time.
    pub async fn retry_subscriber_message(
        &self,
        of: &SubscriberMessage,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.db.run(&AGAIN, values![of.to.id, of.notice_id, at]).await.map(drop)
    }

    /// Gives up messages that were claimed until then by nodes that never said what came of them,
    /// and forgets notices that were made before `old`. Returns how many messages.
    pub async fn give_up_subscriber_messages(
        &self,
        until: Timestamp,
        old: Timestamp,
    ) -> Result<u64, StoreError> {
        self.db.run(&DROP_OLD, values![old]).await?;
        self.db.run(&GIVE_UP, values![until]).await
    }
}

pub(crate) async fn drop_with_messages(tx: &mut Tx, id: SubscriberId) -> Result<bool, StoreError> {
    tx.run(&DROP_MESSAGES, values![id]).await?;
    Ok(tx.run(&DROP, values![id]).await? == 1)
}

/// What a row of the queue says. `None`: there is nobody, or nothing to tell, any more.
async fn message(tx: &mut Tx, due: &Row) -> Result<Option<SubscriberMessage>, StoreError> {
    let (to, id, tries) = (due.id(0)?, due.id(1)?, due.int(2)? + 1);
    let to = tx.row(&ONE, values![to]).await?.as_ref().map(subscriber).transpose()?;
    let found = tx.row(&NOTICE, values![id]).await?;
    let notice = found.map(|row| notice(id, row.text(0)?)).transpose()?;
    let told = notice.is_some() || id.is_nil();
    let notice_id = NoticeId::from_stored(id);
    Ok(to.filter(|_| told).map(|to| SubscriberMessage { to, notice_id, notice, tries }))
}

fn notice(id: Uuid, document: &str) -> Result<Notice, StoreError> {
    serde_json::from_str(document)
        .map_err(|error| StoreError::corrupt(("status_notices", "document"), id, error))
}

pub(crate) fn subscriber(row: &Row) -> Result<Subscriber, StoreError> {
    let id = row.id(0)?;
    let corrupt = |column| move |problem| StoreError::corrupt(("subscribers", column), id, problem);
    let channel =
        Channel::parse(row.text(1)?).ok_or_else(|| corrupt("channel")("no channel".to_owned()))?;
    let address = Address::parse(channel, row.text(2)?)
        .map_err(|error| corrupt("address")(error.to_string()))?;
    let components =
        components(row.text(3)?).map_err(|error| corrupt("components")(error.to_string()))?;
    Ok(Subscriber {
        id: SubscriberId::from_stored(id),
        address,
        components,
        asked_at: row.time(4)?,
        confirmed_at: row.opt_time(5)?,
    })
}

/// A word that this version does not know is a component of a newer one.
pub(crate) fn components(document: &str) -> serde_json::Result<Vec<Component>> {
    let words: Vec<String> = serde_json::from_str(document)?;
    Ok(words.iter().filter_map(|word| Component::parse(word)).collect())
}
