//! Who is dead, by watching.

use super::*;

const TIME: Timestamp = Timestamp::UNIX_EPOCH;

fn node(number: u8) -> NodeId {
    NodeId::new(Timestamp::from_second(1_700_000_000).unwrap(), [number; 10])
}

fn beats(beat: i64) -> [NodeBeat; 1] {
    let at = Timestamp::UNIX_EPOCH;
    [NodeBeat { node: node(2), beat, started_at: at, seen_at: at, heard_since: at }]
}

/// Lets time pass for what was seen.
fn age(others: &mut Others, by: Duration, looked: bool) {
    let back = |at: Instant| at.checked_sub(by).unwrap();
    others.seen.values_mut().for_each(|seen| seen.since = back(seen.since));
    if !looked {
        others.looked_at = others.looked_at.map(back);
    }
}

#[test]
fn a_node_that_was_watched_standing_still_is_dead() {
    let mut others = Others::default();
    assert!(others.look(node(1), &beats(7), TIME).is_empty());
    assert!(others.look(node(1), &beats(8), TIME).is_empty());
    assert_eq!(others.living(), BTreeSet::from([node(2)]));
    age(&mut others, DEAD_AFTER, true);
    assert_eq!(others.look(node(1), &beats(8), TIME), [(node(2), 8)]);
    assert!(others.living().is_empty());
}

#[test]
fn a_node_that_nobody_could_watch_is_not_dead() {
    let mut others = Others::default();
    others.look(node(1), &beats(7), TIME);
    others.look(node(1), &beats(8), TIME);
    age(&mut others, DEAD_AFTER, false);
    assert!(others.look(node(1), &beats(8), TIME).is_empty(), "we were as blind as it was mute");
    assert_eq!(others.living(), BTreeSet::from([node(2)]));
    age(&mut others, DEAD_AFTER, true);
    assert_eq!(others.look(node(1), &beats(8), TIME).len(), 1, "its time begins anew");
}

#[test]
fn outcomes_could_be_saved_only_where_nothing_was_out_of_sight_for_long_enough() {
    let mut others = Others::default();
    others.look(node(1), &beats(7), TIME);
    assert!(!others.could_save(), "who knows what was before");
    let back = |at: Instant| at.checked_sub(SAVES_WITHIN).unwrap();
    others.looks_since = others.looks_since.map(back);
    others.look(node(1), &beats(8), TIME);
    assert!(others.could_save());
    others.looked_at = others.looked_at.map(back);
    others.look(node(1), &beats(9), TIME);
    assert!(!others.could_save(), "the database was away");
    others.looks_since = others.looks_since.map(back);
    others.look(node(1), &beats(10), TIME);
    assert!(others.could_save());
    others.look(node(1), &beats(11), TIME + SignedDuration::from_mins(3));
    assert!(!others.could_save(), "the clock was set");
}
