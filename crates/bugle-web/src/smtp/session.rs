//! One SMTP dialogue (RFC 5321), with SIZE, PIPELINING, 8BITMIME, SMTPUTF8 and enhanced codes.
//!
//! There is no STARTTLS and no AUTH: the server has no certificate, and whoever knows an address
//! may write to it.

use std::sync::Arc;
use std::time::Duration;

use smtp_proto::{
    Error as Malformed, MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, MAIL_SMTPUTF8, MailFrom, Request,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::letter::{self, Letter, Unfit};
use super::reply::{self, Reply};
use super::wire::{Read, Wire};

/// Largest mail, in bytes: 10 MB.
pub(super) const MAX_MAIL: usize = 10 * 1_024 * 1_024;
/// Most recipients of one mail.
const MAX_RECIPIENTS: usize = 10;
/// Most commands of one connection, and most of them that may be wrong.
const MAX_COMMANDS: usize = 1_000;
const MAX_FAULTS: usize = 20;
/// Longest wait until a mail is read.
const READ_LIMIT: Duration = Duration::from_secs(30);

/// How long is waited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// For a line.
    line: Duration,
    /// For a whole dialogue.
    whole: Duration,
    /// For a line, until whoever calls has named somebody here.
    strangers_line: Duration,
    /// For them to name somebody: a stranger holds a place no longer.
    strangers_whole: Duration,
    /// For all of a mail.
    mail: Duration,
}

impl Waits {
    /// As RFC 5321, 4.5.3.2.7 has it, and less for strangers.
    pub(super) const STANDARD: Self = Self {
        line: Duration::from_mins(5),
        whole: Duration::from_mins(20),
        strangers_line: Duration::from_secs(30),
        strangers_whole: Duration::from_mins(1),
        mail: Duration::from_mins(5),
    };
}

/// Who takes mails.
pub(super) trait Office: Send + Sync {
    /// Whose address something is.
    type Owner: Send + Sync;

    /// Looks an address up; `Err`: not now.
    fn find(&self, local: &str) -> impl Future<Output = Result<Option<Self::Owner>, Reply>> + Send;

    /// Takes a mail, durably, before it says so.
    fn take(&self, owners: &[Self::Owner], letter: &Letter) -> impl Future<Output = Reply> + Send;
}

/// What all dialogues share.
#[derive(Clone, Copy)]
pub(super) struct Desk<'a, O> {
    /// Who takes mails.
    pub(super) office: &'a O,
    /// What addresses end with, and how the server calls itself.
    pub(super) domain: &'a str,
    /// Places for mails that are being read.
    pub(super) reading: &'a Arc<Semaphore>,
    /// How long is waited.
    pub(super) waits: Waits,
}

/// Talks until the other side is done, or `stop` is cancelled between two commands.
pub(super) async fn talk<O: Office, S: AsyncRead + AsyncWrite + Unpin + Send>(
    desk: Desk<'_, O>,
    stream: S,
    stop: CancellationToken,
) {
    let (wire, whole) = (Wire::new(stream, desk.waits.line), desk.waits.whole);
    let session = Session { desk, wire, greeted: false, known: false, transaction: None };
    if tokio::time::timeout(whole, session.run(stop)).await.is_err() {
        tracing::debug!("an smtp dialogue took too long");
    }
}

struct Session<'a, O: Office, S> {
    desk: Desk<'a, O>,
    wire: Wire<S>,
    greeted: bool,
    /// Whether somebody here was named.
    known: bool,
    transaction: Option<Transaction<O::Owner>>,
}

/// A mail that is announced.
struct Transaction<T> {
    from: String,
    owners: Vec<T>,
}

/// What is said, and whether the dialogue goes on then.
enum Step {
    Say(Reply),
    End(Reply),
    Hang,
}

