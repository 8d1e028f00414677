//! What is done in a room: each act, what it changes, and what the timeline says of it.

use jiff::{SignedDuration, Timestamp};

use super::{
    Closed, LinkedAlert, MAX_AHEAD, MAX_ALERTS, MAX_HERE, MAX_PAGED, MAX_TASKS, MAX_TEXT,
    MAX_TITLE, Origin, Person, Role, Room, Task, after,
};
use crate::incident::{IncidentLine, IncidentSeverity, command};

/// Who does something, and when.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// How they are called in the timeline.
    pub name: &'a str,
    /// The person, where one acts.
    pub person: Option<&'a Person>,
    /// When.
    pub now: Timestamp,
}

/// What is done in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// "I am here."
    Join,
    /// "I am gone."
    Leave,
    /// Somebody becomes responsible; a reason is needed where somebody else was.
    Give {
        /// For what.
        role: Role,
        /// Who.
        to: Person,
        /// Why.
        reason: String,
    },
    /// Somebody is paged.
    Page {
        /// Who.
        to: Person,
        /// Why.
        reason: String,
    },
    /// Something is written down.
    Note(String),
    /// Something is to be done.
    AddTask {
        /// What.
        text: String,
        /// By whom.
        assignee: Option<String>,
    },
    /// A task is done.
    FinishTask(u32),
    /// It is worse or less bad than thought.
    SetSeverity(IncidentSeverity),
    /// The next update is promised in so long.
    NextUpdate(SignedDuration),
    /// Something was said to those outside.
    Posted {
        /// What.
        text: String,
    },
    /// Something was said to the public, where it stands in the timeline already.
    Told {
        /// When the next is promised for, where a person must say it.
        next_update_by: Option<Timestamp>,
    },
    /// It is about this alert, too.
    LinkAlert(LinkedAlert),
    /// It does no more harm.
    Mitigated,
    /// Nothing waits any more.
    Drained,
    /// It is over.
    Close {
        /// Why.
        reason: String,
        /// When it did no more harm, where nobody said so before; `None`: now.
        mitigated_at: Option<Timestamp>,
    },
}

impl Act {
    /// Who is paged by it.
    pub fn pages(&self) -> Option<&Person> {
        match self {
            Self::Page { to, .. } => Some(to),
            _ => None,
        }
    }
}

/// Why something can't be done in a room.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// It is over.
    #[error("this incident is closed: only notes can be added")]
    Closed,
    /// The watch ends it.
    #[error("the watch declared it and ends it by itself when nothing is broken")]
    EndsByItself,
    /// Somebody else has the role.
    #[error("{holder} is the {role}: say why it is handed over, as in \"/{command} NAME: REASON\"")]
    ReasonNeeded {
        /// Who has it.
        holder: String,
        /// Which.
        role: &'static str,
        /// The command that hands it over.
        command: &'static str,
    },
    /// There is nothing in it.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// It is too long.
    #[error("{what} may have at most {most} characters")]
    TooLong {
        /// What.
        what: &'static str,
        /// How many.
        most: usize,
    },
    /// There are too many.
    #[error("there can be at most {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        most: usize,
    },
    /// There is no such task.
    #[error("there is no task {0}")]
    NoTask(u32),
    /// A key can't be in a room.
    #[error("only a person can join")]
    NotAPerson,
    /// A time that can't be.
    #[error("{0}")]
    Time(&'static str),
}

impl Room {
    /// Does it; gives what is new for the timeline.
    ///
    /// # Errors
    ///
    /// [`Refusal`]: nothing is changed then.
    pub fn act(&mut self, act: Act, by: By<'_>) -> Result<Vec<IncidentLine>, Refusal> {
        if !self.open() && !matches!(act, Act::Note(_)) {
            return Err(Refusal::Closed);
        }
        let said = match act {
            Act::Join => self.join(by)?,
            Act::Leave => self.leave(by),
            Act::Give { role, to, reason } => self.give(role, to, &reason, by)?,
            Act::Page { to, reason } => self.page(to, &reason, by)?,
            Act::Note(text) => {
                Some(("note", format!("{}: {}", by.name, words("the note", &text)?)))
            }
            Act::AddTask { text, assignee } => self.add_task(&text, assignee, by)?,
            Act::FinishTask(number) => self.finish_task(number, by)?,
            Act::SetSeverity(severity) => self.set_severity(severity, by),
            Act::NextUpdate(within) => self.promise(within, by)?,
            Act::Posted { text } => self.posted(&text, by)?,
            Act::Told { next_update_by } => {
                self.keep_promise(next_update_by);
                return Ok(Vec::new());
            }
            Act::LinkAlert(alert) => return self.link(alert, by),
            Act::Mitigated => self.mark(true, by)?,
            Act::Drained => self.mark(false, by)?,
            Act::Close { reason, mitigated_at } => self.close(&reason, mitigated_at, by)?,
        };
        let line = |(source, text)| IncidentLine::new(source, text, by.now);
        Ok(said.map(line).into_iter().collect())
    }

