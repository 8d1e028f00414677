//! One provider of one channel: how it is talked to, and its health.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bugle_domain::contact::{Address, Channel};
use bugle_domain::notification::SendOutcome;
use bugle_domain::text::{one_line, truncate};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::health::{BreakerState, Health, Verdict};
use crate::http::Answer;
use crate::message::{Content, Fault, Lookup, Outgoing, When};
use crate::smtp::Smtp;
use crate::twilio::Twilio;
use crate::webhook::{Payload, Webhook};

/// Before a message is tried again, where the provider does not say.
const DEFAULT_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// The longest wait that a provider may ask for; a page cannot wait longer.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(300);
/// Longest `detail`, in characters.
const MAX_DETAIL: usize = 300;

/// What came of one request to one provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Done {
    pub(crate) outcome: SendOutcome,
    pub(crate) detail: String,
    pub(crate) provider_ref: Option<String>,
    pub(crate) delivered: bool,
    pub(crate) gone: bool,
    pub(crate) fault: Option<Fault>,
    /// The provider asked to be left alone by everybody until the outcome's time.
    pub(crate) limited: bool,
}

impl Done {
    fn new(outcome: SendOutcome, detail: String, fault: Option<Fault>) -> Self {
        let detail = truncate(&one_line(&detail), MAX_DETAIL);
        let (provider_ref, delivered, gone, limited) = (None, false, false, false);
        Self { outcome, detail, provider_ref, delivered, gone, fault, limited }
    }

    pub(crate) fn accepted(detail: String, provider_ref: Option<String>) -> Self {
        Self { provider_ref, ..Self::new(SendOutcome::Accepted, detail, None) }
    }

    pub(crate) fn retry(now: Timestamp, detail: String, fault: Fault) -> Self {
        Self::new(SendOutcome::RetryAt { at: later(now, DEFAULT_WAIT) }, detail, Some(fault))
    }

    pub(crate) fn retry_answer(answer: &Answer, now: Timestamp, detail: String) -> Self {
        let outcome = SendOutcome::RetryAt { at: retry_time(answer, now) };
        Self::new(outcome, detail, Some(Fault::Provider))
    }

    pub(crate) fn too_late(now: Timestamp) -> Self {
        let detail = "not sent: the time to send had passed".to_owned();
        Self::new(SendOutcome::RetryAt { at: now }, detail, Some(Fault::Us))
    }

    pub(crate) fn unsure(now: Timestamp, detail: String) -> Self {
        let outcome = SendOutcome::RetryUnsure { at: later(now, DEFAULT_WAIT) };
        Self::new(outcome, detail, Some(Fault::Provider))
    }

    pub(crate) fn refused(detail: String, fault: Fault) -> Self {
        Self::new(SendOutcome::Refused, detail, Some(fault))
    }

    pub(crate) fn misconfigured(detail: String) -> Self {
        Self::new(SendOutcome::Misconfigured, detail, Some(Fault::Us))
    }

    /// The message itself cannot be sent by anybody.
    pub(crate) fn ours(detail: String) -> Self {
        Self::refused(detail, Fault::Us)
    }
}

/// When to try again after `answer`: what `Retry-After` says, up to a ceiling.
pub(crate) fn retry_time(answer: &Answer, now: Timestamp) -> Timestamp {
    let asked = answer.retry_after.as_deref().and_then(|text| asked_wait(text.trim(), now));
    later(now, asked.unwrap_or(DEFAULT_WAIT).clamp(SignedDuration::from_secs(1), LONGEST_WAIT))
}

/// RFC 9110, 10.2.3: seconds, or a date.
fn asked_wait(text: &str, now: Timestamp) -> Option<SignedDuration> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(SignedDuration::from_secs(seconds.into()));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(at.timestamp().duration_since(now))
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// A provider as pages, metrics and `doctor` show it.
#[derive(Clone, PartialEq, Debug)]
pub struct ProviderStatus {
    /// What it sends.
    pub channel: Channel,
    /// What the operator calls it.
    pub name: String,
    /// 0 for the one that is preferred.
    pub order: usize,
    /// Whether it is used.
    pub breaker: BreakerState,
    /// It takes no message now: over its limit, asked to be left alone, or its breaker is open. Or
    /// it is used last, because canaries do not come through it.
    pub passed_over: bool,
    /// Sends of the last five minutes (the newest 512 at most).
    pub samples: usize,
    /// The share of them that the provider dealt with, be it by a refusal; `None` without any.
    pub success_rate: Option<f64>,
    /// Half of them took no longer.
    pub median: Option<Duration>,
    /// 99 % of them took no longer.
    pub p99: Option<Duration>,
    /// Sends since the start.
    pub sent_total: u64,
    /// Failures of the provider since the start.
    pub failed_total: u64,
    /// The last failure, in words, and when.
    pub last_error: Option<(Timestamp, String)>,
}

/// How a provider is talked to. A new kind of provider is a variant here.
#[derive(Debug)]
pub(crate) enum Driver {
    Smtp(Smtp),
    Sms(Twilio),
    Voice(Twilio),
    Webhook(Webhook),
}

/// One provider of one channel.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) driver: Driver,
    notes: Mutex<Notes>,
}

#[derive(Debug)]
struct Notes {
    health: Health,
    sent_total: u64,
    failed_total: u64,
    last_error: Option<(Timestamp, String)>,
    distrusted: bool,
}

