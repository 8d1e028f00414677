//! Retention: what was received is dropped after its time, in small steps.

use bugle_domain::AllTenants;
use jiff::Timestamp;

use crate::Store;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::error::StoreError;

pub(crate) static DROP_RAW: Statement = Statement::new(
    "DELETE FROM requests WHERE (tenant_id, id) IN (
         SELECT q.tenant_id, q.id FROM requests q
         WHERE q.received_us < $1
         ORDER BY q.received_us LIMIT $2)",
);

impl Store {
    /// Drops received bytes that are older than `before`, at most `limit` requests' at a time.
    /// Returns how many there were; fewer than `limit` means that was all. Events stay.
    pub async fn retain(
        &self,
        _: AllTenants,
        before: Timestamp,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let dropped = self.db.run(&DROP_RAW, values![before, limit]).await?;
        Ok(u32::try_from(dropped).unwrap_or(u32::MAX))
    }
}
