//! What the tests share: a company of four people, and a store in memory that alerting's decisions
//! are saved to, which checks on the way that they can be.

use std::collections::BTreeMap;

use bugle_domain::alert::{Actor, Alert, AlertStatus, Escalation, TimelineEntry, Via};
use bugle_domain::contact::{Address, Channel, ContactMethod};
use bugle_domain::event::{Action, Event, EventBody, EventOutcome};
use bugle_domain::integration::{Dialect, Integration};
use bugle_domain::notification::{End, Notification, NotificationState};
use bugle_domain::object::{Directory, Object, Tenant};
use bugle_domain::policy::{Level, Policy, Target};
use bugle_domain::role::Role;
use bugle_domain::schedule::{Layer, Schedule, ShiftLength};
use bugle_domain::service::Service;
use bugle_domain::user::{NotificationRules, Team, User};
use bugle_domain::{
    AlertId, EventId, IntegrationId, MethodId, NotificationId, PolicyId, ScheduleId, ServiceId,
    Severity, TeamId, TenantId, UserId,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::Mint;
use crate::alerting::{Decisions, Work, decide};
use crate::clock::Progress;
use crate::respond::{Effect, Response, ResponseAction, respond};

/// An id of any kind, from a number.
pub(crate) fn id<T>(make: fn(Uuid) -> T, number: u128) -> T {
    make(Uuid::from_u128(number))
}

/// Minutes after 02:00 UTC on a Friday night.
pub(crate) fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-11-20T02:00:00Z".parse().unwrap();
    start + SignedDuration::from_mins(minutes)
}

pub(crate) const LENA: u128 = 1;
pub(crate) const PRIYA: u128 = 2;
pub(crate) const TOMAS: u128 = 3;
pub(crate) const JONAS: u128 = 4;

pub(crate) fn user(number: u128) -> UserId {
    id(UserId::from_stored, number)
}

pub(crate) fn method_of(number: u128, channel: Channel) -> MethodId {
    let place = Channel::ALL.iter().position(|it| *it == channel).unwrap();
    id(MethodId::from_stored, number * 10 + place as u128)
}

pub(crate) fn method(number: u128, channel: Channel) -> ContactMethod {
    let address = match channel {
        Channel::Email => format!("person{number}@halden.example"),
        Channel::Sms | Channel::Voice => format!("+4930123450{number}"),
        Channel::Webhook => format!("https://hooks.halden.example/{number}"),
    };
    ContactMethod {
        id: method_of(number, channel),
        user: user(number),
        name: channel.as_str().to_owned(),
        address: Address::parse(channel, &address).unwrap(),
        proven_at: Some(at(-1_000)),
    }
}

fn person(number: u128, name: &str, time_zone: &str) -> User {
    User {
        id: user(number),
        name: name.to_owned(),
        email: format!("person{number}@halden.example").parse().unwrap(),
        role: Role::Responder,
        time_zone: time_zone.to_owned(),
        rules: NotificationRules::default(),
        disabled: false,
    }
}

pub(crate) fn level(targets: &[Target], minutes: u32) -> Level {
    Level { targets: targets.to_vec(), delay_s: minutes * 60 }
}

pub(crate) fn only(number: u128) -> Target {
    Target::User(user(number))
}

pub(crate) fn second_line_target() -> Target {
    Target::Schedule(id(ScheduleId::from_stored, 1))
}
pub(crate) const PLATFORM: u128 = 1;

/// Halden Freight. Its integration 1 feeds the service Payments, whose policy tells Lena for five
/// minutes, then Priya for ten, once. Integration 2 has no service. The fallback tells Jonas for 15
/// minutes. Everybody can be reached by text, call and mail.
pub(crate) fn halden() -> Directory {
    let tenant = Tenant {
        id: id(TenantId::from_stored, 1),
        name: "Halden Freight".to_owned(),
        fallback_policy: Some(id(PolicyId::from_stored, 2)),
        time_zone: "Europe/Berlin".to_owned(),
        created_at: at(-10_000),
    };
    let mut directory = Directory::empty(tenant, 1);
    let people = [
        (LENA, "Lena Kovač", "Europe/Berlin"),
        (PRIYA, "Priya Nair", "Asia/Kolkata"),
        (TOMAS, "Tomás Ruiz", "America/Bogota"),
        (JONAS, "Jonas Weber", "Europe/Berlin"),
    ];
    for (number, name, zone) in people {
        directory.add(Object::User(person(number, name, zone)));
        for channel in [Channel::Sms, Channel::Voice, Channel::Email] {
            directory.add(Object::Method(method(number, channel)));
        }
    }
    directory.add(Object::Policy(Policy {
        id: id(PolicyId::from_stored, 1),
        name: "Payments".to_owned(),
        levels: vec![level(&[only(LENA)], 5), level(&[only(PRIYA)], 10)],
        repeat: 0,
    }));
    directory.add(Object::Policy(Policy {
        id: id(PolicyId::from_stored, 2),
        name: "Somebody".to_owned(),
        levels: vec![level(&[only(JONAS)], 15)],
        repeat: 0,
    }));
    directory.add(Object::Service(Service {
        id: id(ServiceId::from_stored, 1),
        name: "Payments".to_owned(),
        policy: Some(id(PolicyId::from_stored, 1)),
        team: None,
        description: String::new(),
        runbook_url: None,
    }));
    for (number, name, service) in [(1, "Prometheus", Some(1)), (2, "Backups", None)] {
        directory.add(Object::Integration(Integration {
            id: id(IntegrationId::from_stored, number),
            name: name.to_owned(),
            dialect: Dialect::Native,
            service: service.map(|number| id(ServiceId::from_stored, number)),
            key_hint: String::new(),
            quota_per_minute: 6_000,
            disabled: false,
        }));
    }
    directory.add(Object::Team(Team {
        id: id(TeamId::from_stored, PLATFORM),
        name: "Platform".to_owned(),
        members: vec![user(PRIYA), user(TOMAS)],
    }));
    directory.add(Object::Schedule(second_line(&[])));
    directory
}

