//! Mail: what arrives, and what each mood of the server comes to.

use bugle_channels::{Content, Fault, Login};
use bugle_domain::notification::SendOutcome;
use bugle_lab::{Answer, Knobs, Service};

use crate::helpers::{LIMIT, MAILBOX, World, impatient, mail};

#[tokio::test]
async fn a_mail_arrives_with_both_parts_and_its_thread() {
    let world = World::new().await;
    let message = mail(1, "Critical: Checkout API\r\nBcc: all@halden.example");
    let sent = world.send(&message).await;
    assert_eq!((sent.outcome, sent.provider.as_str()), (SendOutcome::Accepted, "mail"));
    let mail = world.lab.mailbox(MAILBOX).wait_for_mail("Checkout", LIMIT).await.unwrap();
    assert_eq!(mail.subject, "Critical: Checkout API Bcc: all@halden.example");
    assert_eq!(mail.text.trim_end(), "Checkout API errors 14.2 % — limit 2 %");
    assert!(mail.html.contains("<b>14.2 %</b>"), "{}", mail.html);
    let id = format!("<{}@halden.example>", message.notification);
    let thread = "<alr_018f00000000000000000000000000aa@halden.example>";
    assert_eq!(mail.header("message-id"), Some(id.as_str()));
    assert_eq!(mail.header("references"), Some(thread));
    assert_eq!(mail.header("in-reply-to"), Some(thread));
    assert_eq!(mail.header("auto-submitted"), Some("auto-generated"));
    assert_eq!(mail.header("bcc"), None);
    assert_eq!(mail.header("from"), Some("Bugle <bugle@halden.example>"));
    assert_eq!(mail.header("date"), Some("Mon, 21 Sep 2026 14:13:20 +0000"));
    world.lab.stop().await;
}

#[tokio::test]
async fn each_mood_of_the_server_has_its_outcome() {
    let world = World::with(|settings| impatient(&mut settings.email[0].limits)).await;
    let moods = [
        (Answer::Refuse(550), SendOutcome::Refused, Some(Fault::Contact)),
        (Answer::Refuse(450), world.retry(10), Some(Fault::Contact)),
        (Answer::TooMany { retry_after_s: None }, world.retry(10), Some(Fault::Contact)),
        (Answer::Suspended, SendOutcome::Misconfigured, Some(Fault::Us)),
        (Answer::Error(500), world.retry(10), Some(Fault::Provider)),
        (Answer::Drop, world.retry(10), Some(Fault::Provider)),
        (Answer::TakeAndDrop, world.unsure(10), Some(Fault::Provider)),
        (Answer::Take, SendOutcome::Accepted, None),
        (Answer::Hang, world.unsure(10), Some(Fault::Provider)),
    ];
    for (answer, outcome, fault) in moods {
        world.lab.set(Service::Mail, Knobs::answering(answer));
        let sent = world.send(&mail(1, "db down")).await;
        assert_eq!((sent.outcome, sent.fault), (outcome, fault), "{answer:?}: {}", sent.detail);
    }
    world.lab.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_our_fault() {
    let login = Login { user: "bugle".to_owned(), password: "wrong".into() };
    let world = World::with(|settings| settings.email[0].login = Some(login)).await;
    assert_eq!(world.send(&mail(1, "db down")).await.outcome, SendOutcome::Accepted);
    assert_eq!(world.channels.check(bugle_domain::contact::Channel::Email, "mail").await, Ok(()));
    world.lab.stop().await;

    let login = Login { user: "bugle".to_owned(), password: "wrong".into() };
    let world = World::with(|settings| settings.email[0].login = Some(login)).await;
    world.lab.set(Service::Mail, Knobs::answering(Answer::Suspended));
    assert_eq!(world.send(&mail(1, "db down")).await.outcome, SendOutcome::Misconfigured);
    let check = world.channels.check(bugle_domain::contact::Channel::Email, "mail").await;
    assert!(check.is_err_and(|why| why.starts_with("signing in: ")));
    world.lab.stop().await;
}

#[tokio::test]
async fn a_repeat_says_so_and_keeps_its_message_id() {
    let world = World::new().await;
    let mut message = mail(1, "db down");
    world.send(&message).await;
    message.possible_repeat = true;
    world.send(&message).await;
    let mails = world.lab.mailbox(MAILBOX).mails();
    let ids: Vec<_> = mails.iter().map(|mail| mail.header("message-id")).collect();
    assert_eq!(ids[0], ids[1]);
    assert_eq!(mails[1].subject, "[possible repeat] db down");
    world.lab.stop().await;
}

#[tokio::test]
async fn lines_that_begin_with_a_dot_survive() {
    let world = World::new().await;
    let mut message = mail(1, "dots");
    if let Content::Email { text, .. } = &mut message.content {
        *text = "one\n.\n..two\n".to_owned();
    }
    world.send(&message).await;
    let mail = world.lab.mailbox(MAILBOX).wait_for_mail("dots", LIMIT).await.unwrap();
    assert_eq!(mail.text.replace("\r\n", "\n").trim_end(), "one\n.\n..two");
    world.lab.stop().await;
}
