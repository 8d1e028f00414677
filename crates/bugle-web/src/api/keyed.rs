//! `Idempotency-Key` on every `POST` of the API: the answer to the first request is given again.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bugle_app::keyed_requests::{Answer, Asked, Begun, Ended, MAX_ANSWER_BYTES, Turn};
use bugle_app::{App, Caller, Chain};
use http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION};
use http::request::Parts;
use http::{Method, StatusCode};
use hyper::body::Body as _;
use tokio::sync::oneshot;

use super::wire::bytes;
use crate::problem::ApiError;
use crate::state::WebState;

/// The caller's own name for a request.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is that of an earlier request.
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The headers that are part of an answer.
const KEPT_HEADERS: [HeaderName; 3] = [CONTENT_TYPE, ETAG, LOCATION];

/// Marks an answer that shows a secret: it is given once, and not kept.
#[derive(Clone, Copy, Debug)]
struct ShownOnce;

/// The answer, marked as one that shows a secret.
pub(super) fn shown_once(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.extensions_mut().insert(ShownOnce);
    response
}

/// Does a request with a key once, and answers it as often as it is sent.
///
/// It is done to its end although the caller may have gone: the caller who comes again gets the
/// answer.
pub(super) async fn once(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let has_key = request.headers().contains_key(IDEMPOTENCY_KEY);
    if request.method() != Method::POST || !has_key {
        return next.run(request).await;
    }
    match begin(&state, request).await {
        Ok(Begin::Do(turn, request)) => finish(&state.app, turn, request, next).await,
        Ok(Begin::Say(answer)) => replay(answer),
        Ok(Begin::Pass(request)) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

enum Begin {
    Do(Turn, Request),
    Say(Answer),
    /// Nobody known asks: the route itself says so.
    Pass(Request),
}

async fn begin(state: &WebState, request: Request) -> Result<Begin, ApiError> {
    let (mut parts, body) = request.into_parts();
    let Ok(caller) = Caller::from_request_parts(&mut parts, state).await else {
        return Ok(Begin::Pass(Request::from_parts(parts, body)));
    };
    let body = bytes(Request::from_parts(parts.clone(), body), state).await?;
    let begun = state.app.begin_keyed(&caller, &asked(&parts, &body)).await?;
    Ok(match begun {
        Begun::First(turn) => Begin::Do(turn, Request::from_parts(parts, Body::from(body))),
        Begun::Again(answer) => Begin::Say(answer),
    })
}

fn asked<'a>(parts: &'a Parts, body: &'a Bytes) -> Asked<'a> {
    let key = parts.headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok());
    Asked {
        key: key.unwrap_or_default(),
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        body,
    }
}

async fn finish(app: &App, turn: Turn, request: Request, next: Next) -> Response {
    let (done, answer) = oneshot::channel();
    let doing = app.clone();
    app.tasks().once(async move {
        let (response, ended) = taken_apart(next.run(request).await).await;
        if let Err(error) = doing.end_keyed(&turn, ended).await {
            tracing::error!(error = %Chain(&error), "could not keep the answer to a keyed request");
        }
        // The caller may have gone.
        let _ = done.send(response);
    });
    answer.await.unwrap_or_else(|_| ApiError::internal("internal_error").into_response())
}

/// The response again, and what of it is kept.
async fn taken_apart(response: Response) -> (Response, Ended) {
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return (response, Ended::Failed);
    }
    let size = response.body().size_hint().upper();
    let is_small = size.is_some_and(|size| size <= MAX_ANSWER_BYTES as u64);
    if response.extensions().get::<ShownOnce>().is_some() || !is_small {
        return (response, Ended::NotKept(status.as_u16()));
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, MAX_ANSWER_BYTES).await else {
        return (ApiError::internal("internal_error").into_response(), Ended::Failed);
    };
    let ended = match String::from_utf8(body.to_vec()) {
        Ok(text) => {
            Ended::Answered(Answer { status: status.as_u16(), head: head(&parts), body: text })
        }
        Err(_) => Ended::NotKept(status.as_u16()),
    };
    (Response::from_parts(parts, Body::from(body)), ended)
}

fn head(parts: &http::response::Parts) -> Vec<(String, String)> {
    let mut head = Vec::new();
    for name in KEPT_HEADERS {
        if let Some(value) = parts.headers.get(&name).and_then(|value| value.to_str().ok()) {
            head.push((name.as_str().to_owned(), value.to_owned()));
        }
    }
    head
}

fn replay(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    for (name, value) in &answer.head {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    response
}
