//! First-run set-up: the first tenant, its fallback policy, and the first person.

use bugle_domain::contact::EmailAddress;
use bugle_domain::object::{Object, Tenant};
use bugle_domain::policy::{Level, Policy, Target};
use bugle_domain::role::Role;
use bugle_domain::user::{NotificationRules, User};
use bugle_domain::{AllTenants, PolicyId, TenantId, TenantScope, UserId};
use bugle_engine::zone;
use bugle_store::{ObjectChange, Purpose};
use secrecy::{ExposeSecret, SecretString};

use super::error::SetupError;
use super::session::later;
use super::{ClientInfo, LINK_LIFETIME, SetupForm, SetupState, SignedIn, password, secret};
use crate::app::App;
use crate::entropy;
use crate::error::{Problem, problem};

/// Name of the policy that set-up makes.
const FALLBACK_NAME: &str = "Fallback";
/// How long the fallback waits for an answer before it begins again, in seconds.
const FALLBACK_DELAY_S: u32 = 300;
/// How often the fallback is gone through again.
const FALLBACK_REPEAT: u8 = 9;
const NAME_CHARS: std::ops::RangeInclusive<usize> = 1..=120;

/// A tenant and its first person, checked.
#[derive(Debug)]
pub(crate) struct Founding {
    pub(crate) tenant: Tenant,
    pub(crate) user: User,
    pub(crate) policy: Policy,
}

impl App {
    /// Whether the installation has been set up.
    pub async fn setup_state(&self) -> Result<SetupState, SetupError> {
        let tenants = self.inner().store.tenants(AllTenants::granted()).await?;
        Ok(if tenants.is_empty() { SetupState::Needed } else { SetupState::Done })
    }

    /// Makes the single-use token of the set-up URL and ends earlier ones; `None` after set-up.
    pub async fn begin_setup(&self) -> Result<Option<SecretString>, SetupError> {
        if self.setup_state().await? == SetupState::Done {
            return Ok(None);
        }
        let token = secret::token();
        let until = later(self.now(), LINK_LIFETIME);
        let store = &self.inner().store;
        store.end_tokens(AllTenants::granted(), Purpose::Setup).await?;
        store.create_token((&secret::hash(&token), Purpose::Setup), None, until).await?;
        Ok(Some(token.into()))
    }

    /// Makes the first tenant, its fallback policy and its first user, who becomes admin and
    /// operator.
    pub async fn complete_setup(
        &self,
        form: SetupForm,
        client: &ClientInfo,
    ) -> Result<SignedIn, SetupError> {
        if self.setup_state().await? == SetupState::Done {
            return Err(SetupError::AlreadyDone);
        }
        let founding = self.found(&Founder::of(&form)).map_err(|mut problems| {
            problems.extend(password::check("/password", &form.password, &form.email));
            SetupError::Invalid(problems)
        })?;
        let problems = password::check("/password", &form.password, &form.email);
        if !problems.is_empty() {
            return Err(SetupError::Invalid(problems));
        }
        let hash = password::hash(&form.password).await;
        let now = self.now();
        let store = &self.inner().store;
        // Taken last before the first write: whoever mistypes may try again with the same link.
        let token = secret::hash(form.token.expose_secret());
        if store.take_token((&token, Purpose::Setup), now).await?.is_none() {
            return Err(SetupError::BadToken);
        }
        let (scope, user) = (TenantScope::granted(founding.tenant.id), founding.user.id);
        self.establish(founding).await?;
        store.set_password(scope, user, &hash, now).await?;
        store.set_operator(scope, user, true, now).await?;
        let signed_in = self.begin_session(scope, user, client).await?;
        signed_in.ok_or(SetupError::BadToken)
    }

    /// Checks what is needed for a tenant, and makes up its objects.
    pub(crate) fn found(&self, founder: &Founder<'_>) -> Result<Founding, Vec<Problem>> {
        let now = self.now();
        let mut problems = Vec::new();
        let mut name = |pointer: &str, text: &str| {
            let text = text.trim().to_owned();
            if !NAME_CHARS.contains(&text.chars().count()) {
                problems.push(problem(pointer, "length", "write 1 to 120 characters"));
            }
            text
        };
        let (called, person) = (name("/tenant", founder.tenant), name("/name", founder.name));
        let email = founder.email.parse::<EmailAddress>();
        if let Err(error) = &email {
            problems.push(problem("/email", "address", error.to_string()));
        }
        if zone::zone(founder.time_zone).is_err() {
            problems.push(problem("/time_zone", "unknown_zone", "choose a zone such as UTC"));
        }
        let Some(email) = email.ok().filter(|_| problems.is_empty()) else {
            return Err(problems);
        };
        let user = User {
            id: UserId::new(now, entropy::bytes()),
            name: person,
            email,
            role: Role::Admin,
            time_zone: founder.time_zone.to_owned(),
            rules: NotificationRules::default(),
            disabled: false,
        };
        let policy = Policy {
            id: PolicyId::new(now, entropy::bytes()),
            name: FALLBACK_NAME.to_owned(),
            levels: vec![Level { targets: vec![Target::User(user.id)], delay_s: FALLBACK_DELAY_S }],
            repeat: FALLBACK_REPEAT,
        };
        let tenant = Tenant {
            id: TenantId::new(now, entropy::bytes()),
            name: called,
            fallback_policy: Some(policy.id),
            time_zone: founder.time_zone.to_owned(),
            created_at: now,
        };
        Ok(Founding { tenant, user, policy })
    }

    /// Writes a tenant and its first objects.
    pub(crate) async fn establish(
        &self,
        founding: Founding,
    ) -> Result<(), bugle_store::StoreError> {
        let Founding { tenant, user, policy } = founding;
        let store = &self.inner().store;
        store.create_tenant(AllTenants::granted(), &tenant).await?;
        let scope = TenantScope::granted(tenant.id);
        let put = |object| ObjectChange::Put { object, expected: Some(0) };
        let changes = [put(Object::User(user)), put(Object::Policy(policy))];
        store.save_objects(scope, &changes, self.now(), "set-up").await?;
        self.inner().configuration_changed(tenant.id);
        Ok(())
    }
}

/// Who founds a tenant, as typed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Founder<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) name: &'a str,
    pub(crate) email: &'a str,
    pub(crate) time_zone: &'a str,
}

impl<'a> Founder<'a> {
    fn of(form: &'a SetupForm) -> Self {
        Self {
            tenant: &form.tenant,
            name: &form.name,
            email: &form.email,
            time_zone: &form.time_zone,
        }
    }
}
