//! Clean-ups: what they take away, put back and drop, in steps. A step is one transaction with the
//! record of how far it came, so that whoever is killed, the next one goes on.

use bugle_domain::object::{Object, ObjectKind};
use bugle_domain::{AllTenants, TenantId};
use bugle_engine::cleanup::{Candidate, CleanUp, What};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::access::{CLEAR_PASSWORD, UNMAKE_OPERATOR, sessions};
use crate::db::row::Row;
use crate::db::statement::Kind::{Id, Text};
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::db::{Tx, WriteClass, retried};
use crate::directory::{self, AUDIT, CURRENT, DELETE, NEXT_VERSION, ObjectChange};
use crate::error::StoreError;
use crate::revisions::LISTED;

pub(crate) mod candidates;
pub(crate) mod provider_use;

/// What a step does, beside saving how far it came.
#[derive(Clone, PartialEq, Debug)]
pub enum CleanUpStep {
    /// Takes away what a tenant has, if its configuration is still at this version.
    Remove {
        /// Whose.
        tenant: TenantId,
        /// The version that was judged.
        version: i64,
        /// What goes.
        goes: Vec<Candidate>,
        /// Whether it was all of the tenant's: its configuration has a new version then.
        last: bool,
    },
    /// Takes away nodes that own nothing.
    RemoveNodes(Vec<Candidate>),
    /// Keeps what a change took away.
    Keep(Vec<Candidate>),
    /// Puts back at most so many things.
    PutBack(u32),
    /// Drops at most so many things.
    Purge(u32),
    /// Nothing more.
    Nothing,
}

/// What became of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stepped {
    /// It was done, with so many things.
    Done(u32),
    /// Another node was faster, or the configuration was changed: nothing was done.
    Overtaken,
}

/// Something that was taken away and can be put back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RemovedThing {
    /// Whose; nil for nodes and providers.
    pub tenant: TenantId,
    /// What it is: the kind of an object, `key`, `node` or `provider`.
    pub kind: String,
    /// Its id.
    pub id: Uuid,
    /// What it was called.
    pub name: String,
    /// Whether it could not be put back.
    pub stuck: bool,
}

pub(crate) static NEXT: Statement =
    Statement::new("SELECT u.number FROM clean_ups u ORDER BY u.number DESC LIMIT 1");

pub(crate) static BEGIN: Statement = Statement::new(
    "INSERT INTO clean_ups (number, step, over, document) VALUES ($1, 0, 0, $2)
     ON CONFLICT DO NOTHING",
);

pub(crate) static LIST: Statement =
    Statement::new("SELECT u.number, u.document FROM clean_ups u ORDER BY u.number DESC LIMIT $1");

pub(crate) static ONE: Statement =
    Statement::new("SELECT u.number, u.document FROM clean_ups u WHERE u.number = $1");

pub(crate) static AT_WORK: Statement = Statement::new(
    "SELECT u.number, u.document FROM clean_ups u WHERE u.over = 0 ORDER BY u.number LIMIT $1",
);

pub(crate) static SAVE: Statement = Statement::new(
    "UPDATE clean_ups SET step = step + 1, over = $3, document = $4
     WHERE number = $1 AND step = $2",
);

pub(crate) static THINGS: Statement = Statement::new(
    "SELECT x.tenant_id, x.kind, x.id, x.name, x.stuck, x.document FROM removed_things x
     WHERE x.clean_up = $1 ORDER BY x.stuck, x.tenant_id, x.kind, x.id LIMIT $2",
);

pub(crate) static TO_PUT_BACK: Statement = Statement::new(
    "SELECT x.tenant_id, x.kind, x.id, x.name, x.stuck, x.document FROM removed_things x
     WHERE x.clean_up = $1 AND x.stuck = 0 ORDER BY x.tenant_id, x.kind, x.id LIMIT $2",
);

pub(crate) static KEEP: Statement = Statement::with_rows(
    "INSERT INTO removed_things (clean_up, tenant_id, kind, id, name, document, stuck)
     SELECT $1, $2, r.kind, r.id, r.name, r.document, 0 FROM {rows}
     WHERE true
     ON CONFLICT DO NOTHING",
    2,
    &[("kind", Text), ("id", Id), ("name", Text), ("document", Text)],
);

pub(crate) static FORGET: Statement = Statement::with_rows(
    "DELETE FROM removed_things WHERE clean_up = $1
         AND (tenant_id, kind, id) IN (SELECT r.tenant, r.kind, r.id FROM {rows})",
    1,
    &[("tenant", Id), ("kind", Text), ("id", Id)],
);

pub(crate) static STICK: Statement = Statement::new(
    "UPDATE removed_things SET stuck = 1
     WHERE clean_up = $1 AND tenant_id = $2 AND kind = $3 AND id = $4",
);

