//! Rooms of incidents, and what an incident did, in numbers.

use bugle_domain::alert::{Actor, AlertStatus};
use bugle_domain::notification::{End, Notification};
use bugle_domain::{EventId, IncidentId, NotificationId};
use bugle_engine::alerting::{Decisions, Work};
use bugle_engine::incident::report::Impact;
use bugle_engine::incident::room::{Act, By, Closed, Origin, Room};
use bugle_engine::incident::{self, IncidentLine, MAX_LINES, MAX_MACHINE_LINES};
use bugle_engine::watch::{Hop, Verdict};
use bugle_store::RoomRow;
use jiff::SignedDuration;

use crate::support::{
    NODE, World, all, at, ended, node, on_each_store, scope, tenant, tried, uuid,
};

on_each_store! {
    nobody_writes_over_what_another_did_in_a_room
    a_tenant_has_so_many_open_incidents_and_sees_no_others
    what_the_watch_ends_is_not_due_any_more
    lines_written_at_once_are_all_kept
    an_incident_says_what_it_did_to_events_and_notifications
    a_room_that_cannot_be_read_leaves_the_others
    a_timeline_has_so_many_lines_and_machines_leave_room_for_people
    what_was_closed_long_ago_is_dropped_in_steps_with_its_timeline
}

fn watched(number: u128) -> incident::Incident {
    let verdict = Verdict {
        hop: Hop::Store,
        since: at(0),
        evidence: "it does not answer".to_owned(),
        waiting: 0,
        tenants: Vec::new(),
        nodes: Vec::new(),
        harmless: false,
    };
    let id = IncidentId::from_stored(uuid(number));
    incident::declare(id, &[verdict], true, at(8)).unwrap()
}

/// A room of a tenant, or of the installation.
fn room(number: u128, tenant_number: Option<u128>) -> Room {
    let mut room = Room::of_watch(&watched(number));
    room.tenant = tenant_number.map(tenant);
    room.origin = Origin::Person { name: "Lena".to_owned() };
    room
}

fn promise(room: &mut Room, minutes: i64) -> Vec<IncidentLine> {
    let by = By { name: "Lena", person: None, now: at(60) };
    room.act(Act::NextUpdate(SignedDuration::from_mins(minutes)), by).unwrap()
}

async fn nobody_writes_over_what_another_did_in_a_room(world: World) {
    let store = &world.store;
    let own = room(1, Some(1));
    let declared = IncidentLine::new("people", "Declared.", at(8)).linked("/incidents/1");
    assert!(store.open_room(&own, std::slice::from_ref(&declared), 20).await.unwrap());
    let mut row = store.room(scope(1), own.id).await.unwrap().unwrap();
    assert_eq!((&row.room, row.version), (&own, 1));
    let late = row.clone();
    let lines = promise(&mut row.room, 5);
    assert!(store.save_room(&row, &lines).await.unwrap());
    assert!(!store.save_room(&late, &lines).await.unwrap(), "somebody was quicker");

    let kept = store.room(scope(1), own.id).await.unwrap().unwrap();
    assert_eq!((kept.room.next_update_by, kept.version), (Some(at(360)), 2));
    let lines = store.incident_lines(own.id).await.unwrap();
    assert_eq!(lines.len(), 2, "what was not kept says nothing: {lines:?}");
    assert_eq!(lines[0], (1, declared));
    let due = |now| async move { store.rooms_due(all(), now, 9).await.unwrap().len() };
    assert_eq!((due(at(359)).await, due(at(360)).await), (0, 1));
}

