//! Signatures of use cases whose bodies wait for the store. Shrinks to nothing.
#![expect(
    unused_variables,
    clippy::unused_async,
    clippy::too_many_arguments,
    reason = "bodies wait for the store"
)]

use bugle_domain::alert::Via;
use bugle_domain::contact::ContactMethod;
use bugle_domain::object::Tenant;
use bugle_domain::user::NotificationRules;
use bugle_domain::*;
use bugle_engine::respond::ResponseAction;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::alerts::error::AlertError;
use crate::alerts::*;
use crate::app::App;
use crate::apply::error::ApplyError;
use crate::apply::*;
use crate::audit::AuditLine;
use crate::caller::Caller;
use crate::doctor::Check;
use crate::error::StoreError;
use crate::events::*;
use crate::identity::error::*;
use crate::identity::*;
use crate::ledger::LedgerView;
use crate::methods::error::MethodError;
use crate::methods::*;
use crate::notifications::*;
use crate::objects::draft::*;
use crate::objects::error::ObjectError;
use crate::objects::*;
use crate::oncall::*;
use crate::paging::{Listed, Page};
use crate::reading::ReadError;
use crate::requests::error::SendEventError;
use crate::requests::*;
use crate::tenants::error::TenantError;
use crate::tenants::*;
use crate::why::Why;

impl App {
    /// Whether the installation has been set up.
    pub async fn setup_state(&self) -> Result<SetupState, SetupError> {
        Err(StoreError::NoTenant.into())
    }

    /// Makes the single-use token of the set-up URL and ends earlier ones; `None` after set-up. For the binary.
    pub async fn begin_setup(&self) -> Result<Option<SecretString>, SetupError> {
        Err(StoreError::NoTenant.into())
    }

    /// Makes the first tenant, its fallback policy and its first user, who becomes admin and operator.
    pub async fn complete_setup(
        &self,
        form: SetupForm,
        client: &ClientInfo,
    ) -> Result<SignedIn, SetupError> {
        Err(StoreError::NoTenant.into())
    }

