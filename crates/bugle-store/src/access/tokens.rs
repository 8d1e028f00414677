//! Single-use tokens: for setting the installation up, and for signing in by link.

use bugle_domain::{AllTenants, TenantId, UserId};
use jiff::Timestamp;

use crate::Store;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::error::StoreError;

/// What a single-use token is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Purpose {
    /// Setting up the installation.
    Setup,
    /// Signing in as one user.
    SignIn,
}

impl Purpose {
    /// The word used in the database.
    fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::SignIn => "sign_in",
        }
    }
}

/// A token that was used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TakenToken {
    /// Whom it signs in, for [`Purpose::SignIn`].
    pub user: Option<(TenantId, UserId)>,
}

pub(crate) static CREATE: Statement = Statement::new(
    "INSERT INTO one_time_tokens (token_hash, purpose, tenant_id, user_id, expires_us)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING",
);

pub(crate) static TAKE: Statement = Statement::new(
    "DELETE FROM one_time_tokens
     WHERE token_hash = $1 AND purpose = $2 AND expires_us > $3
     RETURNING tenant_id, user_id",
);

pub(crate) static FIND: Statement = Statement::new(
    "SELECT t.expires_us FROM one_time_tokens t
     WHERE t.token_hash = $1 AND t.purpose = $2 AND t.expires_us > $3",
);

pub(crate) static END_PURPOSE: Statement =
    Statement::new("DELETE FROM one_time_tokens WHERE purpose = $1");

pub(crate) static END_OF_USER: Statement = Statement::new(
    "DELETE FROM one_time_tokens WHERE purpose = $1 AND tenant_id = $2 AND user_id = $3",
);

impl Store {
    /// Keeps a token by its SHA-256. Earlier ones of the same user, or for set-up, end.
    ///
    /// Takes no scope: set-up comes before there is a tenant.
    pub async fn create_token(
        &self,
        (token_hash, purpose): (&[u8; 32], Purpose),
        user: Option<(TenantId, UserId)>,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        match user {
            Some((tenant, user)) => {
                self.db.run(&END_OF_USER, values![purpose.as_str(), tenant, user]).await?;
            }
            None => drop(self.db.run(&END_PURPOSE, values![purpose.as_str()]).await?),
        }
        let (tenant, user) = user.unzip();
        let values = values![token_hash, purpose.as_str(), tenant, user, expires];
        self.db.run(&CREATE, values).await.map(drop)
    }

    /// Whether the token would be taken; leaves it as it is.
    ///
    /// Takes no scope: the token is the credential.
    pub async fn token_holds(
        &self,
        (token_hash, purpose): (&[u8; 32], Purpose),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let values = values![token_hash, purpose.as_str(), now];
        Ok(self.db.row(&FIND, values).await?.is_some())
    }

    /// Uses a token up. `None`: there is none, it was used before, or it has expired.
    ///
    /// Takes no scope: the token is the credential.
    pub async fn take_token(
        &self,
        (token_hash, purpose): (&[u8; 32], Purpose),
        now: Timestamp,
    ) -> Result<Option<TakenToken>, StoreError> {
        let mut tx = self.db.write(crate::db::WriteClass::Then).await?;
        let Some(row) = tx.row(&TAKE, values![token_hash, purpose.as_str(), now]).await? else {
            return Ok(None);
        };
        let user = row.opt_id(0)?.zip(row.opt_id(1)?);
        let user = user.map(|(t, u)| (TenantId::from_stored(t), UserId::from_stored(u)));
        tx.commit().await?;
        Ok(Some(TakenToken { user }))
    }

    /// Ends all tokens of a purpose.
    pub async fn end_tokens(&self, _: AllTenants, purpose: Purpose) -> Result<(), StoreError> {
        self.db.run(&END_PURPOSE, values![purpose.as_str()]).await.map(drop)
    }
}
