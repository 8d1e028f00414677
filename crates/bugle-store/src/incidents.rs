//! Major incidents that the watch declares, and the timelines of all. At most one of the watch's is
//! open.
//!
//! Nothing here takes a scope: what the watch declares is the installation's own, and whoever asks
//! for a timeline has found its incident before.

pub(crate) mod impact;
pub(crate) mod retention;
pub(crate) mod rooms;

use bugle_domain::{AllTenants, IncidentId, NodeId};
use bugle_engine::incident::{Incident, IncidentLine, MACHINES, MAX_MACHINE_LINES, taken};
use jiff::Timestamp;

use crate::Store;
use crate::alerts::json;
use crate::db::row::Row;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::db::{MAX_RACES, Tx, WriteClass, retried};
use crate::error::StoreError;
use crate::readable::{or_skipped, readable};

/// Lines of one timeline that are read, the newest.
const MAX_LINES: u32 = 1_000;

macro_rules! incident_columns {
    () => {
        "i.id, i.document, i.answered_us, i.answered_by, i.node_id"
    };
}

pub(crate) static DECLARE: Statement = Statement::new(
    "INSERT INTO incidents (id, open, node_id, declared_us, answer_hash, document)
     VALUES ($1, 1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING",
);

pub(crate) static OPEN: Statement = Statement::new(concat!(
    "SELECT ",
    incident_columns!(),
    " FROM incidents i WHERE i.open = 1 LIMIT 1"
));

pub(crate) static BY_ID: Statement =
    Statement::new(concat!("SELECT ", incident_columns!(), " FROM incidents i WHERE i.id = $1"));

pub(crate) static LIST: Statement = Statement::new(concat!(
    "SELECT ",
    incident_columns!(),
    " FROM incidents i ORDER BY i.id DESC LIMIT $1"
));

pub(crate) static SAVE: Statement =
    Statement::new("UPDATE incidents SET open = $2, document = $3 WHERE id = $1 AND open = 1");

pub(crate) static TAKE: Statement =
    Statement::new("UPDATE incidents SET node_id = $3 WHERE id = $1 AND node_id = $2 AND open = 1");

pub(crate) static SET_ASIDE: Statement =
    Statement::new("UPDATE incidents SET open = 0 WHERE id = $1 AND node_id = $2 AND open = 1");

pub(crate) static ANSWER: Statement = Statement::new(
    "UPDATE incidents SET answered_us = $2, answered_by = $3
     WHERE id = $1 AND answered_us IS NULL",
);

pub(crate) static BY_ANSWER: Statement =
    Statement::new("SELECT i.id FROM incidents i WHERE i.open = 1 AND i.answer_hash = $1");

pub(crate) static ADD_LINE: Statement = Statement::new(
    "INSERT INTO incident_lines (incident_id, seq, at_us, source, text, link)
     SELECT $1, COALESCE((SELECT MAX(l.seq) FROM incident_lines l WHERE l.incident_id = $1), 0) + 1,
         $2, $3, $4, $5
     WHERE true
     ON CONFLICT DO NOTHING",
);

pub(crate) static LINES: Statement = Statement::new(
    "SELECT l.at_us, l.source, l.text, l.link, l.seq FROM incident_lines l
     WHERE l.incident_id = $1 ORDER BY l.seq DESC LIMIT $2",
);

pub(crate) static LAST_LINE: Statement =
    Statement::new("SELECT COALESCE(MAX(l.seq), 0) FROM incident_lines l WHERE l.incident_id = $1");

pub(crate) static MACHINE_LINES: Statement = Statement::new(
    "SELECT COUNT(*) FROM incident_lines l
     WHERE l.incident_id = $1 AND l.source IN ($2, $3, $4, $5)",
);

/// The watch's incident is over, and so is what people made of it.
pub(crate) static CLOSE_ROOM: Statement = Statement::new(
    "UPDATE incident_rooms
     SET open = 0, due_us = NULL, closed_us = COALESCE(closed_us, $3), version = version + 1
     WHERE tenant_id = $1 AND id = $2",
);

/// An incident, and the node that follows it.
#[derive(Clone, PartialEq, Debug)]
pub struct IncidentRow {
    /// The incident.
    pub incident: Incident,
    /// Whose watch brings it up to date and rings.
    pub node: NodeId,
}

impl Store {
    /// Declares an incident, unless one is open. Whoever has the token of `answer_hash` may answer
    /// it. Returns whether it was declared.
    pub async fn declare_incident(
        &self,
        node: NodeId,
        incident: &Incident,
        answer_hash: &[u8; 32],
    ) -> Result<bool, StoreError> {
        let document = json(incident)?;
        let values = values![incident.id, node, incident.declared_at, answer_hash, document];
        Ok(self.db.run(&DECLARE, values).await? == 1)
    }

    /// The incident that is open.
    pub async fn open_incident(&self) -> Result<Option<IncidentRow>, StoreError> {
        self.db.row(&OPEN, values![]).await?.as_ref().map(incident).transpose()
    }

    /// The open incident where it does not read, and the node that follows it.
    pub async fn unreadable_incident(&self) -> Result<Option<(IncidentId, NodeId)>, StoreError> {
        let Some(row) = self.db.row(&OPEN, values![]).await? else { return Ok(None) };
        if or_skipped(incident(&row))?.is_some() {
            return Ok(None);
        }
        Ok(Some((IncidentId::from_stored(row.id(0)?), NodeId::from_stored(row.id(4)?))))
    }

    /// Closes an incident that does not read, and its room: nobody could bring it up to date or
    /// end it, and no other would be declared beside it. `false`: it is not `node`'s any more.
    pub async fn set_aside_incident(
        &self,
        id: IncidentId,
        node: NodeId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        retried!(self.set_aside_once(id, node, now))
    }

    async fn set_aside_once(
        &self,
        id: IncidentId,
        node: NodeId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let done = tx.run(&SET_ASIDE, values![id, node]).await? == 1;
        if done {
            tx.run(&CLOSE_ROOM, values![rooms::key(None), id, now]).await?;
        }
        tx.commit().await?;
        Ok(done)
    }

    /// Those of these incidents that there are and that read.
    pub async fn incidents_of(
        &self,
        _: AllTenants,
        ids: &[IncidentId],
    ) -> Result<Vec<Incident>, StoreError> {
        let mut found = Vec::new();
        for id in ids {
            if let Some(row) = self.db.row(&BY_ID, values![*id]).await? {
                found.extend(or_skipped(incident(&row))?.map(|row| row.incident));
            }
        }
        Ok(found)
    }

    /// One incident.
    pub async fn incident(
        &self,
        _: AllTenants,
        id: IncidentId,
    ) -> Result<Option<IncidentRow>, StoreError> {
        self.db.row(&BY_ID, values![id]).await?.as_ref().map(incident).transpose()
    }

    /// The newest incidents, newest first.
    pub async fn incidents(
        &self,
        _: AllTenants,
        limit: u32,
    ) -> Result<Vec<IncidentRow>, StoreError> {
        readable(&self.db.rows(&LIST, values![limit]).await?, incident)
    }

    /// Writes how an open incident stands, and what is new to its timeline. One that is closed is
    /// not changed.
    pub async fn save_incident(
        &self,
        incident: &Incident,
        lines: &[IncidentLine],
    ) -> Result<(), StoreError> {
        retried!(self.save_incident_once(incident, lines))
    }

    async fn save_incident_once(
        &self,
        incident: &Incident,
        lines: &[IncidentLine],
    ) -> Result<(), StoreError> {
        let document = json(incident)?;
        let mut tx = self.db.write(WriteClass::Then).await?;
        tx.run(&SAVE, values![incident.id, incident.open(), document]).await?;
        if !incident.open() {
            let values = values![rooms::key(None), incident.id, incident.recovered_at];
            tx.run(&CLOSE_ROOM, values).await?;
        }
        add_lines(&mut tx, incident.id, lines).await?;
        tx.commit().await
    }

    /// Takes over following an incident from another node. Returns whether it did.
    pub async fn take_incident(
        &self,
        id: IncidentId,
        from: NodeId,
        to: NodeId,
    ) -> Result<bool, StoreError> {
        Ok(self.db.run(&TAKE, values![id, from, to]).await? == 1)
    }

    /// Adds a line to the timeline of the open incident; `false` where none is open.
    pub async fn note_open_incident(&self, line: &IncidentLine) -> Result<bool, StoreError> {
        let Some(open) = self.open_incident().await? else { return Ok(false) };
        self.add_incident_line(open.incident.id, line).await?;
        Ok(true)
    }

    /// Adds a line to the timeline of an incident that was found before. `false`: it is full.
    pub async fn add_incident_line(
        &self,
        id: IncidentId,
        line: &IncidentLine,
    ) -> Result<bool, StoreError> {
        retried!(self.add_line_once(id, line))
    }

    async fn add_line_once(&self, id: IncidentId, line: &IncidentLine) -> Result<bool, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let taken = add_lines(&mut tx, id, std::slice::from_ref(line)).await?;
        tx.commit().await?;
        Ok(taken)
    }

    /// Notes that a person answered. `false`: somebody had already, or there is no such incident.
    pub async fn answer_incident(
        &self,
        id: IncidentId,
        by: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.db.run(&ANSWER, values![id, now, by]).await? == 1)
    }

    /// The open incident that whoever has this token may answer.
    pub async fn incident_of_token(
        &self,
        answer_hash: &[u8; 32],
    ) -> Result<Option<IncidentId>, StoreError> {
        let row = self.db.row(&BY_ANSWER, values![answer_hash]).await?;
        row.map(|row| row.id(0).map(IncidentId::from_stored)).transpose()
    }

    /// The newest lines of an incident's timeline, oldest first, each with its number. The incident
    /// was found before.
    pub async fn incident_lines(
        &self,
        id: IncidentId,
    ) -> Result<Vec<(i64, IncidentLine)>, StoreError> {
        let rows = self.db.rows(&LINES, values![id, MAX_LINES]).await?;
        rows.iter().rev().map(line).collect()
    }
}

