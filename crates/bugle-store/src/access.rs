//! How people and programs prove who they are: passwords, sessions, API keys, single-use tokens,
//! proofs of contact methods. Secrets are kept as hashes only.

pub(crate) mod api_keys;
pub(crate) mod sessions;
pub(crate) mod tokens;

use bugle_domain::{AllTenants, MethodId, TenantId, TenantScope, UserId};
use jiff::Timestamp;

use crate::Store;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::db::{WriteClass, retried};
use crate::error::StoreError;

/// What is needed to sign somebody in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    /// Whose user it is.
    pub tenant: TenantId,
    /// Who it is.
    pub user: UserId,
    /// The hash of the password, as argon2 writes it; `None`: none was set yet.
    pub password_hash: Option<String>,
    /// Stands above tenants.
    pub operator: bool,
}

pub(crate) static FIND_LOGIN: Statement = Statement::new(
    "SELECT o.tenant_id, o.id, c.password_hash,
         CASE WHEN p.user_id IS NULL THEN 0 ELSE 1 END{pg:::bigint}
     FROM objects o
     LEFT JOIN credentials c ON c.tenant_id = o.tenant_id AND c.user_id = o.id
     LEFT JOIN operators p ON p.tenant_id = o.tenant_id AND p.user_id = o.id
     WHERE o.kind = 'user' AND o.name = $1",
);

pub(crate) static TENANT_OF_USER: Statement =
    Statement::new("SELECT o.tenant_id FROM objects o WHERE o.kind = 'user' AND o.id = $1");

pub(crate) static PASSWORD: Statement = Statement::new(
    "SELECT c.password_hash FROM credentials c WHERE c.tenant_id = $1 AND c.user_id = $2",
);

pub(crate) static SET_PASSWORD: Statement = Statement::new(
    "INSERT INTO credentials (tenant_id, user_id, password_hash, changed_us)
     VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant_id, user_id) DO UPDATE SET
         password_hash = excluded.password_hash, changed_us = excluded.changed_us",
);

pub(crate) static CLEAR_PASSWORD: Statement =
    Statement::new("DELETE FROM credentials WHERE tenant_id = $1 AND user_id = $2");

pub(crate) static IS_OPERATOR: Statement =
    Statement::new("SELECT p.since_us FROM operators p WHERE p.tenant_id = $1 AND p.user_id = $2");

pub(crate) static MAKE_OPERATOR: Statement = Statement::new(
    "INSERT INTO operators (tenant_id, user_id, since_us)
     VALUES ($1, $2, $3)
     ON CONFLICT DO NOTHING",
);

pub(crate) static UNMAKE_OPERATOR: Statement =
    Statement::new("DELETE FROM operators WHERE tenant_id = $1 AND user_id = $2");

pub(crate) static OPERATORS: Statement = Statement::new(
    "SELECT p.tenant_id, p.user_id FROM operators p ORDER BY p.tenant_id, p.user_id LIMIT 1000",
);

pub(crate) static CREATE_PROOF: Statement = Statement::new(
    "INSERT INTO proofs (tenant_id, method_id, code_hash, expires_us, tries)
     VALUES ($1, $2, $3, $4, 0)
     ON CONFLICT (tenant_id, method_id) DO UPDATE SET
         code_hash = excluded.code_hash, expires_us = excluded.expires_us, tries = 0",
);

/// Counts a try while there are tries left; so that guesses made at once do not get more.
pub(crate) static TRY_PROOF: Statement = Statement::new(
    "UPDATE proofs SET tries = tries + 1
     WHERE tenant_id = $1 AND method_id = $2 AND expires_us > $3 AND tries < $4
     RETURNING code_hash",
);

pub(crate) static DROP_PROOF: Statement =
    Statement::new("DELETE FROM proofs WHERE tenant_id = $1 AND method_id = $2");

