//! Where there is work, found before the transaction begins, without any lock.

use std::collections::BTreeSet;

use bugle_domain::TenantId;
use futures_util::future;
use jiff::Timestamp;
use uuid::Uuid;

use super::{ALONE_FROM, AlertingPass};
use crate::Store;
use crate::db::statement::{Statement, heads};
use crate::db::value::values;
use crate::error::StoreError;

/// Most tenants in one pass; more take turns.
const MAX_TENANTS: usize = 64;

/// The tenants that have pending events, each with the tries of its oldest.
pub(crate) static PENDING: Statement = Statement::new(concat!(
    heads!(
        "events e{lite: INDEXED BY events_pending}",
        "e.outcome IS NULL",
        "e.tenant_id",
        "e.id",
        " AND e.tenant_id > $1"
    ),
    " SELECT heads.tenant_id,
         (SELECT e.tries FROM events e{lite: INDEXED BY events_pending}
             WHERE e.tenant_id = heads.tenant_id AND e.outcome IS NULL
             ORDER BY e.id LIMIT 1)
     FROM heads WHERE heads.tenant_id IS NOT NULL
     LIMIT $2",
));

/// The tenants that have alerts to look at again, each with the earliest time.
pub(crate) static DUE: Statement = Statement::new(concat!(
    heads!(
        "alerts a{lite: INDEXED BY alerts_due}",
        "a.due_us IS NOT NULL",
        "a.tenant_id",
        "a.due_us",
        " AND a.tenant_id > $1"
    ),
    " SELECT heads.tenant_id,
         (SELECT a.due_us FROM alerts a{lite: INDEXED BY alerts_due}
             WHERE a.tenant_id = heads.tenant_id AND a.due_us IS NOT NULL
             ORDER BY a.due_us LIMIT 1)
     FROM heads WHERE heads.tenant_id IS NOT NULL
     LIMIT $2",
));

/// Where to look.
#[derive(Default)]
pub(super) struct Outlook {
    /// Tenants with work, in the order they are served.
    pub(super) tenants: Vec<TenantId>,
    /// Of those, the ones with pending events.
    pub(super) pending: BTreeSet<TenantId>,
    /// Of those, the ones with alerts whose time has come.
    pub(super) due: BTreeSet<TenantId>,
    /// Of those, the ones whose oldest event has failed so often that it is decided alone.
    pub(super) suspects: Vec<TenantId>,
    /// There are more tenants than one pass takes.
    pub(super) more: bool,
    pub(super) next_due: Option<Timestamp>,
}

impl Outlook {
    /// What is known without a search.
    pub(super) fn only(pass: &AlertingPass<'_>) -> Self {
        let owned = pass.only.iter().filter(|tenant| pass.epochs.contains_key(tenant)).copied();
        let tenants: Vec<TenantId> = owned.take(MAX_TENANTS).collect();
        Self { pending: tenants.iter().copied().collect(), tenants, ..Self::default() }
    }
}

impl Store {
    pub(super) async fn outlook(&self, pass: &AlertingPass<'_>) -> Result<Outlook, StoreError> {
        let turn = self.turns.alerting();
        let both = |from| future::try_join(self.walk(&PENDING, from), self.walk(&DUE, from));
        let (mut pending, mut due) = both(turn).await?;
        // A walk that began in the middle goes on from the beginning.
        if turn != Uuid::nil() {
            let (more_pending, more_due) = both(Uuid::nil()).await?;
            pending.extend(more_pending);
            due.extend(more_due);
        }
        let mut outlook = Outlook::default();
        let alone: BTreeSet<TenantId> = pending
            .iter()
            .filter(|(_, tries)| *tries >= i64::from(ALONE_FROM))
            .map(|(tenant, _)| *tenant)
            .collect();
        let is_due = |due_us: i64| due_us <= pass.now.as_microsecond();
        outlook.next_due = due
            .iter()
            .filter(|(tenant, at)| !is_due(*at) && pass.epochs.contains_key(tenant))
            .filter_map(|(_, at)| Timestamp::from_microsecond(*at).ok())
            .min();
        outlook.pending = pending.into_iter().map(|(tenant, _)| tenant).collect();
        let due = due.into_iter().filter(|(_, at)| is_due(*at)).map(|(tenant, _)| tenant);
        outlook.due = due.collect();
        let found = outlook.pending.union(&outlook.due).copied();
        outlook.tenants = found.filter(|tenant| pass.epochs.contains_key(tenant)).collect();
        // From where the last pass stopped, around.
        outlook.tenants.sort_by_key(|tenant| (tenant.as_uuid() <= turn, *tenant));
        outlook.more = outlook.tenants.len() > MAX_TENANTS;
        outlook.tenants.truncate(MAX_TENANTS);
        outlook.suspects = outlook.tenants.iter().copied().filter(|t| alone.contains(t)).collect();
        let last = outlook.tenants.last().filter(|_| outlook.more);
        self.turns.set_alerting(last.map_or(Uuid::nil(), |tenant| tenant.as_uuid()));
        Ok(outlook)
    }

    async fn walk(
        &self,
        statement: &'static Statement,
        from: Uuid,
    ) -> Result<Vec<(TenantId, i64)>, StoreError> {
        let rows = self.db.rows(statement, values![from, crate::MAX_WALK]).await?;
        rows.iter().map(|row| Ok((TenantId::from_stored(row.id(0)?), row.int(1)?))).collect()
    }
}
