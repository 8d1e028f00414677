//! How fast a backlog drains, and what is left for what is new.

use super::*;

fn room(drain: &mut Drain, seconds: i64) -> Room {
    let rates = BTreeMap::from([(Channel::Sms, 3_600)]);
    drain.room((100, 100), 0, &rates, sec(seconds))
}

#[test]
fn a_drain_grows_and_leaves_room_for_what_is_new() {
    let mut drain = Drain::default();
    let shares = [0, 9, 10, 30, 59, 60, 600].map(|second| {
        let room = room(&mut drain, second);
        drain.took(1, &BTreeMap::new(), sec(second));
        assert_eq!(room.messages, 100);
        room.late
    });
    // The gap is a minute and more: another drain begins.
    assert_eq!(shares, [10, 10, 20, 40, 60, 70, 10]);
    let busy = drain.room((100, 3), 8, &BTreeMap::new(), sec(600));
    assert_eq!((busy.messages, busy.late), (3, 2), "what is under way counts");
}

#[test]
fn a_drain_stays_below_what_a_provider_takes() {
    let mut drain = Drain::default();
    let mut sent = 0;
    for tenth in 0..3_000 {
        let now = sec(0) + SignedDuration::from_millis(tenth * 100);
        let rates = BTreeMap::from([(Channel::Sms, 36_000)]);
        let room = drain.room((100, 100), 0, &rates, now);
        let count = room.channels[&Channel::Sms].min(room.late);
        drain.took(1, &BTreeMap::from([(Channel::Sms, count)]), now);
        sent += count;
    }
    // Ten a second for five minutes, of which seven tenths from the first minute on.
    assert!((1_800..=2_100).contains(&sent), "{sent}");
}

#[test]
fn a_drain_says_how_fast_it_is_and_when_it_is_over() {
    let mut drain = Drain::default();
    assert_eq!(drain.time_to_clear(100, sec(0)), None);
    for second in 0..120 {
        drain.took(50, &BTreeMap::new(), sec(second));
    }
    let rate = drain.per_second(sec(119));
    assert!((49.0..=51.0).contains(&rate), "{rate}");
    let left = drain.time_to_clear(3_000, sec(119)).unwrap();
    assert!((58..=62).contains(&left.as_secs()), "{left}");
    assert_eq!(drain.began(sec(200)), None, "it is over");
}
