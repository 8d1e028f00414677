//! The trace of a request: what the ledger says of what it is about, and the causal record.

use bugle_domain::alert::Actor;
use bugle_domain::event::Event;
use bugle_domain::object::Directory;
use bugle_domain::role::Role;
use bugle_domain::stage::Stage;
use bugle_domain::{AlertId, EventId, IntegrationId, RequestId, TenantScope};
use bugle_engine::assistance::finding::{self, AlertRecord, Came, Finding};
use bugle_engine::assistance::{About, AssistanceRequest};
use bugle_store::{CameFilter, Request};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::error::AssistanceError;
use super::replicate::REPLICA;
use crate::app::App;
use crate::caller::Caller;
use crate::entropy;
use crate::error::Chain;
use crate::events::alert_of;
use crate::reading::ReadError;
use crate::requests::SHOWN_REQUESTS;
use crate::why::{AlertFacts, Why};

/// Events of a time that are looked at, the newest.
const MAX_EVENTS: u32 = 20;
/// Ways in whose refused requests are looked at, where none is meant.
const MAX_WAYS: usize = 20;
/// Steps of the causal record that are kept.
const MAX_STEPS: usize = 200;

/// An event that came in the time that is meant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CameIn {
    /// Which.
    pub event: EventId,
    /// When.
    pub at: Timestamp,
    /// What it says.
    pub summary: String,
    /// What is found of it.
    pub finding: Finding,
}

/// What was read for a request.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Trace {
    /// When.
    pub at: Timestamp,
    /// The causal record of the event or alert that it is about, as far as there is one. It holds
    /// no received bytes: they may hold a key.
    pub record: Option<Why>,
    /// Events of the time that is meant, newest first, where a time is.
    pub came: Vec<CameIn>,
}

impl App {
    /// Reads what the ledger says of a request.
    pub(super) async fn traced(
        &self,
        request: &AssistanceRequest,
    ) -> Result<(Finding, Trace), AssistanceError> {
        let scope = TenantScope::granted(request.tenant);
        let at = self.now();
        match request.about {
            About::Event { event } => self.traced_event(scope, event, at).await,
            About::Alert { alert } => self.traced_alert(scope, alert, at).await,
            About::Time => self.traced_time(scope, request, at).await,
        }
    }

    async fn traced_event(
        &self,
        scope: TenantScope,
        id: EventId,
        at: Timestamp,
    ) -> Result<(Finding, Trace), AssistanceError> {
        let Some(event) = self.inner().store.event(scope, id).await? else {
            return Ok(self.missing("event", id.made_at(), at));
        };
        let directory = self.directory(scope).await?;
        let found = self.finding_of(scope, (&directory, &event), at).await?;
        let record = self.why_event(&reader(scope, at), id).await;
        Ok((found, Trace { at, record: record_of(record), came: Vec::new() }))
    }

    async fn traced_alert(
        &self,
        scope: TenantScope,
        id: AlertId,
        at: Timestamp,
    ) -> Result<(Finding, Trace), AssistanceError> {
        let Some(alert) = self.inner().store.alert(scope, id).await? else {
            return Ok(self.missing("alert", id.made_at(), at));
        };
        let directory = self.directory(scope).await?;
        let facts = self.alert_facts(scope, alert).await.map_err(reading)?;
        let found = finding::of_alert(&directory, record(&facts), at);
        let record = self.why_alert(&reader(scope, at), id).await;
        Ok((found, Trace { at, record: record_of(record), came: Vec::new() }))
    }

    /// What is said of an event or alert that the ledger does not have: that is a trace, too.
    fn missing(&self, what: &str, made_at: Option<Timestamp>, at: Timestamp) -> (Finding, Trace) {
        let kept = self.inner().stages.of(Stage::Intake).revision.retention.history;
        let kept = SignedDuration::try_from(kept).unwrap_or(SignedDuration::MAX);
        let found = finding::of_missing(what, made_at, kept, at);
        (found, Trace { at, record: None, came: Vec::new() })
    }

