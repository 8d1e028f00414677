//! Status pages of tenants: what each tells is nobody else's, and goes with it.

use bugle_domain::alert::AlertStatus;
use bugle_domain::object::{Object, ObjectKind};
use bugle_domain::status_page::{PublicService, StatusPage};
use bugle_domain::{BulletinId, ServiceId, Severity, StatusPageId};
use bugle_engine::alerting::Work;
use bugle_engine::status::State;
use bugle_engine::status::bulletin::{Bulletin, Kind, Phase, Update};
use bugle_engine::status::history::Span;
use bugle_store::{BulletinRow, ObjectChange, PublicPage};
use jiff::SignedDuration;

use crate::support::{World, all, at, on_each_store, scope, tenant, uuid};

on_each_store! {
    what_a_page_tells_is_read_and_changed_by_its_tenant_alone
    what_a_page_told_goes_with_it_and_with_no_other
    nothing_outlives_a_page_that_is_deleted_at_the_same_moment
    services_with_open_alerts_are_in_trouble
    pages_that_are_public_are_listed_whether_they_read_or_not
    many_alerts_that_matter_little_hide_none_that_matters
    what_is_open_is_read_whatever_was_told_after_it
}

fn page_id(number: u128) -> StatusPageId {
    StatusPageId::from_stored(uuid(number))
}

fn service(number: u128) -> ServiceId {
    ServiceId::from_stored(uuid(number))
}

fn page(number: u128) -> StatusPage {
    StatusPage {
        id: page_id(number),
        name: format!("page {number}"),
        services: vec![PublicService { service: service(5), name: None }],
        follow_alerts: true,
        enabled: true,
    }
}

fn bulletin(number: u128) -> Bulletin<ServiceId> {
    let text = "We are looking.".to_owned();
    Bulletin {
        id: BulletinId::from_stored(uuid(number)),
        kind: Kind::Trouble { incident: None },
        title: "Paying is slow".to_owned(),
        state: State::Degraded,
        components: vec![service(5)],
        began_at: at(0),
        updates: vec![Update { at: at(9), phase: Phase::Investigating, text, by: None }],
        next_by: None,
        hand: None,
    }
}

fn span(from: i64, until: i64) -> Span<ServiceId> {
    Span { component: service(5), state: State::Degraded, from: at(from), until: at(until) }
}

async fn put(world: &World, tenant_number: u128, pages: &[StatusPage]) {
    let put = |page: &StatusPage| {
        let object = Object::StatusPage(page.clone());
        ObjectChange::Put { object, expected: None }
    };
    let changes: Vec<ObjectChange> = pages.iter().map(put).collect();
    world.store.save_objects(scope(tenant_number), &changes, at(0), "test").await.unwrap();
}

async fn what_a_page_tells_is_read_and_changed_by_its_tenant_alone(mut world: World) {
    world.add_tenant(2).await;
    let (own, other, id) = (scope(1), scope(2), page_id(8));
    put(&world, 1, &[page(8)]).await;
    let store = &world.store;
    store.publish_page_bulletin(own, id, &bulletin(1)).await.unwrap();
    let mut row = BulletinRow { bulletin: bulletin(1), version: 1 };
    assert_eq!(store.page_bulletin(own, id, bulletin(1).id).await.unwrap(), Some(row.clone()));
    assert_eq!(store.page_bulletins(own, id, at(99)).await.unwrap(), [row.clone()]);
    store.save_page_spans(own, id, &[span(0, 60)], at(0)).await.unwrap();
    store.save_page_spans(own, id, &[span(0, 90), span(91, 99)], at(0)).await.unwrap();
    assert_eq!(store.page_spans(own, id, at(0)).await.unwrap(), [span(91, 99), span(0, 90)]);

    // Neither another tenant, nor another page of this one.
    for (scope, page) in [(other, id), (own, page_id(9))] {
        assert_eq!(store.page_bulletin(scope, page, bulletin(1).id).await.unwrap(), None);
        assert_eq!(store.page_bulletins(scope, page, at(0)).await.unwrap(), []);
        assert!(!store.save_page_bulletin(scope, page, &row).await.unwrap());
        assert_eq!(store.page_spans(scope, page, at(0)).await.unwrap(), []);
        store.save_page_spans(scope, page, &[], at(999)).await.unwrap();
    }
    assert_eq!(store.page_spans(own, id, at(0)).await.unwrap().len(), 2, "nobody forgot them");

    let late = row.clone();
    let text = "It is over.".to_owned();
    let over = Update { at: at(60), phase: Phase::Resolved, text, by: Some("Lena".to_owned()) };
    row.bulletin.say(over, SignedDuration::ZERO);
    assert!(store.save_page_bulletin(own, id, &row).await.unwrap());
    assert!(!store.save_page_bulletin(own, id, &late).await.unwrap(), "it was changed meanwhile");
    assert_eq!(store.page_bulletins(own, id, at(61)).await.unwrap(), [], "it is over, and old");
    store.save_page_spans(own, id, &[], at(95)).await.unwrap();
    assert_eq!(store.page_spans(own, id, at(0)).await.unwrap(), [span(91, 99)]);
}

