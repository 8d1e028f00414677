//! Configuration objects as one closed set, and a tenant's whole configuration.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::contact::ContactMethod;
use crate::ids::{
    IntegrationId, MethodId, PolicyId, ScheduleId, ServiceId, StatusPageId, TeamId, TenantId,
    UserId,
};
use crate::integration::Integration;
use crate::policy::Policy;
use crate::schedule::{Override, Schedule};
use crate::service::Service;
use crate::status_page::StatusPage;
use crate::user::{Team, User};

/// Which kind of object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// [`User`].
    User,
    /// [`Team`].
    Team,
    /// [`ContactMethod`].
    Method,
    /// [`Schedule`].
    Schedule,
    /// [`Override`].
    Override,
    /// [`Policy`].
    Policy,
    /// [`Service`].
    Service,
    /// [`Integration`].
    Integration,
    /// [`StatusPage`].
    StatusPage,
}

impl ObjectKind {
    /// All there are.
    pub const ALL: [Self; 9] = [
        Self::User,
        Self::Team,
        Self::Method,
        Self::Schedule,
        Self::Override,
        Self::Policy,
        Self::Service,
        Self::Integration,
        Self::StatusPage,
    ];

    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Team => "team",
            Self::Method => "method",
            Self::Schedule => "schedule",
            Self::Override => "override",
            Self::Policy => "policy",
            Self::Service => "service",
            Self::Integration => "integration",
            Self::StatusPage => "status_page",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A configuration object of any kind.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum Object {
    /// A user.
    User(User),
    /// A team.
    Team(Team),
    /// A contact method.
    Method(ContactMethod),
    /// A schedule.
    Schedule(Schedule),
    /// An override.
    Override(Override),
    /// A policy.
    Policy(Policy),
    /// A service.
    Service(Service),
    /// An integration.
    Integration(Integration),
    /// A status page.
    StatusPage(StatusPage),
}

impl Object {
    /// Which kind it is.
    pub fn kind(&self) -> ObjectKind {
        match self {
            Self::User(_) => ObjectKind::User,
            Self::Team(_) => ObjectKind::Team,
            Self::Method(_) => ObjectKind::Method,
            Self::Schedule(_) => ObjectKind::Schedule,
            Self::Override(_) => ObjectKind::Override,
            Self::Policy(_) => ObjectKind::Policy,
            Self::Service(_) => ObjectKind::Service,
            Self::Integration(_) => ObjectKind::Integration,
            Self::StatusPage(_) => ObjectKind::StatusPage,
        }
    }

    /// Its id, whatever its kind.
    pub fn uuid(&self) -> Uuid {
        match self {
            Self::User(it) => it.id.as_uuid(),
            Self::Team(it) => it.id.as_uuid(),
            Self::Method(it) => it.id.as_uuid(),
            Self::Schedule(it) => it.id.as_uuid(),
            Self::Override(it) => it.id.as_uuid(),
            Self::Policy(it) => it.id.as_uuid(),
            Self::Service(it) => it.id.as_uuid(),
            Self::Integration(it) => it.id.as_uuid(),
            Self::StatusPage(it) => it.id.as_uuid(),
        }
    }

    /// What must be unique among objects of its kind in its tenant: the name, or a user's mail
    /// address in lower case. Methods and overrides have none.
    pub fn unique_name(&self) -> Option<String> {
        match self {
            Self::User(it) => Some(it.email.as_str().to_lowercase()),
            Self::Team(it) => Some(it.name.clone()),
            Self::Schedule(it) => Some(it.name.clone()),
            Self::Policy(it) => Some(it.name.clone()),
            Self::Service(it) => Some(it.name.clone()),
            Self::Integration(it) => Some(it.name.clone()),
            Self::StatusPage(it) => Some(it.name.clone()),
            Self::Method(_) | Self::Override(_) => None,
        }
    }

