//! Composes a mail: plain and HTML parts, threaded per alert, marked as sent by a program.

use bugle_domain::contact::EmailAddress;
use bugle_domain::text::one_line;
use jiff::Timestamp;
use lettre::Message;
use lettre::address::Envelope;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use crate::message::{Content, Outgoing};

/// A mail as it leaves.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) envelope: Envelope,
    pub(super) bytes: Vec<u8>,
    /// Its `Message-ID`, with the brackets.
    pub(super) id: String,
}

impl Letter {
    /// Whether both addresses are ASCII.
    pub(super) fn is_plain_addressed(&self) -> bool {
        let plain = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
        self.envelope.from().is_none_or(plain) && self.envelope.to().iter().all(plain)
    }
}

/// Composes the mail of `message`. What it says and who gets it can be at fault; the error says
/// which.
pub(super) fn compose(
    message: &Outgoing,
    from: &Mailbox,
    to: &EmailAddress,
    now: Timestamp,
) -> Result<Letter, String> {
    let Content::Email { subject, text, html, thread_key, unsubscribe, correspondence } =
        &message.content
    else {
        return Err("the content is no mail".to_owned());
    };
    let domain = from.email.domain();
    let id = format!("<{}@{domain}>", message.notification);
    let thread = format!("<{}@{domain}>", id_part(thread_key));
    let repeat = if message.possible_repeat { "[possible repeat] " } else { "" };
    let to: lettre::Address =
        to.as_str().parse().map_err(|error| format!("the address cannot be used: {error}"))?;
    let mut mail = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(format!("{repeat}{}", one_line(subject)))
        .date(now.into())
        .message_id(Some(id.clone()));
    mail = match correspondence.answers.as_deref().map(one_line) {
        None => mail.in_reply_to(thread.clone()).references(thread),
        Some(id) => mail.in_reply_to(id.clone()).references(format!("{thread} {id}")),
    };
    let replied = correspondence.answers.is_some();
    mail = mail.header(if replied { AutoSubmitted::Replied } else { AutoSubmitted::Generated });
    if let Some(address) = &correspondence.reply_to {
        let address = address.parse().map_err(|error| format!("no address to answer: {error}"))?;
        mail = mail.reply_to(Mailbox::new(None, address));
    }
    if let Some(url) = unsubscribe {
        mail = mail.header(ListUnsubscribe(format!("<{}>", one_line(url)))).header(OneClick);
    }
    let mail = mail
        .multipart(MultiPart::alternative_plain_html(text.clone(), html.clone()))
        .map_err(|error| format!("the mail cannot be composed: {error}"))?;
    Ok(Letter { envelope: mail.envelope().clone(), bytes: mail.formatted(), id })
}

/// What may stand before the `@` of a message id.
fn id_part(text: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.chars().filter(plain).take(100).collect()
}

/// RFC 3834: no program should answer this.
#[derive(Clone, Copy, Debug)]
enum AutoSubmitted {
    /// Nobody wrote anything that led to it.
    Generated,
    /// It answers a mail.
    Replied,
}

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self::Generated)
    }

    fn display(&self) -> HeaderValue {
        let value = match self {
            Self::Generated => "auto-generated",
            Self::Replied => "auto-replied",
        };
        HeaderValue::new(Self::name(), value.to_owned())
    }
}

/// RFC 2369: where mails of this kind are ended.
#[derive(Clone, Debug)]
struct ListUnsubscribe(String);

impl Header for ListUnsubscribe {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}

/// RFC 8058: a mail program may end them itself, by one request.
#[derive(Clone, Debug)]
struct OneClick;

impl Header for OneClick {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "List-Unsubscribe=One-Click".to_owned())
    }
}

#[cfg(test)]
mod tests;
