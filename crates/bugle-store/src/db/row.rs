//! Rows as they come back, read by position.

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite};
use uuid::Uuid;

use crate::error::StoreError;

/// One row of either database.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// Reads a column without asking the database for its type: our own statements and schema fix
    /// it, and SQLite knows no type for an expression.
    fn get<'r, T>(&'r self, index: usize) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Decode<'r, Postgres>,
    {
        let value = match self {
            Self::Sqlite(row) => row.try_get_unchecked(index),
            Self::Postgres(row) => row.try_get_unchecked(index),
        };
        value.map_err(StoreError::from)
    }

    pub(crate) fn int(&self, index: usize) -> Result<i64, StoreError> {
        self.get(index)
    }

    pub(crate) fn opt_int(&self, index: usize) -> Result<Option<i64>, StoreError> {
        self.get(index)
    }

    pub(crate) fn flag(&self, index: usize) -> Result<bool, StoreError> {
        Ok(self.int(index)? != 0)
    }

    pub(crate) fn text(&self, index: usize) -> Result<&str, StoreError> {
        self.get(index)
    }

    pub(crate) fn opt_text(&self, index: usize) -> Result<Option<&str>, StoreError> {
        self.get(index)
    }

    pub(crate) fn string(&self, index: usize) -> Result<String, StoreError> {
        self.text(index).map(str::to_owned)
    }

    pub(crate) fn id(&self, index: usize) -> Result<Uuid, StoreError> {
        self.get(index)
    }

    pub(crate) fn opt_id(&self, index: usize) -> Result<Option<Uuid>, StoreError> {
        self.get(index)
    }

    pub(crate) fn bytes(&self, index: usize) -> Result<Vec<u8>, StoreError> {
        self.get(index)
    }

    pub(crate) fn time(&self, index: usize) -> Result<Timestamp, StoreError> {
        self.int(index).map(time)
    }

    pub(crate) fn opt_time(&self, index: usize) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int(index)?.map(time))
    }
}

/// The time that a column ending in `_us` holds. Every stored time was one before.
fn time(us: i64) -> Timestamp {
    Timestamp::from_microsecond(us).unwrap_or(if us < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
