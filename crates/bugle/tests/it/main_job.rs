//! The main job: an event becomes a page that somebody answers.

use bugle_app::handset::CallState;
use serde_json::json;

use crate::on_each_database;
use crate::world::{LENA, LIMIT, PRIYA, World};

on_each_database! {
    an_event_rings_a_phone_and_a_key_takes_it
    nobody_answers_so_the_next_level_is_told
    an_acknowledged_alert_wakes_nobody_else
    repeats_fold_into_one_alert_and_one_page
    several_alerts_become_one_message
    the_sender_ends_it_and_nothing_more_is_sent
    an_event_without_a_route_goes_to_the_fallback
}

async fn an_event_rings_a_phone_and_a_key_takes_it(w: World) {
    w.trigger("db1 is down").await;
    let text = w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    assert!(text.body.starts_with("CRIT checkout-api: db1 is down"), "{}", text.body);
    w.forward(60).await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    w.phone(LENA).press('4').await.unwrap();
    w.settle().await;
    let alert = w.alert(1).await;
    assert_eq!(alert["status"], "acknowledged");
    assert!(alert.to_string().contains("Lena"), "{alert}");
    w.forward(900).await;
    assert!(w.phone(PRIYA).texts().is_empty());
    w.end().await;
}

async fn nobody_answers_so_the_next_level_is_told(w: World) {
    w.trigger("db1 is down").await;
    assert!(w.phone(PRIYA).texts().is_empty());
    w.forward(300).await;
    w.phone(PRIYA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    w.forward(60).await;
    let call = w.phone(PRIYA).wait_for_call_state(CallState::Ringing, LIMIT).await;
    call.unwrap();
    w.phone(PRIYA).press('4').await.unwrap();
    w.settle().await;
    assert_eq!(w.status(1).await, "acknowledged");
    w.end().await;
}

async fn an_acknowledged_alert_wakes_nobody_else(w: World) {
    w.trigger("db1 is down").await;
    let said = w.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    assert_eq!(said["sentence"], "Acknowledged. Priya will not be paged.");
    w.forward(1_800).await;
    assert!(w.phone(LENA).calls().is_empty());
    assert!(w.phone(PRIYA).texts().is_empty() && w.phone(PRIYA).calls().is_empty());
    w.end().await;
}

async fn repeats_fold_into_one_alert_and_one_page(w: World) {
    for _ in 0..20 {
        w.trigger("db1 is down").await;
    }
    let alert = w.alert(1).await;
    assert_eq!(alert["event_count"], 20, "{alert}");
    assert_eq!(w.phone(LENA).texts().len(), 1);
    assert_eq!(w.get("/api/v1/alerts").await["data"].as_array().unwrap().len(), 1);
    w.end().await;
}

async fn several_alerts_become_one_message(w: World) {
    w.trigger("first").await;
    for summary in ["second", "third", "fourth"] {
        w.trigger(summary).await;
    }
    assert_eq!(w.phone(LENA).texts().len(), 1, "the first is never held back");
    w.forward(15).await;
    let texts = w.phone(LENA).wait_for_texts(2, LIMIT).await.unwrap();
    assert!(texts[1].body.starts_with("3 alerts, worst CRIT"), "{}", texts[1].body);
    // She may have read only the first of the two.
    w.phone(LENA).reply("4").await.unwrap();
    let asked = "Which? Reply 4 #1, 4 #2, 4 #3, 4 #4 or 4 all.";
    w.phone(LENA).wait_for_text(asked, LIMIT).await.unwrap();
    w.phone(LENA).reply("4 all").await.unwrap();
    w.phone(LENA).wait_for_text("Acked 4", LIMIT).await.unwrap();
    for number in 1..=4 {
        assert_eq!(w.status(number).await, "acknowledged");
    }
    w.end().await;
}

async fn the_sender_ends_it_and_nothing_more_is_sent(w: World) {
    w.trigger("db1 is down").await;
    w.sender_resolves("db1 is down").await;
    assert_eq!(w.status(1).await, "resolved");
    w.forward(1_800).await;
    assert!(w.phone(LENA).calls().is_empty());
    assert!(w.phone(PRIYA).texts().is_empty());
    w.trigger("db1 is down").await;
    assert_eq!(w.status(2).await, "open", "a trigger after the end opens a new alert");
    w.end().await;
}

async fn an_event_without_a_route_goes_to_the_fallback(w: World) {
    let event = json!({ "action": "trigger", "summary": "lost", "severity": "high" });
    w.send("nowhere", event).await;
    w.phone(PRIYA).wait_for_text("lost", LIMIT).await.unwrap();
    assert!(w.phone(LENA).texts().is_empty());
    w.end().await;
}
