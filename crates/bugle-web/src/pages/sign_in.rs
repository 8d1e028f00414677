//! Signing in by password or single-use link, signing out, and first-run set-up.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use bugle_app::identity::{SetupForm, SetupState, SignedIn};
use bugle_app::{App, ErrorKind, UseCaseError as _};
use http::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;

use super::error::{PageError, fields, is_theirs, sentence};
use super::parts::FieldError;
use super::shell::page;
use super::times::Times;
use super::visitor::{Browser, Visitor, drop_session, forget_said, keep_session, see};

#[derive(Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignInPage {
    /// Where to go afterwards.
    pub(super) next: String,
    /// What was typed.
    pub(super) email: String,
    /// What is wrong.
    pub(super) errors: Vec<FieldError>,
    /// What the last request caused.
    pub(super) said: Option<String>,
}

/// A page with one button, reached through a link.
#[derive(Template)]
#[template(path = "link.html")]
pub(super) struct LinkPage {
    /// What it is about.
    pub(super) title: String,
    /// Where the button posts to; `None`: nothing can be done.
    pub(super) action: Option<String>,
    /// What the button says.
    pub(super) button: String,
    /// What else is to be said.
    pub(super) text: String,
}

#[derive(Template)]
#[template(path = "setup.html")]
pub(super) struct SetupPage {
    /// The token in the path.
    pub(super) token: String,
    /// What was typed.
    pub(super) organisation: String,
    /// What was typed.
    pub(super) name: String,
    /// What was typed.
    pub(super) email: String,
    /// Zone of the browser.
    pub(super) time_zone: String,
    /// What is wrong.
    pub(super) errors: Vec<FieldError>,
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

/// `GET /`.
pub(super) async fn home() -> Redirect {
    Redirect::to("/alerts")
}

/// `GET /sign-in`.
pub(super) async fn form(
    State(app): State<App>,
    browser: Browser,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    if app.setup_state().await? == SetupState::Needed {
        let text = "Open the set-up link that Bugle printed when it started.";
        return Ok(link_gone(&app, &browser, "This Bugle is not set up yet", text));
    }
    let said = browser.said.clone();
    let form = SignInPage { next: wanted.next, email: String::new(), errors: Vec::new(), said };
    Ok(show(&app, &browser, StatusCode::OK, &form))
}

fn show(app: &App, browser: &Browser, status: StatusCode, form: &SignInPage) -> Response {
    let title =
        if form.errors.is_empty() { "Sign in – Bugle" } else { "Error: Sign in – Bugle" };
    let mut response =
        page(status, &browser.lone(title, &Times::new("UTC", app.clock().now())), form);
    forget_said(browser, &mut response);
    response
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    email: String,
    password: SecretString,
    #[serde(default)]
    next: String,
}

/// `POST /sign-in`.
pub(super) async fn sign_in(
    State(app): State<App>,
    browser: Browser,
    Form(it): Form<Credentials>,
) -> Result<Response, PageError> {
    match app.sign_in(&it.email, &it.password, &browser.client).await {
        Ok(signed_in) => Ok(let_in(&app, &browser, &signed_in, &it.next)),
        Err(error) => {
            let status = match error.kind() {
                ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
                ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
                _ => return Err(error.into()),
            };
            let errors = vec![FieldError::new("email", sentence(&error.to_string()))];
            let form = SignInPage { next: it.next, email: it.email, errors, said: None };
            Ok(show(&app, &browser, status, &form))
        }
    }
}

/// Only paths of our own are gone to.
fn own_path(next: &str) -> &str {
    let own = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\n']);
    if own { next } else { "/alerts" }
}

fn let_in(app: &App, browser: &Browser, signed_in: &SignedIn, next: &str) -> Response {
    let mut response = Redirect::to(own_path(next)).into_response();
    keep_session(browser, signed_in, app.clock().now(), &mut response);
    response
}

/// `GET /s/{token}`: shows a button. Programs that follow links to look at them sign nobody in.
pub(super) async fn link(
    State(app): State<App>,
    browser: Browser,
    Path(token): Path<String>,
) -> Response {
    let page_of = LinkPage {
        title: "You are invited in".to_owned(),
        action: Some(format!("/s/{token}")),
        button: "Sign in".to_owned(),
        text: "This link works once.".to_owned(),
    };
    let shell = browser.lone("Sign in – Bugle", &Times::new("UTC", app.clock().now()));
    page(StatusCode::OK, &shell, &page_of)
}

/// `POST /s/{token}`.
pub(super) async fn use_link(
    State(app): State<App>,
    browser: Browser,
    Path(token): Path<String>,
) -> Result<Response, PageError> {
    match app.sign_in_with_link(&token, &browser.client).await {
        Ok(signed_in) => Ok(let_in(&app, &browser, &signed_in, "/alerts")),
        Err(error) if error.kind() == ErrorKind::Unauthenticated => {
            let text = "It was used before, or is too old. Ask your admin for another.";
            Ok(link_gone(&app, &browser, "This link does not work any more", text))
        }
        Err(error) => Err(error.into()),
    }
}

fn link_gone(app: &App, browser: &Browser, title: &str, text: &str) -> Response {
    let page_of = LinkPage {
        title: title.to_owned(),
        action: None,
        button: String::new(),
        text: text.to_owned(),
    };
    let shell = browser.lone(&format!("{title} – Bugle"), &Times::new("UTC", app.clock().now()));
    page(StatusCode::GONE, &shell, &page_of)
}

/// `POST /sign-out`.
pub(super) async fn sign_out(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    app.sign_out(&visitor.caller).await?;
    let mut response = see(&visitor.browser, "/sign-in", "You are signed out.");
    drop_session(&visitor.browser, &mut response);
    Ok(response)
}

/// `GET /setup/{token}`.
pub(super) async fn setup_form(
    State(app): State<App>,
    browser: Browser,
    Path(token): Path<String>,
) -> Result<Response, PageError> {
    if app.setup_state().await? == SetupState::Done {
        let text = "Sign in with the address and password chosen then.";
        return Ok(link_gone(&app, &browser, "This Bugle is set up already", text));
    }
    let form = SetupPage {
        token,
        organisation: String::new(),
        name: String::new(),
        email: String::new(),
        time_zone: "UTC".to_owned(),
        errors: Vec::new(),
    };
    let shell = browser.lone("Set up Bugle", &Times::new("UTC", app.clock().now()));
    Ok(page(StatusCode::OK, &shell, &form))
}

#[derive(Deserialize)]
pub(super) struct Setup {
    organisation: String,
    name: String,
    email: String,
    password: SecretString,
    time_zone: String,
}

/// `POST /setup/{token}`.
pub(super) async fn set_up(
    State(app): State<App>,
    browser: Browser,
    Path(token): Path<String>,
    Form(it): Form<Setup>,
) -> Result<Response, PageError> {
    let form = SetupForm {
        token: SecretString::from(token.clone()),
        tenant: it.organisation.clone(),
        name: it.name.clone(),
        email: it.email.clone(),
        password: it.password,
        time_zone: it.time_zone.clone(),
    };
    match app.complete_setup(form, &browser.client).await {
        Ok(signed_in) => Ok(let_in(&app, &browser, &signed_in, "/alerts")),
        Err(error) if is_theirs(&error) || error.kind() == ErrorKind::Unauthenticated => {
            let Setup { organisation, name, email, time_zone, .. } = it;
            let errors = fields(&error, "tenant");
            let form = SetupPage { token, organisation, name, email, time_zone, errors };
            let shell = browser.lone("Error: Set up Bugle", &Times::new("UTC", app.clock().now()));
            Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shell, &form))
        }
        Err(error) => Err(error.into()),
    }
}
