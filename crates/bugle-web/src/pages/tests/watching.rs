//! The operator's pages: the pipeline when all is well and when it is not, and an incident.

use bugle_app::incidents::IncidentView;
use bugle_app::watch::{ProviderReport, Report, Watched};
use bugle_domain::contact::Channel;
use bugle_domain::stage::Stage;
use bugle_domain::{IncidentId, NodeId};
use bugle_engine::incident::{self, IncidentLine};
use bugle_engine::watch::books::{Books, Flow};
use bugle_engine::watch::runway::{Gauge, Level};
use bugle_engine::watch::{Canary, Hop, Verdict, View};

use super::*;
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

#[test]
fn incident_pages() {
    let (now, app) = (times().now(), shell("Incident", Section::Incidents));
    let id = IncidentId::new(now, [1; 10]);
    let found = incident::declare(id, &[verdict()], false, now).unwrap();
    let list = incidents::build_list(std::slice::from_ref(&found), &times());
    show("incidents", &app, &list);
    let text = "Declared: 7 canaries did not come through.".to_owned();
    let lines = vec![IncidentLine { at: now, source: "watch".to_owned(), text }];
    let view = IncidentView { incident: found, lines };
    show("incident", &app, &incidents::build(view, "Halden Freight".to_owned(), &times()));
}
