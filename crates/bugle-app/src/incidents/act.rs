//! Declaring an incident, and what is done in its room.
//!
//! Each act reads the room, changes it and keeps it only where nobody else did something meanwhile;
//! else it is done again on what is there then. So two people at once lose nothing.

use bugle_domain::{BulletinId, IncidentId};
use bugle_engine::incident::command::{self, Command};
use bugle_engine::incident::room::{self, Act, By, LinkedAlert, Origin, Role, Room};
use bugle_engine::incident::{IncidentLine, IncidentSeverity};
use bugle_engine::status::bulletin::{Bulletin, DeclaredTrouble, Phase};
use bugle_store::RoomRow;
use jiff::Timestamp;

use super::error::IncidentError;
use super::people::{self, meant};
use super::view::{Found, to_lead};
use crate::app::App;
use crate::caller::Caller;
use crate::entropy;
use crate::error::Chain;
use crate::permission::Permission;
use crate::status::{Post, check_told};

/// Incidents that people declared and that are open at once: of a tenant, or of the installation.
const MAX_OPEN: u32 = 20;
/// Times that an act is done again because others did something at the same moment.
const MAX_TRIES: u32 = 16;

/// An incident to be declared.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NewIncident {
    /// Whether it is the installation's own, which only operators declare.
    pub installation: bool,
    /// What is wrong, in a line. Empty: what the alert says.
    pub title: String,
    /// How bad it is; `None`: critical.
    pub severity: Option<IncidentSeverity>,
    /// What is affected, in words.
    pub affected: String,
    /// Since when it is broken; `None`: since the alert, or now.
    pub began_at: Option<Timestamp>,
    /// The number of the alert that it is declared from.
    pub alert: Option<i64>,
    /// Who is responsible for what, by name; whoever declares it leads where nobody is named.
    pub roles: Vec<(Role, String)>,
    /// What the public is told of the installation's, by itself; `None`: nothing yet.
    pub told: Option<DeclaredTrouble>,
}

/// Whom something that was done in a room has reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// Those who work on it.
    Room,
    /// Everybody: it is on the status page.
    Public,
}

impl App {
    /// Declares an incident. For operators, or for those who respond to the tenant's alerts.
    pub async fn declare_incident(
        &self,
        caller: &Caller,
        new: NewIncident,
    ) -> Result<IncidentId, IncidentError> {
        let whose = (!new.installation).then(|| caller.scope.tenant());
        caller.require(to_lead(whose))?;
        if let Some(told) = &new.told {
            check_told(caller, told, new.installation)?;
        }
        let now = self.now();
        let alert = match new.alert {
            Some(number) => Some(self.linked_alert(caller, number).await?),
            None => None,
        };
        let opened_at = alert.as_ref().map_or(now, |(_, at)| *at);
        let earliest = now.saturating_sub(room::MAX_AHEAD).unwrap_or(Timestamp::MIN);
        let began_at = new.began_at.unwrap_or(opened_at.max(earliest));
        let summary = alert.as_ref().map(|(alert, _)| alert.summary.as_str());
        let title = match new.title.trim() {
            "" => bugle_domain::text::truncate(summary.unwrap_or_default(), room::MAX_TITLE),
            title => title.to_owned(),
        };
        room::check_new(&title, &new.affected, began_at, now)?;
        let id = IncidentId::new(now, entropy::bytes());
        let severity = new.severity.unwrap_or(IncidentSeverity::Critical);
        let origin = Origin::Person { name: caller.shown_name() };
        let mut room = Room::new(id, origin, (severity, title), (began_at, now));
        (room.tenant, room.affected) = (whose, new.affected.trim().to_owned());
        room.detected_at = opened_at.max(began_at);
        let mut lines = vec![first_line(&room, caller, now)];
        self.give_roles(caller, &mut room, (&new.roles, &mut lines)).await?;
        if let Some((alert, _)) = alert {
            room.origin = Origin::Alert { name: caller.shown_name(), number: alert.number };
            lines.extend(act(&mut room, Act::LinkAlert(alert), caller, now)?);
        }
        if !self.inner().store.open_room(&room, &lines, MAX_OPEN).await? {
            return Err(IncidentError::TooManyOpen { most: MAX_OPEN });
        }
        tracing::warn!(incident = %room.id, title = room.title, "major incident declared by hand");
        metrics::counter!("bugle_incidents_total").increment(1);
        if let Some(told) = new.told
            && let Err(error) = self.tell_declared(caller, id, (told, began_at)).await
        {
            // It is declared all the same, and its page says that the public is not told.
            tracing::error!(incident = %id, error = %Chain(&error), "the public is not told");
        }
        Ok(room.id)
    }

