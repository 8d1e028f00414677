//! What the public is told, hop by hop and as time goes by.

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
    Installed { providers: providers.into(), nodes: 2 }
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

/// Every kind of hop.
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

fn first_updates(hops: &[Hop]) -> String {
    let mut said = String::new();
    for hop in hops {
        let bulletin = opened(&[verdict(hop.clone())], 9);
        let _infallible =
            writeln!(said, "{}\n    {}", bulletin.title, sentences(&bulletin.updates[0].text));
    }
    said
}

#[test]
fn the_first_update_says_what_who_since_when_what_works_what_is_kept_and_when_next() {
    insta::assert_snapshot!(first_updates(&hops()[..4]), @r"
    Events are not taken in
        Events that you send us are refused or not answered.
        It may affect everybody.
        It began at 14:52 UTC.
        Not affected:
        Web interface, API, Integration platform, Email notifications and SMS notifications.
        What we accepted before is kept.
        What we refuse is not: send it again until it is accepted.
        The cause is not known yet.
        Next update by 15:12 UTC.
    Notifications are late
        Events are accepted, but nobody is notified of new ones yet.
        It may affect everybody.
        It began at 14:52 UTC.
        Not affected:
        Event intake, Web interface and API.
        No event is lost: what we accept is kept, and its notifications go out late.
        The cause is not known yet.
        Next update by 15:12 UTC.
    Notifications are late
        Events are accepted and become alerts, but no notifications go out by any channel.
        It may affect everybody.
        It began at 14:52 UTC.
        Not affected:
        Event intake, Web interface and API.
        No event is lost: what we accept is kept, and its notifications go out late.
        The cause is not known yet.
        Next update by 15:12 UTC.
    Answers to notifications do not reach us
        Notifications go out, but acknowledging by text, call or link may have no effect.
        Acknowledge on the web interface instead.
        It may affect everybody.
        It began at 14:52 UTC.
        Not affected:
        Event intake, Web interface and API.
        No event is lost.
        The cause is not known yet.
        Next update by 15:12 UTC.
    ");
}

#[test]
fn the_first_update_knows_the_database_the_providers_and_the_watch() {
    insta::assert_snapshot!(first_updates(&hops()[4..]), @r"
    Bugle is down
        Events are refused, pages and API answer with an error, and no notifications go out.
        It may affect everybody.
        It began at 14:52 UTC.
        What we accepted before is kept.
        What we refuse is not: send it again until it is accepted.
        The cause is not known yet.
        Next update by 15:12 UTC.
    Text messages may be late
        Text messages through one of our providers do not arrive.
        Others serve, and some messages may be late.
        It may affect everybody.
        It began at 14:52 UTC.
        Not affected:
        Event intake, Web interface, API, Integration platform and Email notifications.
        No event is lost.
        The cause is not known yet.
        Next update by 15:12 UTC.
    Emails do not arrive
        Emails that we send reach nobody.
        People are notified by their other contact methods.
        It may affect everybody.
        It began at 14:52 UTC.
        Not affected:
        Event intake, Web interface, API, Integration platform and SMS notifications.
        No event is lost.
        The cause is not known yet.
        Next update by 15:12 UTC.
    We may not notice when something breaks
        Our own checks do not report what they must.
        We know of nothing that is broken.
        It began at 14:52 UTC.
        No event is lost.
        The cause is not known yet.
        Next update by 15:12 UTC.
    ");
}

#[test]
fn customers_are_counted_and_never_named() {
    let mut some = verdict(stage(Stage::Alerting));
    some.tenants = [1, 2].map(|it| TenantId::new(at(0), [it; 10])).into();
    some.tenants.push(TenantId::reserved_from());
    let text = opened(&[some], 9).updates.remove(0).text;
    assert!(text.contains("It affects at least 2 customers."), "{text}");
    assert!(!text.contains("ten_"), "{text}");
}

/// Follows a bulletin second by second, and writes down what is said.
fn timeline(
    bulletin: &mut Bulletin,
    steps: &[(i64, &[Verdict], bool)],
    mut incident: Incident,
) -> String {
    let mut said = String::new();
    for (second, verdicts, drained) in steps {
        let standing = incident::Standing { green: verdicts.is_empty(), drained: *drained };
        incident::follow(&mut incident, standing, at(*second));
        if incident.is_over(30_000, at(*second)) {
            incident.recover(at(*second));
        }
        let before = bulletin.updates.len();
        let (harmful, harmless) = rules::harmful(verdicts);
        let installed = installed();
        let known = Known { harmless, ..known(&installed, &harmful, *second) };
        bulletin::follow(bulletin, &incident, known);
        for update in &bulletin.updates[before..] {
            let phase = update.phase.as_str();
            let _infallible = writeln!(said, "{second} s {phase}\n    {}", sentences(&update.text));
        }
    }
    said
}

#[test]
fn what_was_promised_is_said_and_so_is_the_end() {
    let red = [verdict(stage(Stage::Dispatch))];
    let mut bulletin = opened(&red, 9);
    let steps: [(i64, &[Verdict], bool); 9] = [
        (60, &red, false),
        (1_178, &red, false),
        (1_179, &red, false),
        (1_300, &[], false),
        (1_310, &red, false),
        (1_400, &[], false),
        (1_420, &[], true),
        (1_440, &[], true),
        (9_000, &[], true),
    ];
    let said = timeline(&mut bulletin, &steps, declared(&red));
    insta::assert_snapshot!(said, @r"
    1179 s investigating
        It goes on, for 19 min now.
        Affected: Integration platform, Email notifications, SMS notifications.
        We are working on it.
        Next update by 15:31 UTC.
    1300 s monitoring
        It works again since 15:13 UTC.
        What had to wait is going out now, what is urgent and new first.
        We keep watching.
        Next update by 15:33 UTC.
    1310 s investigating
        It is broken again.
        The cause is not known yet.
        Next update by 15:33 UTC.
    1400 s monitoring
        It works again since 15:15 UTC.
        What had to wait is going out now, what is urgent and new first.
        We keep watching.
        Next update by 15:35 UTC.
    1440 s resolved
        It is over.
        It lasted 23 min, from 14:52 UTC to 15:15 UTC.
        What had to wait has gone out.
    ");
    assert!(!bulletin.open() && bulletin.next_by.is_none());
}

#[test]
fn what_is_left_and_harmless_is_told_as_working_and_what_breaks_then_is_told() {
    let red = [verdict(stage(Stage::Dispatch))];
    let left = [Verdict { harmless: true, ..verdict(stage(Stage::Alerting)) }];
    let second = [Verdict { since: at(2_000), ..verdict(stage(Stage::Intake)) }, left[0].clone()];
    let mut bulletin = opened(&red, 9);
    let steps: [(i64, &[Verdict], bool); 7] = [
        (60, &left, false),
        (61, &left, true),
        (1_240, &left, true),
        (2_009, &second, false),
        (2_100, &left, true),
        (2_160, &[], true),
        (2_200, &[], true),
    ];
    let said = timeline(&mut bulletin, &steps, declared(&red));
    insta::assert_snapshot!(said, @r"
    60 s monitoring
        It works again since 14:53 UTC.
        What had to wait is going out now, what is urgent and new first.
        We keep watching.
        Next update by 15:13 UTC.
    1240 s monitoring
        It works again since 14:53 UTC.
        What had to wait is going out now, what is urgent and new first.
        We keep watching.
        Next update by 15:32 UTC.
    2009 s investigating
        It is broken again.
        The cause is not known yet.
        Next update by 15:45 UTC.
    2100 s monitoring
        It works again since 15:27 UTC.
        What had to wait is going out now, what is urgent and new first.
        We keep watching.
        Next update by 15:47 UTC.
    2200 s resolved
        It is over.
        It lasted 35 min, from 14:52 UTC to 15:27 UTC.
        What had to wait has gone out.
    ");
    assert_eq!(bulletin.components.first(), Some(&Component::Intake));
}

#[test]
fn what_breaks_after_a_person_said_that_it_is_over_is_told_under_the_same_title() {
    let red = [verdict(stage(Stage::Dispatch))];
    let left = [Verdict { harmless: true, ..verdict(stage(Stage::Alerting)) }];
    let mut bulletin = opened(&red, 9);
    bulletin.hand = Some("Lena".to_owned());
    let (text, by) = ("All is well.".to_owned(), Some("Lena".to_owned()));
    bulletin.say(Update { at: at(100), phase: Phase::Resolved, text, by }, PROMISE);
    // What the watch has not taken back yet is older than her word.
    let steps: [(i64, &[Verdict], bool); 2] = [(101, &red, false), (110, &left, true)];
    assert_eq!(timeline(&mut bulletin, &steps, declared(&red)), "");
    let again = [Verdict { since: at(200), ..verdict(stage(Stage::Dispatch)) }];
    let said = timeline(&mut bulletin, &[(205, &again, false), (300, &left, true)], declared(&red));
    insta::assert_snapshot!(said, @r"
    205 s investigating
        It is broken again.
        The cause is not known yet.
        Next update by 15:15 UTC.
    300 s monitoring
        It works again since 14:57 UTC.
        What had to wait is going out now, what is urgent and new first.
        We keep watching.
        Next update by 15:17 UTC.
    ");
    assert_eq!(bulletin.hand, None);
    assert!(bulletin.ended_at().is_none());
}

#[test]
fn an_incident_that_harmed_nobody_at_first_is_told_from_when_it_did() {
    let left = Verdict { harmless: true, ..verdict(stage(Stage::Alerting)) };
    let incident = declared(std::slice::from_ref(&left));
    let red = [Verdict { since: at(600), ..verdict(stage(Stage::Dispatch)) }];
    let id = BulletinId::new(at(609), [2; 10]);
    let bulletin = bulletin::open(id, &incident, known(&installed(), &red, 609));
    assert_eq!(bulletin.began_at, at(600));
    assert!(bulletin.facts().contains("It began at 15:02 UTC."), "{}", bulletin.facts());
}

#[test]
fn what_breaks_as_well_is_told_at_once() {
    let first = verdict(provider(Channel::Email, "mail"));
    let both = [verdict(stage(Stage::Intake)), first.clone()];
    let mut bulletin = opened(std::slice::from_ref(&first), 9);
    let said =
        timeline(&mut bulletin, &[(20, &both, false), (21, &both, false)], declared(&[first]));
    assert_eq!(said.matches("investigating").count(), 1, "{said}");
    assert!(bulletin.facts().ends_with("No event is lost."), "{}", bulletin.facts());
    assert!(said.contains("Affected: Event intake, Email notifications."), "{said}");
}

#[test]
fn whoever_takes_over_says_everything_and_is_still_given_a_draft() {
    let red = [verdict(stage(Stage::Dispatch))];
    let mut bulletin = opened(&red, 9);
    bulletin.hand = Some("Lena".to_owned());
    let steps: [(i64, &[Verdict], bool); 3] =
        [(1_300, &red, false), (1_400, &[], true), (1_500, &[], true)];
    assert_eq!(timeline(&mut bulletin, &steps, declared(&red)), "");
    let mut over = declared(&red);
    (over.mitigated_at, over.recovered_at) = (Some(at(1_400)), Some(at(1_430)));
    let drafted = bulletin::draft(&bulletin, Some(&over), known(&installed(), &[], 1_500));
    assert_eq!(drafted.phase, Phase::Resolved);
    // What a person found stays said, until the watch knows better.
    bulletin.hand = None;
    let (text, by) = ("A release is at fault.".to_owned(), Some("Lena".to_owned()));
    bulletin.say(Update { at: at(1_500), phase: Phase::Identified, text, by }, PROMISE);
    let drafted =
        bulletin::draft(&bulletin, Some(&declared(&red)), known(&installed(), &red, 1_600));
    assert_eq!(drafted.phase, Phase::Identified);
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

#[test]
fn planned_work_begins_and_ends_by_itself_and_is_shown_while_it_lasts() {
    let mut work = planned(100, 200);
    let mut said = Vec::new();
    for second in [50, 100, 150, 200, 250] {
        work.keep_time(at(second));
        let seen = rules::seen(&installed(), &[]);
        let shown = rules::shown(&seen, std::slice::from_ref(&work), at(second));
        said.push(format!("{second} s {} ({})", work.phase().as_str(), troubles(&shown)));
    }
    insta::assert_snapshot!(said.join("\n"), @r"
    50 s scheduled ()
    100 s in_progress (web under_maintenance)
    150 s in_progress (web under_maintenance)
    200 s completed ()
    250 s completed ()
    ");
}

#[test]
fn a_persons_word_counts_until_it_is_taken_back() {
    let mut told = planned(0, 100);
    told.kind = Kind::Trouble { incident: None };
    told.state = State::PartialOutage;
    told.updates[0].phase = Phase::Investigating;
    let seen = rules::seen(&installed(), &[]);
    let shown = |told: &Bulletin| rules::shown(&seen, std::slice::from_ref(told), at(9));
    assert_eq!(troubles(&shown(&told)), "web partial_outage");
    told.updates[0].phase = Phase::Resolved;
    assert_eq!(troubles(&shown(&told)), "");
}

fn span(state: State, from: &str, until: &str) -> Span {
    let (from, until) = (from.parse().unwrap(), until.parse().unwrap());
    Span { component: Component::Email, state, from, until }
}

#[test]
fn days_show_the_worst_what_was_lost_and_what_was_not_measured() {
    let spans = [
        span(State::Operational, "2026-03-11T12:00:00Z", "2026-03-12T23:00:00Z"),
        span(State::MajorOutage, "2026-03-12T23:00:00Z", "2026-03-13T01:00:00Z"),
        span(State::PartialOutage, "2026-03-13T01:00:00Z", "2026-03-13T02:40:00Z"),
        span(State::Degraded, "2026-03-13T02:40:00Z", "2026-03-13T03:00:00Z"),
        // Another node wrote a little early.
        span(State::Operational, "2026-03-13T03:00:00Z", "2026-03-14T09:00:00Z"),
        span(State::Operational, "2026-03-14T08:59:00Z", "2026-03-14T12:00:00Z"),
    ];
    let found = history::history(Component::Email, &spans, at(0));
    assert_eq!(found.days.len(), 90);
    let said: Vec<String> = found.days[85..]
        .iter()
        .map(|day| {
            let worst = day.worst.map_or("not measured", State::as_str);
            format!("{} {worst}, lost {} s of {} s", day.date, day.lost_s, day.trouble_s)
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    2026-03-10 not measured, lost 0 s of 0 s
    2026-03-11 operational, lost 0 s of 0 s
    2026-03-12 major_outage, lost 3600 s of 3600 s
    2026-03-13 major_outage, lost 5400 s of 10800 s
    2026-03-14 operational, lost 0 s of 0 s
    ");
    // 2.5 h of the 72 that were measured.
    assert_eq!(found.up, Some(9_652));
    assert_eq!(history::history(Component::Sms, &spans, at(0)).up, None);
}

#[test]
fn spans_grow_while_nothing_changes_and_leave_a_gap_where_nobody_looked() {
    let mut spans = Vec::new();
    let mut note = |second, state| {
        history::note(&mut spans, &[(Component::Email, state)].into(), at(second));
    };
    note(0, State::Operational);
    note(60, State::Operational);
    // Another node that is a little behind changes nothing.
    note(59, State::Operational);
    note(61, State::MajorOutage);
    note(70, State::Operational);
    // The process was dead for a while.
    note(600, State::Operational);
    note(660, State::Operational);
    let since = |time: Timestamp| time.duration_since(at(0)).as_secs();
    let said: Vec<String> = spans
        .iter()
        .map(|it| format!("{}–{} {}", since(it.from), since(it.until), it.state.as_str()))
        .collect();
    let all =
        ["0–61 operational", "61–70 major_outage", "70–70 operational", "600–660 operational"];
    assert_eq!(said, all);
}

#[test]
fn the_audit_finds_what_is_untold_over_or_late() {
    let red = [verdict(stage(Stage::Intake))];
    let (down, up) = (rules::seen(&installed(), &red), rules::seen(&installed(), &[]));
    let since = |_: Component| Some(at(0));
    let told = [opened(&red, 9)];
    assert_eq!(audit(&down, since, &[], at(29)), [], "it may be told in a moment");
    assert_eq!(audit(&down, since, &[], at(31)), [Finding::Untold(Component::Intake)]);
    assert_eq!(audit(&down, since, &told, at(31)), []);
    let title = told[0].title.clone();
    assert_eq!(audit(&up, |_| None, &told, at(700)), [Finding::AllGreen(title.clone())]);
    assert_eq!(audit(&down, since, &told, at(1_210)), [Finding::Overdue(title.clone())]);
    assert!(Finding::Overdue(title).text().contains("Events are not taken in"));
}

fn head(seen_at: Timestamp) -> Head {
    let (name, url) = ("Bugle".to_owned(), "https://bugle.example".to_owned());
    Head { name, whose: Whose::Installation, url, at: at(100), seen_at }
}

fn named(told: &Bulletin) -> Bulletin<Touched> {
    told.in_words(|it| Touched::from(*it))
}

fn own(name: &str, rows: Vec<Row>, bulletins: Vec<Bulletin>) -> Region {
    let bulletins = bulletins.iter().map(named).collect();
    Region { name: name.to_owned(), url: String::new(), rows, bulletins, unseen: None }
}

fn report(region: Region) -> Report {
    let text = Report::of(&Board::new(head(at(99)), vec![region])).unwrap().text();
    Report::parse(text.as_bytes()).unwrap()
}

#[test]
fn what_a_region_says_is_what_the_others_read_without_who_said_it() {
    let seen = rules::seen(&installed(), &[verdict(stage(Stage::Intake))]);
    let mut spans = Vec::new();
    note(&mut spans, &seen, at(40));
    note(&mut spans, &seen, at(100));
    let mut told = opened(&[verdict(stage(Stage::Intake))], 9);
    let text = "A bell\u{7} rings.".to_owned();
    told.say(
        Update { at: at(20), phase: Phase::Identified, text, by: Some("Lena".to_owned()) },
        PROMISE,
    );
    told.hand = Some("Lena".to_owned());
    let region = own("EMEA", rows(&seen, &spans, at(100)), vec![told.clone(), planned(0, 900)]);
    let report = report(region.clone());
    assert!(!report.text().contains("Lena"), "{}", report.text());
    let read = report::region("EMEA", "https://emea.example/", Some((&report, at(100))), at(110));
    assert_eq!((&read.rows, read.unseen), (&region.rows, None));
    let open = read.bulletins.iter().find(|it| it.id == told.id).unwrap();
    assert_eq!((&open.components, open.phase()), (&named(&told).components, Phase::Identified));
    assert_eq!(open.updates[1].text, "A bell rings.");
}

#[test]
fn a_region_that_cannot_be_read_or_does_not_see_is_not_known() {
    let up = rows(&rules::seen(&installed(), &[]), &[], at(100));
    let report = report(own("EMEA", up.clone(), Vec::new()));
    let read = |read_at, now| {
        report::region("EMEA", "https://emea.example/", Some((&report, at(read_at))), at(now))
    };
    assert_eq!(read(100, 160).unseen, None);
    assert_eq!(read(100, 161).unseen, Some(Unseen { since: Some(at(99)) }), "not read");
    assert_eq!(read(250, 250).unseen, None);
    assert!(read(251, 251).unseen.is_some(), "written long ago, by a dead node");
    assert!(read(-60, -60).unseen.is_some(), "a clock that is far ahead says nothing");
    let never = report::region("EMEA", "https://emea.example/", None, at(100));
    assert_eq!(never.unseen, Some(Unseen { since: None }));

    let whole = |other| Board::new(head(at(99)), vec![own("NA", up.clone(), Vec::new()), other]);
    assert_eq!(whole(read(100, 110)).headline(), "Everything works");
    let board = whole(read(100, 161));
    assert_eq!((board.headline().as_str(), board.doubtful()), ("EMEA: not known", true));
    assert_eq!(whole(never).headline(), "EMEA: not known");
    // How it was when it was last known is not how it is.
    let down = rules::seen(&installed(), &[verdict(stage(Stage::Intake))]);
    let told = vec![named(&opened(&[verdict(stage(Stage::Intake))], 9))];
    let mut silent = own("EMEA", rows(&down, &[], at(100)), Vec::new());
    silent.unseen = Some(Unseen { since: Some(at(99)) });
    let board = whole(silent.clone());
    assert_eq!((board.headline().as_str(), board.worst()), ("EMEA: not known", State::Operational));
    let board = whole(Region { bulletins: told, ..silent });
    assert_eq!(board.headline(), "EMEA (not known now): Events are not taken in");
}

#[test]
fn words_of_a_later_version_are_never_taken_for_well() {
    let text = report(own(
        "EMEA",
        rows(&rules::seen(&installed(), &[]), &[], at(99)),
        vec![planned(0, 900)],
    ));
    let mut text: serde_json::Value = serde_json::from_str(&text.text()).unwrap();
    text["components"][0] = serde_json::json!({
        "id": "../Push", "name": "Push\u{1b}[31m", "state": "on_fire", "days": [["odd", -4, 9_999_999]],
        "first_day": "2026-03-14", "new": 1,
    });
    text["bulletins"][0]["updates"][0]["phase"] = "wondering".into();
    let report = Report::parse(text.to_string().as_bytes()).unwrap();
    let read = report::region("EMEA", "https://emea.example/", Some((&report, at(100))), at(100));
    let row = &read.rows[0];
    assert_eq!((row.id.as_str(), row.name.as_str()), ("---push", "Push[31m"));
    assert_eq!((row.state, row.history.days[0].worst), (State::Degraded, Some(State::Degraded)));
    assert_eq!((row.history.days[0].lost_s, row.history.days[0].trouble_s), (0, 86_400));
    assert_eq!(read.bulletins[0].phase(), Phase::Scheduled);
    text["version"] = 2.into();
    assert!(Report::parse(text.to_string().as_bytes()).is_err());
}

#[test]
fn what_is_said_in_regions_names_the_region_and_takes_no_others_place() {
    let mine = opened(&[verdict(stage(Stage::Intake))], 9);
    let theirs = Bulletin { title: "All is well".to_owned(), ..mine.clone() };
    let other =
        Region { url: "https://x.example/".to_owned(), ..own("APAC", vec![], vec![theirs]) };
    let board =
        Board::new(head(at(99)), vec![own("NA", vec![], vec![mine.clone()]), other.clone()]);
    let titles: Vec<&str> = board.bulletins().iter().map(|it| it.title.as_str()).collect();
    assert_eq!(titles, ["NA: Events are not taken in"]);
    assert_eq!(board.of(&other).bulletins()[0].title, "All is well");
}

#[test]
fn a_report_fits_into_what_is_read() {
    let texts = (0..60).map(|number| {
        let mut told = opened(&[verdict(stage(Stage::Intake))], 9);
        told.id = BulletinId::new(at(number), [7; 10]);
        for _ in 0..9 {
            let text = "ä".repeat(4_000);
            told.say(Update { at: at(20), phase: Phase::Identified, text, by: None }, PROMISE);
        }
        told
    });
    let mut spans = Vec::new();
    let seen = rules::seen(&installed(), &[verdict(stage(Stage::Dispatch))]);
    note(&mut spans, &seen, at(40));
    let text = report(own("EMEA", rows(&seen, &spans, at(100)), texts.collect())).text();
    assert!(text.len() < 64 * 1024 && text.contains("äää"), "{}", text.len());
}

#[test]
fn the_headline_is_the_trouble_or_how_things_are() {
    let board = |seen: &States, bulletins: Vec<Bulletin>, seen_at| {
        Board::new(head(seen_at), vec![own("", rows(seen, &[], at(100)), bulletins)])
    };
    let up = rules::seen(&installed(), &[]);
    let first = verdict(provider(Channel::Sms, "first"));
    let slow = rules::seen(&installed(), std::slice::from_ref(&first));
    let said = [
        board(&up, Vec::new(), at(99)).headline(),
        board(&up, Vec::new(), at(80)).headline(),
        board(&slow, Vec::new(), at(99)).headline(),
        board(&slow, vec![planned(0, 900), opened(&[first], 9)], at(99)).headline(),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    Everything works
    We can't see at the moment whether everything works
    SMS notifications: degraded
    Text messages may be late
    ");
}

#[test]
fn words_read_back() {
    assert!(Component::ALL.iter().all(|it| Component::parse(it.as_str()) == Some(*it)));
    assert!(State::ALL.iter().all(|it| State::parse(it.as_str()) == Some(*it)));
    let phases = Phase::OF_TROUBLE.iter().chain(&Phase::OF_MAINTENANCE);
    assert!(phases.into_iter().all(|it| Phase::parse(it.as_str()) == Some(*it)));
}