/// Adds lines at the end, as far as there is room, also where others add some at the same time.
/// `false`: there was none.
async fn add_lines(
    tx: &mut Tx,
    id: IncidentId,
    lines: &[IncidentLine],
) -> Result<bool, StoreError> {
    let taken = with_room(tx, id, lines).await?;
    for line in &taken {
        let mut tries = 0;
        loop {
            let link = line.link.as_deref();
            let values = values![id, line.at, &line.source, &line.text, link];
            tries += 1;
            // Somebody else has just taken the number: the next one is free.
            if tx.run(&ADD_LINE, values).await? == 1 || tries == MAX_RACES * 4 {
                break;
            }
        }
    }
    Ok(!taken.is_empty())
}

/// Those of the lines that there is room for.
async fn with_room(
    tx: &mut Tx,
    id: IncidentId,
    lines: &[IncidentLine],
) -> Result<Vec<IncidentLine>, StoreError> {
    let all = count(tx.row(&LAST_LINE, values![id]).await?)?;
    // Machines have not written more than there is.
    let by_machines = if all.saturating_add(lines.len()) < MAX_MACHINE_LINES {
        0
    } else {
        let [watch, alert, change, status] = MACHINES;
        count(tx.row(&MACHINE_LINES, values![id, watch, alert, change, status]).await?)?
    };
    Ok(taken(lines, all, by_machines))
}

fn count(row: Option<Row>) -> Result<usize, StoreError> {
    let count = row.map(|row| row.int(0)).transpose()?.unwrap_or(0);
    Ok(usize::try_from(count).unwrap_or(0))
}

fn line(row: &Row) -> Result<(i64, IncidentLine), StoreError> {
    let link = row.opt_text(3)?.map(str::to_owned);
    let line =
        IncidentLine { at: row.time(0)?, source: row.string(1)?, text: row.string(2)?, link };
    Ok((row.int(4)?, line))
}

fn incident(row: &Row) -> Result<IncidentRow, StoreError> {
    let id = row.id(0)?;
    let mut incident: Incident = serde_json::from_str(row.text(1)?)
        .map_err(|error| StoreError::corrupt(("incidents", "document"), id, error))?;
    let by = row.opt_text(3)?.map(str::to_owned);
    incident.answered = row.opt_time(2)?.zip(by);
    Ok(IncidentRow { incident, node: NodeId::from_stored(row.id(4)?) })
}
