//! Alerts: lists, the whole of one, and what is done with it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bugle_app::alerts::{
    AlertCounts, AlertQuery, AlertRow, AlertView, Answered, ChangeLine, NextStep, ServiceRef,
    SimilarAlert, TimelineLine, ToldLine,
};
use bugle_app::{App, Caller};
use bugle_domain::alert::{Actor, Alert, AlertStatus, Escalation};
use bugle_domain::event::Link;
use bugle_domain::{AlertId, Severity, UserId};
use bugle_engine::respond::{Effect, ResponseAction};
use http::{HeaderMap, StatusCode, Uri};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::wire::{Asking, Body, List, ListParams, no_such};
use crate::auth;
use crate::problem::ApiError;
use crate::state::{WebSettings, WebState};

/// An alert.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertBody {
    id: String,
    /// As people say it: `#4812`.
    number: i64,
    #[schema(value_type = String, example = "open")]
    status: AlertStatus,
    #[schema(value_type = String, example = "critical")]
    severity: Severity,
    summary: String,
    source: String,
    dedup_key: String,
    /// Id of the integration it came by.
    integration: String,
    /// What is broken.
    #[schema(value_type = Option<Object>)]
    service: Option<ServiceRef>,
    /// The policy it follows, as it was when the alert began.
    policy: Option<String>,
    #[schema(value_type = Object)]
    escalation: Escalation,
    /// What comes next, if nobody answers.
    #[schema(value_type = Option<Object>)]
    next: Option<NextStep>,
    #[schema(value_type = Vec<Object>)]
    links: Vec<Link>,
    #[schema(value_type = Object)]
    details: Map<String, Value>,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// Events in it.
    event_count: i64,
    #[schema(value_type = String, format = DateTime)]
    last_event_at: Timestamp,
    /// Who has it.
    acknowledged: Option<AcknowledgedBody>,
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved_at: Option<Timestamp>,
    /// When it resolves by itself unless it is sent again.
    #[schema(value_type = Option<String>, format = DateTime)]
    resolve_at: Option<Timestamp>,
    /// Its page.
    url: String,
}

/// Who has an alert, and since when.
#[derive(Serialize, ToSchema)]
pub(crate) struct AcknowledgedBody {
    #[schema(value_type = Object)]
    by: Actor,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl AlertBody {
    fn of(alert: Alert, settings: &WebSettings) -> Self {
        Self {
            url: settings.page(&format!("/alerts/{}", alert.number)),
            id: alert.id.to_string(),
            number: alert.number,
            status: alert.status,
            severity: alert.severity,
            summary: alert.summary,
            source: alert.source,
            dedup_key: alert.dedup_key,
            integration: alert.integration.to_string(),
            service: None,
            policy: alert.policy.map(|policy| policy.name),
            escalation: alert.escalation,
            next: None,
            links: alert.links,
            details: alert.details,
            opened_at: alert.opened_at,
            event_count: alert.event_count,
            last_event_at: alert.last_event_at,
            acknowledged: alert.acknowledged.map(|(by, at)| AcknowledgedBody { by, at }),
            resolved_at: alert.resolved_at,
            resolve_at: alert.resolve_at,
        }
    }

    fn of_row(row: AlertRow, settings: &WebSettings) -> Self {
        let (service, next) = (row.service, row.next);
        Self { service, next, ..Self::of(row.alert, settings) }
    }
}

/// Everything about an alert.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertViewBody {
    alert: AlertBody,
    /// How it stands, in a sentence or two.
    headline: String,
    /// Name of the integration it came by.
    integration: String,
    /// Who has been told, oldest first; what waits is last.
    #[schema(value_type = Vec<Object>)]
    told: Vec<ToldLine>,
    /// What an acknowledgement does, in words.
    preview: String,
    /// First names of those whom "pass on" would tell.
    pass_on_to: Vec<String>,
    /// The log, oldest first.
    #[schema(value_type = Vec<Object>)]
    timeline: Vec<TimelineLine>,
    /// The last alert with the same key.
    #[schema(value_type = Option<Object>)]
    similar: Option<SimilarAlert>,
    /// Other alerts that are not over.
    also_open: Vec<AlertBody>,
    /// Changes of the same service in the day before.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<ChangeLine>,
}

