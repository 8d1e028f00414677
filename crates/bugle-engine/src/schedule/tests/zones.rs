//! Every IANA zone, around a clock set forward and a clock set back, with rotations of all kinds.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::super::{gaps, holder, shifts};
use super::*;

/// Rotations whose handoffs and restrictions fall on and around the usual hours of clock changes.
fn schedules(zone: &str) -> Vec<Schedule> {
    let nights = Layer {
        restrictions: vec![restriction(&[], "22:00", "02:30")],
        ..layer(&[1, 2], "1990-01-01T02:15", ShiftLength::Days(1))
    };
    let office = Layer {
        restrictions: vec![
            restriction(&[1, 2, 3, 4, 5], "00:00", "02:00"),
            restriction(&[6, 7], "03:00", "03:00"),
        ],
        ..layer(&[3, 4, 5], "1990-01-01T00:00", ShiftLength::Weeks(1))
    };
    vec![
        schedule(zone, vec![layer(&[1, 2, 3], "1990-01-01T00:00", ShiftLength::Days(1))]),
        schedule(zone, vec![layer(&[1, 2], "1990-01-01T02:30", ShiftLength::Days(1))]),
        schedule(zone, vec![layer(&[1, 2, 3], "1990-01-01T12:00", ShiftLength::Hours(5))]),
        schedule(zone, vec![nights, office]),
    ]
}

/// The last change to a later and to an earlier clock before 2037.
fn changes(zone: &TimeZone) -> Vec<Timestamp> {
    let mut changes = Vec::new();
    let (mut forward, mut back) = (false, false);
    let until = time("2037-01-01T00:00:00Z");
    for change in
        zone.preceding(until).take_while(|it| it.timestamp() > time("1990-06-01T00:00:00Z"))
    {
        let before = zone.to_offset(change.timestamp() - jiff::SignedDuration::from_secs(1));
        let wanted = match change.offset().cmp(&before) {
            std::cmp::Ordering::Greater => !std::mem::replace(&mut forward, true),
            std::cmp::Ordering::Less => !std::mem::replace(&mut back, true),
            std::cmp::Ordering::Equal => false,
        };
        if wanted {
            changes.push(change.timestamp());
        }
        if forward && back {
            break;
        }
    }
    changes
}

#[test]
fn every_zone_agrees_with_a_wall_clock_that_is_never_turned_back() {
    let mut looked_at = 0;
    for name in crate::zone::names() {
        let zone = crate::zone::zone(&name).unwrap();
        let all = changes(&zone);
        let quiet = [time("2026-06-15T00:00:00Z")];
        let around = if all.is_empty() { &quiet[..] } else { &all[..] };
        for change in around {
            check_around(&name, &zone, *change);
            looked_at += 1;
        }
    }
    assert!(looked_at > 900, "{looked_at}");
}

fn check_around(name: &str, zone: &TimeZone, change: Timestamp) {
    let grid = model::grid(change);
    let readings = model::readings(zone, &grid);
    let (from, until) = (grid[0], *grid.last().unwrap());
    for schedule in schedules(name) {
        let found = shifts(&schedule, &[], from, until).unwrap();
        let mut next = found.iter().peekable();
        let mut before = None;
        for (at, shown) in grid.iter().zip(&readings).filter(|(at, _)| **at < until) {
            while next.next_if(|shift| shift.until <= *at).is_some() {}
            let by_shifts = next.peek().filter(|shift| shift.from <= *at).map(|shift| shift.user);
            let expected = model::holder(&schedule, &[], zone, (*at, *shown));
            assert_eq!(by_shifts, expected, "{name}, {at}, clock shows {shown}: {schedule:?}");
            if expected != before {
                let alone = holder(&schedule, &[], *at).unwrap();
                assert_eq!(alone, expected, "{name}, {at} alone");
                before = expected;
            }
        }
        let covered = found.iter().map(|shift| shift.until.duration_since(shift.from));
        let free = gaps(&schedule, &[], from, until).unwrap();
        let free = free.iter().map(|gap| gap.until.duration_since(gap.from));
        let all: jiff::SignedDuration = covered.chain(free).sum();
        assert_eq!(all, until.duration_since(from), "{name}: shifts and gaps fill the window");
    }
}

#[test]
fn handoffs_happen_when_the_wall_clock_first_shows_the_handoff_time_in_every_zone() {
    for name in crate::zone::names() {
        let zone = crate::zone::zone(&name).unwrap();
        let handoff = "00:30".parse().unwrap();
        let schedule =
            schedule(&name, vec![layer(&[1, 2], "1990-01-01T00:30", ShiftLength::Days(1))]);
        for change in changes(&zone) {
            let week = jiff::SignedDuration::from_hours(84);
            let found = shifts(&schedule, &[], change - week, change + week).unwrap();
            for shift in &found[1..] {
                let shows = zone.to_datetime(shift.from);
                let just_before = zone.to_datetime(shift.from - jiff::SignedDuration::from_secs(1));
                let on_time = shows.time() == handoff;
                let skipped = |date: Date| {
                    let missing = date.to_datetime(handoff);
                    just_before < missing && missing < shows
                };
                let mut days = just_before.date().series(1.day());
                let after_gap = days.by_ref().take_while(|it| *it <= shows.date()).any(skipped);
                assert!(on_time || after_gap, "{name}: handed over when clocks show {shows}");
            }
        }
    }
}
