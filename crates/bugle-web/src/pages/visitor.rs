//! Who looks at a page: the session in the cookie, and what the browser remembers for us.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::Cookie;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bugle_app::identity::{ClientInfo, Me, SignedIn};
use bugle_app::permission::Permission;
use bugle_app::{App, Caller, UseCaseError as _};
use http::HeaderValue;
use http::header::SET_COOKIE;
use http::request::Parts;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::error::PageError;
use super::parts::Link;
use super::shell::{Layout, Reader, Section, Shell};
use super::times::Times;
use crate::auth;
use crate::state::WebState;

const SAID: &str = "bugle_said";
const THEME: &str = "bugle_theme";
const KEYS: &str = "bugle_keys";
/// Longest sentence kept for the next page, in characters.
const SAID_CHARS: usize = 400;
const YEAR_S: i64 = 31_536_000;

/// What the browser sent besides the session.
#[derive(Clone, Debug)]
pub(super) struct Browser {
    /// `day` or `night`, where the reader chose.
    pub(super) theme: Option<&'static str>,
    /// Whether single keys do things.
    pub(super) keys: bool,
    /// What the last request caused, to be shown once.
    pub(super) said: Option<String>,
    /// Whether cookies are sent over https only.
    pub(super) secure: bool,
    /// Whether this is the demo.
    pub(super) demo: bool,
    /// The token in the session's cookie.
    pub(super) session: Option<String>,
    /// What that cookie is called.
    cookie: &'static str,
    /// Where the request came from.
    pub(super) client: ClientInfo,
}

impl Browser {
    /// A frame without the parts that need a reader.
    pub(super) fn lone(&self, title: &str, times: &Times) -> Shell {
        Shell {
            title: title.to_owned(),
            layout: Layout::Lone,
            section: Section::Me,
            back: None,
            user: None,
            operator: false,
            open_alerts: 0,
            demo: self.demo,
            theme: self.theme,
            live: None,
            who: String::new(),
            now_ms: times.now().as_millisecond(),
            now_text: times.hms(times.now()),
            keys: false,
        }
    }
}

impl FromRequestParts<WebState> for Browser {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &WebState,
    ) -> Result<Self, Self::Rejection> {
        let settings = &state.settings;
        let jar = CookieJar::from_headers(&parts.headers);
        let theme = match jar.get(THEME).map(Cookie::value) {
            Some("day") => Some("day"),
            Some("night") => Some("night"),
            _ => None,
        };
        let said = jar
            .get(SAID)
            .and_then(|cookie| URL_SAFE_NO_PAD.decode(cookie.value()).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(Self {
            theme,
            keys: jar.get(KEYS).map(Cookie::value) != Some("off"),
            said,
            secure: settings.secure(),
            demo: settings.demo,
            session: auth::session_token(settings, &parts.headers),
            cookie: auth::cookie_name(settings),
            client: auth::client(&state.app, parts),
        })
    }
}

/// Somebody signed in.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    /// Who asks use cases.
    pub(super) caller: Caller,
    /// Their name, tenant and zone.
    pub(super) me: Me,
    /// Their browser.
    pub(super) browser: Browser,
    /// The zone and the moment of the page.
    pub(super) times: Times,
}

impl FromRequestParts<WebState> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &WebState,
    ) -> Result<Self, Self::Rejection> {
        let app = &state.app;
        let browser = match Browser::from_request_parts(parts, state).await {
            Ok(browser) => browser,
            Err(never) => match never {},
        };
        let Some(token) = browser.session.as_deref() else {
            return Err(to_sign_in(parts));
        };
        let caller = match app.authenticate_session(token, browser.client.request).await {
            Ok(caller) => caller,
            Err(error) if error.kind() == bugle_app::ErrorKind::Unauthenticated => {
                return Err(to_sign_in(parts));
            }
            Err(error) => return Err(PageError::from(error).into_response()),
        };
        let me = app.me(&caller).await.map_err(|error| PageError::from(error).into_response())?;
        let times = Times::new(&me.time_zone, app.clock().now());
        Ok(Self { caller, me, browser, times })
    }
}

