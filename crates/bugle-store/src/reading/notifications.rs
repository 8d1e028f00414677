//! Lists of notifications, and their attempts.

use std::collections::BTreeMap;

use bugle_domain::notification::{Attempt, Notification};
use bugle_domain::{AlertId, NotificationId, TenantScope, UserId};

use crate::Store;
use crate::db::row::Row;
use crate::db::statement::Kind::Id;
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::error::StoreError;
use crate::notifications::{notification, notification_columns};

/// Which notifications are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NotificationFilter {
    /// About this alert.
    pub alert: Option<AlertId>,
    /// Owed to this person.
    pub user: Option<UserId>,
    /// Only those that have not ended.
    pub unfinished: bool,
}

pub(crate) static BY_ID: Statement = Statement::new(concat!(
    "SELECT ",
    notification_columns!(),
    " FROM notifications n WHERE n.tenant_id = $1 AND n.id = $2"
));

macro_rules! list {
    ($condition:literal) => {
        Statement::new(concat!(
            "SELECT ",
            notification_columns!(),
            " FROM notifications n
             WHERE n.tenant_id = $1
                 AND ({pg:$2::uuid}{lite:$2} IS NULL OR n.id < $2)
                 AND ({pg:$3::uuid}{lite:$3} IS NULL OR n.user_id = $3)
                 AND ($4 = 0 OR n.state <> 'ended')
                 AND ",
            $condition,
            " ORDER BY n.id DESC LIMIT $6"
        ))
        .filtering()
    };
}

pub(crate) static LIST: Statement = list!("{pg:$5::uuid}{lite:$5} IS NULL");
pub(crate) static LIST_OF_ALERT: Statement = list!("n.alert_id = $5");

pub(crate) static ATTEMPTS: Statement = Statement::with_rows(
    "SELECT t.notification_id, t.number, t.provider, t.started_us, t.finished_us, t.outcome,
         t.detail, t.provider_ref
     FROM {rows}
     JOIN attempts t ON t.tenant_id = $1 AND t.notification_id = r.id
         {any:t.notification_id=id}
     ORDER BY t.notification_id, t.number, t.finished_us",
    1,
    &[("id", Id)],
);

impl Store {
    /// A notification.
    pub async fn notification(
        &self,
        scope: TenantScope,
        id: NotificationId,
    ) -> Result<Option<Notification>, StoreError> {
        let row = self.db.row(&BY_ID, values![scope.tenant(), id]).await?;
        row.map(|row| notification(&row, 0)).transpose()
    }

    /// The notifications that are wanted, newest first, from before the notification `before`.
    pub async fn notifications(
        &self,
        scope: TenantScope,
        filter: NotificationFilter,
        before: Option<NotificationId>,
        limit: u32,
    ) -> Result<Vec<Notification>, StoreError> {
        let NotificationFilter { alert, user, unfinished } = filter;
        let statement = if alert.is_some() { &LIST_OF_ALERT } else { &LIST };
        let values = values![scope.tenant(), before, user, unfinished, alert, limit];
        self.db.rows(statement, values).await?.iter().map(|row| notification(row, 0)).collect()
    }

    /// Every try of each of these notifications, oldest first.
    pub async fn attempts(
        &self,
        scope: TenantScope,
        notifications: impl IntoIterator<Item = NotificationId>,
    ) -> Result<BTreeMap<NotificationId, Vec<Attempt>>, StoreError> {
        let mut rows = Rows::new();
        for id in notifications {
            rows.push(row![id]);
        }
        let mut attempts: BTreeMap<_, Vec<_>> = BTreeMap::new();
        if rows.is_empty() {
            return Ok(attempts);
        }
        for row in self.db.rows(&ATTEMPTS, values![scope.tenant(), rows]).await? {
            let attempt = attempt(&row)?;
            attempts.entry(attempt.notification).or_default().push(attempt);
        }
        Ok(attempts)
    }
}

fn attempt(row: &Row) -> Result<Attempt, StoreError> {
    Ok(Attempt {
        notification: NotificationId::from_stored(row.id(0)?),
        number: u16::try_from(row.int(1)?).unwrap_or(u16::MAX),
        provider: row.string(2)?,
        started_at: row.time(3)?,
        finished_at: row.time(4)?,
        outcome: row.string(5)?,
        detail: row.string(6)?,
        provider_ref: row.opt_text(7)?.map(str::to_owned),
    })
}
