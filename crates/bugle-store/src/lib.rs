//! The only SQL of Bugle, on SQLite and PostgreSQL.
//!
//! Architecture invariants: nothing here decides anything (passes take a closure that does);
//! nothing here reads the clock; no call to the outside happens inside a transaction; every
//! function takes a [`TenantScope`](bugle_domain::TenantScope) or says why not; another tenant's
//! row is not found.

mod access;
mod alerting;
mod alerts;
mod assistance;
mod backlog;
mod changes;
mod cleanup;
mod db;
mod decisions;
mod directory;
mod dispatch;
mod error;
mod events;
mod growth;
mod incidents;
mod intake;
mod keyed_requests;
mod keys;
mod ledger;
mod notifications;
mod placement;
mod readable;
mod reading;
mod receipts;
#[cfg(test)]
mod registry;
mod replies;
mod responses;
mod retention;
mod revisions;
mod status;
mod status_pages;
mod subscribed;
mod subscribers;
mod texts;
mod timeline;
mod tries;
mod watch;

use std::sync::Arc;

pub use access::Login;
pub use access::api_keys::ApiKey;
pub use access::sessions::Session;
pub use access::tokens::{Purpose, TakenToken};
pub use alerting::{AlertingPass, Decide, PassReport};
pub use assistance::{AssistanceRow, OpenedAssistance};
pub use changes::{Begun, Checkpoint, DrivenChange};
pub use cleanup::{CleanUpStep, RemovedThing, Stepped};
pub use db::connect::{DatabaseUrl, ParseDatabaseUrlError, PoolSettings};
pub use directory::ObjectChange;
pub use dispatch::{Claimed, DispatchPass, Judge, Stretch};
pub use error::{ErrorKind, StoreError};
pub use incidents::IncidentRow;
pub use incidents::rooms::RoomRow;
pub use intake::Accepted;
pub use keyed_requests::{KeptAnswer, KeyedRequest};
pub use placement::NodeBeat;
pub use reading::alerts::{AlertFilter, StatusCounts};
pub use reading::events::{CameFilter, EventFilter};
pub use reading::notifications::NotificationFilter;
pub use reading::requests::{RejectedRequest, Request};
pub use reading::{AuditRow, Audited};
pub use receipts::{Known, Lost, Overdue, Receive, RunOut};
pub use replies::LastMessage;
pub use responses::Respond;
pub use revisions::{NewRevision, RevisionSource, StageTarget, StoredRevision};
pub use status::BulletinRow;
pub use status_pages::PublicPage;
pub use subscribed::SubscriberCount;
pub use subscribers::{SubscriberClaim, SubscriberMessage, Untold};
pub use texts::{CodeAsked, TextCeiling};
pub use tries::TriedRow;
pub use watch::{CanaryRow, ReportRow};

/// Most tenants that one look finds something of: more than one installation has. What they have
/// may be due much later, and must not hide the tenants behind it.
const MAX_WALK: u32 = 50_000;

/// An open database. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    db: db::Db,
    url: Arc<DatabaseUrl>,
    turns: Arc<dispatch::Turns>,
    growth: Arc<growth::Growth>,
}

impl Store {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`] if the database is too old, or its schema newer than this program;
    /// [`StoreError::Migrate`] if a migration failed, which leaves the schema before it.
    pub async fn open(url: &DatabaseUrl, settings: PoolSettings) -> Result<Self, StoreError> {
        let db = db::connect::open(url, settings).await?;
        Ok(Self { db, url: Arc::new(url.clone()), turns: Arc::default(), growth: Arc::default() })
    }

    /// Opens the same database once more, on connections of its own: what holds these up does not
    /// hold those up. A writer waits for a lock as long as `settings` says, on either database.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub async fn beside(&self, settings: PoolSettings) -> Result<Self, StoreError> {
        let db = db::connect::open_beside(&self.url, &self.db, settings).await?;
        Ok(Self { db, url: Arc::clone(&self.url), turns: Arc::default(), growth: Arc::default() })
    }

    /// Connections in use, and how many there may be.
    pub fn connections(&self) -> (u32, u32) {
        self.db.connections()
    }

    /// The file that holds everything, where it is one.
    pub fn file(&self) -> Option<&std::path::Path> {
        match &*self.url {
            DatabaseUrl::Sqlite(path) => Some(path),
            DatabaseUrl::Postgres(_) => None,
        }
    }

    /// Which database it is, for people.
    pub fn dialect_name(&self) -> &'static str {
        match self.db.dialect() {
            db::statement::Dialect::Sqlite => "SQLite",
            db::statement::Dialect::Postgres => "PostgreSQL",
        }
    }

    /// Asks the database for an answer.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if there is none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.db.row(&PING, Vec::new()).await.map(drop)
    }

    /// Closes all connections, when what runs on them is done. Nothing works afterwards.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

pub(crate) static PING: db::statement::Statement = db::statement::Statement::new("SELECT 1");
