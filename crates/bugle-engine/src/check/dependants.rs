//! Who uses an object.

use bugle_domain::object::{Directory, ObjectKind};
use bugle_domain::policy::Target;
use bugle_domain::status_page::StatusPage;
use uuid::Uuid;

type Found = (ObjectKind, Uuid, String);

/// Everything that names the object. What belongs to it and goes with it is not listed: a user's
/// contact methods, a schedule's overrides.
pub(super) fn find(kind: ObjectKind, id: Uuid, directory: &Directory) -> Vec<Found> {
    match kind {
        ObjectKind::User => of_user(id, directory),
        ObjectKind::Team => {
            let mut found = policies_telling(
                directory,
                |target| matches!(target, Target::Team(team) if team.as_uuid() == id),
            );
            let owned = directory.services.values();
            let owned = owned.filter(|it| it.team.is_some_and(|team| team.as_uuid() == id));
            found.extend(owned.map(|it| (ObjectKind::Service, it.id.as_uuid(), it.name.clone())));
            found
        }
        ObjectKind::Method => {
            let uses = |rule: &bugle_domain::user::NotificationRule| rule.method.as_uuid() == id;
            let users = directory.users.values();
            let users = users.filter(|it| it.rules.urgent.iter().chain(&it.rules.normal).any(uses));
            users.map(|it| (ObjectKind::User, it.id.as_uuid(), it.name.clone())).collect()
        }
        ObjectKind::Schedule => policies_telling(
            directory,
            |target| matches!(target, Target::Schedule(schedule) if schedule.as_uuid() == id),
        ),
        ObjectKind::Policy => of_policy(id, directory),
        ObjectKind::Service => {
            let fed = directory.integrations.values();
            let fed = fed.filter(|it| it.service.is_some_and(|service| service.as_uuid() == id));
            let fed = fed.map(|it| (ObjectKind::Integration, it.id.as_uuid(), it.name.clone()));
            fed.chain(pages_showing(id, directory)).collect()
        }
        ObjectKind::Override | ObjectKind::Integration | ObjectKind::StatusPage => Vec::new(),
    }
}

fn of_user(id: Uuid, directory: &Directory) -> Vec<Found> {
    let mut found = Vec::new();
    for team in directory.teams.values() {
        if team.members.iter().any(|member| member.as_uuid() == id) {
            found.push((ObjectKind::Team, team.id.as_uuid(), team.name.clone()));
        }
    }
    for schedule in directory.schedules.values() {
        let mut people = schedule.layers.iter().flat_map(|layer| &layer.participants);
        if people.any(|person| person.as_uuid() == id) {
            found.push((ObjectKind::Schedule, schedule.id.as_uuid(), schedule.name.clone()));
        }
        for cover in directory.overrides_of.get(&schedule.id).into_iter().flatten() {
            if cover.user.is_some_and(|user| user.as_uuid() == id) {
                let name = format!("cover in {}", schedule.name);
                found.push((ObjectKind::Override, cover.id.as_uuid(), name));
            }
        }
    }
    found.extend(policies_telling(
        directory,
        |target| matches!(target, Target::User(user) if user.as_uuid() == id),
    ));
    found
}

/// Services that follow it, and the tenant itself where it is the fallback; that one is listed as
/// the policy.
fn of_policy(id: Uuid, directory: &Directory) -> Vec<Found> {
    let following = directory.services.values();
    let following = following.filter(|it| it.policy.is_some_and(|policy| policy.as_uuid() == id));
    let mut found: Vec<Found> =
        following.map(|it| (ObjectKind::Service, it.id.as_uuid(), it.name.clone())).collect();
    if directory.tenant.fallback_policy.is_some_and(|policy| policy.as_uuid() == id) {
        found.push((ObjectKind::Policy, id, format!("fallback of {}", directory.tenant.name)));
    }
    found
}

fn pages_showing(service: Uuid, directory: &Directory) -> impl Iterator<Item = Found> {
    let shows =
        move |it: &&StatusPage| it.services.iter().any(|shown| shown.service.as_uuid() == service);
    let showing = directory.status_pages.values().filter(shows);
    showing.map(|it| (ObjectKind::StatusPage, it.id.as_uuid(), it.name.clone()))
}

fn policies_telling(directory: &Directory, tells: impl Fn(&Target) -> bool) -> Vec<Found> {
    let telling = directory
        .policies
        .values()
        .filter(|it| it.levels.iter().flat_map(|level| &level.targets).any(&tells));
    telling.map(|it| (ObjectKind::Policy, it.id.as_uuid(), it.name.clone())).collect()
}
