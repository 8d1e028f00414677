//! Times as people read them, in one zone that the page names.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

/// What a field for a date and a time in UTC holds.
pub(super) fn utc(typed: &str) -> Option<Timestamp> {
    let local: DateTime = typed.trim().parse().ok()?;
    TimeZone::UTC.to_timestamp(local).ok()
}

/// A moment as a page shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct When {
    /// For programs: RFC 3339 in UTC.
    pub(super) iso: String,
    /// For people, in the page's zone.
    pub(super) text: String,
    /// How long ago: `6 min ago`.
    pub(super) ago: String,
}

/// The zone and the moment of one page.
#[derive(Clone, Debug)]
pub(super) struct Times {
    zone: TimeZone,
    name: String,
    now: Timestamp,
}

impl Times {
    /// Times in the zone of that IANA name; UTC where it is unknown.
    pub(super) fn new(zone: &str, now: Timestamp) -> Self {
        match TimeZone::get(zone) {
            Ok(found) => Self { zone: found, name: zone.to_owned(), now },
            Err(_) => Self { zone: TimeZone::UTC, name: "UTC".to_owned(), now },
        }
    }

    /// When the page is made.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// The zone.
    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The zone's name, as pages show it.
    pub(super) fn zone_name(&self) -> &str {
        &self.name
    }

    /// The moment in the zone.
    pub(super) fn at(&self, at: Timestamp) -> Zoned {
        at.to_zoned(self.zone.clone())
    }

    /// `02:46`.
    pub(super) fn hm(&self, at: Timestamp) -> String {
        format(&self.at(at), "%H:%M")
    }

    /// `02:46:58`.
    pub(super) fn hms(&self, at: Timestamp) -> String {
        format(&self.at(at), "%H:%M:%S")
    }

    /// `Fri 23 Oct 18:00`, with the year where it is another one.
    pub(super) fn date_hm(&self, at: Timestamp) -> String {
        let then = self.at(at);
        let same_year = then.year() == self.at(self.now).year();
        format(&then, if same_year { "%a %-d %b %H:%M" } else { "%-d %b %Y %H:%M" })
    }

    /// `Fri 18:00` within the next six days, else with the date.
    pub(super) fn day_hm(&self, at: Timestamp) -> String {
        let days = at.duration_since(self.now).as_hours() / 24;
        let then = self.at(at);
        if then.date() == self.at(self.now).date() {
            return format(&then, "%H:%M");
        }
        if (0..6).contains(&days) { format(&then, "%a %H:%M") } else { self.date_hm(at) }
    }

    /// The time of day if it is today in the zone, else with the date.
    pub(super) fn short(&self, at: Timestamp) -> When {
        let today = self.at(at).date() == self.at(self.now).date();
        let text = if today { self.hm(at) } else { self.date_hm(at) };
        self.when(at, text)
    }

    /// The time of day only, as beside a list that stands under a date.
    pub(super) fn time(&self, at: Timestamp) -> When {
        self.when(at, self.hm(at))
    }

    /// The time of day with seconds if it is today, else with the date.
    pub(super) fn exact(&self, at: Timestamp) -> When {
        let today = self.at(at).date() == self.at(self.now).date();
        let text = if today { self.hms(at) } else { format(&self.at(at), "%-d %b %H:%M:%S") };
        self.when(at, text)
    }

    fn when(&self, at: Timestamp, text: String) -> When {
        When { iso: iso(at), text, ago: self.ago(at) }
    }

    /// `just now`, `6 min ago`, `14 h ago`, `9 days ago`.
    pub(super) fn ago(&self, at: Timestamp) -> String {
        let seconds = self.now.duration_since(at).as_secs();
        match seconds {
            ..30 => "just now".to_owned(),
            30..3_600 => format!("{} min ago", (seconds / 60).max(1)),
            3_600..172_800 => format!("{} h ago", seconds / 3_600),
            _ => format!("{} days ago", seconds / 86_400),
        }
    }
}

/// RFC 3339 in UTC, to the second.
pub(super) fn iso(at: Timestamp) -> String {
    format(&at.to_zoned(TimeZone::UTC), "%Y-%m-%dT%H:%M:%SZ")
}

/// `3:54`, or `1:03:54` over an hour; `0:00` where it has passed.
pub(super) fn countdown(left: SignedDuration) -> String {
    let seconds = left.as_secs().max(0);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// `45 s`, `18 min`, `16 h`, `2 h 30 min`, `5 days`, `4 days 8 h`.
pub(super) fn length(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let parts =
        [(seconds / 86_400, "day"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min")];
    if seconds < 60 {
        return format!("{seconds} s");
    }
    // Up to two days, hours say more than "1 day 16 h".
    if (86_400..172_800).contains(&seconds) {
        return format!("{} h", seconds / 3_600);
    }
    let said: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .take(2)
        .map(|(count, unit)| match unit {
            "day" if count != 1 => format!("{count} days"),
            _ => format!("{count} {unit}"),
        })
        .collect();
    said.join(" ")
}

/// Formats by a pattern that is known to be valid.
pub(super) fn format(zoned: &Zoned, pattern: &str) -> String {
    strtime::format(pattern, zoned).unwrap_or_default()
}

/// A count with thin spaces between thousands: `1 204`.
pub(super) fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        out.push('−');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A length as a number that can be said.
pub(super) fn size(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// `1 event`, `312 events`.
pub(super) fn plural(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
