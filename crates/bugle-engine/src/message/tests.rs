//! Messages as people read and hear them.

use bugle_domain::alert::{Actor, AlertStatus};
use bugle_domain::contact::Channel;
use bugle_domain::notification::{Lane, Notification, NotificationState, Receipt};
use bugle_domain::{AlertId, IntegrationId, NotificationId, ServiceId, Severity};
use jiff::SignedDuration;
use proptest::prelude::*;

use super::sms::septets;
use super::text::{duration, names};
use super::*;
use crate::respond::Effect;
use crate::testing::{LENA, PRIYA, at, halden, id, method_of, user};

const LINK: &str = "https://bgl.example/a/7Kq2mZx81QpL";

fn brief(number: u128, severity: Severity, summary: &str) -> AlertBrief {
    AlertBrief {
        id: id(AlertId::from_stored, number),
        number: 4_811 + i64::try_from(number).unwrap(),
        status: AlertStatus::Open,
        severity,
        summary: summary.to_owned(),
        source: "prometheus-1".to_owned(),
        dedup_key: "checkout".to_owned(),
        integration: id(IntegrationId::from_stored, 1),
        service: Some(id(ServiceId::from_stored, 1)),
        extra: r#"{"links":[{"href":"https://g.example"}],"details":{"region":"eu","n":1}}"#
            .to_owned(),
        opened_at: at(0),
        event_count: 1,
    }
}

fn checkout() -> AlertBrief {
    brief(1, Severity::Critical, "checkout-api 5xx 14.2% (limit 2%)")
}

