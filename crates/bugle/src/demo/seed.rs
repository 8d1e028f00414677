//! Writes the sample company into an empty database.

use bugle_app::store::{ObjectChange, Store};
use bugle_domain::object::Object;
use bugle_domain::{AllTenants, TenantScope};
use bugle_lab::Lab;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::company::Company;
use crate::failure::Failure;

/// Who is written into the audit log.
const ACTOR: &str = "bugle demo";

/// Saves the company, and the key of its first integration. The other integrations get keys when
/// somebody asks for them on their page.
///
/// # Errors
///
/// The database did not take it.
pub(super) async fn company(
    store: &Store,
    company: &Company,
    key: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let told = |error| Failure::because("the sample company can't be saved", &error);
    store.create_tenant(AllTenants::granted(), &company.tenant).await.map_err(told)?;
    let scope = TenantScope::granted(company.tenant.id);
    let mut changes: Vec<ObjectChange> = company
        .objects()
        .into_iter()
        .map(|object| ObjectChange::Put { object: with_hint(object, company, key), expected: None })
        .collect();
    changes.extend(company.integrations.first().map(|integration| ObjectChange::Key {
        integration: integration.id,
        hash: Sha256::digest(key.as_bytes()).into(),
    }));
    store.save_objects(scope, &changes, now, ACTOR).await.map_err(told)?;
    // Whoever tries the demo is shown the operator's pages, too.
    if let Some(first) = company.people.first() {
        store.set_operator(scope, first.id, true, now).await.map_err(told)?;
    }
    Ok(())
}

/// Shows the first letters of the key on the page of the integration that has it.
fn with_hint(object: Object, company: &Company, key: &str) -> Object {
    match object {
        Object::Integration(mut integration)
            if company.integrations.first().is_some_and(|first| first.id == integration.id) =>
        {
            integration.key_hint = key.chars().take(4).collect();
            Object::Integration(integration)
        }
        object => object,
    }
}

/// Gives every phone and mailbox of the lab its owner, so that they are shown before they ring.
pub(super) fn owners(lab: &Lab, company: &Company) {
    for method in &company.methods {
        if let Some(user) = company.people.iter().find(|user| user.id == method.user) {
            lab.set_owner(method.address.as_str(), &user.name);
        }
    }
}
