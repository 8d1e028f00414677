//! What is typed into the one box of an incident's room: plain text is a note, a slash begins a
//! command.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::IncidentSeverity;
use super::room::Role;
use crate::status::bulletin::Phase;

/// A command, as people are told of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// What is typed; what stands in capitals is filled in.
    pub typed: &'static str,
    /// What it does.
    pub does: &'static str,
}

/// What there is to type, in the order people are told of it.
pub const COMMANDS: [Usage; 16] = [
    usage("/severity critical|major", "says how bad it is"),
    usage("/lead NAME: REASON", "makes somebody commander"),
    usage("/comms NAME: REASON", "makes somebody communications lead"),
    usage("/scribe NAME: REASON", "makes somebody scribe"),
    usage("/page NAME: WHY", "pages somebody"),
    usage("/task TEXT", "notes something to be done"),
    usage("/done NUMBER", "says that a task is done"),
    usage("/update TEXT", "says something to those outside"),
    usage(
        "/status investigating|identified|monitoring|resolved|postmortem: TEXT",
        "says to the public how far it has come",
    ),
    usage("/next MINUTES", "promises the next update"),
    usage("/alert NUMBER", "adds an alert"),
    usage("/mitigated", "says that it does no more harm"),
    usage("/drained", "says that nothing waits any more"),
    usage("/join", "says that you are here"),
    usage("/leave", "says that you are gone"),
    usage("/close REASON", "says that it is over"),
];

const fn usage(typed: &'static str, does: &'static str) -> Usage {
    Usage { typed, does }
}

/// All that can be typed, as an error lists it.
fn listed() -> String {
    COMMANDS.map(|it| it.typed).join(", ")
}

/// Something to be done in a room, as it was asked for: people are named as people name them.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Write something down.
    Note {
        /// What.
        text: String,
    },
    /// Say how bad it is.
    Severity {
        /// How bad.
        severity: IncidentSeverity,
    },
    /// Make somebody responsible.
    Role {
        /// For what.
        role: Role,
        /// A name, the beginning of one, a mail address, an id, or `me`.
        to: String,
        /// Why; needed where somebody else has it.
        #[serde(default)]
        reason: String,
    },
    /// Page somebody.
    Page {
        /// Named as in [`Command::Role`].
        to: String,
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// Note something to be done.
    Task {
        /// What.
        text: String,
        /// By whom, named as in [`Command::Role`].
        #[serde(default)]
        assignee: Option<String>,
    },
    /// Say that a task is done.
    Done {
        /// Which.
        task: u32,
    },
    /// Say something to those outside.
    Update {
        /// What.
        text: String,
    },
    /// Say to the public how far it has come.
    Status {
        /// How far: a [phase of a trouble](Phase::OF_TROUBLE).
        phase: Phase,
        /// What is said.
        text: String,
    },
    /// Promise the next update.
    Next {
        /// In so many minutes.
        minutes: i64,
    },
    /// Say that an alert belongs to it.
    Alert {
        /// Its number.
        number: i64,
    },
    /// Say that it does no more harm.
    Mitigated {},
    /// Say that nothing waits any more.
    Drained {},
    /// Be here.
    Join {},
    /// Be gone.
    Leave {},
    /// Say that it is over.
    Close {
        /// Why.
        reason: String,
        /// When it did no more harm, where nobody said so before; left out: now.
        #[serde(default)]
        mitigated_at: Option<Timestamp>,
    },
}

impl Command {
    /// How long until the next update, of [`Command::Next`].
    pub fn within(minutes: i64) -> SignedDuration {
        SignedDuration::from_mins(minutes.clamp(0, 1_000_000))
    }
}

/// What was typed is no command.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommandError {
    /// There is none of that name.
    #[error(
        "there is no command /{0}. There are: {all}. A note that begins with a slash has a space \
         before it",
        all = listed()
    )]
    Unknown(String),
    /// What follows it does not fit.
    #[error("/{command} is followed by {wanted}")]
    Argument {
        /// Which.
        command: &'static str,
        /// What should follow.
        wanted: &'static str,
    },
}

/// The command that makes somebody responsible.
pub fn of_role(role: Role) -> &'static str {
    match role {
        Role::Commander => "lead",
        Role::Communications => "comms",
        Role::Scribe => "scribe",
    }
}

/// Reads what was typed.
///
/// # Errors
///
/// [`CommandError`] where a slash begins no command.
pub fn parse(text: &str) -> Result<Command, CommandError> {
    let Some(command) = text.strip_prefix('/') else {
        return Ok(Command::Note { text: text.to_owned() });
    };
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let rest = rest.trim();
    let role = Role::ALL.into_iter().find(|role| of_role(*role) == name);
    if let Some(role) = role {
        return give(role, rest);
    }
    let argument = |command, wanted| CommandError::Argument { command, wanted };
    match name {
        "severity" => IncidentSeverity::parse(rest)
            .map(|severity| Command::Severity { severity })
            .ok_or_else(|| argument("severity", "critical or major")),
        "page" => page(rest),
        "task" => Ok(Command::Task { text: rest.to_owned(), assignee: None }),
        "done" => number(rest)
            .map(|task| Command::Done { task })
            .ok_or_else(|| argument("done", "the number of a task")),
        "update" => Ok(Command::Update { text: rest.to_owned() }),
        "status" => status(rest),
        "next" => number(rest.trim_end_matches("min").trim_end_matches('m').trim_end())
            .map(|minutes| Command::Next { minutes })
            .ok_or_else(|| argument("next", "minutes, as in /next 30")),
        "alert" => number(rest.trim_start_matches('#'))
            .map(|number| Command::Alert { number })
            .ok_or_else(|| argument("alert", "the number of an alert")),
        "mitigated" => Ok(Command::Mitigated {}),
        "drained" => Ok(Command::Drained {}),
        "join" => Ok(Command::Join {}),
        "leave" => Ok(Command::Leave {}),
        "close" => Ok(Command::Close { reason: rest.to_owned(), mitigated_at: None }),
        unknown => Err(CommandError::Unknown(unknown.to_owned())),
    }
}

