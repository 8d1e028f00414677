//! Who is on call, over the sample configuration.

use bugle_domain::OverrideId;
use bugle_domain::object::Object;

use super::*;
use crate::sample;

fn only(directory: &Directory) -> OnCallNow {
    let schedule = directory.schedules.values().next().unwrap();
    now_of(directory, schedule, sample::now()).unwrap()
}

#[test]
fn says_who_until_when_and_who_follows() {
    let now = only(&sample::directory());
    let names = (now.user.unwrap().name, now.next.clone().unwrap().user.unwrap().name);
    assert_eq!(names, ("Lena Ortiz".to_owned(), "Priya Nair".to_owned()));
    assert_eq!(now.from.unwrap().to_string(), "2026-11-02T08:00:00Z");
    assert_eq!(now.until.unwrap().to_string(), "2026-11-16T08:00:00Z");
    assert_eq!(now.next.unwrap().at, now.until.unwrap());
    assert!(now.reachable);
    assert_eq!(now.reach.len(), 2);
    assert_eq!(now.reach[0].address, "…318");
}

#[test]
fn a_cover_and_a_gap_are_told_apart_from_a_turn() {
    let mut directory = sample::directory();
    let schedule = *directory.schedules.keys().next().unwrap();
    let cover = |n, user| Override {
        id: OverrideId::from_stored(sample::nth(n)),
        schedule,
        user,
        from: "2026-11-16T02:00:00Z".parse().unwrap(),
        until: "2026-11-16T04:00:00Z".parse().unwrap(),
        reason: String::new(),
    };
    directory
        .add(Object::Override(cover(71, Some(UserId::from_stored(sample::nth(sample::PRIYA))))));
    let now = only(&directory);
    assert_eq!(now.user.unwrap().name, "Priya Nair");
    assert!(now.by_override.is_some());
    assert_eq!(now.next.unwrap().user.unwrap().name, "Lena Ortiz");

    directory.add(Object::Override(cover(72, None)));
    let now = only(&directory);
    assert_eq!((now.user, now.reachable), (None, false));
    assert_eq!(now.until.unwrap().to_string(), "2026-11-16T04:00:00Z");
    assert_eq!(now.next.unwrap().user.unwrap().name, "Lena Ortiz");
}
