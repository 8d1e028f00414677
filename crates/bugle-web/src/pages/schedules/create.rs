//! Makes a schedule from the little that most teams need: people, handoff day and time, zone.

use axum::Form;
use axum::extract::State;
use axum::response::Response;
use bugle_app::App;
use bugle_app::objects::WriteOptions;
use bugle_app::objects::draft::ScheduleDraft;
use bugle_app::objects::error::ObjectError;
use bugle_app::paging::Page;
use bugle_app::permission::Permission;
use bugle_domain::schedule::{Layer, Schedule, ShiftLength};
use bugle_domain::user::User;
use jiff::ToSpan as _;
use jiff::civil::{DateTime, Time};

use super::edit::{AHEAD, effect};
use super::show::PEOPLE;
use crate::pages::error::{PageError, fields, is_theirs};
use crate::pages::forms::{self, Field, Fields, FormPage};
use crate::pages::parts::{Choice, FieldError, Link};
use crate::pages::shell::Section;
use crate::pages::times::Times;
use crate::pages::visitor::{Visitor, see};

/// Places for people that the form has, at least.
const PLACES: usize = 4;
const DAYS: [(&str, &str); 7] = [
    ("1", "Monday"),
    ("2", "Tuesday"),
    ("3", "Wednesday"),
    ("4", "Thursday"),
    ("5", "Friday"),
    ("6", "Saturday"),
    ("7", "Sunday"),
];

/// A new schedule, as typed.
#[derive(Default)]
struct Typed {
    name: String,
    people: Vec<String>,
    day: String,
    time: String,
    time_zone: String,
}

impl Typed {
    /// What most teams begin with.
    fn proposed(zone: &str) -> Self {
        Self {
            name: "On call".to_owned(),
            day: "1".to_owned(),
            time: "10:00".to_owned(),
            time_zone: zone.to_owned(),
            people: Vec::new(),
        }
    }

    fn read(pairs: Vec<(String, String)>) -> Self {
        let mut typed = Self::default();
        for (key, value) in pairs {
            let value = value.trim().to_owned();
            match key.as_str() {
                "name" => typed.name = value,
                "person" if !value.is_empty() => typed.people.push(value),
                "day" => typed.day = value,
                "time" => typed.time = value,
                "time_zone" => typed.time_zone = value,
                _ => (),
            }
        }
        typed
    }

    /// The people take weekly turns; the first one's has begun.
    fn draft(&self, times: &Times) -> Result<ScheduleDraft, Vec<FieldError>> {
        let Ok(time) = self.time.parse::<Time>() else {
            return Err(vec![FieldError::new("time", "Write a time, such as 10:00.")]);
        };
        let day = self.day.parse().ok().filter(|day| (1..=7).contains(day)).unwrap_or(1);
        let layer = Layer {
            name: "Rotation".to_owned(),
            participants: self.people.iter().filter_map(|id| id.parse().ok()).collect(),
            start: last(day, time, times),
            length: ShiftLength::Weeks(1),
            restrictions: Vec::new(),
        };
        let (name, time_zone) = (self.name.clone(), self.time_zone.clone());
        Ok(ScheduleDraft { name, time_zone, layers: vec![layer] })
    }
}

/// The last time, up to now, that the clocks showed `time` on that day of the week (1 = Monday).
pub(super) fn last(day: i8, time: Time, times: &Times) -> DateTime {
    let now = times.at(times.now()).datetime();
    let since = i64::from(now.weekday().to_monday_one_offset() - day).rem_euclid(7);
    let then = (now.date() - since.days()).to_datetime(time);
    if then <= now { then } else { then - 7.days() }
}

/// `GET /schedules/new`.
pub(in crate::pages) async fn form(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    show(&app, &visitor, &Typed::proposed(&visitor.me.time_zone), Vec::new()).await
}

async fn show(
    app: &App,
    visitor: &Visitor,
    typed: &Typed,
    errors: Vec<FieldError>,
) -> Result<Response, PageError> {
    visitor.caller.require(Permission::EditConfiguration).map_err(ObjectError::from)?;
    let mut users = app.list::<User>(&visitor.caller, &Page::first(PEOPLE)).await?.items;
    users.retain(|user| !user.disabled);
    let person = |place: usize| {
        let chosen = typed.people.get(place).map_or("", String::as_str);
        let mut choices = vec![Choice::new("", "Nobody else", chosen)];
        choices
            .extend(users.iter().map(|user| Choice::new(user.id.to_string(), &*user.name, chosen)));
        let label = if place == 0 { "First" } else { "Then" };
        Field::select("person", label, choices).id(format!("people-{place}"))
    };
    let places = PLACES.max(typed.people.len() + 1);
    let days = DAYS.map(|(value, text)| Choice::new(value, text, &typed.day)).to_vec();
    let handoff = vec![
        Field::select("day", "Every", days),
        Field { kind: "time", ..Field::text("time", "At", &*typed.time) },
        Field::text("time_zone", "Time zone", &*typed.time_zone).hint("Such as Europe/Berlin."),
    ];
    let group = |legend: &str, fields| Fields { legend: legend.to_owned(), fields };
    let body = FormPage {
        back: Link::new("/schedules", "Schedules"),
        heading: "New schedule".to_owned(),
        intro: "People take turns of a week. More layers, other turns and hours come after."
            .to_owned(),
        sentences: Vec::new(),
        action: Some("/schedules/new".to_owned()),
        groups: vec![
            group("", vec![Field::text("name", "Name", &*typed.name)]),
            group("Who takes turns, in order", (0..places).map(person).collect()),
            group("Handoff", handoff),
        ],
        button: "Make schedule",
        delete: None,
        errors,
        said: None,
    };
    forms::form(app, visitor, Section::Schedules, body).await
}

/// `POST /schedules/new`.
pub(in crate::pages) async fn create(
    State(app): State<App>,
    visitor: Visitor,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let typed = Typed::read(pairs);
    let now = visitor.times.now();
    let times = Times::new(&typed.time_zone, now);
    let draft = match typed.draft(&times) {
        Ok(draft) => draft,
        Err(errors) => return show(&app, &visitor, &typed, errors).await,
    };
    match app.create::<Schedule>(&visitor.caller, draft, WriteOptions::default()).await {
        Ok(made) => {
            let id = made.object.id;
            let view = app.schedule_view(&visitor.caller, id, now, now + AHEAD).await?;
            let said = format!("Made. {}", effect(None, &view, &times).sentences.join(" "));
            Ok(see(&visitor.browser, &format!("/schedules/{id}"), &said))
        }
        Err(error) if is_theirs(&error) => {
            let mut errors = fields(&error, "name");
            errors.iter_mut().for_each(here);
            show(&app, &visitor, &typed, errors).await
        }
        Err(error) => Err(error.into()),
    }
}

/// What is wrong with the one layer is shown at the fields that this form has for it.
fn here(error: &mut FieldError) {
    let Some(rest) = error.field.strip_prefix("layers-0-") else { return };
    let field = match rest.strip_prefix("participants") {
        Some("") => {
            "Choose who takes turns.".clone_into(&mut error.text);
            "people-0".to_owned()
        }
        Some(place) => format!("people{place}"),
        None => "time".to_owned(),
    };
    error.field = field;
}

#[cfg(test)]
mod tests;
