//! What the tenant does: open a request, read them, say more.

use bugle_domain::{AllTenants, AssistanceId, TenantScope};
use bugle_engine::assistance::finding::Finding;
use bugle_engine::assistance::{About, AssistanceRequest, Reporter, Said};
use bugle_store::{AssistanceRow, OpenedAssistance};
use jiff::{SignedDuration, Timestamp};

use super::error::AssistanceError;
use super::trace::Trace;
use super::{AssistanceView, MAX_LISTED, MAX_OPEN, MAX_SAID, MAX_TEXT, NewAssistance, OfTenant};
use crate::app::App;
use crate::caller::Caller;
use crate::entropy;
use crate::error::{Chain, Problem, problem};
use crate::permission::Permission;

/// The time that is meant where nothing is said.
const USUAL_TIME: SignedDuration = SignedDuration::from_hours(1);
/// Longest time that is meant.
const LONGEST_TIME: SignedDuration = SignedDuration::from_hours(24 * 7);
/// What is recorded in one conversation, beside what people say.
const MAX_RECORDS: usize = 20;
/// How often a change is tried again that somebody else was faster with.
const AMEND_TRIES: u32 = 3;
/// Whoever asks may have a clock that is so far ahead of ours.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(5);

impl App {
    /// Says that nobody was paged. What the ledger says is read at once, and attached.
    pub async fn open_assistance(
        &self,
        caller: &Caller,
        new: NewAssistance,
    ) -> Result<AssistanceView, AssistanceError> {
        caller.require(Permission::AskAssistance)?;
        let store = &self.inner().store;
        // Who has too many open causes no work. Keeping it is what counts, and counts again.
        if store.count_open_assistance(caller.scope).await? >= MAX_OPEN {
            return Err(AssistanceError::TooMany { most: MAX_OPEN });
        }
        let mut request = self.asked(caller, new).await?;
        let traced = self.traced(&request).await;
        let trace = attach(&mut request, traced);
        let text = trace.as_ref().map(serde_json::to_string).transpose().ok().flatten();
        let opened = store.open_assistance(caller.scope, &request, text.as_deref(), MAX_OPEN);
        if opened.await? == OpenedAssistance::TooMany {
            return Err(AssistanceError::TooMany { most: MAX_OPEN });
        }
        metrics::counter!("bugle_assistance_requests_total").increment(1);
        self.inner().assistance.wake();
        self.view(request, trace).await
    }

    async fn asked(
        &self,
        caller: &Caller,
        new: NewAssistance,
    ) -> Result<AssistanceRequest, AssistanceError> {
        let now = self.now();
        let until = new.until.unwrap_or(now);
        let from = new.from.unwrap_or(until.saturating_sub(USUAL_TIME).unwrap_or(until));
        let mut problems = text("/expected", &new.expected);
        problems.extend(time(from, until, now));
        let store = &self.inner().store;
        let directory = self.directory(caller.scope).await?;
        let (about, mut integration) = match (new.event, new.alert) {
            (Some(event), _) => {
                let kept = store.event(caller.scope, event).await?;
                (About::Event { event }, kept.map(|event| event.integration))
            }
            (None, Some(alert)) => {
                let kept = store.alert(caller.scope, alert).await?;
                if kept.is_none() {
                    problems.push(problem("/alert", "unknown", "there is no such alert"));
                }
                (About::Alert { alert }, kept.map(|alert| alert.integration))
            }
            (None, None) => (About::Time, None),
        };
        integration = integration.or(new.integration);
        if new.integration.is_some_and(|id| !directory.integrations.contains_key(&id)) {
            problems.push(problem("/integration", "unknown", "there is no such integration"));
        }
        if !problems.is_empty() {
            return Err(AssistanceError::Invalid(problems));
        }
        Ok(AssistanceRequest {
            id: AssistanceId::new(now, entropy::bytes()),
            tenant: caller.scope.tenant(),
            about,
            integration,
            expected: new.expected.trim().to_owned(),
            from,
            until,
            by: Reporter { user: caller.user, name: caller.shown_name() },
            opened_at: now,
            finding: None,
            traced_at: None,
            paged: None,
            said: Vec::new(),
            replica: None,
            closed: None,
        })
    }

    /// The tenant's newest requests, newest first.
    pub async fn assistance_requests(
        &self,
        caller: &Caller,
    ) -> Result<Vec<OfTenant>, AssistanceError> {
        caller.require(Permission::ReadAlerts)?;
        let rows = self.inner().store.assistance_of(caller.scope, MAX_LISTED).await?;
        let tenant = self.directory(caller.scope).await?.tenant.name.clone();
        let named = |row: AssistanceRow| OfTenant { request: row.request, tenant: tenant.clone() };
        Ok(rows.into_iter().map(named).collect())
    }

    /// One request: for its tenant, and for operators.
    pub async fn assistance_request(
        &self,
        caller: &Caller,
        id: AssistanceId,
    ) -> Result<AssistanceView, AssistanceError> {
        let scope = self.scope_of_assistance(caller, id).await?;
        let (row, trace) = self.find_assistance(scope, id).await?;
        self.view(row.request, trace).await
    }

