//! Mails as they leave.

use bugle_domain::contact::{Address, Channel};
use bugle_domain::{NotificationId, TenantId};

use super::*;
use crate::message::Correspondence;

fn compose_with(change: impl FnOnce(&mut Outgoing)) -> Result<String, String> {
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let mut message = Outgoing {
        notification: NotificationId::new(now, [7; 10]),
        tenant: TenantId::new(now, [1; 10]),
        address: Address::parse(Channel::Email, "lena@example.com").unwrap(),
        content: content("Critical: checkout API", "alr_1"),
        possible_repeat: false,
        validity_s: 300,
    };
    change(&mut message);
    let Address::Email(to) = &message.address else { return Err("not a mail".to_owned()) };
    let from = "Bugle <bugle@example.com>".parse().unwrap();
    compose(&message, &from, to, now).map(|letter| String::from_utf8(letter.bytes).unwrap())
}

fn content(subject: &str, thread_key: &str) -> Content {
    Content::Email {
        subject: subject.to_owned(),
        text: "Errors 14 %".to_owned(),
        html: "<p>Errors <b>14 %</b></p>".to_owned(),
        thread_key: thread_key.to_owned(),
        unsubscribe: None,
        correspondence: Correspondence::default(),
    }
}

fn headers(mail: &str) -> Vec<&str> {
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    head.split("\r\n").filter(|line| !line.starts_with("Content-Type")).collect()
}

#[test]
fn a_mail_says_that_a_program_wrote_it_and_which_thread_it_is_of() {
    let mail = compose_with(|_| ()).unwrap();
    let mut lines = headers(&mail);
    lines.retain(|line| !line.starts_with(" boundary"));
    insta::assert_snapshot!(lines.join("\n"), @r"
    From: Bugle <bugle@example.com>
    To: lena@example.com
    Subject: Critical: checkout API
    Date: Mon, 21 Sep 2026 14:13:20 +0000
    Message-ID: <ntf_01a0c4506c0077078707070707070707@example.com>
    In-Reply-To: <alr_1@example.com>
    References: <alr_1@example.com>
    Auto-Submitted: auto-generated
    MIME-Version: 1.0
    ");
}

#[test]
fn a_mail_that_is_not_owed_can_be_ended_by_one_request() {
    let mail = compose_with(|message| {
        let Content::Email { unsubscribe, .. } = &mut message.content else { return };
        *unsubscribe = Some("https://bugle.example/u\r\nBcc: all@example.com".to_owned());
    });
    let mail = mail.unwrap();
    let lines = headers(&mail);
    assert!(
        lines.contains(&"List-Unsubscribe: <https://bugle.example/u Bcc: all@example.com>"),
        "{mail}"
    );
    assert!(lines.contains(&"List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{mail}");
}

#[test]
fn an_answer_says_what_it_answers_and_where_to_answer_it() {
    let mail = compose_with(|message| {
        let Content::Email { correspondence, .. } = &mut message.content else { return };
        correspondence.reply_to = Some("help+abc@in.example".to_owned());
        correspondence.answers = Some("<1@halden.example>\r\nBcc: all@example.com".to_owned());
    });
    let mail = mail.unwrap();
    let lines = headers(&mail);
    for line in [
        "Reply-To: help+abc@in.example",
        "In-Reply-To: <1@halden.example> Bcc: all@example.com",
        "References: <alr_1@example.com> <1@halden.example> Bcc: all@example.com",
        "Auto-Submitted: auto-replied",
    ] {
        assert!(lines.contains(&line), "{mail}");
    }
}

#[test]
fn no_header_can_be_put_in() {
    let evil = "a\r\nBcc: all@example.com\r\n\r\nbody";
    let mail = compose_with(|message| message.content = content(evil, evil)).unwrap();
    let lines = headers(&mail);
    assert!(lines.iter().all(|line| !line.starts_with("Bcc")), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("Subject")).count(), 1);
}

#[test]
fn a_subject_beyond_ascii_is_encoded() {
    let subject = format!("Kritisch: Zahlungen für Łódź {}", "sehr ".repeat(40));
    let mail = compose_with(|message| message.content = content(&subject, "alr_1")).unwrap();
    assert!(mail.is_ascii());
    assert!(mail.lines().all(|line| line.len() <= 998));
}

#[test]
fn a_repeat_has_the_same_message_id_and_says_so() {
    let first = compose_with(|_| ()).unwrap();
    let again = compose_with(|message| message.possible_repeat = true).unwrap();
    let line = |mail: &str, name: &str| -> String {
        headers(mail).into_iter().find(|line| line.starts_with(name)).unwrap().to_owned()
    };
    assert_eq!(line(&first, "Message-ID"), line(&again, "Message-ID"));
    assert_eq!(line(&again, "Subject"), "Subject: [possible repeat] Critical: checkout API");
}
