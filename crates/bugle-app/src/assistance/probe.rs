//! The last hops of a replica: by each channel that people would be reached by, a message goes out
//! through the very providers that theirs would, in the same order, to the address that the
//! watch's canaries go to. Nobody's phone rings.

use std::time::{Duration, Instant};

use bugle_channels::Sent;
use bugle_domain::contact::{Address, Channel, ContactMethod};
use bugle_domain::notification::SendOutcome;
use bugle_domain::{TenantId, UserId};
use bugle_engine::assistance::replica::{Passage, Passed};
use bugle_engine::watch::{Canary, View};
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::app::App;
use crate::methods::send::{Saying, message};
use crate::watch::alarm::webhook_method;

/// How long one provider may take.
const SEND_LIMIT: Duration = Duration::from_secs(15);
/// Providers of one channel that are tried.
const MAX_PROVIDERS: usize = 4;

/// What one provider made of it.
enum Tried {
    /// It took it.
    Took(String),
    /// It did not, and a message would go on to the next one.
    Failed(String),
    /// It did not, and a message would end there.
    Ended(String),
    /// Nothing was sent by it.
    NotSent(String),
}

impl App {
    /// What each channel makes of a message, all at once.
    pub(super) async fn by_channels(
        &self,
        tenant: TenantId,
        channels: &[Channel],
        view: &View,
    ) -> Vec<Passed> {
        join_all(channels.iter().map(|channel| self.by_channel(tenant, *channel, view))).await
    }

    /// As a message would go: from provider to provider, until one takes it.
    async fn by_channel(&self, tenant: TenantId, channel: Channel, view: &View) -> Passed {
        let (began, mut seen, mut last) = (Instant::now(), Vec::new(), None);
        let mut passage = Passage::Stopped;
        let order = self.inner().channels.order(channel);
        for provider in order.into_iter().take(MAX_PROVIDERS) {
            let tried = self.by_provider(tenant, (channel, &provider), view).await;
            last = Some(provider);
            let (on, text) = match tried {
                Tried::Took(text) => (Some(Passage::Through), text),
                Tried::Ended(text) => (Some(Passage::Stopped), text),
                Tried::NotSent(text) => (Some(Passage::Unknown), text),
                Tried::Failed(text) => (None, text),
            };
            seen.push(text);
            if let Some(ends) = on {
                passage = ends;
                break;
            }
        }
        if seen.is_empty() {
            seen.push("No provider serves this channel.".to_owned());
        }
        let hop = Passed::new(channel.as_str(), passage, seen.join(" "));
        let hop = hop.seen(self.now(), began.elapsed());
        match last {
            Some(provider) => hop.by(provider),
            None => hop,
        }
    }

    async fn by_provider(
        &self,
        tenant: TenantId,
        (channel, provider): (Channel, &str),
        view: &View,
    ) -> Tried {
        let canaries = Canaries::of(view, channel, provider);
        let Some(address) = self.inner().watch.probe(channel, provider) else {
            return canaries.instead(provider);
        };
        let own = matches!(address, Address::Webhook(_));
        let method = ContactMethod {
            id: webhook_method(),
            user: UserId::from_stored(uuid::Uuid::nil()),
            name: provider.to_owned(),
            address,
            proven_at: Some(Timestamp::UNIX_EPOCH),
        };
        let message = message(self.inner(), tenant, &method, &Saying::Test);
        let began = Instant::now();
        let send_by = tokio::time::Instant::now() + SEND_LIMIT;
        let channels = &self.inner().channels;
        let sending = channels.send_canary(&message, provider, send_by, self.now());
        let Ok(sent) = tokio::time::timeout(SEND_LIMIT, sending).await else {
            let waited = SEND_LIMIT.as_secs();
            return Tried::Failed(format!("{provider} did not answer within {waited} s."));
        };
        self.inner().note_provider_use(channel, &sent.provider);
        let took = began.elapsed();
        if sent.outcome == SendOutcome::Accepted {
            return canaries.after(provider, took, own);
        }
        answered(provider, &sent)
    }
}

