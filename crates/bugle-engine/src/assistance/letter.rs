//! What a mail that asks for assistance says, and what it is about.
//!
//! Mail programs put what is answered below or above what is new; only what is new was said.

use bugle_domain::{AlertId, AssistanceId, EventId, NotificationId};

/// Blank lines that may stand between "Lena wrote:" and what she wrote.
const GAP: usize = 1;
/// What a mail program puts between an answer and the whole mail that it answers.
const RULE: &str = "________________________________";
/// What others begin and end such a line with: `-----Original Message-----`.
const DASHES: &str = "-----";

/// What a mail names. Each of them is only claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Named {
    /// An event.
    pub event: Option<EventId>,
    /// An alert, by its id.
    pub alert: Option<AlertId>,
    /// An alert, by its number: `#15`.
    pub number: Option<i64>,
    /// A message about an alert, which was answered.
    pub notification: Option<NotificationId>,
    /// An assistance request.
    pub request: Option<AssistanceId>,
}

impl Named {
    /// Whether an event or an alert is named.
    fn is_telling(&self) -> bool {
        self.event.is_some() || self.alert.is_some() || self.number.is_some()
    }
}

/// What is new in a mail: without what it answers, and without its signature.
pub fn said(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let end = lines.iter().position(|line| ends(line)).unwrap_or(lines.len());
    let mut kept: Vec<&str> = Vec::new();
    for line in &lines[..end] {
        if line.trim_start().starts_with('>') {
            drop_introduction(&mut kept);
        } else if !(line.is_empty() && kept.last().is_none_or(|last| last.is_empty())) {
            kept.push(line);
        }
    }
    kept.join("\n").trim().to_owned()
}

/// Whether what follows a line is a signature, or another mail, in whatever language.
fn ends(line: &str) -> bool {
    let line = line.trim();
    let is_divider =
        line.len() > 2 * DASHES.len() && line.starts_with(DASHES) && line.ends_with(DASHES);
    line == "--" || line == RULE || is_divider
}

/// Takes back "Lena wrote:", which stands before what is quoted.
fn drop_introduction(kept: &mut Vec<&str>) {
    let blank = kept.iter().rev().take_while(|line| line.is_empty()).count();
    let last = kept.len().checked_sub(blank + 1).and_then(|place| kept.get(place));
    if blank <= GAP && last.is_some_and(|line| line.ends_with(':')) {
        kept.truncate(kept.len() - blank - 1);
    }
}

/// What a mail is about: what its subject or its own words name, else what it answers, else what it
/// quotes. `answered` are the ids of the mails that it follows, the nearest last.
pub fn named(subject: &str, text: &str, answered: &[String]) -> Named {
    let own = names(&format!("{subject}\n{}", said(text)));
    let mut followed = Named::default();
    for id in answered {
        let found = names(id);
        followed.alert = found.alert.or(followed.alert);
        followed.notification = found.notification.or(followed.notification);
        followed.request = found.request.or(followed.request);
    }
    let request = followed.request;
    match () {
        () if own.is_telling() => Named { request, ..own },
        () if followed != Named::default() => followed,
        () => Named { request, ..names(text) },
    }
}

/// The first of each kind that a text names.
fn names(text: &str) -> Named {
    let mut named = Named::default();
    let of_id = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '#';
    for word in text.split(|c: char| !of_id(c)).filter(|word| !word.is_empty()) {
        let number = word.strip_prefix('#').and_then(|digits| digits.parse().ok());
        let word = word.to_ascii_lowercase();
        named.event = named.event.or_else(|| word.parse().ok());
        named.alert = named.alert.or_else(|| word.parse().ok());
        named.number = named.number.or(number);
        named.notification = named.notification.or_else(|| word.parse().ok());
        named.request = named.request.or_else(|| word.parse().ok());
    }
    named
}

#[cfg(test)]
mod tests;
