//! Rows that do not read are left out, loudly: one of them stops nobody who works through the rest.

use crate::db::row::Row;
use crate::error::StoreError;

/// What these rows say, without those that do not read.
///
/// # Errors
///
/// Whatever else went wrong.
pub(crate) fn readable<T>(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    rows.iter().filter_map(|row| or_skipped(read(row)).transpose()).collect()
}

/// `None` where a row does not read, which is logged and counted.
///
/// # Errors
///
/// Whatever else went wrong.
pub(crate) fn or_skipped<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(StoreError::Corrupt { table, column, id, problem }) => {
            tracing::error!(table, column, %id, problem, "a row cannot be read and is passed over");
            metrics::counter!("bugle_unreadable_rows_total", "table" => table).increment(1);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
