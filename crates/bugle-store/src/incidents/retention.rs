//! Lets go incidents that ended long ago, with their timelines.
//!
//! The lines go first, so that a step touches no more rows than it may.

use bugle_domain::{AllTenants, TenantId, TenantScope};
use jiff::Timestamp;
use uuid::Uuid;

use super::rooms::key;
use crate::Store;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::error::StoreError;

pub(crate) static DROP_LINES: Statement = Statement::new(
    "DELETE FROM incident_lines WHERE (incident_id, seq) IN (
         SELECT l.incident_id, l.seq FROM incident_rooms r
         JOIN incident_lines l ON l.incident_id = r.id
         WHERE r.tenant_id = $1 AND r.closed_us < $2
         ORDER BY r.closed_us, r.id, l.seq LIMIT $3)",
);

pub(crate) static DROP_ROOMS: Statement = Statement::new(
    "DELETE FROM incident_rooms WHERE tenant_id = $1 AND id IN (
         SELECT r.id FROM incident_rooms r
         WHERE r.tenant_id = $1 AND r.closed_us < $2
             AND NOT EXISTS (SELECT 1 FROM incident_lines l WHERE l.incident_id = r.id)
         ORDER BY r.closed_us, r.id LIMIT $3)",
);

/// Of those that the watch declared. Few are declared in a year.
pub(crate) static DROP_WATCHED_LINES: Statement = Statement::new(
    "DELETE FROM incident_lines WHERE (incident_id, seq) IN (
         SELECT l.incident_id, l.seq FROM incidents i
         JOIN incident_lines l ON l.incident_id = i.id
         WHERE i.open = 0 AND i.declared_us < $1
         ORDER BY i.declared_us, i.id, l.seq LIMIT $2)",
);

pub(crate) static DROP_WATCHED: Statement = Statement::new(
    "DELETE FROM incidents WHERE id IN (
         SELECT i.id FROM incidents i
         WHERE i.open = 0 AND i.declared_us < $1
             AND NOT EXISTS (SELECT 1 FROM incident_lines l WHERE l.incident_id = i.id)
             AND NOT EXISTS (SELECT 1 FROM incident_rooms r WHERE r.id = i.id)
         ORDER BY i.declared_us, i.id LIMIT $2)",
);

impl Store {
    /// Drops what is left of a tenant's incidents that were closed before `before`: at most `limit`
    /// lines, and as many rooms that have none. Returns how many rows there were, at most `limit`
    /// where there may be more.
    pub async fn retain_rooms(
        &self,
        scope: TenantScope,
        before: Timestamp,
        limit: u32,
    ) -> Result<u32, StoreError> {
        self.retain_rooms_of(key(Some(scope.tenant())), before, limit).await
    }

    /// The same of the installation's, those among them that the watch declared before then.
    pub async fn retain_incidents(
        &self,
        _: AllTenants,
        before: Timestamp,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let rooms = self.retain_rooms_of(key(None::<TenantId>), before, limit).await?;
        let lines = self.db.run(&DROP_WATCHED_LINES, values![before, limit]).await?;
        let watched = self.db.run(&DROP_WATCHED, values![before, limit]).await?;
        Ok(rooms.max(most(lines, watched)))
    }

    async fn retain_rooms_of(
        &self,
        tenant: Uuid,
        before: Timestamp,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let lines = self.db.run(&DROP_LINES, values![tenant, before, limit]).await?;
        let rooms = self.db.run(&DROP_ROOMS, values![tenant, before, limit]).await?;
        Ok(most(lines, rooms))
    }
}

/// The larger of two counts: where either is as large as may be, there may be more.
fn most(one: u64, other: u64) -> u32 {
    u32::try_from(one.max(other)).unwrap_or(u32::MAX)
}
