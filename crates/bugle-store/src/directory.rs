//! Configuration: tenants, and their documents, read whole and changed under one version.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::contact::Address;
use bugle_domain::object::{Directory, Object, ObjectKind, Tenant};
use bugle_domain::{AllTenants, IntegrationId, PolicyId, TenantId, TenantScope};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::alerts::json;
use crate::db::row::Row;
use crate::db::statement::Kind::{Id, Int, Text};
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::db::{Tx, WriteClass, retried};
use crate::error::StoreError;
use crate::keys::set_key;
use crate::reading::Audited;
use crate::status_pages::{DROP_BULLETINS, DROP_SPANS};

/// One change of a tenant's configuration.
#[derive(Clone, PartialEq, Debug)]
pub enum ObjectChange {
    /// Makes the object, or replaces it.
    Put {
        /// The object as it shall be.
        object: Object,
        /// The version the caller saw: `Some(0)`, it must not exist; `None`, whatever is there.
        expected: Option<i64>,
    },
    /// Removes the object. Removing what is not there is no change.
    Delete {
        /// Its kind.
        kind: ObjectKind,
        /// Its id.
        id: Uuid,
    },
    /// Gives an integration its key, of which only the SHA-256 is kept; an earlier key ends.
    Key {
        /// The integration.
        integration: IntegrationId,
        /// SHA-256 of the key.
        hash: [u8; 32],
    },
}

macro_rules! tenant_columns {
    () => {
        "t.tenant_id, t.name, t.time_zone, t.fallback_policy_id, t.created_us, t.config_version"
    };
}

/// Clients only, and no watch's.
pub(crate) static TENANTS: Statement = Statement::new(concat!(
    "SELECT ",
    tenant_columns!(),
    " FROM tenants t WHERE t.tenant_id < $1 ORDER BY t.tenant_id"
));

pub(crate) static TENANT: Statement =
    Statement::new(concat!("SELECT ", tenant_columns!(), " FROM tenants t WHERE t.tenant_id = $1"));

pub(crate) static CREATE_TENANT: Statement = Statement::new(
    "INSERT INTO tenants (tenant_id, name, time_zone, fallback_policy_id, config_version,
         created_us)
     VALUES ($1, $2, $3, $4, 1, $5)
     ON CONFLICT DO NOTHING",
);

pub(crate) static SAVE_TENANT: Statement = Statement::new(
    "UPDATE tenants SET name = $2, time_zone = $3, fallback_policy_id = $4 WHERE tenant_id = $1",
);

pub(crate) static VERSIONS: Statement =
    Statement::new("SELECT t.tenant_id, t.config_version FROM tenants t ORDER BY t.tenant_id");

/// Also locks the tenant's configuration until the end of the transaction.
pub(crate) static NEXT_VERSION: Statement = Statement::new(
    "UPDATE tenants SET config_version = config_version + 1
     WHERE tenant_id = $1
     RETURNING config_version",
);

pub(crate) static OBJECTS: Statement = Statement::new(
    "SELECT o.kind, o.id, o.data FROM objects o WHERE o.tenant_id = $1 ORDER BY o.kind, o.id",
);

pub(crate) static VERSION: Statement = Statement::new(
    "SELECT o.version, o.updated_us FROM objects o
     WHERE o.tenant_id = $1 AND o.kind = $2 AND o.id = $3",
);

/// `CROSS JOIN`: SQLite would go through all objects of the tenant first.
pub(crate) static CURRENT: Statement = Statement::with_rows(
    "SELECT o.kind, o.id, o.version, o.data
     FROM {rows}
     CROSS JOIN objects o
     WHERE o.tenant_id = $1 AND o.kind = r.kind AND o.id = r.id",
    1,
    &[("kind", Text), ("id", Id)],
);

