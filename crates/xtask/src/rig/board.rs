//! What became of each event, by its number, written by the load and the sink.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What every dedup key begins with; the event's number follows in [`DIGITS`] digits.
pub(crate) const KEY: &str = "bench-";
/// Digits of an event's number.
pub(crate) const DIGITS: usize = 7;

const COPY: u32 = 1;
const MARKED_COPY: u32 = 1 << 16;

/// Times are nanoseconds since the board was made; 0 means never.
#[derive(Debug)]
pub(crate) struct Board {
    began: Instant,
    events: Box<[Event]>,
    used: AtomicUsize,
    acked: AtomicUsize,
    arrived: AtomicUsize,
    strangers: AtomicUsize,
}

#[derive(Default, Debug)]
struct Event {
    sent: AtomicU64,
    acked: AtomicU64,
    arrived: AtomicU64,
    /// Arrivals in the lower half, those marked as a possible repeat in the upper.
    copies: AtomicU32,
}

impl Board {
    /// A board for so many events.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            began: Instant::now(),
            events: std::iter::repeat_with(Event::default).take(capacity).collect(),
            used: AtomicUsize::new(0),
            acked: AtomicUsize::new(0),
            arrived: AtomicUsize::new(0),
            strangers: AtomicUsize::new(0),
        }
    }

    /// The numbers of so many new events. `None`: the board is full.
    pub(crate) fn reserve(&self, count: usize) -> Option<Range<usize>> {
        let from = self.used.fetch_add(count, Relaxed);
        (from + count <= self.events.len()).then(|| from..from + count)
    }

    pub(crate) fn now_ns(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(crate) fn note_sent(&self, event: usize) {
        self.events[event].sent.store(self.now_ns(), Relaxed);
    }

    pub(crate) fn note_acked(&self, event: usize) {
        self.events[event].acked.store(self.now_ns(), Relaxed);
        self.acked.fetch_add(1, Relaxed);
    }

    /// Notes a message about an event, and whether it said that it may be a repeat.
    pub(crate) fn note_arrived(&self, event: usize, marked: bool) {
        let now = self.now_ns();
        let Some(event) = self.events.get(event) else {
            self.note_stranger();
            return;
        };
        let copy = COPY + if marked { MARKED_COPY } else { 0 };
        if event.copies.fetch_add(copy, Relaxed) == 0 {
            event.arrived.store(now, Relaxed);
            self.arrived.fetch_add(1, Relaxed);
        }
    }

    /// Notes a message about no event of ours.
    pub(crate) fn note_stranger(&self) {
        self.strangers.fetch_add(1, Relaxed);
    }

    /// Messages about no event of ours.
    pub(crate) fn strangers(&self) -> usize {
        self.strangers.load(Relaxed)
    }

    /// Events that at least one message arrived about, of all there are.
    pub(crate) fn arrived(&self) -> usize {
        self.arrived.load(Relaxed)
    }

    /// Events acknowledged, of all there are.
    pub(crate) fn acked(&self) -> usize {
        self.acked.load(Relaxed)
    }

    /// When each of these events was acknowledged, of those that were.
    pub(crate) fn acked_ns(&self, events: Range<usize>) -> impl Iterator<Item = u64> {
        self.events[events].iter().map(|event| event.acked.load(Relaxed)).filter(|&at| at > 0)
    }

    /// From sending to acknowledgement, for those that were acknowledged.
    pub(crate) fn ack_times(&self, events: Range<usize>) -> Times {
        Times::between(self.events[events].iter().map(|event| (&event.sent, &event.acked)))
    }

    /// From sending to the arrival of the first message, for those that one arrived about.
    pub(crate) fn arrival_times(&self, events: Range<usize>) -> Times {
        Times::between(self.events[events].iter().map(|event| (&event.sent, &event.arrived)))
    }

    /// From the first sending to the last arrival.
    pub(crate) fn span(&self, events: Range<usize>) -> Duration {
        let events = &self.events[events];
        let sent = events.iter().map(|event| event.sent.load(Relaxed)).filter(|&at| at > 0);
        let last = events.iter().map(|event| event.arrived.load(Relaxed)).max().unwrap_or(0);
        Duration::from_nanos(last.saturating_sub(sent.min().unwrap_or(0)))
    }

    /// What a crash may have done to these events.
    pub(crate) fn fates(&self, events: Range<usize>) -> Fates {
        let mut fates = Fates::default();
        for (number, event) in events.clone().zip(&self.events[events]) {
            let copies = event.copies.load(Relaxed);
            let (arrivals, marked) = (copies & 0xffff, copies >> 16);
            let acked = event.acked.load(Relaxed) > 0;
            fates.acked += usize::from(acked);
            if acked && arrivals == 0 {
                fates.missing.push(number);
            }
            if arrivals > 1 {
                fates.doubled.push(number);
            }
            // Of several copies, all after the first must say so.
            if arrivals > 1 && marked + 1 < arrivals {
                fates.unmarked.push(number);
            }
        }
        fates
    }

    /// When the first message about an event arrived; 0: none has.
    pub(crate) fn first_arrival(&self, event: usize) -> u64 {
        self.events[event].arrived.load(Relaxed)
    }

    /// The first message after a moment, about any event.
    pub(crate) fn first_arrival_after(&self, after_ns: u64) -> Option<u64> {
        let used = self.used.load(Relaxed).min(self.events.len());
        let arrivals = self.events[..used].iter().map(|event| event.arrived.load(Relaxed));
        arrivals.filter(|&at| at > after_ns).min()
    }

    /// The first acknowledgement after a moment, of any of these events.
    pub(crate) fn first_ack_after(&self, events: Range<usize>, after_ns: u64) -> Option<u64> {
        self.acked_ns(events).filter(|&at| at > after_ns).min()
    }
}

