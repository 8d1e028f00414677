//! Who changed what.

use bugle_domain::object::{Object, ObjectKind, Tenant};
use bugle_store::{AuditRow, Audited};
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
    let text = match row.about {
        Audited::Object(kind) => change_of_object(&row, kind),
        Audited::Settings => change_of_settings(&row),
        Audited::Subscriber => {
            format!("removed the subscriber {}", row.before.as_deref().unwrap_or_default())
        }
    };
    AuditLine { at: row.at, actor: row.actor, text }
}

fn change_of_object(row: &AuditRow, kind: ObjectKind) -> String {
    let document = row.after.as_deref().or(row.before.as_deref());
    let object = document.and_then(|json| Object::from_json(kind, json).ok());
    let name = match &object {
        Some(Object::Method(method)) => Some(method.name.clone()),
        Some(other) => other.unique_name(),
        None => None,
    };
    let name = name.unwrap_or_else(|| text_id(kind, row.object));
    let verb = match (row.action.as_str(), &row.before) {
        ("delete", _) => "deleted",
        ("rotate_key", _) => "set the key of",
        (_, None) => "made",
        (_, Some(_)) => "changed",
    };
    format!("{verb} {} \"{name}\"", kind.as_str())
}

/// `changed the settings: name from "Halden" to "Halden Freight", time zone …`.
fn change_of_settings(row: &AuditRow) -> String {
    let tenant = |json: &Option<String>| {
        json.as_deref().and_then(|json| serde_json::from_str::<Tenant>(json).ok())
    };
    let (Some(before), Some(after)) = (tenant(&row.before), tenant(&row.after)) else {
        return "changed the settings".to_owned();
    };
    let policy = |tenant: &Tenant| tenant.fallback_policy.map(|id| id.to_string());
    let settings = [
        ("name", Some(before.name.clone()), Some(after.name.clone())),
        ("fallback policy", policy(&before), policy(&after)),
        ("time zone", Some(before.time_zone), Some(after.time_zone)),
    ];
    let said = |value: &Option<String>| {
        value.as_ref().map_or("nothing".to_owned(), |value| format!("\"{value}\""))
    };
    let changed = settings.iter().filter(|(_, before, after)| before != after);
    let changed: Vec<String> = changed
        .map(|(name, before, after)| format!("{name} from {} to {}", said(before), said(after)))
        .collect();
    format!("changed the settings: {}", changed.join(", "))
}

#[cfg(test)]
mod tests;
