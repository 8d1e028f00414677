//! Reads a mail: what it says, what it answers, and whether a person wrote it.
//!
//! Its size is bounded before it is read: each level of a nested mail needs a header of its own, so
//! that counting these bounds how deep it can be.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use bugle_app::assistance::NewMail;
use mail_parser::{Message, MessageParser, PartType};
use sha2::{Digest, Sha256};

/// Largest header, in bytes.
const MAX_HEADER: usize = 64 * 1_024;
/// Most parts, and how deep they may stand in each other.
const MAX_PARTS: usize = 100;
const MAX_DEPTH: usize = 10;
/// Most lines that may begin a part, and most headers that may say what one is.
const MAX_BOUNDARIES: usize = 10_000;
const MAX_TYPES: usize = 3 * MAX_PARTS;
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
    if !has_bounded_header(raw) {
        return Err(Unfit::Header);
    }
    if count(raw, b"\r\n--") > MAX_BOUNDARIES || count(raw, b"content-type") > MAX_TYPES {
        return Err(Unfit::Parts);
    }
    let mail = MessageParser::default().parse(raw).ok_or(Unfit::Unreadable)?;
    if parts(&mail, 0).is_none_or(|parts| parts > MAX_PARTS) {
        return Err(Unfit::Parts);
    }
    if mail.headers_raw().filter(|(name, _)| is(name, "received")).count() > MAX_HOPS {
        return Err(Unfit::Loop);
    }
    if return_path.is_empty() || mail.headers_raw().any(|(name, value)| is_automatic(name, value)) {
        return Err(Unfit::Automatic);
    }
    let own_id = mail.message_id();
    let key = own_id.map_or(raw, str::as_bytes);
    Ok(NewMail {
        key: BASE64.encode(Sha256::digest(key)),
        id: own_id.and_then(|id| ids(&format!("<{id}>")).pop()),
        subject: mail.subject().unwrap_or_default().to_owned(),
        text: mail.body_text(0).map(Cow::into_owned).unwrap_or_default(),
        answered: answered(&mail),
    })
}

/// Whether the header ends within its bound.
fn has_bounded_header(raw: &[u8]) -> bool {
    let within = &raw[..raw.len().min(MAX_HEADER)];
    raw.len() <= MAX_HEADER || within.windows(4).any(|four| four == b"\r\n\r\n")
}

/// How often something stands in a mail, in small or capital letters.
fn count(raw: &[u8], what: &[u8]) -> usize {
    raw.windows(what.len()).filter(|found| found.eq_ignore_ascii_case(what)).count()
}

/// How many parts a mail has; `None`: they stand too deep.
fn parts(mail: &Message<'_>, depth: usize) -> Option<usize> {
    let mut all = mail.parts.len();
    let mut level = vec![0_u32];
    let mut deep = depth;
    while !level.is_empty() {
        if deep > MAX_DEPTH {
            return None;
        }
        let mut below = Vec::new();
        for part in level.iter().filter_map(|place| mail.part(*place)) {
            match &part.body {
                PartType::Multipart(children) => below.extend_from_slice(children),
                PartType::Message(inner) => all += parts(inner, deep + 1)?,
                _ => (),
            }
        }
        (level, deep) = (below, deep + 1);
    }
    Some(all)
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
