//! Pages rendered from fixtures.
#![expect(clippy::too_many_lines, reason = "fixtures are data")]

mod assistance;
mod changes;
mod check;
mod documents;
mod more;
mod schedules;
mod status;
mod watching;

use std::fmt::Display;

use bugle_app::alerts::Glyph;
use bugle_domain::severity::Severity;
use jiff::Timestamp;

use super::alert::{Action, AlertPage, Also, Done, Line, Next, Seen, Told, sign};
use super::alerts::{AlertsPage, Quiet, Row, Rows, Task};
use super::parts::{Link, Pair, Raw, Sev, Tab};
use super::shell::{Layout, Reader, Section, Shell, document};
use super::times::Times;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn times() -> Times {
    Times::new("Europe/Berlin", at("2026-10-22T00:47:06Z"))
}

fn shell(title: &str, section: Section) -> Shell {
    Shell {
        title: title.to_owned(),
        layout: Layout::App,
        section,
        back: None,
        user: Some(Reader {
            name: "Lena Kovač".to_owned(),
            on_call: Some("On call until Fri 18:00".to_owned()),
        }),
        operator: true,
        open_alerts: 3,
        demo: false,
        theme: None,
        live: Some("alerts".to_owned()),
        who: "usr_0192f3a1".to_owned(),
        now_ms: times().now().as_millisecond(),
        now_text: times().hms(times().now()),
        keys: true,
    }
}

/// Where rendered pages are left to be looked at, if anybody wants to.
fn folder() -> Option<&'static str> {
    option_env!("BUGLE_PAGES_DIR")
}

fn show(name: &str, shell: &Shell, body: &impl Display) -> String {
    let html = document(shell, body);
    check::page(name, &html);
    if let Some(folder) = folder() {
        let css = super::assets::STYLE;
        let js = include_str!("../../assets/enhance.js");
        for theme in ["day", "night"] {
            let themed = html
                .replacen(
                    "<html lang=\"en\"",
                    &format!("<html lang=\"en\" data-theme=\"{theme}\""),
                    1,
                )
                .replacen(
                    "</title>",
                    &format!(
                        "</title><style>{css}</style><script type=\"text/plain\">{}</script>",
                        js.len()
                    ),
                    1,
                );
            std::fs::write(format!("{folder}/{name}-{theme}.html"), themed).unwrap();
        }
    }
    html
}

