//! A schedule as it stands in its form: read from what was sent, changed by the form's own buttons,
//! turned into what is wanted. Pure.
//!
//! Everything is in the form, nothing is kept between requests: a layer that was taken out stays
//! in it, marked, until the whole is saved.

use bugle_app::UseCaseError;
use bugle_app::objects::Versioned;
use bugle_app::objects::draft::ScheduleDraft;
use bugle_domain::UserId;
use bugle_domain::schedule::{Layer, Restriction, Schedule, ShiftLength};
use jiff::civil::{DateTime, Time};

use crate::pages::error::fields;
use crate::pages::forms::lower;
use crate::pages::parts::FieldError;

/// How a form names a date with a time.
pub(super) const START_PATTERN: &str = "%Y-%m-%dT%H:%M";
const CLOCK_PATTERN: &str = "%H:%M";
const REMOVED: &str = "removed";

/// A schedule, as typed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Typed {
    pub(super) name: String,
    pub(super) time_zone: String,
    /// The version that the form was filled from.
    pub(super) version: i64,
    pub(super) layers: Vec<TypedLayer>,
}

/// A layer, as typed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct TypedLayer {
    /// Left out when the whole is saved.
    pub(super) removed: bool,
    pub(super) name: String,
    pub(super) count: String,
    pub(super) unit: String,
    pub(super) start: String,
    pub(super) people: Vec<UserId>,
    pub(super) hours: Vec<TypedHours>,
}

/// A part of the week, as typed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct TypedHours {
    pub(super) weekdays: Vec<u8>,
    pub(super) from: String,
    pub(super) to: String,
}

/// What a button of the form does. Layers, people and hours are counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Press {
    /// Saves the whole.
    Save,
    /// Shows what saving would cause.
    Preview,
    /// Adds a layer.
    AddLayer,
    /// Takes a layer out.
    Remove(usize),
    /// Takes it back in.
    Keep(usize),
    /// Moves a layer up.
    Up(usize),
    /// Moves a layer down.
    Down(usize),
    /// Adds the chosen person to a layer.
    AddPerson(usize),
    /// Moves a person of a layer up.
    PersonUp(usize, usize),
    /// Moves a person of a layer down.
    PersonDown(usize, usize),
    /// Takes a person out of a layer.
    RemovePerson(usize, usize),
    /// Adds a part of the week to a layer.
    AddHours(usize),
    /// Takes a part of the week out of a layer.
    RemoveHours(usize, usize),
}

impl Press {
    /// The button that was pressed. Where none is named nothing is saved.
    pub(super) fn of(pairs: &[(String, String)]) -> Self {
        let pressed = pairs.iter().find(|(key, _)| key == "do").map(|(_, value)| value.as_str());
        pressed.and_then(Self::parse).unwrap_or(Self::Preview)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let what = words.next()?;
        let mut place = || words.next()?.parse().ok();
        Some(match what {
            "save" => Self::Save,
            "preview" => Self::Preview,
            "add" => Self::AddLayer,
            "remove" => Self::Remove(place()?),
            "keep" => Self::Keep(place()?),
            "up" => Self::Up(place()?),
            "down" => Self::Down(place()?),
            "person-add" => Self::AddPerson(place()?),
            "person-up" => Self::PersonUp(place()?, place()?),
            "person-down" => Self::PersonDown(place()?, place()?),
            "person-remove" => Self::RemovePerson(place()?, place()?),
            "hours-add" => Self::AddHours(place()?),
            "hours-remove" => Self::RemoveHours(place()?, place()?),
            _ => return None,
        })
    }
}

impl Typed {
    /// The form of a schedule as it is.
    pub(super) fn of(it: Versioned<Schedule>) -> Self {
        Self {
            name: it.object.name,
            time_zone: it.object.time_zone,
            version: it.version,
            layers: it.object.layers.into_iter().map(TypedLayer::of).collect(),
        }
    }

    /// Reads what was sent. The fields come in the order of the page: `layer` begins a layer,
    /// `hours` a part of the week.
    pub(super) fn read(pairs: &[(String, String)]) -> Self {
        let mut typed = Self::default();
        for (key, value) in pairs {
            let value = value.trim();
            match key.as_str() {
                "name" => value.clone_into(&mut typed.name),
                "time_zone" => value.clone_into(&mut typed.time_zone),
                "version" => typed.version = value.parse().unwrap_or(0),
                "layer" => typed
                    .layers
                    .push(TypedLayer { removed: value == REMOVED, ..TypedLayer::default() }),
                key => {
                    if let Some(layer) = typed.layers.last_mut() {
                        layer.take(key, value);
                    }
                }
            }
        }
        typed
    }

