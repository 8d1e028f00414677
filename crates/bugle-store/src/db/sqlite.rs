//! SQLite's connections: one that writes, some that read, all used where the caller runs.
//!
//! A statement here takes microseconds, less than handing it to another thread and back would. Only
//! a commit waits for the disk, and a statement of its own may read or change much: those tell the
//! runtime first that they will not yield.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use sqlx::migrate::Migration;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::db::Durability;
use crate::db::connect::PoolSettings;
use crate::db::gate::{Class, Gate, Turn};
use crate::db::migrate;
use crate::db::row::{Cell, Row};
use crate::db::statement::{Dialect, Statement};
use crate::db::value::{Value, bind_sqlite};
use crate::error::{Cause, StoreError};

/// The oldest SQLite that is safe with WAL: earlier ones can corrupt a database whose log is reset
/// while another connection checkpoints.
const MIN_SQLITE: i32 = 3_051_003;
/// How long a statement may wait for a lock of another process on the same file.
const BUSY: Duration = Duration::from_secs(5);
/// Pages in the log before the writer copies them back: 16 MiB.
const CHECKPOINT_PAGES: u32 = 4_000;
/// The log is cut to this after it was copied back.
const LOG_BYTES: u32 = 64 << 20;
/// Memory for pages of the writer, KiB.
const WRITER_CACHE_KIB: i32 = 16 << 10;
/// Prepared statements kept for each connection; there are fewer in all.
const STATEMENTS: usize = 256;

/// A commit is on the disk before it is acknowledged, also when the power fails.
const FLUSHED: &str = "PRAGMA synchronous = FULL";
/// A commit is on the disk with the next one that is flushed; until then only its process and the
/// system may die.
const NOT_FLUSHED: &str = "PRAGMA synchronous = NORMAL";

/// An open file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    writer: Arc<Gate<Connection>>,
    /// The gate of a writer beside this one, and how long it is waited at: two writers that take
    /// turns never find the file locked. One that stands still holds nobody up.
    other: Option<(Arc<Gate<Connection>>, Duration)>,
    readers: Arc<Readers>,
    max_readers: u32,
    acquire_timeout: Duration,
}

/// Connections that read: opened when needed, and kept.
#[derive(Debug)]
struct Readers {
    path: PathBuf,
    free: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

/// A transaction. Dropping it undoes it.
pub(crate) struct SqliteTx {
    connection: Held,
    open: bool,
    /// Whether the connection flushes what it commits, as it does before and after.
    flushed: bool,
    /// Keeps the writer beside this one out meanwhile.
    _other: Option<Box<Turn<Connection>>>,
}

enum Held {
    Writer(Turn<Connection>),
    Reader(Reader),
}

/// A connection that reads, until it is dropped.
struct Reader {
    connection: Option<Connection>,
    readers: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl Sqlite {
    /// Opens the file, made if it is not there, and brings its schema up to date.
    pub(crate) fn open(
        path: &Path,
        settings: PoolSettings,
        migrations: &[Migration],
    ) -> Result<Self, StoreError> {
        if rusqlite::version_number() < MIN_SQLITE {
            let version = rusqlite::version();
            let problem = format!("SQLite {version} is too old; 3.51.3 or newer is needed");
            return Err(StoreError::Unusable(problem));
        }
        let mut writer = open_writer(path)?;
        migrate::sqlite(&mut writer, migrations)?;
        Ok(Self::with(writer, path, settings))
    }

    /// Opens a file that is open already, once more: with a writer of its own, which waits for the
    /// other's turn as long as for a free connection, and then for the file as long as for a lock.
    pub(crate) fn open_beside(
        path: &Path,
        other: &Self,
        settings: PoolSettings,
    ) -> Result<Self, StoreError> {
        let writer = open_writer(path)?;
        writer.busy_timeout(settings.lock_timeout)?;
        let other = Some((Arc::clone(&other.writer), settings.acquire_timeout));
        Ok(Self { other, ..Self::with(writer, path, settings) })
    }

    fn with(writer: Connection, path: &Path, settings: PoolSettings) -> Self {
        let readers = usize::try_from(settings.connections).unwrap_or(1);
        Self {
            writer: Arc::new(Gate::new(writer)),
            other: None,
            readers: Arc::new(Readers {
                path: path.to_owned(),
                free: Mutex::default(),
                permits: Arc::new(Semaphore::new(readers)),
            }),
            max_readers: settings.connections,
            acquire_timeout: settings.acquire_timeout,
        }
    }

    /// Connections that read just now, and how many may.
    pub(crate) fn connections(&self) -> (u32, u32) {
        let free = u32::try_from(self.readers.permits.available_permits()).unwrap_or(0);
        (self.max_readers.saturating_sub(free), self.max_readers)
    }

    /// Closes all connections; the writer last, which also folds the log into the file.
    pub(crate) async fn close(&self) {
        self.readers.permits.close();
        self.readers.lock().clear();
        drop(self.writer.close().await);
    }

    /// Begins a transaction that writes, when it is its turn.
    pub(crate) async fn write(
        &self,
        class: Class,
        durability: Durability,
    ) -> Result<SqliteTx, StoreError> {
        let turn = self.writer.turn(class).await.ok_or(Cause::Closed)?;
        let other = match &self.other {
            Some((gate, limit)) => {
                tokio::time::timeout(*limit, gate.turn(Class::First)).await.ok().flatten()
            }
            None => None,
        };
        if durability == Durability::WithTheNext {
            turn.prepare_cached(NOT_FLUSHED)?.execute([])?;
        }
        SqliteTx::begin(Held::Writer(turn), other, "BEGIN IMMEDIATE", durability)
    }

    /// Begins a transaction that only reads, and sees one moment.
    pub(crate) async fn snapshot(&self) -> Result<SqliteTx, StoreError> {
        SqliteTx::begin(Held::Reader(self.reader().await?), None, "BEGIN", Durability::Now)
    }

    /// Reads rows outside any transaction.
    pub(crate) async fn rows(
        &self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let reader = self.reader().await?;
        rows(reader.get()?, statement, values)
    }

    async fn reader(&self) -> Result<Reader, StoreError> {
        let permit = Arc::clone(&self.readers.permits).acquire_owned();
        let permit = tokio::time::timeout(self.acquire_timeout, permit)
            .await
            .map_err(|_| Cause::NoneFree)?
            .map_err(|_| Cause::Closed)?;
        let free = self.readers.lock().pop();
        let connection = match free {
            Some(connection) => connection,
            None => open_reader(&self.readers.path)?,
        };
        let readers = Arc::clone(&self.readers);
        Ok(Reader { connection: Some(connection), readers, _permit: permit })
    }
}

impl Readers {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn get(&self) -> Result<&Connection, StoreError> {
        self.connection.as_ref().ok_or_else(|| Cause::Closed.into())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && !self.readers.permits.is_closed()
        {
            self.readers.lock().push(connection);
        }
    }
}

impl SqliteTx {
    fn begin(
        connection: Held,
        other: Option<Turn<Connection>>,
        how: &'static str,
        durability: Durability,
    ) -> Result<Self, StoreError> {
        // Made first: also where it does not come to begin, dropping it has commits flushed again.
        let flushed = durability == Durability::Now;
        let tx = Self { connection, open: true, flushed, _other: other.map(Box::new) };
        tx.get()?.prepare_cached(how).and_then(|mut begin| begin.execute([]))?;
        Ok(tx)
    }

