//! What differs between two configurations, in the file's words and in objects.

use std::collections::BTreeMap;

use bugle_domain::object::{Directory, Object, ObjectKind};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::document::Document;
use super::{ChangeAction, FieldChange, Plan, PlannedChange};

/// Compares two configurations.
pub(super) fn plan(before: &Document, after: &Document) -> Plan {
    let mut plan = Plan::default();
    for kind in FILE_KINDS {
        let (old, new) = (section(before, kind), section(after, kind));
        for (name, entry) in &new {
            match old.get(name) {
                None => plan.changes.push(change(ChangeAction::Create, kind, name, Vec::new())),
                Some(was) if was == entry => plan.unchanged += 1,
                Some(was) => {
                    let mut fields = Vec::new();
                    compare("", was, entry, &mut fields);
                    plan.changes.push(change(ChangeAction::Change, kind, name, fields));
                }
            }
        }
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            plan.changes.push(change(ChangeAction::Delete, kind, name, Vec::new()));
        }
    }
    plan
}

/// The kinds a file has sections for, in the order of the file.
pub(super) const FILE_KINDS: [ObjectKind; 7] = [
    ObjectKind::User,
    ObjectKind::Team,
    ObjectKind::Schedule,
    ObjectKind::Policy,
    ObjectKind::Service,
    ObjectKind::Integration,
    ObjectKind::StatusPage,
];

fn change(
    action: ChangeAction,
    kind: ObjectKind,
    name: &str,
    fields: Vec<FieldChange>,
) -> PlannedChange {
    PlannedChange { action, kind, name: name.to_owned(), fields }
}

/// A section as values by name.
fn section(document: &Document, kind: ObjectKind) -> BTreeMap<String, Value> {
    match kind {
        ObjectKind::User => values(document.users.as_deref(), |it| it.email.as_str()),
        ObjectKind::Team => values(document.teams.as_deref(), |it| &it.name),
        ObjectKind::Schedule => values(document.schedules.as_deref(), |it| &it.name),
        ObjectKind::Policy => values(document.policies.as_deref(), |it| &it.name),
        ObjectKind::Service => values(document.services.as_deref(), |it| &it.name),
        ObjectKind::Integration => values(document.integrations.as_deref(), |it| &it.name),
        ObjectKind::StatusPage => values(document.status_pages.as_deref(), |it| &it.name),
        ObjectKind::Method | ObjectKind::Override => BTreeMap::new(),
    }
}

fn values<T: Serialize>(
    entries: Option<&[T]>,
    name: impl Fn(&T) -> &str,
) -> BTreeMap<String, Value> {
    let value = |entry: &T| serde_json::to_value(entry).unwrap_or(Value::Null);
    entries.unwrap_or_default().iter().map(|it| (name(it).to_owned(), value(it))).collect()
}

/// Collects the fields that differ, as `levels[0].delay_s`.
fn compare(path: &str, before: &Value, after: &Value, out: &mut Vec<FieldChange>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let side = |map: &serde_json::Map<_, _>| map.get(key).cloned();
                compare(
                    &path,
                    &side(old).unwrap_or(Value::Null),
                    &side(new).unwrap_or(Value::Null),
                    out,
                );
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&format!("{path}[{index}]"), old, new, out);
            }
        }
        (before, after) if before == after => (),
        (before, after) => out.push(FieldChange {
            field: path.to_owned(),
            before: before.clone(),
            after: after.clone(),
        }),
    }
}

/// All objects of a configuration.
pub(super) fn objects(directory: &Directory) -> BTreeMap<(ObjectKind, Uuid), Object> {
    let all = std::iter::empty()
        .chain(directory.users.values().cloned().map(Object::User))
        .chain(directory.teams.values().cloned().map(Object::Team))
        .chain(directory.methods.values().cloned().map(Object::Method))
        .chain(directory.schedules.values().cloned().map(Object::Schedule))
        .chain(directory.overrides_of.values().flatten().cloned().map(Object::Override))
        .chain(directory.policies.values().cloned().map(Object::Policy))
        .chain(directory.services.values().cloned().map(Object::Service))
        .chain(directory.integrations.values().cloned().map(Object::Integration))
        .chain(directory.status_pages.values().cloned().map(Object::StatusPage));
    all.map(|object| ((object.kind(), object.uuid()), object)).collect()
}
