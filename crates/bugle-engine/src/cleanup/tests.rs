//! What goes and what is kept, with the reasons.

use bugle_domain::contact::Channel;

use super::*;
use crate::testing::{at, halden, user};

const NOBODY: u128 = 900;

/// The company with one more person, who is disabled and in nothing.
fn with_nobody(role: Role) -> Directory {
    let mut directory = halden();
    let known = directory.users.values().next().unwrap().clone();
    let id = user(NOBODY);
    let gone = User { id, name: "Gone".to_owned(), role, disabled: true, ..known };
    directory.add(bugle_domain::object::Object::User(gone));
    let method = crate::testing::method(NOBODY, Channel::Sms);
    let method = bugle_domain::contact::ContactMethod { user: id, ..method };
    directory.add(bugle_domain::object::Object::Method(method));
    directory
}

fn now() -> Timestamp {
    at(60 * 24 * 365)
}

fn ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

fn judged(directory: &Directory, operators: &Operators, used: Option<Timestamp>) -> Vec<Candidate> {
    let used = used.map(|at| (user(NOBODY), at)).into_iter().collect();
    users(directory, &used, operators, (Uuid::nil(), STEP), now())
}

#[test]
fn a_disabled_user_that_nothing_names_goes_with_its_contact_methods() {
    let found = judged(&with_nobody(Role::Viewer), &Operators::default(), None);
    let [only] = &found[..] else { panic!("{found:#?}") };
    assert!(only.goes() && only.name == "Gone", "{only:#?}");
    assert_eq!(only.with.len(), 1, "{only:#?}");
    assert!(judged(&halden(), &Operators::default(), None).is_empty(), "nobody else is disabled");
}

#[test]
fn what_names_a_user_is_listed() {
    let mut directory = halden();
    for person in directory.users.values_mut() {
        person.disabled = true;
    }
    let found = judged(&directory, &Operators::default(), None);
    let named = found.iter().filter(|it| it.against.iter().any(|why| why.contains("named by")));
    assert!(named.count() > 0, "{found:#?}");
    let on_call = found.iter().find(|it| !it.goes()).unwrap();
    assert!(on_call.against[0].contains("schedule \"") || on_call.against[0].contains("policy \""));
}

#[test]
fn what_was_used_lately_is_in_use_whatever_its_tag_says() {
    let directory = with_nobody(Role::Viewer);
    for (used, goes) in [(Some(ago(2)), false), (Some(ago(29)), false), (Some(ago(31)), true)] {
        let found = judged(&directory, &Operators::default(), used);
        assert_eq!(found[0].goes(), goes, "{used:?} {:?}", found[0].against);
    }
    let found = judged(&directory, &Operators::default(), Some(ago(2)));
    assert_eq!(found[0].against, ["it was used 2 days ago"]);
}

#[test]
fn the_only_operator_and_the_last_admin_stay() {
    let me = user(NOBODY);
    let directory = with_nobody(Role::Viewer);
    let alone = Operators { all: BTreeSet::from([me]), acting: BTreeSet::new() };
    assert_eq!(judged(&directory, &alone, None)[0].against, ["nobody else is an operator"]);
    let other = user(1);
    let beside = Operators { all: BTreeSet::from([me, other]), acting: BTreeSet::from([other]) };
    assert!(judged(&directory, &beside, None)[0].goes());
    let mut directory = with_nobody(Role::Admin);
    for person in directory.users.values_mut().filter(|it| it.id != me) {
        person.role = Role::Responder;
    }
    let found = judged(&directory, &Operators::default(), None);
    assert_eq!(found[0].against, ["nobody else is an admin of the tenant"]);
    directory.users.values_mut().next().unwrap().role = Role::Admin;
    assert!(judged(&directory, &Operators::default(), None)[0].goes());
}

#[test]
fn candidates_come_in_the_order_of_their_ids_after_the_last_one_and_no_more_than_asked_for() {
    let mut directory = with_nobody(Role::Viewer);
    let gone = directory.users[&user(NOBODY)].clone();
    for number in 1..=5 {
        let id = user(NOBODY + number);
        directory.add(bugle_domain::object::Object::User(User { id, ..gone.clone() }));
    }
    let none = (BTreeMap::new(), Operators::default());
    let (mut after, mut seen) = (Uuid::nil(), Vec::new());
    loop {
        let found = users(&directory, &none.0, &none.1, (after, 2), now());
        let Some(last) = found.last() else { break };
        assert!(found.len() <= 2);
        after = last.id;
        seen.extend(found.into_iter().map(|it| it.id));
    }
    let all: Vec<Uuid> = (0..=5).map(|number| user(NOBODY + number).as_uuid()).collect();
    assert_eq!(seen, all, "each once");
}

#[test]
fn an_integration_that_still_hears_its_sender_stays() {
    let mut directory = halden();
    let id = *directory.integrations.keys().next().unwrap();
    let with = |directory: &Directory, traffic: Traffic| {
        integrations(directory, &BTreeMap::from([(id, traffic)]), (Uuid::nil(), STEP), now())
    };
    let judge = |directory: &Directory, last: Option<Timestamp>| {
        with(directory, Traffic { last, open_alerts: 0 })
    };
    assert!(judge(&directory, None).is_empty(), "it is not disabled");
    directory.integrations.get_mut(&id).unwrap().disabled = true;
    assert!(judge(&directory, None)[0].goes());
    assert!(judge(&directory, Some(ago(40)))[0].goes());
    assert_eq!(judge(&directory, Some(now()))[0].against, ["it was used within the last day"]);
    let open = |open_alerts| with(&directory, Traffic { last: None, open_alerts });
    assert_eq!(open(1)[0].against, ["1 of its alerts is open"]);
    assert_eq!(open(7)[0].against, ["7 of its alerts are open"]);
}

#[test]
fn keys_and_nodes_go_when_they_ended_long_ago() {
    let key = |used: Option<i64>| EndedKey {
        id: Uuid::from_u128(1),
        name: "deploys".to_owned(),
        ended_at: ago(1),
        used_at: used.map(ago),
    };
    assert!(keys(vec![key(None)], now())[0].goes());
    assert!(keys(vec![key(Some(90))], now())[0].goes());
    assert!(!keys(vec![key(Some(3))], now())[0].goes());
    let still = EndedKey { ended_at: ago(-1), ..key(None) };
    assert!(!keys(vec![still], now())[0].goes(), "it ends tomorrow");
    let node = |days, owns| SilentNode {
        id: Uuid::from_u128(2),
        name: "nod_2".to_owned(),
        seen_at: ago(days),
        owns,
    };
    assert!(nodes(vec![node(31, 0)], now())[0].goes());
    assert!(!nodes(vec![node(3, 0)], now())[0].goes());
    let owner = nodes(vec![node(31, 2)], now());
    assert_eq!(owner[0].against, ["2 tenants are placed on it"]);
}
