//! What operators see of subscribers, and the end of one, on record.

use bugle_domain::contact::Channel;
use bugle_domain::{AllTenants, SubscriberId, TenantId, TenantScope};
use bugle_engine::status::Component;
use bugle_engine::status::subscribers::Subscriber;
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::db::{WriteClass, retried};
use crate::directory::{AUDIT, NEXT_VERSION};
use crate::error::StoreError;
use crate::readable::readable;
use crate::reading::Audited;
use crate::subscribers::{components, drop_with_messages, subscriber};

pub(crate) static COUNT: Statement = Statement::new(
    "SELECT s.channel, s.components, COUNT(s.confirmed_us), COUNT(*) FROM subscribers s
     GROUP BY s.channel, s.components ORDER BY s.channel, s.components",
);

pub(crate) static NEWEST: Statement = Statement::new(
    "SELECT s.id, s.channel, s.address, s.components, s.asked_us, s.confirmed_us
     FROM subscribers s WHERE s.id < $1 ORDER BY s.id DESC LIMIT $2",
);

/// How many subscribers there are by one way who want to be told of the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubscriberCount {
    /// The way.
    pub channel: Channel,
    /// Of which components; empty: of all.
    pub components: Vec<Component>,
    /// Those who are told.
    pub confirmed: i64,
    /// Those who only asked.
    pub asked: i64,
}

impl Store {
    /// How many there are, by way and by what they want to be told of.
    pub async fn count_subscribers(
        &self,
        _: AllTenants,
    ) -> Result<Vec<SubscriberCount>, StoreError> {
        let mut counts = Vec::new();
        for row in self.db.rows(&COUNT, values![]).await? {
            let Some(channel) = Channel::parse(row.text(0)?) else { continue };
            let Ok(components) = components(row.text(1)?) else { continue };
            let (confirmed, all) = (row.int(2)?, row.int(3)?);
            let asked = all - confirmed;
            counts.push(SubscriberCount { channel, components, confirmed, asked });
        }
        Ok(counts)
    }

    /// Those who asked first before `before` did, the last of them first.
    pub async fn newest_subscribers(
        &self,
        _: AllTenants,
        before: Option<SubscriberId>,
        limit: u32,
    ) -> Result<Vec<Subscriber>, StoreError> {
        let before = before.map_or(Uuid::max(), SubscriberId::as_uuid);
        let rows = self.db.rows(&NEWEST, values![before, limit]).await?;
        readable(&rows, subscriber)
    }

    /// Forgets a subscriber as [`Self::drop_subscriber`] does, and writes that to the audit log of
    /// the tenant of whoever did it, with the address as it may be shown. `false`: there is none
    /// any more.
    pub async fn remove_subscriber(
        &self,
        scope: TenantScope,
        (id, shown): (SubscriberId, &str),
        now: Timestamp,
        actor: &str,
    ) -> Result<bool, StoreError> {
        retried!(self.remove_once(scope.tenant(), (id, shown), now, actor))
    }

    async fn remove_once(
        &self,
        tenant: TenantId,
        (id, shown): (SubscriberId, &str),
        now: Timestamp,
        actor: &str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        // Whoever writes to the log of a tenant holds its row.
        tx.row(&NEXT_VERSION, values![tenant]).await?.ok_or(StoreError::NoTenant)?;
        let dropped = drop_with_messages(&mut tx, id).await?;
        if dropped {
            let mut log = Rows::new();
            let about = Audited::Subscriber.as_str();
            log.push(row![1_i64, "delete", about, id, Some(shown), None::<&str>]);
            tx.run(&AUDIT, values![tenant, now, actor, log]).await?;
        }
        tx.commit().await?;
        Ok(dropped)
    }
}
