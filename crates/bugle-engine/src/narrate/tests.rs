//! Lines of a timeline that the alerting tests do not show.

use bugle_domain::Severity;
use bugle_domain::alert::{Actor, Missed, TimelineEntry, Unreachable, Via};
use bugle_domain::{IntegrationId, NotificationId, TeamId, UserId};

use super::*;
use crate::testing::{LENA, at, halden, id, only, second_line_target, user};

fn check(entry: TimelineEntry, expected: &str) {
    assert_eq!(line(&entry, &halden()), expected);
}

#[test]
fn answers_say_who_and_how() {
    let lena = || Actor::User { id: user(LENA), name: "Lena Kovač".to_owned() };
    let acked = |by, via| TimelineEntry::Acknowledged { by, via, notification: None };
    check(acked(lena(), Via::Web), "Lena Kovač acknowledged on the page.");
    check(acked(lena(), Via::Sms), "Lena Kovač acknowledged by text message.");
    check(acked(lena(), Via::Link), "Lena Kovač acknowledged by the link in a message.");
    check(acked(lena(), Via::Cli), "Lena Kovač acknowledged from the command line.");
    let key = Actor::Key { name: "deploy".to_owned() };
    check(acked(key, Via::Api), "The API key \"deploy\" acknowledged through the API.");
    let sender = |number| Actor::Sender { integration: id(IntegrationId::from_stored, number) };
    check(acked(sender(1), Via::Event), "The sender (Prometheus) acknowledged.");
    check(acked(sender(99), Via::Event), "The sender acknowledged.");
    check(TimelineEntry::Note { by: lena(), text: "Looking.".to_owned() }, "Lena Kovač: Looking.");
}

#[test]
fn an_end_that_is_put_off_says_why_and_for_how_long() {
    check(
        TimelineEntry::WaitsAgain { heard_since: at(30), until: at(50) },
        "Bugle could not be reached for a while, so silence says nothing: the sender is waited \
         for again, for 20 min.",
    );
}

#[test]
fn failed_ways_say_what_was_used_instead() {
    let (from, to) = (id(NotificationId::from_stored, 1), id(NotificationId::from_stored, 2));
    let hopped = TimelineEntry::Hopped { from, to: Some(to) };
    check(hopped, "One way did not work; the person's next was used at once.");
    let hopped = TimelineEntry::Hopped { from, to: None };
    check(hopped, "One way did not work, and the person has no other that waits.");
}

#[test]
fn levels_are_counted_as_people_do_and_say_why_nobody_was_reached() {
    let missed = |target, name: &str, why| Missed { target, name: name.to_owned(), why };
    let all = vec![
        missed(second_line_target(), "Second line", Unreachable::Gap),
        missed(only(LENA), "Lena Kovač", Unreachable::NoProvenMethod),
        missed(Target::User(id(UserId::from_stored, 9)), "a removed user", Unreachable::Gone),
        missed(Target::Team(id(TeamId::from_stored, 9)), "a removed team", Unreachable::Gone),
    ];
    check(
        TimelineEntry::LevelSkipped { level: 1, cycle: 2, missed: all },
        "Level 2, round 3 was skipped with its delay: nobody is on call in Second line; \
         Lena Kovač has no proven contact method; the user was removed; the team was removed.",
    );
    let within = TimelineEntry::Worsened { from: Severity::High, to: Severity::Critical };
    check(within, "It became worse: critical after high.");
}
