//! The on-call timeline as SVG: the result first, then covers, then layers. Pure.
//!
//! A pixel is the same length of real time everywhere, so a day of 25 hours is 25/24 wide.

use bugle_engine::message::html::escaped;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use bugle_app::oncall::ScheduleView;
use bugle_domain::UserId;
use bugle_domain::schedule::{Gap, Shift};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};

use crate::pages::times::{format, length};

const LABELS: f64 = 166.0;
const HEAD: f64 = 66.0;
const RESULT: f64 = 54.0;
const ROW: f64 = 31.0;
const PITCH: f64 = 45.0;
const FIRST_ROW: f64 = 144.0;
/// Colours of people; they come again where there are more.
const COLOURS: usize = 5;
const GAP_PATTERN: &str = "<defs><pattern id=\"gap\" width=\"6\" height=\"6\" \
    patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
    <rect class=\"gapw\" width=\"6\" height=\"6\"/>\
    <rect class=\"gaps\" width=\"2.2\" height=\"6\"/>\
    </pattern></defs>";

/// What is drawn, and how.
pub(in crate::pages) struct Timeline<'a> {
    /// The schedule in the window.
    pub(in crate::pages) view: &'a ScheduleView,
    /// The zone of the axis.
    pub(in crate::pages) zone: &'a TimeZone,
    /// Pixels of a day of 24 hours.
    pub(in crate::pages) day_px: f64,
    /// When it is drawn.
    pub(in crate::pages) now: Timestamp,
    /// Where a click on a shift leads, with the shift's times put behind it.
    pub(in crate::pages) href: &'a str,
}

/// Which colour a person has, the same in every row.
pub(in crate::pages) fn colours(view: &ScheduleView) -> BTreeMap<UserId, usize> {
    view.names.keys().enumerate().map(|(at, user)| (*user, at % COLOURS)).collect()
}

