//! Secrets that carry enough randomness of their own: only their SHA-256 is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::entropy;

/// What every API key begins with, so that scanners find leaked ones.
pub(crate) const KEY_PREFIX: &str = "bgl_live_";
/// Characters of a key's id part, which may be shown.
const KEY_ID_CHARS: usize = 8;
/// Characters of a key's secret part: 32 of 62 are 190 bits.
const KEY_SECRET_CHARS: usize = 32;
/// Characters of an integration key that we make: the length that `PagerDuty`'s clients demand.
const INTEGRATION_KEY_CHARS: usize = 32;

/// SHA-256 of a secret, as the store keeps it.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// A new session's or link's token: 256 bits, 43 characters that need no escaping in a URL.
pub(crate) fn token() -> String {
    URL_SAFE_NO_PAD.encode(entropy::bytes::<32>())
}

/// A new API key: `bgl_live_<8>_<32>`.
pub(crate) fn api_key() -> String {
    let (id, secret) = (entropy::base62(KEY_ID_CHARS), entropy::base62(KEY_SECRET_CHARS));
    format!("{KEY_PREFIX}{id}_{secret}")
}

/// The part of an API key that may be shown: `bgl_live_1a2b3c4d`.
pub(crate) fn api_key_hint(key: &str) -> String {
    key.chars().take(KEY_PREFIX.len() + KEY_ID_CHARS).collect()
}

/// Whether a text has the form of an API key: what has not is refused without a look-up.
pub(crate) fn is_api_key(text: &str) -> bool {
    let plain = |part: &str, length| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let parts = text.strip_prefix(KEY_PREFIX).and_then(|rest| rest.split_once('_'));
    parts.is_some_and(|(id, secret)| plain(id, KEY_ID_CHARS) && plain(secret, KEY_SECRET_CHARS))
}

/// A new integration key: 32 lower-case letters and digits, which is 165 bits.
pub(crate) fn integration_key() -> String {
    let mut key = String::with_capacity(INTEGRATION_KEY_CHARS);
    while key.len() < INTEGRATION_KEY_CHARS {
        // 252 is the greatest multiple of 36 in a byte; greater ones would favour some letters.
        let [byte] = entropy::bytes::<1>();
        if byte < 252 {
            key.push(char::from(b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::from(byte) % 36]));
        }
    }
    key
}

/// A new code for a person to type: 6 digits, each equally likely.
pub(crate) fn code() -> String {
    loop {
        // 4,294,000,000 is the greatest multiple of 1,000,000 that fits.
        let number = u32::from_le_bytes(entropy::bytes::<4>());
        if number < 4_294_000_000 {
            return format!("{:06}", number % 1_000_000);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_key_is_found_by_scanners_and_shows_only_its_id() {
        let key = api_key();
        assert!(is_api_key(&key), "{key}");
        assert_eq!(key.len(), 9 + 8 + 1 + 32);
        assert_eq!(api_key_hint(&key), key[..17]);
        assert!(!is_api_key("bgl_live_12345678_short"));
        assert!(!is_api_key(&key.replace("bgl_", "xyz_")));
        assert_ne!(hash(&key), hash(&api_key()));
    }

    #[test]
    fn an_integration_key_passes_where_pagerduty_clients_look() {
        let key = integration_key();
        assert_eq!(key.len(), 32);
        assert!(key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{key}");
    }

    #[test]
    fn codes_have_six_digits_and_tokens_need_no_escaping() {
        for _ in 0..100 {
            assert!(code().len() == 6 && code().bytes().all(|b| b.is_ascii_digit()));
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        assert!(token().len() == 43 && token().bytes().all(plain));
    }
}
