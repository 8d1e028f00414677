//! What happens when providers misbehave: a story for each knob of the lab.

use std::time::Duration;

use bugle_domain::AllTenants;
use bugle_lab::{Answer, Knobs, Service};
use serde_json::json;

use crate::on_each_database;
use crate::world::{LENA, LIMIT, PRIYA, World, critical};

mod operators;
mod poison;
mod reports;

/// Both accounts, and both mail servers.
const TEXTS: [Service; 2] = [Service::Texts, Service::SpareTexts];
const CALLS: [Service; 2] = [Service::Calls, Service::SpareCalls];
const MAIL: [Service; 2] = [Service::Mail, Service::SpareMail];

on_each_database! {
    a_refused_text_brings_the_call_forward
    a_phone_that_takes_nothing_leaves_the_mail
    a_provider_that_fails_is_passed_over
    two_providers_that_fail_are_tried_again
    too_many_requests_wait_as_told_and_then_arrive
    a_slow_provider_delivers_once
    a_provider_that_hangs_delays_nobody_else
    a_connection_cut_before_the_request_costs_nothing
    a_cut_answer_is_looked_up_and_not_sent_twice
    a_call_whose_answer_was_cut_does_not_ring_twice
    a_mail_that_may_have_left_is_marked_when_it_is_repeated
    a_grey_listed_mail_is_sent_again_later
}

/// Makes services misbehave in the same way.
pub(super) fn set(w: &World, services: impl IntoIterator<Item = Service>, knobs: Knobs) {
    for service in services {
        w.lab.set(service, knobs);
    }
}

/// What the alert's page says of each message to `name`: channel, words, and whether it may be a
/// repeat.
pub(super) async fn told(w: &World, number: i64, name: &str) -> Vec<String> {
    let view = w.get(&format!("/api/v1/alerts/{number}")).await;
    let lines = view["told"].as_array().unwrap().iter().filter(|line| line["name"] == name);
    let words = |line: &serde_json::Value| {
        let (channel, words) = (line["channel"].as_str().unwrap(), line["words"].as_str().unwrap());
        format!("{channel}: {words}")
    };
    lines.map(words).collect()
}

async fn a_refused_text_brings_the_call_forward(w: World) {
    // 21610: whoever has this number does not want our texts.
    set(&w, TEXTS, Knobs::answering(Answer::Refuse(21_610)));
    w.trigger("db1 is down").await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    assert!(w.phone(LENA).texts().is_empty());
    assert!(w.why("1").await.contains("next"), "{}", w.why("1").await);
    w.end().await;
}

async fn a_phone_that_takes_nothing_leaves_the_mail(w: World) {
    set(&w, TEXTS, Knobs::answering(Answer::Refuse(21_610)));
    set(&w, CALLS, Knobs::answering(Answer::Refuse(21_214)));
    w.trigger("db1 is down").await;
    w.lab.mailbox("lena@halden.example").wait_for_mail("db1 is down", LIMIT).await.unwrap();
    assert!(w.phone(LENA).texts().is_empty() && w.phone(LENA).calls().is_empty());
    assert_eq!(w.status(1).await, "open");
    w.end().await;
}

async fn a_provider_that_fails_is_passed_over(w: World) {
    w.lab.set(Service::Texts, Knobs::answering(Answer::Error(503)));
    w.trigger("db1 is down").await;
    let text = w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    assert_eq!(text.from, w.lab.spare_account().number);
    assert_eq!(text.at, w.clock.now(), "nothing was waited for");
    w.end().await;
}

async fn two_providers_that_fail_are_tried_again(w: World) {
    set(&w, TEXTS, Knobs::answering(Answer::Error(503)).once());
    w.trigger("db1 is down").await;
    assert!(w.phone(LENA).texts().is_empty());
    w.forward(15).await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    assert_eq!(w.phone(LENA).texts().len(), 1);
    w.end().await;
}

async fn too_many_requests_wait_as_told_and_then_arrive(w: World) {
    let retry_after_s = Some(1);
    set(&w, TEXTS, Knobs::answering(Answer::TooMany { retry_after_s }).once());
    let began = w.clock.now();
    w.trigger("db1 is down").await;
    assert!(w.phone(LENA).texts().is_empty());
    // The channels keep to the wait on the machine's clock, which nobody can push.
    w.let_time_pass(|| !w.phone(LENA).texts().is_empty()).await;
    let text = w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    assert!(text.at.duration_since(began).as_secs() >= 1, "{} after {began}", text.at);
    assert!(!text.body.contains("repeat"), "{}", text.body);
    w.settle().await;
    assert_eq!(w.phone(LENA).texts().len(), 1);
    w.end().await;
}

