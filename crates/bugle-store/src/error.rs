//! What can go wrong in the store, sorted by what the caller can do about it.

use bugle_domain::object::ObjectKind;
use rusqlite::ErrorCode;
use sqlx::migrate::MigrateError;
use uuid::Uuid;

/// A store operation failed. Nothing of it was done, unless a variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database cannot be reached or does not answer in time. A commit that was under way may
    /// have happened: repeat it under the same ids.
    #[error("the database is unavailable")]
    Unavailable(#[source] Cause),
    /// Several tries in a row lost against other transactions.
    #[error("the database is too busy")]
    Busy(#[source] Cause),
    /// A row says what it cannot say.
    #[error("table {table}, column {column}, id {id} is corrupt: {problem}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id.
        id: Uuid,
        /// What is wrong with it.
        problem: String,
    },
    /// The object was changed since the version that the caller saw.
    #[error("{} {id} is at version {current}, not {expected}", kind.as_str())]
    Stale {
        /// Its kind.
        kind: ObjectKind,
        /// Its id.
        id: Uuid,
        /// The version that the caller saw; 0: none.
        expected: i64,
        /// The version there is; 0: none.
        current: i64,
    },
    /// The configuration was changed since the plan was made.
    #[error("the configuration is at version {current}, and the plan was made for {expected}")]
    Replanned {
        /// The version that the plan was made for.
        expected: i64,
        /// The version there is.
        current: i64,
    },
    /// Another object of that kind has the name, or another user the mail address.
    #[error("there is already a {} named {name}", kind.as_str())]
    NameTaken {
        /// The kind.
        kind: ObjectKind,
        /// The name.
        name: String,
    },
    /// Another integration has that key.
    #[error("the key is in use by another integration")]
    KeyTaken,
    /// The tenant does not exist.
    #[error("the tenant does not exist")]
    NoTenant,
    /// The database cannot be used as it is: wrong version, or a schema newer than this program.
    #[error("the database cannot be used: {0}")]
    Unusable(String),
    /// The schema could not be brought up to date.
    #[error("the database's schema could not be brought up to date")]
    Migrate(#[source] MigrateError),
    /// Anything else the database said.
    #[error("the database refused a statement")]
    Database(#[source] Cause),
}

/// What a database, or the way to it, said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// PostgreSQL or its driver.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
    /// SQLite.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A value cannot be written down.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A column does not hold what the schema says it does.
    #[error("column {0} does not hold what it should")]
    Column(usize),
    /// No connection came free in time.
    #[error("no connection came free in time")]
    NoneFree,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// What the caller can do about an error.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ErrorKind {
    /// The request contradicts what is there.
    Conflict,
    /// Try again later, under the same ids.
    Unavailable,
    /// Tell the operator.
    Internal,
}

impl StoreError {
    /// Sorts the error for the layer above.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unavailable(_) | Self::Busy(_) => ErrorKind::Unavailable,
            Self::Stale { .. }
            | Self::Replanned { .. }
            | Self::NameTaken { .. }
            | Self::KeyTaken => ErrorKind::Conflict,
            Self::Corrupt { .. }
            | Self::NoTenant
            | Self::Unusable(_)
            | Self::Migrate(_)
            | Self::Database(_) => ErrorKind::Internal,
        }
    }

    /// Stable token for clients and for `docs/errors.md`. Never renamed.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) | Self::Busy(_) => "storage_unavailable",
            Self::Stale { .. } => "version_conflict",
            Self::Replanned { .. } => "plan_outdated",
            Self::NameTaken { .. } => "name_taken",
            Self::KeyTaken => "key_taken",
            Self::Corrupt { .. } => "storage_corrupt",
            Self::NoTenant => "tenant_not_found",
            Self::Unusable(_) | Self::Migrate(_) | Self::Database(_) => "storage_failed",
        }
    }

    /// Whether the transaction lost against another one and may be run again at once.
    pub(crate) fn lost_a_race(&self) -> bool {
        matches!(self, Self::Busy(_))
    }

    /// A row that does not read.
    pub(crate) fn corrupt(
        (table, column): (&'static str, &'static str),
        id: Uuid,
        problem: impl ToString,
    ) -> Self {
        Self::Corrupt { table, column, id, problem: problem.to_string() }
    }
}

impl From<Cause> for StoreError {
    fn from(cause: Cause) -> Self {
        match &cause {
            Cause::Postgres(error) => match postgres(error) {
                Said::Unavailable => Self::Unavailable(cause),
                Said::Busy => Self::Busy(cause),
                Said::Else => Self::Database(cause),
            },
            Cause::Sqlite(error) => match sqlite(error) {
                Said::Unavailable => Self::Unavailable(cause),
                Said::Busy => Self::Busy(cause),
                Said::Else => Self::Database(cause),
            },
            Cause::NoneFree | Cause::Closed => Self::Unavailable(cause),
            Cause::Json(_) | Cause::Column(_) => Self::Database(cause),
        }
    }
}

/// What an error of a database means for the caller.
enum Said {
    Unavailable,
    Busy,
    Else,
}

/// By the classes of SQLSTATE.
fn postgres(error: &sqlx::Error) -> Said {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Said::Unavailable,
        sqlx::Error::Database(database) => match database.code().unwrap_or_default().as_ref() {
            "40001" | "40P01" | "55P03" => Said::Busy,
            "57P01" | "57P02" | "57P03" | "57014" | "53300" | "25006" => Said::Unavailable,
            code if code.starts_with("08") => Said::Unavailable,
            _ => Said::Else,
        },
        _ => Said::Else,
    }
}

/// By the primary result codes.
fn sqlite(error: &rusqlite::Error) -> Said {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Said::Busy,
        Some(
            ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure
            | ErrorCode::DiskFull
            | ErrorCode::CannotOpen,
        ) => Said::Unavailable,
        _ => Said::Else,
    }
}

macro_rules! from_cause {
    ($($error:ty)*) => { $(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Cause::from(error).into()
            }
        }
    )* };
}

from_cause! { sqlx::Error rusqlite::Error serde_json::Error }

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) => Self::Unusable(format!(
                "its schema is newer than this program (it has {version}): run a newer Bugle"
            )),
            error => Self::Migrate(error),
        }
    }
}
