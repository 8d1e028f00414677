//! Reads a mail: what it says, what it answers, and whether a person wrote it.
//!
//! Its parts are found here and not by the library, which goes into mails within mails without end:
//! the library reads headers, and one part that is text. What is done grows with the size of a mail
//! and no faster.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use bugle_app::assistance::NewMail;
use mail_parser::{Message, MessageParser};
use sha2::{Digest, Sha256};

mod parts;

/// Largest header, in bytes.
const MAX_HEADER: usize = 64 * 1_024;
/// A mail that was passed on so often goes in a circle (RFC 5321, 6.3).
const MAX_HOPS: usize = 50;
/// Most mails that one may say it answers, the nearest last.
const MAX_ANSWERED: usize = 50;

/// Why a mail is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unfit {
    /// Its header is too large.
    Header,
    /// It has too many parts, or they stand too deep.
    Parts,
    /// It cannot be read as a mail.
    Unreadable,
    /// It goes in a circle.
    Loop,
    /// A program sent it (RFC 3834): there is nobody to answer.
    Automatic,
}

/// Reads a mail that was sent with this return path.
pub(super) fn read(raw: &[u8], return_path: &str) -> Result<NewMail, Unfit> {
    let (header, _) = parts::split(raw);
    if header.len() > MAX_HEADER {
        return Err(Unfit::Header);
    }
    let mail = MessageParser::default().parse_headers(header).ok_or(Unfit::Unreadable)?;
    if mail.headers_raw().filter(|(name, _)| is(name, "received")).count() > MAX_HOPS {
        return Err(Unfit::Loop);
    }
    if return_path.is_empty() || mail.headers_raw().any(|(name, value)| is_automatic(name, value)) {
        return Err(Unfit::Automatic);
    }
    let own_id = mail.message_id();
    let subject = mail.subject().unwrap_or_default();
    let text = parts::text(raw)?;
    Ok(NewMail {
        key: own_id.map_or_else(|| key(&[raw]), |id| key(&[id, subject, &text].map(str::as_bytes))),
        id: own_id.and_then(|id| ids(&format!("<{id}>")).pop()),
        subject: subject.to_owned(),
        text,
        answered: answered(&mail),
    })
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
