//! Assistance requests: "I sent this, and nobody was paged."

use axum::Json;
use axum::extract::State;
use bugle_app::assistance::trace::{CameIn, Trace};
use bugle_app::assistance::{
    About, AssistanceRequest, AssistanceView, Group, NewAssistance, OfTenant, Standing,
};
use bugle_app::why::Why;
use bugle_app::{App, Caller};
use bugle_domain::contact::Channel;
use bugle_domain::integration::Dialect;
use bugle_domain::{AssistanceId, EventId, IntegrationId};
use bugle_engine::assistance::Said;
use bugle_engine::assistance::finding::Finding;
use bugle_engine::assistance::group::{Reason, Shared};
use bugle_engine::assistance::replica::{Passed, Replica};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::events::WhyBody;
use super::wire::{Asking, Body, Id, flag};
use crate::problem::ApiError;

/// What the ledger says.
#[derive(Serialize, ToSchema)]
pub(crate) struct FindingBody {
    /// As a stable word: `delivered`, `folded`, `nothing_came`, `no_such_event` …
    cause: &'static str,
    /// `explained`, `undecided` or `unexplained`.
    standing: &'static str,
    /// In a sentence or two.
    text: String,
    /// Where on the way, in words.
    hop: Option<String>,
    /// What its sender spoke.
    dialect: Option<&'static str>,
    /// By which channel.
    channel: Option<&'static str>,
    /// By which provider.
    provider: Option<String>,
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Explained => "explained",
        Standing::Undecided => "undecided",
        Standing::Unexplained => "unexplained",
    }
}

impl From<Finding> for FindingBody {
    fn from(it: Finding) -> Self {
        Self {
            cause: it.cause.as_str(),
            standing: standing(it.cause.standing()),
            text: it.text,
            hop: it.place.hop.map(|hop| hop.name()),
            dialect: it.place.dialect.map(Dialect::as_str),
            channel: it.place.channel.map(Channel::as_str),
            provider: it.place.provider,
        }
    }
}

/// Something that was said.
#[derive(Serialize, ToSchema)]
pub(crate) struct SaidBody {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    by: String,
    /// Whether that is an operator, who answers.
    operator: bool,
    text: String,
    /// What came of mailing it, in words.
    mailed: Option<String>,
    /// It records what somebody did, and answers nothing.
    record: bool,
}

impl From<Said> for SaidBody {
    fn from(it: Said) -> Self {
        let Said { at, by, operator, text, mailed, record } = it;
        Self { at, by, operator, text, mailed, record }
    }
}

/// A hop of the path.
#[derive(Serialize, ToSchema)]
pub(crate) struct PassedBody {
    hop: String,
    /// `through`, `stopped`, `not_reached` or `unknown`.
    passage: &'static str,
    text: String,
    /// When that was seen.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// How long it took to get through, or to stop, milliseconds.
    took_ms: Option<u64>,
    /// The provider that took it, or the last that did not, where the hop is a channel.
    provider: Option<String>,
}

/// What came of sending something harmless along its path.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReplicaBody {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// It is being sent, and nothing is known of its hops yet.
    under_way: bool,
    /// What came of it, in a sentence.
    outcome: String,
    /// The hop where it stops; null: nothing stopped it.
    stops_at: Option<String>,
    /// In their order.
    hops: Vec<PassedBody>,
}

impl From<Replica> for ReplicaBody {
    fn from(it: Replica) -> Self {
        let stops_at = it.stops_at().map(|hop| hop.hop.clone());
        let outcome = it.outcome();
        let passed = |Passed { hop, passage, text, at, took_ms, provider }| {
            let passage = passage.as_str();
            PassedBody { hop, passage, text, at, took_ms, provider }
        };
        let Replica { at, hops, under_way } = it;
        let hops = hops.into_iter().map(passed).collect();
        Self { at, under_way, outcome, stops_at, hops }
    }
}

/// An assistance request.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssistanceBody {
    id: String,
    /// Id of its tenant.
    tenant: String,
    /// Name of its tenant.
    tenant_name: String,
    /// `open` or `closed`.
    status: &'static str,
    /// What it is about: `event`, `alert` or `time`.
    about: &'static str,
    event: Option<String>,
    alert: Option<String>,
    integration: Option<String>,
    /// What was expected.
    expected: String,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    opened_by: String,
    /// What the ledger says; null while no trace is attached.
    finding: Option<FindingBody>,
    #[schema(value_type = Option<String>, format = DateTime)]
    traced_at: Option<Timestamp>,
    /// When operators were paged about it, or about those it belongs to.
    #[schema(value_type = Option<String>, format = DateTime)]
    paged_at: Option<Timestamp>,
    /// The conversation, oldest first.
    said: Vec<SaidBody>,
    replica: Option<ReplicaBody>,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    closed_by: Option<String>,
}

