//! What is spoken in a call.

use bugle_domain::text::{one_line, truncate};
use jiff::Timestamp;

use super::Page;
use crate::respond::{Effect, sentence};

/// Longest title that is read out.
const LONGEST_TITLE: usize = 200;

/// What a call says of its alerts. The greeting, the keys and a remark that it may be a repeat are
/// spoken around it by the channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Speech {
    /// What it is about: `Critical, Payments. checkout api 5xx 14.2 percent.`
    pub opening: String,
    /// The same for a machine that records, which never counts as an answer.
    pub voicemail: String,
}

/// The words of a call about `page`.
pub fn speech(page: &Page<'_>) -> Speech {
    let alerts = page.worst_first();
    let Some(worst) = alerts.first() else {
        return Speech { opening: String::new(), voicemail: String::new() };
    };
    let count = match alerts.len() {
        1 => String::new(),
        more => format!("{more} alerts. The worst: "),
    };
    let service = page.service(worst).map(|name| format!(", {}", readable(name)));
    let title = truncate(&readable(&worst.summary), LONGEST_TITLE);
    let stop = if title.ends_with(['.', '!', '?', '…']) { "" } else { "." };
    let late = page.late_note(worst).map(|note| format!(" This was {note}."));
    let opening = format!(
        "{count}{}{}. {title}{stop}{}",
        worst.severity.word(),
        service.unwrap_or_default(),
        late.unwrap_or_default()
    );
    let voicemail = format!("{opening} Nobody has answered it yet.");
    Speech { opening, voicemail }
}

/// What is said after a key that means something, before hanging up. Of several alerts, the first
/// effect speaks for all.
pub fn after_key(effects: &[Effect], now: Timestamp) -> String {
    match effects {
        [] => "Nothing here waits for an answer. Goodbye.".to_owned(),
        [one] => format!("{} Goodbye.", sentence(one, now)),
        [first, ..] => format!("{} alerts. {} Goodbye.", effects.len(), sentence(first, now)),
    }
}

/// Text as a voice reads it well: no symbols, no joined-up names.
fn readable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '%' => out.push_str(" percent"),
            '&' => out.push_str(" and "),
            '-' | '_' | '/' | '|' | '#' | '*' | '<' | '>' | '{' | '}' | '[' | ']' => out.push(' '),
            other => out.push(other),
        }
    }
    one_line(&out)
}
