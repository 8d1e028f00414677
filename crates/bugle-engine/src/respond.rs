//! Responses: what a person's answer does, and what it caused, in a sentence.

use bugle_domain::alert::{
    Actor, Alert, AlertStatus, Escalation, StampedPolicy, TimelineEntry, Via,
};
use bugle_domain::contact::Channel;
use bugle_domain::object::Directory;
use bugle_domain::user::User;
use bugle_domain::{NotificationId, Urgency, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alerting::Decisions;
use crate::clock::Progress;
use crate::desk::{Clock, Desk, Slot};
use crate::escalation::{Foot, climb};
use crate::message::text::{duration, names};
use crate::reach::Lookup;
use crate::zone::zone;
use crate::{Mint, rules};

/// What a person wants done with an alert.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseAction {
    /// "I have it."
    Acknowledge,
    /// "It is over."
    Resolve,
    /// "Not me: tell the next level now."
    PassOn,
}

/// A response as it came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// What is wanted.
    pub action: ResponseAction,
    /// Who wants it.
    pub by: Actor,
    /// How it came.
    pub via: Via,
    /// Through which notification, if through one; it ends as answered.
    pub notification: Option<NotificationId>,
    /// When the level was told that whoever answers knows of: that of the notification, or of the
    /// page on a screen. Only to pass on needs it.
    pub seen: Option<Timestamp>,
}

/// What a response caused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// It was taken by this response.
    Acknowledged {
        /// First names of those who would have been told next and now will not be.
        not_paged: Vec<String>,
    },
    /// Somebody had taken it before; nothing changed.
    AlreadyAcknowledged {
        /// Who.
        by: Actor,
        /// When.
        at: Timestamp,
    },
    /// It is over by this response.
    Resolved {
        /// First names of those who would have been told next and now will not be.
        not_paged: Vec<String>,
    },
    /// It was over before; nothing changed.
    AlreadyResolved {
        /// When.
        at: Timestamp,
    },
    /// The next level is being told.
    PassedOn {
        /// First names of those who are told now.
        to: Vec<String>,
    },
    /// It was passed on before, or its time was up; nothing changed.
    AlreadyPassedOn {
        /// First names of those who were told then.
        to: Vec<String>,
    },
    /// There is nobody after this level; nothing changed.
    NobodyNext,
}

/// Who is told next, and when, if nobody answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NextLevel {
    /// The level, 0-based, of the alert's policy or, after that, of the fallback.
    pub level: usize,
    /// When.
    pub at: Timestamp,
    /// First names of those who are told, by today's configuration.
    pub names: Vec<String>,
    /// Their ids, in the same order.
    pub users: Vec<UserId>,
}

/// Applies a person's response at `now`: what is to be saved, and what it caused. Answering twice,
/// or after somebody else, is harmless and changes nothing.
///
/// To pass on is for an alert that nobody has: the next level that reaches somebody is told at
/// once, as if the deadline had come. Where there is none, nothing changes, and the alert goes on
/// waiting for an answer. Only what is said about the level that waits passes it on, or what is
/// said by one of those who were told then: an answer that comes twice, or after that level's time
/// was up, skips nobody.
pub fn respond(
    directory: &Directory,
    alert: Alert,
    response: &Response,
    now: Timestamp,
    mint: &mut impl Mint,
) -> (Decisions, Effect) {
    if let Some(effect) = too_late(&alert, response) {
        return (Decisions::default(), effect);
    }
    let mut not_paged = Vec::new();
    if let Some(next) = next_level(directory, &alert, now) {
        let others = next.users.iter().zip(next.names);
        let others = others.filter(|(user, _)| !is(&response.by, **user));
        not_paged = others.map(|(_, name)| name).collect();
    }
    let mut desk = Desk::new(directory, now, mint);
    let mut slot = Slot::existing(alert, Progress::default());
    let (by, via) = (response.by.clone(), response.via);
    let effect = match response.action {
        ResponseAction::Acknowledge => {
            desk.acknowledge(&mut slot, by, via, response.notification);
            Effect::Acknowledged { not_paged }
        }
        ResponseAction::Resolve => {
            desk.resolve(&mut slot, by, via);
            Effect::Resolved { not_paged }
        }
        ResponseAction::PassOn => pass_on(&mut desk, &mut slot, response),
    };
    if slot.changed {
        desk.out.changed.push(slot.alert);
    }
    (desk.out, effect)
}

