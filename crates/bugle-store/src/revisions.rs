//! Revisions of the stages: the documents, which of them each stage of each node is to run, and
//! which it says it runs.

use bugle_domain::revision::{Fingerprint, Revision};
use bugle_domain::stage::{Stage, StageRun};
use bugle_domain::{AllTenants, NodeId};
use bugle_engine::change::stray::Stray;
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::db::row::Row;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::db::{Tx, WriteClass, retried};
use crate::error::StoreError;

/// Most rows of a list of revisions or changes.
pub(crate) const LISTED: u32 = 200;

/// Where a revision came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RevisionSource {
    /// The configuration file, read at a start.
    File,
    /// A change.
    Change,
}

impl RevisionSource {
    fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Change => "change",
        }
    }
}

/// A revision to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewRevision<'a> {
    /// What it says.
    pub revision: &'a Revision,
    /// Who made it.
    pub author: &'a str,
    /// Why.
    pub reason: &'a str,
    /// Where it came from.
    pub source: RevisionSource,
}

/// A revision as kept. It may have been written by another version of the program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredRevision {
    /// Its number.
    pub number: i64,
    /// The document, which this program may not be able to read.
    pub document: String,
    /// What it is recognised by, as text.
    pub fingerprint: String,
    /// Who made it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When.
    pub made_at: Timestamp,
    /// When it was last undone automatically, and why.
    pub blocked: Option<(Timestamp, String)>,
}

/// What a stage of a node is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StageTarget {
    /// The stage.
    pub stage: Stage,
    /// The revision it is to run; `None`: the known-good.
    pub revision: Option<i64>,
    /// Whether it is to take no new work.
    pub held: bool,
}

macro_rules! revision_columns {
    () => {
        "v.number, v.document, v.fingerprint, v.author, v.reason, v.made_us, v.blocked_us,
         v.blocked_why"
    };
}

pub(crate) static KNOWN_GOOD: Statement =
    Statement::new("SELECT g.revision FROM known_good g WHERE g.id = 1");

pub(crate) static SET_KNOWN_GOOD: Statement = Statement::new(
    "INSERT INTO known_good (id, revision) VALUES (1, $1)
     ON CONFLICT (id) DO UPDATE SET revision = excluded.revision",
);

pub(crate) static FIRST_KNOWN_GOOD: Statement =
    Statement::new("INSERT INTO known_good (id, revision) VALUES (1, $1) ON CONFLICT DO NOTHING");

pub(crate) static NEXT: Statement =
    Statement::new("SELECT v.number FROM revisions v ORDER BY v.number DESC LIMIT 1");

pub(crate) static KEEP: Statement = Statement::new(
    "INSERT INTO revisions (number, document, fingerprint, author, reason, source, made_us)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT DO NOTHING",
);

pub(crate) static ONE: Statement = Statement::new(concat!(
    "SELECT ",
    revision_columns!(),
    " FROM revisions v WHERE v.number = $1"
));

pub(crate) static LATEST_OF_FILE: Statement = Statement::new(concat!(
    "SELECT ",
    revision_columns!(),
    " FROM revisions v WHERE v.source = 'file' ORDER BY v.number DESC LIMIT 1"
));

pub(crate) static LIST: Statement = Statement::new(concat!(
    "SELECT ",
    revision_columns!(),
    " FROM revisions v ORDER BY v.number DESC LIMIT $1"
));

pub(crate) static BLOCK: Statement =
    Statement::new("UPDATE revisions SET blocked_us = $2, blocked_why = $3 WHERE number = $1");

/// What is known to be good is not to be refused for what it once was.
pub(crate) static UNBLOCK: Statement = Statement::new(
    "UPDATE revisions SET blocked_us = NULL, blocked_why = NULL
     WHERE fingerprint = (SELECT v.fingerprint FROM revisions v WHERE v.number = $1)",
);

pub(crate) static BLOCKED: Statement = Statement::new(
    "SELECT v.blocked_us, v.blocked_why FROM revisions v
     WHERE v.fingerprint = $1 AND v.blocked_us IS NOT NULL
     ORDER BY v.blocked_us DESC LIMIT 1",
);

pub(crate) static TARGETS: Statement = Statement::new(
    "SELECT t.stage, t.revision, t.held FROM stage_targets t
     WHERE t.node_id = $1 ORDER BY t.stage",
);

pub(crate) static AIM: Statement = Statement::new(
    "INSERT INTO stage_targets (node_id, stage, revision, held) VALUES ($1, $2, $3, 0)
     ON CONFLICT (node_id, stage) DO UPDATE SET revision = excluded.revision",
);

