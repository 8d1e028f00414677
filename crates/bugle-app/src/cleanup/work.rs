//! Carries clean-ups out: one small step a second, judged anew, saved with how far it came.
//!
//! Nodes do the same at once; a step is saved only after the one before it, so that only one of
//! them counts.

use std::sync::Arc;
use std::time::Duration;

use bugle_domain::{AllTenants, TenantScope};
use bugle_engine::cleanup::{self, Candidate, CleanUp, CleanUpState, STEP, What};
use bugle_store::{CleanUpStep, Stepped, StoreError};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{CleanUpError, look, nobody, operators, providers, silent_nodes};
use crate::app::Inner;
use crate::error::Chain;
use crate::rehearsal::Mechanism;

/// A step is made this often, on the machine's own clock: with [`STEP`], the limit of how fast
/// things go, so that urgent work has the database nearly to itself.
const EVERY: Duration = Duration::from_secs(1);

/// Makes the steps of clean-ups.
#[derive(Clone)]
pub(crate) struct CleanUpLoop {
    app: Arc<Inner>,
}

impl CleanUpLoop {
    pub(crate) fn new(app: Arc<Inner>) -> Self {
        Self { app }
    }

    /// Runs until `stop` is cancelled.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.look().await {
                tracing::error!(error = %Chain(&error), "could not go on with a clean-up");
            }
            tokio::select! {
                () = stop.cancelled() => (),
                () = tokio::time::sleep(EVERY) => (),
            }
        }
    }

    /// One step of each clean-up that has one to make. One that cannot go on holds up no other.
    async fn look(&self) -> Result<(), CleanUpError> {
        let mut result = self.app.name_providers().await.map_err(CleanUpError::from);
        for clean_up in self.app.store.clean_ups_at_work().await? {
            result = result.and(self.step(&clean_up).await);
        }
        result
    }

    async fn step(&self, clean_up: &CleanUp) -> Result<(), CleanUpError> {
        let now = self.app.clock.now();
        let Some((after, step)) = self.next(clean_up, now).await? else { return Ok(()) };
        let stepped = self.app.store.step_clean_up(&after, &step, now).await?;
        self.tell(clean_up, &after, &step, stepped);
        Ok(())
    }

    /// What is done next; `None`: nothing yet.
    async fn next(
        &self,
        of: &CleanUp,
        now: Timestamp,
    ) -> Result<Option<(CleanUp, CleanUpStep)>, CleanUpError> {
        let limit = u32::try_from(STEP).unwrap_or(u32::MAX);
        let first = || async {
            let kept = self.app.store.removed_things(of.number).await?;
            Ok::<_, StoreError>(kept.into_iter().next())
        };
        let by_change = of.what == What::Providers;
        let red = self.stopped(of, now);
        Ok(match of.state {
            CleanUpState::Removing | CleanUpState::Restoring if by_change => {
                providers::next(&self.app, of, now).await?
            }
            CleanUpState::Removing if red.is_some() => red,
            CleanUpState::Removing if of.what == What::Nodes => Some(self.nodes(of, now).await?),
            CleanUpState::Removing => Some(self.remove(of, now).await?),
            CleanUpState::Removed => {
                let over = of.kept_until().is_some_and(|until| until <= now);
                over.then(|| (of.enter(CleanUpState::Purging, now), CleanUpStep::Nothing))
            }
            CleanUpState::Restoring => Some(match first().await? {
                Some(thing) if !thing.stuck => (of.clone(), CleanUpStep::PutBack(limit)),
                _ => (of.enter(CleanUpState::Restored, now), CleanUpStep::Nothing),
            }),
            CleanUpState::Purging => Some(match first().await? {
                Some(_) => (of.clone(), CleanUpStep::Purge(limit)),
                None => (of.enter(CleanUpState::Purged, now), CleanUpStep::Nothing),
            }),
            CleanUpState::Restored | CleanUpState::Purged => None,
        })
    }

    /// As with any change: where the watch turns red on its way, it is taken back.
    fn stopped(&self, of: &CleanUp, now: Timestamp) -> Option<(CleanUp, CleanUpStep)> {
        let view = self.app.heard_view();
        let against = cleanup::stopped_by(&view)?;
        let why = format!("{}: {}", against.hop.name(), against.evidence);
        let restored_by = Some(("the watch".to_owned(), why));
        let back = CleanUp { restored_by, ..of.enter(CleanUpState::Restoring, now) };
        Some((back, CleanUpStep::Nothing))
    }

    async fn nodes(
        &self,
        of: &CleanUp,
        now: Timestamp,
    ) -> Result<(CleanUp, CleanUpStep), StoreError> {
        let after = of.after.map_or(Uuid::nil(), |(_, id)| id);
        let found = cleanup::nodes(silent_nodes(&self.app, after).await?, now);
        let Some(last) = found.last() else {
            return Ok((of.enter(CleanUpState::Removed, now), CleanUpStep::Nothing));
        };
        let mut after = CleanUp { after: Some((nobody(), last.id)), ..of.clone() };
        let goes = self.going(found, &mut after);
        Ok((after, CleanUpStep::RemoveNodes(goes)))
    }

    /// The next things of the tenant that is being cleaned up, or of the one after it.
    async fn remove(
        &self,
        of: &CleanUp,
        now: Timestamp,
    ) -> Result<(CleanUp, CleanUpStep), StoreError> {
        let operators = operators(&self.app).await?;
        let (at, mut after) = of.after.unwrap_or((nobody(), Uuid::nil()));
        let tenants = self.app.store.tenants(AllTenants::granted()).await?;
        for tenant in tenants.into_iter().filter(|tenant| tenant.id >= at) {
            if tenant.id != at {
                after = Uuid::nil();
            }
            let scope = TenantScope::granted(tenant.id);
            let looked = look(&self.app, (scope, of.what), &operators, after, now).await?;
            let Some(last) = looked.found.last().map(|last| last.id) else {
                // The step before this one took the last of a tenant away, and did not know it.
                if after.is_nil() || after.is_max() {
                    continue;
                }
                let saved = CleanUp { after: Some((tenant.id, Uuid::max())), ..of.clone() };
                let (tenant, version) = (tenant.id, looked.version);
                let step = CleanUpStep::Remove { tenant, version, goes: Vec::new(), last: true };
                return Ok((saved, step));
            };
            let whole = looked.found.len() < STEP;
            // The largest id: nothing of this tenant comes after it.
            let next = if whole { Uuid::max() } else { last };
            let mut saved = CleanUp { after: Some((tenant.id, next)), ..of.clone() };
            let goes = self.going(looked.found, &mut saved);
            let (tenant, version) = (tenant.id, looked.version);
            return Ok((saved, CleanUpStep::Remove { tenant, version, goes, last: whole }));
        }
        Ok((of.enter(CleanUpState::Removed, now), CleanUpStep::Nothing))
    }

    /// Those that go; the others are counted.
    fn going(&self, found: Vec<Candidate>, after: &mut CleanUp) -> Vec<Candidate> {
        let (all, blind) = (found.len(), self.app.lacks(Mechanism::InUse));
        let goes: Vec<Candidate> = found.into_iter().filter(|it| blind || it.goes()).collect();
        after.left += i64::try_from(all - goes.len()).unwrap_or(i64::MAX);
        goes
    }

    /// Into the log, the metrics, and the other workers' view of the configuration.
    fn tell(&self, before: &CleanUp, after: &CleanUp, step: &CleanUpStep, stepped: Stepped) {
        let Stepped::Done(things) = stepped else {
            // Somebody changed the configuration, or another node made the step.
            if let CleanUpStep::Remove { tenant, .. } = step {
                self.app.directories.forget(*tenant);
            }
            return;
        };
        let (number, state) = (after.number, after.state.as_str());
        let what = after.what.as_str();
        metrics::counter!("bugle_clean_up_things_total", "what" => what, "state" => state)
            .increment(u64::from(things));
        if let CleanUpStep::Remove { tenant, last: true, .. } = step {
            self.app.configuration_changed(*tenant);
        }
        if before.state == after.state {
            return;
        }
        match &after.restored_by {
            Some((by, why)) if after.state == CleanUpState::Restoring => {
                tracing::error!(number, what, by, why, "a clean-up is taken back");
            }
            _ => tracing::info!(number, what, state, "a clean-up came further"),
        }
    }
}
