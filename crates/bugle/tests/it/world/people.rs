//! Who and what there is in the world of a story.
//!
//! Lena is told first, Priya five minutes later. The service `archive` has a first level that
//! nobody is on call for. Priya is also the operator, and who the fallback tells.

use bugle_domain::contact::{Address, Channel, ContactMethod};
use bugle_domain::integration::{DEFAULT_QUOTA_PER_MINUTE, Dialect, Integration};
use bugle_domain::object::{Object, Tenant};
use bugle_domain::policy::{Level, Policy, Target};
use bugle_domain::role::Role;
use bugle_domain::schedule::Schedule;
use bugle_domain::service::Service;
use bugle_domain::user::{NotificationRules, User};
use bugle_domain::{IntegrationId, MethodId, PolicyId, ScheduleId, ServiceId, TenantId, UserId};
use jiff::Timestamp;

pub(crate) const LENA: &str = "Lena Kovač";
pub(crate) const PRIYA: &str = "Priya Nair";

/// Integrations and their keys, which also fit PagerDuty's `routing_key`.
pub(crate) const KEYS: [(&str, &str); 3] = [
    ("checkout", "checkout0123456789checkout012345"),
    ("archive", "archive01234567890archive0123456"),
    ("nowhere", "nowhere01234567890nowhere0123456"),
];

const PHONES: [(&str, &str); 2] = [(LENA, "+491713920001"), (PRIYA, "+491713920002")];

pub(crate) fn phone(owner: &str) -> &'static str {
    PHONES.iter().find(|(name, _)| *name == owner).unwrap().1
}

pub(crate) fn key(integration: &str) -> &'static str {
    KEYS.iter().find(|(name, _)| *name == integration).unwrap().1
}

macro_rules! ids {
    ($($name:ident: $kind:ty),*) => { $(
        pub(crate) fn $name(index: usize) -> $kind {
            let mut bytes = [1; 10];
            bytes[9] = u8::try_from(index).unwrap();
            <$kind>::new(Timestamp::from_second(1_700_000_000).unwrap(), bytes)
        }
    )* };
}

ids! { user_id: UserId, method_id: MethodId, policy_id: PolicyId, service_id: ServiceId,
integration_id: IntegrationId, schedule_id: ScheduleId, tenant_id: TenantId }

pub(crate) fn tenant(now: Timestamp) -> Tenant {
    Tenant {
        id: tenant_id(0),
        name: "Halden Freight".to_owned(),
        fallback_policy: Some(policy_id(2)),
        time_zone: "Europe/Berlin".to_owned(),
        created_at: now,
    }
}

/// People who left.
pub(crate) fn disabled(count: u16) -> Vec<Object> {
    let user = |number: u16| {
        let mut bytes = [2; 10];
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        Object::User(User {
            id: UserId::new(Timestamp::from_second(1_700_000_000).unwrap(), bytes),
            name: format!("Gone {number}"),
            email: format!("gone{number}@halden.example").parse().unwrap(),
            role: Role::Viewer,
            time_zone: "Europe/Berlin".to_owned(),
            rules: NotificationRules::default(),
            disabled: true,
        })
    };
    (0..count).map(user).collect()
}

pub(crate) fn objects(now: Timestamp) -> Vec<Object> {
    let mut objects = Vec::new();
    for (index, (name, number)) in PHONES.into_iter().enumerate() {
        let first = name.split(' ').next().unwrap().to_lowercase();
        let email = format!("{first}@halden.example");
        objects.push(Object::User(User {
            id: user_id(index),
            name: name.to_owned(),
            email: email.parse().unwrap(),
            role: if index == 0 { Role::Admin } else { Role::Responder },
            time_zone: "Europe/Berlin".to_owned(),
            rules: NotificationRules::default(),
            disabled: false,
        }));
        let ways = [(Channel::Sms, number), (Channel::Voice, number), (Channel::Email, &*email)];
        for (way, (channel, address)) in ways.into_iter().enumerate() {
            objects.push(Object::Method(ContactMethod {
                id: method_id(index * 3 + way),
                user: user_id(index),
                name: channel.as_str().to_owned(),
                address: Address::parse(channel, address).unwrap(),
                proven_at: Some(now),
            }));
        }
    }
    objects.push(Object::Schedule(Schedule {
        id: schedule_id(0),
        name: "Archive on call".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        layers: Vec::new(),
    }));
    objects.extend(policies());
    objects.extend(ways_in());
    objects
}

/// People who are told at the checkout beside each other, each with one way to be reached, and
/// the policy that tells all of them; their addresses.
pub(crate) fn crowd(channel: Channel, size: usize, now: Timestamp) -> (Vec<Object>, Vec<String>) {
    let (mut objects, mut addresses, mut targets) = (Vec::new(), Vec::new(), Vec::new());
    for index in 10..10 + size {
        let email = format!("person{index}@halden.example");
        let address = match channel {
            Channel::Email => email.clone(),
            _ => format!("+4917139210{index:03}"),
        };
        objects.push(Object::User(User {
            id: user_id(index),
            name: format!("Person {index}"),
            email: email.parse().unwrap(),
            role: Role::Responder,
            time_zone: "Europe/Berlin".to_owned(),
            rules: NotificationRules::default(),
            disabled: false,
        }));
        objects.push(Object::Method(ContactMethod {
            id: method_id(index),
            user: user_id(index),
            name: channel.as_str().to_owned(),
            address: Address::parse(channel, &address).unwrap(),
            proven_at: Some(now),
        }));
        targets.push(Target::User(user_id(index)));
        addresses.push(address);
    }
    let levels = vec![Level { targets, delay_s: 3_600 }];
    let name = "Payments".to_owned();
    objects.push(Object::Policy(Policy { id: policy_id(0), name, levels, repeat: 0 }));
    (objects, addresses)
}

fn policies() -> Vec<Object> {
    let level = |target, delay_s| Level { targets: vec![target], delay_s };
    let policy = |index, name: &str, levels| {
        Object::Policy(Policy { id: policy_id(index), name: name.to_owned(), levels, repeat: 0 })
    };
    let (lena, priya) = (Target::User(user_id(0)), Target::User(user_id(1)));
    vec![
        policy(0, "Payments", vec![level(lena, 300), level(priya, 600)]),
        policy(1, "Archive", vec![level(Target::Schedule(schedule_id(0)), 300), level(priya, 600)]),
        policy(2, "Whoever is left", vec![level(priya, 600)]),
    ]
}

fn ways_in() -> Vec<Object> {
    let service = |index: usize, name: &str| {
        Object::Service(Service {
            id: service_id(index),
            name: name.to_owned(),
            policy: Some(policy_id(index)),
            team: None,
            description: String::new(),
            runbook_url: None,
        })
    };
    let mut objects = vec![service(0, "checkout-api"), service(1, "archive")];
    for (index, (name, key)) in KEYS.into_iter().enumerate() {
        objects.push(Object::Integration(Integration {
            id: integration_id(index),
            name: name.to_owned(),
            dialect: Dialect::Native,
            service: (index < 2).then(|| service_id(index)),
            key_hint: key[..4].to_owned(),
            quota_per_minute: DEFAULT_QUOTA_PER_MINUTE,
            disabled: false,
        }));
    }
    objects
}
