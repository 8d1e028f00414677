//! The client organisations of a drill: the same for the same plan, so that the drill and its node
//! need to tell each other no more than that.
//!
//! Every person has a service, a way in for its events, a phone and a program. Each tenant has a
//! lead, who is told when nobody answers in time.

use bugle_domain::contact::{Address, Channel, ContactMethod};
use bugle_domain::integration::{Dialect, Integration};
use bugle_domain::object::{Object, Tenant};
use bugle_domain::policy::{Level, Policy, Target};
use bugle_domain::role::Role;
use bugle_domain::service::Service;
use bugle_domain::user::{NotificationRule, NotificationRules, User};
use bugle_domain::{IntegrationId, MethodId, PolicyId, ServiceId, TenantId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

/// A quota, in events a minute, that is in the way of no load.
pub const NO_QUOTA: u32 = 1_000_000;
/// Tenants, and people of each, at most: their numbers are two digits of a telephone number.
pub const MOST: usize = 99;
/// The place of a tenant's lead.
pub const LEAD: usize = 0;

/// How the addresses of those who read the status page begin.
const READER: &str = "reader";

/// Which organisations there are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Tenants.
    pub tenants: usize,
    /// People of each, beside its lead.
    pub people: usize,
    /// How long a level waits for an answer, 10–86,400 s.
    pub level_delay_s: u32,
    /// Accounts of the first tenant's that have expired.
    pub expired: u32,
    /// Events a minute that a way in takes.
    pub quota: u32,
    /// Subscribers of the status page, by mail.
    pub readers: u32,
    /// Where programs are.
    pub hooks: Url,
}

/// One tenant, and all that belongs to it.
#[derive(Debug)]
pub struct Client {
    /// The tenant.
    pub tenant: Tenant,
    /// Everything else, in an order in which it can be saved.
    pub objects: Vec<Object>,
    /// The keys of its ways in.
    pub keys: Vec<(IntegrationId, String)>,
    /// Its lead, who is an admin.
    pub lead: UserId,
}

/// All tenants of a plan.
pub fn clients(plan: &Plan, now: Timestamp) -> Vec<Client> {
    (0..plan.tenants.min(MOST)).filter_map(|tenant| client(plan, tenant, now)).collect()
}

/// The id of a tenant, by its number.
pub fn tenant(number: usize) -> TenantId {
    tenant_id(number, 0)
}

/// The key of a person's way in.
pub fn key(tenant: usize, person: usize) -> String {
    format!("drill{tenant:02}{person:02}{:0<23}", "")
}

/// The key of a tenant's way in for senders that speak PagerDuty's Events API v2.
pub fn pagerduty_key(tenant: usize) -> String {
    format!("pager{tenant:02}{:0<25}", "")
}

/// What a person's way in is called.
pub fn way_in_name(person: usize) -> String {
    format!("Monitor {person}")
}

/// What a person's service is called.
pub fn service_name(person: usize) -> String {
    format!("service-{person}")
}

/// The telephone of a person; person 0 is the lead.
pub fn phone(tenant: usize, person: usize) -> String {
    format!("+4917139{tenant:02}{person:02}")
}

/// The path of a person's program.
pub fn path(tenant: usize, person: usize) -> String {
    format!("/drill/{tenant}/{person}")
}

/// Whose a program is: tenant and person.
pub fn whose(path: &str) -> Option<(usize, usize)> {
    let (tenant, person) = path.strip_prefix("/drill/")?.split_once('/')?;
    Some((tenant.parse().ok()?, person.parse().ok()?))
}

/// The address of a subscriber of the status page.
pub fn reader(number: u32) -> String {
    format!("{READER}{number}@customer.example")
}

/// What subscribers have asked about, by number in turn, so that they can be told in rounds.
pub const READ_OF: [&str; 5] = ["intake", "web", "api", "integrations", "email"];

/// What the subscriber of that number has asked about.
pub fn read_of(number: u32) -> &'static str {
    let turn = usize::try_from(number).unwrap_or_default() % READ_OF.len();
    READ_OF[turn]
}

/// Whether an address is a subscriber's.
pub(super) fn is_reader(address: &str) -> bool {
    address.starts_with(READER)
}

/// Accounts of a tenant that have expired.
fn expired(tenant: usize, accounts: u32) -> impl Iterator<Item = Object> {
    (0..accounts).filter_map(move |number| {
        let mut bytes = [8; 10];
        bytes[6..].copy_from_slice(&number.to_be_bytes());
        Some(Object::User(User {
            id: UserId::new(Timestamp::UNIX_EPOCH, bytes),
            name: format!("Expired {number}"),
            email: format!("expired{number}@client{tenant}.example").parse().ok()?,
            role: Role::Viewer,
            time_zone: "UTC".to_owned(),
            rules: NotificationRules::default(),
            disabled: true,
        }))
    })
}

macro_rules! ids {
    ($($name:ident: $kind:ty),*) => { $(
        fn $name(tenant: usize, number: usize) -> $kind {
            <$kind>::new(Timestamp::UNIX_EPOCH, place(tenant, number))
        }
    )* };
}

ids! { tenant_id: TenantId, user_id: UserId, method_id: MethodId, policy_id: PolicyId,
service_id: ServiceId, integration_id: IntegrationId }

