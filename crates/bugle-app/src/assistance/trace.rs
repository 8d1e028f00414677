//! The trace of a request: what the ledger says of what it is about, and the causal record.

use bugle_domain::alert::Actor;
use bugle_domain::event::Event;
use bugle_domain::object::Directory;
use bugle_domain::role::Role;
use bugle_domain::stage::Stage;
use bugle_domain::{AlertId, EventId, RequestId, TenantScope};
use bugle_engine::assistance::finding::{self, AlertRecord, Came, Finding, Gone};
use bugle_engine::assistance::{About, AssistanceRequest};
use bugle_store::CameFilter;
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
use crate::why::{AlertFacts, Why};

/// Events of a time that are looked at: those that are stuck before the newest.
const MAX_EVENTS: usize = 20;
/// Refused requests of a time that are counted.
const MAX_REJECTED: usize = 50;
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
    /// Events of the time that is meant, newest first, where a time is: the newest, and before them
    /// those that are stuck.
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
        let found = finding::of_missing(what, made_at, self.history(), at);
        (found, Trace { at, record: None, came: Vec::new() })
    }

    /// For how long everything is kept.
    fn history(&self) -> SignedDuration {
        let kept = self.inner().stages.of(Stage::Intake).revision.retention.history;
        SignedDuration::try_from(kept).unwrap_or(SignedDuration::MAX)
    }

    async fn traced_time(
        &self,
        scope: TenantScope,
        request: &AssistanceRequest,
        at: Timestamp,
    ) -> Result<(Finding, Trace), AssistanceError> {
        let directory = self.directory(scope).await?;
        let (events, more_events) = self.events_meant(scope, request, at).await?;
        let mut came = Vec::new();
        for event in events {
            let finding = self.finding_of(scope, (&directory, &event), at).await?;
            let (at, summary) = (event.received_at, event.body.summary);
            came.push(CameIn { event: event.id, at, summary, finding });
        }
        let (time, way) = ((request.from, request.until), request.integration);
        let store = &self.inner().store;
        let rejected = store.rejected_between(scope, way, time, one_more(MAX_REJECTED)).await?;
        let (rejected, more_rejected) = cut(rejected, MAX_REJECTED);
        let found = finding::of_time(Came {
            integration: way.and_then(|id| directory.integrations.get(&id)),
            events: came.iter().map(|it| it.finding.clone()).collect(),
            more_events,
            rejected,
            more_rejected,
            gone: Gone::of(request.from, request.until, self.history(), at),
        });
        let least = came.iter().rev().max_by_key(|it| it.finding.cause.standing());
        let record = match least {
            Some(it) => record_of(self.why_event(&reader(scope, at), it.event).await),
            None => None,
        };
        Ok((found, Trace { at, record, came }))
    }

    /// Events of the time that is meant, newest first, and whether there are more: those that wait
    /// too long to be decided, and the newest.
    async fn events_meant(
        &self,
        scope: TenantScope,
        request: &AssistanceRequest,
        now: Timestamp,
    ) -> Result<(Vec<Event>, bool), AssistanceError> {
        let of_time = CameFilter {
            integration: request.integration,
            from: request.from,
            until: request.until,
            without: REPLICA,
            pending: false,
        };
        let late = now.saturating_sub(finding::DECIDED_WITHIN).unwrap_or(now);
        let stuck = CameFilter { until: request.until.min(late), pending: true, ..of_time };
        let store = &self.inner().store;
        let mut events = store.events_that_came(scope, stuck, one_more(MAX_EVENTS)).await?;
        for event in store.events_that_came(scope, of_time, one_more(MAX_EVENTS)).await? {
            if !events.iter().any(|it| it.id == event.id) {
                events.push(event);
            }
        }
        let (mut events, more) = cut(events, MAX_EVENTS);
        events.sort_by_key(|event| std::cmp::Reverse(event.id));
        Ok((events, more))
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

/// One more than are shown says whether there are more.
fn one_more(most: usize) -> u32 {
    u32::try_from(most).unwrap_or(u32::MAX).saturating_add(1)
}

/// The first, and whether there were more.
fn cut<T>(mut all: Vec<T>, most: usize) -> (Vec<T>, bool) {
    let more = all.len() > most;
    all.truncate(most);
    (all, more)
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
