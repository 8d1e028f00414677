//! When each stage's worker made its last pass, and stages that are held at their boundary.

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
        self.0[stage as usize].store(held, Ordering::Relaxed);
    }

    /// Whether the stage is held.
    pub(crate) fn holds(&self, stage: Stage) -> bool {
        self.0[stage as usize].load(Ordering::Relaxed)
    }
}
