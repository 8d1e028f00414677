//! Keeps pages live: parts of them, rendered again when something changed, in one stream.
//!
//! A page names its topic; the answer is a stream of parts with their place in the page. What was
//! rendered is compared with what was sent last, so a change of something else sends nothing.

use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use bugle_app::App;
use bugle_app::app::Change;
use bugle_domain::{AlertId, IncidentId, IntegrationId, TenantId};
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, SemaphorePermit, broadcast, watch};

use super::alert::token;
use super::error::PageError;
use super::shell::Shell;
use super::times::Times;
use super::visitor::{Browser, Visitor};
use super::{alert, alerts, handset, incidents, integrations, ledger, pipeline};
use crate::auth::session_token;
use crate::state::WebState;

/// A sign of life is sent this often; a page says that it is not live after two and a half.
const BEAT: SignedDuration = SignedDuration::from_secs(10);
/// What the watch says is looked at this often.
const GLANCE: SignedDuration = SignedDuration::from_secs(2);
/// Changes that come this close together are shown at once.
const GATHER: SignedDuration = SignedDuration::from_millis(80);
/// After this long the stream ends; the browser comes back, and its session is looked at again.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// Streams that are open at once, far fewer than connections: pages never keep events out.
static STREAMS: Semaphore = Semaphore::const_new(1_024);

/// What a page subscribes to.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Topic {
    /// The list, as its URL says.
    List(alerts::list::Params),
    /// One alert.
    Alert(AlertId),
    /// One alert, through the link in a message.
    Token(String),
    /// The last requests of an integration.
    Requests(IntegrationId),
    /// The simulated phones.
    Handset,
    /// The books.
    Ledger {
        /// Of all tenants.
        everybody: bool,
    },
    /// What the watch sees.
    Pipeline,
    /// A major incident.
    Incident(IncidentId),
}

impl Topic {
    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
        match kind {
            "list" => {
                let query = rest.split_once('?').map_or("", |(_, query)| query);
                let mut params = alerts::list::Params::default();
                for (key, value) in form_urlencoded::parse(query.as_bytes()) {
                    match key.as_ref() {
                        "q" => params.q = value.into_owned(),
                        "after" => params.after = Some(value.into_owned()),
                        _ => (),
                    }
                }
                Some(Self::List(params))
            }
            "alert" => rest.parse().ok().map(Self::Alert),
            "token" => Some(Self::Token(rest.to_owned())),
            "requests" => rest.parse().ok().map(Self::Requests),
            "handset" => Some(Self::Handset),
            "pipeline" => Some(Self::Pipeline),
            "incident" => rest.parse().ok().map(Self::Incident),
            "ledger" => Some(Self::Ledger { everybody: rest == "all" }),
            _ => None,
        }
    }

    /// Whether it shows what the watch says, of which nothing else tells.
    fn is_of_the_watch(&self) -> bool {
        matches!(self, Self::Pipeline | Self::Incident(_))
    }

    /// Whether a change may be seen in it.
    fn concerns(&self, change: Change, tenant: Option<TenantId>) -> bool {
        match self {
            Self::Alert(id) => change.alert == *id,
            Self::Handset | Self::Pipeline | Self::Incident(_) => false,
            Self::Token(_) | Self::Ledger { everybody: true } => true,
            Self::List(_) | Self::Requests(_) | Self::Ledger { everybody: false } => {
                tenant == Some(change.tenant)
            }
        }
    }
}

/// What is wanted.
#[derive(Deserialize)]
pub(super) struct Wanted {
    topic: String,
}

/// A part of a page.
#[derive(Serialize)]
struct Part<'a> {
    id: &'a str,
    html: String,
    rev: u64,
}

/// Who looks: somebody signed in, or somebody with a link.
enum Reader {
    Visitor(Box<Visitor>),
    Link(Browser, AlertId),
}

/// One open stream.
struct Stream {
    /// Given back when the stream ends.
    _place: SemaphorePermit<'static>,
    app: App,
    topic: Topic,
    reader: Reader,
    changes: broadcast::Receiver<Change>,
    phones: Option<watch::Receiver<u64>>,
    sent: String,
    rev: u64,
    began: Timestamp,
    first: bool,
}

/// `GET /live?topic=…`.
pub(super) async fn stream(
    State(state): State<WebState>,
    Query(wanted): Query<Wanted>,
    browser: Browser,
    mut parts: http::request::Parts,
) -> Result<Response, Response> {
    let Some(topic) = Topic::parse(&wanted.topic) else {
        return Err(PageError::not_found("There is nothing to watch here.").into_response());
    };
    let reader = match &topic {
        Topic::Token(token) => {
            let gone = |_| PageError::not_found("This link leads nowhere.").into_response();
            let found = state.app.alert_by_token(token).await.map_err(gone)?;
            Reader::Link(browser, found.view.alert.id)
        }
        _ if session_token(&state.settings, &parts.headers).is_none() => {
            return Err(http::StatusCode::UNAUTHORIZED.into_response());
        }
        _ => {
            use axum::extract::FromRequestParts as _;
            let visitor = Visitor::from_request_parts(&mut parts, &state).await;
            // A page that says so itself is better than one that follows a redirect unseen.
            let visitor = visitor.map_err(|_| http::StatusCode::UNAUTHORIZED.into_response())?;
            Reader::Visitor(Box::new(visitor))
        }
    };
    let Ok(place) = STREAMS.try_acquire() else {
        return Err(http::StatusCode::SERVICE_UNAVAILABLE.into_response());
    };
    let app = state.app;
    let open = Stream {
        _place: place,
        changes: app.changes(),
        phones: app.handset().map(|handset| handset.subscribe()),
        topic,
        reader,
        sent: String::new(),
        rev: 0,
        began: app.clock().now(),
        first: true,
        app,
    };
    let events = stream::unfold(open, next);
    Ok(Sse::new(events).into_response())
}

