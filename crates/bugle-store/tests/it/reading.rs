//! Lists, and that nothing of one tenant is there for another.

use bugle_domain::alert::{AlertStatus, TimelineEntry};
use bugle_domain::contact::{Address, ContactMethod};
use bugle_domain::event::{Action, NewEvent};
use bugle_domain::integration::Dialect;
use bugle_domain::ledger::Sums;
use bugle_domain::notification::End;
use bugle_domain::object::{Object, ObjectKind};
use bugle_domain::{EventId, IntegrationId, MethodId, Severity, UserId};
use bugle_engine::dispatch::{Candidate, Pace, PaceUpdate, Verdict};
use bugle_store::{
    AlertFilter, CameFilter, EventFilter, NotificationFilter, ObjectChange, RejectedRequest,
    Request, TriedRow,
};
use jiff::SignedDuration;

use crate::access::{api_key, session};
use crate::configuration::{put, service};
use crate::support::{
    NODE, World, all, at, ended, node, on_each_store, scope, tenant, tried, uuid,
};

on_each_store! {
    alerts_are_listed_newest_first_and_by_what_they_are
    events_are_listed_with_their_bytes
    what_clients_sent_in_a_time_is_listed_without_what_bugle_said
    the_last_requests_of_an_integration_are_shown
    old_bytes_are_dropped_in_steps
    a_reply_finds_the_last_message_to_its_phone
    nothing_of_a_tenant_is_there_for_another
}

async fn alerts_are_listed_newest_first_and_by_what_they_are(world: World) {
    let mut events: Vec<_> = (0..5).map(|i| world.event(1, &format!("key {i}"))).collect();
    events[3].body.severity = Severity::Low;
    "Disk FULL on db-9".clone_into(&mut events[4].body.summary);
    world.accept(&events).await;
    world.decide().await;
    let list = async |filter: AlertFilter, before, limit| {
        let alerts = world.store.alerts(scope(1), &filter, before, limit).await.unwrap();
        alerts.iter().map(|alert| alert.number).collect::<Vec<_>>()
    };
    let newest = world.store.alerts(scope(1), &AlertFilter::default(), None, 2).await.unwrap();
    assert_eq!(newest.len(), 2);
    let all_numbers = list(AlertFilter::default(), None, 9).await;
    assert_eq!(all_numbers, [5, 4, 3, 2, 1]);
    assert_eq!(list(AlertFilter::default(), Some(newest[1].id), 2).await, [3, 2]);
    let integration = Some(IntegrationId::from_stored(uuid(7)));
    assert_eq!(list(AlertFilter { integration, ..AlertFilter::default() }, None, 9).await.len(), 5);
    let integration = Some(IntegrationId::from_stored(uuid(99)));
    assert!(list(AlertFilter { integration, ..AlertFilter::default() }, None, 9).await.is_empty());
    let text = Some("disk full".to_owned());
    assert_eq!(list(AlertFilter { text, ..AlertFilter::default() }, None, 9).await, [5]);
    let severities = vec![Severity::Low, Severity::Info];
    assert_eq!(list(AlertFilter { severities, ..AlertFilter::default() }, None, 9).await, [4]);
    let statuses = vec![AlertStatus::Resolved];
    assert!(list(AlertFilter { statuses, ..AlertFilter::default() }, None, 9).await.is_empty());
    let told = Some(UserId::from_stored(uuid(21)));
    assert_eq!(list(AlertFilter { told, ..AlertFilter::default() }, None, 9).await.len(), 5);
    let told = Some(UserId::from_stored(uuid(22)));
    assert!(list(AlertFilter { told, ..AlertFilter::default() }, None, 9).await.is_empty());
    let counts = world.store.alert_counts(scope(1)).await.unwrap();
    assert_eq!((counts.open, counts.acknowledged, counts.resolved), (5, 0, 0));
    let named = world.store.alert_by_number(scope(1), 4).await.unwrap().unwrap();
    assert_eq!(named.severity, Severity::Low);

    let note = TimelineEntry::Exhausted;
    for second in [3, 4] {
        assert!(world.store.add_timeline(scope(1), named.id, at(second), &note).await.unwrap());
    }
    let lines = world.store.timeline(scope(1), named.id, 9).await.unwrap();
    assert_eq!(lines, [(at(3), note.clone()), (at(4), note)]);
}

