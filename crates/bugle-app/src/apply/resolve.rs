//! From the file's words to a directory: names become ids, and what the file says is laid over what
//! is there.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::contact::{Address, ContactMethod};
use bugle_domain::integration::Integration;
use bugle_domain::object::{Directory, ObjectKind};
use bugle_domain::policy::{Level, Policy, Target};
use bugle_domain::schedule::{Layer, Schedule};
use bugle_domain::service::Service;
use bugle_domain::status_page::{PublicService, StatusPage};
use bugle_domain::user::{NotificationRule, NotificationRules, Team, User};
use bugle_domain::{
    IntegrationId, MethodId, PolicyId, ScheduleId, ServiceId, StatusPageId, TeamId, UserId,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::document::{
    Document, IntegrationEntry, LayerEntry, LevelEntry, PolicyEntry, RuleEntry, RulesEntry,
    ScheduleEntry, ServiceEntry, StatusPageEntry, TeamEntry, UserEntry,
};
use super::export::method_name;
use crate::entropy;
use crate::error::{Problem, problem};

/// What a file makes of a configuration.
pub(super) struct Resolved {
    /// The configuration after it.
    pub(super) after: Directory,
    /// Where in the file each object is: `/policies/0`.
    pub(super) places: BTreeMap<(ObjectKind, Uuid), String>,
    /// What is there and not in the file, of the kinds the file has a section for.
    pub(super) unnamed: Vec<(ObjectKind, Uuid)>,
    /// References that lead nowhere, and addresses that are none.
    pub(super) problems: Vec<Problem>,
}

/// Lays `document` over `before`.
pub(super) fn resolve(document: &Document, before: &Directory, now: Timestamp) -> Resolved {
    let mut work = Work::new(document, before, now);
    work.users(document);
    work.teams(document);
    work.schedules(document);
    work.policies(document);
    work.services(document);
    work.integrations(document);
    work.status_pages(document);
    work.out
}

struct Work<'a> {
    before: &'a Directory,
    now: Timestamp,
    users: BTreeMap<String, UserId>,
    teams: BTreeMap<String, TeamId>,
    schedules: BTreeMap<String, ScheduleId>,
    policies: BTreeMap<String, PolicyId>,
    services: BTreeMap<String, ServiceId>,
    integrations: BTreeMap<String, IntegrationId>,
    status_pages: BTreeMap<String, StatusPageId>,
    out: Resolved,
}

/// Ids by name: those that are there, and new ones for what only the file names.
fn ids<I: Copy>(
    there: impl Iterator<Item = (String, I)>,
    named: impl Iterator<Item = String>,
    make: impl Fn([u8; 10]) -> I,
) -> BTreeMap<String, I> {
    let mut ids: BTreeMap<String, I> = there.collect();
    for name in named {
        ids.entry(name).or_insert_with(|| make(entropy::bytes()));
    }
    ids
}

/// The entries of a section that may be missing.
fn entries<T>(section: Option<&Vec<T>>) -> &[T] {
    section.map_or(&[], Vec::as_slice)
}

macro_rules! ids_of {
    ($document:ident, $before:ident, $section:ident, $id:ident, $now:ident) => {
        ids(
            $before.$section.values().map(|it| (it.name.clone(), it.id)),
            entries($document.$section.as_ref()).iter().map(|it| it.name.clone()),
            |random| $id::new($now, random),
        )
    };
}

impl<'a> Work<'a> {
    fn new(document: &Document, before: &'a Directory, now: Timestamp) -> Self {
        let email = |it: &UserEntry| it.email.as_str().to_lowercase();
        let users = ids(
            before.users.values().map(|it| (it.email.as_str().to_lowercase(), it.id)),
            entries(document.users.as_ref()).iter().map(email),
            |random| UserId::new(now, random),
        );
        let out = Resolved {
            after: before.clone(),
            places: BTreeMap::new(),
            unnamed: Vec::new(),
            problems: Vec::new(),
        };
        Self {
            before,
            now,
            users,
            teams: ids_of!(document, before, teams, TeamId, now),
            schedules: ids_of!(document, before, schedules, ScheduleId, now),
            policies: ids_of!(document, before, policies, PolicyId, now),
            services: ids_of!(document, before, services, ServiceId, now),
            integrations: ids_of!(document, before, integrations, IntegrationId, now),
            status_pages: ids_of!(document, before, status_pages, StatusPageId, now),
            out,
        }
    }

