//! Calls of Bugle's API, few and not hurried: one connection each.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::wire;

const LIMIT: Duration = Duration::from_secs(30);

/// Where the API is, and a key for it.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
}

impl Api {
    /// `GET`, which must succeed.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.call("GET", path, None).await
    }

    /// `POST`, which must succeed.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call("POST", path, Some(body)).await
    }

    /// `PUT`, which must succeed.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.call("PUT", path, Some(body)).await
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
             connection: close\r\naccept: application/json\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            self.key,
            body.len()
        );
        let answer = tokio::time::timeout(LIMIT, self.exchange(request.as_bytes())).await;
        let answer = answer.with_context(|| format!("{method} {path} had no answer in time"))??;
        let Some(message) = wire::message(&answer) else {
            bail!("{method} {path} had half an answer: {}", String::from_utf8_lossy(&answer));
        };
        let said = String::from_utf8_lossy(message.body);
        if !(200..300).contains(&message.status()) {
            bail!("{method} {path} was answered with {}: {said}", message.status());
        }
        if said.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&said).with_context(|| format!("{method} {path} answered {said}"))
    }

    async fn exchange(&self, request: &[u8]) -> Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(request).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(answer)
    }
}

/// A text of a JSON object, which must be there.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value.get(name).and_then(Value::as_str).with_context(|| format!("no `{name}` in {value}"))
}
