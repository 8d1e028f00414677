//! Claims, their results, and what comes back from outside.

use bugle_domain::notification::{End, Lane, NotificationState, Receipt};
use bugle_engine::dispatch::{Next, Pace, PaceUpdate, Verdict};
use bugle_store::Lost;
use jiff::SignedDuration;

use crate::support::{NODE, World, at, ended, node, on_each_store, send_all, tenant, tried};

on_each_store! {
    only_the_claimant_sends
    a_tenants_storm_delays_nobody_else
    the_urgent_lane_goes_first
    what_is_put_off_or_over_is_not_sent
    a_failed_method_brings_the_next_one_forward
    a_receipt_is_taken_in_any_state
}

fn waiting(seconds: i64) -> Next {
    Next {
        state: NotificationState::Waiting,
        due_at: Some(at(seconds)),
        unsure: true,
        ..ended(End::Failed, at(0))
    }
}

async fn only_the_claimant_sends(world: World) {
    world.accept(&[world.event(1, "a"), world.event(1, "b")]).await;
    world.decide().await;
    let claimed = world.claim(at(2)).await;
    assert_eq!(claimed.sends.len(), 2);
    assert_eq!(claimed.sends[0].1.notification.tries, 1);
    let second = world.claim_with(node(2), 9, at(2), &mut send_all).await;
    assert!(second.sends.is_empty());

    // The claimant dies. Nobody takes over before its time has passed.
    let lost = (node(2), Lost::LongerThan(SignedDuration::from_secs(30)));
    let mut again = |_: &_| waiting(0);
    assert_eq!(world.store.lost_claims(lost, 9, at(39), &mut again).await.unwrap(), 0);
    assert_eq!(world.store.lost_claims(lost, 9, at(41), &mut again).await.unwrap(), 2);
    world.balance().await;
    let taken = world.claim_with(node(2), 9, at(41), &mut send_all).await;
    assert_eq!(taken.sends.len(), 2);
    assert!(taken.sends.iter().all(|(_, it)| it.unsure && it.notification.possible_repeat));
    assert!(taken.sends.iter().all(|(_, it)| it.notification.tries == 2));

    // It was only frozen, and wakes up.
    let late: Vec<_> =
        claimed.sends.iter().map(|(_, it)| tried(it, ended(End::Delivered, at(42)))).collect();
    let counted = world.store.record_tries(node(NODE), &late, at(42)).await.unwrap();
    assert_eq!(counted, [false, false]);
    let done: Vec<_> =
        taken.sends.iter().map(|(_, it)| tried(it, ended(End::Delivered, at(42)))).collect();
    let counted = world.store.record_tries(node(2), &done, at(42)).await.unwrap();
    assert_eq!(counted, [true, true]);
    world.balance().await;

    // A node that starts again takes its own claims back at once.
    world.accept(&[world.event(1, "c")]).await;
    world.decide().await;
    assert_eq!(world.claim(at(50)).await.sends.len(), 1);
    let own = (node(NODE), Lost::EarlierRunOf(node(NODE)));
    assert_eq!(world.store.lost_claims(own, 9, at(51), &mut again).await.unwrap(), 1);
    world.balance().await;
}

async fn a_tenants_storm_delays_nobody_else(mut world: World) {
    world.add_tenant(2).await;
    world.add_tenant(3).await;
    let mut events: Vec<_> = (0..300).map(|i| world.event(2, &format!("storm {i}"))).collect();
    events.push(world.event(1, "calm"));
    events.push(world.event(3, "calm"));
    world.accept(&events).await;
    let mut first = Vec::new();
    world
        .decide_with(&mut |tenant, work| {
            first.push((tenant, work.events.len()));
            Some(world.simple(work))
        })
        .await;
    assert_eq!(first, [(tenant(1), 1), (tenant(2), 86), (tenant(3), 1)]);
    let claimed = world.claim_with(node(NODE), 30, at(2), &mut send_all).await;
    let of = |number| claimed.sends.iter().filter(|(_, it)| it.tenant == tenant(number)).count();
    assert_eq!((of(1), of(2), of(3)), (1, 10, 1));
    assert!(claimed.more);

    // More tenants than a pass takes: each has its turn.
    let mut served = std::collections::BTreeSet::new();
    for number in 4..10 {
        world.add_tenant(number).await;
        world.accept(&[world.event(number, "x")]).await;
    }
    while world.decide().await.more {}
    for _ in 0..4 {
        for (_, candidate) in world.claim_with(node(NODE), 2, at(2), &mut send_all).await.sends {
            served.insert(candidate.tenant);
        }
    }
    assert_eq!(served.len(), 7, "the storm and six others");
    world.balance().await;
}

