//! All that is wrong with an object is found at once, and what is right is let through.

use bugle_domain::contact::Channel;
use bugle_domain::object::{Object, ObjectKind};
use bugle_domain::policy::{Level, Policy};
use bugle_domain::schedule::{Override, ShiftLength};
use bugle_domain::status_page::{PublicService, StatusPage};
use bugle_domain::user::NotificationRule;
use bugle_domain::{
    IntegrationId, MethodId, OverrideId, PolicyId, ScheduleId, ServiceId, StatusPageId, TeamId,
    UserId,
};

use super::*;
use crate::testing::{
    JONAS, LENA, PLATFORM, PRIYA, at, halden, id, method, method_of, only, second_line, user,
};

fn show(object: &Object) -> String {
    let problems = check(object, &halden());
    let line = |it: &Problem| format!("{} {}: {}", it.pointer, it.code, it.message);
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_company_that_works_has_no_problems() {
    let directory = halden();
    let objects = directory
        .users
        .values()
        .cloned()
        .map(Object::User)
        .chain(directory.teams.values().cloned().map(Object::Team))
        .chain(directory.methods.values().cloned().map(Object::Method))
        .chain(directory.schedules.values().cloned().map(Object::Schedule))
        .chain(directory.policies.values().cloned().map(Object::Policy))
        .chain(directory.services.values().cloned().map(Object::Service))
        .chain(directory.integrations.values().cloned().map(Object::Integration));
    for object in objects {
        assert_eq!(check(&object, &directory), [], "{object:?}");
    }
}

#[test]
fn a_user_is_checked() {
    let mut lena = halden().users[&user(LENA)].clone();
    lena.name = " ".to_owned();
    lena.email = "PERSON2@halden.example".parse().unwrap();
    lena.time_zone = "Mars/Base".to_owned();
    lena.rules.urgent = vec![
        NotificationRule { delay_s: 86_401, method: method_of(JONAS, Channel::Sms) },
        NotificationRule { delay_s: 0, method: id(MethodId::from_stored, 999) },
    ];
    insta::assert_snapshot!(show(&Object::User(lena)), @r#"
    /email duplicate: another user has it already
    /name length: must not be blank
    /time_zone unknown_zone: there is no time zone named "Mars/Base"; write one such as Europe/Berlin
    /rules/urgent/0/delay_s range: must be from 0 to 86400, and is 86401
    /rules/urgent/0/method missing: there is no such contact method of this user
    /rules/urgent/1/method missing: there is no such contact method of this user
    "#);
}

#[test]
fn a_policy_is_checked() {
    let policy = Policy {
        id: id(PolicyId::from_stored, 9),
        name: "Payments".to_owned(),
        levels: vec![
            Level { targets: Vec::new(), delay_s: 9 },
            Level { targets: vec![only(LENA), only(99)], delay_s: 86_401 },
        ],
        repeat: 10,
    };
    insta::assert_snapshot!(show(&Object::Policy(policy.clone())), @r"
    /name duplicate: another policy has it already
    /repeat range: must be from 0 to 9, and is 10
    /levels/0/delay_s range: must be from 10 to 86400, and is 9
    /levels/0/targets count: must have 1 to 20 entries, and has 0
    /levels/1/delay_s range: must be from 10 to 86400, and is 86401
    /levels/1/targets/1 missing: there is no such user
    ");
    let empty = Policy { levels: Vec::new(), name: "x\u{7}".repeat(61), repeat: 0, ..policy };
    insta::assert_snapshot!(show(&Object::Policy(empty)), @r"
    /name length: must have 1 to 120 characters, and has 122
    /name control: must not have control characters
    /levels count: must have 1 to 20 entries, and has 0
    ");
}

#[test]
fn a_schedule_is_checked() {
    let mut schedule = second_line(&[LENA, 99]);
    schedule.time_zone = String::new();
    let layer = &mut schedule.layers[0];
    layer.length = ShiftLength::Weeks(53);
    layer.start = "1969-12-31T09:00".parse().unwrap();
    layer.restrictions = vec![bugle_domain::schedule::Restriction {
        weekdays: vec![0, 8],
        from: "09:00".parse().unwrap(),
        to: "17:00".parse().unwrap(),
    }];
    let mut empty = layer.clone();
    empty.participants.clear();
    empty.length = ShiftLength::Hours(0);
    schedule.layers.push(empty);
    insta::assert_snapshot!(show(&Object::Schedule(schedule)), @r#"
    /time_zone unknown_zone: there is no time zone named ""; write one such as Europe/Berlin
    /layers/0/participants/1 missing: there is no such user
    /layers/0/start range: must be from 1970 to 2199, and is 1969
    /layers/0/length/count range: must be from 1 to 52, and is 53
    /layers/0/restrictions/0/weekdays/0 range: must be from 1 to 7, and is 0
    /layers/0/restrictions/0/weekdays/1 range: must be from 1 to 7, and is 8
    /layers/1/participants count: must have 1 to 100 entries, and has 0
    /layers/1/start range: must be from 1970 to 2199, and is 1969
    /layers/1/length/count range: must be from 1 to 720, and is 0
    /layers/1/restrictions/0/weekdays/0 range: must be from 1 to 7, and is 0
    /layers/1/restrictions/0/weekdays/1 range: must be from 1 to 7, and is 8
    "#);
}

#[test]
fn a_handoff_is_at_a_time_that_the_clocks_show() {
    let mut schedule = second_line(&[LENA]);
    schedule.time_zone = "Europe/Berlin".to_owned();
    schedule.layers[0].start = "2026-03-29T02:30".parse().unwrap();
    insta::assert_snapshot!(show(&Object::Schedule(schedule.clone())), @"/layers/0/start no_such_time: 02:30 does not exist on that day: the clocks go forward; use 01:30 or 03:30");
    schedule.layers[0].start = "2026-10-25T02:30".parse().unwrap();
    assert_eq!(show(&Object::Schedule(schedule)), "");
}

#[test]
fn a_cover_is_checked() {
    let cover = Override {
        id: id(OverrideId::from_stored, 1),
        schedule: id(ScheduleId::from_stored, 9),
        user: Some(user(99)),
        from: at(0),
        until: at(0),
        reason: String::new(),
    };
    insta::assert_snapshot!(show(&Object::Override(cover.clone())), @r"
    /schedule missing: there is no such schedule
    /user missing: there is no such user
    /until order: must be later than from
    ");
    let long = Override {
        schedule: id(ScheduleId::from_stored, 1),
        user: None,
        until: at(367 * 24 * 60),
        ..cover
    };
    insta::assert_snapshot!(show(&Object::Override(long)), @r"/until range: must be at most 366 days after from");
}

#[test]
fn the_rest_is_checked() {
    let directory = halden();
    let mut team = directory.teams[&id(TeamId::from_stored, PLATFORM)].clone();
    team.members = vec![user(PRIYA), user(99), user(PRIYA)];
    insta::assert_snapshot!(show(&Object::Team(team)), @r"
    /members/1 missing: there is no such user
    /members duplicate: a user is named more than once; name each once
    ");
    let mut service = directory.services[&id(ServiceId::from_stored, 1)].clone();
    service.policy = Some(id(PolicyId::from_stored, 99));
    service.team = Some(id(TeamId::from_stored, 99));
    service.runbook_url = Some("javascript:alert(1)".parse().unwrap());
    insta::assert_snapshot!(show(&Object::Service(service)), @r"
    /policy missing: there is no such policy
    /team missing: there is no such team
    /runbook_url range: must begin with https:// or http://
    ");
    let mut integration = directory.integrations[&id(IntegrationId::from_stored, 1)].clone();
    integration.service = Some(id(ServiceId::from_stored, 99));
    integration.quota_per_minute = 0;
    insta::assert_snapshot!(show(&Object::Integration(integration)), @r"
    /quota_per_minute range: must be from 1 to 1000000, and is 0
    /service missing: there is no such service
    ");
    let mut phone = method(LENA, Channel::Sms);
    phone.user = id(UserId::from_stored, 99);
    phone.name = String::new();
    insta::assert_snapshot!(show(&Object::Method(phone)), @r"
    /name length: must have 1 to 80 characters, and has 0
    /user missing: there is no such user
    ");
}

#[test]
fn a_tenant_has_so_many_status_pages_and_may_change_each_of_them() {
    let mut directory = halden();
    let page = |number: u128| {
        Object::StatusPage(StatusPage {
            id: id(StatusPageId::from_stored, number),
            name: format!("page {number}"),
            services: vec![PublicService { service: id(ServiceId::from_stored, 1), name: None }],
            follow_alerts: true,
            enabled: true,
        })
    };
    for number in 1..=50 {
        assert_eq!(check(&page(number), &directory), []);
        directory.add(page(number));
    }
    assert_eq!(check(&page(50), &directory), [], "it is there already");
    let problems = check(&page(51), &directory);
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert_eq!((problem.pointer.as_str(), problem.code), ("", "count"));
    assert_eq!(problem.message, "a tenant has at most 50 status pages; delete one first");
}

#[test]
fn what_uses_an_object_is_listed() {
    let mut directory = halden();
    directory.add(Object::Schedule(second_line(&[LENA])));
    directory.add(Object::Override(Override {
        id: id(OverrideId::from_stored, 1),
        schedule: id(ScheduleId::from_stored, 1),
        user: Some(user(PRIYA)),
        from: at(0),
        until: at(60),
        reason: String::new(),
    }));
    let list = |kind, id: uuid::Uuid| {
        let found = dependants(kind, id, &directory);
        let line = |(kind, _, name): &(ObjectKind, uuid::Uuid, String)| {
            format!("{} {name}", kind.as_str())
        };
        found.iter().map(line).collect::<Vec<_>>().join(", ")
    };
    let number = uuid::Uuid::from_u128;
    let of_lena = "schedule Payments second line, policy Payments";
    assert_eq!(list(ObjectKind::User, number(LENA)), of_lena);
    let of_priya = "team Platform, override cover in Payments second line, policy Payments";
    assert_eq!(list(ObjectKind::User, number(PRIYA)), of_priya);
    assert_eq!(list(ObjectKind::Policy, number(1)), "service Payments");
    assert_eq!(list(ObjectKind::Policy, number(2)), "policy fallback of Halden Freight");
    assert_eq!(list(ObjectKind::Service, number(1)), "integration Prometheus");
    assert_eq!(list(ObjectKind::Schedule, number(1)), "");
    assert_eq!(list(ObjectKind::Team, number(PLATFORM)), "");
    assert_eq!(list(ObjectKind::Integration, number(1)), "");
    let sms = method_of(LENA, Channel::Sms).as_uuid();
    assert_eq!(list(ObjectKind::Method, sms), "");
}
