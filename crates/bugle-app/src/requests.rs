//! The last requests of an integration, accepted and rejected, and events sent from here.

pub mod error;
pub(crate) mod would_page;

use bugle_domain::event::{
    Action, EventBody, Link, MAX_DEDUP_KEY_BYTES, MAX_LINKS, MAX_SUMMARY_CHARS, NewEvent,
};
use bugle_domain::integration::Dialect;
use bugle_domain::text::{one_line, truncate};
use bugle_domain::{EventId, IntegrationId, Severity};
use bugle_store::{Accepted, Request};
use jiff::Timestamp;

use self::error::SendEventError;
use crate::app::App;
use crate::caller::Caller;
use crate::entropy;
use crate::error::{Problem, problem};
use crate::permission::Permission;
use crate::reading::ReadError;

/// How many requests of an integration are shown.
pub const SHOWN_REQUESTS: u32 = 50;
/// How much of a request is shown in the list.
const PREVIEW_CHARS: usize = 2_000;

/// One request of an integration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestView {
    /// When it had been read whole.
    pub at: Timestamp,
    /// What its sender spoke.
    pub dialect: Dialect,
    /// The events it held; empty: it was rejected.
    pub events: Vec<EventId>,
    /// Why it was rejected, in words.
    pub rejected: Option<String>,
    /// The status it was answered with.
    pub status: u16,
    /// How many bytes.
    pub size_bytes: usize,
    /// The first 2,000 characters, as text; what is not UTF-8 is replaced.
    pub preview: String,
    /// What came of its first event, in a sentence.
    pub outcome: String,
}

/// An event sent from a page or the command line, without the integration's key.
#[derive(Clone, PartialEq, Debug)]
pub struct SentEvent {
    /// What is wanted.
    pub action: Action,
    /// What is wrong, in a line.
    pub summary: String,
    /// How bad it is.
    pub severity: Severity,
    /// Which machine or thing says so.
    pub source: String,
    /// What it folds by; made up where it is missing.
    pub dedup_key: Option<String>,
    /// Links.
    pub links: Vec<Link>,
    /// The rest.
    pub details: serde_json::Map<String, serde_json::Value>,
}

/// What intake said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TakenEvent {
    /// The event, or the first of the same idempotency key.
    pub event: EventId,
    /// What it folds by.
    pub dedup_key: String,
    /// It had been taken before.
    pub repeat: bool,
}

/// Who would be paged by an event of an integration now, without sending one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WouldPage {
    /// The policy, by name, and why that one.
    pub policy: String,
    /// Sentences, one a level: "Level 1: Lena Ortiz by SMS and email at once, by call after 60 s."
    pub levels: Vec<String>,
}

impl SentEvent {
    /// The event behind "send a test event".
    pub fn test() -> Self {
        Self {
            action: Action::Trigger,
            summary: "Test event: nothing is wrong".to_owned(),
            severity: Severity::Critical,
            source: "bugle".to_owned(),
            dedup_key: None,
            links: Vec::new(),
            details: serde_json::Map::new(),
        }
    }
}

impl App {
    /// The last 50 requests of an integration, newest first.
    pub async fn requests(
        &self,
        caller: &Caller,
        integration: IntegrationId,
    ) -> Result<Vec<RequestView>, ReadError> {
        caller.require(Permission::ManageIntegrationKeys)?;
        let directory = self.directory(caller.scope).await?;
        if !directory.integrations.contains_key(&integration) {
            return Err(unknown(integration));
        }
        let store = &self.inner().store;
        let found = store.requests(caller.scope, integration, SHOWN_REQUESTS).await?;
        let mut views = Vec::with_capacity(found.len());
        for request in found {
            let first = match &request {
                Request::Accepted { events, .. } => events.first().copied(),
                Request::Rejected(_) => None,
            };
            let outcome = match first {
                Some(event) => self.event(caller, event).await.map(|it| it.outcome)?,
                None => String::new(),
            };
            views.push(view(request, outcome));
        }
        Ok(views)
    }

