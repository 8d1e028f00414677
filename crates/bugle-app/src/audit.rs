//! Who changed what.

use bugle_domain::object::Object;
use bugle_store::AuditRow;
use jiff::Timestamp;
use serde::Serialize;

use crate::app::App;
use crate::caller::Caller;
use crate::objects::noun::text_id;
use crate::paging::{Listed, Page};
use crate::permission::Permission;
use crate::reading::ReadError;

/// One change of the configuration.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AuditLine {
    /// When.
    pub at: Timestamp,
    /// Who, as [`crate::caller::Caller::audit_name`].
    pub actor: String,
    /// What was done, in words: `changed policy "Payments"`.
    pub text: String,
}

impl App {
    /// Who changed what, newest first.
    pub async fn audit(
        &self,
        caller: &Caller,
        page: &Page,
    ) -> Result<Listed<AuditLine>, ReadError> {
        caller.require(Permission::ReadAudit)?;
        let store = &self.inner().store;
        let found = store.audit(caller.scope, page.before()?, page.limit() + 1).await?;
        let listed = page.cut(found, |row| row.seq.to_string());
        Ok(listed.map(line))
    }
}

fn line(row: AuditRow) -> AuditLine {
    let document = row.after.as_deref().or(row.before.as_deref());
    let object = document.and_then(|json| Object::from_json(row.kind, json).ok());
    let name = match &object {
        Some(Object::Method(method)) => Some(method.name.clone()),
        Some(other) => other.unique_name(),
        None => None,
    };
    let name = name.unwrap_or_else(|| text_id(row.kind, row.object));
    let verb = match (row.action.as_str(), &row.before) {
        ("delete", _) => "deleted",
        ("rotate_key", _) => "set the key of",
        (_, None) => "made",
        (_, Some(_)) => "changed",
    };
    let text = format!("{verb} {} \"{name}\"", row.kind.as_str());
    AuditLine { at: row.at, actor: row.actor, text }
}
