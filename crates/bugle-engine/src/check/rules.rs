//! The rules for each kind of object.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use bugle_domain::contact::ContactMethod;
use bugle_domain::integration::Integration;
use bugle_domain::object::{Directory, Object, ObjectKind};
use bugle_domain::policy::{LEVEL_DELAY_S, MAX_LEVELS, MAX_REPEATS, MAX_TARGETS, Policy, Target};
use bugle_domain::schedule::{
    Layer, MAX_LAYERS, MAX_PARTICIPANTS, MAX_RESTRICTIONS, Override, Schedule, ShiftLength,
};
use bugle_domain::service::Service;
use bugle_domain::status_page::{MAX_PUBLIC_SERVICES, MAX_STATUS_PAGES, StatusPage};
use bugle_domain::user::{MAX_RULE_DELAY_S, MAX_RULES, NotificationRule, Team, User};
use bugle_domain::{ServiceId, UserId};
use jiff::SignedDuration;

use super::Problem;
use crate::zone::{left_out, zone};

const NAME_CHARS: RangeInclusive<usize> = 1..=120;
const METHOD_NAME_CHARS: RangeInclusive<usize> = 1..=80;
const MAX_MEMBERS: usize = 500;
const MAX_TEXT_CHARS: usize = 2_000;
const QUOTA: RangeInclusive<u32> = 1..=1_000_000;
/// Years in which a rotation may begin.
const START_YEARS: RangeInclusive<i16> = 1970..=2199;
/// Longest time that one override covers.
const LONGEST_OVERRIDE: SignedDuration = SignedDuration::from_hours(366 * 24);

pub(super) fn check(object: &Object, directory: &Directory) -> Vec<Problem> {
    let mut list = List { problems: Vec::new(), directory };
    list.unique(object);
    match object {
        Object::User(user) => list.user(user),
        Object::Team(team) => list.team(team),
        Object::Method(method) => list.method(method),
        Object::Schedule(schedule) => list.schedule(schedule),
        Object::Override(cover) => list.cover(cover),
        Object::Policy(policy) => list.policy(policy),
        Object::Service(service) => list.service(service),
        Object::Integration(integration) => list.integration(integration),
        Object::StatusPage(page) => list.status_page(page),
    }
    list.problems
}

struct List<'a> {
    problems: Vec<Problem>,
    directory: &'a Directory,
}

