//! What happens when providers misbehave.

use bugle_lab::{Answer, Knobs, Service};

use crate::on_each_database;
use crate::world::{LENA, LIMIT, World};

on_each_database! {
    a_refused_text_brings_the_call_forward
    a_provider_that_fails_is_passed_over
    a_cut_answer_is_looked_up_and_not_sent_twice
}

async fn a_refused_text_brings_the_call_forward(w: World) {
    // 21610: whoever has this number does not want our texts.
    for service in [Service::Texts, Service::SpareTexts] {
        w.lab.set(service, Knobs::answering(Answer::Refuse(21_610)));
    }
    w.trigger("db1 is down").await;
    w.phone(LENA).wait_for_call(LIMIT).await.unwrap();
    assert!(w.phone(LENA).texts().is_empty());
    assert!(w.why("1").await.contains("next"), "{}", w.why("1").await);
    w.end().await;
}

async fn a_provider_that_fails_is_passed_over(w: World) {
    w.lab.set(Service::Texts, Knobs::answering(Answer::Error(503)));
    w.trigger("db1 is down").await;
    w.forward(60).await;
    let text = w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    assert_eq!(text.from, w.lab.spare_account().number);
    w.end().await;
}

async fn a_cut_answer_is_looked_up_and_not_sent_twice(w: World) {
    w.lab.set(Service::Texts, Knobs::answering(Answer::TakeAndDrop).once());
    w.trigger("db1 is down").await;
    w.forward(45).await;
    assert_eq!(w.phone(LENA).texts().len(), 1);
    w.end().await;
}
