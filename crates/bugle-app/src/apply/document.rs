//! The declarative file: a configuration in names instead of ids, as TOML or JSON.
//!
//! Users are named by mail address, everything else by its name, a target as `schedule:Payments`,
//! `user:lena@example.com` or `team:Platform`, a contact method as `sms:+4930123456`.

use bugle_domain::contact::{Channel, EmailAddress};
use bugle_domain::integration::{DEFAULT_QUOTA_PER_MINUTE, Dialect};
use bugle_domain::role::Role;
use bugle_domain::schedule::{Restriction, ShiftLength};
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use url::Url;

use super::FileFormat;
use crate::error::{Problem, problem};

/// A whole file. A section that is missing says nothing about its kind.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Users, by mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<UserEntry>>,
    /// Teams, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<Vec<TeamEntry>>,
    /// Schedules, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedules: Option<Vec<ScheduleEntry>>,
    /// Policies, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<PolicyEntry>>,
    /// Services, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<ServiceEntry>>,
    /// Integrations, by name. Keys are never in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrations: Option<Vec<IntegrationEntry>>,
    /// Status pages, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_pages: Option<Vec<StatusPageEntry>>,
}

/// A user.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserEntry {
    /// Names the user.
    pub email: EmailAddress,
    /// Full name.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// IANA name; missing: the tenant's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// A disabled user can't sign in and is never paged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// Contact methods; missing: they stay as they are. New ones must be proven by their owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<MethodEntry>>,
    /// Notification rules; missing: they stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<RulesEntry>,
}

/// A contact method of a user.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodEntry {
    /// What its owner calls it.
    pub name: String,
    /// Which way.
    pub channel: Channel,
    /// Where to.
    pub address: String,
}

/// Notification rules of a user.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesEntry {
    /// For critical and high alerts; empty: the defaults.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urgent: Vec<RuleEntry>,
    /// For medium and low alerts; empty: the defaults.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub normal: Vec<RuleEntry>,
}

/// One rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleEntry {
    /// Seconds after the level began.
    pub delay_s: u32,
    /// By which method: `sms:+4930123456`.
    pub method: String,
}

/// A team.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamEntry {
    /// Names the team.
    pub name: String,
    /// Members, by mail address.
    #[serde(default)]
    pub members: Vec<String>,
}

/// A schedule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleEntry {
    /// Names the schedule.
    pub name: String,
    /// IANA name; missing: the tenant's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Rotations; where two are active, the later counts.
    #[serde(default)]
    pub layers: Vec<LayerEntry>,
}

/// A rotation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerEntry {
    /// What it is called.
    pub name: String,
    /// Who takes turns, by mail address.
    pub participants: Vec<String>,
    /// Local date and time of the first handoff.
    pub start: DateTime,
    /// How long one turn lasts.
    pub length: ShiftLength,
    /// Parts of the week in which it is active; empty: always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restrictions: Vec<Restriction>,
}

/// A policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyEntry {
    /// Names the policy.
    pub name: String,
    /// How often the whole is gone through again.
    #[serde(default)]
    pub repeat: u8,
    /// The steps, first to last.
    pub levels: Vec<LevelEntry>,
}

/// One step of a policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelEntry {
    /// Who is told: `schedule:…`, `user:…`, `team:…`.
    pub targets: Vec<String>,
    /// Seconds to wait for an answer.
    pub delay_s: u32,
}

/// A service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceEntry {
    /// Names the service.
    pub name: String,
    /// Its policy, by name; missing: the tenant's fallback policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Its team, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where the steps to mend it are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook_url: Option<Url>,
}

/// A status page.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusPageEntry {
    /// Names the page; the public reads it.
    pub name: String,
    /// What is on it, in order.
    pub services: Vec<PublicServiceEntry>,
    /// Whether a service is as bad as its open alerts say; missing: it is.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub follow_alerts: bool,
    /// Whether it is public; missing: it is.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub enabled: bool,
}

/// A service on a status page.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicServiceEntry {
    /// The service, by name.
    pub service: String,
    /// What the public calls it; missing: its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

fn yes() -> bool {
    true
}

/// An integration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntegrationEntry {
    /// Names the integration.
    pub name: String,
    /// What its senders speak.
    pub dialect: Dialect,
    /// Where its events belong, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Events it may send in a minute.
    #[serde(default = "default_quota")]
    pub quota_per_minute: u32,
    /// A disabled integration refuses events.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
}

fn default_quota() -> u32 {
    DEFAULT_QUOTA_PER_MINUTE
}

/// Reads a file.
///
/// # Errors
///
/// The first place that can't be read, with its line.
pub fn parse(text: &str, format: FileFormat) -> Result<Document, Vec<Problem>> {
    match format {
        FileFormat::Toml => toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let line = text.get(..offset).unwrap_or("").matches('\n').count() + 1;
            vec![problem("", "syntax", format!("line {line}: {}", error.message()))]
        }),
        FileFormat::Json => serde_json::from_str(text)
            .map_err(|error| vec![problem("", "syntax", error.to_string())]),
    }
}

/// Writes a file.
pub fn write(document: &Document, format: FileFormat) -> String {
    let written = match format {
        FileFormat::Toml => toml::to_string_pretty(document).ok(),
        FileFormat::Json => serde_json::to_string_pretty(document).ok(),
    };
    // Only maps with keys that are not text fail to be written, and there is none.
    written.unwrap_or_default()
}
