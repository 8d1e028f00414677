//! What is spoken in a call.

use bugle_domain::text::{one_line, truncate};
use jiff::Timestamp;

use super::Page;
use crate::respond::{Effect, sentence};

/// Longest title that is read out.
const LONGEST_TITLE: usize = 200;

/// The texts of a call, in the order they may be needed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Speech {
    /// What it is about. Its first second may go unheard.
    pub opening: String,
    /// Which keys mean what.
    pub menu: String,
    /// When no key was pressed, before hanging up.
    pub no_key: String,
    /// After a key that means nothing.
    pub unknown_key: String,
    /// For a machine that records.
    pub voicemail: String,
}

/// The texts of a call about `page`.
pub fn speech(page: &Page<'_>) -> Speech {
    let alerts = page.worst_first();
    let mut opening = String::from("Bugle. Bugle. ");
    let mut about = String::new();
    if let Some(worst) = alerts.first() {
        let service = page.service(worst).map_or(String::new(), |name| format!(", {name}"));
        if alerts.len() > 1 {
            about = format!("{} alerts. The worst: ", alerts.len());
        }
        let title = truncate(&readable(&worst.summary), LONGEST_TITLE);
        let stop = if title.ends_with(['.', '!', '?']) { "" } else { "." };
        about = format!("{about}{}{}. {title}{stop}", worst.severity.word(), readable(&service));
        if let Some(late) = page.late_note(worst) {
            about = format!("{about} This was {late}.");
        }
        if page.possible_repeat {
            about.push_str(" You may have heard this before.");
        }
    }
    opening.push_str(&about);
    let menu = if alerts.len() > 1 {
        "Press 4 to acknowledge all. 5 to pass them on. 6 if they are fixed. 0 to hear it again."
    } else {
        "Press 4 to acknowledge. 5 to pass it on. 6 if it is fixed. 0 to hear it again."
    };
    Speech {
        opening,
        menu: menu.to_owned(),
        no_key: "No key was pressed. This does not count as an answer. Goodbye.".to_owned(),
        unknown_key: "That key does nothing here.".to_owned(),
        voicemail: format!("{about} Nobody has answered it. We try again."),
    }
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