fn place(tenant: usize, number: usize) -> [u8; 10] {
    let mut bytes = [7; 10];
    bytes[8] = u8::try_from(tenant).unwrap_or(u8::MAX);
    bytes[9] = u8::try_from(number).unwrap_or(u8::MAX);
    bytes
}

/// `None` where an address can't be read, which the plan's URL may be to blame for.
fn client(plan: &Plan, number: usize, now: Timestamp) -> Option<Client> {
    let tenant = Tenant {
        id: tenant(number),
        name: format!("Client {}", number + 1),
        fallback_policy: Some(policy_id(number, 0)),
        time_zone: "UTC".to_owned(),
        created_at: now,
    };
    let mut objects = Vec::new();
    let mut keys = Vec::new();
    for person in 0..=plan.people.min(MOST) {
        objects.extend(person_of(plan, (number, person), now)?);
        objects.push(policy(plan, number, person));
    }
    if number == 0 {
        objects.extend(expired(number, plan.expired));
    }
    for person in 1..=plan.people.min(MOST) {
        objects.push(Object::Service(service(number, person)));
        objects.push(Object::Integration(way_in(plan, number, person)));
        keys.push((integration_id(number, person), key(number, person)));
    }
    let pagerduty = pagerduty(plan, number);
    keys.push((pagerduty.id, pagerduty_key(number)));
    objects.push(Object::Integration(pagerduty));
    Some(Client { tenant, objects, keys, lead: user_id(number, 0) })
}

fn name(person: usize) -> String {
    if person == 0 { "Lead".to_owned() } else { format!("Responder {person}") }
}

/// A person with a phone and a program, who is told by both at once.
fn person_of(plan: &Plan, (tenant, person): (usize, usize), now: Timestamp) -> Option<Vec<Object>> {
    let program = plan.hooks.join(&path(tenant, person)).ok()?;
    let ways = [(Channel::Webhook, program.to_string()), (Channel::Sms, phone(tenant, person))];
    let mut methods = Vec::new();
    for (way, (channel, address)) in ways.into_iter().enumerate() {
        methods.push(ContactMethod {
            id: method_id(tenant, person * 2 + way),
            user: user_id(tenant, person),
            name: channel.as_str().to_owned(),
            address: Address::parse(channel, &address).ok()?,
            proven_at: Some(now),
        });
    }
    let rule = |method: &ContactMethod| NotificationRule { delay_s: 0, method: method.id };
    let rules: Vec<NotificationRule> = methods.iter().map(rule).collect();
    let user = User {
        id: user_id(tenant, person),
        name: name(person),
        email: format!("p{person}@client{tenant}.example").parse().ok()?,
        role: if person == 0 { Role::Admin } else { Role::Responder },
        time_zone: "UTC".to_owned(),
        rules: NotificationRules { urgent: rules.clone(), normal: rules },
        disabled: false,
    };
    let mut objects = vec![Object::User(user)];
    objects.extend(methods.into_iter().map(Object::Method));
    Some(objects)
}

/// The person first, then the lead; the lead's own has no other level.
fn policy(plan: &Plan, tenant: usize, person: usize) -> Object {
    let level = |person| Level {
        targets: vec![Target::User(user_id(tenant, person))],
        delay_s: plan.level_delay_s,
    };
    let levels = if person == 0 { vec![level(0)] } else { vec![level(person), level(0)] };
    let id = policy_id(tenant, person);
    Object::Policy(Policy { id, name: format!("Policy {person}"), levels, repeat: 0 })
}

fn service(tenant: usize, person: usize) -> Service {
    Service {
        id: service_id(tenant, person),
        name: service_name(person),
        policy: Some(policy_id(tenant, person)),
        team: None,
        description: String::new(),
        runbook_url: None,
    }
}

fn way_in(plan: &Plan, tenant: usize, person: usize) -> Integration {
    Integration {
        id: integration_id(tenant, person),
        name: way_in_name(person),
        dialect: Dialect::Native,
        service: Some(service_id(tenant, person)),
        key_hint: key(tenant, person).chars().take(4).collect(),
        quota_per_minute: plan.quota,
        disabled: false,
    }
}

/// Whose events are the first person's.
fn pagerduty(plan: &Plan, tenant: usize) -> Integration {
    Integration {
        id: integration_id(tenant, MOST + 1),
        name: "PagerDuty sender".to_owned(),
        dialect: Dialect::PagerdutyV2,
        key_hint: pagerduty_key(tenant).chars().take(4).collect(),
        ..way_in(plan, tenant, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_person_has_a_way_in_a_phone_and_a_program() {
        let hooks = "http://127.0.0.1:9/".parse().unwrap();
        let (expired, quota, readers) = (2, NO_QUOTA, 2);
        let plan =
            Plan { tenants: 2, people: 3, level_delay_s: 10, expired, quota, readers, hooks };
        let clients = clients(&plan, Timestamp::UNIX_EPOCH);
        assert_eq!(clients.len(), 2);
        assert_eq!(clients[1].keys.len(), 3 + 1, "and PagerDuty's");
        assert!(clients[1].keys.iter().all(|(_, key)| key.len() == 32));
        let methods = clients[0].objects.iter().filter(|it| matches!(it, Object::Method(_)));
        assert_eq!(methods.count(), 2 * (3 + 1));
        assert_eq!(whose(&path(1, 3)), Some((1, 3)));
        assert_eq!(whose("/operators"), None);
    }
}