impl<O: Office, S: AsyncRead + AsyncWrite + Unpin + Send> Session<'_, O, S> {
    async fn run(mut self, stop: CancellationToken) {
        if self.wire.say(&format!("220 {} ESMTP Bugle\r\n", self.desk.domain)).await.is_err() {
            return;
        }
        let (mut faults, begun) = (0, Instant::now());
        for _ in 0..MAX_COMMANDS {
            self.wire.wait_for(self.wait(begun));
            let read = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    return drop(self.wire.say(&reply::CLOSING.to_string()).await);
                }
                read = self.wire.command() => read,
            };
            match self.step(read).await {
                Step::Hang => return,
                Step::End(last) => return drop(self.wire.say(&last.to_string()).await),
                Step::Say(said) => {
                    faults += usize::from(said.code >= 500);
                    let last = faults >= MAX_FAULTS;
                    let said = if last { reply::TOO_MANY_FAULTS } else { said };
                    if self.wire.say(&said.to_string()).await.is_err() || last {
                        return;
                    }
                }
            }
        }
        // Whoever is gone meanwhile is not told.
        drop(self.wire.say(&reply::TOO_MANY_COMMANDS.to_string()).await);
    }

    /// How long is waited for the next line of a dialogue that began then.
    fn wait(&self, begun: Instant) -> Duration {
        let waits = self.desk.waits;
        if self.known {
            return waits.line;
        }
        waits.strangers_line.min(waits.strangers_whole.saturating_sub(begun.elapsed()))
    }

    async fn step(&mut self, read: Read) -> Step {
        let line = match read {
            Read::Whole(line) => line,
            Read::Bare => return Step::End(reply::BARE),
            Read::TooLong | Read::TooBig | Read::Endless => return Step::End(reply::TOO_LONG),
            Read::TooSlow => return Step::End(reply::TOO_SLOW),
            Read::Gone => return Step::Hang,
        };
        match Request::parse(&mut line.iter()) {
            Ok(request) => self.answer(request).await,
            Err(Malformed::UnknownCommand) => Step::Say(reply::NO_COMMAND),
            Err(Malformed::UnsupportedParameter { .. }) => Step::Say(reply::PARAMETER),
            Err(_) => Step::Say(reply::SYNTAX),
        }
    }

    async fn answer<T: AsRef<str>>(&mut self, request: Request<T>) -> Step {
        Step::Say(match request {
            Request::Ehlo { .. } => return self.greet().await,
            Request::Helo { .. } => {
                (self.greeted, self.transaction) = (true, None);
                reply::OK
            }
            Request::Mail { from } => self.begin(&from),
            Request::Rcpt { to } => self.recipient(to.address.as_ref()).await,
            Request::Data => return self.data().await,
            Request::Rset => {
                self.transaction = None;
                reply::OK
            }
            Request::Noop { .. } => reply::OK,
            Request::Vrfy { .. } => reply::SEND_AND_SEE,
            Request::Quit => return Step::End(reply::BYE),
            _ => reply::NOT_HERE,
        })
    }

    async fn greet(&mut self) -> Step {
        (self.greeted, self.transaction) = (true, None);
        let domain = self.desk.domain;
        let lines = format!(
            "250-{domain}\r\n250-SIZE {MAX_MAIL}\r\n250-PIPELINING\r\n250-8BITMIME\r\n\
             250-SMTPUTF8\r\n"
        );
        match self.wire.say(&lines).await {
            Ok(()) => Step::Say(Reply::new(250, "ENHANCEDSTATUSCODES")),
            Err(_) => Step::Hang,
        }
    }

    fn begin<T: AsRef<str>>(&mut self, from: &MailFrom<T>) -> Reply {
        if !self.greeted || self.transaction.is_some() {
            return reply::ORDER;
        }
        if from.size > MAX_MAIL {
            return reply::TOO_BIG;
        }
        if from.flags & !(MAIL_BODY_7BIT | MAIL_BODY_8BITMIME | MAIL_SMTPUTF8) != 0 {
            return reply::PARAMETER;
        }
        let from = from.address.as_ref().to_owned();
        self.transaction = Some(Transaction { from, owners: Vec::new() });
        reply::OK
    }

    async fn recipient(&mut self, address: &str) -> Reply {
        let Some(transaction) = &mut self.transaction else { return reply::ORDER };
        if transaction.owners.len() >= MAX_RECIPIENTS {
            return reply::TOO_MANY_TO;
        }
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        if !domain.eq_ignore_ascii_case(self.desk.domain) {
            return counted(reply::NO_RELAY);
        }
        match self.desk.office.find(local).await {
            Ok(Some(owner)) => {
                self.known = true;
                transaction.owners.push(owner);
                reply::OK
            }
            Ok(None) => counted(reply::UNKNOWN),
            Err(later) => counted(later),
        }
    }

    async fn data(&mut self) -> Step {
        let Some(transaction) = self.transaction.take_if(|it| !it.owners.is_empty()) else {
            return Step::Say(reply::ORDER);
        };
        let Ok(place) = Arc::clone(self.desk.reading).try_acquire_owned() else {
            return Step::Say(counted(reply::LATER));
        };
        if self.wire.say(&reply::GO_ON.to_string()).await.is_err() {
            return Step::Hang;
        }
        let came = tokio::time::timeout(self.desk.waits.mail, self.wire.text(MAX_MAIL)).await;
        match came.unwrap_or(Read::TooSlow) {
            Read::Whole(raw) => {
                let Transaction { from, owners } = transaction;
                let said = match read_aside(raw, from, place).await {
                    Ok((letter, _place)) => self.desk.office.take(&owners, &letter).await,
                    Err(said) => said,
                };
                Step::Say(counted(said))
            }
            Read::TooBig => Step::Say(counted(reply::TOO_BIG)),
            Read::Endless => Step::End(counted(reply::TOO_BIG)),
            // What follows such a line may be read in two ways: it is not read at all.
            Read::Bare => Step::End(counted(reply::BARE)),
            Read::TooLong => Step::End(counted(reply::TOO_LONG)),
            Read::TooSlow => Step::End(counted(reply::TOO_SLOW)),
            Read::Gone => Step::Hang,
        }
    }
}

