//! Webhooks: signed, to public targets only, and what each answer comes to.

use std::time::Duration;

use bugle_channels::Fault;
use bugle_domain::notification::SendOutcome;
use bugle_lab::{Answer, Knobs, Service};

use crate::helpers::{LIMIT, World, hook, impatient};

#[tokio::test]
async fn a_webhook_arrives_signed() {
    let world = World::new().await;
    let sent = world.send(&hook(1, world.lab.hook_url("/alerts").as_str())).await;
    assert_eq!((sent.outcome, sent.delivered), (SendOutcome::Accepted, true), "{}", sent.detail);
    let hooks = world.lab.hooks().wait_for("/alerts", 1, LIMIT).await.unwrap();
    assert_eq!(hooks[0].body, br#"{"type":"alert.opened"}"#.as_slice());
    let header = |name: &str| hooks[0].headers.get(name).map(String::as_str);
    assert_eq!(header("webhook-id"), Some("ntf_1"));
    assert_eq!(header("webhook-timestamp"), Some("1790000000"));
    assert!(header("webhook-signature").is_some_and(|value| value.starts_with("v1,")));
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("bugle-possible-repeat"), None);
    world.lab.stop().await;
}

#[tokio::test]
async fn each_answer_has_its_outcome() {
    let world = World::new().await;
    let refused = (SendOutcome::Refused, false);
    let answers = [
        (200, (SendOutcome::Accepted, false)),
        (204, (SendOutcome::Accepted, false)),
        (301, refused),
        (400, refused),
        (401, refused),
        (404, refused),
        (410, (SendOutcome::Refused, true)),
        (429, (world.retry(10), false)),
        (500, (world.retry(10), false)),
        (503, (world.retry(10), false)),
    ];
    for (status, expected) in answers {
        let url = world.lab.hook_url(&format!("/status/{status}"));
        let sent = world.send(&hook(1, url.as_str())).await;
        assert_eq!((sent.outcome, sent.gone), expected, "{status}: {}", sent.detail);
        assert_eq!(sent.delivered, status < 300);
    }
    world.lab.stop().await;
}

#[tokio::test]
async fn each_mood_of_the_target_has_its_outcome() {
    let world = World::with(|settings| impatient(&mut settings.webhook.limits)).await;
    let moods = [
        (Answer::TakeAndDrop, world.unsure(10)),
        (Answer::Hang, world.unsure(10)),
        (Answer::TooMany { retry_after_s: Some(3) }, world.retry(3)),
        (Answer::Take, SendOutcome::Accepted),
    ];
    for (answer, outcome) in moods {
        world.lab.set(Service::Hooks, Knobs::answering(answer));
        let sent = world.send(&hook(1, world.lab.hook_url("/alerts").as_str())).await;
        assert_eq!(sent.outcome, outcome, "{answer:?}: {}", sent.detail);
    }
    world.lab.stop().await;
}

#[tokio::test]
async fn a_target_that_is_not_public_is_refused_before_a_connection_is_made() {
    let world = World::with(|settings| settings.webhook.allow.clear()).await;
    let port = world.lab.hook_url("/").port().unwrap();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"] {
        let sent = world.send(&hook(1, &format!("http://{host}:{port}/alerts"))).await;
        let expected = (SendOutcome::Refused, Some(Fault::Contact));
        assert_eq!((sent.outcome, sent.fault), expected, "{host}: {}", sent.detail);
    }
    assert_eq!(world.lab.hooks().total(), 0);
    world.lab.stop().await;
}

#[tokio::test]
async fn a_program_that_keeps_failing_is_left_alone_and_others_are_not() {
    let world = World::with(|settings| impatient(&mut settings.webhook.limits)).await;
    let broken = "http://127.0.0.1:9/alerts";
    for _ in 0..5 {
        assert_eq!(world.send(&hook(1, broken)).await.outcome, world.retry(10));
    }
    let sent = world.send(&hook(1, broken)).await;
    assert_eq!((sent.provider.as_str(), sent.took), ("", Duration::ZERO), "{}", sent.detail);
    let sent = world.send(&hook(2, world.lab.hook_url("/alerts").as_str())).await;
    assert_eq!(sent.outcome, SendOutcome::Accepted);
    world.lab.stop().await;
}

#[tokio::test]
async fn connections_are_used_again() {
    let world = World::new().await;
    let url = world.lab.hook_url("/alerts");
    for number in 0..50 {
        assert!(world.send(&hook(number, url.as_str())).await.delivered);
    }
    let hooks = world.lab.hooks().at("/alerts");
    assert_eq!(hooks.len(), 50);
    assert!(hooks.iter().all(|hook| hook.connection == hooks[0].connection));
    world.lab.stop().await;
}
