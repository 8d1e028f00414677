//! Every way to answer: reply, call, link, API; and answers that come twice or too late.

use serde_json::json;

use crate::on_each_database;
use crate::world::{LENA, LIMIT, PRIYA, World};

on_each_database! {
    a_reply_to_the_text_takes_it_and_says_so
    the_link_in_the_text_shows_and_only_its_button_acts
    a_reply_that_may_mean_either_of_two_texts_is_asked_back
    five_in_a_call_passes_it_on
    five_said_twice_passes_it_on_once
    six_in_a_call_ends_it
    a_machine_that_picks_up_answers_nothing
    acknowledging_twice_is_harmless
}

async fn a_reply_to_the_text_takes_it_and_says_so(w: World) {
    w.trigger("db1 is down").await;
    w.phone(LENA).wait_for_text("db1", LIMIT).await.unwrap();
    w.phone(LENA).reply("4").await.unwrap();
    w.settle().await;
    assert_eq!(w.status(1).await, "acknowledged");
    w.phone(LENA).wait_for_text("Priya", LIMIT).await.unwrap();
    w.end().await;
}

async fn the_link_in_the_text_shows_and_only_its_button_acts(w: World) {
    w.trigger("db1 is down").await;
    let text = w.phone(LENA).wait_for_text("/a/", LIMIT).await.unwrap();
    let token = text.body.split("/a/").nth(1).unwrap();
    let token: String = token.chars().take_while(char::is_ascii_alphanumeric).collect();
    let url = format!("{}/a/{token}", w.base);
    let page = reqwest::get(&url).await.unwrap().text().await.unwrap();
    assert!(page.contains("db1 is down") && page.contains("Acknowledge"), "{page}");
    w.settle().await;
    assert_eq!(w.status(1).await, "open", "a GET changes nothing");
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let form = [("action", "acknowledge")];
    let said = client.build().unwrap().post(&url).form(&form).send().await.unwrap();
    assert!(said.status().is_redirection() || said.status().is_success(), "{}", said.status());
    w.settle().await;
    assert_eq!(w.status(1).await, "acknowledged");
    w.end().await;
}

async fn a_reply_that_may_mean_either_of_two_texts_is_asked_back(w: World) {
    w.trigger("db1 is down").await;
    w.forward(20).await;
    w.trigger("db2 is down").await;
    w.phone(LENA).wait_for_text("db2", LIMIT).await.unwrap();
    w.phone(LENA).reply("4").await.unwrap();
    w.phone(LENA).wait_for_text("Which? Reply 4 #1, 4 #2 or 4 all.", LIMIT).await.unwrap();
    assert_eq!((w.status(1).await, w.status(2).await), ("open".to_owned(), "open".to_owned()));
    w.phone(LENA).reply("4 #1").await.unwrap();
    w.phone(LENA).wait_for_text("Acked 1", LIMIT).await.unwrap();
    // Now it can mean only the other.
    w.phone(LENA).reply("4").await.unwrap();
    w.phone(LENA).wait_for_text("Acked 2", LIMIT).await.unwrap();
    w.settle().await;
    w.end().await;
}

async fn five_in_a_call_passes_it_on(w: World) {
    w.trigger("db1 is down").await;
    w.forward(60).await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    w.phone(LENA).press('5').await.unwrap();
    w.settle().await;
    w.phone(PRIYA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    assert_eq!(w.status(1).await, "open");
    w.end().await;
}

/// At the archive, Priya is told first and in the fallback again.
async fn five_said_twice_passes_it_on_once(w: World) {
    w.trigger("db1 is down").await;
    w.forward(60).await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    w.phone(LENA).press('5').await.unwrap();
    w.phone(PRIYA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    let waits = w.alert(1).await["escalation"].take();
    w.phone(LENA).reply("5").await.unwrap();
    w.phone(LENA).wait_for_text("already passed on to Priya", LIMIT).await.unwrap();
    w.settle().await;
    assert_eq!(w.alert(1).await["escalation"], waits);
    let first = json!({ "told_at": "2026-11-20T02:41:00Z" });
    let said = w.post("/api/v1/alerts/1/pass-on", first).await;
    assert_eq!(said["effect"]["effect"], "already_passed_on", "{said}");
    let said = w.post("/api/v1/alerts/1/pass-on", json!({ "told_at": waits["told_at"] })).await;
    assert_eq!(said["effect"]["effect"], "passed_on", "{said}");
    w.end().await;
}

async fn six_in_a_call_ends_it(w: World) {
    w.trigger("db1 is down").await;
    w.forward(60).await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    w.phone(LENA).press('6').await.unwrap();
    w.settle().await;
    assert_eq!(w.status(1).await, "resolved");
    w.end().await;
}

async fn a_machine_that_picks_up_answers_nothing(w: World) {
    w.trigger("db1 is down").await;
    w.forward(60).await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    w.phone(LENA).voicemail().await.unwrap();
    w.settle().await;
    assert_eq!(w.status(1).await, "open");
    w.forward(300).await;
    w.phone(PRIYA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    w.end().await;
}

async fn acknowledging_twice_is_harmless(w: World) {
    w.trigger("db1 is down").await;
    w.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    w.forward(15).await;
    let again = w.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    assert_eq!(again["sentence"], "Acknowledged.");
    let whole = w.get("/api/v1/alerts/1").await;
    let lines = whole["timeline"].as_array().unwrap().iter();
    assert_eq!(lines.filter(|line| line["kind"] == "acknowledged").count(), 1, "{whole}");
    w.end().await;
}
