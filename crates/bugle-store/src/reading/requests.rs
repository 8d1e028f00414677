//! The last requests of an integration, accepted and rejected.

use std::collections::BTreeMap;

use bugle_domain::integration::Dialect;
use bugle_domain::{EventId, IntegrationId, TenantScope};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::db::WriteClass;
use crate::db::statement::Kind::Id;
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::error::StoreError;

/// Rejected requests kept of each integration.
const KEPT_REJECTED: u32 = 50;

/// A request that was not accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RejectedRequest {
    /// When it had been read.
    pub at: Timestamp,
    /// What its sender spoke.
    pub dialect: Dialect,
    /// The HTTP status it was answered with.
    pub status: u16,
    /// Why, as a stable token.
    pub code: String,
    /// Why, in words.
    pub detail: String,
    /// What was received, as far as it is kept.
    pub raw: Vec<u8>,
}

/// A request of an integration, as kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// It was accepted.
    Accepted {
        /// When it had been read.
        at: Timestamp,
        /// What its sender spoke.
        dialect: Dialect,
        /// The events it held, first to last.
        events: Vec<EventId>,
        /// What was received.
        raw: Vec<u8>,
    },
    /// It was not.
    Rejected(RejectedRequest),
}

impl Request {
    /// When it had been read.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Accepted { at, .. } => *at,
            Self::Rejected(rejected) => rejected.at,
        }
    }
}

pub(crate) static KEEP: Statement = Statement::new(
    "INSERT INTO rejected_requests (tenant_id, integration_id, at_us, dialect, status, code,
         detail, raw)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT DO NOTHING",
);

pub(crate) static FORGET: Statement = Statement::new(
    "DELETE FROM rejected_requests
     WHERE tenant_id = $1 AND integration_id = $2 AND at_us <= (
         SELECT q.at_us FROM rejected_requests q
         WHERE q.tenant_id = $1 AND q.integration_id = $2
         ORDER BY q.at_us DESC LIMIT 1 OFFSET $3)",
);

pub(crate) static REJECTED: Statement = Statement::new(
    "SELECT q.at_us, q.dialect, q.status, q.code, q.detail, q.raw FROM rejected_requests q
     WHERE q.tenant_id = $1 AND q.integration_id = $2
     ORDER BY q.at_us DESC LIMIT $3",
);

pub(crate) static REJECTED_BETWEEN: Statement = Statement::new(
    "SELECT q.at_us, q.detail FROM rejected_requests q
     WHERE q.tenant_id = $1 AND q.at_us >= $2 AND q.at_us <= $3
         AND ({pg:$4::uuid}{lite:$4} IS NULL OR q.integration_id = $4)
     ORDER BY q.at_us DESC LIMIT $5",
)
.filtering();

pub(crate) static ACCEPTED: Statement = Statement::new(
    "SELECT q.id, e.received_us, e.dialect, q.raw FROM requests q
     JOIN events e ON e.tenant_id = q.tenant_id AND e.id = q.id
     WHERE q.tenant_id = $1 AND q.integration_id = $2
     ORDER BY q.id DESC LIMIT $3",
);

/// The events of requests that held several; the first has the request's id.
pub(crate) static OTHER_EVENTS: Statement = Statement::with_rows(
    "SELECT e.request_id, e.id FROM {rows}
     JOIN events e ON e.tenant_id = $1 AND e.request_id = r.id AND e.request_id <> e.id
         {any:e.request_id=id}
     ORDER BY e.id",
    1,
    &[("id", Id)],
);

impl Store {
    /// Keeps a request that was rejected; only the newest 50 of an integration are.
    pub async fn note_rejected(
        &self,
        scope: TenantScope,
        integration: IntegrationId,
        request: &RejectedRequest,
    ) -> Result<(), StoreError> {
        let tenant = scope.tenant();
        let mut tx = self.db.write(WriteClass::Then).await?;
        let values = values![
            tenant,
            integration,
            request.at,
            request.dialect.as_str(),
            request.status,
            &request.code,
            &request.detail,
            request.raw.clone(),
        ];
        tx.run(&KEEP, values).await?;
        tx.run(&FORGET, values![tenant, integration, KEPT_REJECTED]).await?;
        tx.commit().await
    }

    /// When and why requests were rejected in a time, newest first, by one way in or by any; as far
    /// as they are kept.
    pub async fn rejected_between(
        &self,
        scope: TenantScope,
        integration: Option<IntegrationId>,
        (from, until): (Timestamp, Timestamp),
        limit: u32,
    ) -> Result<Vec<(Timestamp, String)>, StoreError> {
        let values = values![scope.tenant(), from, until, integration, limit];
        let rows = self.db.rows(&REJECTED_BETWEEN, values).await?;
        rows.iter().map(|row| Ok((row.time(0)?, row.string(1)?))).collect()
    }

    /// The last requests of an integration, accepted and rejected, newest first.
    pub async fn requests(
        &self,
        scope: TenantScope,
        integration: IntegrationId,
        limit: u32,
    ) -> Result<Vec<Request>, StoreError> {
        let tenant = scope.tenant();
        let mut requests = Vec::new();
        for row in self.db.rows(&REJECTED, values![tenant, integration, limit]).await? {
            requests.push(Request::Rejected(RejectedRequest {
                at: row.time(0)?,
                dialect: dialect(row.text(1)?, integration.as_uuid())?,
                status: u16::try_from(row.int(2)?).unwrap_or(0),
                code: row.string(3)?,
                detail: row.string(4)?,
                raw: row.bytes(5)?,
            }));
        }
        let accepted = self.db.rows(&ACCEPTED, values![tenant, integration, limit]).await?;
        let mut rows = Rows::new();
        for row in &accepted {
            rows.push(row![row.id(0)?]);
        }
        let mut others: BTreeMap<Uuid, Vec<EventId>> = BTreeMap::new();
        if !rows.is_empty() {
            for row in self.db.rows(&OTHER_EVENTS, values![tenant, rows]).await? {
                others.entry(row.id(0)?).or_default().push(EventId::from_stored(row.id(1)?));
            }
        }
        for row in accepted {
            let id = row.id(0)?;
            let mut events = vec![EventId::from_stored(id)];
            events.append(&mut others.remove(&id).unwrap_or_default());
            requests.push(Request::Accepted {
                at: row.time(1)?,
                dialect: dialect(row.text(2)?, id)?,
                events,
                raw: row.bytes(3)?,
            });
        }
        requests.sort_by_key(|request| std::cmp::Reverse(request.at()));
        requests.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(requests)
    }
}

fn dialect(word: &str, id: Uuid) -> Result<Dialect, StoreError> {
    Dialect::parse(word)
        .ok_or_else(|| StoreError::corrupt(("requests", "dialect"), id, "no such dialect"))
}
