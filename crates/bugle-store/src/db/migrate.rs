//! Bringing a schema up to date.

use std::collections::BTreeMap;

use rusqlite::{Connection, TransactionBehavior, params};
use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migration, Migrator};

use crate::error::StoreError;

/// What was applied. The same table as on PostgreSQL, where sqlx keeps it.
const APPLIED: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
)";

/// Applies what is missing, all of it or nothing.
pub(crate) fn sqlite(
    connection: &mut Connection,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(APPLIED)?;
    let mut applied: BTreeMap<i64, Vec<u8>> = tx
        .prepare("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for migration in migrations {
        let version = migration.version;
        match applied.remove(&version) {
            Some(checksum) if checksum == *migration.checksum => {}
            Some(_) => return Err(MigrateError::VersionMismatch(version).into()),
            None => {
                tx.execute_batch(migration.sql.as_str())?;
                tx.execute(
                    "INSERT INTO _sqlx_migrations
                         (version, description, success, checksum, execution_time)
                     VALUES (?1, ?2, TRUE, ?3, 0)",
                    params![version, migration.description, &*migration.checksum],
                )?;
            }
        }
    }
    if let Some((version, _)) = applied.pop_last() {
        return Err(MigrateError::VersionMissing(version).into());
    }
    Ok(tx.commit()?)
}

/// Applies what is missing, each in a transaction of its own.
pub(crate) async fn postgres(
    connection: &mut PgConnection,
    migrations: Vec<Migration>,
) -> Result<(), StoreError> {
    let migrator = Migrator::with_migrations(migrations);
    Ok(migrator.run_direct(None, connection, false).await?)
}
