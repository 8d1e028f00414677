//! On call: who is now, who is next, all shifts in a window, and whether they can be reached.

use std::collections::BTreeMap;

use bugle_domain::contact::{Channel, ContactMethod};
use bugle_domain::object::Directory;
use bugle_domain::schedule::{Gap, Override, Schedule, Shift};
use bugle_domain::{OverrideId, ScheduleId, UserId};
use bugle_engine::{rules, schedule};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::app::App;
use crate::caller::Caller;
use crate::error::problem;
use crate::permission::Permission;
use crate::reading::ReadError;

/// Longest window of shifts, in days.
pub const MAX_WINDOW_DAYS: i64 = 400;
/// How far to both sides the ends of the current shift are looked for.
const LOOK_DAYS: i64 = 190;

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

impl App {
    /// Who is on call in every schedule, by name.
    pub async fn on_call(&self, caller: &Caller) -> Result<Vec<OnCallNow>, ReadError> {
        caller.require(Permission::ReadConfiguration)?;
        let directory = self.directory(caller.scope).await?;
        let now = self.now();
        let mut schedules: Vec<&Schedule> = directory.schedules.values().collect();
        schedules.sort_by(|a, b| a.name.cmp(&b.name));
        schedules.into_iter().map(|schedule| now_of(&directory, schedule, now)).collect()
    }

    /// A schedule's result in a window of at most 400 days.
    pub async fn schedule_view(
        &self,
        caller: &Caller,
        id: ScheduleId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<ScheduleView, ReadError> {
        caller.require(Permission::ReadConfiguration)?;
        let directory = self.directory(caller.scope).await?;
        let schedule = directory.schedules.get(&id);
        let schedule =
            schedule.ok_or_else(|| ReadError::NotFound { what: "schedule", id: id.to_string() })?;
        let window = window(from, until)?;
        view_of(&directory, schedule, window, self.now())
    }

    /// What [`Self::schedule_view`] would say of a schedule that is not saved so.
    pub async fn schedule_preview(
        &self,
        caller: &Caller,
        schedule: &Schedule,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<ScheduleView, ReadError> {
        caller.require(Permission::ReadConfiguration)?;
        let directory = self.directory(caller.scope).await?;
        view_of(&directory, schedule, window(from, until)?, self.now())
    }
}

/// A window that is not empty and not too long.
fn window(from: Timestamp, until: Timestamp) -> Result<(Timestamp, Timestamp), ReadError> {
    if until <= from {
        return Err(ReadError::Invalid(vec![problem("/until", "order", "ends before it begins")]));
    }
    if until > days(from, MAX_WINDOW_DAYS) {
        let message = format!("ask for at most {MAX_WINDOW_DAYS} days");
        return Err(ReadError::Invalid(vec![problem("/until", "range", message)]));
    }
    Ok((from, until))
}

/// Who is on call in one schedule at `at`.
fn now_of(
    directory: &Directory,
    schedule: &Schedule,
    at: Timestamp,
) -> Result<OnCallNow, ReadError> {
    let covers = directory.overrides_of.get(&schedule.id).map_or(&[][..], Vec::as_slice);
    let (from, until) = (days(at, -LOOK_DAYS), days(at, LOOK_DAYS));
    let shifts = schedule::shifts(schedule, covers, from, until)?;
    let current = shifts.iter().find(|shift| shift.from <= at && at < shift.until);
    let (since, ends) = match current {
        Some(shift) => (shift.from, shift.until),
        None => (
            shifts.iter().rev().find(|it| it.until <= at).map_or(from, |it| it.until),
            shifts.iter().find(|it| at < it.from).map_or(until, |it| it.from),
        ),
    };
    let follower = shifts.iter().find(|it| it.from == ends);
    let next = NextOnCall { user: follower.map(|it| person(directory, it.user)), at: ends };
    let reach = current.map(|shift| reach_of(directory, shift.user)).unwrap_or_default();
    Ok(OnCallNow {
        schedule: schedule.id,
        name: schedule.name.clone(),
        time_zone: schedule.time_zone.clone(),
        user: current.map(|shift| person(directory, shift.user)),
        from: (since > from).then_some(since),
        until: (ends < until).then_some(ends),
        by_override: current.and_then(|shift| shift.by_override),
        next: (ends < until).then_some(next),
        reachable: current.is_some_and(|shift| rules::reachable(directory, shift.user)),
        reach,
    })
}

/// A schedule's result in a window, with what it comes from.
fn view_of(
    directory: &Directory,
    schedule: &Schedule,
    (from, until): (Timestamp, Timestamp),
    at: Timestamp,
) -> Result<ScheduleView, ReadError> {
    let covers = directory.overrides_of.get(&schedule.id).map_or(&[][..], Vec::as_slice);
    let shifts = schedule::shifts(schedule, covers, from, until)?;
    let mut layers = Vec::with_capacity(schedule.layers.len());
    for (index, layer) in schedule.layers.iter().enumerate() {
        let turns = schedule::layer_shifts(schedule, index, from, until)?;
        layers.push((layer.name.clone(), turns));
    }
    let overrides: Vec<Override> =
        covers.iter().filter(|it| it.from < until && from < it.until).cloned().collect();
    let people = shifts.iter().chain(layers.iter().flat_map(|(_, turns)| turns));
    let people = people.map(|shift| shift.user).chain(overrides.iter().filter_map(|it| it.user));
    let names = people.map(|user| (user, directory.user_name(user).to_owned())).collect();
    Ok(ScheduleView {
        schedule: schedule.clone(),
        from,
        until,
        gaps: schedule::gaps(schedule, covers, from, until)?,
        now: now_of(directory, schedule, at)?,
        shifts,
        layers,
        overrides,
        names,
    })
}

fn person(directory: &Directory, user: UserId) -> Person {
    Person { id: user, name: directory.user_name(user).to_owned() }
}

/// How a person can be reached, oldest method first.
pub(crate) fn reach_of(directory: &Directory, user: UserId) -> Vec<Reach> {
    let reach = |method: &ContactMethod| Reach {
        channel: method.address.channel(),
        name: method.name.clone(),
        address: method.address.masked(),
        proven_at: method.proven_at,
    };
    directory.methods(user).map(reach).collect()
}

fn days(at: Timestamp, days: i64) -> Timestamp {
    let end = if days < 0 { Timestamp::MIN } else { Timestamp::MAX };
    at.saturating_add(SignedDuration::from_hours(days * 24)).unwrap_or(end)
}

#[cfg(test)]
mod tests;
