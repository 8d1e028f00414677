//! Whose places are left, and what hangs.

use super::*;

fn tenant(number: u8) -> TenantId {
    TenantId::new(Timestamp::UNIX_EPOCH, [number; 10])
}

fn room(of: &UnderWay, machine: Instant) -> Room {
    let mut room = Room::default();
    of.leave_places(&mut room, 16, (machine, Timestamp::UNIX_EPOCH));
    room
}

#[test]
fn what_hangs_leaves_the_others_their_places() {
    let (under_way, start) = (UnderWay::default(), Instant::now());
    let begin = |channel, late| under_way.begin((tenant(1), channel), late, start);
    let mail: Vec<u64> = (0..8).map(|_| begin(Channel::Email, false)).collect();
    let hook = begin(Channel::Webhook, true);
    let left = room(&under_way, start);
    assert_eq!(left.places[&Channel::Email], Places { free: 4, back_at: None });
    assert_eq!(left.places[&Channel::Voice].free, 12);
    assert_eq!((left.programs[&tenant(1)].free, left.program_places), (11, 12));
    assert!(!under_way.end(begin(Channel::Voice, false)), "there was room for all");

    let back_at = Timestamp::UNIX_EPOCH.checked_add(BACK_AFTER).ok();
    let left = room(&under_way, start + HANGS_AFTER);
    assert_eq!(left.places[&Channel::Email], Places { free: 0, back_at });
    assert_eq!(left.programs[&tenant(1)], Places { free: 1, back_at });

    assert_eq!(under_way.late(), 1);
    let looked: Vec<bool> = mail[..4].iter().map(|one| under_way.end(*one)).collect();
    assert_eq!(looked, [false, false, true, false], "when a quarter has ended, once");
    assert!(under_way.end(hook), "more of the backlog");
    assert_eq!(room(&under_way, start).places[&Channel::Email].free, 8);
}