async fn events_are_listed_with_their_bytes(world: World) {
    let (mut change, first) = (world.event(1, "deploy"), world.event(1, "a"));
    change.body.action = Action::Change;
    change.id = EventId::new(at(5), [1; 10]);
    let second = world.event(1, "a");
    world.accept(&[first.clone(), second.clone(), change.clone()]).await;
    let list = async |filter: EventFilter, before| {
        let events = world.store.events(scope(1), filter, before, 9).await.unwrap();
        events.iter().map(|event| event.id).collect::<Vec<_>>()
    };
    let everything = EventFilter::default();
    assert_eq!(list(everything, None).await, [change.id, second.id, first.id]);
    assert_eq!(list(everything, Some(second.id)).await, [first.id]);
    let pending = EventFilter { pending: true, ..everything };
    assert_eq!(list(pending, None).await.len(), 3);
    let report = world.decide().await;
    assert_eq!(list(pending, None).await, []);
    let alert = world.store.event(scope(1), first.id).await.unwrap().unwrap().outcome;
    let Some(bugle_domain::event::EventOutcome::Alerted { alert }) = alert else {
        panic!("it opened an alert: {alert:?} {report:?}")
    };
    let of_alert = EventFilter { alert: Some(alert), ..everything };
    assert_eq!(list(of_alert, None).await, [second.id, first.id]);
    let integration = Some(IntegrationId::from_stored(uuid(8)));
    assert_eq!(list(EventFilter { integration, ..everything }, None).await, []);
    let raw = world.store.raw_request(scope(1), first.id).await.unwrap();
    assert_eq!(raw, first.raw);
    let by = [IntegrationId::from_stored(uuid(7))];
    let changes = world.store.changes(scope(1), &by, at(5), 9).await.unwrap();
    assert_eq!(changes.iter().map(|event| event.id).collect::<Vec<_>>(), [change.id]);
    assert_eq!(world.store.changes(scope(1), &by, at(6), 9).await.unwrap(), []);
}

async fn what_clients_sent_in_a_time_is_listed_without_what_bugle_said(world: World) {
    let made = |second: i64, number: u8| NewEvent {
        id: EventId::new(at(second), [number; 10]),
        received_at: at(second),
        ..world.event(1, &format!("{second} {number}"))
    };
    let (before, first, last, after) = (made(9, 1), made(10, 1), made(20, 1), made(21, 1));
    let own = NewEvent { integration: IntegrationId::OWN, ..made(15, 1) };
    let key = |text: &str| Some(text.to_owned());
    let sent_by_us = NewEvent { idempotency_key: key("ours/1"), ..made(15, 2) };
    let sent_by_them = NewEvent { idempotency_key: key("our"), ..made(15, 3) };
    let wanted = [last.id, sent_by_them.id, first.id];
    let all = [before, first, own, sent_by_us, sent_by_them, last, after];
    world.accept(&all).await;
    let by = |integration| CameFilter {
        integration,
        from: at(10),
        until: at(20),
        without: "ours/",
        pending: false,
    };
    let list = async |of, integration, limit| {
        let events = world.store.events_that_came(scope(of), by(integration), limit).await.unwrap();
        events.iter().map(|event| event.id).collect::<Vec<_>>()
    };
    let way = IntegrationId::from_stored(uuid(7));
    assert_eq!(list(1, None, 9).await, wanted);
    assert_eq!(list(1, Some(way), 9).await, wanted);
    assert_eq!(list(1, None, 2).await, wanted[..2], "what is left out takes no place");
    assert_eq!(list(1, Some(IntegrationId::from_stored(uuid(8))), 9).await, []);
    assert_eq!(list(2, None, 9).await, [], "they are another's");
    let pending = CameFilter { pending: true, ..by(None) };
    let pending = world.store.events_that_came(scope(1), pending, 9).await.unwrap();
    assert_eq!(pending.iter().map(|event| event.id).collect::<Vec<_>>(), wanted, "none is decided");
}

