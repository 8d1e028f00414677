//! The simulated phones, mailboxes and programs of the demo.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::handset::{
    CallState, Handset, HandsetError, HandsetMessage, Receiver, ReceiverKind,
};
use http::StatusCode;
use serde::Deserialize;

use super::error::{PageError, sentence};
use super::shell::{Section, page};
use super::times::{Times, When};
use super::visitor::{Visitor, forget_said, see};

/// Messages of one phone that are shown.
const SHOWN: usize = 12;
/// Keys of a phone, with what they do.
const KEYS: [(&str, &str); 12] = [
    ("1", ""),
    ("2", ""),
    ("3", ""),
    ("4", "have it"),
    ("5", "pass on"),
    ("6", "fixed"),
    ("7", ""),
    ("8", ""),
    ("9", ""),
    ("*", ""),
    ("0", "again"),
    ("#", ""),
];

#[derive(Template)]
#[template(path = "handset.html")]
pub(super) struct HandsetPage {
    /// The reader first, then those whose phone rings, then those who received something.
    pub(super) people: Vec<Person>,
    /// The keypad.
    pub(super) keys: Vec<Key>,
    /// The page's zone.
    pub(super) zone: String,
    /// What the last request caused.
    pub(super) said: Option<String>,
}

/// A key of the keypad.
pub(super) struct Key {
    /// What is on it.
    pub(super) key: &'static str,
    /// What it does.
    pub(super) word: &'static str,
}

/// A person and what is theirs.
pub(super) struct Person {
    /// Names them in the page.
    pub(super) id: String,
    /// Their name.
    pub(super) name: String,
    /// Whether a phone of theirs rings now.
    pub(super) ringing: bool,
    /// Whether nothing has come to them.
    pub(super) quiet: bool,
    /// Their phones, mailboxes and programs.
    pub(super) receivers: Vec<Shown>,
}

/// One simulated phone, mailbox or program.
pub(super) struct Shown {
    /// Names it in the page.
    pub(super) id: String,
    /// Whose it is.
    pub(super) owner: String,
    /// Number, address or path.
    pub(super) address: String,
    /// Whether it rings now.
    pub(super) ringing: bool,
    /// The newest call.
    pub(super) call: Option<Call>,
    /// Whether messages have subjects.
    pub(super) mail: bool,
    /// What came and was sent.
    pub(super) messages: Vec<Message>,
    /// Its number, where it can reply.
    pub(super) phone: Option<String>,
}

/// One call.
pub(super) struct Call {
    /// Names it within the handset.
    pub(super) id: String,
    /// `Ringing since 02:41:03`.
    pub(super) state: String,
    /// Whether it rings.
    pub(super) ringing: bool,
    /// Whether keys can be pressed.
    pub(super) live: bool,
    /// What was said.
    pub(super) spoken: Vec<String>,
    /// Keys pressed.
    pub(super) keys: String,
}

/// One message.
pub(super) struct Message {
    /// Names it in the page.
    pub(super) id: String,
    /// When.
    pub(super) at: When,
    /// Whether its owner wrote it.
    pub(super) mine: bool,
    /// Subject of a mail.
    pub(super) subject: String,
    /// The text, with its links.
    pub(super) text: Vec<Span>,
}

/// A stretch of text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Span {
    /// What it says.
    pub(super) text: String,
    /// Whether it is an address of the web.
    pub(super) link: bool,
}

fn of(app: &App) -> Result<&Arc<dyn Handset>, PageError> {
    app.handset().ok_or_else(|| PageError::not_found("Only the demo has simulated phones."))
}

