//! The application: what use cases and workers share, and how they are started and stopped.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use bugle_channels::Channels;
use bugle_domain::object::Directory;
use bugle_domain::revision::Revision;
use bugle_domain::stage::Stage;
use bugle_domain::{AlertId, IncidentId, MethodId, NodeId, TenantId, TenantScope};
use bugle_engine::dispatch::Drain;
use bugle_store::{Store, StoreError, Stretch};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;
use tokio::sync::{Notify, broadcast, mpsc};
use url::Url;
use uuid::Uuid;

use crate::alerting::AlertingLoop;
use crate::assistance::{self, AssistanceLoop};
use crate::change::ChangeLoop;
use crate::cleanup::CleanUpLoop;
use crate::clock::Clock;
use crate::directory_cache::DirectoryCache;
use crate::dispatch::DispatchLoop;
use crate::handset::Handset;
use crate::incidents::nag::NagLoop;
use crate::intake::{self, Committer, Intake};
use crate::keeper::Keeper;
use crate::keys::IntegrationKeys;
use crate::limits::UseLimits;
use crate::methods::send::Spoken;
use crate::operators::providers::Troubles;
use crate::placement::Placement;
use crate::provider_use::ProviderUses;
use crate::pulse::{Holds, PassInHand, Passes, Pulse};
use crate::record::{self, HeldClaims, Recorder};
use crate::rehearsal::Rehearsal;
use crate::retention::RetentionLoop;
use crate::stages::{Stages, StagesLoop};
use crate::status;
use crate::tasks::Tasks;
use crate::wake::Wake;
use crate::watch;

/// Changes that a slow listener may be behind; after that it is told that it missed some.
const CHANGES_KEPT: usize = 1_024;
/// A stage that is held comes to rest within this time, unless its pass hangs.
const HELD_WITHIN: Duration = Duration::from_secs(10);
/// How often it is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What the application is run with; checked by whoever made it.
#[derive(Debug)]
pub struct Settings {
    /// This node, the same after every restart.
    pub node: NodeId,
    /// Address that links in messages and callbacks of providers point at.
    pub public_url: Url,
    /// Signs what must be recognised later, such as webhooks: 32 random bytes that all nodes share.
    pub key: SecretBox<[u8; 32]>,
    /// What the configuration file says that the stages run with. What they do run with stands in
    /// the store.
    pub stages: Revision,
    /// Key of the integration by which the operators are told of what is wrong with the
    /// installation. `None`: the fallback policy of the operators' own tenants.
    pub operators_key: Option<SecretString>,
    /// What the addresses end with that people write to for assistance. `None`: Bugle reads no
    /// mail.
    pub mail_domain: Option<String>,
    /// What is taken out, and where it is stopped, for a rehearsal of failures.
    pub rehearsal: Rehearsal,
    /// Shown by `doctor` and in the footer of pages.
    pub version: &'static str,
    /// Whether this is the demo: a red ribbon, and everything is simulated.
    pub demo: bool,
}

/// What the application talks to.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The way out.
    pub channels: Channels,
    /// The time.
    pub clock: Clock,
    /// Simulated phones, in demo and tests.
    pub handset: Option<Arc<dyn Handset>>,
}

/// Something that listeners may want to show: an alert of a tenant has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// Whose.
    pub tenant: TenantId,
    /// Which alert.
    pub alert: AlertId,
}

/// The application. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App(Arc<Inner>);

/// What use cases and workers share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) node: NodeId,
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) channels: Channels,
    pub(crate) clock: Clock,
    pub(crate) handset: Option<Arc<dyn Handset>>,
    pub(crate) directories: DirectoryCache,
    pub(crate) integration_keys: IntegrationKeys,
    pub(crate) limits: UseLimits,
    pub(crate) spoken: Spoken,
    pub(crate) troubles: Troubles,
    pub(crate) provider_uses: ProviderUses,
    pub(crate) intake: Intake,
    pub(crate) placement: Placement,
    pub(crate) pulse: Pulse,
    pub(crate) holds: Arc<Holds>,
    pub(crate) passes: Passes,
    pub(crate) watch: watch::Shared,
    pub(crate) status: status::Shared,
    pub(crate) assistance: assistance::Shared,
    pub(crate) tasks: Tasks,
    pub(crate) wake_alerting: Arc<Wake<TenantId>>,
    pub(crate) wake_dispatch: Arc<Wake<Stretch>>,
    /// What is known of the backlog that drains.
    drain: Mutex<Drain>,
    pub(crate) wake_changes: Arc<Notify>,
    pub(crate) stages: Stages,
    /// The claims whose outcome is not saved yet.
    pub(crate) held: HeldClaims,
    living: RwLock<BTreeSet<NodeId>>,
    dead: RwLock<BTreeSet<NodeId>>,
    changes: broadcast::Sender<Change>,
    /// Incidents in whose rooms something was done.
    pub(crate) rooms: broadcast::Sender<IncidentId>,
}

