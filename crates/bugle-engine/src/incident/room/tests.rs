//! What each act does to a room, and what it says.

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn person(number: u8, name: &str) -> Person {
    let tenant = TenantId::new(at(0), [9; 10]);
    Person { tenant, user: UserId::new(at(0), [number; 10]), name: name.to_owned() }
}

fn room() -> Room {
    let verdict = crate::watch::Verdict {
        hop: crate::watch::Hop::Store,
        since: at(0),
        evidence: "it was seen".to_owned(),
        waiting: 0,
        tenants: Vec::new(),
        nodes: Vec::new(),
        harmless: false,
    };
    let id = IncidentId::new(at(0), [1; 10]);
    let incident = crate::incident::declare(id, &[verdict], true, at(8)).unwrap();
    let mut room = Room::of_watch(&incident);
    room.origin = Origin::Person { name: "Lena".to_owned() };
    room
}

/// Does what Lena does, and gives what the timeline says.
fn lena(room: &mut Room, act: Act, second: i64) -> Result<String, Refusal> {
    let lena = person(1, "Lena");
    let by = By { name: "Lena", person: Some(&lena), now: at(second) };
    let lines = room.act(act, by)?;
    assert!(lines.len() < 2, "{lines:?}");
    let line = lines.first().map(|line| format!("{}: {}", line.source, line.text));
    Ok(line.unwrap_or_default())
}

fn give(role: Role, to: Person, reason: &str) -> Act {
    Act::Give { role, to, reason: reason.to_owned() }
}

#[test]
fn a_vacant_role_is_taken_and_one_that_is_held_is_handed_over_with_a_reason() {
    let mut room = room();
    let mut give = |role, to, reason| lena(&mut room, give(role, to, reason), 20);
    let said = give(Role::Commander, person(1, "Lena"), "");
    assert_eq!(said.unwrap(), "role: Lena is commander.");
    let refused = give(Role::Commander, person(2, "Priya"), " ").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Lena is the commander: say why it is handed over, as in \"/lead NAME: REASON\""
    );
    let said = give(Role::Commander, person(2, "Priya"), "I am off");
    assert_eq!(said.unwrap(), "role: Priya is now commander instead of Lena: I am off (Lena)");
    assert_eq!(give(Role::Commander, person(2, "Priya"), "").unwrap(), "", "again: nothing");
    assert_eq!(room.speaker().unwrap().name, "Priya", "there is no communications lead");
    assert_eq!(room.here.len(), 2, "whoever has a role is here");
}

#[test]
fn who_is_paged_is_paged_for_a_reason_and_noted_once() {
    let mut room = room();
    let page = |to, reason: &str| Act::Page { to, reason: reason.to_owned() };
    let said = lena(&mut room, page(person(2, "Priya"), "the disk is full"), 20);
    assert_eq!(said.unwrap(), "page: Lena pages Priya: the disk is full");
    lena(&mut room, page(person(2, "Priya"), "still"), 21).unwrap();
    assert_eq!(room.paged, [person(2, "Priya")]);
    let refused = lena(&mut room, page(person(3, "Jonas"), " "), 22);
    assert_eq!(refused, Err(Refusal::Empty("the reason")));
    for number in 4..23 {
        lena(&mut room, page(person(number, "Ada"), "all hands"), 23).unwrap();
    }
    let refused = lena(&mut room, page(person(3, "Jonas"), "too"), 24);
    assert_eq!(refused, Err(Refusal::TooMany { what: "people paged from it", most: MAX_PAGED }));
}

#[test]
fn people_come_and_go_once() {
    let mut room = room();
    assert_eq!(lena(&mut room, Act::Join, 20).unwrap(), "people: Lena joined.");
    assert_eq!(lena(&mut room, Act::Join, 21).unwrap(), "");
    assert_eq!(lena(&mut room, Act::Leave, 22).unwrap(), "people: Lena left.");
    assert_eq!(lena(&mut room, Act::Leave, 23).unwrap(), "");
    let key = By { name: "key deploys", person: None, now: at(24) };
    assert_eq!(room.act(Act::Join, key), Err(Refusal::NotAPerson));
}

#[test]
fn tasks_are_numbered_and_done_once() {
    let mut room = room();
    let task = |text: &str, assignee: Option<&str>| Act::AddTask {
        text: text.to_owned(),
        assignee: assignee.map(str::to_owned),
    };
    let said = lena(&mut room, task(" call the bank ", Some("Priya")), 20).unwrap();
    assert_eq!(said, "task: Task 1 for Priya: call the bank (Lena)");
    lena(&mut room, task("restart", None), 21).unwrap();
    let said = lena(&mut room, Act::FinishTask(2), 22).unwrap();
    assert_eq!(said, "task: Done, task 2: restart (Lena)");
    assert_eq!(lena(&mut room, Act::FinishTask(2), 23).unwrap(), "");
    assert_eq!(lena(&mut room, Act::FinishTask(3), 23), Err(Refusal::NoTask(3)));
    assert_eq!(lena(&mut room, task("  ", None), 24), Err(Refusal::Empty("the task")));
    for _ in 2..MAX_TASKS {
        lena(&mut room, task("one more", None), 25).unwrap();
    }
    let full = Refusal::TooMany { what: "tasks", most: MAX_TASKS };
    assert_eq!(lena(&mut room, task("too much", None), 26), Err(full));
}

