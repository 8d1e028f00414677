//! Mail over SMTP, on connections that are kept.
//!
//! The dialogue is walked step by step, because what an error means depends on the step: until the
//! text of the mail begins to leave, nothing can have been taken.

mod mail;
pub(crate) mod probe;
mod reply;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bugle_domain::contact::EmailAddress;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use secrecy::ExposeSecret as _;
use tokio::time::Instant;

use crate::channels::SetupError;
use crate::message::{Outgoing, When};
use crate::provider::Done;
use crate::roots::Roots;
use crate::settings::{SmtpSecurity, SmtpSettings};
use mail::Letter;
use reply::{Step, Trouble};

/// Connections kept for the next mail.
const MAX_IDLE: usize = 4;
/// How long they are kept. Servers close after 5 minutes at the earliest (RFC 5321, 4.5.3.2.7), in
/// practice sooner.
const IDLE: Duration = Duration::from_secs(20);

/// One mail server.
pub(crate) struct Smtp {
    settings: SmtpSettings,
    from: Mailbox,
    tls: TlsParameters,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Smtp {
    pub(crate) fn new(settings: SmtpSettings, roots: &Roots) -> Result<Self, SetupError> {
        let bad = |what| SetupError::Smtp { provider: settings.name.clone(), what };
        let from = settings.from.parse().map_err(|_| bad("the sender is not a mail address"))?;
        let tls = roots.smtp(&settings.host)?;
        Ok(Self { settings, from, tls, idle: Mutex::new(Vec::new()) })
    }

    /// Sends one mail.
    pub(crate) async fn send(&self, message: &Outgoing, to: &EmailAddress, when: When) -> Done {
        let letter = match mail::compose(message, &self.from, to, when.now) {
            Ok(letter) => letter,
            Err(why) => return Done::ours(why),
        };
        let left = AtomicBool::new(false);
        let sending = self.deliver(&letter, when.send_by, &left);
        match tokio::time::timeout(self.settings.limits.request, sending).await {
            Ok(Ok(response)) => reply::accepted(&response, letter.id),
            Ok(Err(trouble)) => reply::classify(&trouble, when.now),
            Err(_) => reply::timed_out(left.load(Ordering::Relaxed), when.now),
        }
    }

    /// Connects and signs in, without sending anything.
    pub(crate) async fn check(&self) -> Result<(), String> {
        let opening = self.open();
        let opened = tokio::time::timeout(self.settings.limits.request, opening).await;
        let mut connection =
            opened.map_err(|_| "no answer in time".to_owned())?.map_err(|t| t.describe())?;
        connection.command(Noop).await.map(drop).map_err(|error| reply::chain(&error))
    }

    async fn deliver(
        &self,
        letter: &Letter,
        send_by: Instant,
        left: &AtomicBool,
    ) -> Result<Response, Trouble> {
        let mut connection = match self.kept() {
            // A kept connection may have been closed meanwhile. Nothing is lost by a second one.
            Some(mut kept) => match address(&mut kept, letter).await {
                Ok(()) => kept,
                Err(trouble) if trouble.is_answer() => return Err(trouble),
                Err(_) => self.open_and_address(letter).await?,
            },
            None => self.open_and_address(letter).await?,
        };
        if Instant::now() >= send_by {
            connection.abort().await;
            return Err(Trouble::TooLate);
        }
        left.store(true, Ordering::Relaxed);
        let response = connection.message(&letter.bytes).await.map_err(Trouble::at(Step::Text))?;
        self.keep(connection);
        Ok(response)
    }

    async fn open_and_address(&self, letter: &Letter) -> Result<AsyncSmtpConnection, Trouble> {
        let mut connection = self.open().await?;
        address(&mut connection, letter).await?;
        Ok(connection)
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, Trouble> {
        let settings = &self.settings;
        let name = ClientId::default();
        let tls = (settings.security == SmtpSecurity::Tls).then(|| self.tls.clone());
        let server = (settings.host.as_str(), settings.port);
        let limit = Some(settings.limits.connect);
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, limit, &name, tls, None)
            .await
            .map_err(Trouble::at(Step::Connect))?;
        if settings.security == SmtpSecurity::StartTls {
            connection
                .starttls(self.tls.clone(), &name)
                .await
                .map_err(Trouble::at(Step::Secure))?;
        }
        if let Some(login) = &settings.login {
            let password = login.password.expose_secret().to_owned();
            let credentials = Credentials::new(login.user.clone(), password);
            connection
                .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
                .await
                .map_err(Trouble::at(Step::SignIn))?;
        }
        Ok(connection)
    }

    fn pool(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> Option<AsyncSmtpConnection> {
        let now = Instant::now();
        let mut pool = self.pool();
        pool.retain(|idle| idle.since + IDLE > now);
        pool.pop().map(|idle| idle.connection)
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut pool = self.pool();
        if pool.len() < MAX_IDLE && !connection.has_broken() {
            pool.push(Idle { connection, since: Instant::now() });
        }
    }
}

/// Says from whom and to whom, up to the point where the text is wanted.
async fn address(connection: &mut AsyncSmtpConnection, letter: &Letter) -> Result<(), Trouble> {
    let result = say_addresses(connection, letter).await;
    if result.is_err() {
        connection.abort().await;
    }
    result
}

async fn say_addresses(
    connection: &mut AsyncSmtpConnection,
    letter: &Letter,
) -> Result<(), Trouble> {
    let mut options = Vec::new();
    if !letter.is_plain_addressed() {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Trouble::AddressNotAscii);
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    if !letter.bytes.is_ascii() {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let from = letter.envelope.from().cloned();
    let said: Result<_, SmtpError> = connection.command(Mail::new(from, options)).await;
    said.map_err(Trouble::at(Step::Sender))?;
    for to in letter.envelope.to() {
        let said = connection.command(Rcpt::new(to.clone(), Vec::new())).await;
        said.map_err(Trouble::at(Step::Recipient))?;
    }
    connection.command(Data).await.map_err(Trouble::at(Step::Data))?;
    Ok(())
}
