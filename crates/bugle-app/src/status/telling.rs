//! Tells subscribers what the status page says, behind everything that somebody waits for.
//!
//! A notice becomes messages in small steps, and messages are claimed a few at a time, while
//! dispatch works, by at most half of what a provider still takes. Each channel goes on by itself,
//! and a host that hangs keeps few of its messages. A message that was claimed is not claimed
//! again: who is killed while it is sent leaves one person untold rather than one told twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bugle_channels::{Content, Correspondence, Outgoing, Sent};
use bugle_domain::contact::{Address, Channel};
use bugle_domain::notification::SendOutcome;
use bugle_domain::stage::Stage;
use bugle_domain::{NoticeId, NotificationId, TenantId};
use bugle_engine::status::subscribers::{self, CHANNELS, CONFIRM_WITHIN, Mail, TELL_WITHIN};
use bugle_store::{StoreError, SubscriberClaim, SubscriberMessage, Untold};
use bytes::Bytes;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::subscribers::ago;
use super::texts;
use crate::app::Inner;
use crate::entropy;
use crate::error::Chain;

/// Wait where there is nothing to do, and between two steps of much.
const IDLE: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(100);
/// Subscribers that one step looks at.
const LOOKED_AT: u32 = 200;
/// Messages under way at once by one channel, and to one host.
const MAX_UNDER_WAY: usize = 8;
const MAX_TO_HOST: usize = 2;
/// When a message to a host that has so many is looked at again.
const HOST_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(1);
/// A message begins to leave within this time or not at all.
const SEND_WITHIN: Duration = Duration::from_secs(8);
/// For how long it is worth delivering.
const VALIDITY_S: u32 = 14_400;
/// Tries of one message, and the wait after one that came to nothing.
const MAX_TRIES: i64 = 5;
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// A claim that is older was made by a node that does not live any more, or hangs.
const CLAIM: SignedDuration = SignedDuration::from_mins(10);
/// How often what has had its time is forgotten.
const TEND_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// How long what was told is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Those who only asked, dropped in one step.
const DROPPED: u32 = 100;

/// Tells subscribers.
#[derive(Clone)]
pub(crate) struct TellingLoop {
    app: Arc<Inner>,
    name: String,
}

impl TellingLoop {
    /// What is told is of the status page of `name`.
    pub(super) fn new(app: Arc<Inner>, name: String) -> Self {
        Self { app, name }
    }

    /// Runs until `stop` is cancelled. What is being sent then is waited for.
    pub(super) async fn run(self, stop: CancellationToken) {
        let sending = CHANNELS.map(|channel| Sending::new(&self, channel).run(&stop));
        tokio::join!(self.prepare(&stop), join_all(sending));
    }

