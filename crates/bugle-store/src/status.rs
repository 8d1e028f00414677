//! What the public is told, and how each component did.
//!
//! Nothing here takes a scope: the status page is the installation's own. Those of tenants are in
//! [`crate::status_pages`].

use bugle_domain::{BulletinId, IncidentId};
use bugle_engine::status::bulletin::Bulletin;
use bugle_engine::status::history::Span;
use bugle_engine::status::{Component, State};
use jiff::Timestamp;

use crate::Store;
use crate::alerts::json;
use crate::db::row::Row;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::db::{WriteClass, retried};
use crate::error::StoreError;
use crate::readable::readable;

/// Bulletins that are read at once, those that are open first.
const MAX_BULLETINS: u32 = 100;
/// Spans that are read at once: a change of some component each quarter of an hour for 90 days.
const MAX_SPANS: u32 = 10_000;

pub(crate) static PUBLISH: Statement = Statement::new(
    "INSERT INTO status_bulletins (id, incident_id, open, version, updated_us, document)
     VALUES ($1, $2, $3, 1, $4, $5)
     ON CONFLICT DO NOTHING",
);

pub(crate) static SAVE: Statement = Statement::new(
    "UPDATE status_bulletins
     SET open = $3, version = version + 1, updated_us = $4, document = $5
     WHERE id = $1 AND version = $2",
);

pub(crate) static LATEST: Statement = Statement::new(
    "SELECT l.id, l.version, l.document FROM (
         SELECT b.id, b.version, b.document FROM status_bulletins b
         WHERE b.open = 1 OR b.updated_us >= $1
         ORDER BY b.open DESC, b.id DESC LIMIT $2
     ) l ORDER BY l.id DESC",
);

pub(crate) static ONE: Statement =
    Statement::new("SELECT b.id, b.version, b.document FROM status_bulletins b WHERE b.id = $1");

pub(crate) static OF_INCIDENT: Statement = Statement::new(
    "SELECT b.id, b.version, b.document FROM status_bulletins b WHERE b.incident_id = $1",
);

pub(crate) static KEEP: Statement = Statement::new(
    "INSERT INTO status_spans (component, from_us, until_us, state) VALUES ($1, $2, $3, $4)
     ON CONFLICT (component, from_us) DO UPDATE SET
         until_us = excluded.until_us, state = excluded.state",
);

pub(crate) static FORGET: Statement =
    Statement::new("DELETE FROM status_spans WHERE until_us < $1");

pub(crate) static SPANS: Statement = Statement::new(
    "SELECT s.component, s.state, s.from_us, s.until_us FROM status_spans s
     WHERE s.until_us >= $1 ORDER BY s.from_us DESC, s.component LIMIT $2",
);

/// A bulletin as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BulletinRow<C = Component> {
    /// The bulletin.
    pub bulletin: Bulletin<C>,
    /// Rises with each change.
    pub version: i64,
}

impl Store {
    /// Keeps a new bulletin. `false`: there is one of the same incident, and nothing was kept.
    pub async fn publish_bulletin(&self, bulletin: &Bulletin) -> Result<bool, StoreError> {
        let document = json(bulletin)?;
        let at = bulletin.updated_at();
        let values = values![bulletin.id, bulletin.incident(), bulletin.open(), at, document];
        Ok(self.db.run(&PUBLISH, values).await? == 1)
    }

    /// Keeps what a bulletin says now. `false`: it was changed since that version, and nothing was
    /// kept.
    pub async fn save_bulletin(&self, row: &BulletinRow) -> Result<bool, StoreError> {
        let BulletinRow { bulletin, version } = row;
        let document = json(bulletin)?;
        let at = bulletin.updated_at();
        let values = values![bulletin.id, *version, bulletin.open(), at, document];
        Ok(self.db.run(&SAVE, values).await? == 1)
    }

    /// Bulletins that are open or that something was said in since then, newest first.
    pub async fn bulletins(&self, since: Timestamp) -> Result<Vec<BulletinRow>, StoreError> {
        let rows = self.db.rows(&LATEST, values![since, MAX_BULLETINS]).await?;
        readable(&rows, bulletin)
    }

    /// One bulletin.
    pub async fn bulletin(&self, id: BulletinId) -> Result<Option<BulletinRow>, StoreError> {
        self.db.row(&ONE, values![id]).await?.as_ref().map(bulletin).transpose()
    }

    /// The bulletin that tells of this incident.
    pub async fn bulletin_of_incident(
        &self,
        id: IncidentId,
    ) -> Result<Option<BulletinRow>, StoreError> {
        self.db.row(&OF_INCIDENT, values![id]).await?.as_ref().map(bulletin).transpose()
    }

    /// Keeps spans, each over what is kept of it. What ended before `old` is forgotten.
    pub async fn save_status_spans(
        &self,
        spans: &[Span],
        old: Timestamp,
    ) -> Result<(), StoreError> {
        retried!(self.save_status_spans_once(spans, old))
    }

    async fn save_status_spans_once(
        &self,
        spans: &[Span],
        old: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        for span in spans {
            let (component, state) = (span.component.as_str(), span.state.as_str());
            tx.run(&KEEP, values![component, span.from, span.until, state]).await?;
        }
        tx.run(&FORGET, values![old]).await?;
        tx.commit().await
    }

    /// Spans that had not ended by then, the latest first.
    pub async fn status_spans(&self, since: Timestamp) -> Result<Vec<Span>, StoreError> {
        let rows = self.db.rows(&SPANS, values![since, MAX_SPANS]).await?;
        // A word that this version does not know is a component or state of a newer one.
        rows.iter().filter_map(|row| span(row).transpose()).collect()
    }
}

pub(crate) fn bulletin(row: &Row) -> Result<BulletinRow, StoreError> {
    let id = row.id(0)?;
    let bulletin = serde_json::from_str(row.text(2)?)
        .map_err(|error| StoreError::corrupt(("status_bulletins", "document"), id, error))?;
    Ok(BulletinRow { bulletin, version: row.int(1)? })
}

fn span(row: &Row) -> Result<Option<Span>, StoreError> {
    let known = Component::parse(row.text(0)?).zip(State::parse(row.text(1)?));
    let (from, until) = (row.time(2)?, row.time(3)?);
    Ok(known.map(|(component, state)| Span { component, state, from, until }))
}
