//! Assistance requests: the form, the list, one as its tenant and as an operator see it, the desk.

use std::time::Duration;

use bugle_app::assistance::trace::{CameIn, Trace};
use bugle_app::assistance::{About, AssistanceDesk, AssistanceRequest, AssistanceView, OfTenant};
use bugle_app::why::{Stage as WhyStage, Why, WhyStep};
use bugle_domain::stage::Stage;
use bugle_domain::{AssistanceId, EventId, TenantId};
use bugle_engine::assistance::finding::{Cause, Finding, Place};
use bugle_engine::assistance::group;
use bugle_engine::assistance::replica::{Passage, Passed, Replica};
use bugle_engine::assistance::{Paged, Reporter, Said};
use bugle_engine::watch::Hop;

use super::*;
use crate::pages::assistance::{build_form, build_list, desk, show as one};

fn finding(cause: Cause, text: &str) -> Finding {
    let hop = Some(Hop::Stage { stage: Stage::Intake });
    Finding { cause, text: text.to_owned(), place: Place { hop, ..Place::default() } }
}

fn asked(number: u8, tenant: u8) -> OfTenant {
    let now = times().now();
    let request = AssistanceRequest {
        id: AssistanceId::new(now, [number; 10]),
        tenant: TenantId::new(now, [tenant; 10]),
        about: About::Time,
        integration: None,
        expected: "db1 went down at 02:40; <Lena> should have had a text & a call".to_owned(),
        from: at("2026-10-21T23:47:00Z"),
        until: now,
        by: Reporter { user: None, name: "Tomás Ruiz".to_owned() },
        opened_at: now,
        finding: Some(finding(
            Cause::NothingCame,
            "Nothing came in by \"Prometheus, production\" in that time: no request, accepted or \
             refused.",
        )),
        traced_at: Some(now),
        paged: Some(Paged::new(AssistanceId::new(now, [1; 10]), now)),
        said: Vec::new(),
        replica: None,
        closed: None,
    };
    OfTenant { request, tenant: format!("Client {tenant}") }
}

fn full() -> AssistanceView {
    let OfTenant { mut request, tenant } = asked(1, 3);
    let now = times().now();
    let said = |by: &str, operator, text: &str, mailed: Option<&str>| Said {
        at: now,
        by: by.to_owned(),
        operator,
        text: text.to_owned(),
        mailed: mailed.map(str::to_owned),
        record: false,
    };
    request.said = vec![
        said("Tomás Ruiz", false, "It happens again.", None),
        said(
            "Mara Lind",
            true,
            "We see that your events are lost at intake.\nWe are on it.",
            Some("Mailed to tomas@halden.example."),
        ),
    ];
    let event = EventId::new(now, [4; 10]);
    let took = Duration::from_millis(34);
    let through = |hop: &str, text: &str| Passed::new(hop, Passage::Through, text).seen(now, took);
    let failed = "twilio did not take it: 503 <Service Unavailable>. spare did not take it: 503.";
    let replica = Replica::new(
        now,
        vec![
            through("integration \"Prometheus\"", "It takes events."),
            through("intake", &format!("{event} was accepted and is in the ledger.")),
        ],
        vec![
            Passed::new("sms", Passage::Stopped, failed).seen(now, took).by("spare"),
            through("email", "mail took it after 34 ms, to the probe address.").by("mail"),
        ],
    );
    let done = format!("Sent something along the path. {}", replica.outcome());
    request.said.push(Said { record: true, ..said("Mara Lind", true, &done, None) });
    request.replica = Some(replica);
    let step = WhyStep {
        at: now,
        stage: WhyStage::Intake,
        text: "Read as a trigger, info: \"disk\", key \"disk\".".to_owned(),
        data: serde_json::json!({ "key": "disk" }),
    };
    let record = Why {
        subject: event.to_string(),
        event: Some(event),
        alert: None,
        alert_number: None,
        answer: "Nobody was paged.".to_owned(),
        steps: vec![step],
        cut: false,
    };
    let came = CameIn {
        event,
        at: now,
        summary: "disk is <full>".to_owned(),
        finding: finding(Cause::Info, "Its severity is info, which pages nobody."),
    };
    let trace = Some(Trace { at: now, record: Some(record), came: vec![came] });
    AssistanceView { request, trace, tenant, integration: Some("Prometheus".to_owned()) }
}

#[test]
fn who_was_not_paged_reads_the_ledgers_answer_and_the_operators() {
    let shell = shell("Assistance", Section::Assistance);
    let sent = vec![("event".to_owned(), "evt_1".to_owned())];
    show("assistance-new", &shell, &build_form(&[], &sent, Vec::new()));
    show("assistance-empty", &shell, &build_list(&[], &times()));
    let mut list = build_list(&[asked(1, 3), asked(2, 3)], &times());
    let html = show("assistance", &shell, &list);
    assert!(html.contains("Nothing came in by") && !html.contains("mailto:"), "{html}");
    list.address = Some("help+abcdefgh@in.example".to_owned());
    let html = show("assistance-by-mail", &shell, &list);
    assert!(html.contains("href=\"mailto:help+abcdefgh@in.example\""), "{html}");
    let page = one::build(full(), &times(), one::For::Tenant { can_say: true });
    let html = show("assistance-one", &shell, &page);
    assert!(html.contains("We see that your events are lost"), "{html}");
    assert!(html.contains("Mailed to tomas@halden.example."), "{html}");
    assert!(html.contains("Say more") && !html.contains("Replicate"), "{html}");
    assert!(html.contains("&#60;Lena&#62;"), "what people write is no markup: {html}");
}

#[test]
fn operators_see_who_asks_what_they_share_and_where_it_stops() {
    let shell = shell("Assistance desk", Section::AssistanceDesk);
    let nothing = AssistanceDesk { requests: Vec::new(), groups: Vec::new() };
    show("assistance-desk-empty", &shell, &desk::build(&nothing, &times()));
    let requests = vec![asked(1, 3), asked(2, 4)];
    let open: Vec<_> = requests.iter().map(|it| it.request.clone()).collect();
    let groups = group::groups(&open, times().now());
    let html = show(
        "assistance-desk",
        &shell,
        &desk::build(&AssistanceDesk { requests, groups }, &times()),
    );
    assert!(html.contains("Several clients within ten minutes"), "{html}");
    assert!(html.contains("2 share the hop: intake"), "{html}");
    let page = one::build(full(), &times(), one::For::Operator);
    let html = show("assistance-desk-one", &shell, &page);
    assert!(html.contains("It stops at sms, by spare."), "{html}");
    assert!(html.contains("sms by spare") && html.contains("34 ms"), "{html}");
    assert!(html.contains("503 &#60;Service Unavailable&#62;"), "{html}");
    assert!(!html.contains("Not reached"), "one channel does not stop another: {html}");
    for action in ["answer", "trace", "replicate", "close"] {
        assert!(html.contains(&format!("/{action}\"")), "{action} in {html}");
    }
}
