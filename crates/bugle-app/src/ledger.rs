//! The ledger, for one tenant or for all.

use std::collections::BTreeMap;

use bugle_domain::ledger::Ledger;
use bugle_domain::object::Tenant;
use bugle_domain::{TenantId, TenantScope};
use bugle_engine::incident::report::{Impact, TenantImpact};
use bugle_store::StoreError;
use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::caller::Caller;
use crate::error::problem;
use crate::permission::Permission;
use crate::reading::ReadError;

/// The longest time whose events and notifications are counted one by one.
pub(crate) const MAX_WINDOW: SignedDuration = SignedDuration::from_hours(24 * 31);

/// The books, with what is needed to read them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerView {
    /// The sums and ages.
    pub ledger: Ledger,
    /// Names of the tenants in it.
    pub names: BTreeMap<TenantId, String>,
    /// When it was read.
    pub at: Timestamp,
}

impl App {
    /// The tenant's books.
    pub async fn ledger(&self, caller: &Caller) -> Result<LedgerView, ReadError> {
        caller.require(Permission::ReadLedger)?;
        let at = self.now();
        let ledger = self.inner().store.ledger(caller.scope, at).await?;
        let directory = self.directory(caller.scope).await?;
        let names = BTreeMap::from([(directory.tenant.id, directory.tenant.name.clone())]);
        Ok(LedgerView { ledger, names, at })
    }

    /// Everybody's books, for operators.
    pub async fn ledger_of_all(&self, caller: &Caller) -> Result<LedgerView, ReadError> {
        let all = caller.all_tenants(Permission::ReadAllTenants)?;
        let at = self.now();
        let ledger = self.inner().store.ledger_of_all(all, at).await?;
        let tenants = self.inner().store.tenants(all).await?;
        let names = tenants.into_iter().map(|tenant| (tenant.id, tenant.name)).collect();
        Ok(LedgerView { ledger, names, at })
    }

    /// What happened to the tenant's events and notifications from `from` until `until`, or to
    /// everybody's: counted in the rows themselves, and not in the sums.
    pub async fn ledger_between(
        &self,
        caller: &Caller,
        (from, until): (Timestamp, Timestamp),
        of_all: bool,
    ) -> Result<Vec<TenantImpact>, ReadError> {
        let store = &self.inner().store;
        let length = until.duration_since(from);
        if length.is_negative() || length > MAX_WINDOW {
            let text = format!("give a time of at most {} days", MAX_WINDOW.as_hours() / 24);
            return Err(ReadError::Invalid(vec![problem("/until", "invalid", text)]));
        }
        let tenants = if of_all {
            store.tenants(caller.all_tenants(Permission::ReadAllTenants)?).await?
        } else {
            caller.require(Permission::ReadLedger)?;
            store.tenant(caller.scope).await?.into_iter().collect()
        };
        Ok(self.impacts(tenants, (from, until)).await?)
    }

    /// What happened to each of these tenants that anything happened to.
    pub(crate) async fn impacts(
        &self,
        tenants: Vec<Tenant>,
        window: (Timestamp, Timestamp),
    ) -> Result<Vec<TenantImpact>, StoreError> {
        let mut found = Vec::new();
        for tenant in tenants {
            let scope = TenantScope::granted(tenant.id);
            let impact = self.inner().store.impact(scope, window, self.now()).await?;
            if impact != Impact::default() {
                found.push(TenantImpact { tenant: tenant.id, name: tenant.name, impact });
            }
        }
        Ok(found)
    }
}