    /// Gives the roles that were asked for, and the lead to whoever declares it.
    async fn give_roles(
        &self,
        caller: &Caller,
        room: &mut Room,
        (roles, lines): (&[(Role, String)], &mut Vec<IncidentLine>),
    ) -> Result<(), IncidentError> {
        let now = self.now();
        let candidates = self.inner().candidates(room).await?;
        for (role, wanted) in roles {
            let to = meant(&candidates, caller, wanted)?;
            lines.extend(act(room, give(*role, to, String::new()), caller, now)?);
        }
        let own = candidates.into_iter().find(|it| Some(it.person.user) == caller.user);
        if let Some(own) = own.filter(|_| !room.roles.contains_key(&Role::Commander)) {
            let lead = give(Role::Commander, own.person, String::new());
            lines.extend(act(room, lead, caller, now)?);
        }
        Ok(())
    }

    /// Does what was typed into the room's one box: a note, or a command behind a slash.
    pub async fn say_in_incident(
        &self,
        caller: &Caller,
        id: IncidentId,
        text: &str,
    ) -> Result<Audience, IncidentError> {
        let found = self.find_to_lead(caller, id).await?;
        self.obey(caller, found, command::parse(text)?).await
    }

    /// Does something in an incident's room. Doing the same twice is harmless, but for notes and
    /// tasks. For operators, or for those who respond to the tenant's alerts.
    pub async fn act_in_incident(
        &self,
        caller: &Caller,
        id: IncidentId,
        command: Command,
    ) -> Result<Audience, IncidentError> {
        let found = self.find_to_lead(caller, id).await?;
        self.obey(caller, found, command).await
    }

    async fn obey(
        &self,
        caller: &Caller,
        found: Found,
        command: Command,
    ) -> Result<Audience, IncidentError> {
        let act = self.understood(caller, &found.row.room, command).await?;
        let audience = match act {
            Act::Told { .. } => Audience::Public,
            _ => Audience::Room,
        };
        let (id, paged) = (found.row.room.id, act.pages().cloned());
        let done = self.done(caller, found, act).await;
        if let (Err(_), Some(person)) = (&done, paged) {
            // It was over meanwhile, and nobody else knows of the page.
            self.end_page_later(id, person);
        }
        done.map(|()| audience)
    }

    /// Whether the caller may work on an incident.
    ///
    /// # Errors
    ///
    /// As [`App::act_in_incident`] where they may not, or there is none.
    pub async fn may_act_in_incident(
        &self,
        caller: &Caller,
        id: IncidentId,
    ) -> Result<(), IncidentError> {
        self.find_to_lead(caller, id).await.map(drop)
    }

    async fn find_to_lead(&self, caller: &Caller, id: IncidentId) -> Result<Found, IncidentError> {
        if !caller.operator {
            caller.require(Permission::LeadOwnIncidents)?;
        }
        let found = self.find_incident(caller, id).await?;
        caller.require(to_lead(found.row.room.tenant))?;
        Ok(found)
    }

    /// Does it on what is there now, and again where others were quicker.
    async fn done(
        &self,
        caller: &Caller,
        mut found: Found,
        wanted: Act,
    ) -> Result<(), IncidentError> {
        let (id, inner) = (found.row.room.id, self.inner());
        let closes = matches!(wanted, Act::Close { .. });
        for _ in 0..MAX_TRIES {
            let RoomRow { mut room, version } = found.row;
            let before = room.clone();
            let lines = act(&mut room, wanted.clone(), caller, self.now())?;
            let kept = match &lines[..] {
                [] if room == before => return Ok(()),
                [note] if room == before => {
                    if !inner.store.add_incident_line(id, note).await? {
                        return Err(IncidentError::Full);
                    }
                    true
                }
                _ => {
                    let row = RoomRow { room: room.clone(), version };
                    inner.store.save_room(&row, &lines).await?
                }
            };
            if kept {
                inner.room_changed(id);
                if closes {
                    self.end_pages_later(room);
                }
                return Ok(());
            }
            found = self.find_to_lead(caller, id).await?;
        }
        Err(IncidentError::Busy)
    }

