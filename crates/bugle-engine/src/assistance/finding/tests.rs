//! What is found, as tables.

use bugle_domain::notification::SendOutcome;
use bugle_domain::{AlertId, ClaimId, Severity};

use super::*;
use crate::testing::{World, at, event, halden, id};

/// An alert that was opened at minute 0, with what is owed about it.
fn opened() -> (World, Event, Alert, Vec<(Timestamp, TimelineEntry)>) {
    let mut world = World::new(halden());
    let mut sent = event(1, Action::Trigger, "db1", Severity::Critical);
    let decisions = world.pass(vec![sent.clone()], at(0));
    sent.outcome = Some(decisions.outcomes[0].1);
    let lines = decisions.timeline.into_iter().map(|(_, at, entry)| (at, entry)).collect();
    let alert = world.alerts.values().next().unwrap().clone();
    (world, sent, alert, lines)
}

fn owed(world: &World) -> Vec<(Notification, Vec<Attempt>)> {
    world.notifications.values().map(|it| (it.clone(), Vec::new())).collect()
}

fn tried(it: &mut (Notification, Vec<Attempt>), outcome: SendOutcome, detail: &str) {
    it.0.tries += 1;
    it.1.push(Attempt {
        notification: it.0.id,
        number: it.0.tries,
        provider: "twilio".to_owned(),
        started_at: at(0),
        finished_at: at(0),
        outcome: outcome.as_str().to_owned(),
        detail: detail.to_owned(),
        provider_ref: None,
    });
}

/// What is found of an event that opened an alert, so many minutes after it, when what is owed was
/// changed so.
fn found(minute: i64, change: impl Fn(&mut (Notification, Vec<Attempt>))) -> Finding {
    let (world, sent, alert, timeline) = opened();
    let mut notifications = owed(&world);
    notifications.iter_mut().for_each(change);
    let record = AlertRecord { alert: &alert, timeline: &timeline, notifications: &notifications };
    of_event(&world.directory, &sent, Some(record), at(minute))
}

fn end(it: &mut (Notification, Vec<Attempt>), end: End) {
    let reason = "refused".to_owned();
    it.0.state = NotificationState::Ended { end, reason, at: at(1) };
}

#[test]
fn what_was_owed_is_sent_or_it_is_said_why_not() {
    use Cause::{Delivered, Failed, GoingOut, NeverSent, Over, Owed, Retrying, Sent};
    type Change = fn(&mut (Notification, Vec<Attempt>));
    let cases: [(i64, Cause, Change); 9] = [
        (0, GoingOut, |_| ()),
        (60, Owed, |_| ()),
        (60, Owed, |it| {
            let claim = id(ClaimId::from_stored, 1);
            it.0.state = NotificationState::Sending { claim, send_by: at(0) };
        }),
        (1, Retrying, |it| tried(it, SendOutcome::RetryAt { at: at(2) }, "503")),
        (1, Sent, |it| it.0.receipt = Some((Receipt::Accepted, at(0)))),
        (1, Delivered, |it| it.0.receipt = Some((Receipt::Answered, at(0)))),
        (1, Failed, |it| {
            tried(it, SendOutcome::Refused, "21211 not a number");
            end(it, End::Failed);
        }),
        (1, Over, |it| end(it, End::Cancelled)),
        (1, NeverSent, |it| end(it, End::Expired)),
    ];
    for (number, (minute, cause, change)) in cases.into_iter().enumerate() {
        let finding = found(minute, change);
        assert_eq!(finding.cause, cause, "case {number}: {finding:?}");
        assert_eq!(finding.place.dialect, Some(Dialect::Native));
    }
}

#[test]
fn a_failed_message_names_its_provider_and_what_it_said() {
    let finding = found(1, |it| {
        tried(it, SendOutcome::Refused, "21211 not a number");
        end(it, End::Failed);
    });
    assert!(finding.text.ends_with("could not be delivered: 21211 not a number."), "{finding:?}");
    assert_eq!(finding.place.provider.as_deref(), Some("twilio"));
    assert!(matches!(finding.place.hop, Some(Hop::Provider { .. })));
}

#[test]
fn an_alert_that_nobody_is_owed_anything_about_is_explained_or_not() {
    let (world, _, alert, lines) = opened();
    let of = |alert: &Alert, timeline: &[(Timestamp, TimelineEntry)], minute| {
        let record = AlertRecord { alert, timeline, notifications: &[] };
        of_alert(&world.directory, record, at(minute)).cause
    };
    assert_eq!(of(&alert, &lines, 0), Cause::Deciding);
    assert_eq!(of(&alert, &lines, 1), Cause::NothingOwed);
    assert_eq!(of(&Alert { policy: None, ..alert.clone() }, &lines, 1), Cause::NoPolicy);
    let taken = Alert { status: AlertStatus::Acknowledged, ..alert.clone() };
    assert_eq!(of(&taken, &lines, 1), Cause::Taken);
    let over = Alert { status: AlertStatus::Resolved, ..alert.clone() };
    assert_eq!(of(&over, &lines, 1), Cause::Over);
    let skipped = [(at(0), TimelineEntry::LevelSkipped { level: 0, cycle: 0, missed: vec![] })];
    assert_eq!(of(&alert, &skipped, 1), Cause::Unreachable);
}

