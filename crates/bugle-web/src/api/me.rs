//! The caller: who they are, their sessions, their keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use bugle_app::identity::{ApiKeyView, Me, NewApiKey, SessionView};
use bugle_app::{App, Caller};
use bugle_domain::role::Role;
use bugle_domain::user::User;
use bugle_domain::{ApiKeyId, SessionId};
use http::StatusCode;
use http::request::Parts;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keyed::shown_once;
use super::schema;
use super::wire::{Body, Id, List};
use crate::auth;
use crate::problem::ApiError;
use crate::state::WebSettings;

/// Who the caller is.
#[derive(Serialize, ToSchema)]
pub(crate) struct MeBody {
    /// Null for keys of the tenant itself.
    #[schema(value_type = Option<schema::User>)]
    user: Option<User>,
    tenant: String,
    tenant_name: String,
    #[schema(value_type = schema::Role)]
    role: Role,
    operator: bool,
    time_zone: String,
}

impl From<Me> for MeBody {
    fn from(me: Me) -> Self {
        let (tenant, tenant_name) = (me.tenant_id.to_string(), me.tenant);
        let Me { user, role, operator, time_zone, .. } = me;
        Self { user, tenant, tenant_name, role, operator, time_zone }
    }
}

/// Says who the caller is and what they may do.
#[utoipa::path(
    get, path = "/me", tag = "me", operation_id = "me", responses((status = 200, body = MeBody))
)]
pub(crate) async fn me(State(app): State<App>, caller: Caller) -> Result<Json<MeBody>, ApiError> {
    Ok(Json(app.me(&caller).await?.into()))
}

/// A change of password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordBody {
    /// The password so far, where there is one.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    current: Option<SecretString>,
    #[schema(value_type = String, min_length = 8, max_length = 256)]
    new: SecretString,
}

/// Sets the caller's password. All other sessions end, and this one gets a new cookie.
#[utoipa::path(
    put, path = "/me/password", tag = "me", operation_id = "change password",
    request_body = PasswordBody, responses((status = 204))
)]
pub(crate) async fn change_password(
    State(app): State<App>,
    State(settings): State<Arc<WebSettings>>,
    caller: Caller,
    parts: Parts,
    Body(body): Body<PasswordBody>,
) -> Result<Response, ApiError> {
    let client = auth::client(&app, &parts);
    let signed_in = app.change_password(&caller, body.current.as_ref(), &body.new, &client).await?;
    let jar = CookieJar::new().add(auth::session_cookie(&settings, &signed_in));
    Ok((StatusCode::NO_CONTENT, jar).into_response())
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionBody {
    id: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_used_at: Timestamp,
    user_agent: String,
    /// Whether it is the one that asks.
    current: bool,
}

impl From<SessionView> for SessionBody {
    fn from(view: SessionView) -> Self {
        let SessionView { id, created_at, last_used_at, user_agent, current } = view;
        Self { id: id.to_string(), created_at, last_used_at, user_agent, current }
    }
}

/// Lists the caller's sessions, newest first.
#[utoipa::path(
    get, path = "/sessions", tag = "me", operation_id = "list sessions",
    responses((status = 200, body = List<SessionBody>))
)]
pub(crate) async fn sessions(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<List<SessionBody>>, ApiError> {
    let found = app.sessions(&caller).await?;
    Ok(List::whole(found.into_iter().map(SessionBody::from).collect()))
}

/// Ends one of the caller's sessions.
#[utoipa::path(
    delete, path = "/sessions/{id}", tag = "me", operation_id = "end session",
    params(("id" = String, Path)), responses((status = 204))
)]
pub(crate) async fn end_session(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<SessionId>,
) -> Result<StatusCode, ApiError> {
    app.end_session(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An API key, without its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeyBody {
    id: String,
    name: String,
    /// The part of its text that may be shown.
    #[schema(example = "bgl_live_1a2b3c4d")]
    hint: String,
    #[schema(value_type = schema::Role)]
    role: Role,
    /// Id of the user it acts as; null: the tenant's own.
    owner: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

impl From<ApiKeyView> for ApiKeyBody {
    fn from(view: ApiKeyView) -> Self {
        let ApiKeyView { id, name, hint, role, owner, created_at, expires_at, last_used_at } = view;
        let (id, owner) = (id.to_string(), owner.map(|owner| owner.to_string()));
        Self { id, name, hint, role, owner, created_at, expires_at, last_used_at }
    }
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedKeyBody {
    key: ApiKeyBody,
    /// The whole key. Not shown again.
    secret: String,
}

/// An API key as wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKeyBody {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    #[schema(value_type = schema::Role)]
    role: Role,
    /// When it ends by itself; null: never.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Acts as the caller, or else as the tenant's own key.
    #[serde(default)]
    personal: bool,
}

/// Lists the API keys that the caller may see.
#[utoipa::path(
    get, path = "/api-keys", tag = "API keys", operation_id = "list API keys",
    responses((status = 200, body = List<ApiKeyBody>))
)]
pub(crate) async fn keys(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<List<ApiKeyBody>>, ApiError> {
    let found = app.keys(&caller).await?;
    Ok(List::whole(found.into_iter().map(ApiKeyBody::from).collect()))
}

/// Makes an API key. Its secret is shown this once.
#[utoipa::path(
    post, path = "/api-keys", tag = "API keys", operation_id = "create API key",
    request_body = NewKeyBody, responses((status = 201, body = CreatedKeyBody))
)]
pub(crate) async fn create_key(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<NewKeyBody>,
) -> Result<Response, ApiError> {
    let NewKeyBody { name, role, expires_at, personal } = body;
    let made = app.create_key(&caller, NewApiKey { name, role, expires_at, personal }).await?;
    let secret = made.secret.expose_secret().to_owned();
    let body = CreatedKeyBody { key: made.key.into(), secret };
    Ok(shown_once((StatusCode::CREATED, Json(body))))
}

/// Ends an API key at once.
#[utoipa::path(
    delete, path = "/api-keys/{id}", tag = "API keys", operation_id = "revoke API key",
    params(("id" = String, Path)), responses((status = 204))
)]
pub(crate) async fn revoke_key(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<ApiKeyId>,
) -> Result<StatusCode, ApiError> {
    app.revoke_key(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
