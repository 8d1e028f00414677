//! The desk where decisions about alerts are made: alerts in hand, effects gathered.
//!
//! Each act changes an alert and notes what follows from it. Acts are idempotent: one that no
//! longer matters does nothing.

use bugle_domain::alert::{
    Actor, Alert, AlertStatus, Escalation, StampedPolicy, TimelineEntry, Via,
};
use bugle_domain::notification::{End, Lane, Notification, NotificationState};
use bugle_domain::object::Directory;
use bugle_domain::{AlertId, NotificationId, Urgency};
use jiff::{SignedDuration, Timestamp};

use crate::Mint;
use crate::alerting::Decisions;
use crate::clock::{Progress, Reading, read};
use crate::escalation::{Climb, Foot, Reached, climb};
use crate::heard;
use crate::reach::Lookup;
use crate::rules;

/// How long an urgent page still says something: an hour after it was due.
pub const URGENT_PAGE_LIVES: SignedDuration = SignedDuration::from_hours(1);
/// How long a quiet one does: a day.
pub const NORMAL_PAGE_LIVES: SignedDuration = SignedDuration::from_hours(24);

/// Decisions under way at one moment.
pub(crate) struct Desk<'a, M> {
    pub(crate) lookup: Lookup<'a>,
    pub(crate) now: Timestamp,
    /// Since when senders could always reach us.
    pub(crate) heard_since: Timestamp,
    pub(crate) mint: &'a mut M,
    pub(crate) out: Decisions,
}

/// The times of a step.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    /// When it should have been taken: earlier than now where we were the delay.
    pub(crate) wanted_at: Timestamp,
    /// Since when the level is told and when the next step is due at the latest, where its clock
    /// runs on; it begins now otherwise.
    pub(crate) running: Option<(Timestamp, Timestamp)>,
}

/// An alert in hand.
pub(crate) struct Slot {
    pub(crate) alert: Alert,
    /// It was opened in this batch.
    pub(crate) fresh: bool,
    /// It is not as it was.
    pub(crate) changed: bool,
    /// How far the pages of its level have come.
    progress: Progress,
    /// Where in [`Decisions::owed`] its first notification of this batch may be.
    first_owed: Option<usize>,
}

impl Slot {
    pub(crate) fn existing(alert: Alert, progress: Progress) -> Self {
        Self { alert, fresh: false, changed: false, progress, first_owed: None }
    }

    pub(crate) fn fresh(alert: Alert) -> Self {
        let progress = Progress::default();
        Self { alert, fresh: true, changed: true, progress, first_owed: None }
    }
}

impl<'a, M: Mint> Desk<'a, M> {
    pub(crate) fn new(directory: &'a Directory, now: Timestamp, mint: &'a mut M) -> Self {
        let lookup = Lookup::new(directory, now);
        Self { lookup, now, heard_since: Timestamp::MIN, mint, out: Decisions::default() }
    }

    /// Writes a line into the alert's timeline.
    pub(crate) fn note(&mut self, alert: AlertId, entry: TimelineEntry) {
        self.out.timeline.push((alert, self.now, entry));
    }

    /// Tells the next level that reaches somebody, `level` being the first to try. It should have
    /// happened at `wanted_at`.
    pub(crate) fn escalate(
        &mut self,
        slot: &mut Slot,
        level: usize,
        cycle: u8,
        wanted_at: Timestamp,
    ) {
        let foot = Foot { policy: slot.alert.policy.as_ref(), level, cycle };
        let climb = climb(&mut self.lookup, foot);
        self.carry_out(slot, climb, Clock { wanted_at, running: None });
    }

