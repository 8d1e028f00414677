//! Whether the operators would hear of what is wrong: a line of `bugle doctor`.

use bugle_domain::TenantScope;
use bugle_domain::object::Directory;
use bugle_domain::policy::Policy;
use bugle_engine::reach;
use bugle_store::StoreError;
use jiff::Timestamp;

use super::Desk;
use crate::app::Inner;
use crate::doctor::{Check, fail, ok, warn};
use crate::requests::would_page;

/// What the line is called.
const NAME: &str = "operators";

impl Inner {
    /// Where notices to the operators go, and whether anybody would be reached there now.
    pub(crate) async fn operators_check(&self) -> Result<Check, StoreError> {
        if self.settings.operators_key.is_some() && self.chosen_desk().await?.is_none() {
            let text = "operators.integration_key opens no integration; the fallback is used";
            let fix = "enter the key of an integration that is there and not disabled";
            return Ok(fail(NAME, text.to_owned(), fix));
        }
        let (mut reached, mut silent) = (Vec::new(), Vec::new());
        for desk in &self.desks().await? {
            let directory = self.directories.get(TenantScope::granted(desk.tenant)).await?;
            let (place, reaches) = outlook(&directory, desk, self.clock.now());
            if reaches { reached.push(place) } else { silent.push(place) }
        }
        Ok(match (reached.as_slice(), silent.as_slice()) {
            ([], []) => warn(
                NAME,
                "nobody is told when a provider does not accept us".to_owned(),
                "set operators.integration_key in the configuration",
            ),
            ([], silent) => warn(
                NAME,
                format!("{} reaches nobody now", silent.join(", ")),
                "prove a contact method of somebody there, or set operators.integration_key",
            ),
            (reached, _) => ok(NAME, format!("told by {}", reached.join(", "))),
        })
    }
}

/// The policy that a notice follows, in words, and whether any of its levels reaches somebody.
fn outlook(directory: &Directory, desk: &Desk, now: Timestamp) -> (String, bool) {
    let integration = directory.integrations.get(&desk.integration);
    let service = integration.and_then(|it| it.service);
    let policy: Option<&Policy> = would_page::policy(directory, service).0;
    let tenant = &directory.tenant.name;
    let Some(policy) = policy else { return (format!("no policy of {tenant}"), false) };
    let reaches = |targets| {
        let resolved = reach::resolve(directory, targets, now);
        !resolved.told.is_empty()
    };
    let reached = policy.levels.iter().any(|level| reaches(&level.targets));
    (format!("policy \"{}\" of {tenant}", policy.name), reached)
}
