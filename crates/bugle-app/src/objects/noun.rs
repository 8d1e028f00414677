//! What all kinds of configuration objects have in common.

use std::fmt::Display;
use std::str::FromStr;

use bugle_domain::integration::Integration;
use bugle_domain::object::{Directory, Object, ObjectKind};
use bugle_domain::policy::Policy;
use bugle_domain::schedule::{Override, Schedule};
use bugle_domain::service::Service;
use bugle_domain::status_page::StatusPage;
use bugle_domain::user::{NotificationRules, Team, User};
use bugle_domain::{
    IntegrationId, MethodId, OverrideId, ParseIdError, PolicyId, ScheduleId, ServiceId,
    StatusPageId, TeamId, UserId,
};
use uuid::Uuid;

use super::draft::{
    IntegrationDraft, OverrideDraft, PolicyDraft, ScheduleDraft, ServiceDraft, StatusPageDraft,
    TeamDraft, UserDraft,
};

/// A kind of configuration object that is read and written on its own.
pub trait Noun: Clone + Send + Sync + Sized + 'static {
    /// Which kind.
    const KIND: ObjectKind;
    /// Its id.
    type Id: Copy + Ord + Display + FromStr<Err = ParseIdError> + Send + Sync;
    /// What a caller says it shall be.
    type Draft: Send;

    /// Wraps a new or stored value as an id.
    fn id_from(value: Uuid) -> Self::Id;
    /// The id as the database stores it.
    fn uuid_of(id: Self::Id) -> Uuid;
    /// Its own id.
    fn id(&self) -> Self::Id;
    /// Finds one.
    fn find(directory: &Directory, id: Self::Id) -> Option<&Self>;
    /// All of them, by id.
    fn all(directory: &Directory) -> Vec<&Self>;
    /// Builds it; `before` is what stands under this id now.
    fn build(
        id: Self::Id,
        draft: Self::Draft,
        before: Option<&Self>,
        directory: &Directory,
    ) -> Self;
    /// Wraps it.
    fn into_object(self) -> Object;
}

macro_rules! common {
    ($kind:ident, $id:ident) => {
        const KIND: ObjectKind = ObjectKind::$kind;
        type Id = $id;

        fn id_from(value: Uuid) -> $id {
            $id::from_stored(value)
        }

        fn uuid_of(id: $id) -> Uuid {
            id.as_uuid()
        }

        fn id(&self) -> $id {
            self.id
        }

        fn into_object(self) -> Object {
            Object::$kind(self)
        }
    };
}

macro_rules! in_map {
    ($map:ident, $id:ident) => {
        fn find(directory: &Directory, id: $id) -> Option<&Self> {
            directory.$map.get(&id)
        }

        fn all(directory: &Directory) -> Vec<&Self> {
            directory.$map.values().collect()
        }
    };
}

fn zone_or(time_zone: String, directory: &Directory) -> String {
    if time_zone.is_empty() { directory.tenant.time_zone.clone() } else { time_zone }
}

impl Noun for User {
    common!(User, UserId);
    in_map!(users, UserId);
    type Draft = UserDraft;

    fn build(id: UserId, it: UserDraft, before: Option<&Self>, directory: &Directory) -> Self {
        let rules = before.map_or_else(NotificationRules::default, |user| user.rules.clone());
        let time_zone = zone_or(it.time_zone, directory);
        let (name, email, role) = (it.name, it.email, it.role);
        Self { id, name, email, role, time_zone, rules, disabled: it.disabled }
    }
}

impl Noun for Team {
    common!(Team, TeamId);
    in_map!(teams, TeamId);
    type Draft = TeamDraft;

    fn build(id: TeamId, it: TeamDraft, _: Option<&Self>, _: &Directory) -> Self {
        Self { id, name: it.name, members: it.members }
    }
}

impl Noun for Schedule {
    common!(Schedule, ScheduleId);
    in_map!(schedules, ScheduleId);
    type Draft = ScheduleDraft;

    fn build(id: ScheduleId, it: ScheduleDraft, _: Option<&Self>, directory: &Directory) -> Self {
        let time_zone = zone_or(it.time_zone, directory);
        Self { id, name: it.name, time_zone, layers: it.layers }
    }
}

impl Noun for Override {
    common!(Override, OverrideId);
    type Draft = OverrideDraft;

    fn find(directory: &Directory, id: OverrideId) -> Option<&Self> {
        directory.overrides_of.values().flatten().find(|it| it.id == id)
    }

