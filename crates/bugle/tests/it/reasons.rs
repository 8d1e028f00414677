//! "Why?" has an answer, also when nobody was paged.

use serde_json::json;

use crate::on_each_database;
use crate::world::{LIMIT, PRIYA, World};

on_each_database! {
    why_explains_a_page
    why_explains_a_fold
    why_explains_an_info_event_that_paged_nobody
    why_explains_a_level_without_anybody
    why_explains_a_cancelled_notification
}

async fn why_explains_a_page(w: World) {
    let event = w.trigger("db1 is down").await;
    let why = w.why(&event).await;
    for part in ["intake: ", "alerting: ", "dispatch: ", "Payments", "Lena"] {
        assert!(why.contains(part), "no {part:?} in:\n{why}");
    }
    w.end().await;
}

async fn why_explains_a_fold(w: World) {
    w.trigger("db1 is down").await;
    let second = w.trigger("db1 is down").await;
    let why = w.why(&second).await;
    assert!(why.contains("#1") && why.to_lowercase().contains("fold"), "{why}");
    w.end().await;
}

async fn why_explains_an_info_event_that_paged_nobody(w: World) {
    let event = json!({ "action": "trigger", "summary": "deployed", "severity": "info" });
    let id = w.send("checkout", event).await;
    let why = w.why(&id).await;
    assert!(why.to_lowercase().contains("info") && why.contains("nobody"), "{why}");
    w.end().await;
}

async fn why_explains_a_level_without_anybody(w: World) {
    let event = json!({ "action": "trigger", "summary": "tape stuck", "severity": "critical" });
    w.send("archive", event).await;
    w.phone(PRIYA).wait_for_text("tape stuck", LIMIT).await.unwrap();
    let why = w.why("1").await;
    assert!(why.contains("skipped") && why.contains("Archive on call"), "{why}");
    w.end().await;
}

async fn why_explains_a_cancelled_notification(w: World) {
    w.trigger("db1 is down").await;
    w.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    let why = w.why("1").await;
    assert!(why.contains("not sent") || why.contains("cancelled"), "{why}");
    w.end().await;
}