    async fn traced_time(
        &self,
        scope: TenantScope,
        request: &AssistanceRequest,
        at: Timestamp,
    ) -> Result<(Finding, Trace), AssistanceError> {
        let directory = self.directory(scope).await?;
        let mut came = Vec::new();
        let of_time = CameFilter {
            integration: request.integration,
            from: request.from,
            until: request.until,
            without: REPLICA,
        };
        let store = &self.inner().store;
        for event in store.events_that_came(scope, of_time, MAX_EVENTS).await? {
            let finding = self.finding_of(scope, (&directory, &event), at).await?;
            let (at, summary) = (event.received_at, event.body.summary);
            came.push(CameIn { event: event.id, at, summary, finding });
        }
        let found = finding::of_time(Came {
            integration: request.integration.and_then(|id| directory.integrations.get(&id)),
            events: came.iter().map(|it| it.finding.clone()).collect(),
            rejected: self.rejected(scope, &directory, request).await?,
        });
        let least = came.iter().rev().max_by_key(|it| it.finding.cause.standing());
        let record = match least {
            Some(it) => record_of(self.why_event(&reader(scope, at), it.event).await),
            None => None,
        };
        Ok((found, Trace { at, record, came }))
    }

    /// Requests that were refused in the time that is meant, newest first.
    async fn rejected(
        &self,
        scope: TenantScope,
        directory: &Directory,
        request: &AssistanceRequest,
    ) -> Result<Vec<(Timestamp, String)>, AssistanceError> {
        let ways: Vec<IntegrationId> = match request.integration {
            Some(id) => vec![id],
            None => directory.integrations.keys().copied().take(MAX_WAYS).collect(),
        };
        let mut rejected = Vec::new();
        for way in ways {
            for kept in self.inner().store.requests(scope, way, SHOWN_REQUESTS).await? {
                if let Request::Rejected(it) = kept
                    && (request.from..=request.until).contains(&it.at)
                {
                    rejected.push((it.at, it.detail));
                }
            }
        }
        rejected.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        Ok(rejected)
    }

    async fn finding_of(
        &self,
        scope: TenantScope,
        (directory, event): (&Directory, &Event),
        at: Timestamp,
    ) -> Result<Finding, AssistanceError> {
        let alert = match alert_of(event) {
            Some(id) => self.inner().store.alert(scope, id).await?,
            None => None,
        };
        let facts = match alert {
            Some(alert) => Some(self.alert_facts(scope, alert).await.map_err(reading)?),
            None => None,
        };
        Ok(finding::of_event(directory, event, facts.as_ref().map(record), at))
    }
}

fn record(facts: &AlertFacts) -> AlertRecord<'_> {
    AlertRecord {
        alert: &facts.alert,
        timeline: &facts.timeline,
        notifications: &facts.notifications,
    }
}

/// Who reads a trace: one who sees what everybody in the tenant sees, and no received bytes.
fn reader(scope: TenantScope, now: Timestamp) -> Caller {
    Caller {
        scope,
        actor: Actor::System,
        user: None,
        role: Role::Viewer,
        operator: false,
        session: None,
        request: RequestId::new(now, entropy::bytes()),
    }
}

/// The record, cut to what is kept. What is found stands without it, too.
fn record_of(record: Result<Why, ReadError>) -> Option<Why> {
    match record {
        Ok(mut why) => {
            why.cut |= why.steps.len() > MAX_STEPS;
            why.steps.truncate(MAX_STEPS);
            Some(why)
        }
        Err(error) => {
            tracing::error!(error = %Chain(&error), "the causal record could not be read");
            None
        }
    }
}

/// Facts are read with no permission asked, so that only the database can say no.
fn reading(error: ReadError) -> AssistanceError {
    match error {
        ReadError::Store(error) => error.into(),
        ReadError::Forbidden(error) => error.into(),
        ReadError::NotFound { .. }
        | ReadError::Expired
        | ReadError::Zone { .. }
        | ReadError::Invalid(_) => AssistanceError::NotFound,
    }
}
