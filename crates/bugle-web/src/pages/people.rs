//! Users and teams.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::objects::WriteOptions;
use bugle_app::objects::draft::{TeamDraft, UserDraft};
use bugle_app::paging::Page;
use bugle_app::permission::Permission;
use bugle_domain::role::Role;
use bugle_domain::user::{Team, User};
use bugle_domain::{TeamId, UserId};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::error::{PageError, fields, is_theirs, sentence};
use super::forms::{self, Field, Fields, FormPage, Group, ListPage, Row};
use super::parts::{Choice, FieldError, Link};
use super::shell::Section;
use super::visitor::{Visitor, see};

const MOST: u32 = 200;
/// Empty places for members after those that a team has.
const PLACES: usize = 3;

/// `GET /people`.
pub(super) async fn list(State(app): State<App>, visitor: Visitor) -> Result<Response, PageError> {
    let users = app.list::<User>(&visitor.caller, &Page::first(MOST)).await?.items;
    let teams = app.list::<Team>(&visitor.caller, &Page::first(MOST)).await?.items;
    let manage = visitor.caller.may(Permission::ManageUsers);
    let team = |it: Team| {
        let names: Vec<&str> = it
            .members
            .iter()
            .filter_map(|member| users.iter().find(|user| user.id == *member))
            .map(User::first_name)
            .collect();
        Row {
            href: Some(format!("/people/teams/{}", it.id)),
            text: names.join(", "),
            badge: String::new(),
            name: it.name,
        }
    };
    let teams = teams.into_iter().map(team).collect();
    let user = |it: &User| Row {
        href: Some(format!("/people/{}", it.id)),
        name: it.name.clone(),
        text: format!("{} · {}", it.email, it.time_zone),
        badge: if it.disabled { "disabled".to_owned() } else { it.role.as_str().to_owned() },
    };
    let body = ListPage {
        title: "People",
        intro: "Who can be told, and who can act.",
        new: manage.then(|| Link::new("/people/new", "Invite somebody")),
        groups: vec![
            Group { title: "", empty: "Nobody yet.", rows: users.iter().map(user).collect() },
            Group { title: "Teams", empty: "No teams yet.", rows: teams },
        ],
        said: visitor.browser.said.clone(),
    };
    forms::list(&app, &visitor, Section::People, body).await
}

/// A person, as typed.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Typed {
    name: String,
    email: String,
    role: String,
    #[serde(default)]
    time_zone: String,
    #[serde(default)]
    disabled: String,
}

impl Typed {
    fn of(it: User) -> Self {
        Self {
            name: it.name,
            email: it.email.to_string(),
            role: it.role.as_str().to_owned(),
            time_zone: it.time_zone,
            disabled: if it.disabled { "yes" } else { "" }.to_owned(),
        }
    }

    fn draft(&self) -> Result<UserDraft, Vec<FieldError>> {
        let email = self.email.parse().map_err(|error: bugle_domain::contact::AddressError| {
            vec![FieldError::new("email", sentence(&error.to_string()))]
        })?;
        Ok(UserDraft {
            name: self.name.trim().to_owned(),
            email,
            role: Role::parse(&self.role).unwrap_or(Role::Responder),
            time_zone: self.time_zone.trim().to_owned(),
            disabled: self.disabled == "yes",
        })
    }
}

fn parse(id: &str) -> Result<UserId, PageError> {
    id.parse().map_err(|_| PageError::not_found("There is no such person."))
}

/// `GET /people/new`.
pub(super) async fn new_form(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let typed = Typed { role: "responder".to_owned(), ..Typed::default() };
    form(&app, &visitor, &typed, None, Vec::new()).await
}

/// `GET /people/{id}`.
pub(super) async fn one(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let it = app.get::<User>(&visitor.caller, id).await?.object;
    form(&app, &visitor, &Typed::of(it), Some(id), Vec::new()).await
}