impl Visitor {
    /// The frame of a page.
    pub(super) async fn shell(
        &self,
        app: &App,
        title: &str,
        section: Section,
    ) -> Result<Shell, PageError> {
        let counts = app.alert_counts(&self.caller).await?;
        let on_call = match self.caller.user {
            Some(user) => on_call_line(app, self, user).await?,
            None => None,
        };
        let name = self.me.user.as_ref().map_or("", |user| user.name.as_str());
        Ok(Shell {
            title: format!("{title} – Bugle"),
            layout: Layout::App,
            section,
            back: None,
            user: Some(Reader { name: name.to_owned(), on_call }),
            operator: self.caller.may(Permission::ReadWatch),
            open_alerts: counts.open,
            who: self.caller.user.map(|user| user.to_string()).unwrap_or_default(),
            keys: self.browser.keys,
            ..self.browser.lone(title, &self.times)
        })
    }
}

impl Shell {
    /// Gives the page a way back.
    pub(super) fn back(mut self, href: &str, text: &str) -> Self {
        self.back = Some(Link::new(href, text));
        self
    }
}

async fn on_call_line(
    app: &App,
    visitor: &Visitor,
    user: bugle_domain::UserId,
) -> Result<Option<String>, PageError> {
    let schedules = app.on_call(&visitor.caller).await?;
    let mine = schedules.iter().find(|it| it.user.as_ref().is_some_and(|who| who.id == user));
    Ok(mine.map(|shift| match shift.until {
        Some(until) => format!("On call until {}", visitor.times.day_hm(until)),
        None => "On call".to_owned(),
    }))
}

fn to_sign_in(parts: &Parts) -> Response {
    let wanted = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if parts.method != http::Method::GET || wanted == "/" {
        return Redirect::to("/sign-in").into_response();
    }
    let next: String = form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    Redirect::to(&format!("/sign-in?next={next}")).into_response()
}

/// Sets a cookie; the values are letters, digits, `-` and `_` only. Zero seconds end it.
fn set(browser: &Browser, response: &mut Response, name: &str, value: &str, seconds: i64) {
    let secure = if browser.secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

/// Answers with a redirect to `to`, which will say `text`.
pub(super) fn see(browser: &Browser, to: &str, text: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    let short = bugle_domain::text::truncate(text, SAID_CHARS);
    set(browser, &mut response, SAID, &URL_SAFE_NO_PAD.encode(short), 60);
    response
}

/// What was said is not said again.
pub(super) fn forget_said(browser: &Browser, response: &mut Response) {
    if browser.said.is_some() {
        set(browser, response, SAID, "", 0);
    }
}

/// Puts the session of somebody who has just signed in into the browser.
pub(super) fn keep_session(
    browser: &Browser,
    signed_in: &SignedIn,
    now: Timestamp,
    response: &mut Response,
) {
    let seconds = signed_in.until.duration_since(now).as_secs().max(0);
    let token = signed_in.token.expose_secret();
    set(browser, response, browser.cookie, token, seconds);
}

/// Takes the session out of the browser.
pub(super) fn drop_session(browser: &Browser, response: &mut Response) {
    set(browser, response, browser.cookie, "", 0);
}

/// Remembers the chosen theme; `None`: as the system.
pub(super) fn keep_theme(browser: &Browser, theme: Option<&str>, response: &mut Response) {
    set(browser, response, THEME, theme.unwrap_or_default(), theme.map_or(0, |_| YEAR_S));
}

/// Remembers whether single keys do things.
pub(super) fn keep_keys(browser: &Browser, on: bool, response: &mut Response) {
    set(browser, response, KEYS, if on { "on" } else { "off" }, YEAR_S);
}
