//! Whose turn it is.

use bugle_domain::status_page::StatusPage;
use jiff::SignedDuration;

use super::super::MAX_PAGES;
use super::*;

/// Pages of each tenant.
const OF_ONE: u128 = 40;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_773_500_000 + seconds).unwrap()
}

fn id(number: u128) -> StatusPageId {
    StatusPageId::from_stored(uuid::Uuid::from_u128(number))
}

fn tenant(number: u128) -> TenantId {
    TenantId::from_stored(uuid::Uuid::from_u128(number))
}

fn pages(count: u128) -> Public {
    let page = |number: u128| {
        let (id, name) = (id(number), format!("page {number}"));
        let page =
            StatusPage { id, name, services: Vec::new(), follow_alerts: true, enabled: true };
        (id, (tenant(number / OF_ONE), page))
    };
    (0..count).map(page).collect()
}

/// The longest that any page was not written from the second minute `every` on, where the first
/// tenant has something new to say on all its pages all the time.
fn longest(count: u128, seconds: i64) -> SignedDuration {
    let (pages, mut turns) = (pages(count), Turns::default());
    let mut longest = SignedDuration::ZERO;
    for second in 0..seconds {
        let now = at(second);
        for (id, oldest) in turns.choose(&pages, now) {
            let (of, before) = (pages[&id].0, turns.written.get(&id).copied());
            let news = (of == tenant(0)).then_some(Why::News);
            if turns.take((id, of), (news, oldest), now) {
                longest = longest.max(now.duration_since(before.unwrap_or(at(0))));
            }
        }
    }
    let last = pages.keys().map(|id| turns.written.get(id).copied().unwrap_or(at(0)));
    last.map(|it| at(seconds).duration_since(it)).fold(longest, Ord::max)
}

#[test]
fn pages_are_as_old_as_they_say_and_no_older() {
    for count in [1, 150, 151, u128::from(MAX_PAGES)] {
        let every = every_min(usize::try_from(count).unwrap());
        let minutes = i64::try_from(every).unwrap();
        let found = longest(count, 60 * (2 * minutes + 2));
        assert!(found <= SignedDuration::from_mins(minutes + 1), "{count}: {found:?}, {every}");
    }
    assert_eq!((every_min(0), every_min(150), every_min(151), every_min(2_000)), (1, 1, 2, 14));
}

#[test]
fn one_tenants_news_leave_room_for_others() {
    let (mut turns, first, second) = (Turns::default(), tenant(0), tenant(1));
    let news = (Some(Why::News), false);
    let written = (0..40).filter(|number| turns.take((id(*number), first), news, at(0))).count();
    assert_eq!(written, 10);
    assert!(turns.take((id(99), second), news, at(0)));
    // What waits is the first that is looked at when there is room again.
    let pages = pages(80);
    assert!(
        turns
            .choose(&pages, at(1))
            .iter()
            .all(|(it, oldest)| !oldest || it.as_uuid().as_u128() > 9)
    );
    let chosen = turns.choose(&pages, at(61));
    assert_eq!(chosen[..5], [10, 11, 12, 13, 14].map(|number| (id(number), true)));
}

#[test]
fn that_nobody_knows_how_things_are_is_said_whatever_was_written() {
    let mut turns = Turns::default();
    let all = u128::from(MAX_PAGES);
    for number in 0..all {
        turns.take((id(number), tenant(number)), (Some(Why::News), true), at(0));
    }
    assert!(!turns.take((id(all), tenant(all)), (Some(Why::News), true), at(0)));
    let sight = (Some(Why::Sight), false);
    assert!((0..all).all(|number| turns.take((id(number), tenant(number)), sight, at(1))));
}

#[test]
fn what_failed_has_had_its_turn() {
    let (pages, mut turns) = (pages(80), Turns::default());
    let first: Vec<_> = turns.choose(&pages, at(0)).into_iter().map(|(id, _)| id).collect();
    for id in &first {
        turns.pass(*id, at(0));
    }
    let next = turns.choose(&pages, at(1));
    assert!(next.iter().all(|(id, _)| !first.contains(id)), "{next:?}");
}
