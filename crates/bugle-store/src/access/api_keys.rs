//! API keys, by SHA-256 only.

use bugle_domain::role::Role;
use bugle_domain::{ApiKeyId, TenantId, TenantScope, UserId};
use jiff::Timestamp;

use crate::Store;
use crate::db::row::Row;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::error::StoreError;

/// An API key as kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The user it acts for; `None`: the tenant's own.
    pub user: Option<UserId>,
    /// What it is called.
    pub name: String,
    /// What it may do at most.
    pub role: Role,
    /// Its first characters, to tell keys apart.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute or so.
    pub used_at: Option<Timestamp>,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
}

macro_rules! key_columns {
    () => {
        "k.id, k.tenant_id, k.user_id, k.name, k.role, k.hint, k.created_us, k.expires_us,
         k.used_us, k.revoked_us"
    };
}

pub(crate) static CREATE: Statement = Statement::new(
    "INSERT INTO api_keys (key_hash, tenant_id, id, user_id, name, role, hint, created_us,
         expires_us)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT DO NOTHING",
);

pub(crate) static FIND: Statement =
    Statement::new(concat!("SELECT ", key_columns!(), " FROM api_keys k WHERE k.key_hash = $1"));

pub(crate) static LIST: Statement = Statement::new(concat!(
    "SELECT ",
    key_columns!(),
    " FROM api_keys k WHERE k.tenant_id = $1 AND k.removed_us IS NULL
     ORDER BY k.id DESC LIMIT 1000"
));

pub(crate) static REVOKE: Statement = Statement::new(
    "UPDATE api_keys SET revoked_us = $3
     WHERE tenant_id = $1 AND id = $2 AND revoked_us IS NULL",
);

pub(crate) static TOUCH: Statement =
    Statement::new("UPDATE api_keys SET used_us = $3 WHERE tenant_id = $1 AND id = $2");

impl Store {
    /// Keeps a new API key under the SHA-256 of its text.
    pub async fn create_api_key(
        &self,
        scope: TenantScope,
        key_hash: &[u8; 32],
        key: &ApiKey,
    ) -> Result<(), StoreError> {
        let values = values![
            key_hash,
            scope.tenant(),
            key.id,
            key.user,
            &key.name,
            key.role.as_str(),
            &key.hint,
            key.created_at,
            key.expires_at,
        ];
        self.db.run(&CREATE, values).await.map(drop)
    }

    /// Finds a key by its SHA-256, also when it was revoked or has expired.
    ///
    /// Takes no scope: the key is the credential.
    pub async fn find_api_key(&self, key_hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        self.db.row(&FIND, values![key_hash]).await?.as_ref().map(key).transpose()
    }

    /// The tenant's keys, newest first, also revoked ones; at most 1,000.
    pub async fn api_keys(&self, scope: TenantScope) -> Result<Vec<ApiKey>, StoreError> {
        self.db.rows(&LIST, values![scope.tenant()]).await?.iter().map(key).collect()
    }

    /// Ends a key at once. `false`: there is none, or it had ended.
    pub async fn revoke_api_key(
        &self,
        scope: TenantScope,
        id: ApiKeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.db.run(&REVOKE, values![scope.tenant(), id, now]).await? > 0)
    }

    /// Notes that it was used.
    pub async fn touch_api_key(
        &self,
        scope: TenantScope,
        id: ApiKeyId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.db.run(&TOUCH, values![scope.tenant(), id, now]).await.map(drop)
    }
}

fn key(row: &Row) -> Result<ApiKey, StoreError> {
    let id = row.id(0)?;
    let role = Role::parse(row.text(4)?);
    Ok(ApiKey {
        id: ApiKeyId::from_stored(id),
        tenant: TenantId::from_stored(row.id(1)?),
        user: row.opt_id(2)?.map(UserId::from_stored),
        name: row.string(3)?,
        role: role.ok_or_else(|| StoreError::corrupt(("api_keys", "role"), id, "no such role"))?,
        hint: row.string(5)?,
        created_at: row.time(6)?,
        expires_at: row.opt_time(7)?,
        used_at: row.opt_time(8)?,
        revoked_at: row.opt_time(9)?,
    })
}
