//! The watch's own tenants, its view of the books, its reports, and incidents.

use std::time::{Duration, Instant};

use bugle_domain::contact::Channel;
use bugle_domain::notification::{End, Lane};
use bugle_domain::object::Tenant;
use bugle_domain::stage::Stage;
use bugle_domain::{EventId, IncidentId, TenantId, TenantScope};
use bugle_engine::incident::{self, Incident, IncidentLine};
use bugle_engine::watch::{Hop, Verdict};
use bugle_store::PoolSettings;

use crate::support::{
    NODE, Place, World, all, at, ended, node, on_each_store, send_all, tenant, tried,
};

on_each_store! {
    a_watchs_tenant_stays_on_its_node_and_is_nobodys
    canaries_are_followed_and_leave_nothing_behind
    the_books_say_what_waits_and_since_when
    a_report_replaces_the_one_before
    at_most_one_incident_is_open
}

/// The watch's tenant of the world's own node, made as any other.
async fn own(world: &mut World) -> TenantId {
    let id = TenantId::reserved_for(node(NODE));
    let name = "canaries".to_owned();
    let time_zone = "UTC".to_owned();
    let made = Tenant { id, name, fallback_policy: None, time_zone, created_at: at(0) };
    world.store.create_tenant(all(), &made).await.unwrap();
    world.epochs = world.store.take_placements(node(NODE), at(0), at(0)).await.unwrap();
    id
}

async fn canary(world: &World, id: TenantId) -> EventId {
    let mut event = world.event(1, "canary");
    event.tenant = id;
    world.accept(&[event.clone()]).await;
    event.id
}

async fn a_watchs_tenant_stays_on_its_node_and_is_nobodys(mut world: World) {
    let id = own(&mut world).await;
    assert!(world.epochs.contains_key(&id) && world.epochs.contains_key(&tenant(1)));
    canary(&world, id).await;
    world.decide().await;

    // Another node takes neither it, nor what is owed there, when this one is dead.
    let other = world.store.take_placements(node(2), at(1), at(0)).await.unwrap();
    assert!(other.is_empty());
    let beat = world.store.nodes().await.unwrap()[0].beat;
    assert_eq!(world.store.take_over_placements(node(2), node(NODE), beat).await.unwrap(), 1);
    assert!(world.store.placements(node(NODE)).await.unwrap().contains_key(&id));
    let there = world.claim_with(node(2), 9, at(2), &mut send_all).await;
    assert!(there.sends.is_empty());
    assert_eq!(world.claim(at(2)).await.sends.len(), 1);

    // It is in no list and no sum.
    let tenants = world.store.tenants(all()).await.unwrap();
    assert_eq!(tenants.iter().map(|it| it.id).collect::<Vec<_>>(), [tenant(1)]);
    let ledger = world.store.ledger_of_all(all(), at(3)).await.unwrap();
    assert_eq!((ledger.total.accepted, ledger.total.owed, ledger.tenants.len()), (0, 0, 0));
    world.balance().await;
}

async fn canaries_are_followed_and_leave_nothing_behind(mut world: World) {
    let id = own(&mut world).await;
    let scope = TenantScope::granted(id);
    world.accept(&[world.event(1, "a client's")]).await;
    let event = canary(&world, id).await;
    let seen = world.store.canaries(scope, event).await.unwrap();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].marks.accepted.is_some() && seen[0].marks.decided.is_none());
    world.decide().await;
    let claimed = world.claim(at(2)).await;
    let rows: Vec<_> =
        claimed.sends.iter().map(|(_, it)| tried(it, ended(End::Delivered, at(3)))).collect();
    world.store.record_tries(node(NODE), &rows, at(3)).await.unwrap();
    let marks = world.store.canaries(scope, event).await.unwrap()[0].marks;
    assert_eq!(
        (marks.decided, marks.claimed, marks.taken),
        (Some(at(1)), Some(at(2)), Some(at(2)))
    );

    assert!(world.store.sweep_canaries(at(60)).await.unwrap() >= 4);
    assert!(world.store.canaries(scope, event).await.unwrap().is_empty());
    assert_eq!(world.store.sweep_canaries(at(60)).await.unwrap(), 0);
    world.balance().await;
    assert_eq!(world.store.ledger_of_all(all(), at(3)).await.unwrap().total.accepted, 1);
}

