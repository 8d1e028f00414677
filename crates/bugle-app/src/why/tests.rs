//! Why, for what the engine decides over the sample configuration.

use bugle_domain::alert::{Actor, Via};
use bugle_domain::contact::Channel;
use bugle_domain::event::{Action, EventBody};
use bugle_domain::integration::Dialect;
use bugle_domain::notification::{End, NotificationState, Receipt};
use bugle_domain::policy::Target;
use bugle_domain::{IntegrationId, NotificationId, Severity, UserId};
use bugle_engine::Mint;
use bugle_engine::alerting::{Decisions, Work, decide};
use bugle_engine::respond::{Response, ResponseAction, respond};
use jiff::SignedDuration;

use super::*;
use crate::sample;

/// Ids in order.
struct Counted(u128);

impl Mint for Counted {
    fn alert(&mut self) -> AlertId {
        self.0 += 1;
        AlertId::from_stored(sample::nth(self.0))
    }

    fn notification(&mut self) -> NotificationId {
        self.0 += 1;
        NotificationId::from_stored(sample::nth(self.0))
    }

    fn token(&mut self) -> String {
        format!("token{}", self.0)
    }
}

fn at(seconds: i64) -> Timestamp {
    sample::now().saturating_add(SignedDuration::from_secs(seconds)).unwrap()
}

fn event(action: Action, severity: Severity) -> Event {
    Event {
        id: EventId::from_stored(sample::nth(500)),
        integration: IntegrationId::from_stored(sample::nth(61)),
        dialect: Dialect::AlertmanagerApi,
        received_at: sample::now(),
        body: EventBody {
            action,
            summary: "checkout-api: 5xx errors at 14.2 %".to_owned(),
            severity,
            source: "prom".to_owned(),
            dedup_key: "checkout/5xx".to_owned(),
            occurred_at: None,
            ends_at: None,
            links: Vec::new(),
            details: serde_json::Map::new(),
        },
        request: EventId::from_stored(sample::nth(500)),
        outcome: None,
        decided_at: None,
        tries: 0,
    }
}

/// Lets the engine decide about an event.
fn decided(directory: &Directory, mut event: Event, open: Vec<Alert>) -> (EventFacts, Decisions) {
    let work = Work { events: vec![event.clone()], open, ..Work::default() };
    let mut decisions = decide(directory, work, (at(1), at(0)), &mut Counted(700));
    event.outcome = decisions.outcomes.first().map(|(_, outcome)| *outcome);
    event.decided_at = Some(at(1));
    decisions.opened.iter_mut().for_each(|alert| alert.number = 4812);
    (EventFacts { event, raw: Some(b"{\"labels\":{}}".to_vec()) }, decisions)
}

/// The facts of the alert that was opened.
fn facts(decisions: Decisions) -> AlertFacts {
    AlertFacts {
        alert: decisions.opened.into_iter().next().unwrap(),
        timeline: decisions.timeline.into_iter().map(|(_, at, entry)| (at, entry)).collect(),
        notifications: decisions.owed.into_iter().map(|it| (it, Vec::new())).collect(),
    }
}

/// A record as lines: seconds since the event, stage, sentence.
fn lines(why: &Why) -> String {
    let mut lines = vec![why.answer.clone()];
    for step in &why.steps {
        let seconds = step.at.duration_since(sample::now()).as_secs();
        lines.push(format!("{seconds:>3}s {:9} {}", step.stage.as_str(), step.text));
    }
    lines.join("\n")
}

/// The call to Lena is sent and answered by key, the text before it delivered.
fn answered_by_lena(directory: &Directory, facts: &mut AlertFacts) {
    for (notification, attempts) in &mut facts.notifications {
        notification.tries = 1;
        attempts.push(Attempt {
            notification: notification.id,
            number: 1,
            provider: "twilio".to_owned(),
            started_at: notification.due_at,
            finished_at: notification.due_at,
            outcome: "accepted".to_owned(),
            detail: String::new(),
            provider_ref: Some("SM1".to_owned()),
        });
        let (receipt, end) = match notification.channel {
            Channel::Voice => (Receipt::Answered, End::Answered),
            _ => (Receipt::Delivered, End::Delivered),
        };
        let when = if receipt == Receipt::Answered { at(75) } else { at(4) };
        notification.receipt = Some((receipt, when));
        let reason = end.as_str().to_owned();
        notification.state = NotificationState::Ended { end, reason, at: when };
    }
    let call = facts.notifications.iter().find(|(it, _)| it.channel == Channel::Voice).unwrap();
    let response = Response {
        action: ResponseAction::Acknowledge,
        by: Actor::User {
            id: UserId::from_stored(sample::nth(sample::LENA)),
            name: "Lena Ortiz".to_owned(),
        },
        via: Via::Voice,
        notification: Some(call.0.id),
        seen: None,
    };
    let alert = facts.alert.clone();
    let (decisions, _) = respond(directory, alert, &response, at(75), &mut Counted(800));
    facts.alert = decisions.changed.into_iter().next().unwrap();
    facts.timeline.extend(decisions.timeline.into_iter().map(|(_, at, entry)| (at, entry)));
}

