//! Canaries: synthetic events that go the way of everybody's, from the public intake to a receipt.
//!
//! They are sent in a tenant of the watch's own, set up like any other, whose alerting is always
//! placed on this node.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bugle_channels::Probe;
use bugle_domain::contact::{Address, Channel, ContactMethod};
use bugle_domain::integration::{Dialect, Integration};
use bugle_domain::notification::Lane;
use bugle_domain::object::{Object, Tenant};
use bugle_domain::policy::{Level, Policy, Target};
use bugle_domain::role::Role;
use bugle_domain::service::Service;
use bugle_domain::user::{NotificationRule, NotificationRules, User};
use bugle_domain::{
    AllTenants, EventId, IntegrationId, MethodId, NodeId, PolicyId, ServiceId, TenantId,
    TenantScope, UserId,
};
use bugle_engine::watch::flight::{Flight, Goal, Marks, Path};
use bugle_store::{ObjectChange, Store, StoreError};
use bytes::Bytes;
use futures_util::future::join_all;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::Url;
use uuid::Uuid;

use super::settings::{ProbeAddress, Settings};
use crate::clock::Clock;
use crate::entropy;

/// Intake answers a canary within this time, or it counts as not accepted.
const INTAKE_LIMIT: Duration = Duration::from_millis(1_500);
/// Canaries whose events are remembered by their number.
const MAX_NUMBERS: usize = 4_096;
/// Letters and digits of a path's key.
const KEY_CHARS: usize = 32;
/// The policies of canaries never go on to a second level: they are swept long before.
const LEVEL_DELAY_S: u32 = 86_400;
/// Written into the audit log as whoever set the tenant up.
const ACTOR: &str = "the watch";
/// The provider's name on the path that must fail.
const CONTROL: &str = "control";
/// What the integration is called that takes canaries by mail.
const BY_MAIL: &str = "by mail";

/// A path, and the key by which events enter it.
struct Way {
    path: Path,
    goal: Goal,
    address: Address,
    key: SecretString,
}

/// Sends canaries.
pub(super) struct Canaries {
    tenant: TenantId,
    ways: Vec<Way>,
    control: Way,
    probe: Probe,
    intake: Url,
    next_number: u64,
    /// Events by the number that their receipts name.
    numbers: VecDeque<(String, EventId)>,
}

/// What intake answers.
#[derive(Deserialize)]
struct Accepted {
    id: EventId,
}

impl Canaries {
    /// Paths to every probe address and to `receipts`, this node's own; `lost` takes what must not
    /// arrive.
    pub(super) fn new(
        node: NodeId,
        settings: &Settings,
        probe: Probe,
        (receipts, lost): (Url, Url),
    ) -> Result<Self, url::ParseError> {
        let intake = settings.own_url.join("api/v1/events")?;
        let webhook = |lane, provider: &str, url: Url| {
            let path = Path { channel: Channel::Webhook, provider: provider.to_owned(), lane };
            way(path, Address::Webhook(url))
        };
        let own = Channel::Webhook.as_str();
        let mut ways =
            vec![webhook(Lane::Urgent, own, receipts.clone()), webhook(Lane::Bulk, own, receipts)];
        ways.extend(settings.probes.iter().map(|ProbeAddress { provider, address }| {
            let (channel, lane) = (address.channel(), Lane::Urgent);
            way(Path { channel, provider: provider.clone(), lane }, address.clone())
        }));
        Ok(Self {
            tenant: TenantId::reserved_for(node),
            ways,
            control: webhook(Lane::Urgent, CONTROL, lost),
            probe: probe.within(INTAKE_LIMIT),
            intake,
            next_number: 0,
            numbers: VecDeque::new(),
        })
    }

    /// The paths.
    pub(super) fn paths(&self) -> Vec<(Path, Goal)> {
        self.ways.iter().map(|way| (way.path.clone(), way.goal)).collect()
    }

    /// The path that must fail.
    pub(super) fn control(&self) -> &Path {
        &self.control.path
    }

    /// Whose they are.
    pub(super) fn scope(&self) -> TenantScope {
        TenantScope::granted(self.tenant)
    }

    /// The integration that those by mail come in by.
    pub(super) fn by_mail(&self) -> IntegrationId {
        IntegrationId::from_stored(stable_id(&format!("{} by mail", self.tenant)))
    }

