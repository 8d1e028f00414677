//! Ninety days of a component as bars, in SVG.
//!
//! The height says how much was lost, the colour and the mark below say how bad it was: neither is
//! ever alone. A narrow screen shows the last thirty of the same picture.

use std::fmt::Write as _;

use bugle_engine::status::State;
use bugle_engine::status::history::{DAYS, Day};

/// From one bar to the next.
const STEP: i64 = 7;
/// Width of a bar.
const WIDE: i64 = 5;
/// Where all bars end.
const GROUND: i64 = 35;
/// Height of a bar without trouble.
const BASE: i64 = 18;
/// Most that one may rise above that, and what the least trouble does.
const MAX_RISE: f64 = 17.0;
const MIN_RISE: f64 = 5.0;
/// Width of all.
pub(super) const WIDTH: i64 = DAYS * STEP - (STEP - WIDE);

/// The bars, without the picture's own frame. Days that are alike are one stroke, cut into bars by
/// the style: a page weighs little also where nobody compresses it.
pub(super) fn bars(days: &[Day]) -> String {
    let (mut good, mut rest) = (String::new(), String::new());
    let mut x = 0;
    for alike in days.chunk_by(|one, other| one.worst == other.worst) {
        let width = i64::try_from(alike.len()).unwrap_or(DAYS) * STEP - (STEP - WIDE);
        match alike.first().map(|day| day.worst) {
            Some(Some(State::Operational)) => {
                let _infallible = write!(good, "M{x} 26h{width}");
            }
            Some(None) => {
                let _infallible =
                    write!(rest, "<path class=\"un\" d=\"M{x} 17h{width}v18h-{width}z\"/>");
            }
            Some(Some(state)) => {
                for (x, day) in (x..).step_by(7).zip(alike) {
                    trouble(&mut rest, x, state, day);
                }
            }
            None => (),
        }
        x += width + STEP - WIDE;
    }
    format!("<path class=\"ok\" d=\"{good}\"/>{rest}")
}

fn trouble(out: &mut String, x: i64, state: State, day: &Day) {
    let height = BASE + rise(day);
    let y = GROUND - height;
    let class = class(state);
    let _infallible = write!(
        out,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"5\" height=\"{height}\"/>\
         <path class=\"{class}\" d=\"{}\"/>",
        mark(x, state)
    );
}

/// How much higher a bar is for what was lost that day; so that three minutes never look like nine
/// hours.
fn rise(day: &Day) -> i64 {
    #[expect(clippy::cast_precision_loss, reason = "a day has 86,400 seconds")]
    let lost = day.lost_s as f64 / 86_400.0;
    let rise = (MIN_RISE + 11.0 * (lost / 0.45).sqrt()).min(MAX_RISE);
    #[expect(clippy::cast_possible_truncation, reason = "it is at most 17")]
    let rise = rise.round() as i64;
    rise
}

/// A dot, a triangle, a diamond, a dash.
fn mark(x: i64, state: State) -> String {
    match state {
        State::Operational => String::new(),
        State::Maintenance => format!("M{x} 38.7h5v1.8h-5z"),
        State::Degraded => format!("M{x}.8 39.6a1.7 1.7 0 1 0 3.4 0a1.7 1.7 0 1 0-3.4 0z"),
        State::PartialOutage => format!("M{x}.5 41.9h4l-2-4.7z"),
        State::MajorOutage => format!("M{x}.1 39.5l2.4-2.9 2.4 2.9-2.4 2.9z"),
    }
}

/// The class that colours.
pub(super) fn class(state: State) -> &'static str {
    match state {
        State::Operational => "ok",
        State::Maintenance => "mt",
        State::Degraded => "sl",
        State::PartialOutage => "pa",
        State::MajorOutage => "dn",
    }
}
