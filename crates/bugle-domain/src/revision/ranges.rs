//! Between which values each setting of the stages may be, for documents and configuration alike.

use std::ops::RangeInclusive;
use std::time::Duration;

const KIB: u64 = 1_024;
const DAY: Duration = Duration::from_hours(24);

/// Largest request that brings events, in bytes.
pub const MAX_BODY: RangeInclusive<u64> = 16 * KIB..=16 * KIB * KIB;
/// Messages that one node sends at the same time.
pub const PARALLEL: RangeInclusive<u32> = 1..=2_000;
/// Time in which messages to one contact method go out together.
pub const BUNDLE_WINDOW: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_mins(5);
/// Tries to send one message.
pub const MAX_TRIES: RangeInclusive<u32> = 1..=50;
/// When an unanswered call is made once more.
pub const REDIAL_AFTER: RangeInclusive<Duration> =
    Duration::from_secs(30)..=Duration::from_mins(30);
/// Messages to one contact method in an hour.
pub const PER_HOUR: RangeInclusive<u32> = 1..=1_000;
/// How long a provider's report is waited for.
pub const RECEIPT_WAIT: RangeInclusive<Duration> = Duration::from_secs(10)..=DAY;
/// How long received bytes are kept.
pub const RAW_BYTES: RangeInclusive<Duration> =
    Duration::from_hours(1)..=Duration::from_hours(24 * 3_650);
/// How long alerts are kept after their end, and events that came to nothing. No shorter than a
/// sender may take to repeat a request.
pub const HISTORY: RangeInclusive<Duration> =
    Duration::from_hours(24 * 7)..=Duration::from_hours(24 * 3_650);
/// How long the log of changes is kept.
pub const LOG: RangeInclusive<Duration> =
    Duration::from_hours(24 * 30)..=Duration::from_hours(24 * 3_650);
/// Time between two synthetic events.
pub const CANARY_EVERY: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(10);
/// When a synthetic event is late.
pub const CANARY_LATE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30);
/// Age from which the watch calls something too old.
pub const AGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(5);
/// How long something is bad before the watch says so.
pub const RED_AFTER: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30);
/// How long it is good again before the watch says so.
pub const GREEN_AFTER: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(5);
/// Versions of what stages hand to each other.
pub const CONTRACT: RangeInclusive<u32> = 1..=999;
/// Longest document, in bytes: a handful of settings, and room for remarks.
pub const DOCUMENT_BYTES: usize = 32 * 1_024;
/// Most entries of a list.
pub const LIST: usize = 32;
/// Longest name of a lane or provider, in bytes.
pub const NAME: usize = 32;
