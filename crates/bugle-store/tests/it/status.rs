//! Bulletins and the spans of components.

use bugle_domain::{BulletinId, IncidentId};
use bugle_engine::status::bulletin::{Bulletin, Kind, Phase, Update};
use bugle_engine::status::history::Span;
use bugle_engine::status::{Component, State};
use bugle_store::BulletinRow;
use jiff::SignedDuration;

use crate::support::{World, at, on_each_store, uuid};

on_each_store! {
    an_incident_has_one_bulletin_and_nobody_writes_over_another
    a_span_is_kept_over_itself_and_forgotten_when_it_is_old
    a_bulletin_that_cannot_be_read_leaves_the_others
    what_is_open_is_read_whatever_was_told_after_it
}

fn bulletin(number: u128, incident: Option<u128>) -> Bulletin {
    let incident = incident.map(|it| IncidentId::from_stored(uuid(it)));
    let text = "We are looking.".to_owned();
    Bulletin {
        id: BulletinId::from_stored(uuid(number)),
        kind: Kind::Trouble { incident },
        title: "Notifications are late".to_owned(),
        state: State::MajorOutage,
        components: vec![Component::Email, Component::Sms],
        began_at: at(0),
        updates: vec![Update { at: at(9), phase: Phase::Investigating, text, by: None }],
        next_by: Some(at(1_200)),
        hand: None,
    }
}

async fn an_incident_has_one_bulletin_and_nobody_writes_over_another(world: World) {
    let store = &world.store;
    let first = bulletin(1, Some(7));
    assert!(store.publish_bulletin(&first).await.unwrap());
    assert!(!store.publish_bulletin(&bulletin(2, Some(7))).await.unwrap());
    assert!(store.publish_bulletin(&bulletin(3, None)).await.unwrap());
    assert!(store.publish_bulletin(&bulletin(4, None)).await.unwrap(), "people's own are many");

    let mut row = store.bulletin(first.id).await.unwrap().unwrap();
    assert_eq!(row, BulletinRow { bulletin: first.clone(), version: 1 });
    let late = row.clone();
    let text = "It is over.".to_owned();
    let over = Update { at: at(60), phase: Phase::Resolved, text, by: Some("Lena".to_owned()) };
    row.bulletin.say(over, SignedDuration::ZERO);
    assert!(store.save_bulletin(&row).await.unwrap());
    assert!(!store.save_bulletin(&late).await.unwrap(), "somebody said something in between");
    let kept = store.bulletin(first.id).await.unwrap().unwrap();
    assert_eq!((kept.bulletin.phase(), kept.version), (Phase::Resolved, 2));

    let ids = |rows: Vec<BulletinRow>| -> Vec<BulletinId> {
        rows.into_iter().map(|row| row.bulletin.id).collect()
    };
    let [third, fourth] = [3, 4].map(|it| BulletinId::from_stored(uuid(it)));
    assert_eq!(ids(store.bulletins(at(60)).await.unwrap()), [fourth, third, first.id]);
    assert_eq!(ids(store.bulletins(at(61)).await.unwrap()), [fourth, third], "those are open");
    assert_eq!(store.bulletin(BulletinId::from_stored(uuid(9))).await.unwrap(), None);
}

async fn a_span_is_kept_over_itself_and_forgotten_when_it_is_old(world: World) {
    let store = &world.store;
    let span = |state, from, until| Span {
        component: Component::Email,
        state,
        from: at(from),
        until: at(until),
    };
    let up = |until| span(State::Operational, 0, until);
    store.save_status_spans(&[up(60)], at(-9)).await.unwrap();
    let down = span(State::MajorOutage, 61, 61);
    store.save_status_spans(&[up(61), down], at(-9)).await.unwrap();
    assert_eq!(store.status_spans(at(0)).await.unwrap(), [down, up(61)]);
    assert_eq!(store.status_spans(at(62)).await.unwrap(), []);
    store.save_status_spans(&[span(State::MajorOutage, 61, 90)], at(62)).await.unwrap();
    let kept = store.status_spans(at(0)).await.unwrap();
    assert_eq!(kept, [span(State::MajorOutage, 61, 90)], "what is old is forgotten");
}

async fn a_bulletin_that_cannot_be_read_leaves_the_others(world: World) {
    let store = &world.store;
    for number in 1..=2 {
        assert!(store.publish_bulletin(&bulletin(number, None)).await.unwrap());
    }
    world.spoil(("status_bulletins", "document"), uuid(1)).await;
    let rows = store.bulletins(at(0)).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.bulletin.id.as_uuid()).collect::<Vec<_>>(), [uuid(2)]);
    let untold = store.untold(at(0)).await.unwrap();
    assert_eq!(untold.len(), 1, "and subscribers are told of it");
    assert!(store.bulletin(BulletinId::from_stored(uuid(1))).await.is_err(), "who asks is told");
}

async fn what_is_open_is_read_whatever_was_told_after_it(world: World) {
    let store = &world.store;
    assert!(store.publish_bulletin(&bulletin(1, None)).await.unwrap());
    for number in 2..=101 {
        let mut over = bulletin(number, None);
        over.updates[0].phase = Phase::Resolved;
        assert!(store.publish_bulletin(&over).await.unwrap());
    }
    let read = store.bulletins(at(0)).await.unwrap();
    let ids: Vec<_> = read.iter().map(|it| it.bulletin.id).collect();
    let (newest, open) = (bulletin(101, None).id, bulletin(1, None).id);
    assert_eq!((ids.len(), ids[0], ids[99]), (100, newest, open));
}
