//! Escalation policies: a ladder of sentences, and the form that changes it.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::objects::WriteOptions;
use bugle_app::objects::draft::PolicyDraft;
use bugle_app::oncall::OnCallNow;
use bugle_app::paging::Page;
use bugle_app::permission::Permission;
use bugle_domain::PolicyId;
use bugle_domain::policy::{Level, Policy, Target};
use bugle_domain::user::{Team, User};
use http::StatusCode;
use jiff::SignedDuration;

use super::error::{PageError, fields, is_theirs};
use super::forms::{self, Field, Fields, FormPage, Group, ListPage, Row};
use super::parts::{Choice, FieldError, Link};
use super::shell::Section;
use super::times::{length, plural, size};
use super::visitor::{Visitor, see};

const MOST: u32 = 200;
/// Empty levels after those that a policy has.
const LEVELS: usize = 2;
/// Targets of one level that the form has places for, at least.
const TARGETS: usize = 3;

/// Names that a policy's sentences need.
struct Names {
    schedules: Vec<OnCallNow>,
    users: Vec<User>,
    teams: Vec<Team>,
}

impl Names {
    async fn read(app: &App, visitor: &Visitor) -> Result<Self, PageError> {
        let caller = &visitor.caller;
        Ok(Self {
            schedules: app.on_call(caller).await?,
            users: app.list::<User>(caller, &Page::first(MOST)).await?.items,
            teams: app.list::<Team>(caller, &Page::first(MOST)).await?.items,
        })
    }

    /// `Payments primary (now: Lena)`.
    fn target(&self, target: Target) -> String {
        let gone = || "somebody who was removed".to_owned();
        match target {
            Target::User(id) => {
                self.users.iter().find(|it| it.id == id).map_or_else(gone, |it| it.name.clone())
            }
            Target::Team(id) => {
                let team = self.teams.iter().find(|it| it.id == id);
                team.map_or_else(gone, |it| format!("everyone in {}", it.name))
            }
            Target::Schedule(id) => {
                let Some(it) = self.schedules.iter().find(|it| it.schedule == id) else {
                    return gone();
                };
                let now = it.user.as_ref().map_or("nobody", |who| who.name.as_str());
                format!("{} (now: {now})", it.name)
            }
        }
    }

    /// Schedules first: they are what people mean.
    fn choices(&self, chosen: &str) -> Vec<Choice> {
        let mut choices = vec![Choice::new("", "Nobody else", chosen)];
        let schedules = self.schedules.iter();
        choices.extend(schedules.map(|it| {
            Choice::new(it.schedule.to_string(), format!("{} (schedule)", it.name), chosen)
        }));
        let users = self.users.iter();
        choices.extend(users.map(|it| Choice::new(it.id.to_string(), &*it.name, chosen)));
        let teams = self.teams.iter();
        choices.extend(
            teams.map(|it| {
                Choice::new(it.id.to_string(), format!("Everyone in {}", it.name), chosen)
            }),
        );
        choices
    }

    /// The ladder, as sentences.
    fn ladder(&self, levels: &[Level], repeat: u8) -> Vec<String> {
        let mut out = Vec::new();
        let mut wait = None;
        for level in levels {
            let whom: Vec<String> = level.targets.iter().map(|it| self.target(*it)).collect();
            let whom = if whom.is_empty() { "nobody".to_owned() } else { whom.join(" and ") };
            out.push(match wait {
                None => format!("At once: {whom}."),
                Some(wait) => format!("If no answer in {wait}: {whom}."),
            });
            wait = Some(length(SignedDuration::from_secs(level.delay_s.into())));
        }
        if repeat > 0 {
            out.push(format!("All of it {} more.", plural(repeat.into(), "time", "times")));
        }
        out.push("Then: the fallback policy.".to_owned());
        out
    }
}

fn text_of(target: Target) -> String {
    match target {
        Target::User(id) => id.to_string(),
        Target::Team(id) => id.to_string(),
        Target::Schedule(id) => id.to_string(),
    }
}

fn target_of(text: &str) -> Option<Target> {
    let schedule = text.parse().ok().map(Target::Schedule);
    schedule
        .or_else(|| text.parse().ok().map(Target::User))
        .or_else(|| text.parse().ok().map(Target::Team))
}

fn parse(id: &str) -> Result<PolicyId, PageError> {
    id.parse().map_err(|_| PageError::not_found("There is no such policy."))
}

/// `GET /policies`.
pub(super) async fn list(State(app): State<App>, visitor: Visitor) -> Result<Response, PageError> {
    let policies = app.list::<Policy>(&visitor.caller, &Page::first(MOST)).await?.items;
    let names = Names::read(&app, &visitor).await?;
    let row = |it: Policy| Row {
        href: Some(format!("/policies/{}", it.id)),
        text: names.ladder(&it.levels, it.repeat).into_iter().take(2).collect::<Vec<_>>().join(" "),
        badge: plural(size(it.levels.len()), "level", "levels"),
        name: it.name,
    };
    let edit = visitor.caller.may(Permission::EditConfiguration);
    let body = ListPage {
        title: "Escalation",
        intro: "Who is told, in what order, how long between.",
        new: edit.then(|| Link::new("/policies/new", "New policy")),
        groups: vec![Group {
            title: "",
            empty: "No policies yet.",
            rows: policies.into_iter().map(row).collect(),
        }],
        said: visitor.browser.said.clone(),
    };
    forms::list(&app, &visitor, Section::Policies, body).await
}