    fn join(&mut self, by: By<'_>) -> Result<Option<Said>, Refusal> {
        let person = by.person.ok_or(Refusal::NotAPerson)?;
        if self.here.iter().any(|it| it.user == person.user) {
            return Ok(None);
        }
        fits(self.here.len(), "people in it", MAX_HERE)?;
        self.here.push(person.clone());
        Ok(Some(("people", format!("{} joined.", by.name))))
    }

    fn leave(&mut self, by: By<'_>) -> Option<Said> {
        let user = by.person?.user;
        let before = self.here.len();
        self.here.retain(|it| it.user != user);
        (self.here.len() < before).then(|| ("people", format!("{} left.", by.name)))
    }

    fn give(
        &mut self,
        role: Role,
        to: Person,
        reason: &str,
        by: By<'_>,
    ) -> Result<Option<Said>, Refusal> {
        let (reason, now) = (reason.trim(), role.words());
        no_longer("the reason", reason, MAX_TEXT)?;
        let before = self.roles.get(&role);
        if before.is_some_and(|holder| holder.user == to.user) {
            return Ok(None);
        }
        let text = match before {
            Some(holder) if reason.is_empty() => {
                let (holder, command) = (holder.name.clone(), command::of_role(role));
                return Err(Refusal::ReasonNeeded { holder, role: now, command });
            }
            Some(holder) => {
                format!("{} is now {now} instead of {}: {reason}", to.name, holder.name)
            }
            None if reason.is_empty() => format!("{} is {now}.", to.name),
            None => format!("{} is {now}: {reason}", to.name),
        };
        if self.here.iter().all(|it| it.user != to.user) && self.here.len() < MAX_HERE {
            self.here.push(to.clone());
        }
        self.roles.insert(role, to);
        Ok(Some(("role", said_by(text, by))))
    }

    fn page(&mut self, to: Person, reason: &str, by: By<'_>) -> Result<Option<Said>, Refusal> {
        let reason = words("the reason", reason)?;
        let text = format!("{} pages {}: {reason}", by.name, to.name);
        if self.paged.iter().all(|it| it.user != to.user) {
            fits(self.paged.len(), "people paged from it", MAX_PAGED)?;
            self.paged.push(to);
        }
        Ok(Some(("page", text)))
    }

    fn add_task(
        &mut self,
        text: &str,
        assignee: Option<String>,
        by: By<'_>,
    ) -> Result<Option<Said>, Refusal> {
        let text = words("the task", text)?.to_owned();
        fits(self.tasks.len(), "tasks", MAX_TASKS)?;
        let number = u32::try_from(self.tasks.len()).unwrap_or(u32::MAX).saturating_add(1);
        let for_whom = assignee.as_ref().map(|name| format!(" for {name}")).unwrap_or_default();
        let said = format!("Task {number}{for_whom}: {text}");
        self.tasks.push(Task { number, text, assignee, done: None });
        Ok(Some(("task", said_by(said, by))))
    }

    fn finish_task(&mut self, number: u32, by: By<'_>) -> Result<Option<Said>, Refusal> {
        let task = self.tasks.iter_mut().find(|task| task.number == number);
        let task = task.ok_or(Refusal::NoTask(number))?;
        if task.done.is_some() {
            return Ok(None);
        }
        task.done = Some((by.now, by.name.to_owned()));
        Ok(Some(("task", said_by(format!("Done, task {number}: {}", task.text), by))))
    }

    fn set_severity(&mut self, severity: IncidentSeverity, by: By<'_>) -> Option<Said> {
        let before = std::mem::replace(&mut self.severity, severity);
        let text = format!("Severity {} instead of {}.", severity.as_str(), before.as_str());
        (before != severity).then(|| ("people", said_by(text, by)))
    }

