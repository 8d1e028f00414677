//! What a browser remembers for its reader: day or night, and whether single keys do things.

use axum::Form;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::HeaderMap;
use http::header::REFERER;
use serde::Deserialize;

use super::visitor::{Browser, keep_keys, keep_theme, see};

/// The chosen theme.
#[derive(Deserialize)]
pub(super) struct Theme {
    theme: String,
}

/// `POST /theme`: goes back to where the reader was.
pub(super) async fn theme(
    browser: Browser,
    headers: HeaderMap,
    Form(chosen): Form<Theme>,
) -> Response {
    let theme = ["day", "night"].into_iter().find(|theme| *theme == chosen.theme);
    let came = headers.get(REFERER).and_then(|value| value.to_str().ok());
    let back = came.and_then(|text| url::Url::parse(text).ok());
    let back = back.map_or_else(|| "/alerts".to_owned(), |url| url.path().to_owned());
    let mut response = Redirect::to(&back).into_response();
    keep_theme(&browser, theme, &mut response);
    response
}

/// Whether single keys do things.
#[derive(Deserialize)]
pub(super) struct Keys {
    keys: String,
}

/// `POST /keys`.
pub(super) async fn keys(browser: Browser, Form(chosen): Form<Keys>) -> Response {
    let on = chosen.keys == "on";
    let said = if on { "Single keys are on." } else { "Single keys are off." };
    let mut response = see(&browser, "/me", said);
    keep_keys(&browser, on, &mut response);
    response
}
