//! What bulletins say, from the first update to the last.

use super::*;
use crate::status::bulletin::DeclaredTrouble;

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
fn what_a_person_declares_is_told_by_what_they_chose() {
    let told = |state, components: &[Component], affected: &str| {
        let told =
            DeclaredTrouble { state, components: components.into(), affected: affected.to_owned() };
        let ids = (BulletinId::new(at(9), [2; 10]), IncidentId::new(at(8), [1; 10]));
        let mail = [verdict(provider(Channel::Email, "mail"))];
        let told = (told, "Lena".to_owned());
        let bulletin = bulletin::tell(ids, told, at(0), known(&installed(), &mail, 9));
        let all_well = rules::seen(&installed(), &[]);
        let shown = rules::shown(&all_well, std::slice::from_ref(&bulletin), at(10));
        assert!(bulletin.components.iter().all(|it| shown[it] == state), "{shown:?}");
        assert_eq!((bulletin.incident(), bulletin.state), (Some(ids.1), state));
        assert_eq!(bulletin.next_by, Some(at(9) + PROMISE));
        format!("{}\n    {}\n", bulletin.title, sentences(&bulletin.updates[0].text))
    };
    let down = told(State::MajorOutage, &[Component::Intake], "");
    let parts = [Component::Sms, Component::Integrations];
    let partly = told(State::PartialOutage, &parts, "Texts to some networks are late.");
    insta::assert_snapshot!(down + &partly, @r"
    Event intake: down
        Down: Event intake.
        It may affect everybody.
        It began at 14:52 UTC.
        Not affected:
        Web interface, API, Integration platform and SMS notifications.
        What we accepted before is kept.
        What we refuse is not: send it again until it is accepted.
        The cause is not known yet.
        Next update by 15:12 UTC.
    Some of our services fail in part
        Texts to some networks are late.
        Failing in part: Integration platform and SMS notifications.
        It may affect everybody.
        It began at 14:52 UTC.
        Not affected:
        Event intake, Web interface and API.
        No event is lost: what we accept is kept.
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