    fn all(directory: &Directory) -> Vec<&Self> {
        let mut all: Vec<&Self> = directory.overrides_of.values().flatten().collect();
        all.sort_by_key(|it| it.id);
        all
    }

    fn build(id: OverrideId, it: OverrideDraft, _: Option<&Self>, _: &Directory) -> Self {
        let OverrideDraft { schedule, user, from, until, reason } = it;
        Self { id, schedule, user, from, until, reason }
    }
}

impl Noun for Policy {
    common!(Policy, PolicyId);
    in_map!(policies, PolicyId);
    type Draft = PolicyDraft;

    fn build(id: PolicyId, it: PolicyDraft, _: Option<&Self>, _: &Directory) -> Self {
        Self { id, name: it.name, levels: it.levels, repeat: it.repeat }
    }
}

impl Noun for Service {
    common!(Service, ServiceId);
    in_map!(services, ServiceId);
    type Draft = ServiceDraft;

    fn build(id: ServiceId, it: ServiceDraft, _: Option<&Self>, _: &Directory) -> Self {
        let ServiceDraft { name, policy, team, description, runbook_url } = it;
        Self { id, name, policy, team, description, runbook_url }
    }
}

impl Noun for Integration {
    common!(Integration, IntegrationId);
    in_map!(integrations, IntegrationId);
    type Draft = IntegrationDraft;

    fn build(
        id: IntegrationId,
        it: IntegrationDraft,
        before: Option<&Self>,
        _: &Directory,
    ) -> Self {
        let key_hint = before.map_or_else(String::new, |integration| integration.key_hint.clone());
        let IntegrationDraft { name, dialect, service, quota_per_minute, disabled } = it;
        Self { id, name, dialect, service, key_hint, quota_per_minute, disabled }
    }
}

impl Noun for StatusPage {
    common!(StatusPage, StatusPageId);
    in_map!(status_pages, StatusPageId);
    type Draft = StatusPageDraft;

    fn build(id: StatusPageId, it: StatusPageDraft, _: Option<&Self>, _: &Directory) -> Self {
        let StatusPageDraft { name, services, follow_alerts, enabled } = it;
        Self { id, name, services, follow_alerts, enabled }
    }
}

/// The prefixed id of an object.
pub(crate) fn text_id(kind: ObjectKind, id: Uuid) -> String {
    match kind {
        ObjectKind::User => UserId::from_stored(id).to_string(),
        ObjectKind::Team => TeamId::from_stored(id).to_string(),
        ObjectKind::Method => MethodId::from_stored(id).to_string(),
        ObjectKind::Schedule => ScheduleId::from_stored(id).to_string(),
        ObjectKind::Override => OverrideId::from_stored(id).to_string(),
        ObjectKind::Policy => PolicyId::from_stored(id).to_string(),
        ObjectKind::Service => ServiceId::from_stored(id).to_string(),
        ObjectKind::Integration => IntegrationId::from_stored(id).to_string(),
        ObjectKind::StatusPage => StatusPageId::from_stored(id).to_string(),
    }
}

/// How an object is named in text: `policy "Payments"`, `user "lena@halden.example"`.
pub(crate) fn name_of(directory: &Directory, kind: ObjectKind, id: Uuid) -> String {
    let name = match kind {
        ObjectKind::User => {
            directory.users.get(&UserId::from_stored(id)).map(|it| it.email.to_string())
        }
        ObjectKind::Team => directory.teams.get(&TeamId::from_stored(id)).map(|it| it.name.clone()),
        ObjectKind::Method => {
            directory.methods.get(&MethodId::from_stored(id)).map(|it| it.name.clone())
        }
        ObjectKind::Schedule => {
            directory.schedules.get(&ScheduleId::from_stored(id)).map(|it| it.name.clone())
        }
        ObjectKind::Override => None,
        ObjectKind::Policy => {
            directory.policies.get(&PolicyId::from_stored(id)).map(|it| it.name.clone())
        }
        ObjectKind::Service => {
            directory.services.get(&ServiceId::from_stored(id)).map(|it| it.name.clone())
        }
        ObjectKind::Integration => {
            directory.integrations.get(&IntegrationId::from_stored(id)).map(|it| it.name.clone())
        }
        ObjectKind::StatusPage => {
            directory.status_pages.get(&StatusPageId::from_stored(id)).map(|it| it.name.clone())
        }
    };
    format!("{} \"{}\"", kind.as_str(), name.unwrap_or_else(|| text_id(kind, id)))
}
