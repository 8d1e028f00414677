//! Signatures of Twilio's callbacks, both kinds.
//!
//! Source: `RequestValidator` of Twilio's own client, 9.13, read 2026-11.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha1::Sha1;
use sha2::Sha256;
use url::Url;

use crate::settings::TwilioSettings;

/// What a callback brought, as far as its signature covers it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallbackRequest {
    /// The path and the query, exactly as received: `/callbacks/twilio/main/sms?x=1`.
    pub path_and_query: String,
    /// The form, decoded, in any order.
    pub params: Vec<(String, String)>,
    /// The header `X-Twilio-Signature`.
    pub signature: Option<String>,
    /// The header `X-Twilio-Webhooks-Signature-Settings`.
    pub signature_settings: Option<String>,
}

/// Why a callback is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignatureError {
    /// No provider of that name takes callbacks.
    #[error("there is no provider of that name")]
    UnknownProvider,
    /// The header is missing or no base64.
    #[error("the callback has no signature")]
    Missing,
    /// Signed with a key or in a way that is not known here.
    #[error("the callback is signed with an unknown key or algorithm")]
    UnknownKey,
    /// Signed by somebody else, or for another URL: check the public URL in the settings.
    #[error("the signature does not match (is the public URL right?)")]
    Mismatch,
}

/// Checks a callback that came to our `public_url`.
pub(super) fn verify(
    settings: &TwilioSettings,
    public_url: &Url,
    request: &CallbackRequest,
) -> Result<(), SignatureError> {
    let signature = request.signature.as_deref().ok_or(SignatureError::Missing)?;
    let signature = STANDARD.decode(signature.trim()).map_err(|_| SignatureError::Missing)?;
    let key = Key::of(settings, request.signature_settings.as_deref())?;
    let suffix = signed_params(&request.params);
    let matches = |url: &String| key.matches(url, &suffix, &signature);
    if spellings(public_url, &request.path_and_query).iter().any(matches) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

enum Key<'a> {
    AuthToken(&'a SecretString),
    Shared(&'a SecretString),
}

impl<'a> Key<'a> {
    /// Finds the key that `header` (`key=…,algorithm=HMAC_SHA256`) names; the token without one.
    fn of(settings: &'a TwilioSettings, header: Option<&str>) -> Result<Self, SignatureError> {
        let Some(header) = header else { return Ok(Key::AuthToken(&settings.auth_token)) };
        let fields: BTreeMap<&str, &str> = header
            .split(',')
            .filter_map(|field| field.split_once('='))
            .map(|(name, value)| (name.trim(), value.trim().trim_matches('"')))
            .collect();
        if fields.get("algorithm") != Some(&"HMAC_SHA256") {
            return Err(SignatureError::UnknownKey);
        }
        let id = fields.get("key").ok_or(SignatureError::UnknownKey)?;
        let known = settings.callback_keys.iter().find(|known| known.id == *id);
        known.map(|known| Key::Shared(&known.secret)).ok_or(SignatureError::UnknownKey)
    }

    /// Compares in constant time.
    fn matches(&self, url: &str, suffix: &str, signature: &[u8]) -> bool {
        match self {
            Self::AuthToken(token) => {
                Hmac::<Sha1>::new_from_slice(token.expose_secret().as_bytes()).is_ok_and(|mac| {
                    mac.chain_update(url).chain_update(suffix).verify_slice(signature).is_ok()
                })
            }
            Self::Shared(secret) => {
                Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).is_ok_and(|mac| {
                    mac.chain_update(url).chain_update(suffix).verify_slice(signature).is_ok()
                })
            }
        }
    }
}

/// Names and values, sorted; equal values of one name once.
fn signed_params(params: &[(String, String)]) -> String {
    let sorted: BTreeSet<(&str, &str)> =
        params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    sorted.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

/// The URL with and without its port: Twilio signs either.
fn spellings(public_url: &Url, path_and_query: &str) -> [String; 2] {
    let scheme = public_url.scheme();
    let host = public_url.host_str().unwrap_or_default();
    let port = public_url.port_or_known_default().unwrap_or(443);
    // A proxy may have taken the public URL's path away.
    let prefix = public_url.path().trim_end_matches('/');
    let prefix = if path_and_query.starts_with(prefix) { "" } else { prefix };
    [
        format!("{scheme}://{host}:{port}{prefix}{path_and_query}"),
        format!("{scheme}://{host}{prefix}{path_and_query}"),
    ]
}

#[cfg(test)]
mod tests;
