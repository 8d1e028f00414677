//! API keys: made, listed, revoked.

use bugle_domain::ApiKeyId;
use bugle_store::ApiKey;

use super::error::KeyError;
use super::{ApiKeyView, CreatedApiKey, NewApiKey, secret};
use crate::app::App;
use crate::caller::Caller;
use crate::entropy;
use crate::error::problem;
use crate::permission::Permission;

const NAME_CHARS: std::ops::RangeInclusive<usize> = 1..=80;

impl App {
    /// Makes an API key.
    pub async fn create_key(
        &self,
        caller: &Caller,
        new: NewApiKey,
    ) -> Result<CreatedApiKey, KeyError> {
        caller.require(if new.personal { Permission::OwnKeys } else { Permission::ManageKeys })?;
        if new.personal && caller.user.is_none() {
            return Err(KeyError::NotAPerson);
        }
        if new.role > caller.role {
            return Err(KeyError::RoleTooHigh(caller.role));
        }
        let now = self.now();
        let name = new.name.trim().to_owned();
        let mut problems = Vec::new();
        if !NAME_CHARS.contains(&name.chars().count()) {
            problems.push(problem("/name", "length", "write 1 to 80 characters"));
        }
        if new.expires_at.is_some_and(|end| end <= now) {
            problems.push(problem("/expires_at", "order", "must be later than now"));
        }
        if !problems.is_empty() {
            return Err(KeyError::Invalid(problems));
        }
        let text = secret::api_key();
        let key = ApiKey {
            id: ApiKeyId::new(now, entropy::bytes()),
            tenant: caller.scope.tenant(),
            name,
            role: new.role,
            hint: secret::api_key_hint(&text),
            user: caller.user.filter(|_| new.personal),
            created_at: now,
            expires_at: new.expires_at,
            used_at: None,
            revoked_at: None,
        };
        let hash = secret::hash(&text);
        self.inner().store.create_api_key(caller.scope, &hash, &key).await?;
        Ok(CreatedApiKey { key: view(key), secret: text.into() })
    }

    /// The keys the caller may see: all with "manage API keys", else one's own.
    pub async fn keys(&self, caller: &Caller) -> Result<Vec<ApiKeyView>, KeyError> {
        caller.require(Permission::OwnKeys)?;
        let mut keys = self.inner().store.api_keys(caller.scope).await?;
        let all = caller.may(Permission::ManageKeys);
        keys.retain(|key| key.revoked_at.is_none() && (all || own(caller, key)));
        Ok(keys.into_iter().map(view).collect())
    }

    /// Ends a key at once.
    pub async fn revoke_key(&self, caller: &Caller, key: ApiKeyId) -> Result<(), KeyError> {
        if !self.keys(caller).await?.iter().any(|it| it.id == key) {
            return Err(KeyError::NoSuchKey(key));
        }
        self.inner().store.revoke_api_key(caller.scope, key, self.now()).await?;
        Ok(())
    }
}

fn own(caller: &Caller, key: &ApiKey) -> bool {
    caller.user.is_some() && key.user == caller.user
}

fn view(key: ApiKey) -> ApiKeyView {
    ApiKeyView {
        id: key.id,
        name: key.name,
        hint: key.hint,
        role: key.role,
        owner: key.user,
        created_at: key.created_at,
        expires_at: key.expires_at,
        last_used_at: key.used_at,
    }
}