#[test]
fn an_event_says_what_came_of_it() {
    let (world, _, alert, lines) = opened();
    let notifications = owed(&world);
    let record = AlertRecord { alert: &alert, timeline: &lines, notifications: &notifications };
    let of = |action, outcome, record, minute| {
        let sent = Event { outcome, ..event(2, action, "db1", Severity::High) };
        of_event(&world.directory, &sent, record, at(minute)).cause
    };
    let suppressed = |reason| Some(EventOutcome::Suppressed { reason });
    for (reason, cause) in [
        (SuppressReason::Info, Cause::Info),
        (SuppressReason::Change, Cause::Change),
        (SuppressReason::NoOpenAlert, Cause::NoOpenAlert),
        (SuppressReason::Quarantined, Cause::Quarantined),
    ] {
        assert_eq!(of(Action::Trigger, suppressed(reason), None, 1), cause);
    }
    assert_eq!(of(Action::Trigger, None, None, 0), Cause::Deciding);
    assert_eq!(of(Action::Trigger, None, None, 1), Cause::NoOutcome);
    let folded = Some(EventOutcome::Folded { alert: id(AlertId::from_stored, 1) });
    assert_eq!(of(Action::Resolve, folded, Some(record), 60), Cause::Ending);
    assert_eq!(of(Action::Trigger, folded, Some(record), 60), Cause::Owed, "it hides nothing");
    let mut sent = notifications.clone();
    sent[0].0.receipt = Some((Receipt::Delivered, at(0)));
    let record = AlertRecord { notifications: &sent, ..record };
    assert_eq!(of(Action::Trigger, folded, Some(record), 60), Cause::Folded);
    let opened = Some(EventOutcome::Alerted { alert: id(AlertId::from_stored, 1) });
    assert_eq!(of(Action::Trigger, opened, None, 60), Cause::NotKept);
}

#[test]
fn what_the_ledger_does_not_have_is_unexplained_unless_it_is_old() {
    let kept = SignedDuration::from_hours(30 * 24);
    let made_before = |made: SignedDuration| of_missing("alert", Some(at(0) - made), kept, at(0));
    let young = made_before(kept);
    assert_eq!(young.cause, Cause::NoSuchEvent);
    assert!(young.text.starts_with("The ledger has no such alert; its id was made at "));
    let old = made_before(kept + SignedDuration::from_secs(1));
    assert_eq!(old.cause, Cause::NotKept);
    let says = "The ledger no longer holds the alert (kept for 30 days); its id was made at ";
    assert!(old.text.starts_with(says), "{}", old.text);
    assert_eq!(of_missing("event", None, kept, at(0)).text, "The ledger has no such event.");
}

#[test]
fn a_time_is_explained_by_the_event_that_can_be_explained_least() {
    let world = World::new(halden());
    let integration = world.directory.integrations.values().next().unwrap();
    let of = |cause| finding(cause, Stage::Alerting, "It is so.");
    let came = |events: &[Cause]| Came {
        integration: Some(integration),
        events: events.iter().map(|cause| of(*cause)).collect(),
        rejected: vec![(at(0), "over its quota".to_owned())],
        ..Came::default()
    };
    let found = of_time(came(&[Cause::Sent, Cause::NoOutcome, Cause::Info]));
    assert_eq!(found.cause, Cause::NoOutcome);
    assert!(found.text.starts_with("3 events came by"), "{found:?}");
    let rejected = of_time(came(&[]));
    assert_eq!(rejected.cause, Cause::Rejected);
    assert!(rejected.text.contains("over its quota"), "{rejected:?}");
    let more = of_time(Came { more_events: true, ..came(&[Cause::Sent, Cause::Sent]) });
    assert!(more.text.starts_with("At least 2 events came by"), "{more:?}");
    let disabled = Integration { disabled: true, ..integration.clone() };
    let disabled = Came { integration: Some(&disabled), ..came(&[]) };
    assert_eq!(of_time(disabled).cause, Cause::Disabled);
    assert_eq!(of_time(Came::default()).cause, Cause::NothingCame);
}

#[test]
fn of_a_time_that_is_kept_no_longer_it_is_not_said_that_nothing_came() {
    let kept = SignedDuration::from_hours(30 * 24);
    let hours = |hours| at(0) - kept + SignedDuration::from_hours(hours);
    let of = |from, until| {
        let gone = Gone::of(hours(from), hours(until), kept, at(0));
        of_time(Came { gone, ..Came::default() })
    };
    let gone = of(-2, -1);
    assert_eq!(gone.cause, Cause::NotKept);
    assert!(gone.text.ends_with("came then (kept for 30 days)."), "{gone:?}");
    let partly = of(-1, 1);
    assert_eq!(partly.cause, Cause::NothingCame);
    assert!(partly.text.ends_with("What was before is no longer kept."), "{partly:?}");
    assert!(!of(0, 1).text.contains("no longer"));
}