fn alert_page() -> AlertPage {
    let times = times();
    let told = |time, glyph, who: &str, what: &str| Told {
        at: times.time(at(time)),
        sign: sign(glyph),
        who: who.to_owned(),
        what: what.to_owned(),
    };
    let mut events: Vec<Timestamp> = Vec::new();
    for minute in 0..7_i64 {
        for n in 0..(8 + minute * minute * 3) {
            events.push(
                at("2026-10-22T00:41:00Z")
                    + jiff::SignedDuration::from_millis(minute * 60_000 + n * 400),
            );
        }
    }
    events.retain(|event| *event <= times.now());
    AlertPage {
        href: "/alerts/4812".to_owned(),
        number: 4812,
        severity: Sev(Severity::Critical),
        state_line: "paging you since 02:41".to_owned(),
        title: "checkout-api: 5xx errors at 14.2 %, limit is 2 %".to_owned(),
        place: vec!["Payments".to_owned(), "prod".to_owned(), "eu-west-1".to_owned()],
        started_word: "Started",
        started: times.short(at("2026-10-22T00:41:00Z")),
        events: 312,
        events_text: "312 events".to_owned(),
        spoken: "Critical. checkout-api 5xx at 14.2 percent. Paging you. Next: Priya in 3 minutes 54.".to_owned(),
        graph: super::graph::draw(&times, &events, 312),
        told: vec![
            told("2026-10-22T00:41:00Z", Glyph::Accepted, "You, email", "accepted by the mail server, not yet seen"),
            told("2026-10-22T00:43:00Z", Glyph::Delivered, "You, SMS", "delivered to …318"),
            told("2026-10-22T00:46:00Z", Glyph::Trying, "You, call", "no answer, redial 02:48"),
        ],
        nobody: String::new(),
        next: Some(Next {
            at: times.time(at("2026-10-22T00:51:00Z")),
            names: "Priya".to_owned(),
            verb: "is paged",
            left: "3:54".to_owned(),
            from_iso: "2026-10-22T00:41:00Z".to_owned(),
            percent: 61,
        }),
        told_note: None,
        seen: Some(Seen {
            ago: "9 days ago".to_owned(),
            text: ", over in 18 min: Jonas rolled back payments 2.14.".to_owned(),
            href: "/alerts/4391".to_owned(),
            number: 4391,
        }),
        also: vec![
            Also { severity: Sev(Severity::High), title: "card-gateway p99 4.1 s".to_owned(), href: "/alerts/4811".to_owned() },
            Also { severity: Sev(Severity::Medium), title: "webhook queue 1 204".to_owned(), href: "/alerts/4809".to_owned() },
        ],
        changes: vec![Line { at: times.time(at("2026-10-22T00:31:00Z")), text: "payments 2.15 deployed to prod (ci.example)".to_owned() }],
        links: vec![Link::new("https://runbooks.example/checkout", "Runbook"), Link::new("https://grafana.example", "Dashboard")],
        details: vec![Pair { key: "error_rate".to_owned(), value: "14.2".to_owned() }, Pair { key: "region".to_owned(), value: "eu-west-1".to_owned() }],
        raw: Some(Raw { caption: "412 bytes at 02:41:00".to_owned(), text: "{\"action\":\"trigger\",\"summary\":\"checkout-api: 5xx\"}".to_owned() }),
        timeline: vec![
            Line { at: times.exact(at("2026-10-22T00:41:00Z")), text: "Opened by an event of Alertmanager. It follows the policy Payments critical, which the service Payments names.".to_owned() },
            Line { at: times.exact(at("2026-10-22T00:41:00Z")), text: "Level 1 told Lena Kovač, on call in Payments primary. Next step at 02:51.".to_owned() },
        ],
        why: "/alerts/4812/why".to_owned(),
        zone: "Europe/Berlin".to_owned(),
        can_act: true,
        main: Some(Action::Acknowledge),
        effect: "Stops the calls. Priya will not be woken.".to_owned(),
        by_text: Some("sms:+15005550006?&body=4%204812".to_owned()),
        pass_on: Some("Pass to Priya".to_owned()),
        told_at: "2026-11-20T01:41:00Z".to_owned(),
        resolve_too: true,
        done: None,
        said: None,
    }
}

#[test]
fn one_alert() {
    let mut shell = shell("Critical: checkout-api 5xx at 14.2 % – alert 4812", Section::Alerts);
    shell.back = Some(Link::new("/alerts", "Alerts · 3 open"));
    show("alert", &shell, &alert_page());
    let mut page = alert_page();
    page.main = Some(Action::Resolve);
    page.resolve_too = false;
    page.pass_on = None;
    page.next = None;
    page.effect = "Closes the alert. A new event opens a new one.".to_owned();
    page.done = Some(Done {
        what: "Acknowledged 02:47:11 by you.".to_owned(),
        effect: "Priya will not be paged.".to_owned(),
    });
    page.state_line = "acknowledged by you since 02:47".to_owned();
    show("alert-acked", &shell, &page);
}

#[test]
fn an_alert_with_a_long_history_keeps_its_weight() {
    let mut page = alert_page();
    let line = page.timeline[1].clone();
    page.timeline = (0..200).map(|_| line.clone()).collect();
    page.told = (0..60).map(|_| page.told[1].clone()).collect();
    let pair = Pair { key: "label".to_owned(), value: "x".repeat(2_000) };
    page.details = (0..30).map(|_| pair.clone()).collect();
    show("alert-huge", &shell("Critical – alert 4812", Section::Alerts), &page);
}

