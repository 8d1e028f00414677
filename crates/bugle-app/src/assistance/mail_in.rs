//! Asking by mail: everybody who may ask has an address of their own, and what they write there
//! opens a request, or adds to one.
//!
//! Who a mail says that it is from proves nothing. The address does: it is made from the key of the
//! installation and the person's id, so that it stands in no table and nobody can guess it. What
//! came of a mail is told at the person's own proven address, and nowhere else.

use bugle_channels::{Content, Correspondence};
use bugle_domain::text::{one_line, truncate};
use bugle_domain::{AlertId, AllTenants, RequestId, TenantScope, UserId};
use bugle_engine::assistance::letter::{self, Named};
use bugle_engine::message::html::escaped;

use super::error::AssistanceError;
use super::{AssistanceView, MAX_TEXT, NewAssistance};
use crate::app::{App, Inner};
use crate::caller::Caller;
use crate::entropy;
use crate::error::{Chain, UseCaseError as _};
use crate::identity::session::caller_of;
use crate::keyed_requests::{Asked, Begun, Ended, KeyedRequestError, Turn};
use crate::permission::Permission;
use crate::secret_address::Kind;

/// The addresses of people who may ask.
const KIND: Kind = Kind { prefix: "help+", purpose: b"help by mail" };
/// Longest subject of an answer, in characters of what was asked.
const SUBJECT_CHARS: usize = 60;
/// A mail that was begun and never ended, as when its node died, is done once more.
const TURNS: [&str; 2] = ["", " again"];

/// Whoever an address belongs to, and may ask.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Correspondent(Caller);

/// A mail, as far as it is looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMail {
    /// The same for the same mail, whenever it comes. At most 200 bytes.
    pub key: String,
    /// Its `Message-ID`, with the brackets; printable ASCII.
    pub id: Option<String>,
    /// One line.
    pub subject: String,
    /// The first part that is text.
    pub text: String,
    /// The ids of the mails that it answers, the nearest last.
    pub answered: Vec<String>,
}

/// What came of a mail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It opened a request, or added to one.
    Done,
    /// It came before, and nothing was done.
    Repeated,
    /// It is being taken at this moment; it may come again.
    Running,
}

impl App {
    /// The address that somebody may write to; `None`: Bugle reads no mail.
    pub fn help_address(&self, user: UserId) -> Option<String> {
        self.inner().help_address(user)
    }

    /// Whose address begins like this, if there is somebody who may ask.
    ///
    /// # Errors
    ///
    /// [`AssistanceError::Store`] if that cannot be said now.
    pub async fn correspondent(
        &self,
        local: &str,
    ) -> Result<Option<Correspondent>, AssistanceError> {
        let Some(user) = self.inner().user_of_help(local) else { return Ok(None) };
        let tenant = self.inner().store.tenant_of_user(AllTenants::granted(), user).await?;
        let Some(tenant) = tenant else { return Ok(None) };
        let scope = TenantScope::granted(tenant);
        let directory = self.directory(scope).await?;
        let request = RequestId::new(self.now(), entropy::bytes());
        let caller = caller_of(&directory, user, request, false);
        Ok(caller.filter(|it| it.may(Permission::AskAssistance)).map(Correspondent))
    }

    /// Takes a mail. What it opened or added is kept when this returns; what came of it is mailed
    /// after that. The same mail is taken once.
    pub async fn take_mail(
        &self,
        from: &Correspondent,
        mail: &NewMail,
    ) -> Result<Taken, AssistanceError> {
        let Correspondent(caller) = from;
        let turn = match self.turn(caller, mail).await? {
            Ok(turn) => turn,
            Err(taken) => return Ok(taken),
        };
        let done = self.ask_by_mail(caller, mail).await;
        let ended = if done.is_ok() { Ended::NotKept(250) } else { Ended::Failed };
        if let Err(error) = self.end_keyed(&turn, ended).await {
            tracing::error!(error = %Chain(&error), "it is not kept that a mail was taken");
        }
        self.answer_later(caller, mail, done?);
        Ok(Taken::Done)
    }

    /// The right to take a mail, or what came of it before.
    async fn turn(
        &self,
        caller: &Caller,
        mail: &NewMail,
    ) -> Result<Result<Turn, Taken>, AssistanceError> {
        for which in TURNS {
            let key = format!("{}{which}", mail.key);
            let asked =
                Asked { key: &key, method: "MAIL", path: "/assistance", query: "", body: b"" };
            match self.begin_keyed(caller, &asked).await {
                Ok(Begun::First(turn)) => return Ok(Ok(turn)),
                Err(KeyedRequestError::Unknown) => (),
                Err(KeyedRequestError::Running) => return Ok(Err(Taken::Running)),
                Err(KeyedRequestError::Store(error)) => return Err(error.into()),
                Ok(Begun::Again(_))
                | Err(
                    KeyedRequestError::NotKept(_)
                    | KeyedRequestError::Reused
                    | KeyedRequestError::Unusable,
                ) => return Ok(Err(Taken::Repeated)),
            }
        }
        Ok(Err(Taken::Running))
    }