pub(crate) static SPOIL: Statement =
    Statement::new("UPDATE revisions SET document = $2 WHERE number = $1");

pub(crate) static HOLD: Statement = Statement::new(
    "INSERT INTO stage_targets (node_id, stage, held) VALUES ($1, $2, 1)
     ON CONFLICT (node_id, stage) DO UPDATE SET held = 1",
);

pub(crate) static RELEASE: Statement =
    Statement::new("UPDATE stage_targets SET held = 0 WHERE held = 1");

pub(crate) static FORGET_TARGETS: Statement = Statement::new("DELETE FROM stage_targets");

pub(crate) static STRAYS: Statement = Statement::new(
    "SELECT st.stage, st.node_id, st.revision, st.held FROM stage_targets st
     WHERE (st.held = 1 OR st.revision <> (SELECT g.revision FROM known_good g WHERE g.id = 1))
         AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.under_way = 1)
     ORDER BY st.node_id, st.stage",
);

pub(crate) static TAKE_BACK: Statement = Statement::new(
    "DELETE FROM stage_targets
     WHERE node_id = $1 AND stage = $2 AND revision IS NOT DISTINCT FROM $3
         AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.under_way = 1)",
);

pub(crate) static REPORT: Statement = Statement::new(
    "INSERT INTO stage_runs (node_id, stage, revision, fingerprint, since_us, held, error)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (node_id, stage) DO UPDATE SET
         revision = excluded.revision, fingerprint = excluded.fingerprint,
         since_us = excluded.since_us, held = excluded.held, error = excluded.error",
);

pub(crate) static RUNS: Statement = Statement::new(
    "SELECT s.node_id, s.stage, s.revision, s.fingerprint, s.since_us, s.held, s.error
     FROM stage_runs s ORDER BY s.node_id, s.stage",
);

impl Store {
    /// The revision that nodes without a target of their own run; `None`: there is none yet.
    ///
    /// Takes no scope: stages are above tenants. So do all functions here.
    pub async fn known_good(&self) -> Result<Option<i64>, StoreError> {
        self.db.row(&KNOWN_GOOD, values![]).await?.map(|row| row.int(0)).transpose()
    }

    /// Keeps the first revision of all, unless another node was faster. Returns the known-good.
    pub async fn first_revision(
        &self,
        new: NewRevision<'_>,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        keep_as(&mut tx, 1, new, now).await?;
        tx.run(&FIRST_KNOWN_GOOD, values![1_i64]).await?;
        let known = tx.row(&KNOWN_GOOD, values![]).await?.map_or(Ok(1), |row| row.int(0))?;
        tx.commit().await?;
        Ok(known)
    }

    /// Keeps a revision under the next number, and returns that.
    pub async fn keep_revision(
        &self,
        new: NewRevision<'_>,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        retried!(self.keep_once(new, now))
    }

    async fn keep_once(&self, new: NewRevision<'_>, now: Timestamp) -> Result<i64, StoreError> {
        loop {
            let mut tx = self.db.write(WriteClass::Then).await?;
            let number = keep(&mut tx, new, now).await?;
            if let Some(number) = number {
                tx.commit().await?;
                return Ok(number);
            }
        }
    }

    /// One revision.
    pub async fn revision(&self, number: i64) -> Result<Option<StoredRevision>, StoreError> {
        self.db.row(&ONE, values![number]).await?.as_ref().map(stored).transpose()
    }

    /// When what this revision says was last undone by itself, under whatever number, and why.
    pub async fn blocked(
        &self,
        revision: &Revision,
    ) -> Result<Option<(Timestamp, String)>, StoreError> {
        let fingerprint = revision.fingerprint().to_string();
        let Some(row) = self.db.row(&BLOCKED, values![fingerprint]).await? else {
            return Ok(None);
        };
        let why = row.opt_text(1)?.unwrap_or_default().to_owned();
        Ok(row.opt_time(0)?.map(|at| (at, why)))
    }

    /// The latest revision that was made from a configuration file.
    pub async fn latest_revision_of_file(&self) -> Result<Option<StoredRevision>, StoreError> {
        self.db.row(&LATEST_OF_FILE, values![]).await?.as_ref().map(stored).transpose()
    }

    /// Revisions, newest first; at most 200.
    pub async fn revisions(&self, _: AllTenants) -> Result<Vec<StoredRevision>, StoreError> {
        self.db.rows(&LIST, values![LISTED]).await?.iter().map(stored).collect()
    }