/// `GET /handset`.
pub(super) async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, PageError> {
    let mut body = load(of(&app)?.as_ref(), &visitor.times, reader(&visitor));
    body.said.clone_from(&visitor.browser.said);
    let shell = visitor.shell(&app, "Handset", Section::Handset).await?;
    let mut response = page(StatusCode::OK, &shell.live("handset".to_owned()), &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// The reader's name.
pub(super) fn reader(visitor: &Visitor) -> &str {
    visitor.me.user.as_ref().map_or("", |user| user.name.as_str())
}

/// What the page shows to the person of that name.
pub(super) fn load(handset: &dyn Handset, times: &Times, reader: &str) -> HandsetPage {
    let mut receivers = handset.receivers();
    // A call in progress first, then whoever received something last.
    receivers.sort_by_cached_key(|it| {
        let busy = it.call.as_ref().is_some_and(|call| call.state != CallState::Ended);
        let last = it.messages.last().map(|message| message.at);
        let last = last.max(it.call.as_ref().map(|call| call.since));
        std::cmp::Reverse((busy, last))
    });
    let receivers = receivers.iter().enumerate().map(|(at, receiver)| shown(at, receiver, times));
    let mut people: Vec<Person> = Vec::new();
    for receiver in receivers {
        let quiet = receiver.call.is_none() && receiver.messages.is_empty();
        if let Some(person) = people.iter_mut().find(|it| it.name == receiver.owner) {
            person.ringing |= receiver.ringing;
            person.quiet &= quiet;
            person.receivers.push(receiver);
            continue;
        }
        people.push(Person {
            id: format!("p-{}", receiver.id),
            name: receiver.owner.clone(),
            ringing: receiver.ringing,
            quiet,
            receivers: vec![receiver],
        });
    }
    for person in &mut people {
        person.receivers.sort_by_key(|it| it.mail);
        person.id = format!("p-{}", person.receivers.first().map_or("", |it| it.id.as_str()));
    }
    people.sort_by_key(|person| person.name != reader);
    HandsetPage {
        people,
        keys: KEYS.into_iter().map(|(key, word)| Key { key, word }).collect(),
        zone: times.zone_name().to_owned(),
        said: None,
    }
}

fn shown(at: usize, receiver: &Receiver, times: &Times) -> Shown {
    let (address, phone) = match &receiver.kind {
        ReceiverKind::Phone { number } => (number, Some(number.clone())),
        ReceiverKind::Mailbox { address } => (address, None),
        ReceiverKind::Webhook { path } => (path, None),
    };
    let mail = matches!(receiver.kind, ReceiverKind::Mailbox { .. });
    let newest = receiver.messages.iter().rev().take(SHOWN);
    let mut messages: Vec<Message> = newest.map(|it| message(it, times)).collect();
    // A thread is read downwards; of mails, the newest comes first.
    if !mail {
        messages.reverse();
    }
    let call = receiver.call.as_ref().map(|call| {
        let since = times.hms(call.since);
        let state = match call.state {
            CallState::Ringing => format!("Ringing since {since}"),
            CallState::InCall => format!("In a call since {since}"),
            CallState::Voicemail => format!("Voicemail answered at {since}"),
            CallState::Ended => format!("Call ended at {since}"),
        };
        Call {
            id: call.id.clone(),
            state,
            ringing: call.state == CallState::Ringing,
            live: call.state == CallState::InCall,
            spoken: call.spoken.clone(),
            keys: call.keys.clone(),
        }
    });
    let owner = if receiver.owner.is_empty() { "Nobody’s" } else { &receiver.owner };
    Shown {
        id: slug(address, at),
        owner: owner.to_owned(),
        address: address.clone(),
        ringing: call.as_ref().is_some_and(|call| call.ringing),
        call,
        mail,
        messages,
        phone,
    }
}

/// A name in the page that stays with it wherever it is listed.
fn slug(address: &str, at: usize) -> String {
    let plain: String = address.chars().filter(char::is_ascii_alphanumeric).collect();
    if plain.is_empty() { format!("d{at}") } else { format!("d-{plain}") }
}

fn message(it: &HandsetMessage, times: &Times) -> Message {
    Message {
        id: format!("m-{}", it.id),
        at: times.exact(it.at),
        mine: it.sent_by_owner,
        subject: it.subject.clone(),
        text: spans(&it.text),
    }
}

/// Finds addresses of the web in a text.
fn spans(text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("http://").into_iter().chain(rest.find("https://")).min() {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| c.is_whitespace() || "<>\"".contains(c));
        let link = &from[..end.unwrap_or(from.len())];
        let bare = link.trim_end_matches(['.', ',', ')', ';']);
        spans.push(Span { text: before.to_owned(), link: false });
        spans.push(Span { text: bare.to_owned(), link: true });
        rest = &from[bare.len()..];
    }
    spans.push(Span { text: rest.to_owned(), link: false });
    spans.retain(|span| !span.text.is_empty());
    spans
}

fn done(visitor: &Visitor, outcome: Result<(), HandsetError>, said: &str) -> Response {
    let text = match outcome {
        Ok(()) => said.to_owned(),
        Err(error) => sentence(&error.to_string()),
    };
    see(&visitor.browser, "/handset", &text)
}

/// `POST /handset/calls/{call}/answer`.
pub(super) async fn answer(
    State(app): State<App>,
    visitor: Visitor,
    Path(call): Path<String>,
) -> Result<Response, PageError> {
    Ok(done(&visitor, of(&app)?.answer(&call).await, "Answered."))
}

/// `POST /handset/calls/{call}/voicemail`.
pub(super) async fn voicemail(
    State(app): State<App>,
    visitor: Visitor,
    Path(call): Path<String>,
) -> Result<Response, PageError> {
    Ok(done(&visitor, of(&app)?.voicemail(&call).await, "A machine answered."))
}

/// `POST /handset/calls/{call}/hang-up`.
pub(super) async fn hang_up(
    State(app): State<App>,
    visitor: Visitor,
    Path(call): Path<String>,
) -> Result<Response, PageError> {
    Ok(done(&visitor, of(&app)?.hang_up(&call).await, "Hung up."))
}

/// A key, as pressed.
#[derive(Deserialize)]
pub(super) struct Pressed {
    key: String,
}

/// `POST /handset/calls/{call}/press`.
pub(super) async fn press(
    State(app): State<App>,
    visitor: Visitor,
    Path(call): Path<String>,
    Form(pressed): Form<Pressed>,
) -> Result<Response, PageError> {
    let key = pressed.key.chars().next().unwrap_or(' ');
    let outcome = of(&app)?.press(&call, key).await;
    Ok(done(&visitor, outcome, &format!("Pressed {key}.")))
}

/// A reply, as typed.
#[derive(Deserialize)]
pub(super) struct Reply {
    phone: String,
    text: String,
}

/// `POST /handset/reply`.
pub(super) async fn reply(
    State(app): State<App>,
    visitor: Visitor,
    Form(reply): Form<Reply>,
) -> Result<Response, PageError> {
    Ok(done(&visitor, of(&app)?.reply(&reply.phone, &reply.text).await, "Sent."))
}

#[cfg(test)]
mod tests;
