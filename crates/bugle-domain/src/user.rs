//! Users, teams and notification rules.

use serde::{Deserialize, Serialize};

use crate::contact::EmailAddress;
use crate::ids::{MethodId, TeamId, UserId};
use crate::role::Role;
use crate::severity::Urgency;

/// Most notification rules of one user for one urgency.
pub const MAX_RULES: usize = 20;
/// Longest delay of a notification rule, in seconds: one day.
pub const MAX_RULE_DELAY_S: u32 = 86_400;

/// One step of how a person is told: by this method, after this delay.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct NotificationRule {
    /// Seconds after the escalation level began, 0–86,400.
    pub delay_s: u32,
    /// By which of the user's contact methods.
    pub method: MethodId,
}

/// How a person wants to be told, by urgency.
///
/// Empty rules mean the defaults of `bugle_engine::rules`, which ring a phone within a minute for
/// urgent alerts.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct NotificationRules {
    /// For critical and high alerts.
    #[serde(default)]
    pub urgent: Vec<NotificationRule>,
    /// For medium and low alerts.
    #[serde(default)]
    pub normal: Vec<NotificationRule>,
}

impl NotificationRules {
    /// The rules for `urgency`.
    pub fn of(&self, urgency: Urgency) -> &[NotificationRule] {
        match urgency {
            Urgency::Urgent => &self.urgent,
            Urgency::Normal => &self.normal,
        }
    }
}

/// A person who can be told and who can act.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// Full name, 1–120 characters.
    pub name: String,
    /// For signing in, and unique in the installation.
    pub email: EmailAddress,
    /// What the user may do.
    pub role: Role,
    /// IANA name of the zone that times are shown in.
    pub time_zone: String,
    /// How the user is told.
    #[serde(default)]
    pub rules: NotificationRules,
    /// A disabled user can't sign in and is never paged.
    #[serde(default)]
    pub disabled: bool,
}

impl User {
    /// The first word of the name, as people call each other: "Priya".
    pub fn first_name(&self) -> &str {
        self.name.split_whitespace().next().unwrap_or(&self.name)
    }
}

/// A group of users that can be told at once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Team {
    /// The team's id.
    pub id: TeamId,
    /// Unique in the tenant, 1–120 characters.
    pub name: String,
    /// Who belongs to it, in order of joining.
    #[serde(default)]
    pub members: Vec<UserId>,
}
