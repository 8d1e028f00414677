//! Tenant scope: the proof, demanded by every store and app call, of whose data is meant.

use crate::ids::TenantId;

/// Proof that the caller was authenticated for one tenant.
///
/// Made only where a credential was checked, and by workers for the tenants they serve.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TenantScope(TenantId);

impl TenantScope {
    /// Grants access to `tenant`.
    pub fn granted(tenant: TenantId) -> Self {
        Self(tenant)
    }

    /// The tenant this scope is for.
    pub fn tenant(self) -> TenantId {
        self.0
    }
}

/// Proof that the caller is an operator, who stands above tenants. What is done with it is audited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AllTenants(());

impl AllTenants {
    /// Grants access across tenants. Only the check of an operator's credential and the process's
    /// own start-up call this.
    pub fn granted() -> Self {
        Self(())
    }
}
