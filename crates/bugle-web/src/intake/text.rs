//! Reads what real senders write: null for absent, odd dates, line breaks, numbers for texts.

use std::fmt;

use bugle_domain::Severity;
use bugle_domain::event::{EventBody, Link, MAX_DEDUP_KEY_BYTES, MAX_LINKS, MAX_SUMMARY_CHARS};
use bugle_domain::text::{one_line, truncate};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::said::DialectError;

/// Longest source, and text of a link, in characters.
const MAX_SHORT_CHARS: usize = 255;
/// Longest address of a link, in bytes; longer ones are dropped, since cut ones lead elsewhere.
const MAX_HREF_BYTES: usize = 2_048;
/// Hex digits by which a key that was cut stays unlike others that begin alike.
const HASH_CHARS: usize = 16;
/// UTF-8's, which PowerShell writes.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a text, number or boolean as text. Null, lists and objects count as absent.
pub(super) fn loose<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    from.deserialize_any(Loose)
}

struct Loose;

impl<'de> Visitor<'de> for Loose {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// The text, unless it is absent or has nothing but white space.
pub(super) fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// A summary as kept: one line, at most 1,024 characters.
pub(super) fn summary(text: String) -> String {
    line(text, MAX_SUMMARY_CHARS)
}

/// A source or a link's text as kept: one line, at most 255 characters.
pub(super) fn short(text: String) -> String {
    line(text, MAX_SHORT_CHARS)
}

fn line(text: String, max_chars: usize) -> String {
    let plain = text.len() <= max_chars
        && text.bytes().all(|byte| (b' '..0x7f).contains(&byte))
        && !text.starts_with(' ')
        && !text.ends_with(' ')
        && !text.contains("  ");
    if plain { text } else { truncate(&one_line(&text), max_chars) }
}

/// A dedup key as kept: at most 255 bytes.
pub(super) fn dedup_key(text: String) -> String {
    cut(text, MAX_DEDUP_KEY_BYTES)
}

/// A key of at most so many bytes. A longer one is cut and ends in a hash of the whole, so that it
/// is still like itself and like nothing else.
pub(super) fn cut(text: String, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text;
    }
    let end = text.floor_char_boundary(max_bytes - HASH_CHARS - 1);
    format!("{}#{:016x}", &text[..end], super::fingerprint::fnv1a([text.as_bytes()]))
}

/// Reads a date in any form seen from real senders: RFC 3339, an offset without a colon, no offset
/// (taken as UTC), a blank for the `T`, seconds or milliseconds since 1970.
///
/// Dates before 1970 are absent: Go's zero time says so.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let parsed = text
        .parse()
        .ok()
        .or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok())
        .or_else(|| {
            let local: DateTime = text.parse().ok()?;
            local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        })
        .or_else(|| since_1970(text));
    parsed.filter(|at| *at >= Timestamp::UNIX_EPOCH)
}

fn since_1970(text: &str) -> Option<Timestamp> {
    let seconds: f64 = text.parse().ok()?;
    // Milliseconds from 1973 on, which as seconds are after the year 5000.
    let seconds = if seconds > 1e11 { seconds / 1_000.0 } else { seconds };
    #[expect(clippy::cast_possible_truncation, reason = "a float is cut to what fits")]
    let micros = (seconds * 1e6) as i64;
    Timestamp::from_microsecond(micros).ok()
}

/// Reads a list of links whose entries are objects with `href` and `text`. What does not fit is
/// left out.
pub(super) fn links(value: Option<&Value>, href: &str, text: &str, into: &mut Vec<Link>) {
    let Some(Value::Array(items)) = value else { return };
    for item in items {
        let field = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
        link(field(href), field(text), into);
    }
}

/// Adds a link, unless there is no address, it is too long, or there are enough.
pub(super) fn link(href: &str, text: &str, into: &mut Vec<Link>) {
    let href = href.trim();
    let fits = !href.is_empty() && href.len() <= MAX_HREF_BYTES && into.len() < MAX_LINKS;
    if fits && into.iter().all(|link| link.href != href) {
        into.push(Link { href: href.to_owned(), text: short(text.to_owned()) });
    }
}

/// Details as an object: one stays as it is, null is none, and anything else stands under `name`.
pub(super) fn details(value: Option<Value>, name: &str) -> Map<String, Value> {
    match value {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(map)) => map,
        Some(other) => Map::from_iter([(name.to_owned(), other)]),
    }
}

/// Adds a detail, unless it is absent or there is one of that name.
pub(super) fn detail(details: &mut Map<String, Value>, name: &str, value: Option<String>) {
    if let Some(value) = given(value)
        && !details.contains_key(name)
    {
        details.insert(name.to_owned(), Value::String(value));
    }
}

/// How bad a word says that something is, in any case; `None`: it says nothing of that.
pub(super) fn severity(word: &str) -> Option<Severity> {
    Some(match word.to_ascii_lowercase().as_str() {
        "critical" | "crit" | "page" | "fatal" | "emergency" | "disaster" | "p1" => {
            Severity::Critical
        }
        "high" | "major" | "error" | "p2" => Severity::High,
        "warning" | "warn" | "average" | "medium" | "p3" => Severity::Medium,
        "low" | "minor" | "notice" | "ticket" | "p4" => Severity::Low,
        "info" | "information" | "informational" | "none" | "debug" | "p5" => Severity::Info,
        _ => return None,
    })
}

/// Takes NUL characters out of `events`: PostgreSQL keeps none in text. In JSON they are always
/// escaped, so bodies without that escape are not looked through.
pub(super) fn without_nul(raw: &[u8], events: &mut [EventBody]) {
    if !raw.windows(6).any(|piece| piece == b"\\u0000") {
        return;
    }
    for event in events {
        event.summary.retain(|c| c != '\0');
        event.source.retain(|c| c != '\0');
        event.dedup_key.retain(|c| c != '\0');
        for link in &mut event.links {
            link.href.retain(|c| c != '\0');
            link.text.retain(|c| c != '\0');
        }
        let details = Value::Object(std::mem::take(&mut event.details));
        if let Value::Object(clean) = clean(details) {
            event.details = clean;
        }
    }
}

fn clean(value: Value) -> Value {
    match value {
        Value::String(mut text) => {
            text.retain(|c| c != '\0');
            Value::String(text)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(clean).collect()),
        Value::Object(map) => Value::Object(
            map.into_iter().map(|(name, value)| (name.replace('\0', ""), clean(value))).collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// Parses JSON as senders write it: with a byte order mark, and with bytes that are not UTF-8,
/// which are replaced.
pub(super) fn json<T: serde::de::DeserializeOwned>(raw: &[u8]) -> Result<T, serde_json::Error> {
    let bare = raw.strip_prefix(BYTE_ORDER_MARK).unwrap_or(raw);
    serde_json::from_slice(bare).or_else(|error| match std::str::from_utf8(bare) {
        Ok(_) => Err(error),
        Err(_) => serde_json::from_str(&String::from_utf8_lossy(bare)),
    })
}

/// Parses a JSON object, as [`json`] does. A list is not read as an object's fields in order.
pub(super) fn object<T: serde::de::DeserializeOwned>(raw: &[u8]) -> Result<T, DialectError> {
    let bare = raw.strip_prefix(BYTE_ORDER_MARK).unwrap_or(raw);
    match bare.trim_ascii_start().first() {
        Some(b'{') | None => Ok(json(raw)?),
        Some(_) => Err(DialectError::Unreadable("expected a JSON object".to_owned())),
    }
}

#[cfg(test)]
mod tests;
