//! What the stages of this node run with: a revision each, kept in memory, swapped without a
//! restart.
//!
//! The loops read their settings here at each pass. What a stage should run stands in the store; a
//! revision that cannot be read or used there leaves the stage on its last good one, loudly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bugle_domain::NodeId;
use bugle_domain::notification::Lane;
use bugle_domain::revision::Revision;
use bugle_domain::stage::{Stage, StageRun};
use bugle_engine::change::checked;
use bugle_engine::dispatch::Limits;
use bugle_engine::watch::View;
use bugle_store::{NewRevision, RevisionSource, StageTarget, StoreError};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::app::Inner;
use crate::error::Chain;

/// Look for new targets at least this often: what a lost wake-up costs.
const POLL: SignedDuration = SignedDuration::from_secs(1);
/// The same on the machine's own clock, also where a test holds the time.
const POLL_OF_MACHINE: Duration = Duration::from_secs(1);
/// Look as often whether a stage that is held has come to rest.
const POLL_OF_PASSES: Duration = Duration::from_millis(20);
/// Documents kept in memory, read. There are two or three in use at a time.
const KEPT: usize = 16;
/// Who makes the revisions that come from the configuration file.
pub(crate) const FILE: &str = "configuration file";

/// A revision, ready for use.
#[derive(Debug)]
pub(crate) struct Ready {
    /// What it says.
    pub(crate) revision: Revision,
    /// Ceilings, bundling and tries, as the engine takes them.
    pub(crate) limits: Limits,
    /// The lanes that dispatch takes from, as far as this program knows them.
    pub(crate) lanes: Vec<Lane>,
}

impl Ready {
    fn new(revision: Revision) -> Self {
        let named = |lane: &Lane| revision.dispatch.lanes.contains(lane.as_str());
        let lanes = Lane::ALL.into_iter().filter(named).collect();
        Self { limits: Limits::of(&revision.dispatch), lanes, revision }
    }
}

/// What one stage runs with.
#[derive(Clone, Debug)]
struct Running {
    number: i64,
    ready: Arc<Ready>,
    since: Timestamp,
    held: bool,
    /// It is held, and no pass of its worker is in hand that began before.
    at_rest: bool,
    /// Why it does not run what it should.
    not_taken: Option<String>,
    /// Why it does nothing with what it runs.
    idle: Option<String>,
}

impl Running {
    fn report(&self, node: NodeId, stage: Stage) -> StageRun {
        StageRun {
            node,
            stage,
            revision: self.number,
            fingerprint: self.ready.revision.fingerprint(),
            since: self.since,
            held: self.at_rest,
            error: self.not_taken.clone().or_else(|| self.idle.clone()),
        }
    }
}

/// What this node's stages run with.
#[derive(Debug)]
pub(crate) struct Stages {
    running: RwLock<BTreeMap<Stage, Running>>,
    read: RwLock<BTreeMap<i64, Arc<Ready>>>,
    file: Arc<Ready>,
    pub(crate) wake: Notify,
    /// What a test has the watch say.
    fed: RwLock<Option<View>>,
}

impl Stages {
    /// Everything on the configuration file's settings, until the store was asked.
    pub(crate) fn new(file: Revision, now: Timestamp) -> Self {
        let file = Arc::new(Ready::new(file));
        let running = Running {
            number: 0,
            ready: Arc::clone(&file),
            since: now,
            held: false,
            at_rest: false,
            not_taken: None,
            idle: None,
        };
        Self {
            running: RwLock::new(Stage::ALL.map(|stage| (stage, running.clone())).into()),
            read: RwLock::default(),
            file,
            wake: Notify::new(),
            fed: RwLock::default(),
        }
    }

    /// What a stage runs with.
    pub(crate) fn of(&self, stage: Stage) -> Arc<Ready> {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        running.get(&stage).map_or_else(|| Arc::clone(&self.file), |run| Arc::clone(&run.ready))
    }

