//! When providers were used last, and since when that is known.

use std::collections::BTreeSet;

use bugle_domain::contact::Channel;
use bugle_engine::cleanup::providers::{ProviderUse, Uses};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::db::WriteClass;
use crate::db::statement::Kind::Text;
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::error::StoreError;

/// Most providers that are known.
const LISTED: u32 = 1_000;

pub(crate) static NAME: Statement = Statement::with_rows(
    "INSERT INTO provider_use (channel, provider, since_us, used_us)
     SELECT r.channel, r.provider, $1, NULL FROM {rows}
     WHERE true
     ON CONFLICT DO NOTHING",
    1,
    &[("channel", Text), ("provider", Text)],
);

pub(crate) static FORGET: Statement = Statement::with_rows(
    "DELETE FROM provider_use
     WHERE (channel, provider) NOT IN (SELECT r.channel, r.provider FROM {rows})",
    0,
    &[("channel", Text), ("provider", Text)],
);

pub(crate) static USE: Statement = Statement::new(
    "INSERT INTO provider_use (channel, provider, since_us, used_us) VALUES ($1, $2, $3, $3)
     ON CONFLICT (channel, provider) DO UPDATE SET used_us = excluded.used_us
     WHERE COALESCE(provider_use.used_us, 0) < excluded.used_us",
);

pub(crate) static LIST: Statement = Statement::new(
    "SELECT p.channel, p.provider, p.since_us, p.used_us FROM provider_use p
     ORDER BY p.channel, p.provider LIMIT $1",
);

impl Store {
    /// Notes which providers the stages name, each from now on if it was not yet; what is known of
    /// others is forgotten, so that one that is named again counts as new.
    ///
    /// Takes no scope: providers are above tenants. So do all functions here.
    pub async fn name_providers(
        &self,
        named: &BTreeSet<(Channel, String)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if named.is_empty() {
            return Ok(());
        }
        let mut rows = Rows::new();
        for (channel, provider) in named {
            rows.push(row![channel.as_str(), &**provider]);
        }
        let mut tx = self.db.write(WriteClass::Then).await?;
        tx.run(&NAME, values![now, rows.clone()]).await?;
        tx.run(&FORGET, values![rows]).await?;
        tx.commit().await
    }

    /// Notes that a message was tried by a provider.
    pub async fn note_provider_use(
        &self,
        (channel, provider): (Channel, &str),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.db.run(&USE, values![channel.as_str(), provider, now]).await.map(drop)
    }

    /// When each provider was used last.
    pub async fn provider_uses(&self) -> Result<Uses, StoreError> {
        let mut uses = Uses::new();
        for row in self.db.rows(&LIST, values![LISTED]).await? {
            let word = row.string(0)?;
            let channel = Channel::parse(&word).ok_or_else(|| {
                StoreError::corrupt(("provider_use", "channel"), Uuid::nil(), word)
            })?;
            let of = ProviderUse { since: row.time(2)?, last: row.opt_time(3)? };
            uses.insert((channel, row.string(1)?), of);
        }
        Ok(uses)
    }
}
