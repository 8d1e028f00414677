//! From when on something is too late, too full or too old.

use bugle_domain::contact::Channel;

/// The thresholds of a watch. All times in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thresholds {
    /// A canary that one of our stages has not dealt with is overdue.
    pub late_ms: i64,
    /// A canary that no provider has taken is overdue.
    pub provider_late_ms: i64,
    /// A text whose receipt has not come is overdue. Webhooks have that of the provider.
    pub receipt_late_ms: i64,
    /// One path that lets nothing through for so long is broken.
    pub declare_after_ms: i64,
    /// So many paths that agree are enough, as soon as their canaries are overdue.
    pub agreeing: usize,
    /// A verdict ends when all was well for so long.
    pub clear_after_ms: i64,
    /// An event that has no outcome is late.
    pub pending_ms: i64,
    /// A notification that is due and not claimed is late.
    pub owed_ms: i64,
    /// A worker that made no pass for so long stands still.
    pub pulse_ms: i64,
    /// A path that lost so many of the last [`LOST_OF`] canaries is broken.
    pub lost: usize,
    /// A probe that must fail is reported within this time, or the watch is broken.
    pub control_ms: i64,
}

/// How many of a path's canaries are looked back at.
pub const LOST_OF: usize = 20;
/// Audit findings count when they were past their threshold for this long.
pub const CONFIRM_MS: i64 = 2_000;

impl Thresholds {
    /// What holds where nothing else was said.
    pub const STANDARD: Self = Self {
        late_ms: 2_000,
        provider_late_ms: 4_000,
        receipt_late_ms: 60_000,
        declare_after_ms: 5_000,
        agreeing: 3,
        clear_after_ms: 10_000,
        pending_ms: 5_000,
        owed_ms: 5_000,
        pulse_ms: 5_000,
        lost: 5,
        control_ms: 60_000,
    };

    /// The stricter of both, in everything that a revision can say: while its change is watched,
    /// neither the old nor the new may hide what the other would show.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        Self {
            late_ms: self.late_ms.min(other.late_ms),
            declare_after_ms: self.declare_after_ms.min(other.declare_after_ms),
            clear_after_ms: self.clear_after_ms.max(other.clear_after_ms),
            pending_ms: self.pending_ms.min(other.pending_ms),
            owed_ms: self.owed_ms.min(other.owed_ms),
            ..self
        }
    }

    /// How long a receipt of `channel` may take after the provider took the message.
    pub fn receipt_ms(&self, channel: Channel) -> i64 {
        match channel {
            Channel::Webhook => self.provider_late_ms,
            Channel::Email | Channel::Sms | Channel::Voice => self.receipt_late_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stricter_sees_everything_that_either_does() {
        let lax = Thresholds { late_ms: 30_000, clear_after_ms: 1_000, ..Thresholds::STANDARD };
        let quick = Thresholds { owed_ms: 1_000, pending_ms: 300_000, ..Thresholds::STANDARD };
        let both = lax.stricter(quick);
        assert_eq!(both, quick.stricter(lax));
        assert_eq!(both, Thresholds { owed_ms: 1_000, ..Thresholds::STANDARD });
    }
}
