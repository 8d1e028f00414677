//! The watch: canaries and the ledger's audit, beside the pipeline.
//!
//! It shares as little with the pipeline as it can: a thread and a runtime of its own, connections
//! of its own to the database, short time-outs, and a way of its own to the operators. What it says
//! is kept in memory, so that it can be asked when the database is dead.

mod act;
pub mod alarm;
mod canary;
mod certificate;
mod look;
mod mail;
mod report;
mod run;
mod settings;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bugle_domain::contact::{Address, Channel};
use bugle_domain::{NodeId, TenantId};
pub use bugle_engine::incident::title;
use bugle_engine::watch::View;
use bugle_store::StoreError;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Deserialize;
use subtle::ConstantTimeEq;
use url::Url;

pub use self::alarm::{Alarm, Answers, Call};
pub use self::report::{PathReport, ProviderReport, Report, Watched};
pub(crate) use self::run::{POOL, within};
pub use self::settings::{Heartbeat, Operators, ProbeAddress, Settings};
use crate::app::{App, Inner};
use crate::caller::Caller;
use crate::identity::secret;
use crate::permission::Permission;
use crate::reading::ReadError;

/// Receipts that wait to be looked at; more than a second's canaries.
const MAX_RECEIPTS: usize = 1_024;

/// The address that canaries' receipts come to is below this.
const RECEIPT: &str = "receipt";

/// What the watch shares with the rest of the process.
#[derive(Debug)]
pub(crate) struct Shared {
    said: RwLock<Option<Arc<Watched>>>,
    receipts: Mutex<Vec<(String, Timestamp)>>,
    /// Part of the address that canaries' receipts come to.
    token: String,
    key: RwLock<Option<[u8; 32]>>,
    /// Where canaries go, the node's own receipts among it.
    probes: RwLock<Vec<ProbeAddress>>,
    answers: Answers,
}

impl Shared {
    /// The watch is off.
    pub(crate) fn new() -> Self {
        Self {
            said: RwLock::default(),
            receipts: Mutex::default(),
            token: secret::token(),
            key: RwLock::default(),
            probes: RwLock::default(),
            answers: Answers::default(),
        }
    }

    pub(crate) fn say(&self, watched: Watched) {
        *self.said.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(watched));
    }

    pub(crate) fn said(&self) -> Option<Arc<Watched>> {
        self.said.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An address of this node, as it reaches itself, that canaries come to.
    fn own_address(&self, own_url: &Url, kind: &str) -> Result<Url, url::ParseError> {
        own_url.join(&format!("watch/{kind}/{}", self.token))
    }

    /// Where canaries of a provider go; `None`: none is sent by it.
    pub(crate) fn probe(&self, channel: Channel, provider: &str) -> Option<Address> {
        let probes = self.probes.read().unwrap_or_else(PoisonError::into_inner);
        let of = |it: &&ProbeAddress| {
            let webhook = channel == Channel::Webhook;
            it.address.channel() == channel && (webhook || it.provider == provider)
        };
        probes.iter().find(of).map(|it| it.address.clone())
    }

    fn set_probes(&self, settings: &Settings) {
        let mut probes = settings.probes.clone();
        if let Ok(receipts) = self.own_address(&settings.own_url, RECEIPT) {
            let provider = Channel::Webhook.as_str().to_owned();
            probes.push(ProbeAddress { provider, address: Address::Webhook(receipts) });
        }
        *self.probes.write().unwrap_or_else(PoisonError::into_inner) = probes;
    }

    fn take_receipts(&self) -> Vec<(String, Timestamp)> {
        std::mem::take(&mut *self.receipts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    /// What the watches of all nodes say, at most a second old.
    pub(crate) fn watch_view(&self) -> View {
        match self.watch.said() {
            Some(watched) => watched.view.clone(),
            None => Watched::nothing(self.clock.now()).view,
        }
    }

    /// The same, or what a rehearsal has the watch say: what changes and clean-ups listen to.
    pub(crate) fn heard_view(&self) -> View {
        self.stages.fed_view().unwrap_or_else(|| self.watch_view())
    }
}

/// The part of a canary's message that names it.
#[derive(Deserialize)]
struct CanaryMessage<'a> {
    #[serde(borrow)]
    alert: CanaryAlert<'a>,
}

#[derive(Deserialize)]
struct CanaryAlert<'a> {
    #[serde(borrow)]
    dedup_key: std::borrow::Cow<'a, str>,
}

impl App {
    /// Starts the watch of this node. Call it once.
    pub fn start_watch(&self, settings: Settings) {
        let key = settings.key.as_ref().map(|key| secret::hash(key.expose_secret()));
        *self.inner().watch.key.write().unwrap_or_else(PoisonError::into_inner) = key;
        self.inner().watch.set_probes(&settings);
        let app = Arc::clone(self.inner());
        let settings = Arc::new(settings);
        self.tasks()
            .apart("watch", move |stop| run::watch(Arc::clone(&app), Arc::clone(&settings), stop));
    }

    /// What the watches of all nodes say, at most a second old.
    ///
    /// # Errors
    ///
    /// None today: it is kept in memory, so that it can be asked when the database is dead.
    #[expect(clippy::unused_async, reason = "whoever asks does not know that it is in memory")]
    pub async fn watch_view(&self) -> Result<View, StoreError> {
        Ok(self.inner().watch_view())
    }

    /// All that the watches say, for operators; `None` where the watch is off.
    pub fn watched(&self, caller: &Caller) -> Result<Option<Arc<Watched>>, ReadError> {
        caller.require(Permission::ReadWatch)?;
        Ok(self.inner().watch.said())
    }

    /// The same for a sentinel, which shows the key of the configuration. `None`: it is not that,
    /// or there is none.
    pub fn watched_by_key(&self, key: &str) -> Option<Arc<Watched>> {
        let known = *self.inner().watch.key.read().unwrap_or_else(PoisonError::into_inner);
        let right: bool = known?.ct_eq(&secret::hash(key)).into();
        let nothing = || Arc::new(Watched::nothing(Timestamp::UNIX_EPOCH));
        right.then(|| self.inner().watch.said().unwrap_or_else(nothing))
    }

    /// Takes a canary's message. `false`: the address is not this run's.
    pub fn canary_arrived(&self, token: &str, body: &[u8]) -> bool {
        let watch = &self.inner().watch;
        if !bool::from(watch.token.as_bytes().ct_eq(token.as_bytes())) {
            return false;
        }
        if let Ok(message) = serde_json::from_slice::<CanaryMessage<'_>>(body) {
            let mut receipts = watch.receipts.lock().unwrap_or_else(PoisonError::into_inner);
            if receipts.len() < MAX_RECEIPTS {
                receipts.push((message.alert.dedup_key.into_owned(), self.now()));
            }
        }
        true
    }

    /// Where alarms of this node are answered.
    pub fn alarm_answers(&self) -> &Answers {
        &self.inner().watch.answers
    }

    /// Names of the tenants that a verdict or incident names, as far as there are.
    pub async fn tenant_names(
        &self,
        caller: &Caller,
        tenants: &[TenantId],
    ) -> Result<Vec<String>, ReadError> {
        let all = caller.all_tenants(Permission::ReadAllTenants)?;
        if tenants.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.inner().store.tenants(all).await?;
        let named = known.into_iter().filter(|tenant| tenants.contains(&tenant.id));
        Ok(named.map(|tenant| tenant.name).collect())
    }

    /// This node.
    pub fn node(&self) -> NodeId {
        self.inner().node
    }
}
