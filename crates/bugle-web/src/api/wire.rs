//! What all of the API has in common: reading bodies, ids and options, and shaping lists.

use std::str::FromStr;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::response::{IntoResponse, Response};
use bugle_app::objects::{Versioned, WriteOptions};
use bugle_app::paging::{DEFAULT_LIMIT, Listed, Page};
use bugle_domain::ParseIdError;
use http::header::{ETAG, HeaderMap, HeaderValue, IF_MATCH, LINK, LOCATION};
use http::request::Parts;
use http::{StatusCode, Uri};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_path_to_error::{Path as Place, Segment};

use crate::problem::{ApiError, FieldError};

/// A JSON body. What does not fit is said with a pointer to it.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = bytes(request, state).await?;
        let text = if bytes.is_empty() { b"{}".as_slice() } else { &bytes };
        let mut read = serde_json::Deserializer::from_slice(text);
        let value = serde_path_to_error::deserialize(&mut read).map_err(|error| {
            let (place, error) = (pointer(error.path()), error.into_inner());
            match error.classify() {
                serde_json::error::Category::Data => {
                    let message = error.to_string();
                    let detail = format!("the body does not fit: {message}");
                    let code = "does_not_fit".to_owned();
                    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
                        .with_errors(vec![FieldError { pointer: place, code, message }])
                }
                _ => ApiError::bad_request("not_json", format!("the body is not JSON: {error}")),
            }
        })?;
        read.end().map_err(|error| {
            ApiError::bad_request("not_json", format!("the body is not JSON: {error}"))
        })?;
        Ok(Self(value))
    }
}

/// All bytes of a body, within the limit.
pub(crate) async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    <Bytes as FromRequest<S>>::from_request(request, state).await.map_err(|rejected| {
        let status = rejected.into_response().status();
        let code = match status {
            StatusCode::PAYLOAD_TOO_LARGE => "body_too_large",
            _ => "body_unreadable",
        };
        ApiError::new(status, code, "the body is too long or was cut off")
    })
}

fn pointer(place: &Place) -> String {
    let mut out = String::new();
    for segment in place {
        match segment {
            Segment::Seq { index } => out.extend(["/", &index.to_string()]),
            Segment::Map { key } => out.extend(["/", &escape(key)]),
            Segment::Enum { .. } | Segment::Unknown => (),
        }
    }
    out
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The id in the path. A text that is no id of this kind names nothing.
pub(crate) struct Id<T>(pub(crate) T);

impl<T, S> FromRequestParts<S> for Id<T>
where
    T: FromStr<Err = ParseIdError>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path: Result<Path<String>, _> = Path::from_request_parts(parts, state).await;
        let text = path.map(|Path(text)| text).unwrap_or_default();
        text.parse().map(Self).map_err(|error| no_such(&text, error))
    }
}

/// An id that names nothing.
pub(crate) fn no_such(text: &str, error: ParseIdError) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "bad_id", format!("`{text}`: {error}"))
}

/// The query of a URL. What does not fit is a problem like any other.
pub(crate) struct Asking<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asking<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query: Result<Query<T>, _> = Query::from_request_parts(parts, state).await;
        query
            .map(|Query(value)| Self(value))
            .map_err(|rejected| ApiError::bad_request("bad_query", rejected.body_text()))
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// How many, 1–200; 50 where nothing is said.
    limit: Option<u32>,
    /// `next` of the part before.
    after: Option<String>,
}

impl ListParams {
    pub(crate) fn page(self) -> Page {
        let after = self.after.filter(|after| !after.is_empty());
        Page { limit: self.limit.unwrap_or(DEFAULT_LIMIT), after }
    }
}

/// A part of a list.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct List<T> {
    /// The things, in the list's order.
    pub(crate) data: Vec<T>,
    /// Pass it as `after` to go on; null at the end.
    pub(crate) next: Option<String>,
    /// Whether there is more.
    pub(crate) has_more: bool,
}

impl<T: Serialize> List<T> {
    /// A list that is short enough to be whole.
    pub(crate) fn whole(data: Vec<T>) -> Json<Self> {
        Json(Self { data, next: None, has_more: false })
    }

    /// A part, with a `Link` to the next.
    pub(crate) fn part(listed: Listed<T>, uri: &Uri) -> Response {
        let (next, has_more) = (listed.next, true);
        let has_more = has_more && next.is_some();
        let link = next.as_ref().and_then(|next| next_link(uri, next));
        let mut response = Json(Self { data: listed.items, next, has_more }).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(LINK, link);
        }
        response
    }
}

fn next_link(uri: &Uri, next: &str) -> Option<HeaderValue> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let before = uri.query().unwrap_or_default();
    let kept = form_urlencoded::parse(before.as_bytes()).filter(|(name, _)| name != "after");
    query.extend_pairs(kept).append_pair("after", next);
    HeaderValue::from_str(&format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish())).ok()
}

/// How a change is to be made.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChangeParams {
    /// `1`: check everything and change nothing.
    dry_run: Option<String>,
}

/// Says how a change is to be made: `?dry_run=1`, and `If-Match` with the `ETag` that was read.
pub(crate) struct Options(pub(crate) WriteOptions);

impl<S: Send + Sync> FromRequestParts<S> for Options {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Asking(query) = Asking::<ChangeParams>::from_request_parts(parts, state).await?;
        let expected_version = if_match(&parts.headers)?;
        Ok(Self(WriteOptions { expected_version, dry_run: flag(query.dry_run.as_deref()) }))
    }
}

/// Whether a parameter says yes.
pub(crate) fn flag(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "true" | "yes" | ""))
}

fn if_match(headers: &HeaderMap) -> Result<Option<i64>, ApiError> {
    let Some(value) = headers.get(IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let bare = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
    bare.parse().map(Some).map_err(|_| {
        let detail = "If-Match must be an ETag as it was given, such as \"3\"";
        ApiError::bad_request("bad_if_match", detail)
    })
}

/// An object with its version as `ETag`.
pub(crate) fn versioned<T: Serialize>(found: Versioned<T>) -> Response {
    with_version(found.version, Json(found.object).into_response())
}

/// An object that was just made at `path`; in a dry run, one that could be.
pub(crate) fn created(version: i64, path: &str, mut response: Response) -> Response {
    if version > 0 {
        *response.status_mut() = StatusCode::CREATED;
        if let Ok(path) = HeaderValue::from_str(path) {
            response.headers_mut().insert(LOCATION, path);
        }
    }
    with_version(version, response)
}

/// Adds the version as `ETag`; a dry run made none.
pub(crate) fn with_version(version: i64, mut response: Response) -> Response {
    if version > 0
        && let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\""))
    {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
