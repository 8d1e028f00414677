//! The API as the command line uses it: over HTTP, like any other program.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::failure::{Chain, Failure, Reason};

/// For a connection to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// For a whole request.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// Most bytes of an answer that are read.
const MAX_ANSWER_BYTES: usize = 32 * 1_024 * 1_024;

/// A server, and the key to it.
pub struct Client {
    http: reqwest::Client,
    server: Url,
    key: Option<SecretString>,
}

/// What an error answer says (RFC 9457).
#[derive(Deserialize, Default)]
struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    instance: String,
    #[serde(default)]
    errors: Vec<FieldProblem>,
}

/// What is wrong with one field.
#[derive(Deserialize)]
struct FieldProblem {
    #[serde(default)]
    pointer: String,
    #[serde(default)]
    message: String,
}

impl Client {
    /// A client of `server`.
    ///
    /// # Errors
    ///
    /// The system's certificates can't be read.
    pub fn new(server: Url, key: Option<SecretString>) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_LIMIT)
            .timeout(REQUEST_LIMIT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("bugle-cli/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Failure::because("no HTTP client", &error))?;
        Ok(Self { http, server, key })
    }

    /// Where the server is.
    pub fn server(&self) -> &Url {
        &self.server
    }

    /// Whether it has a key to show.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Reads a resource.
    ///
    /// # Errors
    ///
    /// See [`Self::send`].
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let request = self.request(Method::GET, path)?.query(query);
        let request = request.header("accept", "application/json");
        decode(&self.send(request).await?)
    }

    /// Reads a resource that is text, of a media type.
    ///
    /// # Errors
    ///
    /// See [`Self::send`].
    pub async fn get_text(&self, path: &str, media_type: &str) -> Result<String, Failure> {
        let request = self.request(Method::GET, path)?.header("accept", media_type);
        let bytes = self.send(request).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Posts JSON.
    ///
    /// # Errors
    ///
    /// See [`Self::send`].
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, Failure> {
        decode(&self.send(self.request(Method::POST, path)?.json(body)).await?)
    }

    /// Deletes a resource.
    ///
    /// # Errors
    ///
    /// See [`Self::send`].
    pub async fn delete(&self, path: &str) -> Result<(), Failure> {
        self.send(self.request(Method::DELETE, path)?).await.map(drop)
    }

    /// Posts a text of some media type.
    ///
    /// # Errors
    ///
    /// See [`Self::send`].
    pub async fn post_text<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        media_type: &str,
        text: String,
    ) -> Result<T, Failure> {
        let request = self.request(Method::POST, path)?.query(query);
        decode(&self.send(request.header("content-type", media_type).body(text)).await?)
    }

    fn request(&self, method: Method, path: &str) -> Result<reqwest::RequestBuilder, Failure> {
        let base = self.server.as_str().trim_end_matches('/');
        let url: Url = format!("{base}{path}")
            .parse()
            .map_err(|error| Failure::because("the server's address is wrong", &error))?;
        let request = self.http.request(method, url).header("bugle-client", "cli");
        Ok(match &self.key {
            Some(key) => request.bearer_auth(key.expose_secret()),
            None => request,
        })
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    ///
    /// No server answers there, or it says no; the exit code follows from its status.
    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, Failure> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let mut response = response;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(Failure::new(Reason::Failed, "The answer is too large."));
            }
            bytes.extend_from_slice(&chunk);
        }
        if status.is_success() { Ok(bytes) } else { Err(refusal(status, &bytes)) }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let message = format!("No answer from {}: {}.", self.server, Chain(error));
        Failure::new(Reason::Failed, message)
            .with_hint("bugle doctor, or name another server with --server")
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let bytes = if bytes.is_empty() { b"null" } else { bytes };
    serde_json::from_slice(bytes).map_err(not_understood)
}

/// What is said of an answer that is not what this version knows.
pub(crate) fn not_understood(error: serde_json::Error) -> Failure {
    Failure::because("the server's answer is not understood", &error)
}

fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let said = [problem.detail.as_str(), problem.title.as_str(), status.as_str()]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    let mut message = sentence(said);
    for error in &problem.errors {
        message = format!("{message}\n  {}: {}", error.pointer, error.message);
    }
    if status.is_server_error() && !problem.instance.is_empty() {
        message = format!("{message} (request {})", problem.instance);
    }
    let reason = match status.as_u16() {
        401 => Reason::Login,
        404 => Reason::NotFound,
        403 | 409 | 412 | 429 => Reason::Refused,
        400 | 405 | 413 | 415 | 422 => Reason::Usage,
        _ => Reason::Failed,
    };
    let failure = Failure::new(reason, message);
    if reason == Reason::Login { failure.with_hint("bugle login") } else { failure }
}

/// Begins with a capital and ends with a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_becomes_a_sentence_and_an_exit_code() {
        let body = br#"{"title":"not found","detail":"there is no alert #9","status":404}"#;
        let failure = refusal(StatusCode::NOT_FOUND, body);
        assert_eq!(failure.reason, Reason::NotFound);
        assert_eq!(failure.message, "There is no alert #9.");
    }

    #[test]
    fn an_answer_of_something_else_is_still_told() {
        let failure = refusal(StatusCode::BAD_GATEWAY, b"<html>");
        assert_eq!((failure.reason, failure.message.as_str()), (Reason::Failed, "502."));
    }

    #[test]
    fn wrong_fields_are_listed() {
        let body = br#"{"detail":"2 fields are wrong","errors":[{"pointer":"/name","message":"is empty"}]}"#;
        let failure = refusal(StatusCode::UNPROCESSABLE_ENTITY, body);
        assert_eq!(failure.message, "2 fields are wrong.\n  /name: is empty");
        assert_eq!(failure.reason.code(), 2);
    }
}
