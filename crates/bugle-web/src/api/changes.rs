//! Guarded changes of the stages, and the revisions that they lead from and to. For operators.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bugle_app::change::{
    Change, ChangePlan, ChangeRequest, ChangeView, Checkpoint, StoredRevision, WATCH_FOR, Wanted,
};
use bugle_app::{App, Caller};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{Body, List};
use crate::problem::ApiError;

/// A change as wanted: either `document` or `revision`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewChangeBody {
    /// The stages' settings, whole, as TOML.
    document: Option<String>,
    /// A revision that there was.
    revision: Option<i64>,
    /// Why. Needed unless `plan` is set.
    #[serde(default)]
    reason: String,
    /// Only say what it would do.
    #[serde(default)]
    plan: bool,
    /// Go on although it does not fit. Loud, and on record.
    #[serde(default)]
    force: bool,
    /// Together with `force`: go on although it was undone by itself within the last hour.
    #[serde(default)]
    again: bool,
    /// How long it is watched in the end, 10 s to 24 h; 300 where nothing is said.
    watch_s: Option<i64>,
}

/// One setting that differs.
#[derive(Serialize, ToSchema)]
pub(crate) struct DifferenceBody {
    key: String,
    before: Option<String>,
    after: Option<String>,
}

impl From<bugle_app::change::Difference> for DifferenceBody {
    fn from(of: bugle_app::change::Difference) -> Self {
        Self { key: of.key, before: of.before, after: of.after }
    }
}

/// What a change would do.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangePlanBody {
    /// The revision it would lead away from.
    from: i64,
    /// The stages that would run something different.
    stages: Vec<&'static str>,
    differences: Vec<DifferenceBody>,
    /// Everything that speaks against it, with both ends and what depends on them.
    refusals: Vec<String>,
    /// Who passes through these stages.
    tenants: usize,
    services: usize,
    /// Events pending and notifications owed now.
    waiting: i64,
}

impl From<ChangePlan> for ChangePlanBody {
    fn from(plan: ChangePlan) -> Self {
        Self {
            from: plan.from,
            refusals: plan.refusals(),
            stages: plan.stages.iter().map(|stage| stage.as_str()).collect(),
            differences: plan.differences.into_iter().map(DifferenceBody::from).collect(),
            tenants: plan.touched.tenants.len(),
            services: plan.touched.services.len(),
            waiting: plan.touched.waiting,
        }
    }
}

/// A change.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangeBody {
    number: i64,
    /// The last checkpoint that it passed.
    state: &'static str,
    /// Whether nothing more happens to it.
    over: bool,
    /// The revision it leads to, and the known-good it came from.
    revision: i64,
    previous: i64,
    stages: Vec<&'static str>,
    nodes: Vec<String>,
    author: String,
    reason: String,
    forced: bool,
    #[schema(value_type = String, format = DateTime)]
    began_at: Timestamp,
    /// Why it was refused or undone.
    why: Option<String>,
    /// What was seen on its way, oldest first; empty in lists.
    checkpoints: Vec<CheckpointBody>,
}

/// What was seen at one checkpoint.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckpointBody {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    state: String,
    ok: bool,
    evidence: String,
}

impl From<Change> for ChangeBody {
    fn from(change: Change) -> Self {
        Self {
            number: change.number,
            state: change.state.as_str(),
            over: change.state.is_final(),
            revision: change.revision,
            previous: change.previous,
            stages: change.stages.iter().map(|stage| stage.as_str()).collect(),
            nodes: change.nodes.iter().map(ToString::to_string).collect(),
            author: change.author,
            reason: change.reason,
            forced: change.forced,
            began_at: change.began_at,
            why: change.why,
            checkpoints: Vec::new(),
        }
    }
}

impl From<ChangeView> for ChangeBody {
    fn from(view: ChangeView) -> Self {
        let checkpoint =
            |Checkpoint { at, state, ok, evidence }| CheckpointBody { at, state, ok, evidence };
        let checkpoints = view.checkpoints.into_iter().map(checkpoint).collect();
        Self { checkpoints, ..Self::from(view.change) }
    }
}

/// A revision of the stages.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevisionBody {
    number: i64,
    /// SHA-256 of its canonical form.
    fingerprint: String,
    author: String,
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// Why it was undone, if it was.
    blocked: Option<String>,
    /// The settings, as TOML.
    document: String,
}

impl From<StoredRevision> for RevisionBody {
    fn from(of: StoredRevision) -> Self {
        Self {
            number: of.number,
            fingerprint: of.fingerprint,
            author: of.author,
            reason: of.reason,
            made_at: of.made_at,
            blocked: of.blocked.map(|(_, why)| why),
            document: of.document,
        }
    }
}

