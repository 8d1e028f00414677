//! The operator's pages: the pipeline when all is well and when it is not, and an incident.

use bugle_app::incidents::{Candidate, IncidentView};
use bugle_app::watch::{ProviderReport, Report, Watched};
use bugle_domain::contact::Channel;
use bugle_domain::stage::Stage;
use bugle_domain::{IncidentId, NodeId, TenantId, UserId};
use bugle_engine::incident::room::{Act, By, Origin, Person, Role, Room};
use bugle_engine::incident::{self, IncidentLine, LineGroup};
use bugle_engine::watch::books::{Books, Flow};
use bugle_engine::watch::runway::{Gauge, Level};
use bugle_engine::watch::{Canary, Hop, Verdict, View};

use super::*;
use crate::pages::parts::FieldError;
use crate::pages::{incidents, pipeline};

fn node() -> NodeId {
    NodeId::new(times().now(), [9; 10])
}

fn dispatch() -> Hop {
    Hop::Stage { stage: Stage::Dispatch }
}

fn canary(channel: Channel, provider: &str, stuck: Option<Hop>) -> Canary {
    let now = times().now();
    Canary {
        node: node(),
        channel,
        provider: provider.to_owned(),
        sent_at: now,
        through: Some(now),
        stuck,
        hops_ms: vec![(Stage::Intake, 2), (Stage::Alerting, 4), (Stage::Dispatch, 3)],
    }
}

fn verdict() -> Verdict {
    Verdict {
        hop: dispatch(),
        since: times().now(),
        evidence: "7 canaries did not come through (sms by twilio, webhook by webhook)".to_owned(),
        waiting: 4_812,
        tenants: Vec::new(),
        nodes: vec![node()],
        harmless: false,
    }
}

fn provider(channel: Channel, name: &str, probed: bool) -> ProviderReport {
    ProviderReport {
        channel,
        name: name.to_owned(),
        breaker: "closed".to_owned(),
        probed,
        samples: 300,
        success_rate: Some(0.998),
        median_ms: Some(41),
        last_error: None,
    }
}

fn watched(verdicts: Vec<Verdict>, stuck: Option<Hop>) -> Watched {
    let now = times().now();
    let disk = Gauge {
        name: "disk".to_owned(),
        level: Level::Warn,
        text: "12.4 GiB free, full in 3 d".to_owned(),
        runway_s: Some(259_200),
    };
    let report = Report {
        node: node(),
        at: now,
        verdicts,
        canaries: vec![
            canary(Channel::Sms, "twilio", stuck.clone()),
            canary(Channel::Webhook, "webhook", stuck),
        ],
        paths: Vec::new(),
        books: Some(Books::default()),
        flow: Flow::default(),
        gauges: vec![disk],
        providers: vec![
            provider(Channel::Sms, "twilio", true),
            provider(Channel::Voice, "twilio", false),
            provider(Channel::Webhook, "webhook", true),
        ],
        control_reported: Some(now),
    };
    let (verdicts, canaries) = (report.verdicts.clone(), report.canaries.clone());
    let view = View { at: now, verdicts, canaries };
    Watched { view, reports: vec![report], silent: vec![(NodeId::new(now, [8; 10]), now)] }
}

#[test]
fn pipeline_pages() {
    let app = shell("Pipeline", Section::Pipeline);
    let green = watched(Vec::new(), None);
    show("pipeline", &app, &pipeline::build(Some(&green), &[], &times()));
    let red = watched(vec![verdict()], Some(dispatch()));
    let names = ["Halden Freight".to_owned()];
    show("pipeline-red", &app, &pipeline::build(Some(&red), &names, &times()));
    show("pipeline-off", &app, &pipeline::build(None, &[], &times()));
}

fn person(number: u8, name: &str) -> Person {
    let user = UserId::new(times().now(), [number; 10]);
    Person { tenant: TenantId::new(times().now(), [1; 10]), user, name: name.to_owned() }
}

