//! Dialogues with a server whose office takes everything for `help+a`, is down for `help+down`, and
//! knows nobody else.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

struct Sample;

impl Office for Sample {
    type Owner = String;

    async fn find(&self, local: &str) -> Result<Option<String>, Reply> {
        match local {
            "help+down" => Err(reply::LATER),
            known if known.starts_with("help+a") => Ok(Some(known.to_owned())),
            _ => Ok(None),
        }
    }

    async fn take(&self, owners: &[String], letter: &Letter) -> Reply {
        let said = format!("{} {}", owners.join(","), letter.mail.text);
        Reply::because(250, "2.0.0", &said)
    }
}

/// What a server says to all that is sent at once.
async fn said_to(sent: &str) -> String {
    said_with(sent, 1, CancellationToken::new()).await
}

async fn said_with(sent: &str, places: usize, stop: CancellationToken) -> String {
    let (mut here, there) = tokio::io::duplex(1 << 20);
    let reading = Arc::new(Semaphore::new(places));
    let desk =
        Desk { office: &Sample, domain: "in.example", reading: &reading, waits: Waits::STANDARD };
    here.write_all(sent.as_bytes()).await.unwrap();
    here.shutdown().await.unwrap();
    talk(desk, there, stop).await;
    let mut said = String::new();
    here.read_to_string(&mut said).await.unwrap();
    said.replace("\r\n", "\n")
}

const HELLO: &str = "EHLO halden.example\r\n";
const TO_A: &str = "MAIL FROM:<lena@halden.example>\r\nRCPT TO:<help+a@in.example>\r\nDATA\r\n";

