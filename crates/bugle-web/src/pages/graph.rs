//! The events of an alert over time, as SVG.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::times::{Times, plural};

const WIDTH: f64 = 358.0;
const BASE: f64 = 76.0;
const TOP: f64 = 20.0;
/// Where "now" stands: space is left of it for the past, right of it for the flag.
const NOW: f64 = 326.0;
const COLUMNS: i32 = 40;
/// Widths of a column, in minutes; the smallest that fits is taken.
const STEPS_MIN: [i64; 7] = [1, 2, 5, 15, 60, 240, 1_440];

/// A drawn graph and what to say of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Graph {
    /// `Events a minute`.
    pub(super) title: String,
    /// `02:20 to now`.
    pub(super) range: String,
    /// The drawing.
    pub(super) svg: String,
}

/// Draws when events came, from a little before the first until now.
pub(super) fn draw(times: &Times, events: &[Timestamp], total: i64) -> Option<Graph> {
    let first = events.iter().min()?;
    let now = times.now();
    let age_min = now.duration_since(*first).as_mins().max(0);
    let step = STEPS_MIN.into_iter().find(|step| age_min / step < i64::from(COLUMNS) - 6)?;
    let start = now.saturating_sub(SignedDuration::from_mins(step * i64::from(COLUMNS))).ok()?;
    let mut columns = vec![0_u32; usize::try_from(COLUMNS).unwrap_or(0)];
    for event in events {
        let index = event.duration_since(start).as_secs() / (step * 60);
        let last = columns.len().saturating_sub(1);
        if let Ok(index) = usize::try_from(index) {
            columns[index.min(last)] += 1;
        }
    }
    let most = columns.iter().copied().max().unwrap_or(0);
    let title = match step {
        1 => "Events a minute".to_owned(),
        60 => "Events an hour".to_owned(),
        240 => "Events in 4 hours".to_owned(),
        1_440 => "Events a day".to_owned(),
        minutes => format!("Events in {minutes} min"),
    };
    let label = format!(
        "{}: {} since {}. At most {most} at once.",
        title,
        plural(total, "event", "events"),
        times.short(*first).text
    );
    let range = format!("{} to now", times.short(start).text);
    Some(Graph { svg: svg(times, start, &columns, &label), title, range })
}

fn svg(times: &Times, start: Timestamp, columns: &[u32], label: &str) -> String {
    let most = f64::from(columns.iter().copied().max().unwrap_or(1).max(1));
    let width = NOW / f64::from(COLUMNS);
    let mut path = String::new();
    let mut peak = (0.0, 0_u32);
    for (index, count) in (0..COLUMNS).zip(columns).filter(|(_, count)| **count > 0) {
        let height = (f64::from(*count) / most * (BASE - TOP)).max(2.0);
        let x = f64::from(index) * width;
        if *count >= peak.1 {
            peak = (x + width / 2.0, *count);
        }
        let bar = width - 1.5;
        let _infallible = write!(path, "M{x:.1} {BASE}v-{height:.1}h{bar:.1}v{height:.1}z");
    }
    let anchor = if peak.0 > NOW - 24.0 {
        "end"
    } else if peak.0 < 12.0 {
        "start"
    } else {
        "middle"
    };
    let (peak_x, peak_count) = (peak.0.min(NOW - 8.0), peak.1);
    let mut out = format!(
        "<svg class=\"graph\" viewBox=\"0 0 {WIDTH} 92\" role=\"img\" aria-label=\"{}\">\
         <path class=\"col\" d=\"{path}\"/>\
         <path class=\"base\" d=\"M0 {BASE}.5h{WIDTH}\"/>\
         <path class=\"nowl\" d=\"M{NOW} 4V{BASE}\"/>\
         <path class=\"flag\" d=\"M{NOW} 0l6 4.5-6 4.5z\"/>\
         <text class=\"peak\" x=\"{peak_x:.1}\" y=\"15\" text-anchor=\"{anchor}\">\
         {peak_count}</text>",
        askama::filters::escape(label, askama::filters::Html)
            .map(|e| e.to_string())
            .unwrap_or_default(),
    );
    for (quarter, anchor) in [(0_i32, "start"), (1, "middle"), (2, "middle"), (3, "middle")] {
        let share = f64::from(quarter) / 4.0;
        let at = start + (times.now().duration_since(start) / 4) * quarter;
        let _infallible = write!(
            out,
            "<text class=\"axis\" x=\"{:.0}\" y=\"90\" text-anchor=\"{anchor}\">{}</text>",
            share * NOW,
            axis(times, start, at),
        );
    }
    let _infallible = write!(
        out,
        "<text class=\"nowt\" x=\"{NOW}\" y=\"90\" text-anchor=\"middle\">now</text></svg>"
    );
    out
}

fn axis(times: &Times, start: Timestamp, at: Timestamp) -> String {
    let long = times.now().duration_since(start) > SignedDuration::from_hours(20);
    let pattern = if long { "%-d %b" } else { "%H:%M" };
    super::times::format(&times.at(at), pattern)
}
