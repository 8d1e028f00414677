//! The sample company "Halden Freight": 3 teams, 12 people in 5 zones, 6 services, 2 schedules,
//! 3 policies, 4 integrations. Always relative to now; nothing here happened to anybody.
//!
//! Numbers are of ranges kept for fiction (Germany: BNetzA, "Rufnummern für Filmproduktionen";
//! United States: 555-01xx), addresses of the domain `example`.

use bugle_domain::contact::{Address, Channel, ContactMethod};
use bugle_domain::integration::{DEFAULT_QUOTA_PER_MINUTE, Dialect, Integration};
use bugle_domain::object::{Object, Tenant};
use bugle_domain::policy::{Level, Policy, Target};
use bugle_domain::role::Role;
use bugle_domain::service::Service;
use bugle_domain::user::{NotificationRule, NotificationRules, Team, User};
use bugle_domain::{
    IntegrationId, MethodId, PolicyId, ScheduleId, ServiceId, TeamId, TenantId, UserId,
};
use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::rota;

/// Zone that the company's own times are in.
pub(super) const ZONE: &str = "Europe/Berlin";
/// How long ago the company began to use Bugle.
const IN_USE: SignedDuration = SignedDuration::from_hours(24 * 90);

/// What is known of a person before ids are given.
struct Sketch {
    name: &'static str,
    zone: &'static str,
    role: Role,
    team: usize,
    /// `None`: reachable by mail only.
    phone: Option<&'static str>,
}

const fn sketch(
    name: &'static str,
    zone: &'static str,
    role: Role,
    team: usize,
    phone: Option<&'static str>,
) -> Sketch {
    Sketch { name, zone, role, team, phone }
}

const BERLIN: &str = "Europe/Berlin";
const LONDON: &str = "Europe/London";
const KOLKATA: &str = "Asia/Kolkata";
const TOKYO: &str = "Asia/Tokyo";
const NEW_YORK: &str = "America/New_York";

const TEAMS: [&str; 3] = ["Payments", "Platform", "Logistics"];

const PEOPLE: [Sketch; 12] = [
    sketch("Lena Kovač", BERLIN, Role::Admin, 0, Some("+491713920001")),
    sketch("Priya Nair", KOLKATA, Role::Manager, 0, Some("+491713920002")),
    sketch("Jonas Weber", BERLIN, Role::Responder, 0, Some("+491713920003")),
    sketch("Tomas Lind", BERLIN, Role::Responder, 0, Some("+491713920004")),
    sketch("Mei Tanaka", TOKYO, Role::Responder, 1, Some("+12025550105")),
    sketch("Arjun Rao", KOLKATA, Role::Responder, 1, Some("+12025550106")),
    sketch("Amara Okafor", LONDON, Role::Manager, 1, Some("+12025550107")),
    sketch("Sofia Reyes", NEW_YORK, Role::Responder, 1, Some("+12025550108")),
    sketch("Marcus Hill", NEW_YORK, Role::Responder, 1, Some("+12025550109")),
    sketch("Ingrid Dahl", BERLIN, Role::Responder, 2, Some("+12025550110")),
    sketch("Callum Reid", LONDON, Role::Responder, 2, Some("+12025550111")),
    sketch("Yuki Mori", TOKYO, Role::Viewer, 2, None),
];

/// Name, what it is, team, policy (index), runbook page.
const SERVICES: [(&str, &str, usize, usize); 6] = [
    ("checkout-api", "Takes orders and payments from the shop.", 0, 0),
    ("card-gateway", "Talks to the card schemes.", 0, 0),
    ("webhook-queue", "Tells partners what became of their orders.", 0, 0),
    ("track-and-trace", "Where every parcel is.", 1, 1),
    ("search", "Finds parcels, customers, invoices.", 1, 1),
    ("warehouse-sync", "Keeps stock the same in nine warehouses.", 2, 2),
];

/// Name, dialect, service (index).
const INTEGRATIONS: [(&str, Dialect, Option<usize>); 4] = [
    ("Checkout monitors", Dialect::Native, Some(0)),
    ("Card gateway (PagerDuty senders)", Dialect::PagerdutyV2, Some(1)),
    ("Alertmanager", Dialect::AlertmanagerWebhook, Some(3)),
    ("Prometheus", Dialect::AlertmanagerApi, Some(4)),
];

