//! What the public is told on the status pages of a tenant.

use axum::Json;
use axum::extract::{Path, State};
use bugle_app::status::{DraftedBulletin, NewPageBulletin, PageNews};
use bugle_app::{App, Caller};
use bugle_domain::{BulletinId, ServiceId, StatusPageId};
use bugle_engine::status::State as Health;
use bugle_engine::status::board::Touched;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::status::{BulletinBody, NewUpdateBody};
use super::wire::{Body, Id, no_such};
use crate::problem::ApiError;

/// What the public is to be told on a page.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPageBulletinBody {
    /// In a line, as a customer would say it.
    title: String,
    /// What it means for them.
    text: String,
    /// What it touches: ids of services on the page.
    #[schema(value_type = Vec<String>)]
    components: Vec<ServiceId>,
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

/// How a service on a page is shown.
#[derive(Serialize, ToSchema)]
pub(crate) struct ShownServiceBody {
    /// The service.
    id: String,
    /// What the public calls it.
    name: String,
    /// `operational`, `under_maintenance`, `degraded_performance`, `partial_outage` or
    /// `major_outage`.
    state: &'static str,
}

/// What a page says.
#[derive(Serialize, ToSchema)]
pub(crate) struct PageStateBody {
    /// Where the public reads it; null: it does not.
    address: Option<String>,
    services: Vec<ShownServiceBody>,
    /// What was told in 90 days, newest first.
    bulletins: Vec<BulletinBody>,
}

fn body(it: DraftedBulletin<Touched>) -> BulletinBody {
    BulletinBody::of(it, |service| service.id.clone())
}

/// Reads what a status page says: its address, how its services are shown, and its bulletins.
#[utoipa::path(
    get, path = "/status-pages/{id}/bulletins", tag = "status pages",
    operation_id = "list page bulletins",
    params(("id" = String, Path)), responses((status = 200, body = PageStateBody))
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Id(page): Id<StatusPageId>,
) -> Result<Json<PageStateBody>, ApiError> {
    let desk = app.page_desk(&caller, page).await?;
    let service = |(it, state): (Touched, Health)| ShownServiceBody {
        id: it.id,
        name: it.name,
        state: state.as_str(),
    };
    Ok(Json(PageStateBody {
        address: desk.address,
        services: desk.services.into_iter().map(service).collect(),
        bulletins: desk.bulletins.into_iter().map(body).collect(),
    }))
}

/// Tells the public of a trouble of the page's services, or of scheduled maintenance.
#[utoipa::path(
    post, path = "/status-pages/{id}/bulletins", tag = "status pages",
    operation_id = "publish page bulletin",
    params(("id" = String, Path)), request_body = NewPageBulletinBody,
    responses((status = 201, body = BulletinBody))
)]
pub(crate) async fn publish(
    State(app): State<App>,
    caller: Caller,
    Id(page): Id<StatusPageId>,
    Body(new): Body<NewPageBulletinBody>,
) -> Result<(StatusCode, Json<BulletinBody>), ApiError> {
    let news = match new.state {
        Some(state) => PageNews::Trouble { state: Health::parse(&state) },
        None => PageNews::Maintenance { from: new.from, until: new.until },
    };
    let (title, text, services) = (new.title, new.text, new.components);
    let new = NewPageBulletin { news, title, text, services };
    let id = app.tell_on_page(&caller, page, new).await?;
    Ok((StatusCode::CREATED, Json(body(app.page_bulletin(&caller, page, id).await?))))
}

/// Reads a bulletin of a page, with a draft of what could be said next.
#[utoipa::path(
    get, path = "/status-pages/{id}/bulletins/{bulletin}", tag = "status pages",
    operation_id = "get page bulletin",
    params(("id" = String, Path), ("bulletin" = String, Path)),
    responses((status = 200, body = BulletinBody))
)]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(ids): Path<(String, String)>,
) -> Result<Json<BulletinBody>, ApiError> {
    let (page, id) = parse(&ids)?;
    Ok(Json(body(app.page_bulletin(&caller, page, id).await?)))
}

/// Says something in a bulletin of a page.
#[utoipa::path(
    post, path = "/status-pages/{id}/bulletins/{bulletin}/updates", tag = "status pages",
    operation_id = "post page update",
    params(("id" = String, Path), ("bulletin" = String, Path)), request_body = NewUpdateBody,
    responses((status = 200, body = BulletinBody))
)]
pub(crate) async fn post(
    State(app): State<App>,
    caller: Caller,
    Path(ids): Path<(String, String)>,
    Body(new): Body<NewUpdateBody>,
) -> Result<Json<BulletinBody>, ApiError> {
    let (page, id) = parse(&ids)?;
    Ok(Json(body(app.post_on_page(&caller, page, id, new.into()).await?)))
}

/// The ids of a page and of a bulletin.
fn parse((page, bulletin): &(String, String)) -> Result<(StatusPageId, BulletinId), ApiError> {
    let page = page.parse().map_err(|error| no_such(page, error))?;
    Ok((page, bulletin.parse().map_err(|error| no_such(bulletin, error))?))
}
