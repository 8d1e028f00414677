//! Retention: lets go what is past its time, step by step, beside all other work.
//!
//! Each node does so for the tenants that it owns. How long things are kept goes with intake's
//! revision. For a day after a major incident was declared nothing goes while it is open: it may be
//! what explains it. Where the database itself is in trouble all goes on: its disk may be full.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bugle_domain::stage::Stage;
use bugle_domain::{AllTenants, TenantId, TenantScope};
use bugle_engine::incident::Incident;
use bugle_engine::watch::Hop;
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
const LONGEST_REST: Duration = Duration::from_mins(2);
/// For so long after an incident was declared nothing goes while it is open.
const HELD_FOR: SignedDuration = SignedDuration::from_hours(24);

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

    /// Everything that is past its time now, step by step: what belongs to nobody in particular,
    /// then what each tenant has. One whose turn fails has the next with the next look.
    async fn look(&self, stop: &CancellationToken) {
        let (epochs, _) = self.app.placement.epochs();
        let tenants = epochs.into_keys().filter(|tenant| !tenant.is_reserved());
        let mut turns: VecDeque<Option<TenantId>> =
            std::iter::once(None).chain(tenants.map(Some)).collect();
        while let Some(turn) = turns.front().copied()
            && !stop.is_cancelled()
        {
            let began = Instant::now();
            let more = match self.step(turn).await {
                Ok(Some(more)) => more,
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "could not drop what is past its time");
                    false
                }
            };
            if !more {
                turns.pop_front();
            }
            let rest = (began.elapsed() * REST).clamp(SHORTEST_REST, LONGEST_REST);
            tokio::select! {
                () = stop.cancelled() => (),
                () = tokio::time::sleep(rest) => (),
            }
        }
    }

    /// One step, for a tenant or for what belongs to nobody in particular. Whether there may be
    /// more; `None` where nothing is to go now.
    async fn step(&self, turn: Option<TenantId>) -> Result<Option<bool>, StoreError> {
        let (store, now) = (&self.app.store, self.app.clock.now());
        let explains =
            |it: &Incident| it.hop != Hop::Store && now.duration_since(it.declared_at) < HELD_FOR;
        if store.open_incident().await?.is_some_and(|row| explains(&row.incident)) {
            return Ok(None);
        }
        let kept = self.app.stages.of(Stage::Intake).revision.retention;
        let Some(tenant) = turn else {
            let all = AllTenants::granted;
            let raw = store.retain(all(), before(now, kept.raw_bytes), STEP_ROWS).await?;
            let answers = before(now, keyed_requests::KEPT_FOR.unsigned_abs());
            let answers = store.retain_keyed_requests(all(), answers, STEP_ROWS).await?;
            let incidents = store.retain_incidents(all(), before(now, kept.log), STEP_ROWS).await?;
            count("requests", raw);
            count("answers", answers);
            count("incidents", incidents);
            return Ok(Some([raw, answers, incidents].into_iter().any(|it| it >= STEP_ROWS)));
        };
        let scope = TenantScope::granted(tenant);
        let old = before(now, kept.history);
        let (history, more) = store.retain_history(scope, old, STEP_ROWS).await?;
        let log = store.retain_log(scope, before(now, kept.log), STEP_ROWS).await?;
        let assistance = store.retain_assistance(scope, old, STEP_ROWS).await?;
        let incidents = store.retain_rooms(scope, before(now, kept.log), STEP_ROWS).await?;
        count("history", history);
        count("incidents", incidents);
        count("assistance", assistance);
        count("log", log);
        Ok(Some(more || [log, assistance, incidents].into_iter().any(|it| it >= STEP_ROWS)))
    }
}

/// Counts what a step dropped.
fn count(what: &'static str, rows: u32) {
    metrics::counter!("bugle_retention_rows_total", "what" => what).increment(u64::from(rows));
}

/// What is older is past its time.
fn before(now: Timestamp, kept: Duration) -> Timestamp {
    let kept = SignedDuration::try_from(kept).unwrap_or(SignedDuration::MAX);
    now.saturating_sub(kept).unwrap_or(Timestamp::MIN)
}
