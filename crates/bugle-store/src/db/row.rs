//! Rows as they come back, read by position.

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row as _};
use uuid::Uuid;

use crate::error::{Cause, StoreError};

/// One row of either database.
pub(crate) enum Row {
    Sqlite(Box<[Cell]>),
    Postgres(PgRow),
}

/// One value of SQLite's.
#[derive(Debug)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(Box<str>),
    /// Sixteen bytes: nearly always an id.
    Id([u8; 16]),
    Bytes(Box<[u8]>),
}

impl Row {
    /// Reads a column: our own statements and schema fix what it holds. The databases differ in how
    /// they say it, and in nothing else.
    fn get<'r, T: Decode<'r, Postgres>>(
        &'r self,
        index: usize,
        read: impl FnOnce(&'r Cell) -> Option<T>,
    ) -> Result<T, StoreError> {
        match self {
            Self::Sqlite(cells) => {
                cells.get(index).and_then(read).ok_or_else(|| Cause::Column(index).into())
            }
            Self::Postgres(row) => Ok(row.try_get_unchecked(index)?),
        }
    }

    pub(crate) fn int(&self, index: usize) -> Result<i64, StoreError> {
        self.get(index, Cell::int)
    }

    pub(crate) fn opt_int(&self, index: usize) -> Result<Option<i64>, StoreError> {
        self.get(index, |cell| cell.or_null(Cell::int))
    }

    pub(crate) fn flag(&self, index: usize) -> Result<bool, StoreError> {
        Ok(self.int(index)? != 0)
    }

    pub(crate) fn text(&self, index: usize) -> Result<&str, StoreError> {
        self.get(index, Cell::text)
    }

    pub(crate) fn opt_text(&self, index: usize) -> Result<Option<&str>, StoreError> {
        self.get(index, |cell| cell.or_null(Cell::text))
    }

    pub(crate) fn string(&self, index: usize) -> Result<String, StoreError> {
        self.text(index).map(str::to_owned)
    }

    pub(crate) fn id(&self, index: usize) -> Result<Uuid, StoreError> {
        self.get(index, Cell::id)
    }

    pub(crate) fn opt_id(&self, index: usize) -> Result<Option<Uuid>, StoreError> {
        self.get(index, |cell| cell.or_null(Cell::id))
    }

    pub(crate) fn bytes(&self, index: usize) -> Result<Vec<u8>, StoreError> {
        self.get(index, Cell::bytes)
    }

    pub(crate) fn time(&self, index: usize) -> Result<Timestamp, StoreError> {
        self.int(index).map(time)
    }

    pub(crate) fn opt_time(&self, index: usize) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int(index)?.map(time))
    }
}

impl Cell {
    #[expect(clippy::option_option, reason = "nothing there, or not what it should be")]
    fn or_null<'r, T>(&'r self, read: impl FnOnce(&'r Self) -> Option<T>) -> Option<Option<T>> {
        if matches!(self, Self::Null) { Some(None) } else { read(self).map(Some) }
    }

    fn int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn id(&self) -> Option<Uuid> {
        if let Self::Id(bytes) = self { Some(Uuid::from_bytes(*bytes)) } else { None }
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Id(bytes) => Some(bytes.to_vec()),
            Self::Bytes(bytes) => Some(bytes.to_vec()),
            Self::Null | Self::Int(_) | Self::Text(_) => None,
        }
    }
}

/// The time that a column ending in `_us` holds. Every stored time was one before.
fn time(us: i64) -> Timestamp {
    Timestamp::from_microsecond(us).unwrap_or(if us < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