    /// Does what a button says, and names the field to go on with. `start` is the first handoff
    /// of a new layer that has no other to follow.
    pub(super) fn press(&mut self, press: Press, start: &str) -> Option<String> {
        let layer = |at: usize, what: &str| Some(format!("layers-{at}-{what}"));
        match press {
            Press::Save | Press::Preview => None,
            Press::AddLayer => {
                self.layers.push(self.next_layer(start));
                layer(self.layers.len() - 1, "name")
            }
            Press::Remove(at) => {
                self.layers.get_mut(at)?.removed = true;
                layer(at, "keep")
            }
            Press::Keep(at) => {
                self.layers.get_mut(at)?.removed = false;
                layer(at, "name")
            }
            Press::Up(at) => {
                let (to, button) = up(&mut self.layers, at)?;
                layer(to, button)
            }
            Press::Down(at) => {
                let (to, button) = down(&mut self.layers, at)?;
                layer(to, button)
            }
            Press::AddPerson(at)
            | Press::PersonUp(at, _)
            | Press::PersonDown(at, _)
            | Press::RemovePerson(at, _)
            | Press::AddHours(at)
            | Press::RemoveHours(at, _) => {
                let what = self.layers.get_mut(at)?.press(press)?;
                layer(at, &what)
            }
        }
    }

    /// A layer that hands off when the one before it does, and has nobody yet.
    fn next_layer(&self, start: &str) -> TypedLayer {
        let start = self.layers.last().map_or(start, |layer| layer.start.as_str());
        TypedLayer {
            name: format!("Layer {}", self.layers.len() + 1),
            count: "1".to_owned(),
            unit: "weeks".to_owned(),
            start: start.to_owned(),
            ..TypedLayer::default()
        }
    }

    /// The schedule that is wanted, without the layers that were taken out.
    pub(super) fn draft(&self) -> Result<ScheduleDraft, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let mut layers = Vec::new();
        for (at, layer) in self.kept() {
            match layer.wanted(at) {
                Ok(wanted) => layers.push(wanted),
                Err(errors) => wrong.extend(errors),
            }
        }
        if wrong.is_empty() {
            let (name, time_zone) = (self.name.clone(), self.time_zone.clone());
            return Ok(ScheduleDraft { name, time_zone, layers });
        }
        Err(wrong)
    }

    fn kept(&self) -> impl Iterator<Item = (usize, &TypedLayer)> {
        self.layers.iter().enumerate().filter(|(_, layer)| !layer.removed)
    }

    /// What is wrong with the draft, at the fields of the form: what was taken out counts there.
    pub(super) fn errors(&self, error: &impl UseCaseError) -> Vec<FieldError> {
        let mut errors = fields(error, "name");
        for error in &mut errors {
            let Some(rest) = error.field.strip_prefix("layers-") else { continue };
            let Some((index, field)) = rest.split_once('-') else { continue };
            let index: Option<usize> = index.parse().ok();
            if let Some((at, _)) = index.and_then(|index| self.kept().nth(index)) {
                let text = format!("Layer {}, {}: {}", at + 1, label(field), lower(&error.text));
                *error = FieldError::new(format!("layers-{at}-{field}"), text);
            }
        }
        errors
    }
}

impl TypedLayer {
    fn of(it: Layer) -> Self {
        let (count, unit) = match it.length {
            ShiftLength::Hours(count) => (count, "hours"),
            ShiftLength::Days(count) => (count, "days"),
            ShiftLength::Weeks(count) => (count, "weeks"),
        };
        Self {
            removed: false,
            name: it.name,
            count: count.to_string(),
            unit: unit.to_owned(),
            start: it.start.strftime(START_PATTERN).to_string(),
            people: it.participants,
            hours: it.restrictions.into_iter().map(TypedHours::of).collect(),
        }
    }

    /// Takes one field of the form.
    fn take(&mut self, key: &str, value: &str) {
        match (key, self.hours.last_mut()) {
            ("layer_name", _) => value.clone_into(&mut self.name),
            ("count", _) => value.clone_into(&mut self.count),
            ("unit", _) => value.clone_into(&mut self.unit),
            ("start", _) => value.clone_into(&mut self.start),
            ("person", _) => self.people.extend(value.parse::<UserId>()),
            ("hours", _) => self.hours.push(TypedHours::default()),
            ("day", Some(hours)) => hours.weekdays.extend(value.parse::<u8>()),
            ("from", Some(hours)) => value.clone_into(&mut hours.from),
            ("to", Some(hours)) => value.clone_into(&mut hours.to),
            _ => (),
        }
    }

