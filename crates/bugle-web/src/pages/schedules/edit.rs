//! Changes who takes turns when: a schedule's name, zone and layers, in one form.
//!
//! Every button of the form sends the whole of it. All but *Save* answer with the form, changed,
//! so that nothing counts before it is saved, and all of it works without script.

mod typed;

use std::collections::BTreeMap;
use std::fmt::Display;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::objects::error::ObjectError;
use bugle_app::objects::{Versioned, WriteOptions};
use bugle_app::oncall::ScheduleView;
use bugle_app::paging::Page;
use bugle_app::permission::Permission;
use bugle_domain::schedule::Schedule;
use bugle_domain::user::User;
use bugle_domain::{ScheduleId, UserId};
use http::StatusCode;
use jiff::SignedDuration;
use jiff::civil::Time;

use self::typed::{Press, Typed, TypedHours, TypedLayer};
use super::show::PEOPLE;
use super::{Handoff, build, cover, create};
use crate::pages::error::{PageError, is_theirs, message, sentence};
use crate::pages::me::show::ZONES;
use crate::pages::parts::{Choice, FieldError};
use crate::pages::shell::{Section, page};
use crate::pages::times::Times;
use crate::pages::visitor::{Visitor, see};

/// How far the effect of a change is looked at.
pub(super) const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Days of a restriction, from Monday.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Where the first layer of a schedule that has none is proposed to hand off.
const PROPOSED_DAY: i8 = 1;
const PROPOSED_TIME: Time = Time::constant(10, 0, 0, 0);

#[derive(Template)]
#[template(path = "schedule_edit.html")]
pub(in crate::pages) struct EditPage {
    /// The schedule's page.
    pub(in crate::pages) href: String,
    /// What it is called now.
    pub(in crate::pages) heading: String,
    /// As typed.
    pub(in crate::pages) name: String,
    /// As typed.
    pub(in crate::pages) time_zone: String,
    /// Zones that are offered.
    pub(in crate::pages) zones: Vec<&'static str>,
    /// The version that the form was filled from.
    pub(in crate::pages) version: i64,
    /// The layers, first to last.
    pub(in crate::pages) layers: Vec<LayerForm>,
    /// What saving would cause.
    pub(in crate::pages) effect: Option<Effect>,
    /// The field to go on with.
    pub(in crate::pages) focus: Option<String>,
    /// What is wrong.
    pub(in crate::pages) errors: Vec<FieldError>,
}

/// A layer in the form.
pub(in crate::pages) struct LayerForm {
    at: usize,
    /// Begins the ids of its fields.
    id: String,
    last: bool,
    typed: TypedLayer,
    units: Vec<Choice>,
    people: Vec<Person>,
    /// Who can be added.
    others: Vec<Choice>,
}

/// Somebody who takes turns.
struct Person {
    id: UserId,
    name: String,
}

/// What saving would cause.
#[derive(Default)]
pub(in crate::pages) struct Effect {
    /// In sentences.
    pub(in crate::pages) sentences: Vec<String>,
    /// Who comes when, then.
    pub(in crate::pages) handoffs: Vec<Handoff>,
}

impl EditPage {
    /// The attributes that name an element, and put the cursor there where it is to go on.
    fn id(&self, layer: &LayerForm, what: impl Display) -> String {
        let id = format!("{}-{what}", layer.id);
        let here = self.focus.as_ref() == Some(&id);
        format!("id=\"{id}\"{}", if here { " autofocus" } else { "" })
    }

    /// What is wrong with a field of a layer.
    fn wrong(&self, layer: &LayerForm, what: impl Display) -> Option<&str> {
        let id = format!("{}-{what}", layer.id);
        self.errors.iter().find(|error| error.field == id).map(|error| error.text.as_str())
    }
}

