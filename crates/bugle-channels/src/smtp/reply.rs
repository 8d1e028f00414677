//! What a mail server's answer means, by the step in which it came.

use std::error::Error as _;

use jiff::Timestamp;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::response::Response;

use crate::message::Fault;
use crate::provider::Done;

/// How far the dialogue had come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Connect,
    Secure,
    SignIn,
    Sender,
    Recipient,
    Data,
    /// The text was leaving.
    Text,
}

/// What went wrong.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server said so, or was not heard.
    Failed(Step, SmtpError),
    /// The server does not take an address with letters beyond ASCII.
    AddressNotAscii,
    /// The time to send had passed.
    TooLate,
}

impl Trouble {
    pub(super) fn at(step: Step) -> impl FnOnce(SmtpError) -> Self {
        move |error| Self::Failed(step, error)
    }

    /// Whether the server itself gave this answer (and another connection would give it too).
    pub(super) fn is_answer(&self) -> bool {
        match self {
            // 421: the server is closing an old connection.
            Self::Failed(_, error) => error.status().is_some_and(|code| code.to_string() != "421"),
            Self::AddressNotAscii | Self::TooLate => true,
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Failed(step, error) => format!("{}: {}", in_words(*step), chain(error)),
            Self::AddressNotAscii => "the server takes only plain addresses".to_owned(),
            Self::TooLate => "too late to send".to_owned(),
        }
    }
}

fn in_words(step: Step) -> &'static str {
    match step {
        Step::Connect => "connecting",
        Step::Secure => "securing the connection",
        Step::SignIn => "signing in",
        Step::Sender => "naming the sender",
        Step::Recipient => "naming the recipient",
        Step::Data => "before the text",
        Step::Text => "after the text",
    }
}

/// An error and its causes, in one line.
pub(super) fn chain(error: &SmtpError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

/// The server has taken the mail.
pub(super) fn accepted(response: &Response, id: String) -> Done {
    let said = response.first_line().unwrap_or_default();
    Done::accepted(format!("SMTP {}: {said}", response.code()), Some(id))
}

/// The time for all of it has passed.
pub(super) fn timed_out(left: bool, now: Timestamp) -> Done {
    if left {
        Done::unsure(now, "no answer in time after the text had been sent".to_owned())
    } else {
        Done::retry(now, "not sent: no answer in time".to_owned(), Fault::Provider)
    }
}

/// Reads what went wrong with a mail that was begun at `now`.
pub(super) fn classify(trouble: &Trouble, now: Timestamp) -> Done {
    let detail = trouble.describe();
    let (step, error) = match trouble {
        Trouble::Failed(step, error) => (*step, error),
        Trouble::AddressNotAscii => return Done::refused(detail, Fault::Contact),
        Trouble::TooLate => return Done::too_late(now),
    };
    let kind = Kind::of(error);
    match (step, kind) {
        (Step::Text, Kind::Silence) => Done::unsure(now, detail),
        (_, Kind::NotPossible | Kind::NotSignedIn)
        | (Step::Connect | Step::Secure | Step::SignIn | Step::Sender | Step::Data, Kind::No) => {
            Done::misconfigured(detail)
        }
        (Step::Recipient | Step::Text, Kind::No) => Done::refused(detail, Fault::Contact),
        // Grey-listing: this recipient's server, not ours.
        (Step::Recipient, Kind::NotNow) => Done::retry(now, detail, Fault::Contact),
        (_, Kind::NotNow | Kind::Silence) => Done::retry(now, detail, Fault::Provider),
    }
}

/// What an answer is, whatever the step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// 4xx.
    NotNow,
    /// 5xx.
    No,
    /// 5xx that asks for a sign-in or says that ours is not good.
    NotSignedIn,
    /// Not heard, or not understood.
    Silence,
    /// The server cannot do what our settings demand, or cannot prove who it is.
    NotPossible,
}

impl Kind {
    fn of(error: &SmtpError) -> Self {
        let code = error.status().map(|code| code.to_string());
        match code.as_deref() {
            Some("530" | "534" | "535" | "538") => Self::NotSignedIn,
            _ if error.is_permanent() => Self::No,
            _ if error.is_transient() => Self::NotNow,
            _ if error.is_tls() || error.is_client() || is_distrust(error) => Self::NotPossible,
            _ => Self::Silence,
        }
    }
}

/// Whether TLS itself failed, and not the connection below it: a certificate that is not believed.
fn is_distrust(error: &SmtpError) -> bool {
    let mut cause = error.source();
    while let Some(next) = cause {
        let inner = next.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(inner) = inner
            && inner.is::<rustls::Error>()
        {
            return true;
        }
        cause = next.source();
    }
    false
}

#[cfg(test)]
mod tests;
