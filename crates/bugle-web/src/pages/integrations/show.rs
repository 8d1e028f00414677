//! Shows integrations and what came in through them.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::paging::Page;
use bugle_app::permission::Permission;
use bugle_app::requests::RequestView;
use bugle_domain::IntegrationId;
use bugle_domain::integration::Integration;
use bugle_domain::service::Service;
use bugle_domain::severity::Severity;
use http::StatusCode;
use serde::Deserialize;

use super::{
    IntegrationPage, IntegrationsPage, Request, RequestsPart, Row, TestForm, Would, dialect_name,
};
use crate::pages::error::PageError;
use crate::pages::parts::{Choice, Sev, Tab};
use crate::pages::shell::{Section, page};
use crate::pages::snippets::{Given, NO_KEY, Sender};
use crate::pages::times::{Times, plural};
use crate::pages::visitor::{Visitor, forget_said};
use crate::state::WebSettings;

/// Most integrations and services that a page lists.
const MOST: u32 = 200;

/// `GET /integrations`.
pub(in crate::pages) async fn list(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let integrations = app.list::<Integration>(&visitor.caller, &Page::first(MOST)).await?.items;
    let services = app.list::<Service>(&visitor.caller, &Page::first(MOST)).await?.items;
    let row = |it: Integration| Row {
        href: format!("/integrations/{}", it.id),
        dialect: dialect_name(it.dialect),
        service: service_name(it.service, &services),
        hint: it.key_hint,
        name: it.name,
        disabled: it.disabled,
    };
    let body = IntegrationsPage {
        rows: integrations.into_iter().map(row).collect(),
        can_edit: visitor.caller.may(Permission::EditConfiguration),
        said: visitor.browser.said.clone(),
    };
    let shell = visitor.shell(&app, "Integrations", Section::Integrations).await?;
    let mut response = page(StatusCode::OK, &shell, &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

fn service_name(id: Option<bugle_domain::ServiceId>, services: &[Service]) -> String {
    let found = id.and_then(|id| services.iter().find(|service| service.id == id));
    found.map_or_else(|| "no service: the fallback policy".to_owned(), |it| it.name.clone())
}

/// Which tab is shown.
#[derive(Deserialize)]
pub(in crate::pages) struct Shown {
    tab: Option<String>,
}

/// What a page shows right after something was done, and never again.
#[derive(Default)]
pub(in crate::pages) struct Fresh {
    /// The key that was just made.
    pub(in crate::pages) key: Option<String>,
    /// Who would be paged.
    pub(in crate::pages) would: Option<Would>,
    /// What was typed into the test form.
    pub(in crate::pages) test: Option<(String, Severity)>,
    /// Which tab is shown.
    pub(in crate::pages) tab: Option<String>,
}

/// `GET /integrations/{id}`.
pub(in crate::pages) async fn one(
    State(app): State<App>,
    State(settings): State<Arc<WebSettings>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(shown): Query<Shown>,
) -> Result<Response, PageError> {
    let id = id.parse().map_err(|_| PageError::not_found("There is no such integration."))?;
    let fresh = Fresh { tab: shown.tab, ..Fresh::default() };
    let mut response = respond(&app, &settings, &visitor, id, fresh).await?;
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// The page of one integration.
pub(in crate::pages) async fn respond(
    app: &App,
    settings: &WebSettings,
    visitor: &Visitor,
    id: IntegrationId,
    fresh: Fresh,
) -> Result<Response, PageError> {
    let body = load(app, settings, visitor, id, fresh).await?;
    let shell = visitor.shell(app, &body.name, Section::Integrations).await?;
    let shell = shell.back("/integrations", "Integrations").live(format!("requests {id}"));
    Ok(page(StatusCode::OK, &shell, &body))
}

async fn load(
    app: &App,
    settings: &WebSettings,
    visitor: &Visitor,
    id: IntegrationId,
    fresh: Fresh,
) -> Result<IntegrationPage, PageError> {
    let caller = &visitor.caller;
    let it = app.get::<Integration>(caller, id).await?.object;
    let services = app.list::<Service>(caller, &Page::first(MOST)).await?.items;
    let base = settings.public_url.as_str().trim_end_matches('/');
    let sender = Sender::chosen(fresh.tab.as_deref(), it.dialect);
    let can_edit = caller.may(Permission::ManageIntegrationKeys);
    let address = app.event_address(id).map(|it| if can_edit { it } else { hidden(&it) });
    let given =
        Given { base, key: fresh.key.as_deref().unwrap_or(NO_KEY), address: address.as_deref() };
    let href = format!("/integrations/{id}");
    let tab = |each: Sender| Tab {
        href: format!("{href}?tab={}#connect", each.slug()),
        text: each.title().to_owned(),
        current: each == sender,
    };
    let first_test = || ("Test: checkout is down".to_owned(), Severity::Critical);
    let (summary, severity) = fresh.test.unwrap_or_else(first_test);
    let choice = |each: Severity| Choice::new(each.as_str(), Sev(each).word(), severity.as_str());
    Ok(IntegrationPage {
        tabs: Sender::ALL.map(tab).to_vec(),
        snippet: sender.snippet(given),
        ask: format!("/assistance/new?integration={id}"),
        href,
        dialect: dialect_name(it.dialect),
        service: service_name(it.service, &services),
        name: it.name,
        disabled: it.disabled,
        hint: it.key_hint,
        key: fresh.key,
        test: TestForm {
            summary,
            severities: Severity::ALL.map(choice).to_vec(),
            ring: visitor.browser.demo || fresh.would.is_some(),
        },
        would: fresh.would,
        requests: requests(app, visitor, id).await?,
        can_edit,
        can_send: caller.may(Permission::SendEvent),
        demo: visitor.browser.demo,
        said: visitor.browser.said.clone(),
    })
}

/// An address without what proves it, for those who may not see keys.
fn hidden(address: &str) -> String {
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    format!("int-…@{domain}")
}

/// The last requests. Empty for readers who may not see them.
pub(in crate::pages) async fn requests(
    app: &App,
    visitor: &Visitor,
    id: IntegrationId,
) -> Result<RequestsPart, PageError> {
    let last = if visitor.caller.may(Permission::ManageIntegrationKeys) {
        app.requests(&visitor.caller, id).await?
    } else {
        Vec::new()
    };
    let times = &visitor.times;
    let requests = last.into_iter().map(|it| request(it, times)).collect();
    Ok(RequestsPart { requests, zone: times.zone_name().to_owned() })
}

fn request(it: RequestView, times: &Times) -> Request {
    let size = plural(i64::try_from(it.size_bytes).unwrap_or(i64::MAX), "byte", "bytes");
    Request {
        id: format!("r{}", it.at.as_microsecond()),
        at: times.exact(it.at),
        status: it.status,
        ok: it.rejected.is_none(),
        why: it.events.first().map(|event| format!("/events/{event}")),
        outcome: it.rejected.unwrap_or(it.outcome),
        dialect: dialect_name(it.dialect),
        size,
        body: it.preview,
    }
}
