//! Calls: a phone rings, and what each mood of the provider comes to.

use bugle_channels::Fault;
use bugle_domain::notification::SendOutcome;
use bugle_lab::{Answer, Knobs, Service};

use crate::helpers::{LIMIT, PHONE, World, call, impatient};

#[tokio::test]
async fn a_phone_rings() {
    let world = World::new().await;
    let sent = world.send(&call(1)).await;
    assert_eq!((sent.outcome, sent.provider.as_str()), (SendOutcome::Accepted, "calls"));
    let ringing = world.lab.phone(PHONE).wait_for_call(LIMIT).await.unwrap();
    assert_eq!(sent.provider_ref.as_deref(), Some(ringing.sid.as_str()));
    world.lab.stop().await;
}

#[tokio::test]
async fn each_mood_of_the_provider_has_its_outcome() {
    let world = World::with(|settings| impatient(&mut settings.voice[0].limits)).await;
    let moods = [
        (Answer::Refuse(21_217), SendOutcome::Refused, Some(Fault::Contact)),
        (Answer::Refuse(21_215), SendOutcome::Misconfigured, Some(Fault::Contact)),
        (Answer::Suspended, SendOutcome::Misconfigured, Some(Fault::Us)),
        (Answer::Error(500), world.retry(10), Some(Fault::Provider)),
        (Answer::TakeAndDrop, world.unsure(10), Some(Fault::Provider)),
        (Answer::Hang, world.unsure(10), Some(Fault::Provider)),
        (Answer::TooMany { retry_after_s: None }, world.retry(10), Some(Fault::Provider)),
    ];
    for (answer, outcome, fault) in moods {
        world.lab.set(Service::Calls, Knobs::answering(answer));
        let sent = world.send(&call(1)).await;
        assert_eq!((sent.outcome, sent.fault), (outcome, fault), "{answer:?}: {}", sent.detail);
    }
    world.lab.stop().await;
}
