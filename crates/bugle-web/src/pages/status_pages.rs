//! The tenant's own status pages: what each says, what members tell the public there, and how each
//! is configured.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::objects::WriteOptions;
use bugle_app::objects::draft::StatusPageDraft;
use bugle_app::objects::error::ObjectError;
use bugle_app::paging::Page;
use bugle_app::permission::Permission;
use bugle_app::status::{NewPageBulletin, PageDesk, PageNews, Post, StatusError};
use bugle_domain::service::Service;
use bugle_domain::status_page::{PublicService, StatusPage};
use bugle_domain::{BulletinId, ServiceId, StatusPageId};
use bugle_engine::status::State as Health;
use bugle_engine::status::board::Touched;
use bugle_engine::status::bulletin::Phase;
use http::StatusCode;

use super::error::{PageError, fields, is_theirs};
use super::forms::{self, Group, ListPage, Row, Sent, of};
use super::parts::{Choice, FieldError, Link};
use super::shell::{Section, page};
use super::status::preview;
use super::status_bulletins::{
    self, Answer, NewPage, Place, Told, build_in, maintenance, previews, told, touched, trouble,
};
use super::times::utc;
use super::visitor::{Visitor, forget_said, see};

const MOST: u32 = 200;
const LIST: &str = "/status-pages";

