//! What runs out: how full or old it is, and when it will be too late.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::flight::ms_between;

/// Measurements that a trend is made of, one a minute at most.
const MAX_POINTS: usize = 60;
/// A trend needs so long.
const MIN_TREND_MS: i64 = 120_000;
const POINT_EVERY_MS: i64 = 60_000;

/// How something stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should.
    Ok,
    /// Somebody should look.
    Warn,
    /// It is too late.
    Bad,
}

/// Something that is measured beside the pipeline.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Gauge {
    /// What: `disk`, `connections`, `clock`.
    pub name: String,
    /// How it stands.
    pub level: Level,
    /// What was found, in words.
    pub text: String,
    /// In how many seconds it is used up, where it is being used up.
    pub runway_s: Option<i64>,
}

/// How the use of things went lately.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Trends(BTreeMap<String, VecDeque<(Timestamp, f64)>>);

impl Trends {
    /// Adds a measurement of what is left, and says in how many seconds nothing will be.
    pub fn runway_s(&mut self, name: &str, left: f64, now: Timestamp) -> Option<i64> {
        let points = self.0.entry(name.to_owned()).or_default();
        if points.back().is_none_or(|(at, _)| ms_between(*at, now) >= POINT_EVERY_MS) {
            points.push_back((now, left));
        }
        if points.len() > MAX_POINTS {
            points.pop_front();
        }
        let (from, first) = points.front()?;
        let over_ms = ms_between(*from, now);
        let used = first - left;
        if over_ms < MIN_TREND_MS || used <= 0.0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "a span of at most hours")]
        let per_second = used / (over_ms as f64 / 1_000.0);
        #[expect(clippy::cast_possible_truncation, reason = "capped before")]
        Some((left / per_second).clamp(0.0, 1e12) as i64)
    }
}

/// The level of something of which `left` of `whole` is left.
pub fn level_of_share(left: f64, whole: f64, (warn, bad): (f64, f64)) -> Level {
    let share = if whole > 0.0 { left / whole } else { 1.0 };
    match share {
        share if share <= bad => Level::Bad,
        share if share <= warn => Level::Warn,
        _ => Level::Ok,
    }
}

/// The gauge of something that ends at a time.
pub fn ends_at(name: &str, what: &str, end: Timestamp, now: Timestamp) -> Gauge {
    let left = end.duration_since(now);
    let level = match left {
        left if left <= SignedDuration::from_hours(3 * 24) => Level::Bad,
        left if left <= SignedDuration::from_hours(14 * 24) => Level::Warn,
        _ => Level::Ok,
    };
    let text = if left.is_negative() {
        format!("{what} has ended")
    } else {
        format!("{what} ends in {}", length(left.as_secs()))
    };
    Gauge { name: name.to_owned(), level, text, runway_s: Some(left.as_secs().max(0)) }
}

/// A span in its largest unit: `3 d`, `5 h`, `12 min`.
pub fn length(seconds: i64) -> String {
    match seconds {
        s if s >= 2 * 86_400 => format!("{} d", s / 86_400),
        s if s >= 2 * 3_600 => format!("{} h", s / 3_600),
        s if s >= 120 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn what_is_used_up_steadily_has_a_runway() {
        let mut trends = Trends::default();
        assert_eq!(trends.runway_s("disk", 1_000.0, at(0)), None);
        assert_eq!(trends.runway_s("disk", 940.0, at(60)), None);
        assert_eq!(trends.runway_s("disk", 880.0, at(120)), Some(880));
        assert_eq!(Trends::default().runway_s("disk", 5.0, at(0)), None);
    }

    #[test]
    fn what_ends_soon_is_said_in_time() {
        let levels: Vec<Level> = [30, 10, 1, -1]
            .map(|days| ends_at("key", "a key", at(days * 86_400), at(0)).level)
            .to_vec();
        assert_eq!(levels, [Level::Ok, Level::Warn, Level::Bad, Level::Bad]);
        assert_eq!(ends_at("key", "a key", at(3 * 86_400), at(0)).text, "a key ends in 3 d");
    }

    #[test]
    fn a_share_has_a_level() {
        let level = |left| level_of_share(left, 100.0, (0.2, 0.05));
        assert_eq!([level(50.0), level(20.0), level(5.0)], [Level::Ok, Level::Warn, Level::Bad]);
    }
}
