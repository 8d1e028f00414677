//! Clean-ups: planning, beginning, restoring and reading them. [`work`] carries them out.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::object::Directory;
use bugle_domain::{AllTenants, IntegrationId, NodeId, TenantId, TenantScope, UserId};
use bugle_engine::cleanup::{self, ByChange, Candidate, Operators, STEP, SilentNode, Traffic};
pub use bugle_engine::cleanup::{CleanUp, CleanUpState, What};
pub use bugle_store::RemovedThing;
use bugle_store::StoreError;
use jiff::Timestamp;
use uuid::Uuid;

use crate::app::{App, Inner};
use crate::caller::Caller;
use crate::change::ChangeError;
use crate::permission::Permission;

mod error;
mod providers;
mod work;

pub use error::CleanUpError;
pub(crate) use work::CleanUpLoop;

/// Longest reason, in characters.
const MAX_REASON: usize = 500;
/// Most things of each sort that a plan names; it counts all.
pub const NAMED: usize = 200;

/// A candidate, and whose it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// The tenant; empty for nodes and providers.
    pub tenant: String,
    /// The candidate.
    pub candidate: Candidate,
}

/// What a clean-up would do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CleanUpPlan {
    /// Of what.
    pub what: What,
    /// How many things would go.
    pub going: usize,
    /// How many candidates would be left.
    pub left: usize,
    /// The first of those that would go.
    pub goes: Vec<Named>,
    /// The first of those that would be left, with what speaks against it.
    pub stays: Vec<Named>,
}

impl App {
    /// Says what a clean-up would do, and does nothing.
    pub async fn plan_clean_up(
        &self,
        caller: &Caller,
        what: What,
    ) -> Result<CleanUpPlan, CleanUpError> {
        let all = caller.all_tenants(Permission::ChangeStages)?;
        let mut plan = CleanUpPlan { what, going: 0, left: 0, goes: Vec::new(), stays: Vec::new() };
        let now = self.now();
        if what == What::Nodes {
            let silent = silent_nodes(self.inner(), Uuid::nil()).await?;
            plan.add("", cleanup::nodes(silent, now));
            return Ok(plan);
        }
        if what == What::Providers {
            plan.add("", providers::look(self.inner(), now).await?);
            return Ok(plan);
        }
        let operators = operators(self.inner()).await?;
        for tenant in self.inner().store.tenants(all).await? {
            let scope = TenantScope::granted(tenant.id);
            let mut after = Uuid::nil();
            loop {
                let looked = look(self.inner(), (scope, what), &operators, after, now).await?;
                let Some(last) = looked.found.last() else { break };
                after = last.id;
                plan.add(&tenant.name, looked.found);
            }
        }
        Ok(plan)
    }

    /// Begins a clean-up. Whatever is in use when its turn comes is left.
    pub async fn begin_clean_up(
        &self,
        caller: &Caller,
        what: What,
        reason: &str,
    ) -> Result<CleanUp, CleanUpError> {
        caller.require(Permission::ChangeStages)?;
        let (now, reason) = (self.now(), checked(reason)?);
        if let Some(red) = cleanup::stopped_by(&self.inner().heard_view()) {
            return Err(CleanUpError::Red(format!("{}: {}", red.hop.name(), red.evidence)));
        }
        if what == What::Providers && self.inner().store.change_under_way().await?.is_some() {
            return Err(ChangeError::UnderWay.into());
        }
        let wanted = CleanUp {
            number: 0,
            what,
            author: caller.audit_name(),
            reason,
            began_at: now,
            state: CleanUpState::Removing,
            entered_at: now,
            step: 0,
            after: None,
            removed: 0,
            left: 0,
            restored: 0,
            restored_by: None,
            changes: ByChange::default(),
        };
        let begun = self.inner().store.begin_clean_up(&wanted).await?;
        let (number, author, reason) = (begun.number, &begun.author, &begun.reason);
        tracing::warn!(number, author, reason, what = what.as_str(), "a clean-up begins");
        Ok(begun)
    }

    /// Has everything put back that a clean-up took away.
    pub async fn restore_clean_up(
        &self,
        caller: &Caller,
        number: i64,
        reason: &str,
    ) -> Result<CleanUp, CleanUpError> {
        caller.require(Permission::ChangeStages)?;
        let reason = checked(reason)?;
        loop {
            let found = self.clean_up_of(number).await?;
            if !found.state.can_be_restored() {
                return Err(CleanUpError::TooLate { state: found.state });
            }
            let now = self.now();
            let by = (caller.audit_name(), reason.clone());
            let wanted =
                CleanUp { restored_by: Some(by), ..found.enter(CleanUpState::Restoring, now) };
            let step = bugle_store::CleanUpStep::Nothing;
            let stepped = self.inner().store.step_clean_up(&wanted, &step, now).await?;
            if stepped != bugle_store::Stepped::Overtaken {
                tracing::warn!(number, reason, "a clean-up is taken back");
                return self.clean_up_of(number).await;
            }
        }
    }

