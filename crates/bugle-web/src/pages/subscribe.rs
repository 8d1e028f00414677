//! Subscribing to the status page: asking, a subscriber's own page, and the end of it. Nobody signs
//! in, nothing needs script, and looking changes nothing.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use bugle_app::App;
use bugle_app::status::{Asks, StatusError, SubscriberView};
use bugle_domain::SubscriberId;
use bugle_domain::contact::Channel;
use bugle_engine::status::Component;
use http::StatusCode;

use super::error::{PageError, fields, is_theirs, message_to};
use super::forms::{Sent, of};
use super::parts::{Choice, FieldError};
use super::shell::page;
use super::status_desk::chosen;
use super::times::Times;
use super::visitor::{Browser, forget_said, see};

/// What is said whoever asked: it does not tell who is known.
const ASKED: &str = "Thank you. A message is on its way: open its link and press the button.";

/// What is said when a button or a code was right.
const CONFIRMED: &str = "It is saved: you will be told.";

#[derive(Template)]
#[template(path = "subscribe.html")]
pub(super) struct SubscribePage {
    said: Option<String>,
    errors: Vec<FieldError>,
    ways: Vec<Choice>,
    /// What an address is, for the ways there are.
    hint: &'static str,
    address: String,
    components: Vec<Choice>,
}

/// Where the code is typed that was sent by text.
#[derive(Template)]
#[template(path = "subscribe_code.html")]
pub(super) struct CodePage {
    errors: Vec<FieldError>,
    number: String,
}

#[derive(Template)]
#[template(path = "subscriber.html")]
pub(super) struct SubscriberPage {
    said: Option<String>,
    heading: &'static str,
    text: String,
    /// Signs what is posted to a program.
    secret: Option<String>,
    /// Where the page is.
    own: String,
    components: Vec<Choice>,
    button: &'static str,
    end: &'static str,
}

/// `GET /status/subscribe`.
pub(super) async fn form(State(app): State<App>, browser: Browser) -> Response {
    let body = build_form(&there(&app), &Sent::new(), Vec::new());
    show_form(&app, &browser, StatusCode::OK, body)
}

