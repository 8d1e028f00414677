//! Requests to Twilio, as text and headers; nothing is sent here.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bugle_domain::contact::PhoneNumber;
use bugle_domain::notification::reference;
use bytes::Bytes;
use form_urlencoded::Serializer;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, InvalidHeaderValue, USER_AGENT};
use http::{HeaderValue, Method, Request};
use secrecy::ExposeSecret as _;

use super::paths::CallbackPaths;
use crate::message::Outgoing;
use crate::settings::TwilioSettings;
use crate::sms;
use crate::webhook::AGENT;

/// How long a phone rings before the call is given up, in seconds. Voicemail mostly comes earlier.
const RING_S: u32 = 30;
/// How long a call lasts at most, whatever happens in it.
const CALL_LIMIT: Duration = Duration::from_mins(3);
/// Twilio's limits of `ValidityPeriod`, in seconds.
const VALIDITY_S: (u32, u32) = (1, 36_000);
/// Longest text, in characters: Twilio's 1,600 less what we may add.
const MAX_TEXT: usize = 1_570;

/// The text that leaves: with the notification's reference, so that a person recognises the same
/// page twice and a lookup finds it, and marked where it may be a repeat.
pub(super) fn text_of(message: &Outgoing, text: &str) -> String {
    let reference = reference(message.notification);
    let (text, _) = sms::fit(text, MAX_TEXT);
    let unsaid = message.possible_repeat && !text.to_lowercase().contains("possible repeat");
    let repeat = if unsaid { "Possible repeat: " } else { "" };
    if has_word(&text, &reference) {
        format!("{repeat}{text}")
    } else {
        format!("{repeat}{text} #{reference}")
    }
}

/// Whether `word` stands in `text` by itself.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|one| one == word)
}

/// The body of a request that creates a message to a number with a text.
pub(super) fn message_form(
    settings: &TwilioSettings,
    paths: &CallbackPaths,
    message: &Outgoing,
    (to, text): (&PhoneNumber, &str),
) -> String {
    let validity_s = message.validity_s.clamp(VALIDITY_S.0, VALIDITY_S.1);
    let sender = if settings.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
    Serializer::new(String::new())
        .append_pair("To", to.as_str())
        .append_pair("StatusCallback", &paths.message(message.notification))
        .append_pair("ValidityPeriod", &validity_s.to_string())
        .append_pair(sender, &settings.from)
        .append_pair("Body", text)
        .finish()
}

/// The body of a request that creates a call to a number.
pub(super) fn call_form(
    settings: &TwilioSettings,
    paths: &CallbackPaths,
    message: &Outgoing,
    to: &PhoneNumber,
) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("To", to.as_str())
        .append_pair("From", &settings.from)
        .append_pair("Url", &paths.voice(message.notification))
        .append_pair("Method", "POST")
        .append_pair("StatusCallback", &paths.call(message.notification));
    for event in ["initiated", "ringing", "answered", "completed"] {
        form.append_pair("StatusCallbackEvent", event);
    }
    form.append_pair("StatusCallbackMethod", "POST")
        .append_pair("Timeout", &RING_S.to_string())
        .append_pair("TimeLimit", &CALL_LIMIT.as_secs().to_string())
        // Waits for the end of a machine's greeting, so that the recording has the whole text.
        .append_pair("MachineDetection", "DetectMessageEnd")
        .finish()
}

pub(super) fn authorization(settings: &TwilioSettings) -> Result<HeaderValue, InvalidHeaderValue> {
    let plain = format!("{}:{}", settings.account_sid, settings.auth_token.expose_secret());
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(plain)))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A request that creates `what`.
pub(super) fn create(
    settings: &TwilioSettings,
    authorization: &HeaderValue,
    what: &str,
    form: String,
) -> Result<Request<Bytes>, http::Error> {
    Request::builder()
        .method(Method::POST)
        .uri(url(settings, &format!("/{what}")))
        .header(AUTHORIZATION, authorization)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, AGENT)
        .body(Bytes::from(form))
}

/// A request that reads `path_and_query`, which is appended to the account's own path.
pub(super) fn get(
    settings: &TwilioSettings,
    authorization: &HeaderValue,
    path_and_query: &str,
) -> Result<Request<Bytes>, http::Error> {
    Request::builder()
        .uri(url(settings, path_and_query))
        .header(AUTHORIZATION, authorization)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, AGENT)
        .body(Bytes::new())
}

fn url(settings: &TwilioSettings, rest: &str) -> String {
    let base = settings.api_base.as_str().trim_end_matches('/');
    format!("{base}/2010-04-01/Accounts/{}{rest}", settings.account_sid)
}

#[cfg(test)]
mod tests;
