//! Retention: what is past its time is dropped, in small steps. The books keep what they counted.

use bugle_domain::{AllTenants, EventId, TenantScope};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::cleanup::candidates::made_at;
use crate::db::statement::Kind::Id;
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::db::{WriteClass, retried};
use crate::error::StoreError;

/// Most alerts that one step looks at.
const ALERTS: u32 = 64;

/// The next integration that has requests, of whatever tenant.
pub(crate) static NEXT: Statement = Statement::new(
    "SELECT q.tenant_id, q.integration_id FROM requests q
     WHERE (q.tenant_id, q.integration_id) > ($1, $2)
     ORDER BY q.tenant_id, q.integration_id LIMIT 1",
);

/// The newest request that would be dropped.
pub(crate) static NEWEST: Statement = Statement::new(
    "SELECT q.id FROM requests q WHERE q.tenant_id = $1 AND q.integration_id = $2 AND q.id < $3
     ORDER BY q.id DESC LIMIT 1",
);

/// Remembers when a request came last, for when its bytes are gone.
pub(crate) static NOTE_USE: Statement = Statement::new(
    "INSERT INTO integration_use (tenant_id, integration_id, used_us) VALUES ($1, $2, $3)
     ON CONFLICT (tenant_id, integration_id) DO UPDATE SET used_us = excluded.used_us
     WHERE integration_use.used_us < excluded.used_us",
);

pub(crate) static DROP_RAW: Statement = Statement::new(
    "DELETE FROM requests WHERE tenant_id = $1 AND integration_id = $2 AND id IN (
         SELECT q.id FROM requests q
         WHERE q.tenant_id = $1 AND q.integration_id = $2 AND q.id < $3
         ORDER BY q.id LIMIT $4)",
);

/// Alerts that ended before `$2` and have nothing that is still owed.
pub(crate) static OVER: Statement = Statement::new(
    "SELECT a.id FROM alerts a{lite: INDEXED BY alerts_resolved}
     WHERE a.tenant_id = $1 AND a.resolved_us < $2 AND a.status = 'resolved'
         AND NOT EXISTS (SELECT 1 FROM notifications n
             WHERE n.tenant_id = a.tenant_id AND n.alert_id = a.id AND n.ended IS NULL)
     ORDER BY a.resolved_us LIMIT $3",
);

pub(crate) static DROP_ATTEMPTS: Statement = Statement::with_rows(
    "DELETE FROM attempts WHERE tenant_id = $1 AND (notification_id, number, outcome) IN (
         SELECT t.notification_id, t.number, t.outcome FROM {rows}
         JOIN notifications n ON n.tenant_id = $1 AND n.alert_id = r.id
         JOIN attempts t ON t.tenant_id = $1 AND t.notification_id = n.id
         LIMIT $2)",
    2,
    &[("id", Id)],
);

pub(crate) static DROP_NOTIFICATIONS: Statement = Statement::with_rows(
    "DELETE FROM notifications WHERE tenant_id = $1 AND ended IS NOT NULL AND id IN (
         SELECT n.id FROM {rows}
         JOIN notifications n ON n.tenant_id = $1 AND n.alert_id = r.id
         LIMIT $2)",
    2,
    &[("id", Id)],
);

pub(crate) static DROP_TIMELINES: Statement = Statement::with_rows(
    "DELETE FROM timeline WHERE tenant_id = $1 AND (alert_id, seq) IN (
         SELECT l.alert_id, l.seq FROM {rows}
         JOIN timeline l ON l.tenant_id = $1 AND l.alert_id = r.id
         LIMIT $2)",
    2,
    &[("id", Id)],
);

pub(crate) static DROP_EVENTS: Statement = Statement::with_rows(
    "DELETE FROM events WHERE tenant_id = $1 AND id IN (
         SELECT e.id FROM {rows}
         JOIN events e ON e.tenant_id = $1 AND e.alert_id = r.id
         LIMIT $2)",
    2,
    &[("id", Id)],
);

pub(crate) static DROP_ALERTS: Statement = Statement::with_rows(
    "DELETE FROM alerts WHERE tenant_id = $1 AND status = 'resolved' AND id IN (
         SELECT r.id FROM {rows} LIMIT $2)",
    2,
    &[("id", Id)],
);

/// Events that came to nothing.
pub(crate) static DROP_ALONE: Statement = Statement::new(
    "DELETE FROM events WHERE tenant_id = $1 AND id IN (
         SELECT e.id FROM events e{lite: INDEXED BY events_alone}
         WHERE e.tenant_id = $1 AND e.alert_id IS NULL AND e.outcome IS NOT NULL AND e.id < $2
         ORDER BY e.id LIMIT $3)",
);

