//! What must hold for any rotation, with layers, restrictions and covers of any kind.

use jiff::civil::{DateTime, time as clock};
use jiff::{SignedDuration, ToSpan};
use proptest::prelude::*;

use super::super::{gaps, holder, on_call, shifts};
use super::*;

/// Zones that between them have all that can go wrong.
const ZONES: [&str; 10] = [
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Gaza",
    "Africa/Casablanca",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Antarctica/Troll",
    "UTC",
];

fn any_time() -> impl Strategy<Value = jiff::civil::Time> {
    (0..24_i8, 0..4_i8).prop_map(|(hour, quarter)| clock(hour, quarter * 15, 0, 0))
}

fn any_length() -> impl Strategy<Value = ShiftLength> {
    prop_oneof![
        (1..200_u16).prop_map(ShiftLength::Hours),
        (1..9_u16).prop_map(ShiftLength::Days),
        (1..4_u16).prop_map(ShiftLength::Weeks),
    ]
}

fn any_restriction() -> impl Strategy<Value = Restriction> {
    (prop::collection::vec(1..=7_u8, 0..4), any_time(), any_time())
        .prop_map(|(weekdays, from, to)| Restriction { weekdays, from, to })
}

fn any_layer() -> impl Strategy<Value = Layer> {
    let start = (0..400_i64, any_time()).prop_map(|(days, time)| {
        let first: DateTime = "2017-12-01T00:00".parse().unwrap();
        first.date().checked_add(days.days()).unwrap().to_datetime(time)
    });
    let people = prop::collection::vec(1..=5_u128, 1..5);
    let restrictions = prop::collection::vec(any_restriction(), 0..3);
    (people, start, any_length(), restrictions).prop_map(|(people, start, length, restrictions)| {
        let layer = layer(&people, "2018-01-01T00:00", length);
        Layer { start, restrictions, ..layer }
    })
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    (prop::sample::select(&ZONES[..]), prop::collection::vec(any_layer(), 0..4))
        .prop_map(|(zone, layers)| schedule(zone, layers))
}

/// Covers within 2018 and 2019, as hours since its begin and a length.
fn any_covers() -> impl Strategy<Value = Vec<Override>> {
    let cover_of = |(user_number, from, hours): (Option<u128>, i64, i64)| {
        let from = time("2018-01-01T00:00Z") + SignedDuration::from_hours(from);
        (user_number.map(user), from, from + SignedDuration::from_hours(hours))
    };
    let one = (prop::option::of(1..=5_u128), 0..12_000_i64, 1..300_i64).prop_map(cover_of);
    prop::collection::vec(one, 0..6).prop_map(|covers| {
        let numbered = covers.into_iter().zip(1_u128..);
        let mut covers: Vec<Override> = numbered
            .map(|((user, from, until), number)| cover(number, user, from, until))
            .collect();
        // As a directory keeps them: by their begin, not by when they were made.
        covers.sort_by_key(|it| it.from);
        covers
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_rotation_keeps_the_promises(
        schedule in any_schedule(),
        covers in any_covers(),
        from_hour in 0..12_000_i64,
        hours in 1..900_i64,
    ) {
        check(&schedule, &covers, from_hour, hours)?;
    }
}

fn check(
    schedule: &Schedule,
    covers: &[Override],
    from_hour: i64,
    hours: i64,
) -> Result<(), TestCaseError> {
    let from = time("2018-01-01T00:00Z") + SignedDuration::from_hours(from_hour);
    let until = from + SignedDuration::from_hours(hours);
    let found = shifts(schedule, covers, from, until).unwrap();
    for shift in &found {
        prop_assert!(from <= shift.from && shift.from < shift.until && shift.until <= until);
        prop_assert!(shift.by_override.is_some() != shift.layer.is_some(), "one origin");
        let first = on_call(schedule, covers, shift.from).unwrap().map(|it| it.user);
        prop_assert_eq!(first, Some(shift.user), "on call from the first instant");
        let last = shift.until - SignedDuration::from_nanos(1);
        prop_assert_eq!(holder(schedule, covers, last).unwrap(), Some(shift.user), "to the last");
    }
    for pair in found.windows(2) {
        prop_assert!(pair[0].until <= pair[1].from, "in order, and apart");
        let same = pair[0].user == pair[1].user
            && pair[0].layer == pair[1].layer
            && pair[0].by_override == pair[1].by_override;
        prop_assert!(!same || pair[0].until < pair[1].from, "neighbours are joined");
    }
    let free = gaps(schedule, covers, from, until).unwrap();
    for gap in &free {
        prop_assert_eq!(holder(schedule, covers, gap.from).unwrap(), None);
        let last = gap.until - SignedDuration::from_nanos(1);
        prop_assert_eq!(holder(schedule, covers, last).unwrap(), None);
    }
    let on = found.iter().map(|shift| shift.until.duration_since(shift.from));
    let off = free.iter().map(|gap| gap.until.duration_since(gap.from));
    let all: SignedDuration = on.chain(off).sum();
    prop_assert_eq!(all, until.duration_since(from), "shifts and gaps fill the window");
    check_half(schedule, covers, (from, until), &found)
}

/// The same, asked in two halves: the cut changes nothing.
fn check_half(
    schedule: &Schedule,
    covers: &[Override],
    (from, until): (Timestamp, Timestamp),
    whole: &[Shift],
) -> Result<(), TestCaseError> {
    let middle = from + until.duration_since(from) / 2;
    let mut halves = shifts(schedule, covers, from, middle).unwrap();
    for shift in shifts(schedule, covers, middle, until).unwrap() {
        match halves.last_mut() {
            Some(last)
                if last.until == middle
                    && shift.from == middle
                    && last.user == shift.user
                    && last.layer == shift.layer
                    && last.by_override == shift.by_override =>
            {
                last.until = shift.until;
            }
            _ => halves.push(shift),
        }
    }
    prop_assert_eq!(&halves[..], whole, "a window is the sum of its halves");
    Ok(())
}