impl Timeline<'_> {
    /// The drawing.
    pub(in crate::pages) fn draw(&self) -> String {
        let rows = 1 + self.view.layers.len();
        let height = FIRST_ROW + PITCH * f64::from(u32::try_from(rows).unwrap_or(20));
        let width = self.x(self.view.until);
        let name = escaped(&self.view.schedule.name);
        let mut out = format!(
            "<svg width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" \
             role=\"group\" aria-label=\"On-call timeline of {name}. A list of the same shifts \
             follows.\">{GAP_PATTERN}"
        );
        self.days(&mut out, height - 8.0);
        self.clock_changes(&mut out, height - 8.0);
        self.rows(&mut out, width);
        self.now_line(&mut out, height - 8.0);
        out.push_str("</svg>");
        out
    }

    fn x(&self, at: Timestamp) -> f64 {
        let seconds = at.duration_since(self.view.from).as_secs_f64();
        LABELS + seconds / 86_400.0 * self.day_px
    }

    fn local(&self, at: Timestamp) -> Zoned {
        at.to_zoned(self.zone.clone())
    }

    /// Midnights of the window.
    fn midnights(&self) -> Vec<Zoned> {
        let mut days = Vec::new();
        let mut day = self.local(self.view.from);
        while day.timestamp() < self.view.until && days.len() < 400 {
            let Ok(next) = day.checked_add(1.day()).and_then(|next| next.start_of_day()) else {
                break;
            };
            days.push(std::mem::replace(&mut day, next));
        }
        days
    }

    fn days(&self, out: &mut String, bottom: f64) {
        let today = self.local(self.now).date();
        let (mut weekends, mut lines, mut weeks) = (String::new(), String::new(), String::new());
        let mut texts = String::new();
        for (index, day) in self.midnights().iter().enumerate() {
            let x = self.x(day.timestamp());
            let end = day.checked_add(1.day()).map_or(x, |next| self.x(next.timestamp()));
            let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
            if weekend {
                let _infallible = write!(weekends, "M{x:.1} 26V{bottom}H{end:.1}V26z");
            }
            let monday = day.weekday() == Weekday::Monday || index == 0;
            let line = if monday { &mut weeks } else { &mut lines };
            let _infallible = write!(line, "M{x:.1} {}V{bottom}", if monday { 20 } else { 26 });
            if monday || day.day() == 1 {
                let pattern = if index == 0 || day.day() == 1 { "%B" } else { "week %-V" };
                let text = format(day, pattern);
                let near = index > 0 && day.day() != 1 && day.day() < 3;
                if !near {
                    let at = x + 9.0;
                    let _infallible =
                        write!(texts, "<text class=\"mo\" x=\"{at:.1}\" y=\"15\">{text}</text>");
                }
            }
            let group = if day.date() == today { " class=\"td\"" } else { "" };
            let ground = if weekend { "halo onwe" } else { "halo" };
            let at = x + if self.day_px < 50.0 { 4.0 } else { 9.0 };
            let name = if self.day_px < 50.0 { "%-d" } else { "%a" };
            let _infallible = if self.day_px < 50.0 {
                let text = format(day, name);
                write!(
                    texts,
                    "<g{group}><text class=\"{ground} dn\" x=\"{at:.1}\" y=\"46\">{text}</text></g>"
                )
            } else {
                let (name, number) = (format(day, name), day.day());
                write!(
                    texts,
                    "<g{group}><text class=\"{ground}\" x=\"{at:.1}\" y=\"46\"><tspan class=\"dy\">\
                     {name}</tspan><tspan dx=\"5\" class=\"dn\">{number}</tspan></text></g>"
                )
            };
        }
        let _infallible = write!(
            out,
            "<path class=\"we\" d=\"{weekends}\"/><path class=\"hl\" d=\"{lines}\"/>\
             <path class=\"hw\" d=\"{weeks}\"/>{texts}"
        );
    }

    /// A dotted line where the clocks of the shown zone change.
    fn clock_changes(&self, out: &mut String, bottom: f64) {
        let before_window = self.view.from;
        for change in self.zone.following(before_window) {
            let at = change.timestamp();
            if at >= self.view.until {
                break;
            }
            let second_before = at.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(at);
            let was = self.zone.to_offset(second_before).seconds();
            let by_min = i64::from(change.offset().seconds() - was) / 60;
            if by_min == 0 {
                continue;
            }
            let x = self.x(at);
            let clock = format(&self.local(second_before), "%H:%M");
            let clock = minute_after(&clock);
            let day = 24 * 60 - by_min;
            let hours = length(SignedDuration::from_mins(day));
            let way = if by_min < 0 { "back" } else { "forward" };
            let text = format!("{hours} day · clocks {way} {clock}");
            let pill = (x - 120.0).max(LABELS);
            let _infallible = write!(
                out,
                "<path class=\"dst\" d=\"M{x:.1} 22V{bottom}\"/>\
                 <rect class=\"pill\" x=\"{pill:.1}\" y=\"2\" width=\"168\" \
                 height=\"19\" rx=\"9.5\"/>\
                 <text class=\"dstt\" x=\"{:.1}\" y=\"15.4\" text-anchor=\"middle\">{text}</text>",
                pill + 84.0
            );
        }
    }

    fn rows(&self, out: &mut String, width: f64) {
        let view = self.view;
        label(out, HEAD + 25.0, "rl", "On call", "what pages will follow");
        for shift in &view.shifts {
            self.bar(out, shift, HEAD, RESULT);
        }
        for gap in &view.gaps {
            self.gap(out, gap);
        }
        let _infallible = write!(out, "<path class=\"hw\" d=\"M0 131.5H{width:.0}\"/>");
        label(out, FIRST_ROW + 20.0, "rn", "Covers", "");
        for cover in &view.overrides {
            let from = cover.from.max(view.from);
            let until = cover.until.min(view.until);
            let gap = Gap { from, until };
            match cover.user {
                Some(user) => {
                    let by_override = Some(cover.id);
                    let shift = Shift { user, from, until, by_override, layer: None };
                    self.bar(out, &shift, FIRST_ROW, ROW);
                }
                None => self.hatch(out, &gap, FIRST_ROW, ROW),
            }
        }
        let mut y = FIRST_ROW;
        for (name, shifts) in &view.layers {
            y += PITCH;
            label(out, y + 20.0, "rn", name, "");
            for shift in shifts {
                self.bar(out, shift, y, ROW);
            }
        }
    }

    fn bar(&self, out: &mut String, shift: &Shift, y: f64, height: f64) {
        let (x, end) = (self.x(shift.from), self.x(shift.until));
        let width = (end - x - 1.5).max(1.0);
        let name = self.view.names.get(&shift.user).map_or("a removed user", String::as_str);
        let colour = colours(self.view).get(&shift.user).copied().unwrap_or(0);
        let (from, until) = (self.local(shift.from), self.local(shift.until));
        let spoken = format!(
            "{name}, {} to {}",
            format(&from, "%A %-d %B %H:%M"),
            format(&until, "%A %-d %B %H:%M")
        );
        let spoken = escaped(&spoken);
        let _infallible = write!(
            out,
            "<a href=\"{}{}..{}#cover\" aria-label=\"{spoken}\"><title>{spoken}</title>\
             <rect class=\"p{colour}\" x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" \
             height=\"{height}\" rx=\"4\"/><rect class=\"e{colour}\" x=\"{x:.1}\" y=\"{y}\" \
             width=\"{:.1}\" height=\"{height}\" rx=\"1.5\"/>",
            escaped(self.href),
            shift.from.as_second(),
            shift.until.as_second(),
            width.min(4.0)
        );
        write_words(out, &words(name, width), (x, width, y, height), (&from, &until));
        out.push_str("</a>");
    }

    fn hatch(&self, out: &mut String, gap: &Gap, y: f64, height: f64) {
        let (x, end) = (self.x(gap.from), self.x(gap.until));
        let width = (end - x).max(2.0);
        let _infallible = write!(
            out,
            "<rect class=\"gapb\" x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" \
             height=\"{height}\" rx=\"3\"/>"
        );
    }

    fn gap(&self, out: &mut String, gap: &Gap) {
        let long = length(gap.until.duration_since(gap.from));
        let (from, until) = (self.local(gap.from), self.local(gap.until));
        let (from, until) = (format(&from, "%A %-d %B %H:%M"), format(&until, "%A %-d %B %H:%M"));
        let _infallible = write!(
            out,
            "<a href=\"{}{}..{}#cover\" aria-label=\"Nobody is on call {from} to {until}\">",
            escaped(self.href),
            gap.from.as_second(),
            gap.until.as_second()
        );
        self.hatch(out, gap, HEAD, RESULT);
        let middle = f64::midpoint(self.x(gap.from), self.x(gap.until));
        let right = self.x(self.view.until) - 126.0;
        let x = (middle - 63.0).clamp(LABELS, right.max(LABELS));
        let _infallible = write!(
            out,
            "<path class=\"hw\" d=\"M{middle:.1} 121v12\"/><rect class=\"gaps\" x=\"{x:.1}\" \
             y=\"132\" width=\"126\" height=\"22\" rx=\"11\"/><text class=\"gapt\" x=\"{:.1}\" \
             y=\"147\" text-anchor=\"middle\">Nobody for {long}</text></a>",
            x + 63.0
        );
    }

    fn now_line(&self, out: &mut String, bottom: f64) {
        if self.now < self.view.from || self.now >= self.view.until {
            return;
        }
        let x = self.x(self.now);
        let clock = format(&self.local(self.now), "%H:%M");
        let _infallible = write!(
            out,
            "<path class=\"now\" d=\"M{x:.1} 3V{bottom}\"/>\
             <path class=\"nowf\" d=\"M{x:.1} 3h45l6.5 9-6.5 9h-45z\"/>\
             <text class=\"nowt\" x=\"{:.1}\" y=\"16.4\">{clock}</text>",
            x + 7.0
        );
    }
}