    /// Its tenant's scope, for whoever may read it there or everywhere.
    async fn scope_of_assistance(
        &self,
        caller: &Caller,
        id: AssistanceId,
    ) -> Result<TenantScope, AssistanceError> {
        let whose = self.inner().store.tenant_of_assistance(AllTenants::granted(), id).await?;
        let whose = whose.ok_or(AssistanceError::NotFound)?;
        if whose == caller.scope.tenant() {
            caller.require(Permission::ReadAlerts)?;
        } else if !caller.may(Permission::GiveAssistance) {
            return Err(AssistanceError::NotFound);
        }
        Ok(TenantScope::granted(whose))
    }

    /// Says more about one of the tenant's own requests.
    pub async fn add_to_assistance(
        &self,
        caller: &Caller,
        id: AssistanceId,
        words: &str,
    ) -> Result<AssistanceView, AssistanceError> {
        caller.require(Permission::AskAssistance)?;
        let said = Said {
            at: self.now(),
            by: caller.shown_name(),
            operator: false,
            text: words.trim().to_owned(),
            mailed: None,
            record: false,
        };
        let add = |request: &mut AssistanceRequest| say(request, said.clone());
        let (request, trace) = self.amend_assistance(caller.scope, id, add).await?;
        self.view(request, trace).await
    }

    /// Changes a request as it is kept, again where somebody else did at the same moment.
    pub(super) async fn amend_assistance(
        &self,
        scope: TenantScope,
        id: AssistanceId,
        change: impl Fn(&mut AssistanceRequest) -> Result<(), AssistanceError>,
    ) -> Result<(AssistanceRequest, Option<Trace>), AssistanceError> {
        let mut tries = 1;
        loop {
            let (mut row, trace) = self.find_assistance(scope, id).await?;
            change(&mut row.request)?;
            match self.keep_assistance(&mut row, None).await {
                Ok(()) => return Ok((row.request, trace)),
                Err(AssistanceError::Overtaken) if tries < AMEND_TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// A request as it is kept, with its trace.
    pub(super) async fn find_assistance(
        &self,
        scope: TenantScope,
        id: AssistanceId,
    ) -> Result<(AssistanceRow, Option<Trace>), AssistanceError> {
        let found = self.inner().store.assistance(scope, id).await?;
        let (row, trace) = found.ok_or(AssistanceError::NotFound)?;
        // A trace that this version cannot read is read again by whoever wants it.
        let trace = trace.and_then(|text| serde_json::from_str(&text).ok());
        Ok((row, trace))
    }

    /// Keeps how it stands now.
    pub(super) async fn keep_assistance(
        &self,
        row: &mut AssistanceRow,
        trace: Option<&Trace>,
    ) -> Result<(), AssistanceError> {
        let scope = TenantScope::granted(row.request.tenant);
        let text = trace.map(serde_json::to_string).transpose().ok().flatten();
        if !self.inner().store.save_assistance(scope, row, text.as_deref()).await? {
            return Err(AssistanceError::Overtaken);
        }
        row.version += 1;
        self.inner().assistance.wake();
        Ok(())
    }

    pub(super) async fn view(
        &self,
        request: AssistanceRequest,
        trace: Option<Trace>,
    ) -> Result<AssistanceView, AssistanceError> {
        let directory = self.directory(TenantScope::granted(request.tenant)).await?;
        let integration = request.integration;
        let integration = integration.map(|id| crate::events::integration_name(&directory, id));
        Ok(AssistanceView { request, trace, tenant: directory.tenant.name.clone(), integration })
    }
}

/// Attaches what was read, or says in the log why nothing was.
pub(super) fn attach(
    request: &mut AssistanceRequest,
    traced: Result<(Finding, Trace), AssistanceError>,
) -> Option<Trace> {
    match traced {
        Ok((finding, trace)) => {
            (request.finding, request.traced_at) = (Some(finding), Some(trace.at));
            Some(trace)
        }
        Err(error) => {
            tracing::error!(error = %Chain(&error), "an assistance request has no trace");
            None
        }
    }
}

/// Adds to the conversation.
pub(super) fn say(request: &mut AssistanceRequest, said: Said) -> Result<(), AssistanceError> {
    if !request.open() {
        return Err(AssistanceError::Closed);
    }
    let mut problems = text("/text", &said.text);
    if request.said.iter().filter(|it| !it.record).count() >= MAX_SAID {
        let message = format!("at most {MAX_SAID} things are said about one request");
        problems.push(problem("/text", "count", message));
    }
    if !problems.is_empty() {
        return Err(AssistanceError::Invalid(problems));
    }
    request.said.push(said);
    Ok(())
}

/// Records what somebody did in the conversation, where the oldest such records make room.
pub(super) fn record(request: &mut AssistanceRequest, done: Said) {
    if request.said.iter().filter(|it| it.record).count() >= MAX_RECORDS
        && let Some(oldest) = request.said.iter().position(|it| it.record)
    {
        request.said.remove(oldest);
    }
    request.said.push(done);
}

fn text(pointer: &str, said: &str) -> Vec<Problem> {
    let length = said.trim().chars().count();
    if (1..=MAX_TEXT).contains(&length) {
        return Vec::new();
    }
    vec![problem(pointer, "length", format!("write 1 to {MAX_TEXT} characters"))]
}

fn time(from: Timestamp, until: Timestamp, now: Timestamp) -> Vec<Problem> {
    let mut problems = Vec::new();
    if until.duration_since(now) > CLOCKS_APART {
        problems.push(problem("/until", "future", "the time that is meant has passed"));
    }
    if from >= until || until.duration_since(from) > LONGEST_TIME {
        let message = "it begins before it ends, and lasts 7 days at most";
        problems.push(problem("/from", "invalid", message));
    }
    problems
}