async fn the_last_requests_of_an_integration_are_shown(world: World) {
    let integration = IntegrationId::from_stored(uuid(7));
    let first = world.event(1, "a");
    let mut second = world.event(1, "b");
    second.request = first.id;
    second.raw = None;
    world.accept(&[first.clone(), second.clone()]).await;
    for second in 1..=60 {
        let rejected = RejectedRequest {
            at: at(second),
            dialect: Dialect::PagerdutyV2,
            status: 400,
            code: "invalid_event".to_owned(),
            detail: "summary is missing".to_owned(),
            raw: b"{}".to_vec(),
        };
        world.store.note_rejected(scope(1), integration, &rejected).await.unwrap();
    }
    let requests = world.store.requests(scope(1), integration, 100).await.unwrap();
    assert_eq!(requests.len(), 51);
    assert_eq!(requests[0].at(), at(60));
    let Request::Accepted { events, raw, dialect, .. } = &requests[50] else {
        panic!("the oldest was accepted")
    };
    assert_eq!((events, dialect), (&vec![first.id, second.id], &Dialect::Native));
    assert_eq!(Some(raw), first.raw.as_ref());
    assert_eq!(world.store.requests(scope(1), integration, 3).await.unwrap().len(), 3);
    let between = async |of, integration, limit| {
        let time = (at(20), at(30));
        let all = world.store.rejected_between(scope(of), integration, time, limit).await.unwrap();
        all.iter().map(|(at, _)| *at).collect::<Vec<_>>()
    };
    let wanted: Vec<_> = (20..=30).rev().map(at).collect();
    assert_eq!(between(1, None, 99).await, wanted);
    assert_eq!(between(1, Some(integration), 3).await, wanted[..3]);
    assert_eq!(between(1, Some(IntegrationId::from_stored(uuid(8))), 9).await, []);
    assert_eq!(between(2, None, 9).await, []);
}

async fn old_bytes_are_dropped_in_steps(world: World) {
    let mut events: Vec<_> = (0..6).map(|i| world.event(1, &format!("key {i}"))).collect();
    for (second, event) in (0..).zip(&mut events) {
        event.id = EventId::new(at(second * 10), [1; 10]);
        event.request = event.id;
        event.integration = IntegrationId::from_stored(uuid(7 + u128::from(second > 1)));
    }
    world.accept(&events).await;
    let used = async |integration: IntegrationId| {
        world.store.integration_traffic(scope(1), integration).await.unwrap().last
    };
    let (first, second) = (events[0].integration, events[2].integration);
    let before = (used(first).await, used(second).await);
    assert_eq!(before, (Some(at(10)), Some(at(50))));
    assert_eq!(world.store.retain(all(), at(45), 3).await.unwrap(), 3);
    assert_eq!(world.store.retain(all(), at(45), 3).await.unwrap(), 2);
    assert_eq!(world.store.retain(all(), at(45), 3).await.unwrap(), 0);
    assert_eq!((used(first).await, used(second).await), before, "use outlives the bytes");
    assert_eq!(world.store.raw_request(scope(1), events[4].id).await.unwrap(), None);
    assert_eq!(world.store.raw_request(scope(1), events[5].id).await.unwrap(), events[5].raw);
    assert!(world.store.event(scope(1), events[0].id).await.unwrap().is_some());
    world.balance().await;
}