impl App {
    /// Starts the workers and returns the application. This node takes its tenants back at once,
    /// and what an earlier run of it had claimed is looked up at the providers.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database did not take the node's claims. Nothing runs then.
    pub async fn start(parts: Parts, settings: Settings) -> Result<Self, StoreError> {
        let Parts { store, channels, clock, handset } = parts;
        let (wake_alerting, wake_dispatch) = (Arc::default(), Arc::default());
        let holds = Arc::<Holds>::default();
        let swallow = settings.rehearsal.swallow.clone();
        let (intake, committer) =
            Intake::new(store.clone(), settings.node, Arc::clone(&wake_alerting), &holds);
        let intake = intake.swallowing(swallow);
        let stages = Stages::new(settings.stages.clone(), clock.now());
        let inner = Arc::new(Inner {
            node: settings.node,
            directories: DirectoryCache::new(store.clone()),
            integration_keys: IntegrationKeys::new(store.clone()),
            limits: UseLimits::new(&clock),
            spoken: Spoken::default(),
            troubles: Troubles::default(),
            provider_uses: ProviderUses::default(),
            settings,
            store,
            channels,
            clock,
            handset,
            intake,
            placement: Placement::new(),
            pulse: Pulse::new(),
            holds,
            passes: Passes::default(),
            watch: watch::Shared::new(),
            status: status::Shared::default(),
            assistance: assistance::Shared::default(),
            tasks: Tasks::new(),
            wake_alerting,
            wake_dispatch,
            drain: Mutex::default(),
            wake_changes: Arc::default(),
            stages,
            held: HeldClaims::default(),
            living: RwLock::default(),
            dead: RwLock::default(),
            changes: broadcast::Sender::new(CHANGES_KEPT),
            rooms: broadcast::Sender::new(CHANGES_KEPT),
        });
        let change = ChangeLoop::new(Arc::clone(&inner));
        let stages = StagesLoop::new(Arc::clone(&inner));
        stages.begin().await?;
        let keeper = Keeper::new(Arc::clone(&inner));
        keeper.begin().await?;
        let app = Self(inner);
        app.start_workers(committer, change, stages, keeper);
        Ok(app)
    }

    /// Starts every worker but those of the watch and of the status page. Not `async`, so that
    /// what they run is compiled here, and not with whoever awaits it.
    fn start_workers(
        &self,
        committer: Committer,
        change: ChangeLoop,
        stages: StagesLoop,
        keeper: Keeper,
    ) {
        let Self(inner) = self;
        let tasks = &inner.tasks;
        for _ in 0..intake::COMMITTERS {
            let committer = committer.clone();
            tasks.worker("intake", move |stop| committer.clone().run(stop));
        }
        tasks.worker("growth", move |stop| committer.clone().follow_growth(stop));
        let app = Arc::clone(inner);
        tasks.worker("alerting", move |stop| AlertingLoop::new(Arc::clone(&app)).run(stop));
        let (tried, outcomes) = mpsc::channel(record::QUEUE);
        let recorder = Recorder::new(Arc::clone(inner), outcomes);
        tasks.worker("recorder", move |stop| recorder.clone().run(stop));
        let dispatch = DispatchLoop::new(Arc::clone(inner), tried);
        tasks.worker("dispatch", move |stop| dispatch.clone().run(stop));
        tasks.worker("change", move |stop| change.clone().run(stop));
        let clean_up = CleanUpLoop::new(Arc::clone(inner));
        tasks.worker("clean-up", move |stop| clean_up.clone().run(stop));
        let nags = NagLoop::new(Arc::clone(inner));
        tasks.worker("nags", move |stop| nags.clone().run(stop));
        let assistance = AssistanceLoop::new(self.clone());
        tasks.worker("assistance", move |stop| assistance.clone().run(stop));
        let retention = RetentionLoop::new(Arc::clone(inner));
        tasks.worker("retention", move |stop| retention.clone().run(stop));
        tasks.worker("stages", move |stop| stages.clone().run(stop));
        tasks.worker("keeper", move |stop| keeper.clone().run(stop));
    }

    /// Finishes what is in hand, and stops.
    pub async fn stop(&self) {
        self.0.tasks.stop().await;
        self.0.store.close().await;
    }