/// Names in use: within the tenant, and mail addresses everywhere.
pub(crate) static NAMES: Statement = Statement::with_rows(
    "SELECT o.kind, o.name, o.id
     FROM {rows}
     JOIN objects o ON o.name = r.name AND o.kind = r.kind AND o.name IS NOT NULL
     WHERE o.tenant_id = $1 OR o.kind = 'user'",
    1,
    &[("kind", Text), ("name", Text)],
);

/// The whole key is compared, so that SQLite finds each by it.
pub(crate) static DELETE: Statement = Statement::with_rows(
    "DELETE FROM objects
     WHERE (tenant_id, kind, id) IN (SELECT $1{pg: ::uuid}, r.kind, r.id FROM {rows})",
    1,
    &[("kind", Text), ("id", Id)],
);

pub(crate) static DELETE_KEYS: Statement = Statement::with_rows(
    "DELETE FROM integration_keys WHERE tenant_id = $1
         AND integration_id IN (SELECT r.id FROM {rows} WHERE r.kind = 'integration')",
    1,
    &[("kind", Text), ("id", Id)],
);

/// The whole key is compared, as in [`DELETE`].
pub(crate) static FREE_NAMES: Statement = Statement::with_rows(
    "UPDATE objects SET name = NULL
     WHERE (tenant_id, kind, id) IN (SELECT $1{pg: ::uuid}, r.kind, r.id FROM {rows})",
    1,
    &[("kind", Text), ("id", Id)],
);

pub(crate) static PUT: Statement = Statement::with_rows(
    "INSERT INTO objects (tenant_id, kind, id, name, phone, version, data, created_us, updated_us)
     SELECT $1, r.kind, r.id, r.name, r.phone, 1, r.data, $2, $2
     FROM {rows}
     WHERE true
     ON CONFLICT (tenant_id, kind, id) DO UPDATE SET
         name = excluded.name,
         phone = excluded.phone,
         version = objects.version + 1,
         data = excluded.data,
         updated_us = excluded.updated_us",
    2,
    &[("kind", Text), ("id", Id), ("name", Text), ("phone", Text), ("data", Text)],
);

pub(crate) static AUDIT: Statement = Statement::with_rows(
    "INSERT INTO audit (tenant_id, seq, at_us, actor, action, kind, object_id, before_data,
         after_data)
     SELECT $1, r.place + COALESCE((SELECT MAX(a.seq) FROM audit a WHERE a.tenant_id = $1), 0),
         $2, $3, r.action, r.kind, r.id, r.before_data, r.after_data
     FROM {rows}",
    3,
    &[
        ("place", Int),
        ("action", Text),
        ("kind", Text),
        ("id", Id),
        ("before_data", Text),
        ("after_data", Text),
    ],
);

/// What there was of an object: its version and document.
type Current = BTreeMap<(ObjectKind, Uuid), (i64, String)>;

impl Store {
    /// Every tenant, in the order they were made.
    pub async fn tenants(&self, _: AllTenants) -> Result<Vec<Tenant>, StoreError> {
        let clients = values![TenantId::reserved_from()];
        self.db.rows(&TENANTS, clients).await?.iter().map(tenant).collect()
    }

    /// The tenant itself.
    pub async fn tenant(&self, scope: TenantScope) -> Result<Option<Tenant>, StoreError> {
        self.db.row(&TENANT, values![scope.tenant()]).await?.as_ref().map(tenant).transpose()
    }

    /// Makes a tenant. Repeating it under the same id changes nothing.
    pub async fn create_tenant(&self, _: AllTenants, tenant: &Tenant) -> Result<(), StoreError> {
        let values = values![
            tenant.id,
            &tenant.name,
            &tenant.time_zone,
            tenant.fallback_policy,
            tenant.created_at,
        ];
        self.db.run(&CREATE_TENANT, values).await.map(drop)
    }

