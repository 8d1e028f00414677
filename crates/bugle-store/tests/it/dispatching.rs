//! Claims, their results, and what comes back from outside.

use bugle_domain::Severity;
use bugle_domain::notification::{End, Lane, NotificationState, Receipt};
use bugle_engine::clock::Progress;
use bugle_engine::dispatch::{Next, Pace, PaceUpdate, Verdict, plan_backlog};
use bugle_store::{Lost, Overdue};
use futures_util::future::join_all;
use jiff::SignedDuration;

use crate::support::{
    NODE, World, all, at, ended, node, on_each_store, scope, send_all, tenant, tried,
};

on_each_store! {
    only_the_claimant_sends
    a_try_that_hangs_on_a_node_that_lives_is_taken_from_it
    what_several_claim_at_once_each_has_once
    a_tenants_storm_delays_nobody_else
    the_urgent_lane_goes_first
    newest_urgent_first_and_new_pages_before_them
    what_is_left_is_not_looked_at_in_a_circle
    a_levels_clock_is_read_from_its_tries
    a_backlog_is_counted_by_what_decides_about_it
    what_is_put_off_or_over_is_not_sent
    a_try_that_asked_nobody_does_not_count
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
    let grace = SignedDuration::from_secs(30);
    let overdue = |living, hung| Lost::LongerThan(Overdue { grace, living, hung });
    let lost = (node(2), overdue(&[], None));
    let mut again = |_: &_| Some(waiting(0));
    let mut held = |_: &_| None;
    assert_eq!(world.store.lost_claims(lost, 9, at(41), &mut held).await.unwrap(), 0);
    assert_eq!(world.store.lost_claims(lost, 9, at(39), &mut again).await.unwrap(), 0);
    let living = [node(NODE)];
    let alive = (node(2), overdue(&living, None));
    assert_eq!(world.store.lost_claims(alive, 9, at(41), &mut again).await.unwrap(), 0);
    let under_way = (node(2), overdue(&living, Some(SignedDuration::from_secs(32))));
    assert_eq!(world.store.lost_claims(under_way, 9, at(41), &mut again).await.unwrap(), 0);
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

async fn a_try_that_hangs_on_a_node_that_lives_is_taken_from_it(world: World) {
    world.accept(&[world.event(1, "a")]).await;
    world.decide().await;
    let hangs = world.claim(at(2)).await;
    let living = [node(NODE), node(2)];
    let (grace, hung) = (SignedDuration::from_secs(30), SignedDuration::from_secs(90));
    let of = |hung| Lost::LongerThan(Overdue { grace, living: &living, hung });
    let mut again = |_: &_| Some(waiting(0));
    let look = async |lost, now, again: &mut _| {
        world.store.lost_claims((node(2), lost), 9, at(now), again).await.unwrap()
    };
    assert_eq!(look(of(Some(hung)), 99, &mut again).await, 0, "it may still be under way");
    assert_eq!(look(of(None), 200, &mut again).await, 0, "it may not have been able to save");
    assert_eq!(look(of(Some(hung)), 200, &mut again).await, 1);
    let taken = world.claim_with(node(2), 9, at(200), &mut send_all).await;
    assert!(taken.sends.iter().all(|(_, it)| it.unsure && it.notification.possible_repeat));
    let late: Vec<_> =
        hangs.sends.iter().map(|(_, it)| tried(it, ended(End::Delivered, at(201)))).collect();
    assert_eq!(world.store.record_tries(node(NODE), &late, at(201)).await.unwrap(), [false]);
    let done: Vec<_> =
        taken.sends.iter().map(|(_, it)| tried(it, ended(End::Delivered, at(202)))).collect();
    assert_eq!(world.store.record_tries(node(2), &done, at(202)).await.unwrap(), [true]);
    world.balance().await;
}

async fn what_several_claim_at_once_each_has_once(world: World) {
    owe(&world, &[(Severity::Critical, 1); 40]).await;
    // Each sees the same before any of them has claimed it.
    let (mut one, mut two, mut three) = (send_all, send_all, send_all);
    let claims = [
        world.claim_with(node(2), 30, at(2), &mut one),
        world.claim_with(node(3), 30, at(2), &mut two),
        world.claim_with(node(4), 30, at(2), &mut three),
    ];
    let mut claimed: Vec<_> = join_all(claims).await.into_iter().flat_map(|it| it.sends).collect();
    claimed.extend(world.claim(at(2)).await.sends);
    let mut ids: Vec<_> = claimed.iter().map(|(_, it)| it.notification.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((claimed.len(), ids.len()), (40, 40));
    assert!(claimed.iter().all(|(_, it)| it.notification.tries == 1));
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

/// Owes one notification for each severity and time it is due at, all of tenant 1.
async fn owe(world: &World, owed: &[(Severity, i64)]) {
    let event = |(index, (severity, _)): (usize, &(Severity, i64))| {
        let mut event = world.event(1, &format!("key {index} {}", world.fresh()));
        event.body.severity = *severity;
        event
    };
    let events: Vec<_> = owed.iter().enumerate().map(event).collect();
    world.accept(&events).await;
    let mut due = owed.iter().map(|(_, second)| at(*second));
    let mut decide = |_, work| {
        let mut decisions = world.simple(work);
        for notification in &mut decisions.owed {
            let alert = decisions.opened.iter().find(|it| it.id == notification.alert).unwrap();
            notification.due_at = due.next().unwrap();
            notification.wanted_at = notification.due_at;
            notification.lane = Lane::of(alert.severity.urgency().unwrap());
        }
        Some(decisions)
    };
    while world.decide_with(&mut decide).await.more {}
}

fn served(claimed: &bugle_store::Claimed) -> Vec<(Severity, i64)> {
    let seconds = |time: jiff::Timestamp| time.duration_since(at(0)).as_secs();
    let sends = claimed.sends.iter();
    sends.map(|(_, it)| (it.alert.severity, seconds(it.notification.due_at))).collect()
}

async fn newest_urgent_first_and_new_pages_before_them(world: World) {
    use Severity::{Critical, High, Low, Medium};
    let late = [
        (High, 10),
        (Critical, 20),
        (Low, 30),
        (Critical, 40),
        (High, 50),
        (Medium, 60),
        (Medium, 70),
    ];
    owe(&world, &late).await;
    let fresh = [(Low, 950), (High, 960), (Critical, 970), (High, 980), (Critical, 1_001)];
    owe(&world, &fresh).await;
    let claimed = world.claim(at(1_000)).await;
    let expected = [
        (High, 960),
        (Critical, 970),
        (High, 980),
        (Critical, 40),
        (Critical, 20),
        (High, 50),
        (High, 10),
        (Low, 950),
        (Medium, 70),
        (Medium, 60),
        (Low, 30),
    ];
    assert_eq!(served(&claimed), expected);
    world.balance().await;

    // However much is owed, what is new has the places that it needs.
    owe(&world, &[(Critical, 5); 400]).await;
    let pass = world.claim_with(node(NODE), 2, at(1_001), &mut send_all).await;
    assert_eq!(served(&pass), [(Critical, 1_001), (Critical, 5), (Critical, 5)]);
    world.balance().await;
}

async fn what_is_left_is_not_looked_at_in_a_circle(world: World) {
    owe(&world, &[(Severity::Critical, 5), (Severity::Low, 6)]).await;
    let mut leave = |candidates: &[_]| (vec![Verdict::Leave; candidates.len()], Vec::new());
    let left = world.claim_with(node(NODE), 9, at(1_000), &mut leave).await;
    assert_eq!((left.sends.len(), left.more, left.only_left), (0, false, true));
    assert_eq!(world.claim(at(1_000)).await.sends.len(), 2, "nothing was changed");
    world.balance().await;
}

async fn a_levels_clock_is_read_from_its_tries(world: World) {
    world.accept(&[world.event(1, "a")]).await;
    world.decide().await;
    let read = async |now| {
        let mut found = None;
        let mut keep = |_, work: bugle_engine::alerting::Work| {
            found = work.progress.values().next().copied();
            None
        };
        let pass = bugle_store::AlertingPass {
            node: node(NODE),
            epochs: &world.epochs,
            only: &std::collections::BTreeSet::new(),
            events: 9,
            due: 9,
            now,
        };
        world.store.alerting_pass(&pass, &mut keep).await.unwrap();
        found
    };
    assert_eq!(read(at(299)).await, None, "its time is not over");
    let waits = Progress { waits_for_us: true, ..Progress::default() };
    assert_eq!(read(at(300)).await, Some(waits));

    let claimed = world.claim(at(310)).await;
    let tried_at = Some(at(310));
    let under_way = Progress { tried_at, ..Progress::default() };
    assert_eq!(read(at(311)).await, Some(under_way));
    let handed_off = Next {
        state: NotificationState::HandedOff { receipt_due: at(900) },
        receipt: Some((Receipt::Accepted, at(312))),
        ..ended(End::Failed, at(0))
    };
    let row = tried(&claimed.sends[0].1, handed_off);
    let (started_at, finished_at) = (row.attempt.started_at, row.attempt.finished_at);
    assert_eq!(row.attempt.outcome, "accepted");
    world.store.record_tries(node(NODE), &[row], at(312)).await.unwrap();
    let accepted = Progress {
        accepted_at: Some(finished_at),
        tried_at: Some(started_at),
        waits_for_us: false,
    };
    assert_eq!(read(at(313)).await, Some(accepted));
}

async fn a_backlog_is_counted_by_what_decides_about_it(world: World) {
    owe(&world, &[(Severity::Critical, 0), (Severity::Critical, 1), (Severity::Low, 400)]).await;
    let rows = world.store.backlog(all(), at(1_200)).await.unwrap();
    let plan = plan_backlog(&rows);
    assert_eq!((plan.total.sent, plan.total.digested, plan.total.dropped()), (2, 1, 0));
    let later = plan_backlog(&world.store.backlog(all(), at(3_601)).await.unwrap());
    assert_eq!((later.total.sent, later.total.digested), (0, 2), "{later:?}");
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

async fn a_try_that_asked_nobody_does_not_count(world: World) {
    world.accept(&[world.event(1, "a")]).await;
    world.decide().await;
    let put_off = &mut |candidates: &[_]| {
        let verdict = |_| Verdict::PutOff { due_at: at(3) };
        (candidates.iter().map(verdict).collect(), Vec::new())
    };
    assert!(world.claim_with(node(NODE), 9, at(2), put_off).await.sends.is_empty());
    assert!(world.claim(at(2)).await.sends.is_empty(), "not due");
    for round in 3..6 {
        let claimed = world.claim(at(round)).await;
        let (_, candidate) = &claimed.sends[0];
        assert_eq!((candidate.notification.tries, candidate.held), (1, false));
        let again = Next { unsure: false, uncounted: true, ..waiting(round + 1) };
        let mut row = tried(candidate, again);
        "not_asked".clone_into(&mut row.attempt.outcome);
        row.attempt.provider_ref = None;
        assert_eq!(world.store.record_tries(node(NODE), &[row], at(round)).await.unwrap(), [true]);
    }
    world.balance().await;
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

    // It overtakes the record of its own try, which is noted then, and kept all the same.
    let by = Some(("main", "SM1"));
    let attempts = async || {
        let kept = world.store.attempts(scope(1), [id]).await.unwrap();
        kept[&id].iter().map(|it| (it.started_at, it.detail.clone())).collect::<Vec<_>>()
    };
    let known = world
        .store
        .with_notification(id, by, at(3), &mut |_, _, _| Some(seen.clone()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((known.tenant, known.changed), (tenant(1), true));
    let noted = attempts().await;
    assert!(noted[0].0 == at(3) && noted[0].1.contains("before its answer"), "{noted:?}");
    let mut row = tried(candidate, seen.clone());
    (row.attempt.started_at, row.attempt.outcome) = (at(2), "accepted".to_owned());
    let detail = row.attempt.detail.clone();
    assert_eq!(world.store.record_tries(node(NODE), &[row], at(4)).await.unwrap(), [false]);
    assert_eq!(attempts().await, [(at(2), detail)]);
    world.balance().await;

    assert_eq!(world.store.expire_receipts(node(NODE), 9, at(59)).await.unwrap(), 0);
    assert_eq!(world.store.expire_receipts(node(NODE), 9, at(60)).await.unwrap(), 1);
    world.balance().await;
    let late = Next { receipt: Some((Receipt::Seen, at(61))), ..ended(End::Delivered, at(61)) };
    let mut receive = |_, _: &_, _: &_| Some(late.clone());
    let known =
        world.store.with_notification(id, None, at(61), &mut receive).await.unwrap().unwrap();
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
