//! Asking a provider whether it has a message, after its answer was lost.

use bugle_channels::Lookup;
use bugle_lab::{Answer, Knobs, Service};

use crate::helpers::{LIMIT, PHONE, World, call, mail, text};

#[tokio::test]
async fn a_text_whose_answer_was_lost_is_found_by_its_reference() {
    let world = World::new().await;
    let message = text(1, "db down");
    assert_eq!(world.channels.lookup(&message, None, world.now).await, Lookup::NotFound);
    world.lab.set(Service::Texts, Knobs::answering(Answer::TakeAndDrop).once());
    assert_eq!(world.send(&message).await.outcome, world.unsure(10));
    let reworded = text(1, "31 min late: db down");
    let found = world.channels.lookup(&reworded, Some("texts"), world.now).await;
    let arrived = world.lab.phone(PHONE).wait_for_text("db down", LIMIT).await.unwrap();
    let expected = Lookup::Found { provider: "texts".to_owned(), provider_ref: arrived.sid };
    assert_eq!(found, expected);
    let other = text(2, "db down");
    assert_eq!(world.channels.lookup(&other, None, world.now).await, Lookup::NotFound);
    world.lab.stop().await;
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_is_found_by_what_was_asked_about_it() {
    let world = World::new().await;
    let message = call(1);
    assert_eq!(world.channels.lookup(&message, None, world.now).await, Lookup::NotFound);
    world.lab.set(Service::Calls, Knobs::answering(Answer::TakeAndDrop).once());
    assert_eq!(world.send(&message).await.outcome, world.unsure(10));
    let path = format!("/callbacks/twilio/calls/call/{}", message.notification);
    world.lab.hooks().wait_for(&path, 2, LIMIT).await.unwrap();
    let found = world.channels.lookup(&message, None, world.now).await;
    assert!(matches!(found, Lookup::Found { .. }), "{found:?}");
    assert_eq!(world.channels.lookup(&call(2), None, world.now).await, Lookup::NotFound);
    world.lab.stop().await;
}

#[tokio::test]
async fn who_keeps_no_list_cannot_know() {
    let world = World::new().await;
    let found = world.channels.lookup(&mail(1, "db down"), None, world.now).await;
    assert_eq!(found, Lookup::CannotKnow);
    world.lab.stop().await;
}