    /// Changes a tenant's own settings, and writes that to the audit log as `actor`'s.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoTenant`].
    pub async fn save_tenant(
        &self,
        scope: TenantScope,
        tenant: &Tenant,
        now: Timestamp,
        actor: &str,
    ) -> Result<(), StoreError> {
        retried!(self.save_tenant_once(scope.tenant(), tenant, now, actor))
    }

    async fn save_tenant_once(
        &self,
        id: TenantId,
        wanted: &Tenant,
        now: Timestamp,
        actor: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        tx.row(&NEXT_VERSION, values![id]).await?.ok_or(StoreError::NoTenant)?;
        let before = tx.row(&TENANT, values![id]).await?.ok_or(StoreError::NoTenant)?;
        let (before, after) = (json(&tenant(&before)?)?, json(wanted)?);
        let values = values![id, &wanted.name, &wanted.time_zone, wanted.fallback_policy];
        tx.run(&SAVE_TENANT, values).await?;
        if before != after {
            let mut log = Rows::new();
            log.push(row![1_i64, "change", Audited::Settings.as_str(), id, before, after]);
            tx.run(&AUDIT, values![id, now, actor, log]).await?;
        }
        tx.commit().await
    }

    /// A tenant's whole configuration. Its content is at least as new as its version says.
    pub async fn directory(&self, scope: TenantScope) -> Result<Option<Directory>, StoreError> {
        let Some(row) = self.db.row(&TENANT, values![scope.tenant()]).await? else {
            return Ok(None);
        };
        let mut directory = Directory::empty(tenant(&row)?, row.int(5)?);
        for row in self.db.rows(&OBJECTS, values![scope.tenant()]).await? {
            let kind = kind(&row, 0, 1)?;
            directory.add(object(kind, row.id(1)?, row.text(2)?)?);
        }
        Ok(Some(directory))
    }

    /// The version of every tenant's configuration, to see which were changed.
    ///
    /// Takes no scope: the cache of configurations serves every tenant.
    pub async fn directory_versions(&self) -> Result<BTreeMap<TenantId, i64>, StoreError> {
        let rows = self.db.rows(&VERSIONS, values![]).await?;
        rows.iter().map(|row| Ok((TenantId::from_stored(row.id(0)?), row.int(1)?))).collect()
    }

    /// The version of one object, and when it was last changed.
    pub async fn object_version(
        &self,
        scope: TenantScope,
        kind: ObjectKind,
        id: Uuid,
    ) -> Result<Option<(i64, Timestamp)>, StoreError> {
        let row = self.db.row(&VERSION, values![scope.tenant(), kind.as_str(), id]).await?;
        row.map(|row| Ok((row.int(0)?, row.time(1)?))).transpose()
    }

    /// Makes all the changes or none of them, and writes them to the audit log as `actor`'s.
    /// Returns the new version of the configuration.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stale`] where an object is not at the version expected,
    /// [`StoreError::NameTaken`], [`StoreError::NoTenant`].
    pub async fn save_objects(
        &self,
        scope: TenantScope,
        changes: &[ObjectChange],
        now: Timestamp,
        actor: &str,
    ) -> Result<i64, StoreError> {
        retried!(self.save_once(scope.tenant(), (changes, None), now, actor))
    }

    /// Does so only if the configuration is at `version`: so that a plan is carried out only on
    /// what it was made for.
    ///
    /// # Errors
    ///
    /// As [`Store::save_objects`]; [`StoreError::Replanned`].
    pub async fn save_objects_at(
        &self,
        scope: TenantScope,
        (changes, version): (&[ObjectChange], i64),
        now: Timestamp,
        actor: &str,
    ) -> Result<i64, StoreError> {
        retried!(self.save_once(scope.tenant(), (changes, Some(version)), now, actor))
    }