/// `POST /status/subscribe`: asks.
pub(super) async fn ask(
    State(app): State<App>,
    browser: Browser,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let asks = Asks {
        channel: Channel::parse(&of(&sent, "by")).unwrap_or(Channel::Email),
        address: of(&sent, "address"),
        components: chosen(&sent),
    };
    let by_text = asks.channel == Channel::Sms;
    match app.ask_to_subscribe(asks, browser.client.ip).await {
        Ok(()) if by_text => {
            let body = build_code(&of(&sent, "address"), Vec::new());
            Ok(show_code(&app, &browser, StatusCode::OK, &body))
        }
        Ok(()) => Ok(see(&browser, "/status/subscribe", ASKED)),
        Err(error) if is_theirs(&error) => {
            let errors = fields(&error, "address");
            let body = build_form(&there(&app), &sent, errors);
            let status = match error {
                StatusError::TooOften { .. } | StatusError::TextsUsedUp => {
                    StatusCode::TOO_MANY_REQUESTS
                }
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            Ok(show_form(&app, &browser, status, body))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /status/subscribe/code`: confirms by the code that was sent by text.
pub(super) async fn prove(
    State(app): State<App>,
    browser: Browser,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let (number, typed) = (of(&sent, "number"), of(&sent, "code"));
    match app.confirm_by_code((&number, &typed), browser.client.ip).await {
        Ok((id, token)) => Ok(see(&browser, &own(&id.to_string(), &token), CONFIRMED)),
        Err(error) if is_theirs(&error) => {
            let body = build_code(&number, fields(&error, "code"));
            Ok(show_code(&app, &browser, StatusCode::UNPROCESSABLE_ENTITY, &body))
        }
        Err(error) => Err(error.into()),
    }
}

fn show_code(app: &App, browser: &Browser, status: StatusCode, body: &CodePage) -> Response {
    let title = if body.errors.is_empty() { "Type the code" } else { "Error: Type the code" };
    page(status, &browser.lone(title, &Times::new("UTC", app.now())), body)
}

/// What the page of the code says. Pure.
pub(super) fn build_code(number: &str, errors: Vec<FieldError>) -> CodePage {
    CodePage { errors, number: number.to_owned() }
}

/// `GET /u/{short}`: leads from a text to the subscriber's own page, where one button ends it.
/// Looking changes nothing: programs open addresses before people do.
pub(super) async fn short(
    State(app): State<App>,
    Path(short): Path<String>,
) -> Result<Redirect, PageError> {
    let (id, token) = app.subscriber_by_short(&short).await?;
    Ok(Redirect::to(&own(&id.to_string(), &token)))
}

/// What there is to choose.
pub(super) struct There {
    pub(super) ways: Vec<Channel>,
    pub(super) components: Vec<Component>,
}

fn there(app: &App) -> There {
    There { ways: app.subscriber_ways(), components: app.status_components() }
}

fn show_form(app: &App, browser: &Browser, status: StatusCode, body: SubscribePage) -> Response {
    let title = if body.errors.is_empty() { "Be told" } else { "Error: Be told" };
    let body = SubscribePage { said: browser.said.clone(), ..body };
    let mut response = page(status, &browser.lone(title, &Times::new("UTC", app.now())), &body);
    forget_said(browser, &mut response);
    response
}

/// What the form says. Pure.
pub(super) fn build_form(there: &There, sent: &Sent, errors: Vec<FieldError>) -> SubscribePage {
    let by = of(sent, "by");
    let by = if by.is_empty() { Channel::Email.as_str().to_owned() } else { by };
    let way = |it: &Channel| Choice::new(it.as_str(), way_words(*it), &by);
    let by_text = there.ways.contains(&Channel::Sms);
    let picked = if sent.is_empty() { Vec::new() } else { chosen(sent) };
    SubscribePage {
        said: None,
        errors,
        ways: there.ways.iter().map(way).collect(),
        hint: if by_text {
            "A mail address, a number such as +4512345678, or the URL of a program of yours."
        } else {
            "A mail address, or the URL of a program of yours."
        },
        address: of(sent, "address"),
        components: choices(&there.components, &picked),
    }
}

fn way_words(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "Mail",
        Channel::Sms => "Text message",
        Channel::Voice => "Call",
        Channel::Webhook => "Webhook",
    }
}

/// All are chosen where none is: who chooses nothing wants everything.
fn choices(there: &[Component], picked: &[Component]) -> Vec<Choice> {
    let choice = |component: &Component| Choice {
        value: component.as_str().to_owned(),
        text: component.name().to_owned(),
        selected: picked.is_empty() || picked.contains(component),
    };
    there.iter().map(choice).collect()
}

/// `GET /status/subscribers/{id}/{token}`.
pub(super) async fn one(
    State(app): State<App>,
    browser: Browser,
    Path((id, token)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let view = app.subscriber(parse(&id)?, &token).await?;
    let body = SubscriberPage { said: browser.said.clone(), ..build(view, own(&id, &token)) };
    let shell = browser.lone(body.heading, &Times::new("UTC", app.now()));
    let mut response = page(StatusCode::OK, &shell, &body);
    forget_said(&browser, &mut response);
    Ok(response)
}

/// `POST /status/subscribers/{id}/{token}`: confirms, and chooses.
pub(super) async fn confirm(
    State(app): State<App>,
    browser: Browser,
    Path((id, token)): Path<(String, String)>,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    app.confirm_subscriber((parse(&id)?, &token), chosen(&sent)).await?;
    Ok(see(&browser, &own(&id, &token), CONFIRMED))
}

/// `POST /status/subscribers/{id}/{token}/unsubscribe`: from the page, or by a mail program's one
/// click (RFC 8058).
pub(super) async fn unsubscribe(
    State(app): State<App>,
    Path((id, token)): Path<(String, String)>,
) -> Result<Response, PageError> {
    app.unsubscribe(parse(&id)?, &token).await?;
    let text = "You are not told any more, and your address is forgotten.";
    Ok(message_to(StatusCode::OK, "Unsubscribed", text, ("/status", "Status page")))
}

fn parse(id: &str) -> Result<SubscriberId, PageError> {
    id.parse().map_err(|_| PageError::not_found("This is not the link of a subscriber."))
}

fn own(id: &str, token: &str) -> String {
    format!("/status/subscribers/{id}/{token}")
}

/// What a subscriber's page says. Pure.
pub(super) fn build(view: SubscriberView, own: String) -> SubscriberPage {
    let SubscriberView { subscriber, components, secret } = view;
    let address = subscriber.address.as_str();
    let (heading, text, button, end) = match subscriber.confirmed_at {
        None => (
            "Was it you?",
            format!("Somebody asked that {address} be told of what the status page says."),
            "Yes, tell me",
            "No, forget this address",
        ),
        Some(_) => (
            "You are told of updates",
            format!("{address} is told of what the status page says."),
            "Save what I am told of",
            "Unsubscribe",
        ),
    };
    let components = choices(&components, &subscriber.components);
    SubscriberPage { said: None, heading, text, secret, own, components, button, end }
}
