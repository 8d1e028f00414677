//! A tenant's configuration as one declarative file: plan, apply, export.

mod diff;
pub mod document;
pub mod error;
mod export;
mod prepare;
mod resolve;

use bugle_domain::object::ObjectKind;
use secrecy::SecretString;
use serde::Serialize;

/// How the file is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileFormat {
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

/// How a file is to be applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ApplyOptions {
    /// Only say what would change.
    pub plan_only: bool,
    /// Also delete what the file does not name, of the kinds it has a section for.
    pub delete: bool,
}

/// What is done to one object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeAction {
    /// It is not there yet.
    Create,
    /// It is there and differs.
    Change,
    /// It is there and not in the file.
    Delete,
}

/// One field that differs.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FieldChange {
    /// Which, as in the file: `levels[0].delay_s`.
    pub field: String,
    /// Before; null: it was not there.
    pub before: serde_json::Value,
    /// After; null: it will not be there.
    pub after: serde_json::Value,
}

/// One object that is made, changed or deleted.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PlannedChange {
    /// What is done.
    pub action: ChangeAction,
    /// To which kind.
    pub kind: ObjectKind,
    /// Its name, or a user's mail address.
    pub name: String,
    /// What differs, where it is changed.
    pub fields: Vec<FieldChange>,
}

/// What a file would change.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Plan {
    /// In the order they are done.
    pub changes: Vec<PlannedChange>,
    /// Objects that are as the file says.
    pub unchanged: usize,
    /// What is there and not in the file, and stays because deleting was not asked for.
    pub kept: Vec<String>,
    /// What to know beside the changes, in sentences: "+49… of lena@… is not proven yet …".
    pub notes: Vec<String>,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What the file changes.
    pub plan: Plan,
    /// Whether it has been done.
    pub applied: bool,
    /// Keys made for new integrations, by name. Not shown again.
    pub keys: Vec<(String, SecretString)>,
}

#[cfg(test)]
mod tests;