async fn a_tenant_has_so_many_open_incidents_and_sees_no_others(mut world: World) {
    world.add_tenant(2).await;
    let store = &world.store;
    for number in 1..=2 {
        assert!(store.open_room(&room(number, Some(1)), &[], 2).await.unwrap());
    }
    assert!(!store.open_room(&room(3, Some(1)), &[], 2).await.unwrap(), "two are open");
    assert!(store.open_room(&room(4, Some(2)), &[], 2).await.unwrap(), "another tenant's");
    assert!(store.open_room(&room(5, None), &[], 2).await.unwrap(), "the installation's");

    let [one, four, five] = [1, 4, 5].map(|it| IncidentId::from_stored(uuid(it)));
    assert_eq!(store.room(scope(2), one).await.unwrap(), None);
    assert_eq!(store.room(scope(1), five).await.unwrap(), None);
    assert_eq!(store.installation_room(all(), four).await.unwrap(), None);
    assert!(store.installation_room(all(), five).await.unwrap().is_some());
    assert_eq!(store.rooms(scope(1), 9).await.unwrap().len(), 2);
    assert_eq!(store.rooms(scope(2), 9).await.unwrap()[0].room.id, four);
    assert_eq!(store.installation_rooms(all(), 9).await.unwrap().len(), 1);

    let mut row = store.room(scope(1), one).await.unwrap().unwrap();
    let close = Act::Close { reason: "over".to_owned(), mitigated_at: None };
    row.room.act(close, By { name: "Lena", person: None, now: at(90) }).unwrap();
    assert!(store.save_room(&row, &[]).await.unwrap());
    assert!(store.open_room(&room(3, Some(1)), &[], 2).await.unwrap(), "one was closed");
}

async fn what_the_watch_ends_is_not_due_any_more(world: World) {
    let store = &world.store;
    let mut incident = watched(1);
    assert!(store.declare_incident(node(NODE), &incident, &[7; 32]).await.unwrap());
    let mut row = RoomRow { room: Room::of_watch(&incident), version: 0 };
    let lines = promise(&mut row.room, 5);
    assert!(store.save_room(&row, &lines).await.unwrap());
    assert!(!store.save_room(&row, &lines).await.unwrap(), "somebody was here first");
    assert_eq!(store.rooms_due(all(), at(999), 9).await.unwrap().len(), 1);
    incident.recovered_at = Some(at(500));
    store.save_incident(&incident, &[]).await.unwrap();
    assert_eq!(store.rooms_due(all(), at(999), 9).await.unwrap(), []);
}

async fn a_timeline_has_so_many_lines_and_machines_leave_room_for_people(world: World) {
    let (store, own) = (&world.store, room(1, Some(1)));
    let lines = |source, count| vec![IncidentLine::new(source, "it was so", at(1)); count];
    assert!(store.open_room(&own, &lines("watch", MAX_MACHINE_LINES - 2), 20).await.unwrap());
    let add = async |source, text: &str| {
        let line = IncidentLine { text: text.to_owned(), ..lines(source, 1).remove(0) };
        store.add_incident_line(own.id, &line).await.unwrap()
    };
    let last = async || store.incident_lines(own.id).await.unwrap().pop().unwrap();
    assert!(add("note", "It is db1.").await);
    assert_eq!(last().await.1.text, "It is db1.");
    let mut taken = Vec::new();
    for source in ["alert", "change", "status"] {
        taken.push(add(source, "one more").await);
    }
    assert_eq!(taken, [true, false, false], "the last one, and the line that says so");
    let (number, line) = last().await;
    assert_eq!(number, i64::try_from(MAX_MACHINE_LINES).unwrap() + 1);
    assert!(line.text.contains("only what people do"), "{line:?}");
    let mut row = store.room(scope(1), own.id).await.unwrap().unwrap();
    promise(&mut row.room, 5);
    assert!(store.save_room(&row, &lines("people", MAX_LINES)).await.unwrap());
    assert!(!add("note", "too much").await);
    let (number, line) = last().await;
    assert_eq!(number, i64::try_from(MAX_LINES).unwrap());
    assert!(line.text.contains("is full"), "{line:?}");
}

