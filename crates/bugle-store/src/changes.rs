//! Changes of the stages: one at a time, driven by one node, every step with all that it does in
//! one transaction.

use bugle_domain::{AllTenants, NodeId, TenantId};
use bugle_engine::change::{Action, Change, Evidence, Step, UndoWanted};
use bugle_engine::cleanup::CleanUp;
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::cleanup;
use crate::db::row::Row;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::db::{Tx, WriteClass, retried};
use crate::error::StoreError;
use crate::revisions;

/// Most checkpoints of one change that are read.
const CHECKPOINTS: u32 = 1_000;

/// A change under way, and who drives it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DrivenChange {
    /// The change.
    pub change: Change,
    /// The node that drives it.
    pub driver: NodeId,
    /// Fences out a driver that was replaced.
    pub epoch: i64,
}

/// What was seen at one checkpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// When.
    pub at: Timestamp,
    /// The state that it belongs to, as a word.
    pub state: String,
    /// Whether it was as it should be.
    pub ok: bool,
    /// What was seen.
    pub evidence: String,
}

pub(crate) static NEXT: Statement =
    Statement::new("SELECT c.number FROM changes c ORDER BY c.number DESC LIMIT 1");

pub(crate) static BEGIN: Statement = Statement::new(
    "INSERT INTO changes (number, state, under_way, driver_id, epoch, document)
     VALUES ($1, $2, $3, $4, 1, $5)
     ON CONFLICT DO NOTHING",
);

pub(crate) static UNDER_WAY: Statement = Statement::new(
    "SELECT c.number, c.document, c.undo_wanted, c.driver_id, c.epoch FROM changes c
     WHERE c.under_way = 1",
);

pub(crate) static ONE: Statement =
    Statement::new("SELECT c.number, c.document, c.undo_wanted FROM changes c WHERE c.number = $1");

pub(crate) static LIST: Statement = Statement::new(
    "SELECT c.number, c.document, c.undo_wanted FROM changes c
     ORDER BY c.number DESC LIMIT $1",
);

pub(crate) static TAKE: Statement = Statement::new(
    "UPDATE changes SET driver_id = $3, epoch = epoch + 1
     WHERE number = $1 AND epoch = $2 AND under_way = 1",
);

pub(crate) static WANT_UNDO: Statement = Statement::new(
    "UPDATE changes SET undo_wanted = $2
     WHERE number = $1 AND under_way = 1 AND undo_wanted IS NULL",
);

pub(crate) static ADVANCE: Statement = Statement::new(
    "UPDATE changes SET state = $3, under_way = $4, document = $5
     WHERE number = $1 AND epoch = $2 AND under_way = 1",
);

pub(crate) static CHECKPOINT: Statement = Statement::new(
    "INSERT INTO checkpoints (change_number, seq, at_us, state, ok, evidence)
     VALUES ($1,
         (SELECT COALESCE(MAX(k.seq), 0) + 1 FROM checkpoints k WHERE k.change_number = $1),
         $2, $3, $4, $5)",
);

pub(crate) static CHECKPOINTS_OF: Statement = Statement::new(
    "SELECT k.at_us, k.state, k.ok, k.evidence FROM checkpoints k
     WHERE k.change_number = $1 ORDER BY k.seq LIMIT $2",
);

pub(crate) static NOTE_MOVED: Statement = Statement::new(
    "INSERT INTO moved_placements (tenant_id, node_id)
     SELECT p.tenant_id, p.node_id FROM placements p WHERE p.node_id = $1 AND p.tenant_id < $2
     ON CONFLICT DO NOTHING",
);

/// The canaries of a node stay with it: they are how it is seen to work.
pub(crate) static MOVE: Statement = Statement::new(
    "UPDATE placements SET node_id = $2, epoch = epoch + 1 WHERE node_id = $1 AND tenant_id < $3",
);

pub(crate) static GIVE_BACK: Statement = Statement::new(
    "UPDATE placements SET epoch = epoch + 1, node_id = (
         SELECT m.node_id FROM moved_placements m WHERE m.tenant_id = placements.tenant_id)
     WHERE tenant_id IN (SELECT m.tenant_id FROM moved_placements m)",
);

pub(crate) static FORGET_MOVED: Statement = Statement::new("DELETE FROM moved_placements");