    fn users(&mut self, document: &Document) {
        let section = entries(document.users.as_ref());
        let mut seen = BTreeSet::new();
        for (index, entry) in section.iter().enumerate() {
            let place = format!("/users/{index}");
            let Some(&id) = self.users.get(&entry.email.as_str().to_lowercase()) else { continue };
            self.once(&mut seen, id, &format!("{place}/email"));
            self.methods(&place, id, entry);
            let rules = match &entry.rules {
                Some(rules) => self.rules(&place, id, rules),
                None => self.rules_left(id),
            };
            let user = User {
                id,
                name: entry.name.clone(),
                email: entry.email.clone(),
                role: entry.role,
                time_zone: self.zone(entry.time_zone.as_ref()),
                rules,
                disabled: entry.disabled,
            };
            self.out.places.insert((ObjectKind::User, id.as_uuid()), place);
            self.out.after.users.insert(id, user);
        }
        if document.users.is_some() {
            let unnamed = self.before.users.keys().filter(|id| !seen.contains(*id));
            self.out.unnamed.extend(unnamed.map(|id| (ObjectKind::User, id.as_uuid())));
        }
    }

    /// Contact methods are the same when channel and address are; their proof stays.
    fn methods(&mut self, place: &str, user: UserId, entry: &UserEntry) {
        let Some(wanted) = &entry.methods else { return };
        let there: BTreeMap<String, ContactMethod> =
            self.before.methods(user).map(|it| (method_name(it), it.clone())).collect();
        let mut kept = Vec::new();
        for (index, it) in wanted.iter().enumerate() {
            let place = format!("{place}/methods/{index}");
            let address = match Address::parse(it.channel, &it.address) {
                Ok(address) => address,
                Err(error) => {
                    let at = format!("{place}/address");
                    self.out.problems.push(problem(&at, "address", error.to_string()));
                    continue;
                }
            };
            // A millisecond apart, so that they keep the file's order.
            let apart = jiff::SignedDuration::from_millis(index.try_into().unwrap_or(0));
            let made_at = self.now.saturating_add(apart).unwrap_or(self.now);
            let fresh = ContactMethod {
                id: MethodId::new(made_at, entropy::bytes()),
                user,
                name: it.name.clone(),
                address,
                proven_at: None,
            };
            let old = there.get(&method_name(&fresh));
            let method = match old {
                Some(old) => ContactMethod { name: fresh.name, ..old.clone() },
                None => fresh,
            };
            if kept.contains(&method.id) {
                self.out.problems.push(problem(&place, "duplicate", "this method is named twice"));
                continue;
            }
            kept.push(method.id);
            self.out.places.insert((ObjectKind::Method, method.id.as_uuid()), place);
            self.out.after.methods.insert(method.id, method);
        }
        for old in there.values().filter(|old| !kept.contains(&old.id)) {
            self.out.after.methods.remove(&old.id);
        }
        // Oldest first, as the store gives them.
        kept.sort();
        self.out.after.methods_of.insert(user, kept);
    }

    /// The rules as they are, without those whose method has gone.
    fn rules_left(&self, user: UserId) -> NotificationRules {
        let mut rules = self.before.users.get(&user).map(|it| it.rules.clone()).unwrap_or_default();
        let there = |rule: &NotificationRule| self.out.after.methods.contains_key(&rule.method);
        rules.urgent.retain(there);
        rules.normal.retain(there);
        rules
    }

