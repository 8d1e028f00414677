//! What the public is told: bulletins, posting, taking over, scheduled maintenance. For operators.

use axum::Json;
use axum::extract::State;
use bugle_app::status::{DraftedBulletin, NewMaintenance, NewTrouble, Post};
use bugle_app::{App, Caller};
use bugle_domain::{BulletinId, IncidentId};
use bugle_engine::status::bulletin::{Kind, Phase, Update};
use bugle_engine::status::{Component, State as Health};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{Body, Id, List};
use crate::problem::ApiError;

/// Something that was said, or could be.
#[derive(Serialize, ToSchema)]
pub(crate) struct UpdateBody {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `investigating`, `identified`, `monitoring`, `resolved` or `postmortem`; of scheduled
    /// maintenance `scheduled`, `in_progress` or `completed`.
    phase: &'static str,
    text: String,
    /// Who said it; null: Bugle by itself. The public is not told.
    by: Option<String>,
}

impl From<Update> for UpdateBody {
    fn from(it: Update) -> Self {
        Self { at: it.at, phase: it.phase.as_str(), text: it.text, by: it.by }
    }
}

/// What the public is told of one trouble or scheduled maintenance.
#[derive(Serialize, ToSchema)]
pub(crate) struct BulletinBody {
    id: String,
    /// To be given back when something is posted.
    version: i64,
    /// `trouble` or `maintenance`.
    kind: &'static str,
    title: String,
    open: bool,
    /// How bad it is at its worst: `degraded_performance`, `partial_outage`, `major_outage` or
    /// `under_maintenance`.
    state: &'static str,
    /// What it touches: components, or ids of services on a page of a tenant.
    components: Vec<String>,
    /// The declared incident that it tells of.
    incident: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    began_at: Timestamp,
    /// When scheduled maintenance ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// When the next update was promised for.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_by: Option<Timestamp>,
    /// Whether nothing is ever posted by itself: it tells of no incident that the watch declared.
    by_hand: bool,
    /// Who has taken over: nothing is posted by itself then.
    taken_over_by: Option<String>,
    /// Oldest first.
    updates: Vec<UpdateBody>,
    /// What could be said next.
    draft: UpdateBody,
}

impl From<DraftedBulletin> for BulletinBody {
    fn from(it: DraftedBulletin) -> Self {
        Self::of(it, |component| component.as_str().to_owned())
    }
}

impl BulletinBody {
    /// A bulletin whose components are named by `id`.
    pub(super) fn of<C>(it: DraftedBulletin<C>, id: impl Fn(&C) -> String) -> Self {
        let DraftedBulletin { bulletin: told, version, draft, by_hand } = it;
        let (kind, until) = match told.kind {
            Kind::Trouble { .. } => ("trouble", None),
            Kind::Maintenance { until, .. } => ("maintenance", Some(until)),
        };
        Self {
            id: told.id.to_string(),
            version,
            kind,
            open: told.open(),
            state: told.state.as_str(),
            components: told.components.iter().map(id).collect(),
            incident: told.incident().map(|id| id.to_string()),
            began_at: told.began_at,
            until,
            next_by: told.next_by,
            by_hand,
            title: told.title,
            taken_over_by: told.hand,
            updates: told.updates.into_iter().map(UpdateBody::from).collect(),
            draft: draft.into(),
        }
    }
}

/// What the public is to be told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBulletinBody {
    /// In a line, as a customer would say it.
    title: String,
    /// What it means for them.
    text: String,
    /// What it touches: `intake`, `web`, `api`, `integrations`, `email`, `sms`, `voice`.
    components: Vec<String>,
    /// The incident that a person declared for the trouble.
    #[serde(default)]
    #[schema(value_type = Option<String>, required = false)]
    incident: Option<IncidentId>,
    /// How bad a trouble is. Left out: it is scheduled maintenance.
    #[serde(default)]
    #[schema(required = false)]
    state: Option<String>,
    /// When maintenance begins.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    from: Option<Timestamp>,
    /// Until when.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    until: Option<Timestamp>,
}

