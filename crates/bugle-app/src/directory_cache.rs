//! Tenants' configurations, kept in memory while their version stands.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use bugle_domain::object::Directory;
use bugle_domain::{TenantId, TenantScope};
use bugle_store::{Store, StoreError};

/// Most configurations kept; with more tenants than that the kept ones are dropped now and then.
const MAX_KEPT: usize = 10_000;

/// What is kept.
#[derive(Debug, Default)]
struct Kept {
    directories: BTreeMap<TenantId, Arc<Directory>>,
    /// How often a tenant's was forgotten: what was read from before that is not kept.
    forgotten: BTreeMap<TenantId, u64>,
}

impl Kept {
    fn forgotten(&self, tenant: TenantId) -> u64 {
        self.forgotten.get(&tenant).copied().unwrap_or_default()
    }
}

/// Tenants' configurations. A change made on this node is seen at once, one made on another node
/// within a second (see [`DirectoryCache::refresh`]).
#[derive(Clone, Debug)]
pub(crate) struct DirectoryCache {
    store: Store,
    kept: Arc<RwLock<Kept>>,
    /// The versions that the last look found.
    versions: Arc<RwLock<BTreeMap<TenantId, i64>>>,
}

impl DirectoryCache {
    /// An empty cache over `store`.
    pub(crate) fn new(store: Store) -> Self {
        Self { store, kept: Arc::default(), versions: Arc::default() }
    }

    /// The tenant's configuration, read if it is not kept.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read; [`StoreError::NoTenant`] if there is no such tenant.
    pub(crate) async fn get(&self, scope: TenantScope) -> Result<Arc<Directory>, StoreError> {
        let forgotten = {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            match kept.directories.get(&scope.tenant()) {
                Some(directory) => return Ok(Arc::clone(directory)),
                None => kept.forgotten(scope.tenant()),
            }
        };
        let found = self.store.directory(scope).await?.ok_or(StoreError::NoTenant)?;
        let directory = Arc::new(found);
        self.put(scope.tenant(), &directory, forgotten);
        Ok(directory)
    }

    /// Keeps what was read after it was forgotten so often, unless it was meanwhile: it may be from
    /// before the change.
    fn put(&self, tenant: TenantId, directory: &Arc<Directory>, forgotten: u64) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.forgotten(tenant) != forgotten {
            return;
        }
        if kept.directories.len() >= MAX_KEPT {
            kept.directories.clear();
        }
        kept.directories.insert(tenant, Arc::clone(directory));
    }

    /// Reads the configurations of those tenants that are not kept.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if one could not be read. Those before it are kept.
    pub(crate) async fn keep(
        &self,
        tenants: impl Iterator<Item = TenantId>,
    ) -> Result<(), StoreError> {
        let missing: Vec<TenantId> = {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            tenants.filter(|tenant| !kept.directories.contains_key(tenant)).collect()
        };
        for tenant in missing {
            self.get(TenantScope::granted(tenant)).await?;
        }
        Ok(())
    }

    /// The tenant's configuration, if it is kept.
    pub(crate) fn kept(&self, tenant: TenantId) -> Option<Arc<Directory>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.directories.get(&tenant).cloned()
    }

    /// Forgets a tenant's configuration, because it was changed.
    pub(crate) fn forget(&self, tenant: TenantId) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.directories.remove(&tenant);
        *kept.forgotten.entry(tenant).or_default() += 1;
    }

    /// Forgets what another node has changed. Whether anything was changed since the last look.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the versions could not be read. Everything is kept then.
    pub(crate) async fn refresh(&self) -> Result<bool, StoreError> {
        let versions = self.store.directory_versions().await?;
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.directories
            .retain(|tenant, directory| versions.get(tenant) == Some(&directory.version));
        let mut last = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        let changed = *last != versions;
        *last = versions;
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_kept_after_it() {
        let world = World::new().await;
        let scope = world.admin.scope;
        let cache = DirectoryCache::new(world.app.inner().store.clone());
        let read = cache.get(scope).await.unwrap();
        cache.forget(scope.tenant());
        cache.put(scope.tenant(), &read, 0);
        assert_eq!(cache.kept(scope.tenant()), None, "somebody changed it meanwhile");
        cache.forget(TenantId::from_stored(uuid::Uuid::max()));
        cache.put(scope.tenant(), &read, 1);
        assert_eq!(cache.kept(scope.tenant()), Some(read));
    }
}
