//! The tenant as a whole: settings, books, configuration file, audit log; and what stands above
//! tenants.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bugle_app::apply::{Applied, ApplyOptions, FileFormat, Plan};
use bugle_app::doctor::Check;
use bugle_app::ledger::LedgerView;
use bugle_app::tenants::{NewTenant, TenantSettings};
use bugle_app::{App, Caller};
use bugle_domain::PolicyId;
use bugle_domain::ledger::{OwedAge, Sums};
use bugle_domain::object::Tenant;
use bugle_engine::incident::report::{Impact, TenantImpact};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use http::{StatusCode, Uri};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keyed::shown_once;
use super::users::LinkBody;
use super::wire::{Asking, Body, List, ListParams, bytes, flag};
use crate::problem::ApiError;
use crate::state::WebSettings;

/// A tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct TenantBody {
    id: String,
    name: String,
    /// Id of the policy that is told where nothing else was said.
    fallback_policy: Option<String>,
    time_zone: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Tenant> for TenantBody {
    fn from(tenant: Tenant) -> Self {
        let Tenant { id, name, fallback_policy, time_zone, created_at } = tenant;
        let fallback_policy = fallback_policy.map(|id| id.to_string());
        Self { id: id.to_string(), name, fallback_policy, time_zone, created_at }
    }
}

/// A tenant as wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTenantBody {
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    admin_name: String,
    admin_email: String,
}

/// A tenant that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedTenantBody {
    tenant: TenantBody,
    /// Lets its first admin in.
    sign_in_link: LinkBody,
}

/// Lists every tenant. For operators.
#[utoipa::path(
    get, path = "/tenants", tag = "operator", operation_id = "list tenants",
    responses((status = 200, body = List<TenantBody>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<List<TenantBody>>, ApiError> {
    let found = app.tenants(&caller).await?;
    Ok(List::whole(found.into_iter().map(TenantBody::from).collect()))
}

/// Makes a tenant with a fallback policy and its first admin. For operators.
#[utoipa::path(
    post, path = "/tenants", tag = "operator", operation_id = "create tenant",
    request_body = NewTenantBody, responses((status = 201, body = CreatedTenantBody))
)]
pub(crate) async fn create(
    State(app): State<App>,
    State(settings): State<Arc<WebSettings>>,
    caller: Caller,
    Body(new): Body<NewTenantBody>,
) -> Result<Response, ApiError> {
    let NewTenantBody { name, time_zone, admin_name, admin_email } = new;
    let new = NewTenant { name, time_zone, admin_name, admin_email };
    let made = app.create_tenant(&caller, new).await?;
    let sign_in_link = LinkBody::of(&settings, &made.link);
    let body = CreatedTenantBody { tenant: made.tenant.into(), sign_in_link };
    Ok(shown_once((StatusCode::CREATED, Json(body))))
}

/// A tenant's own settings.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsBody {
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// Id of the policy that is told where nothing else was said.
    #[schema(value_type = String)]
    fallback_policy: PolicyId,
    /// IANA name.
    time_zone: String,
}

impl From<TenantSettings> for SettingsBody {
    fn from(settings: TenantSettings) -> Self {
        let TenantSettings { name, fallback_policy, time_zone } = settings;
        Self { name, fallback_policy, time_zone }
    }
}

/// Reads the tenant's own settings.
#[utoipa::path(
    get, path = "/tenant", tag = "tenant", operation_id = "get settings",
    responses((status = 200, body = SettingsBody))
)]
pub(crate) async fn settings(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<SettingsBody>, ApiError> {
    Ok(Json(app.settings(&caller).await?.into()))
}

/// Changes the tenant's own settings.
#[utoipa::path(
    put, path = "/tenant", tag = "tenant", operation_id = "replace settings",
    request_body = SettingsBody, responses((status = 200, body = SettingsBody))
)]
pub(crate) async fn save_settings(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<SettingsBody>,
) -> Result<Json<SettingsBody>, ApiError> {
    let SettingsBody { name, fallback_policy, time_zone } = body;
    let settings = TenantSettings { name, fallback_policy, time_zone };
    Ok(Json(app.save_settings(&caller, settings).await?.into()))
}

