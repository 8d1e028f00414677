//! Mails of people, of programs, and of those who want to do harm.

use std::fmt::Write as _;

use super::*;

const HEAD: &str = "From: lena@halden.example\r\nMessage-ID: <1@halden.example>\r\n";

fn of(rest: &str) -> Result<NewMail, Unfit> {
    by_hand(format!("{HEAD}{rest}"), "lena@halden.example")
}

fn by_hand(raw: String, return_path: &str) -> Result<NewMail, Unfit> {
    read(raw.into(), return_path)?.by_a_person().cloned()
}

#[test]
fn a_mail_is_read_with_what_it_answers() {
    let mail = of("Subject: =?utf-8?q?No_page_=C5=81=C3=B3d=C5=BA?=\r\n\
                   References: <a@x>\r\n <b@x>\r\nIn-Reply-To: <c@x>\r\n\r\nNobody came.\r\n");
    let mail = mail.unwrap();
    assert_eq!((mail.subject.as_str(), mail.text.trim()), ("No page Łódź", "Nobody came."));
    assert_eq!(mail.answered, ["<a@x>", "<b@x>", "<c@x>"]);
    assert_eq!(mail.id.as_deref(), Some("<1@halden.example>"));
}

#[test]
fn the_same_message_id_and_words_are_the_same_mail() {
    let key = |rest: &str| of(rest).unwrap().key;
    let first = key("Subject: a\r\n\r\na\r\n");
    assert_eq!(first, key("Received: by another way\r\nSubject: a\r\n\r\na\r\n"));
    assert_ne!(first, key("Subject: a\r\n\r\nb\r\n"), "a program uses its id again");
    assert_ne!(first, key("Subject: b\r\n\r\na\r\n"));
    let bare = |text: &str| by_hand(text.to_owned(), "a@b.example").unwrap().key;
    assert_eq!(bare("Subject: a\r\n\r\n1\r\n"), bare("Subject: a\r\n\r\n1\r\n"));
    assert_ne!(bare("Subject: a\r\n\r\n1\r\n"), bare("Subject: a\r\n\r\n2\r\n"));
}

#[test]
fn html_is_read_as_text() {
    let mail = of("MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n\
                   <html><style>p{}</style><p>Nobody &amp; nothing</p><p>came</p></html>\r\n");
    let text = mail.unwrap().text;
    assert!(text.contains("Nobody & nothing") && text.contains("came"), "{text}");
    assert!(!text.contains('<') && !text.contains("p{}"), "{text}");
}

#[test]
fn what_programs_send_is_told_apart() {
    for header in [
        "Auto-Submitted: auto-replied",
        "auto-submitted: auto-generated; x=1",
        "Precedence: bulk",
        "Precedence: list",
        "List-Id: <all.halden.example>",
        "List-Unsubscribe: <https://x.example>",
    ] {
        let read = of(&format!("{header}\r\n\r\ntext\r\n"));
        assert_eq!(read.err(), Some(Unfit::Automatic), "{header}");
    }
    assert!(of("Auto-Submitted: no\r\nPrecedence: first-class\r\n\r\ntext\r\n").is_ok());
    let bounce = by_hand(format!("{HEAD}\r\ntext\r\n"), "");
    assert_eq!(bounce.err(), Some(Unfit::Automatic));
    let hops = "Received: from a by b\r\n".repeat(MAX_HOPS + 1);
    assert_eq!(of(&format!("{hops}\r\ntext\r\n")).err(), Some(Unfit::Loop));
}

/// A page that comes back as an event would page again, and so on.
#[test]
fn what_bugle_sent_is_no_event() {
    let page = "ntf_01a1f6d422607bb39781640364a9e393@pager.example";
    for header in ["Message-ID", "In-Reply-To", "References"] {
        let raw = format!("{HEAD}{header}: <first@x.example> <{page}>\r\n\r\ntext\r\n");
        let raw = if header == "Message-ID" { raw.replace("<first@x.example> ", "") } else { raw };
        let letter = read(raw.into(), "on-call@halden.example").unwrap();
        assert_eq!(letter.as_event().err(), Some(Unfit::Loop), "{header}");
        assert!(letter.by_a_person().is_ok(), "a person may answer it: {header}");
    }
    let other = format!("{HEAD}Message-ID: <ntf_1@x.example>\r\n\r\ntext\r\n");
    assert!(read(other.into(), "on-call@halden.example").unwrap().as_event().is_ok());
}

