//! What must hold whatever happens: the design's invariants, as far as alerting keeps them.

use std::collections::BTreeMap;

use bugle_domain::alert::{Actor, AlertStatus, Escalation, TimelineEntry};
use bugle_domain::event::{Action, Event, EventOutcome};
use bugle_domain::notification::{End, NotificationState};
use bugle_domain::object::Directory;
use bugle_domain::{AlertId, IntegrationId, Severity};
use jiff::SignedDuration;
use proptest::prelude::*;

use crate::alerting::{Decisions, decide};
use crate::heard;
use crate::respond::ResponseAction;
use crate::testing::*;

/// What one event says.
#[derive(Clone, Copy, Debug)]
struct Said {
    action: Action,
    key: &'static str,
    severity: Severity,
    integration: u128,
    /// Minutes until it ends by itself.
    ends_in: Option<i64>,
}

/// One step of a script.
#[derive(Clone, Debug)]
enum Step {
    Events(Vec<Said>),
    /// Somebody answers the alert with this place among all there are.
    Answer(usize, u128, ResponseAction),
    /// Senders can reach us again after a time in which they could not.
    Back,
}

fn any_said() -> impl Strategy<Value = Said> {
    let action = prop_oneof![
        6 => Just(Action::Trigger),
        2 => Just(Action::Resolve),
        1 => Just(Action::Acknowledge),
        1 => Just(Action::Change),
    ];
    let severity = prop::sample::select(&Severity::ALL[..]);
    let key = prop::sample::select(&["db", "web", "disk"][..]);
    let ends_in = prop_oneof![3 => Just(None), 1 => (1..30_i64).prop_map(Some)];
    (action, key, severity, 1..=2_u128, ends_in).prop_map(
        |(action, key, severity, integration, ends_in)| Said {
            action,
            key,
            severity,
            integration,
            ends_in,
        },
    )
}

fn any_step() -> impl Strategy<Value = (i64, Step)> {
    let action = prop::sample::select(
        &[ResponseAction::Acknowledge, ResponseAction::Resolve, ResponseAction::PassOn][..],
    );
    let step = prop_oneof![
        3 => prop::collection::vec(any_said(), 0..6).prop_map(Step::Events),
        1 => (0..20_usize, 1..=4_u128, action).prop_map(|(a, b, c)| Step::Answer(a, b, c)),
        1 => Just(Step::Back),
    ];
    (0..12_i64, step)
}

/// Halden Freight, with a policy that is repeated, and without the methods of some people.
fn any_company() -> impl Strategy<Value = Directory> {
    (0..3_u8, prop::collection::btree_set(1..=4_u128, 0..4), any::<bool>()).prop_map(
        |(repeat, unreachable, has_fallback)| {
            let mut directory = halden();
            payments(&mut directory).repeat = repeat;
            for method in directory.methods.values_mut() {
                if unreachable.contains(&method.user.as_uuid().as_u128()) {
                    method.proven_at = None;
                }
            }
            if !has_fallback {
                directory.tenant.fallback_policy = None;
            }
            directory
        },
    )
}

