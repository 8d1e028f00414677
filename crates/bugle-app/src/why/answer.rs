//! The answer in a sentence.

use std::collections::BTreeSet;

use bugle_domain::alert::{Actor, Alert, AlertStatus, Escalation, TimelineEntry};
use bugle_domain::event::Event;
use bugle_domain::notification::Notification;
use bugle_domain::object::Directory;
use bugle_domain::{AlertId, UserId};
use bugle_engine::message::text::{duration, names};
use jiff::Timestamp;

/// Who was paged about an alert, and what they did; or why nobody was.
pub(super) fn of_alert(
    directory: &Directory,
    alert: &Alert,
    timeline: &[(Timestamp, TimelineEntry)],
    notifications: &[Notification],
) -> String {
    let sent = |it: &&Notification| it.tries > 0;
    let paged: BTreeSet<UserId> = notifications.iter().filter(sent).map(|it| it.user).collect();
    let paged: Vec<&str> = paged.into_iter().map(|id| directory.user_name(id)).collect();
    if paged.is_empty() {
        return nobody(alert, timeline, notifications);
    }
    let was = if paged.len() == 1 { "was" } else { "were" };
    format!("{} {was} paged{}.", names(&paged), ending(directory, alert, &paged))
}

fn ending(directory: &Directory, alert: &Alert, paged: &[&str]) -> String {
    if let Some((by, at)) = &alert.acknowledged {
        let after = duration(at.duration_since(alert.opened_at));
        return match who(directory, by) {
            name if paged == [name.as_str()] => format!(" and acknowledged after {after}"),
            name => format!(", and {name} acknowledged after {after}"),
        };
    }
    match (alert.status, &alert.escalation, alert.resolved_at) {
        (AlertStatus::Resolved, _, Some(at)) => {
            let after = duration(at.duration_since(alert.opened_at));
            format!(", and it was over after {after}")
        }
        (_, Escalation::Exhausted, _) => ", nobody answered, and nobody is left to be told".into(),
        _ => ", and nobody has answered yet".to_owned(),
    }
}

fn nobody(
    alert: &Alert,
    timeline: &[(Timestamp, TimelineEntry)],
    notifications: &[Notification],
) -> String {
    let skipped = |(_, entry): &(Timestamp, TimelineEntry)| {
        matches!(entry, TimelineEntry::LevelSkipped { .. })
    };
    let because = if alert.policy.is_none() {
        "there is no policy to follow and no fallback"
    } else if alert.acknowledged.is_some() {
        "somebody acknowledged before a message went out"
    } else if alert.status == AlertStatus::Resolved {
        "it was over before a message went out"
    } else if !notifications.is_empty() {
        return "Nobody has been paged yet: the messages owed have not been sent.".to_owned();
    } else if timeline.iter().any(skipped) {
        "nobody in its levels could be reached"
    } else {
        return "Nobody has been paged yet: no level has been told.".to_owned();
    };
    format!("Nobody was paged, because {because}.")
}

/// Whoever did something, by name.
pub(crate) fn who(directory: &Directory, actor: &Actor) -> String {
    match actor {
        Actor::User { name, .. } => name.clone(),
        Actor::Key { name } => format!("key \"{name}\""),
        Actor::Sender { integration } => match directory.integration_name(*integration) {
            Some(name) => format!("the sender \"{name}\""),
            None => "the sender".to_owned(),
        },
        Actor::System => "Bugle".to_owned(),
    }
}

/// Why an event that opened nothing paged nobody anew.
pub(super) fn of_quiet_event(event: &Event, outcome: &str, alert: Option<AlertId>) -> String {
    match alert {
        None if event.outcome.is_none() => format!("Nobody has been paged yet. {outcome}"),
        Some(alert) => format!("Nobody was paged anew. {outcome} Ask why {alert} for the rest."),
        None => format!("Nobody was paged. {outcome}"),
    }
}
