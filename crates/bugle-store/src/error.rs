//! What can go wrong in the store, sorted by what the caller can do about it.

use bugle_domain::object::ObjectKind;
use uuid::Uuid;

/// A store operation failed. Nothing of it was done, unless a variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database cannot be reached or does not answer in time. A commit that was under way may
    /// have happened: repeat it under the same ids.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// Several tries in a row lost against other transactions.
    #[error("the database is too busy")]
    Busy(#[source] sqlx::Error),
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
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// Anything else the database said.
    #[error("the database refused a statement")]
    Database(#[source] sqlx::Error),
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

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default().into_owned();
                // PostgreSQL: classes of SQLSTATE. SQLite: result codes as numbers, the primary
                // one in the low byte.
                match code.as_str() {
                    "40001" | "40P01" | "55P03" => Self::Busy(error),
                    "57P01" | "57P02" | "57P03" | "57014" | "53300" | "25006" => {
                        Self::Unavailable(error)
                    }
                    code if code.len() == 5 && code.starts_with("08") => Self::Unavailable(error),
                    code if code.len() == 5 => Self::Database(error),
                    code => match code.parse::<u32>().map(|code| code & 0xff) {
                        Ok(5 | 6) => Self::Busy(error),
                        // Read-only, I/O error, full, cannot open.
                        Ok(8 | 10 | 13 | 14) => Self::Unavailable(error),
                        _ => Self::Database(error),
                    },
                }
            }
            _ => Self::Database(error),
        }
    }
}
