//! Which provider is used when several serve a channel.

use std::time::Duration;

use bugle_channels::{BreakerState, Rate};
use bugle_domain::contact::Channel;
use bugle_domain::notification::SendOutcome;
use bugle_lab::{Answer, Knobs, Service};

use crate::helpers::{LIMIT, PHONE, World, spare_smtp, text, twilio};

async fn with_spare() -> World {
    let mut world = World::new().await;
    let lab = world.lab.clone();
    let second = World::with(|settings| {
        settings.email = vec![spare_smtp(&lab)];
        settings.sms =
            vec![twilio("first", &lab, lab.account()), twilio("second", &lab, lab.spare_account())];
    })
    .await;
    second.lab.stop().await;
    world.channels = second.channels;
    world
}

#[tokio::test]
async fn the_next_provider_takes_over_at_once() {
    let world = with_spare().await;
    assert_eq!(world.send(&text(1, "one")).await.provider, "first");
    world.lab.set(Service::Texts, Knobs::answering(Answer::Error(503)));
    let sent = world.send(&text(2, "two")).await;
    assert_eq!((sent.provider.as_str(), sent.another_provider), ("first", true));
    assert_eq!(sent.outcome, world.retry(0));
    let sent = world.send(&text(2, "two")).await;
    assert_eq!((sent.provider.as_str(), sent.outcome), ("second", SendOutcome::Accepted));
    let text = world.lab.phone(PHONE).wait_for_text("two", LIMIT).await.unwrap();
    assert_eq!(text.from, world.lab.spare_account().number);
    world.lab.stop().await;
}

#[tokio::test]
async fn a_suspended_account_stands_aside_and_a_country_is_nobodys_turn() {
    let world = with_spare().await;
    world.lab.set(Service::Texts, Knobs::answering(Answer::Suspended));
    let sent = world.send(&text(1, "one")).await;
    assert_eq!((sent.outcome, sent.another_provider), (SendOutcome::Misconfigured, true));
    assert_eq!(world.send(&text(1, "one")).await.provider, "second");
    // 21408: the account may not send to that country, and is good for all others.
    world.lab.set(Service::SpareTexts, Knobs::answering(Answer::Refuse(21_408)));
    let sent = world.send(&text(2, "two")).await;
    assert_eq!((sent.outcome, sent.another_provider), (SendOutcome::Misconfigured, false));
    world.lab.stop().await;
}

#[tokio::test]
async fn a_provider_that_loses_canaries_is_used_last() {
    let world = with_spare().await;
    let of = |name: &str| (Channel::Sms, name.to_owned());
    world.channels.distrust(&[of("first")].into());
    assert_eq!(world.send(&text(1, "one")).await.provider, "second");
    let passed_over = |name: &str| {
        let status = world.channels.providers();
        status.iter().find(|it| it.channel == Channel::Sms && it.name == name).unwrap().passed_over
    };
    assert!(passed_over("first") && !passed_over("second"));
    // One that loses some is better than nobody.
    world.channels.distrust(&[of("first"), of("second")].into());
    assert_eq!(world.send(&text(1, "one")).await.provider, "first");
    world.channels.distrust(&[].into());
    assert!(!passed_over("first"));
    world.lab.stop().await;
}

#[tokio::test]
async fn a_provider_over_its_limit_is_passed_over() {
    let mut world = World::with(|settings| {
        let rate = Rate { messages: 1, per: Duration::from_hours(1) };
        settings.sms[0].limits.rate = Some(rate);
    })
    .await;
    assert_eq!(world.send(&text(1, "one")).await.outcome, SendOutcome::Accepted);
    let sent = world.send(&text(2, "two")).await;
    assert_eq!(sent.provider, "");
    let SendOutcome::RetryAt { at } = sent.outcome else { panic!("{:?}", sent.outcome) };
    world.now = world.after(3_590);
    assert!(at > world.now && at <= world.after(10), "{at}");
    world.lab.stop().await;
}

#[tokio::test]
async fn a_provider_that_keeps_failing_is_left_alone() {
    let world = World::new().await;
    world.lab.set(Service::Texts, Knobs::answering(Answer::Error(500)));
    for _ in 0..5 {
        assert_eq!(world.send(&text(1, "one")).await.provider, "texts");
    }
    assert_eq!(world.send(&text(1, "one")).await.provider, "");
    let status = world.channels.providers();
    let texts = status.iter().find(|one| one.channel == Channel::Sms).unwrap();
    assert_eq!((texts.breaker, texts.samples), (BreakerState::Open, 5));
    assert_eq!((texts.sent_total, texts.failed_total), (5, 5));
    assert_eq!(texts.success_rate, Some(0.0));
    let (_, why) = texts.last_error.as_ref().unwrap();
    assert_eq!(why, "HTTP 500, error 20500: Internal Server Error");
    world.lab.stop().await;
}

#[tokio::test]
async fn a_refused_number_says_nothing_against_the_provider() {
    let world = World::new().await;
    world.lab.set(Service::Texts, Knobs::answering(Answer::Refuse(21_211)));
    for _ in 0..10 {
        assert_eq!(world.send(&text(1, "one")).await.outcome, SendOutcome::Refused);
    }
    world.lab.set(Service::Texts, Knobs::default());
    assert_eq!(world.send(&text(1, "one")).await.outcome, SendOutcome::Accepted);
    world.lab.stop().await;
}

#[tokio::test]
async fn the_doctor_hears_what_is_wrong() {
    let world = World::new().await;
    assert_eq!(world.channels.check(Channel::Sms, "texts").await, Ok(()));
    world.lab.set(Service::Texts, Knobs::answering(Answer::Suspended));
    let suspended = Err("the account is suspended".to_owned());
    assert_eq!(world.channels.check(Channel::Sms, "texts").await, suspended);
    world.lab.stop().await;

    let world = World::with(|settings| settings.sms[0].auth_token = "wrong".into()).await;
    let wrong = Err("HTTP 401, error 20003: Authenticate".to_owned());
    assert_eq!(world.channels.check(Channel::Sms, "texts").await, wrong);
    let sent = world.send(&text(1, "one")).await;
    assert_eq!(sent.outcome, SendOutcome::Misconfigured);
    world.lab.stop().await;
}