async fn a_reply_finds_the_last_message_to_its_phone(world: World) {
    let method = ContactMethod {
        id: MethodId::from_stored(uuid(22)),
        user: UserId::from_stored(uuid(21)),
        name: "phone".to_owned(),
        address: Address::Sms("+4930123456".parse().unwrap()),
        proven_at: Some(at(0)),
    };
    let change = [put(Object::Method(method.clone()))];
    world.store.save_objects(scope(1), &change, at(0), "Lena").await.unwrap();
    let phone = "+4930123456".parse().unwrap();
    assert_eq!(world.store.by_phone(&phone).await.unwrap(), []);
    world.accept(&[world.event(1, "a"), world.event(1, "b")]).await;
    world.decide().await;
    let claimed = world
        .claim_with(node(NODE), 9, at(2), &mut |candidates| {
            let update = PaceUpdate {
                tenant: tenant(1),
                method: method.id,
                pace: Pace { last_sent_at: at(2), window_from: at(2), window_count: 1 },
            };
            (vec![Verdict::Send { message: 0 }; candidates.len()], vec![update])
        })
        .await;
    let sent: Vec<_> =
        claimed.sends.iter().map(|(_, it)| (it.notification.id, it.alert.id)).collect();
    let messages = world.store.by_phone(&phone).await.unwrap();
    let [sending] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((sending.tenant, sending.user, sending.sent_at), (tenant(1), method.user, at(2)));
    assert_eq!(sending.notifications, sent, "the answer may overtake the word of the provider");
    let rang = |(_, it): &(usize, Candidate)| TriedRow {
        rang: Some(method.id),
        ..tried(it, ended(End::Delivered, at(3)))
    };
    let taken: Vec<_> = claimed.sends.iter().map(rang).collect();
    world.store.record_tries(node(NODE), &taken, at(3)).await.unwrap();
    let messages = world.store.by_phone(&phone).await.unwrap();
    let [last] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((last.tenant, last.user, last.sent_at), (tenant(1), method.user, at(2)));
    assert_eq!(last.notifications, sent);
    let same = world.store.same_message(sent[1].0).await.unwrap();
    let expected: Vec<_> =
        sent.iter().map(|(id, alert)| (tenant(1), *id, *alert, method.user)).collect();
    assert_eq!(same, expected);
    let other = "+4930999999".parse().unwrap();
    assert_eq!(world.store.by_phone(&other).await.unwrap(), []);

    // What was taken before is known, too.
    world.accept(&[world.event(1, "c")]).await;
    world.decide().await;
    let claimed = world.claim(at(5)).await;
    let mut row = rang(&claimed.sends[0]);
    let sizes = async || {
        let messages = world.store.by_phone(&phone).await.unwrap();
        messages.iter().map(|it| (it.sent_at, it.notifications.len())).collect::<Vec<_>>()
    };
    // A report that overtakes the answer of the provider says as much, and notes it once.
    let delivered = ended(End::Delivered, at(6));
    let mut receive = |_, _: &_, _: &_| Some(delivered.clone());
    let by = Some(("simulated", "SM1"));
    world.store.with_notification(row.notification, by, at(6), &mut receive).await.unwrap();
    assert_eq!(sizes().await, [(at(6), 1), (at(2), 2)]);
    row.attempt.finished_at = at(7);
    world.store.record_tries(node(NODE), &[row], at(7)).await.unwrap();
    assert_eq!(sizes().await, [(at(7), 1), (at(2), 2)]);
}