    async fn save_once(
        &self,
        tenant: TenantId,
        (changes, expected): (&[ObjectChange], Option<i64>),
        now: Timestamp,
        actor: &str,
    ) -> Result<i64, StoreError> {
        let mut tx = self.db.write(WriteClass::Then).await?;
        let version = tx.row(&NEXT_VERSION, values![tenant]).await?;
        let version = version.ok_or(StoreError::NoTenant)?.int(0)?;
        if let Some(expected) = expected.filter(|expected| *expected != version - 1) {
            return Err(StoreError::Replanned { expected, current: version - 1 });
        }
        let current = current(&mut tx, tenant, changes).await?;
        check_versions(changes, &current)?;
        check_names(&mut tx, tenant, changes).await?;
        remove(&mut tx, tenant, changes).await?;
        put(&mut tx, tenant, changes, now).await?;
        for change in changes {
            if let ObjectChange::Key { integration, hash } = change {
                set_key(&mut tx, (tenant, *integration), hash, now).await?;
            }
        }
        let log = audit_rows(changes, &current)?;
        if !log.is_empty() {
            tx.run(&AUDIT, values![tenant, now, actor, log]).await?;
        }
        tx.commit().await?;
        Ok(version)
    }
}

async fn remove(tx: &mut Tx, tenant: TenantId, changes: &[ObjectChange]) -> Result<(), StoreError> {
    let mut rows = Rows::new();
    for change in changes {
        if let ObjectChange::Delete { kind, id } = change {
            rows.push(row![kind.as_str(), *id]);
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    tx.run(&DELETE_KEYS, values![tenant, rows.clone()]).await?;
    tx.run(&DELETE, values![tenant, rows.clone()]).await?;
    // After the pages themselves: whoever held one to add to it has committed by now.
    tx.run(&DROP_BULLETINS, values![tenant, rows.clone()]).await?;
    tx.run(&DROP_SPANS, values![tenant, rows]).await.map(drop)
}

pub(crate) async fn put(
    tx: &mut Tx,
    tenant: TenantId,
    changes: &[ObjectChange],
    now: Timestamp,
) -> Result<(), StoreError> {
    // The last document of an object counts; one statement must not meet a row twice.
    let mut puts = BTreeMap::new();
    for change in changes {
        if let ObjectChange::Put { object, .. } = change {
            puts.insert((object.kind(), object.uuid()), object);
        }
    }
    let (mut rows, mut ids) = (Rows::new(), Rows::new());
    for ((kind, id), object) in puts {
        let (name, phone) = (object.unique_name(), phone(object));
        rows.push(row![kind.as_str(), id, name, phone, json(object)?]);
        ids.push(row![kind.as_str(), id]);
    }
    if rows.is_empty() {
        return Ok(());
    }
    // So that two objects can exchange their names in one batch.
    tx.run(&FREE_NAMES, values![tenant, ids]).await?;
    tx.run(&PUT, values![tenant, now, rows]).await.map(drop)
}

/// Reads a tenant from the columns of [`tenant_columns`].
fn tenant(row: &Row) -> Result<Tenant, StoreError> {
    Ok(Tenant {
        id: TenantId::from_stored(row.id(0)?),
        name: row.string(1)?,
        time_zone: row.string(2)?,
        fallback_policy: row.opt_id(3)?.map(PolicyId::from_stored),
        created_at: row.time(4)?,
    })
}

fn kind(row: &Row, at: usize, id: usize) -> Result<ObjectKind, StoreError> {
    let kind = ObjectKind::parse(row.text(at)?);
    let id = row.id(id)?;
    kind.ok_or_else(|| StoreError::corrupt(("objects", "kind"), id, "no such kind"))
}

pub(crate) fn object(kind: ObjectKind, id: Uuid, data: &str) -> Result<Object, StoreError> {
    Object::from_json(kind, data)
        .map_err(|error| StoreError::corrupt(("objects", "data"), id, error))
}

/// The number by which a reply by text message finds the method.
fn phone(object: &Object) -> Option<&str> {
    match object {
        Object::Method(method) => match &method.address {
            Address::Sms(number) | Address::Voice(number) => Some(number.as_str()),
            Address::Email(_) | Address::Webhook(_) => None,
        },
        _ => None,
    }
}

fn key(change: &ObjectChange) -> (ObjectKind, Uuid) {
    match change {
        ObjectChange::Put { object, .. } => (object.kind(), object.uuid()),
        ObjectChange::Delete { kind, id } => (*kind, *id),
        ObjectChange::Key { integration, .. } => (ObjectKind::Integration, integration.as_uuid()),
    }
}

async fn current(
    tx: &mut Tx,
    tenant: TenantId,
    changes: &[ObjectChange],
) -> Result<Current, StoreError> {
    let mut rows = Rows::new();
    for (kind, id) in changes.iter().map(key).collect::<BTreeSet<_>>() {
        rows.push(row![kind.as_str(), id]);
    }
    let mut current = Current::new();
    if rows.is_empty() {
        return Ok(current);
    }
    for row in tx.rows(&CURRENT, values![tenant, rows]).await? {
        current.insert((kind(&row, 0, 1)?, row.id(1)?), (row.int(2)?, row.string(3)?));
    }
    Ok(current)
}

fn check_versions(changes: &[ObjectChange], current: &Current) -> Result<(), StoreError> {
    for change in changes {
        let ObjectChange::Put { expected: Some(expected), .. } = change else { continue };
        let (kind, id) = key(change);
        let current = current.get(&(kind, id)).map_or(0, |(version, _)| *version);
        if *expected != current {
            return Err(StoreError::Stale { kind, id, expected: *expected, current });
        }
    }
    Ok(())
}

pub(crate) async fn check_names(
    tx: &mut Tx,
    tenant: TenantId,
    changes: &[ObjectChange],
) -> Result<(), StoreError> {
    let mut wanted: BTreeMap<(ObjectKind, String), Uuid> = BTreeMap::new();
    let mut replaced = BTreeSet::new();
    for change in changes {
        replaced.insert(key(change));
        let ObjectChange::Put { object, .. } = change else { continue };
        let Some(name) = object.unique_name() else { continue };
        let (kind, id) = (object.kind(), object.uuid());
        if wanted.insert((kind, name.clone()), id).is_some_and(|other| other != id) {
            return Err(StoreError::NameTaken { kind, name });
        }
    }
    let mut rows = Rows::new();
    for (kind, name) in wanted.keys() {
        rows.push(row![kind.as_str(), name]);
    }
    if rows.is_empty() {
        return Ok(());
    }
    for row in tx.rows(&NAMES, values![tenant, rows]).await? {
        let (kind, name, id) = (kind(&row, 0, 2)?, row.string(1)?, row.id(2)?);
        // An object that is changed or removed in the same batch gives its name free.
        if !replaced.contains(&(kind, id)) {
            return Err(StoreError::NameTaken { kind, name });
        }
    }
    Ok(())
}

fn audit_rows(changes: &[ObjectChange], current: &Current) -> Result<Rows, StoreError> {
    let mut rows = Rows::new();
    for change in changes {
        let (kind, id) = key(change);
        let before = current.get(&(kind, id)).map(|(_, data)| data.clone());
        let (action, after) = match (change, &before) {
            (ObjectChange::Put { object, .. }, None) => ("create", Some(json(object)?)),
            (ObjectChange::Put { object, .. }, Some(_)) => ("change", Some(json(object)?)),
            (ObjectChange::Delete { .. }, Some(_)) => ("delete", None),
            // A key is not written down, but that there is a new one is.
            (ObjectChange::Key { .. }, before) => ("rotate_key", before.clone()),
            (ObjectChange::Delete { .. }, None) => continue,
        };
        if before == after && action != "rotate_key" {
            continue;
        }
        rows.push(row![rows.len() + 1, action, kind.as_str(), id, before, after]);
    }
    Ok(rows)
}
