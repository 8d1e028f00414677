//! The slow model: a wall clock that is never turned back.
//!
//! At each instant it shows the latest local time there has been so far. Whose turn it is, and
//! which restrictions hold, then follows from its reading as on a day without clock changes.

use bugle_domain::UserId;
use bugle_domain::schedule::{Layer, Override, Schedule, ShiftLength};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ToSpan};

/// Instants to look at around a clock change: every quarter of an hour for a day and a half to both
/// sides, and every minute close by.
pub(super) fn grid(change: Timestamp) -> Vec<Timestamp> {
    const QUARTER: i64 = 15;
    let minute = change.as_second().div_euclid(60);
    let coarse = (-36 * 4..36 * 4).map(|n| (minute.div_euclid(QUARTER) + n) * QUARTER);
    let fine = minute - 70..minute + 70;
    let mut minutes: Vec<i64> = coarse.chain(fine).collect();
    minutes.sort_unstable();
    minutes.dedup();
    minutes.into_iter().map(|minute| Timestamp::from_second(minute * 60).unwrap()).collect()
}

/// What the clock shows at each instant of `grid`.
pub(super) fn readings(zone: &TimeZone, grid: &[Timestamp]) -> Vec<DateTime> {
    let mut shown = DateTime::MIN;
    let mut read = |at: &Timestamp| {
        shown = shown.max(zone.to_datetime(*at));
        shown
    };
    grid.iter().map(&mut read).collect()
}

/// Who is on call at `at`, when the clock shows `shown`.
pub(super) fn holder(
    schedule: &Schedule,
    overrides: &[Override],
    zone: &TimeZone,
    (at, shown): (Timestamp, DateTime),
) -> Option<UserId> {
    let covering = overrides.iter().filter(|it| it.from <= at && at < it.until);
    if let Some(last_made) = covering.max_by_key(|it| it.id) {
        return last_made.user;
    }
    schedule.layers.iter().rev().find_map(|layer| on_layer(layer, zone, at, shown))
}

fn on_layer(layer: &Layer, zone: &TimeZone, at: Timestamp, shown: DateTime) -> Option<UserId> {
    let active = layer.restrictions.is_empty()
        || layer.restrictions.iter().any(|it| {
            (-2..=1).any(|days| {
                let date = shown.date().checked_add(days.days()).unwrap();
                let weekday = u8::try_from(date.weekday().to_monday_one_offset()).unwrap();
                let end = if it.to <= it.from { date.tomorrow().unwrap() } else { date };
                (it.weekdays.is_empty() || it.weekdays.contains(&weekday))
                    && date.to_datetime(it.from) <= shown
                    && shown < end.to_datetime(it.to)
            })
        });
    let turn = match layer.length {
        ShiftLength::Hours(hours) => {
            let start = zone.to_timestamp(layer.start).unwrap();
            let length = SignedDuration::from_hours(hours.into());
            (start <= at).then(|| at.duration_since(start).as_secs() / length.as_secs())
        }
        ShiftLength::Days(days) => civil_turn(layer.start, days.into(), shown),
        ShiftLength::Weeks(weeks) => civil_turn(layer.start, i64::from(weeks) * 7, shown),
    }?;
    let place = usize::try_from(turn).unwrap() % layer.participants.len();
    active.then(|| layer.participants[place])
}

fn civil_turn(start: DateTime, days: i64, shown: DateTime) -> Option<i64> {
    let span: Span = start.until((jiff::Unit::Hour, shown)).unwrap();
    let seconds =
        i64::from(span.get_hours()) * 3_600 + span.get_minutes() * 60 + span.get_seconds();
    (start <= shown).then(|| seconds / (days * 86_400))
}
