//! Fixtures of the pages around alerts.
#![expect(clippy::too_many_lines, reason = "fixtures are data")]

use std::collections::BTreeMap;

use bugle_app::alerts::Glyph;
use bugle_app::handset::{
    CallState, Handset, HandsetCall, HandsetError, HandsetMessage, Receiver, ReceiverKind,
};
use bugle_app::ledger::LedgerView;
use bugle_app::why::{Stage, Why, WhyStep};
use bugle_domain::contact::Channel;
use bugle_domain::integration::Dialect;
use bugle_domain::ledger::{Ended, Ledger, OwedAge, Sums};
use bugle_domain::notification::Lane;
use bugle_domain::severity::Severity;
use futures_util::future::BoxFuture;

use super::{at, shell, show, times};
use crate::pages::alert::{AckPage, Action, Next, Told, sign};
use crate::pages::integrations::{
    IntegrationForm, IntegrationPage, IntegrationsPage, Request, RequestsPart, Row, TestForm,
    Would, dialect_name,
};
use crate::pages::parts::{Choice, FieldError, Link, Raw, Sev, Tab};
use crate::pages::shell::{Layout, Section};
use crate::pages::sign_in::{LinkPage, SetupPage, SignInPage};
use crate::pages::snippets::{Given, Sender};
use crate::pages::{handset, ledger, why};

fn text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn doors() {
    let mut lone = shell("Sign in – Bugle", Section::Me);
    lone.layout = Layout::Lone;
    lone.live = None;
    let errors =
        vec![FieldError::new("email", "Mail address and password do not belong together.")];
    let page =
        SignInPage { next: text("/alerts"), email: String::new(), errors: Vec::new(), said: None };
    show("sign-in", &lone, &page);
    show(
        "sign-in-wrong",
        &lone,
        &SignInPage { errors, email: text("lena@halden.example"), ..page },
    );
    let link = LinkPage {
        title: text("You are invited in"),
        action: Some(text("/s/abc")),
        button: text("Sign in"),
        text: text("This link works once."),
    };
    lone.demo = true;
    show("link", &lone, &link);
    let errors = vec![FieldError::new("password", "Choose at least 8 characters.")];
    let setup = SetupPage {
        token: text("t"),
        organisation: text("Halden Freight"),
        name: text("Lena Kovač"),
        email: text("lena@halden.example"),
        time_zone: text("Europe/Berlin"),
        errors,
    };
    show("setup", &lone, &setup);
}

#[test]
fn ack_link() {
    let times = times();
    let told = |when, glyph, who, what| Told {
        at: times.time(at(when)),
        sign: sign(glyph),
        who: text(who),
        what: text(what),
    };
    let page = AckPage {
        href: text("/a/t"),
        number: 4812,
        severity: Sev(Severity::High),
        state_line: text("paging you since 02:41"),
        title: text("card-gateway p99 4.1 s"),
        place: vec![text("Payments"), text("prod")],
        started_word: "Started",
        started: times.short(at("2026-10-22T00:41:00Z")),
        events: 4,
        events_text: text("4 events"),
        told: vec![told("2026-10-22T00:41:00Z", Glyph::Seen, "You, email", "opened 02:46")],
        next: Some(Next {
            at: times.time(at("2026-10-22T00:51:00Z")),
            names: text("Priya"),
            verb: "is paged",
            left: text("3:54"),
            from_iso: text("2026-10-22T00:41:00Z"),
            percent: 61,
        }),
        links: vec![Link::new("https://runbooks.example", "Runbook")],
        details: Vec::new(),
        zone: text("Europe/Berlin"),
        main: Some(Action::Acknowledge),
        effect: text("Stops the calls. Priya will not be woken."),
        done: None,
        owner: text("Lena"),
    };
    let mut lone = shell("High: card-gateway p99 4.1 s – alert 4812", Section::Alerts);
    lone.layout = Layout::AlertLink;
    show("ack", &lone, &page);
}

fn request(second: &str, status: u16, outcome: &str) -> Request {
    Request {
        id: format!("r{second}"),
        at: times().exact(at(&format!("2026-10-22T00:46:{second}Z"))),
        status,
        ok: status < 300,
        outcome: text(outcome),
        dialect: "Bugle, curl",
        size: text("214 bytes"),
        body: text("{\"action\":\"trigger\",\"summary\":\"Checkout is down\"}"),
        why: Some(text("/events/evt_1")),
    }
}