    fn rules(&mut self, place: &str, user: UserId, entry: &RulesEntry) -> NotificationRules {
        let known: BTreeMap<String, MethodId> =
            self.out.after.methods(user).map(|it| (method_name(it), it.id)).collect();
        let mut rules = |urgency: &str, entries: &[RuleEntry]| {
            let mut rules = Vec::new();
            for (index, rule) in entries.iter().enumerate() {
                let at = format!("{place}/rules/{urgency}/{index}/method");
                let name = normal_method(&rule.method);
                match known.get(&name) {
                    Some(&method) => {
                        rules.push(NotificationRule { delay_s: rule.delay_s, method });
                    }
                    None => self.out.problems.push(missing(&at, "contact method", &rule.method)),
                }
            }
            rules
        };
        NotificationRules {
            urgent: rules("urgent", &entry.urgent),
            normal: rules("normal", &entry.normal),
        }
    }

    fn person(&mut self, place: &str, email: &str) -> Option<UserId> {
        let found = self.users.get(&email.to_lowercase()).copied();
        if found.is_none() {
            self.out.problems.push(missing(place, "user", email));
        }
        found
    }

    fn people(&mut self, place: &str, emails: &[String]) -> Vec<UserId> {
        let mut people = Vec::with_capacity(emails.len());
        for (index, email) in emails.iter().enumerate() {
            people.extend(self.person(&format!("{place}/{index}"), email));
        }
        people
    }

    fn once<I: Ord>(&mut self, seen: &mut BTreeSet<I>, id: I, place: &str) {
        if !seen.insert(id) {
            self.out.problems.push(problem(place, "duplicate", "this is in the file twice"));
        }
    }

    fn zone(&self, named: Option<&String>) -> String {
        named.unwrap_or(&self.before.tenant.time_zone).clone()
    }

    fn layer(&mut self, place: &str, entry: &LayerEntry) -> Layer {
        Layer {
            name: entry.name.clone(),
            participants: self.people(&format!("{place}/participants"), &entry.participants),
            start: entry.start,
            length: entry.length,
            restrictions: entry.restrictions.clone(),
        }
    }

    fn level(&mut self, place: &str, entry: &LevelEntry) -> Level {
        let mut targets = Vec::with_capacity(entry.targets.len());
        for (index, target) in entry.targets.iter().enumerate() {
            targets.extend(self.target(&format!("{place}/targets/{index}"), target));
        }
        Level { targets, delay_s: entry.delay_s }
    }

    fn target(&mut self, place: &str, text: &str) -> Option<Target> {
        let Some((kind, name)) = text.split_once(':') else {
            let message = "write a target as schedule:NAME, team:NAME or user:MAIL";
            self.out.problems.push(problem(place, "target", message));
            return None;
        };
        let name = name.trim();
        let found = match kind.trim() {
            "user" => return self.person(place, name).map(Target::User),
            "schedule" => self.schedules.get(name).copied().map(Target::Schedule),
            "team" => self.teams.get(name).copied().map(Target::Team),
            _ => None,
        };
        if found.is_none() {
            self.out.problems.push(missing(place, "target", text));
        }
        found
    }

    fn team_entry(&mut self, place: &str, id: TeamId, entry: &TeamEntry) -> Team {
        let members = self.people(&format!("{place}/members"), &entry.members);
        Team { id, name: entry.name.clone(), members }
    }

    fn schedule_entry(&mut self, place: &str, id: ScheduleId, entry: &ScheduleEntry) -> Schedule {
        let layers = entry.layers.iter().enumerate();
        let layers =
            layers.map(|(index, layer)| self.layer(&format!("{place}/layers/{index}"), layer));
        let layers = layers.collect();
        let time_zone = self.zone(entry.time_zone.as_ref());
        Schedule { id, name: entry.name.clone(), time_zone, layers }
    }

    fn policy_entry(&mut self, place: &str, id: PolicyId, entry: &PolicyEntry) -> Policy {
        let levels = entry.levels.iter().enumerate();
        let levels =
            levels.map(|(index, level)| self.level(&format!("{place}/levels/{index}"), level));
        Policy { id, name: entry.name.clone(), levels: levels.collect(), repeat: entry.repeat }
    }