/// A weekly rotation of `people`, or a schedule with nobody in it.
pub(crate) fn second_line(people: &[u128]) -> Schedule {
    let layer = Layer {
        name: "weekly".to_owned(),
        participants: people.iter().map(|number| user(*number)).collect(),
        start: "2026-01-05T09:00".parse().unwrap(),
        length: ShiftLength::Weeks(1),
        restrictions: Vec::new(),
    };
    Schedule {
        id: id(ScheduleId::from_stored, 1),
        name: "Payments second line".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        layers: if people.is_empty() { Vec::new() } else { vec![layer] },
    }
}

/// The policy that Payments follows.
pub(crate) fn payments(directory: &mut Directory) -> &mut Policy {
    directory.policies.get_mut(&id(PolicyId::from_stored, 1)).unwrap()
}

/// A trigger of integration 1.
pub(crate) fn event(number: u128, action: Action, key: &str, severity: Severity) -> Event {
    Event {
        id: id(EventId::from_stored, number),
        integration: id(IntegrationId::from_stored, 1),
        dialect: Dialect::Native,
        received_at: at(0),
        body: EventBody {
            action,
            summary: format!("{key} is down"),
            severity,
            source: "prometheus-1".to_owned(),
            dedup_key: key.to_owned(),
            occurred_at: None,
            ends_at: None,
            links: Vec::new(),
            details: serde_json::Map::new(),
        },
        request: id(EventId::from_stored, number),
        outcome: None,
        decided_at: None,
        tries: 1,
    }
}

/// Counts.
#[derive(Clone, Default)]
pub(crate) struct Counter(u128);

impl Mint for Counter {
    fn alert(&mut self) -> AlertId {
        self.0 += 1;
        id(AlertId::from_stored, self.0)
    }

    fn notification(&mut self) -> NotificationId {
        self.0 += 1;
        id(NotificationId::from_stored, self.0)
    }

    fn token(&mut self) -> String {
        self.0 += 1;
        format!("token{:08}", self.0)
    }
}

/// A store in memory, for one tenant.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) directory: Directory,
    pub(crate) alerts: BTreeMap<AlertId, Alert>,
    pub(crate) notifications: BTreeMap<NotificationId, Notification>,
    pub(crate) outcomes: Vec<(EventId, EventOutcome)>,
    /// Since when senders could always reach it.
    pub(crate) heard_since: Timestamp,
    pub(crate) mint: Counter,
    /// From when to when dispatch stood still. Otherwise what is due goes out at once.
    pub(crate) stall: Option<(Timestamp, Timestamp)>,
}

impl World {
    pub(crate) fn new(directory: Directory) -> Self {
        Self {
            directory,
            alerts: BTreeMap::new(),
            notifications: BTreeMap::new(),
            outcomes: Vec::new(),
            heard_since: at(-10_000),
            mint: Counter::default(),
            stall: None,
        }
    }

    /// What alerting reads: the events, the alerts they name, and what is due.
    pub(crate) fn work(&self, events: Vec<Event>, now: Timestamp) -> Work {
        let named = |alert: &&Alert| {
            let mut events = events.iter();
            events.any(|it| {
                it.integration == alert.integration && it.body.dedup_key == alert.dedup_key
            })
        };
        let unresolved = || self.alerts.values().filter(|it| it.status != AlertStatus::Resolved);
        let open = unresolved().filter(named).cloned().collect();
        let is_due = |alert: &&Alert| alert.due_at().is_some_and(|due| due <= now);
        let due: Vec<Alert> = unresolved().filter(is_due).cloned().collect();
        let progress = due.iter().map(|alert| (alert.id, self.progress(alert, now))).collect();
        Work { events, open, due, progress, left_from: None }
    }

