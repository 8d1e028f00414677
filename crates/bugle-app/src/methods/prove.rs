//! Contact methods: added, proven, renamed, tested, removed.

use bugle_domain::contact::{Address, Channel, ContactMethod};
use bugle_domain::object::{Directory, Object, ObjectKind};
use bugle_domain::{MethodId, UserId};
use bugle_store::ObjectChange;

use super::error::MethodError;
use super::send::{Saying, send};
use super::{
    AddedMethod, CODE_LIFETIME, CODE_TRIES, CodeSent, MAX_METHODS, NewMethod, RemovedMethod,
};
use crate::app::App;
use crate::caller::Caller;
use crate::entropy;
use crate::error::problem;
use crate::identity::secret;
use crate::permission::Permission;

impl App {
    /// A user's contact methods, oldest first: for that user, and for who manages users.
    pub async fn contact_methods(
        &self,
        caller: &Caller,
        user: UserId,
    ) -> Result<Vec<ContactMethod>, MethodError> {
        // Everybody may see their own, also who may not change them.
        if !caller.is(user) {
            may_change(caller, user)?;
        }
        let directory = self.directory(caller.scope).await?;
        known(&directory, user)?;
        Ok(directory.methods(user).cloned().collect())
    }

    /// Adds a method and sends its code.
    pub async fn add_method(
        &self,
        caller: &Caller,
        user: UserId,
        new: NewMethod,
    ) -> Result<AddedMethod, MethodError> {
        may_change(caller, user)?;
        let directory = self.directory(caller.scope).await?;
        known(&directory, user)?;
        let address = Address::parse(new.channel, &new.address).map_err(|error| {
            MethodError::Invalid(vec![problem("/address", "address", error.to_string())])
        })?;
        if directory.methods(user).any(|it| it.address == address) {
            let message = "this user has this contact method already";
            return Err(MethodError::Invalid(vec![problem("/address", "duplicate", message)]));
        }
        if directory.methods(user).count() >= MAX_METHODS {
            let message = format!("a user has at most {MAX_METHODS} contact methods");
            return Err(MethodError::Invalid(vec![problem("", "count", message)]));
        }
        let name = match new.name.trim() {
            "" => default_name(new.channel).to_owned(),
            name => name.to_owned(),
        };
        let id = MethodId::new(self.now(), entropy::bytes());
        let method = ContactMethod { id, user, name, address, proven_at: None };
        self.put_method(caller, &directory, &method, Some(0)).await?;
        let code = self.send_new_code(caller, &method).await?;
        Ok(AddedMethod { method, code })
    }

    /// Sends another code; earlier ones end.
    pub async fn send_code(
        &self,
        caller: &Caller,
        method: MethodId,
    ) -> Result<CodeSent, MethodError> {
        let directory = self.directory(caller.scope).await?;
        let method = own_method(caller, &directory, method)?;
        if method.proven_at.is_some() {
            return Err(MethodError::AlreadyProven);
        }
        self.send_new_code(caller, method).await
    }

    /// Proves a method by the code that was sent to it.
    pub async fn prove_method(
        &self,
        caller: &Caller,
        method: MethodId,
        code: &str,
    ) -> Result<ContactMethod, MethodError> {
        let directory = self.directory(caller.scope).await?;
        let method = own_method(caller, &directory, method)?;
        if method.proven_at.is_some() {
            return Err(MethodError::AlreadyProven);
        }
        let now = self.now();
        let digits: String = code.chars().filter(char::is_ascii_digit).collect();
        let hash = secret::hash(&digits);
        let store = &self.inner().store;
        if !store.take_proof(caller.scope, (method.id, &hash), now, CODE_TRIES).await? {
            return Err(MethodError::WrongCode);
        }
        let proven = ContactMethod { proven_at: Some(now), ..method.clone() };
        self.put_method(caller, &directory, &proven, None).await?;
        Ok(proven)
    }

    /// Renames a method.
    pub async fn rename_method(
        &self,
        caller: &Caller,
        method: MethodId,
        name: &str,
    ) -> Result<ContactMethod, MethodError> {
        let directory = self.directory(caller.scope).await?;
        let method = own_method(caller, &directory, method)?;
        let renamed = ContactMethod { name: name.trim().to_owned(), ..method.clone() };
        self.put_method(caller, &directory, &renamed, None).await?;
        Ok(renamed)
    }