async fn what_was_closed_long_ago_is_dropped_in_steps_with_its_timeline(mut world: World) {
    world.add_tenant(2).await;
    let store = &world.store;
    let lines = |count| vec![IncidentLine::new("note", "it was so", at(1)); count];
    for (number, whose, closed) in [
        (1, Some(1), Some(10)),
        (2, Some(1), Some(99)),
        (3, Some(1), None),
        (4, Some(2), Some(10)),
        (5, None, Some(10)),
    ] {
        let mut own = room(number, whose);
        assert!(store.open_room(&own, &lines(3), 20).await.unwrap());
        let by =
            |second| Closed { at: at(second), by: "Lena".to_owned(), reason: "over".to_owned() };
        own.closed = closed.map(by);
        assert!(store.save_room(&RoomRow { room: own, version: 1 }, &[]).await.unwrap());
    }
    let left = async |number| {
        let id = IncidentId::from_stored(uuid(number));
        store.incident_lines(id).await.unwrap().len()
    };
    assert_eq!(store.retain_rooms(scope(1), at(99), 2).await.unwrap(), 2);
    assert_eq!((left(1).await, store.rooms(scope(1), 9).await.unwrap().len()), (1, 3));
    assert_eq!(store.retain_rooms(scope(1), at(99), 2).await.unwrap(), 1);
    assert_eq!((left(1).await, store.rooms(scope(1), 9).await.unwrap().len()), (0, 2));
    assert_eq!(store.retain_rooms(scope(1), at(99), 2).await.unwrap(), 0);
    assert_eq!((left(2).await, left(3).await, left(4).await, left(5).await), (3, 3, 3, 3));

    // What the watch declared, with a room and without one.
    for number in [6, 7] {
        let mut incident = watched(number);
        assert!(store.declare_incident(node(NODE), &incident, &[0; 32]).await.unwrap());
        if number == 6 {
            let row = RoomRow { room: Room::of_watch(&incident), version: 0 };
            assert!(store.save_room(&row, &lines(1)).await.unwrap());
        }
        incident.recovered_at = Some(at(20));
        store.save_incident(&incident, &lines(2)).await.unwrap();
    }
    let mut open = watched(8);
    open.declared_at = at(0);
    assert!(store.declare_incident(node(NODE), &open, &[0; 32]).await.unwrap());
    while store.retain_incidents(all(), at(99), 2).await.unwrap() > 0 {}
    assert_eq!((left(5).await, left(6).await, left(7).await), (0, 0, 0));
    assert_eq!(store.installation_rooms(all(), 9).await.unwrap(), []);
    let watched = store.incidents(all(), 9).await.unwrap();
    assert_eq!(watched.iter().map(|row| row.incident.id).collect::<Vec<_>>(), [open.id]);
}

async fn lines_written_at_once_are_all_kept(world: World) {
    let (store, id) = (&world.store, IncidentId::from_stored(uuid(1)));
    let write = |number: i64| async move {
        let line = IncidentLine::new("note", format!("note {number}"), at(number));
        store.add_incident_line(id, &line).await.unwrap();
    };
    futures_util::future::join_all((0..12).map(write)).await;
    let lines = store.incident_lines(id).await.unwrap();
    let numbers: Vec<i64> = lines.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<i64>>());
    let mut texts: Vec<String> = lines.into_iter().map(|(_, line)| line.text).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 12, "each once");
}

/// A notification whose id says when it came to be owed, as ids do.
fn owed(world: &World, it: Notification, second: i64) -> Notification {
    let random = world.fresh().to_be_bytes();
    let random: [u8; 10] = random[6..].try_into().unwrap();
    let id = NotificationId::new(at(second), random);
    Notification { id, wanted_at: at(second), due_at: at(second), created_at: at(second), ..it }
}

/// Decides all that is pending: what is owed about `kept` is owed at that second; an alert of
/// `taken` was acknowledged then.
async fn decide(world: &World, second: i64, taken: Option<i64>) {
    let decide = |_: bugle_domain::TenantId, work: Work| -> Option<Decisions> {
        let mut decisions = world.simple(work);
        for it in &mut decisions.owed {
            *it = owed(world, it.clone(), second);
        }
        for alert in decisions.opened.iter_mut().filter(|_| taken.is_some()) {
            alert.status = AlertStatus::Acknowledged;
            alert.acknowledged = taken.map(|taken| (Actor::System, at(taken)));
        }
        Some(decisions)
    };
    world.decide_with(&mut { decide }).await;
}

async fn event(world: &World, key: &str, second: i64) {
    let mut event = world.event(1, key);
    let random = world.fresh().to_be_bytes();
    event.id = EventId::new(at(second), random[6..].try_into().unwrap());
    event.request = event.id;
    event.received_at = at(second);
    world.accept(&[event]).await;
}