async fn the_urgent_lane_goes_first(world: World) {
    let events: Vec<_> = (0..6).map(|i| world.event(1, &format!("key {i}"))).collect();
    world.accept(&events).await;
    world
        .decide_with(&mut |_, work| {
            let mut decisions = world.simple(work);
            for notification in &mut decisions.owed[..4] {
                notification.lane = Lane::Bulk;
            }
            Some(decisions)
        })
        .await;
    let claimed = world.claim_with(node(NODE), 3, at(2), &mut send_all).await;
    let lanes: Vec<_> = claimed.sends.iter().map(|(_, it)| it.notification.lane).collect();
    assert_eq!(lanes, [Lane::Urgent, Lane::Urgent, Lane::Bulk]);
}

async fn what_is_put_off_or_over_is_not_sent(world: World) {
    let events: Vec<_> = (0..3).map(|i| world.event(1, &format!("key {i}"))).collect();
    world.accept(&events).await;
    world.decide().await;
    let mut seen = None;
    let claimed = world
        .claim_with(node(NODE), 9, at(2), &mut |candidates| {
            let update = PaceUpdate {
                tenant: tenant(1),
                method: candidates[0].notification.method,
                pace: Pace { last_sent_at: at(2), window_from: at(1), window_count: 7 },
            };
            seen = candidates[0].pace;
            let verdicts = vec![
                Verdict::Send { message: 0 },
                Verdict::End { end: End::Expired, reason: "too_late" },
                Verdict::Hold { until: at(10) },
            ];
            (verdicts, vec![update])
        })
        .await;
    assert_eq!((claimed.sends.len(), claimed.ended.len(), seen), (1, 1, None));
    world.balance().await;
    let next = world.claim(at(9)).await;
    assert_eq!((next.sends.len(), next.more, next.next_due), (0, false, Some(at(10))));
    let held = world.claim(at(10)).await;
    assert!(held.sends[0].1.held);
    let pace = held.sends[0].1.pace.unwrap();
    assert_eq!((pace.last_sent_at, pace.window_count), (at(2), 7));
}

async fn a_failed_method_brings_the_next_one_forward(world: World) {
    world.accept(&[world.event(1, "a")]).await;
    world
        .decide_with(&mut |_, work| {
            let mut decisions = world.simple(work);
            let alert = decisions.opened[0].id;
            for minute in [5, 3] {
                let mut later = world.notification(alert);
                later.due_at = at(60 * minute);
                decisions.owed.push(later);
            }
            Some(decisions)
        })
        .await;
    let claimed = world.claim(at(2)).await;
    assert_eq!(claimed.sends.len(), 1);
    let next = Next { hop: true, ..ended(End::Failed, at(2)) };
    let row = tried(&claimed.sends[0].1, next);
    world.store.record_tries(node(NODE), &[row], at(3)).await.unwrap();
    let hopped = world.claim(at(3)).await;
    assert_eq!(hopped.sends.len(), 1);
    assert_eq!(hopped.next_due, None);
    assert_eq!(world.claim(at(4)).await.next_due, Some(at(300)), "the one after waits on");
    world.balance().await;
}

async fn a_receipt_is_taken_in_any_state(world: World) {
    world.accept(&[world.event(1, "a")]).await;
    world.decide().await;
    let claimed = world.claim(at(2)).await;
    let candidate = &claimed.sends[0].1;
    let id = candidate.notification.id;
    let mut seen = Next { receipt: Some((Receipt::Delivered, at(3))), ..waiting(0) };
    seen.state = NotificationState::HandedOff { receipt_due: at(60) };

    // It overtakes the record of its own try, which is kept all the same.
    let known = world
        .store
        .with_notification(id, at(3), &mut |_, _, _| Some(seen.clone()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((known.tenant, known.changed), (tenant(1), true));
    let row = tried(candidate, seen.clone());
    assert_eq!(world.store.record_tries(node(NODE), &[row], at(4)).await.unwrap(), [false]);
    world.balance().await;

    assert_eq!(world.store.expire_receipts(node(NODE), 9, at(59)).await.unwrap(), 0);
    assert_eq!(world.store.expire_receipts(node(NODE), 9, at(60)).await.unwrap(), 1);
    world.balance().await;
    let late = Next { receipt: Some((Receipt::Seen, at(61))), ..ended(End::Delivered, at(61)) };
    let mut receive = |_, _: &_, _: &_| Some(late.clone());
    let known = world.store.with_notification(id, at(61), &mut receive).await.unwrap().unwrap();
    let NotificationState::Ended { end, .. } = known.notification.state else { panic!("it ended") };
    assert_eq!(
        (end, known.notification.receipt),
        (End::Expired, Some((Receipt::Delivered, at(3))))
    );
    world.balance().await;

    let token = candidate.notification.token.clone().unwrap();
    let found = world.store.by_token(&token).await.unwrap().unwrap();
    assert_eq!((found.0, found.1, found.2), (tenant(1), id, candidate.alert.id));
    assert_eq!(world.store.by_token("other").await.unwrap(), None);
}
