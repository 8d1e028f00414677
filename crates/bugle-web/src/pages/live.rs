//! Keeps pages live: parts of them, rendered again when something changed, in one stream.
//!
//! A browser names the topics of its pages; the answer is one stream of parts with their topic and
//! their place in the page. What was rendered is compared with what was sent last, so a change of
//! something else sends nothing.

use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use bugle_app::App;
use bugle_app::app::Change;
use bugle_app::{ErrorKind, UseCaseError as _};
use bugle_domain::{AlertId, IncidentId, IntegrationId};
use bugle_engine::incident::LineGroup;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit, broadcast, watch};

use super::alert::token;
use super::error::PageError;
use super::shell::Shell;
use super::times::Times;
use super::visitor::{Browser, Visitor};
use super::{alert, alerts, changes, cleanup, handset, incidents, integrations, ledger, pipeline};
use crate::auth::session_token;
use crate::state::WebState;

/// A sign of life is sent this often; a page says that it is not live after two and a half.
const BEAT: SignedDuration = SignedDuration::from_secs(10);
/// Changes that come this close together are shown at once.
const GATHER: SignedDuration = SignedDuration::from_millis(80);
/// What nothing tells of is looked at this often.
const GLANCE: SignedDuration = SignedDuration::from_secs(2);
/// After this long the stream ends, and the browser comes back. Its session is looked at again with
/// each beat.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// Streams that are open at once, far fewer than connections: pages never keep events out.
static STREAMS: Semaphore = Semaphore::const_new(1_024);
/// Most topics of one stream.
const TOPICS: usize = 32;

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
    /// What the watch says.
    Pipeline,
    /// A major incident, and of its timeline only a part where one is wanted.
    Incident(IncidentId, Option<LineGroup>),
    /// Changes of the stages.
    Changes,
    /// One of them.
    Change(i64),
    /// A clean-up.
    CleanUp(i64),
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
            "incident" => {
                let (id, group) = rest.split_once(' ').unwrap_or((rest, ""));
                id.parse().ok().map(|id| Self::Incident(id, LineGroup::parse(group)))
            }
            "changes" => Some(Self::Changes),
            "change" => rest.parse().ok().map(Self::Change),
            "clean-up" => rest.parse().ok().map(Self::CleanUp),
            "ledger" => Some(Self::Ledger { everybody: rest == "all" }),
            _ => None,
        }
    }

    /// Whether it shows what nothing tells of: it is looked at over and over.
    fn is_glanced_at(&self) -> bool {
        use Topic::{Change, Changes, CleanUp, Incident, Pipeline};
        matches!(self, Pipeline | Incident(..) | Changes | Change(_) | CleanUp(_))
    }

    /// Whether this reader may see a change in it.
    fn concerns(&self, change: Change, reader: &Reader) -> bool {
        match (self, reader) {
            (
                Self::Handset
                | Self::Pipeline
                | Self::Incident(..)
                | Self::Changes
                | Self::Change(_)
                | Self::CleanUp(_),
                _,
            ) => false,
            (_, Reader::Link(_, alert)) => change.alert == *alert,
            (Self::Alert(id), Reader::Visitor(_)) => change.alert == *id,
            (Self::Token(_) | Self::Ledger { everybody: true }, Reader::Visitor(_)) => true,
            (
                Self::List(_) | Self::Requests(_) | Self::Ledger { everybody: false },
                Reader::Visitor(visitor),
            ) => visitor.caller.scope.tenant() == change.tenant,
        }
    }
}

/// A part of a page.
#[derive(Serialize)]
struct Part<'a> {
    topic: &'a str,
    id: &'a str,
    html: String,
}

/// Who looks: somebody signed in, or somebody with a link.
enum Reader {
    Visitor(Box<Visitor>),
    Link(Browser, AlertId),
}

/// A topic of a stream.
struct Watched {
    topic: Topic,
    /// As the page named it.
    name: String,
    /// What was sent last.
    sent: String,
    /// Whether it is to be looked at again.
    due: bool,
}

impl Watched {
    /// What is asked for; `None` where a topic does not exist.
    fn all(asked: &[(String, String)]) -> Option<Vec<Self>> {
        let names = asked.iter().filter(|(key, _)| key == "topic").take(TOPICS);
        let watched = names.map(|(_, name)| {
            let topic = Topic::parse(name)?;
            Some(Self { topic, name: name.clone(), sent: String::new(), due: true })
        });
        watched.collect::<Option<Vec<_>>>().filter(|all| !all.is_empty())
    }
}

