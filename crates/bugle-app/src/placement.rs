//! Which tenants this node decides for, and the epochs that fence its writes.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use bugle_domain::TenantId;

/// A node stops deciding when its last acknowledged beat is older than this: half of what others
/// wait before they take over.
const STOP_AFTER: Duration = Duration::from_secs(2);

/// The claims this node holds.
#[derive(Debug)]
pub(crate) struct Placement(RwLock<Held>);

#[derive(Debug)]
struct Held {
    epochs: BTreeMap<TenantId, i64>,
    /// When the beat that the store acknowledged last was begun.
    beat: Option<Instant>,
}

impl Held {
    fn fresh(&self) -> bool {
        self.beat.is_some_and(|beat| beat.elapsed() < STOP_AFTER)
    }
}

impl Placement {
    pub(crate) fn new() -> Self {
        Self(RwLock::new(Held { epochs: BTreeMap::new(), beat: None }))
    }

    /// The epochs to decide under; none while the last acknowledged beat is too old.
    pub(crate) fn epochs(&self) -> BTreeMap<TenantId, i64> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if held.fresh() { held.epochs.clone() } else { BTreeMap::new() }
    }

    /// Whether the last acknowledged beat is fresh.
    pub(crate) fn beats(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).fresh()
    }

    /// Takes over what the store acknowledged for the beat begun at `beat`.
    pub(crate) fn held(&self, epochs: BTreeMap<TenantId, i64>, beat: Instant) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Held { epochs, beat: Some(beat) };
    }

    /// Forgets tenants that a write found in other hands.
    pub(crate) fn lost(&self, tenants: &[TenantId]) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        held.epochs.retain(|tenant, _| !tenants.contains(tenant));
    }
}