/// What pressing the button of an alert's page does, in words: "Stops the calls. Priya will not be
/// woken."
pub fn preview(directory: &Directory, alert: &Alert, now: Timestamp) -> String {
    match alert.status {
        AlertStatus::Open => {
            let stops = if rings(directory, alert, now) { "calls" } else { "messages" };
            let next = next_level(directory, alert, now);
            let Some(next) = next.filter(|next| !next.names.is_empty()) else {
                return format!("Stops the {stops}. Nobody else is paged.");
            };
            let asleep = next
                .users
                .iter()
                .all(|user| directory.users.get(user).is_some_and(|user| is_night(user, next.at)));
            let what = if asleep { "woken" } else { "paged" };
            format!("Stops the {stops}. {} will not be {what}.", names(&next.names))
        }
        AlertStatus::Acknowledged => {
            "Ends the alert. If it comes back, a new one pages again.".to_owned()
        }
        AlertStatus::Resolved => "It is over. If it comes back, a new one pages again.".to_owned(),
    }
}

/// What a response caused, in a sentence for its author.
pub fn sentence(effect: &Effect, now: Timestamp) -> String {
    let will_not = |names: &[String]| match names {
        [] => String::new(),
        some => format!(" {} will not be paged.", self::names(some)),
    };
    match effect {
        Effect::Acknowledged { not_paged } => format!("Acknowledged.{}", will_not(not_paged)),
        Effect::AlreadyAcknowledged { by, at } => {
            format!("{} acknowledged {} before you.", who(by), duration(now.duration_since(*at)))
        }
        Effect::Resolved { not_paged } => format!("Resolved.{}", will_not(not_paged)),
        Effect::AlreadyResolved { at } => {
            format!("It was over {} before you.", duration(now.duration_since(*at)))
        }
        Effect::PassedOn { to } => format!("Passed on. {} paged now.", are(to)),
        Effect::AlreadyPassedOn { to } => {
            format!("It was already passed on{}. Nothing changed.", on_to(to))
        }
        Effect::NobodyNext => {
            "There is nobody to pass it on to. It still waits for an answer.".to_owned()
        }
    }
}

/// Who is told next if nobody answers: "Priya is paged in 3:54". `None` where nobody is left, or
/// somebody has it.
pub fn next_level(directory: &Directory, alert: &Alert, now: Timestamp) -> Option<NextLevel> {
    let (level, cycle, deadline) = match alert.escalation {
        Escalation::Waiting { level, cycle, deadline, .. } => (level, cycle, deadline),
        Escalation::Exhausted | Escalation::Acknowledged | Escalation::Resolved => return None,
    };
    let at = deadline.max(now);
    let foot = Foot { policy: alert.policy.as_ref(), level: level + 1, cycle };
    let reached = climb(&mut Lookup::new(directory, at), foot).reached?;
    let users: Vec<UserId> = reached.resolved.told.iter().map(|told| told.user).collect();
    let names = users.iter().map(|user| first_name(directory, *user)).collect();
    Some(NextLevel { level: reached.level, at, names, users })
}

/// The effect of a response that comes after the answer it could have been.
fn too_late(alert: &Alert, response: &Response) -> Option<Effect> {
    if alert.status == AlertStatus::Resolved {
        return Some(Effect::AlreadyResolved { at: alert.resolved_at.unwrap_or(alert.opened_at) });
    }
    match (response.action, &alert.acknowledged) {
        // Tapped twice: the first tap's answer may never have arrived.
        (ResponseAction::Acknowledge, Some((by, _))) if *by == response.by => {
            Some(Effect::Acknowledged { not_paged: Vec::new() })
        }
        (ResponseAction::Acknowledge | ResponseAction::PassOn, Some((by, at))) => {
            Some(Effect::AlreadyAcknowledged { by: by.clone(), at: *at })
        }
        (ResponseAction::Resolve, _) | (_, None) => None,
    }
}