/// `GET /policies/new`.
pub(super) async fn new_form(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let draft = PolicyDraft { name: String::new(), levels: Vec::new(), repeat: 1 };
    form(&app, &visitor, &draft, None, Vec::new()).await
}

/// `GET /policies/{id}`.
pub(super) async fn one(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let it = app.get::<Policy>(&visitor.caller, id).await?.object;
    let draft = PolicyDraft { name: it.name, levels: it.levels, repeat: it.repeat };
    form(&app, &visitor, &draft, Some(id), Vec::new()).await
}

fn level_fields(names: &Names, at: usize, level: Option<&Level>) -> Fields {
    let targets = level.map_or(&[][..], |level| &level.targets);
    let places = TARGETS.max(targets.len() + 1);
    let mut fields: Vec<Field> = (0..places)
        .map(|place| {
            let chosen = targets.get(place).map(|it| text_of(*it)).unwrap_or_default();
            let label = if place == 0 { "Tell" } else { "And" };
            Field::select("target", label, names.choices(&chosen))
                .id(format!("levels-{at}-targets-{place}"))
        })
        .collect();
    let seconds = level.map_or(300, |level| level.delay_s).to_string();
    let wait = Field::text("delay_s", "Then wait, in seconds", seconds);
    fields.push(wait.id(format!("levels-{at}-delay_s")).hint("10 to 86,400"));
    Fields { legend: format!("Level {}", at + 1), fields }
}

async fn form(
    app: &App,
    visitor: &Visitor,
    draft: &PolicyDraft,
    id: Option<PolicyId>,
    errors: Vec<FieldError>,
) -> Result<Response, PageError> {
    let names = Names::read(app, visitor).await?;
    let edit = visitor.caller.may(Permission::EditConfiguration);
    let path = id.map_or_else(|| "/policies/new".to_owned(), |id| format!("/policies/{id}"));
    let name = Field::text("name", "Name", &*draft.name);
    let mut groups = vec![Fields { legend: String::new(), fields: vec![name] }];
    let places = draft.levels.len() + LEVELS;
    groups.extend((0..places).map(|at| level_fields(&names, at, draft.levels.get(at))));
    let repeat = Field::text("repeat", "Go through it again, times", draft.repeat.to_string());
    groups.push(Fields { legend: String::new(), fields: vec![repeat.hint("0 to 9")] });
    let body = FormPage {
        back: Link::new("/policies", "Escalation"),
        heading: if id.is_some() { draft.name.clone() } else { "New policy".to_owned() },
        intro: "A level without anybody to tell is left out. Alerts in flight keep the policy \
                they began with."
            .to_owned(),
        sentences: if draft.levels.is_empty() {
            Vec::new()
        } else {
            names.ladder(&draft.levels, draft.repeat)
        },
        action: edit.then(|| path.clone()),
        groups,
        button: if id.is_some() { "Save" } else { "Make policy" },
        delete: id.filter(|_| edit).map(|_| format!("{path}/delete")),
        errors,
        said: visitor.browser.said.clone(),
    };
    forms::form(app, visitor, Section::Policies, body).await
}

/// Reads the form: a level ends with its wait.
fn read(pairs: &[(String, String)]) -> PolicyDraft {
    let mut draft = PolicyDraft { name: String::new(), levels: Vec::new(), repeat: 0 };
    let mut targets = Vec::new();
    for (key, value) in pairs {
        let value = value.trim();
        match key.as_str() {
            "name" => value.clone_into(&mut draft.name),
            "repeat" => draft.repeat = value.parse().unwrap_or(u8::MAX),
            "target" => targets.extend(target_of(value)),
            "delay_s" if !targets.is_empty() => {
                let delay_s = value.parse().unwrap_or(0);
                draft.levels.push(Level { targets: std::mem::take(&mut targets), delay_s });
            }
            _ => (),
        }
    }
    draft
}

/// `POST /policies/new`.
pub(super) async fn create(
    State(app): State<App>,
    visitor: Visitor,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let draft = read(&pairs);
    match app.create::<Policy>(&visitor.caller, draft.clone(), WriteOptions::default()).await {
        Ok(_) => Ok(see(&visitor.browser, "/policies", "Made.")),
        Err(error) if is_theirs(&error) => {
            form(&app, &visitor, &draft, None, fields(&error, "name")).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /policies/{id}`.
pub(super) async fn save(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let (id, draft) = (parse(&id)?, read(&pairs));
    let options = WriteOptions::default();
    match app.replace::<Policy>(&visitor.caller, id, draft.clone(), options).await {
        Ok(_) => Ok(see(&visitor.browser, &format!("/policies/{id}"), "Saved.")),
        Err(error) if is_theirs(&error) => {
            form(&app, &visitor, &draft, Some(id), fields(&error, "name")).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /policies/{id}/delete`.
pub(super) async fn delete(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    match app.delete::<Policy>(&visitor.caller, parse(&id)?, WriteOptions::default()).await {
        Ok(_) => Ok(see(&visitor.browser, "/policies", "Deleted.")),
        Err(error) if is_theirs(&error) => {
            let text = super::error::sentence(&error.to_string());
            Ok(super::error::message(StatusCode::CONFLICT, "It is still in use", &text))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
