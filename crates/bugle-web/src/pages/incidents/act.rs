//! What is done in a room: the one box, and a form for each command.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use bugle_app::App;
use bugle_app::incidents::{Audience, IncidentError};
use bugle_domain::IncidentId;
use bugle_engine::incident::IncidentSeverity;
use bugle_engine::incident::command::Command;
use bugle_engine::incident::room::Role;
use bugle_engine::status::board::Touched;
use bugle_engine::status::bulletin::Phase;
use serde::Deserialize;

use super::room::Sent;
use super::{Shown, Typed, answer_with, parse, wrong};
use crate::pages::error::{PageError, is_theirs, sentence};
use crate::pages::status::preview;
use crate::pages::times::utc;
use crate::pages::visitor::{Visitor, see};

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

impl Sent {
    /// What is meant, and the field that an error belongs to.
    fn command(&self) -> Option<(Command, &'static str)> {
        let (text, reason, to) = (self.text.clone(), self.reason.clone(), self.to.clone());
        Some(match self.act.as_str() {
            "join" => (Command::Join {}, "join"),
            "leave" => (Command::Leave {}, "join"),
            "mitigated" => (Command::Mitigated {}, "reason"),
            "drained" => (Command::Drained {}, "reason"),
            "update" => match self.phase() {
                Some(phase) => (Command::Status { phase, text }, "update"),
                None => (Command::Update { text }, "update"),
            },
            "page" => (Command::Page { to, reason }, "page"),
            "task" => {
                let assignee = Some(to).filter(|to| !to.is_empty());
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
                let role = Role::parse(&self.role)?;
                (Command::Role { role, to, reason }, role.as_str())
            }
            "close" => {
                let mitigated_at = utc(&self.mitigated_at);
                (Command::Close { reason, mitigated_at }, "reason")
            }
            _ => return None,
        })
    }

    /// How far it has come, of an update for the public.
    fn phase(&self) -> Option<Phase> {
        Phase::parse(&self.phase)
    }

    /// The field that is to blame where nothing is meant.
    fn unread(&self) -> &'static str {
        if self.act == "alert" { "number" } else { "entry" }
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
    if sent.act == "preview" {
        return show_preview(&app, &visitor, id, sent).await;
    }
    let (meant, blamed) = (sent.command(), sent.unread());
    let typed = Typed { sent, ..Typed::default() };
    let Some((command, field)) = meant else {
        // Whoever may not learns that first.
        app.may_act_in_incident(&visitor.caller, id).await?;
        let errors = wrong(blamed, "Choose what to do, or write a number.");
        return answer_with(&app, &visitor, id, Shown { errors, typed, ..Shown::default() }).await;
    };
    let done = app.act_in_incident(&visitor.caller, id, command).await;
    done_or_shown(&app, &visitor, id, (done, field, typed)).await
}

/// The room again, with how the public will read an update.
async fn show_preview(
    app: &App,
    visitor: &Visitor,
    id: IncidentId,
    sent: Sent,
) -> Result<Response, PageError> {
    let said = (sent.phase(), sent.text.clone());
    let typed = Typed { sent, ..Typed::default() };
    match app.preview_in_incident(&visitor.caller, id, said).await {
        Ok(it) => {
            let drawn = preview(&it.in_words(|it| Touched::from(*it)), None, app.now());
            let shown = Shown { typed, preview: Some(drawn), ..Shown::default() };
            answer_with(app, visitor, id, shown).await
        }
        Err(error) => shown(app, visitor, id, (error, "update", typed)).await,
    }
}

/// Back to the room where it was done; else what is wrong, with nothing typed lost.
async fn done_or_shown(
    app: &App,
    visitor: &Visitor,
    id: IncidentId,
    (done, field, typed): (Result<Audience, IncidentError>, &str, Typed),
) -> Result<Response, PageError> {
    let room = format!("/incidents/{id}");
    match done {
        Ok(Audience::Room) => Ok(Redirect::to(&room).into_response()),
        Ok(Audience::Public) => Ok(see(&visitor.browser, &room, "The public is told.")),
        Err(error) => shown(app, visitor, id, (error, field, typed)).await,
    }
}

/// What is wrong, with nothing typed lost.
async fn shown(
    app: &App,
    visitor: &Visitor,
    id: IncidentId,
    (error, field, typed): (IncidentError, &str, Typed),
) -> Result<Response, PageError> {
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
        let update = Sent { text: "It is the disk.".to_owned(), ..sent("update") };
        let text = update.text.clone();
        assert_eq!(update.command(), Some((Command::Update { text: text.clone() }, "update")));
        let public = Sent { phase: "identified".to_owned(), ..update };
        let wanted = Command::Status { phase: Phase::Identified, text };
        assert_eq!(public.command(), Some((wanted, "update")));
        for nothing in ["", "dance", "role", "severity", "next", "done", "alert"] {
            assert_eq!(sent(nothing).command(), None, "{nothing}");
        }
    }
}
