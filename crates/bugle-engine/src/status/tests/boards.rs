//! Days, the audit, regions, and what the page says in all.

use super::*;

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
