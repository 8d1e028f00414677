//! How far the pages have come of those levels whose time seems to be over.

use std::collections::BTreeMap;

use bugle_domain::alert::Escalation;
use bugle_domain::{AlertId, TenantId};
use bugle_engine::clock::{ON_ITS_WAY, Progress};
use jiff::Timestamp;

use super::Portion;
use crate::db::Tx;
use crate::db::statement::Kind::{Id, Int};
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::error::StoreError;

/// How far the pages of an alert's level have come; asked only of alerts whose level's time seems
/// to be over.
pub(crate) static PROGRESS: Statement = Statement::with_rows(
    "SELECT r.tenant_id, r.alert_id,
         MIN(CASE WHEN t.outcome IN ('accepted', 'found') THEN t.finished_us END),
         MIN(COALESCE(t.started_us, n.claimed_us)),
         CAST(MAX(CASE WHEN n.state = 'waiting' AND n.tries = 0 AND n.due_us <= $1
             THEN 1 ELSE 0 END) AS BIGINT)
     FROM {rows}
     {lite:JOIN notifications n ON n.tenant_id = r.tenant_id AND n.alert_id = r.alert_id
         AND n.created_us >= r.told_us
     LEFT JOIN attempts t ON t.tenant_id = n.tenant_id AND t.notification_id = n.id}
     {pg:CROSS JOIN LATERAL (
         SELECT n.id, n.state, n.tries, n.due_us, n.claimed_us FROM notifications n
         WHERE n.tenant_id = r.tenant_id AND n.alert_id = r.alert_id AND n.created_us >= r.told_us
         OFFSET 0) AS n
     LEFT JOIN LATERAL (
         SELECT t.outcome, t.started_us, t.finished_us FROM attempts t
         WHERE t.tenant_id = r.tenant_id AND t.notification_id = n.id
         OFFSET 0) AS t ON true}
     GROUP BY r.tenant_id, r.alert_id",
    1,
    &[("tenant_id", Id), ("alert_id", Id), ("told_us", Int)],
);

/// Asks how far the pages have come of those levels whose time seems to be over.
pub(super) async fn read_progress(
    tx: &mut Tx,
    now: Timestamp,
    portions: &mut BTreeMap<TenantId, Portion>,
) -> Result<(), StoreError> {
    let mut asked = BTreeMap::new();
    for (tenant, Portion { work, .. }) in portions.iter() {
        for alert in work.open.iter().chain(&work.due) {
            if let Escalation::Waiting { told_at, deadline, .. } = alert.escalation
                && deadline <= now
            {
                asked.insert((*tenant, alert.id), told_at);
            }
        }
    }
    if asked.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new();
    for ((tenant, alert), told_at) in asked {
        rows.push(row![tenant, alert, told_at]);
    }
    let soon = now.saturating_add(ON_ITS_WAY).unwrap_or(Timestamp::MAX);
    for row in &tx.rows(&PROGRESS, values![soon, rows]).await? {
        let progress = Progress {
            accepted_at: row.opt_time(2)?,
            tried_at: row.opt_time(3)?,
            waits_for_us: row.flag(4)?,
        };
        let portion = portions.entry(TenantId::from_stored(row.id(0)?)).or_default();
        portion.work.progress.insert(AlertId::from_stored(row.id(1)?), progress);
    }
    Ok(())
}
