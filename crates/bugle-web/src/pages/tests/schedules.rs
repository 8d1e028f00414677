//! The schedule page, from a rotation like the one people have.
#![expect(clippy::too_many_arguments, reason = "a layer in one line")]

use std::collections::BTreeMap;

use bugle_app::oncall::{NextOnCall, OnCallNow, Person, Reach, ScheduleView};
use bugle_domain::contact::Channel;
use bugle_domain::schedule::{Layer, Override, Restriction, Schedule, ShiftLength};
use bugle_domain::{OverrideId, ScheduleId, UserId};
use bugle_engine::schedule::{gaps, layer_shifts, shifts};
use jiff::Timestamp;
use jiff::civil::{DateTime, Time};

use super::{at, shell, show};
use crate::pages::parts::{Choice, Tab};
use crate::pages::schedules::timeline::Timeline;
use crate::pages::schedules::{Cover, SchedulePage, build};
use crate::pages::shell::Section;
use crate::pages::times::Times;

const PEOPLE: [&str; 5] = ["Lena Kovač", "Tomás Ruiz", "Aiko Sato", "Jonas Weber", "Priya Nair"];

fn user(number: u8) -> UserId {
    UserId::new(Timestamp::UNIX_EPOCH, [number; 10])
}

fn layer(name: &str, people: &[u8], start: &str, weekdays: &[u8], from: i8, to: i8) -> Layer {
    Layer {
        name: name.to_owned(),
        participants: people.iter().map(|number| user(*number)).collect(),
        start: start.parse::<DateTime>().unwrap(),
        length: ShiftLength::Weeks(1),
        restrictions: vec![Restriction {
            weekdays: weekdays.to_vec(),
            from: Time::constant(from, 0, 0, 0),
            to: Time::constant(to, 0, 0, 0),
        }],
    }
}

fn schedule() -> Schedule {
    Schedule {
        id: ScheduleId::new(Timestamp::UNIX_EPOCH, [9; 10]),
        name: "Payments primary".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        layers: vec![
            layer("Weekdays", &[0, 1, 3], "2026-10-05T10:00", &[1, 2, 3, 4], 10, 10),
            layer("Weekends", &[2, 4], "2026-10-09T10:00", &[5, 6], 10, 10),
        ],
    }
}

fn view(from: &str, until: &str) -> ScheduleView {
    let (schedule, from, until) = (schedule(), at(from), at(until));
    let cover = Override {
        id: OverrideId::new(Timestamp::UNIX_EPOCH, [1; 10]),
        schedule: schedule.id,
        user: Some(user(4)),
        from: at("2026-10-29T12:00:00Z"),
        until: at("2026-10-29T21:00:00Z"),
        reason: "dentist".to_owned(),
    };
    let overrides = vec![cover];
    let layers = (0..schedule.layers.len()).map(|index| {
        let alone = layer_shifts(&schedule, index, from, until).unwrap();
        (schedule.layers[index].name.clone(), alone)
    });
    let names = PEOPLE.iter().zip(0..).map(|(name, number)| (user(number), (*name).to_owned()));
    let reach = |channel, address: &str| Reach {
        channel,
        name: String::new(),
        address: address.to_owned(),
        proven_at: Some(from),
    };
    ScheduleView {
        from,
        until,
        shifts: shifts(&schedule, &overrides, from, until).unwrap(),
        gaps: gaps(&schedule, &overrides, from, until).unwrap(),
        layers: layers.collect(),
        names: names.collect::<BTreeMap<_, _>>(),
        now: OnCallNow {
            schedule: schedule.id,
            name: schedule.name.clone(),
            time_zone: schedule.time_zone.clone(),
            user: Some(Person { id: user(0), name: PEOPLE[0].to_owned() }),
            from: Some(from),
            until: Some(at("2026-10-23T08:00:00Z")),
            by_override: None,
            next: Some(NextOnCall { user: None, at: until }),
            reachable: true,
            reach: vec![reach(Channel::Sms, "…318"), reach(Channel::Voice, "…318")],
        },
        overrides,
        schedule,
    }
}

fn page(view: &ScheduleView) -> SchedulePage {
    let times = Times::new("Europe/Berlin", at("2026-10-22T12:20:00Z"));
    let tab = |text: &str, current| Tab { href: "?".to_owned(), text: text.to_owned(), current };
    let timeline = Timeline {
        view,
        zone: times.zone(),
        day_px: 70.0,
        now: times.now(),
        href: "/schedules/x?pick=",
    };
    let people = PEOPLE.iter().map(|name| Choice::new(*name, *name, "Tomás Ruiz")).collect();
    let effect = build::effect(
        view,
        Some(user(1)),
        (at("2026-10-23T16:00:00Z"), at("2026-10-24T08:00:00Z")),
    );
    SchedulePage {
        href: "/schedules/x".to_owned(),
        name: view.schedule.name.clone(),
        used: "Pages for Payments critical, Checkout. Zone Europe/Berlin.".to_owned(),
        now: build::now(&view.now, &times),
        gaps: build::gaps(&view.gaps, &times),
        range: "19 Oct – 1 Nov 2026".to_owned(),
        earlier: "?".to_owned(),
        today: "?".to_owned(),
        later: "?".to_owned(),
        spans: vec![
            tab("Week", false),
            tab("2 weeks", true),
            tab("4 weeks", false),
            tab("List", false),
        ],
        zones: vec![
            tab("Berlin, schedule time", true),
            tab("New York, yours", false),
            tab("UTC", false),
        ],
        svg: timeline.draw(),
        days: build::days(view, &times),
        list: false,
        table: build::table(view, &times),
        zone: "Europe/Berlin".to_owned(),
        schedule_zone: "Europe/Berlin".to_owned(),
        cover: Cover {
            people,
            from: "2026-10-23T18:00".to_owned(),
            until: "2026-10-24T10:00".to_owned(),
            reason: String::new(),
            preview: effect.ok(),
        },
        handoffs: build::handoffs(view, &times),
        overrides: build::made(view, &times),
        can_cover: true,
        can_edit: true,
        errors: Vec::new(),
        said: None,
    }
}

#[test]
fn schedule_page() {
    let view = view("2026-10-18T22:00:00Z", "2026-11-01T23:00:00Z");
    let page = page(&view);
    assert!(page.svg.contains("25 h day · clocks back 03:00"));
    assert!(page.svg.contains("Nobody for"));
    assert!(page.svg.contains(">14:20<"));
    assert_eq!(page.cover.preview.as_deref(), Some("16 h move from Aiko to Tomás. No new gap."));
    let app = shell("Payments primary – Bugle", Section::Schedules);
    show("schedule", &app.back("/schedules", "Schedules"), &page);
}

#[test]
fn a_cover_that_changes_nothing_says_so() {
    let view = view("2026-10-18T22:00:00Z", "2026-11-01T23:00:00Z");
    let same = build::effect(
        &view,
        Some(user(3)),
        (at("2026-10-20T08:00:00Z"), at("2026-10-20T12:00:00Z")),
    );
    insta::assert_debug_snapshot!(same, @r#"
    Err(
        "That changes nothing: Jonas is on call then already.",
    )
    "#);
}
