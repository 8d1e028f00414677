//! Alerting: what becomes of events and of alerts whose time has come.
//!
//! - An event folds into the unresolved alert of its integration and dedup key, or opens one.
//! - A trigger on an acknowledged alert folds without paging. One that makes an open alert urgent
//!   tells the current level again, by its people's urgent rules; the escalation clock runs on. One
//!   that makes an exhausted alert urgent begins again, with the policy of its service.
//! - An alert whose own end passed before an event was received is over: the event opens another.
//!   An end that passed while its sender could not reach us is put off first: see
//!   [`crate::heard`].
//! - A level whose time has come late, because we were the delay, is told once, with its whole
//!   delay before the next. Its time runs from when its first page went out ([`crate::clock`]).

use std::collections::BTreeMap;

use bugle_domain::alert::{
    Actor, Alert, AlertStatus, Escalation, Route, StampedPolicy, TimelineEntry, Via,
};
use bugle_domain::event::{Action, Event, EventBody, EventOutcome, FOR_USER, SuppressReason};
use bugle_domain::notification::Notification;
use bugle_domain::object::Directory;
use bugle_domain::policy::{Level, Target};
use bugle_domain::text::{one_line, truncate};
use bugle_domain::{AlertId, EventId, IntegrationId, PolicyId, ServiceId, Severity, UserId};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::Mint;
use crate::clock::Progress;
use crate::desk::{Clock, Desk, Slot};
use crate::escalation::{Foot, Reached, climb};

/// An alert whose step could not be decided is looked at again after this time.
const PUT_OFF: SignedDuration = SignedDuration::from_mins(5);

/// Who is asked for by name is told again after this time, in seconds, and so often.
const BY_NAME_DELAY_S: u32 = 300;
const BY_NAME_REPEAT: u8 = 2;

/// What alerting has to decide for one tenant, read in one transaction.
#[derive(Debug, Default)]
pub struct Work {
    /// Pending events, oldest first.
    pub events: Vec<Event>,
    /// The unresolved alerts that those events' keys name.
    pub open: Vec<Alert>,
    /// Alerts whose [`Alert::due_at`] has passed; may repeat some of `open`.
    pub due: Vec<Alert>,
    /// How far the pages have come of those alerts whose level's time seems to be over. Where
    /// nothing is said, its pages have come to an end.
    pub progress: BTreeMap<AlertId, Progress>,
    /// When the oldest pending event that is not among `events` was received, at the earliest.
    /// An end from then on may have been put off by one of those; it is judged when they are.
    pub left_from: Option<Timestamp>,
}

impl Work {
    /// Each due alert as work of its own, to be decided before any of the events.
    pub fn due_apart(&self) -> Vec<Self> {
        let received = self.events.iter().map(|event| event.received_at);
        let left_from = received.chain(self.left_from).min();
        let alone = |alert: &Alert| Self {
            due: vec![alert.clone()],
            progress: self.progress.get(&alert.id).map(|it| (alert.id, *it)).into_iter().collect(),
            left_from,
            ..Self::default()
        };
        self.due.iter().map(alone).collect()
    }
}