    /// Does what a button inside the layer says, and names the field to go on with.
    fn press(&mut self, press: Press) -> Option<String> {
        match press {
            Press::PersonUp(_, place) => {
                let (to, button) = up(&mut self.people, place)?;
                Some(format!("participants-{to}-{button}"))
            }
            Press::PersonDown(_, place) => {
                let (to, button) = down(&mut self.people, place)?;
                Some(format!("participants-{to}-{button}"))
            }
            Press::RemovePerson(_, place) => {
                (place < self.people.len()).then(|| self.people.remove(place))?;
                Some("add".to_owned())
            }
            Press::AddHours(_) => {
                self.hours.push(TypedHours::working());
                Some(format!("restrictions-{}-from", self.hours.len() - 1))
            }
            Press::RemoveHours(_, place) => {
                (place < self.hours.len()).then(|| self.hours.remove(place))?;
                Some("hours".to_owned())
            }
            // The chosen person was read with the others.
            _ => Some("add".to_owned()),
        }
    }

    fn wanted(&self, at: usize) -> Result<Layer, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let mut refuse = |what: &str, text: &str| {
            wrong.push(FieldError::new(format!("layers-{at}-{what}"), text));
        };
        let length = self.length();
        if length.is_none() {
            refuse("length-count", "Write how long a turn is, as a whole number.");
        }
        let start: Option<DateTime> = self.start.parse().ok();
        if start.is_none() {
            refuse("start", "Choose a date and a time, such as 2026-10-23 18:00.");
        }
        let mut restrictions = Vec::with_capacity(self.hours.len());
        for (place, hours) in self.hours.iter().enumerate() {
            match hours.wanted() {
                Some(wanted) => restrictions.push(wanted),
                None => refuse(
                    &format!("restrictions-{place}-from"),
                    "Write both times, such as 09:00 and 17:00.",
                ),
            }
        }
        match (length, start) {
            (Some(length), Some(start)) if wrong.is_empty() => {
                let (name, participants) = (self.name.clone(), self.people.clone());
                Ok(Layer { name, participants, start, length, restrictions })
            }
            _ => Err(wrong),
        }
    }

    fn length(&self) -> Option<ShiftLength> {
        let count = self.count.parse().ok()?;
        match self.unit.as_str() {
            "hours" => Some(ShiftLength::Hours(count)),
            "days" => Some(ShiftLength::Days(count)),
            "weeks" => Some(ShiftLength::Weeks(count)),
            _ => None,
        }
    }
}

impl TypedHours {
    fn of(it: Restriction) -> Self {
        let clock = |time: Time| time.strftime(CLOCK_PATTERN).to_string();
        Self { weekdays: it.weekdays, from: clock(it.from), to: clock(it.to) }
    }

    /// What most people mean by "not at all times".
    fn working() -> Self {
        Self { weekdays: (1..=5).collect(), from: "09:00".to_owned(), to: "17:00".to_owned() }
    }

    fn wanted(&self) -> Option<Restriction> {
        let (from, to) = (self.from.parse().ok()?, self.to.parse().ok()?);
        Some(Restriction { weekdays: self.weekdays.clone(), from, to })
    }
}

/// What the field of a layer asks for.
fn label(field: &str) -> &'static str {
    match field.split('-').next() {
        Some("name") => "its name",
        Some("length") => "how long a turn is",
        Some("start") => "first handoff",
        Some("participants") => "who takes turns",
        _ => "when it is active",
    }
}

/// Moves one of a list up, and says where it is now and which button to go on with.
fn up<T>(list: &mut [T], at: usize) -> Option<(usize, &'static str)> {
    let to = at.checked_sub(1).filter(|_| at < list.len())?;
    list.swap(at, to);
    Some((to, if to == 0 { "down" } else { "up" }))
}

/// Moves one of a list down, likewise.
fn down<T>(list: &mut [T], at: usize) -> Option<(usize, &'static str)> {
    let to = at.checked_add(1).filter(|to| *to < list.len())?;
    list.swap(at, to);
    Some((to, if to + 1 == list.len() { "up" } else { "down" }))
}

#[cfg(test)]
mod tests;