/// The books of one tenant, or of all.
#[derive(Serialize, ToSchema)]
pub(crate) struct SumsBody {
    #[serde(flatten)]
    #[schema(value_type = Object)]
    sums: Sums,
    /// `accepted − (pending + alerted + folded + suppressed)`: 0 unless an event was lost.
    event_difference: i64,
    /// `owed − (waiting + sending + handed off + ended)`: 0 unless a notification was lost.
    notification_difference: i64,
}

impl From<Sums> for SumsBody {
    fn from(sums: Sums) -> Self {
        let event_difference = sums.event_difference();
        Self { event_difference, notification_difference: sums.notification_difference(), sums }
    }
}

/// The books of one tenant, by name.
#[derive(Serialize, ToSchema)]
pub(crate) struct TenantSumsBody {
    id: String,
    name: String,
    #[serde(flatten)]
    sums: SumsBody,
}

/// The ledger.
#[derive(Serialize, ToSchema)]
pub(crate) struct LedgerBody {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Whether all differences are 0.
    balanced: bool,
    total: SumsBody,
    tenants: Vec<TenantSumsBody>,
    /// Age of the oldest event without an outcome.
    oldest_pending_ms: Option<i64>,
    /// Age of the oldest owed notification in each lane and channel that has one due.
    #[schema(value_type = Vec<Object>)]
    owed: Vec<OwedAge>,
}

impl From<LedgerView> for LedgerBody {
    fn from(view: LedgerView) -> Self {
        let LedgerView { ledger, names, at } = view;
        let balanced =
            ledger.total.balanced() && ledger.tenants.iter().all(|(_, sums)| sums.balanced());
        let named = |(id, sums): (bugle_domain::TenantId, Sums)| TenantSumsBody {
            id: id.to_string(),
            name: names.get(&id).cloned().unwrap_or_default(),
            sums: sums.into(),
        };
        Self {
            at,
            balanced,
            total: ledger.total.into(),
            tenants: ledger.tenants.into_iter().map(named).collect(),
            oldest_pending_ms: ledger.oldest_pending_ms,
            owed: ledger.owed,
        }
    }
}

/// Whose books are meant.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LedgerParams {
    /// `1`: everybody's. For operators.
    all: Option<String>,
}

/// Reads the books: every accepted event and every owed notification, and where each stands.
#[utoipa::path(
    get, path = "/ledger", tag = "ledger", operation_id = "ledger",
    params(LedgerParams), responses((status = 200, body = LedgerBody))
)]
pub(crate) async fn ledger(
    State(app): State<App>,
    caller: Caller,
    Asking(params): Asking<LedgerParams>,
) -> Result<Json<LedgerBody>, ApiError> {
    let view = if flag(params.all.as_deref()) {
        app.ledger_of_all(&caller).await?
    } else {
        app.ledger(&caller).await?
    };
    Ok(Json(view.into()))
}

/// Whose books are meant, and between when.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BetweenParams {
    /// From then, with that millisecond.
    #[param(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Until then, with that millisecond, at most 31 days later. Left out: now.
    #[param(value_type = Option<String>, format = DateTime, required = false)]
    until: Option<Timestamp>,
    /// `1`: everybody's. For operators.
    all: Option<String>,
}

/// What happened between two times.
#[derive(Serialize, ToSchema)]
pub(crate) struct BetweenBody {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// To all of them together.
    #[schema(value_type = Object)]
    total: Impact,
    /// To each that anything happened to.
    #[schema(value_type = Vec<Object>)]
    tenants: Vec<TenantImpact>,
}

/// Counts what was accepted and owed between two times, and how that went: late, never sent,
/// possibly twice, stale.
#[utoipa::path(
    get, path = "/ledger/between", tag = "ledger", operation_id = "ledger between",
    params(BetweenParams), responses((status = 200, body = BetweenBody))
)]
pub(crate) async fn ledger_between(
    State(app): State<App>,
    caller: Caller,
    Asking(params): Asking<BetweenParams>,
) -> Result<Json<BetweenBody>, ApiError> {
    let (from, until) = (params.from, params.until.unwrap_or_else(|| app.now()));
    let all = flag(params.all.as_deref());
    let tenants = app.ledger_between(&caller, (from, until), all).await?;
    Ok(Json(BetweenBody { from, until, total: Impact::total(&tenants), tenants }))
}

