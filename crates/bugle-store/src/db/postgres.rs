//! PostgreSQL's connections: handed out where they were used last.
//!
//! sqlx's pool asks each connection that comes back whether it lives, which is a round trip, and
//! hands out the one that has rested longest, whose caches are cold. Here one that did its work
//! stays at hand, and the last is the first to be taken again. A broken one shows with its next
//! use, and goes back to sqlx, which closes it.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::{Executor, PgPool};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::db::connect::PoolSettings;
use crate::db::row::Row;
use crate::db::statement::{Dialect, Statement};
use crate::db::value::{Value, bind_postgres};
use crate::error::{Cause, StoreError};

/// A connection this old is exchanged for a new one: what its server process has gathered goes with
/// it, and a balancer in between gets its turn.
const MAX_AGE: Duration = Duration::from_mins(30);

const KNOWN_EVENTS: &str =
    "SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE oid = 'events'::regclass";
const ANALYZE: &str = "ANALYZE events, requests, alerts, timeline, notifications, attempts";

/// What is awaited here is boxed: each caller would else be compiled with a copy of all that sqlx
/// does beneath, which takes more time to build and more memory to run than a box an answer.
pub(crate) type Boxed<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// An open database.
#[derive(Debug)]
pub(crate) struct Postgres {
    pool: PgPool,
    ready: Mutex<Vec<Rested>>,
    permits: Arc<Semaphore>,
    most: u32,
    acquire_timeout: Duration,
    max_age: Duration,
}

/// A connection, and since when there is.
#[derive(Debug)]
struct Rested(PoolConnection<sqlx::Postgres>, Instant);

/// A connection in use. Dropping it gives it back to sqlx; [`Connected::done`] keeps it at hand.
pub(crate) struct Connected {
    connection: PoolConnection<sqlx::Postgres>,
    since: Instant,
    of: Arc<Postgres>,
    _permit: OwnedSemaphorePermit,
}

/// A transaction. Dropping it undoes it.
pub(crate) struct PgTx {
    connected: Option<Connected>,
}

impl Postgres {
    /// Takes over a pool that was made with these settings.
    pub(crate) fn new(pool: PgPool, settings: PoolSettings) -> Self {
        let most = settings.connections;
        Self {
            pool,
            ready: Mutex::default(),
            permits: Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(1))),
            most,
            acquire_timeout: settings.acquire_timeout,
            max_age: MAX_AGE,
        }
    }

    /// Connections in use, and how many there may be.
    pub(crate) fn connections(&self) -> (u32, u32) {
        let free = u32::try_from(self.permits.available_permits()).unwrap_or(0);
        (self.most.saturating_sub(free), self.most)
    }

    /// Closes all connections, as they come back.
    pub(crate) async fn close(&self) {
        self.permits.close();
        self.ready().clear();
        self.pool.close().await;
    }

    /// A connection, when one is free.
    async fn connection(self: &Arc<Self>) -> Result<Connected, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned();
        let permit = tokio::time::timeout(self.acquire_timeout, permit)
            .await
            .map_err(|_| Cause::NoneFree)?
            .map_err(|_| Cause::Closed)?;
        // One that is too old goes back to sqlx first: it holds the place that a new one needs.
        let ready = self.ready().pop().filter(|rested| rested.1.elapsed() < self.max_age);
        let Rested(connection, since) = match ready {
            Some(rested) => rested,
            None => Rested(self.pool.acquire().await?, Instant::now()),
        };
        Ok(Connected { connection, since, of: Arc::clone(self), _permit: permit })
    }

    /// Begins a transaction with these words.
    pub(crate) fn begin(self: &Arc<Self>, how: &'static str) -> Boxed<'_, PgTx> {
        Box::pin(async move {
            let mut tx = PgTx { connected: Some(self.connection().await?) };
            tx.get()?.execute(how).await?;
            Ok(tx)
        })
    }

    /// Reads rows outside any transaction.
    pub(crate) fn rows(
        self: &Arc<Self>,
        statement: &'static Statement,
        values: Vec<Value>,
    ) -> Boxed<'_, Vec<Row>> {
        Box::pin(async move {
            let mut connected = self.connection().await?;
            let found = rows(&mut connected, statement, values).await;
            match &found {
                Ok(_) => connected.done(),
                Err(StoreError::Unavailable(_)) => self.forget(),
                Err(_) => (),
            }
            found
        })
    }

    /// See [`crate::db::Db::refresh_statistics`].
    pub(crate) fn refresh_statistics(self: &Arc<Self>, events: i64) -> Boxed<'_, ()> {
        Box::pin(async move {
            let mut connected = self.connection().await?;
            let known: i64 = sqlx::query_scalar(KNOWN_EVENTS).fetch_one(&mut *connected).await?;
            if known <= events {
                sqlx::raw_sql(ANALYZE).execute(&mut *connected).await?;
            }
            connected.done();
            Ok(())
        })
    }

    /// Closes what is at hand: where one connection broke, the others very likely did.
    fn forget(&self) {
        for Rested(mut connection, _) in std::mem::take(&mut *self.ready()) {
            connection.close_on_drop();
        }
    }

    fn ready(&self) -> MutexGuard<'_, Vec<Rested>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected {
    /// Keeps the connection at hand: nothing is open on it, and all that was asked was answered.
    pub(crate) fn done(self) {
        let mut ready = self.of.ready();
        // Asked under the lock: what is closed has been emptied, or will be.
        if !self.of.permits.is_closed() {
            ready.push(Rested(self.connection, self.since));
        }
    }
}