    /// The act that a command means.
    async fn understood(
        &self,
        caller: &Caller,
        room: &Room,
        command: Command,
    ) -> Result<Act, IncidentError> {
        Ok(match command {
            Command::Note { text } => Act::Note(text),
            Command::Severity { severity } => Act::SetSeverity(severity),
            Command::Role { role, to, reason } => {
                let candidates = self.inner().candidates(room).await?;
                give(role, meant(&candidates, caller, &to)?, reason)
            }
            Command::Task { text, assignee } => {
                let assignee = match assignee.filter(|name| !name.trim().is_empty()) {
                    Some(name) => {
                        let candidates = self.inner().candidates(room).await?;
                        Some(meant(&candidates, caller, &name)?.name)
                    }
                    None => None,
                };
                Act::AddTask { text, assignee }
            }
            Command::Done { task } => Act::FinishTask(task),
            Command::Update { text } if room.tenant.is_some() => Act::Posted { text },
            Command::Update { text } => self.tell_public(caller, room, (None, text)).await?,
            Command::Status { phase, text } => {
                self.tell_public(caller, room, (Some(phase), text)).await?
            }
            Command::Page { to, reason } => self.page_from(caller, room, (&to, reason)).await?,
            Command::Next { minutes } => Act::NextUpdate(Command::within(minutes)),
            Command::Alert { number } => Act::LinkAlert(self.linked_alert(caller, number).await?.0),
            Command::Mitigated {} => Act::Mitigated,
            Command::Drained {} => Act::Drained,
            Command::Join {} => Act::Join,
            Command::Leave {} => Act::Leave,
            Command::Close { reason, mitigated_at } => Act::Close { reason, mitigated_at },
        })
    }

    /// What the public would read of an incident of the installation if this was said now. Nothing
    /// is kept.
    pub async fn preview_in_incident(
        &self,
        caller: &Caller,
        id: IncidentId,
        (phase, text): (Option<Phase>, String),
    ) -> Result<Bulletin, IncidentError> {
        let found = self.find_to_lead(caller, id).await?;
        let (told, post) = self.to_public(&found.row.room, (phase, text)).await?;
        Ok(self.preview_update(caller, told, &post).await?)
    }

    /// Says something on the status page, which writes its own line into the timeline; what is left
    /// is that the promise is kept.
    async fn tell_public(
        &self,
        caller: &Caller,
        room: &Room,
        said: (Option<Phase>, String),
    ) -> Result<Act, IncidentError> {
        let (told, post) = self.to_public(room, said).await?;
        let drafted = self.post_update(caller, told, post).await?;
        let next = drafted.bulletin.next_by.filter(|_| drafted.by_hand);
        Ok(Act::Told { next_update_by: next })
    }

    /// The bulletin of an incident, and what is to be said in it; the phase stays where none is
    /// given.
    async fn to_public(
        &self,
        room: &Room,
        (phase, text): (Option<Phase>, String),
    ) -> Result<(BulletinId, Post), IncidentError> {
        if room.tenant.is_some() {
            return Err(IncidentError::NotPublic);
        }
        let told = self.inner().store.bulletin_of_incident(room.id).await?;
        let told = told.ok_or(IncidentError::NotTold)?;
        let phase = phase.or(Some(told.bulletin.phase()));
        Ok((told.bulletin.id, Post { version: told.version, phase, text }))
    }

    /// An alert of the caller's tenant, and when it was opened.
    async fn linked_alert(
        &self,
        caller: &Caller,
        number: i64,
    ) -> Result<(LinkedAlert, Timestamp), IncidentError> {
        let id = self.find_alert(caller, &number.to_string()).await?;
        let store = &self.inner().store;
        let alert = store.alert(caller.scope, id).await?.ok_or(IncidentError::NotFound)?;
        let linked = LinkedAlert {
            tenant: caller.scope.tenant(),
            id,
            number: alert.number,
            summary: alert.summary,
        };
        Ok((linked, alert.opened_at))
    }
}

pub(super) fn act(
    room: &mut Room,
    act: Act,
    caller: &Caller,
    now: Timestamp,
) -> Result<Vec<IncidentLine>, IncidentError> {
    let (name, person) = (caller.shown_name(), people::person(caller));
    Ok(room.act(act, By { name: &name, person: person.as_ref(), now })?)
}

fn give(role: Role, to: room::Person, reason: String) -> Act {
    Act::Give { role, to, reason }
}

fn first_line(room: &Room, caller: &Caller, now: Timestamp) -> IncidentLine {
    let affected = match room.affected.as_str() {
        "" => String::new(),
        affected => format!(" Affected: {affected}."),
    };
    let (by, title) = (caller.shown_name(), &room.title);
    let text = format!("Declared by {by}: {title}.{affected}");
    IncidentLine::new("people", text, now)
}
