//! Status pages of tenants: what each tells the public, and how each service did.

use bugle_domain::object::{Object, ObjectKind};
use bugle_domain::status_page::StatusPage;
use bugle_domain::{
    AllTenants, BulletinId, ServiceId, Severity, StatusPageId, TenantId, TenantScope,
};
use bugle_engine::status::State;
use bugle_engine::status::bulletin::Bulletin;
use bugle_engine::status::history::Span;
use jiff::Timestamp;

use crate::Store;
use crate::alerts::json;
use crate::db::row::Row;
use crate::db::statement::Kind::{Id, Int, Text};
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::db::{WriteClass, retried};
use crate::directory::object;
use crate::error::StoreError;
use crate::readable::{or_skipped, readable};
use crate::status::BulletinRow;

/// Bulletins of a page that are read at once, those that are open first.
const MAX_BULLETINS: u32 = 100;
/// Spans of a page that are read at once.
const MAX_SPANS: u32 = 10_000;

/// In the text of a document only a key stands between quotes that nothing escapes and a colon.
pub(crate) static PAGES: Statement = Statement::new(
    "SELECT o.tenant_id, o.id, o.data FROM objects o
     WHERE o.kind = 'status_page' AND o.data NOT LIKE '%\"enabled\":false%'
     ORDER BY o.tenant_id, o.id LIMIT $1",
);

/// An index of what is open has all that this reads.
pub(crate) static ALERTS: Statement = Statement::new(
    "SELECT DISTINCT a.service_id, a.severity FROM alerts a
     WHERE a.tenant_id = $1 AND a.status IN ('open', 'acknowledged')
         AND a.service_id IS NOT NULL",
);

/// What is said of a page that was deleted meanwhile is not kept. Who deletes it at this moment
/// waits for this, or this for them.
pub(crate) static PUBLISH: Statement = Statement::new(
    "INSERT INTO page_bulletins (tenant_id, page_id, id, open, version, updated_us, document)
     SELECT $1, $2, $3, $4, 1, $5, $6
     WHERE EXISTS (SELECT 1 FROM objects o
         WHERE o.tenant_id = $1 AND o.kind = 'status_page' AND o.id = $2{pg: FOR SHARE})
     ON CONFLICT DO NOTHING",
);

pub(crate) static SAVE: Statement = Statement::new(
    "UPDATE page_bulletins
     SET open = $5, version = version + 1, updated_us = $6, document = $7
     WHERE tenant_id = $1 AND page_id = $2 AND id = $3 AND version = $4",
);

pub(crate) static LATEST: Statement = Statement::new(
    "SELECT l.id, l.version, l.document FROM (
         SELECT b.id, b.version, b.document FROM page_bulletins b
         WHERE b.tenant_id = $1 AND b.page_id = $2 AND (b.open = 1 OR b.updated_us >= $3)
         ORDER BY b.open DESC, b.id DESC LIMIT $4
     ) l ORDER BY l.id DESC",
);

pub(crate) static ONE: Statement = Statement::new(
    "SELECT b.id, b.version, b.document FROM page_bulletins b
     WHERE b.tenant_id = $1 AND b.page_id = $2 AND b.id = $3",
);

/// Nor is how its services did.
pub(crate) static KEEP: Statement = Statement::with_rows(
    "INSERT INTO page_spans (tenant_id, page_id, service_id, from_us, until_us, state)
     SELECT $1, $2, r.id, r.from_us, r.until_us, r.state FROM {rows}
     WHERE EXISTS (SELECT 1 FROM objects o
         WHERE o.tenant_id = $1 AND o.kind = 'status_page' AND o.id = $2{pg: FOR SHARE})
     ON CONFLICT (tenant_id, page_id, service_id, from_us) DO UPDATE SET
         until_us = excluded.until_us, state = excluded.state",
    2,
    &[("id", Id), ("from_us", Int), ("until_us", Int), ("state", Text)],
);

pub(crate) static FORGET: Statement = Statement::new(
    "DELETE FROM page_spans WHERE tenant_id = $1 AND page_id = $2 AND until_us < $3",
);

pub(crate) static SPANS: Statement = Statement::new(
    "SELECT s.service_id, s.state, s.from_us, s.until_us FROM page_spans s
     WHERE s.tenant_id = $1 AND s.page_id = $2 AND s.until_us >= $3
     ORDER BY s.from_us DESC, s.service_id LIMIT $4",
);

/// What a page that is deleted told goes with it.
pub(crate) static DROP_BULLETINS: Statement = Statement::with_rows(
    "DELETE FROM page_bulletins WHERE tenant_id = $1
         AND page_id IN (SELECT r.id FROM {rows} WHERE r.kind = 'status_page')",
    1,
    &[("kind", Text), ("id", Id)],
);

/// How its services did goes, too.
pub(crate) static DROP_SPANS: Statement = Statement::with_rows(
    "DELETE FROM page_spans WHERE tenant_id = $1
         AND page_id IN (SELECT r.id FROM {rows} WHERE r.kind = 'status_page')",
    1,
    &[("kind", Text), ("id", Id)],
);

/// A status page that the public may read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicPage {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub id: StatusPageId,
    /// What it is; `None`: it does not read.
    pub page: Option<StatusPage>,
}

impl Store {
    /// The pages of every tenant that the public may read, at most so many.
    pub async fn public_pages(
        &self,
        _: AllTenants,
        most: u32,
    ) -> Result<Vec<PublicPage>, StoreError> {
        self.db.rows(&PAGES, values![most]).await?.iter().map(public_page).collect()
    }