impl AlertViewBody {
    fn of(view: AlertView, settings: &WebSettings) -> Self {
        let alert = AlertBody::of(view.alert, settings);
        let also_open = view.also_open.into_iter();
        Self {
            alert: AlertBody { service: view.service, next: view.next, ..alert },
            headline: view.headline,
            integration: view.integration,
            told: view.told,
            preview: view.preview,
            pass_on_to: view.pass_on_to,
            timeline: view.timeline,
            similar: view.similar,
            also_open: also_open.map(|row| AlertBody::of_row(row, settings)).collect(),
            changes: view.changes,
        }
    }
}

/// Which alerts are wanted. `status` and `severity` take several words, separated by commas.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertParams {
    /// `open`, `acknowledged`, `resolved`.
    status: Option<String>,
    /// `critical`, `high`, `medium`, `low`, `info`.
    severity: Option<String>,
    /// Id of a service.
    service: Option<String>,
    /// Text in summary, source or dedup key.
    q: Option<String>,
    /// Opened at or after this time.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Id of a user who was told; `me`: the caller.
    told: Option<String>,
}

impl AlertParams {
    fn query(self, caller: &Caller) -> Result<AlertQuery, ApiError> {
        let told = match self.told.as_deref() {
            None | Some("") => None,
            Some("me") => caller.user,
            Some(id) => Some(id.parse::<UserId>().map_err(|error| no_such(id, error))?),
        };
        let service = match self.service.as_deref() {
            None | Some("") => None,
            Some(id) => Some(id.parse().map_err(|error| no_such(id, error))?),
        };
        Ok(AlertQuery {
            statuses: words("status", self.status.as_deref(), AlertStatus::parse)?,
            severities: words("severity", self.severity.as_deref(), Severity::parse)?,
            service,
            text: self.q.filter(|text| !text.trim().is_empty()),
            since: self.since,
            told,
        })
    }
}

/// Several words, separated by commas.
fn words<T>(
    name: &str,
    text: Option<&str>,
    parse: fn(&str) -> Option<T>,
) -> Result<Vec<T>, ApiError> {
    let words = text.unwrap_or_default().split(',').map(str::trim).filter(|w| !w.is_empty());
    let read = words.map(|word| {
        parse(word)
            .ok_or_else(|| ApiError::bad_request("bad_query", format!("`{word}` is no {name}")))
    });
    read.collect()
}

/// Lists alerts, newest first.
#[utoipa::path(
    get, path = "/alerts", tag = "alerts", operation_id = "list alerts",
    params(AlertParams, ListParams), responses((status = 200, body = List<AlertBody>))
)]
pub(crate) async fn list(
    State(WebState { app, settings }): State<WebState>,
    caller: Caller,
    Asking(params): Asking<AlertParams>,
    Asking(list): Asking<ListParams>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let query = params.query(&caller)?;
    let found = app.alerts(&caller, &query, &list.page()).await?;
    Ok(List::part(found.map(|row| AlertBody::of_row(row, &settings)), &uri))
}

