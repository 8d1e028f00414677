//! Clean-ups of what is no longer used. For operators.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bugle_app::cleanup::{CleanUp, CleanUpPlan, Named, RemovedThing, What};
use bugle_app::{App, Caller};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{Body, List};
use crate::problem::ApiError;

/// A clean-up as wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCleanUpBody {
    /// `keys`, `users`, `integrations`, `nodes` or `providers`.
    what: String,
    /// Do it. Without, only what it would do is said.
    #[serde(default)]
    apply: bool,
    /// Why. Needed with `apply`.
    #[serde(default)]
    reason: String,
}

/// Something that would go, or would be left.
#[derive(Serialize, ToSchema)]
pub(crate) struct CandidateBody {
    /// Empty for nodes.
    tenant: String,
    name: String,
    id: String,
    /// What belongs to it and goes with it.
    with: usize,
    /// What speaks against it. Empty: it goes.
    against: Vec<String>,
}

impl From<Named> for CandidateBody {
    fn from(named: Named) -> Self {
        let Named { tenant, candidate } = named;
        Self {
            tenant,
            name: candidate.name,
            id: candidate.id.to_string(),
            with: candidate.with.len(),
            against: candidate.against,
        }
    }
}

/// What a clean-up would do.
#[derive(Serialize, ToSchema)]
pub(crate) struct CleanUpPlanBody {
    what: &'static str,
    /// How many things would go, and how many candidates would be left.
    going: usize,
    left: usize,
    /// The first 200 of each.
    goes: Vec<CandidateBody>,
    stays: Vec<CandidateBody>,
}

impl From<CleanUpPlan> for CleanUpPlanBody {
    fn from(plan: CleanUpPlan) -> Self {
        Self {
            what: plan.what.as_str(),
            going: plan.going,
            left: plan.left,
            goes: plan.goes.into_iter().map(CandidateBody::from).collect(),
            stays: plan.stays.into_iter().map(CandidateBody::from).collect(),
        }
    }
}

/// Something that was taken away and is kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct RemovedBody {
    kind: String,
    name: String,
    id: String,
    /// It could not be put back, because its name was taken meanwhile.
    stuck: bool,
}

/// A clean-up.
#[derive(Serialize, ToSchema)]
pub(crate) struct CleanUpBody {
    number: i64,
    what: &'static str,
    /// `removing`, `removed`, `restoring`, `restored`, `purging` or `purged`.
    state: &'static str,
    author: String,
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    began_at: Timestamp,
    /// Until when it can be put back, once all was taken away.
    #[schema(value_type = Option<String>, format = DateTime)]
    kept_until: Option<Timestamp>,
    /// Things taken away, candidates that were left, and things put back.
    removed: i64,
    left: i64,
    restored: i64,
    /// The changes that took providers away and put them back.
    removed_by_change: Option<i64>,
    restored_by_change: Option<i64>,
    /// Who had them put back, and why: an operator, or the watch where it turned red on the way.
    restored_by: Option<String>,
    restored_why: Option<String>,
    /// The first 200 things that are kept; empty in lists.
    kept: Vec<RemovedBody>,
}

impl CleanUpBody {
    fn new(it: CleanUp, kept: Vec<RemovedThing>) -> Self {
        let thing = |it: RemovedThing| RemovedBody {
            kind: it.kind,
            name: it.name,
            id: it.id.to_string(),
            stuck: it.stuck,
        };
        let (restored_by, restored_why) = it.restored_by.clone().unzip();
        Self {
            number: it.number,
            what: it.what.as_str(),
            state: it.state.as_str(),
            kept_until: it.kept_until(),
            author: it.author,
            reason: it.reason,
            began_at: it.began_at,
            removed_by_change: it.changes.removal,
            restored_by_change: it.changes.restoral,
            removed: it.removed,
            left: it.left,
            restored: it.restored,
            restored_by,
            restored_why,
            kept: kept.into_iter().map(thing).collect(),
        }
    }
}

/// Why a clean-up is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestoreBody {
    #[serde(default)]
    reason: String,
}

/// Says what a clean-up would do, or begins it. For operators.
#[utoipa::path(
    post, path = "/clean-ups", tag = "operator", operation_id = "begin clean-up",
    request_body = NewCleanUpBody,
    responses((status = 200, body = CleanUpPlanBody), (status = 202, body = CleanUpBody))
)]
pub(crate) async fn begin(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<NewCleanUpBody>,
) -> Result<Response, ApiError> {
    let Some(what) = What::parse(&new.what) else {
        let detail = "`what` is `keys`, `users`, `integrations`, `nodes` or `providers`";
        return Err(ApiError::bad_request("bad_query", detail));
    };
    if !new.apply {
        let plan = app.plan_clean_up(&caller, what).await?;
        return Ok(Json(CleanUpPlanBody::from(plan)).into_response());
    }
    let begun = app.begin_clean_up(&caller, what, &new.reason).await?;
    Ok((StatusCode::ACCEPTED, Json(CleanUpBody::new(begun, Vec::new()))).into_response())
}

/// Lists clean-ups, newest first. For operators.
#[utoipa::path(
    get, path = "/clean-ups", tag = "operator", operation_id = "list clean-ups",
    responses((status = 200, body = List<CleanUpBody>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<List<CleanUpBody>>, ApiError> {
    let found = app.clean_ups(&caller).await?;
    let bodies = found.into_iter().map(|it| CleanUpBody::new(it, Vec::new()));
    Ok(List::whole(bodies.collect()))
}

/// Shows one clean-up with what it took away and still keeps. For operators.
#[utoipa::path(
    get, path = "/clean-ups/{number}", tag = "operator", operation_id = "get clean-up",
    params(("number" = i64, Path)), responses((status = 200, body = CleanUpBody))
)]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(number): Path<i64>,
) -> Result<Json<CleanUpBody>, ApiError> {
    let (found, kept) = app.clean_up(&caller, number).await?;
    Ok(Json(CleanUpBody::new(found, kept)))
}

/// Puts back what a clean-up took away. For operators.
#[utoipa::path(
    post, path = "/clean-ups/{number}/restore", tag = "operator",
    operation_id = "restore clean-up", params(("number" = i64, Path)),
    request_body = RestoreBody, responses((status = 202, body = CleanUpBody))
)]
pub(crate) async fn restore(
    State(app): State<App>,
    caller: Caller,
    Path(number): Path<i64>,
    Body(why): Body<RestoreBody>,
) -> Result<(StatusCode, Json<CleanUpBody>), ApiError> {
    let found = app.restore_clean_up(&caller, number, &why.reason).await?;
    Ok((StatusCode::ACCEPTED, Json(CleanUpBody::new(found, Vec::new()))))
}
