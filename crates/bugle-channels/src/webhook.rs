//! Our own webhooks: signed by Standard Webhooks, to public addresses only.

pub(crate) mod reply;
pub(crate) mod signature;

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Method, Request, Uri};
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::Instant;
use url::Url;

use crate::channels::SetupError;
use crate::guard::{Blocked, TargetGuard};
use crate::http::{Bounds, Client, Reply};
use crate::message::{Outgoing, When};
use crate::provider::Done;
use crate::roots::Roots;
use crate::settings::{Limits, WebhookSettings};
use signature::Secret;

/// For all of what is read from elsewhere.
const READ_LIMIT: Duration = Duration::from_secs(5);
/// How we name ourselves.
pub(crate) const AGENT: &str = concat!("Bugle/", env!("CARGO_PKG_VERSION"));

/// Posts to programs.
#[derive(Debug)]
pub(crate) struct Webhook {
    client: Client,
    /// Leads anywhere: for canaries alone.
    unguarded: Client,
    guard: TargetGuard,
    limits: Limits,
}

/// What is posted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payload<'a> {
    pub(crate) url: &'a Url,
    pub(crate) id: &'a str,
    pub(crate) body: &'a Bytes,
    pub(crate) secret: &'a SecretString,
}

impl Webhook {
    pub(crate) fn new(settings: WebhookSettings, roots: &Roots) -> Result<Self, SetupError> {
        let guard = TargetGuard::new(settings.allow);
        let client = Client::new(Some(guard.clone()), settings.limits.connect, roots)?;
        let unguarded = Client::new(None, settings.limits.connect, roots)?;
        Ok(Self { client, unguarded, guard, limits: settings.limits })
    }

    pub(crate) async fn send(&self, message: &Outgoing, payload: Payload<'_>, when: When) -> Done {
        if self.guard.check(payload.url).is_err() {
            return reply::classify(Reply::Blocked, when.now);
        }
        self.post(&self.client, message, payload, when).await
    }

    /// Sends a canary, wherever it leads.
    pub(crate) async fn send_unguarded(
        &self,
        message: &Outgoing,
        payload: Payload<'_>,
        when: When,
    ) -> Done {
        self.post(&self.unguarded, message, payload, when).await
    }

    /// Reads what is at `url`, where webhooks may lead.
    pub(crate) async fn read(&self, url: &Url) -> Result<Bytes, String> {
        self.guard.check(url).map_err(|error| error.to_string())?;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = Uri::try_from(url.as_str()).map_err(|error| error.to_string())?;
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let total = self.limits.request.min(READ_LIMIT);
        let bounds = Bounds { send_by: Instant::now() + total, total };
        match self.client.exchange(request, bounds).await {
            Reply::Answered(answer) if answer.status == 200 => Ok(answer.body),
            Reply::Answered(answer) => Err(format!("it answered with {}", answer.status)),
            Reply::NotSent(why) | Reply::CutOff(why) => Err(why),
            Reply::TooLate => Err("no connection in time".to_owned()),
            Reply::Blocked => Err(Blocked.to_string()),
        }
    }

    async fn post(
        &self,
        client: &Client,
        message: &Outgoing,
        payload: Payload<'_>,
        when: When,
    ) -> Done {
        let request = match request(message, payload, when.now) {
            Ok(request) => request,
            Err(why) => return Done::ours(why),
        };
        let bounds = Bounds { send_by: when.send_by, total: self.limits.request };
        reply::classify(client.exchange(request, bounds).await, when.now)
    }
}

/// Builds the request. Only the id and the secret can be at fault.
fn request(
    message: &Outgoing,
    payload: Payload<'_>,
    now: Timestamp,
) -> Result<Request<Bytes>, String> {
    let secret = Secret::parse(payload.secret).map_err(|error| error.to_string())?;
    let seconds = now.as_second();
    let signature = secret.sign(payload.id, seconds, payload.body);
    let uri = Uri::try_from(payload.url.as_str()).map_err(|error| error.to_string())?;
    let mut request = Request::new(payload.body.clone());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.reserve(6);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    let id = HeaderValue::from_str(payload.id).map_err(|error| error.to_string())?;
    headers.insert("webhook-id", id);
    headers.insert("webhook-timestamp", HeaderValue::from(seconds));
    let signature = HeaderValue::from_str(&signature).map_err(|error| error.to_string())?;
    headers.insert("webhook-signature", signature);
    if message.possible_repeat {
        headers.insert("bugle-possible-repeat", HeaderValue::from_static("true"));
    }
    Ok(request)
}

#[cfg(test)]
mod tests;