    fn get(&self) -> Result<&Connection, StoreError> {
        match &self.connection {
            Held::Writer(turn) => Ok(turn),
            Held::Reader(reader) => reader.get(),
        }
    }

    pub(crate) fn rows(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        rows(self.get()?, statement, values)
    }

    /// Runs a statement; returns how many rows it changed.
    pub(crate) fn run(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let mut prepared = self.get()?.prepare_cached(statement.sql(Dialect::Sqlite))?;
        bind_sqlite(&mut prepared, values)?;
        Ok(prepared.raw_execute()? as u64)
    }

    /// Makes the transaction last. It is on the disk then.
    pub(crate) fn commit(mut self) -> Result<(), StoreError> {
        let connection = self.get()?;
        let commit = || connection.prepare_cached("COMMIT").and_then(|mut end| end.execute([]));
        if self.flushed { in_place(commit) } else { commit() }?;
        self.open = false;
        Ok(())
    }
}

impl Drop for SqliteTx {
    fn drop(&mut self) {
        let Ok(connection) = self.get() else { return };
        // A connection on which nothing is open any more has undone it by itself.
        if self.open
            && !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be undone");
        }
        if !self.flushed
            && let Err(error) = connection.prepare_cached(FLUSHED).and_then(|mut it| it.execute([]))
        {
            tracing::error!(%error, "a connection could not be told to flush again");
        }
    }
}

/// Runs what waits for the disk, or may take long, where the caller is; the runtime's other tasks
/// go on elsewhere.
pub(crate) fn in_place<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

fn rows(
    connection: &Connection,
    statement: &'static Statement,
    values: Vec<Value>,
) -> Result<Vec<Row>, StoreError> {
    let mut prepared = connection.prepare_cached(statement.sql(Dialect::Sqlite))?;
    bind_sqlite(&mut prepared, values)?;
    let width = prepared.column_count();
    let mut found = Vec::new();
    let mut cursor = prepared.raw_query();
    while let Some(row) = cursor.next()? {
        // Collected into a `Result`, a row would be moved as it grows.
        let mut cells = Vec::with_capacity(width);
        for index in 0..width {
            cells.push(cell(row.get_ref(index)?));
        }
        found.push(Row::Sqlite(cells.into_boxed_slice()));
    }
    Ok(found)
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        // No column holds one; what is computed from whole numbers may come as one.
        #[expect(clippy::cast_possible_truncation, reason = "a sum or a count of whole numbers")]
        ValueRef::Real(number) => Cell::Int(number as i64),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into()),
        ValueRef::Blob(bytes) => match bytes.try_into() {
            Ok(id) => Cell::Id(id),
            Err(_) => Cell::Bytes(bytes.into()),
        },
    }
}

fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let connection = open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.execute_batch(FLUSHED)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    Ok(connection)
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = open(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // One plan for a statement, whatever it is asked. Else SQLite makes a new one each time that a
    // parameter which it looked at has another value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Relations are kept by the transactions here, the same on both databases; checking them again
    // would cost an index lookup a row.
    connection.pragma_update(None, "foreign_keys", false)?;
    Ok(connection)
}

#[cfg(test)]
mod tests;