impl LayerForm {
    /// The days of the week: number, name, whether it is ticked.
    fn days(hours: &TypedHours) -> impl Iterator<Item = (u8, &'static str, bool)> {
        let day = |(number, name)| (number, name, hours.weekdays.contains(&number));
        (1..).zip(DAYS).map(day)
    }
}

/// The layers as the form shows them.
fn layer_forms(layers: Vec<TypedLayer>, users: &[User]) -> Vec<LayerForm> {
    let names: BTreeMap<UserId, &str> =
        users.iter().map(|user| (user.id, user.name.as_str())).collect();
    let count = layers.len();
    let form = |(at, typed): (usize, TypedLayer)| {
        let unit = |unit: &str| Choice::new(unit, unit, &typed.unit);
        let name = |id: &UserId| names.get(id).copied().unwrap_or("A removed user").to_owned();
        let mut others = vec![Choice::new("", "Nobody else", "")];
        let there = users.iter().filter(|user| !user.disabled);
        others.extend(there.map(|user| Choice::new(user.id.to_string(), &*user.name, "")));
        LayerForm {
            at,
            id: format!("layers-{at}"),
            last: at + 1 == count,
            units: ["hours", "days", "weeks"].map(unit).to_vec(),
            people: typed.people.iter().map(|id| Person { id: *id, name: name(id) }).collect(),
            others,
            typed,
        }
    };
    layers.into_iter().enumerate().map(form).collect()
}

/// `GET /schedules/{id}/edit`.
pub(in crate::pages) async fn form(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let saved = open(&app, &visitor, &id).await?;
    show(&app, &visitor, Shown::of(saved)).await
}

/// `POST /schedules/{id}/edit`.
pub(in crate::pages) async fn change(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let saved = open(&app, &visitor, &id).await?;
    let mut form = Shown { typed: Typed::read(&pairs), ..Shown::of(saved) };
    let (id, press) = (form.id, Press::of(&pairs));
    if matches!(press, Press::Save | Press::Preview) {
        match plan(&app, &visitor, id, &form.typed).await? {
            Err(errors) => form.errors = errors,
            Ok(effect) if press == Press::Preview => form.effect = Some(effect),
            Ok(effect) => {
                let Err(errors) = save(&app, &visitor, id, &form.typed).await? else {
                    let said = format!("Saved. {}", effect.sentences.join(" "));
                    return Ok(see(&visitor.browser, &format!("/schedules/{id}"), &said));
                };
                form.errors = errors;
            }
        }
    } else {
        let times = Times::new(&form.typed.time_zone, visitor.times.now());
        let start = create::last(PROPOSED_DAY, PROPOSED_TIME, &times);
        form.focus = form.typed.press(press, &start.strftime(typed::START_PATTERN).to_string());
    }
    show(&app, &visitor, form).await
}

/// The schedule, for somebody who may change it.
async fn open(app: &App, visitor: &Visitor, id: &str) -> Result<Versioned<Schedule>, PageError> {
    let saved = app.get::<Schedule>(&visitor.caller, cover::parse(id)?).await?;
    visitor.caller.require(Permission::EditConfiguration).map_err(ObjectError::from)?;
    Ok(saved)
}

type Checked<T> = Result<Result<T, Vec<FieldError>>, PageError>;

/// Checks what is wanted, and says what it would cause.
async fn plan(app: &App, visitor: &Visitor, id: ScheduleId, typed: &Typed) -> Checked<Effect> {
    let draft = match typed.draft() {
        Ok(draft) => draft,
        Err(errors) => return Ok(Err(errors)),
    };
    let (caller, now) = (&visitor.caller, visitor.times.now());
    let options = WriteOptions { dry_run: true, expected_version: Some(typed.version) };
    let would = match app.replace::<Schedule>(caller, id, draft, options).await {
        Ok(would) => would.object,
        Err(error) if is_theirs(&error) => return Ok(Err(typed.errors(&error))),
        Err(error) => return Err(error.into()),
    };
    let before = app.schedule_view(caller, id, now, now + AHEAD).await?;
    let after = app.schedule_preview(caller, &would, now, now + AHEAD).await?;
    Ok(Ok(effect(Some(&before), &after, &Times::new(&would.time_zone, now))))
}

