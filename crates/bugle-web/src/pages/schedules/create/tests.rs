//! The first turn of a new schedule has begun.

use super::*;

fn check(now: &str, day: i8, expected: &str) {
    let times = Times::new("Europe/Berlin", now.parse().unwrap());
    let found = last(day, Time::constant(10, 0, 0, 0), &times);
    assert_eq!(found.to_string(), expected, "day {day} at {now}");
}

#[test]
fn the_first_handoff_is_the_last_one_up_to_now() {
    // A Thursday, 14:20 in Berlin.
    check("2026-10-22T12:20:00Z", 4, "2026-10-22T10:00:00");
    check("2026-10-22T12:20:00Z", 1, "2026-10-19T10:00:00");
    check("2026-10-22T12:20:00Z", 5, "2026-10-16T10:00:00");
    check("2026-10-22T07:59:59Z", 4, "2026-10-15T10:00:00");
    check("2026-10-22T08:00:00Z", 4, "2026-10-22T10:00:00");
    check("2027-01-01T08:00:00Z", 7, "2026-12-27T10:00:00");
}

#[test]
fn errors_of_the_layer_are_shown_where_the_form_asks() {
    let moved = |field: &str| {
        let mut error = FieldError::new(field, "x");
        here(&mut error);
        error.field
    };
    assert_eq!(moved("layers-0-participants"), "people-0");
    assert_eq!(moved("layers-0-participants-2"), "people-2");
    assert_eq!(moved("layers-0-start"), "time");
    assert_eq!(moved("time_zone"), "time_zone");
}
