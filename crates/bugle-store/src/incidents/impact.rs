//! What happened to a tenant's events and notifications between two times.
//!
//! Their ids sort by time, so only that stretch of the tables is read. What retention has dropped
//! is not counted.

use bugle_domain::{EventId, NotificationId, TenantScope};
use bugle_engine::incident::report::Impact;
use jiff::{SignedDuration, Timestamp};

use crate::Store;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::error::StoreError;

/// How exactly ids know the time.
const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

pub(crate) static EVENTS: Statement = Statement::new(
    "SELECT COUNT(*) FROM events e WHERE e.tenant_id = $1 AND e.id >= $2 AND e.id < $3",
);

/// `sent_us` is when the claim was committed by which a provider first took it, `over_us` when
/// somebody had its alert or that was over, and `late_us` how long after its time it went out. What
/// waits is late by what has passed until $4.
pub(crate) static NOTIFICATIONS: Statement = Statement::new(
    "SELECT COUNT(*),
         COUNT(CASE WHEN y.late_us > 60000000 THEN 1 END),
         COUNT(CASE WHEN y.late_us > 300000000 THEN 1 END),
         COUNT(CASE WHEN y.late_us > 1800000000 THEN 1 END),
         COUNT(CASE WHEN y.ended IN ('failed', 'expired') AND y.sent_us IS NULL THEN 1 END),
         COUNT(CASE WHEN y.possible_repeat = 1 AND y.sent_us IS NOT NULL THEN 1 END),
         COUNT(CASE WHEN y.sent_us > y.taken_us OR y.sent_us > y.resolved_us THEN 1 END)
     FROM (
         SELECT x.*,
             CASE
                 WHEN x.sent_us IS NOT NULL THEN x.sent_us - x.wanted_us
                 WHEN x.ended IS NULL THEN $4 - x.wanted_us
             END AS late_us
         FROM (
             SELECT n.wanted_us, n.ended, n.possible_repeat, l.resolved_us,
                 {pg:CAST(EXTRACT(EPOCH FROM CAST(CAST(l.acknowledged AS jsonb) ->> 1
                     AS timestamptz)) * 1000000 AS BIGINT)}
                 {lite:CAST(unixepoch(l.acknowledged ->> 1, 'subsec') * 1000000 AS INTEGER) + 1000}
                 AS taken_us,
                 (
                     SELECT MIN(a.started_us) FROM attempts a
                     WHERE a.tenant_id = n.tenant_id AND a.notification_id = n.id
                         AND a.outcome IN ('accepted', 'found')
                 ) AS sent_us
             FROM notifications n
             JOIN alerts l ON l.tenant_id = n.tenant_id AND l.id = n.alert_id
             WHERE n.tenant_id = $1 AND n.id >= $2 AND n.id < $3
         ) x
     ) y",
);

impl Store {
    /// Counts what was accepted and what came to be owed from `from` until `until`, with both of
    /// these milliseconds, and how that went as far as it had by `now`.
    pub async fn impact(
        &self,
        scope: TenantScope,
        (from, until): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<Impact, StoreError> {
        let tenant = scope.tenant();
        let until = until.saturating_add(MILLISECOND).unwrap_or(until);
        let events = [from, until].map(|at| EventId::new(at, [0; 10]));
        let owed = [from, until].map(|at| NotificationId::new(at, [0; 10]));
        let mut tx = self.db.snapshot().await?;
        let row = tx.row(&EVENTS, values![tenant, events[0], events[1]]).await?;
        let mut impact = Impact::default();
        if let Some(row) = row {
            impact.accepted = row.int(0)?;
        }
        let values = values![tenant, owed[0], owed[1], now];
        if let Some(row) = tx.row(&NOTIFICATIONS, values).await? {
            impact.owed = row.int(0)?;
            impact.late_1_min = row.int(1)?;
            impact.late_5_min = row.int(2)?;
            impact.late_30_min = row.int(3)?;
            impact.never_sent = row.int(4)?;
            impact.duplicated = row.int(5)?;
            impact.stale = row.int(6)?;
        }
        tx.commit().await?;
        Ok(impact)
    }
}
