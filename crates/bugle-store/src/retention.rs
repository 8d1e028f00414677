//! Retention: what was received is dropped after its time, in small steps.

use bugle_domain::{AllTenants, EventId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::error::StoreError;

/// The next integration that has requests, of whatever tenant.
pub(crate) static NEXT: Statement = Statement::new(
    "SELECT q.tenant_id, q.integration_id FROM requests q
     WHERE (q.tenant_id, q.integration_id) > ($1, $2)
     ORDER BY q.tenant_id, q.integration_id LIMIT 1",
);

pub(crate) static DROP_RAW: Statement = Statement::new(
    "DELETE FROM requests WHERE tenant_id = $1 AND integration_id = $2 AND id IN (
         SELECT q.id FROM requests q
         WHERE q.tenant_id = $1 AND q.integration_id = $2 AND q.id < $3
         ORDER BY q.id LIMIT $4)",
);

impl Store {
    /// Drops received bytes that are older than `before`, of at most `limit` requests at a time.
    /// Returns how many there were; fewer than `limit` means that was all. Events stay.
    pub async fn retain(
        &self,
        _: AllTenants,
        before: Timestamp,
        limit: u32,
    ) -> Result<u32, StoreError> {
        // Requests are named by their first event, and those ids rise with time.
        let before = EventId::new(before, [0; 10]);
        let mut dropped = 0;
        let mut at = (Uuid::nil(), Uuid::nil());
        while dropped < limit {
            let Some(row) = self.db.row(&NEXT, values![at.0, at.1]).await? else { break };
            at = (row.id(0)?, row.id(1)?);
            let step = values![at.0, at.1, before, limit - dropped];
            let gone = self.db.run(&DROP_RAW, step).await?;
            dropped += u32::try_from(gone).unwrap_or(u32::MAX).min(limit - dropped);
        }
        Ok(dropped)
    }
}
