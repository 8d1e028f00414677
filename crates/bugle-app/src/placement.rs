//! Which tenants this node decides for, the epochs that fence its writes, and since when silence
//! says something.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use bugle_domain::TenantId;
use jiff::Timestamp;

/// A node stops deciding when its last acknowledged beat is older than this: half of what others
/// wait before they take over.
const STOP_AFTER: Duration = Duration::from_secs(2);

/// The claims this node holds.
#[derive(Debug)]
pub(crate) struct Placement(RwLock<Held>);

#[derive(Debug)]
struct Held {
    epochs: BTreeMap<TenantId, i64>,
    /// Since when senders could always reach some node.
    heard_since: Timestamp,
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
        let heard_since = Timestamp::MAX;
        Self(RwLock::new(Held { epochs: BTreeMap::new(), heard_since, beat: None }))
    }

    /// The epochs to decide under, none while the last acknowledged beat is too old; and since when
    /// senders could always reach some node.
    pub(crate) fn epochs(&self) -> (BTreeMap<TenantId, i64>, Timestamp) {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let epochs = if held.fresh() { held.epochs.clone() } else { BTreeMap::new() };
        (epochs, held.heard_since)
    }

    /// Whether the last acknowledged beat is fresh.
    pub(crate) fn beats(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).fresh()
    }

    /// Takes over what the store acknowledged for the beat begun at `beat`.
    pub(crate) fn held(
        &self,
        epochs: BTreeMap<TenantId, i64>,
        heard_since: Timestamp,
        beat: Instant,
    ) {
        let held = Held { epochs, heard_since, beat: Some(beat) };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = held;
    }

    /// Forgets tenants that a write found in other hands.
    pub(crate) fn lost(&self, tenants: &[TenantId]) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        held.epochs.retain(|tenant, _| !tenants.contains(tenant));
    }
}
