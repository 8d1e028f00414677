//! One rotation layer: whose turn it is, and when the layer is active.

use bugle_domain::UserId;
use bugle_domain::schedule::{Layer, Restriction, ShiftLength};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use crate::zone::instant;

const SECONDS_OF_HOUR: i64 = 3_600;

/// Somebody's turn, cut to the window asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Turn {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) user: UserId,
}

/// A layer with its zone at hand.
pub(super) struct Rotation<'a> {
    layer: &'a Layer,
    zone: &'a TimeZone,
    /// When the first turn begins.
    start: Timestamp,
}

impl<'a> Rotation<'a> {
    pub(super) fn new(layer: &'a Layer, zone: &'a TimeZone) -> Self {
        Self { layer, zone, start: instant(zone, layer.start) }
    }

    /// Whose turn it is at `at`, if the layer is active then.
    pub(super) fn holder(&self, at: Timestamp) -> Option<UserId> {
        let index = self.index_at(at)?;
        let active = self.layer.restrictions.is_empty()
            || self.windows(at, at).iter().any(|window| window.0 <= at && at < window.1);
        if active { self.participant(index) } else { None }
    }

    /// Every turn that touches the window while the layer is active, in order.
    pub(super) fn turns(&self, from: Timestamp, until: Timestamp) -> Vec<Turn> {
        let mut turns = Vec::new();
        let first = from.max(self.start);
        let Some(mut index) = self.index_at(first).filter(|_| first < until) else {
            return turns;
        };
        let mut begin = first;
        while begin < until {
            let end = self.handoff(index + 1).min(until);
            if let Some(user) = self.participant(index).filter(|_| begin < end) {
                turns.push(Turn { from: begin, until: end, user });
            }
            begin = begin.max(end);
            index += 1;
        }
        if self.layer.restrictions.is_empty() {
            return turns;
        }
        intersect(&turns, &joined(self.windows(from, until)))
    }

    fn participant(&self, index: i64) -> Option<UserId> {
        let people = &self.layer.participants;
        let place = usize::try_from(index).ok()?.checked_rem(people.len())?;
        people.get(place).copied()
    }

    /// When turn `index` begins.
    fn handoff(&self, index: i64) -> Timestamp {
        match self.length() {
            Length::Seconds(seconds) => {
                let span = SignedDuration::from_secs(seconds.saturating_mul(index));
                self.start.checked_add(span).unwrap_or(Timestamp::MAX)
            }
            Length::Days(days) => {
                let start = self.layer.start;
                let span = Span::new().try_days(days.saturating_mul(index));
                let date = span.and_then(|span| start.date().checked_add(span));
                let begin = |date: Date| instant(self.zone, date.to_datetime(start.time()));
                date.map_or(Timestamp::MAX, begin)
            }
        }
    }

    /// The turn that `at` belongs to; `None` before the first.
    fn index_at(&self, at: Timestamp) -> Option<i64> {
        if at < self.start || self.layer.participants.is_empty() {
            return None;
        }
        let mut index = match self.length() {
            Length::Seconds(seconds) => {
                return Some(at.duration_since(self.start).as_secs() / seconds);
            }
            Length::Days(days) => {
                let local = self.zone.to_datetime(at).date();
                self.layer.start.date().until(local).map_or(0, |span| i64::from(span.get_days()))
                    / days
            }
        };
        // The local date alone may be one turn off, as before the handoff time of the day, or
        // where the clock was set back across midnight.
        while index > 0 && at < self.handoff(index) {
            index -= 1;
        }
        while self.handoff(index + 1) <= at && self.handoff(index + 1) < Timestamp::MAX {
            index += 1;
        }
        Some(index)
    }

    fn length(&self) -> Length {
        match self.layer.length {
            ShiftLength::Hours(hours) => Length::Seconds(i64::from(hours.max(1)) * SECONDS_OF_HOUR),
            ShiftLength::Days(days) => Length::Days(i64::from(days.max(1))),
            ShiftLength::Weeks(weeks) => Length::Days(i64::from(weeks.max(1)) * 7),
        }
    }

    /// When the layer is active around `from` to `until`. One day more on both sides is looked at,
    /// for windows over midnight and clocks set back across it, and one for days left out whole.
    fn windows(&self, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let mut date = plus_days(self.zone.to_datetime(from).date(), -2);
        let last = plus_days(self.zone.to_datetime(until).date(), 1);
        let mut windows = Vec::new();
        loop {
            let weekday = date.weekday().to_monday_one_offset().unsigned_abs();
            for restriction in &self.layer.restrictions {
                if restriction.weekdays.is_empty() || restriction.weekdays.contains(&weekday) {
                    let (begin, end) = window_on(restriction, date);
                    windows.push((instant(self.zone, begin), instant(self.zone, end)));
                }
            }
            if date >= last {
                return windows;
            }
            date = plus_days(date, 1);
        }
    }
}

/// How long a turn lasts: in real time, or on the wall clock.
enum Length {
    Seconds(i64),
    Days(i64),
}

/// The local times between which `restriction` holds, begun on `date`.
fn window_on(restriction: &Restriction, date: Date) -> (DateTime, DateTime) {
    let next_day = restriction.to <= restriction.from;
    let last = if next_day { plus_days(date, 1) } else { date };
    (date.to_datetime(restriction.from), last.to_datetime(restriction.to))
}

fn plus_days(date: Date, days: i64) -> Date {
    let edge = if days < 0 { Date::MIN } else { Date::MAX };
    let span = Span::new().try_days(days);
    span.and_then(|span| date.checked_add(span)).unwrap_or(edge)
}

/// Joins windows that touch or overlap; the result is in order.
fn joined(mut windows: Vec<(Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    windows.sort_unstable();
    let mut result: Vec<(Timestamp, Timestamp)> = Vec::with_capacity(windows.len());
    for (from, until) in windows {
        match result.last_mut().filter(|last| from <= last.1) {
            Some(last) => last.1 = last.1.max(until),
            None => result.push((from, until)),
        }
    }
    result
}

/// The parts of `turns` that lie within `windows`; both are in order.
fn intersect(turns: &[Turn], windows: &[(Timestamp, Timestamp)]) -> Vec<Turn> {
    let mut parts = Vec::new();
    let mut first = 0;
    for turn in turns {
        while windows.get(first).is_some_and(|window| window.1 <= turn.from) {
            first += 1;
        }
        for &(from, until) in windows.iter().skip(first).take_while(|window| window.0 < turn.until)
        {
            let (from, until) = (from.max(turn.from), until.min(turn.until));
            if from < until {
                parts.push(Turn { from, until, user: turn.user });
            }
        }
    }
    parts
}