async fn save(app: &App, visitor: &Visitor, id: ScheduleId, typed: &Typed) -> Checked<()> {
    let draft = match typed.draft() {
        Ok(draft) => draft,
        Err(errors) => return Ok(Err(errors)),
    };
    let options = WriteOptions { dry_run: false, expected_version: Some(typed.version) };
    match app.replace::<Schedule>(&visitor.caller, id, draft, options).await {
        Ok(_) => Ok(Ok(())),
        Err(error) if is_theirs(&error) => Ok(Err(typed.errors(&error))),
        Err(error) => Err(error.into()),
    }
}

/// What a schedule amounts to, beside what stands now.
pub(super) fn effect(before: Option<&ScheduleView>, after: &ScheduleView, times: &Times) -> Effect {
    let name = |view: &ScheduleView| view.now.user.as_ref().map(|who| who.name.clone());
    let nobody = || "nobody".to_owned();
    let who = name(after);
    let instead = match before.map(name) {
        Some(other) if other != who => format!(" instead of {}", other.unwrap_or_else(nobody)),
        _ => String::new(),
    };
    let until = after.now.until.map(|at| format!(", until {}", times.date_hm(at)));
    let who = who.unwrap_or_else(|| "Nobody".to_owned());
    let gaps = build::gaps(&after.gaps, times);
    let gaps = match after.gaps.as_slice() {
        [] => "No gap in the next 30 days.".to_owned(),
        _ => format!("{} in the next 30 days. {}.", gaps.text, gaps.detail),
    };
    let now = format!("{who} is on call now{instead}{}.", until.unwrap_or_default());
    Effect { sentences: vec![now, gaps], handoffs: build::handoffs(after, times) }
}

/// What the form shows.
struct Shown {
    id: ScheduleId,
    heading: String,
    typed: Typed,
    effect: Option<Effect>,
    focus: Option<String>,
    errors: Vec<FieldError>,
}

impl Shown {
    /// The schedule as it is saved.
    fn of(saved: Versioned<Schedule>) -> Self {
        Self {
            id: saved.object.id,
            heading: saved.object.name.clone(),
            typed: Typed::of(saved),
            effect: None,
            focus: None,
            errors: Vec::new(),
        }
    }
}

async fn show(app: &App, visitor: &Visitor, form: Shown) -> Result<Response, PageError> {
    let users = app.list::<User>(&visitor.caller, &Page::first(PEOPLE)).await?.items;
    let href = format!("/schedules/{}", form.id);
    let wrong = !form.errors.is_empty();
    let shell_title =
        if wrong { format!("Error: {}", form.heading) } else { format!("Change {}", form.heading) };
    let shell = visitor.shell(app, &shell_title, Section::Schedules).await?;
    let shell = shell.back(&href, &form.heading);
    let body = EditPage {
        href,
        heading: form.heading,
        name: form.typed.name,
        time_zone: form.typed.time_zone,
        zones: ZONES.to_vec(),
        version: form.typed.version,
        layers: layer_forms(form.typed.layers, &users),
        effect: form.effect,
        focus: form.focus,
        errors: form.errors,
    };
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(page(status, &shell, &body))
}

/// `POST /schedules/{id}/delete`.
pub(in crate::pages) async fn delete(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = cover::parse(&id)?;
    match app.delete::<Schedule>(&visitor.caller, id, WriteOptions::default()).await {
        Ok(_) => Ok(see(&visitor.browser, "/schedules", "Deleted.")),
        Err(error @ ObjectError::InUse { .. }) => {
            let text = sentence(&error.to_string());
            Ok(message(StatusCode::CONFLICT, "It is still in use", &text))
        }
        Err(error) => Err(error.into()),
    }
}
