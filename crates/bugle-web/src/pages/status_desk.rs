//! What operators do with the status page: read what is told, post updates, take over, tell of a
//! trouble that the watch does not see, and plan maintenance.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::status::{
    ChannelCount, Desk, DraftedBulletin, NewMaintenance, NewTrouble, Post, StatusError,
    SubscriberCounts,
};
use bugle_domain::BulletinId;
use bugle_engine::status::board::Touched;
use bugle_engine::status::bulletin::{Bulletin, Phase};
use bugle_engine::status::{Component, State as Health};
use http::StatusCode;

use super::error::PageError;
use super::forms::{Sent, of};
use super::parts::{Choice, FieldError};
use super::shell::{Section, page};
use super::status::preview;
use super::status_bulletins::{
    Answer, BulletinPage, NewPage, Place, Told, answer, build_in, maintenance, parse, previews,
    theirs, told, touched, trouble,
};
use super::times::{Times, utc};
use super::visitor::{Visitor, forget_said, see};

#[derive(Template)]
#[template(path = "status_desk.html")]
pub(super) struct DeskPage {
    said: Option<String>,
    errors: Vec<FieldError>,
    on: bool,
    components: Vec<(&'static str, &'static str)>,
    bulletins: Vec<Told>,
    /// How many are told by which way.
    subscribers: Vec<(&'static str, String)>,
}

/// `GET /status-page`, for operators.
pub(super) async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, PageError> {
    desk(&app, &visitor, Vec::new()).await
}

async fn desk(
    app: &App,
    visitor: &Visitor,
    errors: Vec<FieldError>,
) -> Result<Response, PageError> {
    let told = app.status_desk(&visitor.caller).await?;
    let counts = app.subscriber_counts(&visitor.caller).await?;
    let mut body = build(told, &counts, &visitor.times);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    (body.errors, body.said) = (errors, visitor.browser.said.clone());
    let shell = visitor.shell(app, "Status page", Section::Status).await?;
    let mut response = page(status, &shell, &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// `POST /status-page/subscribers/remove`, for operators.
pub(super) async fn remove_subscriber(
    State(app): State<App>,
    visitor: Visitor,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let caller = &visitor.caller;
    let removed = match app.find_subscriber(caller, &of(&sent, "address")).await {
        Ok(found) => app.remove_subscriber(caller, found.id).await,
        Err(error) => Err(error),
    };
    match removed {
        Ok(()) => Ok(see(&visitor.browser, "/status-page", "The address is forgotten.")),
        Err(StatusError::NoSubscriber) => {
            let unknown = FieldError::new("address", "Nobody is told there.");
            desk(&app, &visitor, vec![unknown]).await
        }
        Err(error) => desk(&app, &visitor, theirs(error, "address")?).await,
    }
}

/// What the list says. Pure.
pub(super) fn build(desk: Desk, counts: &SubscriberCounts, times: &Times) -> DeskPage {
    let count = |it: &ChannelCount| {
        let asked =
            if it.asked > 0 { format!(", {} not confirmed", it.asked) } else { String::new() };
        (it.channel.as_str(), format!("{}{asked}", it.confirmed))
    };
    let place = Place::installation();
    let named = |(component, state): (Component, Health)| (component.name(), state.words());
    DeskPage {
        said: None,
        errors: Vec::new(),
        on: desk.on,
        components: desk.components.into_iter().map(named).collect(),
        bulletins: desk.bulletins.iter().map(|it| told(&place, it, times)).collect(),
        subscribers: counts.channels.iter().map(count).collect(),
    }
}

/// `GET /status-page/troubles/new`, for operators; `?incident=inc_…` for one that was declared.
pub(super) async fn new_trouble(
    State(app): State<App>,
    visitor: Visitor,
    Query(sent): Query<Sent>,
) -> Result<Response, PageError> {
    let desk = app.status_desk(&visitor.caller).await?;
    form(&app, &visitor, trouble_form(&desk, &sent, Answer::default())).await
}

/// `POST /status-page/troubles/new`: shows how it will be read, or tells of it.
pub(super) async fn tell(
    State(app): State<App>,
    visitor: Visitor,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let new = NewTrouble {
        incident: of(&sent, "incident").parse().ok(),
        title: of(&sent, "title"),
        text: of(&sent, "text"),
        state: Health::parse(&of(&sent, "state")),
        components: chosen(&sent),
    };
    let caller = &visitor.caller;
    let answer = if previews(&sent) {
        Answer::of(app.preview_trouble(caller, new).await.map(|it| drawn(&app, &it)), "title")?
    } else {
        match app.tell_trouble(caller, new).await {
            Ok(id) => return Ok(told_of(&visitor, id, "The public is told.")),
            Err(error) => Answer::wrong(error, "title")?,
        }
    };
    let desk = app.status_desk(caller).await?;
    form(&app, &visitor, trouble_form(&desk, &sent, answer)).await
}

/// How the public will read a bulletin.
fn drawn(app: &App, it: &Bulletin) -> String {
    preview(&it.in_words(|it| Touched::from(*it)), None, app.now())
}

fn told_of(visitor: &Visitor, id: BulletinId, said: &str) -> Response {
    see(&visitor.browser, &format!("/status-page/{id}"), said)
}

/// `GET /status-page/maintenance/new`, for operators.
pub(super) async fn new_maintenance(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let desk = app.status_desk(&visitor.caller).await?;
    form(&app, &visitor, maintenance_form(&desk, &Vec::new(), Answer::default())).await
}

/// `POST /status-page/maintenance/new`: shows how it will be read, or announces it.
pub(super) async fn plan(
    State(app): State<App>,
    visitor: Visitor,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let new = NewMaintenance {
        title: of(&sent, "title"),
        text: of(&sent, "text"),
        components: chosen(&sent),
        from: utc(&of(&sent, "from")),
        until: utc(&of(&sent, "until")),
    };
    let caller = &visitor.caller;
    let answer = if previews(&sent) {
        Answer::of(app.preview_maintenance(caller, new).map(|it| drawn(&app, &it)), "title")?
    } else {
        match app.plan_maintenance(caller, new).await {
            Ok(id) => return Ok(told_of(&visitor, id, "It is announced.")),
            Err(error) => Answer::wrong(error, "title")?,
        }
    };
    let desk = app.status_desk(caller).await?;
    form(&app, &visitor, maintenance_form(&desk, &sent, answer)).await
}

async fn form(app: &App, visitor: &Visitor, body: NewPage) -> Result<Response, PageError> {
    let shell = visitor.shell(app, body.heading(), Section::Status).await?;
    Ok(page(body.status(), &shell.back("/status-page", "Status page"), &body))
}

/// The form for a trouble. Pure.
pub(super) fn trouble_form(desk: &Desk, sent: &Sent, answer: Answer) -> NewPage {
    trouble(Place::installation(), choices(desk, sent), sent, answer)
}

/// The form for scheduled maintenance. Pure.
pub(super) fn maintenance_form(desk: &Desk, sent: &Sent, answer: Answer) -> NewPage {
    maintenance(Place::installation(), choices(desk, sent), sent, answer)
}

fn choices(desk: &Desk, sent: &Sent) -> Vec<Choice> {
    let chosen = chosen(sent);
    let choice = |(component, _): &(Component, Health)| Choice {
        value: component.as_str().to_owned(),
        text: component.name().to_owned(),
        selected: chosen.contains(component),
    };
    desk.components.iter().map(choice).collect()
}

pub(super) fn chosen(sent: &Sent) -> Vec<Component> {
    touched(sent).filter_map(Component::parse).collect()
}

/// `GET /status-page/{id}`, for operators.
pub(super) async fn one(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let drafted = app.bulletin(&visitor.caller, parse(&id)?).await?;
    bulletin(&app, &visitor, build_one(drafted, None, &visitor.times), Answer::default()).await
}

/// `POST /status-page/{id}/post`: shows how something will be read, or says it.
pub(super) async fn post(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let post = Post {
        version: of(&sent, "version").parse().unwrap_or(0),
        phase: Phase::parse(&of(&sent, "phase")),
        text: of(&sent, "text"),
    };
    let (caller, typed) = (&visitor.caller, post.clone());
    let shown = if previews(&sent) {
        let would_be = app.preview_update(caller, id, &post).await;
        Answer::of(would_be.map(|it| drawn(&app, &it)), "text")?
    } else {
        match app.post_update(caller, id, post).await {
            Ok(_) => return Ok(told_of(&visitor, id, "It is posted.")),
            Err(error) => Answer::wrong(error, "text")?,
        }
    };
    let drafted = app.bulletin(caller, id).await?;
    bulletin(&app, &visitor, build_one(drafted, Some(typed), &visitor.times), shown).await
}

/// `POST /status-page/{id}/hand`: takes it over, or gives it back.
pub(super) async fn hand(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let (id, take) = (parse(&id)?, of(&sent, "take") == "yes");
    app.take_over_bulletin(&visitor.caller, id, take).await?;
    let said = if take { "It is yours: nothing is posted by itself." } else { "It is given back." };
    Ok(see(&visitor.browser, &format!("/status-page/{id}"), said))
}

async fn bulletin(
    app: &App,
    visitor: &Visitor,
    body: BulletinPage,
    shown: Answer,
) -> Result<Response, PageError> {
    let back = Place::installation().back;
    answer(app, visitor, (Section::Status, back), (body, shown)).await
}

/// What the page of one says: its draft, or what was typed. Pure.
pub(super) fn build_one(
    drafted: DraftedBulletin,
    typed: Option<Post>,
    times: &Times,
) -> BulletinPage {
    let DraftedBulletin { bulletin, version, draft, by_hand } = drafted;
    let bulletin = bulletin.in_words(|it| Touched::from(*it));
    let drafted = DraftedBulletin { bulletin, version, draft, by_hand };
    build_in(&Place::installation(), drafted, typed, times)
}
