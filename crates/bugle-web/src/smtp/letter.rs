//! Reads a mail: what it says, what it answers, and whether a person wrote it. What follows from
//! that is for others to say.
//!
//! Its parts are found here and not by the library, which goes into mails within mails without end:
//! the library reads headers, and one part that is text. What is done grows with the size of a mail
//! and no faster.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use bugle_app::assistance::NewMail;
use bugle_domain::NotificationId;
use bytes::Bytes;
use jiff::Timestamp;
use mail_parser::{Message, MessageParser};
use sha2::{Digest, Sha256};

mod parts;

/// Largest header, in bytes.
const MAX_HEADER: usize = 64 * 1_024;
/// A mail that was passed on so often goes in a circle (RFC 5321, 6.3).
const MAX_HOPS: usize = 50;
/// Most mails that one may say it answers, the nearest last.
const MAX_ANSWERED: usize = 50;

/// Headers that say how urgent a mail is, the most exact first.
const PRIORITIES: [&str; 3] = ["x-priority", "importance", "priority"];

/// A mail that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Letter {
    /// All bytes of it.
    pub(crate) raw: Bytes,
    /// What it says.
    pub(crate) mail: NewMail,
    /// Who it says that it is from: an address, and a name in front of it where there is one. Where
    /// it says nothing, its return path.
    pub(crate) from: String,
    /// When it says that it was written.
    pub(crate) date: Option<Timestamp>,
    /// How urgent it says that it is, as it stands in the first of its headers about that.
    pub(crate) priority: Option<String>,
    /// A program sent it (RFC 3834): there is nobody to answer.
    pub(crate) automatic: bool,
    /// Bugle sent it to tell somebody of something, or it answers or forwards such a mail.
    pub(crate) page: bool,
}

/// Why a mail is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unfit {
    /// Its header is too large.
    Header,
    /// It has too many parts, or they stand too deep.
    Parts,
    /// It cannot be read as a mail.
    Unreadable,
    /// It goes in a circle.
    Loop,
    /// A program sent it to where people write.
    Automatic,
}

/// Reads a mail that was sent with this return path.
pub(crate) fn read(raw: Bytes, return_path: &str) -> Result<Letter, Unfit> {
    let (header, _) = parts::split(&raw);
    if header.len() > MAX_HEADER {
        return Err(Unfit::Header);
    }
    let mail = MessageParser::default().parse_headers(header).ok_or(Unfit::Unreadable)?;
    if mail.headers_raw().filter(|(name, _)| is(name, "received")).count() > MAX_HOPS {
        return Err(Unfit::Loop);
    }
    let own_id = mail.message_id();
    let subject = mail.subject().unwrap_or_default();
    let text = parts::text(&raw)?;
    let answered = answered(&mail);
    let page = own_id.into_iter().chain(answered.iter().map(String::as_str)).any(is_page);
    let new = NewMail {
        key: own_id
            .map_or_else(|| key(&[&raw]), |id| key(&[id, subject, &text].map(str::as_bytes))),
        id: own_id.and_then(|id| ids(&format!("<{id}>")).pop()),
        subject: subject.to_owned(),
        text,
        answered,
    };
    Ok(Letter {
        from: from(&mail).unwrap_or_else(|| return_path.to_owned()),
        date: mail.date().and_then(|at| Timestamp::from_second(at.to_timestamp()).ok()),
        priority: PRIORITIES.into_iter().find_map(|name| value(&mail, name)),
        automatic: return_path.is_empty()
            || mail.headers_raw().any(|(name, value)| is_automatic(name, value)),
        page,
        mail: new,
        raw: raw.clone(),
    })
}

impl Letter {
    /// What tells of something new.
    ///
    /// # Errors
    ///
    /// [`Unfit::Loop`]: a page that is taken for an event pages again, and so on without end.
    pub(super) fn as_event(&self) -> Result<&Self, Unfit> {
        if self.page { Err(Unfit::Loop) } else { Ok(self) }
    }

    /// What a person wrote.
    ///
    /// # Errors
    ///
    /// [`Unfit::Automatic`].
    pub(super) fn by_a_person(&self) -> Result<&NewMail, Unfit> {
        if self.automatic { Err(Unfit::Automatic) } else { Ok(&self.mail) }
    }
}

/// Whether that is the id of a mail by which Bugle tells somebody of something.
fn is_page(id: &str) -> bool {
    let local = id.trim_start_matches('<').split('@').next();
    local.is_some_and(|local| local.parse::<NotificationId>().is_ok())
}

/// The first sender that a mail names.
fn from(mail: &Message<'_>) -> Option<String> {
    let first = mail.from()?.first()?;
    let address = first.address()?;
    Some(first.name().map_or_else(|| address.to_owned(), |name| format!("{name} <{address}>")))
}

/// What stands in the first header of that name.
fn value(mail: &Message<'_>, what: &str) -> Option<String> {
    let mut all = mail.headers_raw().filter(|(name, _)| is(name, what));
    all.next().map(|(_, value)| value.trim().to_owned())
}

/// What is the same for the same mail, whatever way it comes. An id alone is not: there are
/// programs that use one again for something else.
fn key(parts: &[&[u8]]) -> String {
    let mut all = Sha256::new();
    for part in parts {
        all.update((part.len() as u64).to_be_bytes());
        all.update(part);
    }
    BASE64.encode(all.finalize())
}

fn is(name: &str, what: &str) -> bool {
    name.trim().eq_ignore_ascii_case(what)
}

/// Whether a header says that a program sent the mail, or a list passed it on.
fn is_automatic(name: &str, value: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    let value = value.trim().to_ascii_lowercase();
    match name.as_str() {
        "auto-submitted" => !value.starts_with("no"),
        "precedence" => matches!(value.as_str(), "bulk" | "list" | "junk"),
        name => name.starts_with("list-"),
    }
}

/// The ids of the mails that one answers, the nearest last.
fn answered(mail: &Message<'_>) -> Vec<String> {
    let of = |what: &'static str| {
        let raw = mail.headers_raw().filter(move |(name, _)| is(name, what));
        raw.flat_map(|(_, value)| ids(value))
    };
    let mut all: Vec<String> = of("references").chain(of("in-reply-to")).collect();
    all.drain(..all.len().saturating_sub(MAX_ANSWERED));
    all
}

/// The ids in a header, with their brackets; only those that may stand in one of ours.
fn ids(value: &str) -> Vec<String> {
    let inner = value.split('<').skip(1).filter_map(|rest| rest.split_once('>'));
    let plain =
        |id: &&str| (1..=250).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    inner.map(|(id, _)| id).filter(plain).map(|id| format!("<{id}>")).collect()
}

#[cfg(test)]
mod tests;