/// Reads a mail beside the runtime. Its place is free when that has ended, also where nobody waits
/// for it any longer.
async fn read_aside(
    raw: Vec<u8>,
    from: String,
    place: OwnedSemaphorePermit,
) -> Result<(Letter, OwnedSemaphorePermit), Reply> {
    let reading = tokio::task::spawn_blocking(move || (letter::read(raw.into(), &from), place));
    match tokio::time::timeout(READ_LIMIT, reading).await {
        Ok(Ok((Ok(letter), place))) => Ok((letter, place)),
        Ok(Ok((Err(unfit), _))) => Err(of_unfit(unfit)),
        Ok(Err(error)) => {
            tracing::error!(%error, "a mail could not be read");
            Err(of_unfit(Unfit::Unreadable))
        }
        Err(_) => {
            tracing::error!("a mail could not be read in time");
            Err(reply::LATER)
        }
    }
}

/// Counts a mail, or an address that it was announced for, by what is answered.
fn counted(said: Reply) -> Reply {
    metrics::counter!("bugle_mails_in_total", "outcome" => said.outcome()).increment(1);
    said
}

/// How it is said that a mail is not taken.
pub(super) fn of_unfit(unfit: Unfit) -> Reply {
    match unfit {
        Unfit::Header => Reply::new(552, "5.3.4 the header is too big"),
        Unfit::Parts => Reply::new(552, "5.3.4 too many parts, or too deep"),
        Unfit::Unreadable => Reply::new(554, "5.6.0 it cannot be read as a mail"),
        Unfit::Loop => Reply::new(554, "5.4.6 it goes in a circle"),
        Unfit::Automatic => {
            Reply::new(554, "5.7.1 people may write here, and no programs or lists")
        }
    }
}

#[cfg(test)]
mod tests;