impl List<'_> {
    fn add(&mut self, pointer: impl Into<String>, code: &'static str, message: String) {
        self.problems.push(Problem { pointer: pointer.into(), code, message });
    }

    fn user(&mut self, user: &User) {
        self.text("/name", &user.name, NAME_CHARS);
        self.zone("/time_zone", &user.time_zone);
        self.rules("/rules/urgent", user.id, &user.rules.urgent);
        self.rules("/rules/normal", user.id, &user.rules.normal);
    }

    fn rules(&mut self, pointer: &str, user: UserId, rules: &[NotificationRule]) {
        self.count(pointer, rules.len(), 0..=MAX_RULES);
        for (index, rule) in rules.iter().enumerate() {
            let pointer = format!("{pointer}/{index}");
            self.range(&format!("{pointer}/delay_s"), rule.delay_s, 0..=MAX_RULE_DELAY_S);
            let method = self.directory.methods.get(&rule.method);
            let own = method.is_some_and(|method| method.user == user);
            self.exists(&format!("{pointer}/method"), own, "contact method of this user");
        }
    }

    fn team(&mut self, team: &Team) {
        self.text("/name", &team.name, NAME_CHARS);
        self.count("/members", team.members.len(), 0..=MAX_MEMBERS);
        self.people("/members", &team.members);
        let once: BTreeSet<&UserId> = team.members.iter().collect();
        if once.len() < team.members.len() {
            let message = "a user is named more than once; name each once".to_owned();
            self.add("/members", "duplicate", message);
        }
    }

    fn method(&mut self, method: &ContactMethod) {
        self.text("/name", &method.name, METHOD_NAME_CHARS);
        self.exists("/user", self.directory.users.contains_key(&method.user), "user");
    }

    fn schedule(&mut self, schedule: &Schedule) {
        self.text("/name", &schedule.name, NAME_CHARS);
        self.zone("/time_zone", &schedule.time_zone);
        self.count("/layers", schedule.layers.len(), 0..=MAX_LAYERS);
        for (index, layer) in schedule.layers.iter().enumerate() {
            let pointer = format!("/layers/{index}");
            self.layer(&pointer, layer);
            self.handoff(&format!("{pointer}/start"), layer, &schedule.time_zone);
        }
    }

    /// The first handoff is at a time that the clocks show.
    fn handoff(&mut self, pointer: &str, layer: &Layer, zone_name: &str) {
        let Ok(zone) = zone(zone_name) else { return };
        if let Some(message) = left_out(&zone, layer.start) {
            self.add(pointer, "no_such_time", message);
        }
    }

    fn layer(&mut self, pointer: &str, layer: &Layer) {
        self.text(&format!("{pointer}/name"), &layer.name, NAME_CHARS);
        let people = format!("{pointer}/participants");
        self.count(&people, layer.participants.len(), 1..=MAX_PARTICIPANTS);
        self.people(&people, &layer.participants);
        self.range(&format!("{pointer}/start"), layer.start.year(), START_YEARS);
        let (count, most) = match layer.length {
            ShiftLength::Hours(count) => (count, 720),
            ShiftLength::Days(count) => (count, 365),
            ShiftLength::Weeks(count) => (count, 52),
        };
        self.range(&format!("{pointer}/length/count"), count, 1..=most);
        let restrictions = format!("{pointer}/restrictions");
        self.count(&restrictions, layer.restrictions.len(), 0..=MAX_RESTRICTIONS);
        for (index, restriction) in layer.restrictions.iter().enumerate() {
            let weekdays = format!("{restrictions}/{index}/weekdays");
            self.count(&weekdays, restriction.weekdays.len(), 0..=7);
            for (place, day) in restriction.weekdays.iter().enumerate() {
                self.range(&format!("{weekdays}/{place}"), *day, 1..=7);
            }
        }
    }

    fn cover(&mut self, cover: &Override) {
        self.exists(
            "/schedule",
            self.directory.schedules.contains_key(&cover.schedule),
            "schedule",
        );
        if let Some(user) = cover.user {
            self.exists("/user", self.directory.users.contains_key(&user), "user");
        }
        if cover.until <= cover.from {
            self.add("/until", "order", "must be later than from".to_owned());
        } else if cover.until.duration_since(cover.from) > LONGEST_OVERRIDE {
            self.add("/until", "range", "must be at most 366 days after from".to_owned());
        }
        self.text("/reason", &cover.reason, 0..=MAX_TEXT_CHARS);
    }

    fn policy(&mut self, policy: &Policy) {
        self.text("/name", &policy.name, NAME_CHARS);
        self.range("/repeat", policy.repeat, 0..=MAX_REPEATS);
        self.count("/levels", policy.levels.len(), 1..=MAX_LEVELS);
        for (index, level) in policy.levels.iter().enumerate() {
            let pointer = format!("/levels/{index}");
            self.range(&format!("{pointer}/delay_s"), level.delay_s, LEVEL_DELAY_S);
            let targets = format!("{pointer}/targets");
            self.count(&targets, level.targets.len(), 1..=MAX_TARGETS);
            for (place, target) in level.targets.iter().enumerate() {
                self.target(&format!("{targets}/{place}"), *target);
            }
        }
    }

    fn target(&mut self, pointer: &str, target: Target) {
        let (found, what) = match target {
            Target::User(id) => (self.directory.users.contains_key(&id), "user"),
            Target::Schedule(id) => (self.directory.schedules.contains_key(&id), "schedule"),
            Target::Team(id) => (self.directory.teams.contains_key(&id), "team"),
        };
        self.exists(pointer, found, what);
    }

    fn service(&mut self, service: &Service) {
        self.text("/name", &service.name, NAME_CHARS);
        self.text("/description", &service.description, 0..=MAX_TEXT_CHARS);
        if let Some(policy) = service.policy {
            self.exists("/policy", self.directory.policies.contains_key(&policy), "policy");
        }
        if let Some(team) = service.team {
            self.exists("/team", self.directory.teams.contains_key(&team), "team");
        }
        let runbook = service.runbook_url.as_ref();
        if runbook.is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
            let message = "must begin with https:// or http://".to_owned();
            self.add("/runbook_url", "range", message);
        }
    }

    fn integration(&mut self, integration: &Integration) {
        self.text("/name", &integration.name, NAME_CHARS);
        self.range("/quota_per_minute", integration.quota_per_minute, QUOTA);
        if let Some(service) = integration.service {
            self.exists("/service", self.directory.services.contains_key(&service), "service");
        }
    }

    fn status_page(&mut self, page: &StatusPage) {
        if self.directory.status_pages.keys().filter(|id| **id != page.id).count()
            >= MAX_STATUS_PAGES
        {
            let message = format!("a tenant has at most {MAX_STATUS_PAGES} status pages");
            self.add("", "count", format!("{message}; delete one first"));
        }
        self.text("/name", &page.name, NAME_CHARS);
        self.count("/services", page.services.len(), 1..=MAX_PUBLIC_SERVICES);
        let mut seen: BTreeSet<ServiceId> = BTreeSet::new();
        for (index, it) in page.services.iter().enumerate() {
            let pointer = format!("/services/{index}");
            let known = self.directory.services.contains_key(&it.service);
            self.exists(&format!("{pointer}/service"), known, "service");
            if !seen.insert(it.service) {
                let message = "a service is named more than once; name each once".to_owned();
                self.add(format!("{pointer}/service"), "duplicate", message);
            }
            if let Some(name) = &it.name {
                self.text(&format!("{pointer}/name"), name, NAME_CHARS);
            }
        }
    }

    /// The name, or a user's address, belongs to no other object of the kind.
    fn unique(&mut self, object: &Object) {
        let Some(name) = object.unique_name() else {
            return;
        };
        let (kind, id) = (object.kind(), object.uuid());
        if names(self.directory, kind).any(|(other, taken)| other != id && taken == name) {
            let pointer = if kind == ObjectKind::User { "/email" } else { "/name" };
            let message = format!("another {} has it already", kind.as_str());
            self.add(pointer, "duplicate", message);
        }
    }

    fn people(&mut self, pointer: &str, people: &[UserId]) {
        for (index, id) in people.iter().enumerate() {
            let found = self.directory.users.contains_key(id);
            self.exists(&format!("{pointer}/{index}"), found, "user");
        }
    }

    fn exists(&mut self, pointer: &str, found: bool, what: &str) {
        if !found {
            self.add(pointer, "missing", format!("there is no such {what}"));
        }
    }

    fn zone(&mut self, pointer: &str, name: &str) {
        if let Err(error) = zone(name) {
            self.add(pointer, "unknown_zone", format!("{error}; write one such as Europe/Berlin"));
        }
    }

    fn text(&mut self, pointer: &str, text: &str, chars: RangeInclusive<usize>) {
        let length = text.chars().count();
        if length > 0 && *chars.start() > 0 && text.trim().is_empty() {
            self.add(pointer, "length", "must not be blank".to_owned());
        } else if !chars.contains(&length) {
            let (least, most) = chars.into_inner();
            let message = format!("must have {least} to {most} characters, and has {length}");
            self.add(pointer, "length", message);
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            self.add(pointer, "control", "must not have control characters".to_owned());
        }
    }

    fn count(&mut self, pointer: &str, count: usize, range: RangeInclusive<usize>) {
        if !range.contains(&count) {
            let (least, most) = range.into_inner();
            let message = format!("must have {least} to {most} entries, and has {count}");
            self.add(pointer, "count", message);
        }
    }

    fn range<T: PartialOrd + std::fmt::Display>(
        &mut self,
        pointer: &str,
        value: T,
        range: RangeInclusive<T>,
    ) {
        if !range.contains(&value) {
            let (least, most) = range.into_inner();
            let message = format!("must be from {least} to {most}, and is {value}");
            self.add(pointer, "range", message);
        }
    }
}

