//! Lists of events, and the bytes they came in.

use bugle_domain::event::Event;
use bugle_domain::{AlertId, EventId, IntegrationId, TenantScope};
use jiff::Timestamp;

use crate::Store;
use crate::db::statement::Kind::Id;
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::error::StoreError;
use crate::events::{event, event_columns};

/// Which events are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EventFilter {
    /// By this way in.
    pub integration: Option<IntegrationId>,
    /// That went into this alert.
    pub alert: Option<AlertId>,
    /// Only those without an outcome.
    pub pending: bool,
}

/// What clients sent in a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CameFilter<'a> {
    /// By this way in; by any of the tenant's own where none is named.
    pub integration: Option<IntegrationId>,
    /// From then.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
    /// But not those whose idempotency key begins with this.
    pub without: &'a str,
    /// Only those without an outcome.
    pub pending: bool,
}

pub(crate) static BY_ID: Statement = Statement::new(concat!(
    "SELECT ",
    event_columns!(),
    " FROM events e WHERE e.tenant_id = $1 AND e.id = $2"
));

pub(crate) static RAW: Statement = Statement::new(
    "SELECT q.raw FROM events e
     JOIN requests q ON q.tenant_id = e.tenant_id AND q.integration_id = e.integration_id
         AND q.id = e.request_id
     WHERE e.tenant_id = $1 AND e.id = $2",
);

macro_rules! list {
    ($condition:literal) => {
        Statement::new(concat!(
            "SELECT ",
            event_columns!(),
            " FROM events e
             WHERE e.tenant_id = $1
                 AND ({pg:$2::uuid}{lite:$2} IS NULL OR e.id < $2)
                 AND ({pg:$3::uuid}{lite:$3} IS NULL OR e.integration_id = $3)
                 AND ",
            $condition,
            " ORDER BY e.id DESC LIMIT $5"
        ))
        .filtering()
    };
}

pub(crate) static LIST: Statement = list!("{pg:$4::uuid}{lite:$4} IS NULL");
pub(crate) static LIST_PENDING: Statement =
    list!("e.outcome IS NULL AND ({pg:$4::uuid}{lite:$4} IS NULL OR e.alert_id = $4)");
pub(crate) static LIST_OF_ALERT: Statement = list!("e.alert_id = $4");

/// The ids bound what is read; the times, which are more precise, what is wanted.
macro_rules! came {
    ($condition:literal) => {
        Statement::new(concat!(
            "SELECT ",
            event_columns!(),
            " FROM events e
             WHERE e.tenant_id = $1 AND e.id >= $2 AND e.id <= $3
                 AND e.received_us >= $4 AND e.received_us <= $5
                 AND ({pg:$6::uuid}{lite:$6} IS NULL OR e.integration_id = $6)
                 AND e.integration_id <> $7
                 AND (e.idempotency_key IS NULL
                     OR substr(e.idempotency_key, 1, {pg:$8::bigint::int}{lite:$8}) <> $9)",
            $condition,
            " ORDER BY e.id DESC LIMIT $10"
        ))
        .filtering()
    };
}

pub(crate) static CAME: Statement = came!("");
pub(crate) static CAME_PENDING: Statement = came!(" AND e.outcome IS NULL");

pub(crate) static CHANGES: Statement = Statement::with_rows(
    concat!(
        "SELECT ",
        event_columns!(),
        " FROM {rows}
         JOIN events e ON e.tenant_id = $1 AND e.integration_id = r.id AND e.action = 'change'
             AND e.id >= $2{any:e.integration_id=id}
         ORDER BY e.id DESC LIMIT $3"
    ),
    3,
    &[("id", Id)],
);

impl Store {
    /// An event.
    pub async fn event(
        &self,
        scope: TenantScope,
        id: EventId,
    ) -> Result<Option<Event>, StoreError> {
        let row = self.db.row(&BY_ID, values![scope.tenant(), id]).await?;
        row.map(|row| event(&row, 0)).transpose()
    }

    /// The bytes of the request that an event came in, while they are kept.
    pub async fn raw_request(
        &self,
        scope: TenantScope,
        id: EventId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.db.row(&RAW, values![scope.tenant(), id]).await?;
        row.map(|row| row.bytes(0)).transpose()
    }

    /// The events that are wanted, newest first, from before the event `before`.
    pub async fn events(
        &self,
        scope: TenantScope,
        filter: EventFilter,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let EventFilter { integration, alert, pending } = filter;
        let statement = match (alert, pending) {
            (_, true) => &LIST_PENDING,
            (Some(_), false) => &LIST_OF_ALERT,
            (None, false) => &LIST,
        };
        let values = values![scope.tenant(), before, integration, alert, limit];
        self.db.rows(statement, values).await?.iter().map(|row| event(row, 0)).collect()
    }

    /// What clients sent in a time, newest first. What Bugle said itself is not among it.
    pub async fn events_that_came(
        &self,
        scope: TenantScope,
        filter: CameFilter<'_>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let CameFilter { integration, from, until, without, pending } = filter;
        let statement = if pending { &CAME_PENDING } else { &CAME };
        // Ids rise with time.
        let (first, last) = (EventId::new(from, [0; 10]), EventId::new(until, [u8::MAX; 10]));
        let (tenant, own) = (scope.tenant(), IntegrationId::OWN);
        let chars = i64::try_from(without.chars().count()).unwrap_or(i64::MAX);
        let values =
            values![tenant, first, last, from, until, integration, own, chars, without, limit];
        self.db.rows(statement, values).await?.iter().map(|row| event(row, 0)).collect()
    }

    /// The change events that came by any of these integrations since then, newest first.
    pub async fn changes(
        &self,
        scope: TenantScope,
        integrations: &[IntegrationId],
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let mut rows = Rows::new();
        for integration in integrations {
            rows.push(row![*integration]);
        }
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        // Ids rise with time.
        let first = EventId::new(since, [0; 10]);
        let values = values![scope.tenant(), first, limit, rows];
        self.db.rows(&CHANGES, values).await?.iter().map(|row| event(row, 0)).collect()
    }
}
