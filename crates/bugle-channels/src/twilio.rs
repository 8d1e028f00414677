//! Twilio: text messages and calls, their receipts, keys and replies.
//!
//! Source: Twilio, *Message resource*, *Call resource*, *TwiML*, *Webhooks security*, read 2026-11,
//! and requests of its own client that were recorded.

mod callback;
mod lookup;
mod paths;
mod reply;
mod request;
mod signature;
pub mod twiml;

use bugle_domain::contact::PhoneNumber;
use http::HeaderValue;
use tokio::time::Instant;
use url::Url;

use crate::channels::SetupError;
use crate::http::{Bounds, Client, Reply};
use crate::message::{Outgoing, When};
use crate::provider::Done;
use crate::roots::Roots;
use crate::settings::TwilioSettings;

pub use callback::{
    AnsweredBy, CallEnd, CallProgress, CallReport, Callback, CallbackError, Key, MessageProgress,
    MessageReport, Params, TextFromPhone, VoiceRequest, call_status, gather, inbound_text,
    message_status, voice_request,
};
pub use paths::CallbackPaths;
pub use signature::{CallbackRequest, SignatureError};

/// One account.
#[derive(Debug)]
pub(crate) struct Twilio {
    settings: TwilioSettings,
    paths: CallbackPaths,
    client: Client,
    authorization: HeaderValue,
}

impl Twilio {
    pub(crate) fn new(
        settings: TwilioSettings,
        public_url: &Url,
        roots: &Roots,
    ) -> Result<Self, SetupError> {
        let bad = |what| SetupError::Twilio { provider: settings.name.clone(), what };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if settings.name.is_empty() || !settings.name.chars().all(plain) {
            return Err(bad("the name may have letters, digits, - and _ only"));
        }
        if settings.api_base.cannot_be_a_base() {
            return Err(bad("the address of the API is not a URL that can be posted to"));
        }
        if !settings.account_sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(bad("the account SID is AC and 32 hex digits"));
        }
        let authorization = request::authorization(&settings)
            .map_err(|_| bad("the account SID or the token has characters that cannot be sent"))?;
        let paths = CallbackPaths::new(public_url, &settings.name);
        let client = Client::new(None, settings.limits.connect, roots)?;
        Ok(Self { settings, paths, client, authorization })
    }

    pub(crate) fn takes_replies(&self) -> bool {
        // An alphanumeric sender is a name, not a number: nobody can write back to it.
        self.settings.from.starts_with('+') || self.settings.from.starts_with("MG")
    }

    /// The number that texts come from, where they come from one.
    pub(crate) fn number(&self) -> Option<&str> {
        Some(self.settings.from.as_str()).filter(|from| from.starts_with('+'))
    }

    pub(crate) fn paths(&self) -> &CallbackPaths {
        &self.paths
    }

    pub(crate) async fn send_text(
        &self,
        message: &Outgoing,
        to: &PhoneNumber,
        text: &str,
        when: When,
    ) -> Done {
        let text = request::text_of(message, text);
        let form = request::message_form(&self.settings, &self.paths, message, (to, &text));
        self.create("Messages.json", form, when).await
    }

    pub(crate) async fn call(&self, message: &Outgoing, to: &PhoneNumber, when: When) -> Done {
        let form = request::call_form(&self.settings, &self.paths, message, to);
        self.create("Calls.json", form, when).await
    }

    async fn create(&self, what: &str, form: String, when: When) -> Done {
        let bounds = Bounds { send_by: when.send_by, total: self.settings.limits.request };
        match request::create(&self.settings, &self.authorization, what, form) {
            Ok(request) => reply::classify(self.client.exchange(request, bounds).await, when.now),
            Err(error) => Done::misconfigured(format!("the request cannot be built: {error}")),
        }
    }

    /// Asks for one resource of the account; `Ok` with the body where the answer is 200.
    async fn get(&self, path_and_query: &str) -> Result<serde_json::Value, String> {
        let request = request::get(&self.settings, &self.authorization, path_and_query)
            .map_err(|error| error.to_string())?;
        let total = self.settings.limits.request;
        let bounds = Bounds { send_by: Instant::now() + total, total };
        match self.client.exchange(request, bounds).await {
            Reply::Answered(answer) if answer.status == 200 => {
                serde_json::from_slice(&answer.body).map_err(|error| error.to_string())
            }
            Reply::Answered(answer) => Err(reply::describe(&answer)),
            Reply::NotSent(why) | Reply::CutOff(why) => Err(why),
            Reply::Blocked | Reply::TooLate => Err("not asked".to_owned()),
        }
    }

    /// Asks for the account itself.
    pub(crate) async fn check(&self) -> Result<(), String> {
        let account = self.get(".json").await?;
        match account["status"].as_str() {
            Some("active") => Ok(()),
            Some(status) => Err(format!("the account is {status}")),
            None => Err("the answer is not an account".to_owned()),
        }
    }

    pub(crate) fn verify(&self, request: &CallbackRequest) -> Result<(), SignatureError> {
        signature::verify(&self.settings, self.paths.origin(), request)
    }
}