impl From<OfTenant> for AssistanceBody {
    fn from(OfTenant { request: it, tenant }: OfTenant) -> Self {
        let (event, alert) = match it.about {
            About::Event { event } => (Some(event.to_string()), None),
            About::Alert { alert } => (None, Some(alert.to_string())),
            About::Time => (None, None),
        };
        let status = if it.open() { "open" } else { "closed" };
        let AssistanceRequest { id, about, expected, from, until, opened_at, traced_at, .. } = it;
        let (closed_at, closed_by) = it.closed.map(|it| (it.at, it.by)).unzip();
        Self {
            id: id.to_string(),
            tenant: it.tenant.to_string(),
            tenant_name: tenant,
            status,
            about: about.as_str(),
            event,
            alert,
            integration: it.integration.map(|id| id.to_string()),
            expected,
            from,
            until,
            opened_at,
            opened_by: it.by.name,
            finding: it.finding.map(FindingBody::from),
            traced_at,
            paged_at: it.paged.map(|it| it.at),
            said: it.said.into_iter().map(SaidBody::from).collect(),
            replica: it.replica.map(ReplicaBody::from),
            closed_at,
            closed_by,
        }
    }
}

/// An event that came in the time that is meant.
#[derive(Serialize, ToSchema)]
pub(crate) struct CameInBody {
    event: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    summary: String,
    finding: FindingBody,
}

/// What was read for a request.
#[derive(Serialize, ToSchema)]
pub(crate) struct TraceBody {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The causal record, as `why` gives it.
    #[schema(value_type = Option<WhyBody>)]
    record: Option<Why>,
    /// Events of the time that is meant, newest first, where a time is.
    came: Vec<CameInBody>,
}

impl From<Trace> for TraceBody {
    fn from(it: Trace) -> Self {
        let came = |CameIn { event, at, summary, finding }| CameInBody {
            event: event.to_string(),
            at,
            summary,
            finding: finding.into(),
        };
        Self { at: it.at, record: it.record, came: it.came.into_iter().map(came).collect() }
    }
}

/// A request with its trace.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssistanceViewBody {
    #[serde(flatten)]
    request: AssistanceBody,
    /// Name of the integration.
    integration_name: Option<String>,
    /// Null while it could not be read.
    trace: Option<TraceBody>,
}

impl From<AssistanceView> for AssistanceViewBody {
    fn from(it: AssistanceView) -> Self {
        let AssistanceView { request, trace, tenant, integration } = it;
        Self {
            request: OfTenant { request, tenant }.into(),
            integration_name: integration,
            trace: trace.map(TraceBody::from),
        }
    }
}

/// Something that requests of several tenants have in common.
#[derive(Serialize, ToSchema)]
pub(crate) struct SharedBody {
    /// `hop`, `provider`, `channel`, `dialect` or `finding`.
    what: &'static str,
    value: String,
    requests: Vec<String>,
}

/// Open requests that belong together.
#[derive(Serialize, ToSchema)]
pub(crate) struct GroupBody {
    /// Oldest first.
    requests: Vec<String>,
    /// Why operators are paged: `unexplained`, `several_tenants`, or null.
    reason: Option<&'static str>,
    /// Whether they were.
    paged: bool,
    shared: Vec<SharedBody>,
}

fn ids(requests: Vec<AssistanceId>) -> Vec<String> {
    requests.into_iter().map(|id| id.to_string()).collect()
}

impl From<Group> for GroupBody {
    fn from(it: Group) -> Self {
        let shared =
            |Shared { what, value, requests }| SharedBody { what, value, requests: ids(requests) };
        Self {
            reason: it.reason.map(|reason| match reason {
                Reason::Unexplained => "unexplained",
                Reason::SeveralTenants => "several_tenants",
            }),
            paged: !it.pages.is_empty(),
            shared: it.shared.into_iter().map(shared).collect(),
            requests: ids(it.requests),
        }
    }
}

/// Requests, newest first: the newest 200.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssistanceListBody {
    data: Vec<AssistanceBody>,
    /// Null: older ones are not listed.
    next: Option<String>,
    /// False: see `next`.
    has_more: bool,
    /// How the open ones belong together; only for operators.
    groups: Vec<GroupBody>,
}

/// Whose requests are meant.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AssistanceParams {
    /// `1`: everybody's. For operators.
    all: Option<String>,
}

/// What somebody says who was not paged. An event, an alert, or else the time that is meant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAssistanceBody {
    /// What was expected, 1–2,000 characters.
    expected: String,
    /// The event, as it was named when it was accepted.
    #[serde(default)]
    #[schema(value_type = Option<String>, required = false)]
    event: Option<EventId>,
    /// The alert: its id or number.
    #[serde(default)]
    #[schema(required = false)]
    alert: Option<String>,
    /// The integration, where one is known.
    #[serde(default)]
    #[schema(value_type = Option<String>, required = false)]
    integration: Option<IntegrationId>,
    /// The time that is meant: from then. Left out: an hour before its end.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    from: Option<Timestamp>,
    /// Until then. Left out: now.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    until: Option<Timestamp>,
}