    /// Makes the tenant what it must be, with new keys.
    pub(super) async fn set_up(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let policies = self.ways.first().map(|way| ids(self.tenant, &way.path).policy);
        let tenant = Tenant {
            id: self.tenant,
            name: "Canaries".to_owned(),
            fallback_policy: policies,
            time_zone: "UTC".to_owned(),
            created_at: now,
        };
        store.create_tenant(AllTenants::granted(), &tenant).await?;
        let known = store.directory(self.scope()).await?;
        let mut changes = Vec::new();
        for way in self.ways.iter().chain([&self.control]) {
            let wanted = objects(self.tenant, way);
            changes.extend(
                wanted.into_iter().map(|object| ObjectChange::Put { object, expected: None }),
            );
            let integration = ids(self.tenant, &way.path).integration;
            let hash = Sha256::digest(way.key.expose_secret().as_bytes()).into();
            changes.push(ObjectChange::Key { integration, hash });
        }
        let object = Object::Integration(integration(self.by_mail(), BY_MAIL.to_owned(), None));
        changes.push(ObjectChange::Put { object, expected: None });
        let wanted: Vec<Uuid> = changes.iter().filter_map(put_id).collect();
        changes.extend(known.iter().flat_map(|directory| gone(directory, &wanted)));
        store.save_objects(self.scope(), &changes, now, ACTOR).await.map(drop)
    }

    /// Sends one on each path, and on the one that must fail where that is wanted.
    pub(super) async fn send(&mut self, clock: &Clock, control: bool) -> Vec<(Path, Flight)> {
        let control = control.then_some(&self.control);
        let ways: Vec<&Way> = self.ways.iter().chain(control).collect();
        let first = self.next_number;
        let sends = ways.iter().zip(first..).map(|(way, number)| self.send_one(way, number, clock));
        let sent = join_all(sends).await;
        let count = u64::try_from(sent.len()).unwrap_or(0);
        let named: Vec<_> = sent
            .iter()
            .zip(first..)
            .filter_map(|((_, flight), number)| Some((dedup_key(number), flight.event?)))
            .collect();
        self.next_number += count;
        for entry in named {
            if self.numbers.len() >= MAX_NUMBERS {
                self.numbers.pop_front();
            }
            self.numbers.push_back(entry);
        }
        sent
    }

    async fn send_one(&self, way: &Way, number: u64, clock: &Clock) -> (Path, Flight) {
        let severity = match way.path.lane {
            Lane::Urgent => "critical",
            Lane::Bulk => "low",
        };
        let body = serde_json::json!({
            "action": "trigger", "summary": "canary", "severity": severity, "source": "bugle",
            "dedup_key": dedup_key(number),
        });
        let sent_at = clock.now();
        let key = Some(way.key.expose_secret());
        let answer = self.probe.post(&self.intake, key, Bytes::from(body.to_string())).await;
        let accepted = match answer {
            Ok(answer) if answer.ok() => serde_json::from_slice::<Accepted>(&answer.body)
                .map(|accepted| accepted.id)
                .map_err(|_| "intake answered what is not understood".to_owned()),
            Ok(answer) => Err(format!("intake answered {}", answer.status)),
            Err(why) => Err(format!("intake: {why}")),
        };
        let now = clock.now();
        let (event, fault) = match accepted {
            Ok(event) => (Some(event), None),
            Err(why) => (None, Some(why)),
        };
        let marks = Marks { accepted: event.map(|_| now), ..Marks::default() };
        (way.path.clone(), Flight { sent_at, event, marks, fault })
    }

    /// The event of the canary that a receipt names.
    pub(super) fn event(&self, number: &str) -> Option<EventId> {
        self.numbers.iter().rev().find(|(known, _)| known == number).map(|(_, event)| *event)
    }
}

fn dedup_key(number: u64) -> String {
    format!("canary {number}")
}

fn way(path: Path, address: Address) -> Way {
    let goal = match path.channel {
        Channel::Webhook | Channel::Sms => Goal::Arrived,
        // Mail servers send no receipts, and a call has one only when a person takes it.
        Channel::Email | Channel::Voice => Goal::Taken,
    };
    Way { path, goal, address, key: entropy::base62(KEY_CHARS).into() }
}

