//! Canaries, each by a provider that is named, and the order in which messages try them.

use bugle_domain::contact::{Address, Channel};
use jiff::Timestamp;
use tokio::time::Instant;

use super::{Channels, nobody, sent};
use crate::health::Admission;
use crate::message::{Outgoing, Sent, When};

impl Channels {
    /// The providers that a message is tried by now, the first one first.
    pub fn order(&self, channel: Channel) -> Vec<String> {
        let list = self.in_order(channel, Instant::now());
        list.into_iter().map(|provider| provider.name.clone()).collect()
    }

    /// Sends a canary once, by the provider named and by no other. It may also lead to this
    /// machine: where a canary goes is the operator's doing and no tenant's.
    ///
    /// # Cancel safety
    ///
    /// As [`Self::send`].
    pub async fn send_canary(
        &self,
        message: &Outgoing,
        provider: &str,
        send_by: Instant,
        now: Timestamp,
    ) -> Sent {
        let began = Instant::now();
        let list = self.list(message.address.channel());
        let own = matches!(message.address, Address::Webhook(_));
        let Some(one) = list.iter().find(|one| own || one.name == provider) else {
            return nobody(None, began, now);
        };
        if own {
            // No tenant's program: how it does says nothing about webhooks to others.
            let done = one.send_unguarded(message, When { send_by, now }).await;
            return sent(one, done, began.elapsed(), false);
        }
        if let Admission::NotBefore(at) = one.with_health(|health| health.admit(began)) {
            return nobody(Some(at), began, now);
        }
        let done = one.send(message, When { send_by, now }).await;
        one.record(began, Instant::now(), now, &done);
        sent(one, done, began.elapsed(), false)
    }
}