/// Ids and unique names of all objects of `kind`.
fn names(
    directory: &Directory,
    kind: ObjectKind,
) -> Box<dyn Iterator<Item = (uuid::Uuid, String)> + '_> {
    match kind {
        ObjectKind::User => {
            let email = |user: &User| user.email.as_str().to_lowercase();
            Box::new(directory.users.values().map(move |it| (it.id.as_uuid(), email(it))))
        }
        ObjectKind::Team => {
            Box::new(directory.teams.values().map(|it| (it.id.as_uuid(), it.name.clone())))
        }
        ObjectKind::Schedule => {
            Box::new(directory.schedules.values().map(|it| (it.id.as_uuid(), it.name.clone())))
        }
        ObjectKind::Policy => {
            Box::new(directory.policies.values().map(|it| (it.id.as_uuid(), it.name.clone())))
        }
        ObjectKind::Service => {
            Box::new(directory.services.values().map(|it| (it.id.as_uuid(), it.name.clone())))
        }
        ObjectKind::Integration => {
            Box::new(directory.integrations.values().map(|it| (it.id.as_uuid(), it.name.clone())))
        }
        ObjectKind::StatusPage => {
            Box::new(directory.status_pages.values().map(|it| (it.id.as_uuid(), it.name.clone())))
        }
        ObjectKind::Method | ObjectKind::Override => Box::new(std::iter::empty()),
    }
}
