//! Subscribing to the status page: asking, a subscriber's own page, and the end of it. Nobody signs
//! in, nothing needs script, and looking changes nothing.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
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

#[derive(Template)]
#[template(path = "subscribe.html")]
pub(super) struct SubscribePage {
    said: Option<String>,
    errors: Vec<FieldError>,
    ways: Vec<Choice>,
    address: String,
    components: Vec<Choice>,
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
    let body = build_form(&app.status_components(), &Sent::new(), Vec::new());
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
    match app.ask_to_subscribe(asks, browser.client.ip).await {
        Ok(()) => Ok(see(&browser, "/status/subscribe", ASKED)),
        Err(error) if is_theirs(&error) => {
            let errors = fields(&error, "address");
            let body = build_form(&app.status_components(), &sent, errors);
            let status = match error {
                StatusError::TooOften { .. } => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            Ok(show_form(&app, &browser, status, body))
        }
        Err(error) => Err(error.into()),
    }
}

fn show_form(app: &App, browser: &Browser, status: StatusCode, body: SubscribePage) -> Response {
    let title = if body.errors.is_empty() { "Be told" } else { "Error: Be told" };
    let body = SubscribePage { said: browser.said.clone(), ..body };
    let mut response = page(status, &browser.lone(title, &Times::new("UTC", app.now())), &body);
    forget_said(browser, &mut response);
    response
}

/// What the form says. Pure.
pub(super) fn build_form(
    there: &[Component],
    sent: &Sent,
    errors: Vec<FieldError>,
) -> SubscribePage {
    let by = of(sent, "by");
    let by = if by.is_empty() { Channel::Email.as_str().to_owned() } else { by };
    let ways = [(Channel::Email, "Mail"), (Channel::Webhook, "Webhook")];
    let picked = if sent.is_empty() { Vec::new() } else { chosen(sent) };
    SubscribePage {
        said: None,
        errors,
        ways: ways.into_iter().map(|(it, text)| Choice::new(it.as_str(), text, &by)).collect(),
        address: of(sent, "address"),
        components: choices(there, &picked),
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
    Ok(see(&browser, &own(&id, &token), "It is saved: you will be told."))
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
