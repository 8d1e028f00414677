//! Integrations and their keys: given by their owners, or made here and shown once.

use bugle_domain::IntegrationId;
use bugle_domain::integration::Integration;
use bugle_domain::object::Object;
use bugle_store::ObjectChange;
use secrecy::{ExposeSecret, SecretString};

use super::draft::IntegrationDraft;
use super::error::ObjectError;
use super::noun::Noun;
use super::write::{new_uuid, valid};
use super::{KeySource, KeyedIntegration, Versioned, WriteOptions};
use crate::app::App;
use crate::caller::Caller;
use crate::error::problem;
use crate::identity::secret;
use crate::permission::Permission;

/// Shortest and longest key that an owner may give.
const GIVEN_KEY_CHARS: std::ops::RangeInclusive<usize> = 16..=128;
/// Characters of a key that may be shown.
const HINT_CHARS: usize = 4;

impl App {
    /// Makes an integration and its key.
    pub async fn create_integration(
        &self,
        caller: &Caller,
        draft: IntegrationDraft,
        key: KeySource,
        options: WriteOptions,
    ) -> Result<KeyedIntegration, ObjectError> {
        caller.require(Permission::EditConfiguration)?;
        caller.require(Permission::ManageIntegrationKeys)?;
        let now = self.now();
        let directory = self.directory(caller.scope).await?;
        let id = Integration::id_from(new_uuid(now));
        let mut integration = Integration::build(id, draft, None, &directory);
        valid(&Object::Integration(integration.clone()), &directory)?;
        let (text, made) = take_key(key)?;
        integration.key_hint = hint(&text);
        if options.dry_run {
            let integration = Versioned { object: integration, version: 0 };
            return Ok(KeyedIntegration { integration, key: None });
        }
        let object = Object::Integration(integration.clone());
        let put = ObjectChange::Put { object, expected: Some(0) };
        self.save_configuration(caller, &[put, key_change(id, &text)]).await?;
        let integration = Versioned { object: integration, version: 1 };
        Ok(KeyedIntegration { integration, key: made.then_some(text) })
    }

    /// Gives an integration another key; the old one ends at once.
    pub async fn set_integration_key(
        &self,
        caller: &Caller,
        id: IntegrationId,
        key: KeySource,
    ) -> Result<KeyedIntegration, ObjectError> {
        caller.require(Permission::ManageIntegrationKeys)?;
        let found = self.get::<Integration>(caller, id).await?;
        let (text, made) = take_key(key)?;
        let mut integration = found.object;
        integration.key_hint = hint(&text);
        let object = Object::Integration(integration.clone());
        let put = ObjectChange::Put { object, expected: None };
        self.save_configuration(caller, &[put, key_change(id, &text)]).await?;
        let version = found.version + 1;
        let integration = Versioned { object: integration, version };
        Ok(KeyedIntegration { integration, key: made.then_some(text) })
    }
}

/// The key, and whether we made it.
fn take_key(key: KeySource) -> Result<(SecretString, bool), ObjectError> {
    let given = match key {
        KeySource::Made => return Ok((secret::integration_key().into(), true)),
        KeySource::Given(given) => given,
    };
    let text = given.expose_secret();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if GIVEN_KEY_CHARS.contains(&text.len()) && text.bytes().all(plain) {
        return Ok((given, false));
    }
    let message = "a key has 16 to 128 letters, digits, - and _";
    Err(ObjectError::Invalid(vec![problem("/key", "key", message)]))
}

/// Sets the key, in the transaction of the other changes.
pub(crate) fn key_change(integration: IntegrationId, key: &SecretString) -> ObjectChange {
    ObjectChange::Key { integration, hash: secret::hash(key.expose_secret()) }
}

/// The first characters of a key, by which people tell keys apart.
pub(crate) fn hint(key: &SecretString) -> String {
    key.expose_secret().chars().take(HINT_CHARS).collect()
}
