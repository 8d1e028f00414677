//! Which integration a key belongs to, asked for every event.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bugle_domain::TenantId;
use bugle_domain::integration::Integration;
use bugle_store::{Store, StoreError};
use sha2::{Digest, Sha256};

/// How long an answer is kept: what a change made on another node takes to be seen here.
const KEEP: Duration = Duration::from_secs(1);
/// Most answers kept; a flood of wrong keys can't take more memory than this.
const MAX_KEPT: usize = 20_000;

/// A key's integration.
#[derive(Clone, PartialEq, Debug)]
pub struct IntegrationRef {
    /// Whose it is.
    pub tenant: TenantId,
    /// The integration.
    pub integration: Integration,
}

type Answer = Option<Arc<IntegrationRef>>;
/// Answers by the key's SHA-256, each with the time it was read.
type Kept = BTreeMap<[u8; 32], (Instant, Answer)>;

/// Keys' integrations, kept for a second, wrong keys too.
#[derive(Clone, Debug)]
pub(crate) struct IntegrationKeys {
    store: Store,
    kept: Arc<RwLock<Kept>>,
}

impl IntegrationKeys {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, kept: Arc::default() }
    }

    /// The integration that `key` belongs to, if any.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the key is not kept and the database did not answer.
    pub(crate) async fn find(&self, key: &str) -> Result<Answer, StoreError> {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        if let Some(answer) = self.kept(&hash) {
            return Ok(answer);
        }
        let found = self.store.find_integration(&hash).await?;
        let answer =
            found.map(|(tenant, integration)| Arc::new(IntegrationRef { tenant, integration }));
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(hash, (Instant::now(), answer.clone()));
        Ok(answer)
    }

    fn kept(&self, hash: &[u8; 32]) -> Option<Answer> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(hash).filter(|(at, _)| at.elapsed() < KEEP).map(|(_, answer)| answer.clone())
    }

    pub(crate) fn forget_all(&self) {
        self.kept.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl crate::app::App {
    /// The integration that `key` belongs to, if any. Keys are compared by their SHA-256.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database did not answer.
    pub async fn integration_for_key(
        &self,
        key: &str,
    ) -> Result<Option<Arc<IntegrationRef>>, StoreError> {
        self.inner().integration_keys.find(key).await
    }
}