    /// What a test has the watch say.
    pub(crate) fn fed_view(&self) -> Option<View> {
        self.fed.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has the watch say something from now on.
    pub(crate) fn feed(&self, view: View) {
        *self.fed.write().unwrap_or_else(PoisonError::into_inner) = Some(view);
    }

    /// Whether a stage takes work. What comes while it does not waits in the store.
    pub(crate) fn works(&self, stage: Stage) -> bool {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        running.get(&stage).is_none_or(|run| !run.held && run.idle.is_none())
    }

    fn set_at_rest(&self, stage: Stage, at_rest: bool) {
        let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(run) = running.get_mut(&stage) {
            run.at_rest = at_rest;
        }
    }

    /// Whether a stage is held and has not come to rest.
    fn comes_to_rest(&self) -> bool {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        running.values().any(|run| run.held && !run.at_rest)
    }

    fn runs(&self, stage: Stage, number: i64) -> bool {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        running.get(&stage).is_some_and(|run| run.number == number)
    }

    /// What the configuration file says.
    pub(crate) fn file(&self) -> &Revision {
        &self.file.revision
    }

    /// What every stage of this node runs.
    pub(crate) fn here(&self, node: NodeId) -> Vec<StageRun> {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        running.iter().map(|(stage, run)| run.report(node, *stage)).collect()
    }

    /// A revision that was read before.
    fn known(&self, number: i64) -> Option<Arc<Ready>> {
        self.read.read().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }

    fn remember(&self, number: i64, ready: &Arc<Ready>) {
        let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
        read.insert(number, Arc::clone(ready));
        while read.len() > KEPT {
            read.pop_first();
        }
    }
}

/// Keeps this node's stages on what they should run.
#[derive(Clone)]
pub(crate) struct StagesLoop {
    app: Arc<Inner>,
}

impl StagesLoop {
    pub(crate) fn new(app: Arc<Inner>) -> Self {
        Self { app }
    }

    /// Writes the file's settings down as the first revision where there is none, and takes what
    /// the stages should run.
    pub(crate) async fn begin(&self) -> Result<(), StoreError> {
        let (store, now) = (&self.app.store, self.app.clock.now());
        if store.known_good().await?.is_none() {
            let reason = "first start";
            let (revision, source) = (self.app.stages.file(), RevisionSource::File);
            let new = NewRevision { revision, author: FILE, reason, source };
            store.first_revision(new, now).await?;
        }
        self.look(now).await?;
        store.report_stages(&self.app.stages.here(self.app.node)).await
    }

