//! The room of an incident: who leads, who is here, what is to be done, and when it is closed.
//!
//! Each act changes the room and says so in lines for the timeline, which nobody changes later. An
//! act that changes nothing gives no line, so that doing it twice is harmless.

mod act;

use std::collections::BTreeMap;

use bugle_domain::{AlertId, IncidentId, TenantId, UserId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::act::{Act, By, Refusal, check_new};
use super::{Incident, IncidentLine, IncidentSeverity};

/// Longest title, in characters.
pub const MAX_TITLE: usize = 120;
/// Longest text of anything else, in characters.
pub const MAX_TEXT: usize = 4_000;
/// Tasks of one incident.
pub const MAX_TASKS: usize = 50;
/// People in it at once.
pub const MAX_HERE: usize = 50;
/// People who are paged from it.
pub const MAX_PAGED: usize = 20;
/// Alerts that it is about.
pub const MAX_ALERTS: usize = 20;
/// An update is promised at most so far ahead, and an incident began at most so long ago.
pub const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Whoever owes an update is told again after so long.
const NAG_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// They are told so often about one promise.
const MAX_NAGS: u32 = 6;

/// What somebody is responsible for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Decides.
    Commander,
    /// Says what is said outside, and when.
    Communications,
    /// Writes down what is not written by itself.
    Scribe,
}

impl Role {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Commander, Self::Communications, Self::Scribe];

    /// The word used in API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Commander => "commander",
            Self::Communications => "communications",
            Self::Scribe => "scribe",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// What people call it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Commander => "commander",
            Self::Communications => "communications lead",
            Self::Scribe => "scribe",
        }
    }
}

/// A person in the room.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Person {
    /// Whose user.
    pub tenant: TenantId,
    /// Who.
    pub user: UserId,
    /// Their name then.
    pub name: String,
}

/// Who declared it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Origin {
    /// The watch, which ends it, too.
    Watch,
    /// Somebody, of their own accord.
    Person {
        /// Who.
        name: String,
    },
    /// Somebody, from an alert.
    Alert {
        /// Who.
        name: String,
        /// Its number.
        number: i64,
    },
}

/// Something to be done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Task {
    /// 1 for the first.
    pub number: u32,
    /// What.
    pub text: String,
    /// Who does it.
    pub assignee: Option<String>,
    /// When it was done, and who said so.
    pub done: Option<(Timestamp, String)>,
}

/// An alert that it is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LinkedAlert {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub id: AlertId,
    /// Its number.
    pub number: i64,
    /// What it said then.
    pub summary: String,
}

/// How it was closed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Closed {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// How often somebody was told that an update is due, and when last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Nags {
    /// How often.
    pub count: u32,
    /// When last.
    pub at: Timestamp,
}

/// What people make of an incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Room {
    /// The incident.
    pub id: IncidentId,
    /// Whose it is; `None`: the installation's.
    pub tenant: Option<TenantId>,
    /// Who declared it.
    pub origin: Origin,
    /// How bad it is.
    pub severity: IncidentSeverity,
    /// What is wrong, in a line.
    pub title: String,
    /// What is affected, in words; may be empty.
    pub affected: String,
    /// Since when it is broken, as far as is known.
    pub began_at: Timestamp,
    /// When that was noticed.
    pub detected_at: Timestamp,
    /// When it was declared.
    pub declared_at: Timestamp,
    /// Who is responsible for what.
    pub roles: BTreeMap<Role, Person>,
    /// Who is here, in order of joining.
    pub here: Vec<Person>,
    /// Who was paged from it, in order.
    #[serde(default)]
    pub paged: Vec<Person>,
    /// What is to be done, in order.
    pub tasks: Vec<Task>,
    /// What it is about.
    pub alerts: Vec<LinkedAlert>,
    /// When the next update was promised for.
    pub next_update_by: Option<Timestamp>,
    /// How often somebody was told that it is due.
    pub nags: Option<Nags>,
    /// When something was first said to those outside.
    pub first_post_at: Option<Timestamp>,
    /// When it did no more harm.
    pub mitigated_at: Option<Timestamp>,
    /// When nothing waited any more.
    pub drained_at: Option<Timestamp>,
    /// How it was closed.
    pub closed: Option<Closed>,
}

