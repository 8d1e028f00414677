//! Rooms of incidents: a tenant's own, and the installation's.
//!
//! A room is a document with a version, so that nobody writes over what another did meanwhile. Of
//! an incident that the watch declared there is none before somebody does something in it.

use bugle_domain::{AllTenants, IncidentId, TenantId, TenantScope};
use bugle_engine::incident::IncidentLine;
use bugle_engine::incident::room::Room;
use jiff::Timestamp;
use uuid::Uuid;

use super::add_lines;
use crate::Store;
use crate::alerts::json;
use crate::db::row::Row;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::db::{WriteClass, retried};
use crate::error::StoreError;
use crate::readable::readable;

/// The tenant of what is the installation's own.
const INSTALLATION: Uuid = Uuid::nil();

pub(crate) static OPEN: Statement = Statement::new(
    "INSERT INTO incident_rooms (tenant_id, id, open, version, due_us, document)
     SELECT $1, $2, 1, 1, $3, $4
     WHERE (SELECT COUNT(*) FROM incident_rooms o WHERE o.tenant_id = $1 AND o.open = 1) < $5
     ON CONFLICT DO NOTHING",
);

pub(crate) static BEGIN: Statement = Statement::new(
    "INSERT INTO incident_rooms (tenant_id, id, open, version, due_us, document, closed_us)
     VALUES ($1, $2, $3, 1, $4, $5, $6)
     ON CONFLICT DO NOTHING",
);

pub(crate) static SAVE: Statement = Statement::new(
    "UPDATE incident_rooms
     SET open = $4, version = version + 1, due_us = $5, document = $6,
         closed_us = COALESCE($7, closed_us)
     WHERE tenant_id = $1 AND id = $2 AND version = $3",
);

pub(crate) static ONE: Statement = Statement::new(
    "SELECT r.id, r.version, r.document FROM incident_rooms r
     WHERE r.tenant_id = $1 AND r.id = $2",
);

pub(crate) static LIST: Statement = Statement::new(
    "SELECT r.id, r.version, r.document FROM incident_rooms r
     WHERE r.tenant_id = $1 ORDER BY r.id DESC LIMIT $2",
);

pub(crate) static DUE: Statement = Statement::new(
    "SELECT r.id, r.version, r.document FROM incident_rooms r
     WHERE r.due_us <= $1 ORDER BY r.due_us LIMIT $2",
);

/// A room as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomRow {
    /// The room.
    pub room: Room,
    /// Rises with each act; 0: it is not kept yet.
    pub version: i64,
}

/// Under which tenant a room stands.
pub(super) fn key(tenant: Option<TenantId>) -> Uuid {
    tenant.map_or(INSTALLATION, TenantId::as_uuid)
}

impl Store {
    /// Opens the room of an incident that a person declares, unless that many of the same tenant,
    /// or of the installation, are open. Whose it is stands in it. Returns whether it was opened.
    pub async fn open_room(
        &self,
        room: &Room,
        lines: &[IncidentLine],
        most: u32,
    ) -> Result<bool, StoreError> {
        retried!(self.open_room_once(room, lines, most))
    }

    async fn open_room_once(
        &self,
        room: &Room,
        lines: &[IncidentLine],
        most: u32,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let values = values![key(room.tenant), room.id, room.nag_at(), json(room)?, most];
        if tx.run(&OPEN, values).await? == 0 {
            return Ok(false);
        }
        add_lines(&mut tx, room.id, lines).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Keeps what was done in a room, and what is new to its timeline. Whose it is stands in it.
    /// `false`: somebody else did something since that version, and nothing was kept.
    pub async fn save_room(
        &self,
        row: &RoomRow,
        lines: &[IncidentLine],
    ) -> Result<bool, StoreError> {
        retried!(self.save_room_once(row, lines))
    }

    async fn save_room_once(
        &self,
        RoomRow { room, version }: &RoomRow,
        lines: &[IncidentLine],
    ) -> Result<bool, StoreError> {
        let (tenant, due, document) = (key(room.tenant), room.nag_at(), json(room)?);
        let closed = room.closed.as_ref().map(|by| by.at);
        let mut tx = self.db.write(WriteClass::Then).await?;
        let saved = match *version {
            0 => {
                let values = values![tenant, room.id, room.open(), due, document, closed];
                tx.run(&BEGIN, values).await?
            }
            version => {
                let values = values![tenant, room.id, version, room.open(), due, document, closed];
                tx.run(&SAVE, values).await?
            }
        };
        if saved == 0 {
            return Ok(false);
        }
        add_lines(&mut tx, room.id, lines).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A tenant's room.
    pub async fn room(
        &self,
        scope: TenantScope,
        id: IncidentId,
    ) -> Result<Option<RoomRow>, StoreError> {
        self.room_of(key(Some(scope.tenant())), id).await
    }

    /// A room of the installation.
    pub async fn installation_room(
        &self,
        _: AllTenants,
        id: IncidentId,
    ) -> Result<Option<RoomRow>, StoreError> {
        self.room_of(INSTALLATION, id).await
    }

    async fn room_of(&self, tenant: Uuid, id: IncidentId) -> Result<Option<RoomRow>, StoreError> {
        self.db.row(&ONE, values![tenant, id]).await?.as_ref().map(room).transpose()
    }

    /// A tenant's newest rooms, newest first.
    pub async fn rooms(&self, scope: TenantScope, limit: u32) -> Result<Vec<RoomRow>, StoreError> {
        self.rooms_of(key(Some(scope.tenant())), limit).await
    }

    /// The installation's newest rooms, newest first.
    pub async fn installation_rooms(
        &self,
        _: AllTenants,
        limit: u32,
    ) -> Result<Vec<RoomRow>, StoreError> {
        self.rooms_of(INSTALLATION, limit).await
    }

    async fn rooms_of(&self, tenant: Uuid, limit: u32) -> Result<Vec<RoomRow>, StoreError> {
        readable(&self.db.rows(&LIST, values![tenant, limit]).await?, room)
    }

    /// Rooms, of all tenants, in which somebody is to be told by now that an update is due.
    pub async fn rooms_due(
        &self,
        _: AllTenants,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<RoomRow>, StoreError> {
        readable(&self.db.rows(&DUE, values![now, limit]).await?, room)
    }
}

fn room(row: &Row) -> Result<RoomRow, StoreError> {
    let id = row.id(0)?;
    let room = serde_json::from_str(row.text(2)?)
        .map_err(|error| StoreError::corrupt(("incident_rooms", "document"), id, error))?;
    Ok(RoomRow { room, version: row.int(1)? })
}
