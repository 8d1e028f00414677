//! Schedules: who is on call when, as rules in local time.
//!
//! A rule is a civil time beside an IANA zone name; it is resolved when used (`bugle_engine::
//! schedule`), never stored as an offset.

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use serde::{Deserialize, Serialize};

use crate::ids::{OverrideId, ScheduleId, UserId};

/// Most layers of one schedule.
pub const MAX_LAYERS: usize = 20;
/// Most participants of one layer.
pub const MAX_PARTICIPANTS: usize = 100;
/// Most restrictions of one layer.
pub const MAX_RESTRICTIONS: usize = 20;

/// How long one turn lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "unit", content = "count", rename_all = "lowercase")]
pub enum ShiftLength {
    /// This many hours of real time, 1–720.
    Hours(u16),
    /// This many days, from handoff time to handoff time on the wall clock, 1–365.
    Days(u16),
    /// This many weeks, likewise, 1–52.
    Weeks(u16),
}

/// A part of the week in which a layer is active, in the schedule's zone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Restriction {
    /// Days it begins on: 1 = Monday … 7 = Sunday. Empty: every day.
    #[serde(default)]
    pub weekdays: Vec<u8>,
    /// Wall-clock time it begins.
    pub from: Time,
    /// Wall-clock time it ends; at or before `from` means on the next day (equal: 24 hours).
    pub to: Time,
}

/// A rotation: people who take turns.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Layer {
    /// What it is called, such as "weekdays".
    pub name: String,
    /// Who takes turns, in order. 1–100.
    pub participants: Vec<UserId>,
    /// Local date and time of the first handoff; its time of day is the handoff time. Before it the
    /// layer has nobody.
    pub start: DateTime,
    /// How long one turn lasts.
    pub length: ShiftLength,
    /// Parts of the week in which the layer is active. Empty: always.
    #[serde(default)]
    pub restrictions: Vec<Restriction>,
}

/// Who is on call when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Schedule {
    /// The schedule's id.
    pub id: ScheduleId,
    /// Unique in the tenant, 1–120 characters.
    pub name: String,
    /// IANA name of the zone its local times are in.
    pub time_zone: String,
    /// Rotations; where two are active, the later in the list counts. 0–20.
    pub layers: Vec<Layer>,
}

/// A cover: somebody else is on call for a while.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Override {
    /// The override's id.
    pub id: OverrideId,
    /// Which schedule it covers.
    pub schedule: ScheduleId,
    /// Who is on call instead. `None`: nobody, on purpose.
    pub user: Option<UserId>,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends; later than `from`.
    pub until: Timestamp,
    /// Why, in the words of whoever made it.
    #[serde(default)]
    pub reason: String,
}

/// One stretch of the result: somebody is on call, without a break.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shift {
    /// Who.
    pub user: UserId,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The override it comes from, if it does.
    pub by_override: Option<OverrideId>,
    /// Index of the layer it comes from, if it does.
    pub layer: Option<usize>,
}

/// A stretch in which nobody is on call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Gap {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}