#[test]
fn whoever_owes_an_update_is_told_when_it_is_due_and_again_but_not_for_ever() {
    let mut room = room();
    assert_eq!(room.nag_at(), None);
    let promised = lena(&mut room, Act::NextUpdate(SignedDuration::from_mins(15)), 0).unwrap();
    assert_eq!(promised, "status: Next update promised in 15 min. (Lena)");
    assert_eq!(room.nag(at(899)), None, "not due yet");
    let told = room.nag(at(900)).unwrap();
    assert_eq!(told.text, "An update is due; told those on call.");
    assert_eq!(room.nag(at(901)), None, "not again at once");
    let mut again = 0;
    while let Some(next) = room.nag_at() {
        room.nag(next).unwrap();
        again += 1;
    }
    assert_eq!(again + 1, MAX_NAGS);

    let posted = Act::Posted { text: "We are looking.".to_owned() };
    assert_eq!(lena(&mut room, posted, 9_000).unwrap(), "status: Update by Lena: We are looking.");
    assert_eq!((room.next_update_by, room.nag_at()), (None, None));
    for wrong in [0, 60 * 24 * 8] {
        let promise = Act::NextUpdate(SignedDuration::from_mins(wrong));
        assert!(matches!(lena(&mut room, promise, 9_001), Err(Refusal::Time(_))), "{wrong}");
    }
}

#[test]
fn what_was_said_to_the_public_keeps_a_promise_and_makes_the_next() {
    let mut room = room();
    lena(&mut room, Act::NextUpdate(SignedDuration::from_mins(15)), 0).unwrap();
    room.nag(at(900)).unwrap();
    let said = lena(&mut room, Act::Told { next_update_by: Some(at(2_100)) }, 910).unwrap();
    assert_eq!(said, "", "the status page has its own line");
    assert_eq!((room.nag_at(), room.nags), (Some(at(2_100)), None), "a new promise");
    room.keep_promise(Some(at(2_100)));
    room.nag(at(2_100)).unwrap();
    room.keep_promise(Some(at(2_100)));
    assert!(room.nags.is_some(), "the same promise is not new");
}

#[test]
fn closing_says_how_long_everything_took() {
    let mut room = room();
    lena(&mut room, Act::Posted { text: "Sorry.".to_owned() }, 60).unwrap();
    let close = |mitigated: Option<i64>| Act::Close {
        reason: "mended".to_owned(),
        mitigated_at: mitigated.map(at),
    };
    assert!(matches!(lena(&mut room, close(Some(-1)), 400), Err(Refusal::Time(_))));
    assert!(matches!(lena(&mut room, close(Some(401)), 400), Err(Refusal::Time(_))));
    lena(&mut room, Act::Drained, 390).unwrap();
    let said = lena(&mut room, close(Some(300)), 400).unwrap();
    assert_eq!(said, "recovery: Closed by Lena: mended");
    let timings = Timings {
        detect_s: Some(8),
        declare_s: Some(8),
        first_post_s: Some(60),
        mitigate_s: Some(300),
        drain_s: Some(390),
    };
    assert_eq!(room.timings(), timings);
    assert_eq!(lena(&mut room, Act::Join, 401), Err(Refusal::Closed));
    let note = Act::Note("the vendor called".to_owned());
    assert_eq!(lena(&mut room, note, 402).unwrap(), "note: Lena: the vendor called");
}

#[test]
fn what_the_watch_declared_it_ends_itself() {
    let mut room = room();
    room.origin = Origin::Watch;
    let close = Act::Close { reason: "enough".to_owned(), mitigated_at: None };
    for act in [close, Act::Mitigated, Act::Drained] {
        assert_eq!(lena(&mut room, act, 20), Err(Refusal::EndsByItself));
    }
    assert!(room.open());
}

#[test]
fn an_alert_belongs_to_it_once_and_severity_changes_once() {
    let mut room = room();
    let alert = LinkedAlert {
        tenant: TenantId::new(at(0), [9; 10]),
        id: AlertId::new(at(0), [1; 10]),
        number: 12,
        summary: "db1 is down".to_owned(),
    };
    let said = lena(&mut room, Act::LinkAlert(alert.clone()), 20).unwrap();
    assert_eq!(said, "people: Added alert #12: db1 is down (Lena)");
    assert_eq!(lena(&mut room, Act::LinkAlert(alert), 21).unwrap(), "");
    let major = Act::SetSeverity(IncidentSeverity::Major);
    let said = lena(&mut room, major.clone(), 22).unwrap();
    assert_eq!(said, "people: Severity major instead of critical. (Lena)");
    assert_eq!(lena(&mut room, major, 23).unwrap(), "");
}

#[test]
fn what_is_declared_has_a_title_and_a_beginning() {
    assert_eq!(check_new("db1", "", at(0), at(0)), Ok(()));
    assert_eq!(check_new(" ", "", at(0), at(0)), Err(Refusal::Empty("the title")));
    assert!(check_new(&"x".repeat(121), "", at(0), at(0)).is_err());
    assert!(check_new("db1", "", at(1), at(0)).is_err());
    assert!(check_new("db1", "", at(0), at(8 * 86_400)).is_err());
}
