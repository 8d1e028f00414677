//! The way of an event through the store, and what must hold on it.

use std::collections::BTreeSet;

use bugle_domain::alert::{AlertStatus, Escalation};
use bugle_domain::event::EventOutcome;
use bugle_domain::notification::{End, NotificationState};
use bugle_engine::alerting::Decisions;
use bugle_store::{Accepted, AlertingPass};

use crate::support::{NODE, World, all, at, ended, node, on_each_store, scope, tenant, tried};

on_each_store! {
    accepted_means_durable
    every_accepted_event_has_one_outcome
    every_notification_ends
    only_the_owner_decides
    where_there_is_known_to_be_work_nothing_is_searched
    a_repeat_is_answered_like_the_first
    one_response_at_a_time_changes_an_alert
    an_event_that_failed_twice_is_decided_alone
    alerts_are_numbered_within_their_tenant
    what_is_over_within_its_batch_is_never_sent
}

async fn accepted_means_durable(world: World) {
    let events: Vec<_> = (0..100).map(|i| world.event(1, &format!("key {i}"))).collect();
    assert_eq!(world.accept(&events).await, vec![Accepted::New; 100]);
    let World { place, store, epochs, .. } = world;
    drop(store);

    let store = place.open_store().await;
    let ledger = store.ledger(scope(1), at(5)).await.unwrap();
    assert_eq!((ledger.total.accepted, ledger.total.pending), (100, 100));
    assert_eq!(ledger.oldest_pending_ms, Some(5_000));
    let mut seen = Vec::new();
    let pass = AlertingPass {
        node: node(NODE),
        epochs: &epochs,
        only: &BTreeSet::new(),
        events: 256,
        due: 256,
        now: at(1),
    };
    store
        .alerting_pass(&pass, &mut |_, work| {
            seen = work.events;
            None
        })
        .await
        .unwrap();
    for (kept, sent) in seen.iter().zip(&events) {
        assert_eq!((kept.id, &kept.body, kept.dialect), (sent.id, &sent.body, sent.dialect));
        assert_eq!((kept.received_at, kept.request), (sent.received_at, sent.request));
    }
    assert_eq!(seen.len(), 100);
}

async fn every_accepted_event_has_one_outcome(world: World) {
    let keys = ["a", "b", "a", "c", "a"];
    let events: Vec<_> = keys.iter().map(|key| world.event(1, key)).collect();
    world.accept(&events[..3]).await;
    world.balance().await;
    let report = world.decide().await;
    assert_eq!((report.events, report.opened, report.owed), (3, 2, 2));
    world.balance().await;
    world.accept(&events[3..]).await;
    let report = world.decide().await;
    assert_eq!((report.events, report.opened, report.owed), (2, 1, 1));
    assert_eq!(report.next_due, Some(at(300)));
    world.balance().await;

    let sums = world.store.ledger(scope(1), at(1)).await.unwrap().total;
    assert_eq!((sums.accepted, sums.pending, sums.alerted, sums.folded), (5, 0, 3, 2));
    let again = world.decide_with(&mut |_, work| panic!("nothing is left: {work:?}")).await;
    assert_eq!((again.events, again.more), (0, false));
}

async fn every_notification_ends(world: World) {
    let events: Vec<_> = (0..6).map(|i| world.event(1, &format!("key {i}"))).collect();
    world.accept(&events).await;
    world.decide().await;
    let claimed = world.claim(at(2)).await;
    assert_eq!(claimed.sends.len(), 6);
    world.balance().await;
    let ends = [End::Answered, End::Delivered, End::Failed, End::Cancelled, End::Expired];
    let rows: Vec<_> = claimed
        .sends
        .iter()
        .zip(ends)
        .map(|((_, candidate), end)| tried(candidate, ended(end, at(3))))
        .collect();
    let counted = world.store.record_tries(node(NODE), &rows, at(3)).await.unwrap();
    assert_eq!(counted, [true; 5]);
    world.balance().await;
    let sums = world.store.ledger(scope(1), at(3)).await.unwrap().total;
    assert_eq!((sums.owed, sums.waiting, sums.sending, sums.ended.total()), (6, 0, 1, 5));
    assert_eq!((sums.ended.answered, sums.ended.expired), (1, 1));
}

