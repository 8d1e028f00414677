//! How a component did, day by day: from spans of one state to bars and a percentage.
//!
//! What no span covers was not measured, which is said and not taken for well.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::rules::States;
use super::{Component, State};

/// Days that are shown, today among them.
pub const DAYS: i64 = 90;

/// A time in which a component was in one state: one of the installation's, or a tenant's service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span<C = Component> {
    /// Whose.
    pub component: C,
    /// Which.
    pub state: State,
    /// From when on.
    pub from: Timestamp,
    /// Until when, as far as is known.
    pub until: Timestamp,
}

/// A span that has not grown for so long has ended: nobody looked since.
pub const FRESH: SignedDuration = SignedDuration::from_secs(150);

/// Notes how each component does at `now`: its span grows, or ends where a new one begins.
pub fn note<C: Copy + Ord>(spans: &mut Vec<Span<C>>, states: &States<C>, now: Timestamp) {
    for (component, state) in states {
        let own = spans.iter_mut().filter(|span| span.component == *component);
        let last = own.max_by_key(|span| span.from);
        let fresh = last.filter(|span| now.duration_since(span.until) <= FRESH);
        let same = fresh.is_some_and(|span| {
            span.until = span.until.max(now);
            span.state == *state
        });
        if !same {
            let (component, state) = (*component, *state);
            spans.push(Span { component, state, from: now, until: now });
        }
    }
}

/// One day of a component, in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Day {
    /// Which.
    pub date: Date,
    /// The worst state; `None`: not measured.
    pub worst: Option<State>,
    /// Seconds that count as lost.
    pub lost_s: i64,
    /// Seconds in which it was anything but working.
    pub trouble_s: i64,
}

/// A component's days, oldest first, and what it comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History {
    /// The days.
    pub days: Vec<Day>,
    /// What was not lost of the time that was measured, in hundredths of a percent, rounded down;
    /// `None`: nothing was measured.
    pub up: Option<i64>,
}

/// The history of one component at `now`.
pub fn history<C: Copy + Eq>(component: C, spans: &[Span<C>], now: Timestamp) -> History {
    let own = apart(component, spans);
    let today = TimeZone::UTC.to_datetime(now).date();
    let day = |back: i64| today.checked_sub(back.days()).ok().map(|date| day(date, &own, now));
    let days: Vec<Day> = (0..DAYS).rev().filter_map(day).collect();
    let (mut measured, mut lost) = (0, 0);
    if let Some(begin) = days.first().and_then(|day| midnight(day.date)) {
        for span in &own {
            let ms = overlap(span, begin, now).as_millis();
            measured += ms;
            lost += ms * i128::from(span.state.lost_percent()) / 100;
        }
    }
    let up = (measured > 0).then(|| (measured - lost) * 10_000 / measured);
    History { days, up: up.and_then(|up| i64::try_from(up).ok()) }
}

/// The component's spans in order; where two nodes wrote at once, the earlier one ends.
fn apart<C: Copy + Eq>(component: C, spans: &[Span<C>]) -> Vec<Span<C>> {
    let mut own: Vec<Span<C>> =
        spans.iter().filter(|it| it.component == component).copied().collect();
    own.sort_by_key(|span| span.from);
    for index in 1..own.len() {
        let next = own[index].from;
        own[index - 1].until = own[index - 1].until.min(next);
    }
    own
}

fn midnight(date: Date) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()
}

fn overlap<C>(span: &Span<C>, from: Timestamp, until: Timestamp) -> SignedDuration {
    let (from, until) = (span.from.max(from), span.until.min(until));
    until.duration_since(from).max(SignedDuration::ZERO)
}

fn day<C>(date: Date, spans: &[Span<C>], now: Timestamp) -> Day {
    let mut day = Day { date, worst: None, lost_s: 0, trouble_s: 0 };
    let next = date.tomorrow().ok().and_then(midnight);
    let (Some(from), Some(until)) = (midnight(date), next) else { return day };
    for span in spans.iter().filter(|it| it.from < until && it.from <= now && it.until >= from) {
        let seconds = overlap(span, from, until.min(now)).as_secs();
        day.worst = day.worst.max(Some(span.state));
        day.lost_s += seconds * span.state.lost_percent() / 100;
        if span.state != State::Operational {
            day.trouble_s += seconds;
        }
    }
    day
}
