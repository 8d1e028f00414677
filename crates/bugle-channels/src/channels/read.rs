//! Reads what lies elsewhere, by the rules of webhooks.

use bytes::Bytes;
use url::Url;

use super::Channels;
use crate::provider::Driver;

impl Channels {
    /// Reads what is at `url`, at most 64 KiB, where webhooks may lead.
    ///
    /// # Errors
    ///
    /// Why it can't be read, in words.
    pub async fn read(&self, url: &Url) -> Result<Bytes, String> {
        match self.0.webhook.first().map(|provider| &provider.driver) {
            Some(Driver::Webhook(webhook)) => webhook.read(url).await,
            Some(_) | None => Err("there is nothing to read it with".to_owned()),
        }
    }
}
