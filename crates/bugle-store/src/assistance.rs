//! Assistance requests, each with the trace that was attached to it.

use bugle_domain::{AllTenants, AssistanceId, TenantId, TenantScope};
use bugle_engine::assistance::AssistanceRequest;
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::alerts::json;
use crate::db::row::Row;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::error::StoreError;
use crate::readable::readable;

/// Open requests that are read at a time.
const PAGE: u32 = 200;

macro_rules! columns {
    () => {
        "r.id, r.version, r.document"
    };
}

/// Nothing is kept where the tenant has as many open as it may.
pub(crate) static OPEN_ONE: Statement = Statement::new(
    "INSERT INTO assistance (tenant_id, id, open, version, updated_us, document, trace)
     SELECT $1, $2, 1, 1, $3, {pg:$4::text}{lite:$4}, {pg:$5::text}{lite:$5}
     WHERE (SELECT COUNT(*) FROM assistance r
         WHERE r.tenant_id = $1 AND r.open = 1) < $6",
);

pub(crate) static SAVE: Statement = Statement::new(
    "UPDATE assistance
     SET open = $4, version = version + 1, updated_us = $5, document = $6,
         trace = COALESCE($7, trace)
     WHERE tenant_id = $1 AND id = $2 AND version = $3",
);

pub(crate) static ONE: Statement = Statement::new(concat!(
    "SELECT ",
    columns!(),
    ", r.trace FROM assistance r WHERE r.tenant_id = $1 AND r.id = $2"
));

pub(crate) static WHOSE: Statement =
    Statement::new("SELECT r.tenant_id FROM assistance r WHERE r.id = $1");

pub(crate) static LIST: Statement = Statement::new(concat!(
    "SELECT ",
    columns!(),
    " FROM assistance r WHERE r.tenant_id = $1 ORDER BY r.id DESC LIMIT $2"
));

pub(crate) static LIST_OPEN: Statement = Statement::new(concat!(
    "SELECT ",
    columns!(),
    " FROM assistance r WHERE r.open = 1 AND r.id < $1 ORDER BY r.id DESC LIMIT $2"
));

pub(crate) static COUNT_OPEN: Statement =
    Statement::new("SELECT COUNT(*) FROM assistance r WHERE r.tenant_id = $1 AND r.open = 1");

pub(crate) static LATEST: Statement = Statement::new(concat!(
    "SELECT ",
    columns!(),
    " FROM assistance r ORDER BY r.id DESC LIMIT $1"
));

/// Those that are closed and were not touched since `$2`.
pub(crate) static DROP: Statement = Statement::new(
    "DELETE FROM assistance WHERE tenant_id = $1 AND id IN (
         SELECT r.id FROM assistance r
         WHERE r.tenant_id = $1 AND r.updated_us < $2 AND r.open = 0
         ORDER BY r.updated_us LIMIT $3)",
);

/// An assistance request as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AssistanceRow {
    /// The request.
    pub request: AssistanceRequest,
    /// Rises with each change.
    pub version: i64,
}

/// Whether a request was kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenedAssistance {
    /// It is.
    Kept,
    /// The tenant has as many open as it may.
    TooMany,
}

impl Store {
    /// Keeps a new request with its trace, unless its tenant has `most` open already.
    pub async fn open_assistance(
        &self,
        scope: TenantScope,
        request: &AssistanceRequest,
        trace: Option<&str>,
        most: u32,
    ) -> Result<OpenedAssistance, StoreError> {
        let document = json(request)?;
        let at = request.updated_at();
        let values = values![scope.tenant(), request.id, at, document, trace, most];
        let kept = self.db.run(&OPEN_ONE, values).await? == 1;
        Ok(if kept { OpenedAssistance::Kept } else { OpenedAssistance::TooMany })
    }

    /// Keeps how a request stands now, and a trace where there is a new one. `false`: it was
    /// changed since that version, and nothing was kept.
    pub async fn save_assistance(
        &self,
        scope: TenantScope,
        row: &AssistanceRow,
        trace: Option<&str>,
    ) -> Result<bool, StoreError> {
        let AssistanceRow { request, version } = row;
        let (document, at) = (json(request)?, request.updated_at());
        let tenant = scope.tenant();
        let values = values![tenant, request.id, *version, request.open(), at, document, trace];
        Ok(self.db.run(&SAVE, values).await? == 1)
    }

    /// One request and its trace.
    pub async fn assistance(
        &self,
        scope: TenantScope,
        id: AssistanceId,
    ) -> Result<Option<(AssistanceRow, Option<String>)>, StoreError> {
        let row = self.db.row(&ONE, values![scope.tenant(), id]).await?;
        row.map(|row| Ok((request(&row)?, row.opt_text(3)?.map(str::to_owned)))).transpose()
    }

    /// Whose a request is.
    pub async fn tenant_of_assistance(
        &self,
        _: AllTenants,
        id: AssistanceId,
    ) -> Result<Option<TenantId>, StoreError> {
        let row = self.db.row(&WHOSE, values![id]).await?;
        row.map(|row| row.id(0).map(TenantId::from_stored)).transpose()
    }

    /// A tenant's newest requests, newest first.
    pub async fn assistance_of(
        &self,
        scope: TenantScope,
        limit: u32,
    ) -> Result<Vec<AssistanceRow>, StoreError> {
        let rows = self.db.rows(&LIST, values![scope.tenant(), limit]).await?;
        readable(&rows, request)
    }

    /// All requests that are open, newest first. How many there are is bounded by what each tenant
    /// may have open.
    pub async fn open_assistance_of_all(
        &self,
        _: AllTenants,
    ) -> Result<Vec<AssistanceRow>, StoreError> {
        let (mut before, mut found) = (Uuid::max(), Vec::new());
        loop {
            let rows = self.db.rows(&LIST_OPEN, values![before, PAGE]).await?;
            found.extend(readable(&rows, request)?);
            match rows.last() {
                Some(last) if rows.len() >= PAGE as usize => before = last.id(0)?,
                _ => return Ok(found),
            }
        }
    }

    /// How many requests a tenant has open.
    pub async fn count_open_assistance(&self, scope: TenantScope) -> Result<u32, StoreError> {
        let row = self.db.row(&COUNT_OPEN, values![scope.tenant()]).await?;
        let count = row.map(|row| row.int(0)).transpose()?.unwrap_or(0);
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// The newest requests, open or not, newest first.
    pub async fn assistance_of_all(
        &self,
        _: AllTenants,
        limit: u32,
    ) -> Result<Vec<AssistanceRow>, StoreError> {
        readable(&self.db.rows(&LATEST, values![limit]).await?, request)
    }

    /// Drops closed requests that nothing was done about since `before`, at most `limit`. Returns
    /// how many there were.
    pub async fn retain_assistance(
        &self,
        scope: TenantScope,
        before: Timestamp,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let gone = self.db.run(&DROP, values![scope.tenant(), before, limit]).await?;
        Ok(u32::try_from(gone).unwrap_or(u32::MAX))
    }
}

fn request(row: &Row) -> Result<AssistanceRow, StoreError> {
    let id = row.id(0)?;
    let request = serde_json::from_str(row.text(2)?)
        .map_err(|error| StoreError::corrupt(("assistance", "document"), id, error))?;
    Ok(AssistanceRow { request, version: row.int(1)? })
}