/// What was decided, to be saved in the same transaction.
#[derive(Debug, Default, PartialEq)]
pub struct Decisions {
    /// The outcome of every event of [`Work::events`], in their order.
    pub outcomes: Vec<(EventId, EventOutcome)>,
    /// Alerts that did not exist before, as they now stand. Their number is still 0.
    pub opened: Vec<Alert>,
    /// Alerts that existed before and changed, as they now stand.
    pub changed: Vec<Alert>,
    /// Lines for timelines, in order.
    pub timeline: Vec<(AlertId, Timestamp, TimelineEntry)>,
    /// Notifications that came to be owed.
    pub owed: Vec<Notification>,
    /// Alerts whose waiting notifications end as cancelled, with the reason as a stable word
    /// (`acknowledged`, `resolved`, `passed_on`). Applied before `owed` is added.
    pub cancel: Vec<(AlertId, &'static str)>,
}

impl Decisions {
    /// Adds what was decided of other alerts.
    pub fn append(&mut self, mut more: Self) {
        self.outcomes.append(&mut more.outcomes);
        self.opened.append(&mut more.opened);
        self.changed.append(&mut more.changed);
        self.timeline.append(&mut more.timeline);
        self.owed.append(&mut more.owed);
        self.cancel.append(&mut more.cancel);
    }
}

/// Decides `work`: each event once, then each alert whose time has come. The same arguments give
/// the same decisions.
///
/// `heard_since` says since when senders could always reach us (see [`crate::heard::since`]).
pub fn decide(
    directory: &Directory,
    work: Work,
    (now, heard_since): (Timestamp, Timestamp),
    mint: &mut impl Mint,
) -> Decisions {
    let mut desk = Desk { heard_since, ..Desk::new(directory, now, mint) };
    let mut batch = Batch::of(work.open.into_iter().chain(work.due), &work.progress);
    desk.out.outcomes.reserve(work.events.len());
    for event in work.events {
        let id = event.id;
        let outcome = decide_event(&mut desk, &mut batch, event);
        desk.out.outcomes.push((id, outcome));
    }
    for slot in &mut batch.slots {
        desk.step(slot, work.left_from);
    }
    batch.save(desk.out)
}

/// Gives up on deciding an event that could not be decided after several tries: it is suppressed
/// as quarantined, and an alert of its own tells the tenant's fallback policy that it was.
///
/// Nothing of the event is used but its ids, severity and the beginning of its summary: the rest
/// may be what could not be decided.
pub fn quarantine(
    directory: &Directory,
    event: Event,
    now: Timestamp,
    mint: &mut impl Mint,
) -> Decisions {
    const SUMMARY_CHARS: usize = 200;
    let mut desk = Desk::new(directory, now, mint);
    let said = truncate(&one_line(&event.body.summary), SUMMARY_CHARS);
    let body = EventBody {
        action: Action::Trigger,
        summary: format!("An event could not be routed: {said}"),
        severity: event.body.severity.min(Severity::High),
        source: "bugle".to_owned(),
        dedup_key: format!("bugle/quarantined/{}", event.id),
        occurred_at: None,
        ends_at: None,
        links: Vec::new(),
        details: serde_json::Map::new(),
    };
    let reason = SuppressReason::Quarantined;
    desk.out.outcomes.push((event.id, EventOutcome::Suppressed { reason }));
    let policy = fallback(directory);
    let routed = Routed { service: None, policy, route: Route::Quarantined };
    let slot = open(&mut desk, Event { body, ..event }, routed);
    desk.out.opened.push(slot.alert);
    desk.out
}

/// Goes on with an alert whose step could not be decided: the tenant's fallback policy is told of
/// it, from its first level on. Where that policy is followed already, or there is none, or
/// somebody has the alert, it is only put off.
pub fn set_aside(
    directory: &Directory,
    alert: Alert,
    now: Timestamp,
    mint: &mut impl Mint,
) -> Decisions {
    let followed = alert.policy.as_ref().is_some_and(|policy| policy.fallback);
    let policy = fallback(directory).filter(|_| alert.status == AlertStatus::Open && !followed);
    let Some(policy) = policy else { return put_off(alert, now) };
    let mut desk = Desk::new(directory, now, mint);
    let mut slot = Slot::existing(put_end_off(alert, now), Progress::default());
    desk.note(slot.alert.id, TimelineEntry::FallbackBegun { policy: policy.name.clone() });
    slot.alert.policy = Some(policy);
    desk.escalate(&mut slot, 0, 0, now);
    desk.out.changed.push(slot.alert);
    desk.out
}

/// Looks at an alert again later, whatever its time was. Nothing else of it is looked at.
pub fn put_off(mut alert: Alert, now: Timestamp) -> Decisions {
    alert = put_end_off(alert, now);
    if let Escalation::Waiting { deadline, .. } = &mut alert.escalation {
        *deadline = (*deadline).max(later(now));
    }
    Decisions { changed: vec![alert], ..Decisions::default() }
}

/// An end of its own that has passed is looked at again later.
fn put_end_off(alert: Alert, now: Timestamp) -> Alert {
    let resolve_at = alert.resolve_at.map(|end| if end <= now { later(now) } else { end });
    Alert { resolve_at, ..alert }
}

fn later(now: Timestamp) -> Timestamp {
    now.checked_add(PUT_OFF).unwrap_or(Timestamp::MAX)
}

/// The alerts of a batch, found by what folds into them.
struct Batch {
    slots: Vec<Slot>,
    /// The unresolved ones, by integration and dedup key.
    unresolved: BTreeMap<(IntegrationId, String), usize>,
}

impl Batch {
    fn of(alerts: impl Iterator<Item = Alert>, progress: &BTreeMap<AlertId, Progress>) -> Self {
        let mut batch = Self { slots: Vec::new(), unresolved: BTreeMap::new() };
        for alert in alerts {
            if alert.status == AlertStatus::Resolved {
                continue;
            }
            let key = (alert.integration, alert.dedup_key.clone());
            let place = batch.slots.len();
            if *batch.unresolved.entry(key).or_insert(place) == place {
                let progress = progress.get(&alert.id).copied().unwrap_or_default();
                batch.slots.push(Slot::existing(alert, progress));
            }
        }
        batch
    }

