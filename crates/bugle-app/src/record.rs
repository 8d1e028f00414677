//! The recorder: saves what came of tries, many in one commit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bugle_domain::notification::NotificationState;
use bugle_domain::{AlertId, ClaimId};
use bugle_store::{StoreError, TriedRow};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::app::Inner;
use crate::error::{Chain, transient};
use crate::rehearsal::Step;

/// Most outcomes in one commit.
const BATCH: usize = 256;
/// Outcomes that may wait to be saved; senders wait when it is full.
pub(crate) const QUEUE: usize = 1_024;
/// Tries to save what is in hand when the process is to end. After that the claims are found by
/// their age and looked up.
const TRIES_AT_THE_END: u32 = 20;
const FIRST_BACK_OFF: Duration = Duration::from_millis(250);
const MAX_BACK_OFF: Duration = Duration::from_secs(5);

/// What came of one notification's try, and the alert it is about.
pub(crate) struct Tried {
    pub(crate) row: TriedRow,
    pub(crate) alert: AlertId,
    /// Until it is dropped, nobody here takes the claim for lost.
    pub(crate) held: Arc<Held>,
}

/// The claims whose outcome this process knows, or will.
#[derive(Debug, Default)]
pub(crate) struct HeldClaims(Mutex<BTreeMap<ClaimId, usize>>);

impl HeldClaims {
    fn claims(&self) -> MutexGuard<'_, BTreeMap<ClaimId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether messages of the claim are still in somebody's hands here.
    pub(crate) fn has(&self, claim: ClaimId) -> bool {
        self.claims().contains_key(&claim)
    }
}

/// One message of a claim, in this process's hands.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) app: Arc<Inner>,
    pub(crate) claim: ClaimId,
}

impl Held {
    pub(crate) fn new(app: &Arc<Inner>, claim: ClaimId) -> Arc<Self> {
        *app.held.claims().entry(claim).or_default() += 1;
        Arc::new(Self { app: Arc::clone(app), claim })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut claims = self.app.held.claims();
        if let Some(left) = claims.get_mut(&self.claim) {
            *left -= 1;
            if *left == 0 {
                claims.remove(&self.claim);
            }
        }
    }
}

/// Saves outcomes against their claims.
#[derive(Clone)]
pub(crate) struct Recorder {
    app: Arc<Inner>,
    tried: Arc<tokio::sync::Mutex<mpsc::Receiver<Vec<Tried>>>>,
}

impl Recorder {
    pub(crate) fn new(app: Arc<Inner>, tried: mpsc::Receiver<Vec<Tried>>) -> Self {
        Self { app, tried: Arc::new(tokio::sync::Mutex::new(tried)) }
    }

    /// Runs until nobody can send outcomes any more.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut tried = self.tried.lock().await;
        while let Some(mut batch) = tried.recv().await {
            while batch.len() < BATCH {
                let Ok(more) = tried.try_recv() else { break };
                batch.extend(more);
            }
            let alerts: Vec<_> = batch.iter().map(|one| (one.row.tenant, one.alert)).collect();
            let mut held = Vec::with_capacity(batch.len());
            let mut rows = Vec::with_capacity(batch.len());
            for one in batch {
                held.push(one.held);
                rows.push(one.row);
            }
            self.save_all(&rows, &stop).await;
            drop(held);
            self.app.changed(&alerts);
        }
    }

    /// Saves all of them but those that cannot be saved at all.
    async fn save_all(&self, rows: &[TriedRow], stop: &CancellationToken) {
        self.app.reach(Step::Answered, rows.iter().map(|row| row.tenant));
        let mut parts = Parts::of(rows);
        while let Some(part) = parts.next() {
            let Err(error) = self.save(part, stop).await else { continue };
            let Some(row) = parts.failed(part) else { continue };
            metrics::counter!("bugle_outcomes_lost_total").increment(1);
            let (tenant, notification) = (row.tenant, row.notification);
            let error = Chain(&error);
            tracing::error!(%tenant, %notification, %error, "an outcome could not be saved");
        }
    }

    /// Saves them in one commit, as soon as the database takes it. Senders wait meanwhile.
    async fn save(&self, rows: &[TriedRow], stop: &CancellationToken) -> Result<(), StoreError> {
        let (mut back_off, mut last_tries) = (FIRST_BACK_OFF, 0);
        loop {
            match self.app.store.record_tries(self.app.node, rows, self.app.clock.now()).await {
                Err(error) if transient(&error) && last_tries == TRIES_AT_THE_END => {
                    let count = rows.len();
                    let error = Chain(&error);
                    tracing::error!(%error, count, "outcomes are left to be looked up");
                    return Ok(());
                }
                Err(error) if transient(&error) => {
                    tracing::warn!(error = %Chain(&error), "outcomes wait for the database");
                    if stop.is_cancelled() {
                        (back_off, last_tries) = (FIRST_BACK_OFF, last_tries + 1);
                    }
                    tokio::select! {
                        () = stop.cancelled(), if last_tries == 0 => (),
                        () = tokio::time::sleep(back_off) => (),
                    }
                    back_off = (back_off * 2).min(MAX_BACK_OFF);
                }
                Err(error) => return Err(error),
                Ok(saved) => {
                    self.app.reach(Step::Saved, rows.iter().map(|row| row.tenant));
                    self.tell(rows, &saved);
                    return Ok(());
                }
            }
        }
    }

    /// Wakes who waits for what was saved.
    fn tell(&self, rows: &[TriedRow], saved: &[bool]) {
        let superseded = saved.iter().filter(|saved| !**saved).count();
        metrics::counter!("bugle_outcomes_superseded_total").increment(superseded as u64);
        let again =
            |row: &TriedRow| row.next.hop || matches!(row.next.state, NotificationState::Waiting);
        if rows.iter().any(again) {
            self.app.wake_dispatch.wake();
        }
    }
}

/// What is saved together: all, or ever smaller parts where that fails for good.
struct Parts<'a, T>(Vec<&'a [T]>);

impl<'a, T> Parts<'a, T> {
    fn of(all: &'a [T]) -> Self {
        Self(vec![all])
    }

    fn next(&mut self) -> Option<&'a [T]> {
        self.0.pop()
    }

    /// Notes that a part could not be saved; gives the one that is at fault, if it is known.
    fn failed(&mut self, part: &'a [T]) -> Option<&'a T> {
        match part {
            [] => None,
            [guilty] => Some(guilty),
            many => {
                let (first, second) = many.split_at(many.len() / 2);
                self.0.extend([second, first]);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_saved_is_lost() {
        let (mut parts, mut saved, mut lost) = (Parts::of(&[1, 2, 3, 4, 5, 6, 7]), vec![], vec![]);
        let mut commits = 0;
        while let Some(part) = parts.next() {
            commits += 1;
            if part.contains(&3) {
                lost.extend(parts.failed(part).copied());
            } else {
                saved.extend_from_slice(part);
            }
        }
        assert_eq!((saved, lost), (vec![1, 2, 4, 5, 6, 7], vec![3]));
        assert!(commits <= 7, "{commits} commits: not one for each of many");
    }
}