/// Something to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WordsBody {
    /// 1–2,000 characters.
    text: String,
}

/// Lists the newest assistance requests, newest first.
#[utoipa::path(
    get, path = "/assistance", tag = "assistance", operation_id = "list assistance requests",
    params(AssistanceParams), responses((status = 200, body = AssistanceListBody))
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Asking(params): Asking<AssistanceParams>,
) -> Result<Json<AssistanceListBody>, ApiError> {
    let (found, groups) = if flag(params.all.as_deref()) {
        let desk = app.assistance_desk(&caller).await?;
        (desk.requests, desk.groups)
    } else {
        (app.assistance_requests(&caller).await?, Vec::new())
    };
    let data = found.into_iter().map(AssistanceBody::from).collect();
    let groups = groups.into_iter().map(GroupBody::from).collect();
    Ok(Json(AssistanceListBody { data, next: None, has_more: false, groups }))
}

/// Says that nobody was paged. The ledger's answer and the causal record are attached at once.
#[utoipa::path(
    post, path = "/assistance", tag = "assistance", operation_id = "open assistance request",
    request_body = NewAssistanceBody, responses((status = 201, body = AssistanceViewBody))
)]
pub(crate) async fn open(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<NewAssistanceBody>,
) -> Result<(StatusCode, Json<AssistanceViewBody>), ApiError> {
    let alert = match &new.alert {
        Some(text) => Some(app.find_alert(&caller, text).await?),
        None => None,
    };
    let NewAssistanceBody { expected, event, integration, from, until, .. } = new;
    let new = NewAssistance { event, alert, integration, expected, from, until };
    let opened = app.open_assistance(&caller, new).await?;
    Ok((StatusCode::CREATED, Json(opened.into())))
}

/// Reads an assistance request with its trace: for its tenant, and for operators.
#[utoipa::path(
    get, path = "/assistance/{id}", tag = "assistance", operation_id = "get assistance request",
    params(("id" = String, Path)), responses((status = 200, body = AssistanceViewBody))
)]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<AssistanceId>,
) -> Result<Json<AssistanceViewBody>, ApiError> {
    Ok(Json(app.assistance_request(&caller, id).await?.into()))
}

/// Says more about one of the tenant's own requests.
#[utoipa::path(
    post, path = "/assistance/{id}/messages", tag = "assistance",
    operation_id = "add to assistance request", params(("id" = String, Path)),
    request_body = WordsBody, responses((status = 200, body = AssistanceViewBody))
)]
pub(crate) async fn say(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<AssistanceId>,
    Body(words): Body<WordsBody>,
) -> Result<Json<AssistanceViewBody>, ApiError> {
    Ok(Json(app.add_to_assistance(&caller, id, &words.text).await?.into()))
}

/// Answers, on the page and by mail to whoever asked. For operators.
#[utoipa::path(
    post, path = "/assistance/{id}/answer", tag = "operator",
    operation_id = "answer assistance request", params(("id" = String, Path)),
    request_body = WordsBody, responses((status = 200, body = AssistanceViewBody))
)]
pub(crate) async fn answer(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<AssistanceId>,
    Body(words): Body<WordsBody>,
) -> Result<Json<AssistanceViewBody>, ApiError> {
    Ok(Json(app.answer_assistance(&caller, id, &words.text).await?.into()))
}

/// Reads what the ledger says again, and attaches that. For operators.
#[utoipa::path(
    post, path = "/assistance/{id}/trace", tag = "operator",
    operation_id = "trace assistance request", params(("id" = String, Path)),
    responses((status = 200, body = AssistanceViewBody))
)]
pub(crate) async fn trace(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<AssistanceId>,
) -> Result<Json<AssistanceViewBody>, ApiError> {
    Ok(Json(app.trace_assistance(&caller, id).await?.into()))
}

/// Sends something that pages nobody along the path of the request, and shows where it stops. For
/// operators.
#[utoipa::path(
    post, path = "/assistance/{id}/replicate", tag = "operator",
    operation_id = "replicate assistance request", params(("id" = String, Path)),
    responses((status = 200, body = AssistanceViewBody))
)]
pub(crate) async fn replicate(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<AssistanceId>,
) -> Result<Json<AssistanceViewBody>, ApiError> {
    Ok(Json(app.replicate_assistance(&caller, id).await?.into()))
}

/// Closes a request that has its trace. For operators.
#[utoipa::path(
    post, path = "/assistance/{id}/close", tag = "operator",
    operation_id = "close assistance request", params(("id" = String, Path)),
    responses((status = 200, body = AssistanceViewBody))
)]
pub(crate) async fn close(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<AssistanceId>,
) -> Result<Json<AssistanceViewBody>, ApiError> {
    Ok(Json(app.close_assistance(&caller, id).await?.into()))
}
