//! The independent path: operators are told without the store and without the pipeline, again and
//! again until a person answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use bugle_channels::{Channels, Content, Correspondence, Outgoing, SetupError};
use bugle_domain::contact::{Address, Channel};
use bugle_domain::notification::SendOutcome;
use bugle_domain::{MethodId, NodeId, NotificationId, TenantId};
use bugle_engine::message::html::escaped;
use bugle_engine::watch::outside::{Alarm as Repeats, Ring};
use bytes::Bytes;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::Instant;
use url::Url;

use super::settings::Operators;
use crate::entropy;
use crate::identity::secret;
use crate::tasks::Tasks;

/// A message begins to leave within this time or not at all.
const SEND_WITHIN: Duration = Duration::from_secs(8);
/// For how long it is worth delivering.
const VALIDITY_S: u32 = 14_400;
/// Longest text message, in characters.
const MAX_TEXT: usize = 300;

/// Where alarms are answered, kept in memory: it works when nothing else does.
#[derive(Clone, Debug, Default)]
pub struct Answers(Arc<Mutex<Option<Waiting>>>);

#[derive(Debug)]
struct Waiting {
    hash: [u8; 32],
    text: String,
    answered: bool,
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the alarm with this token says, if it rings or was answered here.
    pub fn find(&self, token: &str) -> Option<String> {
        let hash = secret::hash(token);
        self.lock().as_ref().filter(|it| it.hash == hash).map(|it| it.text.clone())
    }

    /// Notes that whoever has the token has answered. `false`: there is no such alarm here.
    pub fn answer(&self, token: &str) -> bool {
        let hash = secret::hash(token);
        match self.lock().as_mut().filter(|it| it.hash == hash) {
            Some(waiting) => {
                waiting.answered = true;
                true
            }
            None => false,
        }
    }

    fn answered(&self) -> bool {
        self.lock().as_ref().is_some_and(|it| it.answered)
    }

    fn say(&self, hash: [u8; 32], text: &str) {
        let mut waiting = self.lock();
        let answered = waiting.as_ref().is_some_and(|it| it.hash == hash && it.answered);
        *waiting = Some(Waiting { hash, text: text.to_owned(), answered });
    }
}

/// Something that the alarm rings about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// What: the same from its beginning to its end.
    pub about: String,
    /// In words.
    pub text: String,
    /// When it rang for the first time, where that is on record.
    pub rang: Option<Timestamp>,
    /// Somebody has answered it.
    pub answered: bool,
}

impl Call {
    /// What a watch sees.
    pub fn seen(text: String) -> Self {
        Self { about: String::new(), text, rang: None, answered: false }
    }
}

/// When the alarm reached somebody for the first time, by what it was about.
type Reached = Arc<Mutex<BTreeMap<String, Timestamp>>>;

/// Rings operators.
#[derive(Debug)]
pub struct Alarm {
    channels: Arc<Channels>,
    to: Vec<Address>,
    repeat_ms: i64,
    repeats: Repeats,
    /// What it rings about.
    about: Vec<String>,
    reached: Reached,
    /// Unguessable; the same for one alarm from its first message to its end.
    token: String,
    answers: Answers,
    answer_base: Option<Url>,
    secret: SecretString,
}

impl Alarm {
    /// Takes the settings. Alarms are answered below `answer_base`, where there is one.
    ///
    /// # Errors
    ///
    /// A provider's settings cannot be used.
    pub fn new(
        operators: &Operators,
        answer_base: Option<Url>,
        answers: Answers,
        webhook_secret: SecretString,
    ) -> Result<Self, SetupError> {
        let callbacks = answer_base.clone().unwrap_or_else(|| nowhere().clone());
        Ok(Self {
            channels: Arc::new(Channels::new(operators.channels.clone(), callbacks)?),
            to: operators.to.clone(),
            repeat_ms: i64::try_from(operators.repeat.as_millis()).unwrap_or(i64::MAX),
            repeats: Repeats::default(),
            about: Vec::new(),
            reached: Reached::default(),
            token: secret::token(),
            answers,
            answer_base,
            secret: webhook_secret,
        })
    }

    /// SHA-256 of the token of the alarm that rings, or of the next one.
    pub fn answer_hash(&self) -> [u8; 32] {
        secret::hash(&self.token)
    }

    /// Whether somebody has answered by its link.
    pub fn is_answered(&self) -> bool {
        self.answers.answered()
    }

    /// Begins anew. Who answered the last alarm has not answered this; a link that waits stays
    /// good.
    pub fn renew(&mut self) {
        if self.repeats.is_answered() {
            self.token = secret::token();
        }
        self.repeats.anew();
    }

