//! The one place that reads the time. Tests push it.

use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// A clock and the machine's own may differ by so much between two looks.
const CLOCK_JUMP: SignedDuration = SignedDuration::from_secs(2);

/// Tells the time and waits for it: the system's, or one that a test pushes.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System,
    Pushed(Arc<watch::Sender<Timestamp>>),
    Shifted(Arc<watch::Sender<SignedDuration>>),
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

    /// The system's clock, which can be pushed forward and then goes on from there.
    pub fn shifted() -> Self {
        Self(Kind::Shifted(Arc::new(watch::Sender::new(SignedDuration::ZERO))))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Kind::System => of_system(),
            Kind::Pushed(time) => *time.borrow(),
            Kind::Shifted(by) => of_system().saturating_add(*by.borrow()).unwrap_or(Timestamp::MAX),
        }
    }

    /// Moves the clock forward and wakes whoever waits for a time that has come. Does nothing to
    /// the system's clock.
    pub fn push(&self, by: SignedDuration) {
        match &self.0 {
            Kind::System => (),
            Kind::Pushed(time) => {
                time.send_modify(|now| *now = now.saturating_add(by).unwrap_or(Timestamp::MAX));
            }
            Kind::Shifted(shift) => {
                shift.send_modify(|all| *all = all.checked_add(by).unwrap_or(SignedDuration::MAX));
            }
        }
    }

    /// Waits until `then`.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn sleep_until(&self, then: Timestamp) {
        match &self.0 {
            Kind::System => sleep_of_system(then.duration_since(self.now())).await,
            Kind::Shifted(shift) => {
                let mut shift = shift.subscribe();
                loop {
                    let by = *shift.borrow_and_update();
                    let wait = then.duration_since(of_system()).saturating_sub(by);
                    tokio::select! {
                        () = sleep_of_system(wait) => return,
                        // The sender lives in `self`: only a push ends this.
                        _ = shift.changed() => (),
                    }
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

#[expect(clippy::disallowed_methods, reason = "this is the one reader of the time")]
fn of_system() -> Timestamp {
    Timestamp::now()
}

async fn sleep_of_system(wait: SignedDuration) {
    if let Ok(wait) = std::time::Duration::try_from(wait) {
        tokio::time::sleep(wait).await;
    }
}

/// How evenly a clock runs beside the machine's own, from one look to the next.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    last: Option<(Instant, Timestamp)>,
}

impl Pace {
    /// By how much the clock, which says `now`, was set since it was looked at last; `None`: it was
    /// not, or this is the first look.
    pub(crate) fn set_by(&mut self, now: Timestamp) -> Option<SignedDuration> {
        let machine = Instant::now();
        let (before, then) = self.last.replace((machine, now))?;
        let went = SignedDuration::try_from(machine - before).unwrap_or_default();
        let off = now.duration_since(then) - went;
        (off.abs() > CLOCK_JUMP).then_some(off)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_found_at_the_next_look() {
        let (mut pace, now) = (Pace::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(pace.set_by(now), None, "nothing to compare with");
        assert_eq!(pace.set_by(now), None);
        let set = now + SignedDuration::from_mins(3);
        assert_eq!(pace.set_by(set).unwrap().as_mins(), 2);
        assert_eq!(pace.set_by(set), None);
        assert!(pace.set_by(now).unwrap().is_negative());
    }

    #[tokio::test]
    async fn a_shifted_clock_goes_on_and_wakes_whoever_waits_for_it() {
        let clock = Clock::shifted();
        let before = clock.now();
        let sleeper = clock.sleep(SignedDuration::from_mins(20));
        let pusher = async {
            clock.push(SignedDuration::from_mins(10));
            tokio::task::yield_now().await;
            clock.push(SignedDuration::from_mins(10));
        };
        tokio::join!(sleeper, pusher);
        assert!(clock.now().duration_since(before) >= SignedDuration::from_mins(20));
    }

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