/// Also locks the tenant's configuration until the end of the transaction.
pub(crate) static HOLD: Statement =
    Statement::new("SELECT t.config_version FROM tenants t WHERE t.tenant_id = $1{pg: FOR UPDATE}");

pub(crate) static REMOVE_KEYS: Statement = Statement::with_rows(
    "UPDATE api_keys SET removed_us = $2 WHERE tenant_id = $1
         AND id IN (SELECT r.id FROM {rows})",
    2,
    &[("id", Id)],
);

pub(crate) static PUT_BACK_KEY: Statement =
    Statement::new("UPDATE api_keys SET removed_us = NULL WHERE tenant_id = $1 AND id = $2");

pub(crate) static DROP_KEY: Statement =
    Statement::new("DELETE FROM api_keys WHERE tenant_id = $1 AND id = $2");

pub(crate) static DROP_KEYS_OF: Statement =
    Statement::new("DELETE FROM api_keys WHERE tenant_id = $1 AND user_id = $2");

pub(crate) static REMOVE_NODE: Statement = Statement::new(
    "DELETE FROM nodes WHERE node_id = $1
         AND NOT EXISTS (SELECT 1 FROM placements p WHERE p.node_id = $1)",
);

pub(crate) static FORGET_RUNS: Statement =
    Statement::new("DELETE FROM stage_runs WHERE node_id = $1");

pub(crate) static FORGET_TARGETS: Statement =
    Statement::new("DELETE FROM stage_targets WHERE node_id = $1");

pub(crate) static FORGET_REPORT: Statement =
    Statement::new("DELETE FROM watch_reports WHERE node_id = $1");

impl Store {
    /// Writes a clean-up down, under the next number.
    ///
    /// Takes no scope: operators clean up over all tenants. So do all functions here that have
    /// none.
    pub async fn begin_clean_up(&self, wanted: &CleanUp) -> Result<CleanUp, StoreError> {
        retried!(self.begin_clean_up_once(wanted))
    }

    async fn begin_clean_up_once(&self, wanted: &CleanUp) -> Result<CleanUp, StoreError> {
        loop {
            let mut tx = self.db.write(WriteClass::Then).await?;
            let last = tx.row(&NEXT, values![]).await?.map_or(Ok(0), |row| row.int(0))?;
            let begun = CleanUp { number: last + 1, step: 0, ..wanted.clone() };
            let document = serde_json::to_string(&begun)?;
            if tx.run(&BEGIN, values![begun.number, document]).await? == 1 {
                tx.commit().await?;
                return Ok(begun);
            }
        }
    }

    /// Clean-ups, newest first; at most 200.
    pub async fn clean_ups(&self, _: AllTenants) -> Result<Vec<CleanUp>, StoreError> {
        self.db.rows(&LIST, values![LISTED]).await?.iter().map(clean_up).collect()
    }

    /// Clean-ups that are not over, oldest first; at most 200.
    pub async fn clean_ups_at_work(&self) -> Result<Vec<CleanUp>, StoreError> {
        self.db.rows(&AT_WORK, values![LISTED]).await?.iter().map(clean_up).collect()
    }

    /// One clean-up.
    pub async fn clean_up(&self, number: i64) -> Result<Option<CleanUp>, StoreError> {
        self.db.row(&ONE, values![number]).await?.as_ref().map(clean_up).transpose()
    }

    /// What a clean-up took away and still keeps, at most 200; what could not be put back comes
    /// last.
    pub async fn removed_things(&self, number: i64) -> Result<Vec<RemovedThing>, StoreError> {
        let rows = self.db.rows(&THINGS, values![number, LISTED]).await?;
        rows.iter().map(|row| thing(row).map(|(thing, _)| thing)).collect()
    }

    /// Saves how far a clean-up came together with what the step does. `after.step` is that of the
    /// step before it.
    ///
    /// # Errors
    ///
    /// Nothing was done then.
    pub async fn step_clean_up(
        &self,
        after: &CleanUp,
        step: &CleanUpStep,
        now: Timestamp,
    ) -> Result<Stepped, StoreError> {
        retried!(self.step_once(after, step, now))
    }