    /// Carries out a climb.
    pub(crate) fn carry_out(&mut self, slot: &mut Slot, climb: Climb, clock: Clock) {
        let id = slot.alert.id;
        slot.changed = true;
        for entry in climb.passed {
            self.note(id, entry);
        }
        if climb.fallback.is_some() {
            slot.alert.policy = climb.fallback;
        }
        let Some(reached) = climb.reached else {
            slot.alert.escalation = Escalation::Exhausted;
            self.note(id, TimelineEntry::Exhausted);
            return;
        };
        let after_delay = self.after(SignedDuration::from_secs(reached.delay_s.into()));
        let (told_at, deadline) = clock.running.unwrap_or((self.now, after_delay));
        let deadline = deadline.min(after_delay);
        let (level, cycle) = (reached.level, reached.cycle);
        slot.alert.escalation = Escalation::Waiting { level, cycle, told_at, deadline };
        self.tell(slot, reached, Clock { running: Some((told_at, deadline)), ..clock });
    }

    /// The deadline of an escalation step or the alert's own end, if one has come. An end from
    /// `left_from` on is left for later.
    pub(crate) fn step(&mut self, slot: &mut Slot, left_from: Option<Timestamp>) {
        let now = self.now;
        let passed = |end| end <= now && left_from.is_none_or(|from| end < from);
        if slot.alert.status != AlertStatus::Resolved && self.end_stands(slot, passed) {
            self.resolve(slot, Actor::System, Via::Timer);
        }
        match slot.alert.escalation {
            Escalation::Waiting { level, cycle, told_at, deadline } if deadline <= self.now => {
                match read(
                    told_at,
                    delay_of(slot.alert.policy.as_ref(), level),
                    slot.progress,
                    self.now,
                ) {
                    Reading::Over => self.escalate(slot, level + 1, cycle, deadline),
                    reading => self.wait_on(slot, reading),
                }
            }
            Escalation::Waiting { .. }
            | Escalation::Exhausted
            | Escalation::Acknowledged
            | Escalation::Resolved => (),
        }
    }

    /// The level that waits has more time: its clock began late, or stands.
    fn wait_on(&mut self, slot: &mut Slot, reading: Reading) {
        let Escalation::Waiting { level, cycle, told_at, deadline } = &mut slot.alert.escalation
        else {
            return;
        };
        let (level, cycle) = (*level, *cycle);
        let first_end = told_at.checked_add(delay_of(slot.alert.policy.as_ref(), level));
        let stood = first_end.is_ok_and(|end| end < *deadline);
        let (until, entry) = match reading {
            Reading::Over => return,
            Reading::Stands { until } => {
                (until, (!stood).then_some(TimelineEntry::ClockStands { level, cycle }))
            }
            Reading::Runs { from, until } => {
                let late_s = from.duration_since(*told_at).as_secs();
                let entry = TimelineEntry::ClockRuns { level, cycle, from, late_s, next_at: until };
                (until, Some(entry))
            }
        };
        *deadline = until;
        slot.changed = true;
        if let Some(entry) = entry {
            self.note(slot.alert.id, entry);
        }
    }

    /// Whether the alert's own end has passed and its sender could have renewed it. An end that
    /// passed while the sender could not is put off first.
    pub(crate) fn end_stands(
        &mut self,
        slot: &mut Slot,
        passed: impl Fn(Timestamp) -> bool,
    ) -> bool {
        let Some(end) = slot.alert.resolve_at.filter(|end| passed(*end)) else { return false };
        let spoke_at = slot.alert.last_event_at;
        let Some(until) = heard::wait_again(spoke_at, end, self.heard_since) else { return true };
        slot.alert.resolve_at = Some(until);
        slot.changed = true;
        let entry = TimelineEntry::WaitsAgain { heard_since: self.heard_since, until };
        self.note(slot.alert.id, entry);
        passed(until)
    }

    /// Somebody takes it: nobody else is told.
    pub(crate) fn acknowledge(
        &mut self,
        slot: &mut Slot,
        by: Actor,
        via: Via,
        notification: Option<NotificationId>,
    ) -> bool {
        if slot.alert.status != AlertStatus::Open {
            return false;
        }
        slot.alert.status = AlertStatus::Acknowledged;
        slot.alert.escalation = Escalation::Acknowledged;
        slot.alert.acknowledged = Some((by.clone(), self.now));
        self.cancel(slot, "acknowledged");
        self.note(slot.alert.id, TimelineEntry::Acknowledged { by, via, notification });
        true
    }