async fn a_slow_provider_delivers_once(w: World) {
    set(&w, TEXTS, Knobs { delay: Duration::from_secs(3), ..Knobs::default() });
    w.post_event("checkout", critical("db1 is down")).await;
    w.let_time_pass(|| !w.phone(LENA).texts().is_empty()).await;
    w.settle().await;
    assert_eq!(w.phone(LENA).texts().len(), 1);
    assert_eq!(told(&w, 1, LENA).await.len(), 3, "one text, one mail, and the call to come");
    w.end().await;
}

async fn a_provider_that_hangs_delays_nobody_else(w: World) {
    w.lab.set(Service::Texts, Knobs::answering(Answer::Hang).once());
    w.post_event("checkout", critical("db1 is down")).await;
    w.until("the first text hangs", async || w.lab.knobs(Service::Texts).answer != Answer::Hang)
        .await;
    w.post_event("nowhere", critical("db2 is down")).await;
    w.phone(PRIYA).wait_for_text("db2 is down", LIMIT).await.unwrap();
    let sums = w.store.ledger_of_all(AllTenants::granted(), w.clock.now()).await.unwrap().total;
    assert!(sums.sending >= 1, "the first still hangs: {sums:?}");
    assert!(w.phone(LENA).texts().is_empty());
    w.settle().await;
    w.forward(15).await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    assert_eq!(w.phone(LENA).texts().len(), 1);
    w.end().await;
}

async fn a_connection_cut_before_the_request_costs_nothing(w: World) {
    w.lab.set(Service::Texts, Knobs::answering(Answer::Drop).once());
    w.trigger("db1 is down").await;
    w.forward(30).await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    assert_eq!(w.phone(LENA).texts().len(), 1);
    w.end().await;
}

async fn a_cut_answer_is_looked_up_and_not_sent_twice(w: World) {
    w.lab.set(Service::Texts, Knobs::answering(Answer::TakeAndDrop).once());
    w.trigger("db1 is down").await;
    w.forward(45).await;
    assert_eq!(w.phone(LENA).texts().len(), 1);
    w.end().await;
}

async fn a_call_whose_answer_was_cut_does_not_ring_twice(w: World) {
    w.lab.set(Service::Calls, Knobs::answering(Answer::TakeAndDrop).once());
    w.trigger("db1 is down").await;
    w.forward(60).await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    w.forward(15).await;
    assert_eq!(w.phone(LENA).calls().len(), 1, "it rings still, and is known");
    w.phone(LENA).press('4').await.unwrap();
    w.settle().await;
    assert_eq!(w.status(1).await, "acknowledged");
    w.end().await;
}

/// A mail server keeps no list that could be asked.
async fn a_mail_that_may_have_left_is_marked_when_it_is_repeated(w: World) {
    set(&w, MAIL, Knobs::answering(Answer::TakeAndDrop).once());
    w.trigger("db1 is down").await;
    w.forward(30).await;
    let mails = w.lab.mailbox("lena@halden.example").mails();
    assert!(mails.len() > 1, "{mails:?}");
    let ids: Vec<_> = mails.iter().map(|mail| mail.header("message-id")).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "a mail program can see that they are one");
    assert!(!mails[0].text.contains("repeat"), "{}", mails[0].text);
    assert!(mails[1].text.contains("repeat"), "{}", mails[1].text);
    w.end().await;
}

/// The recipient's server asks to come back, whoever it is that asks.
async fn a_grey_listed_mail_is_sent_again_later(w: World) {
    set(&w, MAIL, Knobs::answering(Answer::TooMany { retry_after_s: None }));
    w.trigger("db1 is down").await;
    assert!(w.why("1").await.contains("451"), "{}", w.why("1").await);
    set(&w, MAIL, Knobs::default());
    w.forward(15).await;
    w.lab.mailbox("lena@halden.example").wait_for_mail("db1 is down", LIMIT).await.unwrap();
    w.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    w.end().await;
}
