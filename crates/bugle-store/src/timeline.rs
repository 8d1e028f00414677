//! Timelines: one line for each decision about an alert.

use std::collections::BTreeMap;

use bugle_domain::alert::TimelineEntry;
use bugle_domain::{AlertId, TenantId};
use jiff::Timestamp;

use crate::alerts::json;
use crate::db::Tx;
use crate::db::statement::Kind::{Id, Int, Text};
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::error::StoreError;

/// Lines are numbered in each alert; whoever adds some holds the alert, so numbers do not collide.
pub(crate) static INSERT: Statement = Statement::with_rows(
    "INSERT INTO timeline (tenant_id, alert_id, seq, at_us, entry)
     SELECT r.tenant_id, r.alert_id,
         r.place + COALESCE((SELECT MAX(t.seq) FROM timeline t
             WHERE t.tenant_id = r.tenant_id AND t.alert_id = r.alert_id), 0),
         r.at_us, r.entry
     FROM {rows}",
    0,
    &[("tenant_id", Id), ("alert_id", Id), ("place", Int), ("at_us", Int), ("entry", Text)],
);

/// Lines to be added in one statement.
#[derive(Default)]
pub(crate) struct Lines {
    rows: Rows,
    places: BTreeMap<(TenantId, AlertId), i64>,
}

impl Lines {
    pub(crate) fn push(
        &mut self,
        (tenant, alert): (TenantId, AlertId),
        at: Timestamp,
        entry: &TimelineEntry,
    ) -> Result<(), StoreError> {
        let place = self.places.entry((tenant, alert)).or_default();
        *place += 1;
        self.rows.push(row![tenant, alert, *place, at, json(entry)?]);
        Ok(())
    }

    /// What [`INSERT`] adds.
    pub(crate) fn into_rows(self) -> Rows {
        self.rows
    }

    pub(crate) async fn save(self, tx: &mut Tx) -> Result<(), StoreError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        tx.run(&INSERT, values![self.rows]).await.map(drop)
    }
}
