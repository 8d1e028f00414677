//! Signing in, and what a session or a key says about who asks.

use bugle_domain::alert::Actor;
use bugle_domain::object::Directory;
use bugle_domain::role::Role;
use bugle_domain::text::{one_line, truncate};
use bugle_domain::{RequestId, SessionId, TenantScope, UserId};
use bugle_store::{Purpose, Session};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::error::{AuthError, ProfileError, SignInError};
use super::{
    ClientInfo, Me, SESSION_ABSOLUTE, SESSION_IDLE, SessionView, SignedIn, password, secret,
};
use crate::app::App;
use crate::caller::Caller;
use crate::entropy;
use crate::limits::place;
use crate::permission::Permission;

/// How long a session or key is used before its time of use is written again.
const TOUCH_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// How much of what a browser calls itself is kept.
const AGENT_CHARS: usize = 200;

impl App {
    /// Signs somebody in with a password.
    ///
    /// An unknown address takes as long as a known one, and both answers are the same.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &SecretString,
        client: &ClientInfo,
    ) -> Result<SignedIn, SignInError> {
        let email = email.trim().to_lowercase();
        let limits = &self.inner().limits;
        let early = |retry_after| SignInError::TooMany { retry_after };
        limits.sign_in_from.take(&place(client.ip)).map_err(early)?;
        limits.sign_in_as.take(&email).map_err(early)?;
        let login = self.inner().store.find_login(&email).await?;
        let stored = login.as_ref().and_then(|login| login.password_hash.clone());
        let right = password::verify(password, stored).await;
        let Some(login) = login.filter(|_| right) else { return Err(SignInError::Refused) };
        let scope = TenantScope::granted(login.tenant);
        self.begin_session(scope, login.user, client).await?.ok_or(SignInError::Refused)
    }

    /// Signs somebody in with a single-use link, and uses it up.
    pub async fn sign_in_with_link(
        &self,
        token: &str,
        client: &ClientInfo,
    ) -> Result<SignedIn, SignInError> {
        let early = |retry_after| SignInError::TooMany { retry_after };
        self.inner().limits.sign_in_from.take(&place(client.ip)).map_err(early)?;
        let hash = secret::hash(token);
        let taken = self.inner().store.take_token((&hash, Purpose::SignIn), self.now()).await?;
        let (tenant, user) = taken.and_then(|taken| taken.user).ok_or(SignInError::BadLink)?;
        let scope = TenantScope::granted(tenant);
        self.begin_session(scope, user, client).await?.ok_or(SignInError::BadLink)
    }

    /// A new session of a user; `None` where the user is disabled or gone.
    pub(super) async fn begin_session(
        &self,
        scope: TenantScope,
        user: UserId,
        client: &ClientInfo,
    ) -> Result<Option<SignedIn>, bugle_store::StoreError> {
        let now = self.now();
        let directory = self.directory(scope).await?;
        let store = &self.inner().store;
        let operator = store.is_operator(scope, user).await?;
        let id = SessionId::new(now, entropy::bytes());
        let Some(caller) = caller_of(&directory, user, client.request, operator) else {
            return Ok(None);
        };
        let token = secret::token();
        let session = Session {
            id,
            tenant: scope.tenant(),
            user,
            created_at: now,
            seen_at: now,
            expires_at: later(now, SESSION_ABSOLUTE),
            agent: truncate(&one_line(&client.user_agent), AGENT_CHARS),
        };
        store.create_session(scope, &secret::hash(&token), &session).await?;
        Ok(Some(SignedIn {
            caller: Caller { session: Some(id), ..caller },
            token: token.into(),
            idle_until: later(now, SESSION_IDLE),
            until: later(now, SESSION_ABSOLUTE),
        }))
    }

    /// Who holds this session. A user who was disabled, or whose role changed, is seen so at once.
    pub async fn authenticate_session(
        &self,
        token: &str,
        request: RequestId,
    ) -> Result<Caller, AuthError> {
        let now = self.now();
        let store = &self.inner().store;
        let found = store.find_session(&secret::hash(token)).await?;
        let session = found.filter(|session| is_live(session, now)).ok_or(AuthError::NoSession)?;
        let scope = TenantScope::granted(session.tenant);
        let directory = self.directory(scope).await?;
        let operator = store.is_operator(scope, session.user).await?;
        let caller = caller_of(&directory, session.user, request, operator);
        let caller = caller.ok_or(AuthError::Disabled)?;
        if now.duration_since(session.seen_at) >= TOUCH_AFTER {
            store.touch_session(scope, session.id, now).await?;
        }
        Ok(Caller { session: Some(session.id), ..caller })
    }

    /// Who holds this API key.
    pub async fn authenticate_key(
        &self,
        bearer: &str,
        request: RequestId,
    ) -> Result<Caller, AuthError> {
        if !secret::is_api_key(bearer) {
            return Err(AuthError::BadKey);
        }
        let now = self.now();
        let store = &self.inner().store;
        let found = store.find_api_key(&secret::hash(bearer)).await?;
        let key = found.filter(|key| key.revoked_at.is_none()).ok_or(AuthError::BadKey)?;
        if key.expires_at.is_some_and(|end| end <= now) {
            return Err(AuthError::KeyExpired);
        }
        let scope = TenantScope::granted(key.tenant);
        let mut caller = Caller {
            scope,
            actor: Actor::Key { name: key.name.clone() },
            user: None,
            role: key.role,
            operator: false,
            session: None,
            request,
        };
        if let Some(owner) = key.user {
            let directory = self.directory(scope).await?;
            let operator = store.is_operator(scope, owner).await?;
            let own = caller_of(&directory, owner, request, operator);
            let own = own.ok_or(AuthError::Disabled)?;
            // A key never does more than its owner may by now.
            let role = key.role.min(own.role);
            caller = Caller { role, operator: own.operator && role == Role::Admin, ..own };
        }
        if key.used_at.is_none_or(|used| now.duration_since(used) >= TOUCH_AFTER) {
            store.touch_api_key(scope, key.id, now).await?;
        }
        Ok(caller)
    }

    /// Who the caller is.
    pub async fn me(&self, caller: &Caller) -> Result<Me, ProfileError> {
        let directory = self.directory(caller.scope).await?;
        let user = caller.user.and_then(|id| directory.users.get(&id)).cloned();
        let zone = user.as_ref().map_or(&directory.tenant.time_zone, |user| &user.time_zone);
        Ok(Me {
            time_zone: zone.clone(),
            tenant: directory.tenant.name.clone(),
            tenant_id: directory.tenant.id,
            role: caller.role,
            operator: caller.operator,
            user,
        })
    }

    /// Ends the session that asks.
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), ProfileError> {
        if let Some(session) = caller.session {
            self.inner().store.delete_session(caller.scope, session).await?;
        }
        Ok(())
    }

    /// The caller's sessions, newest first.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<SessionView>, ProfileError> {
        caller.require(Permission::OwnSessions)?;
        let user = caller.user.ok_or(ProfileError::NotAPerson)?;
        let now = self.now();
        let mut sessions = self.inner().store.sessions(caller.scope, user, now).await?;
        sessions.retain(|session| is_live(session, now));
        sessions.sort_by_key(|session| std::cmp::Reverse(session.created_at));
        let view = |it: Session| SessionView {
            id: it.id,
            created_at: it.created_at,
            last_used_at: it.seen_at,
            user_agent: it.agent,
            current: caller.session == Some(it.id),
        };
        Ok(sessions.into_iter().map(view).collect())
    }

    /// Ends one of the caller's sessions.
    pub async fn end_session(
        &self,
        caller: &Caller,
        session: SessionId,
    ) -> Result<(), ProfileError> {
        let own = self.sessions(caller).await?;
        if !own.iter().any(|it| it.id == session) {
            return Err(ProfileError::NoSuchSession(session));
        }
        self.inner().store.delete_session(caller.scope, session).await?;
        Ok(())
    }

    /// Sets a password (the current one is asked for where there is one), ends all other sessions,
    /// and rotates this one.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: Option<&SecretString>,
        new: &SecretString,
        client: &ClientInfo,
    ) -> Result<SignedIn, ProfileError> {
        caller.require(Permission::OwnSessions)?;
        let (Some(user), Some(_)) = (caller.user, caller.session) else {
            return Err(ProfileError::NotAPerson);
        };
        let directory = self.directory(caller.scope).await?;
        let found = directory.users.get(&user);
        let email = found.map(|user| user.email.to_string()).unwrap_or_default();
        let early = |_| ProfileError::WrongPassword;
        self.inner().limits.sign_in_as.take(&email.to_lowercase()).map_err(early)?;
        let store = &self.inner().store;
        if let Some(stored) = store.password_hash(caller.scope, user).await? {
            let none = SecretString::from("");
            if !password::verify(current.unwrap_or(&none), Some(stored)).await {
                return Err(ProfileError::WrongPassword);
            }
        }
        let problems = password::check("/new", new, &email);
        if !problems.is_empty() {
            return Err(ProfileError::Invalid(problems));
        }
        let hash = password::hash(new).await;
        store.set_password(caller.scope, user, &hash, self.now()).await?;
        store.delete_sessions(caller.scope, user, None).await?;
        let signed_in = self.begin_session(caller.scope, user, client).await?;
        signed_in.ok_or_else(|| ProfileError::NoSuchUser(user.to_string()))
    }
}

/// A person as a caller; `None` where disabled or gone.
pub(crate) fn caller_of(
    directory: &Directory,
    user: UserId,
    request: RequestId,
    operator: bool,
) -> Option<Caller> {
    let user = directory.users.get(&user).filter(|user| !user.disabled)?;
    Some(Caller {
        scope: TenantScope::granted(directory.tenant.id),
        actor: Actor::User { id: user.id, name: user.name.clone() },
        user: Some(user.id),
        role: user.role,
        operator,
        session: None,
        request,
    })
}

fn is_live(session: &Session, now: Timestamp) -> bool {
    now < session.expires_at && now < later(session.seen_at, SESSION_IDLE)
}

pub(super) fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}