async fn where_there_is_known_to_be_work_nothing_is_searched(mut world: World) {
    world.add_tenant(2).await;
    world.add_tenant(3).await;
    let events = [world.event(1, "a"), world.event(2, "b"), world.event(3, "c")];
    world.accept(&events).await;
    for _ in 0..2 {
        world.store.mark_suspects(&[(tenant(3), events[2].id)]).await.unwrap();
    }
    // The second tenant was not named, and what has failed is left to a pass that counts its tries.
    let named = [tenant(1), tenant(3)];
    let report = world.decide_only(&named, &mut |_, work| Some(world.simple(work))).await;
    assert_eq!((report.events, report.fresh.len()), (1, 1));
    let claimed = world.claim_only(&report.fresh, at(2)).await;
    assert_eq!(claimed.sends.len(), 1);
    assert_eq!(claimed.sends[0].1.tenant, tenant(1));

    let mut tries = Vec::new();
    let report = world
        .decide_with(&mut |_, work| {
            tries.extend(work.events.iter().map(|event| event.tries));
            Some(world.simple(work))
        })
        .await;
    assert_eq!((report.events, tries), (2, vec![0, 3]));
    // What somebody else has claimed already is not there any more, nor what is not owned.
    assert_eq!(world.claim(at(2)).await.sends.len(), 2);
    assert!(world.claim_only(&report.fresh, at(2)).await.sends.is_empty());
    let report = world.decide_only(&[tenant(9)], &mut |_, _| panic!("not its own")).await;
    assert_eq!((report.events, report.fenced), (0, vec![]));
    world.balance().await;
}

async fn only_the_owner_decides(world: World) {
    world.accept(&[world.event(1, "a")]).await;
    let newer = world.store.take_placements(node(NODE), at(2), at(0)).await.unwrap();
    assert_eq!(newer[&tenant(1)], world.epochs[&tenant(1)] + 1);
    let report = world.decide_with(&mut |_, work| panic!("it has been replaced: {work:?}")).await;
    assert_eq!((report.events, report.fenced), (0, vec![tenant(1)]));

    let pass = AlertingPass {
        node: node(2),
        epochs: &newer,
        only: &BTreeSet::new(),
        events: 9,
        due: 9,
        now: at(1),
    };
    let report = world.store.alerting_pass(&pass, &mut |_, _| None).await.unwrap();
    assert_eq!(report.fenced, vec![tenant(1)]);
    let moved = world.store.take_over_placements(node(2), node(NODE), 99).await.unwrap();
    assert_eq!(moved, 0, "its counter goes on");
    let beat = world.store.nodes().await.unwrap()[0].beat;
    assert_eq!(world.store.take_over_placements(node(2), node(NODE), beat).await.unwrap(), 1);
    let owned = world.store.placements(node(2)).await.unwrap();
    let pass = AlertingPass {
        node: node(2),
        epochs: &owned,
        only: &BTreeSet::new(),
        events: 9,
        due: 9,
        now: at(1),
    };
    let report =
        world.store.alerting_pass(&pass, &mut |_, work| Some(world.simple(work))).await.unwrap();
    assert_eq!(report.events, 1);
    world.balance().await;
}

async fn a_repeat_is_answered_like_the_first(world: World) {
    let mut first = world.event(1, "a");
    first.idempotency_key = Some("once".to_owned());
    let mut second = world.event(1, "a");
    second.idempotency_key = Some("once".to_owned());
    let mut other = world.event(1, "b");
    other.idempotency_key = Some("once".to_owned());
    let plain = world.event(1, "c");
    let answers = world.accept(&[first.clone(), second.clone(), plain.clone()]).await;
    let repeat = Accepted::Repeat { id: first.id, same_body: true };
    assert_eq!(answers, [Accepted::New, repeat, Accepted::New]);
    let answers = world.accept(&[first.clone(), second, other, plain]).await;
    let differs = Accepted::Repeat { id: first.id, same_body: false };
    assert_eq!(answers, [Accepted::New, repeat, differs, Accepted::New]);
    world.balance().await;
    assert_eq!(world.store.ledger(scope(1), at(1)).await.unwrap().total.accepted, 2);

    let mut elsewhere = world.event(2, "a");
    elsewhere.idempotency_key = Some("once".to_owned());
    assert_eq!(world.accept(&[elsewhere]).await, [Accepted::New]);
}

