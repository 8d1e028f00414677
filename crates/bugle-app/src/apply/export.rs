//! From a directory to the file's words.

use std::collections::BTreeMap;

use bugle_domain::contact::ContactMethod;
use bugle_domain::integration::Integration;
use bugle_domain::object::Directory;
use bugle_domain::policy::{Level, Policy, Target};
use bugle_domain::schedule::{Layer, Schedule};
use bugle_domain::service::Service;
use bugle_domain::status_page::{PublicService, StatusPage};
use bugle_domain::user::{NotificationRule, NotificationRules, Team, User};
use bugle_domain::{MethodId, UserId};

use super::document::{
    Document, IntegrationEntry, LayerEntry, LevelEntry, MethodEntry, PolicyEntry,
    PublicServiceEntry, RuleEntry, RulesEntry, ScheduleEntry, ServiceEntry, StatusPageEntry,
    TeamEntry, UserEntry,
};

/// The whole configuration, in order of names.
pub(super) fn document(directory: &Directory) -> Document {
    let words = Words { directory };
    Document {
        users: Some(by_name(&directory.users, |it| it.email.as_str(), |it| words.user(it))),
        teams: Some(by_name(&directory.teams, |it| &it.name, |it| words.team(it))),
        schedules: Some(by_name(&directory.schedules, |it| &it.name, |it| words.schedule(it))),
        policies: Some(by_name(&directory.policies, |it| &it.name, |it| words.policy(it))),
        services: Some(by_name(&directory.services, |it| &it.name, |it| words.service(it))),
        integrations: Some(by_name(
            &directory.integrations,
            |it| &it.name,
            |it| words.integration(it),
        )),
        status_pages: Some(by_name(
            &directory.status_pages,
            |it| &it.name,
            |it| words.status_page(it),
        )),
    }
}

fn by_name<K, T, E>(
    map: &BTreeMap<K, T>,
    name: impl Fn(&T) -> &str,
    entry: impl Fn(&T) -> E,
) -> Vec<E> {
    let mut all: Vec<&T> = map.values().collect();
    all.sort_by(|a, b| name(a).cmp(name(b)));
    all.into_iter().map(entry).collect()
}

/// How the file names a contact method.
pub(super) fn method_name(method: &ContactMethod) -> String {
    format!("{}:{}", method.address.channel().as_str(), method.address.as_str())
}

struct Words<'a> {
    directory: &'a Directory,
}

impl Words<'_> {
    fn user(&self, user: &User) -> UserEntry {
        let methods = self.directory.methods(user.id).map(|method| MethodEntry {
            name: method.name.clone(),
            channel: method.address.channel(),
            address: method.address.as_str().to_owned(),
        });
        let rules = |rules: &[NotificationRule]| -> Vec<RuleEntry> {
            let named = rules
                .iter()
                .map(|rule| RuleEntry { delay_s: rule.delay_s, method: self.method(rule.method) });
            named.collect()
        };
        UserEntry {
            email: user.email.clone(),
            name: user.name.clone(),
            role: user.role,
            time_zone: Some(user.time_zone.clone()),
            disabled: user.disabled,
            methods: Some(methods.collect()),
            // No rules are the defaults; a file that says nothing leaves them so.
            rules: (user.rules != NotificationRules::default()).then(|| RulesEntry {
                urgent: rules(&user.rules.urgent),
                normal: rules(&user.rules.normal),
            }),
        }
    }

    fn team(&self, team: &Team) -> TeamEntry {
        TeamEntry {
            name: team.name.clone(),
            members: team.members.iter().map(|id| self.email(*id)).collect(),
        }
    }

    fn schedule(&self, schedule: &Schedule) -> ScheduleEntry {
        ScheduleEntry {
            name: schedule.name.clone(),
            time_zone: Some(schedule.time_zone.clone()),
            layers: schedule.layers.iter().map(|layer| self.layer(layer)).collect(),
        }
    }

    fn layer(&self, layer: &Layer) -> LayerEntry {
        LayerEntry {
            name: layer.name.clone(),
            participants: layer.participants.iter().map(|id| self.email(*id)).collect(),
            start: layer.start,
            length: layer.length,
            restrictions: layer.restrictions.clone(),
        }
    }

    fn policy(&self, policy: &Policy) -> PolicyEntry {
        let level = |level: &Level| LevelEntry {
            targets: level.targets.iter().map(|target| self.target(target)).collect(),
            delay_s: level.delay_s,
        };
        PolicyEntry {
            name: policy.name.clone(),
            repeat: policy.repeat,
            levels: policy.levels.iter().map(level).collect(),
        }
    }

    fn service(&self, service: &Service) -> ServiceEntry {
        let policies = &self.directory.policies;
        let teams = &self.directory.teams;
        ServiceEntry {
            name: service.name.clone(),
            policy: service.policy.map(|id| named(policies.get(&id).map(|it| &it.name), id)),
            team: service.team.map(|id| named(teams.get(&id).map(|it| &it.name), id)),
            description: service.description.clone(),
            runbook_url: service.runbook_url.clone(),
        }
    }

    fn integration(&self, integration: &Integration) -> IntegrationEntry {
        let services = &self.directory.services;
        let service = |id| named(services.get(&id).map(|it| &it.name), id);
        IntegrationEntry {
            name: integration.name.clone(),
            dialect: integration.dialect,
            service: integration.service.map(service),
            quota_per_minute: integration.quota_per_minute,
            disabled: integration.disabled,
        }
    }

    fn status_page(&self, page: &StatusPage) -> StatusPageEntry {
        let services = &self.directory.services;
        let entry = |it: &PublicService| PublicServiceEntry {
            service: named(services.get(&it.service).map(|it| &it.name), it.service),
            name: it.name.clone(),
        };
        StatusPageEntry {
            name: page.name.clone(),
            services: page.services.iter().map(entry).collect(),
            follow_alerts: page.follow_alerts,
            enabled: page.enabled,
        }
    }

    fn target(&self, target: &Target) -> String {
        match target {
            Target::User(id) => format!("user:{}", self.email(*id)),
            Target::Schedule(id) => {
                let found = self.directory.schedules.get(id);
                format!("schedule:{}", named(found.map(|it| &it.name), *id))
            }
            Target::Team(id) => {
                let found = self.directory.teams.get(id);
                format!("team:{}", named(found.map(|it| &it.name), *id))
            }
        }
    }

    fn email(&self, id: UserId) -> String {
        let found = self.directory.users.get(&id);
        found.map_or_else(|| id.to_string(), |user| user.email.to_string())
    }

    fn method(&self, id: MethodId) -> String {
        self.directory.methods.get(&id).map_or_else(|| id.to_string(), method_name)
    }
}

/// The name of something; what is gone is named by its id, which does not resolve, and so shows.
fn named(name: Option<&String>, id: impl std::fmt::Display) -> String {
    name.map_or_else(|| id.to_string(), Clone::clone)
}
