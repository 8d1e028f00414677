//! Our own webhooks: signed by Standard Webhooks, to public addresses only.

pub(crate) mod reply;
pub(crate) mod signature;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Method, Request, Uri};
use jiff::Timestamp;
use secrecy::SecretString;
use url::Url;

use crate::channels::SetupError;
use crate::guard::TargetGuard;
use crate::http::{Bounds, Client, Reply};
use crate::message::{Outgoing, When};
use crate::provider::Done;
use crate::roots::Roots;
use crate::settings::{Limits, WebhookSettings};
use signature::Secret;

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
