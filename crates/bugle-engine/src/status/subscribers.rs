//! Subscribers of the status page: who is told what, and in which words.
//!
//! Whoever asks is a subscriber only after a button was pressed that leads from a message to that
//! very address. Nothing here is urgent: it is sent after everything that somebody waits for.

use bugle_domain::contact::{Address, Channel};
use bugle_domain::text::truncate;
use bugle_domain::{BulletinId, SubscriberId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Component;
use super::bulletin::{Bulletin, Phase};
use crate::message::html::escaped;

/// Who has not pressed the button within this time is forgotten.
pub const CONFIRM_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// What became older than this before it could be told is not told any more.
pub const TELL_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// By these ways subscribers are told.
pub const CHANNELS: [Channel; 3] = [Channel::Email, Channel::Sms, Channel::Webhook];
/// How long a code that was sent by text holds.
pub const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// Codes that may be typed for each that was sent.
pub const CODE_TRIES: u32 = 5;

/// Characters of a title that a text message has room for, before anything else is left out.
const LEAST_TITLE: usize = 40;

/// Who wants to be told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscriber {
    /// Its id.
    pub id: SubscriberId,
    /// Where it is told.
    pub address: Address,
    /// Of which components; empty: of all.
    pub components: Vec<Component>,
    /// When it asked last.
    pub asked_at: Timestamp,
    /// When the button was pressed; `None`: not yet.
    pub confirmed_at: Option<Timestamp>,
}

impl Subscriber {
    /// Whether it is told of what touches these components, said at that time. What touches none
    /// concerns everybody. A text is for what has turned, and not for each update.
    pub fn wants(&self, notice: &Notice) -> bool {
        let of = &notice.components;
        let concerned = self.components.is_empty()
            || of.is_empty()
            || of.iter().any(|it| self.components.contains(it));
        let fits = self.address.channel() != Channel::Sms || notice.turned;
        concerned && fits && self.confirmed_at.is_some_and(|at| at <= notice.said_at())
    }
}

/// Something that was said, for subscribers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// How far it had come.
    pub phase: Phase,
    /// The words.
    pub text: String,
}

/// What subscribers are told at once: all that is new of one bulletin.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// Of which bulletin.
    pub bulletin: BulletinId,
    /// In a line.
    pub title: String,
    /// What it touches.
    pub components: Vec<Component>,
    /// What was said, oldest first; not empty.
    pub said: Vec<Said>,
    /// It is the first that is said, or the phase changed with it.
    #[serde(default)]
    pub turned: bool,
}

impl Notice {
    /// When the last of it was said.
    pub fn said_at(&self) -> Timestamp {
        self.said.last().map_or(Timestamp::MIN, |said| said.at)
    }
}

/// What is new of a bulletin after what was told up to `told`, which is kept to the microsecond.
/// `None`: nothing, or it is too old.
pub fn news(bulletin: &Bulletin, told: Option<Timestamp>, now: Timestamp) -> Option<Notice> {
    let told = told.map(Timestamp::as_microsecond);
    let known = bulletin.updates.iter().rposition(|it| Some(it.at.as_microsecond()) == told);
    let new = bulletin.updates.iter().skip(known.map_or(0, |place| place + 1));
    let fresh = |at: Timestamp| now.duration_since(at) < TELL_WITHIN;
    let said: Vec<Said> = new
        .filter(|update| fresh(update.at))
        .map(|update| Said { at: update.at, phase: update.phase, text: update.text.clone() })
        .collect();
    let before = known.and_then(|place| bulletin.updates.get(place)).map(|update| update.phase);
    let turned = said.iter().any(|it| Some(it.phase) != before);
    (!said.is_empty()).then(|| Notice {
        turned,
        bulletin: bulletin.id,
        title: bulletin.title.clone(),
        components: bulletin.components.clone(),
        said,
    })
}

/// Where a message's links lead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Links {
    /// The status page.
    pub page: String,
    /// The subscriber's own page.
    pub own: String,
    /// Where one request ends it.
    pub unsubscribe: String,
    /// Leads to the subscriber's own page, for texts.
    pub short: String,
}

/// A mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    /// One line.
    pub subject: String,
    /// The plain part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// The mail that tells of something.