    /// What the stages of a node are to run, where it is not the known-good.
    pub async fn stage_targets(&self, node: NodeId) -> Result<Vec<StageTarget>, StoreError> {
        let target = |row: &Row| {
            Ok(StageTarget {
                stage: stage(row, 0, "stage_targets")?,
                revision: row.opt_int(1)?,
                held: row.flag(2)?,
            })
        };
        self.db.rows(&TARGETS, values![node]).await?.iter().map(target).collect()
    }

    /// Puts one stage of one node on a revision, past every guard. For rehearsals of failures.
    pub async fn aim_stage(
        &self,
        node: NodeId,
        stage: Stage,
        revision: i64,
    ) -> Result<(), StoreError> {
        self.db.run(&AIM, values![node, stage.as_str(), revision]).await.map(drop)
    }

    /// Has a revision say something else, which nobody may be able to read. For rehearsals of
    /// failures.
    pub async fn spoil_revision(&self, number: i64, document: &str) -> Result<(), StoreError> {
        self.db.run(&SPOIL, values![number, document]).await.map(drop)
    }

    /// Stages that have a target which no change gave them.
    pub async fn stray_stages(&self) -> Result<Vec<Stray>, StoreError> {
        let stray = |row: &Row| {
            Ok(Stray {
                stage: stage(row, 0, "stage_targets")?,
                node: NodeId::from_stored(row.id(1)?),
                revision: row.opt_int(2)?,
                held: row.flag(3)?,
            })
        };
        self.db.rows(&STRAYS, values![]).await?.iter().map(stray).collect()
    }

    /// Has a stray fall back to the known-good. `false`: it is none any more.
    pub async fn take_back(&self, stray: &Stray) -> Result<bool, StoreError> {
        let values = values![stray.node, stray.stage.as_str(), stray.revision];
        Ok(self.db.run(&TAKE_BACK, values).await? == 1)
    }

    /// Says what a node's stages run.
    pub async fn report_stages(&self, runs: &[StageRun]) -> Result<(), StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        for run in runs {
            let values = values![
                run.node,
                run.stage.as_str(),
                run.revision,
                run.fingerprint.to_string(),
                run.since,
                i64::from(run.held),
                run.error.as_deref(),
            ];
            tx.run(&REPORT, values).await?;
        }
        tx.commit().await
    }

    /// What every stage of every node says it runs.
    pub async fn stage_runs(&self) -> Result<Vec<StageRun>, StoreError> {
        self.db.rows(&RUNS, values![]).await?.iter().map(run).collect()
    }
}

/// Keeps a revision under the next number; `None`: another took it.
pub(crate) async fn keep(
    tx: &mut Tx,
    new: NewRevision<'_>,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let last = tx.row(&NEXT, values![]).await?.map_or(Ok(0), |row| row.int(0))?;
    let kept = keep_as(tx, last + 1, new, now).await?;
    Ok((kept == 1).then_some(last + 1))
}

async fn keep_as(
    tx: &mut Tx,
    number: i64,
    new: NewRevision<'_>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let NewRevision { revision, author, reason, source } = new;
    let (document, fingerprint) = (revision.to_string(), revision.fingerprint().to_string());
    let values = values![number, document, fingerprint, author, reason, source.as_str(), now];
    tx.run(&KEEP, values).await
}

fn stored(row: &Row) -> Result<StoredRevision, StoreError> {
    let blocked = row.opt_time(6)?;
    let why = row.opt_text(7)?.unwrap_or_default().to_owned();
    Ok(StoredRevision {
        number: row.int(0)?,
        document: row.string(1)?,
        fingerprint: row.string(2)?,
        author: row.string(3)?,
        reason: row.string(4)?,
        made_at: row.time(5)?,
        blocked: blocked.map(|at| (at, why)),
    })
}

fn run(row: &Row) -> Result<StageRun, StoreError> {
    let node = row.id(0)?;
    let corrupt = || StoreError::corrupt(("stage_runs", "fingerprint"), node, "no fingerprint");
    Ok(StageRun {
        node: NodeId::from_stored(node),
        stage: stage(row, 1, "stage_runs")?,
        revision: row.int(2)?,
        fingerprint: Fingerprint::parse(row.text(3)?).ok_or_else(corrupt)?,
        since: row.time(4)?,
        held: row.flag(5)?,
        error: row.opt_text(6)?.map(str::to_owned),
    })
}

fn stage(row: &Row, index: usize, table: &'static str) -> Result<Stage, StoreError> {
    let corrupt = || StoreError::corrupt((table, "stage"), Uuid::nil(), "no such stage");
    Stage::parse(row.text(index)?).ok_or_else(corrupt)
}
