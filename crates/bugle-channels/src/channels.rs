//! Chooses a provider, sends once, and keeps the books on how the providers do.

mod canary;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bugle_domain::contact::{Address, Channel};
use bugle_domain::notification::SendOutcome;
use bugle_engine::dispatch::Opening;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use url::Url;

use crate::health::{self, Admission, Health, PROVIDER_SAMPLES, TARGET_SAMPLES, Verdict};
use crate::message::{Fault, Lookup, Outgoing, Sent, When};
use crate::provider::{Done, Driver, Provider, ProviderStatus};
use crate::settings::{Limits, Settings};
use crate::smtp::Smtp;
use crate::twilio::{CallbackPaths, CallbackRequest, SignatureError, Twilio};
use crate::webhook::Webhook;

/// The name of the one provider of webhooks: ourselves.
const OWN: &str = "webhook";
/// Webhook targets whose failures are remembered at a time.
const MAX_TARGETS: usize = 4_096;

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Of a mail server.
    #[error("mail server {provider}: {what}")]
    Smtp {
        /// Which.
        provider: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Of a Twilio account.
    #[error("Twilio account {provider}: {what}")]
    Twilio {
        /// Which.
        provider: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Two providers of one channel have the same name.
    #[error("there are two providers named {0}")]
    SameName(String),
    /// TLS to mail servers cannot be used.
    #[error("TLS to mail servers cannot be set up")]
    MailTls(#[source] lettre::transport::smtp::Error),
    /// TLS cannot be used at all.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// All channels and their providers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Channels(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    email: Vec<Provider>,
    sms: Vec<Provider>,
    voice: Vec<Provider>,
    webhook: Vec<Provider>,
    /// Who is used, the preferred one first, by place in the lists; without an entry, all are.
    order: RwLock<BTreeMap<Channel, Vec<usize>>>,
    /// Webhook targets that failed lately, by scheme, host and port.
    targets: Mutex<BTreeMap<String, Health>>,
    target_limit: Duration,
}

impl Channels {
    /// Takes the settings; connects to nobody yet. Providers call back below `public_url`.
    ///
    /// # Errors
    ///
    /// [`SetupError`] names the first provider whose settings cannot be used.
    pub fn new(settings: Settings, public_url: Url) -> Result<Self, SetupError> {
        let Settings { email, sms, voice, webhook, roots } = settings;
        let own_limits = webhook.limits;
        let own = Driver::Webhook(Webhook::new(webhook, &roots)?);
        let inner = Inner {
            email: unique(email.into_iter().map(|one| {
                let (name, limits) = (one.name.clone(), one.limits);
                Ok(provider(name, limits, Driver::Smtp(Smtp::new(one, &roots)?)))
            }))?,
            sms: unique(sms.into_iter().map(|one| {
                let (name, limits) = (one.name.clone(), one.limits);
                Ok(provider(name, limits, Driver::Sms(Twilio::new(one, &public_url, &roots)?)))
            }))?,
            voice: unique(voice.into_iter().map(|one| {
                let (name, limits) = (one.name.clone(), one.limits);
                Ok(provider(name, limits, Driver::Voice(Twilio::new(one, &public_url, &roots)?)))
            }))?,
            webhook: vec![provider(OWN.to_owned(), own_limits, own)],
            order: RwLock::default(),
            targets: Mutex::new(BTreeMap::new()),
            target_limit: own_limits.request,
        };
        Ok(Self(Arc::new(inner)))
    }

    fn list(&self, channel: Channel) -> &[Provider] {
        match channel {
            Channel::Email => &self.0.email,
            Channel::Sms => &self.0.sms,
            Channel::Voice => &self.0.voice,
            Channel::Webhook => &self.0.webhook,
        }
    }

    /// The providers that are used, the preferred one first.
    fn used(&self, channel: Channel) -> Vec<&Provider> {
        let list = self.list(channel);
        let order = self.0.order.read().unwrap_or_else(PoisonError::into_inner);
        match order.get(&channel) {
            Some(places) => places.iter().filter_map(|place| list.get(*place)).collect(),
            None => list.iter().collect(),
        }
    }

    /// Every provider there is, used or not, by channel.
    pub fn names(&self) -> BTreeMap<Channel, Vec<String>> {
        let names = |channel| {
            self.list(channel).iter().map(|provider| provider.name.clone()).collect::<Vec<_>>()
        };
        Channel::ALL.into_iter().map(|channel| (channel, names(channel))).collect()
    }

    /// Uses these providers from now on, the preferred one first; messages under way are not
    /// touched. A channel that is not named is not served.
    ///
    /// # Errors
    ///
    /// The names that there is no provider of. Nothing is changed then.
    pub fn serve(&self, by: &BTreeMap<Channel, Vec<String>>) -> Result<(), Vec<String>> {
        let mut unknown = Vec::new();
        let mut order = BTreeMap::new();
        for channel in Channel::ALL {
            let mut places = Vec::new();
            for name in by.get(&channel).into_iter().flatten() {
                match self.list(channel).iter().position(|one| one.name == *name) {
                    Some(place) => places.push(place),
                    None => unknown.push(name.clone()),
                }
            }
            order.insert(channel, places);
        }
        if !unknown.is_empty() {
            return Err(unknown);
        }
        *self.0.order.write().unwrap_or_else(PoisonError::into_inner) = order;
        Ok(())
    }

    /// Has the named providers of each channel used last, and all others as usual: they say that
    /// they take messages, and canaries do not come through.
    pub fn distrust(&self, losing: &BTreeSet<(Channel, String)>) {
        for channel in Channel::ALL {
            for provider in self.list(channel) {
                let named =
                    |(of, name): &(Channel, String)| *of == channel && *name == provider.name;
                provider.set_distrusted(losing.iter().any(named));
            }
        }
    }

    /// Every provider that is used, and its health: channels in their own order, providers by
    /// preference.
    pub fn providers(&self) -> Vec<ProviderStatus> {
        let now = Instant::now();
        let status = |(order, provider): (usize, &Provider)| provider.status(order, now);
        let all = Channel::ALL.into_iter();
        all.flat_map(|channel| self.used(channel).into_iter().enumerate().map(status)).collect()
    }

    /// Whether anybody serves `channel`.
    pub fn serves(&self, channel: Channel) -> bool {
        !self.used(channel).is_empty()
    }

    /// Messages in an hour that each channel takes, by the configured rate of the provider that is
    /// used now; a channel without one is not named.
    pub fn hourly_rates(&self) -> BTreeMap<Channel, i64> {
        let now = Instant::now();
        let rate = |channel: Channel| {
            let list = self.used(channel);
            let free = list.iter().find(|one| one.with_health(|it| it.free_at(now) <= now));
            let first = free.or(list.first())?;
            Some((channel, first.with_health(|health| health.hourly())?))
        };
        Channel::ALL.into_iter().filter_map(rate).collect()
    }

    /// How soon the providers of each channel take messages; those of a channel that is not named
    /// take as many as come, or there are none.
    pub fn openings(&self, now: Timestamp) -> BTreeMap<Channel, Opening> {
        let began = Instant::now();
        let of = |channel| {
            let openings = self.used(channel).into_iter();
            let openings = openings.map(|one| one.with_health(|health| health.opening(began)));
            // One of them that takes whatever comes is enough.
            let openings: Vec<health::Opening> = openings.collect::<Option<_>>()?;
            let first = openings.iter().min_by_key(|opening| opening.next)?;
            let wait = first.next.saturating_duration_since(began);
            Some(Opening {
                free: openings.iter().map(|one| one.free).fold(0, usize::saturating_add),
                next_at: now.saturating_add(wait).unwrap_or(Timestamp::MAX),
                every: SignedDuration::try_from(first.every).unwrap_or(SignedDuration::MAX),
            })
        };
        Channel::ALL.into_iter().filter_map(|it| Some((it, of(it)?))).collect()
    }

    /// Whether people can write back to every number from which their texts come.
    pub fn takes_replies(&self) -> bool {
        let takes = |provider: &&Provider| match &provider.driver {
            Driver::Sms(twilio) => twilio.takes_replies(),
            Driver::Smtp(_) | Driver::Voice(_) | Driver::Webhook(_) => false,
        };
        let used = self.used(Channel::Sms);
        !used.is_empty() && used.iter().all(takes)
    }

    /// A number that people can text an answer to: that of the first provider used that has one.
    pub fn reply_number(&self) -> Option<&str> {
        self.used(Channel::Sms).into_iter().find_map(|provider| match &provider.driver {
            Driver::Sms(twilio) => twilio.number(),
            Driver::Smtp(_) | Driver::Voice(_) | Driver::Webhook(_) => None,
        })
    }

    /// Chooses a provider and sends once. The message does not begin to leave after `send_by`.
    ///
    /// The first provider of the list is used that is within its limits, has a closed breaker, did
    /// not fail just now and is not [distrusted](Self::distrust); else one that failed, and last
    /// one that is distrusted.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped may have sent the message: the caller must treat its claim as
    /// unsure.
    pub async fn send(&self, message: &Outgoing, send_by: Instant, now: Timestamp) -> Sent {
        let began = Instant::now();
        let channel = message.address.channel();
        let target = target_of(&message.address);
        let admission = target.map_or(Admission::Yes, |target| self.admit_target(target, began));
        let chosen = match admission {
            Admission::Yes => self.choose(channel, began),
            Admission::NotBefore(at) => Err(Some(at)),
        };
        let provider = match chosen {
            Ok(provider) => provider,
            Err(free_at) => return nobody(free_at, began, now),
        };
        let mut done = provider.send(message, When { send_by, now }).await;
        let ended = Instant::now();
        let took = ended.saturating_duration_since(began);
        let passed_over = provider.record(began, ended, now, &done);
        if let Some(target) = target {
            self.record_target(target, (began, ended), &done);
        }
        let another_provider = passed_over && self.is_another_free(channel, provider, ended);
        if let SendOutcome::RetryAt { at } = &mut done.outcome
            && another_provider
        {
            *at = now;
        }
        sent(provider, done, took, another_provider)
    }

    /// Asks whether a provider already has `message`: the one named, or each in turn.
    pub async fn lookup(
        &self,
        message: &Outgoing,
        provider: Option<&str>,
        now: Timestamp,
    ) -> Lookup {
        let asked = |one: &&Provider| provider.is_none_or(|name| name == one.name);
        let mut result = None;
        for one in self.list(message.address.channel()).iter().filter(asked) {
            match one.lookup(message, now).await {
                found @ Lookup::Found { .. } => return found,
                Lookup::NotFound => result = result.or(Some(Lookup::NotFound)),
                Lookup::CannotKnow => result = Some(Lookup::CannotKnow),
            }
        }
        result.unwrap_or(Lookup::CannotKnow)
    }

    /// Tries whether a provider takes our credentials, without sending anything.
    ///
    /// # Errors
    ///
    /// What is wrong, in words.
    pub async fn check(&self, channel: Channel, provider: &str) -> Result<(), String> {
        let found = self.list(channel).iter().find(|one| one.name == provider);
        match found {
            Some(one) => one.check().await,
            None => Err("there is no provider of that name".to_owned()),
        }
    }

    /// Checks that a callback to `provider` comes from whom it says.
    ///
    /// # Errors
    ///
    /// [`SignatureError`]; nothing in the callback is to be believed then.
    pub fn verify_callback(
        &self,
        provider: &str,
        request: &CallbackRequest,
    ) -> Result<(), SignatureError> {
        let mut result = Err(SignatureError::UnknownProvider);
        for twilio in self.twilios(provider) {
            result = twilio.verify(request);
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// Where `provider` calls back, for the URLs in what a call says.
    pub fn callback_paths(&self, provider: &str) -> Option<CallbackPaths> {
        self.twilios(provider).next().map(|twilio| twilio.paths().clone())
    }

    fn twilios<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Twilio> {
        let named = self.0.sms.iter().chain(&self.0.voice).filter(move |one| one.name == name);
        named.filter_map(|one| match &one.driver {
            Driver::Sms(twilio) | Driver::Voice(twilio) => Some(twilio),
            Driver::Smtp(_) | Driver::Webhook(_) => None,
        })
    }

    /// The provider to use, or when one is free; `Err(None)` where there is none at all.
    fn choose(&self, channel: Channel, now: Instant) -> Result<&Provider, Option<Instant>> {
        let mut free_at: Option<Instant> = None;
        for provider in self.in_order(channel, now) {
            match provider.with_health(|health| health.admit(now)) {
                Admission::Yes => return Ok(provider),
                Admission::NotBefore(at) => {
                    free_at = Some(free_at.map_or(at, |earlier| earlier.min(at)));
                }
            }
        }
        Err(free_at)
    }

    /// The providers that are used, as they are tried.
    fn in_order(&self, channel: Channel, now: Instant) -> Vec<&Provider> {
        let mut list = self.used(channel);
        list.sort_by_cached_key(|one| {
            (one.is_distrusted(), one.with_health(|health| health.rests(now)))
        });
        list
    }

    fn is_another_free(&self, channel: Channel, used: &Provider, now: Instant) -> bool {
        let free = |one: &Provider| {
            !std::ptr::eq(one, used)
                && !one.is_distrusted()
                && one.with_health(|health| health.free_at(now) <= now && !health.rests(now))
        };
        self.used(channel).into_iter().any(free)
    }

    fn targets(&self) -> MutexGuard<'_, BTreeMap<String, Health>> {
        self.0.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A broken program of one tenant must not use up the time that others' messages need.
    fn admit_target(&self, target: &str, now: Instant) -> Admission {
        self.targets().get_mut(target).map_or(Admission::Yes, |health| health.admit(now))
    }

    fn record_target(&self, target: &str, (began, ended): (Instant, Instant), done: &Done) {
        let failed =
            matches!(done.outcome, SendOutcome::RetryAt { .. } | SendOutcome::RetryUnsure { .. })
                && done.fault == Some(Fault::Contact);
        let mut targets = self.targets();
        if !failed {
            // One that works is not remembered at all.
            if !targets.is_empty() {
                targets.remove(target);
            }
            return;
        }
        if targets.len() >= MAX_TARGETS {
            targets.retain(|_, health| !health.is_stale(ended));
        }
        if targets.len() < MAX_TARGETS || targets.contains_key(target) {
            let limit = self.0.target_limit;
            let health = targets
                .entry(target.to_owned())
                .or_insert_with(|| Health::new(None, limit, TARGET_SAMPLES));
            health.record(began, ended, Verdict::Failed);
        }
    }
}

fn provider(name: String, limits: Limits, driver: Driver) -> Provider {
    Provider::new(name, driver, Health::new(limits.rate, limits.request, PROVIDER_SAMPLES))
}

/// Collects providers whose names differ.
fn unique(
    providers: impl Iterator<Item = Result<Provider, SetupError>>,
) -> Result<Vec<Provider>, SetupError> {
    let mut all: Vec<Provider> = Vec::new();
    for provider in providers {
        let provider = provider?;
        if all.iter().any(|other| other.name == provider.name) {
            return Err(SetupError::SameName(provider.name));
        }
        all.push(provider);
    }
    Ok(all)
}

/// Scheme, host and port of a webhook's address.
fn target_of(address: &Address) -> Option<&str> {
    match address {
        Address::Webhook(url) => Some(&url[..url::Position::BeforePath]),
        Address::Email(_) | Address::Sms(_) | Address::Voice(_) => None,
    }
}

fn sent(provider: &Provider, done: Done, took: Duration, another_provider: bool) -> Sent {
    Sent {
        provider: provider.name.clone(),
        outcome: done.outcome,
        detail: done.detail,
        provider_ref: done.provider_ref,
        delivered: done.delivered,
        gone: done.gone,
        another_provider,
        asked: true,
        took,
        fault: done.fault,
    }
}

/// What is said where no provider could be asked.
fn nobody(free_at: Option<Instant>, began: Instant, now: Timestamp) -> Sent {
    let (outcome, detail, fault) = if let Some(at) = free_at {
        let wait = at.saturating_duration_since(began);
        let at = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        let detail = "no provider could be asked: over its limit or failing";
        (SendOutcome::RetryAt { at }, detail, Fault::Provider)
    } else {
        (SendOutcome::Misconfigured, "no provider serves this channel", Fault::Us)
    };
    Sent {
        provider: String::new(),
        outcome,
        detail: detail.to_owned(),
        provider_ref: None,
        delivered: false,
        gone: false,
        another_provider: false,
        asked: false,
        took: Duration::ZERO,
        fault: Some(fault),
    }
}
