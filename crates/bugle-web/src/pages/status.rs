//! The status page: its files, made from a board, and served as they lie.
//!
//! Nobody signs in to see it, and nothing but a file is read for it: it answers while the database
//! is away.

mod bars;
mod calendar;
mod feeds;
mod page;
mod plain;
mod statuspage;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bugle_app::App;
use bugle_app::status::{File, PAGES, REGIONS, REPORT};
use bugle_domain::StatusPageId;
use bugle_engine::status::board::{Board, Touched, Whose};
use bugle_engine::status::bulletin::Bulletin;
use bugle_engine::status::report::Report;
use http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

use super::assets::fingerprint;
use crate::state::WebState;

/// A file lives for a minute at most, and an old one is better than none.
const CACHE: &str = "public, max-age=10, stale-if-error=86400";
const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
/// What is said before anything was written.
const NOTHING: &str = "There is no status page here yet. It needs the watch, and a few seconds.\n";

/// A file, what it is, and how it is made.
struct Kind {
    /// Below the folder, and below `/`.
    path: &'static str,
    content_type: &'static str,
    make: fn(&Board) -> String,
}

const INDEX: Kind = Kind { path: "index.html", content_type: HTML, make: page::index };
const PLAIN: Kind = Kind { path: "index.txt", content_type: TEXT, make: plain::text };
const HISTORY: Kind = Kind { path: "history.html", content_type: HTML, make: page::history };

/// What is served under its own path.
const FILES: [Kind; 14] = [
    HISTORY,
    PLAIN,
    Kind { path: REPORT, content_type: JSON, make: report },
    Kind { path: "history.atom", content_type: "application/atom+xml", make: feeds::atom },
    Kind { path: "history.rss", content_type: "application/rss+xml", make: feeds::rss },
    Kind { path: "maintenance.ics", content_type: "text/calendar", make: calendar::calendar },
    Kind { path: "badge.svg", content_type: "image/svg+xml", make: page::badge },
    Kind { path: "api/v2/summary.json", content_type: JSON, make: statuspage::summary },
    Kind { path: "api/v2/status.json", content_type: JSON, make: statuspage::status },
    Kind { path: "api/v2/components.json", content_type: JSON, make: statuspage::components },
    Kind { path: "api/v2/incidents.json", content_type: JSON, make: statuspage::incidents },
    Kind {
        path: "api/v2/incidents/unresolved.json",
        content_type: JSON,
        make: statuspage::unresolved,
    },
    Kind {
        path: "api/v2/scheduled-maintenances.json",
        content_type: JSON,
        make: statuspage::maintenances,
    },
    Kind {
        path: "api/v2/scheduled-maintenances/active.json",
        content_type: JSON,
        make: statuspage::active,
    },
];
/// The same as another of them, for clients that know it by this name.
const UPCOMING: Kind = Kind {
    path: "api/v2/scheduled-maintenances/upcoming.json",
    content_type: JSON,
    make: statuspage::upcoming,
};

/// All but what `index.html` is.
fn files() -> impl Iterator<Item = &'static Kind> {
    FILES.iter().chain([&UPCOMING])
}

/// What other regions' installations read.
fn report(board: &Board) -> String {
    Report::of(board).map(|it| it.text()).unwrap_or_default()
}

/// All files of the status page, as they are to be written.
pub fn render(board: &Board) -> Vec<File> {
    let own = board.whose == Whose::Installation;
    // Other installations read of this one, and of no tenant.
    let all = files().chain([&INDEX]).filter(|kind| own || kind.path != REPORT);
    let mut files: Vec<File> =
        all.map(|kind| File { path: kind.path.into(), text: (kind.make)(board) }).collect();
    for region in board.regions.iter().filter(|it| !it.name.is_empty()) {
        let path = format!("{REGIONS}/{}.html", region.slug()).into();
        files.push(File { path, text: page::region(&board.of(region)) });
    }
    files
}

