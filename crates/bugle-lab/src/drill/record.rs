//! The published record: how it went when operators reverted some services, events were accepted,
//! and nobody was told.

/// When.
pub(super) const NAME: &str = "14 March 2019";
/// Replicated: 14:52 to 15:04.
pub(super) const CONFIRMED: &str = "12 min";
/// The major incident process began: 14:52 to 15:05.
pub(super) const PROCESS: &str = "13 min";
/// The first post on the status page: 14:52 to 15:12.
pub(super) const TOLD: &str = "20 min";
/// The known-good configuration was restored: 14:52 to 15:30.
pub(super) const UNDONE: &str = "38 min";
/// Nothing was sent for that long.
pub(super) const STALL: &str = "38 min";
/// The backlog was cleared: 15:30 to 15:57.
pub(super) const CLEARED: &str = "27 min (over after 65)";
/// Of the stall: 27 of 38 minutes.
pub(super) const SHARE: &str = "0.71";