/// An incident that the watch declared, as `Priya` sees it.
fn view() -> IncidentView {
    let now = times().now();
    let id = IncidentId::new(now, [1; 10]);
    let found = incident::declare(id, &[verdict()], false, now).unwrap();
    let mut room = Room::of_watch(&found);
    let priya = person(2, "Priya Nair");
    let by = By { name: "Priya Nair", person: Some(&priya), now };
    let lead = Act::Give { role: Role::Commander, to: priya.clone(), reason: String::new() };
    let task = Act::AddTask { text: "Call the carrier".to_owned(), assignee: None };
    let mut lines = vec![
        IncidentLine::new("watch", "Declared: 7 canaries did not come through.", now)
            .linked("/pipeline"),
    ];
    for act in [lead, task.clone(), task, Act::FinishTask(2)] {
        lines.extend(room.act(act, by).unwrap());
    }
    for (number, line) in lines.iter_mut().enumerate() {
        line.link.get_or_insert_with(|| format!("/incidents/{id}#l{number}"));
    }
    let candidate = |person: Person, time_zone: &str| Candidate {
        email: format!("{}@halden.example", person.user),
        time_zone: time_zone.to_owned(),
        reach: [Channel::Sms, Channel::Voice].into(),
        person,
    };
    let aiko = person(3, "Aiko Tanaka");
    let candidates = vec![candidate(aiko, "Asia/Tokyo"), candidate(priya, "Asia/Kolkata")];
    IncidentView { room, watch: Some(found), lines, bulletin: None, candidates, may_act: true }
}

#[test]
fn incident_pages() {
    let app = shell("Incident", Section::Incidents);
    let (room, watch) = (view().room, view().watch);
    let list = [(room.clone(), watch.clone())];
    show("incidents", &app, &incidents::build_list(&list, (true, true), &times()));
    show("incidents-none", &app, &incidents::build_list(&[], (true, false), &times()));
    let reader = Some(person(2, "Priya Nair").user);
    let shown =
        incidents::Shown { hit: vec!["Halden Freight".to_owned()], ..incidents::Shown::default() };
    let html = show("incident", &app, &incidents::build(view(), shown, reader, &times()));
    assert!(html.contains("Aiko Tanaka: 09:4"), "their time of day is said before: {html}");
    assert!(html.contains("in Tokyo; by call and text<"), "and how they can be reached: {html}");
    let mut ours = view();
    ours.watch = None;
    ours.room.tenant = Some(TenantId::new(times().now(), [1; 10]));
    ours.room.origin = Origin::Alert { name: "Priya Nair".to_owned(), number: 4_812 };
    let errors = vec![FieldError::new("entry", "There is no command /laed.")];
    let typed = incidents::Typed { say: "/laed Lena".to_owned(), ..incidents::Typed::default() };
    let shown = incidents::Shown { errors, typed, ..incidents::Shown::default() };
    let html = show("incident-ours", &app, &incidents::build(ours, shown, reader, &times()));
    assert!(html.contains("/laed Lena</textarea>"), "what was typed is not lost");
    assert!(html.contains("nor is an <code>/update</code>") && !html.contains("Preview"), "{html}");
    let mut told = view();
    told.bulletin = Some(super::status::trouble());
    told.room.next_update_by = Some(times().now() - jiff::SignedDuration::from_mins(1));
    let shown = incidents::Shown::default();
    let html = show("incident-told", &app, &incidents::build(told, shown, reader, &times()));
    assert!(html.contains("next was due ") && html.contains("/status-page/bul_"), "{html}");
    let group = Some(LineGroup::Notes);
    let shown = incidents::Shown { group, ..incidents::Shown::default() };
    let html = show("incident-notes", &app, &incidents::build(view(), shown, None, &times()));
    assert!(html.contains("Nothing of that kind yet."));
}
