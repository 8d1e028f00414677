//! What a file comes to: the plan in its words, and the changes in objects. Pure.

use std::collections::BTreeMap;

use bugle_domain::object::{Directory, Object, ObjectKind};
use bugle_domain::role::Role;
use bugle_engine::check::{check, dependants};
use jiff::Timestamp;
use uuid::Uuid;

use super::document::Document;
use super::error::ApplyError;
use super::{ApplyOptions, Plan, diff, export, resolve};
use crate::error::Problem;
use crate::objects::Dependant;
use crate::objects::noun::{name_of, text_id};

/// A file, ready to be applied.
#[derive(Debug)]
pub(super) struct Prepared {
    /// What it changes, in its own words.
    pub(super) plan: Plan,
    /// Objects to write, as they shall stand.
    pub(super) puts: Vec<Object>,
    /// Objects to delete.
    pub(super) deletes: Vec<(ObjectKind, Uuid)>,
}

/// Works out what `document` changes in `before`.
///
/// # Errors
///
/// Everything that is wrong with the file, at once; or what speaks against deleting.
pub(super) fn prepare(
    document: &Document,
    before: &Directory,
    options: ApplyOptions,
    now: Timestamp,
) -> Result<Prepared, ApplyError> {
    let resolve::Resolved { mut after, places, unnamed, mut problems } =
        resolve::resolve(document, before, now);
    let mut kept = Vec::new();
    if options.delete {
        for &(kind, id) in &unnamed {
            remove(&mut after, kind, id);
        }
        let in_use = still_used(&unnamed, &after);
        if !in_use.is_empty() {
            return Err(ApplyError::InUse(in_use));
        }
    } else {
        kept.extend(unnamed.iter().map(|&(kind, id)| name_of(before, kind, id)));
    }
    let (old, new) = (diff::objects(before), diff::objects(&after));
    let changed: Vec<&Object> =
        new.iter().filter(|(key, it)| old.get(key) != Some(it)).map(|(_, it)| it).collect();
    problems.extend(problems_of(&changed, &after, &places));
    if !problems.is_empty() {
        return Err(ApplyError::Invalid(problems));
    }
    let admins = |directory: &Directory| {
        directory.users.values().filter(|it| it.role == Role::Admin && !it.disabled).count()
    };
    if admins(before) > 0 && admins(&after) == 0 {
        return Err(ApplyError::LastAdmin);
    }
    let mut plan = diff::plan(&export::document(before), &export::document(&after));
    plan.kept = kept;
    plan.notes = notes(before, &after);
    let puts = changed.into_iter().cloned().collect();
    let deletes = old.keys().filter(|key| !new.contains_key(*key)).copied().collect();
    Ok(Prepared { plan, puts, deletes })
}

/// Problems of every changed object, with pointers into the file.
fn problems_of(
    changed: &[&Object],
    after: &Directory,
    places: &BTreeMap<(ObjectKind, Uuid), String>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for object in changed {
        let place = places.get(&(object.kind(), object.uuid())).map_or("", String::as_str);
        problems.extend(
            check(object, after).into_iter().map(|problem| Problem {
                pointer: format!("{place}{}", problem.pointer),
                ..problem
            }),
        );
    }
    problems
}

/// Takes an object out, with what belongs to it.
fn remove(directory: &mut Directory, kind: ObjectKind, id: Uuid) {
    match kind {
        ObjectKind::User => {
            directory.users.retain(|it, _| it.as_uuid() != id);
            directory.methods_of.retain(|it, _| it.as_uuid() != id);
            directory.methods.retain(|_, it| it.user.as_uuid() != id);
        }
        ObjectKind::Team => directory.teams.retain(|it, _| it.as_uuid() != id),
        ObjectKind::Schedule => {
            directory.schedules.retain(|it, _| it.as_uuid() != id);
            directory.overrides_of.retain(|it, _| it.as_uuid() != id);
        }
        ObjectKind::Policy => directory.policies.retain(|it, _| it.as_uuid() != id),
        ObjectKind::Service => directory.services.retain(|it, _| it.as_uuid() != id),
        ObjectKind::Integration => directory.integrations.retain(|it, _| it.as_uuid() != id),
        ObjectKind::StatusPage => directory.status_pages.retain(|it, _| it.as_uuid() != id),
        ObjectKind::Method | ObjectKind::Override => (),
    }
}

/// Who still names what was taken out.
fn still_used(removed: &[(ObjectKind, Uuid)], after: &Directory) -> Vec<Dependant> {
    let mut used = Vec::new();
    for &(kind, id) in removed {
        for (kind, id, name) in dependants(kind, id, after) {
            let dependant = Dependant { kind, id: text_id(kind, id), name };
            if !used.contains(&dependant) {
                used.push(dependant);
            }
        }
    }
    used
}

/// What to know beside the changes: who must prove what, and which keys are made.
fn notes(before: &Directory, after: &Directory) -> Vec<String> {
    let mut notes = Vec::new();
    for method in after.methods.values().filter(|it| !before.methods.contains_key(&it.id)) {
        notes.push(format!(
            "{} by {} is not used before {} has proven it.",
            method.address.masked(),
            method.address.channel().as_str(),
            after.user_name(method.user),
        ));
    }
    for it in after.integrations.values().filter(|it| !before.integrations.contains_key(&it.id)) {
        notes.push(format!("A key is made for integration \"{}\" and shown once.", it.name));
    }
    for user in after.users.values().filter(|it| !before.users.contains_key(&it.id)) {
        notes.push(format!("{} can sign in once invited with a link.", user.name));
    }
    notes
}

/// A configuration after writing and deleting, as the store would have it.
#[cfg(test)]
pub(super) fn laid_over(
    before: Directory,
    puts: Vec<Object>,
    deletes: &[(ObjectKind, Uuid)],
) -> Directory {
    let mut objects = diff::objects(&before);
    for key in deletes {
        objects.remove(key);
    }
    objects.extend(puts.into_iter().map(|it| ((it.kind(), it.uuid()), it)));
    let mut after = Directory::empty(before.tenant, before.version + 1);
    for object in objects.into_values() {
        after.add(object);
    }
    after
}