async fn form(
    app: &App,
    visitor: &Visitor,
    typed: &Typed,
    id: Option<UserId>,
    errors: Vec<FieldError>,
) -> Result<Response, PageError> {
    let manage = visitor.caller.may(Permission::ManageUsers);
    let role = |role: Role| Choice::new(role.as_str(), role.as_str(), &typed.role);
    let email = Field { kind: "email", ..Field::text("email", "Email", &*typed.email) };
    let mut rows = vec![
        vec![Field::text("name", "Name", &*typed.name), email],
        vec![
            Field::select("role", "May do", Role::ALL.map(role).to_vec()),
            Field::text("time_zone", "Time zone", &*typed.time_zone).hint("Empty: the tenant’s."),
        ],
    ];
    if id.is_some() {
        let choices = vec![
            Choice::new("", "Can sign in and be paged", &typed.disabled),
            Choice::new("yes", "Disabled: can’t sign in, is never paged", &typed.disabled),
        ];
        rows.push(vec![Field::select("disabled", "State", choices)]);
    }
    let path = id.map_or_else(|| "/people/new".to_owned(), |id| format!("/people/{id}"));
    let group = |fields| Fields { legend: String::new(), fields };
    let body = FormPage {
        back: Link::new("/people", "People"),
        heading: if id.is_some() { typed.name.clone() } else { "Invite somebody".to_owned() },
        intro: if id.is_some() {
            String::new()
        } else {
            "You get a link for them that works once. They add their own phone.".to_owned()
        },
        sentences: Vec::new(),
        action: manage.then(|| path.clone()),
        groups: rows.into_iter().map(group).collect(),
        button: if id.is_some() { "Save" } else { "Make a link" },
        delete: id.filter(|_| manage).map(|_| format!("{path}/delete")),
        errors,
        said: visitor.browser.said.clone(),
    };
    forms::form(app, visitor, Section::People, body).await
}

/// `POST /people/new`: the answer shows the link, once.
pub(super) async fn invite(
    State(app): State<App>,
    visitor: Visitor,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let draft = match typed.draft() {
        Ok(draft) => draft,
        Err(errors) => return form(&app, &visitor, &typed, None, errors).await,
    };
    match app.invite_user(&visitor.caller, draft).await {
        Ok(invited) => {
            let base = app.public_url().as_str().trim_end_matches('/');
            let token = invited.link.token.expose_secret();
            let said = format!("Give {} this link: {base}/s/{token}", typed.name.trim());
            Ok(see(&visitor.browser, "/people", &said))
        }
        Err(error) if is_theirs(&error) => {
            form(&app, &visitor, &typed, None, fields(&error, "name")).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /people/{id}`.
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
    match app.replace::<User>(&visitor.caller, id, draft, WriteOptions::default()).await {
        Ok(_) => Ok(see(&visitor.browser, "/people", "Saved.")),
        Err(error) if is_theirs(&error) => {
            form(&app, &visitor, &typed, Some(id), fields(&error, "name")).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /people/{id}/delete`.
pub(super) async fn delete(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let gone = app.delete::<User>(&visitor.caller, parse(&id)?, WriteOptions::default()).await?;
    let said = format!("Deleted. {}", gone.also.join(" "));
    Ok(see(&visitor.browser, "/people", &said))
}

fn parse_team(id: &str) -> Result<TeamId, PageError> {
    id.parse().map_err(|_| PageError::not_found("There is no such team."))
}

/// `GET /people/teams/{id}`.
pub(super) async fn team(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let it = app.get::<Team>(&visitor.caller, parse_team(&id)?).await?.object;
    let users = app.list::<User>(&visitor.caller, &Page::first(MOST)).await?.items;
    let edit = visitor.caller.may(Permission::EditConfiguration);
    let place = |(at, chosen): (usize, String)| {
        let mut choices = vec![Choice::new("", "Nobody", &chosen)];
        choices.extend(
            users.iter().map(|user| Choice::new(user.id.to_string(), &*user.name, &chosen)),
        );
        Field::select("member", &format!("Member {}", at + 1), choices).id(format!("member-{at}"))
    };
    let empty = std::iter::repeat_n(String::new(), PLACES);
    let members = it.members.iter().map(ToString::to_string).chain(empty).enumerate().map(place);
    let group = |legend: &str, fields| Fields { legend: legend.to_owned(), fields };
    let body = FormPage {
        back: Link::new("/people", "People"),
        heading: it.name.clone(),
        intro: String::new(),
        sentences: Vec::new(),
        action: edit.then(|| format!("/people/teams/{id}")),
        groups: vec![
            group("", vec![Field::text("name", "Name", it.name)]),
            group("Members", members.collect()),
        ],
        button: "Save",
        delete: None,
        errors: Vec::new(),
        said: visitor.browser.said.clone(),
    };
    forms::form(&app, &visitor, Section::People, body).await
}

/// `POST /people/teams/{id}`.
pub(super) async fn save_team(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let id = parse_team(&id)?;
    let name = pairs.iter().find(|(key, _)| key == "name").map(|(_, value)| value.trim());
    let mut members: Vec<UserId> = Vec::new();
    for (_, value) in pairs.iter().filter(|(key, _)| key == "member") {
        members.extend(value.parse().ok().filter(|member| !members.contains(member)));
    }
    let draft = TeamDraft { name: name.unwrap_or_default().to_owned(), members };
    app.replace::<Team>(&visitor.caller, id, draft, WriteOptions::default()).await?;
    Ok(see(&visitor.browser, "/people", "Saved."))
}