    fn promise(&mut self, within: SignedDuration, by: By<'_>) -> Result<Option<Said>, Refusal> {
        if within <= SignedDuration::ZERO || within > MAX_AHEAD {
            return Err(Refusal::Time("the next update must come within a week"));
        }
        self.next_update_by = Some(after(by.now, within));
        self.nags = None;
        let minutes = within.as_mins().max(1);
        Ok(Some(("status", said_by(format!("Next update promised in {minutes} min."), by))))
    }

    fn posted(&mut self, text: &str, by: By<'_>) -> Result<Option<Said>, Refusal> {
        let said = format!("Update by {}: {}", by.name, words("the update", text)?);
        self.first_post_at.get_or_insert(by.now);
        self.keep_promise(None);
        Ok(Some(("status", said)))
    }

    fn link(&mut self, alert: LinkedAlert, by: By<'_>) -> Result<Vec<IncidentLine>, Refusal> {
        if self.alerts.iter().any(|it| it.id == alert.id) {
            return Ok(Vec::new());
        }
        fits(self.alerts.len(), "alerts", MAX_ALERTS)?;
        let text = said_by(format!("Added alert #{}: {}", alert.number, alert.summary), by);
        let line = IncidentLine::new("people", text, by.now);
        let line = line.linked(format!("/alerts/{}", alert.number));
        self.alerts.push(alert);
        Ok(vec![line])
    }

    fn mark(&mut self, mitigated: bool, by: By<'_>) -> Result<Option<Said>, Refusal> {
        if self.origin == Origin::Watch {
            return Err(Refusal::EndsByItself);
        }
        let (at, text) = if mitigated {
            (&mut self.mitigated_at, "Mitigated: it does no more harm.")
        } else {
            (&mut self.drained_at, "Drained: nothing waits any more.")
        };
        if at.is_some() {
            return Ok(None);
        }
        *at = Some(by.now);
        Ok(Some(("recovery", said_by(text.to_owned(), by))))
    }

    fn close(
        &mut self,
        reason: &str,
        mitigated_at: Option<Timestamp>,
        by: By<'_>,
    ) -> Result<Option<Said>, Refusal> {
        if self.origin == Origin::Watch {
            return Err(Refusal::EndsByItself);
        }
        let reason = words("the reason", reason)?;
        let mitigated = mitigated_at.or(self.mitigated_at).unwrap_or(by.now);
        if mitigated < self.began_at || mitigated > by.now {
            return Err(Refusal::Time("it was mitigated between its beginning and now"));
        }
        self.mitigated_at = Some(mitigated);
        self.next_update_by = None;
        let (by_name, reason) = (by.name.to_owned(), reason.to_owned());
        let text = format!("Closed by {by_name}: {reason}");
        self.closed = Some(Closed { at: by.now, by: by_name, reason });
        Ok(Some(("recovery", text)))
    }
}

/// A source and a sentence.
type Said = (&'static str, String);

/// A sentence with the name of who did it, where it does not begin with that.
fn said_by(text: String, by: By<'_>) -> String {
    if text.starts_with(by.name) { text } else { format!("{text} ({})", by.name) }
}

fn fits(count: usize, what: &'static str, most: usize) -> Result<(), Refusal> {
    if count < most { Ok(()) } else { Err(Refusal::TooMany { what, most }) }
}

fn no_longer(what: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    if text.chars().count() <= most { Ok(()) } else { Err(Refusal::TooLong { what, most }) }
}

/// The text without what surrounds it, if it says anything.
fn words<'a>(what: &'static str, text: &'a str) -> Result<&'a str, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Refusal::Empty(what));
    }
    no_longer(what, text, MAX_TEXT)?;
    Ok(text)
}

/// Checks what an incident is declared with.
///
/// # Errors
///
/// [`Refusal`]: which text is empty or too long, or which time can't be.
pub fn check_new(
    title: &str,
    affected: &str,
    began_at: Timestamp,
    now: Timestamp,
) -> Result<(), Refusal> {
    if title.trim().is_empty() {
        return Err(Refusal::Empty("the title"));
    }
    no_longer("the title", title.trim(), MAX_TITLE)?;
    no_longer("what is affected", affected, MAX_TEXT)?;
    if began_at > now || now.duration_since(began_at) > MAX_AHEAD {
        return Err(Refusal::Time("it began within the last week, and not later than now"));
    }
    Ok(())
}