/// Every function of the store that takes a scope, asked by another tenant.
async fn nothing_of_a_tenant_is_there_for_another(mut world: World) {
    world.add_tenant(2).await;
    let (mine, other) = (scope(1), scope(2));
    let integration = IntegrationId::from_stored(uuid(7));
    let changes = [put(service(4, "checkout")), put(crate::configuration::integration(7, "in"))];
    world.store.save_objects(mine, &changes, at(1), "Lena").await.unwrap();
    let event = world.event(1, "a");
    world.accept(std::slice::from_ref(&event)).await;
    let report = world.decide().await;
    let alert = world.store.alert(mine, report.touched[0].1).await.unwrap().unwrap();
    let claimed = world.claim(at(2)).await;
    let sent = claimed.sends[0].1.notification.clone();
    let row = tried(&claimed.sends[0].1, ended(End::Delivered, at(3)));
    world.store.record_tries(node(NODE), &[row], at(3)).await.unwrap();
    let (store, user, method) = (&world.store, session(1).user, sent.method);
    store.create_session(mine, &[1; 32], &session(1)).await.unwrap();
    store.create_api_key(mine, &[1; 32], &api_key(1)).await.unwrap();
    store.set_password(mine, user, "$argon2id$", at(1)).await.unwrap();
    store.set_operator(mine, user, true, at(1)).await.unwrap();
    store.create_proof(mine, method, &[1; 32], at(100)).await.unwrap();
    let before = store.directory(mine).await.unwrap().unwrap();

    assert_eq!(store.alert(other, alert.id).await.unwrap(), None);
    assert_eq!(store.alert_by_number(other, alert.number).await.unwrap(), None);
    assert_eq!(store.alerts(other, &AlertFilter::default(), None, 9).await.unwrap(), []);
    assert_eq!(store.alert_counts(other).await.unwrap().open, 0);
    let key = (integration, alert.dedup_key.as_str());
    let later = bugle_domain::AlertId::from_stored(uuid(u128::MAX));
    assert_eq!(store.similar_alerts(mine, key, later, 9).await.unwrap().len(), 1);
    assert_eq!(store.similar_alerts(other, key, later, 9).await.unwrap(), []);
    assert_eq!(store.event(other, event.id).await.unwrap(), None);
    assert_eq!(store.raw_request(other, event.id).await.unwrap(), None);
    assert_eq!(store.events(other, EventFilter::default(), None, 9).await.unwrap(), []);
    assert_eq!(store.changes(other, &[integration], at(-9), 9).await.unwrap(), []);
    assert_eq!(store.requests(mine, integration, 9).await.unwrap().len(), 1);
    assert_eq!(store.requests(other, integration, 9).await.unwrap(), []);
    assert_eq!(store.notification(other, sent.id).await.unwrap(), None);
    let everything = NotificationFilter::default();
    assert_eq!(store.notifications(mine, everything, None, 9).await.unwrap().len(), 1);
    assert_eq!(store.notifications(other, everything, None, 9).await.unwrap(), []);
    assert_eq!(store.attempts(mine, [sent.id]).await.unwrap()[&sent.id].len(), 1);
    assert!(store.attempts(other, [sent.id]).await.unwrap().is_empty());
    assert!(store.timeline(other, alert.id, 9).await.unwrap().is_empty());
    let entry = TimelineEntry::Exhausted;
    assert!(!store.add_timeline(other, alert.id, at(9), &entry).await.unwrap());
    let mut respond = |_| panic!("it is another tenant's");
    assert!(!store.respond(other, (alert.id, Some(sent.id)), at(9), &mut respond).await.unwrap());
    assert_eq!(store.ledger(other, at(9)).await.unwrap().total, Sums::default());
    assert!(store.audit(other, None, 9).await.unwrap().is_empty());
    assert!(store.directory(other).await.unwrap().unwrap().services.is_empty());
    assert_eq!(store.tenant(other).await.unwrap().unwrap().id, tenant(2));
    assert_eq!(store.object_version(other, ObjectKind::Service, uuid(4)).await.unwrap(), None);
    let delete = ObjectChange::Delete { kind: ObjectKind::Service, id: uuid(4) };
    store.save_objects(other, &[delete], at(9), "Eve").await.unwrap();
    nothing_of_access_is_there(&world, (user, method)).await;
    assert_eq!(store.directory(mine).await.unwrap().unwrap(), before);
    let lost = bugle_store::Lost::LongerThan(bugle_store::Overdue {
        grace: SignedDuration::ZERO,
        living: &[],
        hung: None,
    });
    let mut run_out = |_: &_| panic!("nothing is being sent");
    assert_eq!(store.lost_claims((node(2), lost), 9, at(99), &mut run_out).await.unwrap(), 0);
    world.balance().await;
}

async fn nothing_of_access_is_there(world: &World, (user, method): (UserId, MethodId)) {
    let (store, mine, other) = (&world.store, scope(1), scope(2));
    store.clear_password(other, user).await.unwrap();
    assert_eq!(store.password_hash(other, user).await.unwrap(), None);
    assert!(store.password_hash(mine, user).await.unwrap().is_some());
    store.set_operator(other, user, false, at(9)).await.unwrap();
    assert!(!store.is_operator(other, user).await.unwrap());
    assert!(store.is_operator(mine, user).await.unwrap());
    assert!(!store.delete_session(other, session(1).id).await.unwrap());
    store.delete_sessions(other, user, None).await.unwrap();
    store.touch_session(other, session(1).id, at(9)).await.unwrap();
    assert_eq!(store.sessions(other, user, at(9)).await.unwrap(), []);
    assert_eq!(store.sessions(mine, user, at(9)).await.unwrap(), [session(1)]);
    assert!(!store.revoke_api_key(other, api_key(1).id, at(9)).await.unwrap());
    store.touch_api_key(other, api_key(1).id, at(9)).await.unwrap();
    assert_eq!(store.api_keys(other).await.unwrap(), []);
    assert_eq!(store.api_keys(mine).await.unwrap(), [api_key(1)]);
    assert!(!store.take_proof(other, (method, &[1; 32]), at(9), 3).await.unwrap());
}
