//! Text messages: what the provider gets, and what each of its moods comes to.

use bugle_channels::Fault;
use bugle_domain::notification::SendOutcome;
use bugle_lab::{Answer, Knobs, Service};

use crate::helpers::{LIMIT, PHONE, World, impatient, text};

#[tokio::test]
async fn a_text_arrives_with_its_reference_and_its_states_are_reported() {
    let world = World::new().await;
    let sent = world.send(&text(1, "CRIT Payments: café down. 4=ack")).await;
    assert_eq!((sent.outcome, sent.provider.as_str()), (SendOutcome::Accepted, "texts"));
    let arrived = world.lab.phone(PHONE).wait_for_text("café", LIMIT).await.unwrap();
    assert_eq!(sent.provider_ref.as_deref(), Some(arrived.sid.as_str()));
    assert_eq!(arrived.body, "CRIT Payments: café down. 4=ack #3A24");
    let path = format!("/callbacks/twilio/texts/message/{}", text(1, "").notification);
    let reports = world.lab.hooks().wait_for(&path, 2, LIMIT).await.unwrap();
    let states: Vec<_> = reports
        .iter()
        .filter_map(|hook| {
            let body = String::from_utf8_lossy(&hook.body).into_owned();
            body.split('&')
                .find_map(|field| field.strip_prefix("MessageStatus=").map(str::to_owned))
        })
        .collect();
    assert_eq!(states, ["sent", "delivered"]);
    world.lab.stop().await;
}

#[tokio::test]
async fn each_mood_of_the_provider_has_its_outcome() {
    let world = World::with(|settings| impatient(&mut settings.sms[0].limits)).await;
    let moods = [
        (Answer::Refuse(21_211), SendOutcome::Refused, Some(Fault::Contact)),
        (Answer::Refuse(21_610), SendOutcome::Refused, Some(Fault::Contact)),
        (Answer::Refuse(21_408), SendOutcome::Misconfigured, Some(Fault::Contact)),
        (Answer::Suspended, SendOutcome::Misconfigured, Some(Fault::Us)),
        (Answer::Error(503), world.retry(10), Some(Fault::Provider)),
        (Answer::TakeAndDrop, world.unsure(10), Some(Fault::Provider)),
        (Answer::Drop, world.unsure(10), Some(Fault::Provider)),
        (Answer::Take, SendOutcome::Accepted, None),
        (Answer::Hang, world.unsure(10), Some(Fault::Provider)),
        (Answer::TooMany { retry_after_s: Some(7) }, world.retry(7), Some(Fault::Provider)),
    ];
    for (answer, outcome, fault) in moods {
        world.lab.set(Service::Texts, Knobs::answering(answer));
        let sent = world.send(&text(1, "db down")).await;
        assert_eq!((sent.outcome, sent.fault), (outcome, fault), "{answer:?}: {}", sent.detail);
    }
    world.lab.stop().await;
}

#[tokio::test]
async fn a_refused_connection_is_not_unsure() {
    let world = World::with(|settings| {
        settings.sms[0].api_base = "http://127.0.0.1:9/".parse().unwrap();
    })
    .await;
    let sent = world.send(&text(1, "db down")).await;
    assert_eq!(sent.outcome, world.retry(10), "{}", sent.detail);
    world.lab.stop().await;
}

#[tokio::test]
async fn nothing_leaves_after_the_time_to_send() {
    let world = World::new().await;
    let sent = world.channels.send(&text(1, "late"), tokio::time::Instant::now(), world.now).await;
    assert_eq!((sent.outcome, sent.fault), (world.retry(0), Some(Fault::Us)));
    let sent = world.send(&text(2, "in time")).await;
    assert_eq!(sent.outcome, SendOutcome::Accepted);
    let texts = world.lab.phone(PHONE).wait_for_texts(1, LIMIT).await.unwrap();
    assert!(texts[0].body.starts_with("in time"), "{texts:?}");
    world.lab.stop().await;
}

#[tokio::test]
async fn a_long_wait_that_the_provider_asks_for_has_a_ceiling() {
    let world = World::new().await;
    let answer = Answer::TooMany { retry_after_s: Some(86_400) };
    world.lab.set(Service::Texts, Knobs::answering(answer));
    assert_eq!(world.send(&text(1, "db down")).await.outcome, world.retry(300));
    world.lab.stop().await;
}