    /// What it has told somebody of since it was asked last, and when.
    pub fn take_reached(&self) -> BTreeMap<String, Timestamp> {
        std::mem::take(&mut *self.reached.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Those of `calls` that somebody has answered by its link.
    pub fn heard(&self, calls: &[Call]) -> Vec<Call> {
        let said = calls.iter().filter(|call| self.about.contains(&call.about));
        if self.is_answered() { said.cloned().collect() } else { Vec::new() }
    }

    /// Another node rings about what this one rang about: it is not over, and this one is quiet.
    pub fn hand_over(&mut self) {
        if !self.about.is_empty() {
            self.renew();
            self.repeats = Repeats::default();
            self.about.clear();
        }
    }

    /// Rings where it is time to: these are wrong, or nothing is. What is new rings at once, also
    /// where the rest was answered. What it says is sent among `tasks` and not waited for: a
    /// provider that hangs must not stall the watch.
    pub fn tick(&mut self, calls: &[Call], now: Timestamp, tasks: &Tasks) {
        self.begin(calls, now);
        let open = calls.iter().filter(|it| !it.answered).map(|it| it.text.as_str());
        let what = open.collect::<Vec<_>>().join(" ");
        let ring = self.repeats.tick(!calls.is_empty(), self.repeat_ms, now);
        if !calls.is_empty() {
            self.answers.say(self.answer_hash(), &what);
        }
        let text = match ring {
            Some(Ring::First) => format!("Bugle is in trouble. {what}"),
            Some(Ring::Again(times)) => {
                format!("Bugle is still in trouble (told {times} times). {what}")
            }
            Some(Ring::Over) => "Bugle is well again.".to_owned(),
            None => return,
        };
        self.tell(&text, ring != Some(Ring::Over), now, tasks);
        if ring == Some(Ring::Over) {
            self.token = secret::token();
        }
    }

    /// Begins anew where something is new, and goes on where it rang before this process began.
    fn begin(&mut self, calls: &[Call], now: Timestamp) {
        if self.answers.answered() {
            self.repeats.answer();
        }
        let mut waits = calls.iter().filter(|it| !it.answered).peekable();
        if waits.peek().is_none() && !calls.is_empty() {
            self.repeats.resume(now);
            self.repeats.answer();
        } else if waits.any(|it| it.rang.is_none() && !self.about.contains(&it.about)) {
            self.renew();
        } else if let Some(rang) = calls.iter().filter_map(|it| it.rang).max() {
            self.repeats.resume(rang);
        }
        self.about = calls.iter().map(|it| it.about.clone()).collect();
    }

    fn tell(&self, text: &str, asks: bool, now: Timestamp, tasks: &Tasks) {
        let link = self.answer_base.as_ref().filter(|_| asks).map(|base| {
            format!("{}/watch/answer/{}", base.as_str().trim_end_matches('/'), self.token)
        });
        let send_by = Instant::now() + SEND_WITHIN;
        for address in &self.to {
            let outgoing = self.outgoing(address, text, link.as_deref(), now);
            let (channels, reached) = (Arc::clone(&self.channels), Arc::clone(&self.reached));
            let about = self.about.clone();
            tasks.once(async move {
                let sent = channels.send(&outgoing, send_by, now).await;
                let outcome = sent.outcome.as_str();
                metrics::counter!("bugle_operator_alarms_total", "outcome" => outcome).increment(1);
                if matches!(sent.outcome, SendOutcome::Accepted) {
                    let mut reached = reached.lock().unwrap_or_else(PoisonError::into_inner);
                    reached.extend(about.into_iter().map(|about| (about, now)));
                } else {
                    let (channel, detail) = (outgoing.address.channel().as_str(), &sent.detail);
                    tracing::error!(channel, detail, "an operator could not be told");
                }
            });
        }
    }

    fn outgoing(
        &self,
        address: &Address,
        text: &str,
        link: Option<&str>,
        now: Timestamp,
    ) -> Outgoing {
        let notification = NotificationId::new(now, entropy::bytes());
        let answer = link.map(|link| format!("Answer: {link}")).unwrap_or_default();
        let content = match address.channel() {
            Channel::Sms | Channel::Voice => {
                let short: String = text.chars().take(MAX_TEXT).collect();
                Content::Sms { text: format!("{short} {answer}").trim_end().to_owned() }
            }
            Channel::Email => Content::Email {
                subject: text.split(". ").take(2).collect::<Vec<_>>().join(". "),
                text: format!("{text}\n\n{answer}\n"),
                html: html(text, link),
                thread_key: self.token.chars().take(12).collect(),
                unsubscribe: None,
                correspondence: Correspondence::default(),
            },
            Channel::Webhook => {
                let body = serde_json::json!({ "text": text, "answer_url": link });
                let (id, body) = (notification.to_string(), Bytes::from(body.to_string()));
                Content::Webhook { id, body, secret: self.secret.clone() }
            }
        };
        Outgoing {
            notification,
            tenant: TenantId::reserved_for(NodeId::new(now, [0; 10])),
            address: address.clone(),
            content,
            possible_repeat: false,
            validity_s: VALIDITY_S,
        }
    }
}

fn html(text: &str, link: Option<&str>) -> String {
    let link = link.map(|link| format!("<p><a href=\"{link}\">Answer</a></p>"));
    format!("<p>{}</p>{}", escaped(text), link.unwrap_or_default())
}

/// A stand-in for an address that providers would call back to.
fn nowhere() -> &'static Url {
    static NOWHERE: std::sync::LazyLock<Url> = std::sync::LazyLock::new(|| {
        #[expect(clippy::expect_used, reason = "it is written here")]
        "http://localhost/".parse().expect("a URL")
    });
    &NOWHERE
}

/// A secret to sign an alarm's webhooks by, where none is kept.
pub fn fresh_secret() -> SecretString {
    format!("whsec_{}", BASE64.encode(entropy::bytes::<32>())).into()
}

/// Names the secret by which an alarm's webhooks are signed.
pub(crate) fn webhook_method() -> MethodId {
    MethodId::from_stored(uuid::Uuid::from_u128(1))
}