    /// It is over: nobody else is told.
    pub(crate) fn resolve(&mut self, slot: &mut Slot, by: Actor, via: Via) -> bool {
        if slot.alert.status == AlertStatus::Resolved {
            return false;
        }
        slot.alert.status = AlertStatus::Resolved;
        slot.alert.escalation = Escalation::Resolved;
        slot.alert.resolved_at = Some(self.now);
        self.cancel(slot, "resolved");
        self.note(slot.alert.id, TimelineEntry::Resolved { by, via });
        true
    }

    /// Ends what waits to be sent about the alert, also what came to be owed in this batch.
    pub(crate) fn cancel(&mut self, slot: &mut Slot, reason: &'static str) {
        slot.changed = true;
        if !slot.fresh {
            self.out.cancel.push((slot.alert.id, reason));
        }
        let Some(first) = slot.first_owed.take() else {
            return;
        };
        for notification in self.out.owed.iter_mut().skip(first) {
            let waits = notification.state == NotificationState::Waiting;
            if waits && notification.alert == slot.alert.id {
                notification.state = NotificationState::Ended {
                    end: End::Cancelled,
                    reason: reason.to_owned(),
                    at: self.now,
                };
            }
        }
    }

    /// Owes every person of the level what their rules say.
    fn tell(&mut self, slot: &mut Slot, reached: Reached, clock: Clock) {
        let (level, cycle) = (reached.level, reached.cycle);
        let mut resolved = reached.resolved;
        let first = self.out.owed.len();
        for told in &mut resolved.told {
            let before = self.out.owed.len();
            let urgency = slot.alert.urgency();
            for (delay_s, method) in rules::steps(self.lookup.directory, told.user, urgency) {
                let Some(method) = self.lookup.directory.methods.get(&method) else {
                    continue;
                };
                let channel = method.address.channel();
                let delay = SignedDuration::from_secs(delay_s.into());
                let due_at = self.after(delay);
                let token = channel.reaches_a_person().then(|| self.mint.token());
                self.out.owed.push(Notification {
                    id: self.mint.notification(),
                    alert: slot.alert.id,
                    user: told.user,
                    method: method.id,
                    channel,
                    lane: Lane::of(urgency),
                    level,
                    cycle,
                    wanted_at: clock.wanted_at.checked_add(delay).unwrap_or(due_at),
                    due_at,
                    deadline: deadline(due_at, urgency),
                    state: NotificationState::Waiting,
                    tries: 0,
                    receipt: None,
                    possible_repeat: false,
                    token,
                    provider_ref: None,
                    created_at: self.now,
                });
            }
            told.notifications = u32::try_from(self.out.owed.len() - before).unwrap_or(u32::MAX);
        }
        slot.first_owed = slot.first_owed.or(Some(first));
        let next_at = clock.running.map_or(self.now, |(_, deadline)| deadline);
        let (told, missed) = (resolved.told, resolved.missed);
        let entry = TimelineEntry::LevelTold { level, cycle, told, missed, next_at };
        self.note(slot.alert.id, entry);
    }

    fn after(&self, span: SignedDuration) -> Timestamp {
        self.now.checked_add(span).unwrap_or(Timestamp::MAX)
    }
}

/// How long the people of a level have to answer.
fn delay_of(policy: Option<&StampedPolicy>, level: usize) -> SignedDuration {
    let level = policy.and_then(|policy| policy.levels.get(level));
    SignedDuration::from_secs(level.map_or(0, |level| level.delay_s.into()))
}

fn deadline(due_at: Timestamp, urgency: Urgency) -> Timestamp {
    let lives = match urgency {
        Urgency::Urgent => URGENT_PAGE_LIVES,
        Urgency::Normal => NORMAL_PAGE_LIVES,
    };
    due_at.checked_add(lives).unwrap_or(Timestamp::MAX)
}