/// A page to Lena, at once, of `alerts`.
fn with_page<T>(alerts: &[AlertBrief], read: impl FnOnce(Page<'_>) -> T) -> T {
    let directory = halden();
    let alerts: Vec<&AlertBrief> = alerts.iter().collect();
    read(Page {
        directory: &directory,
        alerts: &alerts,
        user: user(LENA),
        link: LINK,
        ask: "https://bgl.example/assistance",
        reference: "K7Q2",
        possible_repeat: false,
        wanted_at: at(0),
        now: at(0),
        replies: true,
    })
}

fn many() -> Vec<AlertBrief> {
    vec![
        brief(1, Severity::Low, "disk 81% full"),
        brief(2, Severity::Critical, "checkout-api 5xx"),
        brief(3, Severity::High, "queue grows"),
        brief(2, Severity::Critical, "checkout-api 5xx"),
    ]
}

#[test]
fn a_text_says_what_where_and_which_key() {
    let text = with_page(&[checkout()], |page| sms(&page));
    insta::assert_snapshot!(text, @r"CRIT Payments: checkout-api 5xx 14.2% (limit 2%). 4=ack 5=pass on. bgl.example/a/7Kq2mZx81QpL #K7Q2");
    let no_replies = with_page(&[checkout()], |page| sms(&Page { replies: false, ..page }));
    insta::assert_snapshot!(no_replies, @r"CRIT Payments: checkout-api 5xx 14.2% (limit 2%). bgl.example/a/7Kq2mZx81QpL #K7Q2");
    let bundle = with_page(&many(), |page| sms(&page));
    insta::assert_snapshot!(bundle, @r"3 alerts, worst CRIT Payments: checkout-api 5xx. 4=ack all. bgl.example/a/7Kq2mZx81QpL #K7Q2");
}

#[test]
fn a_text_says_that_it_is_late_or_may_be_a_repeat() {
    let late = with_page(&[checkout()], |page| sms(&Page { now: at(31), ..page }));
    insta::assert_snapshot!(late, @r"CRIT Payments: checkout-api 5xx 14.2% (limit 2%). Raised 03:00, 31 min late. 4=ack 5=pass on. bgl.example/a/7Kq2mZx81QpL #K7Q2");
    let next_day = with_page(&[checkout()], |page| sms(&Page { now: at(1_500), ..page }));
    insta::assert_snapshot!(next_day, @r"CRIT Payments: checkout-api 5xx 14.2% (limit 2%). Raised 20 Nov 03:00, 1 day late. 4=ack 5=pass on. bgl.example/a/7Kq2mZx81QpL #K7Q2");
    let repeat = with_page(&[checkout()], |page| sms(&Page { possible_repeat: true, ..page }));
    insta::assert_snapshot!(repeat, @r"CRIT Payments: checkout-api 5xx 14.2% (limit 2%). 4=ack 5=pass on. bgl.example/a/7Kq2mZx81QpL Possible repeat #K7Q2");
    let in_time = with_page(&[checkout()], |page| sms(&Page { now: at(1), ..page }));
    assert!(!in_time.contains("late"), "a minute is not late");
}

#[test]
fn a_digest_counts_names_the_worst_and_says_what_is_over() {
    let alerts = [
        brief(1, Severity::Low, "disk 81% full"),
        brief(2, Severity::Low, "certificate ends in 9 days"),
        brief(3, Severity::Medium, "queue grows"),
    ];
    let text = with_page(&alerts, |page| digest_text(&Page { now: at(31), ..page }, 12));
    insta::assert_snapshot!(text, @r"3 late, still open (1 MED, 2 LOW). Worst MED Payments: queue grows. 12 more were resolved meanwhile. 4=ack all. bgl.example/a/7Kq2mZx81QpL #K7Q2");
    assert!(septets(&text) <= 160, "{}", septets(&text));
    let mail = with_page(&alerts, |page| digest_mail(&Page { now: at(31), ..page }, 12));
    assert!(mail.text.starts_with(&mail.subject), "{}", mail.subject);
    insta::assert_snapshot!(mail.text, @r"
    3 alerts are open, worst [MED] Payments: queue grows (#4814)

    These should have reached you earlier. They come as one message, since they are late.
    Still open: 1 MED, 2 LOW.
    The worst was raised 03:00, 31 min late.
    12 more were resolved meanwhile.
    [MED] Payments: queue grows (#4814)
    Raised 03:00 by prometheus-1.
    [LOW] Payments: disk 81% full (#4812)
    Raised 03:00 by prometheus-1.
    [LOW] Payments: certificate ends in 9 days (#4813)
    Raised 03:00 by prometheus-1.

    Acknowledge all: https://bgl.example/a/7Kq2mZx81QpL

    -- 
    The link opens a page with one button; opening it changes nothing. #K7Q2
    Somebody was not paged? https://bgl.example/assistance
    ");
    let nothing_over = with_page(&alerts, |page| digest_text(&page, 0));
    assert!(!nothing_over.contains("resolved"), "{nothing_over}");
}

#[test]
fn a_long_title_is_cut_and_nothing_else() {
    let long = brief(1, Severity::High, &"very ".repeat(60));
    let text = with_page(&[long], |page| sms(&page));
    insta::assert_snapshot!(text, @r"HIGH Payments: very very very very very very very very very very very very very very very very very very ve.. 4=ack 5=pass on. bgl.example/a/7Kq2mZx81QpL #K7Q2");
    assert!((156..=160).contains(&septets(&text)), "the room is used");
}

proptest! {
    #[test]
    fn a_text_fits_one_segment_and_keeps_its_link_and_keys(
        summary in "\\PC{0,300}",
        late in 0..100_i64,
        possible_repeat: bool,
    ) {
        let alert = brief(1, Severity::Critical, &summary);
        let text = with_page(&[alert], |page| {
            sms(&Page { now: at(late), possible_repeat, ..page })
        });
        prop_assert!(septets(&text) <= 160, "{}: {text}", septets(&text));
        prop_assert!(text.contains("4=ack 5=pass on. bgl.example/a/7Kq2mZx81QpL"));
        prop_assert!(text.ends_with("#K7Q2"));
        prop_assert!(!text.contains('\n'));
    }
}

#[test]
fn a_call_says_the_severity_first_and_reads_symbols_as_words() {
    let page = |page: Page<'_>| speech(&page);
    let one = with_page(&[checkout()], page);
    insta::assert_snapshot!(one.opening, @r"Critical, Payments. checkout api 5xx 14.2 percent (limit 2 percent).");
    insta::assert_snapshot!(one.voicemail, @r"Critical, Payments. checkout api 5xx 14.2 percent (limit 2 percent). Nobody has answered it yet.");
    insta::assert_snapshot!(with_page(&many(), page).opening, @r"3 alerts. The worst: Critical, Payments. checkout api 5xx.");
    let late = with_page(&[checkout()], |page| speech(&Page { now: at(31), ..page }));
    insta::assert_snapshot!(late.opening, @r"Critical, Payments. checkout api 5xx 14.2 percent (limit 2 percent). This was raised 03:00, 31 min late.");
    let by = Actor::User { id: user(PRIYA), name: "Priya Nair".to_owned() };
    let acked = Effect::Acknowledged { not_paged: vec!["Priya".to_owned()] };
    assert_eq!(
        after_key(std::slice::from_ref(&acked), at(0)),
        "Acknowledged. Priya will not be paged. Goodbye."
    );
    let before = Effect::AlreadyAcknowledged { by, at: at(0) };
    assert_eq!(after_key(&[before], at(2)), "Priya acknowledged 2 min before you. Goodbye.");
    assert_eq!(
        after_key(&[acked.clone(), acked], at(0)),
        "2 alerts. Acknowledged. Priya will not be paged. Goodbye."
    );
}

#[test]
fn a_mail_has_the_same_content_twice_and_can_not_be_broken_into() {
    let mut alert = brief(1, Severity::Critical, "<script>alert(1)</script> & \"more\"");
    alert.event_count = 3;
    alert.extra =
        r#"{"links":[{"href":"https://g.example","text":"Graph"},{"href":"javascript:x"}],
        "details":{"region":"eu","labels":{"pod":"a-1"}}}"#
            .to_owned();
    let mail = with_page(&[alert], |page| email(&Page { now: at(31), ..page }));
    insta::assert_snapshot!(mail.text, @r#"
    [CRIT] Payments: <script>alert(1)</script> & "more" (#4812)

    This page is late: raised 03:00, 31 min late.
    Raised 03:00 by prometheus-1.
    3 events so far.
    Graph: https://g.example
    labels: {"pod":"a-1"}
    region: eu

    Acknowledge: https://bgl.example/a/7Kq2mZx81QpL

    -- 
    The link opens a page with one button; opening it changes nothing. #K7Q2
    Somebody was not paged? https://bgl.example/assistance
    "#);
    assert!(!mail.html.contains("<script>"));
    assert!(mail.html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;"));
    assert!(mail.html.contains(LINK));
    assert!(!mail.html.contains("<table"));
    assert_eq!(mail.thread, Some(id(AlertId::from_stored, 1)));
}

#[test]
fn a_mail_of_several_lists_them_worst_first() {
    let mail = with_page(&many(), |page| email(&page));
    insta::assert_snapshot!(mail.text, @r"
    3 alerts, worst [CRIT] Payments: checkout-api 5xx (#4813)

    [CRIT] Payments: checkout-api 5xx (#4813)
    Raised 03:00 by prometheus-1.
    [HIGH] Payments: queue grows (#4814)
    Raised 03:00 by prometheus-1.
    [LOW] Payments: disk 81% full (#4812)
    Raised 03:00 by prometheus-1.

    Acknowledge all: https://bgl.example/a/7Kq2mZx81QpL

    -- 
    The link opens a page with one button; opening it changes nothing. #K7Q2
    Somebody was not paged? https://bgl.example/assistance
    ");
    assert_eq!(mail.thread, None);
}

#[test]
fn text_of_senders_is_never_taken_for_a_place_in_the_template() {
    let alert = brief(1, Severity::Low, "{link} {body} {foot}");
    let mail = with_page(&[alert], |page| email(&page));
    assert_eq!(mail.html.matches(LINK).count(), 1);
    assert!(mail.html.contains("{link} {body} {foot}"));
}

fn notification() -> Notification {
    Notification {
        id: id(NotificationId::from_stored, 77),
        alert: id(AlertId::from_stored, 1),
        user: user(LENA),
        method: method_of(LENA, Channel::Webhook),
        channel: Channel::Webhook,
        lane: Lane::Urgent,
        level: 0,
        cycle: 0,
        wanted_at: at(0),
        due_at: at(1),
        deadline: at(60),
        state: NotificationState::Waiting,
        tries: 1,
        receipt: None,
        possible_repeat: false,
        token: None,
        provider_ref: None,
        created_at: at(0),
    }
}

#[test]
fn a_program_gets_json_with_all_that_is_known() {
    let directory = halden();
    let (alert, notification) = (checkout(), notification());
    let url = "https://bgl.example/alerts/1";
    let hook =
        Hook { directory: &directory, notification: &notification, alert: &alert, url, now: at(2) };
    let body: serde_json::Value = serde_json::from_str(&webhook_body(&hook)).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap(), @r#"
    {
      "alert": {
        "dedup_key": "checkout",
        "details": {
          "n": 1,
          "region": "eu"
        },
        "event_count": 1,
        "id": "alr_00000000000000000000000000000001",
        "links": [
          {
            "href": "https://g.example"
          }
        ],
        "number": 4812,
        "opened_at": "2026-11-20T02:00:00Z",
        "service": {
          "id": "svc_00000000000000000000000000000001",
          "name": "Payments"
        },
        "severity": "critical",
        "source": "prometheus-1",
        "status": "open",
        "summary": "checkout-api 5xx 14.2% (limit 2%)",
        "url": "https://bgl.example/alerts/1"
      },
      "late_s": 120,
      "notification": "ntf_0000000000000000000000000000004d",
      "possible_repeat": false,
      "reference": "F422",
      "type": "alert.notification",
      "user": {
        "id": "usr_00000000000000000000000000000001",
        "name": "Lena Kovač"
      }
    }
    "#);
    let broken = AlertBrief { extra: "{".to_owned(), service: None, ..alert.clone() };
    let body = webhook_body(&Hook { alert: &broken, ..hook });
    assert!(body.contains(r#""service":null"#) && body.ends_with(r#""links":[],"details":{}}}"#));
}

#[test]
fn a_second_call_is_not_late() {
    let mut call = Notification { channel: Channel::Voice, ..notification() };
    assert_eq!(wanted_at(&call), at(0));
    call.receipt = Some((Receipt::Accepted, at(0)));
    assert_eq!(wanted_at(&call), at(1));
}

#[test]
fn replies_are_answered_in_a_few_words() {
    let by = Actor::User { id: user(PRIYA), name: "Priya Nair".to_owned() };
    let priya = || vec!["Priya".to_owned()];
    let one = |effect: Effect| reply(Reply::Done(&[(4812, effect)]), at(2));
    let acked = Effect::Acknowledged { not_paged: priya() };
    assert_eq!(one(acked.clone()), "Acked 4812. Priya not paged.");
    assert_eq!(one(Effect::Acknowledged { not_paged: Vec::new() }), "Acked 4812.");
    let before = Effect::AlreadyAcknowledged { by, at: at(0) };
    assert_eq!(one(before.clone()), "4812 was acked by Priya 2 min before you.");
    assert_eq!(one(Effect::Resolved { not_paged: priya() }), "Resolved 4812. Priya not paged.");
    assert_eq!(one(Effect::AlreadyResolved { at: at(1) }), "4812 was over 1 min before you.");
    assert_eq!(one(Effect::PassedOn { to: priya() }), "Passed on 4812. Priya paged now.");
    let which = reply(Reply::Which(crate::respond::ResponseAction::Resolve, &[4812, 4813]), at(0));
    assert_eq!(which, "Which? Reply 6 #4812, 6 #4813 or 6 all.");
    insta::assert_snapshot!(one(Effect::NobodyNext), @r"4812: nobody to pass it on to. It still waits for an answer.");
    let all = [(4812, acked.clone()), (4813, before), (4814, acked)];
    insta::assert_snapshot!(reply(Reply::Done(&all), at(2)), @r"Acked 2: 4812, 4814. Acked before you 1: 4813.");
    insta::assert_snapshot!(reply(Reply::NotUnderstood, at(2)), @r"Not understood. Reply 4 to ack, 5 to pass on, 6 if it is fixed.");
    insta::assert_snapshot!(reply(Reply::NothingOpen, at(2)), @r"Nothing of yours waits for an answer.");
}

#[test]
fn durations_and_names_are_short() {
    let show = |seconds| duration(SignedDuration::from_secs(seconds));
    let shown = [-5, 0, 59, 60, 3_599, 3_600, 7_500, 86_399, 86_400, 200_000].map(show);
    assert_eq!(
        shown,
        [
            "0 s",
            "0 s",
            "59 s",
            "1 min",
            "59 min",
            "1 h",
            "2 h 5 min",
            "23 h 59 min",
            "1 day",
            "2 days"
        ]
    );
    let all = ["Ada", "Bo", "Cy", "Di", "Ed"];
    assert_eq!(names(&all[..0]), "nobody");
    assert_eq!(names(&all[..1]), "Ada");
    assert_eq!(names(&all[..2]), "Ada and Bo");
    assert_eq!(names(&all[..3]), "Ada, Bo and Cy");
    assert_eq!(names(&all), "Ada, Bo and 3 others");
}

#[test]
fn what_people_are_called_is_escaped() {
    let name = html::escaped("<b>\"Q & A's\"</b>");
    assert_eq!(name, "&lt;b&gt;&quot;Q &amp; A&#39;s&quot;&lt;/b&gt;");
}
