//! Services: what is broken, from the tenant's view.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::ids::{PolicyId, ServiceId, TeamId};

/// Something that can break.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Service {
    /// The service's id.
    pub id: ServiceId,
    /// Unique in the tenant, 1–120 characters.
    pub name: String,
    /// Who is told when it breaks. `None`: the tenant's fallback policy.
    #[serde(default)]
    pub policy: Option<PolicyId>,
    /// Whose it is.
    #[serde(default)]
    pub team: Option<TeamId>,
    /// What it is, in a sentence.
    #[serde(default)]
    pub description: String,
    /// Where the steps to mend it are written.
    #[serde(default)]
    pub runbook_url: Option<Url>,
}