pub fn mail(notice: &Notice, name: &str, links: &Links) -> Mail {
    let phase = notice.said.last().map_or("", |said| said.phase.words());
    let said = |it: &Said| {
        let at = it.at.strftime("%Y-%m-%d %H:%M UTC");
        format!("{at} · {}\n{}", it.phase.words(), it.text)
    };
    let mut parts = vec![notice.title.clone()];
    parts.extend(notice.said.iter().rev().map(said));
    if !notice.components.is_empty() {
        parts.push(format!("Touches: {}", names(&notice.components)));
    }
    parts.push(format!("Status page: {}\n", links.page));
    let text = parts.join("\n\n");
    let subject = format!("[{name} status] {phase}: {}", notice.title);
    closed(subject, text, &format!("Choose what you are told, or unsubscribe: {}", links.own))
}

/// The mail that asks whether it was they who asked.
pub fn question(name: &str, links: &Links) -> Mail {
    let text = format!(
        "Somebody asked to be told here of what the {name} status page says.\n\n\
         If it was you, open this and press the button:\n{}\n\n\
         It holds for 24 hours.\n",
        links.own
    );
    let subject = format!("Confirm: updates of the {name} status page");
    closed(subject, text, "If you did not ask, do nothing: you will not be told of anything.")
}

fn closed(subject: String, text: String, last: &str) -> Mail {
    let text = format!("{text}\n-- \n{last}\n");
    let html =
        format!("<div style=\"font:16px sans-serif;white-space:pre-wrap\">{}</div>", linked(&text));
    Mail { subject, text, html }
}

/// Text as HTML, in which what begins as an address of ours is a link.
fn linked(text: &str) -> String {
    let word = |word: &str| {
        let escaped = escaped(word);
        let is_link = word.starts_with("https://") || word.starts_with("http://");
        if is_link { format!("<a href=\"{escaped}\">{escaped}</a>") } else { escaped }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// The text message that tells of something, in at most so many characters: what, of what, where,
/// and how it ends. Only the title is cut.
pub fn text(notice: &Notice, name: &str, links: &Links, max_chars: usize) -> String {
    let phase = notice.said.last().map_or("", |said| said.phase.words());
    let touched = match notice.components.as_slice() {
        [] => String::new(),
        of => format!(" ({})", names(of)),
    };
    let end = format!("{} End: {}", links.page, links.short);
    let around =
        |touched: &str| format!("{name} status: {phase}: {touched}. {end}").chars().count();
    let touched = if around(&touched) + LEAST_TITLE <= max_chars { touched } else { String::new() };
    let title = truncate(&notice.title, max_chars.saturating_sub(around(&touched)));
    format!("{name} status: {phase}: {title}{touched}. {end}")
}

/// The text message that brings a code.
pub fn code(code: &str, name: &str) -> String {
    format!(
        "{code} is your code for updates of the {name} status page. It holds for 15 minutes. If \
         you did not ask, do nothing."
    )
}

/// What answers a text that ended it.
pub fn ended(name: &str) -> String {
    format!("You get no more updates of the {name} status page.")
}

/// Whether a text from a phone says that no more shall come, as phone companies know it.
pub fn ends(text: &str) -> bool {
    let word = text.trim().trim_matches(|c: char| !c.is_alphanumeric());
    ["stop", "unsubscribe", "end", "quit"].iter().any(|it| word.eq_ignore_ascii_case(it))
}

/// What is posted to a program that is told of something.
pub fn hook(notice: &Notice, links: &Links) -> String {
    let said = |it: &Said| json!({ "at": it.at, "status": it.phase.as_str(), "body": it.text });
    let components: Vec<&str> = notice.components.iter().map(|it| it.as_str()).collect();
    json!({
        "type": "status.update",
        "bulletin": notice.bulletin,
        "title": notice.title,
        "status": notice.said.last().map(|it| it.phase.as_str()),
        "components": components,
        "updates": notice.said.iter().map(said).collect::<Vec<_>>(),
        "page": links.page,
        "unsubscribe": links.unsubscribe,
    })
    .to_string()
}

/// What is posted to a program for which somebody asked: its owner has to open the link.
pub fn hook_question(links: &Links) -> String {
    json!({ "type": "status.confirm", "confirm": links.own, "page": links.page }).to_string()
}

/// Their names, for people.
pub fn names(components: &[Component]) -> String {
    components.iter().map(|it| it.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
