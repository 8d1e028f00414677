//! Placement: which node does a tenant's alerting, and the epoch that fences out the one before.

use std::collections::BTreeMap;

use bugle_domain::{NodeId, TenantId};
use jiff::Timestamp;

use crate::Store;
use crate::db::row::Row;
use crate::db::statement::Statement;
use crate::db::value::{Value, values};
use crate::db::{WriteClass, retried};
use crate::error::StoreError;

/// A node as others see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NodeBeat {
    /// Which.
    pub node: NodeId,
    /// A counter. A node is dead when another has itself watched it stand still.
    pub beat: i64,
    /// When its present run began, by its own clock.
    pub started_at: Timestamp,
    /// The time of its last beat, by its own clock. Whether it lives is never read from it.
    pub seen_at: Timestamp,
    /// Since when it knew, at its last beat, that senders could always reach some node.
    pub heard_since: Timestamp,
}

pub(crate) static START: Statement = Statement::new(
    "INSERT INTO nodes (node_id, beat, started_us, seen_us, heard_us)
     VALUES ($1, 1, $2, $2, $3)
     ON CONFLICT (node_id) DO UPDATE SET
         beat = nodes.beat + 1, started_us = excluded.started_us, seen_us = excluded.seen_us,
         heard_us = excluded.heard_us",
);

pub(crate) static RAISE: Statement =
    Statement::new("UPDATE placements SET epoch = epoch + 1 WHERE node_id = $1");

/// Without what other nodes' watches send through: that stays theirs.
pub(crate) static ADOPT: Statement = Statement::new(
    "INSERT INTO placements (tenant_id, node_id, epoch)
     SELECT t.tenant_id, $1, 1
     FROM tenants t
     WHERE NOT EXISTS (SELECT 1 FROM placements p WHERE p.tenant_id = t.tenant_id)
         AND (t.tenant_id < $2 OR t.tenant_id = $3)
     ON CONFLICT DO NOTHING",
);

pub(crate) static OWNED: Statement = Statement::new(
    "SELECT p.tenant_id, p.epoch FROM placements p WHERE p.node_id = $1 ORDER BY p.tenant_id",
);

pub(crate) static BEAT: Statement = Statement::new(
    "UPDATE nodes SET beat = beat + 1, seen_us = $2, heard_us = $3 WHERE node_id = $1",
);

pub(crate) static NODES: Statement = Statement::new(
    "SELECT node_id, beat, started_us, seen_us, heard_us FROM nodes ORDER BY node_id",
);

pub(crate) static TAKE_OVER: Statement = Statement::new(
    "UPDATE placements SET node_id = $1, epoch = epoch + 1
     WHERE node_id = $2 AND tenant_id < $4
         AND EXISTS (SELECT 1 FROM nodes n WHERE n.node_id = $2 AND n.beat = $3{pg: FOR UPDATE})",
);

impl Store {
    /// Begins a run of `node`: takes its own tenants back at once, in a new epoch, and those that
    /// nobody owns. Returns all that it owns, each with its epoch.
    ///
    /// Takes no scope: placement is above tenants.
    pub async fn take_placements(
        &self,
        node: NodeId,
        now: Timestamp,
        heard_since: Timestamp,
    ) -> Result<BTreeMap<TenantId, i64>, StoreError> {
        retried!(self.take_once(node, now, heard_since))
    }

    async fn take_once(
        &self,
        node: NodeId,
        now: Timestamp,
        heard_since: Timestamp,
    ) -> Result<BTreeMap<TenantId, i64>, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        tx.run(&START, values![node, now, heard_since]).await?;
        tx.run(&RAISE, values![node]).await?;
        tx.run(&ADOPT, adoption(node)).await?;
        let owned = epochs(&tx.rows(&OWNED, values![node]).await?)?;
        tx.commit().await?;
        Ok(owned)
    }

    /// Takes the tenants that nobody owns, such as new ones. Returns all that the node owns.
    ///
    /// Takes no scope: placement is above tenants.
    pub async fn adopt_placements(
        &self,
        node: NodeId,
    ) -> Result<BTreeMap<TenantId, i64>, StoreError> {
        self.db.run(&ADOPT, adoption(node)).await?;
        self.placements(node).await
    }

    /// What the node owns, each with its epoch.
    ///
    /// Takes no scope: placement is above tenants.
    pub async fn placements(&self, node: NodeId) -> Result<BTreeMap<TenantId, i64>, StoreError> {
        epochs(&self.db.rows(&OWNED, values![node]).await?)
    }

    /// Moves the tenants of a dead node to this one, each in a new epoch, if its counter still
    /// stands where the caller watched it stand still. Returns how many were moved.
    ///
    /// Takes no scope: placement is above tenants.
    pub async fn take_over_placements(
        &self,
        node: NodeId,
        dead: NodeId,
        seen_beat: i64,
    ) -> Result<u64, StoreError> {
        retried!(
            self.db.run(&TAKE_OVER, values![node, dead, seen_beat, TenantId::reserved_from()],)
        )
    }

    /// Says that the node is alive, and since when senders could always reach some node. `false`:
    /// its row is gone, and it must begin its run again.
    ///
    /// Takes no scope: placement is above tenants.
    pub async fn beat(
        &self,
        node: NodeId,
        now: Timestamp,
        heard_since: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.db.run(&BEAT, values![node, now, heard_since]).await? == 1)
    }

    /// Every node there was.
    ///
    /// Takes no scope: placement is above tenants.
    pub async fn nodes(&self) -> Result<Vec<NodeBeat>, StoreError> {
        let node = |row: &Row| {
            Ok(NodeBeat {
                node: NodeId::from_stored(row.id(0)?),
                beat: row.int(1)?,
                started_at: row.time(2)?,
                seen_at: row.time(3)?,
                heard_since: row.time(4)?,
            })
        };
        self.db.rows(&NODES, values![]).await?.iter().map(node).collect()
    }
}

fn adoption(node: NodeId) -> Vec<Value> {
    values![node, TenantId::reserved_from(), TenantId::reserved_for(node)]
}

fn epochs(rows: &[Row]) -> Result<BTreeMap<TenantId, i64>, StoreError> {
    rows.iter().map(|row| Ok((TenantId::from_stored(row.id(0)?), row.int(1)?))).collect()
}