#[test]
fn integration_pages() {
    let row = |name: &str, dialect, service: &str| Row {
        href: text("/integrations/x"),
        name: text(name),
        dialect: dialect_name(dialect),
        service: text(service),
        hint: text("k7Q2"),
        disabled: name == "Old Nagios",
    };
    let rows = vec![
        row("Alertmanager prod", Dialect::AlertmanagerWebhook, "Payments"),
        row("Deploys", Dialect::Native, "no service: the fallback policy"),
        row("Old Nagios", Dialect::PagerdutyV2, "Warehouse"),
    ];
    let page = IntegrationsPage { rows, can_edit: true, said: None };
    let app = shell("Integrations – Bugle", Section::Integrations);
    show("integrations", &app, &page);
    show(
        "integrations-empty",
        &app,
        &IntegrationsPage { rows: Vec::new(), can_edit: true, said: None },
    );
    let tab = |sender: Sender| Tab {
        href: text("?tab"),
        text: text(sender.title()),
        current: sender == Sender::Curl,
    };
    let choice = |each: Severity| Choice::new(each.as_str(), Sev(each).word(), "critical");
    let given = Given {
        base: "http://localhost:7070",
        key: "k7q2m4n8p1r5s9t3v6w0x2y4z8a1b5c9",
        address: None,
    };
    let page = IntegrationPage {
        ask: "/assistance/new?integration=int_1".to_owned(),
        href: text("/integrations/x"),
        name: text("Alertmanager prod"),
        dialect: "Alertmanager webhook",
        service: text("Payments"),
        disabled: false,
        hint: text("k7Q2"),
        key: Some(text("k7q2m4n8p1r5s9t3v6w0x2y4z8a1b5c9")),
        tabs: Sender::ALL.map(tab).to_vec(),
        snippet: Sender::Curl.snippet(given),
        test: TestForm {
            summary: text("Test: checkout is down"),
            severities: Severity::ALL.map(choice).to_vec(),
            ring: true,
        },
        would: Some(Would {
            policy: text("Payments critical, which the service Payments names."),
            levels: vec![text("Level 1: Lena Kovač by SMS and email at once, by call after 60 s.")],
        }),
        requests: RequestsPart {
            requests: vec![
                request("12", 202, "Folded into #4812."),
                request("10", 202, "Opened #4812 and paged Lena."),
                request("08", 422, "severity: use critical, high, medium, low or info"),
            ],
            zone: text("Europe/Berlin"),
        },
        can_edit: true,
        can_send: true,
        demo: true,
        said: None,
    };
    show("integration", &app, &page);
    let form = IntegrationForm {
        heading: text("New integration"),
        action: text("/integrations/new"),
        button: "Make integration",
        name: String::new(),
        dialects: Dialect::ALL
            .map(|each| Choice::new(each.as_str(), dialect_name(each), "native"))
            .to_vec(),
        services: vec![Choice::new("", "No service: the fallback policy is told", "")],
        ask_key: true,
        disabled: None,
        quota: String::new(),
        delete: None,
        errors: vec![FieldError::new("name", "There is an integration of this name already.")],
    };
    show("integration-form", &app, &form);
}

#[derive(Debug)]
struct Phones;

