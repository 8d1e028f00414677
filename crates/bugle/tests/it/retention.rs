//! Retention: what is over goes after its time, in small steps; what is open stays, and so do the
//! books.

use bugle_domain::AllTenants;
use bugle_domain::ledger::Sums;
use jiff::SignedDuration;
use serde_json::json;

use crate::on_each_database;
use crate::world::{LENA, LIMIT, World, critical};

on_each_database! {
    what_is_over_goes_after_its_time_and_what_is_open_stays
    nothing_goes_before_its_time
}

/// Longer than anything is kept, and than the clock of a story may be behind the machine's: ids
/// are made in order by all stories together.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 3_650);

/// Counted row by row.
async fn counted(w: &World) -> Sums {
    w.store.recount(AllTenants::granted()).await.unwrap().total
}

/// What fell silent long ago: an alert with more events than a step takes, and an event that came
/// to nothing.
async fn much_is_over(w: &World) {
    for _ in 0..250 {
        w.post_event("checkout", critical("db1 is down")).await;
    }
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    w.sender_resolves("db1 is down").await;
    w.sender_resolves("nothing of ours").await;
}

async fn what_is_over_goes_after_its_time_and_what_is_open_stays(w: World) {
    much_is_over(&w).await;
    w.trigger("db2 is down").await;
    w.post("/api/v1/alerts/2/acknowledge", json!({})).await;
    let before = w.sums().await;
    assert_eq!((before.accepted, before.suppressed), (253, 1), "{before:?}");
    w.clock.push(KEPT + SignedDuration::from_hours(1));
    let gone = async || {
        w.clock.push(SignedDuration::from_mins(1));
        counted(&w).await.accepted == 1
    };
    w.until("what is over is gone", gone).await;
    w.settle().await;
    let (status, answer) = w.try_post("/api/v1/alerts/1/acknowledge", json!({})).await;
    assert_eq!(status, 404, "{answer:#}");
    let why = w.why("2").await;
    assert!(why.contains("acknowledged") && why.contains("db2 is down"), "{why}");
    let (after, left) = (w.sums().await, counted(&w).await);
    assert_eq!((after.accepted, after.alerted, after.folded), (253, 2, 250), "{after:?}");
    assert_eq!((left.alerted, left.suppressed), (1, 0), "{left:?}");
    w.until("the log has only its newest entry", async || {
        w.get("/api/v1/audit").await["data"].as_array().unwrap().len() == 1
    })
    .await;
    w.end_without(after.accepted - left.accepted).await;
}

async fn nothing_goes_before_its_time(w: World) {
    much_is_over(&w).await;
    w.clock.push(SignedDuration::from_hours(24 * 399));
    w.settle().await;
    let began = std::time::Instant::now();
    w.until("a look is over", async || began.elapsed().as_millis() > 500).await;
    assert_eq!(counted(&w).await.accepted, 252);
    w.end().await;
}