async fn next(mut open: Stream) -> Option<(Result<Event, Infallible>, Stream)> {
    loop {
        let now = open.app.clock().now();
        if now.duration_since(open.began) > LONGEST {
            return None;
        }
        let render = if open.first {
            open.first = false;
            true
        } else {
            open.wait(now).await?
        };
        if render
            && let Some((id, html)) = open.render().await
            && html != open.sent
        {
            open.sent.clone_from(&html);
            open.rev += 1;
            let part = Part { id, html, rev: open.rev };
            let event = Event::default().event("part").retry(Duration::from_secs(2));
            return Some((Ok(event.json_data(part).unwrap_or_default()), open));
        }
        if !render || open.rev == 0 {
            let now = open.app.clock().now().as_millisecond();
            return Some((Ok(Event::default().event("beat").data(now.to_string())), open));
        }
    }
}

impl Stream {
    /// Waits for a change (`true`) or the next beat (`false`); `None` when Bugle stops.
    async fn wait(&mut self, now: Timestamp) -> Option<bool> {
        let clock = self.app.clock().clone();
        let watches = self.topic.is_of_the_watch();
        let stop = self.app.tasks().stop_token();
        let beat = now.saturating_add(BEAT).unwrap_or(now);
        let tenant = match &self.reader {
            Reader::Visitor(visitor) => Some(visitor.caller.scope.tenant()),
            Reader::Link(..) => None,
        };
        let linked = match &self.reader {
            Reader::Visitor(_) => None,
            Reader::Link(_, alert) => Some(*alert),
        };
        let topic = self.topic.clone();
        let changed = async {
            loop {
                match self.changes.recv().await {
                    Ok(change) if linked.is_some_and(|alert| alert != change.alert) => (),
                    Ok(change) if !topic.concerns(change, tenant) => (),
                    // Some were missed: look again.
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        let phones = self.phones.as_mut().filter(|_| topic == Topic::Handset);
        let rang = async {
            if let Some(phones) = phones
                && phones.changed().await.is_ok()
            {
                return;
            }
            std::future::pending::<()>().await;
        };
        let render = tokio::select! {
            () = stop.cancelled() => return None,
            () = changed => true,
            () = rang => true,
            // The watch speaks each second, whether or not anything else changes.
            () = clock.sleep(GLANCE), if watches => true,
            // What is not announced, such as a rejected request, is found with the beat.
            () = clock.sleep_until(beat) => return Some(false),
        };
        clock.sleep(GATHER).await;
        while self.changes.try_recv().is_ok() {}
        Some(render)
    }

    /// The part of the page, as it is now. `None` where it could not be read: the page then says,
    /// after some beats without a change, nothing wrong.
    async fn render(&mut self) -> Option<(&'static str, String)> {
        let now = self.app.clock().now();
        let app = &self.app;
        let visitor = match &mut self.reader {
            Reader::Link(browser, _) => {
                let Topic::Token(token) = &self.topic else { return None };
                return token::load(app, browser, token).await.ok().map(|html| ("main", html));
            }
            Reader::Visitor(visitor) => visitor,
        };
        visitor.times = Times::new(&visitor.me.time_zone, now);
        visitor.browser.said = None;
        let rendered = match &self.topic {
            Topic::List(params) => html(alerts::list::load(app, visitor, params).await),
            Topic::Alert(id) => html(alert::show::load(app, visitor, *id).await),
            Topic::Requests(id) => {
                let part = html(integrations::show::requests(app, visitor, *id).await);
                return part.map(|html| ("requests", html));
            }
            Topic::Handset => {
                let reader = handset::reader(visitor);
                let page = handset::load(app.handset()?.as_ref(), &visitor.times, reader);
                page.render().ok()
            }
            Topic::Ledger { everybody } => html(ledger::load(app, visitor, *everybody).await),
            Topic::Pipeline => html(pipeline::load(app, visitor).await),
            Topic::Incident(id) => html(incidents::load(app, visitor, *id).await),
            Topic::Token(_) => None,
        };
        rendered.map(|html| ("main", html))
    }
}

fn html<T: Template>(page: Result<T, PageError>) -> Option<String> {
    page.ok()?.render().ok()
}

impl Shell {
    /// Keeps the page live.
    pub(super) fn live(mut self, topic: String) -> Self {
        self.live = Some(topic);
        self
    }
}

#[cfg(test)]
mod tests;
