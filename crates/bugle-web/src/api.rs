//! The REST API under `/api/v1`, and its description.

mod alerts;
mod assistance;
mod backlog;
mod changes;
mod cleanup;
mod crud;
mod events;
mod incidents;
mod integrations;
mod keyed;
mod me;
mod objects;
mod oncall;
mod schema;
mod status;
mod status_pages;
mod subscribers;
mod tenants;
mod users;
mod watch;
mod wire;

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use bytes::Bytes;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::WebState;

mod describe;

pub(crate) use keyed::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED};
pub(crate) use wire::{bytes, no_such};

/// Where the API begins.
const BASE: &str = "/api/v1";

fn configuration() -> OpenApiRouter<WebState> {
    use objects::{overrides, policies, schedules, services, status_pages as pages, teams};
    OpenApiRouter::new()
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::get, users::replace, users::delete))
        .routes(routes!(users::renew_link))
        .routes(routes!(users::methods, users::add_method))
        .routes(routes!(users::rules, users::put_rules))
        .routes(routes!(users::rename_method, users::remove_method))
        .routes(routes!(users::send_code))
        .routes(routes!(users::verify_method))
        .routes(routes!(users::test_method))
        .routes(routes!(teams::list, teams::create))
        .routes(routes!(teams::get, teams::replace, teams::delete))
        .routes(routes!(schedules::list, schedules::create))
        .routes(routes!(schedules::get, schedules::replace, schedules::delete))
        .routes(routes!(overrides::list, overrides::create))
        .routes(routes!(overrides::get, overrides::replace, overrides::delete))
        .routes(routes!(policies::list, policies::create))
        .routes(routes!(policies::get, policies::replace, policies::delete))
        .routes(routes!(services::list, services::create))
        .routes(routes!(services::get, services::replace, services::delete))
        .routes(routes!(pages::list, pages::create))
        .routes(routes!(pages::get, pages::replace, pages::delete))
        .routes(routes!(integrations::list, integrations::create))
        .routes(routes!(integrations::get, integrations::replace, integrations::delete))
        .routes(routes!(integrations::set_key))
        .routes(routes!(integrations::address))
        .routes(routes!(integrations::requests))
        .routes(routes!(integrations::send_event))
        .routes(routes!(integrations::would_page))
}

fn work() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::counts))
        .routes(routes!(alerts::get))
        .routes(routes!(alerts::acknowledge))
        .routes(routes!(alerts::resolve))
        .routes(routes!(alerts::pass_on))
        .routes(routes!(alerts::add_note))
        .routes(routes!(alerts::why))
        .routes(routes!(events::list))
        .routes(routes!(events::get))
        .routes(routes!(events::raw))
        .routes(routes!(events::why))
        .routes(routes!(events::notifications))
        .routes(routes!(events::notification))
        .routes(routes!(incidents::list, incidents::declare))
        .routes(routes!(incidents::get))
        .routes(routes!(incidents::answer))
        .routes(routes!(incidents::say))
        .routes(routes!(incidents::act))
        .routes(routes!(incidents::report))
        .routes(routes!(assistance::list, assistance::open))
        .routes(routes!(assistance::get))
        .routes(routes!(assistance::say))
        .routes(routes!(assistance::answer))
        .routes(routes!(assistance::trace))
        .routes(routes!(assistance::replicate))
        .routes(routes!(assistance::close))
        .routes(routes!(status_pages::list, status_pages::publish))
        .routes(routes!(status_pages::get))
        .routes(routes!(status_pages::post))
        .routes(routes!(oncall::on_call))
        .routes(routes!(oncall::shifts))
        .routes(routes!(oncall::gaps))
        .routes(routes!(oncall::schedule_on_call))
}

fn administration() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(me::me))
        .routes(routes!(me::change_password))
        .routes(routes!(me::sessions))
        .routes(routes!(me::end_session))
        .routes(routes!(me::keys, me::create_key))
        .routes(routes!(me::revoke_key))
        .routes(routes!(tenants::list, tenants::create))
        .routes(routes!(tenants::settings, tenants::save_settings))
        .routes(routes!(tenants::ledger))
        .routes(routes!(tenants::ledger_between))
        .routes(routes!(backlog::backlog))
        .routes(routes!(tenants::apply))
        .routes(routes!(tenants::export))
        .routes(routes!(tenants::doctor))
        .routes(routes!(changes::list, changes::begin))
        .routes(routes!(changes::get))
        .routes(routes!(changes::undo))
        .routes(routes!(changes::revisions))
        .routes(routes!(changes::revision))
        .routes(routes!(changes::diff))
        .routes(routes!(cleanup::list, cleanup::begin))
        .routes(routes!(cleanup::get))
        .routes(routes!(cleanup::restore))
        .routes(routes!(tenants::audit))
        .routes(routes!(watch::watch))
        .routes(routes!(status::list, status::publish))
        .routes(routes!(status::get))
        .routes(routes!(status::post))
        .routes(routes!(status::take_over))
        .routes(routes!(subscribers::list))
        .routes(routes!(subscribers::counts))
        .routes(routes!(subscribers::find))
        .routes(routes!(subscribers::remove))
}

/// What the API takes and gives, as OpenAPI 3.1.
pub fn document() -> OpenApi {
    let all = OpenApiRouter::new().merge(configuration()).merge(work()).merge(administration());
    let based: OpenApiRouter<WebState> = OpenApiRouter::new().nest(BASE, all);
    let mut api = based.into_openapi();
    describe::keyed(&mut api);
    // Ways in for events say themselves what a key is to them.
    api.merge(crate::intake::described());
    describe::complete(api)
}

/// All routes of the API, its description, and the page to try it on.
pub(crate) fn routes(state: &WebState) -> Router<WebState> {
    // Each group's description is let go before the next is made.
    let groups = [configuration, work, administration];
    let all = groups.iter().fold(Router::new(), |all, group| all.merge(Router::from(group())));
    let router = Router::new().nest(BASE, all);
    let router = router.route_layer(from_fn_with_state(state.clone(), keyed::once));
    let sent = || std::future::ready(([(CONTENT_TYPE, "application/json")], DOCUMENT.clone()));
    router.route("/api/v1/openapi.json", get(sent)).merge(describe::explorer())
}

/// The description as it is sent, made when somebody first asks for it: in the form in which it is
/// collected it takes 5 MiB, and few nodes are ever asked.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "its maps have texts for keys, and nothing else can fail"
    )]
    serde_json::to_vec(&document()).expect("JSON").into()
});

#[cfg(test)]
mod tests;