/// Gives out ids; those of one company sort in the order they were made.
pub(super) struct Ids {
    at: Timestamp,
    made: u64,
    seed: [u8; 2],
}

impl Ids {
    /// Ids made at `at`; `seed` keeps those of two companies apart.
    pub(super) fn new(at: Timestamp, seed: [u8; 2]) -> Self {
        Self { at, made: 0, seed }
    }

    pub(super) fn next<T>(&mut self, make: fn(Timestamp, [u8; 10]) -> T) -> T {
        self.made += 1;
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.made.to_be_bytes());
        bytes[8..].copy_from_slice(&self.seed);
        make(self.at, bytes)
    }
}

/// The whole company.
pub(super) struct Company {
    /// The tenant.
    pub(super) tenant: Tenant,
    /// Everybody, Lena first.
    pub(super) people: Vec<User>,
    /// Their contact methods.
    pub(super) methods: Vec<ContactMethod>,
    /// Everything else, in an order in which references exist.
    pub(super) others: Vec<Object>,
    /// The integrations, which need keys.
    pub(super) integrations: Vec<Integration>,
}

impl Company {
    /// The company as it stands at `now`.
    pub(super) fn at(now: Timestamp, seed: [u8; 2]) -> Self {
        let began = now.saturating_sub(IN_USE).unwrap_or(now);
        let mut ids = Ids::new(began, seed);
        let policies: Vec<PolicyId> = (0..3).map(|_| ids.next(PolicyId::new)).collect();
        let tenant = Tenant {
            id: ids.next(TenantId::new),
            name: "Halden Freight".to_owned(),
            fallback_policy: policies.last().copied(),
            time_zone: ZONE.to_owned(),
            created_at: began,
        };
        let (people, methods) = people(&mut ids, began);
        let members: Vec<UserId> = people.iter().map(|user| user.id).collect();
        let teams = teams(&mut ids, &members);
        let rotas = [ids.next(ScheduleId::new), ids.next(ScheduleId::new)];
        let services = services(&mut ids, &teams, &policies);
        let integrations = integrations(&mut ids, &services);
        let mut others: Vec<Object> = teams.iter().cloned().map(Object::Team).collect();
        others.extend(rota::schedules(rotas, &members, now).map(Object::Schedule));
        others.push(Object::Override(rota::cover(&mut ids, rotas[0], &members, now)));
        others.extend(escalation(&policies, rotas, &members, &teams).map(Object::Policy));
        others.extend(services.into_iter().map(Object::Service));
        Self { tenant, people, methods, others, integrations }
    }

    /// Every object, in an order in which references exist.
    pub(super) fn objects(&self) -> Vec<Object> {
        let people = self.people.iter().cloned().map(Object::User);
        let methods = self.methods.iter().cloned().map(Object::Method);
        let integrations = self.integrations.iter().cloned().map(Object::Integration);
        people.chain(methods).chain(self.others.iter().cloned()).chain(integrations).collect()
    }
}

fn people(ids: &mut Ids, began: Timestamp) -> (Vec<User>, Vec<ContactMethod>) {
    let (mut people, mut methods) = (Vec::new(), Vec::new());
    for sketch in &PEOPLE {
        let id = ids.next(UserId::new);
        let first = sketch.name.split(' ').next().unwrap_or(sketch.name).to_lowercase();
        let email = format!("{first}@halden.example");
        let mut own = Vec::new();
        own.extend(method(ids, id, "mail", (Channel::Email, &email), began));
        if let Some(phone) = sketch.phone {
            own.extend(method(ids, id, "phone, texts", (Channel::Sms, phone), began));
            own.extend(method(ids, id, "phone, calls", (Channel::Voice, phone), began));
        }
        if let Ok(email) = email.parse() {
            people.push(User {
                id,
                name: sketch.name.to_owned(),
                email,
                role: sketch.role,
                time_zone: sketch.zone.to_owned(),
                rules: rules(&own),
                disabled: false,
            });
        }
        methods.extend(own);
    }
    (people, methods)
}

