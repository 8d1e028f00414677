//! Sessions of people who signed in.

use bugle_domain::{SessionId, TenantId, TenantScope, UserId};
use jiff::Timestamp;

use crate::Store;
use crate::db::row::Row;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::error::StoreError;

/// A session as kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Its id, by which its owner can end it.
    pub id: SessionId,
    /// Whose user it is.
    pub tenant: TenantId,
    /// Who it is.
    pub user: UserId,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When they were last seen, to the minute or so.
    pub seen_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// What their browser calls itself.
    pub agent: String,
}

macro_rules! session_columns {
    () => {
        "s.id, s.tenant_id, s.user_id, s.created_us, s.seen_us, s.expires_us, s.agent"
    };
}

pub(crate) static CREATE: Statement = Statement::new(
    "INSERT INTO sessions (token_hash, id, tenant_id, user_id, created_us, seen_us, expires_us,
         agent)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT DO NOTHING",
);

pub(crate) static FIND: Statement = Statement::new(concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions s WHERE s.token_hash = $1"
));

pub(crate) static TOUCH: Statement =
    Statement::new("UPDATE sessions SET seen_us = $3 WHERE tenant_id = $1 AND id = $2");

pub(crate) static LIST: Statement = Statement::new(concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions s
     WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.expires_us > $3
     ORDER BY s.id DESC LIMIT 200"
));

pub(crate) static DELETE: Statement =
    Statement::new("DELETE FROM sessions WHERE tenant_id = $1 AND id = $2");

pub(crate) static DELETE_ALL: Statement = Statement::new(
    "DELETE FROM sessions
     WHERE tenant_id = $1 AND user_id = $2 AND ({pg:$3::uuid}{lite:$3} IS NULL OR id <> $3)",
);

pub(crate) static DELETE_EXPIRED: Statement =
    Statement::new("DELETE FROM sessions WHERE expires_us <= $1");

impl Store {
    /// Keeps a new session under the SHA-256 of its token. Sessions that have ended by themselves
    /// are dropped on the way.
    pub async fn create_session(
        &self,
        scope: TenantScope,
        token_hash: &[u8; 32],
        session: &Session,
    ) -> Result<(), StoreError> {
        self.db.run(&DELETE_EXPIRED, values![session.created_at]).await?;
        let values = values![
            token_hash,
            session.id,
            scope.tenant(),
            session.user,
            session.created_at,
            session.seen_at,
            session.expires_at,
            &session.agent,
        ];
        self.db.run(&CREATE, values).await.map(drop)
    }

    /// Finds the session of a token by its SHA-256, also when it has expired.
    ///
    /// Takes no scope: the token is the credential.
    pub async fn find_session(&self, token_hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
        self.db.row(&FIND, values![token_hash]).await?.as_ref().map(session).transpose()
    }

    /// Notes that its holder was seen.
    pub async fn touch_session(
        &self,
        scope: TenantScope,
        id: SessionId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.db.run(&TOUCH, values![scope.tenant(), id, now]).await.map(drop)
    }

    /// A user's sessions that have not ended, newest first; at most 200.
    pub async fn sessions(
        &self,
        scope: TenantScope,
        user: UserId,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        self.db.rows(&LIST, values![scope.tenant(), user, now]).await?.iter().map(session).collect()
    }

    /// Ends a session. `false`: there was none.
    pub async fn delete_session(
        &self,
        scope: TenantScope,
        id: SessionId,
    ) -> Result<bool, StoreError> {
        Ok(self.db.run(&DELETE, values![scope.tenant(), id]).await? > 0)
    }

    /// Ends all sessions of a user, but for one.
    pub async fn delete_sessions(
        &self,
        scope: TenantScope,
        user: UserId,
        except: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.db.run(&DELETE_ALL, values![scope.tenant(), user, except]).await.map(drop)
    }
}

fn session(row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        id: SessionId::from_stored(row.id(0)?),
        tenant: TenantId::from_stored(row.id(1)?),
        user: UserId::from_stored(row.id(2)?),
        created_at: row.time(3)?,
        seen_at: row.time(4)?,
        expires_at: row.time(5)?,
        agent: row.string(6)?,
    })
}