impl Deref for Connected {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Connected {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl PgTx {
    pub(crate) fn get(&mut self) -> Result<&mut PgConnection, StoreError> {
        self.connected.as_deref_mut().ok_or_else(|| Cause::Closed.into())
    }

    /// Makes the transaction last.
    pub(crate) fn commit(mut self) -> Boxed<'static, ()> {
        Box::pin(async move {
            self.get()?.execute("COMMIT").await?;
            if let Some(connected) = self.connected.take() {
                connected.done();
            }
            Ok(())
        })
    }
}

impl Drop for PgTx {
    fn drop(&mut self) {
        let Some(mut connected) = self.connected.take() else { return };
        let Ok(runtime) = Handle::try_current() else {
            connected.connection.close_on_drop();
            return;
        };
        runtime.spawn(async move {
            if connected.execute("ROLLBACK").await.is_ok() {
                connected.done();
            } else {
                // The server undoes it when it sees that the connection is gone.
                connected.connection.close_on_drop();
                connected.of.forget();
            }
        });
    }
}

/// Reads rows.
pub(crate) fn rows<'a>(
    connection: &'a mut PgConnection,
    statement: &'static Statement,
    values: Vec<Value>,
) -> Boxed<'a, Vec<Row>> {
    Box::pin(async move {
        let mut arguments = PgArguments::default();
        bind_postgres(statement, values, &mut arguments).map_err(encode)?;
        let query = sqlx::query_with(statement.sql(Dialect::Postgres), arguments);
        Ok(query.fetch(connection).map_ok(Row::Postgres).try_collect().await?)
    })
}

/// Runs a statement; returns how many rows it changed.
pub(crate) fn run<'a>(
    connection: &'a mut PgConnection,
    statement: &'static Statement,
    values: Vec<Value>,
) -> Boxed<'a, u64> {
    Box::pin(async move {
        let mut arguments = PgArguments::default();
        bind_postgres(statement, values, &mut arguments).map_err(encode)?;
        let query = sqlx::query_with(statement.sql(Dialect::Postgres), arguments);
        Ok(query.execute(connection).await?.rows_affected())
    })
}

/// Runs statements that were made one; gives its only row.
pub(crate) fn run_together<'a>(
    connection: &'a mut PgConnection,
    sql: &'static str,
    arguments: PgArguments,
) -> Boxed<'a, Row> {
    Box::pin(async move {
        Ok(Row::Postgres(sqlx::query_with(sql, arguments).fetch_one(connection).await?))
    })
}

/// A value that cannot be bound.
pub(crate) fn encode(error: sqlx::error::BoxDynError) -> StoreError {
    sqlx::Error::Encode(error).into()
}

#[cfg(test)]
mod tests;
