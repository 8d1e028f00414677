//! Who asks: made where a credential was checked, and first argument of every use case.

use bugle_domain::alert::Actor;
use bugle_domain::role::Role;
use bugle_domain::{AllTenants, RequestId, SessionId, TenantScope, UserId};

use crate::error::Forbidden;
use crate::permission::{Permission, allows};

/// Somebody whose credential was checked, and on what they may lay hands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Whose data is meant.
    pub scope: TenantScope,
    /// Who acts, as written into timelines and the audit log.
    pub actor: Actor,
    /// The person, where one acts: signed in, or through a key of their own.
    pub user: Option<UserId>,
    /// What the caller may do in the tenant. A key's role, where it is less than its owner's.
    pub role: Role,
    /// Whether the caller also stands above tenants.
    pub operator: bool,
    /// The session that was used; `None` for keys.
    pub session: Option<SessionId>,
    /// The request that is being answered.
    pub request: RequestId,
}

impl Caller {
    /// Checks the permission table.
    ///
    /// # Errors
    ///
    /// [`Forbidden`], which names the permission that is missing.
    pub fn require(&self, permission: Permission) -> Result<(), Forbidden> {
        if self.may(permission) {
            return Ok(());
        }
        let who = match permission.holder() {
            crate::permission::Holder::From(_) => self.role.as_str(),
            crate::permission::Holder::Operator => "somebody who is not an operator",
        };
        Err(Forbidden { permission: permission.as_str(), who })
    }

    /// Whether the permission table allows it; for hiding what would be refused.
    pub fn may(&self, permission: Permission) -> bool {
        allows(self.role, self.operator, permission)
    }

    /// Whether the caller is this person.
    pub fn is(&self, user: UserId) -> bool {
        self.user == Some(user)
    }

    /// Access across tenants, for operators.
    ///
    /// # Errors
    ///
    /// [`Forbidden`] for everybody else.
    pub fn all_tenants(&self, permission: Permission) -> Result<AllTenants, Forbidden> {
        self.require(permission)?;
        Ok(AllTenants::granted())
    }

    /// How the caller is named to people: a person by name.
    pub(crate) fn shown_name(&self) -> String {
        match &self.actor {
            Actor::User { name, .. } => name.clone(),
            Actor::Key { .. } | Actor::Sender { .. } | Actor::System => self.audit_name(),
        }
    }

    /// How the caller is named in the audit log: `user usr_… Lena Ortiz`, `key deploys`.
    pub fn audit_name(&self) -> String {
        match &self.actor {
            Actor::User { id, name } => format!("user {id} {name}"),
            Actor::Key { name } => format!("key {name}"),
            Actor::Sender { integration } => format!("integration {integration}"),
            Actor::System => "bugle".to_owned(),
        }
    }
}