/// Makes events of what was said, numbered on.
fn events(said: &[Said], next: &mut u128, minute: i64) -> Vec<Event> {
    let make = |said: &Said| {
        *next += 1;
        let mut event = event(*next, said.action, said.key, said.severity);
        event.integration = id(IntegrationId::from_stored, said.integration);
        event.received_at = at(minute);
        event.body.ends_at = said.ends_in.map(|minutes| at(minute + minutes));
        event
    };
    said.iter().map(make).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_accepted_event_has_one_outcome(
        company in any_company(),
        script in prop::collection::vec(any_step(), 0..25),
    ) {
        play(company, &script, each_event_has_one_outcome)?;
    }

    #[test]
    fn nobody_is_told_after_an_answer(
        company in any_company(),
        script in prop::collection::vec(any_step(), 0..25),
    ) {
        play(company, &script, answered_is_quiet)?;
    }

    #[test]
    fn every_owed_notification_is_in_the_books(
        company in any_company(),
        script in prop::collection::vec(any_step(), 0..25),
    ) {
        play(company, &script, owed_is_waiting_or_ended)?;
    }

    #[test]
    fn no_step_that_is_due_is_left_undone(
        company in any_company(),
        script in prop::collection::vec(any_step(), 0..25),
    ) {
        play(company, &script, nothing_due_is_left)?;
    }

    #[test]
    fn an_open_alert_is_waited_for_or_says_that_it_is_exhausted(
        company in any_company(),
        script in prop::collection::vec(any_step(), 0..25),
    ) {
        play(company, &script, states_agree)?;
    }

    #[test]
    fn silence_ends_nothing_before_the_sender_could_speak(
        company in any_company(),
        script in prop::collection::vec(any_step(), 0..25),
    ) {
        play(company, &script, silence_had_time)?;
    }

    #[test]
    fn the_same_work_gives_the_same_decisions(
        company in any_company(),
        script in prop::collection::vec(any_step(), 0..15),
    ) {
        same_decisions(company, &script)?;
    }

    #[test]
    fn a_batch_is_the_same_as_its_events_one_by_one(
        company in any_company(),
        script in prop::collection::vec(any_step(), 0..15),
        batch in prop::collection::vec(any_said(), 1..12),
    ) {
        one_by_one(company, &script, &batch)?;
    }

    #[test]
    fn levels_are_told_in_order_and_each_once(
        company in any_company(),
        waits in prop::collection::vec(0..20_i64, 0..20),
    ) {
        levels_in_order(company, &waits)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_escalation_is_caused_by_our_delay(
        company in any_company(),
        stall in (0..30_i64, 1..50_i64),
        waits in prop::collection::vec(1..12_i64, 0..20),
    ) {
        stalled(company, stall, &waits)?;
    }
}

/// Dispatch stands still for a while. Afterwards no level is told before the one before it had its
/// whole time, no two at once, and the clock moves until nobody is left.
fn stalled(
    company: Directory,
    (from, length): (i64, i64),
    waits: &[i64],
) -> Result<(), TestCaseError> {
    let mut world = World::new(company);
    world.stall = Some((at(from), at(from + length)));
    let minutes = waits.iter().scan(0, |minute, wait| {
        *minute += wait;
        Some(*minute)
    });
    let last = waits.iter().sum();
    let minutes: Vec<i64> = minutes.chain(last..last + 500).collect();
    world.pass(vec![event(1, Action::Trigger, "db", Severity::Critical)], at(0));
    let mut out_at =
        world.notifications.values().map(|_| at(if from == 0 { length } else { 0 })).next();
    for minute in minutes {
        let before = delay_of(&world);
        let decisions = world.pass(Vec::new(), at(minute));
        let told = entries(&decisions);
        let told = told.iter().filter(|it| matches!(it, TimelineEntry::LevelTold { .. })).count();
        prop_assert!(told <= 1, "two levels at once");
        if told == 1 {
            let had = out_at.map(|out| at(minute).duration_since(out));
            prop_assert!(had.is_none_or(|had| had >= before), "{had:?} of {before:?}");
            let stalled = (from..from + length).contains(&minute);
            out_at = Some(at(if stalled { from + length } else { minute }));
        }
    }
    let left = world.alerts.values().all(|it| it.escalation == Escalation::Exhausted);
    prop_assert!(left, "its clock stands for ever");
    Ok(())
}

/// How long the people of the level that waits have to answer.
fn delay_of(world: &World) -> SignedDuration {
    let alert = world.alerts.values().next().unwrap();
    match (&alert.escalation, &alert.policy) {
        (Escalation::Waiting { level, .. }, Some(policy)) => {
            SignedDuration::from_secs(policy.levels[*level].delay_s.into())
        }
        _ => SignedDuration::ZERO,
    }
}

/// A step that was played, with the world before and after.
struct Played<'a> {
    before: &'a World,
    after: &'a World,
    decisions: &'a Decisions,
    events: &'a [Event],
    minute: i64,
}

