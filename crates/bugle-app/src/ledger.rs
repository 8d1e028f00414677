//! The ledger, for one tenant or for all.

use bugle_domain::TenantId;
use bugle_domain::ledger::Ledger;
use jiff::Timestamp;

/// The books, with what is needed to read them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerView {
    /// The sums and ages.
    pub ledger: Ledger,
    /// Names of the tenants in it.
    pub names: std::collections::BTreeMap<TenantId, String>,
    /// When it was read.
    pub at: Timestamp,
}
