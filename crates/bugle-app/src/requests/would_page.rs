//! Who an event would page now: the same route, levels and rules as alerting's, sending nothing.

use bugle_domain::Severity;
use bugle_domain::alert::Unreachable;
use bugle_domain::contact::Channel;
use bugle_domain::object::Directory;
use bugle_domain::policy::{Level, Policy};
use bugle_domain::{ServiceId, Urgency, UserId};
use bugle_engine::message::text::names;
use bugle_engine::{reach, rules};
use jiff::Timestamp;

use super::WouldPage;

/// The policy and its levels, by today's configuration.
pub(super) fn of(
    directory: &Directory,
    service: Option<ServiceId>,
    severity: Severity,
    now: Timestamp,
) -> WouldPage {
    let (policy, why) = policy(directory, service);
    let Some(urgency) = severity.urgency() else {
        let policy = "none: severity info is tracked and pages nobody".to_owned();
        return WouldPage { policy, levels: Vec::new() };
    };
    let Some(policy) = policy else {
        let policy = "none: there is no policy to follow and no fallback".to_owned();
        return WouldPage { policy, levels: Vec::new() };
    };
    let levels = levels(directory, policy, urgency, now);
    WouldPage { policy: format!("{}: {why}", policy.name), levels }
}

/// The policy that events for a service follow, and why that one.
pub(crate) fn policy(
    directory: &Directory,
    service: Option<ServiceId>,
) -> (Option<&Policy>, String) {
    let service = service.and_then(|id| directory.services.get(&id));
    let routed = service.and_then(|it| it.policy).and_then(|id| directory.policies.get(&id));
    let fallback = directory.tenant.fallback_policy.and_then(|id| directory.policies.get(&id));
    match (service, routed) {
        (Some(service), Some(policy)) => {
            (Some(policy), format!("the policy of service \"{}\"", service.name))
        }
        (Some(service), None) => {
            (fallback, format!("the fallback, since service \"{}\" names none", service.name))
        }
        (None, _) => (fallback, "the fallback, since no service is named".to_owned()),
    }
}

fn levels(directory: &Directory, policy: &Policy, urgency: Urgency, now: Timestamp) -> Vec<String> {
    let mut sentences = Vec::with_capacity(policy.levels.len());
    for (index, level) in policy.levels.iter().enumerate() {
        sentences.push(sentence(directory, (index, level), urgency, now));
    }
    sentences
}

fn sentence(
    directory: &Directory,
    (index, level): (usize, &Level),
    urgency: Urgency,
    now: Timestamp,
) -> String {
    let resolved = reach::resolve(directory, &level.targets, now);
    let number = index + 1;
    if resolved.told.is_empty() {
        let missed: Vec<String> = resolved
            .missed
            .iter()
            .map(|missed| format!("{} ({})", missed.name, why_missed(missed.why)))
            .collect();
        return format!("Level {number} would be skipped: {}.", names(&missed));
    }
    let people: Vec<String> = resolved
        .told
        .iter()
        .map(|told| format!("{} {}", told.name, ways(directory, told.user, urgency)))
        .collect();
    format!("Level {number}: {}. Then {} s of waiting.", people.join("; "), level.delay_s)
}

fn why_missed(why: Unreachable) -> &'static str {
    match why {
        Unreachable::Gap => "nobody is on call",
        Unreachable::EmptyTeam => "it has no members",
        Unreachable::NoProvenMethod => "no proven contact method",
        Unreachable::Disabled => "disabled",
        Unreachable::Gone => "removed",
    }
}

/// `by sms at once, by voice after 60 s`.
fn ways(directory: &Directory, user: UserId, urgency: Urgency) -> String {
    let steps = rules::steps(directory, user, urgency);
    let way = |(delay_s, method)| {
        let channel =
            directory.methods.get(&method).map_or(Channel::Email, |it| it.address.channel());
        match delay_s {
            0 => format!("by {} at once", channel.as_str()),
            wait => format!("by {} after {wait} s", channel.as_str()),
        }
    };
    steps.into_iter().map(way).collect::<Vec<_>>().join(", ")
}
