//! The watch from outside: what a sentinel makes of its target's answers, and the alarm that
//! repeats until a person answers.

use jiff::Timestamp;

use super::flight::ms_between;

/// What one look at the target showed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Look {
    /// It answers, and its watch says that all is well.
    Green,
    /// It answers, and its own watch is red, old, or it cannot do its work; in words.
    Red(String),
    /// It does not answer.
    Silent(String),
}

/// From when on what is seen outside is an alarm. Milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// The target said nothing.
    pub silent_ms: i64,
    /// It said that something is wrong.
    pub red_ms: i64,
    /// All was well again for so long.
    pub clear_ms: i64,
}

impl Patience {
    /// Pages within 15 s of a death, time-outs included.
    pub const STANDARD: Self = Self { silent_ms: 6_000, red_ms: 5_000, clear_ms: 10_000 };
}

/// Judges what a sentinel sees.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sentinel {
    /// Since when it is not well, and why.
    trouble: Option<(Timestamp, String)>,
    declared: bool,
    last_red: Option<Timestamp>,
}

impl Sentinel {
    /// Takes in a look; gives what is wrong, as long as it is.
    pub fn observe(&mut self, look: &Look, patience: Patience, now: Timestamp) -> Option<String> {
        let (why, limit) = match look {
            Look::Green => {
                let green_ms = self.last_red.map_or(i64::MAX, |at| ms_between(at, now));
                if !self.declared || green_ms >= patience.clear_ms {
                    *self = Self::default();
                }
                return self.said();
            }
            Look::Red(why) => (why, patience.red_ms),
            Look::Silent(why) => (why, patience.silent_ms),
        };
        self.last_red = Some(now);
        let since = self.trouble.as_ref().map_or(now, |(since, _)| *since);
        self.trouble = Some((since, why.clone()));
        self.declared |= ms_between(since, now) >= limit;
        self.said()
    }

    fn said(&self) -> Option<String> {
        self.trouble.as_ref().filter(|_| self.declared).map(|(_, why)| why.clone())
    }
}

/// What the alarm says now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ring {
    /// For the first time.
    First,
    /// Again, for the so-many-th time.
    Again(u32),
    /// It is over.
    Over,
}

/// An alarm that repeats until a person answers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Alarm {
    rang_at: Option<Timestamp>,
    times: u32,
    answered: bool,
}

impl Alarm {
    /// Says whether to ring, at `now`, where it rings every `every_ms` while `red`.
    pub fn tick(&mut self, red: bool, every_ms: i64, now: Timestamp) -> Option<Ring> {
        match (red, self.rang_at) {
            (true, None) => {
                *self = Self { rang_at: Some(now), times: 1, answered: false };
                Some(Ring::First)
            }
            (true, Some(at)) if !self.answered && ms_between(at, now) >= every_ms => {
                self.rang_at = Some(now);
                self.times += 1;
                Some(Ring::Again(self.times))
            }
            (true, Some(_)) | (false, None) => None,
            (false, Some(_)) => {
                *self = Self::default();
                Some(Ring::Over)
            }
        }
    }

    /// A person has answered: it is quiet until it is over.
    pub fn answer(&mut self) {
        self.answered = true;
    }

    /// Something else is wrong, too: it rings for the first time once more.
    pub fn anew(&mut self) {
        *self = Self::default();
    }

    /// It rang before this process began, and goes on from there.
    pub fn resume(&mut self, rang_at: Timestamp) {
        if self.rang_at.is_none() {
            *self = Self { rang_at: Some(rang_at), times: 1, answered: false };
        }
    }

    /// Whether a person has answered what it rings about.
    pub fn is_answered(&self) -> bool {
        self.answered
    }

    /// Whether it rings and nobody has answered.
    pub fn waits(&self) -> bool {
        self.rang_at.is_some() && !self.answered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn a_target_that_is_silent_is_declared_and_cleared() {
        let mut sentinel = Sentinel::default();
        let mut observe =
            |look: Look, second| sentinel.observe(&look, Patience::STANDARD, at(second)).is_some();
        let silent = || Look::Silent("no answer".to_owned());
        assert!(!observe(Look::Green, 0));
        assert!(!observe(silent(), 1));
        assert!(!observe(Look::Green, 2), "one answer missed is nothing");
        assert!(!observe(silent(), 3));
        assert!(!observe(silent(), 8));
        assert!(observe(silent(), 9));
        assert!(observe(Look::Green, 10), "and not over with one answer");
        assert!(!observe(Look::Green, 19));
    }

    #[test]
    fn an_alarm_repeats_until_it_is_answered() {
        let mut alarm = Alarm::default();
        assert_eq!(alarm.tick(false, 60_000, at(0)), None);
        assert_eq!(alarm.tick(true, 60_000, at(1)), Some(Ring::First));
        assert_eq!(alarm.tick(true, 60_000, at(60)), None);
        assert_eq!(alarm.tick(true, 60_000, at(61)), Some(Ring::Again(2)));
        assert!(alarm.waits());
        alarm.answer();
        assert_eq!(alarm.tick(true, 60_000, at(200)), None);
        assert_eq!(alarm.tick(false, 60_000, at(201)), Some(Ring::Over));
        assert_eq!(alarm.tick(true, 60_000, at(202)), Some(Ring::First));
    }

    #[test]
    fn an_alarm_goes_on_after_a_restart_and_begins_anew_with_what_is_new() {
        let mut alarm = Alarm::default();
        alarm.resume(at(0));
        assert_eq!(alarm.tick(true, 60_000, at(59)), None, "it rang");
        assert_eq!(alarm.tick(true, 60_000, at(60)), Some(Ring::Again(2)));
        alarm.answer();
        alarm.resume(at(0));
        assert_eq!(alarm.tick(true, 60_000, at(200)), None, "what rings is not begun again");
        alarm.anew();
        assert_eq!(alarm.tick(true, 60_000, at(201)), Some(Ring::First));
        assert!(!alarm.is_answered());
    }
}