fn pass_on<M: Mint>(desk: &mut Desk<'_, M>, slot: &mut Slot, response: &Response) -> Effect {
    let Escalation::Waiting { level, cycle, told_at, .. } = slot.alert.escalation else {
        return Effect::NobodyNext;
    };
    let told = told(desk.lookup.directory, slot.alert.policy.as_ref(), (level, told_at));
    if !is_about(response, (level, cycle, told_at), &told) {
        let names = told.iter().map(|user| first_name(desk.lookup.directory, *user));
        return Effect::AlreadyPassedOn { to: names.collect() };
    }
    let foot = Foot { policy: slot.alert.policy.as_ref(), level: level + 1, cycle };
    let climb = climb(&mut desk.lookup, foot);
    let Some(reached) = &climb.reached else {
        return Effect::NobodyNext;
    };
    let told = reached.resolved.told.iter();
    let to = told.map(|told| first_name(desk.lookup.directory, told.user)).collect();
    desk.cancel(slot, "passed_on");
    let (by, via) = (response.by.clone(), response.via);
    desk.note(slot.alert.id, TimelineEntry::PassedOn { by, via });
    let clock = Clock { wanted_at: desk.now, running: None };
    desk.carry_out(slot, climb, clock);
    Effect::PassedOn { to }
}

/// Who was told at a level when that was.
fn told(
    directory: &Directory,
    policy: Option<&StampedPolicy>,
    (level, told_at): (usize, Timestamp),
) -> Vec<UserId> {
    let Some(level) = policy.and_then(|policy| policy.levels.get(level)) else { return Vec::new() };
    let resolved = Lookup::new(directory, told_at).resolve(&level.targets);
    resolved.told.iter().map(|told| told.user).collect()
}

/// Whether a response is about the level that waits, and not about one before it.
fn is_about(
    response: &Response,
    (level, cycle, told_at): (usize, u8, Timestamp),
    told: &[UserId],
) -> bool {
    match (response.seen, response.notification) {
        // To the microsecond, as times are kept.
        (Some(seen), _) if seen.as_microsecond() >= told_at.as_microsecond() => true,
        (Some(_), Some(_)) => false,
        // Nothing was passed on yet.
        (None, _) if (level, cycle) == (0, 0) => true,
        (_, _) => told.iter().any(|user| is(&response.by, *user)),
    }
}

/// Whether anybody of the level that waits is told by a call.
fn rings(directory: &Directory, alert: &Alert, now: Timestamp) -> bool {
    let (Escalation::Waiting { level, .. }, Some(policy)) = (&alert.escalation, &alert.policy)
    else {
        return false;
    };
    let Some(level) = policy.levels.get(*level) else {
        return false;
    };
    let calls = |user: UserId| {
        let steps = rules::steps(directory, user, alert.urgency());
        let mut methods = steps.iter().filter_map(|step| directory.methods.get(&step.1));
        methods.any(|method| method.address.channel() == Channel::Voice)
    };
    let resolved = Lookup::new(directory, now).resolve(&level.targets);
    alert.urgency() == Urgency::Urgent && resolved.told.iter().any(|told| calls(told.user))
}

/// Whether people where `user` lives sleep at `at`: from 22:00 to 07:00.
fn is_night(user: &User, at: Timestamp) -> bool {
    zone(&user.time_zone).is_ok_and(|zone| !(7..22).contains(&zone.to_datetime(at).hour()))
}

fn is(actor: &Actor, user: UserId) -> bool {
    matches!(actor, Actor::User { id, .. } if *id == user)
}

fn first_name(directory: &Directory, user: UserId) -> String {
    directory.users.get(&user).map_or("somebody", User::first_name).to_owned()
}

/// An actor as people say it: the first name of a person.
pub(crate) fn who(actor: &Actor) -> &str {
    match actor {
        Actor::User { name, .. } => name.split_whitespace().next().unwrap_or(name),
        Actor::Sender { .. } => "The sender",
        Actor::Key { name } => name,
        Actor::System => "Bugle",
    }
}

/// ` to Priya and Jonas`.
pub(crate) fn on_to(names: &[String]) -> String {
    match names {
        [] => String::new(),
        some => format!(" to {}", self::names(some)),
    }
}

fn are(names: &[String]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", self::names(names))
}

#[cfg(test)]
mod tests;