/// A bulletin as the installation's page, or that of a tenant, would show it at `now`: for who is
/// about to post it.
pub(super) fn preview(it: &Bulletin<Touched>, of: Option<StatusPageId>, now: Timestamp) -> String {
    let up = of.map_or_else(|| "/".to_owned(), |id| format!("/status/{PAGES}/{id}/"));
    page::preview(it, &up, now)
}

/// All paths.
pub(super) fn routes() -> Router<WebState> {
    let mut router = Router::new()
        .route("/status", get(status))
        .route(&format!("/{REGIONS}/{{file}}"), get(region))
        .route("/index.html", get(async || Redirect::permanent("/status")))
        .route(&format!("/status/{PAGES}/{{page}}"), get(whole))
        .route(&format!("/status/{PAGES}/{{page}}/"), get(tenant))
        .route(&format!("/status/{PAGES}/{{page}}/{{*file}}"), get(tenant_file));
    for kind in files() {
        let (path, content_type) = (kind.path, kind.content_type);
        let serve = async move |State(app): State<App>, headers: HeaderMap| {
            serve(&app, (path, content_type), &headers).await
        };
        router = router.route(&format!("/{path}"), get(serve));
    }
    router
}

/// `GET /status`: for people, or plain text for whoever does not ask for a page.
async fn status(State(app): State<App>, headers: HeaderMap) -> Response {
    let kind = wanted(&headers);
    varying(serve(&app, (kind.path, kind.content_type), &headers).await)
}

/// The page, or plain text for whoever does not ask for one.
fn wanted(headers: &HeaderMap) -> &'static Kind {
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/html") { &INDEX } else { &PLAIN }
}

fn varying(mut response: Response) -> Response {
    response.headers_mut().append(VARY, HeaderValue::from_static("accept"));
    response
}

/// `GET /status/p/ID`: what the page links to is below it.
async fn whole(Path(page): Path<String>) -> Response {
    match page.parse::<StatusPageId>() {
        Ok(id) => Redirect::permanent(&format!("/status/{PAGES}/{id}/")).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /status/p/ID/`: a tenant's page.
async fn tenant(State(app): State<App>, Path(page): Path<String>, headers: HeaderMap) -> Response {
    varying(of_tenant(&app, &page, wanted(&headers), &headers).await)
}

/// `GET /status/p/ID/FILE`.
async fn tenant_file(
    State(app): State<App>,
    Path((page, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match files().chain([&INDEX]).find(|kind| kind.path == file) {
        Some(kind) => of_tenant(&app, &page, kind, &headers).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A file of a tenant's page. Whether there ever was one is not told.
async fn of_tenant(app: &App, page: &str, kind: &Kind, asked: &HeaderMap) -> Response {
    let Ok(id) = page.parse::<StatusPageId>() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match app.status_file(&format!("{PAGES}/{id}/{}", kind.path)).await {
        Some(bytes) => answer(bytes, kind.content_type, asked),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /regions/SLUG.html`.
async fn region(State(app): State<App>, Path(file): Path<String>, headers: HeaderMap) -> Response {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match file.strip_suffix(".html") {
        Some(slug) if slug.chars().all(plain) => {
            serve(&app, (&format!("{REGIONS}/{file}"), HTML), &headers).await
        }
        Some(_) | None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn serve(
    app: &App,
    (path, content_type): (&str, &'static str),
    asked: &HeaderMap,
) -> Response {
    let Some(bytes) = app.status_file(path).await else {
        return (StatusCode::SERVICE_UNAVAILABLE, [(CONTENT_TYPE, TEXT)], NOTHING).into_response();
    };
    answer(bytes, content_type, asked)
}

fn answer(bytes: Vec<u8>, content_type: &'static str, asked: &HeaderMap) -> Response {
    let tag = format!("W/\"{:016x}\"", fingerprint(&bytes));
    let same = asked.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response =
        if same { StatusCode::NOT_MODIFIED.into_response() } else { bytes.into_response() };
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(CONTENT_TYPE, content_type);
    set(CACHE_CONTROL, CACHE);
    set(ETAG, &tag);
    set(ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    if content_type == HTML {
        set(CONTENT_SECURITY_POLICY, page::policy());
    }
    response
}
