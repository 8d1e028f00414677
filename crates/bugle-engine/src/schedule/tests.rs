//! Examples by name, and every zone against a slow model that is easy to believe.

mod examples;
mod model;
mod properties;
mod zones;

use bugle_domain::UserId;
use bugle_domain::schedule::{Layer, Override, Restriction, Schedule, Shift, ShiftLength};
use bugle_domain::{OverrideId, ScheduleId};
use jiff::Timestamp;

use crate::testing::{id, user};

fn layer(people: &[u128], start: &str, length: ShiftLength) -> Layer {
    Layer {
        name: "layer".to_owned(),
        participants: people.iter().map(|number| user(*number)).collect(),
        start: start.parse().unwrap(),
        length,
        restrictions: Vec::new(),
    }
}

fn restriction(weekdays: &[u8], from: &str, to: &str) -> Restriction {
    Restriction {
        weekdays: weekdays.to_vec(),
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
    }
}

fn schedule(zone: &str, layers: Vec<Layer>) -> Schedule {
    Schedule {
        id: id(ScheduleId::from_stored, 1),
        name: "primary".to_owned(),
        time_zone: zone.to_owned(),
        layers,
    }
}

fn cover(number: u128, user: Option<UserId>, from: Timestamp, until: Timestamp) -> Override {
    Override {
        id: id(OverrideId::from_stored, number),
        schedule: id(ScheduleId::from_stored, 1),
        user,
        from,
        until,
        reason: String::new(),
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A person of the tests by a letter: A is 1.
fn letter(user: UserId) -> char {
    char::from(b'A' + u8::try_from(user.as_uuid().as_u128()).unwrap() - 1)
}

/// Shifts in local time, one per line.
fn show(schedule: &Schedule, shifts: &[Shift]) -> String {
    let zone = crate::zone::zone(&schedule.time_zone).unwrap();
    let line = |shift: &Shift| {
        let local = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%a %d %H:%M").to_string();
        let hours = shift.until.duration_since(shift.from).as_secs_f64() / 3_600.0;
        let (from, until) = (local(shift.from), local(shift.until));
        let origin = match (shift.by_override, shift.layer) {
            (Some(_), _) => " cover".to_owned(),
            (None, Some(0) | None) => String::new(),
            (None, Some(layer)) => format!(" layer {layer}"),
        };
        format!("{} {from} – {until} {hours} h{origin}", letter(shift.user))
    };
    shifts.iter().map(line).collect::<Vec<_>>().join("\n")
}
