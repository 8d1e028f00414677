//! What the parsers' tests share: requests of real clients, and events in a form to be read.

use std::fmt::Write;

use bugle_domain::event::EventBody;

use super::said::{DialectError, Events};

/// Requests as real clients sent them, by name.
macro_rules! fixture {
    ($name:literal) => {
        super::super::sample::body(include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/",
            $name,
            ".http"
        )))
    };
}
pub(super) use fixture;

/// The body of a request.
pub(super) fn body(request: &[u8]) -> &[u8] {
    for (at, gap) in request.windows(2).enumerate() {
        if gap == b"\n\n" {
            return &request[at + 2..];
        }
        if request[at..].starts_with(b"\r\n\r\n") {
            return &request[at + 4..];
        }
    }
    panic!("a request has an empty line after its headers");
}

/// Events, a few lines each, or what is wrong.
pub(super) fn told(events: &Events) -> String {
    match events {
        Ok(events) => events.iter().map(one).collect::<Vec<_>>().join("\n"),
        Err(DialectError::Unreadable(message)) => format!("unreadable: {message}"),
        Err(DialectError::Invalid(errors)) => {
            let lines = errors.iter().map(|e| format!("{}: {}: {}", e.pointer, e.code, e.message));
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

fn one(event: &EventBody) -> String {
    let mut out = format!(
        "{} {} `{}` from `{}` key `{}`",
        event.action.as_str(),
        event.severity.as_str(),
        event.summary,
        event.source,
        event.dedup_key
    );
    for (word, at) in [("at", event.occurred_at), ("until", event.ends_at)] {
        if let Some(at) = at {
            write!(out, "\n  {word} {at}").unwrap();
        }
    }
    for link in &event.links {
        write!(out, "\n  link {} `{}`", link.href, link.text).unwrap();
    }
    for (name, value) in &event.details {
        write!(out, "\n  {name}: {value}").unwrap();
    }
    out
}