    fn service_entry(&mut self, place: &str, id: ServiceId, entry: &ServiceEntry) -> Service {
        let policy = entry.policy.as_ref().and_then(|name| {
            find(&self.policies, name, &format!("{place}/policy"), "policy", &mut self.out)
        });
        let team = entry.team.as_ref().and_then(|name| {
            find(&self.teams, name, &format!("{place}/team"), "team", &mut self.out)
        });
        Service {
            id,
            name: entry.name.clone(),
            policy,
            team,
            description: entry.description.clone(),
            runbook_url: entry.runbook_url.clone(),
        }
    }

    fn integration_entry(
        &mut self,
        place: &str,
        id: IntegrationId,
        entry: &IntegrationEntry,
    ) -> Integration {
        let service = entry.service.as_ref().and_then(|name| {
            find(&self.services, name, &format!("{place}/service"), "service", &mut self.out)
        });
        let old = self.before.integrations.get(&id);
        Integration {
            id,
            name: entry.name.clone(),
            dialect: entry.dialect,
            service,
            key_hint: old.map_or_else(String::new, |it| it.key_hint.clone()),
            quota_per_minute: entry.quota_per_minute,
            disabled: entry.disabled,
        }
    }

    fn status_page_entry(
        &mut self,
        place: &str,
        id: StatusPageId,
        entry: &StatusPageEntry,
    ) -> StatusPage {
        let mut services = Vec::with_capacity(entry.services.len());
        for (index, it) in entry.services.iter().enumerate() {
            let at = format!("{place}/services/{index}/service");
            let service = find(&self.services, &it.service, &at, "service", &mut self.out);
            services
                .extend(service.map(|service| PublicService { service, name: it.name.clone() }));
        }
        let (follow_alerts, enabled) = (entry.follow_alerts, entry.enabled);
        StatusPage { id, name: entry.name.clone(), services, follow_alerts, enabled }
    }
}

/// One section: every entry by name, and what the file does not name.
macro_rules! section {
    ($section:ident, $kind:ident, $build:ident) => {
        impl Work<'_> {
            fn $section(&mut self, document: &Document) {
                let mut seen = BTreeSet::new();
                for (index, entry) in entries(document.$section.as_ref()).iter().enumerate() {
                    let place = format!(concat!("/", stringify!($section), "/{}"), index);
                    let Some(&id) = self.$section.get(&entry.name) else { continue };
                    self.once(&mut seen, id, &format!("{place}/name"));
                    let object = self.$build(&place, id, entry);
                    self.out.places.insert((ObjectKind::$kind, id.as_uuid()), place);
                    self.out.after.$section.insert(id, object);
                }
                if document.$section.is_some() {
                    let unnamed = self.before.$section.keys().filter(|id| !seen.contains(*id));
                    let unnamed = unnamed.map(|id| (ObjectKind::$kind, id.as_uuid()));
                    self.out.unnamed.extend(unnamed);
                }
            }
        }
    };
}

section!(teams, Team, team_entry);
section!(schedules, Schedule, schedule_entry);
section!(policies, Policy, policy_entry);
section!(services, Service, service_entry);
section!(integrations, Integration, integration_entry);
section!(status_pages, StatusPage, status_page_entry);

fn find<I: Copy>(
    ids: &BTreeMap<String, I>,
    name: &str,
    place: &str,
    what: &str,
    out: &mut Resolved,
) -> Option<I> {
    let found = ids.get(name).copied();
    if found.is_none() {
        out.problems.push(missing(place, what, name));
    }
    found
}

fn missing(place: &str, what: &str, name: &str) -> Problem {
    problem(place, "missing", format!("there is no {what} \"{name}\""))
}

/// A method's name with its address in the form in which it is kept.
fn normal_method(text: &str) -> String {
    let parsed = text.split_once(':').and_then(|(channel, address)| {
        let channel = bugle_domain::contact::Channel::parse(channel.trim())?;
        Address::parse(channel, address).ok()
    });
    match parsed {
        Some(address) => format!("{}:{}", address.channel().as_str(), address.as_str()),
        None => text.to_owned(),
    }
}