/// What became of a change that was to begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Begun {
    /// It is written down.
    Written(Box<Change>),
    /// Another is under way.
    UnderWay,
    /// It was planned on a known-good that is not that any more, or on a clean-up that went on.
    Overtaken,
}

impl Store {
    /// Writes a change down, under the next number, driven by `driver`, if nothing else is under
    /// way and it still begins where it was planned.
    ///
    /// Takes no scope: stages are above tenants. So do all functions here.
    pub async fn begin_change(&self, change: &Change, driver: NodeId) -> Result<Begun, StoreError> {
        self.begin(change, driver, None).await
    }

    /// The same with the change that carries a clean-up out, as a step of that: whoever else makes
    /// a step of it at the same moment is overtaken, or this is.
    pub async fn begin_change_for(
        &self,
        clean_up: &CleanUp,
        change: &Change,
        driver: NodeId,
    ) -> Result<Begun, StoreError> {
        self.begin(change, driver, Some(clean_up)).await
    }

    async fn begin(
        &self,
        change: &Change,
        driver: NodeId,
        clean_up: Option<&CleanUp>,
    ) -> Result<Begun, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        if tx.row(&UNDER_WAY, values![]).await?.is_some() {
            return Ok(Begun::UnderWay);
        }
        let known_good = tx.row(&revisions::KNOWN_GOOD, values![]).await?;
        if known_good.map(|row| row.int(0)).transpose()? != Some(change.previous) {
            return Ok(Begun::Overtaken);
        }
        if let Some(clean_up) = clean_up
            && !cleanup::save(&mut tx, clean_up).await?
        {
            return Ok(Begun::Overtaken);
        }
        let written = write_down(&mut tx, change, driver).await?;
        tx.commit().await?;
        Ok(written.map_or(Begun::UnderWay, |change| Begun::Written(Box::new(change))))
    }

    /// Writes a change down that was refused before it began, with what spoke against it.
    pub async fn log_refused(
        &self,
        change: &Change,
        driver: NodeId,
        refusals: &[String],
    ) -> Result<Change, StoreError> {
        retried!(self.log_once(change, driver, refusals))
    }

    async fn log_once(
        &self,
        change: &Change,
        driver: NodeId,
        refusals: &[String],
    ) -> Result<Change, StoreError> {
        loop {
            let mut tx = self.db.write(WriteClass::Then).await?;
            let Some(written) = write_down(&mut tx, change, driver).await? else { continue };
            for text in refusals {
                let evidence = Evidence { ok: false, text: text.clone() };
                checkpoint(&mut tx, &written, &evidence, written.entered_at).await?;
            }
            tx.commit().await?;
            return Ok(written);
        }
    }

    /// The change that is under way.
    pub async fn change_under_way(&self) -> Result<Option<DrivenChange>, StoreError> {
        let Some(row) = self.db.row(&UNDER_WAY, values![]).await? else { return Ok(None) };
        let driver = NodeId::from_stored(row.id(3)?);
        Ok(Some(DrivenChange { change: change(&row)?, driver, epoch: row.int(4)? }))
    }

    /// One change.
    pub async fn guarded_change(&self, number: i64) -> Result<Option<Change>, StoreError> {
        self.db.row(&ONE, values![number]).await?.as_ref().map(change).transpose()
    }

    /// Changes, newest first; at most 200.
    pub async fn guarded_changes(&self, _: AllTenants) -> Result<Vec<Change>, StoreError> {
        self.db.rows(&LIST, values![revisions::LISTED]).await?.iter().map(change).collect()
    }

    /// What was seen at the checkpoints of a change, oldest first.
    pub async fn checkpoints(&self, number: i64) -> Result<Vec<Checkpoint>, StoreError> {
        let checkpoint = |row: &Row| {
            Ok(Checkpoint {
                at: row.time(0)?,
                state: row.string(1)?,
                ok: row.flag(2)?,
                evidence: row.string(3)?,
            })
        };
        let rows = self.db.rows(&CHECKPOINTS_OF, values![number, CHECKPOINTS]).await?;
        rows.iter().map(checkpoint).collect()
    }

    /// Takes a change out of the hands of a driver that is dead. `false`: another was faster.
    pub async fn take_change(
        &self,
        driven: &DrivenChange,
        driver: NodeId,
    ) -> Result<bool, StoreError> {
        let values = values![driven.change.number, driven.epoch, driver];
        Ok(self.db.run(&TAKE, values).await? == 1)
    }

    /// Notes that a person wants a change undone. `false`: it is over, or wanted already.
    pub async fn want_undo(&self, number: i64, wanted: &UndoWanted) -> Result<bool, StoreError> {
        let values = values![number, serde_json::to_string(wanted)?];
        Ok(self.db.run(&WANT_UNDO, values).await? == 1)
    }

    /// Saves a step of a change together with all that it does. `false`: the driver was replaced,
    /// and nothing was done.
    pub async fn advance_change(
        &self,
        step: &Step,
        epoch: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        retried!(self.advance_once(step, epoch, now))
    }

    async fn advance_once(
        &self,
        step: &Step,
        epoch: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Step { change, actions, evidence } = step;
        let mut tx = self.db.write(WriteClass::Then).await?;
        let under_way = (!change.state.is_final()).then_some(1_i64);
        let document = serde_json::to_string(change)?;
        let saved = values![change.number, epoch, change.state.as_str(), under_way, document];
        if tx.run(&ADVANCE, saved).await? != 1 {
            return Ok(false);
        }
        for action in actions {
            act(&mut tx, action, now).await?;
        }
        for seen in evidence {
            checkpoint(&mut tx, change, seen, now).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// Writes a change down under the next number. `None`: another took it, or is under way.
async fn write_down(
    tx: &mut Tx,
    change: &Change,
    driver: NodeId,
) -> Result<Option<Change>, StoreError> {
    let last = tx.row(&NEXT, values![]).await?.map_or(Ok(0), |row| row.int(0))?;
    let change = Change { number: last + 1, ..change.clone() };
    let under_way = (!change.state.is_final()).then_some(1_i64);
    let document = serde_json::to_string(&change)?;
    let row = values![change.number, change.state.as_str(), under_way, driver, document];
    Ok((tx.run(&BEGIN, row).await? == 1).then_some(change))
}

async fn checkpoint(
    tx: &mut Tx,
    change: &Change,
    Evidence { ok, text }: &Evidence,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = values![change.number, now, change.state.as_str(), i64::from(*ok), text];
    tx.run(&CHECKPOINT, values).await.map(drop)
}

async fn act(tx: &mut Tx, action: &Action, now: Timestamp) -> Result<(), StoreError> {
    match action {
        Action::Hold { node, stages } => {
            for stage in stages {
                tx.run(&revisions::HOLD, values![*node, stage.as_str()]).await?;
            }
        }
        Action::ReleaseAll => drop(tx.run(&revisions::RELEASE, values![]).await?),
        Action::Target { node, stages, revision } => {
            for stage in stages {
                tx.run(&revisions::AIM, values![*node, stage.as_str(), *revision]).await?;
            }
        }
        Action::MoveAway { from, to } => {
            tx.run(&NOTE_MOVED, values![*from, TenantId::reserved_from()]).await?;
            tx.run(&MOVE, values![*from, *to, TenantId::reserved_from()]).await?;
        }
        Action::GiveBack => {
            tx.run(&GIVE_BACK, values![]).await?;
            tx.run(&FORGET_MOVED, values![]).await?;
        }
        Action::KnownGood { revision } => {
            tx.run(&revisions::SET_KNOWN_GOOD, values![*revision]).await?;
            tx.run(&revisions::UNBLOCK, values![*revision]).await?;
            tx.run(&revisions::FORGET_TARGETS, values![]).await?;
        }
        Action::Block { revision, why } => {
            tx.run(&revisions::BLOCK, values![*revision, now, why]).await?;
        }
    }
    Ok(())
}

/// The change of a row that begins with number, document and who wants it undone.
fn change(row: &Row) -> Result<Change, StoreError> {
    let number = row.int(0)?;
    let corrupt = |column, error: serde_json::Error| {
        let id = Uuid::from_u64_pair(0, number.unsigned_abs());
        StoreError::corrupt(("changes", column), id, error)
    };
    let mut change: Change =
        serde_json::from_str(row.text(1)?).map_err(|error| corrupt("document", error))?;
    let undo = row.opt_text(2)?.map(serde_json::from_str).transpose();
    change.undo = undo.map_err(|error| corrupt("undo_wanted", error))?;
    Ok(change)
}
