//! What a key is worth: for whom, for how long, and after a crash.

use bugle_domain::role::Role;

use super::*;
use crate::world::World;

fn asked(key: &str) -> Asked<'_> {
    let (method, path) = ("POST", "/api/v1/teams");
    Asked { key, method, path, query: "", body: b"{\"name\":\"T\"}" }
}

fn answer() -> Answer {
    let head = vec![("content-type".to_owned(), "application/json".to_owned())];
    Answer { status: 201, head, body: "{}".to_owned() }
}

async fn begin(world: &World, asked: Asked<'_>) -> Result<Begun, &'static str> {
    let begun = world.app.begin_keyed(&world.admin, &asked).await;
    begun.map_err(|error| error.code())
}

async fn first(world: &World, key: &str) -> Turn {
    match begin(world, asked(key)).await.unwrap() {
        Begun::First(turn) => turn,
        Begun::Again(answer) => panic!("answered before: {answer:?}"),
    }
}

#[tokio::test]
async fn the_second_is_answered_as_the_first_for_a_day() {
    let world = World::new().await;
    let turn = first(&world, "k").await;
    assert_eq!(begin(&world, asked("k")).await, Err("idempotency_running"));
    world.app.end_keyed(&turn, Ended::Answered(answer())).await.unwrap();
    assert_eq!(begin(&world, asked("k")).await, Ok(Begun::Again(answer())));
    world.clock.push(KEPT_FOR - SignedDuration::from_secs(1));
    assert_eq!(begin(&world, asked("k")).await, Ok(Begun::Again(answer())));
    world.clock.push(SignedDuration::from_secs(1));
    first(&world, "k").await;
    world.end().await;
}

#[tokio::test]
async fn a_key_counts_for_one_caller_and_one_route_and_one_body() {
    let world = World::new().await;
    first(&world, "k").await;
    let other_path = Asked { path: "/api/v1/policies", ..asked("k") };
    assert!(matches!(begin(&world, other_path).await, Ok(Begun::First(_))));
    let manager = world.person("Mara Manager", Role::Manager).await;
    let of_other = world.app.begin_keyed(&manager, &asked("k")).await;
    assert!(matches!(of_other, Ok(Begun::First(_))));
    let reused = Err("idempotency_key_reused");
    assert_eq!(begin(&world, Asked { body: b"{}", ..asked("k") }).await, reused);
    assert_eq!(begin(&world, Asked { query: "dry_run=1", ..asked("k") }).await, reused);
    let unusable = Err("idempotency_key_unusable");
    assert_eq!(begin(&world, asked("")).await, unusable);
    assert_eq!(begin(&world, asked(&"k".repeat(MAX_KEY_BYTES + 1))).await, unusable);
    world.end().await;
}

#[tokio::test]
async fn one_that_never_ended_is_not_done_again() {
    let world = World::new().await;
    first(&world, "k").await;
    world.clock.push(RUNS_AT_MOST);
    assert_eq!(begin(&world, asked("k")).await, Err("idempotency_outcome_unknown"));
    world.end().await;
}

#[tokio::test]
async fn one_that_failed_begins_anew() {
    let world = World::new().await;
    let turn = first(&world, "k").await;
    world.app.end_keyed(&turn, Ended::Failed).await.unwrap();
    first(&world, "k").await;
    world.end().await;
}

#[tokio::test]
async fn what_is_too_long_or_secret_is_not_kept_and_not_done_again() {
    let world = World::new().await;
    let turn = first(&world, "secret").await;
    world.app.end_keyed(&turn, Ended::NotKept(201)).await.unwrap();
    assert_eq!(begin(&world, asked("secret")).await, Err("idempotency_answer_not_kept"));
    let turn = first(&world, "long").await;
    let long = Answer { body: "x".repeat(MAX_ANSWER_BYTES + 1), ..answer() };
    world.app.end_keyed(&turn, Ended::Answered(long)).await.unwrap();
    assert_eq!(begin(&world, asked("long")).await, Err("idempotency_answer_not_kept"));
    world.end().await;
}
