//! Mail as events: one mail to an integration's own address is one event.
//!
//! The subject says what it is about ([`subject`]); the rest of the mail goes along as its details.

use std::sync::Arc;

use bugle_app::App;
use bugle_app::keys::IntegrationRef;
use bugle_domain::EventId;
use bugle_domain::Severity;
use bugle_domain::event::EventBody;
use bugle_domain::integration::Dialect;
use bugle_domain::text::{one_line, truncate};
use serde_json::Map;

use super::door::{self, Arrived, MAX_IDEMPOTENCY_BYTES, Refusal};
use super::native::DEFAULT_SEVERITY;
use super::text;
use crate::smtp::letter::Letter;

mod subject;

/// Longest text kept in the details, in characters; all of it is among the bytes received.
const MAX_TEXT_CHARS: usize = 4_000;
/// What an event is called whose mail says nothing.
const NAMELESS: &str = "A mail without a subject";

/// Commits the event of a mail. When this returns its id, it is durable; the same `Message-ID`
/// gives the same event.
pub(crate) async fn take(
    app: &App,
    to: &Arc<IntegrationRef>,
    letter: &Letter,
) -> Result<EventId, Refusal> {
    let taken = async {
        let idempotency_key = letter.mail.id.as_deref().map(idempotency_key);
        let mut event = event(letter);
        if let Some(key) = earlier_key(app, to, letter).await? {
            event.dedup_key = key;
        }
        let request = Arrived {
            dialect: Dialect::Email,
            key: None,
            idempotency_key: idempotency_key.as_deref(),
            raw: letter.raw.clone(),
            events: Ok(vec![event]),
            now: app.now(),
        };
        let taken = door::take_for(app, request, to).await?;
        taken.first().map(|event| event.id).ok_or(Refusal::KeysUnavailable)
    };
    let taken = taken.await;
    if let Err(refusal) = &taken {
        super::answers::counted(Dialect::Email, refusal);
    }
    taken
}

/// What the mails that this one answers fold by, where they came here and it names no key itself.
async fn earlier_key(
    app: &App,
    to: &IntegrationRef,
    letter: &Letter,
) -> Result<Option<String>, Refusal> {
    if subject::read(&letter.mail.subject).key.is_some() {
        return Ok(None);
    }
    let earlier: Vec<String> = letter.mail.answered.iter().map(|id| idempotency_key(id)).collect();
    app.dedup_key_of(to, &earlier).await.map_err(|error| {
        tracing::error!(error = %bugle_app::Chain(&error), "a mail's thread could not be read");
        Refusal::KeysUnavailable
    })
}

/// The idempotency key of the mail of this id.
fn idempotency_key(id: &str) -> String {
    text::cut(format!("mail:{id}"), MAX_IDEMPOTENCY_BYTES)
}

/// The code, and the enhanced code (RFC 3463), that `refusal` is answered with.
pub(crate) fn answer(refusal: &Refusal) -> (u16, &'static str) {
    match refusal {
        Refusal::TooLarge => (552, "5.3.4"),
        Refusal::NoKey | Refusal::UnknownKey => (550, "5.1.1"),
        Refusal::Disabled => (550, "5.2.1"),
        Refusal::Wrong(_) | Refusal::OtherBody => (554, "5.6.0"),
        Refusal::TooSlow | Refusal::Intake(_) | Refusal::KeysUnavailable => (451, "4.3.2"),
    }
}

/// The event that a mail is.
pub(crate) fn event(letter: &Letter) -> EventBody {
    let mail = &letter.mail;
    let said = subject::read(&mail.subject);
    let body = tidied(&mail.text);
    let title = [said.title.as_str(), body.lines().next().unwrap_or_default(), NAMELESS];
    // Of signs that nobody can see nothing is left.
    let mut titles = title.into_iter().map(|it| text::summary(it.to_owned()));
    let summary = titles.find(|it| !it.is_empty()).unwrap_or_default();
    let thread = mail.answered.first().cloned();
    let graded = said.severity.or_else(|| letter.priority.as_deref().and_then(priority));
    let from = one_line(&letter.from);
    let source = from.rsplit_once('<').map_or(from.as_str(), |(_, it)| it.trim_end_matches('>'));
    let mut details = Map::new();
    text::detail(&mut details, "from", Some(from.clone()));
    text::detail(&mut details, "text", Some(truncate(&body, MAX_TEXT_CHARS)));
    EventBody {
        action: said.action,
        summary,
        severity: graded.unwrap_or(DEFAULT_SEVERITY),
        source: text::short(source.to_owned()),
        dedup_key: text::dedup_key(said.key.or(thread).unwrap_or(said.folds_by)),
        occurred_at: letter.date.filter(|at| *at >= jiff::Timestamp::UNIX_EPOCH),
        ends_at: None,
        links: Vec::new(),
        details,
    }
}

/// How bad a header about a mail's urgency says that it is: `X-Priority` (1–5), `Importance`
/// (RFC 4021) or `Priority` (RFC 2156). What says that it is normal says nothing.
fn priority(value: &str) -> Option<Severity> {
    let word = value.split(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "1" | "highest" => Some(Severity::Critical),
        "2" | "high" | "urgent" => Some(Severity::High),
        "4" | "5" | "low" | "lowest" | "non-urgent" => Some(Severity::Low),
        _ => None,
    }
}

/// Text without NUL, without white space at the ends of lines, and with no two empty lines in a
/// row: HTML of programs has hundreds.
fn tidied(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = true;
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() && empty {
            continue;
        }
        empty = line.is_empty();
        out.extend(line.chars().filter(|c| *c != '\0'));
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests;
