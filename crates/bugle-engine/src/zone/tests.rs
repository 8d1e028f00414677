//! Local times at the edges of clock changes.

use super::*;

fn check(name: &str, local: &str, expected: &str) {
    let found = instant(&zone(name).unwrap(), local.parse().unwrap());
    assert_eq!(found.to_string(), expected, "{local} in {name}");
}

#[test]
fn a_local_time_that_does_not_exist_becomes_the_end_of_its_gap() {
    check("Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59:00Z");
    check("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00:00Z");
    check("Europe/Berlin", "2026-03-29T02:59", "2026-03-29T01:00:00Z");
    check("Europe/Berlin", "2026-03-29T03:01", "2026-03-29T01:01:00Z");
}

#[test]
fn half_an_hour_goes_missing_on_lord_howe() {
    check("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30:00Z");
    check("Australia/Lord_Howe", "2026-10-04T02:30", "2026-10-03T15:30:00Z");
}

#[test]
fn a_local_time_that_comes_twice_is_the_first() {
    check("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z");
    check("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45:00Z");
}

#[test]
fn a_whole_day_that_does_not_exist_becomes_its_end() {
    check("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00:00Z");
    check("Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00:00Z");
}

#[test]
fn a_day_that_begins_without_midnight_begins_after_the_gap() {
    check("America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T03:00:00Z");
    check("Africa/Cairo", "2026-04-24T00:00", "2026-04-23T22:00:00Z");
}

#[test]
fn only_iana_names_are_zones() {
    assert_eq!(zone("Mars/Base"), Err(ZoneError { name: "Mars/Base".to_owned() }));
    assert!(zone("Europe/Berlin").is_ok());
    assert!(names().len() > 400);
}

#[test]
fn a_time_that_is_left_out_is_told_with_the_two_nearest() {
    let told = |name: &str, local: &str| left_out(&zone(name).unwrap(), local.parse().unwrap());
    insta::assert_snapshot!(
        told("Europe/Berlin", "2026-03-29T02:30").unwrap(),
        @"02:30 does not exist on that day: the clocks go forward; use 01:30 or 03:30"
    );
    insta::assert_snapshot!(
        told("Pacific/Apia", "2011-12-30T12:00").unwrap(),
        @"12:00 does not exist on that day: the clocks go forward; use 2011-12-29 12:00 or 2011-12-31 12:00"
    );
    assert_eq!(told("Europe/Berlin", "2026-03-29T03:00"), None);
    assert_eq!(told("Europe/Berlin", "2026-10-25T02:30"), None);
}
