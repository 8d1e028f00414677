//! Status pages of tenants: which of their services the public sees, and under which names.

use serde::{Deserialize, Serialize};

use crate::ids::{ServiceId, StatusPageId};

/// Most pages of one tenant: one for each kind of reader, not one for each reader.
pub const MAX_STATUS_PAGES: usize = 50;
/// Most services on one page.
pub const MAX_PUBLIC_SERVICES: usize = 30;

/// A page on which a tenant tells the public how its services do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StatusPage {
    /// The page's id, which is its address as well.
    pub id: StatusPageId,
    /// Whose page it is, as the public reads it. Unique in the tenant, 1–120 characters.
    pub name: String,
    /// What is on it, in the order that is shown: 1–30, each once.
    pub services: Vec<PublicService>,
    /// Whether a service is as bad as its open alerts say. `false`: as bad as bulletins say.
    #[serde(default = "yes")]
    pub follow_alerts: bool,
    /// Whether it is public. `false`: there is no file of it.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// A service as the public knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PublicService {
    /// Which.
    pub service: ServiceId,
    /// What the public calls it, 1–120 characters. `None`: its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

fn yes() -> bool {
    true
}