/// The ids of what makes up a path: the same after every restart.
struct Ids {
    user: UserId,
    method: MethodId,
    policy: PolicyId,
    service: ServiceId,
    integration: IntegrationId,
}

fn ids(tenant: TenantId, path: &Path) -> Ids {
    let id = |kind: &str| {
        let lane = path.lane.as_str();
        let text = format!("{tenant} {} {} {lane} {kind}", path.channel.as_str(), path.provider);
        stable_id(&text)
    };
    Ids {
        user: UserId::from_stored(id("user")),
        method: MethodId::from_stored(id("method")),
        policy: PolicyId::from_stored(id("policy")),
        service: ServiceId::from_stored(id("service")),
        integration: IntegrationId::from_stored(id("integration")),
    }
}

/// An id that follows from words.
fn stable_id(text: &str) -> Uuid {
    let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let (head, _) = hash.split_at(16);
    uuid::Builder::from_slice(head)
        .map_or(Uuid::nil(), |builder| builder.with_version(uuid::Version::Custom).into_uuid())
}

fn integration(id: IntegrationId, name: String, service: Option<ServiceId>) -> Integration {
    Integration {
        id,
        name,
        dialect: if service.is_some() { Dialect::Native } else { Dialect::Email },
        service,
        key_hint: String::new(),
        quota_per_minute: bugle_domain::integration::DEFAULT_QUOTA_PER_MINUTE,
        disabled: false,
    }
}

fn objects(tenant: TenantId, way: &Way) -> Vec<Object> {
    let ids = ids(tenant, &way.path);
    let (channel, lane) = (way.path.channel.as_str(), way.path.lane.as_str());
    let name = format!("{channel} by {}, {lane}", way.path.provider);
    // Nobody can sign in: there is no password, and no mail is sent there.
    let email = format!("{}@canary.invalid", ids.user.as_uuid().as_simple());
    let Ok(email) = email.parse() else { return Vec::new() };
    let rule = vec![NotificationRule { delay_s: 0, method: ids.method }];
    let (targets, delay_s) = (vec![Target::User(ids.user)], LEVEL_DELAY_S);
    vec![
        Object::User(User {
            id: ids.user,
            name: name.clone(),
            email,
            role: Role::Viewer,
            time_zone: "UTC".to_owned(),
            rules: NotificationRules { urgent: rule.clone(), normal: rule },
            disabled: false,
        }),
        Object::Method(ContactMethod {
            id: ids.method,
            user: ids.user,
            // Dispatch sends it by the provider of this name.
            name: way.path.provider.clone(),
            address: way.address.clone(),
            proven_at: Some(Timestamp::UNIX_EPOCH),
        }),
        Object::Policy(Policy {
            id: ids.policy,
            name: name.clone(),
            levels: vec![Level { targets, delay_s }],
            repeat: 0,
        }),
        Object::Service(Service {
            id: ids.service,
            name: name.clone(),
            policy: Some(ids.policy),
            team: None,
            description: String::new(),
            runbook_url: None,
        }),
        Object::Integration(integration(ids.integration, name, Some(ids.service))),
    ]
}

fn put_id(change: &ObjectChange) -> Option<Uuid> {
    match change {
        ObjectChange::Put { object, .. } => Some(object.uuid()),
        ObjectChange::Delete { .. } | ObjectChange::Key { .. } => None,
    }
}

/// Removes what belongs to paths that there are no more.
fn gone(directory: &bugle_domain::object::Directory, wanted: &[Uuid]) -> Vec<ObjectChange> {
    use bugle_domain::object::ObjectKind::{Integration, Method, Policy, Service, User};
    let mut known: BTreeMap<Uuid, bugle_domain::object::ObjectKind> = BTreeMap::new();
    known.extend(directory.integrations.keys().map(|id| (id.as_uuid(), Integration)));
    known.extend(directory.methods.keys().map(|id| (id.as_uuid(), Method)));
    known.extend(directory.policies.keys().map(|id| (id.as_uuid(), Policy)));
    known.extend(directory.services.keys().map(|id| (id.as_uuid(), Service)));
    known.extend(directory.users.keys().map(|id| (id.as_uuid(), User)));
    let left = known.into_iter().filter(|(id, _)| !wanted.contains(id));
    left.map(|(id, kind)| ObjectChange::Delete { kind, id }).collect()
}
