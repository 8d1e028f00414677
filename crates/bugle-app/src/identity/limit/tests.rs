//! What is let through, by how many keys and in what time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

fn clock() -> Clock {
    Clock::pushed(Timestamp::from_second(1_700_000_000).unwrap())
}

fn two() -> NonZeroU32 {
    NonZeroU32::new(2).unwrap()
}

#[test]
fn a_burst_is_followed_by_a_wait_per_key() {
    let clock = clock();
    let limit = Limit::new(&clock, two(), MINUTE);
    assert_eq!((limit.take(&"a"), limit.take(&"a")), (Ok(()), Ok(())));
    assert_eq!(limit.take(&"a").unwrap_err().as_secs(), 60);
    assert_eq!(limit.take(&"b"), Ok(()));
    clock.push(SignedDuration::from_secs(60));
    assert_eq!(limit.take(&"a"), Ok(()));
    assert!(limit.take(&"a").is_err());
}

#[test]
fn very_many_keys_lift_nobodys_limit_and_take_no_more_memory() {
    let clock = clock();
    let limit = Limit::new(&clock, two(), MINUTE);
    let victim = u32::MAX;
    assert_eq!((limit.take(&victim), limit.take(&victim)), (Ok(()), Ok(())));
    let mut let_through = 0_usize;
    for key in 0..100_000 {
        let_through += usize::from(limit.take(&key).is_ok());
        if key % 1_000 == 0 {
            assert!(limit.take(&victim).is_err(), "after {key} others");
        }
    }
    assert!(let_through <= MAX_KEYS + 2 * SLOTS, "{let_through}");
    let remembered = |limit: &Limit<u32>| {
        let kept = limit.kept.lock().unwrap();
        assert_eq!(kept.keys.len(), kept.turns.len());
        kept.keys.len()
    };
    assert_eq!(remembered(&limit), MAX_KEYS);

    clock.push(SignedDuration::from_mins(2));
    for _ in 0..MAX_KEYS {
        limit.take(&victim).ok();
    }
    assert_eq!(remembered(&limit), 1, "those that have nothing left to say are forgotten");
}

/// What each of these tries, a key after a pause in seconds, is answered, and whether a limit of
/// the key's own would have let it through.
fn answers(tries: &[(u8, i64)], room: (usize, usize)) -> Vec<(bool, bool)> {
    let clock = clock();
    let limit = Limit::remembering(&clock, two(), MINUTE, room);
    let mut own: BTreeMap<u8, i64> = BTreeMap::new();
    let answer = |(key, pause): &(u8, i64)| {
        clock.push(SignedDuration::from_secs(*pause));
        let now = clock.now().as_second();
        let until = own.entry(*key).or_insert(now);
        let (may, let_through) = (*until - now <= 60, limit.take(key).is_ok());
        if let_through {
            *until = (*until).max(now) + 60;
        }
        (let_through, may)
    };
    tries.iter().map(answer).collect()
}

proptest! {
    #[test]
    fn no_key_ever_gets_more_than_a_limit_of_its_own_would_give(
        tries in proptest::collection::vec((0..9_u8, 0..25_i64), 0..200),
    ) {
        for (let_through, may) in answers(&tries, (3, 2)) {
            prop_assert!(may || !let_through);
        }
        for (let_through, may) in answers(&tries, (9, 1)) {
            prop_assert_eq!(let_through, may, "there is room for all of them");
        }
    }
}
