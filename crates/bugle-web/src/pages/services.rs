//! Services: what is broken, from the tenant's view.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::objects::WriteOptions;
use bugle_app::objects::draft::ServiceDraft;
use bugle_app::paging::Page;
use bugle_app::permission::Permission;
use bugle_domain::ServiceId;
use bugle_domain::policy::Policy;
use bugle_domain::service::Service;
use bugle_domain::user::Team;
use serde::Deserialize;

use super::error::{PageError, fields, is_theirs};
use super::forms::{self, Field, Fields, FormPage, Group, ListPage, Row};
use super::parts::{Choice, FieldError, Link};
use super::shell::Section;
use super::visitor::{Visitor, see};

const MOST: u32 = 200;
const FALLBACK: &str = "The fallback policy";

/// `GET /services`.
pub(super) async fn list(State(app): State<App>, visitor: Visitor) -> Result<Response, PageError> {
    let services = app.list::<Service>(&visitor.caller, &Page::first(MOST)).await?.items;
    let policies = app.list::<Policy>(&visitor.caller, &Page::first(MOST)).await?.items;
    let row = |it: Service| {
        let policy = policies.iter().find(|policy| Some(policy.id) == it.policy);
        Row {
            href: Some(format!("/services/{}", it.id)),
            text: it.description,
            badge: policy.map_or(FALLBACK, |policy| policy.name.as_str()).to_owned(),
            name: it.name,
        }
    };
    let edit = visitor.caller.may(Permission::EditConfiguration);
    let body = ListPage {
        title: "Services",
        intro: "What can break, and which policy is followed then.",
        new: edit.then(|| Link::new("/services/new", "New service")),
        groups: vec![Group {
            title: "",
            empty: "No services yet. Alerts follow the fallback policy.",
            rows: services.into_iter().map(row).collect(),
        }],
        said: visitor.browser.said.clone(),
    };
    forms::list(&app, &visitor, Section::Services, body).await
}

/// A service, as typed.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Typed {
    name: String,
    #[serde(default)]
    policy: String,
    #[serde(default)]
    team: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    runbook_url: String,
}

impl Typed {
    fn of(it: Service) -> Self {
        Self {
            name: it.name,
            policy: it.policy.map(|id| id.to_string()).unwrap_or_default(),
            team: it.team.map(|id| id.to_string()).unwrap_or_default(),
            description: it.description,
            runbook_url: it.runbook_url.map(String::from).unwrap_or_default(),
        }
    }

    fn draft(&self) -> Result<ServiceDraft, Vec<FieldError>> {
        let runbook_url = match self.runbook_url.trim() {
            "" => None,
            text => Some(text.parse().map_err(|_| {
                vec![FieldError::new("runbook_url", "Write a URL that begins with https://.")]
            })?),
        };
        Ok(ServiceDraft {
            name: self.name.trim().to_owned(),
            policy: self.policy.parse().ok(),
            team: self.team.parse().ok(),
            description: self.description.trim().to_owned(),
            runbook_url,
        })
    }
}

fn parse(id: &str) -> Result<ServiceId, PageError> {
    id.parse().map_err(|_| PageError::not_found("There is no such service."))
}

/// `GET /services/new`.
pub(super) async fn new_form(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    form(&app, &visitor, &Typed::default(), None, Vec::new()).await
}

/// `GET /services/{id}`.
pub(super) async fn one(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let it = app.get::<Service>(&visitor.caller, id).await?.object;
    form(&app, &visitor, &Typed::of(it), Some(id), Vec::new()).await
}

async fn form(
    app: &App,
    visitor: &Visitor,
    typed: &Typed,
    id: Option<ServiceId>,
    errors: Vec<FieldError>,
) -> Result<Response, PageError> {
    let caller = &visitor.caller;
    let mut policies = vec![Choice::new("", FALLBACK, &typed.policy)];
    let listed = app.list::<Policy>(caller, &Page::first(MOST)).await?.items;
    policies.extend(
        listed.into_iter().map(|it| Choice::new(it.id.to_string(), it.name, &typed.policy)),
    );
    let mut teams = vec![Choice::new("", "No team", &typed.team)];
    let listed = app.list::<Team>(caller, &Page::first(MOST)).await?.items;
    teams.extend(listed.into_iter().map(|it| Choice::new(it.id.to_string(), it.name, &typed.team)));
    let edit = caller.may(Permission::EditConfiguration);
    let path = id.map_or_else(|| "/services/new".to_owned(), |id| format!("/services/{id}"));
    let fields = vec![
        vec![Field::text("name", "Name", &*typed.name)],
        vec![
            Field::select("policy", "Escalation policy", policies),
            Field::select("team", "Team", teams),
        ],
        vec![Field::text("description", "What it is, in a sentence", &*typed.description)],
        vec![
            Field::text("runbook_url", "Runbook", &*typed.runbook_url)
                .hint("Shown on every alert of this service."),
        ],
    ];
    let group = |fields| Fields { legend: String::new(), fields };
    let body = FormPage {
        back: Link::new("/services", "Services"),
        heading: if id.is_some() { typed.name.clone() } else { "New service".to_owned() },
        intro: String::new(),
        sentences: Vec::new(),
        action: edit.then(|| path.clone()),
        groups: fields.into_iter().map(group).collect(),
        button: if id.is_some() { "Save" } else { "Make service" },
        delete: id.filter(|_| edit).map(|_| format!("{path}/delete")),
        errors,
        said: visitor.browser.said.clone(),
    };
    forms::form(app, visitor, Section::Services, body).await
}

/// `POST /services/new`.
pub(super) async fn create(
    State(app): State<App>,
    visitor: Visitor,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let draft = match typed.draft() {
        Ok(draft) => draft,
        Err(errors) => return form(&app, &visitor, &typed, None, errors).await,
    };
    match app.create::<Service>(&visitor.caller, draft, WriteOptions::default()).await {
        Ok(_) => Ok(see(&visitor.browser, "/services", "Made.")),
        Err(error) if is_theirs(&error) => {
            form(&app, &visitor, &typed, None, fields(&error, "name")).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /services/{id}`.
pub(super) async fn save(
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
    match app.replace::<Service>(&visitor.caller, id, draft, WriteOptions::default()).await {
        Ok(_) => Ok(see(&visitor.browser, "/services", "Saved.")),
        Err(error) if is_theirs(&error) => {
            form(&app, &visitor, &typed, Some(id), fields(&error, "name")).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /services/{id}/delete`.
pub(super) async fn delete(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    app.delete::<Service>(&visitor.caller, parse(&id)?, WriteOptions::default()).await?;
    Ok(see(&visitor.browser, "/services", "Deleted."))
}
