//! Intake's side of the store: events are kept, durably, before anybody says that they are.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::event::{EventBody, NewEvent};
use bugle_domain::stage::Stage;
use bugle_domain::{EventId, IntegrationId, NodeId, TenantId, TenantScope};

use crate::Store;
use crate::db::row::Row;
use crate::db::statement::Kind::{Bytes, Id, Int, Text};
use crate::db::statement::{Dialect, Statement, Together};
use crate::db::value::{Rows, Value, row, values, without_nul};
use crate::db::{WriteClass, retried};
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
static BESIDE: Together<2> = Together::new([&INSERT_RAW, &ledger::ADD]);

/// All of that as one statement and one transaction of its own, for PostgreSQL. Tenants' books are
/// taken in their order, so that two batches never wait for each other.
pub(crate) static KEEP: Statement = Statement::with_rows(
    "{pg:WITH given AS (}
     SELECT r.* FROM {rows}
     {pg:), kept AS (
         INSERT INTO events (tenant_id, id, integration_id, dialect, action, received_us,
             idempotency_key, request_id, body, tries)
         SELECT r.tenant_id, r.id, r.integration_id, r.dialect, r.action, r.received_us,
             r.idempotency_key, r.request_id, r.body, 0
         FROM given r
         ON CONFLICT DO NOTHING
         RETURNING tenant_id, id
     ), raws AS (
         INSERT INTO requests (tenant_id, integration_id, id, raw)
         SELECT r.tenant_id, r.integration_id, r.id, r.raw
         FROM given r JOIN kept k ON k.tenant_id = r.tenant_id AND k.id = r.id
         WHERE r.raw IS NOT NULL
         ON CONFLICT DO NOTHING
     ), books AS (
         INSERT INTO ledger (tenant_id, node_id, stage, accepted, alerted, folded, suppressed, owed,
             answered, delivered, failed, cancelled, expired)
         SELECT k.tenant_id, $1, $2, COUNT(*), 0, 0, 0, 0, 0, 0, 0, 0, 0
         FROM kept k
         GROUP BY k.tenant_id
         ORDER BY k.tenant_id
         ON CONFLICT (tenant_id, node_id, stage) DO UPDATE SET
             accepted = ledger.accepted + excluded.accepted
     )
     SELECT k.id FROM kept k}{lite:WHERE $1 = $2}",
    2,
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
        ("raw", Bytes),
    ],
);

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

    /// What an event of the integration folds by that came with one of these idempotency keys; the
    /// first of them that there is one for.
    pub async fn dedup_key_of(
        &self,
        scope: TenantScope,
        integration: IntegrationId,
        idempotency_keys: &[String],
    ) -> Result<Option<String>, StoreError> {
        let mut keys = Rows::new();
        for key in idempotency_keys {
            keys.push(row![scope.tenant(), integration, key]);
        }
        if keys.is_empty() {
            return Ok(None);
        }
        let mut found = BTreeMap::new();
        for row in self.db.rows(&BY_KEY, values![keys]).await? {
            let body: EventBody = serde_json::from_str(row.text(4)?)?;
            found.insert(row.string(2)?, body.dedup_key);
        }
        Ok(idempotency_keys.iter().find_map(|key| found.remove(key)))
    }

    async fn accept_once(
        &self,
        node: NodeId,
        events: &[NewEvent],
        bodies: &[String],
    ) -> Result<Vec<Accepted>, StoreError> {
        let kept = match self.db.dialect() {
            Dialect::Postgres => self.keep_at_once(node, events, bodies).await?,
            Dialect::Sqlite => self.keep_in_steps(node, events, bodies).await?,
        };
        if kept.len() == events.len() {
            return Ok(vec![Accepted::New; events.len()]);
        }
        self.repeats(events, bodies).await
    }

    /// Keeps what is new; the ids of that.
    async fn keep_at_once(
        &self,
        node: NodeId,
        events: &[NewEvent],
        bodies: &[String],
    ) -> Result<BTreeSet<EventId>, StoreError> {
        let mut rows = Rows::new();
        for (event, body) in events.iter().zip(bodies) {
            let [tenant, id, integration, dialect, action, at, key, request, body] =
                event_row(event, body);
            let raw = Value::from(event.raw.clone());
            rows.push([tenant, id, integration, dialect, action, at, key, request, body, raw]);
        }
        let values = values![node, Stage::Intake.as_str(), rows];
        ids(&self.db.rows(&KEEP, values).await?)
    }

    /// The same on SQLite, where a statement costs no round trip and cannot write to two tables.
    async fn keep_in_steps(
        &self,
        node: NodeId,
        events: &[NewEvent],
        bodies: &[String],
    ) -> Result<BTreeSet<EventId>, StoreError> {
        let mut rows = Rows::new();
        for (event, body) in events.iter().zip(bodies) {
            rows.push(event_row(event, body));
        }
        let mut tx = self.db.write(WriteClass::First).await?;
        let kept = ids(&tx.rows(&INSERT, values![rows]).await?)?;
        let mut entries = Entries::default();
        let mut raws = Rows::new();
        for event in events.iter().filter(|event| kept.contains(&event.id)) {
            entries.of(event.tenant).accepted += 1;
            if let Some(raw) = &event.raw {
                raws.push(row![event.tenant, event.integration, event.id, raw.clone()]);
            }
        }
        let entries = entries.into_rows(Stage::Intake, Some(node));
        tx.run_together(&BESIDE, [values![raws], values![entries]]).await?;
        tx.commit().await?;
        Ok(kept)
    }

    /// Answers a batch of which some were there before.
    async fn repeats(
        &self,
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
            for row in self.db.rows(&BY_KEY, values![keys]).await? {
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
}

fn ids(rows: &[Row]) -> Result<BTreeSet<EventId>, StoreError> {
    rows.iter().map(|row| row.id(0).map(EventId::from_stored)).collect()
}

fn event_row(event: &NewEvent, body: &str) -> [Value; 9] {
    row![
        event.tenant,
        event.id,
        event.integration,
        event.dialect.as_str(),
        event.body.action.as_str(),
        event.received_at,
        event.idempotency_key.clone(),
        event.request,
        body,
    ]
}
