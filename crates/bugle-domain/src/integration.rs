//! Integrations: ways in for events.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{IntegrationId, ServiceId};
use crate::object::Directory;

/// Which language the senders of an integration speak.
///
/// The dialect of a request follows from the path it is posted to; that of an integration says
/// which snippet to show, and every key works on every path. So does every integration's address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// `POST /api/v1/events`.
    Native,
    /// PagerDuty Events v2: `POST /v2/enqueue` and `/v2/change/enqueue`.
    PagerdutyV2,
    /// PagerDuty Events v1: `POST /generic/2010-04-15/create_event.json`.
    PagerdutyV1,
    /// Alertmanager's webhook, version 4.
    AlertmanagerWebhook,
    /// Alertmanager's own API, as Prometheus, amtool and rulers post to it.
    AlertmanagerApi,
    /// Mail to the integration's own address.
    Email,
}

impl Dialect {
    /// All dialects there are.
    pub const ALL: [Self; 6] = [
        Self::Native,
        Self::PagerdutyV2,
        Self::PagerdutyV1,
        Self::AlertmanagerWebhook,
        Self::AlertmanagerApi,
        Self::Email,
    ];

    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::PagerdutyV2 => "pagerduty_v2",
            Self::PagerdutyV1 => "pagerduty_v1",
            Self::AlertmanagerWebhook => "alertmanager_webhook",
            Self::AlertmanagerApi => "alertmanager_api",
            Self::Email => "email",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == text)
    }
}

/// A way in for events: a key, a dialect, a default service.
///
/// The key itself is not here: only its SHA-256 is kept, in a table of its own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Integration {
    /// The integration's id.
    pub id: IntegrationId,
    /// Unique in the tenant, 1–120 characters.
    pub name: String,
    /// What its senders speak.
    pub dialect: Dialect,
    /// Where its events belong. `None`: no route, so the tenant's fallback policy is told.
    #[serde(default)]
    pub service: Option<ServiceId>,
    /// The first 4 characters of the key, to tell keys apart.
    #[serde(default)]
    pub key_hint: String,
    /// Events it may send in a minute, 1–1,000,000; over it, senders are asked to retry.
    #[serde(default = "default_quota")]
    pub quota_per_minute: u32,
    /// A disabled integration refuses events.
    #[serde(default)]
    pub disabled: bool,
}

impl IntegrationId {
    /// Bugle's own way in, in every tenant: what it has to say about itself. It has no key and no
    /// service, so the tenant's fallback policy is told.
    pub const OWN: Self = Self::from_stored(Uuid::nil());
}

/// What [`IntegrationId::OWN`] is called.
const OWN_NAME: &str = "Bugle itself";

impl Directory {
    /// What an integration is called; `None` for one that was removed.
    pub fn integration_name(&self, id: IntegrationId) -> Option<&str> {
        match self.integrations.get(&id) {
            Some(integration) => Some(&integration.name),
            None if id == IntegrationId::OWN => Some(OWN_NAME),
            None => None,
        }
    }
}

/// Events a minute that an integration may send where nothing else is said.
pub const DEFAULT_QUOTA_PER_MINUTE: u32 = 6_000;

fn default_quota() -> u32 {
    DEFAULT_QUOTA_PER_MINUTE
}