#[test]
fn list_of_alerts() {
    let times = times();
    let row =
        |number: i64, severity, title: &str, service: &str, state: &str, opened: &str, events| {
            Row {
                id: format!("alr_{number:032}"),
                number,
                href: format!("/alerts/{number}"),
                severity: Sev(severity),
                title: title.to_owned(),
                service: service.to_owned(),
                state: state.to_owned(),
                due: None,
                events,
                opened: times.short(at(opened)),
                pickable: true,
                paging: true,
            }
        };
    let paging = vec![
        row(
            4812,
            Severity::Critical,
            "checkout-api: 5xx errors at 14.2 %, limit is 2 %",
            "Payments",
            "paging you, 3:54 to Priya",
            "2026-10-22T00:41:00Z",
            312,
        ),
        row(
            4811,
            Severity::High,
            "card-gateway p99 4.1 s over the last five minutes in eu-west-1 and growing",
            "Payments",
            "paging Tomás, 8:10 to Jonas",
            "2026-10-22T00:38:00Z",
            4,
        ),
        row(
            4809,
            Severity::Medium,
            "webhook queue 1 204",
            "Webhooks",
            "nobody has answered",
            "2026-10-21T23:58:00Z",
            1,
        ),
    ];
    let mine = vec![row(
        4802,
        Severity::Low,
        "disk 81 % on db-3",
        "Database",
        "acknowledged by you",
        "2026-10-21T20:00:00Z",
        12,
    )];
    let page = AlertsPage {
        q: String::new(),
        errors: Vec::new(),
        views: vec![
            Tab { href: "/alerts".to_owned(), text: "Not over".to_owned(), current: true },
            Tab {
                href: "/alerts?q=is:resolved".to_owned(),
                text: "Resolved".to_owned(),
                current: false,
            },
            Tab {
                href: "/alerts?q=is:any".to_owned(),
                text: "Everything".to_owned(),
                current: false,
            },
        ],
        here: "/alerts".to_owned(),
        sections: vec![
            Rows { title: "Paging now", count: 3, items: paging },
            Rows { title: "Mine, acknowledged", count: 1, items: mine },
        ],
        quiet: None,
        total: "4 shown".to_owned(),
        next: Some("/alerts?after=x".to_owned()),
        checklist: Vec::new(),
        checklist_left: 0,
        any_rows: true,
        can_act: true,
        zone: "Europe/Berlin".to_owned(),
        said: None,
    };
    show("alerts", &shell("(3) Alerts – Bugle", Section::Alerts), &page);
    let long =
        "card-gateway p99 4.1 s over the last five minutes in eu-west-1 and growing ".repeat(3);
    let many = (0..50).map(|n| {
        let service = format!("Service number {n}");
        let state = "acknowledged by somebody with a long name";
        row(5000 + n, Severity::High, &long, &service, state, "2026-10-22T00:38:00Z", 1_204)
    });
    let huge = vec![Rows { title: "Paging now", count: 50, items: many.collect() }];
    let huge = AlertsPage { sections: huge, ..page.clone() };
    show("alerts-huge", &shell("(50) Alerts – Bugle", Section::Alerts), &huge);
    let empty = AlertsPage {
        sections: Vec::new(),
        any_rows: false,
        next: None,
        quiet: Some(Quiet {
            title: "Everything is quiet".to_owned(),
            text: "Last alert 14 h ago. You are on call until Fri 18:00.".to_owned(),
        }),
        checklist: vec![
            Task { text: "Prove a way to reach you", href: "/me", note: "1 min", done: true },
            Task {
                text: "Make an integration",
                href: "/integrations/new",
                note: "1 min",
                done: false,
            },
            Task { text: "Make something ring", href: "/integrations", note: "10 s", done: false },
        ],
        checklist_left: 2,
        ..page
    };
    show("alerts-empty", &shell("Alerts – Bugle", Section::Alerts), &empty);
}
