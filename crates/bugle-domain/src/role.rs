//! Roles: what a person or a key may do.

use serde::{Deserialize, Serialize};

/// What somebody may do within one tenant, least first. The operator stands above tenants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, answers alerts, covers own shifts, changes own contact methods and rules.
    Responder,
    /// Also edits schedules, policies, services, integrations and teams.
    Manager,
    /// Also users, roles, API keys and the tenant's settings.
    Admin,
}

impl Role {
    /// All roles, least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Responder, Self::Manager, Self::Admin];

    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Responder => "responder",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}
