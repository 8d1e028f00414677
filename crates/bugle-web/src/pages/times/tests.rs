//! Times read as people say them.

use super::*;

fn times() -> Times {
    Times::new("Europe/Berlin", "2026-10-22T12:20:00Z".parse().unwrap())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn times_are_in_the_zone_of_the_page() {
    assert_eq!(times().hm(at("2026-10-22T00:47:11Z")), "02:47");
    assert_eq!(times().date_hm(at("2026-10-25T09:00:00Z")), "Sun 25 Oct 10:00");
    assert_eq!(times().date_hm(at("2025-10-25T09:00:00Z")), "25 Oct 2025 11:00");
    assert_eq!(times().day_hm(at("2026-10-23T16:00:00Z")), "Fri 18:00");
}

#[test]
fn an_unknown_zone_is_shown_as_utc() {
    assert_eq!(Times::new("Mars/Olympus", at("2026-01-01T00:00:00Z")).zone_name(), "UTC");
}

#[test]
fn how_long_ago_and_how_long() {
    assert_eq!(times().ago(at("2026-10-22T12:14:00Z")), "6 min ago");
    assert_eq!(times().ago(at("2026-10-13T12:14:00Z")), "9 days ago");
    assert_eq!(countdown(SignedDuration::from_secs(234)), "3:54");
    assert_eq!(countdown(SignedDuration::from_secs(-3)), "0:00");
    assert_eq!(length(SignedDuration::from_hours(16)), "16 h");
    assert_eq!(length(SignedDuration::from_hours(40)), "40 h");
    assert_eq!(length(SignedDuration::from_mins(150)), "2 h 30 min");
    assert_eq!(length(SignedDuration::from_hours(104)), "4 days 8 h");
    assert_eq!(plural(1, "event", "events"), "1 event");
    assert_eq!(plural(1_204, "event", "events"), "1\u{202f}204 events");
}
