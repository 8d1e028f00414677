//! The two databases behind one set of calls: run a statement, read rows, hold a transaction.
//!
//! Everything above this module is written once; only here is there a branch for each database.

use std::sync::Arc;

use sqlx::postgres::PgArguments;

use crate::db::gate::Class;
use crate::db::postgres::{PgTx, Postgres};
use crate::db::row::Row;
use crate::db::sqlite::{Sqlite, SqliteTx};
use crate::db::statement::{Dialect, Statement, Together};
use crate::db::value::{Value, bind_postgres};
use crate::error::StoreError;

pub(crate) mod connect;
mod gate;
mod migrate;
pub(crate) mod postgres;
pub(crate) mod row;
mod sqlite;
pub(crate) mod statement;
pub(crate) mod value;

pub(crate) use gate::Class as WriteClass;

/// Runs a pass again when it lost against another transaction, a few times.
macro_rules! retried {
    ($pass:expr) => {{
        let mut tries = 1_u32;
        loop {
            match $pass.await {
                Err(error) if error.lost_a_race() && tries < $crate::db::MAX_RACES => tries += 1,
                result => break result,
            }
        }
    }};
}
pub(crate) use retried;

/// Tries of one transaction before its caller is told that the database is too busy.
pub(crate) const MAX_RACES: u32 = 5;

const BEGIN: &str = "BEGIN";
const BEGIN_NOT_FLUSHED: &str = "BEGIN; SET LOCAL synchronous_commit = off";
/// For what is best found in another way for each set of parameters: see [`Statement::filtering`].
const BEGIN_FILTERING: &str = "BEGIN READ ONLY; SET LOCAL plan_cache_mode = auto";
const BEGIN_SNAPSHOT: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL plan_cache_mode = auto";

/// When a commit is on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Durability {
    /// Before it is acknowledged.
    Now,
    /// With the next one that is. A power cut before that undoes it as a whole, and what it was
    /// made from is there to make it again: nothing outside may have been done on its strength.
    WithTheNext,
}

/// An open database.
#[derive(Clone, Debug)]
pub(crate) enum Db {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

/// A transaction. Dropping it undoes it.
pub(crate) enum Tx {
    Sqlite(SqliteTx),
    Postgres(PgTx),
}

impl Db {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Connections in use, and how many there may be.
    pub(crate) fn connections(&self) -> (u32, u32) {
        match self {
            Self::Sqlite(sqlite) => sqlite.connections(),
            Self::Postgres(postgres) => postgres.connections(),
        }
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.close().await,
            Self::Postgres(postgres) => postgres.close().await,
        }
    }

    /// Begins a transaction that writes, when it is its turn.
    pub(crate) async fn write(&self, class: Class) -> Result<Tx, StoreError> {
        self.begin(class, Durability::Now).await
    }

    /// The same; the commit is on the disk when `durability` says.
    pub(crate) async fn begin(
        &self,
        class: Class,
        durability: Durability,
    ) -> Result<Tx, StoreError> {
        match (self, durability) {
            (Self::Sqlite(sqlite), _) => Ok(Tx::Sqlite(sqlite.write(class, durability).await?)),
            (Self::Postgres(postgres), Durability::Now) => {
                Ok(Tx::Postgres(postgres.begin(BEGIN).await?))
            }
            (Self::Postgres(postgres), Durability::WithTheNext) => {
                Ok(Tx::Postgres(postgres.begin(BEGIN_NOT_FLUSHED).await?))
            }
        }
    }

    /// Begins a transaction that only reads, and sees one moment.
    pub(crate) async fn snapshot(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite(sqlite) => Ok(Tx::Sqlite(sqlite.snapshot().await?)),
            Self::Postgres(postgres) => Ok(Tx::Postgres(postgres.begin(BEGIN_SNAPSHOT).await?)),
        }
    }

    /// Reads rows outside any transaction; a statement that writes, too, is one of its own on
    /// PostgreSQL.
    pub(crate) async fn rows(
        &self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.rows(statement, values).await,
            Self::Postgres(postgres) if statement.filters() => {
                let mut tx = postgres.begin(BEGIN_FILTERING).await?;
                let found = postgres::rows(tx.get()?, statement, values).await?;
                tx.commit().await?;
                Ok(found)
            }
            Self::Postgres(postgres) => postgres.rows(statement, values).await,
        }
    }

    /// Reads at most one row outside any transaction.
    pub(crate) async fn row(
        &self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(statement, values).await?.into_iter().next())
    }

    /// Has PostgreSQL look again at how large the tables are that every event adds to, unless it
    /// knows of more than `events` already. Plans made before are made again then, on every
    /// connection.
    pub(crate) async fn refresh_statistics(&self, events: i64) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(postgres) => postgres.refresh_statistics(events).await,
        }
    }

    /// Runs one statement that writes, as a transaction of its own.
    pub(crate) async fn run(
        &self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let mut tx = self.write(Class::Then).await?;
        let affected = tx.run(statement, values).await?;
        tx.commit().await?;
        Ok(affected)
    }
}

impl Tx {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(crate) async fn rows(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(tx) => tx.rows(statement, values),
            Self::Postgres(tx) => postgres::rows(tx.get()?, statement, values).await,
        }
    }

    pub(crate) async fn row(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(statement, values).await?.into_iter().next())
    }

    /// Runs a statement; returns how many rows it changed.
    pub(crate) async fn run(
        &mut self,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(tx) => tx.run(statement, values),
            Self::Postgres(tx) => postgres::run(tx.get()?, statement, values).await,
        }
    }

    /// Runs statements of which none sees what another does, each with its values; returns how many
    /// rows each changed.
    pub(crate) async fn run_together<const N: usize>(
        &mut self,
        together: &'static Together<N>,
        values: [Vec<Value>; N],
    ) -> Result<[u64; N], StoreError> {
        let mut changed = [0; N];
        let parts = together.parts().iter().zip(values);
        match self {
            Self::Sqlite(tx) => {
                for ((part, values), changed) in parts.zip(&mut changed) {
                    let no_rows = values.iter().any(Value::is_no_rows);
                    *changed = if no_rows { 0 } else { tx.run(part, values)? };
                }
            }
            Self::Postgres(tx) => {
                let mut arguments = PgArguments::default();
                for (part, values) in parts {
                    bind_postgres(part, values, &mut arguments).map_err(postgres::encode)?;
                }
                let row = postgres::run_together(tx.get()?, together.sql(), arguments).await?;
                for (index, changed) in changed.iter_mut().enumerate() {
                    *changed = u64::try_from(row.int(index)?).unwrap_or_default();
                }
            }
        }
        Ok(changed)
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit(),
            Self::Postgres(tx) => tx.commit().await,
        }
    }
}
