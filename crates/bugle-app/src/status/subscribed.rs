//! What operators see of subscribers, and the end of one whose owner asks for it.

use bugle_domain::SubscriberId;
use bugle_domain::contact::Channel;
use bugle_engine::status::Component;
use bugle_engine::status::subscribers::Subscriber;
use bugle_store::SubscriberCount;

use super::StatusError;
use super::subscribers::{Asks, address};
use crate::app::App;
use crate::caller::Caller;
use crate::paging::{Listed, Page};
use crate::permission::Permission;

/// How many subscribers there are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SubscriberCounts {
    /// By the way they are told.
    pub channels: Vec<ChannelCount>,
    /// By the component that they are told of, those who are told of all included.
    pub components: Vec<(Component, i64)>,
}

/// How many there are by one way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChannelCount {
    /// The way.
    pub channel: Channel,
    /// Those who are told.
    pub confirmed: i64,
    /// Those who only asked.
    pub asked: i64,
}

impl App {
    /// How many subscribers there are. For operators.
    pub async fn subscriber_counts(
        &self,
        caller: &Caller,
    ) -> Result<SubscriberCounts, StatusError> {
        let all = caller.all_tenants(Permission::PostStatus)?;
        let counts = self.inner().store.count_subscribers(all).await?;
        Ok(summed(&counts, &self.status_components()))
    }

    /// Subscribers, the newest first. For operators.
    pub async fn subscribers(
        &self,
        caller: &Caller,
        page: &Page,
    ) -> Result<Listed<Subscriber>, StatusError> {
        let all = caller.all_tenants(Permission::PostStatus)?;
        let before = page.before().map_err(|error| StatusError::Invalid(error.into()))?;
        let store = &self.inner().store;
        let found = store.newest_subscribers(all, before, page.limit() + 1).await?;
        Ok(page.cut(found, |it| it.id.to_string()))
    }

    /// The subscriber with an address. For operators.
    pub async fn find_subscriber(
        &self,
        caller: &Caller,
        typed: &str,
    ) -> Result<Subscriber, StatusError> {
        caller.require(Permission::PostStatus)?;
        let typed = typed.trim();
        let channel = match typed {
            url if url.contains("://") => Channel::Webhook,
            mail if mail.contains('@') => Channel::Email,
            _ => Channel::Sms,
        };
        let asks = Asks { channel, address: typed.to_owned(), components: Vec::new() };
        let store = &self.inner().store;
        let id = store.subscriber_at(&address(&asks)?).await?.ok_or(StatusError::NoSubscriber)?;
        store.subscriber(id).await?.ok_or(StatusError::NoSubscriber)
    }

    /// Forgets a subscriber, as its owner asks for; that is in the audit log. For operators.
    pub async fn remove_subscriber(
        &self,
        caller: &Caller,
        id: SubscriberId,
    ) -> Result<(), StatusError> {
        caller.require(Permission::PostStatus)?;
        let store = &self.inner().store;
        let found = store.subscriber(id).await?.ok_or(StatusError::NoSubscriber)?;
        let (shown, actor) = (found.address.masked(), caller.audit_name());
        if !store.remove_subscriber(caller.scope, (id, &shown), self.now(), &actor).await? {
            return Err(StatusError::NoSubscriber);
        }
        tracing::warn!(%id, by = actor, "a subscriber was removed");
        Ok(())
    }
}

/// Adds up what is counted by way and choice. Pure.
fn summed(counts: &[SubscriberCount], there: &[Component]) -> SubscriberCounts {
    let mut channels: Vec<ChannelCount> = Vec::new();
    for it in counts {
        let SubscriberCount { channel, confirmed, asked, .. } = *it;
        match channels.iter_mut().find(|sum| sum.channel == channel) {
            Some(sum) => {
                sum.confirmed += confirmed;
                sum.asked += asked;
            }
            None => channels.push(ChannelCount { channel, confirmed, asked }),
        }
    }
    let told = |component: &Component| {
        let of =
            |it: &&SubscriberCount| it.components.is_empty() || it.components.contains(component);
        (*component, counts.iter().filter(of).map(|it| it.confirmed).sum())
    };
    SubscriberCounts { channels, components: there.iter().map(told).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_told_of_all_counts_for_each_component() {
        let count = |channel, components: &[Component], confirmed, asked| SubscriberCount {
            channel,
            components: components.to_vec(),
            confirmed,
            asked,
        };
        let counts = [
            count(Channel::Email, &[], 5, 1),
            count(Channel::Email, &[Component::Web], 2, 2),
            count(Channel::Webhook, &[Component::Web, Component::Sms], 1, 0),
        ];
        let summed = summed(&counts, &[Component::Web, Component::Sms, Component::Voice]);
        let told = [(Component::Web, 8), (Component::Sms, 6), (Component::Voice, 5)];
        assert_eq!(summed.components, told);
        let mails = ChannelCount { channel: Channel::Email, confirmed: 7, asked: 3 };
        let hooks = ChannelCount { channel: Channel::Webhook, confirmed: 1, asked: 0 };
        assert_eq!(summed.channels, [mails, hooks]);
    }
}
