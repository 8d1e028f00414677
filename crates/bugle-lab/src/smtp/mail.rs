//! Reads a mail: headers and both parts, decoded.

use bytes::Bytes;
use jiff::Timestamp;
use mail_parser::MessageParser;

use crate::state::Mail;

/// Reads `raw` as far as it can be read.
pub(super) fn read(raw: Bytes, from: &str, to: &str, at: Timestamp) -> Mail {
    let parsed = MessageParser::default().parse(&raw[..]);
    let part = |text: Option<std::borrow::Cow<'_, str>>| text.unwrap_or_default().into_owned();
    let (subject, text, html, headers) = match &parsed {
        Some(mail) => (
            mail.subject().unwrap_or_default().to_owned(),
            part(mail.body_text(0)),
            part(mail.body_html(0)),
            mail.headers_raw().map(|(name, value)| (name.to_lowercase(), unfold(value))).collect(),
        ),
        None => (String::new(), String::new(), String::new(), Vec::new()),
    };
    Mail {
        number: 0,
        at,
        from: from.to_owned(),
        to: to.to_owned(),
        subject,
        text,
        html,
        headers,
        raw,
    }
}

fn unfold(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}