async fn what_a_page_told_goes_with_it_and_with_no_other(world: World) {
    let (own, store) = (scope(1), &world.store);
    put(&world, 1, &[page(8), page(9)]).await;
    for id in [page_id(8), page_id(9)] {
        store.publish_page_bulletin(own, id, &bulletin(1)).await.unwrap();
        store.save_page_spans(own, id, &[span(0, 60)], at(0)).await.unwrap();
    }
    let delete = ObjectChange::Delete { kind: ObjectKind::StatusPage, id: uuid(8) };
    store.save_objects(own, &[delete], at(1), "test").await.unwrap();
    // Nothing comes back, of those who had begun before.
    assert!(!store.publish_page_bulletin(own, page_id(8), &bulletin(2)).await.unwrap());
    store.save_page_spans(own, page_id(8), &[span(0, 60)], at(0)).await.unwrap();
    for (id, left) in [(page_id(8), 0), (page_id(9), 1)] {
        assert_eq!(store.page_bulletins(own, id, at(0)).await.unwrap().len(), left);
        assert_eq!(store.page_spans(own, id, at(0)).await.unwrap().len(), left);
    }
}

async fn nothing_outlives_a_page_that_is_deleted_at_the_same_moment(world: World) {
    let (own, store) = (scope(1), &world.store);
    for number in 100..180 {
        let id = page_id(number);
        put(&world, 1, &[page(number)]).await;
        let delete = [ObjectChange::Delete { kind: ObjectKind::StatusPage, id: uuid(number) }];
        let spans = [span(0, 60)];
        let said = bulletin(number);
        let (kept, told, deleted) = tokio::join!(
            store.save_page_spans(own, id, &spans, at(0)),
            store.publish_page_bulletin(own, id, &said),
            store.save_objects(own, &delete, at(1), "test"),
        );
        kept.unwrap();
        told.unwrap();
        deleted.unwrap();
        assert_eq!(store.page_spans(own, id, at(0)).await.unwrap(), [], "page {number}");
        assert_eq!(store.page_bulletins(own, id, at(0)).await.unwrap(), [], "page {number}");
    }
}

async fn services_with_open_alerts_are_in_trouble(mut world: World) {
    world.add_tenant(2).await;
    let keys = ["open", "taken", "over", "of nothing"];
    let mut events: Vec<_> = keys.map(|key| world.event(1, key)).into();
    events.push(world.event(2, "of another"));
    world.accept(&events).await;
    let decide = |_: bugle_domain::TenantId, work: Work| {
        let mut decisions = world.simple(work);
        for alert in &mut decisions.opened {
            alert.service = (alert.dedup_key != "of nothing").then(|| service(5));
            match alert.dedup_key.as_str() {
                "taken" => {
                    alert.status = AlertStatus::Acknowledged;
                    alert.severity = Severity::High;
                }
                "over" => {
                    alert.status = AlertStatus::Resolved;
                    alert.severity = Severity::Medium;
                    alert.resolved_at = Some(at(1));
                }
                _ => (),
            }
        }
        Some(decisions)
    };
    world.decide_with(&mut { decide }).await;
    let mut found = world.store.services_in_trouble(scope(1)).await.unwrap();
    found.sort();
    assert_eq!(found, [(service(5), Severity::Critical), (service(5), Severity::High)]);
    let other = world.store.services_in_trouble(scope(2)).await.unwrap();
    assert_eq!(other, [(service(5), Severity::Critical)]);
}

async fn pages_that_are_public_are_listed_whether_they_read_or_not(world: World) {
    // Its name looks like the end of what is hidden, and hides nothing.
    let named = StatusPage { name: r#"we say "enabled":false"#.to_owned(), ..page(7) };
    let hidden = StatusPage { enabled: false, ..page(9) };
    put(&world, 1, &[named.clone(), page(8), hidden]).await;
    world.spoil(("objects", "data"), uuid(8)).await;
    let listed = |number, page| PublicPage { tenant: tenant(1), id: page_id(number), page };
    let pages = world.store.public_pages(all(), 9).await.unwrap();
    assert_eq!(pages, [listed(7, Some(named.clone())), listed(8, None)]);
    let pages = world.store.public_pages(all(), 1).await.unwrap();
    assert_eq!(pages, [listed(7, Some(named))]);
}

async fn many_alerts_that_matter_little_hide_none_that_matters(world: World) {
    let mut worst = true;
    for _ in 0..6 {
        let event = |_| world.event(1, &world.fresh().to_string());
        let events: Vec<_> = (0..1_000).map(event).collect();
        world.accept(&events).await;
        let mut decide = |_: bugle_domain::TenantId, work: Work| {
            let mut decisions = world.simple(work);
            for alert in &mut decisions.opened {
                alert.service = Some(service(5));
                let first = std::mem::take(&mut worst);
                alert.severity = if first { Severity::Critical } else { Severity::Low };
            }
            Some(decisions)
        };
        while world.decide_with(&mut decide).await.events > 0 {}
    }
    let mut found = world.store.services_in_trouble(scope(1)).await.unwrap();
    found.sort();
    assert_eq!(found, [(service(5), Severity::Critical), (service(5), Severity::Low)]);
}

async fn what_is_open_is_read_whatever_was_told_after_it(world: World) {
    let (own, store, id) = (scope(1), &world.store, page_id(8));
    put(&world, 1, &[page(8)]).await;
    store.publish_page_bulletin(own, id, &bulletin(1)).await.unwrap();
    for number in 2..=101 {
        let mut over = bulletin(number);
        over.updates[0].phase = Phase::Resolved;
        store.publish_page_bulletin(own, id, &over).await.unwrap();
    }
    let read = store.page_bulletins(own, id, at(0)).await.unwrap();
    let ids: Vec<_> = read.iter().map(|it| it.bulletin.id).collect();
    assert_eq!((ids.len(), ids[0], ids[99]), (100, bulletin(101).id, bulletin(1).id));
}