/// How a file is to be applied.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ApplyParams {
    /// `1`: only say what would change.
    dry_run: Option<String>,
    /// `1`: also delete what the file does not name, of the kinds it has a section for.
    delete: Option<String>,
}

/// What a file changed, or would.
#[derive(Serialize, ToSchema)]
pub(crate) struct AppliedBody {
    #[serde(flatten)]
    #[schema(value_type = Object)]
    plan: Plan,
    /// Whether it has been done.
    applied: bool,
    /// Keys made for new integrations, by name. Not shown again.
    keys: BTreeMap<String, String>,
}

impl From<Applied> for AppliedBody {
    fn from(applied: Applied) -> Self {
        let key =
            |(name, key): (String, secrecy::SecretString)| (name, key.expose_secret().to_owned());
        let keys = applied.keys.into_iter().map(key).collect();
        Self { plan: applied.plan, applied: applied.applied, keys }
    }
}

/// JSON where it is asked for, else TOML.
fn format(headers: &HeaderMap, name: http::HeaderName) -> FileFormat {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if value.contains("json") { FileFormat::Json } else { FileFormat::Toml }
}

/// Applies a configuration file, in TOML or JSON. Doing it twice changes nothing more.
#[utoipa::path(
    post, path = "/apply", tag = "tenant", operation_id = "apply",
    request_body(content = String, content_type = "application/toml"),
    params(ApplyParams), responses((status = 200, body = AppliedBody))
)]
pub(crate) async fn apply(
    State(app): State<App>,
    caller: Caller,
    Asking(params): Asking<ApplyParams>,
    request: Request,
) -> Result<Response, ApiError> {
    let format = format(request.headers(), CONTENT_TYPE);
    let bytes = bytes(request, &()).await?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| ApiError::bad_request("not_utf8", "the file is not UTF-8"))?;
    let plan_only = flag(params.dry_run.as_deref());
    let options = ApplyOptions { plan_only, delete: flag(params.delete.as_deref()) };
    let applied = AppliedBody::from(app.apply(&caller, text, format, options).await?);
    let shows_keys = !applied.keys.is_empty();
    let answer = Json(applied);
    Ok(if shows_keys { shown_once(answer) } else { answer.into_response() })
}

/// Reads the whole configuration as such a file, in TOML or, where `Accept` says so, JSON.
#[utoipa::path(
    get, path = "/export", tag = "tenant", operation_id = "export",
    responses((status = 200, body = String, content_type = "application/toml"))
)]
pub(crate) async fn export(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let format = format(&headers, ACCEPT);
    let kind = match format {
        FileFormat::Toml => "application/toml",
        FileFormat::Json => "application/json",
    };
    Ok(([(CONTENT_TYPE, kind)], app.export(&caller, format).await?).into_response())
}

/// What was looked at.
#[derive(Serialize, ToSchema)]
pub(crate) struct DoctorBody {
    #[schema(value_type = Vec<Object>)]
    checks: Vec<Check>,
}

/// Looks at clock, database, providers and addresses. For operators.
#[utoipa::path(
    get, path = "/doctor", tag = "operator", operation_id = "doctor",
    responses((status = 200, body = DoctorBody))
)]
pub(crate) async fn doctor(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<DoctorBody>, ApiError> {
    Ok(Json(DoctorBody { checks: app.doctor(&caller).await? }))
}

/// Lists who changed what, newest first.
#[utoipa::path(
    get, path = "/audit", tag = "tenant", operation_id = "list changes",
    params(ListParams), responses((status = 200, body = List<Object>))
)]
pub(crate) async fn audit(
    State(app): State<App>,
    caller: Caller,
    Asking(list): Asking<ListParams>,
    uri: Uri,
) -> Result<Response, ApiError> {
    Ok(List::part(app.audit(&caller, &list.page()).await?, &uri))
}
