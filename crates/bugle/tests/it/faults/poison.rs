//! A notification that the program fails at is set aside, and the others go out.

use std::sync::Arc;

use bugle::node::Behaviour;
use bugle_app::rehearsal::{Fault, Rehearsal, Work};
use bugle_lab::Lab;

use crate::world::{LENA, LIMIT, World, critical};

/// The program fails wherever it is to judge this.
const POISON: &str = "db1 is down";

fn poisoned(_: &Lab, behaviour: &mut Behaviour) {
    let fault: Fault = Arc::new(|work, about| {
        assert!(work != Work::Judgement || about != POISON, "a fault that the test ordered");
    });
    behaviour.rehearsal = Rehearsal { fault: Some(fault), ..Rehearsal::default() };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_program_fails_to_judge_does_not_stop_dispatch() {
    let w = World::configured(poisoned).await;
    w.hold_dispatch(true).await;
    w.post_event("checkout", critical(POISON)).await;
    w.post_event("checkout", critical("db2 is down")).await;
    w.hold_dispatch(false).await;
    w.phone(LENA).wait_for_text("db2 is down", LIMIT).await.unwrap();
    w.settle().await;
    assert!(!w.phone(LENA).texts().iter().any(|text| text.body.contains(POISON)));
    let why = w.why("1").await;
    assert!(why.contains("the program failed at it"), "{why}");
    // Whoever runs Bugle is told.
    let told = w.alert(3).await;
    assert_eq!(told["dedup_key"], "bugle/failed/message", "{told:#}");
    w.end().await;
}
