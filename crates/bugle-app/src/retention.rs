//! Retention: lets go what is past its time, step by step, beside all other work.
//!
//! Each node does so for the tenants that it owns. How long things are kept goes with intake's
//! revision. While a major incident is open nothing goes: it may be what explains it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bugle_domain::stage::Stage;
use bugle_domain::{AllTenants, TenantId, TenantScope};
use bugle_store::StoreError;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::app::Inner;
use crate::error::Chain;
use crate::keyed_requests;

/// Time between two looks at what is past its time, by both clocks.
const EVERY: SignedDuration = SignedDuration::from_mins(1);
const EVERY_OF_MACHINE: Duration = Duration::from_mins(1);
/// Rows that one step touches, at most, of each sort.
const STEP_ROWS: u32 = 200;
/// After a step there is none for so many times as long as it took, so that urgent work has the
/// database nearly to itself.
const REST: u32 = 9;
/// Bounds of that time.
const SHORTEST_REST: Duration = Duration::from_millis(20);
const LONGEST_REST: Duration = Duration::from_secs(5);

/// Drops what is past its time.
#[derive(Clone)]
pub(crate) struct RetentionLoop {
    app: Arc<Inner>,
}

impl RetentionLoop {
    pub(crate) fn new(app: Arc<Inner>) -> Self {
        Self { app }
    }

    /// Runs until `stop` is cancelled; a step in hand is finished first.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.look(&stop).await;
            tokio::select! {
                () = stop.cancelled() => (),
                () = self.app.clock.sleep(EVERY) => (),
                () = tokio::time::sleep(EVERY_OF_MACHINE) => (),
            }
        }
    }

    /// Everything that is past its time now, step by step.
    async fn look(&self, stop: &CancellationToken) {
        let (epochs, _) = self.app.placement.epochs();
        let mut tenants: VecDeque<TenantId> =
            epochs.into_keys().filter(|tenant| !tenant.is_reserved()).collect();
        while !stop.is_cancelled() {
            let began = Instant::now();
            match self.step(&mut tenants).await {
                Ok(true) => (),
                Ok(false) => return,
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "could not drop what is past its time");
                    return;
                }
            }
            let rest = (began.elapsed() * REST).clamp(SHORTEST_REST, LONGEST_REST);
            tokio::select! {
                () = stop.cancelled() => (),
                () = tokio::time::sleep(rest) => (),
            }
        }
    }

    /// One step: what belongs to nobody in particular, and what the first of the tenants has.
    /// Whether there may be more.
    async fn step(&self, tenants: &mut VecDeque<TenantId>) -> Result<bool, StoreError> {
        let (store, all) = (&self.app.store, AllTenants::granted);
        if store.open_incident().await?.is_some() {
            return Ok(false);
        }
        let now = self.app.clock.now();
        let kept = self.app.stages.of(Stage::Intake).revision.retention;
        let raw = store.retain(all(), before(now, kept.raw_bytes), STEP_ROWS).await?;
        let answers = before(now, keyed_requests::KEPT_FOR.unsigned_abs());
        let answers = store.retain_keyed_requests(all(), answers, STEP_ROWS).await?;
        let more = count("requests", raw) | count("answers", answers);
        let Some(tenant) = tenants.front().copied() else { return Ok(more) };
        let scope = TenantScope::granted(tenant);
        let history = before(now, kept.history);
        let history = store.retain_history(scope, history, STEP_ROWS).await?;
        let log = store.retain_log(scope, before(now, kept.log), STEP_ROWS).await?;
        if !(count("history", history) | count("log", log)) {
            tenants.pop_front();
        }
        Ok(more || !tenants.is_empty())
    }
}

/// Counts what a step dropped; whether it may have left something.
fn count(what: &'static str, rows: u32) -> bool {
    metrics::counter!("bugle_retention_rows_total", "what" => what).increment(u64::from(rows));
    rows >= STEP_ROWS
}

/// What is older is past its time.
fn before(now: Timestamp, kept: Duration) -> Timestamp {
    let kept = SignedDuration::try_from(kept).unwrap_or(SignedDuration::MAX);
    now.saturating_sub(kept).unwrap_or(Timestamp::MIN)
}
