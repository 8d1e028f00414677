//! Lists of alerts.

use bugle_domain::alert::{Alert, AlertStatus};
use bugle_domain::{AlertId, IntegrationId, ServiceId, Severity, TenantScope, UserId};
use jiff::Timestamp;

use crate::Store;
use crate::alerts::{alert, alert_columns};
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::error::StoreError;

/// Which alerts are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AlertFilter {
    /// Any of these; empty: all.
    pub statuses: Vec<AlertStatus>,
    /// Any of these; empty: all.
    pub severities: Vec<Severity>,
    /// That came by this integration.
    pub integration: Option<IntegrationId>,
    /// Of this service.
    pub service: Option<ServiceId>,
    /// Whose summary, source or dedup key has this text, in any case.
    pub text: Option<String>,
    /// Opened at or after this.
    pub since: Option<Timestamp>,
    /// Of which this person was told.
    pub told: Option<UserId>,
}

/// How many alerts of a tenant stand where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StatusCounts {
    /// Nobody has answered.
    pub open: i64,
    /// Somebody has it.
    pub acknowledged: i64,
    /// Over.
    pub resolved: i64,
}

/// One status at a time, so that the index on it gives the order.
pub(crate) static LIST: Statement = Statement::new(concat!(
    "SELECT ",
    alert_columns!(),
    " FROM alerts a
     WHERE a.tenant_id = $1 AND a.status = $2
         AND ({pg:$3::uuid}{lite:$3} IS NULL OR a.id < $3)
         AND ({pg:$4::uuid}{lite:$4} IS NULL OR a.service_id = $4)
         AND ({pg:$5::bigint}{lite:$5} IS NULL OR a.opened_us >= $5)
         AND ({pg:$6::text}{lite:$6} IS NULL
             OR {pg:strpos}{lite:instr}(LOWER(a.summary), $6) > 0
             OR {pg:strpos}{lite:instr}(LOWER(a.source), $6) > 0
             OR {pg:strpos}{lite:instr}(LOWER(a.dedup_key), $6) > 0)
         AND ({pg:$7::uuid}{lite:$7} IS NULL OR EXISTS (
             SELECT 1 FROM notifications n
             WHERE n.tenant_id = a.tenant_id AND n.alert_id = a.id AND n.user_id = $7))
         AND ({pg:$8::text}{lite:$8} IS NULL
             OR {pg:strpos}{lite:instr}($8, a.severity) > 0)
         AND ({pg:$9::uuid}{lite:$9} IS NULL OR a.integration_id = $9)
     ORDER BY a.id DESC LIMIT $10"
))
.filtering();

pub(crate) static COUNTS: Statement = Statement::new(
    "SELECT a.status, COUNT(*) FROM alerts a WHERE a.tenant_id = $1 GROUP BY a.status",
);

pub(crate) static SAME_KEY: Statement = Statement::new(concat!(
    "SELECT ",
    alert_columns!(),
    " FROM alerts a
     WHERE a.tenant_id = $1 AND a.integration_id = $2 AND a.dedup_key = $3 AND a.id < $4
     ORDER BY a.id DESC LIMIT $5"
));

impl Store {
    /// The alerts that are wanted, newest first, from before the alert `before`.
    pub async fn alerts(
        &self,
        scope: TenantScope,
        filter: &AlertFilter,
        before: Option<AlertId>,
        limit: u32,
    ) -> Result<Vec<Alert>, StoreError> {
        let wanted =
            |status: &AlertStatus| filter.statuses.is_empty() || filter.statuses.contains(status);
        let severities: Vec<_> = filter.severities.iter().map(|it| it.as_str()).collect();
        let severities = (!severities.is_empty()).then(|| severities.join(" "));
        let mut alerts = Vec::new();
        for status in AlertStatus::ALL.iter().filter(|status| wanted(status)) {
            let values = values![
                scope.tenant(),
                status.as_str(),
                before,
                filter.service,
                filter.since,
                filter.text.as_ref().map(|text| text.to_lowercase()),
                filter.told,
                severities.clone(),
                filter.integration,
                limit,
            ];
            for row in self.db.rows(&LIST, values).await? {
                alerts.push(alert(&row, 0)?);
            }
        }
        alerts.sort_by_key(|alert| std::cmp::Reverse(alert.id));
        alerts.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(alerts)
    }

    /// How many alerts there are in each status.
    pub async fn alert_counts(&self, scope: TenantScope) -> Result<StatusCounts, StoreError> {
        let mut counts = StatusCounts::default();
        for row in self.db.rows(&COUNTS, values![scope.tenant()]).await? {
            match AlertStatus::parse(row.text(0)?) {
                Some(AlertStatus::Open) => counts.open = row.int(1)?,
                Some(AlertStatus::Acknowledged) => counts.acknowledged = row.int(1)?,
                Some(AlertStatus::Resolved) => counts.resolved = row.int(1)?,
                None => (),
            }
        }
        Ok(counts)
    }

    /// Earlier alerts of the integration with the same key, newest first.
    pub async fn similar_alerts(
        &self,
        scope: TenantScope,
        (integration, dedup_key): (IntegrationId, &str),
        before: AlertId,
        limit: u32,
    ) -> Result<Vec<Alert>, StoreError> {
        let values = values![scope.tenant(), integration, dedup_key, before, limit];
        self.db.rows(&SAME_KEY, values).await?.iter().map(|row| alert(row, 0)).collect()
    }
}