    /// Removes a method and the rules that name it.
    pub async fn remove_method(
        &self,
        caller: &Caller,
        method: MethodId,
    ) -> Result<RemovedMethod, MethodError> {
        let directory = self.directory(caller.scope).await?;
        let id = own_method(caller, &directory, method)?.id;
        let owner = own_method(caller, &directory, method)?.user;
        let mut user = known(&directory, owner)?.clone();
        let count =
            |user: &bugle_domain::user::User| user.rules.urgent.len() + user.rules.normal.len();
        let before = count(&user);
        user.rules.urgent.retain(|rule| rule.method != id);
        user.rules.normal.retain(|rule| rule.method != id);
        let rules_removed = before - count(&user);
        let mut changes = vec![ObjectChange::Delete { kind: ObjectKind::Method, id: id.as_uuid() }];
        if rules_removed > 0 {
            changes.push(ObjectChange::Put { object: Object::User(user), expected: None });
        }
        self.save_configuration(caller, &changes).await?;
        let sentence = match rules_removed {
            0 => String::new(),
            1 => "1 notification rule that used it was removed.".to_owned(),
            many => format!("{many} notification rules that used it were removed."),
        };
        Ok(RemovedMethod { rules_removed, sentence })
    }

    /// Sends a test to a proven method.
    pub async fn test_method(
        &self,
        caller: &Caller,
        method: MethodId,
    ) -> Result<CodeSent, MethodError> {
        let directory = self.directory(caller.scope).await?;
        let method = own_method(caller, &directory, method)?;
        if method.proven_at.is_none() {
            return Err(MethodError::NotProven);
        }
        self.may_send_to(method.id)?;
        Ok(send(self.inner(), caller.scope.tenant(), method, &Saying::Test).await)
    }

    async fn send_new_code(
        &self,
        caller: &Caller,
        method: &ContactMethod,
    ) -> Result<CodeSent, MethodError> {
        self.may_send_to(method.id)?;
        let code = secret::code();
        let until = self.now().saturating_add(CODE_LIFETIME).unwrap_or(jiff::Timestamp::MAX);
        let hash = secret::hash(&code);
        self.inner().store.create_proof(caller.scope, method.id, &hash, until).await?;
        let tenant = caller.scope.tenant();
        Ok(send(self.inner(), tenant, method, &Saying::Code(code)).await)
    }

    fn may_send_to(&self, method: MethodId) -> Result<(), MethodError> {
        let early = |retry_after| MethodError::TooMany { retry_after };
        self.inner().limits.messages_to.take(&method).map_err(early)
    }

    async fn put_method(
        &self,
        caller: &Caller,
        directory: &Directory,
        method: &ContactMethod,
        expected: Option<i64>,
    ) -> Result<(), MethodError> {
        let object = Object::Method(method.clone());
        let problems = bugle_engine::check::check(&object, directory);
        if !problems.is_empty() {
            return Err(MethodError::Invalid(problems));
        }
        self.save_configuration(caller, &[ObjectChange::Put { object, expected }]).await?;
        Ok(())
    }
}

/// One's own contact methods, or anybody's for who manages users.
pub(super) fn may_change(caller: &Caller, user: UserId) -> Result<(), MethodError> {
    let own = caller.is(user);
    caller.require(if own { Permission::OwnContact } else { Permission::ManageUsers })?;
    Ok(())
}

pub(super) fn known(
    directory: &Directory,
    user: UserId,
) -> Result<&bugle_domain::user::User, MethodError> {
    directory.users.get(&user).ok_or(MethodError::NoSuchUser(user))
}

fn own_method<'a>(
    caller: &Caller,
    directory: &'a Directory,
    id: MethodId,
) -> Result<&'a ContactMethod, MethodError> {
    let method = directory.methods.get(&id);
    // Whether it exists is nobody's business who may not change it.
    caller.require(Permission::OwnContact)?;
    let method = method.ok_or(MethodError::NoSuchMethod(id))?;
    may_change(caller, method.user).map_err(|error| match error {
        MethodError::Forbidden(_) => MethodError::NoSuchMethod(id),
        other => other,
    })?;
    Ok(method)
}

fn default_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "mail",
        Channel::Sms => "text messages",
        Channel::Voice => "calls",
        Channel::Webhook => "program",
    }
}
