//! Mails as monitors send them, and as nobody should.

use bugle_domain::event::Action;
use proptest::prelude::*;

use super::super::sample::told;
use super::*;
use crate::smtp::letter;

/// A mail as it was caught; the files have the line ends of this repository.
fn caught(mail: &str) -> EventBody {
    event(&letter::read(mail.replace('\n', "\r\n").into(), "monitor@halden.example").unwrap())
}

/// The event of a mail with these headers and a line of text.
fn of(headers: &str) -> EventBody {
    caught(&format!("From: Monitor <nagios@mon.example>\n{headers}\n\ndb1 does not answer.\n"))
}

#[test]
fn alertmanagers_html_is_an_event_and_its_end_folds_into_it() {
    let firing = caught(include_str!("../../../tests/fixtures/alertmanager_mail_firing.eml"));
    let resolved = caught(include_str!("../../../tests/fixtures/alertmanager_mail_resolved.eml"));
    let text = firing.details["text"].as_str().unwrap();
    assert!(text.contains("alertname = DiskFull") && !text.contains('<'), "{text}");
    let head = |mut event: EventBody| {
        event.details.remove("text");
        told(&Ok(vec![event]))
    };
    insta::assert_snapshot!(head(firing), @r#"
    trigger critical `DiskFull c1 (critical)` from `alertmanager@example.test` key `DiskFull c1 (critical)`
      at 2026-11-20T09:58:56Z
      from: "alertmanager@example.test"
    "#);
    insta::assert_snapshot!(head(resolved), @r#"
    resolve critical `DiskFull c1 (critical)` from `alertmanager@example.test` key `DiskFull c1 (critical)`
      at 2026-11-20T09:59:02Z
      from: "alertmanager@example.test"
    "#);
}

#[test]
fn a_plain_mail_is_an_event() {
    let event = caught(include_str!("../../../tests/fixtures/swaks.eml"));
    insta::assert_snapshot!(told(&Ok(vec![event])), @r#"
    trigger critical `disk full on db1` from `zabbix@example.test` key `disk full on db1`
      at 2026-11-20T10:08:43Z
      from: "zabbix@example.test"
      text: "Host: db1"
    "#);
}

/// Subjects as the monitors write them, and what each says.
const SUBJECTS: [(&str, &str); 33] = [
    ("[FIRING:2] DiskFull c1 (critical)", "trigger critical `DiskFull c1 (critical)`"),
    ("[RESOLVED] DiskFull c1 (critical)", "resolve critical `DiskFull c1 (critical)`"),
    ("[RESOLVED:2] DiskFull c1 (warning)", "resolve medium `DiskFull c1 (warning)`"),
    (
        "** PROBLEM Service Alert: web/HTTP is CRITICAL **",
        "trigger critical `Service Alert: web/HTTP`",
    ),
    ("** RECOVERY Service Alert: web/HTTP is OK **", "resolve high `Service Alert: web/HTTP`"),
    (
        "** ACKNOWLEDGEMENT Service Alert: web/HTTP is WARNING **",
        "acknowledge medium `Service Alert: web/HTTP`",
    ),
    ("** PROBLEM Host Alert: db1 is DOWN **", "trigger critical `Host Alert: db1`"),
    ("** RECOVERY Host Alert: db1 is UP **", "resolve high `Host Alert: db1`"),
    ("[PROBLEM] Ping on db1 is CRITICAL!", "trigger critical `Ping on db1`"),
    ("[RECOVERY] Ping on db1 is OK!", "resolve high `Ping on db1`"),
    ("Problem: High CPU utilization", "trigger high `High CPU utilization`"),
    ("Resolved in 1m 30s: High CPU utilization", "resolve high `High CPU utilization`"),
    ("Resolved: High CPU utilization", "resolve high `High CPU utilization`"),
    ("PROBLEM: disk full on db1", "trigger high `disk full on db1`"),
    ("OK: disk full on db1", "resolve high `disk full on db1`"),
    ("monit alert --  Does not exist marker", "trigger high `monit: Does not exist: marker`"),
    ("monit alert --  Exists marker", "resolve high `monit: Does not exist: marker`"),
    ("monit alert -- Timeout web", "trigger high `monit: Timeout: web`"),
    ("monit alert -- Timeout recovery web", "resolve high `monit: Timeout: web`"),
    (
        "monit alert -- Resource limit succeeded db",
        "resolve high `monit: Resource limit matched: db`",
    ),
    (
        "monit alert -- Monit instance changed host",
        "trigger high `monit alert -- Monit instance changed host`",
    ),
    ("[Alerting] Checkout latency", "trigger high `Checkout latency`"),
    ("[OK] Checkout latency", "resolve high `Checkout latency`"),
    ("Re: Fwd: [FIRING:1] DiskFull", "trigger high `DiskFull`"),
    ("AW: disk full on db1", "trigger high `disk full on db1`"),
    (
        "Resolved the easy part, db1 still down",
        "trigger high `Resolved the easy part, db1 still down`",
    ),
    ("Low disk space on db1", "trigger high `Low disk space on db1`"),
    ("LOW DISK SPACE ON DB1", "trigger high `LOW DISK SPACE ON DB1`"),
    ("LOW-1 is warm", "trigger high `LOW-1 is warm`"),
    ("INFO: backup done", "trigger info `INFO: backup done`"),
    ("db1: severity low, look some time", "trigger low `db1: severity low, look some time`"),
    ("It is critical: db1", "trigger critical `It is critical: db1`"),
    ("", "trigger high ``"),
];

#[test]
fn subjects_say_what_is_wrong_or_over_and_fold_alike() {
    for (subject, expected) in SUBJECTS {
        let event = of(&format!("Subject: {subject}"));
        let (action, severity) = (event.action.as_str(), event.severity.as_str());
        assert_eq!(format!("{action} {severity} `{}`", event.dedup_key), expected, "{subject}");
    }
}

#[test]
fn a_key_in_the_subject_comes_first_then_the_thread() {
    let thread =
        "References: <root@mon.example> <last@mon.example>\nIn-Reply-To: <last@mon.example>";
    let event = of(&format!("Subject: RECOVERY [Key: disk db1] is fine\n{thread}"));
    assert_eq!((event.dedup_key.as_str(), event.action), ("disk db1", Action::Resolve));
    assert_eq!(event.summary, "is fine");
    assert_eq!(of(&format!("Subject: disk\n{thread}")).dedup_key, "<root@mon.example>");
    let reply = of("Subject: disk\nIn-Reply-To: <first@mon.example>");
    assert_eq!(reply.dedup_key, "<first@mon.example>");
    assert_eq!(of("Subject: disk [key: ]").dedup_key, "disk [key: ]");
    assert_eq!(of(&format!("Subject: {}", "x".repeat(400))).dedup_key.len(), 255);
}

#[test]
fn a_header_says_how_bad_it_is_where_the_subject_does_not() {
    let graded = |headers: &str| of(&format!("{headers}\nSubject: disk")).severity;
    assert_eq!(graded("X-Priority: 1 (Highest)"), Severity::Critical);
    assert_eq!(graded("X-Priority: 2"), Severity::High);
    assert_eq!(graded("X-Priority: 3"), Severity::High);
    assert_eq!(graded("X-Priority: 5"), Severity::Low);
    assert_eq!(graded("Importance: low"), Severity::Low);
    assert_eq!(graded("Importance: High"), Severity::High);
    assert_eq!(graded("Priority: non-urgent"), Severity::Low);
    assert_eq!(of("X-Priority: 1\nSubject: WARNING: disk").severity, Severity::Medium);
}

#[test]
fn who_sent_it_and_what_it_says_is_kept() {
    let event = of("Subject: disk\nDate: Fri, 20 Nov 2026 10:08:43 +0000");
    assert_eq!(event.source, "nagios@mon.example");
    assert_eq!(event.details["from"], "Monitor <nagios@mon.example>");
    assert_eq!(event.details["text"], "db1 does not answer.");
    assert_eq!(event.occurred_at, Some("2026-11-20T10:08:43Z".parse().unwrap()));
    let bare = caught("Subject: disk\n\n\n\nab\0c \n\n\n\nd\n");
    assert_eq!(bare.source, "monitor@halden.example", "the return path, where it says nothing");
    assert_eq!(bare.details["text"], "abc\n\nd");
    assert_eq!(caught("From: a@b.example\n\ndb1 is down\n").summary, "db1 is down");
    assert_eq!(caught("From: a@b.example\n\n").summary, NAMELESS);
}

#[test]
fn what_programs_send_is_taken() {
    for header in ["Auto-Submitted: auto-generated", "Precedence: bulk"] {
        assert_eq!(of(&format!("{header}\nSubject: disk")).dedup_key, "disk", "{header}");
    }
}

#[test]
fn a_long_id_makes_a_key_of_its_own() {
    let long = |last: char| idempotency_key(&format!("<{}{last}@x>", "a".repeat(240)));
    assert!(long('a').len() <= MAX_IDEMPOTENCY_BYTES && long('a') != long('b'));
}

/// What bounds hold of every event.
fn is_bounded(event: &EventBody) -> bool {
    let nul = |text: &str| text.contains('\0');
    event.summary.chars().count() <= 1_024
        && !event.summary.is_empty()
        && event.dedup_key.len() <= 255
        && event.source.chars().count() <= 255
        && !nul(&event.summary)
        && !nul(&event.dedup_key)
        && event.details.values().all(|it| !nul(it.as_str().unwrap()))
}

#[test]
fn a_mail_of_signs_that_nobody_sees_has_a_name() {
    let raw = "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n\x0e\r\n";
    let letter = letter::read(raw.into(), "a@b.example").unwrap();
    assert_eq!(event(&letter).summary, NAMELESS);
}

proptest! {
    #[test]
    fn no_mail_panics(raw in prop::collection::vec(any::<u8>(), 0..2_000)) {
        if let Ok(letter) = letter::read(raw.into(), "") {
            prop_assert!(is_bounded(&event(&letter)));
        }
    }

    #[test]
    fn no_subject_panics(subject in "(\\[|\\]|:|\\*| |key|FIRING|Re|monit alert -- |is OK|ü|.){0,40}") {
        let letter = letter::read(format!("Subject: {subject}\r\n\r\n").into(), "").unwrap();
        prop_assert!(is_bounded(&event(&letter)));
        let read = subject::read(&subject);
        prop_assert!(read.title.len() <= subject.len() + 1);
    }

    #[test]
    fn a_broken_mail_of_alertmanager_is_still_no_panic(
        changes in prop::collection::vec((0usize..16_000, any::<u8>()), 1..40),
        end in 0usize..16_000,
    ) {
        let mail = include_str!("../../../tests/fixtures/alertmanager_mail_firing.eml");
        let mut raw = mail.replace('\n', "\r\n").into_bytes();
        for (at, byte) in changes {
            if let Some(old) = raw.get_mut(at) {
                *old = byte;
            }
        }
        raw.truncate(end);
        if let Ok(letter) = letter::read(raw.into(), "a@b.example") {
            prop_assert!(is_bounded(&event(&letter)));
        }
    }
}
