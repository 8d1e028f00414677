//! What the operators are told of providers: one that does not accept us, or does not deliver for
//! us, is an open alert until it does again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bugle_channels::twilio::{MessageProgress, MessageReport};
use bugle_channels::{Fault, Outgoing, Sent};
use bugle_domain::Severity;
use bugle_domain::contact::Channel;
use bugle_domain::notification::SendOutcome;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::Instant;

use super::{Notice, NoticeError};
use crate::app::Inner;
use crate::error::Chain;

/// A provider that goes on failing is reported again after this time, in case the alert was
/// resolved by hand; one that works is asked about as often, in case another node raised it.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// What this node knows of each trouble that a provider, or the program itself, may be in, by its
/// key. As many as there are providers, and one.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    known: Mutex<BTreeMap<String, Known>>,
    /// There was nobody to tell when something was wrong last.
    nobody: AtomicBool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Known {
    open: bool,
    raised_at: Option<Timestamp>,
    looked_at: Option<Timestamp>,
}

impl Known {
    /// Whether a failure at `now` is to be reported.
    fn fails(&mut self, now: Timestamp) -> bool {
        let due = is_past(self.raised_at, now);
        if due {
            (self.open, self.raised_at) = (true, Some(now));
        }
        due
    }

    /// Whether it is to be looked for an alert that a success at `now` ends.
    fn works(&mut self, now: Timestamp) -> bool {
        let due = std::mem::take(&mut self.open) || is_past(self.looked_at, now);
        if due {
            self.looked_at = Some(now);
        }
        due
    }
}

fn is_past(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| now.duration_since(last) >= AGAIN_AFTER)
}

impl Troubles {
    fn with<T>(&self, key: &str, work: impl FnOnce(&mut Known) -> T) -> T {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        work(all.entry(key.to_owned()).or_default())
    }

    /// Notes whether there is nobody to tell; whether that is new.
    pub(super) fn nobody_is_told(&self, nobody: bool) -> bool {
        self.nobody.swap(nobody, Ordering::Relaxed) != nobody
    }

    /// Whether there was nobody to tell when something was wrong last.
    pub(crate) fn tell_nobody(&self) -> bool {
        self.nobody.load(Ordering::Relaxed)
    }
}

/// The key of a provider that does not accept what we send.
fn acceptance(channel: Channel, provider: &str) -> String {
    format!("bugle/provider/{}/{provider}", channel.as_str())
}

/// The key of a provider that accepts, and later says that our account may not have it delivered.
fn delivery(channel: Channel, provider: &str) -> String {
    format!("{}/delivery", acceptance(channel, provider))
}

impl Inner {
    /// Sends once, and tells the operators where the provider does not accept us.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped may have sent the message: the caller must treat its claim as
    /// unsure.
    pub(crate) async fn send(self: &Arc<Self>, message: &Outgoing, send_by: Instant) -> Sent {
        let sent = self.channels.send(message, send_by, self.clock.now()).await;
        self.note_send(message.address.channel(), &sent);
        sent
    }

    fn note_send(self: &Arc<Self>, channel: Channel, sent: &Sent) {
        self.note_provider_use(channel, &sent.provider);
        let key = acceptance(channel, &sent.provider);
        match sent.outcome {
            SendOutcome::Accepted => self.works(key),
            SendOutcome::Misconfigured => {
                let (provider, detail) = (&sent.provider, &sent.detail);
                let channel = channel.as_str();
                tracing::error!(channel, provider, detail, "a provider does not accept us");
                // Only what is wrong with our account or its settings is for the operators; a
                // channel without a provider is as they set it up.
                if sent.fault == Some(Fault::Us) && !provider.is_empty() {
                    let summary =
                        format!("Provider {provider} ({channel}) does not accept us: {detail}");
                    let severity = severity(sent.another_provider);
                    self.fails(notice(key, summary, severity, (channel, provider, detail)));
                }
            }
            SendOutcome::RetryAt { .. }
            | SendOutcome::Refused
            | SendOutcome::RetryUnsure { .. } => (),
        }
    }

    /// Tells the operators where a provider took a text message and then says that the account may
    /// not have it delivered.
    pub(crate) fn note_report(self: &Arc<Self>, provider: &str, report: &MessageReport) {
        let key = delivery(Channel::Sms, provider);
        match report.progress {
            MessageProgress::Delivered | MessageProgress::Seen => self.works(key),
            MessageProgress::Failed { fault: Fault::Us, .. } => {
                let (channel, detail) = (Channel::Sms.as_str(), &report.detail);
                tracing::error!(channel, provider, detail, "a provider does not deliver for us");
                let summary =
                    format!("Provider {provider} ({channel}) does not deliver for us: {detail}");
                self.fails(notice(key, summary, Severity::Critical, (channel, provider, detail)));
            }
            MessageProgress::OnItsWay | MessageProgress::Failed { .. } => (),
        }
    }

    pub(super) fn fails(self: &Arc<Self>, notice: Notice) {
        let now = self.clock.now();
        if self.troubles.with(&notice.key, |known| known.fails(now)) {
            let inner = Arc::clone(self);
            self.tasks.once(async move { told(inner.raise(&notice).await, &notice.key) });
        }
    }

    fn works(self: &Arc<Self>, key: String) {
        let now = self.clock.now();
        if self.troubles.with(&key, |known| known.works(now)) {
            let inner = Arc::clone(self);
            self.tasks.once(async move { told(inner.clear(&key).await, &key) });
        }
    }
}

/// Worse where nobody else serves the channel.
fn severity(another_provider: bool) -> Severity {
    if another_provider { Severity::High } else { Severity::Critical }
}

fn notice(
    key: String,
    summary: String,
    severity: Severity,
    (channel, provider, said): (&str, &str, &str),
) -> Notice {
    let mut details = serde_json::Map::new();
    for (name, value) in [("channel", channel), ("provider", provider), ("said", said)] {
        details.insert(name.to_owned(), json!(value));
    }
    Notice { key, summary, severity, details }
}

fn told(result: Result<(), NoticeError>, key: &str) {
    match result {
        Ok(()) | Err(NoticeError::Nobody) => (),
        Err(error) => {
            tracing::error!(error = %Chain(&error), key, "the operators could not be told");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_provider_that_goes_on_failing_is_reported_once_a_minute() {
        let mut known = Known::default();
        assert_eq!(
            [0, 1, 59, 60, 61].map(|second| known.fails(at(second))),
            [true, false, false, true, false]
        );
    }

    #[test]
    fn that_there_is_nobody_to_tell_is_said_when_it_changes() {
        let troubles = Troubles::default();
        let said = [false, true, true, false, false, true].map(|it| troubles.nobody_is_told(it));
        assert_eq!(said, [false, true, false, true, false, true]);
        assert!(troubles.tell_nobody());
    }

    #[test]
    fn a_success_ends_it_at_once_and_is_looked_into_once_a_minute() {
        let mut known = Known::default();
        assert!(known.works(at(0)), "an earlier run of this node may have raised it");
        assert!(!known.works(at(1)));
        assert!(known.fails(at(2)));
        assert!(known.works(at(3)));
        assert!(!known.fails(at(4)), "what was under way meanwhile does not raise it anew");
        assert!(!known.works(at(5)));
        assert!(known.works(at(63)), "another node may have raised it");
    }
}
