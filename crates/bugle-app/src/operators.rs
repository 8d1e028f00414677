//! Pages the operators through the pipeline: what is wrong with the installation becomes an event
//! like any other, in a tenant of theirs, and is escalated until somebody answers.
//!
//! It shares the pipeline's fate. Whoever raises something logs it too.

use std::collections::BTreeSet;

use bugle_domain::alert::{Alert, AlertStatus};
use bugle_domain::event::{Action, EventBody, FOR_USER, Link, NewEvent};
use bugle_domain::integration::{DEFAULT_QUOTA_PER_MINUTE, Dialect};
use bugle_domain::{AlertId, AllTenants, IntegrationId, Severity, TenantId, TenantScope, UserId};
use bugle_store::StoreError;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::app::Inner;
use crate::entropy;
use crate::intake::IntakeError;

pub(crate) mod doctor;
mod failures;
pub(crate) mod providers;

/// What notices say they come from.
const SOURCE: &str = "bugle";

/// Something that is wrong with the installation.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Notice {
    /// Notices with the same key are one alert, as long as it is open. At most 255 bytes.
    pub(crate) key: String,
    /// What is wrong, in a line.
    pub(crate) summary: String,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What helps to mend it.
    pub(crate) details: Map<String, Value>,
}

/// The operators could not be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoticeError {
    /// There is neither an integration for notices nor an operator. It is in the log already, once.
    #[error("there is nobody to tell")]
    Nobody,
    /// The event was not taken.
    #[error("the event was not taken")]
    Intake(#[from] IntakeError),
    /// The database did not say where notices go.
    #[error("it is not known where notices go")]
    Store(#[from] StoreError),
}

/// Where notices go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Desk {
    tenant: TenantId,
    integration: IntegrationId,
    quota_per_minute: u32,
}

impl Desk {
    /// That of a tenant's fallback policy.
    fn own(tenant: TenantId) -> Self {
        let integration = IntegrationId::OWN;
        Self { tenant, integration, quota_per_minute: DEFAULT_QUOTA_PER_MINUTE }
    }
}

impl Inner {
    /// Tells the operators that something is wrong. Folds into what is open under the same key, so
    /// that saying it again pages nobody anew.
    ///
    /// # Errors
    ///
    /// [`NoticeError`]; it is safe to raise it again.
    pub(crate) async fn raise(&self, notice: &Notice) -> Result<(), NoticeError> {
        let desks = self.desks().await?;
        let nobody = desks.is_empty();
        if self.troubles.nobody_is_told(nobody) {
            if nobody {
                tracing::error!("there is nobody to tell of what is wrong: see bugle doctor");
            } else {
                tracing::info!("there is somebody to tell of what is wrong");
            }
        }
        if nobody {
            return Err(NoticeError::Nobody);
        }
        for desk in &desks {
            self.say(desk, Action::Trigger, notice.clone()).await?;
        }
        Ok(())
    }

    /// Resolves what is open under `key`; does nothing where nothing is.
    ///
    /// # Errors
    ///
    /// [`NoticeError`]; it is safe to clear it again.
    pub(crate) async fn clear(&self, key: &str) -> Result<(), NoticeError> {
        for desk in &self.desks().await? {
            if self.is_open(desk, key).await? {
                self.say(desk, Action::Resolve, over(key)).await?;
            }
        }
        Ok(())
    }

    /// Resolves what is or will be open under `key`: what was raised may not be decided yet.
    ///
    /// # Errors
    ///
    /// [`NoticeError`]; it is safe to end it again.
    pub(crate) async fn end(&self, key: &str) -> Result<(), NoticeError> {
        for desk in &self.desks().await? {
            self.say(desk, Action::Resolve, over(key)).await?;
        }
        Ok(())
    }

    /// Tells whoever a tenant's fallback policy names that something is owed to it.
    ///
    /// # Errors
    ///
    /// [`NoticeError`]; it is safe to raise it again.
    pub(crate) async fn raise_in(
        &self,
        tenant: TenantId,
        notice: &Notice,
    ) -> Result<(), NoticeError> {
        Ok(self.say(&Desk::own(tenant), Action::Trigger, notice.clone()).await?)
    }

    /// Pages one person of a tenant, and then whom its fallback policy names.
    ///
    /// # Errors
    ///
    /// [`IntakeError`]; it is safe to page them again.
    pub(crate) async fn page_user(
        &self,
        (tenant, user): (TenantId, UserId),
        mut notice: Notice,
        link: Link,
    ) -> Result<(), IntakeError> {
        notice.details.insert(FOR_USER.to_owned(), user.to_string().into());
        let body = EventBody { links: vec![link], ..body(Action::Trigger, notice) };
        self.accept(&Desk::own(tenant), body).await
    }

