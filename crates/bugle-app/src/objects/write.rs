//! Reading and writing objects of any kind: permission, problems, versions, dependants.

use bugle_domain::object::{Directory, Object, ObjectKind};
use bugle_domain::role::Role;
use bugle_domain::user::User;
use bugle_domain::{OverrideId, ScheduleId, UserId};
use bugle_engine::check::{check, dependants};
use bugle_engine::schedule;
use bugle_store::ObjectChange;
use jiff::Timestamp;
use uuid::{Builder, Uuid};

use super::error::ObjectError;
use super::noun::{Noun, text_id};
use super::{Deleted, Dependant, Versioned, WriteOptions};
use crate::app::App;
use crate::caller::Caller;
use crate::entropy;
use crate::paging::{Listed, Page};
use crate::permission::Permission;

impl App {
    /// Objects of a kind, oldest first.
    pub async fn list<T: Noun>(
        &self,
        caller: &Caller,
        page: &Page,
    ) -> Result<Listed<T>, ObjectError> {
        caller.require(Permission::ReadConfiguration)?;
        let directory = self.directory(caller.scope).await?;
        let after: Option<T::Id> = page.before()?;
        let wanted = usize::try_from(page.limit()).unwrap_or(usize::MAX);
        let all = T::all(&directory).into_iter();
        let later = all.filter(|it| after.is_none_or(|after| it.id() > after));
        let found: Vec<T> = later.take(wanted + 1).cloned().collect();
        Ok(page.cut(found, |object| object.id().to_string()))
    }

    /// One object.
    pub async fn get<T: Noun>(
        &self,
        caller: &Caller,
        id: T::Id,
    ) -> Result<Versioned<T>, ObjectError> {
        caller.require(Permission::ReadConfiguration)?;
        let directory = self.directory(caller.scope).await?;
        let object = T::find(&directory, id).ok_or_else(|| missing::<T>(id))?.clone();
        let version = self.version(caller, T::KIND, T::uuid_of(id)).await?;
        Ok(Versioned { object, version })
    }

    /// Makes an object. An integration made so has no key yet: see [`Self::create_integration`].
    pub async fn create<T: Noun>(
        &self,
        caller: &Caller,
        draft: T::Draft,
        options: WriteOptions,
    ) -> Result<Versioned<T>, ObjectError> {
        let now = self.now();
        let directory = self.directory(caller.scope).await?;
        let object = T::build(T::id_from(new_uuid(now)), draft, None, &directory);
        let document = object.clone().into_object();
        permit(caller, &directory, Change { before: None, after: Some(&document) }, now)?;
        valid(&document, &directory)?;
        if options.dry_run {
            return Ok(Versioned { object, version: 0 });
        }
        let change = ObjectChange::Put { object: document, expected: Some(0) };
        self.save_configuration(caller, &[change]).await?;
        Ok(Versioned { object, version: 1 })
    }

    /// Changes an object to what the draft says.
    pub async fn replace<T: Noun>(
        &self,
        caller: &Caller,
        id: T::Id,
        draft: T::Draft,
        options: WriteOptions,
    ) -> Result<Versioned<T>, ObjectError> {
        let now = self.now();
        let directory = self.directory(caller.scope).await?;
        caller.require(Permission::ReadConfiguration)?;
        let before = T::find(&directory, id).ok_or_else(|| missing::<T>(id))?;
        let object = T::build(id, draft, Some(before), &directory);
        let (old, new) = (before.clone().into_object(), object.clone().into_object());
        permit(caller, &directory, Change { before: Some(&old), after: Some(&new) }, now)?;
        valid(&new, &directory)?;
        keeps_an_admin(&directory, &old, Some(&new))?;
        let version = self.version(caller, T::KIND, T::uuid_of(id)).await?;
        if let Some(expected) = options.expected_version.filter(|expected| *expected != version) {
            return Err(ObjectError::Stale { expected, actual: Some(version) });
        }
        if options.dry_run {
            return Ok(Versioned { object, version: 0 });
        }
        let change = ObjectChange::Put { object: new, expected: Some(version) };
        self.save_configuration(caller, &[change]).await?;
        Ok(Versioned { object, version: version + 1 })
    }