fn write_words(
    out: &mut String,
    name: &str,
    (x, width, y, height): (f64, f64, f64, f64),
    (from, until): (&Zoned, &Zoned),
) {
    if name.is_empty() {
        return;
    }
    let result = height > ROW;
    let class = if result { "nm" } else { "nl" };
    let name = escaped(name);
    let small = width < 74.0;
    let (at, anchor) = if small { (x + width / 2.0 + 2.0, "middle") } else { (x + 11.0, "start") };
    let room_for_times = result && width >= 150.0;
    let base = if room_for_times { y + 25.0 } else { y + height / 2.0 + 4.5 };
    let _infallible = write!(
        out,
        "<text class=\"{class}\" x=\"{at:.1}\" y=\"{base:.1}\" text-anchor=\"{anchor}\">\
         {name}</text>"
    );
    if room_for_times {
        let times = format!("{} – {}", format(from, "%a %H:%M"), format(until, "%a %H:%M"));
        let _infallible =
            write!(out, "<text class=\"sb\" x=\"{at:.1}\" y=\"{:.1}\">{times}</text>", y + 40.0);
    }
}

fn label(out: &mut String, y: f64, class: &str, name: &str, small: &str) {
    let name = escaped(&bugle_domain::text::truncate(name, 22));
    let _infallible = write!(out, "<text class=\"{class}\" x=\"0\" y=\"{y:.1}\">{name}</text>");
    if !small.is_empty() {
        let y = y + 15.0;
        let _infallible = write!(out, "<text class=\"rs\" x=\"0\" y=\"{y:.1}\">{small}</text>");
    }
}

/// As much of a name as fits: `Lena K.`, `LK`, nothing.
fn words(name: &str, width: f64) -> String {
    let mut parts = name.split_whitespace();
    let (Some(first), last) = (parts.next(), parts.next_back()) else { return String::new() };
    let initial = |word: &str| word.chars().next().map(String::from).unwrap_or_default();
    let last = last.map(initial).unwrap_or_default();
    if width < 18.0 {
        String::new()
    } else if width < 74.0 {
        format!("{}{last}", initial(first))
    } else if last.is_empty() {
        first.to_owned()
    } else {
        format!("{first} {last}.")
    }
}

/// `03:00` of `02:59`, the wall clock at which it is changed.
fn minute_after(clock: &str) -> String {
    let time: Result<jiff::civil::Time, _> = clock.parse();
    time.map(|time| time.wrapping_add(1.minute()).strftime("%H:%M").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
