//! When each stage's worker made its last pass, whether it has one in hand, and stages that are
//! held at their boundary.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bugle_domain::stage::Stage;

/// The last pass of each worker, on the machine's own clock: one store a pass.
#[derive(Debug)]
pub(crate) struct Pulse {
    began: Instant,
    /// Milliseconds after `began`, by stage.
    last_ms: [AtomicU64; Stage::ALL.len()],
}

impl Pulse {
    /// All have just made one.
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), last_ms: Default::default() }
    }

    /// The stage's worker has made a pass.
    pub(crate) fn beat(&self, stage: Stage) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms[stage as usize].store(now, Ordering::Relaxed);
    }

    /// How long ago that was.
    pub(crate) fn age(&self, stage: Stage) -> Duration {
        let last = Duration::from_millis(self.last_ms[stage as usize].load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(last)
    }
}

/// Stages that take up no new work just now. What waits for them stays where it is, durably.
#[derive(Debug, Default)]
pub(crate) struct Holds([AtomicBool; Stage::ALL.len()]);

impl Holds {
    pub(crate) fn set(&self, stage: Stage, held: bool) {
        self.0[stage as usize].store(held, Ordering::SeqCst);
    }

    /// Whether the stage is held.
    pub(crate) fn holds(&self, stage: Stage) -> bool {
        self.0[stage as usize].load(Ordering::SeqCst)
    }
}

/// The workers that have a pass in hand, which they may have begun before their stage was held.
#[derive(Debug, Default)]
pub(crate) struct Passes([AtomicBool; Stage::ALL.len()]);

impl Passes {
    /// Begins a pass, where the stage takes work. Whoever holds the stage sees the pass, or the
    /// pass does not begin.
    pub(crate) fn begin(
        &self,
        stage: Stage,
        takes_work: impl FnOnce() -> bool,
    ) -> Option<PassInHand<'_>> {
        let pass = PassInHand(&self.0[stage as usize]);
        pass.0.store(true, Ordering::SeqCst);
        takes_work().then_some(pass)
    }

    /// Whether the stage's worker has one in hand.
    pub(crate) fn in_hand(&self, stage: Stage) -> bool {
        self.0[stage as usize].load(Ordering::SeqCst)
    }
}

/// A pass of a worker. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct PassInHand<'a>(&'a AtomicBool);

impl Drop for PassInHand<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_in_hand_until_it_is_dropped_and_none_begins_while_held() {
        let passes = Passes::default();
        let pass = passes.begin(Stage::Dispatch, || true);
        assert!(pass.is_some() && passes.in_hand(Stage::Dispatch));
        assert!(!passes.in_hand(Stage::Alerting));
        drop(pass);
        assert!(!passes.in_hand(Stage::Dispatch));
        assert!(passes.begin(Stage::Dispatch, || false).is_none());
        assert!(!passes.in_hand(Stage::Dispatch));
    }
}
