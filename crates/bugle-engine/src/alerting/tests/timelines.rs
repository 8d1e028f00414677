//! Scripts and what comes of them. A script is `MINUTE WHAT` between slashes:
//! `0 crit db / 5 tick / 6 lena acks`. Keys are one word; `until M` gives an event an end; `priya?`
//! is a notice of ours for her. At `back`, senders can reach us again after a time in which they
//! could not.

mod ends;

use std::fmt::Write as _;

use bugle_domain::alert::{AlertStatus, TimelineEntry};
use bugle_domain::event::{Action, Event, EventOutcome, FOR_USER};
use bugle_domain::object::{Directory, Object};
use bugle_domain::policy::Target;
use bugle_domain::{IntegrationId, Severity, TeamId, UserId};

use crate::alerting::{Decisions, Work};
use crate::narrate;
use crate::respond::{Effect, ResponseAction, sentence};
use crate::testing::*;

/// Plays a script, and says what happened at each step.
fn play(directory: Directory, script: &str) -> String {
    let mut world = World::new(directory);
    let mut story = String::new();
    for (number, step) in script.split('/').map(str::trim).enumerate() {
        let (minute, what) = step.split_once(' ').unwrap();
        let minute: i64 = minute.parse().unwrap();
        let now = at(minute);
        let mut lines = Vec::new();
        if let Some(until) = what.strip_prefix("dispatch stands until ") {
            world.stall = Some((now, at(until.parse().unwrap())));
        }
        let decisions = match person_and_action(what) {
            Some((who, action)) => {
                let alert = *world.alerts.keys().last().unwrap();
                let (decisions, effect) = world.respond(alert, who, action, now);
                lines.push(format!("\"{}\"", sentence(&effect, now)));
                decisions
            }
            None if what == "back" => {
                world.heard_since = now;
                world.pass(Vec::new(), now)
            }
            None => world.pass(events(what, number as u128 + 1, minute), now),
        };
        lines.extend(tell(&world, &decisions));
        if lines.is_empty() {
            lines.push("-".to_owned());
        }
        let _ = writeln!(story, "{minute:>3}m {what:<15} {}", lines[0]);
        for line in &lines[1..] {
            let _ = writeln!(story, "{:20} {line}", "");
        }
    }
    story
}

fn person_and_action(what: &str) -> Option<(u128, ResponseAction)> {
    let (who, verb) = what.split_once(' ')?;
    let people = [("lena", LENA), ("priya", PRIYA), ("tomas", TOMAS), ("jonas", JONAS)];
    let (_, number) = people.into_iter().find(|(name, _)| *name == who)?;
    let action = match verb {
        "acks" => ResponseAction::Acknowledge,
        "fixes" => ResponseAction::Resolve,
        _ => ResponseAction::PassOn,
    };
    Some((number, action))
}

fn events(what: &str, number: u128, minute: i64) -> Vec<Event> {
    let words: Vec<&str> = what.split(' ').collect();
    let (action, severity) = match words[0] {
        "crit" => (Action::Trigger, Severity::Critical),
        "high" | "stray" | "priya?" => (Action::Trigger, Severity::High),
        "low" => (Action::Trigger, Severity::Low),
        "info" => (Action::Trigger, Severity::Info),
        "ack" => (Action::Acknowledge, Severity::Info),
        "fixed" => (Action::Resolve, Severity::Info),
        "change" => (Action::Change, Severity::Info),
        _ => return Vec::new(),
    };
    let mut event = event(number, action, words[1], severity);
    event.received_at = at(minute);
    if words[0] == "stray" {
        event.integration = id(IntegrationId::from_stored, 2);
    }
    if words[0] == "priya?" {
        event.integration = IntegrationId::OWN;
        let priya = id(UserId::from_stored, PRIYA).to_string();
        event.body.details.insert(FOR_USER.to_owned(), priya.into());
    }
    if let [_, _, "until", end] = words[..] {
        event.body.ends_at = Some(at(end.parse().unwrap()));
    }
    vec![event]
}

fn tell(world: &World, decisions: &Decisions) -> Vec<String> {
    let mut lines = Vec::new();
    for (_, outcome) in &decisions.outcomes {
        match outcome {
            EventOutcome::Alerted { .. } => (),
            EventOutcome::Folded { alert } => {
                let alert = &world.alerts[alert];
                lines.push(format!("folds into #{} ({} events)", alert.number, alert.event_count));
            }
            EventOutcome::Suppressed { reason } => {
                lines.push(format!("no effect: {}", reason.as_str()));
            }
        }
    }
    for (_, reason) in &decisions.cancel {
        lines.push(format!("what waits is cancelled: {reason}"));
    }
    for entry in entries(decisions) {
        lines.push(narrate::line(entry, &world.directory));
    }
    let mut owed: Vec<String> = Vec::new();
    for it in &decisions.owed {
        let after = it.due_at.duration_since(it.created_at).as_secs();
        let after = if after == 0 { String::new() } else { format!(" after {after} s") };
        owed.push(format!("{}{after}", it.channel.as_str()));
    }
    if !owed.is_empty() {
        lines.push(format!("owed: {}", owed.join(", ")));
    }
    lines
}