#[tokio::test]
async fn a_mail_is_taken_in_one_go() {
    let sent = format!("{HELLO}{TO_A}Subject: x\r\n\r\nNo page.\r\n.\r\nQUIT\r\n");
    insta::assert_snapshot!(said_to(&sent).await, @r"
    220 in.example ESMTP Bugle
    250-in.example
    250-SIZE 10485760
    250-PIPELINING
    250-8BITMIME
    250-SMTPUTF8
    250 ENHANCEDSTATUSCODES
    250 2.0.0 ok
    250 2.0.0 ok
    354 end with <CRLF>.<CRLF>
    250 2.0.0 help+a No page.
    221 2.0.0 bye
    ");
}

#[tokio::test]
async fn whoever_is_not_here_is_refused_at_once() {
    let sent = format!(
        "{HELLO}MAIL FROM:<> SIZE=10485761\r\nMAIL FROM:<a@b.example> BODY=BINARYMIME\r\n\
         MAIL FROM:<a@b.example> SIZE=10485760 BODY=8BITMIME SMTPUTF8\r\n\
         RCPT TO:<help+b@in.example>\r\nRCPT TO:<help+a@elsewhere.example>\r\n\
         RCPT TO:<help+down@in.example>\r\nRCPT TO:<HELP+x>\r\nDATA\r\n"
    );
    insta::assert_snapshot!(after_hello(&said_to(&sent).await), @r"
    552 5.3.4 too big: at most 10 MB
    555 5.5.4 not with this parameter
    250 2.0.0 ok
    550 5.1.1 there is no such address here
    550 5.7.1 mail is not passed on from here
    451 4.3.2 not now, come again
    501 5.5.4 written wrongly
    503 5.5.1 not in this order
    ");
}

#[tokio::test]
async fn commands_have_an_order_and_some_are_not_here() {
    let sent = "MAIL FROM:<a@b.example>\r\nHELO x\r\nRCPT TO:<help+a@in.example>\r\nDATA\r\n\
                MAIL FROM:<a@b.example>\r\nMAIL FROM:<a@b.example>\r\nRSET\r\nNOOP\r\n\
                VRFY lena\r\nSTARTTLS\r\nAUTH PLAIN AAAA\r\nBDAT 5 LAST\r\nGET / HTTP/1.1\r\n";
    insta::assert_snapshot!(said_to(sent).await, @r"
    220 in.example ESMTP Bugle
    503 5.5.1 not in this order
    250 2.0.0 ok
    503 5.5.1 not in this order
    503 5.5.1 not in this order
    250 2.0.0 ok
    503 5.5.1 not in this order
    250 2.0.0 ok
    250 2.0.0 ok
    252 2.5.0 send it, and see
    502 5.5.1 not here
    502 5.5.1 not here
    502 5.5.1 not here
    500 5.5.1 no such command
    ");
}

#[tokio::test]
async fn nothing_is_smuggled_behind_a_bare_line_end() {
    let sent = format!("{HELLO}{TO_A}No page.\n.\r\nMAIL FROM:<x@y.example>\r\n.\r\nNOOP\r\n");
    assert!(said_to(&sent).await.ends_with("\n521 5.5.2 a bare CR or LF is not taken\n"));
    let bare = said_to(&format!("{HELLO}NOOP\nNOOP\r\n")).await;
    assert!(bare.ends_with("\n521 5.5.2 a bare CR or LF is not taken\n"), "{bare}");
}

#[tokio::test]
async fn what_is_too_big_is_refused_when_it_has_come() {
    let said = said_to_large(10_500).await;
    assert!(said.ends_with("552 5.3.4 too big: at most 10 MB\r\n250 2.0.0 ok\r\n"), "{said}");
}

#[tokio::test]
async fn the_rest_of_an_endless_mail_is_no_command() {
    let said = said_to_large(35_000).await;
    assert!(said.ends_with(".<CRLF>\r\n552 5.3.4 too big: at most 10 MB\r\n"), "{said}");
}

/// What is said to a mail of so many lines of 1,000 bytes and a command behind it.
async fn said_to_large(lines: usize) -> String {
    let line = format!("{}\r\n", "a".repeat(1_000));
    let sent = format!("{HELLO}{TO_A}\r\n{}.\r\nNOOP\r\n", line.repeat(lines));
    let (mut here, there) = tokio::io::duplex(1 << 20);
    let reading = Arc::new(Semaphore::new(1));
    let desk =
        Desk { office: &Sample, domain: "in.example", reading: &reading, waits: Waits::STANDARD };
    let client = async {
        // Whoever ends the connection does not read all of it.
        let _ = here.write_all(sent.as_bytes()).await;
        let _ = here.shutdown().await;
        let mut said = String::new();
        here.read_to_string(&mut said).await.unwrap();
        said
    };
    tokio::join!(talk(desk, there, CancellationToken::new()), client).1
}

#[tokio::test]
async fn limits_hold() {
    let wrong = said_to(&"WHAT\r\n".repeat(100)).await;
    assert_eq!(wrong.matches("500 5.5.1").count(), MAX_FAULTS - 1);
    assert!(wrong.ends_with("421 4.7.0 too many mistakes\n"), "{wrong}");
    let many = "RCPT TO:<help+a@in.example>\r\n".repeat(11);
    let many = said_to(&format!("{HELLO}MAIL FROM:<a@b.example>\r\n{many}")).await;
    assert!(many.ends_with("452 4.5.3 too many recipients\n"), "{many}");
    let long = said_to(&format!("NOOP {}\r\n", "a".repeat(3_000))).await;
    assert!(long.ends_with("500 5.5.2 line too long\n"), "{long}");
    let busy = said_with(&format!("{HELLO}{TO_A}"), 0, CancellationToken::new()).await;
    assert!(busy.ends_with("451 4.3.2 not now, come again\n"), "{busy}");
    let stop = CancellationToken::new();
    stop.cancel();
    let stopping = said_with("", 1, stop).await;
    assert!(stopping.ends_with("421 4.3.2 not now, come again\n"), "{stopping}");
}

/// How long a dialogue lasts that begins so and goes on with a command now and then.
async fn lasts(begin: &str, waits: Waits) -> Duration {
    let (mut here, there) = tokio::io::duplex(1 << 20);
    let reading = Arc::new(Semaphore::new(1));
    let desk = Desk { office: &Sample, domain: "in.example", reading: &reading, waits };
    let begun = Instant::now();
    here.write_all(begin.as_bytes()).await.unwrap();
    let client = async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if here.write_all(b"NOOP\r\n").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = talk(desk, there, CancellationToken::new()) => begun.elapsed(),
        () = client => unreachable!("it never ends"),
    }
}

#[tokio::test]
async fn a_stranger_and_a_slow_mail_hold_a_place_for_a_short_time_only() {
    let (short, long) = (Duration::from_millis(200), Duration::from_secs(10));
    let waits = Waits { strangers_whole: short, ..Waits::STANDARD };
    let mail = format!("{HELLO}MAIL FROM:<a@b.example>\r\n");
    assert!(lasts(&mail, waits).await < long);
    let guessing = format!("{mail}RCPT TO:<help+b@in.example>\r\n");
    assert!(lasts(&guessing, waits).await < long, "who names nobody here is a stranger");
    let named = format!("{mail}RCPT TO:<help+a@in.example>\r\n");
    let whole = Duration::from_secs(1);
    assert!(lasts(&named, Waits { whole, ..waits }).await >= whole);
    let slow = Waits { mail: short, ..Waits::STANDARD };
    assert!(lasts(&format!("{named}DATA\r\n"), slow).await < long);
}

/// Without the greeting and the answer to it.
fn after_hello(said: &str) -> &str {
    said.split_once("ENHANCEDSTATUSCODES\n").map_or(said, |(_, rest)| rest)
}
