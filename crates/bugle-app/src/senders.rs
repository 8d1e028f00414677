//! What an integration's key opens besides the way in: its own alerts that are not over. And the
//! notes of what its senders got wrong.

use std::sync::Arc;

use bugle_domain::TenantScope;
use bugle_domain::alert::{Alert, AlertStatus};
use bugle_store::{AlertFilter, StoreError};
use tokio::sync::Semaphore;

pub use bugle_store::RejectedRequest;

use crate::app::App;
use crate::error::Chain;
use crate::keys::IntegrationRef;

/// Most alerts that are shown.
const MAX_ALERTS: u32 = 1_000;
/// Notes that are being written at the same time. More are dropped: a sender that gets everything
/// wrong must not keep the database from those who do not.
static NOTES: Semaphore = Semaphore::const_new(4);

impl App {
    /// The alerts of an integration that are not over, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if they could not be read.
    pub async fn firing(&self, of: &IntegrationRef) -> Result<Vec<Alert>, StoreError> {
        let scope = TenantScope::granted(of.tenant);
        let filter = AlertFilter {
            statuses: vec![AlertStatus::Open, AlertStatus::Acknowledged],
            integration: Some(of.integration.id),
            ..AlertFilter::default()
        };
        self.inner().store.alerts(scope, &filter, None, MAX_ALERTS).await
    }

    /// Notes a request that was not accepted, for the list of the integration's last requests.
    /// Returns at once, and drops the note where there are too many.
    pub fn note_rejected(&self, of: Arc<IntegrationRef>, request: RejectedRequest) {
        let Ok(place) = NOTES.try_acquire() else {
            metrics::counter!("bugle_rejected_notes_dropped_total").increment(1);
            return;
        };
        let store = self.inner().store.clone();
        self.tasks().once(async move {
            let scope = TenantScope::granted(of.tenant);
            if let Err(error) = store.note_rejected(scope, of.integration.id, &request).await {
                tracing::warn!(error = %Chain(&error), "could not note a rejected request");
            }
            drop(place);
        });
    }
}
