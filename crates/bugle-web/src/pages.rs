//! The HTML pages: rendered here, whole, for browsers with and without script.

mod alert;
mod alerts;
mod assets;
mod assistance;
mod changes;
mod choices;
mod cleanup;
mod docs;
mod error;
mod filter;
mod forms;
mod graph;
mod handset;
mod incidents;
mod integrations;
mod ledger;
mod live;
mod me;
mod parts;
mod people;
mod pipeline;
mod policies;
mod schedules;
mod services;
mod shell;
mod sign_in;
mod snippets;
pub mod status;
mod status_bulletins;
mod status_desk;
mod status_pages;
mod subscribe;
mod times;
mod visitor;
mod why;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;

pub(crate) use self::incidents::report_html;
use crate::state::WebState;

/// The routes of all pages.
pub fn routes() -> Router<WebState> {
    Router::new()
        .route("/assets/{name}", get(assets::serve))
        .route("/live", get(live::stream))
        .route("/", get(sign_in::home))
        .route("/docs", get(docs::index))
        .route("/docs/{name}", get(docs::one))
        .route("/theme", post(choices::theme))
        .route("/keys", post(choices::keys))
        .merge(doors())
        .merge(alert_routes())
        .merge(integration_routes())
        .merge(handset_routes())
        .merge(schedule_routes())
        .merge(own_routes())
        .merge(configuration_routes())
        .merge(change_routes())
        .merge(status::routes())
        .merge(status_desk_routes())
        .merge(status_page_routes())
        .merge(subscribe_routes())
        .merge(assistance_routes())
        .route("/events/{id}", get(why::event))
        .route("/events/{id}/why", get(why::event))
        .route("/ledger", get(ledger::show))
        .route("/pipeline", get(pipeline::show))
        .merge(incidents::routes())
}

fn doors() -> Router<WebState> {
    Router::new()
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/sign-in/{token}", get(sign_in::link).post(sign_in::use_link))
        .route("/s/{token}", get(sign_in::link).post(sign_in::use_link))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/setup/{token}", get(sign_in::setup_form).post(sign_in::set_up))
        .route("/a/{token}", get(alert::token::show).post(alert::token::answer))
}

fn alert_routes() -> Router<WebState> {
    Router::new()
        .route("/alerts", get(alerts::list::show))
        .route("/alerts/bulk", post(alerts::list::bulk))
        .route("/alerts/{id}", get(alert::show::show))
        .route("/alerts/{id}/acknowledge", post(alert::show::acknowledge))
        .route("/alerts/{id}/resolve", post(alert::show::resolve))
        .route("/alerts/{id}/pass-on", post(alert::show::pass_on))
        .route("/alerts/{id}/note", post(alert::show::note))
        .route("/alerts/{id}/why", get(why::alert))
}

fn integration_routes() -> Router<WebState> {
    use integrations::{change, show};
    Router::new()
        .route("/integrations", get(show::list))
        .route("/integrations/new", get(change::new_form).post(change::create))
        .route("/integrations/{id}", get(show::one))
        .route("/integrations/{id}/edit", get(change::edit_form).post(change::edit))
        .route("/integrations/{id}/delete", post(change::delete))
        .route("/integrations/{id}/key", post(change::new_key))
        .route("/integrations/{id}/test", post(change::test))
}

fn schedule_routes() -> Router<WebState> {
    use schedules::{cover, create, edit, show};
    Router::new()
        .route("/schedules", get(show::list))
        .route("/schedules/new", get(create::form).post(create::create))
        .route("/schedules/{id}", get(show::one))
        .route("/schedules/{id}/edit", get(edit::form).post(edit::change))
        .route("/schedules/{id}/delete", post(edit::delete))
        .route("/schedules/{id}/cover", post(cover::cover))
        .route("/schedules/{id}/covers/{cover}/delete", post(cover::remove))
}

fn own_routes() -> Router<WebState> {
    use me::{act, show};
    Router::new()
        .route("/me", get(show::show))
        .route("/me/ways", post(act::add))
        .route("/me/ways/{id}/prove", post(act::prove))
        .route("/me/ways/{id}/code", post(act::another_code))
        .route("/me/ways/{id}/test", post(act::test))
        .route("/me/ways/{id}/remove", post(act::remove))
        .route("/me/rules/{urgency}", post(act::rules))
        .route("/me/profile", post(act::profile))
        .route("/me/password", post(act::password))
        .route("/me/sessions/{id}/end", post(act::end_session))
        .route("/me/keys", post(act::make_key))
        .route("/me/keys/{id}/revoke", post(act::revoke_key))
}