impl Store {
    /// Finds who signs in with this mail address, in lower case.
    ///
    /// Takes no scope: people sign in before their tenant is known.
    pub async fn find_login(&self, email: &str) -> Result<Option<Login>, StoreError> {
        let Some(row) = self.db.row(&FIND_LOGIN, values![email]).await? else { return Ok(None) };
        Ok(Some(Login {
            tenant: TenantId::from_stored(row.id(0)?),
            user: UserId::from_stored(row.id(1)?),
            password_hash: row.opt_text(2)?.map(str::to_owned),
            operator: row.flag(3)?,
        }))
    }

    /// Whose user somebody is.
    pub async fn tenant_of_user(
        &self,
        _: AllTenants,
        user: UserId,
    ) -> Result<Option<TenantId>, StoreError> {
        let row = self.db.row(&TENANT_OF_USER, values![user]).await?;
        row.map(|row| row.id(0).map(TenantId::from_stored)).transpose()
    }

    /// The hash of a user's password, if one was set.
    pub async fn password_hash(
        &self,
        scope: TenantScope,
        user: UserId,
    ) -> Result<Option<String>, StoreError> {
        let row = self.db.row(&PASSWORD, values![scope.tenant(), user]).await?;
        row.map(|row| row.string(0)).transpose()
    }

    /// Sets a user's password, by its hash.
    pub async fn set_password(
        &self,
        scope: TenantScope,
        user: UserId,
        hash: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.db.run(&SET_PASSWORD, values![scope.tenant(), user, hash, now]).await.map(drop)
    }

    /// Ends a user's password.
    pub async fn clear_password(&self, scope: TenantScope, user: UserId) -> Result<(), StoreError> {
        self.db.run(&CLEAR_PASSWORD, values![scope.tenant(), user]).await.map(drop)
    }

    /// Whether the user stands above tenants.
    pub async fn is_operator(&self, scope: TenantScope, user: UserId) -> Result<bool, StoreError> {
        Ok(self.db.row(&IS_OPERATOR, values![scope.tenant(), user]).await?.is_some())
    }

    /// Puts a user above tenants, or back.
    pub async fn set_operator(
        &self,
        scope: TenantScope,
        user: UserId,
        operator: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant = scope.tenant();
        if operator {
            self.db.run(&MAKE_OPERATOR, values![tenant, user, now]).await.map(drop)
        } else {
            self.db.run(&UNMAKE_OPERATOR, values![tenant, user]).await.map(drop)
        }
    }

    /// Everybody who stands above tenants; the first 1,000.
    pub async fn operators(
        &self,
        _: bugle_domain::AllTenants,
    ) -> Result<Vec<(TenantId, UserId)>, StoreError> {
        let rows = self.db.rows(&OPERATORS, values![]).await?;
        let operator = |row: &crate::db::row::Row| {
            Ok((TenantId::from_stored(row.id(0)?), UserId::from_stored(row.id(1)?)))
        };
        rows.iter().map(operator).collect()
    }

    /// Keeps the hash of the code that was sent to a contact method; an earlier one ends.
    pub async fn create_proof(
        &self,
        scope: TenantScope,
        method: MethodId,
        code_hash: &[u8; 32],
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        let values = values![scope.tenant(), method, code_hash, expires];
        self.db.run(&CREATE_PROOF, values).await.map(drop)
    }

    /// Uses up the code of a contact method, if it is this one. A wrong one counts, and after
    /// `max_tries` not even the right one is taken.
    pub async fn take_proof(
        &self,
        scope: TenantScope,
        (method, code_hash): (MethodId, &[u8; 32]),
        now: Timestamp,
        max_tries: u32,
    ) -> Result<bool, StoreError> {
        retried!(self.take_proof_once(scope.tenant(), (method, code_hash), now, max_tries))
    }

    async fn take_proof_once(
        &self,
        tenant: TenantId,
        (method, code_hash): (MethodId, &[u8; 32]),
        now: Timestamp,
        max_tries: u32,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let row = tx.row(&TRY_PROOF, values![tenant, method, now, max_tries]).await?;
        let right = row.map(|row| row.bytes(0)).transpose()?.is_some_and(|kept| kept == code_hash);
        if right {
            tx.run(&DROP_PROOF, values![tenant, method]).await?;
        }
        tx.commit().await?;
        Ok(right)
    }
}
