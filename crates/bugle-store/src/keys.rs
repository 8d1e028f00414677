//! Integration keys: by SHA-256 only.

use bugle_domain::integration::Integration;
use bugle_domain::object::{Object, ObjectKind};
use bugle_domain::{AllTenants, IntegrationId, TenantId, TenantScope};
use jiff::Timestamp;

use crate::Store;
use crate::db::row::Row;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::db::{Tx, WriteClass, retried};
use crate::directory::object;
use crate::error::StoreError;

pub(crate) static BY_KEY: Statement = Statement::new(
    "SELECT o.tenant_id, o.id, o.data
     FROM integration_keys k
     JOIN objects o ON o.tenant_id = k.tenant_id AND o.kind = 'integration'
         AND o.id = k.integration_id
     WHERE k.key_hash = $1",
);

pub(crate) static BY_ID: Statement = Statement::new(
    "SELECT o.tenant_id, o.id, o.data FROM objects o WHERE o.kind = 'integration' AND o.id = $1",
);

pub(crate) static FORGET: Statement =
    Statement::new("DELETE FROM integration_keys WHERE tenant_id = $1 AND integration_id = $2");

pub(crate) static KEEP: Statement = Statement::new(
    "INSERT INTO integration_keys (key_hash, tenant_id, integration_id, created_us)
     VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING",
);

impl Store {
    /// Finds the integration whose key has this SHA-256.
    ///
    /// Takes no scope: the key is the credential.
    pub async fn find_integration(
        &self,
        key_hash: &[u8; 32],
    ) -> Result<Option<(TenantId, Integration)>, StoreError> {
        owned(self.db.row(&BY_KEY, values![key_hash]).await?)
    }

    /// The integration of this id, and whose it is.
    pub async fn integration_of(
        &self,
        _: AllTenants,
        id: IntegrationId,
    ) -> Result<Option<(TenantId, Integration)>, StoreError> {
        owned(self.db.row(&BY_ID, values![id]).await?)
    }

    /// Gives an integration its key; an earlier one ends.
    ///
    /// # Errors
    ///
    /// [`StoreError::KeyTaken`].
    pub async fn set_integration_key(
        &self,
        scope: TenantScope,
        integration: IntegrationId,
        key_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        retried!(self.set_key_once((scope.tenant(), integration), key_hash, now))
    }

    async fn set_key_once(
        &self,
        owner: (TenantId, IntegrationId),
        key_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        set_key(&mut tx, owner, key_hash, now).await?;
        tx.commit().await
    }
}

pub(crate) async fn set_key(
    tx: &mut Tx,
    (tenant, integration): (TenantId, IntegrationId),
    key_hash: &[u8; 32],
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&FORGET, values![tenant, integration]).await?;
    match tx.run(&KEEP, values![key_hash, tenant, integration, now]).await? {
        1 => Ok(()),
        _ => Err(StoreError::KeyTaken),
    }
}

/// An integration and its tenant, where there is one.
fn owned(row: Option<Row>) -> Result<Option<(TenantId, Integration)>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    let tenant = TenantId::from_stored(row.id(0)?);
    match object(ObjectKind::Integration, row.id(1)?, row.text(2)?)? {
        Object::Integration(integration) => Ok(Some((tenant, integration))),
        _ => Ok(None),
    }
}
