//! Who passes through the stages: what a change and a clean-up are held against.

use std::collections::BTreeMap;

use bugle_domain::contact::Channel;
use bugle_domain::notification::Lane;
use bugle_domain::object::Directory;
use bugle_domain::{AllTenants, TenantScope};
use bugle_engine::change::checked::Dependants;

use super::ChangeError;
use crate::app::Inner;

/// Who uses what, over all tenants.
#[derive(Default)]
pub(super) struct Used {
    pub(super) channels: BTreeMap<Channel, Dependants>,
    pub(super) lanes: BTreeMap<String, Dependants>,
    pub(super) events: Dependants,
}

/// Reads it.
pub(super) async fn used(app: &Inner) -> Result<Used, ChangeError> {
    let all = AllTenants::granted();
    let mut used = Used::default();
    for tenant in app.store.tenants(all).await? {
        let directory = app.directories.get(TenantScope::granted(tenant.id)).await?;
        note_methods(&directory, &mut used);
    }
    let ledger = app.store.ledger_of_all(all, app.clock.now()).await?;
    for lane in Lane::ALL {
        let waiting = ledger.owed.iter().filter(|owed| owed.lane == lane);
        let waiting = waiting.map(|owed| owed.count).sum();
        let of = Dependants { waiting, ..used.events.clone() };
        used.lanes.insert(lane.as_str().to_owned(), of);
    }
    for owed in &ledger.owed {
        used.channels.entry(owed.channel).or_default().waiting += owed.count;
    }
    used.events.waiting = ledger.total.pending + ledger.total.waiting;
    Ok(used)
}

fn note_methods(directory: &Directory, used: &mut Used) {
    let tenant = &directory.tenant.name;
    let services = || directory.services.values().map(|service| service.name.clone());
    used.events.tenants.insert(tenant.clone());
    used.events.services.extend(services());
    for method in directory.methods.values() {
        let of = used.channels.entry(method.address.channel()).or_default();
        of.methods += 1;
        of.tenants.insert(tenant.clone());
        of.services.extend(services());
    }
}

/// Who uses which channel.
pub(crate) async fn channel_users(
    app: &Inner,
) -> Result<BTreeMap<Channel, Dependants>, ChangeError> {
    Ok(used(app).await?.channels)
}