    /// Which services of a tenant have open alerts, and how severe those are.
    pub async fn services_in_trouble(
        &self,
        scope: TenantScope,
    ) -> Result<Vec<(ServiceId, Severity)>, StoreError> {
        let rows = self.db.rows(&ALERTS, values![scope.tenant()]).await?;
        rows.iter().filter_map(|row| in_trouble(row).transpose()).collect()
    }

    /// Keeps a new bulletin of a page. `false`: there is no such page, and nothing was kept.
    pub async fn publish_page_bulletin(
        &self,
        scope: TenantScope,
        page: StatusPageId,
        bulletin: &Bulletin<ServiceId>,
    ) -> Result<bool, StoreError> {
        let (at, document) = (bulletin.updated_at(), json(bulletin)?);
        let of = (scope.tenant(), bulletin.id);
        let values = values![of.0, page, of.1, bulletin.open(), at, document];
        Ok(self.db.run(&PUBLISH, values).await? == 1)
    }

    /// Keeps what a bulletin of a page says now. `false`: it was changed since that version, or is
    /// not this page's, and nothing was kept.
    pub async fn save_page_bulletin(
        &self,
        scope: TenantScope,
        page: StatusPageId,
        row: &BulletinRow<ServiceId>,
    ) -> Result<bool, StoreError> {
        let BulletinRow { bulletin, version } = row;
        let (at, document) = (bulletin.updated_at(), json(bulletin)?);
        let of = (scope.tenant(), bulletin.id);
        let values = values![of.0, page, of.1, *version, bulletin.open(), at, document];
        Ok(self.db.run(&SAVE, values).await? == 1)
    }

    /// Bulletins of a page that are open or that something was said in since then, newest first.
    pub async fn page_bulletins(
        &self,
        scope: TenantScope,
        page: StatusPageId,
        since: Timestamp,
    ) -> Result<Vec<BulletinRow<ServiceId>>, StoreError> {
        let values = values![scope.tenant(), page, since, MAX_BULLETINS];
        readable(&self.db.rows(&LATEST, values).await?, bulletin)
    }

    /// One bulletin of a page.
    pub async fn page_bulletin(
        &self,
        scope: TenantScope,
        page: StatusPageId,
        id: BulletinId,
    ) -> Result<Option<BulletinRow<ServiceId>>, StoreError> {
        let row = self.db.row(&ONE, values![scope.tenant(), page, id]).await?;
        row.as_ref().map(bulletin).transpose()
    }

    /// Keeps spans of a page, each over what is kept of it. What ended before `old` is forgotten.
    pub async fn save_page_spans(
        &self,
        scope: TenantScope,
        page: StatusPageId,
        spans: &[Span<ServiceId>],
        old: Timestamp,
    ) -> Result<(), StoreError> {
        retried!(self.save_page_spans_once((scope.tenant(), page), spans, old))
    }

    async fn save_page_spans_once(
        &self,
        (tenant, page): (TenantId, StatusPageId),
        spans: &[Span<ServiceId>],
        old: Timestamp,
    ) -> Result<(), StoreError> {
        let mut rows = Rows::new();
        for it in spans {
            rows.push(row![it.component, it.from, it.until, it.state.as_str()]);
        }
        let mut tx = self.db.write(WriteClass::Then).await?;
        if !rows.is_empty() {
            tx.run(&KEEP, values![tenant, page, rows]).await?;
        }
        tx.run(&FORGET, values![tenant, page, old]).await?;
        tx.commit().await
    }

    /// Spans of a page that had not ended by then, the latest first.
    pub async fn page_spans(
        &self,
        scope: TenantScope,
        page: StatusPageId,
        since: Timestamp,
    ) -> Result<Vec<Span<ServiceId>>, StoreError> {
        let values = values![scope.tenant(), page, since, MAX_SPANS];
        let rows = self.db.rows(&SPANS, values).await?;
        // A word that this version does not know is a state of a newer one.
        rows.iter().filter_map(|row| span(row).transpose()).collect()
    }
}

fn public_page(row: &Row) -> Result<PublicPage, StoreError> {
    let (tenant, id) = (TenantId::from_stored(row.id(0)?), row.id(1)?);
    let page = or_skipped(object(ObjectKind::StatusPage, id, row.text(2)?))?;
    let page = page.and_then(|it| match it {
        Object::StatusPage(page) => Some(page),
        _ => None,
    });
    Ok(PublicPage { tenant, id: StatusPageId::from_stored(id), page })
}

fn in_trouble(row: &Row) -> Result<Option<(ServiceId, Severity)>, StoreError> {
    let service = ServiceId::from_stored(row.id(0)?);
    Ok(Severity::parse(row.text(1)?).map(|severity| (service, severity)))
}

fn bulletin(row: &Row) -> Result<BulletinRow<ServiceId>, StoreError> {
    let id = row.id(0)?;
    let bulletin = serde_json::from_str(row.text(2)?)
        .map_err(|error| StoreError::corrupt(("page_bulletins", "document"), id, error))?;
    Ok(BulletinRow { bulletin, version: row.int(1)? })
}

fn span(row: &Row) -> Result<Option<Span<ServiceId>>, StoreError> {
    let component = ServiceId::from_stored(row.id(0)?);
    let (from, until) = (row.time(2)?, row.time(3)?);
    Ok(State::parse(row.text(1)?).map(|state| Span { component, state, from, until }))
}
