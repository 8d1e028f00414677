//! Alerts as rows.

use bugle_domain::alert::{Actor, Alert, AlertStatus, Escalation, StampedPolicy};
use bugle_domain::event::Link;
use bugle_domain::{AlertId, EventId, IntegrationId, ServiceId, Severity, TenantScope};
use bugle_engine::dispatch::AlertBrief;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Store;
use crate::db::row::Row;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::error::StoreError;

/// The columns that [`alert`] reads, of the table named `a`.
macro_rules! alert_columns {
    () => {
        "a.id, a.number, a.integration_id, a.service_id, a.dedup_key, a.status, a.severity,
         a.summary, a.source, a.extra, a.policy, a.escalation, a.resolve_us, a.opened_by,
         a.opened_us, a.event_count, a.last_event_us, a.acknowledged, a.resolved_us"
    };
}
pub(crate) use alert_columns;

/// The columns that [`brief`] reads, of the table named `a`.
macro_rules! brief_columns {
    () => {
        "a.id, a.number, a.status, a.severity, a.summary, a.source, a.dedup_key,
         a.integration_id, a.service_id, a.extra, a.opened_us, a.event_count"
    };
}
pub(crate) use brief_columns;

/// How many columns that is.
pub(crate) const BRIEF_COLUMNS: usize = 12;

pub(crate) static BY_ID: Statement = Statement::new(concat!(
    "SELECT ",
    alert_columns!(),
    " FROM alerts a WHERE a.tenant_id = $1 AND a.id = $2"
));

pub(crate) static BY_NUMBER: Statement = Statement::new(concat!(
    "SELECT ",
    alert_columns!(),
    " FROM alerts a WHERE a.tenant_id = $1 AND a.number = $2"
));

impl Store {
    /// An alert.
    pub async fn alert(
        &self,
        scope: TenantScope,
        id: AlertId,
    ) -> Result<Option<Alert>, StoreError> {
        let row = self.db.row(&BY_ID, values![scope.tenant(), id]).await?;
        row.map(|row| alert(&row, 0)).transpose()
    }

    /// The alert that people call by this number.
    pub async fn alert_by_number(
        &self,
        scope: TenantScope,
        number: i64,
    ) -> Result<Option<Alert>, StoreError> {
        let row = self.db.row(&BY_NUMBER, values![scope.tenant(), number]).await?;
        row.map(|row| alert(&row, 0)).transpose()
    }
}

/// Links and details, kept as one JSON text, as messages show them.
#[derive(Deserialize)]
struct Extra {
    links: Vec<Link>,
    details: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct ExtraRef<'a> {
    links: &'a [Link],
    details: &'a serde_json::Map<String, serde_json::Value>,
}

/// The text of an alert's links and details.
pub(crate) fn extra(alert: &Alert) -> Result<String, StoreError> {
    json(&ExtraRef { links: &alert.links, details: &alert.details })
}

/// A document's text. Our own types always have one.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(StoreError::from)
}

/// Reads an alert from the columns from `at` on.
pub(crate) fn alert(row: &Row, at: usize) -> Result<Alert, StoreError> {
    let id = row.id(at)?;
    let extra: Extra = document(row.text(at + 9)?, "extra", id)?;
    let policy: Option<StampedPolicy> =
        row.opt_text(at + 10)?.map(|text| document(text, "policy", id)).transpose()?;
    let escalation: Escalation = document(row.text(at + 11)?, "escalation", id)?;
    let acknowledged: Option<(Actor, Timestamp)> =
        row.opt_text(at + 17)?.map(|text| document(text, "acknowledged", id)).transpose()?;
    Ok(Alert {
        id: AlertId::from_stored(id),
        number: row.int(at + 1)?,
        integration: IntegrationId::from_stored(row.id(at + 2)?),
        service: row.opt_id(at + 3)?.map(ServiceId::from_stored),
        dedup_key: row.string(at + 4)?,
        status: status(row.text(at + 5)?, id)?,
        severity: severity(row.text(at + 6)?, id)?,
        summary: row.string(at + 7)?,
        source: row.string(at + 8)?,
        links: extra.links,
        details: extra.details,
        policy,
        escalation,
        resolve_at: row.opt_time(at + 12)?,
        opened_by: EventId::from_stored(row.id(at + 13)?),
        opened_at: row.time(at + 14)?,
        event_count: row.int(at + 15)?,
        last_event_at: row.time(at + 16)?,
        acknowledged,
        resolved_at: row.opt_time(at + 18)?,
    })
}

/// Reads what a message says about an alert from the columns from `at` on.
pub(crate) fn brief(row: &Row, at: usize) -> Result<AlertBrief, StoreError> {
    let id = row.id(at)?;
    Ok(AlertBrief {
        id: AlertId::from_stored(id),
        number: row.int(at + 1)?,
        status: status(row.text(at + 2)?, id)?,
        severity: severity(row.text(at + 3)?, id)?,
        summary: row.string(at + 4)?,
        source: row.string(at + 5)?,
        dedup_key: row.string(at + 6)?,
        integration: IntegrationId::from_stored(row.id(at + 7)?),
        service: row.opt_id(at + 8)?.map(ServiceId::from_stored),
        extra: row.string(at + 9)?,
        opened_at: row.time(at + 10)?,
        event_count: row.int(at + 11)?,
    })
}

fn status(word: &str, id: Uuid) -> Result<AlertStatus, StoreError> {
    let status = AlertStatus::parse(word);
    status.ok_or_else(|| StoreError::corrupt(("alerts", "status"), id, "no such status"))
}

fn severity(word: &str, id: Uuid) -> Result<Severity, StoreError> {
    let severity = Severity::parse(word);
    severity.ok_or_else(|| StoreError::corrupt(("alerts", "severity"), id, "no such severity"))
}

fn document<T: DeserializeOwned>(
    text: &str,
    column: &'static str,
    id: Uuid,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::corrupt(("alerts", column), id, error))
}
