//! Beats that say since when, and ends that are put off.

use super::*;
use crate::testing::at;

fn beat(seen: i64, heard: i64) -> Beat {
    Beat { seen_at: at(seen), heard_since: at(heard) }
}

#[test]
fn somebody_alive_carries_on_what_was_known() {
    let check = |beats: &[Beat], since_minute: i64| {
        assert_eq!(since(beats.iter().copied(), at(60)), at(since_minute), "{beats:?}");
    };
    check(&[], 60);
    check(&[beat(60, 5)], 5);
    check(&[beat(59, 5)], 60);
    check(&[beat(59, 5), beat(60, 20)], 20);
    check(&[beat(60, 20), beat(60, 5)], 5);
}

#[test]
fn a_restart_shorter_than_the_limit_is_no_gap() {
    let seen_at = at(60) - UNHEARD_AFTER;
    let heard_since = at(1);
    assert_eq!(since([Beat { seen_at, heard_since }], at(60)), at(1));
    let seen_at = seen_at - SignedDuration::from_micros(1);
    assert_eq!(since([Beat { seen_at, heard_since }], at(60)), at(60));
}

#[test]
fn a_sender_gets_the_time_again_that_it_gave_itself() {
    let check = |spoke, end, heard, expected: Option<i64>| {
        assert_eq!(wait_again(at(spoke), at(end), at(heard)), expected.map(at));
    };
    // Heard since: its end stands.
    check(30, 34, 30, None);
    // The end is far enough away for news to come.
    check(0, 34, 30, None);
    // Prometheus' own four minutes; a rule that is evaluated every 5 min; a day; a second.
    check(0, 4, 30, Some(34));
    check(10, 30, 30, Some(50));
    check(0, 29, 30, Some(59));
    check(-1_440, 0, 30, Some(90));
    check(29, 33, 30, Some(34));
}
