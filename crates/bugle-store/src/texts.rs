//! Subscribers by text: the number is proven by a code, and what texts cost has a ceiling by day.
//!
//! Nothing here takes a scope: the status page is the installation's own.

use bugle_domain::SubscriberId;
use bugle_domain::contact::{Channel, PhoneNumber};
use bugle_engine::status::subscribers::Subscriber;
use jiff::Timestamp;

use crate::Store;
use crate::alerts::json;
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::db::{Tx, WriteClass, retried};
use crate::error::StoreError;
use crate::subscribers::{QUEUE, question, subscriber};

/// Under which all texts of a day are counted.
const ALL: &str = "";

/// Who asks again soon has a code under way already; who has proven the number stays as they are.
pub(crate) static ASK_BY_TEXT: Statement = Statement::new(
    "INSERT INTO subscribers (id, channel, address, components, asked_us, tries, link)
     VALUES ($1, $2, $3, $4, $5, 0, $6)
     ON CONFLICT (channel, address) DO UPDATE SET
         components = CASE WHEN subscribers.confirmed_us IS NULL THEN excluded.components
             ELSE subscribers.components END,
         asked_us = excluded.asked_us, tries = 0
     WHERE subscribers.asked_us <= $7
     RETURNING id",
);

pub(crate) static TRY: Statement = Statement::new(
    "UPDATE subscribers SET tries = tries + 1
     WHERE channel = $1 AND address = $2 AND asked_us > $3 AND tries < $4
     RETURNING id, channel, address, components, asked_us, confirmed_us",
);

pub(crate) static PROVE: Statement = Statement::new(
    "UPDATE subscribers SET tries = $2, confirmed_us = COALESCE(confirmed_us, $3) WHERE id = $1",
);

pub(crate) static BY_LINK: Statement =
    Statement::new("SELECT s.id FROM subscribers s WHERE s.link = $1");

pub(crate) static COUNT_TEXT: Statement = Statement::new(
    "INSERT INTO subscriber_texts (day, prefix, texts) VALUES ($1, $2, 1)
     ON CONFLICT (day, prefix) DO UPDATE SET texts = subscriber_texts.texts + 1
     WHERE subscriber_texts.texts < $3",
);

pub(crate) static UNCOUNT_TEXT: Statement = Statement::new(
    "UPDATE subscriber_texts SET texts = texts - 1
     WHERE day = $1 AND prefix = $2 AND texts > 0",
);

pub(crate) static FORGET_TEXTS: Statement =
    Statement::new("DELETE FROM subscriber_texts WHERE day < $1");

/// How many texts may go out on a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextCeiling<'a> {
    /// Which day: days since 1970, UTC.
    pub day: i64,
    /// To all numbers.
    pub in_all: u32,
    /// Codes to numbers that begin so.
    pub codes: (&'a str, u32),
}

/// What became of asking for a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeAsked {
    /// It will be sent.
    Queued,
    /// One was asked for a moment ago, and holds.
    UnderWay,
    /// No more texts go out that day.
    UsedUp,
}

impl Store {
    /// Notes that somebody asks to be told by text, and queues the code, unless one was asked for
    /// after `lately` or too many texts go out. `link` is the hash of the short address.
    pub async fn ask_by_text(
        &self,
        (asks, link): (&Subscriber, &[u8; 32]),
        lately: Timestamp,
        ceiling: TextCeiling<'_>,
    ) -> Result<CodeAsked, StoreError> {
        retried!(self.ask_by_text_once((asks, link), lately, ceiling))
    }

    async fn ask_by_text_once(
        &self,
        (asks, link): (&Subscriber, &[u8; 32]),
        lately: Timestamp,
        ceiling: TextCeiling<'_>,
    ) -> Result<CodeAsked, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let (channel, address) = (asks.address.channel().as_str(), asks.address.as_str());
        let components = json(&asks.components)?;
        let values = values![asks.id, channel, address, components, asks.asked_at, link, lately];
        let Some(kept) = tx.row(&ASK_BY_TEXT, values).await? else {
            return Ok(CodeAsked::UnderWay);
        };
        let (prefix, codes) = ceiling.codes;
        let below = count(&mut tx, (ceiling.day, prefix), codes).await?
            && count(&mut tx, (ceiling.day, ALL), ceiling.in_all).await?;
        if !below {
            return Ok(CodeAsked::UsedUp);
        }
        let mut to = Rows::new();
        to.push(row![kept.id(0)?, channel]);
        tx.run(&QUEUE, values![question(), asks.asked_at, to]).await?;
        tx.commit().await?;
        Ok(CodeAsked::Queued)
    }

    /// Takes one of the tries to type a code that was asked for after `since`. `None`: there is no
    /// such code, or it was tried too often.
    pub async fn try_code(
        &self,
        number: &PhoneNumber,
        since: Timestamp,
        tries: u32,
    ) -> Result<Option<Subscriber>, StoreError> {
        retried!(self.try_code_once(number, since, tries))
    }

    async fn try_code_once(
        &self,
        number: &PhoneNumber,
        since: Timestamp,
        tries: u32,
    ) -> Result<Option<Subscriber>, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let values = values![Channel::Sms.as_str(), number.as_str(), since, tries];
        let found = tx.row(&TRY, values).await?;
        tx.commit().await?;
        found.as_ref().map(subscriber).transpose()
    }

    /// The code was right: the subscriber is told from now on, and the code holds no longer.
    /// `false`: there is no such subscriber any more.
    pub async fn prove_subscriber(
        &self,
        id: SubscriberId,
        tries: u32,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.db.run(&PROVE, values![id, tries, now]).await? == 1)
    }

    /// Whose texts hold the short address with this hash.
    pub async fn subscriber_by_link(
        &self,
        link: &[u8; 32],
    ) -> Result<Option<SubscriberId>, StoreError> {
        let found = self.db.row(&BY_LINK, values![link]).await?;
        Ok(found.map(|row| row.id(0)).transpose()?.map(SubscriberId::from_stored))
    }

    /// Counts a text to somebody who has proven the number. `false`: no more go out that day.
    pub async fn count_text(&self, ceiling: TextCeiling<'_>) -> Result<bool, StoreError> {
        let values = values![ceiling.day, ALL, ceiling.in_all];
        Ok(self.db.run(&COUNT_TEXT, values).await? == 1)
    }

    /// Gives back one that was counted and that no provider was asked to send.
    pub async fn uncount_text(&self, day: i64) -> Result<(), StoreError> {
        self.db.run(&UNCOUNT_TEXT, values![day, ALL]).await.map(drop)
    }

    /// Forgets how many texts there were before a day.
    pub async fn forget_text_counts(&self, day: i64) -> Result<(), StoreError> {
        self.db.run(&FORGET_TEXTS, values![day]).await.map(drop)
    }
}

async fn count(tx: &mut Tx, (day, prefix): (i64, &str), ceiling: u32) -> Result<bool, StoreError> {
    Ok(tx.run(&COUNT_TEXT, values![day, prefix, ceiling]).await? == 1)
}
