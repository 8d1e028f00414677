//! The live timeline of a drill: what happened, by the drill's own clock.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bugle_app::Clock;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

/// Something that happened.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Entry {
    /// When, UTC.
    pub at: Timestamp,
    /// Seconds since the injection, where there was one.
    pub since_s: Option<f64>,
    /// What.
    pub text: String,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = TimeZone::UTC.to_datetime(self.at).strftime("%H:%M:%S");
        match self.since_s {
            Some(since) => write!(f, "{at}  {since:+8.1} s  {}", self.text),
            None => write!(f, "{at}              {}", self.text),
        }
    }
}

/// Tells whoever looks on.
pub type Teller = Arc<dyn Fn(&Entry) + Send + Sync>;

/// A timeline. Cheap to clone.
#[derive(Clone)]
pub(super) struct Timeline {
    clock: Clock,
    tell: Teller,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    injected: Option<Instant>,
    entries: Vec<Entry>,
}

impl Timeline {
    /// An empty one.
    pub(super) fn new(tell: Teller) -> Self {
        Self { clock: Clock::system(), tell, kept: Arc::default() }
    }

    /// Notes what happened just now.
    pub(super) fn note(&self, text: impl Into<String>) {
        let at = self.clock.now();
        let since_s = self.injected().map(|injected| injected.elapsed().as_secs_f64());
        let entry = Entry { at, since_s, text: text.into() };
        (self.tell)(&entry);
        self.kept().entries.push(entry);
    }

    /// Notes that what is to be endured is being done now.
    pub(super) fn inject(&self, text: impl Into<String>) -> Instant {
        let now = Instant::now();
        self.kept().injected = Some(now);
        self.note(text);
        now
    }

    /// When that was.
    pub(super) fn injected(&self) -> Option<Instant> {
        self.kept().injected
    }

    /// Seconds from then to `at`; 0 where it was before.
    pub(super) fn since_s(&self, at: Instant) -> Option<f64> {
        Some(at.saturating_duration_since(self.injected()?).as_secs_f64())
    }

    /// Everything noted so far.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.kept().entries.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_how_long_after_the_injection_it_was() {
        let at = "2019-03-14T14:52:07Z".parse().unwrap();
        let entry = Entry { at, since_s: Some(3.24), text: "declared".to_owned() };
        assert_eq!(entry.to_string(), "14:52:07      +3.2 s  declared");
        let entry = Entry { since_s: None, ..entry };
        assert_eq!(entry.to_string(), "14:52:07              declared");
    }
}
