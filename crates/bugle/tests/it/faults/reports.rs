//! Providers that take a message and then say nothing, lie, fail later, or muddle their reports.

use bugle_app::handset::CallState;
use bugle_lab::{Answer, Knobs, Service};

use super::{CALLS, TEXTS, set, told};
use crate::on_each_database;
use crate::world::{LENA, LIMIT, PRIYA, World};

on_each_database! {
    a_text_that_is_accepted_and_lost_does_not_stop_the_call
    a_call_that_is_accepted_and_lost_does_not_stop_escalation
    a_false_delivered_is_no_answer
    a_call_that_is_said_to_have_been_made_is_no_answer
    a_text_that_fails_later_brings_the_call_forward
    a_phone_that_is_off_gets_the_text_once_more
    reports_that_come_twice_and_in_disorder_move_no_receipt_back
    reports_of_a_call_that_come_twice_do_not_ring_again
    an_answer_that_overtakes_the_word_of_the_provider_counts
}

async fn a_text_that_is_accepted_and_lost_does_not_stop_the_call(w: World) {
    set(&w, TEXTS, Knobs { lose: true, ..Knobs::default() });
    w.trigger("db1 is down").await;
    let told = told(&w, 1, LENA).await;
    assert!(!told.iter().any(|line| line.contains("sms: delivered")), "{told:?}");
    w.forward(60).await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    assert!(w.phone(LENA).texts().is_empty());
    w.end().await;
}

async fn a_call_that_is_accepted_and_lost_does_not_stop_escalation(w: World) {
    set(&w, TEXTS.into_iter().chain(CALLS), Knobs { lose: true, ..Knobs::default() });
    w.trigger("db1 is down").await;
    w.forward(285).await;
    assert!(w.phone(LENA).calls().is_empty());
    set(&w, TEXTS.into_iter().chain(CALLS), Knobs::default());
    w.forward(15).await;
    w.phone(PRIYA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    // What nobody reported on ends, and is not sent again to somebody who may have it.
    w.forward(300).await;
    assert!(w.phone(LENA).texts().is_empty());
    w.end().await;
}

async fn a_false_delivered_is_no_answer(w: World) {
    set(&w, TEXTS, Knobs { false_delivered: true, ..Knobs::default() });
    w.trigger("db1 is down").await;
    let told = told(&w, 1, LENA).await;
    assert!(told.iter().any(|line| line.starts_with("sms: delivered")), "{told:?}");
    assert_eq!(w.status(1).await, "open");
    w.forward(60).await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    set(&w, TEXTS, Knobs::default());
    w.forward(240).await;
    w.phone(PRIYA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    w.end().await;
}

async fn a_call_that_is_said_to_have_been_made_is_no_answer(w: World) {
    set(&w, CALLS, Knobs { false_delivered: true, ..Knobs::default() });
    w.trigger("db1 is down").await;
    w.forward(180).await;
    assert!(w.phone(LENA).calls().is_empty());
    assert_eq!(w.status(1).await, "open");
    w.forward(120).await;
    w.phone(PRIYA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    w.end().await;
}

async fn a_text_that_fails_later_brings_the_call_forward(w: World) {
    // 30005: nobody has this number.
    set(&w, TEXTS, Knobs { fail_later: Some(30_005), ..Knobs::default() });
    w.trigger("db1 is down").await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    w.end().await;
}

async fn a_phone_that_is_off_gets_the_text_once_more(w: World) {
    // 30003: the phone can't be reached.
    let off = Knobs { fail_later: Some(30_003), ..Knobs::default() };
    set(&w, TEXTS, off.once());
    w.trigger("db1 is down").await;
    assert!(w.phone(LENA).texts().is_empty());
    w.forward(45).await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    w.end().await;
}

/// A muddle of reports.
fn muddled() -> Knobs {
    Knobs { duplicate_callbacks: true, shuffled_callbacks: true, ..Knobs::default() }
}

async fn reports_that_come_twice_and_in_disorder_move_no_receipt_back(w: World) {
    set(&w, TEXTS, muddled());
    w.trigger("db1 is down").await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    w.settle().await;
    let before = told(&w, 1, LENA).await;
    assert!(before.iter().any(|line| line.starts_with("sms: delivered")), "{before:?}");
    w.phone(LENA).reply("4").await.unwrap();
    w.settle().await;
    let answered = told(&w, 1, LENA).await;
    assert!(answered.iter().any(|line| line.starts_with("sms: answered")), "{answered:?}");
    w.forward(300).await;
    assert_eq!(told(&w, 1, LENA).await, answered);
    assert!(w.phone(PRIYA).texts().is_empty());
    w.end().await;
}

async fn reports_of_a_call_that_come_twice_do_not_ring_again(w: World) {
    w.lab.set(Service::Calls, muddled());
    w.trigger("db1 is down").await;
    w.forward(60).await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    w.phone(LENA).press('4').await.unwrap();
    w.phone(LENA).wait_for_call_state(CallState::Ended, LIMIT).await.unwrap();
    w.settle().await;
    w.forward(300).await;
    assert_eq!(w.phone(LENA).calls().len(), 1);
    assert_eq!(w.status(1).await, "acknowledged");
    assert!(w.phone(PRIYA).texts().is_empty());
    w.end().await;
}

async fn an_answer_that_overtakes_the_word_of_the_provider_counts(w: World) {
    set(&w, TEXTS, Knobs::answering(Answer::TakeAndHang));
    w.trigger("db1 is down").await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    w.phone(LENA).reply("4").await.unwrap();
    w.until("she has it", || async { w.status(1).await == "acknowledged" }).await;
    w.end().await;
}
