//! Durations and sizes as people write them: `30s`, `5m`, `512 KiB`. Never a number without a unit.

use std::fmt;
use std::time::Duration;

/// Milliseconds of each unit, the largest first.
const UNITS: [(u64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
/// Bytes of each unit, the largest first.
const SIZES: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];

/// Reads a duration such as `500ms`, `30s`, `5m`, `2h` or `30d`; `None` where it is none.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let millis = match unit {
        "ms" => 1,
        "min" => 60_000,
        unit => UNITS.iter().find(|(_, name)| *name == unit)?.0,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

/// Reads a size such as `512 KiB` or `1 MiB`, in bytes; `None` where it is none.
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let scale = match unit {
        "B" => 1,
        unit => SIZES.iter().find(|(_, name)| *name == unit)?.0,
    };
    number.checked_mul(scale)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit.trim()))
}

/// A duration in the form that [`parse_duration`] reads, in the largest unit that fits it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShownDuration(pub Duration);

impl fmt::Display for ShownDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let fits = |size: u64| millis >= u128::from(size) && millis.is_multiple_of(size.into());
        match UNITS.iter().find(|(size, _)| fits(*size)) {
            Some((size, unit)) => write!(f, "{}{unit}", millis / u128::from(*size)),
            None => write!(f, "{millis}ms"),
        }
    }
}

/// A size in the form that [`parse_size`] reads, in the largest unit that fits it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShownSize(pub u64);

impl fmt::Display for ShownSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |size: u64| self.0 >= size && self.0.is_multiple_of(size);
        match SIZES.iter().find(|(size, _)| fits(*size)) {
            Some((size, unit)) => write!(f, "{} {unit}", self.0 / size),
            None => write!(f, "{} B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_again() {
        for text in ["500ms", "0ms", "1s", "90s", "5m", "2h", "30d"] {
            let read = parse_duration(text).unwrap();
            assert_eq!(ShownDuration(read).to_string(), text);
        }
        for text in ["0 B", "1000 B", "512 KiB", "3 MiB", "2 GiB"] {
            assert_eq!(ShownSize(parse_size(text).unwrap()).to_string(), text);
        }
        assert_eq!(parse_duration("2min"), Some(Duration::from_mins(2)));
        for wrong in ["", "5", "s", "-1s", "1.5h", "5 weeks", "99999999999999999999s"] {
            assert_eq!((parse_duration(wrong), parse_size(wrong)), (None, None), "{wrong}");
        }
    }
}