    async fn step_once(
        &self,
        after: &CleanUp,
        step: &CleanUpStep,
        now: Timestamp,
    ) -> Result<Stepped, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let done = match step {
            CleanUpStep::Remove { tenant, version, goes, last } => {
                let of = Remove { clean_up: after, tenant: *tenant, goes, now };
                if !of.held(&mut tx, *version, *last).await? {
                    return Ok(Stepped::Overtaken);
                }
                of.run(&mut tx).await?;
                count(goes.len())
            }
            CleanUpStep::RemoveNodes(goes) => remove_nodes(&mut tx, after, goes).await?,
            CleanUpStep::Keep(gone) => keep(&mut tx, after, "provider", gone).await?,
            CleanUpStep::PutBack(limit) => put_back(&mut tx, after, *limit, now).await?,
            CleanUpStep::Purge(limit) => purge(&mut tx, after, *limit).await?,
            CleanUpStep::Nothing => 0,
        };
        let mut saved = after.clone();
        match step {
            CleanUpStep::Remove { .. } | CleanUpStep::RemoveNodes(_) | CleanUpStep::Keep(_) => {
                saved.removed += i64::from(done);
            }
            CleanUpStep::PutBack(_) => saved.restored += i64::from(done),
            CleanUpStep::Purge(_) | CleanUpStep::Nothing => (),
        }
        if !save(&mut tx, &saved).await? {
            return Ok(Stepped::Overtaken);
        }
        tx.commit().await?;
        Ok(Stepped::Done(done))
    }
}

/// Saves how far a clean-up came with this step. `false`: another step came before.
pub(crate) async fn save(tx: &mut Tx, after: &CleanUp) -> Result<bool, StoreError> {
    let saved = CleanUp { step: after.step + 1, ..after.clone() };
    let (document, over) = (serde_json::to_string(&saved)?, after.state.is_final());
    let values = values![after.number, after.step, i64::from(over), document];
    Ok(tx.run(&SAVE, values).await? == 1)
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

/// A step that takes away what a tenant has.
struct Remove<'a> {
    clean_up: &'a CleanUp,
    tenant: TenantId,
    goes: &'a [Candidate],
    now: Timestamp,
}

impl Remove<'_> {
    /// Locks the tenant's configuration, if it is still what was judged.
    async fn held(&self, tx: &mut Tx, version: i64, last: bool) -> Result<bool, StoreError> {
        let held = tx.row(&HOLD, values![self.tenant]).await?;
        let held = held.map(|row| row.int(0)).transpose()?;
        if held != Some(version) {
            return Ok(false);
        }
        if last && self.clean_up.what != What::Keys {
            tx.row(&NEXT_VERSION, values![self.tenant]).await?;
        }
        Ok(true)
    }

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let kind = match self.clean_up.what {
            What::Keys => return self.keys(tx).await,
            What::Users => ObjectKind::User,
            What::Integrations => ObjectKind::Integration,
            What::Nodes | What::Providers => return Ok(()),
        };
        let mut named = Rows::new();
        for it in self.goes {
            named.push(row![kind.as_str(), it.id]);
            for (kind, id) in &it.with {
                named.push(row![kind.as_str(), *id]);
            }
        }
        if named.is_empty() {
            return Ok(());
        }
        let (mut kept, mut log) = (Rows::new(), Rows::new());
        for found in tx.rows(&CURRENT, values![self.tenant, named.clone()]).await? {
            let (kind, id, data) = (found.string(0)?, found.id(1)?, found.string(3)?);
            log.push(row![log.len() + 1, "delete", &*kind, id, Some(data.clone()), None::<String>]);
            kept.push(row![&*kind, id, self.name_of(id), data]);
        }
        tx.run(&KEEP, values![self.clean_up.number, self.tenant, kept]).await?;
        let actor = format!("{} (clean-up {})", self.clean_up.author, self.clean_up.number);
        if !log.is_empty() {
            tx.run(&AUDIT, values![self.tenant, self.now, actor, log]).await?;
        }
        tx.run(&DELETE, values![self.tenant, named]).await.map(drop)
    }

    fn name_of(&self, id: Uuid) -> String {
        self.goes.iter().find(|it| it.id == id).map(|it| it.name.clone()).unwrap_or_default()
    }

    async fn keys(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let (mut kept, mut ids) = (Rows::new(), Rows::new());
        for it in self.goes {
            kept.push(row!["key", it.id, &*it.name, ""]);
            ids.push(row![it.id]);
        }
        if ids.is_empty() {
            return Ok(());
        }
        tx.run(&KEEP, values![self.clean_up.number, self.tenant, kept]).await?;
        tx.run(&REMOVE_KEYS, values![self.tenant, self.now, ids]).await.map(drop)
    }
}

async fn remove_nodes(
    tx: &mut Tx,
    clean_up: &CleanUp,
    goes: &[Candidate],
) -> Result<u32, StoreError> {
    let mut gone = Vec::new();
    for it in goes {
        if tx.run(&REMOVE_NODE, values![it.id]).await? == 1 {
            for statement in [&FORGET_RUNS, &FORGET_TARGETS, &FORGET_REPORT] {
                tx.run(statement, values![it.id]).await?;
            }
            gone.push(it.clone());
        }
    }
    keep(tx, clean_up, "node", &gone).await
}