    /// Makes messages out of what is said.
    async fn prepare(&self, stop: &CancellationToken) {
        let mut tended = None;
        while !stop.is_cancelled() {
            let wait = match self.look(&mut tended).await {
                Ok(true) => STEP,
                Ok(false) => IDLE,
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "subscribers could not be told");
                    IDLE
                }
            };
            tokio::select! {
                () = stop.cancelled() => (),
                () = tokio::time::sleep(wait) => (),
            }
        }
    }

    /// One step of each thing there is to prepare. Says whether there is more.
    async fn look(&self, tended: &mut Option<Timestamp>) -> Result<bool, StoreError> {
        let (store, now) = (&self.app.store, self.app.clock.now());
        if tended.is_none_or(|at| now.duration_since(at) >= TEND_EVERY) {
            self.tend(now).await?;
            *tended = Some(now);
        }
        for untold in store.untold(ago(now, TELL_WITHIN)).await? {
            self.tell(&untold, now).await?;
        }
        let fanned = store.fan_out(LOOKED_AT, now).await?.is_some();
        if fanned {
            self.app.status.wake_telling.notify_waiters();
        }
        Ok(fanned)
    }

    /// Forgets what has had its time.
    async fn tend(&self, now: Timestamp) -> Result<(), StoreError> {
        let store = &self.app.store;
        let given_up = store.give_up_subscriber_messages(ago(now, CLAIM), ago(now, KEPT)).await?;
        if given_up > 0 {
            tracing::warn!(given_up, "nobody knows whether some subscribers were told");
        }
        store.forget_text_counts(texts::day(ago(now, KEPT))).await?;
        for id in store.unconfirmed_subscribers(ago(now, CONFIRM_WITHIN), DROPPED).await? {
            store.drop_subscriber(id).await?;
        }
        Ok(())
    }

    /// Makes the notice of what is new of a bulletin.
    async fn tell(&self, untold: &Untold, now: Timestamp) -> Result<(), StoreError> {
        let bulletin = &untold.row.bulletin;
        let notice = subscribers::news(bulletin, untold.told, now);
        let id = NoticeId::new(now, entropy::bytes());
        let of = (bulletin.id, untold.told, bulletin.updated_at());
        if self.app.store.tell_subscribers((id, notice.as_ref()), of, now).await? {
            tracing::info!(bulletin = %bulletin.id, title = bulletin.title, "subscribers are told");
        }
        Ok(())
    }

    /// Sends one, and keeps what came of it.
    async fn send(&self, message: SubscriberMessage, now: Timestamp) {
        if message.to.address.channel() == Channel::Sms && !self.may_text(&message, now).await {
            return;
        }
        let sent = self.app.send(&self.outgoing(&message, now), Instant::now() + SEND_WITHIN).await;
        if message.to.address.channel() == Channel::Sms
            && !sent.asked
            && let Err(error) = self.app.give_text_back(&message, now).await
        {
            tracing::error!(error = %Chain(&error), "a text that did not go out stays counted");
        }
        let outcome = sent.outcome.as_str();
        metrics::counter!("bugle_subscriber_messages_total", "outcome" => outcome).increment(1);
        if let Err(error) = self.keep(&message, &sent, now).await {
            tracing::error!(error = %Chain(&error), "what came of a message could not be kept");
        }
    }

    /// Whether a text goes out; one that does not is over, as it is with what nobody is told late.
    async fn may_text(&self, message: &SubscriberMessage, now: Timestamp) -> bool {
        let may = match self.app.may_text(message, now).await {
            Ok(false) => self.app.store.end_subscriber_message(message).await.map(|()| false),
            other => other,
        };
        may.unwrap_or_else(|error| {
            tracing::error!(error = %Chain(&error), "a subscriber could not be told by text");
            false
        })
    }

    async fn keep(
        &self,
        message: &SubscriberMessage,
        sent: &Sent,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let store = &self.app.store;
        if sent.gone {
            tracing::info!(to = %message.to.id, "a subscriber's address is gone");
            return store.drop_subscriber(message.to.id).await.map(drop);
        }
        match again(sent, message.tries, now) {
            Some(at) => store.retry_subscriber_message(message, at).await,
            None => store.end_subscriber_message(message).await,
        }
    }

    fn outgoing(&self, message: &SubscriberMessage, now: Timestamp) -> Outgoing {
        let (id, links) = (message.to.id, self.app.subscriber_links(message.to.id));
        let content = match (message.to.address.channel(), &message.notice) {
            (Channel::Webhook, notice) => Content::Webhook {
                id: format!("{id}.{}", message.notice_id),
                body: Bytes::from(notice.as_ref().map_or_else(
                    || subscribers::hook_question(&links),
                    |notice| subscribers::hook(notice, &links),
                )),
                secret: self.app.subscriber_secret(id),
            },
            (Channel::Sms, _) => {
                Content::Sms { text: self.app.subscriber_text(message, &self.name, &links) }
            }
            (_, None) => email(subscribers::question(&self.name, &links), id.to_string(), None),
            (_, Some(notice)) => email(
                subscribers::mail(notice, &self.name, &links),
                notice.bulletin.to_string(),
                Some(links.unsubscribe),
            ),
        };
        Outgoing {
            notification: NotificationId::new(now, entropy::bytes()),
            tenant: TenantId::from_stored(Uuid::nil()),
            address: message.to.address.clone(),
            content,
            possible_repeat: false,
            validity_s: VALIDITY_S,
        }
    }
}

/// Sends what goes by one channel, apart from all others. Each message is a task of its own: one
/// that is in the middle of a transaction must go on while others are claimed.
struct Sending<'a> {
    telling: &'a TellingLoop,
    channel: Channel,
    under_way: JoinSet<()>,
    /// The host that each goes to, where that is a program's.
    hosts: BTreeMap<Id, String>,
}

