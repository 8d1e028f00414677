//! Randomness from the system, and the ids made of it.

use std::cell::RefCell;

use bugle_domain::{AlertId, NotificationId};
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
    fn tokens_are_letters_and_digits() {
        let token = SystemMint { now: Timestamp::UNIX_EPOCH }.token();
        assert_eq!(token.len(), TOKEN_CHARS);
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}
