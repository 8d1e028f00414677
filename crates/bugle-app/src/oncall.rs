//! On call: who is now, who is next, all shifts in a window, and whether they can be reached.

use std::collections::BTreeMap;

use bugle_domain::contact::Channel;
use bugle_domain::schedule::{Gap, Override, Schedule, Shift};
use bugle_domain::{OverrideId, ScheduleId, UserId};
use jiff::Timestamp;
use serde::Serialize;

/// Longest window of shifts, in days.
pub const MAX_WINDOW_DAYS: i64 = 400;

/// A person, by name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: String,
}

/// Who is on call in one schedule now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OnCallNow {
    /// Which schedule.
    pub schedule: ScheduleId,
    /// Its name.
    pub name: String,
    /// Its zone.
    pub time_zone: String,
    /// Who; `None`: a gap.
    pub user: Option<Person>,
    /// Since when, for the person or the gap; `None`: for longer than we looked back.
    pub from: Option<Timestamp>,
    /// Until when; `None`: for longer than we looked ahead.
    pub until: Option<Timestamp>,
    /// By which override.
    pub by_override: Option<OverrideId>,
    /// Who follows, and when.
    pub next: Option<NextOnCall>,
    /// Whether the person has a proven method and is not disabled.
    pub reachable: bool,
    /// How they can be reached.
    pub reach: Vec<Reach>,
}

/// Who follows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NextOnCall {
    /// Who; `None`: a gap follows.
    pub user: Option<Person>,
    /// When.
    pub at: Timestamp,
}

/// One way a person can be reached, and since when that is proven.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reach {
    /// Which way.
    pub channel: Channel,
    /// What its owner calls it.
    pub name: String,
    /// Where it leads, mostly hidden.
    pub address: String,
    /// When its owner proved to receive there; `None`: never, so it is not used.
    pub proven_at: Option<Timestamp>,
}

/// A schedule's result in a window, and the layers it comes from.
#[derive(Clone, PartialEq, Debug)]
pub struct ScheduleView {
    /// The schedule.
    pub schedule: Schedule,
    /// Window's begin.
    pub from: Timestamp,
    /// Window's end.
    pub until: Timestamp,
    /// The result, in order.
    pub shifts: Vec<Shift>,
    /// Stretches without anybody.
    pub gaps: Vec<Gap>,
    /// Shifts of each layer alone, in the order of the layers, by name.
    pub layers: Vec<(String, Vec<Shift>)>,
    /// Overrides that touch the window.
    pub overrides: Vec<Override>,
    /// Names of everybody above.
    pub names: BTreeMap<UserId, String>,
    /// Who is on call now.
    pub now: OnCallNow,
}
