//! Configuration: users, teams, schedules, overrides, policies, services, integrations.
//!
//! One generic core over [`Noun`]s. What may be wrong is said all at once, with JSON pointers; what
//! others depend on is not deleted, and the refusal lists them.

pub mod draft;
pub mod error;
pub(crate) mod integration;
pub(crate) mod noun;
pub(crate) mod write;

use bugle_domain::integration::Integration;
use bugle_domain::object::ObjectKind;
use secrecy::SecretString;
use serde::Serialize;

pub use noun::Noun;

/// How a write is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WriteOptions {
    /// The version that the caller has seen (`If-Match`); the write is refused if it is another.
    pub expected_version: Option<i64>,
    /// Check everything and change nothing.
    pub dry_run: bool,
}

impl WriteOptions {
    /// Check everything and change nothing.
    pub const DRY_RUN: Self = Self { expected_version: None, dry_run: true };
}

/// An object and its version (the `ETag`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Versioned<T> {
    /// The object.
    pub object: T,
    /// Rises with every change of it; 0 in a dry run.
    pub version: i64,
}

/// An integration whose key was just set or made. A made key is not shown again.
#[derive(Clone, Debug)]
pub struct KeyedIntegration {
    /// The integration.
    pub integration: Versioned<Integration>,
    /// The key, where we made it. `None`: its owner gave it, or this was a dry run.
    pub key: Option<SecretString>,
}

/// Where an integration's key comes from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// We make one: 32 lower-case letters and digits, so that `PagerDuty`'s clients take it.
    Made,
    /// Its owner gives it: 16–128 letters, digits, `-` and `_`.
    Given(SecretString),
}

/// Something that depends on something else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Dependant {
    /// Which kind.
    pub kind: ObjectKind,
    /// Its prefixed id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What was deleted, and what was changed with it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Deleted {
    /// What went with it, in sentences: "3 contact methods of Priya Nair".
    pub also: Vec<String>,
}

/// Who depends on it, in a sentence.
pub(crate) fn in_use(dependants: &[Dependant]) -> String {
    let names: Vec<String> =
        dependants.iter().map(|it| format!("{} \"{}\"", it.kind.as_str(), it.name)).collect();
    format!("it is still used by {}", names.join(", "))
}