    /// How far the pages of the alert's level have come.
    fn progress(&self, alert: &Alert, now: Timestamp) -> Progress {
        let Escalation::Waiting { told_at, .. } = alert.escalation else {
            return Progress::default();
        };
        let mut progress = Progress::default();
        let of_level = |it: &&Notification| it.alert == alert.id && it.created_at >= told_at;
        for it in self.notifications.values().filter(of_level) {
            let stalled = self.stall.filter(|(from, to)| *from <= it.due_at && it.due_at < *to);
            let out_at = stalled.map_or(it.due_at, |(_, to)| to);
            let over = match it.state {
                NotificationState::Ended { at, .. } => at <= out_at,
                _ => false,
            };
            if over || it.due_at > now {
                continue;
            }
            if out_at > now {
                progress.waits_for_us = true;
            } else {
                let first = progress.accepted_at.map_or(out_at, |known| known.min(out_at));
                (progress.accepted_at, progress.tried_at) = (Some(first), Some(first));
            }
        }
        progress
    }

    /// One pass of alerting.
    pub(crate) fn pass(&mut self, events: Vec<Event>, now: Timestamp) -> Decisions {
        let work = self.work(events, now);
        self.decide(work, now)
    }

    /// One pass of alerting over what it was given.
    pub(crate) fn decide(&mut self, work: Work, now: Timestamp) -> Decisions {
        let times = (now, self.heard_since);
        let decisions = decide(&self.directory, work, times, &mut self.mint);
        self.save(&decisions, now);
        decisions
    }

    /// A person's answer.
    pub(crate) fn respond(
        &mut self,
        alert: AlertId,
        who: u128,
        action: ResponseAction,
        now: Timestamp,
    ) -> (Decisions, Effect) {
        let name = self.directory.user_name(user(who)).to_owned();
        let by = Actor::User { id: user(who), name };
        let told_at = match self.alerts[&alert].escalation {
            Escalation::Waiting { told_at, .. } => Some(told_at),
            _ => None,
        };
        self.respond_to(
            alert,
            Response { action, by, via: Via::Voice, notification: None, seen: told_at },
            now,
        )
    }

    /// An answer, as it came in.
    pub(crate) fn respond_to(
        &mut self,
        alert: AlertId,
        response: Response,
        now: Timestamp,
    ) -> (Decisions, Effect) {
        let alert = self.alerts[&alert].clone();
        let (decisions, effect) = respond(&self.directory, alert, &response, now, &mut self.mint);
        self.save(&decisions, now);
        (decisions, effect)
    }

    /// Saves as a database would, with the constraints it has.
    pub(crate) fn save(&mut self, decisions: &Decisions, now: Timestamp) {
        self.outcomes.extend(&decisions.outcomes);
        for alert in &decisions.opened {
            let number = i64::try_from(self.alerts.len()).unwrap() + 4_801;
            let alert = Alert { number, ..alert.clone() };
            assert!(self.alerts.insert(alert.id, alert).is_none(), "opened twice");
        }
        for alert in &decisions.changed {
            let before = self.alerts.insert(alert.id, alert.clone());
            assert!(before.is_some(), "changed before it was opened");
        }
        for (alert, reason) in &decisions.cancel {
            assert!(self.alerts.contains_key(alert), "cancelled for an unknown alert");
            for it in self.notifications.values_mut().filter(|it| it.alert == *alert) {
                if it.state == NotificationState::Waiting {
                    let reason = (*reason).to_owned();
                    it.state = NotificationState::Ended { end: End::Cancelled, reason, at: now };
                }
            }
        }
        for it in &decisions.owed {
            assert!(self.alerts.contains_key(&it.alert), "owed for an unknown alert");
            assert!(self.notifications.insert(it.id, it.clone()).is_none(), "owed twice");
        }
        for (alert, ..) in &decisions.timeline {
            assert!(self.alerts.contains_key(alert), "a line for an unknown alert");
        }
        let mut open: Vec<(IntegrationId, &str)> = self
            .alerts
            .values()
            .filter(|it| it.status != AlertStatus::Resolved)
            .map(|it| (it.integration, it.dedup_key.as_str()))
            .collect();
        let before = open.len();
        open.sort_unstable();
        open.dedup();
        assert_eq!(open.len(), before, "two open alerts with one key");
    }

    /// What still waits to be sent.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Notification> {
        self.notifications.values().filter(|it| it.state == NotificationState::Waiting)
    }
}

/// Lines of a timeline without their alert and time.
pub(crate) fn entries(decisions: &Decisions) -> Vec<&TimelineEntry> {
    decisions.timeline.iter().map(|(_, _, entry)| entry).collect()
}