/// A mail of parts that stand in each other.
fn nested(depth: usize) -> String {
    let mut text = "MIME-Version: 1.0\r\n".to_owned();
    for level in 0..depth {
        let _ =
            write!(text, "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
    }
    text + "\r\ntext\r\n"
}

#[test]
fn header_parts_and_depth_are_bounded() {
    let long = format!("X-Long: {}\r\n", "a ".repeat(500)).repeat(70);
    assert_eq!(of(&format!("{long}\r\ntext\r\n")).err(), Some(Unfit::Header));
    assert!(of(&nested(5)).is_ok());
    assert_eq!(of(&nested(12)).err(), Some(Unfit::Parts));
    let begin = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    let many = |parts: usize| format!("{begin}{}--b--\r\n", "--b\r\n\r\ntext\r\n".repeat(parts));
    assert!(of(&many(90)).is_ok());
    assert_eq!(of(&many(101)).err(), Some(Unfit::Parts));
    assert_eq!(of(&many(20_000)).err(), Some(Unfit::Parts));
    let long = format!("X-Long: {}\r\n", "a ".repeat(10_000));
    assert_eq!(of(&format!("{begin}--b\r\n{long}\r\ntext\r\n")).err(), Some(Unfit::Header));
}

#[test]
fn a_mail_that_is_attached_is_not_looked_into_however_it_is_encoded() {
    let doll = "Content-Type: message/rfc822\r\n\r\n";
    let dolls = doll.repeat(20_000);
    let begin = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
                 --b\r\n\r\nNobody came.\r\n--b\r\n";
    for (header, body) in [
        (doll.to_owned(), dolls.clone()),
        (encoded_doll("base64"), BASE64.encode(&dolls)),
        (encoded_doll("\r\n (a comment)\r\n BASE64"), BASE64.encode(&dolls)),
        (encoded_doll("quoted-printable"), dolls.replace('C', "=43")),
    ] {
        assert_eq!(of(&format!("{header}{body}")).unwrap().text, "");
        let mail = of(&format!("{begin}{header}{body}\r\n--b--\r\n")).unwrap();
        assert_eq!(mail.text.trim(), "Nobody came.");
    }
    let digest = begin.replace("mixed", "digest").replace("--b\r\n\r\n", "--b\r\nX: y\r\n\r\n");
    assert_eq!(of(&digest).unwrap().text, "", "a part of a digest is a mail");
}

fn encoded_doll(encoding: &str) -> String {
    format!("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n")
}

#[test]
fn a_large_mail_is_read_in_no_time() {
    let begun = std::time::Instant::now();
    let mut endless = "MIME-Version: 1.0\r\n".to_owned();
    for at in 0..90_000 {
        let _ = write!(
            endless,
            "Content-Type: multipart/mixed; boundary=\"never-{at}\"\r\n\r\n\r\n--x\r\n"
        );
    }
    assert!(endless.len() > 5_500_000);
    assert_eq!(of(&endless).unwrap().text, "");
    let hidden =
        format!("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n{endless}");
    assert_eq!(of(&hidden).err(), Some(Unfit::Parts));
    let wide = format!("Content-Type: text/html\r\n\r\n{}", "<p>&amp;<!-- \r\n".repeat(500_000));
    assert!(of(&wide).is_ok());
    let took = begun.elapsed();
    assert!(took < std::time::Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_text_is_decoded_as_its_part_says() {
    let mail =
        of("MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"a b\"\r\n\r\n\
                   preamble\r\n--a b\r\nContent-Type: text/plain; charset=iso-8859-2\r\n\
                   Content-Transfer-Encoding: quoted-printable\r\n\r\n=A3=F3d=BC\r\n\
                   --a b\r\nContent-Type: text/html\r\n\r\n<p>no</p>\r\n--a b--\r\n");
    assert_eq!(mail.unwrap().text.trim(), "Łódź");
    let mail = of("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
                   --b\r\nContent-Disposition: attachment\r\n\r\nno\r\n\
                   --b\r\nContent-Transfer-Encoding: base64\r\n\r\nTm9ib2R5\r\n--b--\r\n");
    assert_eq!(mail.unwrap().text.trim(), "Nobody");
}