/// An update.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUpdateBody {
    /// That of the bulletin as it was read.
    version: i64,
    /// How far it has come.
    phase: String,
    /// What is said.
    text: String,
}

impl From<NewUpdateBody> for Post {
    fn from(new: NewUpdateBody) -> Self {
        Self { version: new.version, phase: Phase::parse(&new.phase), text: new.text }
    }
}

/// Whether to take over, or give back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TakeOverBody {
    take: bool,
}

/// Lists what the public was told in 90 days, newest first. For operators.
#[utoipa::path(
    get, path = "/bulletins", tag = "operator", operation_id = "list bulletins",
    responses((status = 200, body = List<BulletinBody>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<List<BulletinBody>>, ApiError> {
    let desk = app.status_desk(&caller).await?;
    Ok(List::whole(desk.bulletins.into_iter().map(BulletinBody::from).collect()))
}

/// Tells the public of a trouble that the watch does not see, or of scheduled maintenance. For
/// operators.
#[utoipa::path(
    post, path = "/bulletins", tag = "operator", operation_id = "publish bulletin",
    request_body = NewBulletinBody, responses((status = 201, body = BulletinBody))
)]
pub(crate) async fn publish(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<NewBulletinBody>,
) -> Result<(StatusCode, Json<BulletinBody>), ApiError> {
    let components = named(&new.components)?;
    let (title, text) = (new.title, new.text);
    let id = if let Some(state) = new.state {
        let state = Health::parse(&state);
        let incident = new.incident;
        app.tell_trouble(&caller, NewTrouble { incident, title, text, state, components }).await?
    } else {
        let (from, until) = (new.from, new.until);
        app.plan_maintenance(&caller, NewMaintenance { title, text, components, from, until })
            .await?
    };
    Ok((StatusCode::CREATED, Json(app.bulletin(&caller, id).await?.into())))
}

/// The components of those names.
pub(super) fn named(names: &[String]) -> Result<Vec<Component>, ApiError> {
    let components = names.iter().map(|it| Component::parse(it)).collect();
    let all = || Component::ALL.map(Component::as_str).join("`, `");
    let unknown = || ApiError::bad_request("bad_query", format!("`components` are of `{}`", all()));
    Option::ok_or_else(components, unknown)
}

/// Reads a bulletin, with a draft of what could be said next. For operators.
#[utoipa::path(
    get, path = "/bulletins/{id}", tag = "operator", operation_id = "get bulletin",
    params(("id" = String, Path)), responses((status = 200, body = BulletinBody))
)]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<BulletinId>,
) -> Result<Json<BulletinBody>, ApiError> {
    Ok(Json(app.bulletin(&caller, id).await?.into()))
}

/// Says something in a bulletin. For operators.
#[utoipa::path(
    post, path = "/bulletins/{id}/updates", tag = "operator", operation_id = "post update",
    params(("id" = String, Path)), request_body = NewUpdateBody,
    responses((status = 200, body = BulletinBody))
)]
pub(crate) async fn post(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<BulletinId>,
    Body(new): Body<NewUpdateBody>,
) -> Result<Json<BulletinBody>, ApiError> {
    Ok(Json(app.post_update(&caller, id, new.into()).await?.into()))
}

/// Takes over a bulletin, so that nothing is posted by itself, or gives it back. For operators.
#[utoipa::path(
    post, path = "/bulletins/{id}/take-over", tag = "operator", operation_id = "take over bulletin",
    params(("id" = String, Path)), request_body = TakeOverBody,
    responses((status = 200, body = BulletinBody))
)]
pub(crate) async fn take_over(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<BulletinId>,
    Body(body): Body<TakeOverBody>,
) -> Result<Json<BulletinBody>, ApiError> {
    Ok(Json(app.take_over_bulletin(&caller, id, body.take).await?.into()))
}