#[derive(Template)]
#[template(path = "status_page_desk.html")]
pub(super) struct DeskPage {
    said: Option<String>,
    name: String,
    /// Its own path, here.
    at: String,
    /// Where the public reads it.
    address: Option<String>,
    enabled: bool,
    follow_alerts: bool,
    /// Whether the reader may post, and may change it.
    may_post: bool,
    may_edit: bool,
    services: Vec<(String, &'static str)>,
    bulletins: Vec<Told>,
}

/// How a page is configured, as typed.
#[derive(Template)]
#[template(path = "status_page_form.html")]
pub(super) struct ConfigurationPage {
    heading: String,
    errors: Vec<FieldError>,
    name: String,
    services: Vec<Offered>,
    follow_alerts: bool,
    enabled: bool,
    /// Where it posts to.
    action: String,
    button: &'static str,
    back: Link,
    /// Where deleting posts to.
    delete: Option<String>,
}

/// A service that may be on the page.
struct Offered {
    id: ServiceId,
    name: String,
    public: String,
    on: bool,
}

/// `GET /status-pages`.
pub(super) async fn list(State(app): State<App>, visitor: Visitor) -> Result<Response, PageError> {
    let pages = app.list::<StatusPage>(&visitor.caller, &Page::first(MOST)).await?.items;
    let row = |it: StatusPage| Row {
        href: Some(format!("{LIST}/{}", it.id)),
        text: match it.services.len() {
            1 => "1 service".to_owned(),
            many => format!("{many} services"),
        },
        badge: if it.enabled { "Public" } else { "Not public" }.to_owned(),
        name: it.name,
    };
    let edit = visitor.caller.may(Permission::EditConfiguration);
    let body = ListPage {
        title: "Status pages",
        intro: "What your customers read about your services, at addresses that nobody can guess.",
        new: edit.then(|| Link::new("/status-pages/new", "New status page")),
        groups: vec![Group {
            title: "",
            empty: "No status pages yet.",
            rows: pages.into_iter().map(row).collect(),
        }],
        said: visitor.browser.said.clone(),
    };
    forms::list(&app, &visitor, Section::StatusPages, body).await
}

fn parse(id: &str) -> Result<StatusPageId, PageError> {
    id.parse().map_err(|_| PageError::not_found("There is no such status page."))
}

/// `GET /status-pages/{id}`: what it says.
pub(super) async fn one(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let desk = app.page_desk(&visitor.caller, parse(&id)?).await?;
    let mut body = build(desk, &visitor);
    body.said.clone_from(&visitor.browser.said);
    let shell = visitor.shell(&app, &body.name, Section::StatusPages).await?;
    let mut response = page(StatusCode::OK, &shell.back(LIST, "Status pages"), &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

fn build(desk: PageDesk, visitor: &Visitor) -> DeskPage {
    let place = place(&desk);
    DeskPage {
        said: None,
        at: format!("{LIST}/{}", desk.page.id),
        address: desk.address,
        enabled: desk.page.enabled,
        follow_alerts: desk.page.follow_alerts,
        may_post: visitor.caller.may(Permission::PostOwnStatus),
        may_edit: visitor.caller.may(Permission::EditConfiguration),
        services: desk.services.into_iter().map(|(it, state)| (it.name, state.words())).collect(),
        bulletins: desk.bulletins.iter().map(|it| told(&place, it, &visitor.times)).collect(),
        name: desk.page.name,
    }
}

/// Where the forms and bulletins of a page are.
fn place(desk: &PageDesk) -> Place {
    let at = format!("{LIST}/{}", desk.page.id);
    Place {
        trouble: "A service is as bad as you say, or as its open alerts say, whichever is worse.",
        only_people: "Nothing is posted here by itself: only you and your colleagues can say more.",
        bulletins: format!("{at}/bulletins"),
        forms: at.clone(),
        back: Link::new(at, &*desk.page.name),
    }
}

/// What can be touched, with what is chosen.
fn touchable(desk: &PageDesk, sent: &Sent) -> Vec<Choice> {
    let chosen: Vec<&str> = touched(sent).collect();
    let choice = |(it, _): &(Touched, Health)| Choice {
        selected: chosen.contains(&it.id.as_str()),
        value: it.id.clone(),
        text: it.name.clone(),
    };
    desk.services.iter().map(choice).collect()
}

fn must_post(visitor: &Visitor) -> Result<(), StatusError> {
    visitor.caller.require(Permission::PostOwnStatus).map_err(StatusError::from)
}

async fn new_bulletin(
    app: &App,
    visitor: &Visitor,
    (desk, body): (&PageDesk, NewPage),
) -> Result<Response, PageError> {
    must_post(visitor)?;
    let shell = visitor.shell(app, body.heading(), Section::StatusPages).await?;
    let back = place(desk).back;
    Ok(page(body.status(), &shell.back(&back.href, &back.text), &body))
}

/// `GET /status-pages/{id}/troubles/new`.
pub(super) async fn new_trouble(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (desk, sent) = (app.page_desk(&visitor.caller, parse(&id)?).await?, Vec::new());
    let body = trouble(place(&desk), touchable(&desk, &sent), &sent, Answer::default());
    new_bulletin(&app, &visitor, (&desk, body)).await
}

/// `POST /status-pages/{id}/troubles/new`.
pub(super) async fn tell(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let news = PageNews::Trouble { state: Health::parse(&of(&sent, "state")) };
    publish(&app, &visitor, (parse(&id)?, news), sent).await
}

/// `GET /status-pages/{id}/maintenance/new`.
pub(super) async fn new_maintenance(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (desk, sent) = (app.page_desk(&visitor.caller, parse(&id)?).await?, Vec::new());
    let body = maintenance(place(&desk), touchable(&desk, &sent), &sent, Answer::default());
    new_bulletin(&app, &visitor, (&desk, body)).await
}

/// `POST /status-pages/{id}/maintenance/new`.
pub(super) async fn plan(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let (from, until) = (utc(&of(&sent, "from")), utc(&of(&sent, "until")));
    publish(&app, &visitor, (parse(&id)?, PageNews::Maintenance { from, until }), sent).await
}

async fn publish(
    app: &App,
    visitor: &Visitor,
    (id, news): (StatusPageId, PageNews),
    sent: Sent,
) -> Result<Response, PageError> {
    let (title, text) = (of(&sent, "title"), of(&sent, "text"));
    let services = touched(&sent).filter_map(|id| id.parse().ok()).collect();
    let new = NewPageBulletin { news, title, text, services };
    let answer = if previews(&sent) {
        let would_be = app.preview_on_page(&visitor.caller, id, new).await;
        Answer::of(would_be.map(|it| preview(&it, Some(id), app.now())), "title")?
    } else {
        match app.tell_on_page(&visitor.caller, id, new).await {
            Ok(told) => {
                let path = format!("{LIST}/{id}/bulletins/{told}");
                return Ok(see(&visitor.browser, &path, "The public is told."));
            }
            Err(error) => Answer::wrong(error, "title")?,
        }
    };
    let desk = app.page_desk(&visitor.caller, id).await?;
    let form = match news {
        PageNews::Trouble { .. } => trouble,
        PageNews::Maintenance { .. } => maintenance,
    };
    let body = form(place(&desk), touchable(&desk, &sent), &sent, answer);
    new_bulletin(app, visitor, (&desk, body)).await
}

/// `GET /status-pages/{id}/bulletins/{bulletin}`.
pub(super) async fn bulletin(
    State(app): State<App>,
    visitor: Visitor,
    Path((id, bulletin)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let ids = (parse(&id)?, status_bulletins::parse(&bulletin)?);
    show(&app, &visitor, ids, (None, Answer::default())).await
}

async fn show(
    app: &App,
    visitor: &Visitor,
    (id, bulletin): (StatusPageId, BulletinId),
    (typed, shown): (Option<Post>, Answer),
) -> Result<Response, PageError> {
    let place = place(&app.page_desk(&visitor.caller, id).await?);
    let drafted = app.page_bulletin(&visitor.caller, id, bulletin).await?;
    let may_post = visitor.caller.may(Permission::PostOwnStatus);
    let body = build_in(&place, drafted, typed, &visitor.times).posted_by(may_post);
    status_bulletins::answer(app, visitor, (Section::StatusPages, place.back), (body, shown)).await
}

/// `POST /status-pages/{id}/bulletins/{bulletin}/post`.
pub(super) async fn post(
    State(app): State<App>,
    visitor: Visitor,
    Path((id, bulletin)): Path<(String, String)>,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let (id, bulletin) = (parse(&id)?, status_bulletins::parse(&bulletin)?);
    let post = Post {
        version: of(&sent, "version").parse().unwrap_or(0),
        phase: Phase::parse(&of(&sent, "phase")),
        text: of(&sent, "text"),
    };
    let shown = if previews(&sent) {
        let would_be = app.preview_post_on_page(&visitor.caller, id, bulletin, &post).await;
        Answer::of(would_be.map(|it| preview(&it, Some(id), app.now())), "text")?
    } else {
        match app.post_on_page(&visitor.caller, id, bulletin, post.clone()).await {
            Ok(_) => {
                let path = format!("{LIST}/{id}/bulletins/{bulletin}");
                return Ok(see(&visitor.browser, &path, "It is posted."));
            }
            Err(error) => Answer::wrong(error, "text")?,
        }
    };
    must_post(&visitor)?;
    show(&app, &visitor, (id, bulletin), (Some(post), shown)).await
}

/// `GET /status-pages/new`.
pub(super) async fn new_form(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let draft = StatusPageDraft {
        name: String::new(),
        services: Vec::new(),
        follow_alerts: true,
        enabled: true,
    };
    form(&app, &visitor, (None, draft), Vec::new()).await
}

/// `GET /status-pages/{id}/edit`.
pub(super) async fn edit(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let StatusPage { name, services, follow_alerts, enabled, .. } =
        app.get::<StatusPage>(&visitor.caller, id).await?.object;
    let draft = StatusPageDraft { name, services, follow_alerts, enabled };
    form(&app, &visitor, (Some(id), draft), Vec::new()).await
}

/// A page as typed. What is on it keeps its order; what is new comes last.
fn typed(sent: &Sent, before: &[PublicService]) -> StatusPageDraft {
    let chosen = sent.iter().filter(|(key, _)| key == "services");
    let mut services: Vec<ServiceId> = chosen.filter_map(|(_, id)| id.parse().ok()).collect();
    let place = |id: &ServiceId| before.iter().position(|it| it.service == *id);
    services.sort_by_key(|id| place(id).unwrap_or(usize::MAX));
    let public = |service: ServiceId| {
        let name = of(sent, &format!("name-{service}")).trim().to_owned();
        PublicService { service, name: (!name.is_empty()).then_some(name) }
    };
    StatusPageDraft {
        name: of(sent, "name").trim().to_owned(),
        services: services.into_iter().map(public).collect(),
        follow_alerts: of(sent, "follow_alerts") == "yes",
        enabled: of(sent, "enabled") == "yes",
    }
}

async fn form(
    app: &App,
    visitor: &Visitor,
    (id, draft): (Option<StatusPageId>, StatusPageDraft),
    mut errors: Vec<FieldError>,
) -> Result<Response, PageError> {
    visitor.caller.require(Permission::EditConfiguration).map_err(ObjectError::from)?;
    let offered = |it: Service| {
        let shown = draft.services.iter().find(|shown| shown.service == it.id);
        let public = shown.and_then(|shown| shown.name.clone()).unwrap_or_default();
        Offered { id: it.id, name: it.name, public, on: shown.is_some() }
    };
    let mut all = app.list::<Service>(&visitor.caller, &Page::first(MOST)).await?.items;
    for shown in &draft.services {
        // Of many services some are not listed; what is on the page is offered all the same.
        if all.iter().all(|it| it.id != shown.service) {
            match app.get::<Service>(&visitor.caller, shown.service).await {
                Ok(found) => all.push(found.object),
                Err(ObjectError::NotFound { .. }) => (),
                Err(error) => return Err(error.into()),
            }
        }
    }
    for error in errors.iter_mut().filter(|it| it.field.starts_with("services")) {
        "services".clone_into(&mut error.field);
    }
    let at = id.map_or_else(|| LIST.to_owned(), |id| format!("{LIST}/{id}"));
    let body = ConfigurationPage {
        heading: if id.is_some() { "Change the page" } else { "New status page" }.to_owned(),
        services: all.into_iter().map(offered).collect(),
        action: if id.is_some() { format!("{at}/edit") } else { format!("{at}/new") },
        button: if id.is_some() { "Save" } else { "Make status page" },
        delete: id.map(|_| format!("{at}/delete")),
        back: Link::new(at, if id.is_some() { "The page" } else { "Status pages" }),
        name: draft.name,
        follow_alerts: draft.follow_alerts,
        enabled: draft.enabled,
        errors,
    };
    let wrong = !body.errors.is_empty();
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shell = visitor.shell(app, &body.heading, Section::StatusPages).await?;
    let shell = shell.back(&body.back.href, &body.back.text);
    Ok(page(status, &shell, &body))
}

/// `POST /status-pages/new`.
pub(super) async fn create(
    State(app): State<App>,
    visitor: Visitor,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let draft = typed(&sent, &[]);
    match app.create::<StatusPage>(&visitor.caller, draft.clone(), WriteOptions::default()).await {
        Ok(made) => {
            let path = format!("{LIST}/{}", made.object.id);
            Ok(see(&visitor.browser, &path, "Made."))
        }
        Err(error) if is_theirs(&error) => {
            form(&app, &visitor, (None, draft), fields(&error, "name")).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /status-pages/{id}/edit`.
pub(super) async fn save(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let before = app.get::<StatusPage>(&visitor.caller, id).await?.object;
    let draft = typed(&sent, &before.services);
    let options = WriteOptions::default();
    match app.replace::<StatusPage>(&visitor.caller, id, draft.clone(), options).await {
        Ok(_) => Ok(see(&visitor.browser, &format!("{LIST}/{id}"), "Saved.")),
        Err(error) if is_theirs(&error) => {
            form(&app, &visitor, (Some(id), draft), fields(&error, "name")).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /status-pages/{id}/delete`.
pub(super) async fn delete(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    app.delete::<StatusPage>(&visitor.caller, parse(&id)?, WriteOptions::default()).await?;
    Ok(see(&visitor.browser, LIST, "Deleted."))
}
