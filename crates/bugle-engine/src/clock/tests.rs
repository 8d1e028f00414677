//! When a level's time is over. A level is told at 0; its people have five minutes.

use super::*;
use crate::testing::at;

fn show(progress: Progress, minute: i64) -> String {
    let minutes = |at_: Timestamp| at_.duration_since(at(0)).as_mins();
    match read(at(0), SignedDuration::from_mins(5), progress, at(minute)) {
        Reading::Over => "over".to_owned(),
        Reading::Runs { from, until } => format!("runs {}-{}", minutes(from), minutes(until)),
        Reading::Stands { until } => format!("stands, look again at {}", minutes(until)),
    }
}

fn accepted(minute: i64) -> Progress {
    Progress { accepted_at: Some(at(minute)), tried_at: Some(at(0)), waits_for_us: false }
}

#[test]
fn a_level_has_its_time_from_the_first_page_that_a_provider_accepted() {
    assert_eq!(show(accepted(0), 5), "over");
    assert_eq!(show(accepted(3), 5), "runs 3-8");
    assert_eq!(show(accepted(3), 8), "over");
    let soon = Progress { accepted_at: at(0).checked_add(ON_TIME).ok(), ..accepted(0) };
    assert_eq!(show(soon, 5), "over", "a few seconds don't move the clock");
}

#[test]
fn a_level_whose_people_cannot_be_reached_still_escalates() {
    let refused = Progress { tried_at: Some(at(0)), ..Progress::default() };
    assert_eq!(show(refused, 5), "over");
    let after_a_stall = Progress { tried_at: Some(at(20)), ..Progress::default() };
    assert_eq!(show(after_a_stall, 21), "runs 20-25");
    assert_eq!(show(after_a_stall, 25), "over");
    let one_refused_one_waits = Progress { waits_for_us: true, ..refused };
    assert_eq!(show(one_refused_one_waits, 5), "over");
    assert_eq!(show(Progress::default(), 5), "over", "nothing is owed any more");
}

#[test]
fn the_clock_stands_while_we_are_the_delay_and_never_hangs() {
    let waits = Progress { waits_for_us: true, ..Progress::default() };
    assert_eq!(show(waits, 5), "stands, look again at 10");
    assert_eq!(show(waits, 63), "stands, look again at 65");
    assert_eq!(show(waits, 65), "over");
}
