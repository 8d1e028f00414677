//! The company's two schedules: a weekly one with a weekend layer, and one that follows the sun.

use bugle_domain::schedule::{Layer, Override, Restriction, Schedule, ShiftLength};
use bugle_domain::{OverrideId, ScheduleId, UserId};
use jiff::civil::{Date, DateTime, Time, Weekday, time};
use jiff::{SignedDuration, Span, Timestamp};

use super::company::{Ids, ZONE};

/// Weekdays hand off on Mondays at this hour, weekends on Fridays at [`WEEKEND_HOUR`].
const WEEKDAY_HOUR: i8 = 10;
const WEEKEND_HOUR: i8 = 18;
/// How far back the rotations begin; a multiple of the number of people in each.
const WEEKS_BACK: i64 = 12;

/// Both schedules at `now`. Whatever the day, Lena is on call in the first.
pub(super) fn schedules(
    ids: [ScheduleId; 2],
    people: &[UserId],
    now: Timestamp,
) -> impl Iterator<Item = Schedule> {
    let [weekly, sun] = ids;
    let payments = Schedule {
        id: weekly,
        name: "Payments primary".to_owned(),
        time_zone: ZONE.to_owned(),
        layers: payments_layers(people, now),
    };
    let platform = Schedule {
        id: sun,
        name: "Platform, follow the sun".to_owned(),
        time_zone: "UTC".to_owned(),
        layers: sun_layers(people, now),
    };
    [payments, platform].into_iter()
}

fn payments_layers(people: &[UserId], now: Timestamp) -> Vec<Layer> {
    let local = now.in_tz(ZONE).map_or_else(|_| DateTime::MIN, |zoned| zoned.datetime());
    let monday = last(local, Weekday::Monday, WEEKDAY_HOUR);
    let friday = last(local, Weekday::Friday, WEEKEND_HOUR);
    let weekend = friday > monday;
    let pick =
        |order: &[usize]| order.iter().filter_map(|index| people.get(*index)).copied().collect();
    // Lena stands first where she is on call now; 12 weeks back is a multiple of 3 and of 2.
    let weekends = if weekend { pick(&[0, 3]) } else { pick(&[3, 0]) };
    vec![
        Layer {
            name: "weekdays".to_owned(),
            participants: pick(&[0, 1, 2]),
            start: back(monday),
            length: ShiftLength::Weeks(1),
            restrictions: Vec::new(),
        },
        Layer {
            name: "weekend".to_owned(),
            participants: weekends,
            start: back(friday),
            length: ShiftLength::Weeks(1),
            restrictions: vec![
                part(&[5], time(WEEKEND_HOUR, 0, 0, 0), Time::midnight()),
                part(&[6, 7], Time::midnight(), Time::midnight()),
                part(&[1], Time::midnight(), time(WEEKDAY_HOUR, 0, 0, 0)),
            ],
        },
    ]
}

/// Eight hours each, the Americas without Sundays: that is the gap.
fn sun_layers(people: &[UserId], now: Timestamp) -> Vec<Layer> {
    let local = now.in_tz("UTC").map_or_else(|_| DateTime::MIN, |zoned| zoned.datetime());
    let start = back(last(local, Weekday::Monday, 0));
    let part_of_day = |name: &str, order: &[usize], hours: (i8, i8), weekdays: &[u8]| Layer {
        name: name.to_owned(),
        participants: order.iter().filter_map(|index| people.get(*index)).copied().collect(),
        start,
        length: ShiftLength::Weeks(1),
        restrictions: vec![part(weekdays, time(hours.0, 0, 0, 0), time(hours.1, 0, 0, 0))],
    };
    vec![
        part_of_day("Asia", &[4, 5], (0, 8), &[]),
        part_of_day("Europe", &[6], (8, 16), &[]),
        part_of_day("Americas", &[7, 8], (16, 0), &[1, 2, 3, 4, 5, 6]),
    ]
}

/// Jonas covers an evening of the coming days.
pub(super) fn cover(
    ids: &mut Ids,
    schedule: ScheduleId,
    people: &[UserId],
    now: Timestamp,
) -> Override {
    let day = now.in_tz(ZONE).map_or(Date::MIN, |zoned| zoned.date());
    let evening = day.saturating_add(Span::new().days(2)).at(18, 0, 0, 0);
    let from = evening.in_tz(ZONE).map_or(now, |zoned| zoned.timestamp());
    Override {
        id: ids.next(OverrideId::new),
        schedule,
        user: people.get(2).copied(),
        from,
        until: from.saturating_add(SignedDuration::from_hours(4)).unwrap_or(from),
        reason: "Choir".to_owned(),
    }
}

fn part(weekdays: &[u8], from: Time, to: Time) -> Restriction {
    Restriction { weekdays: weekdays.to_vec(), from, to }
}

/// The last time that it was `hour` o'clock on `weekday`.
fn last(now: DateTime, weekday: Weekday, hour: i8) -> DateTime {
    let since = i64::from(now.weekday().since(weekday));
    let at = now.date().saturating_sub(Span::new().days(since)).at(hour, 0, 0, 0);
    if at <= now { at } else { at.saturating_sub(Span::new().weeks(1)) }
}

fn back(at: DateTime) -> DateTime {
    at.saturating_sub(Span::new().weeks(WEEKS_BACK))
}