    fn save(self, mut out: Decisions) -> Decisions {
        for slot in self.slots {
            if slot.fresh {
                out.opened.push(slot.alert);
            } else if slot.changed {
                out.changed.push(slot.alert);
            }
        }
        out
    }
}

fn decide_event<M: Mint>(desk: &mut Desk<'_, M>, batch: &mut Batch, event: Event) -> EventOutcome {
    if event.body.action == Action::Change {
        return EventOutcome::Suppressed { reason: SuppressReason::Change };
    }
    let key = (event.integration, event.body.dedup_key.clone());
    if let Some(&place) = batch.unresolved.get(&key) {
        let slot = &mut batch.slots[place];
        if !desk.end_stands(slot, |end| end < event.received_at) {
            let alert = slot.alert.id;
            fold(desk, slot, event);
            if slot.alert.status == AlertStatus::Resolved {
                batch.unresolved.remove(&key);
            }
            return EventOutcome::Folded { alert };
        }
        desk.resolve(slot, Actor::System, Via::Timer);
        batch.unresolved.remove(&key);
    }
    match event.body.action {
        Action::Acknowledge | Action::Resolve => {
            EventOutcome::Suppressed { reason: SuppressReason::NoOpenAlert }
        }
        Action::Trigger | Action::Change if event.body.severity == Severity::Info => {
            EventOutcome::Suppressed { reason: SuppressReason::Info }
        }
        Action::Trigger | Action::Change => {
            let routed = route(desk.lookup.directory, (event.integration, &event.body.details));
            let slot = open(desk, event, routed);
            let alert = slot.alert.id;
            batch.unresolved.insert(key, batch.slots.len());
            batch.slots.push(slot);
            EventOutcome::Alerted { alert }
        }
    }
}

/// What came with an event, by name.
type Details = serde_json::Map<String, serde_json::Value>;

/// Whose an event is, and who is told.
struct Routed {
    service: Option<ServiceId>,
    policy: Option<StampedPolicy>,
    route: Route,
}

fn route(directory: &Directory, of: (IntegrationId, &Details)) -> Routed {
    if let Some(policy) = by_name(directory, of) {
        return Routed { service: None, policy: Some(policy), route: Route::Person };
    }
    let integration = directory.integrations.get(&of.0);
    let service = integration.and_then(|it| directory.services.get(&it.service?));
    let Some(service) = service else {
        return Routed { service: None, policy: fallback(directory), route: Route::NoService };
    };
    let policy = service.policy.and_then(|id| directory.policies.get(&id));
    let (policy, route) = match policy {
        Some(policy) => (Some(StampedPolicy::of(policy, false)), Route::Service),
        None => (fallback(directory), Route::NoPolicy),
    };
    Routed { service: Some(service.id), policy, route }
}

/// Where an event of our own is for one person: a policy that tells them.
fn by_name(
    directory: &Directory,
    (integration, details): (IntegrationId, &Details),
) -> Option<StampedPolicy> {
    if integration != IntegrationId::OWN {
        return None;
    }
    let id: UserId = details.get(FOR_USER)?.as_str()?.parse().ok()?;
    let user = directory.users.get(&id).filter(|user| !user.disabled)?;
    let level = Level { targets: vec![Target::User(id)], delay_s: BY_NAME_DELAY_S };
    Some(StampedPolicy {
        id: PolicyId::from_stored(Uuid::nil()),
        name: user.name.clone(),
        levels: vec![level],
        repeat: BY_NAME_REPEAT,
        fallback: false,
    })
}

fn fallback(directory: &Directory) -> Option<StampedPolicy> {
    let policy = directory.policies.get(&directory.tenant.fallback_policy?)?;
    Some(StampedPolicy::of(policy, true))
}

/// Opens an alert for a trigger, and tells its first level.
fn open<M: Mint>(desk: &mut Desk<'_, M>, event: Event, routed: Routed) -> Slot {
    let body = event.body;
    let mut slot = Slot::fresh(Alert {
        id: desk.mint.alert(),
        number: 0,
        integration: event.integration,
        service: routed.service,
        dedup_key: body.dedup_key,
        status: AlertStatus::Open,
        severity: body.severity,
        summary: body.summary,
        source: body.source,
        links: body.links,
        details: body.details,
        policy: routed.policy,
        escalation: Escalation::Exhausted,
        resolve_at: body.ends_at,
        opened_by: event.id,
        opened_at: event.received_at,
        event_count: 1,
        last_event_at: event.received_at,
        acknowledged: None,
        resolved_at: None,
    });
    let policy = slot.alert.policy.as_ref().map(|policy| policy.name.clone());
    let entry = TimelineEntry::Opened { event: event.id, policy, route: routed.route };
    desk.note(slot.alert.id, entry);
    desk.escalate(&mut slot, 0, 0, event.received_at);
    slot
}

/// Folds an event into an unresolved alert.
fn fold<M: Mint>(desk: &mut Desk<'_, M>, slot: &mut Slot, event: Event) {
    let sender = Actor::Sender { integration: event.integration };
    slot.changed = true;
    slot.alert.event_count += 1;
    slot.alert.last_event_at = slot.alert.last_event_at.max(event.received_at);
    match event.body.action {
        Action::Acknowledge => {
            desk.acknowledge(slot, sender, Via::Event, None);
        }
        Action::Resolve => {
            desk.resolve(slot, sender, Via::Event);
        }
        Action::Trigger | Action::Change => {
            let from = slot.alert.severity;
            slot.alert.refresh(event.body, event.received_at);
            if slot.alert.severity < from {
                worsen(desk, slot, from);
            }
        }
    }
}

/// Notes that an alert became worse, and tells people by louder rules where those apply now.
fn worsen<M: Mint>(desk: &mut Desk<'_, M>, slot: &mut Slot, from: Severity) {
    let to = slot.alert.severity;
    desk.note(slot.alert.id, TimelineEntry::Worsened { from, to });
    if from.urgency() == to.urgency() {
        return;
    }
    let (level, cycle, running) = match slot.alert.escalation {
        Escalation::Waiting { level, cycle, told_at, deadline } => {
            (level, cycle, Some((told_at, deadline)))
        }
        Escalation::Exhausted => {
            let of = (slot.alert.integration, &slot.alert.details);
            slot.alert.policy = route(desk.lookup.directory, of).policy;
            (0, 0, None)
        }
        Escalation::Acknowledged | Escalation::Resolved => return,
    };
    desk.cancel(slot, "worsened");
    let foot = Foot { policy: slot.alert.policy.as_ref(), level, cycle };
    let climb = climb(&mut desk.lookup, foot);
    let same_level = |reached: &Reached| reached.level == level && reached.cycle == cycle;
    let running = running.filter(|_| climb.reached.as_ref().is_some_and(same_level));
    desk.carry_out(slot, climb, Clock { wanted_at: desk.now, running });
}

#[cfg(test)]
mod tests;
