//! The recorder: saves what came of tries, many in one commit.

use std::sync::Arc;
use std::time::Duration;

use bugle_domain::AlertId;
use bugle_domain::notification::NotificationState;
use bugle_store::{StoreError, TriedRow};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::app::Inner;
use crate::error::{Chain, transient};
use crate::rehearsal::Step;

/// Most outcomes in one commit.
const BATCH: usize = 256;
/// Outcomes that may wait to be saved; senders wait when it is full.
pub(crate) const QUEUE: usize = 1_024;
/// Tries to save a batch. After that the claims are found by their age and looked up.
const SAVE_TRIES: u32 = 20;
const BACK_OFF: Duration = Duration::from_millis(250);

/// What came of one notification's try, and the alert it is about.
pub(crate) struct Tried {
    pub(crate) row: TriedRow,
    pub(crate) alert: AlertId,
}

/// Saves outcomes against their claims.
#[derive(Clone)]
pub(crate) struct Recorder {
    app: Arc<Inner>,
    tried: Arc<Mutex<mpsc::Receiver<Vec<Tried>>>>,
}

impl Recorder {
    pub(crate) fn new(app: Arc<Inner>, tried: mpsc::Receiver<Vec<Tried>>) -> Self {
        Self { app, tried: Arc::new(Mutex::new(tried)) }
    }

    /// Runs until nobody can send outcomes any more.
    pub(crate) async fn run(self, _stop: CancellationToken) {
        let mut tried = self.tried.lock().await;
        while let Some(mut batch) = tried.recv().await {
            while batch.len() < BATCH {
                let Ok(more) = tried.try_recv() else { break };
                batch.extend(more);
            }
            let alerts: Vec<_> = batch.iter().map(|one| (one.row.tenant, one.alert)).collect();
            let rows: Vec<TriedRow> = batch.into_iter().map(|one| one.row).collect();
            self.save(&rows).await;
            self.app.changed(&alerts);
        }
    }

    async fn save(&self, rows: &[TriedRow]) {
        self.app.reach(Step::Answered, rows.iter().map(|row| row.tenant));
        let mut tries = 1;
        let saved: Result<Vec<bool>, StoreError> = loop {
            match self.app.store.record_tries(self.app.node, rows, self.app.clock.now()).await {
                Err(error) if transient(&error) && tries < SAVE_TRIES => {
                    tries += 1;
                    tokio::time::sleep(BACK_OFF).await;
                }
                outcome => break outcome,
            }
        };
        match saved {
            Ok(saved) => {
                self.app.reach(Step::Saved, rows.iter().map(|row| row.tenant));
                self.tell(rows, &saved);
            }
            Err(error) => tracing::error!(error = %Chain(&error), "could not save outcomes"),
        }
    }

    /// Wakes who waits for what was saved.
    fn tell(&self, rows: &[TriedRow], saved: &[bool]) {
        let superseded = saved.iter().filter(|saved| !**saved).count();
        metrics::counter!("bugle_outcomes_superseded_total").increment(superseded as u64);
        let again =
            |row: &TriedRow| row.next.hop || matches!(row.next.state, NotificationState::Waiting);
        if rows.iter().any(again) {
            self.app.wake_dispatch.notify_one();
        }
    }
}
