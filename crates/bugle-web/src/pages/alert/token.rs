//! The link in a message: one alert, one button, no sign-in. Looking changes nothing.

use askama::Template as _;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bugle_app::{App, ErrorKind, UseCaseError as _};
use bugle_engine::respond::ResponseAction;
use http::StatusCode;
use serde::Deserialize;

use super::build;
use crate::pages::error::{PageError, message};
use crate::pages::parts::Sev;
use crate::pages::shell::{Layout, page};
use crate::pages::times::Times;
use crate::pages::visitor::{Browser, forget_said, see};

/// `GET /a/{token}`.
pub(in crate::pages) async fn show(
    State(app): State<App>,
    browser: Browser,
    Path(token): Path<String>,
) -> Result<Response, PageError> {
    let found = match app.alert_by_token(&token).await {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(gone()),
        Err(error) => return Err(error.into()),
    };
    let times = Times::new(&found.time_zone, app.clock().now());
    let alert = &found.view.alert;
    let (severity, number) = (Sev(alert.severity).word(), alert.number);
    let title = format!("{severity}: {} – alert {number}", alert.summary);
    let mut shell = browser.lone(&title, &times);
    shell.layout = Layout::AlertLink;
    shell.live = Some(format!("token {token}"));
    let body = build::ack_page(&found, format!("/a/{token}"), browser.said.as_deref(), &times);
    let mut response = page(StatusCode::OK, &shell, &body);
    forget_said(&browser, &mut response);
    Ok(response)
}

/// The page's part that is kept live.
pub(in crate::pages) async fn load(
    app: &App,
    browser: &Browser,
    token: &str,
) -> Result<String, PageError> {
    let found = app.alert_by_token(token).await?;
    let times = Times::new(&found.time_zone, app.clock().now());
    let said = browser.said.as_deref();
    let body = build::ack_page(&found, format!("/a/{token}"), said, &times);
    Ok(body.render().unwrap_or_default())
}

/// Which button was pressed.
#[derive(Deserialize)]
pub(in crate::pages) struct Pressed {
    #[serde(default)]
    action: String,
}

/// `POST /a/{token}`.
pub(in crate::pages) async fn answer(
    State(app): State<App>,
    browser: Browser,
    Path(token): Path<String>,
    Form(pressed): Form<Pressed>,
) -> Result<Response, PageError> {
    let action = match pressed.action.as_str() {
        "resolve" => ResponseAction::Resolve,
        "pass-on" => ResponseAction::PassOn,
        _ => ResponseAction::Acknowledge,
    };
    match app.answer_by_token(&token, action).await {
        Ok(answered) => {
            Ok(see(&browser, &format!("/a/{token}"), &answered.sentence).into_response())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(gone()),
        Err(error) => Err(error.into()),
    }
}

fn gone() -> Response {
    let text = "The alert has been over for a day, or the link was cut. Sign in to see it.";
    message(StatusCode::GONE, "This link does not work any more", text)
}
