//! A writer beside another waits while that is at work, and not while it stands still.

use std::time::Instant;

use tempfile::TempDir;

use super::*;
use crate::db::connect::sqlite_migrations;

const SETTINGS: PoolSettings = PoolSettings {
    connections: 2,
    statement_timeout: Duration::from_secs(2),
    lock_timeout: Duration::from_millis(20),
    acquire_timeout: Duration::from_millis(600),
};

fn both() -> (TempDir, Sqlite, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bugle.db");
    let first = Sqlite::open(&path, SETTINGS, &sqlite_migrations()).unwrap();
    let beside = Sqlite::open_beside(&path, &first, SETTINGS).unwrap();
    (folder, first, beside)
}

#[tokio::test]
async fn a_writer_at_work_is_waited_for_longer_than_a_lock() {
    let (_folder, first, beside) = both();
    let at_work = first.write(Class::Then, Durability::Now).await.unwrap();
    let waiting = beside.write(Class::Then, Durability::Now);
    tokio::pin!(waiting);
    let longer = SETTINGS.lock_timeout * 5;
    assert!(tokio::time::timeout(longer, &mut waiting).await.is_err(), "it does not give up");
    drop(at_work);
    waiting.await.unwrap();
}

#[tokio::test]
async fn a_writer_that_stands_still_is_not_waited_for_forever() {
    let (_folder, first, beside) = both();
    let stands = first.write(Class::Then, Durability::Now).await.unwrap();
    let began = Instant::now();
    assert!(beside.write(Class::Then, Durability::Now).await.is_err());
    assert!(began.elapsed() < SETTINGS.acquire_timeout * 4, "{:?}", began.elapsed());
    drop(stands);
}
