//! Who is on call: now, and in a window of a schedule.

use axum::Json;
use axum::extract::State;
use bugle_app::oncall::{OnCallNow, Reach, ScheduleView};
use bugle_app::{App, Caller};
use bugle_domain::ScheduleId;
use bugle_domain::schedule::{Gap, Shift};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{Asking, Id, List};
use crate::problem::ApiError;

/// How far a window reaches where its end is not said.
const WINDOW: SignedDuration = SignedDuration::from_hours(24 * 28);

/// A thing with its name.
#[derive(Serialize, ToSchema)]
pub(crate) struct Named {
    id: String,
    name: String,
}

/// Who follows.
#[derive(Serialize, ToSchema)]
pub(crate) struct NextBody {
    /// Null: a gap follows.
    name: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Who is on call in one schedule now.
#[derive(Serialize, ToSchema)]
pub(crate) struct OnCallBody {
    schedule: Named,
    time_zone: String,
    /// Null: nobody is on call.
    user: Option<Named>,
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// The override it comes from.
    by_override: Option<String>,
    next: Option<NextBody>,
    /// Whether the person has a proven contact method and is not disabled.
    reachable: bool,
    /// How they can be reached.
    #[schema(value_type = Vec<Object>)]
    reach: Vec<Reach>,
}

impl From<OnCallNow> for OnCallBody {
    fn from(now: OnCallNow) -> Self {
        let named = |id: String, name: String| Named { id, name };
        let next = |next: bugle_app::oncall::NextOnCall| NextBody {
            name: next.user.map(|person| person.name),
            at: next.at,
        };
        Self {
            schedule: named(now.schedule.to_string(), now.name),
            time_zone: now.time_zone,
            user: now.user.map(|person| named(person.id.to_string(), person.name)),
            from: now.from,
            until: now.until,
            by_override: now.by_override.map(|id| id.to_string()),
            next: now.next.map(next),
            reachable: now.reachable,
            reach: now.reach,
        }
    }
}

/// Which schedules are meant.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OnCallParams {
    /// Id or name of a schedule, in any case.
    schedule: Option<String>,
}

/// Says who is on call now, in every schedule by name.
#[utoipa::path(
    get, path = "/on-call", tag = "on call", operation_id = "on call",
    params(OnCallParams), responses((status = 200, body = List<OnCallBody>))
)]
pub(crate) async fn on_call(
    State(app): State<App>,
    caller: Caller,
    Asking(params): Asking<OnCallParams>,
) -> Result<Json<List<OnCallBody>>, ApiError> {
    let wanted = params.schedule.filter(|text| !text.is_empty());
    let mut found = app.on_call(&caller).await?;
    if let Some(wanted) = wanted {
        let wanted = wanted.to_lowercase();
        found.retain(|it| {
            it.schedule.to_string() == wanted || it.name.to_lowercase().contains(&wanted)
        });
    }
    Ok(List::whole(found.into_iter().map(OnCallBody::from).collect()))
}

/// A window of time.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WindowParams {
    /// Now where nothing is said.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// 28 days later where nothing is said; at most 400 days.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

async fn view(
    app: &App,
    caller: &Caller,
    id: ScheduleId,
    window: WindowParams,
) -> Result<ScheduleView, ApiError> {
    let from = window.from.unwrap_or_else(|| app.clock().now());
    let default = || from.saturating_add(WINDOW).unwrap_or(Timestamp::MAX);
    let until = window.until.unwrap_or_else(default);
    Ok(app.schedule_view(caller, id, from, until).await?)
}

/// One stretch: somebody is on call, without a break.
#[derive(Serialize, ToSchema)]
pub(crate) struct ShiftBody {
    user: Named,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// The override it comes from.
    by_override: Option<String>,
    /// Index of the layer it comes from.
    layer: Option<usize>,
}

/// Lists all shifts of a schedule in a window, overrides included.
#[utoipa::path(
    get, path = "/schedules/{id}/shifts", tag = "on call", operation_id = "list shifts",
    params(("id" = String, Path), WindowParams),
    responses((status = 200, body = List<ShiftBody>))
)]
pub(crate) async fn shifts(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<ScheduleId>,
    Asking(window): Asking<WindowParams>,
) -> Result<Json<List<ShiftBody>>, ApiError> {
    let ScheduleView { shifts, names, .. } = view(&app, &caller, id, window).await?;
    let body = |shift: Shift| ShiftBody {
        user: Named {
            id: shift.user.to_string(),
            name: names.get(&shift.user).cloned().unwrap_or_default(),
        },
        from: shift.from,
        until: shift.until,
        by_override: shift.by_override.map(|id| id.to_string()),
        layer: shift.layer,
    };
    Ok(List::whole(shifts.into_iter().map(body).collect()))
}

/// A stretch in which nobody is on call.
#[derive(Serialize, ToSchema)]
pub(crate) struct GapBody {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// Lists the stretches of a window in which nobody is on call.
#[utoipa::path(
    get, path = "/schedules/{id}/gaps", tag = "on call", operation_id = "list gaps",
    params(("id" = String, Path), WindowParams),
    responses((status = 200, body = List<GapBody>))
)]
pub(crate) async fn gaps(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<ScheduleId>,
    Asking(window): Asking<WindowParams>,
) -> Result<Json<List<GapBody>>, ApiError> {
    let found = view(&app, &caller, id, window).await?.gaps.into_iter();
    Ok(List::whole(found.map(|Gap { from, until }| GapBody { from, until }).collect()))
}

/// Says who is on call in one schedule now.
#[utoipa::path(
    get, path = "/schedules/{id}/on-call", tag = "on call", operation_id = "on call in schedule",
    params(("id" = String, Path)), responses((status = 200, body = OnCallBody))
)]
pub(crate) async fn schedule_on_call(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<ScheduleId>,
) -> Result<Json<OnCallBody>, ApiError> {
    let window = WindowParams { from: None, until: None };
    Ok(Json(view(&app, &caller, id, window).await?.now.into()))
}
