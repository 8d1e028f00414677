//! Answers to people who replied by text message.

use jiff::Timestamp;

use super::text::{duration, names};
use crate::respond::{Effect, ResponseAction, on_to, who};

/// Most alerts that are named where a reply may be about several.
const SHOWN: usize = 4;

/// What is answered to a reply.
#[derive(Clone, Copy, Debug)]
pub enum Reply<'a> {
    /// It did something, or came too late, to these alerts, by number. Not empty.
    Done(&'a [(i64, Effect)]),
    /// It may be about any of these alerts, by number: more than one message went there lately.
    Which(ResponseAction, &'a [i64]),
    /// It was not understood.
    NotUnderstood,
    /// There is nothing it could have meant.
    NothingOpen,
}

/// The answer: `Acked 4812. Priya not paged.`
pub fn reply(reply: Reply<'_>, now: Timestamp) -> String {
    match reply {
        Reply::Done([]) | Reply::NothingOpen => "Nothing of yours waits for an answer.".to_owned(),
        Reply::Done([(number, effect)]) => one(*number, effect, now),
        Reply::Done(many) => {
            let mut lines = Vec::new();
            for (verb, numbers) in by_verb(many) {
                lines.push(format!("{verb} {}: {}.", numbers.len(), listed(&numbers)));
            }
            lines.join(" ")
        }
        Reply::Which(action, numbers) => which(action, numbers),
        Reply::NotUnderstood => {
            "Not understood. Reply 4 to ack, 5 to pass on, 6 if it is fixed.".to_owned()
        }
    }
}

/// `Which? Reply 4 #4812, 4 #4813 or 4 all.`
fn which(action: ResponseAction, numbers: &[i64]) -> String {
    let digit = match action {
        ResponseAction::Acknowledge => 4,
        ResponseAction::PassOn => 5,
        ResponseAction::Resolve => 6,
    };
    let shown = numbers.iter().take(SHOWN).map(|number| format!("{digit} #{number}"));
    let shown: Vec<String> = shown.collect();
    format!("Which? Reply {} or {digit} all.", shown.join(", "))
}

fn one(number: i64, effect: &Effect, now: Timestamp) -> String {
    let not_paged = |people: &[String]| match people {
        [] => String::new(),
        some => format!(" {} not paged.", names(some)),
    };
    match effect {
        Effect::Acknowledged { not_paged: people } => {
            format!("Acked {number}.{}", not_paged(people))
        }
        Effect::AlreadyAcknowledged { by, at } => {
            let ago = duration(now.duration_since(*at));
            format!("{number} was acked by {} {ago} before you.", who(by))
        }
        Effect::Resolved { not_paged: people } => {
            format!("Resolved {number}.{}", not_paged(people))
        }
        Effect::AlreadyResolved { at } => {
            format!("{number} was over {} before you.", duration(now.duration_since(*at)))
        }
        Effect::PassedOn { to } => format!("Passed on {number}. {} paged now.", names(to)),
        Effect::AlreadyPassedOn { to } => {
            format!("{number} was already passed on{}.", on_to(to))
        }
        Effect::NobodyNext => {
            format!("{number}: nobody to pass it on to. It still waits for an answer.")
        }
    }
}

/// Numbers of the alerts to which the same thing happened, in the order of these.
fn by_verb(many: &[(i64, Effect)]) -> Vec<(&'static str, Vec<i64>)> {
    let mut groups: Vec<(&'static str, Vec<i64>)> = Vec::new();
    for (number, effect) in many {
        let verb = match effect {
            Effect::Acknowledged { .. } => "Acked",
            Effect::AlreadyAcknowledged { .. } => "Acked before you",
            Effect::Resolved { .. } => "Resolved",
            Effect::AlreadyResolved { .. } => "Over before you",
            Effect::PassedOn { .. } => "Passed on",
            Effect::AlreadyPassedOn { .. } => "Already passed on",
            Effect::NobodyNext => "Nobody to pass on to",
        };
        match groups.iter_mut().find(|group| group.0 == verb) {
            Some(group) => group.1.push(*number),
            None => groups.push((verb, vec![*number])),
        }
    }
    groups
}

/// `4812, 4813 and more`: as many as fit a text message.
fn listed(numbers: &[i64]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = numbers.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = if numbers.len() > SHOWN { " and more" } else { "" };
    format!("{}{more}", shown.join(", "))
}
