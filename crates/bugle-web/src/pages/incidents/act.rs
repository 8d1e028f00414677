//! What is done in a room: the one box, and a form for each command.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use bugle_app::App;
use bugle_app::incidents::IncidentError;
use bugle_domain::IncidentId;
use bugle_engine::incident::IncidentSeverity;
use bugle_engine::incident::command::Command;
use bugle_engine::incident::room::Role;
use serde::Deserialize;

use super::{Shown, Typed, answer_with, parse, wrong};
use crate::pages::error::{PageError, is_theirs, sentence};
use crate::pages::times::utc;
use crate::pages::visitor::Visitor;

/// What was typed into the one box.
#[derive(Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    text: String,
}

/// `POST /incidents/{id}/say`: a note, or a command behind a slash.
pub(super) async fn say(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Said { text }): Form<Said>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let done = app.say_in_incident(&visitor.caller, id, &text).await;
    let typed = Typed { say: text, ..Typed::default() };
    done_or_shown(&app, &visitor, id, (done, "entry", typed)).await
}

/// The fields of all forms of a room.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    act: String,
    text: String,
    reason: String,
    role: String,
    to: String,
    task: String,
    minutes: String,
    severity: String,
    number: String,
    mitigated_at: String,
}

impl Sent {
    /// What is meant, and the field that an error belongs to.
    fn command(&self) -> Option<(Command, &'static str)> {
        let text = self.text.clone();
        Some(match self.act.as_str() {
            "join" => (Command::Join {}, "join"),
            "leave" => (Command::Leave {}, "join"),
            "mitigated" => (Command::Mitigated {}, "reason"),
            "drained" => (Command::Drained {}, "reason"),
            "update" => (Command::Update { text }, "update"),
            "page" => {
                let (to, reason) = (self.to.clone(), self.reason.clone());
                (Command::Page { to, reason }, "page")
            }
            "task" => {
                let assignee = Some(self.to.clone()).filter(|to| !to.is_empty());
                (Command::Task { text, assignee }, "task")
            }
            "done" => (Command::Done { task: self.task.parse().ok()? }, "task"),
            "next" => (Command::Next { minutes: self.minutes.parse().ok()? }, "minutes"),
            "alert" => {
                let number = self.number.trim().trim_start_matches('#').parse().ok()?;
                (Command::Alert { number }, "number")
            }
            "severity" => {
                let severity = IncidentSeverity::parse(&self.severity)?;
                (Command::Severity { severity }, "severity")
            }
            "role" => {
                let (to, reason) = (self.to.clone(), self.reason.clone());
                let role = Role::parse(&self.role)?;
                (Command::Role { role, to, reason }, field_of(role))
            }
            "close" => {
                let mitigated_at = utc(&self.mitigated_at);
                let reason = self.reason.clone();
                (Command::Close { reason, mitigated_at }, "reason")
            }
            _ => return None,
        })
    }
}

/// The field of the form that hands a role over.
fn field_of(role: Role) -> &'static str {
    match role {
        Role::Commander => "commander",
        Role::Communications => "communications",
        Role::Scribe => "scribe",
    }
}

/// `POST /incidents/{id}/do`: one of the forms.
pub(super) async fn act(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let Some((command, field)) = sent.command() else {
        // Whoever may not learns that first.
        app.may_act_in_incident(&visitor.caller, id).await?;
        let errors = wrong("entry", "Choose what to do, or write a number.");
        return answer_with(&app, &visitor, id, Shown { errors, ..Shown::default() }).await;
    };
    let done = app.act_in_incident(&visitor.caller, id, command).await;
    let mut typed = Typed::default();
    match field {
        "update" => typed.update = sent.text,
        "task" => typed.task = sent.text,
        "page" => typed.page = sent.reason,
        "reason" => typed.reason = sent.reason,
        _ => (),
    }
    done_or_shown(&app, &visitor, id, (done, field, typed)).await
}

/// Back to the room where it was done; else what is wrong, with nothing typed lost.
async fn done_or_shown(
    app: &App,
    visitor: &Visitor,
    id: IncidentId,
    (done, field, typed): (Result<(), IncidentError>, &str, Typed),
) -> Result<Response, PageError> {
    let Err(error) = done else {
        return Ok(Redirect::to(&format!("/incidents/{id}")).into_response());
    };
    if !is_theirs(&error) || matches!(error, IncidentError::Forbidden(_)) {
        return Err(error.into());
    }
    let errors = wrong(field, sentence(&error.to_string()));
    answer_with(app, visitor, id, Shown { errors, typed, ..Shown::default() }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(act: &str) -> Sent {
        Sent { act: act.to_owned(), ..Sent::default() }
    }

    #[test]
    fn a_form_means_what_a_command_means() {
        let close = Sent { mitigated_at: "2026-11-25T02:42".to_owned(), ..sent("close") };
        let Some((Command::Close { mitigated_at, .. }, "reason")) = close.command() else {
            panic!("not a close");
        };
        assert_eq!(mitigated_at, "2026-11-25T02:42:00Z".parse().ok());
        let alert = Sent { number: " #12 ".to_owned(), ..sent("alert") };
        assert_eq!(alert.command(), Some((Command::Alert { number: 12 }, "number")));
        let task = Sent { text: "call".to_owned(), ..sent("task") };
        let wanted = Command::Task { text: "call".to_owned(), assignee: None };
        assert_eq!(task.command(), Some((wanted, "task")));
        for nothing in ["", "dance", "role", "severity", "next", "done", "alert"] {
            assert_eq!(sent(nothing).command(), None, "{nothing}");
        }
    }
}
