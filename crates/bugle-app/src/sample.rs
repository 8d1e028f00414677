//! A small configuration of Halden Freight, for tests.

use bugle_domain::contact::{Address, ContactMethod};
use bugle_domain::integration::{Dialect, Integration};
use bugle_domain::object::{Directory, Object, Tenant};
use bugle_domain::policy::{Level, Policy, Target};
use bugle_domain::role::Role;
use bugle_domain::schedule::{Layer, Schedule, ShiftLength};
use bugle_domain::service::Service;
use bugle_domain::user::{NotificationRule, NotificationRules, Team, User};
use bugle_domain::{
    IntegrationId, MethodId, PolicyId, ScheduleId, ServiceId, TeamId, TenantId, UserId,
};
use jiff::Timestamp;
use uuid::Uuid;

/// Monday, 16 November 2026, 02:41 UTC.
pub(crate) fn now() -> Timestamp {
    "2026-11-16T02:41:00Z".parse().unwrap()
}

/// An id's value from a small number.
pub(crate) fn nth(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// Lena Ortiz, who is on call.
pub(crate) const LENA: u128 = 1;
/// Priya Nair, who is next.
pub(crate) const PRIYA: u128 = 2;

fn user(n: u128, name: &str, role: Role) -> User {
    let email = format!("{}@halden.example", name.split(' ').next().unwrap().to_lowercase());
    User {
        id: UserId::from_stored(nth(n)),
        name: name.to_owned(),
        email: email.parse().unwrap(),
        role,
        time_zone: "Europe/Berlin".to_owned(),
        rules: NotificationRules::default(),
        disabled: false,
    }
}

fn method(n: u128, owner: u128, name: &str, address: Address, proven: bool) -> ContactMethod {
    ContactMethod {
        id: MethodId::from_stored(nth(n)),
        user: UserId::from_stored(nth(owner)),
        name: name.to_owned(),
        address,
        proven_at: proven.then(|| "2026-11-01T09:00:00Z".parse().unwrap()),
    }
}

/// Two people, a schedule, two policies, a service, an integration.
pub(crate) fn directory() -> Directory {
    let mut directory = Directory::empty(
        Tenant {
            id: TenantId::from_stored(nth(900)),
            name: "Halden Freight".to_owned(),
            fallback_policy: Some(PolicyId::from_stored(nth(31))),
            time_zone: "Europe/Berlin".to_owned(),
            created_at: now(),
        },
        7,
    );
    for object in people().into_iter().chain(rules()) {
        directory.add(object);
    }
    directory
}

fn people() -> Vec<Object> {
    let mut lena = user(LENA, "Lena Ortiz", Role::Responder);
    let sms = MethodId::from_stored(nth(11));
    lena.rules.urgent = vec![
        NotificationRule { delay_s: 0, method: sms },
        NotificationRule { delay_s: 60, method: MethodId::from_stored(nth(12)) },
    ];
    let phone = |text: &str| text.parse().unwrap();
    vec![
        Object::User(lena),
        Object::User(user(PRIYA, "Priya Nair", Role::Admin)),
        Object::Method(method(11, LENA, "phone", Address::Sms(phone("+4930901820318")), true)),
        Object::Method(method(12, LENA, "phone", Address::Voice(phone("+4930901820318")), true)),
        Object::Method(method(13, PRIYA, "phone", Address::Voice(phone("+442079460112")), true)),
    ]
}

fn rules() -> Vec<Object> {
    let user_id = |n| UserId::from_stored(nth(n));
    let layer = Layer {
        name: "weekly".to_owned(),
        participants: vec![user_id(LENA), user_id(PRIYA)],
        start: "2026-11-02T09:00:00".parse().unwrap(),
        length: ShiftLength::Weeks(2),
        restrictions: Vec::new(),
    };
    let schedule = ScheduleId::from_stored(nth(21));
    let team = TeamId::from_stored(nth(51));
    let level = |target, delay_s| Level { targets: vec![target], delay_s };
    let policy = |n, name: &str, levels| Policy {
        id: PolicyId::from_stored(nth(n)),
        name: name.to_owned(),
        levels,
        repeat: 1,
    };
    let payments =
        vec![level(Target::Schedule(schedule), 600), level(Target::User(user_id(PRIYA)), 300)];
    let everybody = vec![level(Target::Team(team), 600)];
    vec![
        Object::Team(Team {
            id: team,
            name: "Platform".to_owned(),
            members: vec![user_id(PRIYA), user_id(LENA)],
        }),
        Object::Schedule(Schedule {
            id: schedule,
            name: "Payments".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            layers: vec![layer],
        }),
        Object::Policy(policy(30, "Payments", payments)),
        Object::Policy(policy(31, "Everybody", everybody)),
        Object::Service(Service {
            id: ServiceId::from_stored(nth(41)),
            name: "checkout-api".to_owned(),
            policy: Some(PolicyId::from_stored(nth(30))),
            team: Some(team),
            description: "Takes orders.".to_owned(),
            runbook_url: Some("https://wiki.halden.example/checkout".parse().unwrap()),
        }),
        Object::Integration(Integration {
            id: IntegrationId::from_stored(nth(61)),
            name: "Prometheus".to_owned(),
            dialect: Dialect::AlertmanagerApi,
            service: Some(ServiceId::from_stored(nth(41))),
            key_hint: "abcd".to_owned(),
            quota_per_minute: 6_000,
            disabled: false,
        }),
    ]
}