/// What a crash did to a range of events.
#[derive(Default, Debug)]
pub(crate) struct Fates {
    /// Answered with 202.
    pub(crate) acked: usize,
    /// Answered with 202, and without a message.
    pub(crate) missing: Vec<usize>,
    /// With more than one message.
    pub(crate) doubled: Vec<usize>,
    /// With a second message that does not say it may be a repeat.
    pub(crate) unmarked: Vec<usize>,
}

/// Durations, sorted.
#[derive(Debug)]
pub(crate) struct Times(Vec<u64>);

impl Times {
    fn between<'a>(pairs: impl Iterator<Item = (&'a AtomicU64, &'a AtomicU64)>) -> Self {
        let loaded = pairs.map(|(from, to)| (from.load(Relaxed), to.load(Relaxed)));
        Self::new(loaded.filter(|&(from, to)| from > 0 && to > 0).map(|(from, to)| to - from))
    }

    /// Takes durations in nanoseconds.
    pub(crate) fn new(nanoseconds: impl Iterator<Item = u64>) -> Self {
        let mut times: Vec<u64> = nanoseconds.collect();
        times.sort_unstable();
        Self(times)
    }

    /// The time that this part (0–1) of all is not above, in milliseconds. 0 if there are none.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank among thousands, and a time that is rounded for reading"
    )]
    pub(crate) fn quantile_ms(&self, part: f64) -> f64 {
        let rank = (part * self.0.len() as f64).ceil() as usize;
        let time = self.0.get(rank.saturating_sub(1)).copied().unwrap_or(0);
        time as f64 / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let times = Times::new((1..=200).rev().map(|ms| ms * 1_000_000));
        assert_eq!(times.quantile_ms(0.5).to_string(), "100");
        assert_eq!(times.quantile_ms(0.99).to_string(), "198");
        assert_eq!(Times::new(std::iter::empty()).quantile_ms(0.5).to_string(), "0");
    }

    #[test]
    fn a_second_copy_must_be_marked() {
        let board = Board::new(5);
        for event in 0..4 {
            board.note_sent(event);
            board.note_acked(event);
        }
        board.note_arrived(0, false);
        board.note_arrived(1, false);
        board.note_arrived(1, true);
        board.note_arrived(2, false);
        board.note_arrived(2, false);
        let fates = board.fates(0..5);
        assert_eq!((fates.acked, fates.doubled), (4, vec![1, 2]));
        assert_eq!((fates.missing, fates.unmarked), (vec![3], vec![2]));
    }
}
