//! What Twilio's callbacks say. Pure: the signature has been checked, nothing is stored here.
//!
//! Callbacks come in any order and more than once: each says how far its message is, and the
//! furthest counts.

use std::time::Duration;

use bugle_domain::contact::PhoneNumber;

use super::reply::{Trouble, trouble};
use crate::message::Fault;

/// Longest text of a reply that is read, in characters.
const MAX_REPLY: usize = 1_600;

/// The form of a callback: names and values, decoded.
pub type Params = [(String, String)];

/// A callback that does not have what its kind must have.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the callback has no usable {0}")]
pub struct CallbackError(pub &'static str);

/// One callback, whichever it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Callback {
    /// How far a text message is.
    Message(MessageReport),
    /// How far a call is.
    Call(CallReport),
    /// The words of a call are wanted.
    Voice(VoiceRequest),
    /// A key was pressed in a call.
    Gather(Key),
    /// A text came in from a phone.
    Text(TextFromPhone),
}

impl Callback {
    /// Reads the callback that came to the path of kind `kind`: `message`, `call`, `voice`,
    /// `gather` or `sms`.
    ///
    /// # Errors
    ///
    /// [`CallbackError`] names what is missing, or the kind.
    pub fn parse(kind: &str, params: &Params) -> Result<Self, CallbackError> {
        match kind {
            "message" => message_status(params).map(Self::Message),
            "call" => call_status(params).map(Self::Call),
            "voice" => voice_request(params).map(Self::Voice),
            "gather" => gather(params).map(Self::Gather),
            "sms" => inbound_text(params).map(Self::Text),
            _ => Err(CallbackError("kind")),
        }
    }
}

/// How far a text message is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageReport {
    /// What Twilio calls the message.
    pub provider_ref: String,
    /// How far.
    pub progress: MessageProgress,
    /// In words: status and error code.
    pub detail: String,
}

/// How far a text message is, and what a failure means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageProgress {
    /// With Twilio or the network; nothing final.
    OnItsWay,
    /// On the phone, the network says.
    Delivered,
    /// Opened, the network says.
    Seen,
    /// It will not arrive.
    Failed {
        /// Sending once more may help; otherwise use the person's next method.
        retry: bool,
        /// Whose fault it is.
        fault: Fault,
        /// The number will never take a message from us.
        gone: bool,
    },
}

/// How far a call is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallReport {
    /// What Twilio calls the call.
    pub provider_ref: String,
    /// How far.
    pub progress: CallProgress,
    /// Who answered, where somebody did and Twilio could tell.
    pub answered_by: Option<AnsweredBy>,
    /// Twilio's count of callbacks of this call, 0-based: the higher, the later.
    pub sequence: Option<u32>,
    /// In words: status and error code.
    pub detail: String,
}

/// How far a call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallProgress {
    /// Not yet ringing.
    Dialling,
    /// The phone rings.
    Ringing,
    /// Somebody or something has answered. Says nothing about a person.
    InCall,
    /// It is over. Only a key that was pressed counts as answered, however it ended.
    Ended {
        /// How.
        how: CallEnd,
        /// How long it was, where somebody or something had answered.
        talked: Option<Duration>,
    },
}

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallEnd {
    /// Somebody or something had answered, and then hung up or was hung up on.
    HungUp,
    /// A machine had answered. Never counts as reached.
    Voicemail,
    /// The line was busy, or the call was declined.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// It could not be made.
    Failed,
    /// It was taken back before it was answered.
    Cancelled,
}

/// Who answered a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnsweredBy {
    /// A person, Twilio guesses.
    Human,
    /// A voicemail, an answering machine or a fax, Twilio guesses.
    Machine,
    /// Twilio cannot tell: treated as a person, who can press a key.
    Unknown,
}

/// The words of a call are wanted: somebody or something has answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VoiceRequest {
    /// What Twilio calls the call.
    pub provider_ref: String,
    /// Who answered, where Twilio could tell.
    pub answered_by: Option<AnsweredBy>,
}

/// A key that was pressed in a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// What Twilio calls the call.
    pub provider_ref: String,
    /// The key: `0`–`9`, `*` or `#`; `None` where none was pressed in time.
    pub key: Option<char>,
}

/// A text that came in from a phone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextFromPhone {
    /// What Twilio calls the message: the same when it is reported twice.
    pub provider_ref: String,
    /// Who wrote it. The number proves little: it can be forged.
    pub from: PhoneNumber,
    /// Our number.
    pub to: String,
    /// What it says, at most 1,600 characters.
    pub text: String,
}

fn get<'a>(params: &'a Params, name: &str) -> Option<&'a str> {
    let found = params.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

fn need<'a>(params: &'a Params, name: &'static str) -> Result<&'a str, CallbackError> {
    get(params, name).ok_or(CallbackError(name))
}