    /// The way in for events.
    pub fn intake(&self) -> &Intake {
        &self.0.intake
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The time, and the waiting for it.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The tasks that end with the application.
    pub fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    /// Holds a stage of this node at its boundary, or lets it go on: it takes up no new work, and
    /// what waits for it stays where it is, durably. Intake then asks senders to come again.
    /// Returns when a pass that was in hand is over, or after 10 s.
    pub async fn hold(&self, stage: Stage, held: bool) {
        tracing::warn!(stage = stage.as_str(), held, "a stage is held or let go on");
        self.0.holds.set(stage, held);
        self.0.wake_alerting.wake();
        self.0.wake_dispatch.wake();
        let at_rest = async {
            while held && self.0.passes.in_hand(stage) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        if tokio::time::timeout(HELD_WITHIN, at_rest).await.is_err() {
            tracing::error!(stage = stage.as_str(), "a held stage has not come to rest");
        }
    }

    /// Tells of every change to an alert, on this node.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.0.changes.subscribe()
    }

    /// Tells of everything done in an incident's room, on this node.
    pub fn rooms(&self) -> broadcast::Receiver<IncidentId> {
        self.0.rooms.subscribe()
    }

    /// Simulated phones, in demo and tests.
    pub fn handset(&self) -> Option<&Arc<dyn Handset>> {
        self.0.handset.as_ref()
    }

    /// Address that links point at.
    pub fn public_url(&self) -> &Url {
        &self.0.settings.public_url
    }

    /// A number that people can text an answer to, in E.164.
    pub fn reply_number(&self) -> Option<&str> {
        self.0.channels.reply_number()
    }

    /// What the application is run with.
    pub fn config(&self) -> &Settings {
        &self.0.settings
    }

    /// Largest request that brings events, in bytes, as intake runs now.
    pub fn max_body(&self) -> usize {
        let ready = self.0.stages.of(Stage::Intake);
        usize::try_from(ready.revision.intake.max_body_bytes).unwrap_or(usize::MAX)
    }

    /// The tenant's configuration.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it could not be read.
    pub async fn directory(&self, scope: TenantScope) -> Result<Arc<Directory>, StoreError> {
        self.0.directories.get(scope).await
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }
}

impl Inner {
    /// Whether a stage of this node takes work. What comes while it does not waits in the store.
    pub(crate) fn takes_work(&self, stage: Stage) -> bool {
        self.stages.works(stage) && !self.holds.holds(stage)
    }

    /// Begins a pass of a stage's worker, where it takes work.
    pub(crate) fn begin_pass(&self, stage: Stage) -> Option<PassInHand<'_>> {
        self.passes.begin(stage, || self.takes_work(stage))
    }

    /// What is known of the backlog that drains.
    pub(crate) fn drain(&self) -> MutexGuard<'_, Drain> {
        self.drain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells listeners that alerts have changed. Those of canaries concern nobody.
    pub(crate) fn changed(&self, alerts: &[(TenantId, AlertId)]) {
        if self.changes.receiver_count() == 0 {
            return;
        }
        for &(tenant, alert) in alerts.iter().filter(|(tenant, _)| !tenant.is_reserved()) {
            // Without a listener there is nobody to tell.
            let _ = self.changes.send(Change { tenant, alert });
        }
    }

    /// The nodes that were seen to beat lately, this one among them.
    pub(crate) fn living(&self) -> BTreeSet<NodeId> {
        let mut living = self.living.read().unwrap_or_else(PoisonError::into_inner).clone();
        living.insert(self.node);
        living
    }

    /// Notes which other nodes beat, and which were watched standing still.
    pub(crate) fn set_living(&self, living: BTreeSet<NodeId>, dead: BTreeSet<NodeId>) {
        *self.living.write().unwrap_or_else(PoisonError::into_inner) = living;
        *self.dead.write().unwrap_or_else(PoisonError::into_inner) = dead;
    }

    /// Whether a node was watched standing still for long enough.
    pub(crate) fn knows_dead(&self, node: NodeId) -> bool {
        self.dead.read().unwrap_or_else(PoisonError::into_inner).contains(&node)
    }

    /// A tenant's configuration was changed here: it is read anew, and may now have work.
    pub(crate) fn configuration_changed(&self, tenant: TenantId) {
        self.directories.forget(tenant);
        self.integration_keys.forget_all();
        self.wake_alerting.wake();
    }

    /// Signs the webhooks of a contact method: `whsec_` and base64, the same after every restart.
    pub(crate) fn webhook_secret(&self, method: MethodId) -> SecretString {
        let mac = self.mac(b"webhook", method.as_uuid());
        format!("whsec_{}", BASE64.encode(mac.finalize().into_bytes())).into()
    }

    /// What only this installation can make of an id, another for each purpose.
    pub(crate) fn mac(&self, purpose: &[u8], id: Uuid) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let mac = Hmac::<Sha256>::new_from_slice(self.settings.key.expose_secret())
            .expect("a key of any length");
        mac.chain_update(purpose).chain_update(id.as_bytes())
    }
}

#[cfg(test)]
mod tests;
