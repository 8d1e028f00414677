//! Makes and changes integrations, and sends test events through them.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::objects::draft::IntegrationDraft;
use bugle_app::objects::error::ObjectError;
use bugle_app::objects::{KeySource, KeyedIntegration, WriteOptions};
use bugle_app::paging::Page;
use bugle_app::permission::Permission;
use bugle_app::requests::SentEvent;
use bugle_domain::IntegrationId;
use bugle_domain::event::Action;
use bugle_domain::integration::{DEFAULT_QUOTA_PER_MINUTE, Dialect, Integration};
use bugle_domain::service::Service;
use bugle_domain::severity::Severity;
use http::header::CONTENT_LOCATION;
use http::{HeaderValue, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::show::{Fresh, respond};
use super::{IntegrationForm, Would, dialect_name};
use crate::pages::error::{PageError, fields, is_theirs, sentence};
use crate::pages::parts::{Choice, FieldError};
use crate::pages::shell::{Section, page};
use crate::pages::visitor::{Visitor, see};
use crate::state::WebSettings;

/// What was typed.
#[derive(Clone, Default, Deserialize)]
pub(in crate::pages) struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    dialect: String,
    #[serde(default)]
    service: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    quota: String,
    #[serde(default)]
    disabled: Option<String>,
}

impl Typed {
    fn of(it: &Integration) -> Self {
        Self {
            name: it.name.clone(),
            dialect: it.dialect.as_str().to_owned(),
            service: it.service.map(|id| id.to_string()).unwrap_or_default(),
            key: String::new(),
            quota: it.quota_per_minute.to_string(),
            disabled: it.disabled.then(|| "yes".to_owned()),
        }
    }

    fn draft(&self) -> Result<IntegrationDraft, Vec<FieldError>> {
        let wrong = |_| vec![FieldError::new("quota", "Write a number of events, such as 6000.")];
        let quota_per_minute = match self.quota.trim() {
            "" => DEFAULT_QUOTA_PER_MINUTE,
            typed => typed.parse().map_err(wrong)?,
        };
        Ok(IntegrationDraft {
            name: self.name.trim().to_owned(),
            dialect: Dialect::parse(&self.dialect).unwrap_or(Dialect::Native),
            service: self.service.parse().ok(),
            quota_per_minute,
            disabled: self.disabled.is_some(),
        })
    }
}

fn parse(id: &str) -> Result<IntegrationId, PageError> {
    id.parse().map_err(|_| PageError::not_found("There is no such integration."))
}

/// `GET /integrations/new`.
pub(in crate::pages) async fn new_form(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    form(&app, &visitor, &Typed::default(), None, Vec::new()).await
}

/// `GET /integrations/{id}/edit`.
pub(in crate::pages) async fn edit_form(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let it = app.get::<Integration>(&visitor.caller, id).await?.object;
    form(&app, &visitor, &Typed::of(&it), Some(id), Vec::new()).await
}

async fn form(
    app: &App,
    visitor: &Visitor,
    typed: &Typed,
    id: Option<IntegrationId>,
    errors: Vec<FieldError>,
) -> Result<Response, PageError> {
    visitor.caller.require(Permission::EditConfiguration).map_err(ObjectError::from)?;
    let listed = app.list::<Service>(&visitor.caller, &Page::first(200)).await?.items;
    let mut services =
        vec![Choice::new("", "No service: the fallback policy is told", &typed.service)];
    services
        .extend(listed.iter().map(|it| Choice::new(it.id.to_string(), &*it.name, &typed.service)));
    let dialect = |each: Dialect| Choice::new(each.as_str(), dialect_name(each), &typed.dialect);
    let (heading, action, button) = match id {
        Some(id) => ("Edit integration", format!("/integrations/{id}/edit"), "Save"),
        None => ("New integration", "/integrations/new".to_owned(), "Make integration"),
    };
    let body = IntegrationForm {
        heading: heading.to_owned(),
        action,
        button,
        name: typed.name.clone(),
        dialects: Dialect::ALL.map(dialect).to_vec(),
        services,
        ask_key: id.is_none(),
        disabled: id.map(|_| typed.disabled.is_some()),
        quota: typed.quota.clone(),
        delete: id.map(|id| format!("/integrations/{id}/delete")),
        errors,
    };
    let (status, title) = if body.errors.is_empty() {
        (StatusCode::OK, heading.to_owned())
    } else {
        (StatusCode::UNPROCESSABLE_ENTITY, format!("Error: {heading}"))
    };
    let shell = visitor.shell(app, &title, Section::Integrations).await?;
    Ok(page(status, &shell.back("/integrations", "Integrations"), &body))
}

