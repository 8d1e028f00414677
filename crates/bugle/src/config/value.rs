//! What single values mean: durations, sizes, addresses, choices, each with its range.
//!
//! Every function takes the text or number of one key and says what would be right when it is
//! wrong; none of them knows where the value came from.

use std::net::SocketAddr;
use std::time::Duration;

use bugle_domain::units::{ShownDuration, parse_duration, parse_size};
use url::Url;

/// A value as the file, the environment or the defaults gave it.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Bool(bool),
    /// A list of texts.
    List(Vec<String>),
}

impl Value {
    /// What it is, for error messages.
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
        }
    }
}

/// What is wrong with one value.
pub(super) type Problem = String;

/// A text, trimmed.
pub(super) fn text(value: &Value) -> Result<String, Problem> {
    match value {
        Value::Text(text) => Ok(text.trim().to_owned()),
        other => Err(format!("must be a text in quotes, and is {}", other.kind())),
    }
}

/// A text that is not empty.
pub(super) fn some_text(value: &Value) -> Result<String, Problem> {
    let text = text(value)?;
    if text.is_empty() { Err("must not be empty".to_owned()) } else { Ok(text) }
}

/// An address to listen on; the example is on this port.
pub(super) fn listen(value: &Value, example: u16) -> Result<SocketAddr, Problem> {
    let text = some_text(value)?;
    text.parse().map_err(|_| {
        format!("must be an address and port such as \"127.0.0.1:{example}\", not {text:?}")
    })
}

/// A list of texts. A single text is read as a list split at commas, as the environment needs.
pub(super) fn list(value: &Value) -> Result<Vec<String>, Problem> {
    match value {
        Value::List(items) => Ok(items.clone()),
        Value::Text(text) => Ok(text
            .split(',')
            .map(|item| item.trim().to_owned())
            .filter(|item| !item.is_empty())
            .collect()),
        other => Err(format!("must be a list such as [\"a\", \"b\"], and is {}", other.kind())),
    }
}

/// A whole number in a range; text with digits counts, as the environment needs.
pub(super) fn integer(value: &Value, range: std::ops::RangeInclusive<i64>) -> Result<i64, Problem> {
    let number = match value {
        Value::Integer(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok(),
        Value::Bool(_) | Value::List(_) => None,
    };
    let number = number.ok_or_else(|| format!("must be a number, and is {}", value.kind()))?;
    if range.contains(&number) {
        Ok(number)
    } else {
        Err(format!("must be from {} to {}, and is {number}", range.start(), range.end()))
    }
}

/// A whole number in a range, as `u32`.
pub(super) fn count(value: &Value, range: std::ops::RangeInclusive<u32>) -> Result<u32, Problem> {
    let wide = i64::from(*range.start())..=i64::from(*range.end());
    let number = integer(value, wide)?;
    u32::try_from(number).map_err(|_| "must be a smaller number".to_owned())
}

/// One of a few words.
pub(super) fn choice<T: Copy>(value: &Value, choices: &[(&str, T)]) -> Result<T, Problem> {
    let text = text(value)?;
    choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice).ok_or_else(|| {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        format!("must be one of {}, and is {text:?}", words.join(", "))
    })
}

/// A duration such as `"500ms"`, `"30s"`, `"5m"`, `"2h"`, `"30d"`, within a range.
pub(super) fn duration(
    value: &Value,
    range: std::ops::RangeInclusive<Duration>,
) -> Result<Duration, Problem> {
    let text = match value {
        Value::Text(text) => text.trim(),
        Value::Integer(_) => {
            return Err("must have a unit, such as \"30s\", \"5m\", \"2h\"".to_owned());
        }
        other => return Err(format!("must be a duration, and is {}", other.kind())),
    };
    let read = parse_duration(text)
        .ok_or_else(|| format!("must be a duration such as \"30s\" or \"5m\", and is {text:?}"))?;
    if range.contains(&read) {
        Ok(read)
    } else {
        let (from, to) = (ShownDuration(*range.start()), ShownDuration(*range.end()));
        Err(format!("must be from {from} to {to}, and is {text}"))
    }
}

/// A size such as `"512 KiB"` or `"1 MiB"`, in bytes, within a range.
pub(super) fn size(value: &Value, range: std::ops::RangeInclusive<u64>) -> Result<u64, Problem> {
    let text = match value {
        Value::Text(text) => text.trim(),
        Value::Integer(_) => return Err("must have a unit, such as \"1 MiB\"".to_owned()),
        other => return Err(format!("must be a size, and is {}", other.kind())),
    };
    let read = parse_size(text)
        .ok_or_else(|| format!("must be a size such as \"512 KiB\" or \"1 MiB\", not {text:?}"))?;
    if range.contains(&read) {
        Ok(read)
    } else {
        let kib = |bytes: u64| format!("{} KiB", bytes / 1_024);
        Err(format!("must be from {} to {}, and is {text}", kib(*range.start()), kib(*range.end())))
    }
}

/// An HTTP address that paths can be added to: `https`, or `http` on the same machine or network.
pub(super) fn base_url(value: &Value) -> Result<Url, Problem> {
    let text = some_text(value)?;
    let url: Url = text.parse().map_err(|_| {
        format!("must be a URL such as \"https://bugle.example.com\", not {text:?}")
    })?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.has_host();
    match url.scheme() {
        _ if !plain => Err("must have a host, and no user name, `?` or `#`".to_owned()),
        "http" | "https" => Ok(url),
        _ => Err("must begin with `https://` or `http://`".to_owned()),
    }
}
