//! The alerting worker: takes what is pending and what is due, asks the engine, saves the answer.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bugle_domain::object::Directory;
use bugle_domain::stage::Stage;
use bugle_domain::{EventId, TenantId, TenantScope};
use bugle_engine::alerting::{self, Decisions, Work};
use bugle_store::{AlertingPass, PassReport, StoreError};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::app::Inner;
use crate::entropy::SystemMint;
use crate::error::Chain;

/// Most events, and most due alerts, decided in one transaction.
pub(crate) const BATCH: u32 = 128;
/// Look for work at least this often: what a lost wake-up costs.
const POLL: SignedDuration = SignedDuration::from_secs(1);
/// Most tries of an event by the engine: the first in a batch, the others alone.
const MAX_TRIES: u16 = 5;

/// Events whose decision did not come to an end.
type Suspects = Vec<EventId>;

/// Decides, as the owner of its tenants. It decides nothing itself: claim → engine → save.
pub(crate) struct AlertingLoop {
    app: Arc<Inner>,
}

impl AlertingLoop {
    pub(crate) fn new(app: Arc<Inner>) -> Self {
        Self { app }
    }

    /// Runs until `stop` is cancelled; a pass in hand is finished first.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let now = self.app.clock.now();
            let next_due = match self.pass(now).await {
                Ok(report) if report.more => {
                    self.app.pulse.beat(Stage::Alerting);
                    continue;
                }
                Ok(report) => {
                    self.app.pulse.beat(Stage::Alerting);
                    report.next_due
                }
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "an alerting pass failed");
                    None
                }
            };
            let poll = now.saturating_add(POLL).unwrap_or(Timestamp::MAX);
            let until = next_due.map_or(poll, |due| due.min(poll));
            tokio::select! {
                () = stop.cancelled() => (),
                () = self.app.wake_alerting.notified() => (),
                () = self.app.clock.sleep_until(until) => (),
            }
        }
    }

    /// One transaction over the tenants that have work.
    async fn pass(&self, now: Timestamp) -> Result<PassReport, StoreError> {
        let (epochs, heard_since) = self.app.placement.epochs();
        if epochs.is_empty() || !self.app.takes_work(Stage::Alerting) {
            return Ok(PassReport::default());
        }
        // A tenant whose configuration is not at hand would use up a try of its suspects.
        self.app.directories.keep(epochs.keys().copied()).await?;
        let mut unknown = BTreeSet::new();
        let app = Arc::clone(&self.app);
        let mut suspects = Vec::new();
        let mut decide = |tenant: TenantId, work: Work| {
            let Some(directory) = app.directories.kept(tenant) else {
                unknown.insert(tenant);
                return None;
            };
            match decide(&directory, work, (now, heard_since)) {
                Ok(decisions) => Some(decisions),
                Err(events) => {
                    suspects.extend(events.into_iter().map(|event| (tenant, event)));
                    None
                }
            }
        };
        let pass =
            AlertingPass { node: self.app.node, epochs: &epochs, events: BATCH, due: BATCH, now };
        let report = self.app.store.alerting_pass(&pass, &mut decide).await?;
        let left_out = !unknown.is_empty() || !suspects.is_empty();
        self.app.store.mark_suspects(&suspects).await?;
        for tenant in unknown {
            self.app.directories.get(TenantScope::granted(tenant)).await?;
        }
        self.tell(&report);
        Ok(PassReport { more: report.more || left_out, ..report })
    }

    /// Wakes who waits for what the pass did.
    fn tell(&self, report: &PassReport) {
        if report.owed > 0 {
            self.app.wake_dispatch.notify_one();
        }
        if !report.fenced.is_empty() {
            self.app.placement.lost(&report.fenced);
        }
        metrics::counter!("bugle_events_decided_total").increment(report.events as u64);
        metrics::counter!("bugle_notifications_owed_total").increment(report.owed as u64);
        self.app.changed(&report.touched);
    }
}

/// Asks the engine. A panic stops neither the process nor the tenant: what was in hand is noted as
/// suspect, and the store then hands suspects out one by one. One that fails again is told to the
/// fallback policy as it came.
fn decide(
    directory: &Directory,
    work: Work,
    (now, heard_since): (Timestamp, Timestamp),
) -> Result<Decisions, Suspects> {
    let mut mint = SystemMint { now };
    let suspects: Vec<EventId> = work.events.iter().map(|event| event.id).collect();
    if let [event] = &work.events[..]
        && event.tries > MAX_TRIES
    {
        tracing::error!(event = %event.id, "an event could not be decided; telling the fallback");
        return Ok(alerting::quarantine(directory, event.clone(), now, &mut mint));
    }
    let times = (now, heard_since);
    let decided =
        catch_unwind(AssertUnwindSafe(|| alerting::decide(directory, work, times, &mut mint)));
    decided.map_err(|_| {
        metrics::counter!("bugle_decision_panics_total").increment(1);
        let (tenant, count) = (directory.tenant.id, suspects.len());
        tracing::error!(%tenant, count, "a decision panicked; its events are decided one by one");
        suspects
    })
}
