//! Tenants: the operator's list of them, and a tenant's own settings.

pub mod error;

use bugle_domain::object::Tenant;
use bugle_domain::{PolicyId, TenantScope};
use bugle_engine::zone;

use self::error::TenantError;
use crate::app::App;
use crate::caller::Caller;
use crate::error::problem;
use crate::identity::SignInLink;
use crate::identity::setup::Founder;
use crate::permission::Permission;

/// What a new tenant shall be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewTenant {
    /// What it is called, 1–120 characters.
    pub name: String,
    /// IANA name of its zone.
    pub time_zone: String,
    /// Name of its first admin.
    pub admin_name: String,
    /// Mail address of its first admin.
    pub admin_email: String,
}

/// A tenant that was just made.
#[derive(Clone, Debug)]
pub struct CreatedTenant {
    /// The tenant, with its fallback policy.
    pub tenant: Tenant,
    /// Signs its first admin in, once.
    pub link: SignInLink,
}

/// A tenant's own settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TenantSettings {
    /// What it is called.
    pub name: String,
    /// Who is told where nothing else was said.
    pub fallback_policy: PolicyId,
    /// IANA name of its zone.
    pub time_zone: String,
}

impl App {
    /// Every tenant, for operators.
    pub async fn tenants(&self, caller: &Caller) -> Result<Vec<Tenant>, TenantError> {
        let all = caller.all_tenants(Permission::ReadAllTenants)?;
        Ok(self.inner().store.tenants(all).await?)
    }

    /// Makes a tenant with a fallback policy and its first admin.
    pub async fn create_tenant(
        &self,
        caller: &Caller,
        new: NewTenant,
    ) -> Result<CreatedTenant, TenantError> {
        caller.require(Permission::ManageTenants)?;
        let founder = Founder {
            tenant: &new.name,
            name: &new.admin_name,
            email: &new.admin_email,
            time_zone: &new.time_zone,
        };
        let founding = self.found(&founder).map_err(TenantError::Invalid)?;
        let email = founding.user.email.as_str().to_lowercase();
        if self.inner().store.find_login(&email).await?.is_some() {
            let message = "somebody signs in with this address already";
            return Err(TenantError::Invalid(vec![problem("/admin_email", "taken", message)]));
        }
        let (tenant, user) = (founding.tenant.clone(), founding.user.id);
        self.establish(founding).await?;
        let link = self.link(TenantScope::granted(tenant.id), user).await?;
        Ok(CreatedTenant { tenant, link })
    }

    /// The tenant's own settings.
    pub async fn settings(&self, caller: &Caller) -> Result<TenantSettings, TenantError> {
        caller.require(Permission::ReadConfiguration)?;
        let directory = self.directory(caller.scope).await?;
        let tenant = &directory.tenant;
        Ok(TenantSettings {
            name: tenant.name.clone(),
            fallback_policy: tenant.fallback_policy.ok_or(TenantError::NoFallback)?,
            time_zone: tenant.time_zone.clone(),
        })
    }

    /// Changes them.
    pub async fn save_settings(
        &self,
        caller: &Caller,
        settings: TenantSettings,
    ) -> Result<TenantSettings, TenantError> {
        caller.require(Permission::EditTenant)?;
        let directory = self.directory(caller.scope).await?;
        let mut problems = Vec::new();
        let name = settings.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 120 {
            problems.push(problem("/name", "length", "write 1 to 120 characters"));
        }
        if zone::zone(&settings.time_zone).is_err() {
            problems.push(problem("/time_zone", "unknown_zone", "choose a zone such as UTC"));
        }
        if !directory.policies.contains_key(&settings.fallback_policy) {
            let message = "choose a policy that is told where nothing else was said";
            problems.push(problem("/fallback_policy", "missing", message));
        }
        if !problems.is_empty() {
            return Err(TenantError::Invalid(problems));
        }
        let tenant = Tenant {
            name,
            fallback_policy: Some(settings.fallback_policy),
            time_zone: settings.time_zone,
            ..directory.tenant.clone()
        };
        let (now, actor) = (self.now(), caller.audit_name());
        self.inner().store.save_tenant(caller.scope, &tenant, now, &actor).await?;
        self.inner().configuration_changed(caller.scope.tenant());
        self.settings(caller).await
    }
}