impl<'a> Sending<'a> {
    fn new(telling: &'a TellingLoop, channel: Channel) -> Self {
        Self { telling, channel, under_way: JoinSet::new(), hosts: BTreeMap::new() }
    }

    async fn run(mut self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let wait = match self.begin().await {
                Ok(true) => STEP,
                Ok(false) => IDLE,
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "subscribers could not be told");
                    IDLE
                }
            };
            self.rest(wait, stop).await;
        }
        while let Some(ended) = self.under_way.join_next_with_id().await {
            self.ended(ended);
        }
    }

    /// Waits, while what is under way goes on.
    async fn rest(&mut self, wait: Duration, stop: &CancellationToken) {
        let over = tokio::time::sleep(wait);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return,
                () = stop.cancelled() => return,
                () = self.telling.app.status.wake_telling.notified(), if wait == IDLE => return,
                Some(ended) = self.under_way.join_next_with_id() => self.ended(ended),
            }
        }
    }

    /// Begins to send a few. Says whether there were any.
    async fn begin(&mut self) -> Result<bool, StoreError> {
        let (app, now) = (&self.telling.app, self.telling.app.clock.now());
        // No pass of dispatch: whoever holds that stage waits for its own worker only.
        let limit = if app.takes_work(Stage::Dispatch) { self.room(now) } else { 0 };
        if limit == 0 {
            return Ok(false);
        }
        let hosts = &self.hosts;
        let takes = |to: &Address, with: &[SubscriberMessage]| {
            host(to).is_none_or(|host| going_to(host, hosts, with) < MAX_TO_HOST)
        };
        let claim = SubscriberClaim {
            channel: self.channel,
            limit: u32::try_from(limit).unwrap_or(0),
            takes: &takes,
            else_at: now.saturating_add(HOST_AGAIN_AFTER).unwrap_or(now),
        };
        let claimed = app.store.claim_subscriber_messages(&claim, now).await?;
        let any = !claimed.is_empty();
        for message in claimed {
            self.send(message, now);
        }
        Ok(any)
    }

    /// Messages that may begin to go out now: half of what the providers take stays for pages.
    fn room(&self, now: Timestamp) -> usize {
        let openings = self.telling.app.channels.openings(now);
        let free = openings.get(&self.channel).map_or(MAX_UNDER_WAY, |it| it.free.div_ceil(2));
        free.min(MAX_UNDER_WAY.saturating_sub(self.under_way.len()))
    }

    fn send(&mut self, message: SubscriberMessage, now: Timestamp) {
        let telling = self.telling.clone();
        let host = host(&message.to.address).map(str::to_owned);
        let task = self.under_way.spawn(async move { telling.send(message, now).await });
        self.hosts.extend(host.map(|host| (task.id(), host)));
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        self.hosts.remove(&id);
    }
}

/// How many go to a host, together with these.
fn going_to(name: &str, hosts: &BTreeMap<Id, String>, with: &[SubscriberMessage]) -> usize {
    let with = with.iter().filter(|it| host(&it.to.address) == Some(name));
    hosts.values().filter(|host| *host == name).count() + with.count()
}

/// The host of a program; other messages go to providers of ours.
fn host(address: &Address) -> Option<&str> {
    match address {
        Address::Webhook(url) => url.host_str(),
        Address::Email(_) | Address::Sms(_) | Address::Voice(_) => None,
    }
}

fn email(mail: Mail, thread_key: String, unsubscribe: Option<String>) -> Content {
    let Mail { subject, text, html } = mail;
    let correspondence = Correspondence::default();
    Content::Email { subject, text, html, thread_key, unsubscribe, correspondence }
}

/// When a message is tried again; `None`: it was taken, or may have been, or never will be.
fn again(sent: &Sent, tries: i64, now: Timestamp) -> Option<Timestamp> {
    let later = now.saturating_add(AGAIN_AFTER).unwrap_or(Timestamp::MAX);
    let at = match sent.outcome {
        SendOutcome::Accepted | SendOutcome::Refused | SendOutcome::RetryUnsure { .. } => None,
        // Nobody was asked: a provider has no room, and the message waits.
        SendOutcome::RetryAt { at } if !sent.asked => return Some(at),
        SendOutcome::RetryAt { at } => Some(at.max(later)),
        SendOutcome::Misconfigured => Some(later),
    };
    at.filter(|_| tries < MAX_TRIES)
}
