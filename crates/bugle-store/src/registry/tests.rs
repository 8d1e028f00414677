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
        let whole = steps.iter().find(|step| scans_a_large_table(sql, step));
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

#[test]
fn what_is_read_of_a_large_table_is_narrowed_by_more_than_its_tenant() {
    let connection = empty();
    for statement in ALL {
        let sql = statement.sql(Dialect::Sqlite);
        let steps = plan(&connection, sql);
        let wide = steps.iter().find(|step| reads_all_of_a_tenant(sql, step));
        // A page of a list is the newest of all; a count of alerts counts them.
        let page = sql.rsplit_once("LIMIT ").is_some_and(|(_, limit)| !limit.contains(')'));
        assert!(wide.is_none() || page || sql.contains("COUNT(*)"), "{sql}\n{steps:#?}");
    }
}

#[test]
fn sqlite_is_told_how_large_each_large_table_comes_to_be() {
    let connection = empty();
    let missing = "SELECT name FROM pragma_index_list(?1)
                   WHERE IIF(origin = 'pk', ?1, name) NOT IN (SELECT idx FROM sqlite_stat1)";
    for table in LARGE {
        let mut missing = connection.prepare(missing).unwrap();
        let missing: Vec<String> =
            missing.query_map([table], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert!(missing.is_empty(), "{table}: describe {missing:?} in a migration");
    }
}

#[test]
fn services_in_trouble_are_read_from_an_index_alone() {
    let sql = crate::status_pages::ALERTS.sql(Dialect::Sqlite);
    let steps = plan(&empty(), sql);
    assert!(steps[0].contains("USING COVERING INDEX alerts_trouble (tenant_id=?"), "{steps:#?}");
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

fn scans_a_large_table(sql: &str, step: &str) -> bool {
    step.strip_prefix("SCAN ").is_some_and(|step| is_of_a_large_table(sql, step))
}

fn reads_all_of_a_tenant(sql: &str, step: &str) -> bool {
    let step = step.strip_prefix("SEARCH ").filter(|step| step.contains("(tenant_id=?)"));
    step.is_some_and(|step| is_of_a_large_table(sql, step))
}

/// Whether a step is about more of a large table than what waits, which has an index of its own.
fn is_of_a_large_table(sql: &str, step: &str) -> bool {
    let (alias, rest) = step.split_once(' ').unwrap_or((step, ""));
    let is_it = |table: &&str| {
        let names = [format!("{table} {alias}"), format!("{table} AS {alias}")];
        *table == alias || names.iter().any(|name| sql.contains(name))
    };
    let partial = ["pending", "waiting", "sending", "handed_off"];
    LARGE.iter().any(is_it) && !partial.iter().any(|index| rest.contains(index))
}

/// The recount reads history on purpose.
fn may_scan(statement: &'static Statement) -> bool {
    statement.sql(Dialect::Sqlite).contains("COUNT(CASE")
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
