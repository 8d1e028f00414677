//! Notes when providers are used, seldom enough to cost nothing: clean-ups judge by it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use bugle_domain::contact::Channel;
use bugle_store::StoreError;
use jiff::{SignedDuration, Timestamp};

use crate::app::Inner;
use crate::error::Chain;

/// A provider's use is written down at most this often by one node.
const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What this node has written down. As many as there are providers.
#[derive(Debug, Default)]
pub(crate) struct ProviderUses {
    used: Mutex<BTreeMap<(Channel, String), Timestamp>>,
    named: Mutex<BTreeSet<(Channel, String)>>,
}

impl ProviderUses {
    /// Whether a use now is to be written down.
    fn is_due(&self, of: (Channel, &str), now: Timestamp) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let known = used.entry((of.0, of.1.to_owned())).or_insert(Timestamp::MIN);
        let due = now.duration_since(*known) >= EVERY;
        if due {
            *known = now;
        }
        due
    }

    fn forget(&self, of: &(Channel, String)) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).remove(of);
    }

    fn is_named(&self, named: &BTreeSet<(Channel, String)>) -> bool {
        *self.named.lock().unwrap_or_else(PoisonError::into_inner) == *named
    }

    fn set_named(&self, named: BTreeSet<(Channel, String)>) {
        *self.named.lock().unwrap_or_else(PoisonError::into_inner) = named;
    }
}

impl Inner {
    /// Notes that a message was tried by a provider; an empty name is nobody.
    pub(crate) fn note_provider_use(self: &Arc<Self>, channel: Channel, provider: &str) {
        let now = self.clock.now();
        if provider.is_empty() || !self.provider_uses.is_due((channel, provider), now) {
            return;
        }
        let (inner, of) = (Arc::clone(self), (channel, provider.to_owned()));
        self.tasks.once(async move {
            if let Err(error) = inner.store.note_provider_use((of.0, &of.1), now).await {
                tracing::warn!(error = %Chain(&error), "could not note that a provider is used");
                inner.provider_uses.forget(&of);
            }
        });
    }

    /// Notes which providers the stages of this node name, when that has changed.
    pub(crate) async fn name_providers(&self) -> Result<(), StoreError> {
        let providers = self.channels.providers().into_iter();
        let named = providers.map(|it| (it.channel, it.name)).collect();
        if self.provider_uses.is_named(&named) {
            return Ok(());
        }
        self.store.name_providers(&named, self.clock.now()).await?;
        self.provider_uses.set_named(named);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_written_down_once_an_hour() {
        let uses = ProviderUses::default();
        let due = |minute: i64| {
            uses.is_due((Channel::Sms, "first"), Timestamp::from_second(60 * minute).unwrap())
        };
        assert_eq!([0, 1, 59, 60, 61].map(due), [true, false, false, true, false]);
        uses.forget(&(Channel::Sms, "first".to_owned()));
        assert!(due(62), "it was not written down");
    }
}