/// The oldest entries of a log, never the newest one: the next takes its number from it.
pub(crate) static DROP_LOG: Statement = Statement::new(
    "DELETE FROM audit WHERE tenant_id = $1 AND seq IN (
         SELECT o.seq FROM (
             SELECT a.seq, a.at_us FROM audit a WHERE a.tenant_id = $1
             ORDER BY a.seq LIMIT $3) AS o
         WHERE o.at_us < $2
             AND o.seq < (SELECT MAX(m.seq) FROM audit m WHERE m.tenant_id = $1))",
);

impl Store {
    /// Drops received bytes that are older than `before`, of at most `limit` requests at a time.
    /// Returns how many there were; fewer than `limit` means that was all. Events stay, and so does
    /// when each integration was used last.
    pub async fn retain(
        &self,
        _: AllTenants,
        before: Timestamp,
        limit: u32,
    ) -> Result<u32, StoreError> {
        // Requests are named by their first event, and those ids rise with time.
        let before = EventId::new(before, [0; 10]);
        let mut dropped = 0;
        let mut at = (Uuid::nil(), Uuid::nil());
        while dropped < limit {
            let Some(row) = self.db.row(&NEXT, values![at.0, at.1]).await? else { break };
            at = (row.id(0)?, row.id(1)?);
            dropped += retried!(self.drop_raw_once(at, before, limit - dropped))?;
        }
        Ok(dropped)
    }

    async fn drop_raw_once(
        &self,
        (tenant, integration): (Uuid, Uuid),
        before: EventId,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let newest = self.db.row(&NEWEST, values![tenant, integration, before]).await?;
        let Some(newest) = newest.map(|row| row.id(0)).transpose()? else { return Ok(0) };
        let mut tx = self.db.write(WriteClass::Then).await?;
        if let Some(used_at) = made_at(newest) {
            tx.run(&NOTE_USE, values![tenant, integration, used_at]).await?;
        }
        let gone = tx.run(&DROP_RAW, values![tenant, integration, before, limit]).await?;
        tx.commit().await?;
        Ok(count(gone).min(limit))
    }

    /// Drops alerts that ended before `before`, with their events, notifications, attempts and
    /// timelines, and events of that time that came to nothing: at most `limit` rows. Returns how
    /// many there were, and whether there may be more.
    ///
    /// What is pending, open or owed stays, and so do the sums of the ledger.
    pub async fn retain_history(
        &self,
        scope: TenantScope,
        before: Timestamp,
        limit: u32,
    ) -> Result<(u32, bool), StoreError> {
        retried!(self.drop_history_once(scope, before, limit))
    }

    async fn drop_history_once(
        &self,
        scope: TenantScope,
        before: Timestamp,
        limit: u32,
    ) -> Result<(u32, bool), StoreError> {
        let (tenant, mut over) = (scope.tenant(), Rows::new());
        let found = self.db.rows(&OVER, values![tenant, before, ALERTS]).await?;
        let all_seen = found.len() < ALERTS as usize;
        for found in &found {
            over.push(row![found.id(0)?]);
        }
        let mut left = limit;
        let mut tx = self.db.write(WriteClass::Then).await?;
        if !over.is_empty() {
            // What belongs to an alert goes before it; an alert goes when all of that is gone.
            for statement in
                [&DROP_ATTEMPTS, &DROP_NOTIFICATIONS, &DROP_TIMELINES, &DROP_EVENTS, &DROP_ALERTS]
            {
                if left > 0 {
                    left -= count(tx.run(statement, values![tenant, left, over.clone()]).await?);
                }
            }
        }
        if left > 0 {
            let before = EventId::new(before, [0; 10]);
            left -= count(tx.run(&DROP_ALONE, values![tenant, before, left]).await?);
        }
        tx.commit().await?;
        Ok((limit - left, left == 0 || !all_seen))
    }

    /// Drops entries of the log of changes that are older than `before`, at most `limit`; the
    /// newest one stays. Returns how many there were.
    pub async fn retain_log(
        &self,
        scope: TenantScope,
        before: Timestamp,
        limit: u32,
    ) -> Result<u32, StoreError> {
        self.db.run(&DROP_LOG, values![scope.tenant(), before, limit]).await.map(count)
    }
}

fn count(rows: u64) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}