fn method(
    ids: &mut Ids,
    user: UserId,
    name: &str,
    (channel, address): (Channel, &str),
    began: Timestamp,
) -> Option<ContactMethod> {
    let address = Address::parse(channel, address).ok()?;
    let id = ids.next(MethodId::new);
    Some(ContactMethod { id, user, name: name.to_owned(), address, proven_at: Some(began) })
}

/// Text and call at once, and once more after two minutes: in the demo nobody waits a minute to
/// see a phone ring.
fn rules(own: &[ContactMethod]) -> NotificationRules {
    let by = |channel: Channel| own.iter().find(|method| method.address.channel() == channel);
    let rule = |channel, delay_s| Some(NotificationRule { delay_s, method: by(channel)?.id });
    let urgent =
        [(Channel::Sms, 0), (Channel::Voice, 0), (Channel::Email, 30), (Channel::Voice, 120)];
    let normal = [(Channel::Email, 0), (Channel::Sms, 900)];
    NotificationRules {
        urgent: urgent.into_iter().filter_map(|(channel, delay)| rule(channel, delay)).collect(),
        normal: normal.into_iter().filter_map(|(channel, delay)| rule(channel, delay)).collect(),
    }
}

fn teams(ids: &mut Ids, members: &[UserId]) -> Vec<Team> {
    let of = |team: usize| {
        let pairs = PEOPLE.iter().zip(members);
        pairs.filter(move |(sketch, _)| sketch.team == team).map(|(_, id)| *id).collect()
    };
    let named = TEAMS.iter().enumerate();
    named
        .map(|(index, name)| Team {
            id: ids.next(TeamId::new),
            name: (*name).to_owned(),
            members: of(index),
        })
        .collect()
}

fn escalation(
    policies: &[PolicyId],
    rotas: [ScheduleId; 2],
    members: &[UserId],
    teams: &[Team],
) -> impl Iterator<Item = Policy> {
    let level = |targets: Vec<Target>, delay_s| Level { targets, delay_s };
    let person = |index: usize| members.get(index).map(|id| Target::User(*id));
    let team = |index: usize| teams.get(index).map(|team| Target::Team(team.id));
    let named = |targets: Vec<Option<Target>>| targets.into_iter().flatten().collect();
    let levels = [
        vec![
            level(vec![Target::Schedule(rotas[0])], 300),
            level(named(vec![person(1)]), 600),
            level(named(vec![team(0)]), 900),
        ],
        vec![level(vec![Target::Schedule(rotas[1])], 300), level(named(vec![team(1)]), 900)],
        vec![level(named(vec![person(9)]), 600), level(named(vec![person(0), person(6)]), 900)],
    ];
    let names = ["Payments", "Platform", "Whoever is left"];
    let repeats = [1, 2, 3];
    let policies: Vec<PolicyId> = policies.to_vec();
    policies
        .into_iter()
        .zip(names)
        .zip(levels)
        .zip(repeats)
        .map(|(((id, name), levels), repeat)| Policy { id, name: name.to_owned(), levels, repeat })
}

fn services(ids: &mut Ids, teams: &[Team], policies: &[PolicyId]) -> Vec<Service> {
    SERVICES
        .iter()
        .map(|(name, description, team, policy)| Service {
            id: ids.next(ServiceId::new),
            name: (*name).to_owned(),
            policy: policies.get(*policy).copied(),
            team: teams.get(*team).map(|team| team.id),
            description: (*description).to_owned(),
            runbook_url: Url::parse(&format!("https://wiki.halden.example/runbooks/{name}")).ok(),
        })
        .collect()
}

fn integrations(ids: &mut Ids, services: &[Service]) -> Vec<Integration> {
    INTEGRATIONS
        .iter()
        .map(|(name, dialect, service)| Integration {
            id: ids.next(IntegrationId::new),
            name: (*name).to_owned(),
            dialect: *dialect,
            service: service.and_then(|index| services.get(index)).map(|service| service.id),
            key_hint: String::new(),
            quota_per_minute: DEFAULT_QUOTA_PER_MINUTE,
            disabled: false,
        })
        .collect()
}

#[cfg(test)]
mod tests;
