//! The driver: takes the change that is under way from checkpoint to checkpoint. It decides
//! nothing: observe → engine → save. Where a driver died another node goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bugle_domain::NodeId;
use bugle_domain::revision::Revision;
use bugle_engine::change::stray::Strays;
use bugle_engine::change::{ChangeState, Observation, Step, step};
use bugle_engine::incident::IncidentLine;
use bugle_store::DrivenChange;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{ChangeError, follow_file, lives, misfits_of};
use crate::app::Inner;
use crate::error::Chain;
use crate::incidents;
use crate::rehearsal::Mechanism;

/// Look at the change at least this often.
const POLL: SignedDuration = SignedDuration::from_secs(1);
/// The same on the machine's own clock, also where a test holds the time.
const POLL_OF_MACHINE: Duration = Duration::from_secs(1);
/// Most steps at one look; no change has more.
const MAX_STEPS: usize = 64;

/// Drives what this node drives, and takes over from the dead.
#[derive(Clone)]
pub(crate) struct ChangeLoop {
    app: Arc<Inner>,
    /// Stages of this node that no change put where they are.
    strays: Arc<Mutex<Strays>>,
    /// Since when each node that lives has been seen to.
    alive: Arc<Mutex<BTreeMap<NodeId, Timestamp>>>,
}

impl ChangeLoop {
    pub(crate) fn new(app: Arc<Inner>) -> Self {
        Self { app, strays: Arc::default(), alive: Arc::default() }
    }

    /// Runs until `stop` is cancelled.
    pub(crate) async fn run(self, stop: CancellationToken) {
        if let Err(error) = follow_file(&self.app).await {
            let error = Chain(&error);
            tracing::error!(%error, "the configuration file's stages are not taken");
        }
        while !stop.is_cancelled() {
            if let Err(error) = self.look().await {
                tracing::error!(error = %Chain(&error), "could not go on with a change");
            }
            tokio::select! {
                () = stop.cancelled() => (),
                () = self.app.wake_changes.notified() => (),
                () = self.app.clock.sleep(POLL) => (),
                () = tokio::time::sleep(POLL_OF_MACHINE) => (),
            }
        }
    }

    async fn look(&self) -> Result<(), ChangeError> {
        self.living(self.app.clock.now());
        for _ in 0..MAX_STEPS {
            let Some(driven) = self.app.store.change_under_way().await? else {
                return self.take_back().await;
            };
            if driven.driver != self.app.node {
                if lives(&self.app, driven.driver) || !self.app.knows_dead(driven.driver) {
                    return Ok(());
                }
                let (driver, number) = (driven.driver, driven.change.number);
                tracing::warn!(%driver, number, "taking over the change of a node that is dead");
                self.app.store.take_change(&driven, self.app.node).await?;
                continue;
            }
            if !self.advance(&driven).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// One step, if there is one.
    async fn advance(&self, driven: &DrivenChange) -> Result<bool, ChangeError> {
        let now = self.app.clock.now();
        let seen = self.observe(driven, now).await?;
        let Some(step) = step(&driven.change, &seen, now) else { return Ok(false) };
        if step.change.state == ChangeState::Undoing && self.app.lacks(Mechanism::Undo) {
            return Ok(false);
        }
        if !self.app.store.advance_change(&step, driven.epoch, now).await? {
            return Ok(false);
        }
        self.tell(&step).await;
        self.app.stages.wake.notify_one();
        Ok(true)
    }

    async fn observe(
        &self,
        driven: &DrivenChange,
        now: Timestamp,
    ) -> Result<Observation, ChangeError> {
        let change = &driven.change;
        let stored = self.app.store.revision(change.revision).await?;
        let misfits = match (change.state, &stored) {
            (ChangeState::Planned, Some(stored)) => match Revision::parse(&stored.document) {
                Ok(revision) => misfits_of(&self.app, change, &revision).await?,
                Err(mistakes) => vec![mistakes.to_string()],
            },
            _ => Vec::new(),
        };
        Ok(Observation {
            view: self.app.heard_view(),
            runs: self.app.store.stage_runs().await?,
            alive: self.living(now),
            misfits,
        })
    }

    /// The nodes that live, with since when this driver has seen it.
    fn living(&self, now: Timestamp) -> BTreeMap<NodeId, Timestamp> {
        let living = self.app.living();
        let mut seen = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|node, _| living.contains(node));
        for node in living {
            seen.entry(node).or_insert(now);
        }
        seen.clone()
    }

    /// Takes back what this node's stages were put on without a change.
    async fn take_back(&self) -> Result<(), ChangeError> {
        let (store, now) = (&self.app.store, self.app.clock.now());
        let mut found = store.stray_stages().await?;
        found.retain(|stray| stray.node == self.app.node);
        if self.app.lacks(Mechanism::Undo) || (found.is_empty() && self.strays().is_empty()) {
            return Ok(());
        }
        let view = self.app.heard_view();
        let due = self.strays().observe(&found, &view, now);
        let Some(known_good) = store.known_good().await? else { return Ok(()) };
        for stray in due {
            if store.take_back(&stray).await? {
                let text = stray.taken_back(known_good);
                tracing::error!(text, "a stage was put back");
                self.note(format!("{text}."), "/changes".to_owned()).await;
                self.app.stages.wake.notify_one();
            }
        }
        Ok(())
    }

    fn strays(&self) -> MutexGuard<'_, Strays> {
        self.strays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn note(&self, text: String, page: String) {
        let line = IncidentLine::new("change", text, self.app.clock.now()).linked(page);
        if let Err(error) = incidents::note(&self.app, line).await {
            tracing::error!(error = %Chain(&error), "the incident's timeline lacks a line");
        }
    }

    /// Into the log, and into the incident's timeline.
    async fn tell(&self, Step { change, evidence, .. }: &Step) {
        let (number, state) = (change.number, change.state.as_str());
        metrics::counter!("bugle_change_steps_total", "state" => state).increment(1);
        for seen in evidence {
            let text = &seen.text;
            if seen.ok {
                tracing::info!(number, state, text, "a change passed a checkpoint");
            } else {
                tracing::error!(number, state, text, "a change is red at a checkpoint");
            }
            let said = format!("Change {number}, {}: {text}.", change.state.words());
            self.note(said, format!("/changes/{number}")).await;
        }
    }
}
