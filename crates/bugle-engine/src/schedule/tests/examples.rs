//! Clock changes by name.

use super::super::{gaps, holder, layer_shifts, on_call, shifts};
use super::*;

fn daily(zone: &str, handoff: &str) -> Schedule {
    schedule(zone, vec![layer(&[1, 2], &format!("2000-01-01T{handoff}"), ShiftLength::Days(1))])
}

fn window(schedule: &Schedule, from: &str, until: &str) -> String {
    show(schedule, &shifts(schedule, &[], time(from), time(until)).unwrap())
}

#[test]
fn berlin_clocks_forward_make_a_short_night() {
    let schedule = daily("Europe/Berlin", "02:30");
    insta::assert_snapshot!(window(&schedule, "2026-03-27T23:00Z", "2026-03-31T00:00Z"), @r"
    A Sat 28 00:00 – Sat 28 02:30 2.5 h
    B Sat 28 02:30 – Sun 29 03:00 23.5 h
    A Sun 29 03:00 – Mon 30 02:30 23.5 h
    B Mon 30 02:30 – Tue 31 02:00 23.5 h
    ");
}

#[test]
fn berlin_clocks_back_make_a_long_one_and_hand_over_the_first_time() {
    let schedule = daily("Europe/Berlin", "02:30");
    insta::assert_snapshot!(window(&schedule, "2026-10-23T22:00Z", "2026-10-27T00:00Z"), @r"
    A Sat 24 00:00 – Sat 24 02:30 2.5 h
    B Sat 24 02:30 – Sun 25 02:30 24 h
    A Sun 25 02:30 – Mon 26 02:30 25 h
    B Mon 26 02:30 – Tue 27 01:00 22.5 h
    ");
}

#[test]
fn lord_howe_changes_by_half_an_hour() {
    let schedule = daily("Australia/Lord_Howe", "02:15");
    insta::assert_snapshot!(window(&schedule, "2026-10-02T12:00Z", "2026-10-05T12:00Z"), @r"
    B Fri 02 22:30 – Sat 03 02:15 3.75 h
    A Sat 03 02:15 – Sun 04 02:30 23.75 h
    B Sun 04 02:30 – Mon 05 02:15 23.75 h
    A Mon 05 02:15 – Mon 05 23:00 20.75 h
    ");
    insta::assert_snapshot!(window(&schedule, "2026-04-03T12:00Z", "2026-04-06T12:00Z"), @r"
    B Fri 03 23:00 – Sat 04 02:15 3.25 h
    A Sat 04 02:15 – Sun 05 02:15 24.5 h
    B Sun 05 02:15 – Mon 06 02:15 24 h
    A Mon 06 02:15 – Mon 06 22:30 20.25 h
    ");
}

#[test]
fn sao_paulo_had_days_without_midnight() {
    let schedule = daily("America/Sao_Paulo", "00:00");
    insta::assert_snapshot!(window(&schedule, "2018-11-02T12:00Z", "2018-11-06T12:00Z"), @r"
    A Fri 02 09:00 – Sat 03 00:00 15 h
    B Sat 03 00:00 – Sun 04 01:00 24 h
    A Sun 04 01:00 – Mon 05 00:00 23 h
    B Mon 05 00:00 – Tue 06 00:00 24 h
    A Tue 06 00:00 – Tue 06 10:00 10 h
    ");
    insta::assert_snapshot!(window(&schedule, "2018-02-16T12:00Z", "2018-02-19T12:00Z"), @r"
    B Fri 16 10:00 – Sat 17 00:00 14 h
    A Sat 17 00:00 – Sun 18 00:00 25 h
    B Sun 18 00:00 – Mon 19 00:00 24 h
    A Mon 19 00:00 – Mon 19 09:00 9 h
    ");
}

#[test]
fn gaza_changes_by_rules_that_no_formula_has() {
    let schedule = daily("Asia/Gaza", "00:00");
    insta::assert_snapshot!(window(&schedule, "2023-04-27T12:00Z", "2023-05-01T12:00Z"), @r"
    B Thu 27 14:00 – Fri 28 00:00 10 h
    A Fri 28 00:00 – Sat 29 00:00 24 h
    B Sat 29 00:00 – Sun 30 00:00 23 h
    A Sun 30 00:00 – Mon 01 00:00 24 h
    B Mon 01 00:00 – Mon 01 15:00 15 h
    ");
}

#[test]
fn apia_skipped_a_whole_day_and_with_it_a_turn() {
    let midnight = daily("Pacific/Apia", "00:00");
    insta::assert_snapshot!(window(&midnight, "2011-12-28T10:00Z", "2012-01-01T10:00Z"), @r"
    B Wed 28 00:00 – Thu 29 00:00 24 h
    A Thu 29 00:00 – Sun 01 00:00 48 h
    B Sun 01 00:00 – Mon 02 00:00 24 h
    ");
    let morning = daily("Pacific/Apia", "09:00");
    insta::assert_snapshot!(window(&morning, "2011-12-28T10:00Z", "2012-01-01T10:00Z"), @r"
    A Wed 28 00:00 – Wed 28 09:00 9 h
    B Wed 28 09:00 – Thu 29 09:00 24 h
    A Thu 29 09:00 – Sat 31 00:00 15 h
    B Sat 31 00:00 – Sat 31 09:00 9 h
    A Sat 31 09:00 – Sun 01 09:00 24 h
    B Sun 01 09:00 – Mon 02 00:00 15 h
    ");
}

#[test]
fn st_johns_set_its_clocks_back_across_midnight() {
    // 00:01 on the 7th became 23:01 on the 6th: the 7th had begun, and so had its turn.
    let schedule = daily("America/St_Johns", "00:00");
    insta::assert_snapshot!(window(&schedule, "2010-11-06T02:30Z", "2010-11-08T03:30Z"), @r"
    A Sat 06 00:00 – Sun 07 00:00 24 h
    B Sun 07 00:00 – Mon 08 00:00 25 h
    ");
    let mut early = schedule.clone();
    early.layers[0].restrictions = vec![restriction(&[7], "00:00", "08:00")];
    insta::assert_snapshot!(window(&early, "2010-11-06T02:30Z", "2010-11-08T03:30Z"), @r"B Sun 07 00:00 – Sun 07 08:00 9 h");
    for schedule in [schedule, early] {
        let second_pass = time("2010-11-07T03:00Z");
        let found = holder(&schedule, &[], second_pass).unwrap();
        let until = second_pass + jiff::SignedDuration::from_secs(1);
        let listed = shifts(&schedule, &[], second_pass, until).unwrap();
        assert_eq!(found, listed.first().map(|shift| shift.user));
        assert!(found.is_some());
    }
}

#[test]
fn cairo_begins_summer_at_midnight() {
    let schedule = daily("Africa/Cairo", "00:00");
    insta::assert_snapshot!(window(&schedule, "2026-04-22T22:00Z", "2026-04-25T22:00Z"), @r"
    B Thu 23 00:00 – Fri 24 01:00 24 h
    A Fri 24 01:00 – Sat 25 00:00 23 h
    B Sat 25 00:00 – Sun 26 00:00 24 h
    A Sun 26 00:00 – Sun 26 01:00 1 h
    ");
}

#[test]
fn weeks_hand_over_at_the_same_wall_clock_time_through_a_change() {
    let weekly = layer(&[1, 2, 3], "2026-03-20T18:00", ShiftLength::Weeks(1));
    let schedule = schedule("Europe/Berlin", vec![weekly]);
    insta::assert_snapshot!(window(&schedule, "2026-03-19T00:00Z", "2026-04-10T00:00Z"), @r"
    A Fri 20 18:00 – Fri 27 18:00 168 h
    B Fri 27 18:00 – Fri 03 18:00 167 h
    C Fri 03 18:00 – Fri 10 02:00 152 h
    ");
}

#[test]
fn hours_are_real_time_through_a_change() {
    let hours = layer(&[1, 2], "2026-03-28T20:00", ShiftLength::Hours(6));
    let schedule = schedule("Europe/Berlin", vec![hours]);
    insta::assert_snapshot!(window(&schedule, "2026-03-28T12:00Z", "2026-03-29T12:00Z"), @r"
    A Sat 28 20:00 – Sun 29 03:00 6 h
    B Sun 29 03:00 – Sun 29 09:00 6 h
    A Sun 29 09:00 – Sun 29 14:00 5 h
    ");
}

#[test]
fn windows_over_midnight_belong_to_the_day_they_begin_on() {
    let mut nights = layer(&[1, 2], "2026-11-01T12:00", ShiftLength::Weeks(1));
    nights.restrictions = vec![restriction(&[5, 6], "22:00", "06:00")];
    let schedule = schedule("Europe/Berlin", vec![nights]);
    insta::assert_snapshot!(window(&schedule, "2026-11-15T00:00Z", "2026-11-24T00:00Z"), @r"
    B Sun 15 01:00 – Sun 15 06:00 5 h
    A Fri 20 22:00 – Sat 21 06:00 8 h
    A Sat 21 22:00 – Sun 22 06:00 8 h
    ");
    let free = gaps(&schedule, &[], time("2026-11-20T00:00Z"), time("2026-11-21T12:00Z")).unwrap();
    assert_eq!(free.len(), 2);
    assert_eq!(free[0].until, time("2026-11-20T21:00Z"));
}

#[test]
fn later_layers_hide_earlier_ones_and_covers_hide_both() {
    let base = layer(&[1], "2026-11-01T00:00", ShiftLength::Weeks(1));
    let mut office = layer(&[2, 3], "2026-11-16T00:00", ShiftLength::Days(1));
    office.restrictions = vec![restriction(&[1, 2, 3, 4, 5], "09:00", "17:00")];
    let schedule = schedule("UTC", vec![base, office]);
    let covers = [
        cover(2, None, time("2026-11-16T18:00Z"), time("2026-11-16T19:00Z")),
        cover(1, Some(user(4)), time("2026-11-16T12:00Z"), time("2026-11-16T20:00Z")),
        cover(3, Some(user(5)), time("2026-11-17T08:00Z"), time("2026-11-17T10:00Z")),
    ];
    let (from, until) = (time("2026-11-16T00:00Z"), time("2026-11-18T00:00Z"));
    let found = shifts(&schedule, &covers, from, until).unwrap();
    insta::assert_snapshot!(show(&schedule, &found), @r"
    A Mon 16 00:00 – Mon 16 09:00 9 h
    B Mon 16 09:00 – Mon 16 12:00 3 h layer 1
    D Mon 16 12:00 – Mon 16 18:00 6 h cover
    D Mon 16 19:00 – Mon 16 20:00 1 h cover
    A Mon 16 20:00 – Tue 17 08:00 12 h
    E Tue 17 08:00 – Tue 17 10:00 2 h cover
    C Tue 17 10:00 – Tue 17 17:00 7 h layer 1
    A Tue 17 17:00 – Wed 18 00:00 7 h
    ");
    let found = layer_shifts(&schedule, 1, from, until).unwrap();
    insta::assert_snapshot!(show(&schedule, &found), @r"
    B Mon 16 09:00 – Mon 16 17:00 8 h layer 1
    C Tue 17 09:00 – Tue 17 17:00 8 h layer 1
    ");
    assert_eq!(layer_shifts(&schedule, 2, from, until), Ok(Vec::new()));
}

#[test]
fn the_shift_on_call_is_shown_whole() {
    let schedule = daily("Europe/Berlin", "09:00");
    let shift = on_call(&schedule, &[], time("2026-11-20T02:00Z")).unwrap().unwrap();
    assert_eq!(shift.from, time("2026-11-19T08:00Z"));
    assert_eq!(shift.until, time("2026-11-20T08:00Z"));
    let before_the_first = on_call(&schedule, &[], time("1999-12-31T00:00Z"));
    assert_eq!(before_the_first, Ok(None));
}

#[test]
fn somebody_always_on_call_is_shown_for_as_far_as_one_looks() {
    let one = layer(&[1], "2000-01-01T00:00", ShiftLength::Days(1));
    let schedule = schedule("UTC", vec![one]);
    let shift = on_call(&schedule, &[], time("2026-11-20T00:00Z")).unwrap().unwrap();
    assert_eq!(shift.until.duration_since(shift.from).as_hours(), 400 * 24);
}

#[test]
fn nobody_and_nonsense_are_answered() {
    let empty = schedule("UTC", Vec::new());
    let (from, until) = (time("2026-11-20T00:00Z"), time("2026-11-21T00:00Z"));
    assert_eq!(shifts(&empty, &[], from, until), Ok(Vec::new()));
    assert_eq!(gaps(&empty, &[], from, until).unwrap().len(), 1);
    assert_eq!(shifts(&empty, &[], until, from), Ok(Vec::new()));
    let nowhere = schedule("Mars/Base", Vec::new());
    let error = on_call(&nowhere, &[], from).unwrap_err();
    assert_eq!(error.to_string(), "there is no time zone named \"Mars/Base\"");
    let far = schedule("UTC", vec![layer(&[1], "2000-01-01T00:00", ShiftLength::Days(1))]);
    let (from, until) = (time("9999-12-01T00:00Z"), Timestamp::MAX);
    assert!(!shifts(&far, &[], from, until).unwrap().is_empty());
    assert_eq!(shifts(&far, &[], Timestamp::MIN, time("-009999-02-01T00:00Z")), Ok(Vec::new()));
}
