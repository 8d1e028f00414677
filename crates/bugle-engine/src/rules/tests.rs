//! Who is told by which method, and when.

use bugle_domain::contact::Channel;
use bugle_domain::object::{Directory, Object};
use bugle_domain::user::NotificationRule;
use bugle_domain::{MethodId, Urgency};

use super::*;
use crate::testing::{JONAS, LENA, halden, id, method, method_of, user};

/// Halden Freight, where Lena has only these methods.
fn lena_with(channels: &[Channel]) -> Directory {
    let mut directory = halden();
    for id in directory.methods_of.remove(&user(LENA)).unwrap() {
        directory.methods.remove(&id);
    }
    for channel in channels {
        directory.add(Object::Method(method(LENA, *channel)));
    }
    directory
}

fn show(directory: &Directory, urgency: Urgency) -> String {
    let steps = steps(directory, user(LENA), urgency);
    let step = |(delay_s, method): &(u32, MethodId)| {
        format!("{} at {delay_s}", directory.methods[method].address.channel().as_str())
    };
    steps.iter().map(step).collect::<Vec<_>>().join(", ")
}

#[test]
fn default_rules_ring_a_phone_within_a_minute_for_urgent_alerts() {
    use Channel::{Email, Sms, Voice, Webhook};
    let urgent = |channels: &[Channel]| show(&lena_with(channels), Urgency::Urgent);
    assert_eq!(urgent(&[Sms, Voice, Email]), "sms at 0, email at 0, voice at 60");
    assert_eq!(urgent(&[Voice]), "voice at 0");
    assert_eq!(urgent(&[Webhook, Voice]), "webhook at 0, voice at 60");
    assert_eq!(urgent(&[Email]), "email at 0");
    assert_eq!(urgent(&[]), "");
}

#[test]
fn default_rules_are_quiet_for_normal_alerts() {
    use Channel::{Email, Sms, Voice, Webhook};
    let normal = |channels: &[Channel]| show(&lena_with(channels), Urgency::Normal);
    assert_eq!(normal(&[Sms, Voice, Email, Webhook]), "email at 0");
    assert_eq!(normal(&[Sms, Voice, Webhook]), "webhook at 0");
    assert_eq!(normal(&[Sms, Voice]), "sms at 0");
    assert_eq!(normal(&[Voice]), "voice at 0");
    assert_eq!(normal(&[]), "");
}

#[test]
fn own_rules_come_first_and_in_order() {
    let mut directory = halden();
    let rule = |delay_s, channel| NotificationRule { delay_s, method: method_of(LENA, channel) };
    let lena = directory.users.get_mut(&user(LENA)).unwrap();
    lena.rules.urgent = vec![
        rule(120, Channel::Voice),
        rule(0, Channel::Voice),
        rule(120, Channel::Voice),
        rule(30, Channel::Sms),
    ];
    assert_eq!(show(&directory, Urgency::Urgent), "voice at 0, sms at 30, voice at 120");
    assert_eq!(show(&directory, Urgency::Normal), "email at 0");
}

#[test]
fn a_method_is_used_only_when_proven_and_only_for_its_owner() {
    let mut directory = halden();
    let lena = directory.users.get_mut(&user(LENA)).unwrap();
    lena.rules.urgent = vec![
        NotificationRule { delay_s: 0, method: method_of(JONAS, Channel::Sms) },
        NotificationRule { delay_s: 0, method: id(MethodId::from_stored, 999) },
        NotificationRule { delay_s: 10, method: method_of(LENA, Channel::Sms) },
    ];
    assert_eq!(show(&directory, Urgency::Urgent), "sms at 10");
    let sms = directory.methods.get_mut(&method_of(LENA, Channel::Sms)).unwrap();
    sms.proven_at = None;
    let defaults = "email at 0, voice at 60";
    assert_eq!(show(&directory, Urgency::Urgent), defaults, "rather the defaults than nothing");
    assert!(reachable(&directory, user(LENA)));
    for method in directory.methods.values_mut() {
        method.proven_at = None;
    }
    assert_eq!(show(&directory, Urgency::Urgent), "");
    assert!(!reachable(&directory, user(LENA)));
}
