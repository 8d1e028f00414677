//! Reading: lists by key, newest first, and what belongs to one thing.

pub(crate) mod alerts;
pub(crate) mod events;
pub(crate) mod notifications;
pub(crate) mod requests;

use bugle_domain::alert::TimelineEntry;
use bugle_domain::object::ObjectKind;
use bugle_domain::{AlertId, TenantScope};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::db::WriteClass;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::error::StoreError;
use crate::timeline::Lines;

/// What a line of the audit log is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audited {
    /// An object of the configuration.
    Object(ObjectKind),
    /// The tenant's own settings.
    Settings,
    /// A subscriber of the status page, whom an operator removed.
    Subscriber,
}

impl Audited {
    /// The word used in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Object(kind) => kind.as_str(),
            Self::Settings => "tenant",
            Self::Subscriber => "subscriber",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    fn parse(text: &str) -> Option<Self> {
        match text {
            "tenant" => Some(Self::Settings),
            "subscriber" => Some(Self::Subscriber),
            kind => ObjectKind::parse(kind).map(Self::Object),
        }
    }
}

/// One line of the audit log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditRow {
    /// Its number within the tenant; the place to go on from.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who, in words.
    pub actor: String,
    /// What: `create`, `change`, `delete`, `rotate_key`.
    pub action: String,
    /// What it is about.
    pub about: Audited,
    /// Which object, or the tenant.
    pub object: Uuid,
    /// Its document before.
    pub before: Option<String>,
    /// Its document after.
    pub after: Option<String>,
}

pub(crate) static TIMELINE: Statement = Statement::new(
    "SELECT t.at_us, t.entry FROM timeline t
     WHERE t.tenant_id = $1 AND t.alert_id = $2
     ORDER BY t.seq LIMIT $3",
);

pub(crate) static HOLD_ALERT: Statement = Statement::new(
    "SELECT a.id FROM alerts a WHERE a.tenant_id = $1 AND a.id = $2{pg: FOR UPDATE}",
);

pub(crate) static AUDIT: Statement = Statement::new(
    "SELECT a.seq, a.at_us, a.actor, a.action, a.kind, a.object_id, a.before_data, a.after_data
     FROM audit a
     WHERE a.tenant_id = $1 AND ({pg:$2::bigint}{lite:$2} IS NULL OR a.seq < $2)
     ORDER BY a.seq DESC LIMIT $3",
)
.filtering();

impl Store {
    /// The first `limit` lines of an alert's timeline, oldest first.
    pub async fn timeline(
        &self,
        scope: TenantScope,
        alert: AlertId,
        limit: u32,
    ) -> Result<Vec<(Timestamp, TimelineEntry)>, StoreError> {
        let rows = self.db.rows(&TIMELINE, values![scope.tenant(), alert, limit]).await?;
        let line = |row: &crate::db::row::Row| {
            let entry = serde_json::from_str(row.text(1)?).map_err(|error| {
                StoreError::corrupt(("timeline", "entry"), alert.as_uuid(), error)
            })?;
            Ok((row.time(0)?, entry))
        };
        rows.iter().map(line).collect()
    }

    /// Adds a line to an alert's timeline, such as a note. `false`: no such alert.
    pub async fn add_timeline(
        &self,
        scope: TenantScope,
        alert: AlertId,
        at: Timestamp,
        entry: &TimelineEntry,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        if tx.row(&HOLD_ALERT, values![scope.tenant(), alert]).await?.is_none() {
            return Ok(false);
        }
        let mut lines = Lines::default();
        lines.push((scope.tenant(), alert), at, entry)?;
        lines.save(&mut tx).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The audit log, newest first, from before the line with number `before`.
    pub async fn audit(
        &self,
        scope: TenantScope,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let rows = self.db.rows(&AUDIT, values![scope.tenant(), before, limit]).await?;
        let line = |row: &crate::db::row::Row| {
            let object = row.id(5)?;
            let about = Audited::parse(row.text(4)?);
            Ok(AuditRow {
                seq: row.int(0)?,
                at: row.time(1)?,
                actor: row.string(2)?,
                action: row.string(3)?,
                about: about.ok_or_else(|| {
                    StoreError::corrupt(("audit", "kind"), object, "no such kind")
                })?,
                object,
                before: row.opt_text(6)?.map(str::to_owned),
                after: row.opt_text(7)?.map(str::to_owned),
            })
        };
        rows.iter().map(line).collect()
    }
}