#[test]
fn a_page_is_explained_from_the_bytes_to_the_key() {
    let directory = sample::directory();
    let (event, decisions) =
        decided(&directory, event(Action::Trigger, Severity::Critical), vec![]);
    let mut facts = facts(decisions);
    answered_by_lena(&directory, &mut facts);
    let why = of_alert(&directory, Some(&event), &facts, at(100));
    insta::assert_snapshot!(lines(&why), @r#"
    Lena Ortiz was paged and acknowledged after 1 min.
      0s intake    13 bytes came by integration "Prometheus" (alertmanager_api).
      0s intake    Read as a trigger, critical: "checkout-api: 5xx errors at 14.2 %", key "checkout/5xx".
      1s alerting  It opened alert #4812.
      1s alerting  Integration "Prometheus" belongs to service "checkout-api".
      1s alerting  Opened. It follows the policy "Payments" of its service.
      1s alerting  Level 1: Lena Ortiz (on call in Payments) is paged.
      1s alerting  Lena Ortiz by sms to …318 came to be owed, due at once, because level 1 was told.
      1s dispatch  Lena Ortiz by sms to …318, try 1 with twilio: accepted.
      1s alerting  Lena Ortiz by voice to …318 came to be owed, due 59 s later by the person's rules, because level 1 was told.
      4s receipts  Lena Ortiz by sms to …318: delivered.
     61s dispatch  Lena Ortiz by voice to …318, try 1 with twilio: accepted.
     75s responses Lena Ortiz acknowledged by a key in the call.
     75s receipts  Lena Ortiz by voice to …318: answered.
    "#);
}

#[test]
fn a_cancelled_message_says_what_made_it_needless() {
    let directory = sample::directory();
    let (event, decisions) =
        decided(&directory, event(Action::Trigger, Severity::Critical), vec![]);
    let mut facts = facts(decisions);
    for (notification, _) in &mut facts.notifications {
        let reason = "resolved".to_owned();
        notification.state = NotificationState::Ended { end: End::Cancelled, reason, at: at(20) };
    }
    facts.alert.status = bugle_domain::alert::AlertStatus::Resolved;
    let why = of_alert(&directory, Some(&event), &facts, at(100));
    insta::assert_snapshot!(lines(&why), @r#"
    Nobody was paged, because it was over before a message went out.
      0s intake    13 bytes came by integration "Prometheus" (alertmanager_api).
      0s intake    Read as a trigger, critical: "checkout-api: 5xx errors at 14.2 %", key "checkout/5xx".
      1s alerting  It opened alert #4812.
      1s alerting  Integration "Prometheus" belongs to service "checkout-api".
      1s alerting  Opened. It follows the policy "Payments" of its service.
      1s alerting  Level 1: Lena Ortiz (on call in Payments) is paged.
      1s alerting  Lena Ortiz by sms to …318 came to be owed, due at once, because level 1 was told.
      1s alerting  Lena Ortiz by voice to …318 came to be owed, due 59 s later by the person's rules, because level 1 was told.
     20s dispatch  Lena Ortiz by sms to …318 was cancelled: it was over first.
     20s dispatch  Lena Ortiz by voice to …318 was cancelled: it was over first.
    "#);
}

#[test]
fn a_skipped_level_says_who_was_missing() {
    let mut directory = sample::directory();
    directory.schedules.values_mut().for_each(|schedule| schedule.layers.clear());
    let (event, decisions) =
        decided(&directory, event(Action::Trigger, Severity::Critical), vec![]);
    let why = of_alert(&directory, Some(&event), &facts(decisions), at(2));
    insta::assert_snapshot!(lines(&why), @r#"
    Nobody has been paged yet: the messages owed have not been sent.
      0s intake    13 bytes came by integration "Prometheus" (alertmanager_api).
      0s intake    Read as a trigger, critical: "checkout-api: 5xx errors at 14.2 %", key "checkout/5xx".
      1s alerting  It opened alert #4812.
      1s alerting  Integration "Prometheus" belongs to service "checkout-api".
      1s alerting  Opened. It follows the policy "Payments" of its service.
      1s alerting  Level 1 was skipped with its delay: nobody is on call in Payments.
      1s alerting  Level 2: Priya Nair is paged.
      1s alerting  Priya Nair by voice to …112 came to be owed, due at once, because level 2 was told.
    "#);
}

#[test]
fn nobody_reachable_at_all_is_said_first() {
    let mut directory = sample::directory();
    directory.methods.values_mut().for_each(|method| method.proven_at = None);
    let (event, decisions) =
        decided(&directory, event(Action::Trigger, Severity::Critical), vec![]);
    let why = of_alert(&directory, Some(&event), &facts(decisions), at(2));
    insta::assert_snapshot!(why.answer, @"Nobody was paged, because nobody in its levels could be reached.");
}

#[test]
fn a_fold_names_the_alert_it_went_into() {
    let directory = sample::directory();
    let (_, decisions) = decided(&directory, event(Action::Trigger, Severity::High), vec![]);
    let open = facts(decisions).alert;
    let again = event(Action::Trigger, Severity::High);
    let (event, _) = decided(&directory, again, vec![open.clone()]);
    let why = of_quiet_event(&directory, &event, Some(&open), at(2));
    insta::assert_snapshot!(lines(&why), @r#"
    Nobody was paged anew. It folded into alert #4812, which has the same key and is not over. Ask why alr_000000000000000000000000000002bd for the rest.
      0s intake    13 bytes came by integration "Prometheus" (alertmanager_api).
      0s intake    Read as a trigger, high: "checkout-api: 5xx errors at 14.2 %", key "checkout/5xx".
      1s alerting  It folded into alert #4812, which has the same key and is not over.
    "#);
}

#[test]
fn what_pages_nobody_says_why() {
    let directory = sample::directory();
    let answer = |action, severity| {
        let (event, _) = decided(&directory, event(action, severity), vec![]);
        of_quiet_event(&directory, &event, None, at(2)).answer
    };
    let mut answers = vec![
        answer(Action::Trigger, Severity::Info),
        answer(Action::Resolve, Severity::High),
        answer(Action::Acknowledge, Severity::High),
        answer(Action::Change, Severity::Info),
    ];
    let pending = EventFacts { event: event(Action::Trigger, Severity::High), raw: None };
    answers.push(lines(&of_quiet_event(&directory, &pending, None, at(3))));
    insta::assert_snapshot!(answers.join("\n"), @r#"
    Nobody was paged. Its severity is info, which is tracked and pages nobody.
    Nobody was paged. No alert of this integration with key "checkout/5xx" is open, so it had no effect.
    Nobody was paged. No alert of this integration with key "checkout/5xx" is open, so it had no effect.
    Nobody was paged. A change is kept and shown beside alerts of the service, and pages nobody.
    Nobody has been paged yet. It waits for alerting to decide about it.
      0s intake    A request, whose bytes are not shown, came by integration "Prometheus" (alertmanager_api).
      0s intake    Read as a trigger, high: "checkout-api: 5xx errors at 14.2 %", key "checkout/5xx".
      3s alerting  It waits for alerting to decide about it. It has waited for 3 s.
    "#);
}

#[test]
fn whom_a_level_tells_is_no_secret_to_programs() {
    let directory = sample::directory();
    let (event, decisions) = decided(&directory, event(Action::Trigger, Severity::High), vec![]);
    let why = of_alert(&directory, Some(&event), &facts(decisions), at(2));
    let told = why.steps.iter().find(|step| step.data["kind"] == "level_told").unwrap();
    let lena = UserId::from_stored(sample::nth(sample::LENA));
    assert_eq!(told.data["told"][0]["user"], lena.to_string());
    let target = directory.policies.values().next().unwrap().levels[0].targets[0];
    assert!(matches!(target, Target::Schedule(_)));
}
