//! Assistance requests and their traces.

use bugle_domain::{AssistanceId, TenantId};
use bugle_engine::assistance::{About, AssistanceRequest, Closed, Reporter};
use bugle_store::{AssistanceRow, OpenedAssistance};

use crate::support::{World, all, at, on_each_store, scope, tenant, uuid};

on_each_store! {
    a_request_is_kept_with_its_trace_and_nobody_writes_over_another
    a_tenant_has_so_many_open_and_no_more
    all_that_are_open_are_found_however_many
    what_is_closed_and_old_is_dropped
    a_request_that_cannot_be_read_leaves_the_others
}

fn request(of: TenantId, number: u128) -> AssistanceRequest {
    AssistanceRequest {
        id: AssistanceId::from_stored(uuid(number)),
        tenant: of,
        about: About::Time,
        integration: None,
        expected: "a text".to_owned(),
        from: at(-3_600),
        until: at(0),
        by: Reporter { user: None, name: "Lena".to_owned() },
        opened_at: at(0),
        finding: None,
        traced_at: None,
        paged: None,
        said: Vec::new(),
        replica: None,
        closed: None,
    }
}

async fn a_request_is_kept_with_its_trace_and_nobody_writes_over_another(mut world: World) {
    world.add_tenant(2).await;
    let store = &world.store;
    let asked = request(tenant(1), 1);
    let opened = store.open_assistance(scope(1), &asked, None, 9).await.unwrap();
    assert_eq!(opened, OpenedAssistance::Kept);
    let (mut row, trace) = store.assistance(scope(1), asked.id).await.unwrap().unwrap();
    assert_eq!(row, AssistanceRow { request: asked.clone(), version: 1 });
    assert_eq!(trace, None);
    assert_eq!(store.assistance(scope(2), asked.id).await.unwrap(), None, "it is not theirs");
    assert_eq!(store.tenant_of_assistance(all(), asked.id).await.unwrap(), Some(tenant(1)));

    let late = row.clone();
    "a call".clone_into(&mut row.request.expected);
    assert!(!store.save_assistance(scope(2), &row, None).await.unwrap());
    assert!(store.save_assistance(scope(1), &row, Some("{}")).await.unwrap());
    assert!(!store.save_assistance(scope(1), &late, None).await.unwrap(), "it was changed");
    row.version += 1;
    assert!(store.save_assistance(scope(1), &row, None).await.unwrap());
    let (kept, trace) = store.assistance(scope(1), asked.id).await.unwrap().unwrap();
    assert_eq!((kept.version, trace.as_deref()), (3, Some("{}")), "its trace stays");
}

async fn a_tenant_has_so_many_open_and_no_more(mut world: World) {
    world.add_tenant(2).await;
    let store = &world.store;
    let open = async |of: u128, number| {
        store.open_assistance(scope(of), &request(tenant(of), number), None, 2).await.unwrap()
    };
    assert_eq!(open(1, 1).await, OpenedAssistance::Kept);
    assert_eq!(open(1, 2).await, OpenedAssistance::Kept);
    assert_eq!(open(1, 3).await, OpenedAssistance::TooMany);
    assert_eq!(store.count_open_assistance(scope(1)).await.unwrap(), 2);
    assert_eq!(store.count_open_assistance(scope(2)).await.unwrap(), 0);
    assert_eq!(open(2, 4).await, OpenedAssistance::Kept, "that is another's");
    let numbers = |rows: Vec<AssistanceRow>| -> Vec<AssistanceId> {
        rows.into_iter().map(|row| row.request.id).collect()
    };
    let [first, second, fourth] = [1, 2, 4].map(|it| AssistanceId::from_stored(uuid(it)));
    assert_eq!(numbers(store.assistance_of(scope(1), 9).await.unwrap()), [second, first]);
    let of_all = store.open_assistance_of_all(all()).await.unwrap();
    assert_eq!(numbers(of_all), [fourth, second, first]);

    let closed = Some(Closed { at: at(9), by: "Otto".to_owned() });
    let request = AssistanceRequest { closed, ..request(tenant(1), 1) };
    let row = AssistanceRow { request, version: 1 };
    assert!(store.save_assistance(scope(1), &row, None).await.unwrap());
    assert_eq!(open(1, 3).await, OpenedAssistance::Kept, "one was closed");
    let of_all = store.open_assistance_of_all(all()).await.unwrap();
    assert!(!numbers(of_all).contains(&first));
    assert!(numbers(store.assistance_of_all(all(), 9).await.unwrap()).contains(&first));
}

async fn all_that_are_open_are_found_however_many(world: World) {
    let store = &world.store;
    for number in 1..=401 {
        let asked = request(tenant(1), number);
        store.open_assistance(scope(1), &asked, None, 500).await.unwrap();
    }
    // The last of a page cannot be read.
    world.spoil(("assistance", "document"), uuid(202)).await;
    let found = store.open_assistance_of_all(all()).await.unwrap();
    let ids: Vec<_> = found.into_iter().map(|row| row.request.id.as_uuid()).collect();
    let wanted: Vec<_> = (1..=401).rev().filter(|it| *it != 202).map(uuid).collect();
    assert_eq!(ids, wanted);
}

async fn what_is_closed_and_old_is_dropped(world: World) {
    let store = &world.store;
    for number in 1..=3 {
        let asked = request(tenant(1), number);
        store.open_assistance(scope(1), &asked, None, 9).await.unwrap();
        if number < 3 {
            let last = i64::try_from(number).unwrap() * 100;
            let closed = Some(Closed { at: at(last), by: "Otto".to_owned() });
            let row = AssistanceRow { request: AssistanceRequest { closed, ..asked }, version: 1 };
            store.save_assistance(scope(1), &row, None).await.unwrap();
        }
    }
    assert_eq!(store.retain_assistance(scope(1), at(200), 9).await.unwrap(), 1);
    assert_eq!(store.assistance_of(scope(1), 9).await.unwrap().len(), 2, "open ones stay");
}

async fn a_request_that_cannot_be_read_leaves_the_others(world: World) {
    let store = &world.store;
    for number in 1..=2 {
        store.open_assistance(scope(1), &request(tenant(1), number), None, 9).await.unwrap();
    }
    world.spoil(("assistance", "document"), uuid(1)).await;
    let lists = [
        store.assistance_of(scope(1), 9).await.unwrap(),
        store.open_assistance_of_all(all()).await.unwrap(),
        store.assistance_of_all(all(), 9).await.unwrap(),
    ];
    for rows in lists {
        let ids: Vec<_> = rows.into_iter().map(|row| row.request.id.as_uuid()).collect();
        assert_eq!(ids, [uuid(2)]);
    }
}
