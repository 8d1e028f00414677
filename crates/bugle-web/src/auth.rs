//! Who is asking: the API key or the session of a request, as a [`Caller`].

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::FromRequestParts;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use bugle_app::identity::{ClientInfo, SignedIn};
use bugle_app::{App, Caller, UseCaseError, entropy};
use bugle_domain::RequestId;
use bugle_domain::alert::Via;
use http::header::{AUTHORIZATION, HeaderName, USER_AGENT};
use http::request::Parts;
use http::{Extensions, HeaderMap};
use secrecy::ExposeSecret;

use crate::problem::ApiError;
use crate::state::{WebSettings, WebState};

/// Longest browser name kept.
const MAX_USER_AGENT_CHARS: usize = 200;
/// Says which of our programs asks.
const CLIENT: HeaderName = HeaderName::from_static("bugle-client");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other side of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The id of the request that is being answered.
#[derive(Clone, Copy, Debug)]
pub struct Asked(pub RequestId);

/// The id of the request, which its first layer gave it.
pub fn request_id(app: &App, extensions: &Extensions) -> RequestId {
    let given = extensions.get::<Asked>().map(|asked| asked.0);
    given.unwrap_or_else(|| RequestId::new(app.clock().now(), entropy::bytes()))
}

/// What the session's cookie is called. Over https, browsers then take it from this host alone.
pub fn cookie_name(settings: &WebSettings) -> &'static str {
    if settings.secure() { "__Host-bugle" } else { "bugle" }
}

/// The cookie that keeps somebody signed in.
pub fn session_cookie(settings: &WebSettings, signed_in: &SignedIn) -> Cookie<'static> {
    let token = signed_in.token.expose_secret().to_owned();
    Cookie::build((cookie_name(settings), token))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(settings.secure())
        .build()
}

/// The token in the session's cookie.
pub fn session_token(settings: &WebSettings, headers: &HeaderMap) -> Option<String> {
    let jar = CookieJar::from_headers(headers);
    jar.get(cookie_name(settings)).map(|cookie| cookie.value().to_owned())
}

/// Where a request came from. Behind a proxy on this machine, the address is the one it names.
pub fn client(app: &App, parts: &Parts) -> ClientInfo {
    let peer = parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
    let mut ip = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    if ip.is_loopback() {
        let header = parts.headers.get(FORWARDED_FOR).and_then(|value| value.to_str().ok());
        let named = header.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
        ip = named.unwrap_or(ip);
    }
    let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let user_agent = agent.unwrap_or_default().chars().take(MAX_USER_AGENT_CHARS).collect();
    ClientInfo { ip, user_agent, request: request_id(app, &parts.extensions) }
}

/// By which way a response came, as far as the request says.
pub fn via(headers: &HeaderMap) -> Via {
    match headers.get(CLIENT).and_then(|value| value.to_str().ok()) {
        Some("cli") => Via::Cli,
        Some("web") => Via::Web,
        Some(_) | None => Via::Api,
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// An API key counts before a session, so that a browser can try a key out.
impl FromRequestParts<WebState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, ApiError> {
        let request = request_id(&state.app, &parts.extensions);
        if let Some(key) = bearer(&parts.headers) {
            return Ok(state.app.authenticate_key(key, request).await?);
        }
        if let Some(token) = session_token(&state.settings, &parts.headers) {
            return Ok(state.app.authenticate_session(&token, request).await?);
        }
        Err(ApiError::unauthorized("send an API key as a bearer token, or sign in"))
    }
}

/// Who is signed in, if anybody. An error only where that could not be found out.
pub async fn signed_in(state: &WebState, parts: &Parts) -> Result<Option<Caller>, ApiError> {
    let Some(token) = session_token(&state.settings, &parts.headers) else { return Ok(None) };
    let request = request_id(&state.app, &parts.extensions);
    match state.app.authenticate_session(&token, request).await {
        Ok(caller) => Ok(Some(caller)),
        Err(error) if error.kind() == bugle_app::ErrorKind::Unauthenticated => Ok(None),
        Err(error) => Err(error.into()),
    }
}
