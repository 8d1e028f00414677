//! What a clean-up looks at: what has ended or is silent, and when things were used last.

use bugle_domain::{EventId, IntegrationId, NodeId, TenantScope, UserId};
use bugle_engine::cleanup::{EndedKey, SilentNode, Traffic};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::db::row::Row;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::error::StoreError;

/// Open alerts are counted up to here.
const COUNTED: u32 = 1_000;

pub(crate) static ENDED_KEYS: Statement = Statement::new(
    "SELECT k.id, k.name, COALESCE(k.revoked_us, k.expires_us), k.used_us FROM api_keys k
     WHERE k.tenant_id = $1 AND k.id > $2 AND k.removed_us IS NULL
         AND COALESCE(k.revoked_us, k.expires_us) < $3
     ORDER BY k.id LIMIT $4",
);

pub(crate) static NODES: Statement = Statement::new(
    "SELECT node_id, seen_us,
         (SELECT COUNT(*) FROM placements p WHERE p.node_id = nodes.node_id)
     FROM nodes WHERE node_id > $1 ORDER BY node_id LIMIT $2",
);

pub(crate) static SEEN_USERS: Statement = Statement::new(
    "SELECT s.user_id, MAX(s.seen_us) FROM sessions s WHERE s.tenant_id = $1
     GROUP BY s.user_id ORDER BY s.user_id",
);

pub(crate) static SEEN_KEYS: Statement = Statement::new(
    "SELECT k.user_id, MAX(k.used_us) FROM api_keys k
     WHERE k.tenant_id = $1 AND k.user_id IS NOT NULL AND k.used_us IS NOT NULL
     GROUP BY k.user_id ORDER BY k.user_id",
);

pub(crate) static LAST_REQUEST: Statement = Statement::new(
    "SELECT q.id FROM requests q WHERE q.tenant_id = $1 AND q.integration_id = $2
     ORDER BY q.id DESC LIMIT 1",
);

pub(crate) static LAST_REJECTED: Statement = Statement::new(
    "SELECT j.at_us FROM rejected_requests j WHERE j.tenant_id = $1 AND j.integration_id = $2
     ORDER BY j.at_us DESC LIMIT 1",
);

pub(crate) static USED: Statement = Statement::new(
    "SELECT u.used_us FROM integration_use u WHERE u.tenant_id = $1 AND u.integration_id = $2",
);

pub(crate) static FORGET_USE: Statement =
    Statement::new("DELETE FROM integration_use WHERE tenant_id = $1 AND integration_id = $2");

pub(crate) static OPEN_ALERTS: Statement = Statement::new(
    "SELECT COUNT(*) FROM (
         SELECT 1 FROM alerts a{lite: INDEXED BY alerts_open}
         WHERE a.tenant_id = $1 AND a.integration_id = $2 AND a.status <> 'resolved'
         LIMIT $3) AS counted",
);

impl Store {
    /// API keys of a tenant that ended before `now`, with an id above `after`.
    pub async fn ended_keys(
        &self,
        scope: TenantScope,
        (after, limit): (Uuid, u32),
        now: Timestamp,
    ) -> Result<Vec<EndedKey>, StoreError> {
        let key = |row: &Row| {
            Ok(EndedKey {
                id: row.id(0)?,
                name: row.string(1)?,
                ended_at: row.time(2)?,
                used_at: row.opt_time(3)?,
            })
        };
        let rows = self.db.rows(&ENDED_KEYS, values![scope.tenant(), after, now, limit]).await?;
        rows.iter().map(key).collect()
    }

    /// Nodes with an id above `after`, with what they own.
    pub async fn nodes_after(
        &self,
        after: Uuid,
        limit: u32,
    ) -> Result<Vec<SilentNode>, StoreError> {
        let node = |row: &Row| {
            let id = row.id(0)?;
            Ok(SilentNode {
                id,
                name: NodeId::from_stored(id).to_string(),
                seen_at: row.time(1)?,
                owns: usize::try_from(row.int(2)?).unwrap_or_default(),
            })
        };
        self.db.rows(&NODES, values![after, limit]).await?.iter().map(node).collect()
    }

    /// When each user of a tenant, or a key of theirs, was seen last.
    pub async fn users_seen(
        &self,
        scope: TenantScope,
    ) -> Result<Vec<(UserId, Timestamp)>, StoreError> {
        let mut seen = Vec::new();
        for statement in [&SEEN_USERS, &SEEN_KEYS] {
            for row in self.db.rows(statement, values![scope.tenant()]).await? {
                seen.push((UserId::from_stored(row.id(0)?), row.time(1)?));
            }
        }
        Ok(seen)
    }

    /// How an integration is used: when a request came last, taken or refused, also where retention
    /// has dropped its bytes, and how many of its alerts are open.
    pub async fn integration_traffic(
        &self,
        scope: TenantScope,
        integration: IntegrationId,
    ) -> Result<Traffic, StoreError> {
        let of = || values![scope.tenant(), integration];
        let taken = self.db.row(&LAST_REQUEST, of()).await?;
        let taken = taken.map(|row| row.id(0)).transpose()?.and_then(made_at);
        let rejected = self.db.row(&LAST_REJECTED, of()).await?;
        let rejected = rejected.map(|row| row.time(0)).transpose()?;
        let noted = self.db.row(&USED, of()).await?;
        let noted = noted.map(|row| row.time(0)).transpose()?;
        let open = self.db.row(&OPEN_ALERTS, values![scope.tenant(), integration, COUNTED]).await?;
        let open = open.map_or(Ok(0), |row| row.int(0))?;
        Ok(Traffic {
            last: taken.max(rejected).max(noted),
            open_alerts: u32::try_from(open).unwrap_or(u32::MAX),
        })
    }
}

/// When an id was made, which it begins with.
pub(crate) fn made_at(id: Uuid) -> Option<Timestamp> {
    EventId::from_stored(id).made_at()
}
