//! What subscribers of the status page do: ask, confirm, choose, unsubscribe.
//!
//! Nobody signs in. A subscriber's page is opened by a token that is sent to its address and to
//! nowhere else. It is made from the key of the installation and the id, so that it stands in every
//! message and in no table.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::prelude::BASE64_STANDARD as BASE64;
use bugle_domain::SubscriberId;
use bugle_domain::contact::{Address, Channel};
pub use bugle_engine::status::subscribers::Subscriber;
use bugle_engine::status::subscribers::{CHANNELS, Links};
use bugle_engine::status::{Component, rules};
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::{StatusError, installed};
use crate::app::{App, Inner};
use crate::entropy;
use crate::error::problem;
use crate::limits::{owner, place};

/// Bytes of a token: 128 bits.
const TOKEN_BYTES: usize = 16;
/// Longest address, in characters.
const MAX_ADDRESS: usize = 500;

/// Somebody who wants to be told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asks {
    /// By which way; no call.
    pub channel: Channel,
    /// Where.
    pub address: String,
    /// Of which components; empty: of all.
    pub components: Vec<Component>,
}

/// A subscriber's own page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubscriberView {
    /// The subscriber.
    pub subscriber: Subscriber,
    /// The components there are.
    pub components: Vec<Component>,
    /// Signs what is posted to a program: only for those told by webhook.
    pub secret: Option<String>,
}

impl App {
    /// The components that subscribers may choose.
    pub fn status_components(&self) -> Vec<Component> {
        rules::seen(&installed(self.inner()), &[]).into_keys().collect()
    }

    /// Notes that somebody wants to be told, and sends the message that asks back. What is
    /// answered does not say whether the address is known.
    ///
    /// # Errors
    ///
    /// The address has a mistake, or too many asked from this place. Nothing is sent then.
    pub async fn ask_to_subscribe(&self, asks: Asks, from: IpAddr) -> Result<(), StatusError> {
        let limits = &self.inner().limits;
        let often = |wait| StatusError::TooOften { wait };
        let by_text = asks.channel == Channel::Sms;
        limits.subscribe_from.take(&place(from)).map_err(often)?;
        let address = address(&asks)?;
        limits.subscribe_all.take(&()).map_err(often)?;
        let asks = self.new_subscriber(asks.components, address);
        if by_text {
            return self.ask_by_text(asks, from).await;
        }
        if limits.subscribe_to.take(&owner(&asks.address)).is_err() {
            // Whoever owns the address has enough messages, and whoever asks learns nothing.
            tracing::info!("an address was asked for too often");
            return Ok(());
        }
        self.inner().store.ask_to_subscribe(&asks).await?;
        self.inner().status.wake_telling.notify_waiters();
        Ok(())
    }

    fn new_subscriber(&self, components: Vec<Component>, address: Address) -> Subscriber {
        let now = self.now();
        Subscriber {
            id: SubscriberId::new(now, entropy::bytes()),
            address,
            components: chosen(components, &self.status_components()),
            asked_at: now,
            confirmed_at: None,
        }
    }

    /// The page that a subscriber's link leads to. Looking changes nothing.
    pub async fn subscriber(
        &self,
        id: SubscriberId,
        token: &str,
    ) -> Result<SubscriberView, StatusError> {
        let subscriber = self.known(id, token).await?;
        let secret = (subscriber.address.channel() == Channel::Webhook)
            .then(|| self.inner().subscriber_secret(id).expose_secret().to_owned());
        Ok(SubscriberView { subscriber, components: self.status_components(), secret })
    }

    /// The button was pressed: from now on the subscriber is told, of these components.
    pub async fn confirm_subscriber(
        &self,
        (id, token): (SubscriberId, &str),
        components: Vec<Component>,
    ) -> Result<(), StatusError> {
        self.known(id, token).await?;
        let components = chosen(components, &self.status_components());
        let confirmed = self.inner().store.confirm_subscriber(id, &components, self.now()).await?;
        if confirmed { Ok(()) } else { Err(StatusError::NoSubscriber) }
    }

    /// Forgets a subscriber. It may be said again.
    pub async fn unsubscribe(&self, id: SubscriberId, token: &str) -> Result<(), StatusError> {
        if !self.inner().is_subscriber_token(id, token) {
            return Err(StatusError::NoSubscriber);
        }
        Ok(self.inner().store.drop_subscriber(id).await.map(drop)?)
    }

    async fn known(&self, id: SubscriberId, token: &str) -> Result<Subscriber, StatusError> {
        if !self.inner().is_subscriber_token(id, token) {
            return Err(StatusError::NoSubscriber);
        }
        self.inner().store.subscriber(id).await?.ok_or(StatusError::NoSubscriber)
    }
}

impl Inner {
    pub(super) fn subscriber_mac(&self, id: SubscriberId, purpose: &[u8]) -> Hmac<Sha256> {
        self.mac(purpose, id.as_uuid())
    }

    /// Opens the page of a subscriber.
    pub(super) fn subscriber_token(&self, id: SubscriberId) -> String {
        let whole = self.subscriber_mac(id, b"subscriber").finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(whole.get(..TOKEN_BYTES).unwrap_or_default())
    }

    fn is_subscriber_token(&self, id: SubscriberId, token: &str) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return false };
        let mac = self.subscriber_mac(id, b"subscriber");
        bytes.len() == TOKEN_BYTES && mac.verify_truncated_left(&bytes).is_ok()
    }

    /// Signs what is posted to a subscriber's program.
    pub(super) fn subscriber_secret(&self, id: SubscriberId) -> SecretString {
        let whole = self.subscriber_mac(id, b"subscriber webhook").finalize().into_bytes();
        format!("whsec_{}", BASE64.encode(whole)).into()
    }

    /// Where a message to a subscriber leads.
    pub(super) fn subscriber_links(&self, id: SubscriberId) -> Links {
        let base = self.settings.public_url.as_str().trim_end_matches('/');
        let own = format!("{base}/status/subscribers/{id}/{}", self.subscriber_token(id));
        Links {
            page: format!("{base}/status"),
            unsubscribe: format!("{own}/unsubscribe"),
            short: format!("{base}/u/{}", self.subscriber_short(id)),
            own,
        }
    }
}

pub(super) fn address(asks: &Asks) -> Result<Address, StatusError> {
    let wrong = |text: &str| StatusError::Invalid(vec![problem("/address", "invalid", text)]);
    let typed = asks.address.trim();
    if typed.chars().count() > MAX_ADDRESS {
        return Err(wrong("write at most 500 characters"));
    }
    if !CHANNELS.contains(&asks.channel) {
        return Err(wrong("updates come by mail, text or webhook"));
    }
    Address::parse(asks.channel, typed).map_err(|error| wrong(&error.to_string()))
}

/// Those chosen that there are; all of them: whatever there will be.
fn chosen(components: Vec<Component>, there: &[Component]) -> Vec<Component> {
    let mut chosen: Vec<Component> =
        there.iter().copied().filter(|it| components.contains(it)).collect();
    if chosen.len() == there.len() {
        chosen.clear();
    }
    chosen
}

/// How long to wait, for whoever is told to.
pub(super) fn wait_s(wait: SignedDuration) -> i64 {
    wait.as_secs().max(1)
}

/// When something happened so long ago.
pub(super) fn ago(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.saturating_sub(span).unwrap_or(Timestamp::MIN)
}
