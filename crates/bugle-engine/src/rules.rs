//! Notification rules: by which methods a person is told, after what delays.

use bugle_domain::contact::{Channel, ContactMethod};
use bugle_domain::object::Directory;
use bugle_domain::{MethodId, Urgency, UserId};

/// When the default rules for urgent alerts first ring a phone: within a minute, because a text
/// message wakes nobody.
pub const FIRST_CALL_S: u32 = 60;
/// How `user` is told of alerts of `urgency`: seconds after the level began, and the method. In
/// order of time; only methods that were proven.
///
/// These are the user's own rules. Where there are none, or none of them can be used, they are the
/// defaults, so that whoever has any proven method is told in some way.
pub fn steps(directory: &Directory, user: UserId, urgency: Urgency) -> Vec<(u32, MethodId)> {
    let Some(person) = directory.users.get(&user) else {
        return Vec::new();
    };
    let usable = |method: &MethodId| {
        let method = directory.methods.get(method);
        method.is_some_and(|method| method.user == user && method.proven_at.is_some())
    };
    let own = person.rules.of(urgency).iter().filter(|rule| usable(&rule.method));
    let mut steps: Vec<(u32, MethodId)> = own.map(|rule| (rule.delay_s, rule.method)).collect();
    if steps.is_empty() {
        steps = match urgency {
            Urgency::Urgent => urgent_defaults(directory, user),
            Urgency::Normal => normal_defaults(directory, user),
        };
    }
    steps.sort_by_key(|step| step.0);
    steps.dedup();
    steps
}

/// Whether `user` has any method that was proven, which is when [`steps`] is not empty.
pub fn reachable(directory: &Directory, user: UserId) -> bool {
    directory.methods(user).any(|method| method.proven_at.is_some())
}

/// Everything quiet at once, then the phone rings. With nothing quiet, it rings at once. A call
/// that nobody answers rings once more by itself ([`crate::dispatch::Limits::redial_after`]): two
/// calls within three minutes pass the "do not disturb" of many phones.
fn urgent_defaults(directory: &Directory, user: UserId) -> Vec<(u32, MethodId)> {
    let is_call = |method: &&ContactMethod| method.address.channel() == Channel::Voice;
    let mut steps = Vec::new();
    for method in proven(directory, user).filter(|method| !is_call(method)) {
        steps.push((0, method.id));
    }
    let first_call_s = if steps.is_empty() { 0 } else { FIRST_CALL_S };
    for method in proven(directory, user).filter(is_call) {
        steps.push((first_call_s, method.id));
    }
    steps
}

/// One quiet method at once: mail before a program before a text message, and a call only where
/// there is nothing else.
fn normal_defaults(directory: &Directory, user: UserId) -> Vec<(u32, MethodId)> {
    const QUIETEST_FIRST: [Channel; 4] =
        [Channel::Email, Channel::Webhook, Channel::Sms, Channel::Voice];
    let of_channel = |channel: &Channel| {
        proven(directory, user).find(|method| method.address.channel() == *channel)
    };
    let found = QUIETEST_FIRST.iter().find_map(of_channel);
    found.map(|method| vec![(0, method.id)]).unwrap_or_default()
}

fn proven(directory: &Directory, user: UserId) -> impl Iterator<Item = &ContactMethod> {
    directory.methods(user).filter(|method| method.proven_at.is_some())
}

#[cfg(test)]
mod tests;