impl Room {
    /// The installation's, before anybody did anything in it: how bad it is and what is wrong;
    /// since when it is broken, and when that was noticed and declared.
    pub fn new(
        id: IncidentId,
        origin: Origin,
        (severity, title): (IncidentSeverity, String),
        (began_at, declared_at): (Timestamp, Timestamp),
    ) -> Self {
        Self {
            id,
            tenant: None,
            origin,
            severity,
            title,
            affected: String::new(),
            began_at,
            detected_at: declared_at,
            declared_at,
            roles: BTreeMap::new(),
            here: Vec::new(),
            paged: Vec::new(),
            tasks: Vec::new(),
            alerts: Vec::new(),
            next_update_by: None,
            nags: None,
            first_post_at: None,
            mitigated_at: None,
            drained_at: None,
            closed: None,
        }
    }

    /// The room of an incident that the watch declared, before anybody did anything in it.
    pub fn of_watch(incident: &Incident) -> Self {
        let (id, title) = (incident.id, incident.title.clone());
        let times = (incident.detected_at, incident.declared_at);
        let mut room = Self::new(id, Origin::Watch, (incident.severity, title), times);
        room.follow(incident);
        room
    }

    /// Takes over what the watch knows by now.
    pub fn follow(&mut self, incident: &Incident) {
        self.mitigated_at = incident.mitigated_at;
        self.drained_at = incident.drained_at;
        self.closed = incident.recovered_at.map(|at| Closed {
            at,
            by: "Bugle".to_owned(),
            reason: "nothing is broken, and nothing waits".to_owned(),
        });
    }

    /// Whether it goes on.
    pub fn open(&self) -> bool {
        self.closed.is_none()
    }

    /// Until when it lasted, or lasts.
    pub fn until(&self, now: Timestamp) -> Timestamp {
        self.closed.as_ref().map_or(now, |closed| closed.at)
    }

    /// Who owes the next update: the communications lead, or else the commander.
    pub fn speaker(&self) -> Option<&Person> {
        self.roles.get(&Role::Communications).or_else(|| self.roles.get(&Role::Commander))
    }

    /// Something was said outside, and by when the next must be, where that is promised.
    pub fn keep_promise(&mut self, next_update_by: Option<Timestamp>) {
        if self.next_update_by != next_update_by {
            (self.next_update_by, self.nags) = (next_update_by, None);
        }
    }

    /// When somebody is to be told (again) that an update is due.
    pub fn nag_at(&self) -> Option<Timestamp> {
        let due = self.next_update_by.filter(|_| self.open())?;
        match self.nags {
            None => Some(due),
            Some(nags) if nags.count < MAX_NAGS => Some(after(nags.at, NAG_EVERY)),
            Some(_) => None,
        }
    }

    /// Notes that somebody is told now; says so for the timeline. `None`: it is not the time.
    pub fn nag(&mut self, now: Timestamp) -> Option<IncidentLine> {
        self.nag_at().filter(|at| *at <= now)?;
        let count = self.nags.map_or(0, |nags| nags.count) + 1;
        self.nags = Some(Nags { count, at: now });
        let who = self.speaker().map_or("those on call", |person| person.name.as_str());
        Some(IncidentLine::new("status", format!("An update is due; told {who}."), now))
    }
}

fn after(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.saturating_add(span).unwrap_or(Timestamp::MAX)
}

/// How long everything took, in seconds from when it broke.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Timings {
    /// Until it was noticed.
    pub detect_s: Option<i64>,
    /// Until it was declared.
    pub declare_s: Option<i64>,
    /// Until something was first said to those outside.
    pub first_post_s: Option<i64>,
    /// Until it did no more harm.
    pub mitigate_s: Option<i64>,
    /// Until nothing waited any more.
    pub drain_s: Option<i64>,
}

impl Room {
    /// How long everything took; what has not happened is `None`.
    pub fn timings(&self) -> Timings {
        let took = |at: Timestamp| at.duration_since(self.began_at).as_secs().max(0);
        Timings {
            detect_s: Some(took(self.detected_at)),
            declare_s: Some(took(self.declared_at)),
            first_post_s: self.first_post_at.map(took),
            mitigate_s: self.mitigated_at.map(took),
            drain_s: self.drained_at.map(took),
        }
    }
}

#[cfg(test)]
mod tests;