/// `POST /integrations/new`: the answer shows the key, once.
pub(in crate::pages) async fn create(
    State(app): State<App>,
    State(settings): State<Arc<WebSettings>>,
    visitor: Visitor,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let key = match typed.key.trim() {
        "" => KeySource::Made,
        given => KeySource::Given(SecretString::from(given.to_owned())),
    };
    let draft = match typed.draft() {
        Ok(draft) => draft,
        Err(errors) => return form(&app, &visitor, &typed, None, errors).await,
    };
    match app.create_integration(&visitor.caller, draft, key, WriteOptions::default()).await {
        Ok(made) => keyed(&app, &settings, &visitor, made).await,
        Err(error) => refused(&app, &visitor, &typed, None, error).await,
    }
}

async fn keyed(
    app: &App,
    settings: &WebSettings,
    visitor: &Visitor,
    made: KeyedIntegration,
) -> Result<Response, PageError> {
    let key = made.key.map(|key| key.expose_secret().to_owned());
    let id = made.integration.object.id;
    let fresh = Fresh { key, ..Fresh::default() };
    let mut response = respond(app, settings, visitor, id, fresh).await?;
    if let Ok(value) = HeaderValue::from_str(&format!("/integrations/{id}")) {
        response.headers_mut().insert(CONTENT_LOCATION, value);
    }
    Ok(response)
}

async fn refused(
    app: &App,
    visitor: &Visitor,
    typed: &Typed,
    id: Option<IntegrationId>,
    error: ObjectError,
) -> Result<Response, PageError> {
    if is_theirs(&error) {
        return form(app, visitor, typed, id, fields(&error, "name")).await;
    }
    Err(error.into())
}

/// `POST /integrations/{id}/edit`.
pub(in crate::pages) async fn edit(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let draft = match typed.draft() {
        Ok(draft) => draft,
        Err(errors) => return form(&app, &visitor, &typed, Some(id), errors).await,
    };
    match app.replace::<Integration>(&visitor.caller, id, draft, WriteOptions::default()).await {
        Ok(_) => Ok(see(&visitor.browser, &format!("/integrations/{id}"), "Saved.")),
        Err(error) => refused(&app, &visitor, &typed, Some(id), error).await,
    }
}

/// `POST /integrations/{id}/delete`.
pub(in crate::pages) async fn delete(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    app.delete::<Integration>(&visitor.caller, id, WriteOptions::default()).await?;
    Ok(see(&visitor.browser, "/integrations", "Deleted. Its key opens nothing any more."))
}

/// `POST /integrations/{id}/key`: the answer shows the new key, once.
pub(in crate::pages) async fn new_key(
    State(app): State<App>,
    State(settings): State<Arc<WebSettings>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let made = app.set_integration_key(&visitor.caller, parse(&id)?, KeySource::Made).await?;
    keyed(&app, &settings, &visitor, made).await
}

/// The test event, as typed.
#[derive(Deserialize)]
pub(in crate::pages) struct TestEvent {
    summary: String,
    severity: String,
    ring: Option<String>,
}

/// `POST /integrations/{id}/test`: shows who would be paged, or sends the event.
pub(in crate::pages) async fn test(
    State(app): State<App>,
    State(settings): State<Arc<WebSettings>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(it): Form<TestEvent>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let severity = Severity::parse(&it.severity).unwrap_or(Severity::Critical);
    if it.ring.is_none() {
        let would = app.would_page(&visitor.caller, id, severity).await?;
        let would = Some(Would { policy: would.policy, levels: would.levels });
        let fresh = Fresh { would, test: Some((it.summary, severity)), ..Fresh::default() };
        return respond(&app, &settings, &visitor, id, fresh).await;
    }
    let event = SentEvent {
        action: Action::Trigger,
        summary: it.summary,
        severity,
        source: "test from the page".to_owned(),
        dedup_key: None,
        links: Vec::new(),
        details: serde_json::Map::new(),
    };
    let to = format!("/integrations/{id}");
    match app.send_event(&visitor.caller, id, event).await {
        Ok(_) => Ok(see(&visitor.browser, &to, "Sent. What becomes of it is shown below.")),
        Err(error) if is_theirs(&error) => {
            Ok(see(&visitor.browser, &to, &sentence(&error.to_string())))
        }
        Err(error) => Err(error.into()),
    }
}
