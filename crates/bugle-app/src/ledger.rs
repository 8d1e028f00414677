//! The ledger, for one tenant or for all.

use std::collections::BTreeMap;

use bugle_domain::TenantId;
use bugle_domain::ledger::Ledger;
use jiff::Timestamp;

use crate::app::App;
use crate::caller::Caller;
use crate::permission::Permission;
use crate::reading::ReadError;

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
}
