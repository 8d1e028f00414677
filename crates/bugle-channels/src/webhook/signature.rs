//! Signatures by Standard Webhooks, version 1 (symmetric).
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks>, *spec*, read 2026-11.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// What begins the text form of a secret.
const PREFIX: &str = "whsec_";
/// Bytes of a secret, at least and at most.
const SIZE: std::ops::RangeInclusive<usize> = 24..=64;

/// A text that is no webhook secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a webhook secret is whsec_ and 24 to 64 bytes as base64")]
pub struct SecretError;

/// The key of a webhook's signatures.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl Secret {
    /// Reads `whsec_…`; the prefix may be missing.
    ///
    /// # Errors
    ///
    /// [`SecretError`].
    pub fn parse(text: &SecretString) -> Result<Self, SecretError> {
        let text = text.expose_secret().trim();
        let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
        let key = STANDARD.decode(encoded).map_err(|_| SecretError)?;
        if !SIZE.contains(&key.len()) {
            return Err(SecretError);
        }
        Hmac::new_from_slice(&key).map(Self).map_err(|_| SecretError)
    }

    /// Makes the text form of a key: what a new webhook's owner is shown.
    pub fn format(key: &[u8; 32]) -> SecretString {
        format!("{PREFIX}{}", STANDARD.encode(key)).into()
    }

    /// The value of `webhook-signature`.
    pub(crate) fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(id.as_bytes());
        mac.update(format!(".{timestamp_s}.").as_bytes());
        mac.update(body);
        let mut text = String::with_capacity(48);
        text.push_str("v1,");
        STANDARD.encode_string(mac.finalize().into_bytes(), &mut text);
        text
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_other_implementations_do() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature = Secret::parse(&secret).unwrap().sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_made_secret_can_be_read() {
        assert!(Secret::parse(&Secret::format(&[7; 32])).is_ok());
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        for text in ["", "whsec_", "whsec_abc", "whsec_####", "whsec_c2hvcnQ="] {
            assert!(Secret::parse(&SecretString::from(text)).is_err(), "{text}");
        }
    }
}