async fn an_incident_says_what_it_did_to_events_and_notifications(world: World) {
    let store = &world.store;
    // Sent late by 100 s.
    event(&world, "late", 10).await;
    decide(&world, 10, None).await;
    record(&world, 110, "accepted", End::Delivered).await;
    // No provider ever took it.
    event(&world, "refused", 20).await;
    decide(&world, 20, None).await;
    record(&world, 21, "refused", End::Failed).await;
    // Sent when somebody had it for 10 s.
    event(&world, "stale", 30).await;
    decide(&world, 30, Some(25)).await;
    record(&world, 35, "accepted", End::Delivered).await;
    // Still waits.
    event(&world, "waits", 40).await;
    decide(&world, 40, None).await;
    // Before and after.
    event(&world, "before", -5).await;
    event(&world, "after", 100).await;
    decide(&world, 200, None).await;

    let impact = async |from, until, now| {
        store.impact(scope(1), (at(from), at(until)), at(now)).await.unwrap()
    };
    let expected = Impact {
        accepted: 4,
        owed: 4,
        late_1_min: 2,
        late_5_min: 1,
        late_30_min: 0,
        never_sent: 1,
        duplicated: 0,
        stale: 1,
    };
    assert_eq!(impact(0, 99, 341).await, expected);
    let soon = Impact { late_1_min: 1, late_5_min: 0, ..expected };
    assert_eq!(impact(0, 99, 100).await, soon, "what waits is not late yet");
    assert_eq!(impact(400, 500, 500).await, Impact::default());
    let all_of_it = impact(-99, 999, 341).await;
    let ledger = store.ledger(scope(1), at(341)).await.unwrap().total;
    assert_eq!((all_of_it.accepted, all_of_it.owed), (ledger.accepted, ledger.owed));
    world.balance().await;
}

/// Claims what is due, and says what one provider made of it at that second.
async fn record(world: &World, second: i64, outcome: &str, end: End) {
    let claimed = world.claim(at(second)).await;
    let rows: Vec<_> = claimed
        .sends
        .iter()
        .map(|(_, it)| {
            let mut row = tried(it, ended(end, at(second)));
            outcome.clone_into(&mut row.attempt.outcome);
            row.attempt.started_at = at(second);
            row
        })
        .collect();
    assert_eq!(rows.len(), 1);
    world.store.record_tries(node(NODE), &rows, at(second)).await.unwrap();
}

async fn a_room_that_cannot_be_read_leaves_the_others(world: World) {
    let store = &world.store;
    for number in 1..=2 {
        let mut room = room(number, Some(1));
        let lines = promise(&mut room, 5);
        assert!(store.open_room(&room, &lines, 20).await.unwrap());
    }
    store.declare_incident(node(NODE), &watched(3), &[0; 32]).await.unwrap();
    let own = RoomRow { room: Room::of_watch(&watched(3)), version: 0 };
    assert!(store.save_room(&own, &[]).await.unwrap());
    world.spoil(("incident_rooms", "document"), uuid(1)).await;
    world.spoil(("incidents", "document"), uuid(3)).await;
    let ids = |rows: Vec<RoomRow>| -> Vec<_> {
        rows.into_iter().map(|row| row.room.id.as_uuid()).collect()
    };
    assert_eq!(ids(store.rooms(scope(1), 9).await.unwrap()), [uuid(2)]);
    assert_eq!(ids(store.rooms_due(all(), at(900), 9).await.unwrap()), [uuid(2)]);
    assert!(store.incidents(all(), 9).await.unwrap().is_empty());
    assert!(store.open_incident().await.is_err(), "the watch says for itself what it sees");
    let (id, keeper) = store.unreadable_incident().await.unwrap().unwrap();
    assert_eq!((id.as_uuid(), keeper), (uuid(3), node(NODE)));
    assert!(!store.set_aside_incident(id, node(NODE + 1), at(9)).await.unwrap(), "not its own");
    assert!(store.set_aside_incident(id, node(NODE), at(9)).await.unwrap());
    assert_eq!(store.open_incident().await.unwrap(), None);
    assert!(store.declare_incident(node(NODE), &watched(4), &[0; 32]).await.unwrap());
    let read = store.incidents_of(all(), &[id, watched(4).id]).await.unwrap();
    assert_eq!(read, [watched(4)], "the rest is read");
    while store.retain_incidents(all(), at(99), 9).await.unwrap() > 0 {}
    assert_eq!(store.installation_room(all(), id).await.unwrap(), None, "it goes in its time");
}
