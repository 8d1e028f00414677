//! Single-use links that let somebody in without a password.

use bugle_domain::user::User;
use bugle_domain::{AllTenants, TenantScope, UserId};

use bugle_store::Purpose;

use super::error::ProfileError;
use super::session::later;
use super::{Invited, LINK_LIFETIME, SignInLink, secret};
use crate::app::App;
use crate::caller::Caller;
use crate::objects::WriteOptions;
use crate::objects::draft::UserDraft;
use crate::objects::error::ObjectError;
use crate::permission::Permission;

impl App {
    /// A single-use link for a user of any tenant. For the binary: the demo, and operators at the
    /// machine.
    pub async fn make_sign_in_link(
        &self,
        _: AllTenants,
        email: &str,
    ) -> Result<SignInLink, ProfileError> {
        let email = email.trim().to_lowercase();
        let login = self.inner().store.find_login(&email).await?;
        let login = login.ok_or(ProfileError::NoSuchUser(email))?;
        Ok(self.link(TenantScope::granted(login.tenant), login.user).await?)
    }

    /// Makes a user and a link that lets them in to choose a password.
    pub async fn invite_user(
        &self,
        caller: &Caller,
        draft: UserDraft,
    ) -> Result<Invited, ObjectError> {
        let made = self.create::<User>(caller, draft, WriteOptions::default()).await?;
        let link = self.link(caller.scope, made.object.id).await?;
        Ok(Invited { user: made.object, version: made.version, link })
    }

    /// A new link for a user who lost the password; the old password and sessions end.
    pub async fn renew_link(
        &self,
        caller: &Caller,
        user: UserId,
    ) -> Result<SignInLink, ProfileError> {
        caller.require(Permission::ManageUsers)?;
        let directory = self.directory(caller.scope).await?;
        if !directory.users.contains_key(&user) {
            return Err(ProfileError::NoSuchUser(user.to_string()));
        }
        let store = &self.inner().store;
        store.clear_password(caller.scope, user).await?;
        store.delete_sessions(caller.scope, user, None).await?;
        Ok(self.link(caller.scope, user).await?)
    }

    pub(crate) async fn link(
        &self,
        scope: TenantScope,
        user: UserId,
    ) -> Result<SignInLink, bugle_store::StoreError> {
        let token = secret::token();
        let until = later(self.now(), LINK_LIFETIME);
        let hash = secret::hash(&token);
        let whose = Some((scope.tenant(), user));
        self.inner().store.create_token((&hash, Purpose::SignIn), whose, until).await?;
        Ok(SignInLink { user, token: token.into(), until })
    }
}
