//! Intake's side of the store: events are kept, durably, before anybody says that they are.

use std::collections::BTreeMap;

use bugle_domain::event::NewEvent;
use bugle_domain::stage::Stage;
use bugle_domain::{EventId, IntegrationId, NodeId, TenantId};

use crate::Store;
use crate::db::statement::Kind::{Bytes, Id, Int, Text};
use crate::db::statement::{Statement, Together};
use crate::db::value::{Rows, row, values, without_nul};
use crate::db::{Tx, WriteClass, retried};
use crate::error::StoreError;
use crate::ledger::{self, Entries};

/// What became of one event that was handed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Accepted {
    /// It is kept. Also the answer to a repeat under the same id.
    New,
    /// An event with the same idempotency key was kept before; this one is not.
    Repeat {
        /// The one that was kept.
        id: EventId,
        /// Both say the same.
        same_body: bool,
    },
}

pub(crate) static INSERT: Statement = Statement::with_rows(
    "INSERT INTO events (tenant_id, id, integration_id, dialect, action, received_us,
         idempotency_key, request_id, body, tries)
     SELECT r.tenant_id, r.id, r.integration_id, r.dialect, r.action, r.received_us,
         r.idempotency_key, r.request_id, r.body, 0
     FROM {rows}
     WHERE true
     ON CONFLICT DO NOTHING
     RETURNING id",
    0,
    &[
        ("tenant_id", Id),
        ("id", Id),
        ("integration_id", Id),
        ("dialect", Text),
        ("action", Text),
        ("received_us", Int),
        ("idempotency_key", Text),
        ("request_id", Id),
        ("body", Text),
    ],
);

pub(crate) static INSERT_RAW: Statement = Statement::with_rows(
    "INSERT INTO requests (tenant_id, integration_id, id, raw)
     SELECT r.tenant_id, r.integration_id, r.id, r.raw
     FROM {rows}
     WHERE true
     ON CONFLICT DO NOTHING",
    0,
    &[("tenant_id", Id), ("integration_id", Id), ("id", Id), ("raw", Bytes)],
);

/// What is kept beside an event that is new.
static KEEP: Together<2> = Together::new([&INSERT_RAW, &ledger::ADD]);

pub(crate) static BY_KEY: Statement = Statement::with_rows(
    "SELECT e.tenant_id, e.integration_id, e.idempotency_key, e.id, e.body
     FROM {rows}
     {lite:JOIN events e ON e.tenant_id = r.tenant_id AND e.integration_id = r.integration_id
         AND e.idempotency_key = r.idempotency_key AND e.idempotency_key IS NOT NULL}
     {pg:CROSS JOIN LATERAL (
         SELECT e.tenant_id, e.integration_id, e.idempotency_key, e.id, e.body
         FROM events e
         WHERE e.tenant_id = r.tenant_id AND e.integration_id = r.integration_id
             AND e.idempotency_key = r.idempotency_key AND e.idempotency_key IS NOT NULL
         LIMIT 1) AS e}",
    0,
    &[("tenant_id", Id), ("integration_id", Id), ("idempotency_key", Text)],
);

/// Where an idempotency key is unique.
type Key = (TenantId, IntegrationId, String);

impl Store {
    /// Keeps a batch of events in one durable commit, and says in their order what became of each.
    ///
    /// Takes no scope: each event carries its tenant, found from the key it came in with. Repeating
    /// the call under the same ids after an unknown commit changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if it is unknown whether the batch was kept.
    pub async fn accept_events(
        &self,
        node: NodeId,
        events: &[NewEvent],
    ) -> Result<Vec<Accepted>, StoreError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let bodies = events
            .iter()
            .map(|event| serde_json::to_string(&event.body))
            .collect::<Result<Vec<_>, _>>()
            .map_err(StoreError::from)?;
        retried!(self.accept_once(node, events, &bodies))
    }

    async fn accept_once(
        &self,
        node: NodeId,
        events: &[NewEvent],
        bodies: &[String],
    ) -> Result<Vec<Accepted>, StoreError> {
        let rows = to_rows(events, bodies);
        let mut tx = self.db.write(WriteClass::First).await?;
        let mut kept = Vec::with_capacity(events.len());
        for row in tx.rows(&INSERT, values![rows]).await? {
            kept.push(EventId::from_stored(row.id(0)?));
        }
        kept.sort_unstable();
        let mut entries = Entries::default();
        let mut raws = Rows::new();
        for event in events.iter().filter(|event| kept.binary_search(&event.id).is_ok()) {
            entries.of(event.tenant).accepted += 1;
            if let Some(raw) = &event.raw {
                raws.push(row![event.tenant, event.integration, event.id, raw.clone()]);
            }
        }
        let entries = entries.into_rows(Stage::Intake, Some(node));
        tx.run_together(&KEEP, [values![raws], values![entries]]).await?;
        let answers = if kept.len() == events.len() {
            vec![Accepted::New; events.len()]
        } else {
            repeats(&mut tx, events, bodies).await?
        };
        tx.commit().await?;
        Ok(answers)
    }
}

fn to_rows(events: &[NewEvent], bodies: &[String]) -> Rows {
    let mut rows = Rows::new();
    for (event, body) in events.iter().zip(bodies) {
        rows.push(row![
            event.tenant,
            event.id,
            event.integration,
            event.dialect.as_str(),
            event.body.action.as_str(),
            event.received_at,
            event.idempotency_key.clone(),
            event.request,
            body,
        ]);
    }
    rows
}

/// Answers a batch of which some were there before.
async fn repeats(
    tx: &mut Tx,
    events: &[NewEvent],
    bodies: &[String],
) -> Result<Vec<Accepted>, StoreError> {
    let mut keys = Rows::new();
    for event in events {
        if let Some(key) = &event.idempotency_key {
            keys.push(row![event.tenant, event.integration, key]);
        }
    }
    let mut first: BTreeMap<Key, (EventId, String)> = BTreeMap::new();
    if !keys.is_empty() {
        for row in tx.rows(&BY_KEY, values![keys]).await? {
            let key = (
                TenantId::from_stored(row.id(0)?),
                IntegrationId::from_stored(row.id(1)?),
                row.string(2)?,
            );
            first.insert(key, (EventId::from_stored(row.id(3)?), row.string(4)?));
        }
    }
    let answer = |(event, body): (&NewEvent, &String)| {
        let key = event.idempotency_key.clone().map(without_nul);
        let kept = key.and_then(|key| first.get(&(event.tenant, event.integration, key)));
        match kept {
            Some((id, kept)) if *id != event.id => {
                Accepted::Repeat { id: *id, same_body: kept == body }
            }
            Some(_) | None => Accepted::New,
        }
    };
    Ok(events.iter().zip(bodies).map(answer).collect())
}
