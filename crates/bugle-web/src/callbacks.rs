//! Callbacks of providers: receipts, the words of a call, pressed keys, replies by text.
//!
//! Nothing is believed that is not signed; the application checks the signature over the path, the
//! query and the form exactly as they came.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bugle_app::App;
use bugle_app::callbacks::CallbackRequest;
use bugle_domain::NotificationId;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderName};

use crate::api::{bytes, no_such};
use crate::problem::ApiError;
use crate::state::WebState;

/// Most bytes of a callback.
const CALLBACK_BYTES: usize = 64 * 1_024;
/// Most fields of a callback.
const MAX_FIELDS: usize = 500;
const SIGNATURE: HeaderName = HeaderName::from_static("x-twilio-signature");
const SIGNATURE_SETTINGS: HeaderName =
    HeaderName::from_static("x-twilio-webhooks-signature-settings");

/// All paths that providers call.
pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/callbacks/twilio/{provider}/sms", post(text))
        .route("/callbacks/twilio/{provider}/{kind}/{notification}", post(about))
        .layer(DefaultBodyLimit::max(CALLBACK_BYTES))
}

/// `POST /callbacks/twilio/{provider}/sms`: a text came in from a phone.
async fn text(
    State(app): State<App>,
    Path(provider): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    answer(&app, &provider, ("sms", None), request).await
}

/// `POST /callbacks/twilio/{provider}/{kind}/{notification}`: news of one message or call.
async fn about(
    State(app): State<App>,
    Path((provider, kind, notification)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let id = notification.parse().map_err(|error| no_such(&notification, error))?;
    answer(&app, &provider, (&kind, Some(id)), request).await
}

async fn answer(
    app: &App,
    provider: &str,
    (kind, about): (&str, Option<NotificationId>),
    request: Request,
) -> Result<Response, ApiError> {
    let uri = request.uri().path_and_query().map_or("/", |it| it.as_str()).to_owned();
    let headers = request.headers().clone();
    let form = bytes(request, &()).await?;
    let params = form_urlencoded::parse(&form).into_owned().take(MAX_FIELDS).collect();
    let callback = CallbackRequest {
        path_and_query: uri,
        params,
        signature: header(&headers, &SIGNATURE),
        signature_settings: header(&headers, &SIGNATURE_SETTINGS),
    };
    let xml = app.twilio_callback(provider, kind, about, &callback).await?;
    Ok(([(CONTENT_TYPE, "text/xml; charset=utf-8")], xml).into_response())
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