impl Provider {
    pub(crate) fn new(name: String, driver: Driver, health: Health) -> Self {
        let notes =
            Notes { health, sent_total: 0, failed_total: 0, last_error: None, distrusted: false };
        Self { name, driver, notes: Mutex::new(notes) }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the provider's health.
    pub(crate) fn with_health<T>(&self, work: impl FnOnce(&mut Health) -> T) -> T {
        work(&mut self.notes().health)
    }

    /// Whether it is used last, whatever it says of itself.
    pub(crate) fn is_distrusted(&self) -> bool {
        self.notes().distrusted
    }

    pub(crate) fn set_distrusted(&self, distrusted: bool) {
        let before = std::mem::replace(&mut self.notes().distrusted, distrusted);
        if before != distrusted {
            tracing::warn!(provider = %self.name, distrusted, "canaries change who is used first");
        }
    }

    /// Sends `message` once.
    pub(crate) async fn send(&self, message: &Outgoing, when: When) -> Done {
        match (&self.driver, &message.address, &message.content) {
            (Driver::Smtp(smtp), Address::Email(to), Content::Email { .. }) => {
                smtp.send(message, to, when).await
            }
            (Driver::Sms(twilio), Address::Sms(to), Content::Sms { text }) => {
                twilio.send_text(message, to, text, when).await
            }
            (Driver::Voice(twilio), Address::Voice(to), Content::Voice) => {
                twilio.call(message, to, when).await
            }
            (
                Driver::Webhook(webhook),
                Address::Webhook(url),
                Content::Webhook { id, body, secret },
            ) => webhook.send(message, Payload { url, id, body, secret }, when).await,
            (
                Driver::Smtp(_) | Driver::Sms(_) | Driver::Voice(_) | Driver::Webhook(_),
                Address::Email(_) | Address::Sms(_) | Address::Voice(_) | Address::Webhook(_),
                Content::Email { .. }
                | Content::Sms { .. }
                | Content::Voice
                | Content::Webhook { .. },
            ) => Done::ours("address and content are of different channels".to_owned()),
        }
    }

    /// Posts a canary, wherever it leads.
    pub(crate) async fn send_unguarded(&self, message: &Outgoing, when: When) -> Done {
        match (&self.driver, &message.address, &message.content) {
            (
                Driver::Webhook(webhook),
                Address::Webhook(url),
                Content::Webhook { id, body, secret },
            ) => webhook.send_unguarded(message, Payload { url, id, body, secret }, when).await,
            _ => self.send(message, when).await,
        }
    }

    /// Notes what a send that was admitted at `began` came to. Whether it speaks against the
    /// provider, which is then passed over for a while.
    pub(crate) fn record(&self, began: Instant, now: Instant, at: Timestamp, done: &Done) -> bool {
        let verdict = verdict(done, now, at);
        let mut notes = self.notes();
        notes.sent_total += 1;
        notes.health.record(began, now, verdict);
        if verdict == Verdict::Worked {
            return false;
        }
        notes.failed_total += 1;
        notes.last_error = Some((at, done.detail.clone()));
        notes.health.rest(now + DEFAULT_WAIT.unsigned_abs());
        true
    }

    /// Asks whether the provider has `message` already.
    pub(crate) async fn lookup(&self, message: &Outgoing, now: Timestamp) -> Lookup {
        let found = match (&self.driver, &message.address, &message.content) {
            (Driver::Sms(twilio), Address::Sms(to), Content::Sms { .. }) => {
                twilio.find_text(message, to, now).await
            }
            (Driver::Voice(twilio), Address::Voice(to), Content::Voice) => {
                twilio.find_call(message, to, now).await
            }
            // A mail server and a program keep no list that could be asked for.
            _ => return Lookup::CannotKnow,
        };
        match found {
            Ok(Some(provider_ref)) => Lookup::Found { provider: self.name.clone(), provider_ref },
            Ok(None) => Lookup::NotFound,
            Err(why) => {
                tracing::warn!(provider = %self.name, why, "provider could not be asked");
                Lookup::CannotKnow
            }
        }
    }

    /// Tries whether the provider takes our credentials, without sending anything.
    pub(crate) async fn check(&self) -> Result<(), String> {
        match &self.driver {
            Driver::Smtp(smtp) => smtp.check().await,
            Driver::Sms(twilio) | Driver::Voice(twilio) => twilio.check().await,
            Driver::Webhook(_) => Ok(()),
        }
    }

    pub(crate) fn channel(&self) -> Channel {
        match self.driver {
            Driver::Smtp(_) => Channel::Email,
            Driver::Sms(_) => Channel::Sms,
            Driver::Voice(_) => Channel::Voice,
            Driver::Webhook(_) => Channel::Webhook,
        }
    }

    pub(crate) fn status(&self, order: usize, now: Instant) -> ProviderStatus {
        let notes = self.notes();
        let measured = notes.health.measured(now);
        ProviderStatus {
            channel: self.channel(),
            name: self.name.clone(),
            order,
            breaker: notes.health.state(now),
            passed_over: notes.health.free_at(now) > now || notes.distrusted,
            samples: measured.samples,
            success_rate: measured.success_rate,
            median: measured.median,
            p99: measured.p99,
            sent_total: notes.sent_total,
            failed_total: notes.failed_total,
            last_error: notes.last_error.clone(),
        }
    }
}

/// What an outcome says about the provider. Faults of the contact and of the message do not count.
fn verdict(done: &Done, now: Instant, at: Timestamp) -> Verdict {
    match (done.outcome, done.fault) {
        (SendOutcome::RetryAt { at: until }, Some(Fault::Provider)) if done.limited => {
            Verdict::Limited(now + until.duration_since(at).unsigned_abs())
        }
        // Our account, not our settings for this one country or number.
        (SendOutcome::Misconfigured, Some(Fault::Us)) | (_, Some(Fault::Provider)) => {
            Verdict::Failed
        }
        (_, Some(Fault::Us | Fault::Contact) | None) => Verdict::Worked,
    }
}