    /// Deletes an object that nothing depends on, with what belongs to it.
    pub async fn delete<T: Noun>(
        &self,
        caller: &Caller,
        id: T::Id,
        options: WriteOptions,
    ) -> Result<Deleted, ObjectError> {
        let now = self.now();
        let directory = self.directory(caller.scope).await?;
        caller.require(Permission::ReadConfiguration)?;
        let before = T::find(&directory, id).ok_or_else(|| missing::<T>(id))?;
        let old = before.clone().into_object();
        permit(caller, &directory, Change { before: Some(&old), after: None }, now)?;
        if let Some(expected) = options.expected_version {
            let actual = self.version(caller, T::KIND, T::uuid_of(id)).await?;
            if actual != expected {
                return Err(ObjectError::Stale { expected, actual: Some(actual) });
            }
        }
        keeps_an_admin(&directory, &old, None)?;
        unused(&directory, &old, now)?;
        let (mut changes, deleted) = goes_with(&directory, &old);
        changes.push(ObjectChange::Delete { kind: T::KIND, id: T::uuid_of(id) });
        if !options.dry_run {
            self.save_configuration(caller, &changes).await?;
        }
        Ok(deleted)
    }

    /// Saves changes as the caller's, in one transaction, and has every worker see them.
    pub(crate) async fn save_configuration(
        &self,
        caller: &Caller,
        changes: &[ObjectChange],
    ) -> Result<i64, bugle_store::StoreError> {
        let store = &self.inner().store;
        let actor = caller.audit_name();
        let version = store.save_objects(caller.scope, changes, self.now(), &actor).await?;
        self.inner().configuration_changed(caller.scope.tenant());
        Ok(version)
    }

    /// The version of an object; 0 where it is not there.
    pub(crate) async fn version(
        &self,
        caller: &Caller,
        kind: ObjectKind,
        id: Uuid,
    ) -> Result<i64, bugle_store::StoreError> {
        let found = self.inner().store.object_version(caller.scope, kind, id).await?;
        Ok(found.map_or(0, |(version, _)| version))
    }
}

/// A new id's value.
pub(crate) fn new_uuid(now: Timestamp) -> Uuid {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &entropy::bytes()).into_uuid()
}

fn missing<T: Noun>(id: T::Id) -> ObjectError {
    ObjectError::NotFound { kind: T::KIND, id: id.to_string() }
}

/// Refuses an object with problems, with all of them.
pub(crate) fn valid(object: &Object, directory: &Directory) -> Result<(), ObjectError> {
    let problems = check(object, directory);
    if problems.is_empty() { Ok(()) } else { Err(ObjectError::Invalid(problems)) }
}

/// What is to become of an object.
#[derive(Clone, Copy)]
struct Change<'a> {
    before: Option<&'a Object>,
    after: Option<&'a Object>,
}

/// Whether the caller may do this to this object.
fn permit(
    caller: &Caller,
    directory: &Directory,
    change: Change<'_>,
    now: Timestamp,
) -> Result<(), ObjectError> {
    match (change.before, change.after) {
        (Some(Object::User(before)), Some(Object::User(after)))
            if caller.is(before.id) && same_powers(before, after) =>
        {
            caller.require(Permission::OwnContact)?;
        }
        (Some(Object::User(_)), _) | (_, Some(Object::User(_))) => {
            caller.require(Permission::ManageUsers)?;
        }
        (Some(Object::Override(_)), _) | (_, Some(Object::Override(_))) => {
            caller.require(Permission::CoverShift)?;
            let own = [change.before, change.after].into_iter().flatten();
            let mut own = own.map(|object| is_own_cover(caller, directory, object, now));
            if !caller.may(Permission::EditConfiguration) && !own.all(|own| own) {
                return Err(ObjectError::NotYourShift);
            }
        }
        _ => caller.require(Permission::EditConfiguration)?,
    }
    Ok(())
}

/// Whether a change of a user leaves alone what only an admin decides.
fn same_powers(before: &User, after: &User) -> bool {
    before.role == after.role && before.email == after.email && before.disabled == after.disabled
}

