//! Events by mail: every integration has an address of its own.

use std::sync::Arc;

use bugle_domain::{AllTenants, IntegrationId, TenantScope};
use bugle_store::StoreError;

use crate::app::{App, Inner};
use crate::caller::Caller;
use crate::keys::IntegrationRef;
use crate::permission::Permission;
use crate::reading::ReadError;
use crate::secret_address::Kind;

/// The addresses of integrations.
const KIND: Kind = Kind { prefix: "int-", purpose: b"event by mail" };

impl App {
    /// The address that an integration's events may be mailed to; `None`: Bugle reads no mail.
    pub fn event_address(&self, integration: IntegrationId) -> Option<String> {
        self.inner().event_address(integration)
    }

    /// The same for whoever may see the integration's key, since it opens as much.
    ///
    /// # Errors
    ///
    /// [`ReadError`]: they may not, or there is no such integration.
    pub async fn shown_event_address(
        &self,
        caller: &Caller,
        integration: IntegrationId,
    ) -> Result<Option<String>, ReadError> {
        caller.require(Permission::ManageIntegrationKeys)?;
        let directory = self.directory(caller.scope).await?;
        if !directory.integrations.contains_key(&integration) {
            return Err(ReadError::NotFound { what: "integration", id: integration.to_string() });
        }
        Ok(self.event_address(integration))
    }

    /// The integration whose address begins like this, if any.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database did not answer.
    pub async fn integration_at(
        &self,
        local: &str,
    ) -> Result<Option<Arc<IntegrationRef>>, StoreError> {
        let Some(id) = self.inner().id_in_address(KIND, local) else { return Ok(None) };
        let id = IntegrationId::from_stored(id);
        let found = self.inner().store.integration_of(AllTenants::granted(), id).await?;
        Ok(found.map(|(tenant, integration)| Arc::new(IntegrationRef { tenant, integration })))
    }

    /// What an event folds by that the integration took under one of these idempotency keys; the
    /// first of them that there is one for.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database did not answer.
    pub async fn dedup_key_of(
        &self,
        to: &IntegrationRef,
        idempotency_keys: &[String],
    ) -> Result<Option<String>, StoreError> {
        let scope = TenantScope::granted(to.tenant);
        self.inner().store.dedup_key_of(scope, to.integration.id, idempotency_keys).await
    }
}

impl Inner {
    /// As [`App::event_address`].
    pub(crate) fn event_address(&self, integration: IntegrationId) -> Option<String> {
        self.secret_address(KIND, integration.as_uuid())
    }
}

#[cfg(test)]
mod tests {
    use bugle_domain::integration::Dialect;
    use bugle_domain::role::Role;

    use super::*;
    use crate::objects::draft::IntegrationDraft;
    use crate::objects::{KeySource, WriteOptions};
    use crate::world::World;

    async fn integration(w: &World) -> IntegrationId {
        let draft = IntegrationDraft {
            name: "Mail".to_owned(),
            dialect: Dialect::Email,
            service: None,
            quota_per_minute: 100,
            disabled: false,
        };
        let options = WriteOptions { expected_version: None, dry_run: false };
        let made = w.app.create_integration(&w.admin, draft, KeySource::Made, options).await;
        made.unwrap().integration.object.id
    }

    #[tokio::test]
    async fn only_an_address_of_ours_finds_its_integration() {
        let w = World::new().await;
        let id = integration(&w).await;
        let address = w.app.event_address(id).unwrap();
        let (local, domain) = address.split_once('@').unwrap();
        assert!(domain == "in.example" && local.len() <= 64, "{address}");
        let found = w.app.integration_at(&local.to_uppercase()).await.unwrap().unwrap();
        assert_eq!((found.tenant, found.integration.id), (w.admin.scope.tenant(), id));
        let lena = w.person("Lena Ortiz", Role::Responder).await;
        let help = w.app.help_address(lena.user.unwrap()).unwrap();
        let help = help.split_once('@').unwrap().0.replace("help+", "int-");
        let last = if local.ends_with('q') { "a" } else { "q" };
        let forged = format!("{}{last}", &local[..local.len() - 1]);
        let gone = w.app.event_address(IntegrationId::new(w.app.now(), [9; 10]));
        let gone = gone.unwrap().split_once('@').unwrap().0.to_owned();
        for other in [&forged, "int-", "int-abc", &help, &gone, &local[..40]] {
            assert_eq!(w.app.integration_at(other).await.unwrap(), None, "{other}");
        }
        w.end().await;
    }
}
