//! What is sent to a contact method at once, outside any alert: codes, tests, and that an update of
//! an incident is due.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bugle_channels::{Content, Correspondence, Outgoing};
use bugle_domain::contact::{Channel, ContactMethod};
use bugle_domain::notification::SendOutcome;
use bugle_domain::text::truncate;
use bugle_domain::{NotificationId, TenantId};
use bugle_engine::message::html::escaped;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;
use tokio::time::Instant;

use super::{CODE_LIFETIME, CodeSent};
use crate::app::Inner;
use crate::entropy;

/// How long one send may take, from the claim on.
const SEND_LIMIT: Duration = Duration::from_secs(15);
/// For how long a code or test is worth delivering, in seconds.
const VALIDITY_S: u32 = 600;
/// Longest title of an incident in a text message, in characters.
const DUE_TITLE_CHARS: usize = 70;
/// Most calls whose words are kept.
const MAX_SPOKEN: usize = 1_000;

/// What is said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Saying {
    /// A code to type.
    Code(String),
    /// "It works."
    Test,
    /// An update was promised by now.
    UpdateDue {
        /// Of which incident.
        title: String,
        /// Where it is written.
        link: String,
    },
}

/// Words of calls that are about no alert, by the id that the provider calls back with. They are
/// kept on the node that made the call, for as long as a code holds.
#[derive(Debug, Default)]
pub(crate) struct Spoken(Mutex<BTreeMap<NotificationId, (Timestamp, String)>>);

impl Spoken {
    /// The words of a call, if it is one of these.
    pub(crate) fn words(&self, call: NotificationId) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&call).map(|(_, words)| words.clone())
    }

    fn keep(&self, call: NotificationId, words: String, now: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (until, _)| now < *until);
        if kept.len() < MAX_SPOKEN {
            let until = now.saturating_add(CODE_LIFETIME).unwrap_or(Timestamp::MAX);
            kept.insert(call, (until, words));
        }
    }
}

/// Sends it, once, and says what the provider said.
pub(crate) async fn send(
    app: &Arc<Inner>,
    tenant: TenantId,
    method: &ContactMethod,
    saying: &Saying,
) -> CodeSent {
    let now = app.clock.now();
    let message = message(app, tenant, method, saying);
    let sent = app.send(&message, Instant::now() + SEND_LIMIT).await;
    let until = now.saturating_add(CODE_LIFETIME).ok();
    CodeSent {
        accepted: sent.outcome == SendOutcome::Accepted,
        detail: sent.detail,
        provider: sent.provider,
        until: until.filter(|_| matches!(saying, Saying::Code(_))),
        at: app.clock.now(),
    }
}

/// The message that says it.
pub(crate) fn message(
    app: &Inner,
    tenant: TenantId,
    method: &ContactMethod,
    saying: &Saying,
) -> Outgoing {
    let now = app.clock.now();
    let id = NotificationId::new(now, entropy::bytes());
    let content = match method.address.channel() {
        Channel::Sms => Content::Sms { text: text(saying) },
        Channel::Voice => {
            app.spoken.keep(id, speech(saying), now);
            Content::Voice
        }
        Channel::Email => email(saying, method),
        Channel::Webhook => Content::Webhook {
            id: id.to_string(),
            body: Bytes::from(hook(saying, method, now)),
            secret: app.webhook_secret(method.id),
        },
    };
    Outgoing {
        notification: id,
        tenant,
        address: method.address.clone(),
        content,
        possible_repeat: false,
        validity_s: VALIDITY_S,
    }
}

fn text(saying: &Saying) -> String {
    match saying {
        Saying::Code(code) => {
            format!("{code} is your Bugle code. It holds for 10 minutes.")
        }
        Saying::Test => "Bugle test: texts reach this phone. Nothing is wrong.".to_owned(),
        Saying::UpdateDue { title, link } => {
            format!("Update due: {}. {link}", truncate(title, DUE_TITLE_CHARS))
        }
    }
}

fn speech(saying: &Saying) -> String {
    match saying {
        Saying::Code(code) => {
            let digits: Vec<String> = code.chars().map(String::from).collect();
            let digits = digits.join(", ");
            format!("This is Bugle. Your code is {digits}. Once more: {digits}.")
        }
        Saying::Test => {
            "This is a test call from Bugle. Calls reach this phone. Nothing is wrong.".to_owned()
        }
        Saying::UpdateDue { title, .. } => {
            format!("This is Bugle. An update of the incident is due: {title}.")
        }
    }
}

fn email(saying: &Saying, method: &ContactMethod) -> Content {
    let (subject, text) = match saying {
        Saying::Code(code) => (
            format!("{code} is your Bugle code"),
            format!(
                "Type this code to prove that mail to {} reaches you:\n\n    {code}\n\n\
                 It holds for 10 minutes. If you did not ask for it, do nothing.\n",
                method.address.as_str()
            ),
        ),
        Saying::Test => (
            "Bugle test: mail reaches you".to_owned(),
            "This is a test. Mail from Bugle reaches you. Nothing is wrong.\n".to_owned(),
        ),
        Saying::UpdateDue { title, link } => (
            format!("Update due: {title}"),
            format!("An update of this incident was promised by now:\n\n    {title}\n\n{link}\n"),
        ),
    };
    let html = format!("<pre style=\"font:16px sans-serif\">{}</pre>", escaped(&text));
    let thread_key = method.id.to_string();
    let correspondence = Correspondence::default();
    Content::Email { subject, text, html, thread_key, unsubscribe: None, correspondence }
}

fn hook(saying: &Saying, method: &ContactMethod, now: Timestamp) -> String {
    match saying {
        Saying::Code(code) => json!({
            "type": "contact_method.code",
            "method": method.id,
            "code": code,
            "expires_at": now.saturating_add(CODE_LIFETIME).unwrap_or(now),
        }),
        Saying::Test => json!({ "type": "contact_method.test", "method": method.id, "at": now }),
        Saying::UpdateDue { title, link } => {
            json!({ "type": "incident.update_due", "title": title, "link": link, "at": now })
        }
    }
    .to_string()
}

#[cfg(test)]
mod tests {
    use bugle_domain::contact::Address;
    use bugle_domain::{MethodId, UserId};

    use super::*;
    use crate::sample;

    fn method(channel: Channel, address: &str) -> ContactMethod {
        ContactMethod {
            id: MethodId::from_stored(sample::nth(1)),
            user: UserId::from_stored(sample::nth(2)),
            name: "mine".to_owned(),
            address: Address::parse(channel, address).unwrap(),
            proven_at: None,
        }
    }

    #[test]
    fn codes_are_easy_to_read_and_to_hear() {
        let code = Saying::Code("402193".to_owned());
        assert_eq!(text(&code), "402193 is your Bugle code. It holds for 10 minutes.");
        assert!(speech(&code).contains("4, 0, 2, 1, 9, 3. Once more: 4, 0, 2, 1, 9, 3."));
        let Content::Email { subject, text, .. } =
            email(&code, &method(Channel::Email, "lena@halden.example"))
        else {
            panic!("not a mail");
        };
        assert_eq!(subject, "402193 is your Bugle code");
        assert!(text.contains("lena@halden.example"));
        let hook = hook(&code, &method(Channel::Webhook, "https://x.example/in"), sample::now());
        assert!(hook.contains("\"code\":\"402193\""), "{hook}");
    }
}
