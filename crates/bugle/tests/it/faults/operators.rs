//! A provider that does not accept us: people are reached by another way, and the operator is told.

use bugle_lab::{Answer, Knobs, Service};
use serde_json::Value;

use super::{CALLS, TEXTS, set};
use crate::on_each_database;
use crate::world::{LENA, LIMIT, PRIYA, World, critical, key};

on_each_database! {
    a_suspended_account_is_passed_over_and_the_operator_is_told
    two_suspended_accounts_hop_and_are_told_of_once
    a_provider_that_accepts_again_ends_its_notice
    an_account_that_may_not_have_texts_delivered_is_told_of
    a_notice_that_cannot_be_sent_makes_no_new_one
}

fn suspended() -> Knobs {
    Knobs::answering(Answer::Suspended)
}

/// Summaries of alerts with this status that are about providers, oldest first.
async fn notices(w: &World, status: &str) -> Vec<String> {
    let list = w.get(&format!("/api/v1/alerts?status={status}&q=bugle/provider")).await;
    let mut alerts: Vec<&Value> = list["data"].as_array().unwrap().iter().collect();
    alerts.sort_by_key(|alert| alert["number"].as_i64());
    alerts.iter().map(|alert| alert["summary"].as_str().unwrap().to_owned()).collect()
}

async fn count(w: &World, status: &str) -> usize {
    w.settle().await;
    notices(w, status).await.len()
}

async fn a_suspended_account_is_passed_over_and_the_operator_is_told(w: World) {
    w.lab.set(Service::Texts, suspended());
    w.trigger("db1 is down").await;
    let text = w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    assert_eq!(text.from, w.lab.spare_account().number);
    assert_eq!(text.at, w.clock.now(), "the other account was used at once");
    w.phone(PRIYA).wait_for_text("does not accept us", LIMIT).await.unwrap();
    let said = "Provider simulated (sms) does not accept us: \
                HTTP 403, error 20005: Account not active";
    assert_eq!(notices(&w, "open").await, [said]);
    let why = w.why("2").await;
    assert!(why.contains("Bugle itself"), "{why}");
    w.end().await;
}

async fn two_suspended_accounts_hop_and_are_told_of_once(w: World) {
    set(&w, TEXTS, suspended());
    w.trigger("db1 is down").await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    assert!(w.phone(LENA).texts().is_empty());
    w.phone(PRIYA).wait_for_call(LIMIT).await.unwrap();
    w.until("one for each account", async || notices(&w, "open").await.len() == 2).await;
    w.trigger("db2 is down").await;
    w.forward(75).await;
    w.trigger("db3 is down").await;
    assert_eq!(count(&w, "open").await, 2, "{:?}", notices(&w, "open").await);
    w.end().await;
}

async fn a_provider_that_accepts_again_ends_its_notice(w: World) {
    set(&w, TEXTS, suspended());
    w.trigger("db1 is down").await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    w.until("one for each account", async || notices(&w, "open").await.len() == 2).await;
    set(&w, TEXTS, Knobs::default());
    w.post_event("checkout", critical("db2 is down")).await;
    w.let_time_pass(|| !w.phone(LENA).texts().is_empty()).await;
    w.until("a notice is over", async || !notices(&w, "resolved").await.is_empty()).await;
    let open = notices(&w, "open").await;
    assert_eq!(open.len(), 1, "the other account has accepted nothing yet: {open:?}");
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_operators_are_told_goes_where_the_configuration_says() {
    let w =
        World::configured(|_, behaviour| behaviour.operators_key = Some(key("checkout").into()))
            .await;
    w.lab.set(Service::Texts, suspended());
    w.trigger("db1 is down").await;
    // What follows a text within seconds is held for a moment.
    w.forward(15).await;
    w.phone(LENA).wait_for_text("accept us", LIMIT).await.unwrap();
    assert!(w.phone(PRIYA).texts().is_empty());
    w.end().await;
}

async fn an_account_that_may_not_have_texts_delivered_is_told_of(w: World) {
    // 30034: the number is not registered with the networks.
    w.lab.set(Service::Texts, Knobs { fail_later: Some(30_034), ..Knobs::default() }.once());
    w.trigger("db1 is down").await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    w.phone(PRIYA).wait_for_text("does not deliver for us", LIMIT).await.unwrap();
    // The text to Priya was delivered, by the same account.
    w.until("the notice is over", async || notices(&w, "resolved").await.len() == 1).await;
    assert_eq!(count(&w, "open").await, 0);
    w.end().await;
}

async fn a_notice_that_cannot_be_sent_makes_no_new_one(w: World) {
    set(&w, TEXTS.into_iter().chain(CALLS), suspended());
    w.trigger("db1 is down").await;
    w.lab.mailbox("priya@halden.example").wait_for_mail("accept us", LIMIT).await.unwrap();
    w.until("one for each account and channel", async || notices(&w, "open").await.len() == 4)
        .await;
    w.forward(600).await;
    assert_eq!(count(&w, "open").await, 4, "{:?}", notices(&w, "open").await);
    set(&w, TEXTS.into_iter().chain(CALLS), Knobs::default());
    w.end().await;
}
