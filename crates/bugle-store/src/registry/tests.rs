//! Every statement is understood by both databases, and none reads a whole table that grows.

use std::fs;
use std::path::Path;

use sqlx::{Connection, Executor, SqlSafeStr};

use super::ALL;
use crate::db::connect::{postgres_migrations, sqlite_migrations};
use crate::db::statement::{Dialect, Statement};

/// Tables that grow with use.
const LARGE: [&str; 7] =
    ["events", "alerts", "notifications", "timeline", "attempts", "requests", "keyed_requests"];

#[test]
fn every_statement_is_listed() {
    let mut count = 0;
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("tests.rs") {
                let source = fs::read_to_string(path).unwrap();
                count += source.matches("pub(crate) static ").count();
                count -= source.matches("pub(crate) static ALL").count();
            }
        }
    }
    assert_eq!(ALL.len(), count, "list every statement in registry.rs");
}

#[test]
fn sqlite_understands_every_statement_and_reads_no_large_table_whole() {
    let connection = empty();
    for statement in ALL {
        let sql = statement.sql(Dialect::Sqlite);
        let steps = plan(&connection, sql);
        let whole = steps.iter().find(|step| scans_a_large_table(step));
        assert!(whole.is_none() || may_scan(statement), "{sql}\n{steps:#?}");
        // A walk from tenant to tenant goes along its index, and sorts nothing on the way.
        let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE"));
        assert!(!sorts || !sql.contains("heads("), "{sql}\n{steps:#?}");
    }
}

#[test]
fn a_batch_of_objects_is_found_by_their_keys() {
    let connection = empty();
    for statement in ALL {
        let sql = statement.sql(Dialect::Sqlite);
        if !sql.contains("jsonb_each") {
            continue;
        }
        // A tenant may have very many of a kind.
        let steps = plan(&connection, sql);
        let narrow = |step: &String| step.contains("AND id=?)");
        let of_objects = |step: &&String| {
            step.contains("objects USING PRIMARY KEY") || step.contains(" o USING PRIMARY KEY")
        };
        assert!(steps.iter().filter(of_objects).all(narrow), "{sql}\n{steps:#?}");
    }
}

/// A database with every table and no row.
fn empty() -> rusqlite::Connection {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    for migration in sqlite_migrations() {
        connection.execute_batch(migration.sql.as_str()).unwrap();
    }
    connection
}

/// How SQLite goes about a statement, step by step.
fn plan(connection: &rusqlite::Connection, sql: &str) -> Vec<String> {
    let plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"));
    let mut plan = plan.unwrap_or_else(|error| panic!("{error}: {sql}"));
    let steps = plan.raw_query().mapped(|row| row.get(3)).collect::<Result<Vec<String>, _>>();
    steps.unwrap()
}

fn scans_a_large_table(step: &str) -> bool {
    let Some(table) = step.strip_prefix("SCAN ") else { return false };
    let (alias, rest) = table.split_once(' ').unwrap_or((table, ""));
    let large =
        LARGE.contains(&alias) || matches!(alias, "e" | "a" | "n" | "t" | "q" | "w" | "d" | "k");
    // A partial index holds only what waits.
    let partial = ["pending", "waiting", "sending", "handed_off"];
    large && !partial.iter().any(|index| rest.contains(index))
}

/// The recount reads history on purpose; the rest read tables of a handful of rows.
fn may_scan(statement: &'static Statement) -> bool {
    let sql = statement.sql(Dialect::Sqlite);
    sql.contains("COUNT(CASE")
        || sql.contains("FROM tenants t")
        || sql.contains("FROM nodes")
        || sql.contains("FROM heads")
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the test runner says where PostgreSQL is")]
async fn postgres_understands_every_statement() {
    let server = std::env::var("BUGLE_TEST_POSTGRES").expect("BUGLE_TEST_POSTGRES must be set");
    let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    transaction.execute("CREATE SCHEMA statements").await.unwrap();
    transaction.execute("SET LOCAL search_path TO statements").await.unwrap();
    for migration in postgres_migrations() {
        transaction.execute(migration.sql).await.unwrap();
    }
    for statement in ALL {
        let sql = statement.sql(Dialect::Postgres);
        let prepared = transaction.prepare(sql.into_sql_str()).await;
        assert!(prepared.is_ok(), "{}: {sql}", prepared.err().unwrap());
    }
}
