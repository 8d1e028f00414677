//! What a caller says an object shall be: the object without what we decide (its id, key, proof).

use bugle_domain::contact::EmailAddress;
use bugle_domain::integration::{DEFAULT_QUOTA_PER_MINUTE, Dialect};
use bugle_domain::policy::Level;
use bugle_domain::role::Role;
use bugle_domain::schedule::Layer;
use bugle_domain::status_page::PublicService;
use bugle_domain::{PolicyId, ScheduleId, ServiceId, TeamId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

/// A user as wanted. Contact methods and rules are changed on their own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserDraft {
    /// Full name.
    pub name: String,
    /// For signing in.
    pub email: EmailAddress,
    /// What the user may do.
    pub role: Role,
    /// IANA name of the zone that times are shown in; empty: the tenant's.
    #[serde(default)]
    pub time_zone: String,
    /// A disabled user can't sign in and is never paged.
    #[serde(default)]
    pub disabled: bool,
}

/// A team as wanted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamDraft {
    /// Unique in the tenant.
    pub name: String,
    /// Who belongs to it.
    #[serde(default)]
    pub members: Vec<UserId>,
}

/// A schedule as wanted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleDraft {
    /// Unique in the tenant.
    pub name: String,
    /// IANA name of the zone its local times are in; empty: the tenant's.
    #[serde(default)]
    pub time_zone: String,
    /// Rotations; where two are active, the later in the list counts.
    #[serde(default)]
    pub layers: Vec<Layer>,
}

/// An override as wanted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideDraft {
    /// Which schedule it covers.
    pub schedule: ScheduleId,
    /// Who is on call instead. `None`: nobody, on purpose.
    pub user: Option<UserId>,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// A policy as wanted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyDraft {
    /// Unique in the tenant.
    pub name: String,
    /// The steps, first to last.
    pub levels: Vec<Level>,
    /// How often the whole is gone through again.
    #[serde(default)]
    pub repeat: u8,
}

/// A service as wanted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceDraft {
    /// Unique in the tenant.
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

/// An integration as wanted. Its key is set on its own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntegrationDraft {
    /// Unique in the tenant.
    pub name: String,
    /// What its senders speak.
    pub dialect: Dialect,
    /// Where its events belong. `None`: the tenant's fallback policy is told.
    #[serde(default)]
    pub service: Option<ServiceId>,
    /// Events it may send in a minute.
    #[serde(default = "default_quota")]
    pub quota_per_minute: u32,
    /// A disabled integration refuses events.
    #[serde(default)]
    pub disabled: bool,
}

/// A status page as wanted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusPageDraft {
    /// Unique in the tenant.
    pub name: String,
    /// What is on it, in order.
    pub services: Vec<PublicService>,
    /// Whether a service is as bad as its open alerts say.
    #[serde(default = "yes")]
    pub follow_alerts: bool,
    /// Whether it is public.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

fn default_quota() -> u32 {
    DEFAULT_QUOTA_PER_MINUTE
}
