//! What becomes of connections that are old, broken, or dropped in the middle.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Executor;
use sqlx::postgres::PgPoolOptions;

use super::*;

/// One connection, to the server that the test runner has started.
#[expect(clippy::disallowed_methods, reason = "the test runner says where PostgreSQL is")]
async fn one() -> Postgres {
    let server = std::env::var("BUGLE_TEST_POSTGRES").expect("BUGLE_TEST_POSTGRES must be set");
    let limit = Duration::from_secs(3);
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(limit);
    let settings = PoolSettings {
        connections: 1,
        statement_timeout: limit,
        lock_timeout: limit,
        acquire_timeout: limit,
    };
    Postgres::new(pool.connect(&server).await.unwrap(), settings)
}

async fn process(connected: &mut Connected) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut **connected).await.unwrap()
}

#[tokio::test]
async fn the_last_one_is_taken_again_and_an_old_one_makes_room() {
    let mut postgres = one().await;
    let kept = Arc::new(postgres);
    let mut connected = kept.connection().await.unwrap();
    let first = process(&mut connected).await;
    assert_eq!(kept.connections(), (1, 1));
    connected.done();
    let mut connected = kept.connection().await.unwrap();
    assert_eq!(process(&mut connected).await, first);
    connected.done();
    assert_eq!((kept.connections(), kept.ready().len()), ((0, 1), 1));
    // There is room for one: the old one must go before another can come.
    postgres = Arc::into_inner(kept).unwrap();
    postgres.max_age = Duration::ZERO;
    let aging = Arc::new(postgres);
    aging.connection().await.unwrap().done();
    aging.connection().await.unwrap().done();
    aging.close().await;
}

#[tokio::test]
async fn what_was_begun_and_dropped_is_undone_before_anybody_has_the_connection() {
    let postgres = Arc::new(one().await);
    let mut tx = postgres.begin("BEGIN").await.unwrap();
    tx.get().unwrap().execute("CREATE TEMPORARY TABLE dropped (n INT)").await.unwrap();
    drop(tx);
    let mut connected = postgres.connection().await.unwrap();
    let open: bool = sqlx::query_scalar("SELECT to_regclass('dropped') IS NOT NULL")
        .fetch_one(&mut *connected)
        .await
        .unwrap();
    assert!(!open);
    connected.done();
    postgres.close().await;
}

#[tokio::test]
async fn a_connection_that_broke_is_replaced() {
    let postgres = Arc::new(one().await);
    let mut connected = postgres.connection().await.unwrap();
    let ended = connected.execute("SELECT pg_terminate_backend(pg_backend_pid())").await;
    assert!(ended.is_err());
    drop(connected);
    let mut tx = postgres.begin("BEGIN").await.unwrap();
    tx.get().unwrap().execute("SELECT 1").await.unwrap();
    tx.commit().await.unwrap();
    postgres.close().await;
}