/// What a provider said that did not take it.
fn answered(provider: &str, sent: &Sent) -> Tried {
    let detail = sent.detail.trim_end_matches('.');
    match sent.outcome {
        SendOutcome::Refused => Tried::Ended(format!("{provider} refused it: {detail}.")),
        SendOutcome::Misconfigured => {
            Tried::Failed(format!("{provider} cannot be used as it is set up: {detail}."))
        }
        SendOutcome::Accepted | SendOutcome::RetryAt { .. } | SendOutcome::RetryUnsure { .. } => {
            Tried::Failed(format!("{provider} did not take it: {detail}."))
        }
    }
}

/// What the watch's canaries say of a provider of a channel.
struct Canaries {
    /// Where they are stuck, by name.
    stuck: Option<String>,
    /// There are some, and they come through.
    through: bool,
}

impl Canaries {
    fn of(view: &View, channel: Channel, provider: &str) -> Self {
        let of = |it: &&Canary| it.channel == channel && it.provider == provider;
        let own: Vec<&Canary> = view.canaries.iter().filter(of).collect();
        let through = own.iter().any(|it| it.stuck.is_none() && it.through.is_some());
        let stuck = own.iter().find_map(|it| it.stuck.as_ref()).filter(|_| !through);
        Self { stuck: stuck.map(bugle_engine::watch::Hop::name), through }
    }

    fn words(&self) -> String {
        match (&self.stuck, self.through) {
            (Some(hop), _) => format!("its canaries are stuck at {hop}"),
            (None, true) => "its canaries come through".to_owned(),
            (None, false) => "no canary goes by it".to_owned(),
        }
    }

    /// All that is known of a provider by which nothing can be sent.
    fn instead(&self, provider: &str) -> Tried {
        let text = format!("{provider}: not sent: no probe address; {}.", self.words());
        if self.stuck.is_some() { Tried::Ended(text) } else { Tried::NotSent(text) }
    }

    /// It took it. One that takes what never arrives has stopped it, too.
    fn after(&self, provider: &str, took: Duration, own: bool) -> Tried {
        let to = if own {
            "this node itself, and not the tenant's program"
        } else {
            "the probe address"
        };
        let (ms, words) = (took.as_millis(), self.words());
        let text = format!("{provider} took it after {ms} ms, to {to}; {words}.");
        if self.stuck.is_some() { Tried::Failed(text) } else { Tried::Took(text) }
    }
}

#[cfg(test)]
mod tests {
    use bugle_domain::NodeId;
    use bugle_domain::stage::Stage;
    use bugle_engine::watch::Hop;

    use super::*;
    use crate::sample;

    fn canary(provider: &str, through: bool, stuck: bool) -> Canary {
        Canary {
            node: NodeId::from_stored(sample::nth(1)),
            channel: Channel::Sms,
            provider: provider.to_owned(),
            sent_at: sample::now(),
            through: through.then(sample::now),
            stuck: stuck.then_some(Hop::Stage { stage: Stage::Dispatch }),
            hops_ms: Vec::new(),
        }
    }

    fn canaries(all: &[Canary]) -> Canaries {
        let view = View { at: sample::now(), verdicts: Vec::new(), canaries: all.to_vec() };
        Canaries::of(&view, Channel::Sms, "twilio")
    }

    #[test]
    fn what_canaries_say_of_a_provider_counts_and_of_others_does_not() {
        let none = canaries(&[canary("other", true, false)]);
        let Tried::NotSent(text) = none.instead("twilio") else { panic!("nothing is known") };
        assert_eq!(text, "twilio: not sent: no probe address; no canary goes by it.");
        let stuck = canaries(&[canary("twilio", true, true), canary("other", true, false)]);
        assert!(matches!(stuck.instead("twilio"), Tried::Ended(_)));
        let took = Duration::from_millis(34);
        let Tried::Failed(text) = stuck.after("twilio", took, false) else { panic!("it loses") };
        assert!(text.ends_with("; its canaries are stuck at dispatch."), "{text}");
        let one_node = canaries(&[canary("twilio", true, true), canary("twilio", true, false)]);
        let Tried::Took(text) = one_node.after("twilio", took, false) else { panic!("it works") };
        let says = "twilio took it after 34 ms, to the probe address; its canaries come through.";
        assert_eq!(text, says);
    }
}
