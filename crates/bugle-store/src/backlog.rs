//! What is owed and not sent, counted by what decides about it; and what of a person's was over
//! before it could be sent.

use bugle_domain::alert::AlertStatus;
use bugle_domain::contact::Channel;
use bugle_domain::notification::Lane;
use bugle_domain::{AllTenants, Severity, TenantScope, UserId};
use bugle_engine::dispatch::{BacklogRow, LATE_AFTER, Owed};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::Store;
use crate::db::row::Row;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::error::StoreError;

/// The latest that notifications are told apart by, in minutes: later than anything that is decided
/// by how late it is.
const LATEST: i64 = 60;

/// Counts all that is due or held back, by what decides about it. Minutes are rounded up.
pub(crate) static OWED: Statement = Statement::new(
    "SELECT b.lane, b.channel, b.severity, b.status, b.past, b.late, COUNT(*)
     FROM (
         SELECT n.lane, n.channel, a.severity, a.status,
             CAST(CASE WHEN n.deadline_us < $1 THEN 1 ELSE 0 END AS BIGINT) AS past,
             CASE WHEN $1 - n.wanted_us >= $2 * 60000000 THEN $2
                 ELSE ($1 - n.wanted_us + 59999999) / 60000000 END AS late
         FROM notifications n{lite: INDEXED BY notifications_waiting}
         JOIN alerts a ON a.tenant_id = n.tenant_id AND a.id = n.alert_id
         WHERE n.state = 'waiting' AND (n.due_us <= $1 OR n.held = 1)) AS b
     GROUP BY b.lane, b.channel, b.severity, b.status, b.past, b.late
     ORDER BY b.lane, b.channel, b.severity, b.status, b.past, b.late",
);

/// Counts the alerts that a person was owed, and late, when they were resolved.
pub(crate) static RESOLVED: Statement = Statement::new(
    "SELECT COUNT(DISTINCT n.alert_id) FROM notifications n
     WHERE n.tenant_id = $1 AND n.user_id = $2 AND n.ended_reason = 'resolved' AND n.tries = 0
         AND n.ended_us >= $3 AND n.ended_us - n.wanted_us > $4",
);

impl Store {
    /// What is due and not sent over all tenants, counted by what decides about it. Its cost grows
    /// with what is owed, not with history: for people who ask, not for each pass.
    pub async fn backlog(
        &self,
        _: AllTenants,
        now: Timestamp,
    ) -> Result<Vec<BacklogRow>, StoreError> {
        let rows = self.db.rows(&OWED, values![now, LATEST]).await?;
        rows.iter().map(backlog_row).collect()
    }

    /// How many alerts that a user was owed since `since` were resolved before anything of them
    /// could be sent, although it was late.
    pub async fn resolved_meanwhile(
        &self,
        scope: TenantScope,
        user: UserId,
        since: Timestamp,
    ) -> Result<u64, StoreError> {
        let late = i64::try_from(LATE_AFTER.as_micros()).unwrap_or(i64::MAX);
        let row = self.db.row(&RESOLVED, values![scope.tenant(), user, since, late]).await?;
        let count = row.map(|row| row.int(0)).transpose()?.unwrap_or_default();
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

fn backlog_row(row: &Row) -> Result<BacklogRow, StoreError> {
    let corrupt = |column| StoreError::corrupt(("notifications", column), Uuid::nil(), "unknown");
    let lane = i16::try_from(row.int(0)?).ok().and_then(Lane::from_i16);
    let owed = Owed {
        lane: lane.ok_or_else(|| corrupt("lane"))?,
        channel: Channel::parse(row.text(1)?).ok_or_else(|| corrupt("channel"))?,
        severity: Severity::parse(row.text(2)?).ok_or_else(|| corrupt("severity"))?,
        status: AlertStatus::parse(row.text(3)?).ok_or_else(|| corrupt("status"))?,
        past_deadline: row.flag(4)?,
        late: SignedDuration::from_mins(row.int(5)?),
    };
    Ok(BacklogRow { owed, count: row.int(6)? })
}
