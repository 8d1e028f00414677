//! From a level's targets to people: who is told now, and which targets reach nobody, and why.

use std::collections::BTreeMap;

use bugle_domain::alert::{Missed, Told, Unreachable};
use bugle_domain::object::Directory;
use bugle_domain::policy::Target;
use bugle_domain::{ScheduleId, TeamId, UserId};
use jiff::Timestamp;

use crate::{rules, schedule};

/// Who is told, and who can't be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resolved {
    /// Each person once, by the first way that led to them; owed nothing yet.
    pub told: Vec<Told>,
    /// Targets, and members of teams, that reached nobody.
    pub missed: Vec<Missed>,
}

/// Who `targets` are at `at`. A user without a proven contact method is missed.
///
/// Urgency does not change who is reachable: whoever has a proven method is told of anything.
pub fn resolve(directory: &Directory, targets: &[Target], at: Timestamp) -> Resolved {
    Lookup::new(directory, at).resolve(targets)
}

/// A configuration at one moment. Remembers who is on call, for a whole batch of decisions.
pub(crate) struct Lookup<'a> {
    pub(crate) directory: &'a Directory,
    at: Timestamp,
    on_call: BTreeMap<ScheduleId, Option<UserId>>,
}

impl<'a> Lookup<'a> {
    pub(crate) fn new(directory: &'a Directory, at: Timestamp) -> Self {
        Self { directory, at, on_call: BTreeMap::new() }
    }

    pub(crate) fn resolve(&mut self, targets: &[Target]) -> Resolved {
        let mut resolved = Resolved::default();
        for target in targets {
            match *target {
                Target::User(id) => self.person(&mut resolved, *target, id, Way::default()),
                Target::Schedule(id) => self.schedule(&mut resolved, *target, id),
                Target::Team(id) => self.team(&mut resolved, *target, id),
            }
        }
        resolved
    }

    fn schedule(&mut self, resolved: &mut Resolved, target: Target, id: ScheduleId) {
        let Some(found) = self.directory.schedules.get(&id) else {
            return miss(resolved, target, "a removed schedule", Unreachable::Gone);
        };
        let overrides = self.directory.overrides_of.get(&id).map_or(&[][..], Vec::as_slice);
        let at = self.at;
        // A zone that does not exist can't be saved; where it is met all the same, nobody is on
        // call, and the next level is told.
        let look = || schedule::holder(found, overrides, at).unwrap_or(None);
        match *self.on_call.entry(id).or_insert_with(look) {
            Some(user) => {
                let way = Way { schedule: Some((id, &found.name)), team: None };
                self.person(resolved, target, user, way);
            }
            None => miss(resolved, target, &found.name, Unreachable::Gap),
        }
    }

    fn team(&self, resolved: &mut Resolved, target: Target, id: TeamId) {
        let Some(team) = self.directory.teams.get(&id) else {
            return miss(resolved, target, "a removed team", Unreachable::Gone);
        };
        if team.members.is_empty() {
            return miss(resolved, target, &team.name, Unreachable::EmptyTeam);
        }
        for member in &team.members {
            let way = Way { schedule: None, team: Some((id, &team.name)) };
            self.person(resolved, Target::User(*member), *member, way);
        }
    }

    fn person(&self, resolved: &mut Resolved, target: Target, id: UserId, way: Way<'_>) {
        let Some(user) = self.directory.users.get(&id) else {
            return miss(resolved, target, "a removed user", Unreachable::Gone);
        };
        if user.disabled {
            return miss(resolved, target, &user.name, Unreachable::Disabled);
        }
        if !rules::reachable(self.directory, id) {
            return miss(resolved, target, &user.name, Unreachable::NoProvenMethod);
        }
        if resolved.told.iter().any(|told| told.user == id) {
            return;
        }
        resolved.told.push(Told {
            user: id,
            name: user.name.clone(),
            schedule: way.schedule.map(|(id, name)| (id, name.to_owned())),
            team: way.team.map(|(id, name)| (id, name.to_owned())),
            notifications: 0,
        });
    }
}

/// How a target leads to a person.
#[derive(Default)]
struct Way<'a> {
    schedule: Option<(ScheduleId, &'a str)>,
    team: Option<(TeamId, &'a str)>,
}

fn miss(resolved: &mut Resolved, target: Target, name: &str, why: Unreachable) {
    let missed = Missed { target, name: name.to_owned(), why };
    if !resolved.missed.contains(&missed) {
        resolved.missed.push(missed);
    }
}

#[cfg(test)]
mod tests;