/// Keeps that something of no tenant is gone, so that it can be seen.
async fn keep(
    tx: &mut Tx,
    clean_up: &CleanUp,
    kind: &str,
    gone: &[Candidate],
) -> Result<u32, StoreError> {
    let (mut kept, nobody) = (Rows::new(), TenantId::from_stored(Uuid::nil()));
    for it in gone {
        kept.push(row![kind, it.id, &*it.name, ""]);
    }
    if !gone.is_empty() {
        tx.run(&KEEP, values![clean_up.number, nobody, kept]).await?;
    }
    Ok(count(gone.len()))
}

async fn put_back(
    tx: &mut Tx,
    clean_up: &CleanUp,
    limit: u32,
    now: Timestamp,
) -> Result<u32, StoreError> {
    let rows = tx.rows(&TO_PUT_BACK, values![clean_up.number, limit]).await?;
    let mut back = Rows::new();
    for row in &rows {
        let (thing, document) = thing(row)?;
        if put_one_back(tx, &thing, &document, now).await? {
            back.push(row![thing.tenant, &*thing.kind, thing.id]);
        } else {
            let values = values![clean_up.number, thing.tenant, &*thing.kind, thing.id];
            tx.run(&STICK, values).await?;
        }
    }
    let done = count(back.len());
    if done > 0 {
        tx.run(&FORGET, values![clean_up.number, back]).await?;
    }
    Ok(done)
}

/// `false`: what it was called is called something else by now.
async fn put_one_back(
    tx: &mut Tx,
    thing: &RemovedThing,
    document: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if thing.kind == "key" {
        return Ok(tx.run(&PUT_BACK_KEY, values![thing.tenant, thing.id]).await? == 1);
    }
    // A node that starts again is there again, and providers were put back by a change.
    let Some(kind) = ObjectKind::parse(&thing.kind) else { return Ok(true) };
    let object: Object = directory::object(kind, thing.id, document)?;
    tx.row(&NEXT_VERSION, values![thing.tenant]).await?.ok_or(StoreError::NoTenant)?;
    let change = [ObjectChange::Put { object, expected: None }];
    match directory::check_names(tx, thing.tenant, &change).await {
        Err(StoreError::NameTaken { .. }) => return Ok(false),
        checked => checked?,
    }
    directory::put(tx, thing.tenant, &change, now).await?;
    let mut log = Rows::new();
    let data = Some(document.to_owned());
    log.push(row![1_i64, "create", kind.as_str(), thing.id, None::<String>, data]);
    tx.run(&AUDIT, values![thing.tenant, now, "clean-up, put back", log]).await?;
    Ok(true)
}

/// Drops what can't be put back any more, with all that still refers to it.
async fn purge(tx: &mut Tx, clean_up: &CleanUp, limit: u32) -> Result<u32, StoreError> {
    let mut gone = Rows::new();
    for row in tx.rows(&THINGS, values![clean_up.number, limit]).await? {
        let (thing, _) = thing(&row)?;
        let of = || values![thing.tenant, thing.id];
        match thing.kind.as_str() {
            "key" => drop(tx.run(&DROP_KEY, of()).await?),
            "user" => {
                for statement in [&CLEAR_PASSWORD, &UNMAKE_OPERATOR, &DROP_KEYS_OF] {
                    tx.run(statement, of()).await?;
                }
                let all = values![thing.tenant, thing.id, None::<Uuid>];
                tx.run(&sessions::DELETE_ALL, all).await?;
            }
            "integration" => {
                for statement in [&crate::keys::FORGET, &candidates::FORGET_USE] {
                    tx.run(statement, of()).await?;
                }
            }
            _ => (),
        }
        gone.push(row![thing.tenant, &*thing.kind, thing.id]);
    }
    let dropped = count(gone.len());
    if dropped > 0 {
        tx.run(&FORGET, values![clean_up.number, gone]).await?;
    }
    Ok(dropped)
}

fn thing(row: &Row) -> Result<(RemovedThing, String), StoreError> {
    let thing = RemovedThing {
        tenant: TenantId::from_stored(row.id(0)?),
        kind: row.string(1)?,
        id: row.id(2)?,
        name: row.string(3)?,
        stuck: row.flag(4)?,
    };
    Ok((thing, row.string(5)?))
}

/// The clean-up of a row with number and document.
fn clean_up(row: &Row) -> Result<CleanUp, StoreError> {
    let id = Uuid::from_u64_pair(0, row.int(0)?.unsigned_abs());
    serde_json::from_str(row.text(1)?)
        .map_err(|error| StoreError::corrupt(("clean_ups", "document"), id, error))
}