fn play(
    company: Directory,
    script: &[(i64, Step)],
    promise: impl Fn(&Played<'_>) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let mut world = World::new(company);
    let (mut minute, mut next) = (0, 0);
    for (wait, step) in script {
        minute += wait;
        let before = world.clone();
        let mut said = Vec::new();
        let decisions = match step {
            Step::Events(what) => {
                said = events(what, &mut next, minute);
                world.pass(said.clone(), at(minute))
            }
            Step::Answer(place, who, action) => {
                let Some(alert) = world.alerts.keys().nth(*place).copied() else { continue };
                world.respond(alert, *who, *action, at(minute)).0
            }
            Step::Back => {
                world.heard_since = at(minute);
                world.pass(Vec::new(), at(minute))
            }
        };
        let (before, after, decisions) = (&before, &world, &decisions);
        promise(&Played { before, after, decisions, events: &said, minute })?;
    }
    Ok(())
}

fn each_event_has_one_outcome(step: &Played<'_>) -> Result<(), TestCaseError> {
    let decided = step.decisions.outcomes.iter().map(|(event, _)| *event);
    let said = step.events.iter().map(|event| event.id);
    prop_assert!(decided.eq(said), "each event once, in order");
    for (_, outcome) in &step.decisions.outcomes {
        match outcome {
            EventOutcome::Alerted { alert } => {
                let opened = step.decisions.opened.iter().any(|it| it.id == *alert);
                prop_assert!(opened, "alerted, and saved as opened");
            }
            EventOutcome::Folded { alert } => {
                prop_assert!(step.after.alerts.contains_key(alert), "folded into an alert");
            }
            EventOutcome::Suppressed { .. } => (),
        }
    }
    let in_alerts: i64 = step.after.alerts.values().map(|it| it.event_count).sum();
    let decided = step.after.outcomes.iter();
    let in_outcomes = decided.filter(|it| !matches!(it.1, EventOutcome::Suppressed { .. }));
    prop_assert_eq!(in_alerts, i64::try_from(in_outcomes.count()).unwrap());
    Ok(())
}

fn answered_is_quiet(step: &Played<'_>) -> Result<(), TestCaseError> {
    for waiting in step.after.waiting() {
        let alert = &step.after.alerts[&waiting.alert];
        prop_assert_eq!(alert.status, AlertStatus::Open, "waits after an answer");
    }
    for (alert, _, entry) in &step.decisions.timeline {
        let before = step.before.alerts.get(alert).map(|it| it.status);
        let told = matches!(entry, TimelineEntry::LevelTold { .. });
        let answered = matches!(before, Some(AlertStatus::Acknowledged | AlertStatus::Resolved));
        prop_assert!(!(told && answered), "told after an answer");
    }
    Ok(())
}

fn owed_is_waiting_or_ended(step: &Played<'_>) -> Result<(), TestCaseError> {
    let mut promised = 0;
    for (_, _, entry) in &step.decisions.timeline {
        if let TimelineEntry::LevelTold { told, .. } = entry {
            promised += told.iter().map(|it| it.notifications as usize).sum::<usize>();
            prop_assert!(told.iter().all(|it| it.notifications > 0), "told of nothing");
        }
    }
    prop_assert_eq!(step.decisions.owed.len(), promised, "the timeline counts what is owed");
    let owed = step.before.notifications.len() + step.decisions.owed.len();
    let ended = |state: &NotificationState| {
        matches!(state, NotificationState::Ended { end: End::Cancelled, .. })
    };
    let ended = step.after.notifications.values().filter(|it| ended(&it.state)).count();
    prop_assert_eq!(owed, step.after.waiting().count() + ended);
    for it in &step.decisions.owed {
        prop_assert!(it.due_at >= at(step.minute) && it.wanted_at <= it.due_at);
        prop_assert!(it.deadline > it.due_at);
        prop_assert_eq!(it.token.is_some(), it.channel.reaches_a_person());
    }
    Ok(())
}

fn nothing_due_is_left(step: &Played<'_>) -> Result<(), TestCaseError> {
    if step.events.is_empty() {
        return Ok(());
    }
    for alert in step.after.alerts.values().filter(|it| it.status != AlertStatus::Resolved) {
        let due = alert.due_at();
        prop_assert!(due.is_none_or(|due| due > at(step.minute)), "{due:?} is left undone");
    }
    Ok(())
}

fn states_agree(step: &Played<'_>) -> Result<(), TestCaseError> {
    for alert in step.after.alerts.values() {
        let agree = match alert.escalation {
            Escalation::Waiting { level, cycle, .. } => {
                let policy = alert.policy.as_ref().unwrap();
                alert.status == AlertStatus::Open
                    && level < policy.levels.len()
                    && cycle <= policy.repeat
            }
            Escalation::Exhausted => alert.status == AlertStatus::Open,
            Escalation::Acknowledged => alert.status == AlertStatus::Acknowledged,
            Escalation::Resolved => alert.status == AlertStatus::Resolved,
        };
        prop_assert!(agree, "{alert:?}");
        let resolved = alert.status == AlertStatus::Resolved;
        prop_assert_eq!(alert.resolved_at.is_some(), resolved);
    }
    Ok(())
}

fn silence_had_time(step: &Played<'_>) -> Result<(), TestCaseError> {
    for (id, _, entry) in &step.decisions.timeline {
        if !matches!(entry, TimelineEntry::Resolved { by: Actor::System, .. }) {
            continue;
        }
        let (before, after) = (step.before.alerts.get(id), &step.after.alerts[id]);
        let Some(before) = before else { continue };
        let heard_since = step.after.heard_since;
        let renewed = after.last_event_at >= heard_since;
        let waited = at(step.minute) >= heard_since + heard::WAIT_AGAIN_AT_LEAST;
        prop_assert!(renewed || waited, "{before:?} ended at {} min", step.minute);
    }
    Ok(())
}

fn same_decisions(company: Directory, script: &[(i64, Step)]) -> Result<(), TestCaseError> {
    let mut world = World::new(company);
    let (mut minute, mut next) = (0, 0);
    for (wait, step) in script {
        minute += wait;
        let said = match step {
            Step::Events(what) => events(what, &mut next, minute),
            Step::Answer(..) => continue,
            Step::Back => {
                world.heard_since = at(minute);
                Vec::new()
            }
        };
        let mut mint = world.mint.clone();
        let (work, times) = (world.work(said.clone(), at(minute)), (at(minute), world.heard_since));
        let again = decide(&world.directory, work, times, &mut mint);
        prop_assert_eq!(world.pass(said, at(minute)), again);
    }
    Ok(())
}

fn one_by_one(
    company: Directory,
    script: &[(i64, Step)],
    batch: &[Said],
) -> Result<(), TestCaseError> {
    let mut world = World::new(company);
    let (mut minute, mut next) = (0, 0);
    for (wait, step) in script {
        minute += wait;
        if let Step::Events(what) = step {
            let said = events(what, &mut next, minute);
            world.pass(said, at(minute));
        }
    }
    // What is due is done first on both sides, so that only the events differ.
    world.pass(Vec::new(), at(minute));
    let said = events(batch, &mut next, minute);
    let (mut together, mut apart) = (world.clone(), world);
    let whole = together.pass(said.clone(), at(minute));
    let mut lines = Vec::new();
    for event in said {
        lines.extend(apart.pass(vec![event], at(minute)).timeline);
    }
    prop_assert_eq!(&together.outcomes, &apart.outcomes);
    prop_assert_eq!(&together.alerts, &apart.alerts);
    prop_assert_eq!(&together.notifications, &apart.notifications);
    prop_assert_eq!(whole.timeline, lines);
    Ok(())
}

fn levels_in_order(company: Directory, waits: &[i64]) -> Result<(), TestCaseError> {
    let mut world = World::new(company);
    let (mut minute, mut next) = (0, 0);
    let mut told: BTreeMap<AlertId, (bool, u8, usize)> = BTreeMap::new();
    let crit = Said {
        action: Action::Trigger,
        key: "db",
        severity: Severity::Critical,
        integration: 1,
        ends_in: None,
    };
    for wait in waits {
        minute += wait;
        let said = events(&[crit], &mut next, minute);
        let decisions = world.pass(said, at(minute));
        let mut fallback = false;
        for (alert, _, entry) in &decisions.timeline {
            match entry {
                TimelineEntry::FallbackBegun { .. } => fallback = true,
                TimelineEntry::LevelTold { level, cycle, .. } => {
                    let last = told.get(alert).copied();
                    let fallback = fallback || last.is_some_and(|it| it.0);
                    let step = (fallback, *cycle, *level);
                    prop_assert!(last.is_none_or(|last| last < step), "{last:?} then {step:?}");
                    told.insert(*alert, step);
                }
                _ => (),
            }
        }
    }
    Ok(())
}
