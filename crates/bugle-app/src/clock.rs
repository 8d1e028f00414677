//! The one place that reads the time. Tests push it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// Tells the time and waits for it: the system's, or one that a test pushes.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System,
    Pushed(Arc<watch::Sender<Timestamp>>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that stands at `start` until it is pushed.
    pub fn pushed(start: Timestamp) -> Self {
        Self(Kind::Pushed(Arc::new(watch::Sender::new(start))))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "this is the one reader of the time")]
            Kind::System => Timestamp::now(),
            Kind::Pushed(time) => *time.borrow(),
        }
    }

    /// Moves a pushed clock forward and wakes whoever waits for a time that has come. Does nothing
    /// to the system's clock.
    pub fn push(&self, by: SignedDuration) {
        if let Kind::Pushed(time) = &self.0 {
            time.send_modify(|now| *now = now.saturating_add(by).unwrap_or(Timestamp::MAX));
        }
    }

    /// Waits until `then`.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn sleep_until(&self, then: Timestamp) {
        match &self.0 {
            Kind::System => {
                let wait = then.duration_since(self.now());
                if let Ok(wait) = std::time::Duration::try_from(wait) {
                    tokio::time::sleep(wait).await;
                }
            }
            Kind::Pushed(time) => {
                let mut time = time.subscribe();
                // The sender lives in `self`, so this ends only when the time has come.
                let _ = time.wait_for(|now| *now >= then).await;
            }
        }
    }

    /// Waits for `duration` from now.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn sleep(&self, duration: SignedDuration) {
        let then = self.now().saturating_add(duration).unwrap_or(Timestamp::MAX);
        self.sleep_until(then).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pushed_clock_wakes_whoever_waits_for_it() {
        let clock = Clock::pushed(Timestamp::UNIX_EPOCH);
        let sleeper = clock.sleep(SignedDuration::from_secs(5));
        let pusher = async {
            clock.push(SignedDuration::from_secs(4));
            tokio::task::yield_now().await;
            clock.push(SignedDuration::from_secs(1));
        };
        tokio::join!(sleeper, pusher);
        assert_eq!(clock.now().as_second(), 5);
    }
}
