//! Turns a schedule's result into what its page says. Pure.

use bugle_app::oncall::{OnCallNow, ScheduleView};
use bugle_domain::UserId;
use bugle_domain::schedule::{Gap, Shift};
use jiff::Timestamp;

use super::timeline::colours;
use super::{Day, Entry, Gaps, Handoff, Line, Made, Now};
use crate::pages::alert::build::channel;
use crate::pages::times::{Times, format, length, plural, size};

/// Handoffs that are listed.
const HANDOFFS: usize = 6;

/// A shift or a gap, in the order of time.
enum Stretch<'a> {
    Shift(&'a Shift),
    Gap(&'a Gap),
}

impl Stretch<'_> {
    fn from(&self) -> Timestamp {
        match self {
            Self::Shift(shift) => shift.from,
            Self::Gap(gap) => gap.from,
        }
    }

    fn until(&self) -> Timestamp {
        match self {
            Self::Shift(shift) => shift.until,
            Self::Gap(gap) => gap.until,
        }
    }
}

fn stretches(view: &ScheduleView) -> Vec<Stretch<'_>> {
    let shifts = view.shifts.iter().map(Stretch::Shift);
    let mut all: Vec<Stretch<'_>> = shifts.chain(view.gaps.iter().map(Stretch::Gap)).collect();
    all.sort_by_key(Stretch::from);
    all
}

fn name(view: &ScheduleView, user: UserId) -> String {
    view.names.get(&user).cloned().unwrap_or_else(|| "a removed user".to_owned())
}

/// The first word of a name, as people call each other.
pub(in crate::pages) fn first(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or(name)
}

/// Who is on call, and whether they can be reached.
pub(in crate::pages) fn now(on_call: &OnCallNow, times: &Times) -> Now {
    let until = match on_call.until {
        Some(until) => {
            let left = length(until.duration_since(times.now()));
            format!("until {}, {left} left", times.date_hm(until))
        }
        None => "with no end in sight".to_owned(),
    };
    let Some(person) = &on_call.user else {
        return Now {
            who: None,
            until,
            reach_question: "Who is told instead?".to_owned(),
            reach: "The next level".to_owned(),
            reach_icon: "warn",
            reach_ways: "A level with nobody is skipped with its delay, at once.".to_owned(),
        };
    };
    let proven: Vec<String> = on_call
        .reach
        .iter()
        .filter(|way| way.proven_at.is_some())
        .map(|way| format!("{} {}", channel(way.channel), way.address))
        .collect();
    let count = size(proven.len());
    let reach = match (on_call.reachable, count) {
        (true, 1) => "Yes, one way".to_owned(),
        (true, _) => format!("Yes, {}", plural(count, "way", "ways")),
        (false, _) => "No".to_owned(),
    };
    Now {
        who: Some(person.name.clone()),
        until,
        reach_question: format!("Can {} be reached?", first(&person.name)),
        reach,
        reach_icon: if on_call.reachable { "ok" } else { "warn" },
        reach_ways: if proven.is_empty() {
            "No way is proven. Ask them to prove one, or cover the shift.".to_owned()
        } else {
            proven.join(" · ")
        },
    }
}

/// What is missing in the next 30 days.
pub(in crate::pages) fn gaps(gaps: &[Gap], times: &Times) -> Gaps {
    let window = "Next 30 days";
    let Some(next) = gaps.first() else {
        let (text, detail) = ("No gap".to_owned(), "Somebody is on call all the time.".to_owned());
        return Gaps { window, icon: "ok", text, detail };
    };
    let seconds = gaps.iter().map(|gap| gap.until.duration_since(gap.from).as_secs()).sum();
    let whole = length(jiff::SignedDuration::from_secs(seconds));
    let count = plural(size(gaps.len()), "gap", "gaps");
    let detail = format!("Next: {} – {}", times.date_hm(next.from), times.day_hm(next.until));
    Gaps { window, icon: "warn", text: format!("{count}, {whole}"), detail }
}

/// Shifts and gaps under the day they begin on; what runs already comes first.
pub(in crate::pages) fn days(view: &ScheduleView, times: &Times) -> Vec<Day> {
    let colours = colours(view);
    let today = times.at(times.now()).date();
    let mut days: Vec<(jiff::civil::Date, Day)> = Vec::new();
    for stretch in stretches(view) {
        let local = times.at(stretch.from());
        let date = local.date();
        if days.last().is_none_or(|(last, _)| *last != date) {
            let text = format(&local, "%a %-d %b");
            days.push((date, Day { text, today: date == today, shifts: Vec::new() }));
        }
        let long = length(stretch.until().duration_since(stretch.from()));
        let entry = match &stretch {
            Stretch::Shift(shift) => Entry {
                at: times.time(shift.from),
                who: name(view, shift.user),
                length: long,
                colour: format!("e{}", colours.get(&shift.user).copied().unwrap_or(0)),
                gap: false,
                cover: shift.by_override.is_some(),
            },
            Stretch::Gap(gap) => Entry {
                at: times.time(gap.from),
                who: "Nobody".to_owned(),
                length: long,
                colour: "gaps".to_owned(),
                gap: true,
                cover: false,
            },
        };
        if let Some((_, day)) = days.last_mut() {
            day.shifts.push(entry);
        }
    }
    days.into_iter().map(|(_, day)| day).collect()
}

