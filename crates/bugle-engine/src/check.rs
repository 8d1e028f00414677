//! Everything that can be wrong with a configuration object, found at once.
//!
//! What serde refuses never comes here; this is about ranges, lengths and references.

use bugle_domain::object::{Directory, Object, ObjectKind};
use serde::Serialize;
use uuid::Uuid;

mod dependants;
mod rules;

/// Something wrong with an object.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// JSON pointer to the field: `/levels/0/delay_s`.
    pub pointer: String,
    /// A stable word for the kind of problem: `range`, `length`, `count`, `missing`, `duplicate`,
    /// `order`, `unknown_zone`, `no_such_time`, `control`.
    pub code: &'static str,
    /// What is wrong and what would be right, in a sentence.
    pub message: String,
}

/// What is wrong with `object` beside the rest of the configuration. Empty: nothing.
pub fn check(object: &Object, directory: &Directory) -> Vec<Problem> {
    rules::check(object, directory)
}

/// Who uses an object, by kind, id and name. What is used can't be deleted.
pub fn dependants(
    kind: ObjectKind,
    id: Uuid,
    directory: &Directory,
) -> Vec<(ObjectKind, Uuid, String)> {
    dependants::find(kind, id, directory)
}

#[cfg(test)]
mod tests;
