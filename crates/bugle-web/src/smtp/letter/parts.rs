//! Finds the text of a mail among its parts.
//!
//! A mail that is attached is a part like a picture: nobody looks into it, however it is encoded.

use std::borrow::Cow;

use mail_parser::{ContentType, Message, MessageParser, MimeHeaders as _};

use super::Unfit;

/// Most parts, and how deep they may stand in each other.
const MAX_PARTS: usize = 100;
const MAX_DEPTH: usize = 10;
/// Largest header of a part, in bytes.
const MAX_PART_HEADER: usize = 16 * 1_024;
/// Bytes of a text that are read, up to the last line that ends within them.
const MAX_READ: usize = 1_024 * 1_024;

/// What a part is.
enum Kind {
    /// Others between lines of this boundary.
    Several(String),
    /// Text to be read.
    Text,
    /// Something else.
    Other,
}

/// A part that was found and not looked at.
struct Part<'a> {
    raw: &'a [u8],
    depth: usize,
    /// What it is where it does not say.
    is_text: bool,
}

/// The first part of a mail that is text; nothing, where there is none.
pub(super) fn text(mail: &[u8]) -> Result<String, Unfit> {
    let mut open = vec![Part { raw: mail, depth: 0, is_text: true }];
    let (mut found, mut count) = (None, 1);
    while let Some(part) = open.pop() {
        let (header, body) = split(part.raw);
        if part.depth > 0 && header.len() > MAX_PART_HEADER {
            return Err(Unfit::Header);
        }
        let header = MessageParser::default().parse_headers(header);
        let digest = content_type(header.as_ref())
            .is_some_and(|it| it.subtype().is_some_and(|sub| sub.eq_ignore_ascii_case("digest")));
        match kind(header.as_ref(), part.is_text) {
            Kind::Several(boundary) => {
                let inner = inner(body, &boundary, MAX_PARTS - count).ok_or(Unfit::Parts)?;
                count += inner.len();
                let (depth, is_text) = (part.depth + 1, !digest);
                if depth > MAX_DEPTH {
                    return Err(Unfit::Parts);
                }
                // The last one that is put there is looked at first.
                open.extend(inner.into_iter().rev().map(|raw| Part { raw, depth, is_text }));
            }
            Kind::Text if found.is_none() => found = Some(decoded(header.as_ref(), body)),
            Kind::Text | Kind::Other => (),
        }
    }
    Ok(found.unwrap_or_default())
}

/// The header with its last line end, and what follows the empty line.
pub(super) fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    if let Some(body) = raw.strip_prefix(b"\r\n") {
        return (&[], body);
    }
    match raw.windows(4).position(|four| four == b"\r\n\r\n") {
        Some(end) => (&raw[..end + 2], &raw[end + 4..]),
        None => (raw, &[]),
    }
}

fn content_type<'a>(header: Option<&'a Message<'_>>) -> Option<&'a ContentType<'a>> {
    header.and_then(|it| it.content_type())
}

fn kind(header: Option<&Message<'_>>, is_text: bool) -> Kind {
    let attached = header
        .and_then(|it| it.content_disposition())
        .is_some_and(|it| it.ctype().eq_ignore_ascii_case("attachment"));
    let Some(said) = content_type(header) else {
        return if is_text && !attached { Kind::Text } else { Kind::Other };
    };
    let is = |what: &str| said.ctype().eq_ignore_ascii_case(what);
    match (said.attribute("boundary"), said.subtype()) {
        (Some(boundary), _) if is("multipart") => Kind::Several(boundary.to_owned()),
        (_, None | Some("plain" | "html")) if is("text") && !attached => Kind::Text,
        (_, _) => Kind::Other,
    }
}

/// What stands between the lines of a boundary; `None`: more than so many.
fn inner<'a>(body: &'a [u8], boundary: &str, most: usize) -> Option<Vec<&'a [u8]>> {
    let (mut all, mut begin, mut at) = (Vec::new(), None, 0);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let rest = line.strip_prefix(b"--").and_then(|it| it.strip_prefix(boundary.as_bytes()));
        let end = rest.map(<[u8]>::trim_ascii_end);
        if let Some(end @ (b"" | b"--")) = end {
            if let Some(begin) = begin {
                all.push(&body[begin..at]);
            }
            begin = end.is_empty().then_some(at + line.len());
            if all.len() > most {
                return None;
            }
            if begin.is_none() {
                return Some(all);
            }
        }
        at += line.len();
    }
    // A mail that was cut has no last line.
    all.extend(begin.map(|begin| &body[begin..]));
    (all.len() <= most).then_some(all)
}

/// The text of a part. The library gets a header of ours, so that it finds no other part in it.
fn decoded(header: Option<&Message<'_>>, body: &[u8]) -> String {
    let said = content_type(header);
    let html =
        said.and_then(ContentType::subtype).is_some_and(|it| it.eq_ignore_ascii_case("html"));
    let plain = |it: &&str| it.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
    let charset = said.and_then(|it| it.attribute("charset")).filter(plain).unwrap_or("utf-8");
    let encoding = header.and_then(|it| it.content_transfer_encoding()).map(str::trim);
    let encoded = |what: &&str| encoding.is_some_and(|it| it.eq_ignore_ascii_case(what));
    let encoding = ["base64", "quoted-printable"].into_iter().find(encoded).unwrap_or("8bit");
    let header = format!(
        "Content-Type: text/{}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n",
        if html { "html" } else { "plain" }
    );
    let read = match body.get(..MAX_READ) {
        Some(cut) => &cut[..cut.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)],
        None => body,
    };
    let whole = [header.as_bytes(), read].concat();
    let mail = MessageParser::default().parse(&whole);
    let text = mail.as_ref().and_then(|it| it.body_text(0));
    text.map(Cow::into_owned).unwrap_or_default()
}
