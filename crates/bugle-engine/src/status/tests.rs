//! What the public is told, hop by hop and as time goes by.

mod boards;
mod bulletins;

use std::fmt::Write as _;

use bugle_domain::stage::Stage;
use bugle_domain::{BulletinId, IncidentId, TenantId};
use jiff::{SignedDuration, Timestamp};

use super::audit::{Finding, audit};
use super::board::{Board, Head, Region, Row, Touched, Unseen, Whose, rows};
use super::bulletin::{Bulletin, Kind, Known, Phase, Update};
use super::history::{Span, note};
use super::report::{self, Report};
use super::rules::{Installed, States};
use super::*;
use crate::incident::{self, Incident};
use crate::watch::{Hop, Verdict};

const PROMISE: SignedDuration = SignedDuration::from_mins(20);

/// 14:52:00 and so many seconds.
fn at(second: i64) -> Timestamp {
    let begin: Timestamp = "2026-03-14T14:52:00Z".parse().unwrap();
    begin + SignedDuration::from_secs(second)
}

fn installed() -> Installed {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let providers = [
        (Channel::Webhook, names(&["webhook"])),
        (Channel::Email, names(&["mail"])),
        (Channel::Sms, names(&["first", "spare"])),
    ];
    Installed { providers: providers.into(), mail_in: false, nodes: 2 }
}

fn verdict(hop: Hop) -> Verdict {
    let evidence = "it was seen".to_owned();
    let (tenants, nodes) = (Vec::new(), Vec::new());
    Verdict { hop, since: at(0), evidence, waiting: 0, tenants, nodes, harmless: false }
}

fn stage(stage: Stage) -> Hop {
    Hop::Stage { stage }
}

fn provider(channel: Channel, provider: &str) -> Hop {
    Hop::Provider { channel, provider: provider.to_owned() }
}

/// Every kind of hop but the door for mail, which is not everywhere.
fn hops() -> Vec<Hop> {
    let mut hops: Vec<Hop> =
        [Stage::Intake, Stage::Alerting, Stage::Dispatch, Stage::Responses].map(stage).into();
    hops.extend([
        Hop::Store,
        provider(Channel::Sms, "first"),
        provider(Channel::Email, "mail"),
        Hop::Watch,
    ]);
    hops
}

fn declared(verdicts: &[Verdict]) -> Incident {
    incident::declare(IncidentId::new(at(8), [1; 10]), verdicts, true, at(8)).unwrap()
}

fn known<'a>(installed: &'a Installed, verdicts: &'a [Verdict], second: i64) -> Known<'a> {
    Known { installed, verdicts, harmless: false, promise: PROMISE, now: at(second) }
}

#[test]
fn the_door_for_mail_is_a_component_where_there_is_one() {
    assert!(!installed().components().contains(&Component::EmailInitiation));
    let installed = Installed { mail_in: true, ..installed() };
    let seen = |hop| troubles(&rules::seen(&installed, &[verdict(hop)]));
    assert_eq!(seen(Hop::MailIn), "email_initiation major_outage");
    let intake = seen(stage(Stage::Intake));
    assert_eq!(intake, "intake major_outage,\n    email_initiation major_outage");
    let verdicts = [verdict(Hop::MailIn)];
    let incident = declared(&verdicts);
    assert_eq!(incident.title, "Mail intake: mail is not taken in");
    assert_eq!(incident.severity, incident::IncidentSeverity::Major);
    let id = BulletinId::new(at(8), [2; 10]);
    let told = bulletin::open(id, &incident, known(&installed, &verdicts, 8));
    assert_eq!(told.title, "Events by email are not taken in");
    insta::assert_snapshot!(sentences(&told.updates[0].text), @r"
    Mail to the addresses of integrations is not taken in.
        Events that are sent another way are.
        It may affect everybody.
        It began at 14:52 UTC.
        Not affected:
        Event intake, Web interface, API, Integration platform, Email notifications and SMS notifications.
        What we accepted before is kept.
        What we do not take your mail server holds back, and sends again.
        The cause is not known yet.
        Next update by 15:12 UTC.
    ");
}

#[test]
fn what_holds_nothing_up_is_not_told_of() {
    let harmless = Verdict { harmless: true, ..verdict(stage(Stage::Dispatch)) };
    let states = rules::seen(&installed(), &[harmless]);
    assert!(states.values().all(|state| *state == State::Operational), "{states:?}");
}

fn opened(verdicts: &[Verdict], second: i64) -> Bulletin {
    let id = BulletinId::new(at(second), [2; 10]);
    bulletin::open(id, &declared(verdicts), known(&installed(), verdicts, second))
}

/// One sentence a line.
fn sentences(text: &str) -> String {
    text.replace(". ", ".\n    ").replace("affected: ", "affected:\n    ")
}

fn troubles(states: &States) -> String {
    let hit = states.iter().filter(|(_, state)| **state != State::Operational);
    let said: Vec<String> = hit
        .map(|(component, state)| format!("{} {}", component.as_str(), state.as_str()))
        .collect();
    said.join(",\n    ")
}

#[test]
fn a_verdict_touches_the_components_that_stand_on_its_hop_and_no_others() {
    let mut said = String::new();
    for hop in hops() {
        let states = rules::seen(&installed(), &[verdict(hop.clone())]);
        let _infallible = writeln!(said, "{}: {}", hop.name(), troubles(&states));
    }
    insta::assert_snapshot!(said, @r"
    intake: intake major_outage
    alerting: integrations major_outage,
        email major_outage,
        sms major_outage
    dispatch: integrations major_outage,
        email major_outage,
        sms major_outage
    responses: integrations degraded_performance,
        email degraded_performance,
        sms degraded_performance
    the database: intake major_outage,
        web major_outage,
        api major_outage,
        integrations major_outage,
        email major_outage,
        sms major_outage
    sms by first: sms degraded_performance
    email by mail: email major_outage
    the watch:
    ");
}

#[test]
fn on_one_node_of_two_it_is_a_part_and_without_a_spare_it_is_down() {
    let mut half = verdict(stage(Stage::Intake));
    half.nodes = vec![bugle_domain::NodeId::new(at(0), [1; 10])];
    assert_eq!(troubles(&rules::seen(&installed(), &[half])), "intake partial_outage");
    let both = ["first", "spare"].map(|name| verdict(provider(Channel::Sms, name)));
    assert_eq!(troubles(&rules::seen(&installed(), &both)), "sms major_outage");
    let names: Vec<&str> = installed().components().iter().map(|it| it.as_str()).collect();
    assert_eq!(names, ["intake", "web", "api", "integrations", "email", "sms"], "no voice here");
}

fn planned(from: i64, until: i64) -> Bulletin {
    let mut bulletin = Bulletin {
        id: BulletinId::new(at(0), [3; 10]),
        kind: Kind::Maintenance { from: at(from), until: at(until) },
        title: "Database move".to_owned(),
        state: State::Maintenance,
        components: vec![Component::Web],
        began_at: at(from),
        updates: Vec::new(),
        next_by: None,
        hand: None,
    };
    let text = "Pages can be read, not changed.".to_owned();
    bulletin.say(Update { at: at(0), phase: Phase::Scheduled, text, by: None }, PROMISE);
    bulletin
}