/// Reads a report of a message's state.
///
/// # Errors
///
/// [`CallbackError`] names what is missing.
pub fn message_status(params: &Params) -> Result<MessageReport, CallbackError> {
    let provider_ref = need(params, "MessageSid").or_else(|_| need(params, "SmsSid"))?.to_owned();
    let status = need(params, "MessageStatus").or_else(|_| need(params, "SmsStatus"))?;
    let code = get(params, "ErrorCode").and_then(|code| code.parse().ok());
    let progress = match status {
        "delivered" => MessageProgress::Delivered,
        "read" => MessageProgress::Seen,
        "undelivered" | "failed" | "canceled" => failed(code),
        _ => MessageProgress::OnItsWay,
    };
    Ok(MessageReport { provider_ref, progress, detail: in_words(status, code) })
}

fn failed(code: Option<u32>) -> MessageProgress {
    let (retry, fault, gone) = match code.map_or(Trouble::Unknown, trouble) {
        Trouble::Passing => (true, Fault::Provider, false),
        Trouble::Unreachable => (true, Fault::Contact, false),
        Trouble::Number | Trouble::Country | Trouble::Unknown => (false, Fault::Contact, false),
        Trouble::OptedOut => (false, Fault::Contact, true),
        Trouble::Account => (false, Fault::Us, false),
    };
    MessageProgress::Failed { retry, fault, gone }
}

fn in_words(status: &str, code: Option<u32>) -> String {
    code.map_or_else(|| status.to_owned(), |code| format!("{status}, error {code}"))
}

/// Reads a report of a call's state.
///
/// # Errors
///
/// [`CallbackError`] names what is missing.
pub fn call_status(params: &Params) -> Result<CallReport, CallbackError> {
    let provider_ref = need(params, "CallSid")?.to_owned();
    let status = need(params, "CallStatus")?;
    let answered_by = answered_by(params);
    let ended = |how| CallProgress::Ended { how, talked: talked(params) };
    let progress = match status {
        "queued" | "initiated" => CallProgress::Dialling,
        "ringing" => CallProgress::Ringing,
        "in-progress" | "answered" => CallProgress::InCall,
        "completed" if answered_by == Some(AnsweredBy::Machine) => ended(CallEnd::Voicemail),
        "completed" => ended(CallEnd::HungUp),
        "busy" => ended(CallEnd::Busy),
        "no-answer" => ended(CallEnd::NoAnswer),
        "failed" => ended(CallEnd::Failed),
        "canceled" => ended(CallEnd::Cancelled),
        _ => return Err(CallbackError("CallStatus")),
    };
    let code = get(params, "ErrorCode").or_else(|| get(params, "SipResponseCode"));
    let sequence = get(params, "SequenceNumber").and_then(|number| number.parse().ok());
    let detail = match answered_by {
        Some(AnsweredBy::Machine) => format!("{status}, answered by a machine"),
        Some(AnsweredBy::Human | AnsweredBy::Unknown) | None => {
            in_words(status, code.and_then(|code| code.parse().ok()))
        }
    };
    Ok(CallReport { provider_ref, progress, answered_by, sequence, detail })
}

fn talked(params: &Params) -> Option<Duration> {
    let seconds = get(params, "CallDuration").or_else(|| get(params, "Duration"))?;
    seconds.parse().ok().map(Duration::from_secs)
}

fn answered_by(params: &Params) -> Option<AnsweredBy> {
    let text = get(params, "AnsweredBy")?;
    Some(match text {
        "human" => AnsweredBy::Human,
        "fax" => AnsweredBy::Machine,
        _ if text.starts_with("machine") => AnsweredBy::Machine,
        _ => AnsweredBy::Unknown,
    })
}

/// Reads a request for the words of a call.
///
/// # Errors
///
/// [`CallbackError`] names what is missing.
pub fn voice_request(params: &Params) -> Result<VoiceRequest, CallbackError> {
    let provider_ref = need(params, "CallSid")?.to_owned();
    Ok(VoiceRequest { provider_ref, answered_by: answered_by(params) })
}

/// Reads a report of a pressed key.
///
/// # Errors
///
/// [`CallbackError`] names what is missing.
pub fn gather(params: &Params) -> Result<Key, CallbackError> {
    let provider_ref = need(params, "CallSid")?.to_owned();
    let key = get(params, "Digits").and_then(|digits| digits.chars().next());
    let key = key.filter(|key| matches!(key, '0'..='9' | '*' | '#'));
    Ok(Key { provider_ref, key })
}

/// Reads a text from a phone.
///
/// # Errors
///
/// [`CallbackError`] names what is missing.
pub fn inbound_text(params: &Params) -> Result<TextFromPhone, CallbackError> {
    let provider_ref = need(params, "MessageSid").or_else(|_| need(params, "SmsSid"))?.to_owned();
    let from = need(params, "From")?.parse().map_err(|_| CallbackError("From"))?;
    let to = get(params, "To").unwrap_or_default().to_owned();
    let text = get(params, "Body").unwrap_or_default().chars().take(MAX_REPLY).collect();
    Ok(TextFromPhone { provider_ref, from, to, text })
}

#[cfg(test)]
mod tests;
