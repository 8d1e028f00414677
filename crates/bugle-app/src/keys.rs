//! Which integration a key belongs to, asked for every event.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bugle_domain::TenantId;
use bugle_domain::integration::Integration;
use bugle_store::{Store, StoreError};
use sha2::{Digest, Sha256};

/// How long an answer is kept at most. A change is seen sooner: one made here at once, one made on
/// another node within a second, with the version of its tenant's configuration.
const KEEP: Duration = Duration::from_mins(1);
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

/// What is kept.
#[derive(Debug, Default)]
struct Kept {
    /// Answers by the key's SHA-256, each with the time it was read.
    answers: BTreeMap<[u8; 32], (Instant, Answer)>,
    /// How often all was forgotten: an answer from before that is not kept.
    forgotten: u64,
}

/// Keys' integrations, kept until a configuration changes, wrong keys too.
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
        let forgotten = match self.kept(&hash) {
            Ok(answer) => return Ok(answer),
            Err(forgotten) => forgotten,
        };
        let found = self.store.find_integration(&hash).await?;
        let answer =
            found.map(|(tenant, integration)| Arc::new(IntegrationRef { tenant, integration }));
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.answers.len() >= MAX_KEPT {
            kept.answers.clear();
        }
        if kept.forgotten == forgotten {
            kept.answers.insert(hash, (Instant::now(), answer.clone()));
        }
        Ok(answer)
    }

    /// The answer that is kept, or how often all was forgotten before it is asked for.
    fn kept(&self, hash: &[u8; 32]) -> Result<Answer, u64> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let answer = kept.answers.get(hash).filter(|(at, _)| at.elapsed() < KEEP);
        answer.map(|(_, answer)| answer.clone()).ok_or(kept.forgotten)
    }

    pub(crate) fn forget_all(&self) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.answers.clear();
        kept.forgotten += 1;
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