async fn one_response_at_a_time_changes_an_alert(world: World) {
    world.accept(&[world.event(1, "a"), world.event(1, "b")]).await;
    let report = world.decide().await;
    let (_, alert) = report.touched[0];
    let acknowledge = |mut alert: bugle_domain::alert::Alert| {
        alert.status = AlertStatus::Acknowledged;
        alert.escalation = Escalation::Acknowledged;
        Decisions {
            cancel: vec![(alert.id, "acknowledged")],
            changed: vec![alert],
            ..Decisions::default()
        }
    };
    let mut wrong = |_| -> Decisions { panic!("it is another tenant's") };
    let found = world.store.respond(scope(2), (alert, None), at(2), &mut wrong).await.unwrap();
    assert!(!found);
    let mut respond = acknowledge;
    let found = world.store.respond(scope(1), (alert, None), at(2), &mut respond).await.unwrap();
    assert!(found);
    world.balance().await;
    let sums = world.store.ledger(scope(1), at(2)).await.unwrap().total;
    assert_eq!((sums.ended.cancelled, sums.waiting), (1, 1));
    let claimed = world.claim(at(2)).await;
    assert_eq!(claimed.sends.len(), 1);
    assert_ne!(claimed.sends[0].1.alert.id, alert);

    // The answer comes through a notification that is out: it ends as answered.
    let sent = &claimed.sends[0].1.notification;
    let answer = (sent.alert, Some(sent.id));
    world.store.respond(scope(1), answer, at(3), &mut respond).await.unwrap();
    world.balance().await;
    let sums = world.store.ledger_of_all(all(), at(3)).await.unwrap().total;
    assert_eq!((sums.ended.answered, sums.sending), (1, 0));
    let late = tried(
        &claimed.sends[0].1,
        bugle_engine::dispatch::Next {
            state: NotificationState::HandedOff { receipt_due: at(60) },
            ..ended(End::Delivered, at(3))
        },
    );
    let counted = world.store.record_tries(node(NODE), &[late], at(4)).await.unwrap();
    assert_eq!(counted, [false]);
    world.balance().await;
}

async fn an_event_that_failed_twice_is_decided_alone(world: World) {
    let events: Vec<_> = (0..4).map(|i| world.event(1, &format!("key {i}"))).collect();
    world.accept(&events).await;
    world.store.mark_in_hand([tenant(1)], 2).await.unwrap();
    let mut sizes = Vec::new();
    let mut look = |_, work: bugle_engine::alerting::Work| {
        sizes.push(work.events.iter().map(|event| event.tries).collect::<Vec<_>>());
        None
    };
    world.decide_with(&mut look).await;
    world.store.mark_suspects(&[(tenant(1), events[0].id)]).await.unwrap();
    world.decide_with(&mut look).await;
    world.decide_with(&mut look).await;
    assert_eq!(sizes, [vec![1, 1, 0, 0], vec![3], vec![4]]);
    let mut outcome = |_, work: bugle_engine::alerting::Work| {
        let reason = bugle_domain::event::SuppressReason::Quarantined;
        let outcome = EventOutcome::Suppressed { reason };
        let outcomes = work.events.iter().map(|event| (event.id, outcome)).collect();
        Some(Decisions { outcomes, ..Decisions::default() })
    };
    assert!(world.decide_with(&mut outcome).await.more);
    let report = world.decide_with(&mut outcome).await;
    assert_eq!((report.events, report.more), (3, false));
    world.balance().await;
}

async fn alerts_are_numbered_within_their_tenant(mut world: World) {
    world.add_tenant(2).await;
    let mut numbers = Vec::new();
    for round in 0..2 {
        let key = |i: u32| format!("round {round} key {i}");
        let events = [world.event(1, &key(1)), world.event(2, &key(1)), world.event(1, &key(2))];
        world.accept(&events).await;
        assert_eq!(world.decide().await.opened, 3);
        for (_, candidate) in world.claim(at(2)).await.sends {
            numbers.push((candidate.tenant, candidate.alert.number));
        }
    }
    numbers.sort_unstable();
    let expected = [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2)];
    assert_eq!(numbers, expected.map(|(number, alert)| (tenant(number), alert)));
}

async fn what_is_over_within_its_batch_is_never_sent(world: World) {
    world.accept(&[world.event(1, "a")]).await;
    world
        .decide_with(&mut |_, work| {
            let mut decisions = world.simple(work);
            let mut over = world.notification(decisions.opened[0].id);
            over.state = NotificationState::Ended {
                end: End::Cancelled,
                reason: "worsened".to_owned(),
                at: at(1),
            };
            decisions.owed.push(over);
            Some(decisions)
        })
        .await;
    world.balance().await;
    assert_eq!(world.claim(at(2)).await.sends.len(), 1);
    let sums = world.store.ledger(scope(1), at(2)).await.unwrap().total;
    assert_eq!((sums.owed, sums.ended.cancelled), (2, 1));
}
