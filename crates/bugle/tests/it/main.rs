//! Product tests: a whole node, simulated phones, a pushed clock, told as stories.
//!
//! Each story runs on SQLite and on PostgreSQL. When a [`World`](world::World) ends it checks that
//! the ledger comes out.
#![expect(clippy::unwrap_used, clippy::panic, reason = "they are checks")]

mod answering;
mod assistance;
mod browser;
mod bursts;
mod changes;
mod cleanups;
mod clients;
mod commands;
mod downtime;
mod drills;
mod faults;
mod idempotency;
mod incidents;
mod live;
mod mail_events;
mod mail_in;
mod main_job;
mod nodes;
mod reasons;
mod recovery;
mod regions;
mod restarts;
mod retention;
mod sentinel;
mod server;
mod status;
mod status_pages;
mod subscribers;
mod texts;
mod tls;
mod trust;
mod watch;
mod world;

/// Runs each story on every database there is.
macro_rules! on_each_database {
    ($($story:ident)*) => { $(
        mod $story {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$story(crate::world::World::on_sqlite().await).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$story(crate::world::World::on_postgres().await).await;
            }
        }
    )* };
}
use on_each_database;
