//! Times as people read them. The command line is at an edge, so it may ask for the time.

use jiff::Timestamp;

/// The present, from the one clock there is.
pub fn now() -> Timestamp {
    bugle_app::clock::Clock::system().now()
}

/// How long ago something was: `40 s`, `12 min`, `3 h`, `5 d`.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    match seconds {
        0..=89 => format!("{seconds} s"),
        90..=5_399 => format!("{} min", seconds / 60),
        5_400..=129_599 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// How long is left, as on a clock: `3:54`.
pub fn clock_left(until: Timestamp, now: Timestamp) -> String {
    let seconds = until.duration_since(now).as_secs().max(0);
    if seconds >= 3_600 {
        format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
    } else {
        format!("{}:{:02}", seconds / 60, seconds % 60)
    }
}

/// A moment in a zone, with the zone's abbreviation: `Fri 20 Nov 18:00 CET`.
pub fn in_zone(at: Timestamp, zone: &str) -> String {
    match at.in_tz(zone) {
        Ok(local) => local.strftime("%a %-d %b %H:%M %Z").to_string(),
        Err(_) => at.to_string(),
    }
}

/// A moment with its seconds, UTC: `13:04:05.120`.
pub fn precise(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_and_have_a_unit() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let before = |seconds: i64| Timestamp::from_second(1_000_000 - seconds).unwrap();
        assert_eq!(ago(before(5), now), "5 s");
        assert_eq!(ago(before(600), now), "10 min");
        assert_eq!(ago(before(7_200), now), "2 h");
        assert_eq!(ago(before(200_000), now), "2 d");
        assert_eq!(clock_left(now, before(234)), "3:54");
    }
}