async fn the_books_say_what_waits_and_since_when(mut world: World) {
    world.add_tenant(2).await;
    let books = world.store.watch_books(at(1)).await.unwrap();
    assert_eq!((books.pending.oldest, books.difference), (None, Some(0)));
    let mut late = world.event(2, "b");
    late.received_at = at(-9);
    world.accept(&[world.event(1, "a"), late]).await;
    let books = world.store.watch_books(at(1)).await.unwrap();
    assert_eq!((books.pending.oldest, books.pending.count), (Some(at(-9)), 2));
    assert_eq!(books.pending.tenants, [tenant(2), tenant(1)]);
    assert_eq!((books.totals.accepted, books.totals.decided, books.difference), (2, 0, Some(0)));

    world.decide().await;
    let owed = |books: bugle_engine::watch::books::Books| {
        let urgent = books.owed.into_iter().find(|owed| owed.lane == Lane::Urgent).unwrap();
        (urgent.channel, urgent.waiting.oldest, urgent.waiting.count)
    };
    let before = world.store.watch_books(at(0)).await.unwrap();
    assert_eq!(owed(before), (None, None, 2), "not due yet");
    let after = world.store.watch_books(at(9)).await.unwrap();
    assert_eq!(after.difference, Some(0));
    assert_eq!(owed(after), (Some(Channel::Sms), Some(at(1)), 2));
}

async fn a_report_replaces_the_one_before(world: World) {
    for (number, text) in [(1, "one"), (2, "two")] {
        world.store.save_watch_report(node(NODE), text, at(number)).await.unwrap();
        let reports = world.store.watch_reports().await.unwrap();
        let [report] = &reports[..] else { panic!("{reports:?}") };
        assert_eq!((report.number, report.at, report.report.as_str()), (number, at(number), text));
    }
}

fn declared(number: u128) -> Incident {
    let verdict = Verdict {
        hop: Hop::Stage { stage: Stage::Dispatch },
        since: at(0),
        evidence: "nothing came through".to_owned(),
        waiting: 4,
        tenants: vec![tenant(1)],
        nodes: vec![node(NODE)],
        harmless: false,
    };
    let id = IncidentId::from_stored(crate::support::uuid(number));
    incident::declare(id, &[verdict], false, at(8)).unwrap()
}

fn line(text: &str) -> IncidentLine {
    IncidentLine::new("watch", text, at(9))
}

async fn at_most_one_incident_is_open(world: World) {
    let store = &world.store;
    assert!(!store.note_open_incident(&line("nobody listens")).await.unwrap());
    let mut first = declared(1);
    assert!(store.declare_incident(node(NODE), &first, &[7; 32]).await.unwrap());
    assert!(!store.declare_incident(node(2), &declared(2), &[8; 32]).await.unwrap());
    let open = store.open_incident().await.unwrap().unwrap();
    assert_eq!((&open.incident, open.node), (&first, node(NODE)));
    assert!(store.note_open_incident(&line("seen")).await.unwrap());

    // Whoever has the token answers once; another node may take over the rest.
    assert_eq!(store.incident_of_token(&[8; 32]).await.unwrap(), None);
    assert_eq!(store.incident_of_token(&[7; 32]).await.unwrap(), Some(first.id));
    assert!(store.answer_incident(first.id, "Lena", at(20)).await.unwrap());
    assert!(!store.answer_incident(first.id, "Priya", at(21)).await.unwrap());
    assert!(store.take_incident(first.id, node(NODE), node(2)).await.unwrap());
    assert!(!store.take_incident(first.id, node(NODE), node(3)).await.unwrap());

    first.recovered_at = Some(at(60));
    store.save_incident(&first, &[line("over")]).await.unwrap();
    assert_eq!(store.open_incident().await.unwrap(), None);
    let kept = store.incident(all(), first.id).await.unwrap().unwrap();
    assert_eq!(kept.incident.answered, Some((at(20), "Lena".to_owned())));
    assert_eq!((kept.incident.recovered_at, kept.node), (Some(at(60)), node(2)));
    let lines = store.incident_lines(first.id).await.unwrap();
    assert_eq!(lines, [(1, line("seen")), (2, line("over"))]);

    assert!(store.declare_incident(node(NODE), &declared(2), &[8; 32]).await.unwrap());
    let list = store.incidents(all(), 9).await.unwrap();
    assert_eq!(list.len(), 2);
    assert!(list[0].incident.open() && !list[1].incident.open());
}

/// Somebody holds SQLite's one writer: the watch still reads, and soon knows that nothing is taken.
#[tokio::test]
async fn a_stalled_writer_is_noticed_and_stalls_no_reader() {
    let world = Place::sqlite().open().await;
    let settings = PoolSettings {
        connections: 2,
        statement_timeout: Duration::from_secs(2),
        lock_timeout: Duration::from_millis(100),
        acquire_timeout: Duration::from_secs(2),
    };
    let beside = world.store.beside(settings).await.unwrap();
    beside.save_watch_report(node(NODE), "well", at(1)).await.unwrap();
    let file = beside.file().unwrap();
    let other = rusqlite::Connection::open(file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    assert!(beside.save_watch_report(node(NODE), "stalled", at(2)).await.is_err());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(beside.watch_books(at(2)).await.unwrap().difference, Some(0));
    other.execute_batch("ROLLBACK").unwrap();
    beside.save_watch_report(node(NODE), "well again", at(3)).await.unwrap();
    assert_eq!(world.store.watch_reports().await.unwrap()[0].number, 2);
}