    /// Resolves what is or will be open under `key` in a tenant of one's own.
    ///
    /// # Errors
    ///
    /// [`IntakeError`]; it is safe to end it again.
    pub(crate) async fn end_in(&self, tenant: TenantId, key: &str) -> Result<(), IntakeError> {
        self.say(&Desk::own(tenant), Action::Resolve, over(key)).await
    }

    /// The newest alert under `key` of those that a tenant was told of by [`Self::raise_in`] or
    /// [`Self::page_user`].
    pub(crate) async fn own_alert(
        &self,
        tenant: TenantId,
        key: &str,
    ) -> Result<Option<Alert>, StoreError> {
        self.newest(&Desk::own(tenant), key).await
    }

    /// The newest alert under `key` among those of `tenant`'s to which notices go.
    pub(crate) async fn notice_alert(
        &self,
        tenant: TenantId,
        key: &str,
    ) -> Result<Option<Alert>, StoreError> {
        for desk in self.desks().await?.iter().filter(|desk| desk.tenant == tenant) {
            if let Some(alert) = self.newest(desk, key).await? {
                return Ok(Some(alert));
            }
        }
        Ok(None)
    }

    /// Whether somebody has answered what was raised under `key`.
    pub(crate) async fn is_answered(&self, key: &str) -> Result<bool, StoreError> {
        for desk in &self.desks().await? {
            let newest = self.newest(desk, key).await?;
            if newest.is_some_and(|alert| alert.status != AlertStatus::Open) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The integration that the configuration names, or else the fallback policy of each tenant
    /// that an operator is of.
    async fn desks(&self) -> Result<Vec<Desk>, StoreError> {
        if let Some(chosen) = self.chosen_desk().await? {
            return Ok(vec![chosen]);
        }
        let operators = self.store.operators(AllTenants::granted()).await?;
        let tenants: BTreeSet<TenantId> = operators.into_iter().map(|(tenant, _)| tenant).collect();
        Ok(tenants.into_iter().map(Desk::own).collect())
    }

    async fn chosen_desk(&self) -> Result<Option<Desk>, StoreError> {
        let Some(key) = &self.settings.operators_key else { return Ok(None) };
        let found = self.integration_keys.find(key.expose_secret()).await?;
        let usable = found.filter(|found| !found.integration.disabled);
        if usable.is_none() {
            tracing::error!("the key for notices to operators opens no integration");
        }
        Ok(usable.map(|found| Desk {
            tenant: found.tenant,
            integration: found.integration.id,
            quota_per_minute: found.integration.quota_per_minute,
        }))
    }

    async fn is_open(&self, desk: &Desk, key: &str) -> Result<bool, StoreError> {
        let newest = self.newest(desk, key).await?;
        Ok(newest.is_some_and(|alert| alert.status != AlertStatus::Resolved))
    }

    async fn newest(&self, desk: &Desk, key: &str) -> Result<Option<Alert>, StoreError> {
        let (scope, last) = (TenantScope::granted(desk.tenant), AlertId::from_stored(Uuid::max()));
        let newest = self.store.similar_alerts(scope, (desk.integration, key), last, 1).await?;
        Ok(newest.into_iter().next())
    }

    async fn say(&self, desk: &Desk, action: Action, notice: Notice) -> Result<(), IntakeError> {
        self.accept(desk, body(action, notice)).await
    }

    async fn accept(&self, desk: &Desk, body: EventBody) -> Result<(), IntakeError> {
        let now = self.clock.now();
        let id = entropy::event_id(now);
        // What stands for the request that others send, in `bugle why`.
        let raw = serde_json::to_vec(&body).ok();
        let event = NewEvent {
            id,
            tenant: desk.tenant,
            integration: desk.integration,
            dialect: Dialect::Native,
            received_at: now,
            idempotency_key: None,
            body,
            request: id,
            raw,
        };
        self.intake.accept(vec![event], desk.quota_per_minute).await.map(drop)
    }
}

/// What says that something is over.
fn over(key: &str) -> Notice {
    Notice {
        key: key.to_owned(),
        summary: "It is over".to_owned(),
        severity: Severity::Info,
        details: Map::new(),
    }
}

fn body(action: Action, notice: Notice) -> EventBody {
    EventBody {
        action,
        summary: notice.summary,
        severity: notice.severity,
        source: SOURCE.to_owned(),
        dedup_key: notice.key,
        occurred_at: None,
        ends_at: None,
        links: Vec::new(),
        details: notice.details,
    }
}
