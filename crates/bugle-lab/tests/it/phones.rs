//! The lab's phones themselves: what Bugle is told when somebody answers, presses, writes.

use bugle_app::handset::{CallState, Handset as _, HandsetError, ReceiverKind};
use bugle_channels::twilio::{CallbackRequest, SignatureError};
use bugle_lab::{Hook, Knobs, Service};

use crate::helpers::{LIMIT, PHONE, World, call, text};

fn fields(hook: &Hook) -> Vec<(String, String)> {
    let body = String::from_utf8_lossy(&hook.body).into_owned();
    let query = format!("http://x/?{body}").parse::<reqwest::Url>().unwrap();
    query.query_pairs().into_owned().collect()
}

fn field(hook: &Hook, name: &str) -> String {
    fields(hook)
        .into_iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
        .unwrap_or_default()
}

#[tokio::test]
async fn callbacks_are_signed_as_the_channels_expect() {
    let world = World::new().await;
    world.send(&text(1, "db down")).await;
    let path = format!("/callbacks/twilio/texts/message/{}", text(1, "").notification);
    let hooks = world.lab.hooks().wait_for(&path, 1, LIMIT).await.unwrap();
    let mut request = CallbackRequest {
        path_and_query: path,
        params: fields(&hooks[0]),
        signature: hooks[0].headers.get("x-twilio-signature").cloned(),
        signature_settings: None,
    };
    assert_eq!(world.channels.verify_callback("texts", &request), Ok(()));
    let unknown = Err(SignatureError::UnknownProvider);
    assert_eq!(world.channels.verify_callback("other", &request), unknown);
    request.params.push(("MessageStatus".to_owned(), "delivered!".to_owned()));
    let mismatch = Err(SignatureError::Mismatch);
    assert_eq!(world.channels.verify_callback("texts", &request), mismatch);
    world.lab.stop().await;
}

#[tokio::test]
async fn a_call_that_nobody_answers_ends_when_its_time_is_over() {
    let world = World::new().await;
    world.send(&call(1)).await;
    let phone = world.lab.phone(PHONE);
    phone.wait_for_call(LIMIT).await.unwrap();
    let path = format!("/callbacks/twilio/calls/call/{}", call(1).notification);
    world.lab.hooks().wait_for(&path, 2, LIMIT).await.unwrap();
    world.clock.push(jiff::SignedDuration::from_secs(31));
    phone.wait_for_call_state(CallState::Ended, LIMIT).await.unwrap();
    let reports = world.lab.hooks().wait_for(&path, 3, LIMIT).await.unwrap();
    let states: Vec<_> = reports.iter().map(|hook| field(hook, "CallStatus")).collect();
    assert_eq!(states, ["initiated", "ringing", "no-answer"]);
    world.lab.stop().await;
}

#[tokio::test]
async fn a_machine_that_answers_is_reported_as_one() {
    let world = World::new().await;
    world.send(&call(1)).await;
    let phone = world.lab.phone(PHONE);
    phone.wait_for_call(LIMIT).await.unwrap();
    phone.voicemail().await.unwrap();
    let path = format!("/callbacks/twilio/calls/voice/{}", call(1).notification);
    let asked = world.lab.hooks().wait_for(&path, 1, LIMIT).await.unwrap();
    assert_eq!(field(&asked[0], "AnsweredBy"), "machine_end_beep");
    assert_eq!(phone.press('4').await, Err(HandsetError::NoSuchCall));
    world.lab.stop().await;
}

#[tokio::test]
async fn a_declined_call_is_busy() {
    let world = World::new().await;
    world.send(&call(1)).await;
    let phone = world.lab.phone(PHONE);
    phone.wait_for_call(LIMIT).await.unwrap();
    phone.hang_up().await.unwrap();
    assert_eq!(phone.calls()[0].status, "busy");
    world.lab.stop().await;
}

#[tokio::test]
async fn a_text_from_a_phone_is_posted_to_the_inbound_url() {
    let world = World::new().await;
    let phone = world.lab.phone(PHONE);
    assert!(matches!(phone.reply("4").await, Err(HandsetError::NotTaken(_))));
    world.lab.set_inbound_url(world.lab.account(), world.lab.hook_url("/inbound").as_str());
    phone.reply("4").await.unwrap();
    let hooks = world.lab.hooks().wait_for("/inbound", 1, LIMIT).await.unwrap();
    assert_eq!(field(&hooks[0], "Body"), "4");
    assert_eq!(field(&hooks[0], "From"), PHONE);
    world.lab.stop().await;
}

#[tokio::test]
async fn what_is_lost_reaches_nobody_and_what_is_falsely_delivered_is_reported() {
    let world = World::new().await;
    world.lab.set(Service::Texts, Knobs { lose: true, ..Knobs::default() });
    world.send(&text(1, "lost")).await;
    world.lab.set(Service::Texts, Knobs { false_delivered: true, ..Knobs::default() });
    world.send(&text(2, "lied about")).await;
    world.lab.set(Service::Texts, Knobs { fail_later: Some(30_003), ..Knobs::default() });
    world.send(&text(3, "failed")).await;
    let report =
        |number: u8| format!("/callbacks/twilio/texts/message/{}", text(number, "").notification);
    let lied = world.lab.hooks().wait_for(&report(2), 2, LIMIT).await.unwrap();
    assert_eq!(field(&lied[1], "MessageStatus"), "delivered");
    let failed = world.lab.hooks().wait_for(&report(3), 2, LIMIT).await.unwrap();
    assert_eq!(field(&failed[1], "ErrorCode"), "30003");
    assert_eq!(world.lab.hooks().at(&report(1)), []);
    assert_eq!(world.lab.phone(PHONE).texts(), []);
    world.lab.stop().await;
}

#[tokio::test]
async fn callbacks_can_come_twice_and_in_the_wrong_order() {
    let world = World::new().await;
    let knobs = Knobs { duplicate_callbacks: true, shuffled_callbacks: true, ..Knobs::default() };
    world.lab.set(Service::Texts, knobs);
    world.send(&text(1, "db down")).await;
    let path = format!("/callbacks/twilio/texts/message/{}", text(1, "").notification);
    let reports = world.lab.hooks().wait_for(&path, 4, LIMIT).await.unwrap();
    let states: Vec<_> = reports.iter().map(|hook| field(hook, "MessageStatus")).collect();
    assert_eq!(states, ["delivered", "delivered", "sent", "sent"]);
    world.lab.stop().await;
}

#[tokio::test]
async fn the_handset_shows_who_is_being_called_first() {
    let world = World::new().await;
    world.lab.set_owner("amir@halden.example", "Amir");
    world.lab.set_owner(PHONE, "Lena");
    let before = *world.lab.subscribe().borrow();
    world.send(&call(1)).await;
    world.lab.phone(PHONE).wait_for_call(LIMIT).await.unwrap();
    let receivers = world.lab.receivers();
    let owners: Vec<_> = receivers.iter().take(2).map(|receiver| receiver.owner.as_str()).collect();
    assert_eq!(owners, ["Lena", "Amir"]);
    assert_eq!(receivers[0].kind, ReceiverKind::Phone { number: PHONE.to_owned() });
    assert_eq!(receivers[0].call.as_ref().map(|call| call.state), Some(CallState::Ringing));
    assert!(*world.lab.subscribe().borrow() > before);
    world.lab.stop().await;
}
