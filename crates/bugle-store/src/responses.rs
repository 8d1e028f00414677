//! Responses: a person's answer changes an alert, in one transaction that holds it.

use std::collections::BTreeMap;

use bugle_domain::alert::Alert;
use bugle_domain::notification::End;
use bugle_domain::stage::Stage;
use bugle_domain::{AlertId, NotificationId, TenantId, TenantScope};
use bugle_engine::alerting::Decisions;
use jiff::Timestamp;

use crate::Store;
use crate::alerts::{alert, alert_columns};
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::db::{Tx, WriteClass, retried};
use crate::decisions;
use crate::error::StoreError;
use crate::ledger::Entries;

/// Called with the alert while it is held; may be called again if the transaction has to be
/// repeated.
pub type Respond<'a> = dyn FnMut(Alert) -> Decisions + Send + 'a;

pub(crate) static HOLD: Statement = Statement::new(concat!(
    "SELECT ",
    alert_columns!(),
    " FROM alerts a WHERE a.tenant_id = $1 AND a.id = $2 {pg:FOR UPDATE}"
));

pub(crate) static HOLD_ANSWERED: Statement = Statement::new(
    "SELECT n.ended FROM notifications n WHERE n.tenant_id = $1 AND n.id = $2{pg: FOR UPDATE}",
);

/// An answer counts whenever it comes, also for what had ended otherwise.
pub(crate) static ANSWERED: Statement = Statement::new(
    "UPDATE notifications
     SET state = 'ended', ended = 'answered', ended_reason = 'answered', ended_us = $3,
         receipt = 'answered', receipt_us = $3
     WHERE tenant_id = $1 AND id = $2",
);

impl Store {
    /// Lets `respond` decide about an alert while nobody else can change it, and saves that. The
    /// notification that was answered, if one was, ends as answered. `false`: no such alert.
    pub async fn respond(
        &self,
        scope: TenantScope,
        (id, answered): (AlertId, Option<NotificationId>),
        now: Timestamp,
        respond: &mut Respond<'_>,
    ) -> Result<bool, StoreError> {
        retried!(self.respond_once(scope.tenant(), (id, answered), now, respond))
    }

    async fn respond_once(
        &self,
        tenant: TenantId,
        (id, answered): (AlertId, Option<NotificationId>),
        now: Timestamp,
        respond: &mut Respond<'_>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let Some(row) = tx.row(&HOLD, values![tenant, id]).await? else { return Ok(false) };
        let decisions = respond(alert(&row, 0)?);
        let mut entries = Entries::default();
        if let Some(notification) = answered {
            end_answered(&mut tx, (tenant, notification), now, &mut entries).await?;
        }
        let decided = vec![(tenant, decisions)];
        let books = (entries, Stage::Responses, None);
        decisions::save(&mut tx, decided, (now, BTreeMap::new()), books).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Ends a notification as answered, and books it there, wherever it stood before.
pub(crate) async fn end_answered(
    tx: &mut Tx,
    (tenant, id): (TenantId, NotificationId),
    now: Timestamp,
    entries: &mut Entries,
) -> Result<(), StoreError> {
    let Some(row) = tx.row(&HOLD_ANSWERED, values![tenant, id]).await? else { return Ok(()) };
    let before = row.opt_text(0)?.and_then(End::parse);
    if before == Some(End::Answered) {
        return Ok(());
    }
    if let Some(before) = before {
        entries.end(tenant, before, -1);
    }
    entries.end(tenant, End::Answered, 1);
    tx.run(&ANSWERED, values![tenant, id, now]).await.map(drop)
}