fn configuration_routes() -> Router<WebState> {
    Router::new()
        .route("/services", get(services::list))
        .route("/services/new", get(services::new_form).post(services::create))
        .route("/services/{id}", get(services::one).post(services::save))
        .route("/services/{id}/delete", post(services::delete))
        .route("/policies", get(policies::list))
        .route("/policies/new", get(policies::new_form).post(policies::create))
        .route("/policies/{id}", get(policies::one).post(policies::save))
        .route("/policies/{id}/delete", post(policies::delete))
        .route("/people", get(people::list))
        .route("/people/new", get(people::new_form).post(people::invite))
        .route("/people/{id}", get(people::one).post(people::save))
        .route("/people/{id}/delete", post(people::delete))
        .route("/people/teams/{id}", get(people::team).post(people::save_team))
}

fn change_routes() -> Router<WebState> {
    Router::new()
        .route("/changes", get(changes::list))
        .route("/changes/new", get(changes::new_form).post(changes::begin))
        .route("/changes/undo", post(changes::undo))
        .route("/changes/{number}", get(changes::one))
        .route("/clean-ups/new", get(cleanup::new_form).post(cleanup::begin))
        .route("/clean-ups/{number}", get(cleanup::one))
        .route("/clean-ups/{number}/restore", post(cleanup::restore))
        .route("/revisions/{number}", get(changes::revision))
        .route("/revisions/{number}/diff/{other}", get(changes::compare))
}

fn status_desk_routes() -> Router<WebState> {
    use status_desk::{hand, new_maintenance, new_trouble, one, plan, post as say, show, tell};
    Router::new()
        .route("/status-page", get(show))
        .route("/status-page/troubles/new", get(new_trouble).post(tell))
        .route("/status-page/maintenance/new", get(new_maintenance).post(plan))
        .route("/status-page/subscribers/remove", post(status_desk::remove_subscriber))
        .route("/status-page/{id}", get(one))
        .route("/status-page/{id}/post", post(say))
        .route("/status-page/{id}/hand", post(hand))
}

fn status_page_routes() -> Router<WebState> {
    use status_pages::{
        bulletin, create, delete, edit, list, new_form, new_maintenance, new_trouble, one, plan,
        post as say, save, tell,
    };
    Router::new()
        .route("/status-pages", get(list))
        .route("/status-pages/new", get(new_form).post(create))
        .route("/status-pages/{id}", get(one))
        .route("/status-pages/{id}/edit", get(edit).post(save))
        .route("/status-pages/{id}/delete", post(delete))
        .route("/status-pages/{id}/troubles/new", get(new_trouble).post(tell))
        .route("/status-pages/{id}/maintenance/new", get(new_maintenance).post(plan))
        .route("/status-pages/{id}/bulletins/{bulletin}", get(bulletin))
        .route("/status-pages/{id}/bulletins/{bulletin}/post", post(say))
}

fn subscribe_routes() -> Router<WebState> {
    use subscribe::{ask, confirm, form, one, prove, short, unsubscribe};
    Router::new()
        .route("/status/subscribe", get(form).post(ask))
        .route("/status/subscribe/code", post(prove))
        .route("/u/{short}", get(short))
        .route("/status/subscribers/{id}/{token}", get(one).post(confirm))
        .route("/status/subscribers/{id}/{token}/unsubscribe", get(one).post(unsubscribe))
}

fn assistance_routes() -> Router<WebState> {
    use assistance::{desk, form, list, one, open, say};
    Router::new()
        .route("/assistance", get(list))
        .route("/assistance/new", get(form).post(open))
        .route("/assistance/{id}", get(one))
        .route("/assistance/{id}/say", post(say))
        .route("/assistance-desk", get(desk::list))
        .route("/assistance-desk/{id}", get(desk::one))
        .route("/assistance-desk/{id}/answer", post(desk::answer))
        .route("/assistance-desk/{id}/trace", post(desk::trace))
        .route("/assistance-desk/{id}/replicate", post(desk::replicate))
        .route("/assistance-desk/{id}/close", post(desk::close))
}

fn handset_routes() -> Router<WebState> {
    Router::new()
        .route("/handset", get(handset::show))
        .route("/handset/reply", post(handset::reply))
        .route("/handset/calls/{call}/answer", post(handset::answer))
        .route("/handset/calls/{call}/voicemail", post(handset::voicemail))
        .route("/handset/calls/{call}/press", post(handset::press))
        .route("/handset/calls/{call}/hang-up", post(handset::hang_up))
}

/// What is shown where there is no page.
#[expect(clippy::unused_async, reason = "a handler, as the router calls it")]
pub async fn not_found() -> Response {
    let text = "The page was moved, or the address has a mistake.";
    error::message(StatusCode::NOT_FOUND, "There is no page here", text)
}

#[cfg(test)]
mod tests;