    /// Sends an event through the same intake as everybody's.
    pub async fn send_event(
        &self,
        caller: &Caller,
        integration: IntegrationId,
        event: SentEvent,
    ) -> Result<TakenEvent, SendEventError> {
        caller.require(Permission::SendEvent)?;
        let directory = self.directory(caller.scope).await?;
        let through = directory.integrations.get(&integration);
        let through = through.ok_or(SendEventError::NoSuchIntegration(integration))?;
        if through.disabled {
            return Err(SendEventError::Disabled(through.name.clone()));
        }
        let problems = problems_of(&event);
        if !problems.is_empty() {
            return Err(SendEventError::Invalid(problems));
        }
        let now = self.now();
        let id = entropy::event_id(now);
        let dedup_key = event.dedup_key.unwrap_or_else(|| id.to_string());
        let body = EventBody {
            action: event.action,
            summary: truncate(&one_line(&event.summary), MAX_SUMMARY_CHARS),
            severity: event.severity,
            source: event.source,
            dedup_key: dedup_key.clone(),
            occurred_at: None,
            ends_at: None,
            links: event.links,
            details: event.details,
        };
        let raw = serde_json::to_vec(&body).unwrap_or_default();
        let new = NewEvent {
            id,
            tenant: caller.scope.tenant(),
            integration,
            dialect: Dialect::Native,
            received_at: now,
            idempotency_key: None,
            body,
            request: id,
            raw: Some(raw),
        };
        let quota = through.quota_per_minute;
        let accepted = self.intake().accept(vec![new], quota).await?;
        let repeat = match accepted.first() {
            Some(Accepted::Repeat { id, .. }) => Some(*id),
            Some(Accepted::New) | None => None,
        };
        Ok(TakenEvent { event: repeat.unwrap_or(id), dedup_key, repeat: repeat.is_some() })
    }

    /// Who would be paged now, without sending anything.
    pub async fn would_page(
        &self,
        caller: &Caller,
        integration: IntegrationId,
        severity: Severity,
    ) -> Result<WouldPage, ReadError> {
        caller.require(Permission::ReadConfiguration)?;
        let directory = self.directory(caller.scope).await?;
        let integration =
            directory.integrations.get(&integration).ok_or_else(|| unknown(integration))?;
        Ok(would_page::of(&directory, integration.service, severity, self.now()))
    }
}

fn unknown(integration: IntegrationId) -> ReadError {
    ReadError::NotFound { what: "integration", id: integration.to_string() }
}

fn problems_of(event: &SentEvent) -> Vec<Problem> {
    let mut problems = Vec::new();
    let key = event.dedup_key.as_deref();
    if event.action == Action::Trigger && event.summary.trim().is_empty() {
        problems.push(problem("/summary", "missing", "say what is wrong"));
    }
    if matches!(event.action, Action::Acknowledge | Action::Resolve) && key.is_none() {
        problems.push(problem("/dedup_key", "missing", "name the alert by its dedup key"));
    }
    if key.is_some_and(|key| key.is_empty() || key.len() > MAX_DEDUP_KEY_BYTES) {
        problems.push(problem("/dedup_key", "length", "write 1 to 255 bytes"));
    }
    if event.links.len() > MAX_LINKS {
        problems.push(problem("/links", "count", "send at most 20 links"));
    }
    problems
}

/// The status that says in a dialect that something is taken.
fn accepted_with(dialect: Dialect) -> u16 {
    if dialect == Dialect::Email { 250 } else { 202 }
}

fn view(request: Request, outcome: String) -> RequestView {
    let preview = |raw: &[u8]| truncate(&String::from_utf8_lossy(raw), PREVIEW_CHARS);
    match request {
        Request::Accepted { at, dialect, events, raw } => RequestView {
            at,
            dialect,
            events,
            rejected: None,
            status: accepted_with(dialect),
            size_bytes: raw.len(),
            preview: preview(&raw),
            outcome,
        },
        Request::Rejected(it) => RequestView {
            at: it.at,
            dialect: it.dialect,
            events: Vec::new(),
            status: it.status,
            size_bytes: it.raw.len(),
            preview: preview(&it.raw),
            rejected: Some(it.detail),
            outcome,
        },
    }
}