fn give(role: Role, rest: &str) -> Result<Command, CommandError> {
    let (to, reason) = rest.split_once(':').unwrap_or((rest, ""));
    if to.trim().is_empty() {
        let wanted = "a name and, where somebody else has it, a colon and the reason";
        return Err(CommandError::Argument { command: of_role(role), wanted });
    }
    let (to, reason) = (to.trim().to_owned(), reason.trim().to_owned());
    Ok(Command::Role { role, to, reason })
}

fn status(rest: &str) -> Result<Command, CommandError> {
    let wanted = "investigating, identified, monitoring, resolved or postmortem, a colon and what \
                  is said";
    let split = rest.split_once(':').map(|(phase, text)| (phase.trim(), text.trim()));
    let (phase, text) = split.filter(|(_, text)| !text.is_empty()).unwrap_or_default();
    let phase = Phase::OF_TROUBLE.into_iter().find(|it| it.as_str() == phase);
    let phase = phase.ok_or(CommandError::Argument { command: "status", wanted })?;
    Ok(Command::Status { phase, text: text.to_owned() })
}

fn page(rest: &str) -> Result<Command, CommandError> {
    let (to, reason) = rest.split_once(':').unwrap_or((rest, ""));
    if to.trim().is_empty() {
        return Err(CommandError::Argument { command: "page", wanted: "a name, a colon and why" });
    }
    Ok(Command::Page { to: to.trim().to_owned(), reason: reason.trim().to_owned() })
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Command {
        parse(text).unwrap()
    }

    #[test]
    fn plain_text_is_a_note_and_a_slash_begins_a_command() {
        assert_eq!(read("we look at db1"), Command::Note { text: "we look at db1".to_owned() });
        let severity = IncidentSeverity::Major;
        assert_eq!(read("/severity major"), Command::Severity { severity });
        let handed = Command::Role {
            role: Role::Commander,
            to: "Priya".to_owned(),
            reason: "I am off at six".to_owned(),
        };
        assert_eq!(read("/lead Priya: I am off at six"), handed);
        let (to, reason) = ("Priya".to_owned(), "the disk: it is full".to_owned());
        assert_eq!(read("/page Priya: the disk: it is full"), Command::Page { to, reason });
        let task = Command::Task { text: "call the bank".to_owned(), assignee: None };
        assert_eq!(read("/task call the bank"), task);
        let (phase, text) = (Phase::Identified, "it is the disk: full".to_owned());
        let identified = Command::Status { phase, text };
        assert_eq!(read("/status identified: it is the disk: full"), identified);
        assert_eq!(read("/next 30 min"), Command::Next { minutes: 30 });
        assert_eq!(read("/next 30m"), Command::Next { minutes: 30 });
        assert_eq!(read("/alert #4812"), Command::Alert { number: 4_812 });
        assert_eq!(read("/done 2"), Command::Done { task: 2 });
        assert_eq!(read("/mitigated"), Command::Mitigated {});
        assert_eq!(read("/close\nit is over"), closed("it is over"));
    }

    fn closed(reason: &str) -> Command {
        Command::Close { reason: reason.to_owned(), mitigated_at: None }
    }

    #[test]
    fn what_is_no_command_is_refused_with_all_there_are() {
        let said = parse("/laed Priya").unwrap_err().to_string();
        assert!(said.starts_with("there is no command /laed. There are: /severity"), "{said}");
        assert!(said.contains("/close REASON"), "{said}");
        for wrong in [
            "/severity bad",
            "/lead",
            "/lead : tired",
            "/page",
            "/page : look",
            "/next soon",
            "/done x",
            "/status",
            "/status identified",
            "/status identified:",
            "/status scheduled: at four",
            "/status api: down",
        ] {
            assert!(matches!(parse(wrong), Err(CommandError::Argument { .. })), "{wrong}");
        }
        assert!(matches!(read(" /var is full"), Command::Note { .. }));
    }

    #[test]
    fn every_command_that_is_listed_is_read_and_stands_in_the_document() {
        let document = include_str!("../../../../docs/how-to-run-an-incident.md");
        for Usage { typed, .. } in COMMANDS {
            let name = typed.split(' ').next().unwrap();
            assert!(document.contains(&format!("`{name}")), "{name}");
            let typed = typed.replace("critical|", "").replace("NAME", "Ada");
            let typed = typed.replace("NUMBER", "1").replace("MINUTES", "5");
            for phase in Phase::OF_TROUBLE.map(Phase::as_str) {
                let all = "investigating|identified|monitoring|resolved|postmortem";
                let typed = typed.replace(all, phase);
                assert!(parse(&typed).is_ok(), "{typed}");
            }
        }
    }
}
