//! Escalation policies: who is told, in what order, how long between.

use serde::{Deserialize, Serialize};

use crate::ids::{PolicyId, ScheduleId, TeamId, UserId};

/// Most levels of one policy.
pub const MAX_LEVELS: usize = 20;
/// Most targets of one level.
pub const MAX_TARGETS: usize = 20;
/// Most repeats of a whole policy.
pub const MAX_REPEATS: u8 = 9;
/// Shortest and longest delay after a level, in seconds.
pub const LEVEL_DELAY_S: std::ops::RangeInclusive<u32> = 10..=86_400;

/// Somebody to tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "lowercase")]
pub enum Target {
    /// One person.
    User(UserId),
    /// Whoever is on call there when the level begins.
    Schedule(ScheduleId),
    /// Every member.
    Team(TeamId),
}

/// One step of a policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Level {
    /// Who is told, all at once. 1–20.
    pub targets: Vec<Target>,
    /// How long to wait for an answer before the next level, in seconds, 10–86,400.
    pub delay_s: u32,
}

/// Who is told, in what order, how long between.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// The policy's id.
    pub id: PolicyId,
    /// Unique in the tenant, 1–120 characters.
    pub name: String,
    /// The steps, first to last. 1–20.
    pub levels: Vec<Level>,
    /// How often the whole is gone through again when nobody answers, 0–9. After that the tenant's
    /// fallback policy is told.
    #[serde(default)]
    pub repeat: u8,
}