/// A responder's own cover: the responder takes it, or gives away nothing but own shifts.
fn is_own_cover(caller: &Caller, directory: &Directory, object: &Object, now: Timestamp) -> bool {
    let (Object::Override(cover), Some(me)) = (object, caller.user) else {
        return false;
    };
    if cover.user == Some(me) {
        return true;
    }
    let Some(schedule) = directory.schedules.get(&cover.schedule) else { return false };
    let others = covers_without(directory, cover.schedule, cover.id);
    let from = cover.from.max(now).min(cover.until);
    let shifts = schedule::shifts(schedule, &others, from, cover.until).unwrap_or_default();
    let covered_until = shifts
        .iter()
        .take_while(|shift| shift.user == me)
        .fold(from, |until, it| if it.from == until { it.until } else { until });
    covered_until >= cover.until
}

fn covers_without(
    directory: &Directory,
    schedule: ScheduleId,
    left_out: OverrideId,
) -> Vec<bugle_domain::schedule::Override> {
    let all = directory.overrides_of.get(&schedule).into_iter().flatten();
    all.filter(|it| it.id != left_out).cloned().collect()
}

/// Whether somebody is left who can manage users.
fn keeps_an_admin(
    directory: &Directory,
    before: &Object,
    after: Option<&Object>,
) -> Result<(), ObjectError> {
    let is_admin = |user: &User| user.role == Role::Admin && !user.disabled;
    let Object::User(user) = before else { return Ok(()) };
    let stays = matches!(after, Some(Object::User(after)) if is_admin(after));
    let mut others = directory.users.values().filter(|other| other.id != user.id);
    if !is_admin(user) || stays || others.any(is_admin) {
        return Ok(());
    }
    Err(ObjectError::LastAdmin)
}

/// Refuses to delete what others name. Covers that are over do not count.
fn unused(directory: &Directory, object: &Object, now: Timestamp) -> Result<(), ObjectError> {
    if let Object::Policy(policy) = object
        && directory.tenant.fallback_policy == Some(policy.id)
    {
        return Err(ObjectError::FallbackPolicy);
    }
    let past = |id: Uuid| {
        let mut covers = directory.overrides_of.values().flatten();
        covers.any(|it| it.id.as_uuid() == id && it.until <= now)
    };
    let found = dependants(object.kind(), object.uuid(), directory).into_iter();
    let found = found.filter(|(kind, id, _)| *kind != ObjectKind::Override || !past(*id));
    let dependants: Vec<Dependant> =
        found.map(|(kind, id, name)| Dependant { kind, id: text_id(kind, id), name }).collect();
    if dependants.is_empty() { Ok(()) } else { Err(ObjectError::InUse { dependants }) }
}

/// What belongs to an object and goes with it: a user's contact methods and past covers, a
/// schedule's covers.
fn goes_with(directory: &Directory, object: &Object) -> (Vec<ObjectChange>, Deleted) {
    let mut changes = Vec::new();
    let mut deleted = Deleted::default();
    let mut take = |kind: ObjectKind, ids: Vec<Uuid>, what: &str| {
        if !ids.is_empty() {
            deleted.also.push(format!("{} {what}", ids.len()));
        }
        changes.extend(ids.into_iter().map(|id| ObjectChange::Delete { kind, id }));
    };
    match object {
        Object::User(user) => {
            let methods = directory.methods(user.id).map(|it| it.id.as_uuid()).collect();
            take(ObjectKind::Method, methods, "contact methods");
            take(ObjectKind::Override, covers_of(directory, user.id), "past covers");
        }
        Object::Schedule(schedule) => {
            let covers = directory.overrides_of.get(&schedule.id).into_iter().flatten();
            take(ObjectKind::Override, covers.map(|it| it.id.as_uuid()).collect(), "covers");
        }
        Object::Team(_)
        | Object::Method(_)
        | Object::Override(_)
        | Object::Policy(_)
        | Object::Service(_)
        | Object::Integration(_)
        | Object::StatusPage(_) => (),
    }
    (changes, deleted)
}

fn covers_of(directory: &Directory, user: UserId) -> Vec<Uuid> {
    let covers = directory.overrides_of.values().flatten();
    covers.filter(|it| it.user == Some(user)).map(|it| it.id.as_uuid()).collect()
}

#[cfg(test)]
mod tests;
