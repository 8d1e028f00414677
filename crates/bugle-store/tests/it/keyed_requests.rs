//! Requests with an `Idempotency-Key`: one of several begins, and its answer is found again.

use bugle_store::{KeptAnswer, KeyedRequest};

use crate::support::{World, all, at, on_each_store, scope};

on_each_store! {
    the_first_begins_and_the_others_find_it
    of_many_at_once_one_begins
    an_answer_is_found_until_it_is_forgotten
    a_key_of_one_tenant_says_nothing_to_another
    what_is_too_old_begins_anew_and_is_dropped_in_steps
}

const KEY: [u8; 32] = [1; 32];
const ASKED: [u8; 32] = [2; 32];

fn begun(second: i64) -> KeyedRequest {
    KeyedRequest { request_hash: ASKED, begun_at: at(second), status: None, answer: None }
}

fn answer() -> KeptAnswer {
    KeptAnswer { head: "[]".to_owned(), body: "{\"name\":\"Größe\"}".to_owned() }
}

async fn begin(world: &World, key: u8, second: i64) -> Option<KeyedRequest> {
    let hashes = (&[key; 32], &ASKED);
    world.store.begin_keyed_request(scope(1), hashes, at(second), at(second - 60)).await.unwrap()
}

async fn the_first_begins_and_the_others_find_it(world: World) {
    assert_eq!(begin(&world, 1, 5).await, None);
    assert_eq!(begin(&world, 1, 9).await, Some(begun(5)));
    assert_eq!(begin(&world, 3, 9).await, None, "another key");
    world.store.forget_keyed_request(scope(1), &KEY).await.unwrap();
    assert_eq!(begin(&world, 1, 9).await, None);
}

async fn of_many_at_once_one_begins(world: World) {
    let all = (0..8).map(|_| begin(&world, 1, 5));
    let found = futures_util::future::join_all(all).await;
    assert_eq!(found.iter().filter(|before| before.is_none()).count(), 1);
}

async fn an_answer_is_found_until_it_is_forgotten(world: World) {
    begin(&world, 1, 5).await;
    world.store.end_keyed_request(scope(1), &KEY, 201, Some(&answer())).await.unwrap();
    let found = begin(&world, 1, 9).await.unwrap();
    assert_eq!((found.status, found.answer), (Some(201), Some(answer())));
    begin(&world, 3, 5).await;
    world.store.end_keyed_request(scope(1), &[3; 32], 201, None).await.unwrap();
    let found = begin(&world, 3, 9).await.unwrap();
    assert_eq!((found.status, found.answer), (Some(201), None));
}

async fn a_key_of_one_tenant_says_nothing_to_another(mut world: World) {
    world.add_tenant(2).await;
    begin(&world, 1, 5).await;
    let hashes = (&KEY, &ASKED);
    let other = world.store.begin_keyed_request(scope(2), hashes, at(9), at(0)).await.unwrap();
    assert_eq!(other, None);
    world.store.forget_keyed_request(scope(2), &KEY).await.unwrap();
    assert_eq!(begin(&world, 1, 9).await, Some(begun(5)));
}

async fn what_is_too_old_begins_anew_and_is_dropped_in_steps(world: World) {
    begin(&world, 1, 0).await;
    assert_eq!(begin(&world, 1, 60).await, None, "the first is forgotten");
    for key in 2..=4 {
        begin(&world, key, 60).await;
    }
    begin(&world, 5, 61).await;
    let drop =
        async |second| world.store.retain_keyed_requests(all(), at(second), 3).await.unwrap();
    assert_eq!((drop(60).await, drop(60).await, drop(60).await), (3, 1, 0));
    assert_eq!(begin(&world, 5, 62).await, Some(begun(61)));
}
