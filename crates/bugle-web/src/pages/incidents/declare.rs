//! Declares an incident, of one's own accord or from an alert.

use axum::Form;
use axum::extract::{Query, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::incidents::NewIncident;
use bugle_app::permission::Permission;
use bugle_engine::incident::IncidentSeverity;
use bugle_engine::incident::room::Role;
use bugle_engine::status::bulletin::DeclaredTrouble;
use bugle_engine::status::{Component, State as Health};
use serde::Deserialize;

use super::severity;
use crate::pages::error::{PageError, fields, is_theirs};
use crate::pages::forms::{self, Field, Fields, FormPage, Sent, of};
use crate::pages::parts::{Choice, FieldError, Link};
use crate::pages::shell::Section;
use crate::pages::status_desk::chosen;
use crate::pages::visitor::{Visitor, see};

/// An incident, as typed.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    title: String,
    severity: String,
    affected: String,
    alert: String,
    whose: String,
    commander: String,
    communications: String,
    scribe: String,
    /// How bad it is for the public; empty: they are not told yet.
    told: String,
    /// What it touches of what they know.
    #[serde(skip)]
    components: Vec<Component>,
}

impl Typed {
    fn read(sent: &Sent) -> Self {
        Self {
            title: of(sent, "title"),
            severity: of(sent, "severity"),
            affected: of(sent, "affected"),
            alert: of(sent, "alert"),
            whose: of(sent, "whose"),
            commander: of(sent, "commander"),
            communications: of(sent, "communications"),
            scribe: of(sent, "scribe"),
            told: of(sent, "told"),
            components: chosen(sent),
        }
    }

    fn meant(&self) -> Result<NewIncident, Vec<FieldError>> {
        let alert = match self.alert.trim().trim_start_matches('#') {
            "" => None,
            number => Some(number.parse().map_err(|_| {
                vec![FieldError::new("alert", "Write the number of an alert, as in 4812.")]
            })?),
        };
        let named = [
            (Role::Commander, &self.commander),
            (Role::Communications, &self.communications),
            (Role::Scribe, &self.scribe),
        ];
        let named = named.into_iter().filter(|(_, name)| !name.trim().is_empty());
        Ok(NewIncident {
            installation: self.whose == "installation",
            title: self.title.clone(),
            severity: IncidentSeverity::parse(&self.severity),
            affected: self.affected.clone(),
            began_at: None,
            alert,
            roles: named.map(|(role, name)| (role, name.clone())).collect(),
            told: Health::parse(&self.told).map(|state| DeclaredTrouble {
                state,
                components: self.components.clone(),
                affected: self.affected.clone(),
            }),
        })
    }
}

/// `GET /incidents/new`, and `?alert=4812` from an alert.
pub(super) async fn form(
    State(app): State<App>,
    visitor: Visitor,
    Query(mut typed): Query<Typed>,
) -> Result<Response, PageError> {
    let caller = &visitor.caller;
    if !caller.operator {
        caller
            .require(Permission::LeadOwnIncidents)
            .map_err(bugle_app::incidents::IncidentError::from)?;
    }
    if typed.title.is_empty() && !typed.alert.is_empty() {
        let id = app.find_alert(caller, &typed.alert).await?;
        typed.title = app.alert(caller, id).await?.alert.summary;
    }
    show(&app, &visitor, &typed, Vec::new()).await
}

/// `POST /incidents/new`.
pub(super) async fn declare(
    State(app): State<App>,
    visitor: Visitor,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let typed = Typed::read(&sent);
    let new = match typed.meant() {
        Ok(new) => new,
        Err(errors) => return show(&app, &visitor, &typed, errors).await,
    };
    match app.declare_incident(&visitor.caller, new).await {
        Ok(id) => Ok(see(&visitor.browser, &format!("/incidents/{id}"), "It is declared.")),
        Err(error @ bugle_app::incidents::IncidentError::Forbidden(_)) => Err(error.into()),
        Err(error) if is_theirs(&error) => {
            show(&app, &visitor, &typed, fields(&error, "title")).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn show(
    app: &App,
    visitor: &Visitor,
    typed: &Typed,
    errors: Vec<FieldError>,
) -> Result<Response, PageError> {
    let (own, operator) =
        (visitor.caller.may(Permission::LeadOwnIncidents), visitor.caller.operator);
    let offered =
        if operator { app.status_desk(&visitor.caller).await?.components } else { vec![] };
    let body = page(typed, errors, (own, operator), &offered);
    forms::form(app, visitor, Section::Incidents, body).await
}

/// The form, for somebody who may declare one of the tenant or of the installation, and tell the
/// public of the components offered. Pure.
fn page(
    typed: &Typed,
    errors: Vec<FieldError>,
    (own, operator): (bool, bool),
    offered: &[(Component, Health)],
) -> FormPage {
    let severities = IncidentSeverity::ALL
        .map(|one| Choice::new(one.as_str(), severity(one), &typed.severity))
        .into();
    let mut whose = Vec::new();
    if own {
        whose.push(Choice::new("tenant", "Ours: seen by our people", &typed.whose));
    }
    if operator {
        let text = "The installation's: seen by operators";
        whose.push(Choice::new("installation", text, &typed.whose));
    }
    let wrong = vec![Field::text("title", "What is wrong, in a line", &*typed.title)];
    let affected = vec![
        Field::text("affected", "What is affected", &*typed.affected)
            .hint("As those who use it would say it."),
    ];
    let how = vec![
        Field::select("severity", "How bad it is", severities),
        Field::select("whose", "Whose it is", whose),
        Field::text("alert", "Alert", &*typed.alert).hint("Its number, if there is one."),
    ];
    let who = vec![
        Field::text("commander", "Commander", &*typed.commander).hint("You, if left empty."),
        Field::text("communications", "Communications lead", &*typed.communications)
            .hint("A name, or the beginning of one."),
        Field::text("scribe", "Scribe", &*typed.scribe).hint("Can be named later."),
    ];
    let group = |legend: &str, fields| Fields { legend: legend.to_owned(), fields };
    let mut groups = vec![group("", wrong), group("", affected), group("", how)];
    groups.push(group("Who does what", who));
    if !offered.is_empty() {
        let (bad, touched) = told(typed, offered);
        groups.push(group("What the public is told", vec![bad]));
        groups.push(group("", vec![touched]));
    }
    FormPage {
        back: Link::new("/incidents", "Incidents"),
        heading: "Declare a major incident".to_owned(),
        intro: "A room is opened, and its timeline fills itself. Nobody is paged by this."
            .to_owned(),
        sentences: Vec::new(),
        action: Some("/incidents/new".to_owned()),
        groups,
        button: "Declare it",
        delete: None,
        errors,
        said: None,
    }
}

/// What the public is told of it: how bad it is, and what it touches. Pure.
fn told(typed: &Typed, offered: &[(Component, Health)]) -> (Field, Field) {
    let worse = [Health::Degraded, Health::PartialOutage, Health::MajorOutage];
    let mut states = vec![Choice::new("", "Nothing yet", &typed.told)];
    states.extend(worse.map(|one| Choice::new(one.as_str(), one.words(), &typed.told)));
    let choice = |(component, _): &(Component, Health)| Choice {
        value: component.as_str().to_owned(),
        text: component.name().to_owned(),
        selected: typed.components.contains(component),
    };
    let touched = offered.iter().map(choice).collect();
    let bad = Field::select("told", "How bad it is for them", states).hint(
        "Of an incident of the installation they are told at once, in words made from what \
             is affected and the components chosen.",
    );
    (bad, Field::checks("components", "What it touches", touched))
}