/// A stream's place among those that are open at once, counted while it is held.
struct Place {
    _permit: SemaphorePermit<'static>,
}

impl Place {
    fn take() -> Option<Self> {
        let permit = STREAMS.try_acquire().ok()?;
        metrics::gauge!("bugle_live_streams").increment(1.0);
        Some(Self { _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("bugle_live_streams").decrement(1.0);
    }
}

/// One open stream.
struct Stream {
    /// Given back when the stream ends.
    _place: Place,
    app: App,
    watched: Vec<Watched>,
    reader: Reader,
    changes: broadcast::Receiver<Change>,
    /// Incidents in whose rooms something was done.
    rooms: broadcast::Receiver<IncidentId>,
    /// Where the simulated phones are watched.
    phones: Option<watch::Receiver<u64>>,
    beat_at: Timestamp,
    /// When what is not announced to operators is looked at again, however much else happens.
    glance_at: Timestamp,
    began: Timestamp,
}

/// `GET /live?topic=…&topic=…&who=…`: `who` is the user whose pages ask, so that pages of somebody
/// who has signed out since are not shown what another may see.
pub(super) async fn stream(
    State(state): State<WebState>,
    Query(asked): Query<Vec<(String, String)>>,
    browser: Browser,
    parts: http::request::Parts,
) -> Result<Response, Response> {
    let nothing = || PageError::not_found("There is nothing to watch here.").into_response();
    let watched = Watched::all(&asked).ok_or_else(nothing)?;
    let who = asked.iter().find(|(key, _)| key == "who").map(|(_, who)| who.as_str());
    let reader = reader(&state, &watched, who, (browser, parts)).await?;
    let Some(place) = Place::take() else {
        return Err(http::StatusCode::SERVICE_UNAVAILABLE.into_response());
    };
    let app = state.app;
    let now = app.clock().now();
    let handset = app.handset().filter(|_| watched.iter().any(|it| it.topic == Topic::Handset));
    let open = Stream {
        _place: place,
        changes: app.changes(),
        rooms: app.rooms(),
        phones: handset.map(|handset| handset.subscribe()),
        watched,
        reader,
        beat_at: now,
        glance_at: now,
        began: now,
        app,
    };
    Ok(Sse::new(stream::unfold(open, next)).into_response())
}

/// Who looks. A link in a message opens its one alert and nothing beside it.
async fn reader(
    state: &WebState,
    watched: &[Watched],
    who: Option<&str>,
    (browser, mut parts): (Browser, http::request::Parts),
) -> Result<Reader, Response> {
    use axum::extract::FromRequestParts as _;
    if let [Watched { topic: Topic::Token(token), .. }] = watched {
        let gone = |_| PageError::not_found("This link leads nowhere.").into_response();
        let found = state.app.alert_by_token(token).await.map_err(gone)?;
        return Ok(Reader::Link(browser, found.view.alert.id));
    }
    let stranger = || http::StatusCode::UNAUTHORIZED.into_response();
    if session_token(&state.settings, &parts.headers).is_none() {
        return Err(stranger());
    }
    // A page that says so itself is better than one that follows a redirect unseen.
    let visitor = Visitor::from_request_parts(&mut parts, state).await.map_err(|_| stranger())?;
    let user = visitor.caller.user.map(|user| user.to_string()).unwrap_or_default();
    if who.is_some_and(|who| who != user) {
        return Err(stranger());
    }
    Ok(Reader::Visitor(Box::new(visitor)))
}

async fn next(mut open: Stream) -> Option<(Result<Event, Infallible>, Stream)> {
    loop {
        let now = open.app.clock().now();
        if now.duration_since(open.began) > LONGEST {
            return None;
        }
        if let Some(part) = open.part().await {
            return Some((Ok(part), open));
        }
        if now >= open.beat_at {
            if !open.may_look().await {
                return None;
            }
            open.beat_at = now.saturating_add(BEAT).unwrap_or(now);
            let beat = Event::default().event("beat").retry(Duration::from_secs(2));
            return Some((Ok(beat.data(now.as_millisecond().to_string())), open));
        }
        open.wait().await?;
    }
}

impl Stream {
    /// Whether whoever looks still may: people sign out, and what they may see changes.
    async fn may_look(&mut self) -> bool {
        let Reader::Visitor(visitor) = &mut self.reader else { return true };
        let Some(token) = visitor.browser.session.as_deref() else { return false };
        match self.app.authenticate_session(token, visitor.browser.client.request).await {
            Ok(caller) => {
                visitor.caller = caller;
                true
            }
            Err(error) => error.kind() != ErrorKind::Unauthenticated,
        }
    }

    /// Waits until something may be due; `None` when Bugle stops.
    async fn wait(&mut self) -> Option<()> {
        let clock = self.app.clock().clone();
        let stop = self.app.tasks().stop_token();
        let watches = self.watched.iter().any(|it| it.topic.is_glanced_at());
        tokio::select! {
            () = stop.cancelled() => return None,
            change = self.changes.recv() => match change {
                Ok(change) => self.changed(Some(change)),
                Err(broadcast::error::RecvError::Lagged(_)) => self.changed(None),
                Err(broadcast::error::RecvError::Closed) => return None,
            },
            // One that was missed is found at the next glance.
            room = self.rooms.recv() => match room {
                Ok(room) => self.look_at(|it| matches!(it, Topic::Incident(id, _) if *id == room)),
                Err(broadcast::error::RecvError::Lagged(_)) => (),
                Err(broadcast::error::RecvError::Closed) => return None,
            },
            () = rang(self.phones.as_mut()) => self.look_at(|it| *it == Topic::Handset),
            () = clock.sleep_until(self.glance_at), if watches => {
                let next = clock.now().saturating_add(GLANCE);
                self.glance_at = next.unwrap_or(Timestamp::MAX);
                self.look_at(Topic::is_glanced_at);
            }
            // What is not announced, such as a rejected request, is found with the beat.
            () = clock.sleep_until(self.beat_at) => {
                self.look_at(|it| matches!(it, Topic::Requests(_)));
            }
        }
        if self.watched.iter().any(|it| it.due) {
            clock.sleep(GATHER).await;
            self.gather();
        }
        Some(())
    }

    /// Notes the changes that have come meanwhile.
    fn gather(&mut self) {
        use broadcast::error::TryRecvError;
        loop {
            match self.changes.try_recv() {
                Ok(change) => self.changed(Some(change)),
                Err(TryRecvError::Lagged(_)) => self.changed(None),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    /// Notes what is to be looked at again: where changes were missed, everything.
    fn changed(&mut self, change: Option<Change>) {
        for it in &mut self.watched {
            it.due |= change.is_none_or(|change| it.topic.concerns(change, &self.reader));
        }
    }

    fn look_at(&mut self, which: impl Fn(&Topic) -> bool) {
        for it in &mut self.watched {
            it.due |= which(&it.topic);
        }
    }

    /// The next part that is not as it was sent.
    async fn part(&mut self) -> Option<Event> {
        while let Some(at) = self.watched.iter().position(|it| it.due) {
            let rendered = self.render(at).await;
            let it = &mut self.watched[at];
            it.due = false;
            if let Some((id, html)) = rendered
                && html != it.sent
            {
                it.sent.clone_from(&html);
                let part = Part { topic: &it.name, id, html };
                let event = Event::default().event("part");
                return Some(event.json_data(part).unwrap_or_default());
            }
        }
        None
    }

    /// The part of the page, as it is now. `None` where it could not be read: the page then says,
    /// after some beats without a change, nothing wrong.
    async fn render(&mut self, at: usize) -> Option<(&'static str, String)> {
        let now = self.app.clock().now();
        let (app, topic) = (&self.app, &self.watched[at].topic);
        let visitor = match &mut self.reader {
            Reader::Link(browser, _) => {
                let Topic::Token(token) = topic else { return None };
                return token::load(app, browser, token).await.ok().map(|html| ("main", html));
            }
            Reader::Visitor(visitor) => visitor,
        };
        visitor.times = Times::new(&visitor.me.time_zone, now);
        visitor.browser.said = None;
        let rendered = match topic {
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
            Topic::Incident(id, group) => {
                let shown = incidents::Shown { group: *group, ..incidents::Shown::default() };
                html(incidents::load(app, visitor, *id, shown).await)
            }
            Topic::Changes => html(changes::load_list(app, visitor).await),
            Topic::Change(number) => html(changes::load(app, visitor, *number).await),
            Topic::CleanUp(number) => html(cleanup::load(app, visitor, *number).await),
            Topic::Token(_) => None,
        };
        rendered.map(|html| ("main", html))
    }
}

/// Waits until a simulated phone rings or is written to.
async fn rang(phones: Option<&mut watch::Receiver<u64>>) {
    if let Some(phones) = phones
        && phones.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
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