/// Why a change is undone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UndoBody {
    #[serde(default)]
    reason: String,
}

/// Begins a change of the stages, or says what it would do. For operators.
#[utoipa::path(
    post, path = "/changes", tag = "operator", operation_id = "begin change",
    request_body = NewChangeBody,
    responses((status = 200, body = ChangePlanBody), (status = 202, body = ChangeBody))
)]
pub(crate) async fn begin(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<NewChangeBody>,
) -> Result<Response, ApiError> {
    let wanted = match (&new.document, new.revision) {
        (Some(document), None) => Wanted::Document(document.clone()),
        (None, Some(number)) => Wanted::Revision(number),
        _ => {
            let detail = "give either `document` or `revision`";
            return Err(ApiError::bad_request("bad_query", detail));
        }
    };
    if new.plan {
        let plan = app.plan_change(&caller, &wanted).await?;
        return Ok(Json(ChangePlanBody::from(plan)).into_response());
    }
    let watch_for = new.watch_s.map_or(WATCH_FOR, SignedDuration::from_secs);
    let NewChangeBody { reason, force: forced, again, .. } = new;
    let request = ChangeRequest { wanted, reason, forced, again, watch_for };
    let change = app.begin_change(&caller, request).await?;
    Ok((StatusCode::ACCEPTED, Json(ChangeBody::from(change))).into_response())
}

/// Lists changes of the stages, newest first. For operators.
#[utoipa::path(
    get, path = "/changes", tag = "operator", operation_id = "list stage changes",
    responses((status = 200, body = List<ChangeBody>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<List<ChangeBody>>, ApiError> {
    let found = app.guarded_changes(&caller).await?;
    Ok(List::whole(found.into_iter().map(ChangeBody::from).collect()))
}

/// Shows one change with what was seen on its way. For operators.
#[utoipa::path(
    get, path = "/changes/{number}", tag = "operator", operation_id = "get change",
    params(("number" = i64, Path)), responses((status = 200, body = ChangeBody))
)]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(number): Path<i64>,
) -> Result<Json<ChangeBody>, ApiError> {
    Ok(Json(app.guarded_change(&caller, number).await?.into()))
}

/// Undoes the change that is under way. For operators.
#[utoipa::path(
    post, path = "/changes/undo", tag = "operator", operation_id = "undo change",
    request_body = UndoBody, responses((status = 202, body = ChangeBody))
)]
pub(crate) async fn undo(
    State(app): State<App>,
    caller: Caller,
    Body(undo): Body<UndoBody>,
) -> Result<(StatusCode, Json<ChangeBody>), ApiError> {
    let number = app.undo_change(&caller, &undo.reason).await?;
    let view = app.guarded_change(&caller, number).await?;
    Ok((StatusCode::ACCEPTED, Json(view.into())))
}

/// Lists revisions of the stages, newest first. For operators.
#[utoipa::path(
    get, path = "/revisions", tag = "operator", operation_id = "list revisions",
    responses((status = 200, body = List<RevisionBody>))
)]
pub(crate) async fn revisions(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<List<RevisionBody>>, ApiError> {
    let (found, _) = app.stage_revisions(&caller).await?;
    Ok(List::whole(found.into_iter().map(RevisionBody::from).collect()))
}

/// Shows one revision. For operators.
#[utoipa::path(
    get, path = "/revisions/{number}", tag = "operator", operation_id = "get revision",
    params(("number" = i64, Path)), responses((status = 200, body = RevisionBody))
)]
pub(crate) async fn revision(
    State(app): State<App>,
    caller: Caller,
    Path(number): Path<i64>,
) -> Result<Json<RevisionBody>, ApiError> {
    Ok(Json(app.stage_revision(&caller, number).await?.into()))
}

/// Shows in which settings two revisions differ. For operators.
#[utoipa::path(
    get, path = "/revisions/{number}/diff/{other}", tag = "operator",
    operation_id = "compare revisions",
    params(("number" = i64, Path), ("other" = i64, Path)),
    responses((status = 200, body = List<DifferenceBody>))
)]
pub(crate) async fn diff(
    State(app): State<App>,
    caller: Caller,
    Path((number, other)): Path<(i64, i64)>,
) -> Result<Json<List<DifferenceBody>>, ApiError> {
    let found = app.diff_revisions(&caller, (number, other)).await?;
    Ok(List::whole(found.into_iter().map(DifferenceBody::from).collect()))
}