    /// Signs somebody in with a password.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &SecretString,
        client: &ClientInfo,
    ) -> Result<SignedIn, SignInError> {
        Err(StoreError::NoTenant.into())
    }

    /// Signs somebody in with a single-use link, and uses it up.
    pub async fn sign_in_with_link(
        &self,
        token: &str,
        client: &ClientInfo,
    ) -> Result<SignedIn, SignInError> {
        Err(StoreError::NoTenant.into())
    }

    /// A single-use link for a user of any tenant. For the binary: the demo, and operators at the machine.
    pub async fn make_sign_in_link(
        &self,
        all: AllTenants,
        email: &str,
    ) -> Result<SignInLink, ProfileError> {
        Err(StoreError::NoTenant.into())
    }

    /// Who holds this session.
    pub async fn authenticate_session(
        &self,
        token: &str,
        request: RequestId,
    ) -> Result<Caller, AuthError> {
        Err(StoreError::NoTenant.into())
    }

    /// Who holds this API key.
    pub async fn authenticate_key(
        &self,
        bearer: &str,
        request: RequestId,
    ) -> Result<Caller, AuthError> {
        Err(StoreError::NoTenant.into())
    }

    /// Who the caller is.
    pub async fn me(&self, caller: &Caller) -> Result<Me, ProfileError> {
        Err(StoreError::NoTenant.into())
    }

    /// Ends the session that asks.
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), ProfileError> {
        Err(StoreError::NoTenant.into())
    }

    /// The caller's sessions, newest first.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<SessionView>, ProfileError> {
        Err(StoreError::NoTenant.into())
    }

    /// Ends one of the caller's sessions.
    pub async fn end_session(
        &self,
        caller: &Caller,
        session: SessionId,
    ) -> Result<(), ProfileError> {
        Err(StoreError::NoTenant.into())
    }

    /// Sets a password (the current one is asked for where there is one), ends all other sessions, and rotates this one.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: Option<&SecretString>,
        new: &SecretString,
        client: &ClientInfo,
    ) -> Result<SignedIn, ProfileError> {
        Err(StoreError::NoTenant.into())
    }

    /// Makes a user and a link that lets them in to choose a password.
    pub async fn invite_user(
        &self,
        caller: &Caller,
        draft: UserDraft,
    ) -> Result<Invited, ObjectError> {
        Err(StoreError::NoTenant.into())
    }

    /// A new link for a user who lost the password; the old password and sessions end.
    pub async fn renew_link(
        &self,
        caller: &Caller,
        user: UserId,
    ) -> Result<SignInLink, ProfileError> {
        Err(StoreError::NoTenant.into())
    }

    /// Makes an API key.
    pub async fn create_key(
        &self,
        caller: &Caller,
        new: NewApiKey,
    ) -> Result<CreatedApiKey, KeyError> {
        Err(StoreError::NoTenant.into())
    }

    /// The keys the caller may see: all with "manage API keys", else one's own.
    pub async fn keys(&self, caller: &Caller) -> Result<Vec<ApiKeyView>, KeyError> {
        Err(StoreError::NoTenant.into())
    }

    /// Ends a key at once.
    pub async fn revoke_key(&self, caller: &Caller, key: ApiKeyId) -> Result<(), KeyError> {
        Err(StoreError::NoTenant.into())
    }

    /// Objects of a kind, oldest first.
    pub async fn list<T: Noun>(
        &self,
        caller: &Caller,
        page: &Page,
    ) -> Result<Listed<T>, ObjectError> {
        Err(StoreError::NoTenant.into())
    }

    /// One object.
    pub async fn get<T: Noun>(
        &self,
        caller: &Caller,
        id: T::Id,
    ) -> Result<Versioned<T>, ObjectError> {
        Err(StoreError::NoTenant.into())
    }

    /// Makes an object. An integration made so has no key yet: see [`Self::create_integration`].
    pub async fn create<T: Noun>(
        &self,
        caller: &Caller,
        draft: T::Draft,
        options: WriteOptions,
    ) -> Result<Versioned<T>, ObjectError> {
        Err(StoreError::NoTenant.into())
    }

    /// Changes an object to what the draft says.
    pub async fn replace<T: Noun>(
        &self,
        caller: &Caller,
        id: T::Id,
        draft: T::Draft,
        options: WriteOptions,
    ) -> Result<Versioned<T>, ObjectError> {
        Err(StoreError::NoTenant.into())
    }

    /// Deletes an object that nothing depends on.
    pub async fn delete<T: Noun>(
        &self,
        caller: &Caller,
        id: T::Id,
        options: WriteOptions,
    ) -> Result<Deleted, ObjectError> {
        Err(StoreError::NoTenant.into())
    }

    /// Makes an integration and its key.
    pub async fn create_integration(
        &self,
        caller: &Caller,
        draft: IntegrationDraft,
        key: KeySource,
        options: WriteOptions,
    ) -> Result<KeyedIntegration, ObjectError> {
        Err(StoreError::NoTenant.into())
    }

    /// Gives an integration another key; the old one ends at once.
    pub async fn set_integration_key(
        &self,
        caller: &Caller,
        id: IntegrationId,
        key: KeySource,
    ) -> Result<KeyedIntegration, ObjectError> {
        Err(StoreError::NoTenant.into())
    }

    /// A user's contact methods, oldest first. Whole addresses for the user and for admins only; else masked where shown.
    pub async fn contact_methods(
        &self,
        caller: &Caller,
        user: UserId,
    ) -> Result<Vec<ContactMethod>, MethodError> {
        Err(StoreError::NoTenant.into())
    }

    /// Adds a method and sends its code.
    pub async fn add_method(
        &self,
        caller: &Caller,
        user: UserId,
        new: NewMethod,
    ) -> Result<AddedMethod, MethodError> {
        Err(StoreError::NoTenant.into())
    }

    /// Sends another code; earlier ones end.
    pub async fn send_code(
        &self,
        caller: &Caller,
        method: MethodId,
    ) -> Result<CodeSent, MethodError> {
        Err(StoreError::NoTenant.into())
    }

    /// Proves a method by the code that was sent to it.
    pub async fn prove_method(
        &self,
        caller: &Caller,
        method: MethodId,
        code: &str,
    ) -> Result<ContactMethod, MethodError> {
        Err(StoreError::NoTenant.into())
    }

    /// Renames a method.
    pub async fn rename_method(
        &self,
        caller: &Caller,
        method: MethodId,
        name: &str,
    ) -> Result<ContactMethod, MethodError> {
        Err(StoreError::NoTenant.into())
    }

    /// Removes a method and the rules that name it.
    pub async fn remove_method(
        &self,
        caller: &Caller,
        method: MethodId,
    ) -> Result<RemovedMethod, MethodError> {
        Err(StoreError::NoTenant.into())
    }

    /// Sends a test to a proven method.
    pub async fn test_method(
        &self,
        caller: &Caller,
        method: MethodId,
    ) -> Result<CodeSent, MethodError> {
        Err(StoreError::NoTenant.into())
    }

    /// A user's notification rules.
    pub async fn rules(&self, caller: &Caller, user: UserId) -> Result<RulesView, MethodError> {
        Err(StoreError::NoTenant.into())
    }

    /// Changes a user's notification rules.
    pub async fn put_rules(
        &self,
        caller: &Caller,
        user: UserId,
        rules: NotificationRules,
    ) -> Result<RulesView, MethodError> {
        Err(StoreError::NoTenant.into())
    }

    /// Alerts, newest first.
    pub async fn alerts(
        &self,
        caller: &Caller,
        query: &AlertQuery,
        page: &Page,
    ) -> Result<Listed<AlertRow>, AlertError> {
        Err(StoreError::NoTenant.into())
    }

    /// How many alerts there are.
    pub async fn alert_counts(&self, caller: &Caller) -> Result<AlertCounts, AlertError> {
        Err(StoreError::NoTenant.into())
    }

    /// The alert that `alr_…`, `4812` or `#4812` names.
    pub async fn find_alert(&self, caller: &Caller, text: &str) -> Result<AlertId, AlertError> {
        Err(StoreError::NoTenant.into())
    }

    /// Everything an alert's page needs.
    pub async fn alert(&self, caller: &Caller, id: AlertId) -> Result<AlertView, AlertError> {
        Err(StoreError::NoTenant.into())
    }

    /// Acknowledges, resolves or passes on.
    pub async fn answer(
        &self,
        caller: &Caller,
        id: AlertId,
        action: ResponseAction,
        via: Via,
    ) -> Result<Answered, AlertError> {
        Err(StoreError::NoTenant.into())
    }

    /// Writes a note into an alert's log.
    pub async fn add_note(
        &self,
        caller: &Caller,
        id: AlertId,
        text: &str,
    ) -> Result<TimelineLine, AlertError> {
        Err(StoreError::NoTenant.into())
    }

    /// What the link in a message shows. Changes nothing.
    pub async fn alert_by_token(&self, token: &str) -> Result<TokenView, AlertError> {
        Err(StoreError::NoTenant.into())
    }

    /// What the button behind such a link does.
    pub async fn answer_by_token(
        &self,
        token: &str,
        action: ResponseAction,
    ) -> Result<Answered, AlertError> {
        Err(StoreError::NoTenant.into())
    }

    /// Events, newest first.
    pub async fn events(
        &self,
        caller: &Caller,
        query: &EventQuery,
        page: &Page,
    ) -> Result<Listed<EventView>, ReadError> {
        Err(StoreError::NoTenant.into())
    }

    /// One event.
    pub async fn event(&self, caller: &Caller, id: EventId) -> Result<EventView, ReadError> {
        Err(StoreError::NoTenant.into())
    }

    /// The bytes an event came in.
    pub async fn raw_request(&self, caller: &Caller, id: EventId) -> Result<RawRequest, ReadError> {
        Err(StoreError::NoTenant.into())
    }

    /// Notifications, newest first.
    pub async fn notifications(
        &self,
        caller: &Caller,
        query: &NotificationQuery,
        page: &Page,
    ) -> Result<Listed<NotificationView>, ReadError> {
        Err(StoreError::NoTenant.into())
    }

    /// One notification with its attempts.
    pub async fn notification(
        &self,
        caller: &Caller,
        id: NotificationId,
    ) -> Result<NotificationView, ReadError> {
        Err(StoreError::NoTenant.into())
    }

    /// The last 50 requests of an integration, newest first.
    pub async fn requests(
        &self,
        caller: &Caller,
        integration: IntegrationId,
    ) -> Result<Vec<RequestView>, ReadError> {
        Err(StoreError::NoTenant.into())
    }

    /// Sends an event through the same intake as everybody's.
    pub async fn send_event(
        &self,
        caller: &Caller,
        integration: IntegrationId,
        event: SentEvent,
    ) -> Result<TakenEvent, SendEventError> {
        Err(StoreError::NoTenant.into())
    }

    /// Who would be paged now, without sending anything.
    pub async fn would_page(
        &self,
        caller: &Caller,
        integration: IntegrationId,
        severity: Severity,
    ) -> Result<WouldPage, ReadError> {
        Err(StoreError::NoTenant.into())
    }

    /// Who is on call in every schedule, by name.
    pub async fn on_call(&self, caller: &Caller) -> Result<Vec<OnCallNow>, ReadError> {
        Err(StoreError::NoTenant.into())
    }

    /// A schedule's result in a window of at most 400 days.
    pub async fn schedule_view(
        &self,
        caller: &Caller,
        id: ScheduleId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<ScheduleView, ReadError> {
        Err(StoreError::NoTenant.into())
    }

    /// The tenant's books.
    pub async fn ledger(&self, caller: &Caller) -> Result<LedgerView, ReadError> {
        Err(StoreError::NoTenant.into())
    }

    /// Everybody's books, for operators.
    pub async fn ledger_of_all(&self, caller: &Caller) -> Result<LedgerView, ReadError> {
        Err(StoreError::NoTenant.into())
    }

    /// Why an event had the effect it had.
    pub async fn why_event(&self, caller: &Caller, id: EventId) -> Result<Why, ReadError> {
        Err(StoreError::NoTenant.into())
    }

    /// Why an alert went as it did.
    pub async fn why_alert(&self, caller: &Caller, id: AlertId) -> Result<Why, ReadError> {
        Err(StoreError::NoTenant.into())
    }

    /// Plans a configuration file, and applies it in one transaction.
    pub async fn apply(
        &self,
        caller: &Caller,
        text: &str,
        format: FileFormat,
        options: ApplyOptions,
    ) -> Result<Applied, ApplyError> {
        Err(StoreError::NoTenant.into())
    }

    /// The configuration as such a file.
    pub async fn export(&self, caller: &Caller, format: FileFormat) -> Result<String, ApplyError> {
        Err(StoreError::NoTenant.into())
    }

    /// Every tenant, for operators.
    pub async fn tenants(&self, caller: &Caller) -> Result<Vec<Tenant>, TenantError> {
        Err(StoreError::NoTenant.into())
    }

    /// Makes a tenant with a fallback policy and its first admin.
    pub async fn create_tenant(
        &self,
        caller: &Caller,
        new: NewTenant,
    ) -> Result<CreatedTenant, TenantError> {
        Err(StoreError::NoTenant.into())
    }

    /// The tenant's own settings.
    pub async fn settings(&self, caller: &Caller) -> Result<TenantSettings, TenantError> {
        Err(StoreError::NoTenant.into())
    }

    /// Changes them.
    pub async fn save_settings(
        &self,
        caller: &Caller,
        settings: TenantSettings,
    ) -> Result<TenantSettings, TenantError> {
        Err(StoreError::NoTenant.into())
    }

    /// How the installation is doing.
    pub async fn doctor(&self, caller: &Caller) -> Result<Vec<Check>, ReadError> {
        Err(StoreError::NoTenant.into())
    }

    /// Who changed what, newest first.
    pub async fn audit(
        &self,
        caller: &Caller,
        page: &Page,
    ) -> Result<Listed<AuditLine>, ReadError> {
        Err(StoreError::NoTenant.into())
    }
}