/// The same as a table.
pub(in crate::pages) fn table(view: &ScheduleView, times: &Times) -> Vec<Line> {
    stretches(view)
        .iter()
        .map(|stretch| {
            let (who, by) = match stretch {
                Stretch::Gap(_) => ("Nobody".to_owned(), "gap".to_owned()),
                Stretch::Shift(shift) => (name(view, shift.user), origin(view, shift)),
            };
            Line {
                who,
                by,
                from: times.date_hm(stretch.from()),
                until: times.date_hm(stretch.until()),
                length: length(stretch.until().duration_since(stretch.from())),
            }
        })
        .collect()
}

fn origin(view: &ScheduleView, shift: &Shift) -> String {
    if shift.by_override.is_some() {
        return "cover".to_owned();
    }
    let layer = shift.layer.and_then(|index| view.layers.get(index));
    layer.map(|(name, _)| name.clone()).unwrap_or_default()
}

/// The next changes of who is on call, from now.
pub(in crate::pages) fn handoffs(view: &ScheduleView, times: &Times) -> Vec<Handoff> {
    let all = stretches(view);
    let mut out = Vec::new();
    for pair in all.windows(2) {
        let [before, after] = pair else { continue };
        if after.from() < times.now() || out.len() == HANDOFFS {
            continue;
        }
        // Whoever goes on is not handed anything.
        if let (Stretch::Shift(before), Stretch::Shift(after)) = (before, after)
            && before.user == after.user
        {
            continue;
        }
        let from = match before {
            Stretch::Shift(shift) => format!("from {}", first(&name(view, shift.user))),
            Stretch::Gap(_) => "after a gap".to_owned(),
        };
        let (to, note) = match after {
            Stretch::Shift(shift) if shift.by_override.is_some() => {
                (name(view, shift.user), format!("{from}, cover"))
            }
            Stretch::Shift(shift) => (name(view, shift.user), from),
            Stretch::Gap(_) => ("Nobody".to_owned(), from),
        };
        out.push(Handoff { at: times.date_hm(after.from()), to, note });
    }
    out
}

/// Covers that touch the window.
pub(in crate::pages) fn made(view: &ScheduleView, times: &Times) -> Vec<Made> {
    view.overrides
        .iter()
        .map(|cover| {
            let who = cover.user.map_or_else(|| "Nobody".to_owned(), |user| name(view, user));
            let reason =
                if cover.reason.is_empty() { String::new() } else { format!(": {}", cover.reason) };
            let (from, until) = (times.date_hm(cover.from), times.date_hm(cover.until));
            let text = format!("{} covers {from} – {until}{reason}", first(&who));
            Made { id: cover.id.to_string(), text }
        })
        .collect()
}

/// What a cover would cause, in words; `Err` where it would change nothing.
pub(in crate::pages) fn effect(
    view: &ScheduleView,
    user: Option<UserId>,
    (from, until): (Timestamp, Timestamp),
) -> Result<String, String> {
    let cut = |begin: Timestamp, end: Timestamp| {
        end.min(until).duration_since(begin.max(from)).as_secs().max(0)
    };
    let mut moved: Vec<(UserId, i64)> = Vec::new();
    for shift in view.shifts.iter().filter(|shift| Some(shift.user) != user) {
        let seconds = cut(shift.from, shift.until);
        match moved.iter_mut().find(|(who, _)| *who == shift.user) {
            Some((_, sum)) => *sum += seconds,
            None => moved.push((shift.user, seconds)),
        }
    }
    moved.retain(|(_, seconds)| *seconds > 0);
    let filled: i64 = view.gaps.iter().map(|gap| cut(gap.from, gap.until)).sum();
    let long = |seconds| length(jiff::SignedDuration::from_secs(seconds));
    let to = user.map_or_else(|| "nobody".to_owned(), |user| name(view, user));
    let to = first(&to).to_owned();
    if moved.is_empty() && (filled == 0 || user.is_none()) {
        return Err(format!("That changes nothing: {to} is on call then already."));
    }
    let mut said: Vec<String> = moved
        .iter()
        .map(|(who, seconds)| {
            format!("{} move from {} to {to}.", long(*seconds), first(&name(view, *who)))
        })
        .collect();
    match (filled, user) {
        (0, Some(_)) => said.push("No new gap.".to_owned()),
        (_, Some(_)) => said.push(format!("{} of a gap are filled.", long(filled))),
        (_, None) => {
            said.push("Nobody is on call then: the next level is told at once.".to_owned());
        }
    }
    Ok(said.join(" "))
}