fn with(change: impl FnOnce(&mut Directory)) -> Directory {
    let mut directory = halden();
    change(&mut directory);
    directory
}

#[test]
fn unanswered_alert_climbs_to_the_fallback_and_then_says_that_nobody_is_left() {
    insta::assert_snapshot!(play(halden(), "0 crit db / 4 tick / 5 tick / 15 tick / 30 tick / 99 tick"), @r#"
     0m crit db         Opened. It follows the policy "Payments" of its service.
                        Level 1: Lena Kovač is paged.
                        owed: sms, email, voice after 60 s
     4m tick            -
     5m tick            Level 2: Priya Nair is paged.
                        owed: sms, email, voice after 60 s
    15m tick            The policy was gone through. The fallback "Somebody" follows.
                        Level 1: Jonas Weber is paged.
                        owed: sms, email, voice after 60 s
    30m tick            Nobody is left to be told.
    99m tick            -
    "#);
}

#[test]
fn who_is_asked_for_by_name_is_told_thrice_and_then_the_fallback() {
    let script = "0 priya? x / 5 tick / 10 tick / 15 tick / 16 jonas acks";
    insta::assert_snapshot!(play(halden(), script), @r#"
     0m priya? x        Opened. Priya Nair is asked for by name.
                        Level 1: Priya Nair is paged.
                        owed: sms, email, voice after 60 s
     5m tick            Level 1, round 2: Priya Nair is paged.
                        owed: sms, email, voice after 60 s
    10m tick            Level 1, round 3: Priya Nair is paged.
                        owed: sms, email, voice after 60 s
    15m tick            The policy was gone through. The fallback "Somebody" follows.
                        Level 1: Jonas Weber is paged.
                        owed: sms, email, voice after 60 s
    16m jonas acks      "Acknowledged."
                        what waits is cancelled: acknowledged
                        Jonas Weber acknowledged by a key in the call.
    "#);
}

#[test]
fn a_sender_cannot_ask_for_somebody_by_name() {
    let mut forged = event(1, Action::Trigger, "x", Severity::High);
    let priya = id(UserId::from_stored, PRIYA).to_string();
    forged.body.details.insert(FOR_USER.to_owned(), priya.into());
    let mut world = World::new(halden());
    let decisions = world.pass(vec![forged], at(0));
    assert_eq!(
        tell(&world, &decisions)[0],
        "Opened. It follows the policy \"Payments\" of its service."
    );
}

#[test]
fn a_policy_is_repeated_before_the_fallback() {
    let directory = with(|it| payments(it).repeat = 1);
    insta::assert_snapshot!(play(directory, "0 crit db / 5 tick / 15 tick / 20 tick / 30 tick"), @r#"
     0m crit db         Opened. It follows the policy "Payments" of its service.
                        Level 1: Lena Kovač is paged.
                        owed: sms, email, voice after 60 s
     5m tick            Level 2: Priya Nair is paged.
                        owed: sms, email, voice after 60 s
    15m tick            Level 1, round 2: Lena Kovač is paged.
                        owed: sms, email, voice after 60 s
    20m tick            Level 2, round 2: Priya Nair is paged.
                        owed: sms, email, voice after 60 s
    30m tick            The policy was gone through. The fallback "Somebody" follows.
                        Level 1: Jonas Weber is paged.
                        owed: sms, email, voice after 60 s
    "#);
}

#[test]
fn a_level_that_reaches_nobody_is_skipped_with_its_delay_at_once() {
    let directory = with(|it| {
        payments(it).levels.insert(0, level(&[second_line_target()], 30));
        it.teams.get_mut(&id(TeamId::from_stored, PLATFORM)).unwrap().members.clear();
        let platform = Target::Team(id(TeamId::from_stored, PLATFORM));
        payments(it).levels.insert(2, level(&[platform], 30));
    });
    insta::assert_snapshot!(play(directory, "0 crit db / 5 tick"), @r#"
    0m crit db         Opened. It follows the policy "Payments" of its service.
                       Level 1 was skipped with its delay: nobody is on call in Payments second line.
                       Level 2: Lena Kovač is paged.
                       owed: sms, email, voice after 60 s
    5m tick            Level 3 was skipped with its delay: Platform has no members.
                       Level 4: Priya Nair is paged.
                       owed: sms, email, voice after 60 s
    "#);
}

#[test]
fn where_nobody_can_be_reached_it_is_exhausted_at_once_without_a_loop() {
    let directory = with(|it| {
        payments(it).repeat = 9;
        for method in it.methods.values_mut() {
            method.proven_at = None;
        }
    });
    insta::assert_snapshot!(play(directory, "0 crit db / 5 tick"), @r#"
    0m crit db         Opened. It follows the policy "Payments" of its service.
                       Level 1 was skipped with its delay: Lena Kovač has no proven contact method.
                       Level 2 was skipped with its delay: Priya Nair has no proven contact method.
                       The policy was gone through. The fallback "Somebody" follows.
                       Level 1 was skipped with its delay: Jonas Weber has no proven contact method.
                       Nobody is left to be told.
    5m tick            -
    "#);
}

#[test]
fn people_not_reached_are_named_beside_those_who_are() {
    let directory = with(|it| {
        let platform = Target::Team(id(TeamId::from_stored, PLATFORM));
        payments(it).levels[0] = level(&[platform, second_line_target()], 5);
        it.users.get_mut(&user(TOMAS)).unwrap().disabled = true;
        it.schedules.clear();
        it.add(Object::Schedule(second_line(&[LENA, PRIYA])));
    });
    insta::assert_snapshot!(play(directory, "0 crit db"), @r#"
    0m crit db         Opened. It follows the policy "Payments" of its service.
                       Level 1: Priya Nair (of Platform) is paged. Not reached: Tomás Ruiz is disabled.
                       owed: sms, email, voice after 60 s
    "#);
}

#[test]
fn acknowledgement_stops_the_climb_and_repeats_harmlessly() {
    insta::assert_snapshot!(
        play(halden(), "0 crit db / 2 lena acks / 3 lena acks / 3 priya acks / 5 tick / 9 ack db"), @r#"
    0m crit db         Opened. It follows the policy "Payments" of its service.
                       Level 1: Lena Kovač is paged.
                       owed: sms, email, voice after 60 s
    2m lena acks       "Acknowledged. Priya will not be paged."
                       what waits is cancelled: acknowledged
                       Lena Kovač acknowledged by a key in the call.
    3m lena acks       "Acknowledged."
    3m priya acks      "Lena acknowledged 1 min before you."
    5m tick            -
    9m ack db          folds into #4801 (2 events)
    "#);
}

#[test]
fn passing_on_tells_the_next_level_at_once_and_then_has_nobody_left() {
    insta::assert_snapshot!(
        play(halden(), "0 crit db / 1 lena passes / 6 tick / 7 priya passes / 8 jonas passes / 22 tick"), @r#"
     0m crit db         Opened. It follows the policy "Payments" of its service.
                        Level 1: Lena Kovač is paged.
                        owed: sms, email, voice after 60 s
     1m lena passes     "Passed on. Priya is paged now."
                        what waits is cancelled: passed_on
                        Lena Kovač passed it on by a key in the call.
                        Level 2: Priya Nair is paged.
                        owed: sms, email, voice after 60 s
     6m tick            -
     7m priya passes    "Passed on. Jonas is paged now."
                        what waits is cancelled: passed_on
                        Priya Nair passed it on by a key in the call.
                        The policy was gone through. The fallback "Somebody" follows.
                        Level 1: Jonas Weber is paged.
                        owed: sms, email, voice after 60 s
     8m jonas passes    "There is nobody to pass it on to. It still waits for an answer."
    22m tick            Nobody is left to be told.
    "#);
}

#[test]
fn passing_on_after_an_answer_changes_nothing() {
    insta::assert_snapshot!(play(halden(), "0 crit db / 1 lena acks / 2 priya passes"), @r#"
    0m crit db         Opened. It follows the policy "Payments" of its service.
                       Level 1: Lena Kovač is paged.
                       owed: sms, email, voice after 60 s
    1m lena acks       "Acknowledged. Priya will not be paged."
                       what waits is cancelled: acknowledged
                       Lena Kovač acknowledged by a key in the call.
    2m priya passes    "Lena acknowledged 1 min before you."
    "#);
}

#[test]
fn info_pages_nobody_but_folds_into_an_open_alert() {
    insta::assert_snapshot!(play(halden(), "0 info db / 1 high db / 2 info db / 3 change db"), @r#"
    0m info db         no effect: info
    1m high db         Opened. It follows the policy "Payments" of its service.
                       Level 1: Lena Kovač is paged.
                       owed: sms, email, voice after 60 s
    2m info db         folds into #4801 (2 events)
    3m change db       no effect: change
    "#);
}

#[test]
fn triggers_fold_without_paging_again_also_when_acknowledged() {
    insta::assert_snapshot!(play(halden(), "0 crit db / 1 crit db / 2 lena acks / 3 crit db"), @r#"
    0m crit db         Opened. It follows the policy "Payments" of its service.
                       Level 1: Lena Kovač is paged.
                       owed: sms, email, voice after 60 s
    1m crit db         folds into #4801 (2 events)
    2m lena acks       "Acknowledged. Priya will not be paged."
                       what waits is cancelled: acknowledged
                       Lena Kovač acknowledged by a key in the call.
    3m crit db         folds into #4801 (3 events)
    "#);
}

#[test]
fn a_trigger_after_resolve_opens_a_new_alert() {
    insta::assert_snapshot!(
        play(halden(), "0 fixed db / 1 crit db / 2 fixed db / 3 fixed db / 4 crit db / 5 lena fixes / 6 priya fixes"), @r#"
    0m fixed db        no effect: no_open_alert
    1m crit db         Opened. It follows the policy "Payments" of its service.
                       Level 1: Lena Kovač is paged.
                       owed: sms, email, voice after 60 s
    2m fixed db        folds into #4801 (2 events)
                       what waits is cancelled: resolved
                       The sender (Prometheus) resolved it.
    3m fixed db        no effect: no_open_alert
    4m crit db         Opened. It follows the policy "Payments" of its service.
                       Level 1: Lena Kovač is paged.
                       owed: sms, email, voice after 60 s
    5m lena fixes      "Resolved. Priya will not be paged."
                       what waits is cancelled: resolved
                       Lena Kovač resolved it by a key in the call.
    6m priya fixes     "It was over 1 min before you."
    "#);
}

#[test]
fn becoming_urgent_tells_the_level_again_and_the_clock_runs_on() {
    insta::assert_snapshot!(play(halden(), "0 low db / 3 crit db / 5 tick / 6 lena acks"), @r#"
    0m low db          Opened. It follows the policy "Payments" of its service.
                       Level 1: Lena Kovač is paged.
                       owed: email
    3m crit db         folds into #4801 (2 events)
                       what waits is cancelled: worsened
                       It became worse: critical after low. Urgent rules apply from now on.
                       Level 1: Lena Kovač is paged.
                       owed: sms, email, voice after 60 s
    5m tick            Level 2: Priya Nair is paged.
                       owed: sms, email, voice after 60 s
    6m lena acks       "Acknowledged. Jonas will not be paged."
                       what waits is cancelled: acknowledged
                       Lena Kovač acknowledged by a key in the call.
    "#);
}

#[test]
fn becoming_urgent_after_an_answer_is_only_noted() {
    insta::assert_snapshot!(play(halden(), "0 low db / 1 lena acks / 3 crit db / 5 tick"), @r#"
    0m low db          Opened. It follows the policy "Payments" of its service.
                       Level 1: Lena Kovač is paged.
                       owed: email
    1m lena acks       "Acknowledged. Priya will not be paged."
                       what waits is cancelled: acknowledged
                       Lena Kovač acknowledged by a key in the call.
    3m crit db         folds into #4801 (2 events)
                       It became worse: critical after low. Urgent rules apply from now on.
    5m tick            -
    "#);
}

#[test]
fn becoming_urgent_when_exhausted_begins_again() {
    insta::assert_snapshot!(play(halden(), "0 low db / 5 tick / 15 tick / 30 tick / 31 high db / 46 tick"), @r#"
     0m low db          Opened. It follows the policy "Payments" of its service.
                        Level 1: Lena Kovač is paged.
                        owed: email
     5m tick            Level 2: Priya Nair is paged.
                        owed: email
    15m tick            The policy was gone through. The fallback "Somebody" follows.
                        Level 1: Jonas Weber is paged.
                        owed: email
    30m tick            Nobody is left to be told.
    31m high db         folds into #4801 (2 events)
                        what waits is cancelled: worsened
                        It became worse: high after low. Urgent rules apply from now on.
                        Level 1: Lena Kovač is paged.
                        owed: sms, email, voice after 60 s
    46m tick            Level 2: Priya Nair is paged.
                        owed: sms, email, voice after 60 s
    "#);
}

#[test]
fn without_a_service_the_fallback_follows_and_is_not_told_twice() {
    insta::assert_snapshot!(play(halden(), "0 stray disk / 15 tick"), @r#"
     0m stray disk      Opened. Its integration names no service, so the fallback "Somebody" follows.
                        Level 1: Jonas Weber is paged.
                        owed: sms, email, voice after 60 s
    15m tick            Nobody is left to be told.
    "#);
}

#[test]
fn without_any_policy_nobody_is_told_and_the_timeline_says_so() {
    let directory = with(|it| {
        it.policies.clear();
        it.tenant.fallback_policy = None;
    });
    insta::assert_snapshot!(play(directory, "0 crit db / 5 tick"), @r"
    0m crit db         Opened. There is no policy to follow and no fallback: nobody is told.
                       Nobody is left to be told.
    5m tick            -
    ");
}

#[test]
fn a_policy_edited_later_does_not_change_an_alert_in_flight() {
    let mut world = World::new(halden());
    world.pass(events("crit db", 1, 0), at(0));
    payments(&mut world.directory).levels.truncate(1);
    let decisions = world.pass(Vec::new(), at(5));
    insta::assert_snapshot!(tell(&world, &decisions).join("\n"), @r"
    Level 2: Priya Nair is paged.
    owed: sms, email, voice after 60 s
    ");
}

#[test]
fn an_event_that_could_not_be_decided_tells_the_fallback() {
    let mut world = World::new(halden());
    let event = events("crit db", 1, 0).remove(0);
    let decisions = super::super::quarantine(&world.directory, event, at(1), &mut world.mint);
    world.save(&decisions, at(1));
    insta::assert_snapshot!(tell(&world, &decisions).join("\n"), @r#"
    no effect: quarantined
    Opened. Its event could not be routed, so the fallback "Somebody" follows.
    Level 1: Jonas Weber is paged.
    owed: sms, email, voice after 60 s
    "#);
    assert_eq!(decisions.opened[0].summary, "An event could not be routed: db is down");
}

#[test]
fn opened_acknowledged_resolved_and_opened_again_in_one_batch() {
    let mut world = World::new(halden());
    let mut batch = Vec::new();
    for (number, what) in ["low db", "crit db", "ack db", "fixed db", "crit db"].iter().enumerate()
    {
        batch.extend(events(what, number as u128 + 1, 0));
    }
    let decisions = world.pass(batch, at(0));
    let statuses: Vec<AlertStatus> = decisions.opened.iter().map(|it| it.status).collect();
    assert_eq!(statuses, [AlertStatus::Resolved, AlertStatus::Open]);
    assert_eq!((decisions.changed.len(), decisions.cancel.len()), (0, 0));
    let second = decisions.opened[1].id;
    assert!(world.waiting().all(|it| it.alert == second));
    assert_eq!(world.waiting().count(), 3);
    assert_eq!(decisions.owed.len(), 1 + 3 + 3);
}

#[test]
fn escalation_clocks_pause_while_we_are_the_delay() {
    let script = "0 dispatch stands until 20 / 0 crit db / 5 tick / 10 tick / 15 tick / 20 tick / \
                  24 tick / 25 tick / 35 tick";
    insta::assert_snapshot!(play(halden(), script), @r#"
     0m dispatch stands until 20 -
     0m crit db         Opened. It follows the policy "Payments" of its service.
                        Level 1: Lena Kovač is paged.
                        owed: sms, email, voice after 60 s
     5m tick            Level 1 has more time: its pages have not gone out, and that delay is ours.
    10m tick            -
    15m tick            -
    20m tick            Level 1 has its whole time from its first page on, which went out 20 min late.
    24m tick            -
    25m tick            Level 2: Priya Nair is paged.
                        owed: sms, email, voice after 60 s
    35m tick            The policy was gone through. The fallback "Somebody" follows.
                        Level 1: Jonas Weber is paged.
                        owed: sms, email, voice after 60 s
    "#);
}

#[test]
fn a_page_that_we_delayed_knows_when_it_was_wanted() {
    let mut world = World::new(halden());
    world.pass(events("crit db", 1, 0), at(31));
    let first = world.notifications.values().next().unwrap();
    assert_eq!((first.wanted_at, first.due_at), (at(0), at(31)));
    let alert = world.alerts.values().next().unwrap();
    assert_eq!((alert.opened_at, alert.due_at()), (at(0), Some(at(36))));
}

#[test]
fn a_response_says_whom_it_spared() {
    let mut world = World::new(halden());
    world.pass(events("crit db", 1, 0), at(0));
    let alert = *world.alerts.keys().next().unwrap();
    let (_, effect) = world.respond(alert, LENA, ResponseAction::Acknowledge, at(1));
    assert_eq!(effect, Effect::Acknowledged { not_paged: vec!["Priya".to_owned()] });
}
