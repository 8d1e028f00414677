//! Tenants: the operator's list of them, and a tenant's own settings.

pub mod error;

use bugle_domain::PolicyId;
use bugle_domain::object::Tenant;

use crate::identity::SignInLink;

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
