//! Opening a database: where it is, how it is set, and bringing its schema up to date.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, SqlSafeStr};

use crate::db::postgres::Postgres;
use crate::db::sqlite::{Sqlite, in_place};
use crate::db::{Db, migrate};
use crate::error::StoreError;

/// Prepared statements kept for each connection to PostgreSQL; there are fewer in all.
const STATEMENTS: usize = 256;

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file, made if it is not there.
    Sqlite(PathBuf),
    /// A server: `postgres://user:password@host:port/name`. Holds the password.
    Postgres(String),
}

/// A text that is not the URL of a database.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("write sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME")]
pub struct ParseDatabaseUrlError;

impl FromStr for DatabaseUrl {
    type Err = ParseDatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, ParseDatabaseUrlError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() {
                Err(ParseDatabaseUrlError)
            } else {
                Ok(Self::Sqlite(path.into()))
            };
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return match PgConnectOptions::from_str(text) {
                Ok(_) => Ok(Self::Postgres(text.to_owned())),
                Err(_) => Err(ParseDatabaseUrlError),
            };
        }
        Err(ParseDatabaseUrlError)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The URL without its password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => match PgConnectOptions::from_str(url) {
                Ok(options) => write!(
                    f,
                    "postgres://{}:{}/{}",
                    options.get_host(),
                    options.get_port(),
                    options.get_database().unwrap_or("")
                ),
                Err(_) => f.write_str("postgres://"),
            },
        }
    }
}

/// How many connections there are, and how long anything may take on them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolSettings {
    /// Connections to PostgreSQL, 3–200; readers of a SQLite file.
    pub connections: u32,
    /// How long one statement may take on PostgreSQL.
    pub statement_timeout: Duration,
    /// How long one statement may wait for a lock on PostgreSQL. Shorter than the statement's.
    pub lock_timeout: Duration,
    /// How long to wait for a free connection.
    pub acquire_timeout: Duration,
}

/// Opens the database and brings its schema up to date.
pub(crate) async fn open(url: &DatabaseUrl, settings: PoolSettings) -> Result<Db, StoreError> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let open = || Sqlite::open(path, settings, &sqlite_migrations());
            Ok(Db::Sqlite(Arc::new(in_place(open)?)))
        }
        DatabaseUrl::Postgres(url) => open_postgres(url, settings).await,
    }
}

/// Opens a database that is open already, once more.
pub(crate) async fn open_beside(
    url: &DatabaseUrl,
    other: &Db,
    settings: PoolSettings,
) -> Result<Db, StoreError> {
    match (url, other) {
        (DatabaseUrl::Sqlite(path), Db::Sqlite(other)) => {
            Ok(Db::Sqlite(Arc::new(in_place(|| Sqlite::open_beside(path, other, settings))?)))
        }
        (DatabaseUrl::Postgres(url), _) => connect_postgres(url, settings).await,
        (DatabaseUrl::Sqlite(path), Db::Postgres(_)) => {
            let problem = format!("{} is not the database that is open", path.display());
            Err(StoreError::Unusable(problem))
        }
    }
}

async fn open_postgres(url: &str, settings: PoolSettings) -> Result<Db, StoreError> {
    let options = postgres_options(url)?;
    // Not bound by the time-outs below: changing a large table may take longer.
    let mut connection = sqlx::PgConnection::connect_with(&options).await?;
    migrate::postgres(&mut connection, postgres_migrations()).await?;
    connection.close().await?;
    connect_postgres(url, settings).await
}

async fn connect_postgres(url: &str, settings: PoolSettings) -> Result<Db, StoreError> {
    let ms = |limit: Duration| limit.as_millis().to_string();
    let options = postgres_options(url)?.options([
        ("statement_timeout", ms(settings.statement_timeout)),
        ("lock_timeout", ms(settings.lock_timeout)),
        ("idle_in_transaction_session_timeout", ms(settings.statement_timeout)),
        ("synchronous_commit", "on".to_owned()),
        ("jit", "off".to_owned()),
        // Every statement here has its index. A plan made while a table was empty must not go on
        // reading all of it when it is large.
        ("enable_seqscan", "off".to_owned()),
        // A plan is made once for each connection, whatever the parameters are: making it takes
        // longer than carrying it out. `Db::refresh_statistics` has it made again as tables grow.
        ("plan_cache_mode", "force_generic_plan".to_owned()),
    ]);
    let pool = PgPoolOptions::new()
        .max_connections(settings.connections)
        .acquire_timeout(settings.acquire_timeout)
        .test_before_acquire(false)
        .connect_with(options)
        .await?;
    Ok(Db::Postgres(Arc::new(Postgres::new(pool, settings))))
}

fn postgres_options(url: &str) -> Result<PgConnectOptions, StoreError> {
    Ok(PgConnectOptions::from_str(url)?
        .statement_cache_capacity(STATEMENTS)
        .application_name("bugle")
        .disable_statement_logging())
}

/// Each migration's stem, which stands in both folders.
macro_rules! migrations {
    ($($version:literal $name:literal)*) => {
        pub(crate) fn sqlite_migrations() -> Vec<Migration> {
            vec![$(migration(
                $version,
                $name,
                include_str!(concat!("../../migrations/sqlite/", $version, "_", $name, ".sql")),
            )),*]
        }

        pub(crate) fn postgres_migrations() -> Vec<Migration> {
            vec![$(migration(
                $version,
                $name,
                include_str!(concat!("../../migrations/postgres/", $version, "_", $name, ".sql")),
            )),*]
        }
    };
}

migrations! {
    "20261120130000" "create_configuration"
    "20261120130100" "create_placements"
    "20261120130200" "create_events"
    "20261120130300" "create_alerts"
    "20261120130400" "create_notifications"
    "20261120130500" "create_ledger"
    "20261124180000" "add_heard_to_nodes"
    "20261124180100" "create_keyed_requests"
    "20261124190000" "create_watch"
    "20261124200000" "rank_notifications"
    "20261124210000" "create_changes"
    "20261124210100" "create_clean_ups"
    "20261124220000" "keep_accepted_messages"
    "20261124230000" "keep_history_for_a_time"
    "20261124230100" "describe_tables"
    "20261125010000" "create_status"
    "20261125100000" "create_rooms"
    "20261125110000" "create_provider_use"
    "20261125110100" "create_assistance"
    "20261125120000" "create_subscribers"
    "20261125130000" "queue_subscribers_by_channel"
    "20261125131000" "drop_rooms_in_time"
    "20261125140000" "create_status_pages"
    "20261125141000" "text_subscribers"
    "20261125142000" "find_users_by_id"
    "20261125163000" "find_integrations_by_id"
}

fn migration(version: &str, name: &'static str, sql: &'static str) -> Migration {
    let version = version.bytes().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_shown_without_their_password() {
        let url: DatabaseUrl = "postgres://bugle:secret@db.example:5433/bugle".parse().unwrap();
        assert_eq!(url.to_string(), "postgres://db.example:5433/bugle");
        let url: DatabaseUrl = "sqlite:/var/lib/bugle/bugle.db".parse().unwrap();
        assert_eq!(url, DatabaseUrl::Sqlite("/var/lib/bugle/bugle.db".into()));
        assert_eq!("mysql://x".parse::<DatabaseUrl>(), Err(ParseDatabaseUrlError));
        assert_eq!("sqlite:".parse::<DatabaseUrl>(), Err(ParseDatabaseUrlError));
    }
}