    /// All clean-ups, newest first.
    pub async fn clean_ups(&self, caller: &Caller) -> Result<Vec<CleanUp>, CleanUpError> {
        let all = caller.all_tenants(Permission::ChangeStages)?;
        Ok(self.inner().store.clean_ups(all).await?)
    }

    /// One clean-up, with the first things that it took away and still keeps.
    pub async fn clean_up(
        &self,
        caller: &Caller,
        number: i64,
    ) -> Result<(CleanUp, Vec<RemovedThing>), CleanUpError> {
        caller.require(Permission::ChangeStages)?;
        let found = self.clean_up_of(number).await?;
        Ok((found, self.inner().store.removed_things(number).await?))
    }

    async fn clean_up_of(&self, number: i64) -> Result<CleanUp, CleanUpError> {
        let found = self.inner().store.clean_up(number).await?;
        found.ok_or(CleanUpError::NotFound(number))
    }
}

impl CleanUpPlan {
    fn add(&mut self, tenant: &str, found: Vec<Candidate>) {
        for candidate in found {
            let (count, list) = if candidate.goes() {
                (&mut self.going, &mut self.goes)
            } else {
                (&mut self.left, &mut self.stays)
            };
            *count += 1;
            if list.len() < NAMED {
                list.push(Named { tenant: tenant.to_owned(), candidate });
            }
        }
    }
}

fn checked(reason: &str) -> Result<String, CleanUpError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_REASON {
        return Err(CleanUpError::Reason { limit: MAX_REASON });
    }
    Ok(reason.to_owned())
}

/// Candidates of one tenant, as its configuration was at a version.
struct Looked {
    version: i64,
    found: Vec<Candidate>,
}

/// The candidates of a tenant with an id above `after`; the first of them.
async fn look(
    app: &Inner,
    (scope, what): (TenantScope, What),
    operators: &Operators,
    after: Uuid,
    now: Timestamp,
) -> Result<Looked, StoreError> {
    let directory = app.directories.get(scope).await?;
    let from = (after, STEP);
    let found = match what {
        What::Users => {
            let used = users_seen(app, scope).await?;
            cleanup::users(&directory, &used, operators, from, now)
        }
        What::Integrations => {
            let traffic = traffic(app, scope, &directory).await?;
            cleanup::integrations(&directory, &traffic, from, now)
        }
        What::Keys => {
            let limit = u32::try_from(STEP).unwrap_or(u32::MAX);
            cleanup::keys(app.store.ended_keys(scope, (after, limit), now).await?, now)
        }
        What::Nodes | What::Providers => Vec::new(),
    };
    Ok(Looked { version: directory.version, found })
}

async fn users_seen(
    app: &Inner,
    scope: TenantScope,
) -> Result<BTreeMap<UserId, Timestamp>, StoreError> {
    let mut seen: BTreeMap<UserId, Timestamp> = BTreeMap::new();
    for (user, at) in app.store.users_seen(scope).await? {
        let latest = seen.entry(user).or_insert(at);
        *latest = at.max(*latest);
    }
    Ok(seen)
}

async fn traffic(
    app: &Inner,
    scope: TenantScope,
    directory: &Directory,
) -> Result<BTreeMap<IntegrationId, Traffic>, StoreError> {
    let mut traffic = BTreeMap::new();
    for it in directory.integrations.values().filter(|it| it.disabled) {
        traffic.insert(it.id, app.store.integration_traffic(scope, it.id).await?);
    }
    Ok(traffic)
}

/// Everybody who stands above tenants, and who of them can act.
async fn operators(app: &Inner) -> Result<Operators, StoreError> {
    let mut operators = Operators::default();
    for (tenant, user) in app.store.operators(AllTenants::granted()).await? {
        operators.all.insert(user);
        let directory = app.directories.get(TenantScope::granted(tenant)).await?;
        if directory.users.get(&user).is_some_and(|user| !user.disabled) {
            operators.acting.insert(user);
        }
    }
    Ok(operators)
}

/// Nodes that are not known to live, with an id above `after`; the first of them.
async fn silent_nodes(app: &Inner, after: Uuid) -> Result<Vec<SilentNode>, StoreError> {
    let limit = u32::try_from(STEP).unwrap_or(u32::MAX);
    let living: BTreeSet<NodeId> = app.living().into_iter().chain([app.node]).collect();
    let mut nodes = app.store.nodes_after(after, limit).await?;
    nodes.retain(|node| !living.contains(&NodeId::from_stored(node.id)));
    Ok(nodes)
}

/// The tenant that what has none belongs to.
fn nobody() -> TenantId {
    TenantId::from_stored(Uuid::nil())
}
