//! What stands outside of accounts: receipts of canaries, what the watch says to sentinels, and the
//! link by which an alarm is answered.
//!
//! All of it is served from memory as far as it can be: it must work when the database is dead.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bugle_app::App;
use bugle_app::incidents::IncidentError;
use bugle_app::watch::Answers;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use crate::problem::ApiError;
use crate::state::WebState;

/// All paths.
pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/watch/receipt/{token}", post(receipt))
        .route("/watch/lost/{token}", post(lost))
        .route("/watch/state", get(state))
        .route("/watch/answer/{token}", get(ask).post(answer))
}

/// `POST /watch/receipt/{token}`: a canary has arrived.
async fn receipt(State(app): State<App>, Path(token): Path<String>, body: Bytes) -> StatusCode {
    if app.canary_arrived(&token, &body) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

/// `POST /watch/lost/{token}`: takes a canary that must not arrive, and forgets it.
async fn lost() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// What the watch says, with its age.
#[derive(Serialize)]
struct StateBody {
    /// Milliseconds since it was said; `null` where nothing was said yet.
    age_ms: Option<i64>,
    /// What is broken, in words.
    verdicts: Vec<String>,
}

/// `GET /watch/state`, with the key of the configuration as a bearer token.
async fn state(State(app): State<App>, headers: HeaderMap) -> Result<Json<StateBody>, ApiError> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let Some(watched) = app.watched_by_key(key) else {
        return Err(ApiError::unauthorized(
            "send the key that `watch.key` names as a bearer token",
        ));
    };
    let said = !watched.reports.is_empty();
    let age = app.now().duration_since(watched.view.at).as_millis();
    let verdicts =
        watched.view.verdicts.iter().map(|verdict| {
            format!("{}: {}", bugle_app::watch::title(&verdict.hop), verdict.evidence)
        });
    let age_ms = said.then(|| i64::try_from(age).unwrap_or(i64::MAX));
    Ok(Json(StateBody { age_ms, verdicts: verdicts.collect() }))
}

/// The page behind the link in an alarm. Small and without anything from elsewhere.
#[derive(Template)]
#[template(path = "alarm.html")]
struct AlarmPage<'a> {
    text: &'a str,
    answered: bool,
}

fn page(status: StatusCode, text: &str, answered: bool) -> Response {
    let page = AlarmPage { text, answered };
    (status, Html(page.render().unwrap_or_default())).into_response()
}

/// `GET /watch/answer/{token}`: what the alarm says, and a button. Mail programs follow links by
/// themselves, so this alone answers nothing.
async fn ask(State(app): State<App>, Path(token): Path<String>) -> Response {
    said(app.alarm_text(&token).await, false)
}

/// `POST /watch/answer/{token}`: "I have it".
async fn answer(State(app): State<App>, Path(token): Path<String>) -> Response {
    let done = app.answer_alarm(&token).await;
    said(done.map(|()| "The alarm is quiet from now on.".to_owned()), true)
}

fn said(text: Result<String, IncidentError>, answered: bool) -> Response {
    match text {
        Ok(text) => page(StatusCode::OK, &text, answered),
        Err(IncidentError::NotFound) => {
            page(StatusCode::NOT_FOUND, "This alarm is over, or was never given.", true)
        }
        Err(_) => page(StatusCode::SERVICE_UNAVAILABLE, "It could not be saved. Try again.", false),
    }
}

/// The page behind a sentinel's alarms, which has no database and no accounts.
pub fn answers(answers: Answers) -> Router {
    let ask = async |State(answers): State<Answers>, Path(token): Path<String>| {
        said(answers.find(&token).ok_or(IncidentError::NotFound), false)
    };
    let answer = async |State(answers): State<Answers>, Path(token): Path<String>| {
        let known = answers.answer(&token).then(|| "The alarm is quiet from now on.".to_owned());
        said(known.ok_or(IncidentError::NotFound), true)
    };
    Router::new().route("/watch/answer/{token}", get(ask).post(answer)).with_state(answers)
}
