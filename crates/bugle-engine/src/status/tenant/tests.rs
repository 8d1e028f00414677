//! How a tenant's services are shown.

use bugle_domain::StatusPageId;
use bugle_domain::status_page::PublicService;

use super::*;
use crate::testing::{halden, id};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_773_500_000 + seconds).unwrap()
}

fn payments() -> ServiceId {
    id(ServiceId::from_stored, 1)
}

fn other() -> ServiceId {
    id(ServiceId::from_stored, 2)
}

fn page(follow_alerts: bool) -> StatusPage {
    let services = vec![
        PublicService { service: payments(), name: Some("Paying".to_owned()) },
        PublicService { service: other(), name: None },
    ];
    let (id, name) = (id(StatusPageId::from_stored, 1), "Halden".to_owned());
    StatusPage { id, name, services, follow_alerts, enabled: true }
}

fn told(kind: Kind, state: State) -> Bulletin<ServiceId> {
    let mut told = Bulletin {
        id: id(bugle_domain::BulletinId::from_stored, 1),
        kind,
        title: "Paying is slow".to_owned(),
        state,
        components: vec![payments()],
        began_at: at(0),
        updates: Vec::new(),
        next_by: None,
        hand: None,
    };
    let phase = Phase::Investigating;
    say(&mut told, Update { at: at(0), phase, text: "We look.".to_owned(), by: None });
    told
}

fn states(alerts: &[(ServiceId, Severity)], follow: bool, told: &[Bulletin<ServiceId>]) -> String {
    let shown = shown(&page(follow), alerts, told, at(60));
    let words: Vec<&str> = shown.values().map(|state| state.as_str()).collect();
    words.join(", ")
}

#[test]
fn a_service_is_as_bad_as_its_worst_open_alert() {
    for (severity, wanted) in [
        (Severity::Critical, "major_outage, operational"),
        (Severity::High, "partial_outage, operational"),
        (Severity::Medium, "degraded_performance, operational"),
        (Severity::Low, "operational, operational"),
        (Severity::Info, "operational, operational"),
    ] {
        let alerts = [(payments(), severity), (payments(), Severity::Info)];
        assert_eq!(states(&alerts, true, &[]), wanted);
        assert_eq!(states(&alerts, false, &[]), "operational, operational");
    }
    let away = id(ServiceId::from_stored, 3);
    assert_eq!(states(&[(away, Severity::Critical)], true, &[]), "operational, operational");
}

#[test]
fn what_people_say_makes_it_worse_and_never_better_but_for_planned_work() {
    let trouble = told(Kind::Trouble { incident: None }, State::PartialOutage);
    let critical = [(payments(), Severity::Critical)];
    assert_eq!(states(&[], false, std::slice::from_ref(&trouble)), "partial_outage, operational");
    assert_eq!(states(&critical, true, &[trouble]), "major_outage, operational");
    let work = told(Kind::Maintenance { from: at(0), until: at(90) }, State::Maintenance);
    assert_eq!(states(&critical, true, &[work]), "under_maintenance, operational");
}

#[test]
fn a_board_has_public_names_and_no_update_is_promised() {
    let (page, directory) = (page(true), halden());
    let told = [told(Kind::Trouble { incident: None }, State::Degraded)];
    assert_eq!(told[0].next_by, None);
    let shown = shown(&page, &[], &told, at(60));
    let (bulletins, spans) = (&told[..], &[][..]);
    let (directory, shown) = (&directory, &shown);
    let known =
        Known { directory, shown, bulletins, spans, now: at(60), seen_at: at(60), every_min: 1 };
    let board = board(&page, "https://b.example/status/p/x".to_owned(), known);
    assert_eq!(board.home(), "https://b.example/status/p/x/");
    assert_eq!(board.headline(), "Paying is slow");
    let names: Vec<&str> = board.rows().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["Paying", "a former service"]);
    let touched = &board.bulletins()[0].components[0];
    assert_eq!((&touched.id, touched.name.as_str()), (&payments().to_string(), "Paying"));
    let said = draft(&told[0], |_| "Paying".to_owned(), at(120)).text;
    assert_eq!(said, "It goes on, for 2 min now. Affected: Paying. We are working on it.");
}

#[test]
fn where_no_alert_can_come_through_nobody_knows_how_services_do() {
    let verdict = |hop, harmless| Verdict {
        hop,
        since: at(0),
        evidence: String::new(),
        waiting: 0,
        tenants: Vec::new(),
        nodes: Vec::new(),
        harmless,
    };
    for (stage, hidden) in [
        (Stage::Intake, true),
        (Stage::Alerting, true),
        (Stage::Dispatch, false),
        (Stage::Responses, false),
    ] {
        assert_eq!(hides(&verdict(Hop::Stage { stage }, false)), hidden, "{stage:?}");
        assert!(!hides(&verdict(Hop::Stage { stage }, true)));
    }
    assert!(hides(&verdict(Hop::Store, false)) && !hides(&verdict(Hop::Watch, false)));
}
