//! The alerting worker: takes what is pending and what is due, asks the engine, saves the answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use bugle_domain::alert::Alert;
use bugle_domain::object::Directory;
use bugle_domain::stage::Stage;
use bugle_domain::{EventId, TenantId, TenantScope};
use bugle_engine::alerting::{self, Decisions, Work};
use bugle_store::{AlertingPass, PassReport, StoreError};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::app::Inner;
use crate::entropy::SystemMint;
use crate::error::{self, Chain};
use crate::rehearsal::{self, Mechanism};

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
        let mut first = BTreeSet::new();
        while !stop.is_cancelled() {
            let now = self.app.clock.now();
            let only = std::mem::take(&mut first);
            let next_due = match self.pass(&only, now).await {
                Ok(report) if report.more || !only.is_empty() => {
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
                places = self.app.wake_alerting.woken() => first = places,
                () = self.app.clock.sleep_until(until) => (),
            }
        }
    }

    /// One transaction over the tenants that have work, or of those over a few only.
    async fn pass(
        &self,
        only: &BTreeSet<TenantId>,
        now: Timestamp,
    ) -> Result<PassReport, StoreError> {
        let (epochs, heard_since) = self.app.placement.epochs();
        let in_hand = self.app.begin_pass(Stage::Alerting).filter(|_| !epochs.is_empty());
        let Some(_in_hand) = in_hand else { return Ok(PassReport::default()) };
        // A tenant whose configuration is not at hand would use up a try of its suspects.
        self.app.directories.keep(epochs.keys().copied()).await?;
        let mut unknown = BTreeSet::new();
        let app = Arc::clone(&self.app);
        let (mut suspects, mut again) = (Vec::new(), false);
        let mut decide = |tenant: TenantId, work: Work| {
            let Some(directory) = app.directories.kept(tenant) else {
                unknown.insert(tenant);
                return None;
            };
            let times = (now, heard_since);
            let engine = |work: Work, mint: &mut SystemMint| {
                let about = work.events.iter().map(|event| event.body.dedup_key.as_str());
                app.falter(rehearsal::Work::Event, about);
                alerting::decide(&directory, work, times, mint)
            };
            if app.lacks(Mechanism::SetAside) {
                return Some(engine(work, &mut SystemMint { now }));
            }
            let decided = decide(&directory, work, now, &engine);
            suspects.extend(decided.suspects.into_iter().map(|event| (tenant, event)));
            again |= decided.again;
            decided.decisions
        };
        let node = self.app.node;
        let pass = AlertingPass { node, epochs: &epochs, only, events: BATCH, due: BATCH, now };
        let report = self.app.store.alerting_pass(&pass, &mut decide).await?;
        let left_out = again || !unknown.is_empty() || !suspects.is_empty();
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
            self.app.wake_dispatch.look_at(report.fresh.iter().copied());
        }
        if !report.fenced.is_empty() {
            self.app.placement.lost(&report.fenced);
        }
        metrics::counter!("bugle_events_decided_total").increment(report.events as u64);
        metrics::counter!("bugle_notifications_owed_total").increment(report.owed as u64);
        self.app.changed(&report.touched);
    }
}

/// How the engine is asked.
type Engine<'a> = dyn Fn(Work, &mut SystemMint) -> Decisions + 'a;

/// What became of a tenant's work.
#[derive(Default)]
struct Decided {
    decisions: Option<Decisions>,
    suspects: Suspects,
    /// There are events that were not looked at.
    again: bool,
}

/// Asks the engine. A panic stops neither the process nor the tenant. The alerts that were due are
/// then decided one by one, and a guilty one goes on with the fallback policy. Where none was, the
/// events in hand are noted as suspect, and the store hands suspects out one by one; one that fails
/// again is told to the fallback policy as it came.
fn decide(directory: &Directory, work: Work, now: Timestamp, engine: &Engine<'_>) -> Decided {
    let mut mint = SystemMint { now };
    let suspects: Vec<EventId> = work.events.iter().map(|event| event.id).collect();
    if let [event] = &work.events[..]
        && event.tries > MAX_TRIES
    {
        tracing::error!(event = %event.id, "an event could not be decided; telling the fallback");
        let decisions = alerting::quarantine(directory, event.clone(), now, &mut mint);
        return Decided { decisions: Some(decisions), ..Decided::default() };
    }
    let apart = work.due_apart();
    if let Some(decisions) = caught(|| engine(work, &mut mint)) {
        return Decided { decisions: Some(decisions), ..Decided::default() };
    }
    let (tenant, events, due) = (directory.tenant.id, suspects.len(), apart.len());
    tracing::error!(%tenant, events, due, "a decision panicked; its parts are decided one by one");
    let mut all = Decisions::default();
    let mut guilty = false;
    for alone in apart {
        let Some(alert) = alone.due.first().cloned() else { continue };
        let decisions = caught(|| engine(alone, &mut mint)).unwrap_or_else(|| {
            guilty = true;
            set_aside(directory, alert, now)
        });
        all.append(decisions);
    }
    let suspects = if guilty { Vec::new() } else { suspects };
    Decided { decisions: (due > 0).then_some(all), suspects, again: events > 0 }
}

/// Puts an alert whose step can't be decided off, and tells the fallback policy of it.
fn set_aside(directory: &Directory, alert: Alert, now: Timestamp) -> Decisions {
    let id = alert.id;
    tracing::error!(alert = %id, "an alert's step could not be decided; telling the fallback");
    let kept = alert.clone();
    caught(|| alerting::set_aside(directory, alert, now, &mut SystemMint { now }))
        .unwrap_or_else(|| alerting::put_off(kept, now))
}

/// What `work` gives, or `None` where it panics, which is counted.
fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    let result = error::caught(work);
    if result.is_none() {
        metrics::counter!("bugle_decision_panics_total").increment(1);
    }
    result
}

#[cfg(test)]
mod tests;
