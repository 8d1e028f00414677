//! The API of a node, as any program uses it.

use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::Value;

use super::error::DrillError;

/// An API and a key to it.
#[derive(Clone, Debug)]
pub(super) struct Api {
    http: reqwest::Client,
    base: String,
    key: String,
}

/// The books, as far as they matter here.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Sums {
    /// Events.
    pub accepted: u64,
    /// Events without an outcome.
    pub pending: u64,
    /// Notifications.
    pub owed: u64,
    /// Notifications that wait.
    pub waiting: u64,
    /// Notifications in somebody's hands.
    pub sending: u64,
    /// How far the events are out.
    pub event_difference: i64,
    /// How far the notifications are out.
    pub notification_difference: i64,
}

impl Sums {
    /// Nothing waits that could be done, and both sums come out.
    pub(super) fn is_settled(&self) -> bool {
        self.pending == 0 && self.waiting == 0 && self.sending == 0 && self.is_balanced()
    }

    fn is_balanced(&self) -> bool {
        self.event_difference == 0 && self.notification_difference == 0
    }

    /// What waits, and by how much the sums are out.
    pub(super) fn missing(&self) -> u64 {
        let out =
            self.event_difference.unsigned_abs() + self.notification_difference.unsigned_abs();
        self.pending + self.waiting + self.sending + out
    }
}

impl Api {
    /// The API at `address`, with a key.
    pub(super) fn new(http: reqwest::Client, address: SocketAddr, key: String) -> Self {
        Self { http, base: format!("http://{address}"), key }
    }

    /// The same with another key.
    pub(super) fn with_key(&self, key: String) -> Self {
        Self { key, ..self.clone() }
    }

    /// Reads a resource.
    ///
    /// # Errors
    ///
    /// There is no answer, or another one than 2xx.
    pub(super) async fn get(&self, path: &str) -> Result<Value, DrillError> {
        let request = self.http.get(format!("{}{path}", self.base));
        let request = request.header(reqwest::header::ACCEPT, "application/json");
        answered(path, request.bearer_auth(&self.key)).await
    }

    /// Posts something.
    ///
    /// # Errors
    ///
    /// There is no answer, or another one than 2xx.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, DrillError> {
        let request = self.http.post(format!("{}{path}", self.base));
        answered(path, request.bearer_auth(&self.key).json(body)).await
    }

    /// Puts something in the place of what is there.
    ///
    /// # Errors
    ///
    /// See [`Self::get`].
    pub(super) async fn put(&self, path: &str, body: &Value) -> Result<Value, DrillError> {
        let request = self.http.put(format!("{}{path}", self.base));
        answered(path, request.bearer_auth(&self.key).json(body)).await
    }

    /// Deletes something.
    ///
    /// # Errors
    ///
    /// See [`Self::get`].
    pub(super) async fn delete(&self, path: &str) -> Result<Value, DrillError> {
        let request = self.http.delete(format!("{}{path}", self.base));
        answered(path, request.bearer_auth(&self.key)).await
    }

    /// The books of all tenants.
    ///
    /// # Errors
    ///
    /// See [`Self::get`].
    pub(super) async fn sums(&self) -> Result<Sums, DrillError> {
        let ledger = self.get("/api/v1/ledger?all=1").await?;
        serde_json::from_value(ledger["total"].clone())
            .map_err(|error| DrillError::Node(format!("{error} in {ledger}")))
    }
}

/// What was said where something was refused by its caller's fault; `None`: it was done.
///
/// # Errors
///
/// There is no answer, or it is no fault of the caller's.
pub(super) fn refusal(answer: Result<Value, DrillError>) -> Result<Option<String>, DrillError> {
    match answer {
        Ok(_) => Ok(None),
        Err(DrillError::Answer { status: 400..=499, said, .. }) => {
            let problem: Value = serde_json::from_str(&said).unwrap_or_default();
            Ok(Some(problem["detail"].as_str().unwrap_or(&said).to_owned()))
        }
        Err(error) => Err(error),
    }
}

async fn answered(path: &str, request: reqwest::RequestBuilder) -> Result<Value, DrillError> {
    let answer = request.send().await?;
    let status = answer.status();
    let retry_after = answer.headers().get(reqwest::header::RETRY_AFTER);
    let retry_after_s = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
    let said = answer.text().await?;
    if !status.is_success() {
        let (asked, status) = (path.to_owned(), status.as_u16());
        return Err(DrillError::Answer { asked, status, retry_after_s, said });
    }
    Ok(serde_json::from_str(&said).unwrap_or(Value::Null))
}
