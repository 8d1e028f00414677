//! Small requests of the watch: its canaries, a look at a server from outside, a sign of life.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Method, Request, Uri};
use tokio::time::Instant;
use url::Url;

use crate::channels::SetupError;
use crate::http::{Bounds, Client, Reply};
use crate::roots::Roots;
use crate::webhook::AGENT;

/// Asks, with short time-outs, where the operator says.
#[derive(Clone, Debug)]
pub struct Probe {
    client: Client,
    limit: Duration,
}

/// What was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Probed {
    /// The HTTP status.
    pub status: u16,
    /// The body, as far as it was read (64 KiB).
    pub body: Bytes,
}

impl Probed {
    /// Whether the status is a success.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Probe {
    /// Believes `roots` beside the public authorities; gives up on a connection, and on a whole
    /// request, after `limit`.
    ///
    /// # Errors
    ///
    /// TLS cannot be used.
    pub fn new(limit: Duration, roots: &Roots) -> Result<Self, SetupError> {
        Ok(Self { client: Client::new(None, limit, roots)?, limit })
    }

    /// The same connections, with another limit on a whole request.
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Gets `url`; `key` goes along as a bearer token.
    ///
    /// # Errors
    ///
    /// Why there is no answer, in words.
    pub async fn get(&self, url: &Url, key: Option<&str>) -> Result<Probed, String> {
        self.ask(Method::GET, url, key, Bytes::new()).await
    }

    /// Posts JSON to `url`; `key` goes along as a bearer token.
    ///
    /// # Errors
    ///
    /// Why there is no answer, in words.
    pub async fn post(&self, url: &Url, key: Option<&str>, body: Bytes) -> Result<Probed, String> {
        self.ask(Method::POST, url, key, body).await
    }

    async fn ask(
        &self,
        method: Method,
        url: &Url,
        key: Option<&str>,
        body: Bytes,
    ) -> Result<Probed, String> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = Uri::try_from(url.as_str()).map_err(|error| error.to_string())?;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = key {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
                .map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let bounds = Bounds { send_by: Instant::now() + self.limit, total: self.limit };
        match self.client.exchange(request, bounds).await {
            Reply::Answered(answer) => Ok(Probed { status: answer.status, body: answer.body }),
            Reply::NotSent(why) | Reply::CutOff(why) => Err(why),
            Reply::TooLate => Err("no connection in time".to_owned()),
            Reply::Blocked => Err("the address may not be asked".to_owned()),
        }
    }
}
