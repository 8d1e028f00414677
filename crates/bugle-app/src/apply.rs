//! A tenant's configuration as one declarative file: plan, apply, export.

mod diff;
pub mod document;
pub mod error;
mod export;
mod prepare;
mod resolve;

use bugle_domain::object::{Object, ObjectKind};
use bugle_store::ObjectChange;
use secrecy::SecretString;
use serde::Serialize;

use self::error::ApplyError;
use self::prepare::{Prepared, prepare};
use crate::app::App;
use crate::caller::Caller;
use crate::identity::secret;
use crate::objects::integration::{hint, key_change};
use crate::permission::Permission;

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

impl App {
    /// Plans a configuration file, and applies it in one transaction.
    ///
    /// Applying the same file again changes nothing.
    pub async fn apply(
        &self,
        caller: &Caller,
        text: &str,
        format: FileFormat,
        options: ApplyOptions,
    ) -> Result<Applied, ApplyError> {
        caller.require(Permission::Export)?;
        let document = document::parse(text, format).map_err(ApplyError::Invalid)?;
        let now = self.now();
        let directory = self.directory(caller.scope).await?;
        let prepared = prepare(&document, &directory, options, now)?;
        let Prepared { plan, puts, deletes } = prepared;
        if options.plan_only || (puts.is_empty() && deletes.is_empty()) {
            return Ok(Applied { plan, applied: !options.plan_only, keys: Vec::new() });
        }
        caller.require(Permission::EditConfiguration)?;
        let people = |kind: ObjectKind| matches!(kind, ObjectKind::User | ObjectKind::Method);
        let mut kinds = puts.iter().map(Object::kind).chain(deletes.iter().map(|(kind, _)| *kind));
        if kinds.any(people) {
            caller.require(Permission::ManageUsers)?;
        }
        let mut keys = Vec::new();
        let mut changes = Vec::with_capacity(puts.len() + deletes.len());
        for mut object in puts {
            if let Object::Integration(integration) = &mut object
                && integration.key_hint.is_empty()
            {
                let key: SecretString = secret::integration_key().into();
                integration.key_hint = hint(&key);
                changes.push(key_change(integration.id, &key));
                keys.push((integration.name.clone(), key));
            }
            changes.push(ObjectChange::Put { object, expected: None });
        }
        changes.extend(deletes.into_iter().map(|(kind, id)| ObjectChange::Delete { kind, id }));
        // Refused if anything has changed since the plan was made.
        let planned_on = directory.version;
        let actor = caller.audit_name();
        let store = &self.inner().store;
        store.save_objects_at(caller.scope, (&changes, planned_on), now, &actor).await?;
        self.inner().configuration_changed(caller.scope.tenant());
        Ok(Applied { plan, applied: true, keys })
    }

    /// The configuration as such a file.
    pub async fn export(&self, caller: &Caller, format: FileFormat) -> Result<String, ApplyError> {
        caller.require(Permission::Export)?;
        let directory = self.directory(caller.scope).await?;
        Ok(document::write(&export::document(&directory), format))
    }
}

#[cfg(test)]
mod tests;