    /// Reads the document of an object of `kind`.
    ///
    /// # Errors
    ///
    /// What serde says of a document that does not fit its kind.
    pub fn from_json(kind: ObjectKind, json: &str) -> Result<Self, serde_json::Error> {
        Ok(match kind {
            ObjectKind::User => Self::User(serde_json::from_str(json)?),
            ObjectKind::Team => Self::Team(serde_json::from_str(json)?),
            ObjectKind::Method => Self::Method(serde_json::from_str(json)?),
            ObjectKind::Schedule => Self::Schedule(serde_json::from_str(json)?),
            ObjectKind::Override => Self::Override(serde_json::from_str(json)?),
            ObjectKind::Policy => Self::Policy(serde_json::from_str(json)?),
            ObjectKind::Service => Self::Service(serde_json::from_str(json)?),
            ObjectKind::Integration => Self::Integration(serde_json::from_str(json)?),
            ObjectKind::StatusPage => Self::StatusPage(serde_json::from_str(json)?),
        })
    }
}

/// A tenant and its own settings.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// What it is called.
    pub name: String,
    /// Who is told where nothing else was said. Set-up makes one, and it can't be removed.
    pub fallback_policy: Option<PolicyId>,
    /// IANA name of the zone shown where a user has chosen none.
    pub time_zone: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A tenant's whole configuration at one version: what every decision looks things up in.
#[derive(Clone, PartialEq, Debug)]
pub struct Directory {
    /// The tenant itself.
    pub tenant: Tenant,
    /// Rises with every change.
    pub version: i64,
    /// Users by id.
    pub users: BTreeMap<UserId, User>,
    /// Teams by id.
    pub teams: BTreeMap<TeamId, Team>,
    /// Contact methods by id.
    pub methods: BTreeMap<MethodId, ContactMethod>,
    /// Contact methods of each user, oldest first.
    pub methods_of: BTreeMap<UserId, Vec<MethodId>>,
    /// Schedules by id.
    pub schedules: BTreeMap<ScheduleId, Schedule>,
    /// Overrides of each schedule, by their begin.
    pub overrides_of: BTreeMap<ScheduleId, Vec<Override>>,
    /// Policies by id.
    pub policies: BTreeMap<PolicyId, Policy>,
    /// Services by id.
    pub services: BTreeMap<ServiceId, Service>,
    /// Integrations by id.
    pub integrations: BTreeMap<IntegrationId, Integration>,
    /// Status pages by id.
    pub status_pages: BTreeMap<StatusPageId, StatusPage>,
}

impl Directory {
    /// An empty configuration of `tenant`.
    pub fn empty(tenant: Tenant, version: i64) -> Self {
        Self {
            tenant,
            version,
            users: BTreeMap::new(),
            teams: BTreeMap::new(),
            methods: BTreeMap::new(),
            methods_of: BTreeMap::new(),
            schedules: BTreeMap::new(),
            overrides_of: BTreeMap::new(),
            policies: BTreeMap::new(),
            services: BTreeMap::new(),
            integrations: BTreeMap::new(),
            status_pages: BTreeMap::new(),
        }
    }

    /// Adds an object that is not there yet.
    pub fn add(&mut self, object: Object) {
        match object {
            Object::User(it) => drop(self.users.insert(it.id, it)),
            Object::Team(it) => drop(self.teams.insert(it.id, it)),
            Object::Method(it) => {
                self.methods_of.entry(it.user).or_default().push(it.id);
                self.methods.insert(it.id, it);
            }
            Object::Schedule(it) => drop(self.schedules.insert(it.id, it)),
            Object::Override(it) => {
                let of_schedule = self.overrides_of.entry(it.schedule).or_default();
                let place = of_schedule.partition_point(|other| other.from <= it.from);
                of_schedule.insert(place, it);
            }
            Object::Policy(it) => drop(self.policies.insert(it.id, it)),
            Object::Service(it) => drop(self.services.insert(it.id, it)),
            Object::Integration(it) => drop(self.integrations.insert(it.id, it)),
            Object::StatusPage(it) => drop(self.status_pages.insert(it.id, it)),
        }
    }

    /// A user's name, or a word for one who is gone.
    pub fn user_name(&self, id: UserId) -> &str {
        self.users.get(&id).map_or("a removed user", |user| &user.name)
    }

    /// A user's contact methods, oldest first.
    pub fn methods(&self, user: UserId) -> impl Iterator<Item = &ContactMethod> {
        self.methods_of.get(&user).into_iter().flatten().filter_map(|id| self.methods.get(id))
    }
}