/// Counts alerts by status.
#[utoipa::path(
    get, path = "/alerts/counts", tag = "alerts", operation_id = "count alerts",
    responses((status = 200, body = Object))
)]
pub(crate) async fn counts(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<AlertCounts>, ApiError> {
    Ok(Json(app.alert_counts(&caller).await?))
}

/// Reads everything about an alert. `id` may also be its number.
#[utoipa::path(
    get, path = "/alerts/{id}", tag = "alerts", operation_id = "get alerts",
    params(("id" = String, Path)), responses((status = 200, body = AlertViewBody))
)]
pub(crate) async fn get(
    State(app): State<App>,
    State(settings): State<Arc<WebSettings>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<AlertViewBody>, ApiError> {
    let id = app.find_alert(&caller, &id).await?;
    Ok(Json(AlertViewBody::of(app.alert(&caller, id).await?, &settings)))
}

/// What a response caused.
#[derive(Serialize, ToSchema)]
pub(crate) struct AnsweredBody {
    /// "Acknowledged. Priya will not be paged."
    sentence: String,
    /// The same for programs.
    #[schema(value_type = Object)]
    effect: Effect,
    alert: AlertBody,
}

async fn answer(
    app: &App,
    settings: &WebSettings,
    caller: &Caller,
    (id, wanted, headers): (&str, (ResponseAction, Option<Timestamp>), &HeaderMap),
) -> Result<Json<AnsweredBody>, ApiError> {
    let id: AlertId = app.find_alert(caller, id).await?;
    let answered: Answered = app.answer(caller, id, wanted, auth::via(headers)).await?;
    let alert = AlertBody::of(answered.alert, settings);
    Ok(Json(AnsweredBody { sentence: answered.sentence, effect: answered.effect, alert }))
}

/// Takes an alert for the caller. Doing it twice is harmless.
#[utoipa::path(
    post, path = "/alerts/{id}/acknowledge", tag = "alerts", operation_id = "acknowledge alert",
    params(("id" = String, Path)), responses((status = 200, body = AnsweredBody))
)]
pub(crate) async fn acknowledge(
    State(app): State<App>,
    State(settings): State<Arc<WebSettings>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<AnsweredBody>, ApiError> {
    answer(&app, &settings, &caller, (&id, (ResponseAction::Acknowledge, None), &headers)).await
}

/// Says that an alert is over.
#[utoipa::path(
    post, path = "/alerts/{id}/resolve", tag = "alerts", operation_id = "resolve alert",
    params(("id" = String, Path)), responses((status = 200, body = AnsweredBody))
)]
pub(crate) async fn resolve(
    State(app): State<App>,
    State(settings): State<Arc<WebSettings>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<AnsweredBody>, ApiError> {
    answer(&app, &settings, &caller, (&id, (ResponseAction::Resolve, None), &headers)).await
}

/// Which level is passed on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PassOnBody {
    /// `escalation.told_at` of the alert as the caller knows it. Where another level has been told
    /// since, nothing changes, unless the caller is one of those people; without it, only they pass
    /// on what was passed on before.
    #[schema(value_type = Option<String>, format = DateTime)]
    told_at: Option<Timestamp>,
}

/// Passes an alert on: the next level is told now. Doing it twice is harmless.
#[utoipa::path(
    post, path = "/alerts/{id}/pass-on", tag = "alerts", operation_id = "pass on alert",
    request_body = PassOnBody,
    params(("id" = String, Path)), responses((status = 200, body = AnsweredBody))
)]
pub(crate) async fn pass_on(
    State(state): State<WebState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(seen): Body<PassOnBody>,
) -> Result<Json<AnsweredBody>, ApiError> {
    let wanted = (ResponseAction::PassOn, seen.told_at);
    answer(&state.app, &state.settings, &caller, (&id, wanted, &headers)).await
}

/// A note.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteBody {
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}

/// Writes a note into an alert's log.
#[utoipa::path(
    post, path = "/alerts/{id}/notes", tag = "alerts", operation_id = "add note",
    request_body = NoteBody,
    params(("id" = String, Path)), responses((status = 201, body = Object))
)]
pub(crate) async fn add_note(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(note): Body<NoteBody>,
) -> Result<Response, ApiError> {
    let id = app.find_alert(&caller, &id).await?;
    let line: TimelineLine = app.add_note(&caller, id, &note.text).await?;
    Ok((StatusCode::CREATED, Json(line)).into_response())
}

/// Says why an alert went as it did, from the bytes received to the human act.
#[utoipa::path(
    get, path = "/alerts/{id}/why", tag = "alerts", operation_id = "why alert",
    params(("id" = String, Path)), responses((status = 200, body = super::events::WhyBody))
)]
pub(crate) async fn why(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = app.find_alert(&caller, &id).await?;
    Ok(Json(app.why_alert(&caller, id).await?).into_response())
}
