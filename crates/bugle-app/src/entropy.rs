//! Randomness from the system, and the ids made of it.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use bugle_domain::{AlertId, EventId, NotificationId};
use bugle_engine::Mint;
use jiff::Timestamp;

/// Bytes asked of the system at a time: a call costs as much for 10 bytes as for these.
const BUFFER_BYTES: usize = 2_048;
/// Letters and digits of a link's token: 12 of 62 are 71 bits.
const TOKEN_CHARS: usize = 12;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

thread_local! {
    static BUFFER: RefCell<(Vec<u8>, usize)> = const { RefCell::new((Vec::new(), 0)) };
}

/// Random bytes from the system.
///
/// # Panics
///
/// If the system has no randomness to give, which no supported system does after boot.
pub fn bytes<const N: usize>() -> [u8; N] {
    BUFFER.with_borrow_mut(|(buffer, used)| {
        if buffer.len() < *used + N {
            buffer.resize(BUFFER_BYTES.max(N), 0);
            #[expect(clippy::expect_used, reason = "without randomness no id or key can be made")]
            getrandom::fill(buffer).expect("the system gives random bytes");
            *used = 0;
        }
        let mut out = [0; N];
        let piece = &mut buffer[*used..*used + N];
        out.copy_from_slice(piece);
        // What was given out is not kept.
        piece.fill(0);
        *used += N;
        out
    })
}

/// `length` random letters and digits, each of the 62 equally likely.
pub fn base62(length: usize) -> String {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        // 248 is the greatest multiple of 62 in a byte; greater ones would favour some letters.
        let [byte] = bytes::<1>();
        if byte < 248 {
            text.push(char::from(ALPHABET[usize::from(byte) % 62]));
        }
    }
    text
}

/// The last event id's milliseconds and, in the low 12 bits, its place within them.
static LAST_EVENT: AtomicU64 = AtomicU64::new(0);

/// A new event's id. Ids of one node rise, also within a millisecond: events are decided in their
/// order.
pub fn event_id(now: Timestamp) -> EventId {
    let from = u64::try_from(now.as_millisecond()).unwrap_or(0) << 12;
    let rise = |last: u64| Some(from.max(last + 1));
    let last = LAST_EVENT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rise);
    let place = from.max(last.unwrap_or(0) + 1);
    let millis = i64::try_from(place >> 12).unwrap_or(i64::MAX);
    let mut random = bytes::<10>();
    [random[0], random[1]] = u16::try_from(place & 0xfff).unwrap_or(0).to_be_bytes();
    EventId::new(Timestamp::from_millisecond(millis).unwrap_or(now), random)
}

/// Ids and tokens made at one moment.
#[derive(Clone, Copy, Debug)]
pub struct SystemMint {
    /// The moment, which the ids carry.
    pub now: Timestamp,
}

impl Mint for SystemMint {
    fn alert(&mut self) -> AlertId {
        AlertId::new(self.now, bytes())
    }

    fn notification(&mut self) -> NotificationId {
        NotificationId::new(self.now, bytes())
    }

    fn token(&mut self) -> String {
        base62(TOKEN_CHARS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bytes_are_given_out_twice() {
        let mut seen: Vec<[u8; 10]> = (0..10_000).map(|_| bytes()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 10_000);
    }

    #[test]
    fn event_ids_rise_within_a_millisecond() {
        let now = Timestamp::from_second(4_000_000_000).unwrap();
        let ids: Vec<EventId> = (0..10_000).map(|_| event_id(now)).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn tokens_are_letters_and_digits() {
        let token = SystemMint { now: Timestamp::UNIX_EPOCH }.token();
        assert_eq!(token.len(), TOKEN_CHARS);
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}