impl Handset for Phones {
    fn receivers(&self) -> Vec<Receiver> {
        let message = |id: &str, mine, words: &str| HandsetMessage {
            id: text(id),
            at: at("2026-10-22T00:43:00Z"),
            sent_by_owner: mine,
            peer: text("+15005550006"),
            subject: text("CRIT Payments: checkout-api 5xx 14.2 %"),
            text: text(words),
        };
        let call = |state| HandsetCall {
            id: text("c1"),
            state,
            spoken: vec![
                text("Bugle. Bugle. Critical, Payments. checkout-api 5xx at 14.2 percent."),
                text(
                    "Press 4 to acknowledge. 5 to pass it on. 6 if it is fixed. 0 to hear it again.",
                ),
            ],
            keys: text("0"),
            since: at("2026-10-22T00:46:00Z"),
        };
        let ringing =
            HandsetCall { spoken: Vec::new(), keys: String::new(), ..call(CallState::Ringing) };
        let sms = "CRIT Payments: checkout-api 5xx 14.2% (limit 2%). 4=ack 5=pass on. http://localhost:7070/a/7Kq2";
        vec![
            Receiver {
                owner: text("Lena Kovač"),
                kind: ReceiverKind::Phone { number: text("+4915112345318") },
                messages: vec![
                    message("1", false, sms),
                    message("2", true, "4"),
                    message("3", false, "Acked 4812. Priya not paged."),
                ],
                call: Some(ringing),
            },
            Receiver {
                owner: text("Priya Nair"),
                kind: ReceiverKind::Phone { number: text("+447700900318") },
                messages: Vec::new(),
                call: Some(call(CallState::InCall)),
            },
            Receiver {
                owner: text("Lena Kovač"),
                kind: ReceiverKind::Mailbox { address: text("lena@halden.example") },
                messages: vec![message(
                    "4",
                    false,
                    "checkout-api: 5xx errors at 14.2 %, limit is 2 %\n\nAcknowledge: http://localhost:7070/a/7Kq2",
                )],
                call: None,
            },
        ]
    }
    fn answer<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), HandsetError>> {
        Box::pin(async { Ok(()) })
    }
    fn voicemail<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), HandsetError>> {
        Box::pin(async { Ok(()) })
    }
    fn press<'a>(&'a self, _: &'a str, _: char) -> BoxFuture<'a, Result<(), HandsetError>> {
        Box::pin(async { Ok(()) })
    }
    fn hang_up<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), HandsetError>> {
        Box::pin(async { Ok(()) })
    }
    fn reply<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), HandsetError>> {
        Box::pin(async { Ok(()) })
    }
    fn subscribe(&self) -> tokio::sync::watch::Receiver<u64> {
        tokio::sync::watch::channel(0).1
    }
}

#[test]
fn phones_of_the_demo() {
    let mut app = shell("Handset – Bugle", Section::Handset);
    app.demo = true;
    show("handset", &app, &handset::load(&Phones, &times(), "Lena Kovač"));
}

#[test]
fn why_and_ledger() {
    let step = |second: &str, stage, what: &str| WhyStep {
        at: at(&format!("2026-10-22T00:41:{second}Z")),
        stage,
        text: text(what),
        data: serde_json::json!({"policy": "Payments critical"}),
    };
    let record = Why {
        subject: text("evt_0192b3c4d5e6f7a8b9c0d1e2f3a4b5c6"),
        event: None,
        alert: None,
        alert_number: Some(4812),
        answer: text("Lena was paged and acknowledged after 41 s."),
        steps: vec![
            step(
                "00",
                Stage::Intake,
                "Received by Alertmanager prod, 412 bytes, and kept before it was answered.",
            ),
            step("00", Stage::Alerting, "Opened alert #4812: no open alert had its key."),
            step("00", Stage::Alerting, "Level 1 told Lena Kovač, on call in Payments primary."),
            step("01", Stage::Dispatch, "SMS handed to twilio, which took it."),
            step("03", Stage::Receipts, "SMS delivered to …318."),
            step("41", Stage::Responses, "Lena Kovač acknowledged by SMS. Priya was not paged."),
        ],
        cut: false,
    };
    let raw = Raw { caption: text("412 bytes"), text: text("{\"receiver\":\"bugle\"}") };
    let app = shell("Why this event – Bugle", Section::Alerts).back("/alerts/4812", "Alert #4812");
    show("why", &app, &why::build(record, Some(raw), &times()));
    let sums = Sums {
        accepted: 12_408,
        pending: 3,
        alerted: 212,
        folded: 11_902,
        suppressed: 291,
        owed: 690,
        waiting: 4,
        sending: 1,
        handed_off: 6,
        ended: Ended { answered: 188, delivered: 421, failed: 9, cancelled: 58, expired: 3 },
    };
    let view = LedgerView {
        ledger: Ledger {
            total: sums.clone(),
            tenants: Vec::new(),
            oldest_pending_ms: Some(240),
            owed: vec![OwedAge {
                lane: Lane::Urgent,
                channel: Channel::Sms,
                oldest_ms: 12_400,
                count: 2,
            }],
        },
        names: BTreeMap::new(),
        at: times().now(),
    };
    let app = shell("Ledger – Bugle", Section::Ledger);
    show("ledger", &app, &ledger::build(&view, text("Halden Freight"), Vec::new(), false));
}