    /// Runs until `stop` is cancelled.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.look(self.app.clock.now()).await {
                tracing::error!(error = %Chain(&error), "could not read the stages' targets");
            }
            let soon = self.app.stages.comes_to_rest();
            let wait = if soon { POLL_OF_PASSES } else { POLL_OF_MACHINE };
            tokio::select! {
                () = stop.cancelled() => (),
                () = self.app.stages.wake.notified() => (),
                () = self.app.clock.sleep(POLL) => (),
                () = tokio::time::sleep(wait) => (),
            }
        }
    }

    /// Takes what is new, and reports it.
    async fn look(&self, now: Timestamp) -> Result<(), StoreError> {
        let (store, node) = (&self.app.store, self.app.node);
        let targets = store.stage_targets(node).await?;
        let Some(known_good) = store.known_good().await? else { return Ok(()) };
        let fleet = store.stage_runs().await?;
        let before = self.app.stages.here(node);
        for stage in Stage::ALL {
            let target = targets.iter().find(|target| target.stage == stage).copied();
            let target = target.unwrap_or(StageTarget { stage, revision: None, held: false });
            self.take(target, known_good, now).await?;
        }
        self.judge_neighbours(&fleet).await;
        let after = self.app.stages.here(node);
        if before != after {
            tell(&before, &after);
            store.report_stages(&after).await?;
            self.app.wake_alerting.wake();
            self.app.wake_dispatch.wake();
            self.app.wake_changes.notify_one();
        }
        Ok(())
    }

    /// Puts one stage on what it should run, or notes why that cannot be.
    async fn take(
        &self,
        target: StageTarget,
        known_good: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let wanted = target.revision.unwrap_or(known_good);
        let found = match self.revision(wanted).await? {
            Ok(ready) if self.app.stages.runs(target.stage, wanted) => Ok(ready),
            Ok(ready) => self.usable(target.stage, &ready).map(|()| ready),
            Err(problem) => Err(problem),
        };
        let mut running = self.app.stages.running.write().unwrap_or_else(PoisonError::into_inner);
        let Some(run) = running.get_mut(&target.stage) else { return Ok(()) };
        let held = target.held && target.stage.can_be_held();
        match found {
            Ok(ready) if run.number != wanted => {
                *run = Running {
                    number: wanted,
                    ready,
                    since: now,
                    held,
                    at_rest: false,
                    not_taken: None,
                    idle: None,
                };
            }
            Ok(_) => run.not_taken = None,
            Err(problem) => run.not_taken = Some(format!("revision {wanted}: {problem}")),
        }
        run.held = held;
        // Whoever begins a pass from now on sees that it is held.
        drop(running);
        let at_rest = held && !self.app.passes.in_hand(target.stage);
        self.app.stages.set_at_rest(target.stage, at_rest);
        Ok(())
    }

    /// A revision from memory or the store; the inner error says why it cannot be read.
    async fn revision(&self, number: i64) -> Result<Result<Arc<Ready>, String>, StoreError> {
        if let Some(ready) = self.app.stages.known(number) {
            return Ok(Ok(ready));
        }
        let Some(stored) = self.app.store.revision(number).await? else {
            return Ok(Err("it does not exist".to_owned()));
        };
        Ok(match Revision::parse(&stored.document) {
            Ok(revision) => {
                let ready = Arc::new(Ready::new(revision));
                self.app.stages.remember(number, &ready);
                Ok(ready)
            }
            Err(mistakes) => Err(mistakes.to_string()),
        })
    }

    /// Whether this node has what the revision names. Dispatch's providers are put in order.
    fn usable(&self, stage: Stage, ready: &Ready) -> Result<(), String> {
        if stage != Stage::Dispatch {
            return Ok(());
        }
        self.app.channels.serve(&ready.revision.channels).map_err(|unknown| {
            format!("no [providers.{}] is configured on this node", unknown.join("], [providers."))
        })
    }

    /// Notes which stages cannot work with what their neighbours run.
    async fn judge_neighbours(&self, fleet: &[StageRun]) {
        let node = self.app.node;
        let living = self.app.living();
        let mut idle: BTreeMap<Stage, String> = BTreeMap::new();
        let here: Vec<StageRun> = self.app.stages.here(node);
        let others = fleet.iter().filter(|run| run.node != node && living.contains(&run.node));
        let runs: Vec<StageRun> = here.iter().chain(others).cloned().collect();
        for (writer, reader) in checked::NEIGHBOURS {
            let to = self.app.stages.of(reader);
            let writers: BTreeSet<i64> =
                runs.iter().filter(|run| run.stage == writer).map(|run| run.revision).collect();
            for number in writers {
                let Ok(Ok(from)) = self.revision(number).await else { continue };
                let version = checked::not_accepted(writer, &from.revision, &to.revision);
                if let Some(version) = version {
                    let writer = writer.as_str();
                    let why = format!(
                        "{writer} (revision {number}) writes version {version}, which it does not \
                         accept"
                    );
                    idle.insert(reader, why);
                }
            }
        }
        if let Some(lane) = self.lane_without_name() {
            let why = format!("it has no lane \"{}\" to write to", lane.as_str());
            idle.insert(Stage::Alerting, why);
        }
        let mut running = self.app.stages.running.write().unwrap_or_else(PoisonError::into_inner);
        for (stage, run) in running.iter_mut() {
            run.idle = idle.remove(stage);
        }
    }

    /// A lane that alerting puts notifications in, and that its revision does not name.
    fn lane_without_name(&self) -> Option<Lane> {
        let ready = self.app.stages.of(Stage::Alerting);
        let named = |lane: &Lane| ready.revision.alerting.lanes.contains(lane.as_str());
        Lane::ALL.into_iter().find(|lane| !named(lane))
    }
}

/// Says what changed; what does not work, loudly.
fn tell(before: &[StageRun], after: &[StageRun]) {
    for run in after.iter().filter(|run| !before.contains(run)) {
        let (stage, revision, held) = (run.stage.as_str(), run.revision, run.held);
        if let Some(error) = &run.error {
            tracing::error!(stage, revision, error, "a stage does not run as it should");
        } else {
            tracing::info!(stage, revision, held, "a stage runs a revision");
        }
        #[expect(clippy::cast_precision_loss, reason = "metrics are floating point numbers")]
        metrics::gauge!("bugle_stage_revision", "stage" => stage).set(revision as f64);
        let wrong = if run.error.is_some() { 1.0 } else { 0.0 };
        metrics::gauge!("bugle_stage_error", "stage" => stage).set(wrong);
    }
}
