//! What is done about work that the engine can't decide.

use bugle_domain::event::{Action, Event, EventBody};
use bugle_domain::integration::Dialect;
use bugle_domain::{AlertId, IntegrationId, Severity};

use super::*;
use crate::sample;

/// The alert that no step can be decided of, and one that is as due as it is.
const GUILTY: u128 = 701;
const OTHER: u128 = 702;

fn at(seconds: i64) -> Timestamp {
    sample::now().saturating_add(SignedDuration::from_secs(seconds)).unwrap()
}

fn event(n: u128) -> Event {
    let id = EventId::from_stored(sample::nth(n));
    Event {
        id,
        integration: IntegrationId::from_stored(sample::nth(61)),
        dialect: Dialect::Native,
        received_at: at(0),
        body: EventBody {
            action: Action::Trigger,
            summary: "disk full".to_owned(),
            severity: Severity::Critical,
            source: "test".to_owned(),
            dedup_key: format!("key {n}"),
            occurred_at: None,
            ends_at: None,
            links: Vec::new(),
            details: serde_json::Map::new(),
        },
        request: id,
        outcome: None,
        decided_at: None,
        tries: 0,
    }
}

/// An alert whose first level has had its time.
fn due(directory: &Directory, n: u128) -> Alert {
    let work = Work { events: vec![event(n)], ..Work::default() };
    let mut mint = SystemMint { now: at(0) };
    let opened = alerting::decide(directory, work, (at(0), at(0)), &mut mint).opened;
    let alert = opened.into_iter().next().unwrap();
    Alert { id: AlertId::from_stored(sample::nth(n)), ..alert }
}

/// Decides with an engine that panics at the guilty alert's step, and at events with that key.
fn decided(directory: &Directory, work: Work, now: Timestamp) -> Decided {
    let guilty = AlertId::from_stored(sample::nth(GUILTY));
    let engine = |work: Work, mint: &mut SystemMint| {
        let stuck = work.due.iter().any(|alert| alert.id == guilty)
            || work.events.iter().any(|event| event.body.dedup_key == "key 666");
        assert!(!stuck, "the engine can't do this");
        alerting::decide(directory, work, (now, at(0)), mint)
    };
    decide(directory, work, now, &engine)
}

#[test]
fn a_step_that_can_not_be_decided_stops_no_other() {
    let directory = sample::directory();
    let work = Work {
        events: vec![event(1)],
        due: vec![due(&directory, GUILTY), due(&directory, OTHER)],
        ..Work::default()
    };
    let now = at(3_600);
    let first = decided(&directory, work, now);
    let decisions = first.decisions.unwrap();
    assert!(first.suspects.is_empty() && first.again, "the event is innocent, and comes next");
    assert_eq!(decisions.changed.len(), 2, "both went on");
    let stuck = &decisions.changed[0];
    assert_eq!(stuck.id, AlertId::from_stored(sample::nth(GUILTY)));
    assert!(stuck.policy.as_ref().unwrap().fallback, "the fallback is told");
    assert!(decisions.owed.iter().any(|owed| owed.alert == stuck.id));
    assert!(stuck.due_at().is_none_or(|due| due > now));

    // It fails again: it is put off, and nobody is told twice.
    let work = Work { due: vec![stuck.clone()], ..Work::default() };
    let later = at(360_000);
    let second = decided(&directory, work, later).decisions.unwrap();
    assert!(second.owed.is_empty() && second.changed[0].due_at().unwrap() > later);
}

#[test]
fn an_event_that_can_not_be_decided_holds_up_no_escalation() {
    let directory = sample::directory();
    let work =
        Work { events: vec![event(666)], due: vec![due(&directory, OTHER)], ..Work::default() };
    let decided = decided(&directory, work, at(3_600));
    assert_eq!(decided.suspects, [EventId::from_stored(sample::nth(666))]);
    let decisions = decided.decisions.unwrap();
    assert!(decisions.outcomes.is_empty() && !decisions.owed.is_empty());
}
