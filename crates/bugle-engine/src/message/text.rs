//! Small pieces of text: names, durations, clock times.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// `Priya`, `Priya and Tomás`, `Priya, Tomás and Lena`, `Priya, Tomás and 3 others`.
pub fn names(names: &[impl AsRef<str>]) -> String {
    match names {
        [] => "nobody".to_owned(),
        [one] => one.as_ref().to_owned(),
        [one, two] => format!("{} and {}", one.as_ref(), two.as_ref()),
        [one, two, three] => {
            format!("{}, {} and {}", one.as_ref(), two.as_ref(), three.as_ref())
        }
        [one, two, rest @ ..] => {
            format!("{}, {} and {} others", one.as_ref(), two.as_ref(), rest.len())
        }
    }
}

/// `12 s`, `31 min`, `2 h 5 min`, `3 days`: rounded down, never empty.
pub fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => match (seconds / 3_600, seconds / 60 % 60) {
            (hours, 0) => format!("{hours} h"),
            (hours, minutes) => format!("{hours} h {minutes} min"),
        },
        86_400..172_800 => "1 day".to_owned(),
        more => format!("{} days", more / 86_400),
    }
}

/// `14:52`, or `19 Nov 14:52` where it is not the day of `now`.
pub fn clock(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (local, today) = (zone.to_datetime(at), zone.to_datetime(now).date());
    let format = if local.date() == today { "%H:%M" } else { "%-d %b %H:%M" };
    local.strftime(format).to_string()
}