    /// Adds to the request that a mail answers, where that is open, or opens one.
    async fn ask_by_mail(
        &self,
        caller: &Caller,
        mail: &NewMail,
    ) -> Result<AssistanceView, AssistanceError> {
        let said = letter::said(&mail.text);
        let words = if said.is_empty() { one_line(&mail.subject) } else { said };
        let words = truncate(&words, MAX_TEXT);
        let named = letter::named(&mail.subject, &mail.text, &mail.answered);
        if let Some(request) = named.request {
            match self.add_to_assistance(caller, request, &words).await {
                Err(AssistanceError::NotFound | AssistanceError::Closed) => (),
                added => return added,
            }
        }
        let (event, alert) = (named.event, self.alert_named(caller, named).await?);
        let new = NewAssistance { event, alert, expected: words, ..NewAssistance::default() };
        self.open_assistance(caller, new).await
    }

    /// The first alert that a mail names and that there is.
    async fn alert_named(
        &self,
        caller: &Caller,
        named: Named,
    ) -> Result<Option<AlertId>, AssistanceError> {
        let store = &self.inner().store;
        if let Some(id) = named.alert
            && store.alert(caller.scope, id).await?.is_some()
        {
            return Ok(Some(id));
        }
        if let Some(number) = named.number
            && let Some(alert) = store.alert_by_number(caller.scope, number).await?
        {
            return Ok(Some(alert.id));
        }
        let Some(id) = named.notification else { return Ok(None) };
        Ok(store.notification(caller.scope, id).await?.map(|it| it.alert))
    }

    /// Mails what came of it, to the person's own address, once and not too often.
    fn answer_later(&self, caller: &Caller, mail: &NewMail, view: AssistanceView) {
        let Some(user) = caller.user else { return };
        if self.inner().limits.mail_answers_to.take(&user).is_err() {
            tracing::info!(%user, "a mail is not answered: there were many");
            return;
        }
        let correspondence =
            Correspondence { reply_to: self.help_address(user), answers: mail.id.clone() };
        let content = receipt(&view, self.public_url().as_str(), correspondence);
        let (app, scope) = (self.clone(), caller.scope);
        self.tasks().once(async move {
            let told = match app.directory(scope).await {
                Ok(directory) => match directory.users.get(&user) {
                    Some(user) => app.mail_to(&directory, user, content).await,
                    None => "Not mailed: the person is gone.".to_owned(),
                },
                Err(error) => format!("Not mailed: {}.", AssistanceError::from(error).code()),
            };
            tracing::info!(%told, "what came of a mail was told");
        });
    }
}

impl Inner {
    /// The address that somebody may write to; `None`: Bugle reads no mail.
    pub(crate) fn help_address(&self, user: UserId) -> Option<String> {
        self.secret_address(KIND, user.as_uuid())
    }

    /// Whose address begins like this: only one that this installation has made.
    fn user_of_help(&self, local: &str) -> Option<UserId> {
        self.id_in_address(KIND, local).map(UserId::from_stored)
    }
}

/// The mail that says what came of one.
fn receipt(view: &AssistanceView, public_url: &str, correspondence: Correspondence) -> Content {
    let request = &view.request;
    let asked = one_line(&request.expected);
    let found = request
        .finding
        .as_ref()
        .map_or("The ledger could not be read yet; it is read again by itself.", |it| {
            it.text.as_str()
        });
    let link = format!("{public_url}assistance/{}", request.id);
    let more = match &correspondence.reply_to {
        Some(_) => "Answer this mail to add to it.",
        None => "Say more on that page.",
    };
    let text = format!(
        "Your request is kept, and the operators see it.\n\nYou had expected: {asked}\n\
         The ledger says: {found}\n\nThe whole record: {link}\n{more}\n"
    );
    let html = format!(
        "<div style=\"font:16px sans-serif;white-space:pre-wrap\">{}</div>\
         <p><a href=\"{link}\">The whole record</a></p>",
        escaped(&text)
    );
    let subject = format!("Asked: {}", truncate(&asked, SUBJECT_CHARS));
    let thread_key = request.id.to_string();
    Content::Email { subject, text, html, thread_key, unsubscribe: None, correspondence }
}

#[cfg(test)]
mod tests;
