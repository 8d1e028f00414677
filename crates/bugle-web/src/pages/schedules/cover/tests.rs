//! Local times are read with care where clocks change.

use super::*;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

#[test]
fn a_local_time_is_read_in_the_zone_of_the_schedule() {
    let at = read("2026-10-23T18:00", &berlin()).unwrap();
    assert_eq!(at.to_string(), "2026-10-23T16:00:00Z");
}

#[test]
fn a_time_that_does_not_exist_is_refused_with_the_two_nearest() {
    let text = read("2026-03-29T02:30", &berlin()).unwrap_err();
    assert_eq!(
        text,
        "02:30 does not exist on that day: the clocks go forward; use 01:30 or 03:30."
    );
}

#[test]
fn of_a_time_that_comes_twice_the_first_is_meant() {
    let at = read("2026-10-25T02:30", &berlin()).unwrap();
    assert_eq!(at.to_string(), "2026-10-25T00:30:00Z");
}

#[test]
fn anything_else_says_what_to_type() {
    assert!(read("tomorrow", &berlin()).unwrap_err().starts_with("Choose a date"));
}
