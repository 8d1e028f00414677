//! Assistance requests as a tenant sees them: the list, the form, and one with the ledger's answer
//! and the conversation.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::assistance::error::AssistanceError;
use bugle_app::assistance::{NewAssistance, OfTenant};
use bugle_app::paging::Page;
use bugle_app::permission::Permission;
use bugle_domain::AssistanceId;
use bugle_domain::integration::Integration;
use http::StatusCode;

use self::show::Row;
use super::error::{PageError, fields, is_theirs};
use super::forms::{Sent, of};
use super::parts::{Choice, FieldError};
use super::shell::{Section, page};
use super::times::{Times, utc};
use super::visitor::{Visitor, forget_said, see};

pub(super) mod desk;
pub(super) mod show;

/// Integrations that the form offers.
const MOST: u32 = 200;

#[derive(Template)]
#[template(path = "assistance.html")]
pub(super) struct ListPage {
    said: Option<String>,
    can_ask: bool,
    /// Where the reader alone may write to ask.
    pub(super) address: Option<String>,
    rows: Vec<Row>,
}

/// The form, as typed.
#[derive(Template)]
#[template(path = "assistance_new.html")]
pub(super) struct NewPage {
    errors: Vec<FieldError>,
    expected: String,
    event: String,
    alert: String,
    integrations: Vec<Choice>,
    from: String,
    until: String,
}

/// `GET /assistance`.
pub(super) async fn list(State(app): State<App>, visitor: Visitor) -> Result<Response, PageError> {
    let found = app.assistance_requests(&visitor.caller).await?;
    let mut body = build_list(&found, &visitor.times);
    body.can_ask = visitor.caller.may(Permission::AskAssistance);
    let user = visitor.caller.user.filter(|_| body.can_ask);
    body.address = user.and_then(|user| app.help_address(user));
    body.said.clone_from(&visitor.browser.said);
    let shell = visitor.shell(&app, "Assistance", Section::Assistance).await?;
    let mut response = page(StatusCode::OK, &shell, &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// What the list says. Pure.
pub(super) fn build_list(found: &[OfTenant], times: &Times) -> ListPage {
    let rows = found.iter().map(|it| Row::new("/assistance", it, times)).collect();
    ListPage { said: None, can_ask: true, address: None, rows }
}

/// `GET /assistance/new`: what is known of it stands in the address.
pub(super) async fn form(
    State(app): State<App>,
    visitor: Visitor,
    Query(sent): Query<Sent>,
) -> Result<Response, PageError> {
    visitor.caller.require(Permission::AskAssistance).map_err(AssistanceError::from)?;
    filled(&app, &visitor, &sent, Vec::new()).await
}

async fn filled(
    app: &App,
    visitor: &Visitor,
    sent: &Sent,
    errors: Vec<FieldError>,
) -> Result<Response, PageError> {
    let known = app.list::<Integration>(&visitor.caller, &Page::first(MOST)).await?.items;
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = build_form(&known, sent, errors);
    let shell = visitor.shell(app, "Nobody was paged", Section::Assistance).await?;
    Ok(page(status, &shell.back("/assistance", "Assistance"), &body))
}

/// The form. Pure.
pub(super) fn build_form(known: &[Integration], sent: &Sent, errors: Vec<FieldError>) -> NewPage {
    let chosen = of(sent, "integration");
    let choice = |it: &Integration| Choice::new(it.id.to_string(), &it.name, &chosen);
    NewPage {
        errors,
        expected: of(sent, "expected"),
        event: of(sent, "event"),
        alert: of(sent, "alert"),
        integrations: known.iter().map(choice).collect(),
        from: of(sent, "from"),
        until: of(sent, "until"),
    }
}

/// `POST /assistance/new`: asks.
pub(super) async fn open(
    State(app): State<App>,
    visitor: Visitor,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    visitor.caller.require(Permission::AskAssistance).map_err(AssistanceError::from)?;
    let new = match typed(&app, &visitor, &sent).await {
        Ok(new) => new,
        Err(errors) => return filled(&app, &visitor, &sent, errors).await,
    };
    match app.open_assistance(&visitor.caller, new).await {
        Ok(view) => {
            let to = format!("/assistance/{}", view.request.id);
            Ok(see(&visitor.browser, &to, "It is asked. The operators see it, with this record."))
        }
        Err(error) if is_theirs(&error) => {
            filled(&app, &visitor, &sent, fields(&error, "expected")).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Reads what was typed.
async fn typed(
    app: &App,
    visitor: &Visitor,
    sent: &Sent,
) -> Result<NewAssistance, Vec<FieldError>> {
    let mut errors = Vec::new();
    let given = |name: &str| Some(of(sent, name).trim().to_owned()).filter(|it| !it.is_empty());
    let event = given("event").map(|text| text.parse());
    let event = event.transpose().unwrap_or_else(|_| {
        errors.push(FieldError::new("event", "Events are named evt_ and 32 characters."));
        None
    });
    let mut alert = None;
    if let Some(text) = given("alert") {
        alert = app.find_alert(&visitor.caller, &text).await.ok();
        if alert.is_none() {
            errors.push(FieldError::new("alert", "There is no such alert."));
        }
    }
    let integration = given("integration").and_then(|text| text.parse().ok());
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(NewAssistance {
        event,
        alert,
        integration,
        expected: of(sent, "expected"),
        from: utc(&of(sent, "from")),
        until: utc(&of(sent, "until")),
    })
}

/// `GET /assistance/{id}`.
pub(super) async fn one(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let view = app.assistance_request(&visitor.caller, parse(&id)?).await?;
    let can_say = visitor.caller.may(Permission::AskAssistance)
        && view.request.tenant == visitor.caller.scope.tenant();
    let mut body = show::build(view, &visitor.times, show::For::Tenant { can_say });
    body.said.clone_from(&visitor.browser.said);
    let shell = visitor.shell(&app, "Assistance request", Section::Assistance).await?;
    let shell = shell.back("/assistance", "Assistance");
    let mut response = page(StatusCode::OK, &shell, &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// `POST /assistance/{id}/say`: says more.
pub(super) async fn say(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    app.add_to_assistance(&visitor.caller, parse(&id)?, &of(&sent, "text")).await?;
    Ok(see(&visitor.browser, &format!("/assistance/{id}"), "It is said."))
}

fn parse(id: &str) -> Result<AssistanceId, PageError> {
    id.parse().map_err(|_| PageError::not_found("There is no such assistance request."))
}
