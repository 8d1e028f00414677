//! Bulletins: what the public is told of one trouble or scheduled maintenance, update by update.
//!
//! The first update of a declared incident is made by itself, and so is what must be said when it
//! is mended, over, or when an update that was promised is due. Where a person has taken over,
//! Bugle only drafts.

use bugle_domain::{BulletinId, IncidentId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::rules::{self, Installed, States};
use super::words::{self, Facts};
use super::{Component, State};
use crate::incident::Incident;
use crate::watch::{Hop, Verdict};

/// Updates of one bulletin; more are not kept apart.
pub const MAX_UPDATES: usize = 200;
/// An update that was promised is made by itself so long before it is late.
const AHEAD: SignedDuration = SignedDuration::from_secs(30);

/// How far it has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It is not known why.
    Investigating,
    /// It is known why.
    Identified,
    /// It works again, and is looked after.
    Monitoring,
    /// It is over.
    Resolved,
    /// It is over, and what was learned of it is told.
    Postmortem,
    /// It is planned.
    Scheduled,
    /// It is being done.
    InProgress,
    /// It is done.
    Completed,
}

impl Phase {
    /// Those of a trouble, in order.
    pub const OF_TROUBLE: [Self; 5] =
        [Self::Investigating, Self::Identified, Self::Monitoring, Self::Resolved, Self::Postmortem];
    /// Those of scheduled maintenance, in order.
    pub const OF_MAINTENANCE: [Self; 3] = [Self::Scheduled, Self::InProgress, Self::Completed];

    /// The word used in files, API and database: that of Statuspage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
            Self::Postmortem => "postmortem",
            Self::Scheduled => "scheduled",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        let all = Self::OF_TROUBLE.into_iter().chain(Self::OF_MAINTENANCE);
        all.into_iter().find(|phase| phase.as_str() == text)
    }

    /// What people are told.
    pub fn words(self) -> &'static str {
        match self {
            Self::Investigating => "We are looking",
            Self::Identified => "Cause found",
            Self::Monitoring => "Works again",
            Self::Resolved => "Over",
            Self::Postmortem => "What we learned",
            Self::Scheduled => "Planned",
            Self::InProgress => "Under way",
            Self::Completed => "Done",
        }
    }

    /// Whether nothing more is to come but what was learned.
    pub fn ends(self) -> bool {
        matches!(self, Self::Resolved | Self::Postmortem | Self::Completed)
    }
}

/// What it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Kind {
    /// Something is wrong.
    Trouble {
        /// The incident that the watch declared; `None`: a person says so.
        incident: Option<IncidentId>,
    },
    /// Maintenance, scheduled.
    Maintenance {
        /// From when on.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
    },
}

/// One thing said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Update {
    /// When.
    pub at: Timestamp,
    /// How far it has come.
    pub phase: Phase,
    /// What is said.
    pub text: String,
    /// Who said it; `None`: Bugle by itself.
    pub by: Option<String>,
}

/// What the public is told of one trouble or scheduled maintenance: of the installation's own
/// components, of a tenant's services, or of whatever is [on a board](super::board::Touched).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Bulletin<C = Component> {
    /// Its id.
    pub id: BulletinId,
    /// What it is about.
    #[serde(flatten)]
    pub kind: Kind,
    /// In a line, as a customer understands it.
    pub title: String,
    /// How bad it was at its worst.
    pub state: State,
    /// What it touches.
    pub components: Vec<C>,
    /// Since when.
    pub began_at: Timestamp,
    /// What was said, oldest first; never empty.
    pub updates: Vec<Update>,
    /// When the next update was promised for.
    pub next_by: Option<Timestamp>,
    /// Who has taken over: Bugle posts nothing of its own then.
    pub hand: Option<String>,
}

impl<C> Bulletin<C> {
    /// The same, with its components in other words.
    pub fn in_words<D>(&self, word: impl Fn(&C) -> D) -> Bulletin<D> {
        Bulletin {
            id: self.id,
            kind: self.kind,
            title: self.title.clone(),
            state: self.state,
            components: self.components.iter().map(word).collect(),
            began_at: self.began_at,
            updates: self.updates.clone(),
            next_by: self.next_by,
            hand: self.hand.clone(),
        }
    }

    /// How far it has come.
    pub fn phase(&self) -> Phase {
        self.updates.last().map_or(Phase::Investigating, |update| update.phase)
    }

    /// Whether it goes on.
    pub fn open(&self) -> bool {
        !self.phase().ends()
    }

    /// When it ended; the last time, where it was broken again.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.since(Phase::ends)
    }

    /// Since when it is at a phase like the one that it is at; `None`: it is not.
    fn since(&self, like: fn(Phase) -> bool) -> Option<Timestamp> {
        let last = self.updates.iter().rev().take_while(|update| like(update.phase));
        last.last().map(|update| update.at)
    }

    /// Since when it works again, as was said.
    pub(super) fn works_since(&self) -> Option<Timestamp> {
        self.since(|phase| phase == Phase::Monitoring)
    }

    /// When something was last said.
    pub fn updated_at(&self) -> Timestamp {
        self.updates.last().map_or(self.began_at, |update| update.at)
    }

    /// What is wrong or will be done, as it was said first, without what was promised then.
    pub fn facts(&self) -> &str {
        let first = self.updates.first().map_or("", |update| update.text.as_str());
        first.split_once(words::LOOKING).map_or(first, |(facts, _)| facts.trim_end())
    }

    /// The declared incident that it tells of.
    pub fn incident(&self) -> Option<IncidentId> {
        match self.kind {
            Kind::Trouble { incident } => incident,
            Kind::Maintenance { .. } => None,
        }
    }

    /// Whether a person told of a trouble: the watch does not follow it.
    pub fn by_hand(&self) -> bool {
        let Kind::Trouble { incident } = self.kind else { return false };
        incident.is_none() || self.updates.first().is_some_and(|first| first.by.is_some())
    }

    /// Whether it is scheduled maintenance, under way at `now`.
    pub fn is_maintenance_at(&self, now: Timestamp) -> bool {
        matches!(self.kind, Kind::Maintenance { from, until } if from <= now && now < until)
    }

    /// Says something, and by when the next is said. Nothing is said twice in a row.
    pub fn say(&mut self, update: Update, promise: SignedDuration) {
        self.next_by = (!update.phase.ends() && update.phase != Phase::Scheduled)
            .then(|| after(update.at, promise));
        if self.updates.len() >= MAX_UPDATES {
            // The first one says how it began.
            self.updates.remove(1);
        }
        self.updates.push(update);
    }

    /// Moves scheduled maintenance on when its time has come. Says whether something was said.
    pub fn keep_time(&mut self, now: Timestamp) -> bool {
        let Kind::Maintenance { from, until } = self.kind else { return false };
        let (phase, at, text) = match self.phase() {
            Phase::Scheduled if now >= from => (Phase::InProgress, from, "It has begun."),
            Phase::InProgress if now >= until => (Phase::Completed, until, "It is done."),
            _ => return false,
        };
        if self.hand.is_some() {
            return false;
        }
        let left = until.duration_since(at);
        self.say(Update { at, phase, text: text.to_owned(), by: None }, left);
        true
    }
}

fn after(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.saturating_add(span).unwrap_or(Timestamp::MAX)
}

/// What is known when something is to be said.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What this installation has.
    pub installed: &'a Installed,
    /// What the watch says is broken and harms those who use Bugle, worst first.
    pub verdicts: &'a [Verdict],
    /// All that the watch still says is harmless: an incident goes on, and nobody notices it.
    pub harmless: bool,
    /// Updates are never further apart.
    pub promise: SignedDuration,
    /// When.
    pub now: Timestamp,
}

impl Known<'_> {
    /// The hop that is to be told of: the one that broke first, if that is what hurts.
    fn worst<'a>(&'a self, first: &'a Hop) -> &'a Hop {
        let hurts = |hop: &Hop| self.verdicts.iter().any(|it| it.hop == *hop);
        let worst = self.verdicts.first().filter(|_| !hurts(first));
        worst.map_or(first, |it| &it.hop)
    }

    /// Since when those who use Bugle notice an incident.
    fn since(&self, incident: &Incident) -> Timestamp {
        let hurts = self.verdicts.iter().any(|it| it.hop == incident.hop);
        let first = self.verdicts.iter().map(|it| it.since).min().filter(|_| !hurts);
        first.unwrap_or(incident.detected_at)
    }

    fn states(&self) -> States {
        rules::seen(self.installed, self.verdicts)
    }

    /// What the watch says is hit, and `others`.
    pub(super) fn hit_and(&self, others: &[Component]) -> Vec<Component> {
        let (mut hit, _) = self.hit();
        hit.extend(others);
        hit
    }

    fn hit(&self) -> (Vec<Component>, State) {
        let states = self.states();
        let hit = states.iter().filter(|(_, state)| **state != State::Operational);
        let worst = states.values().copied().max().unwrap_or(State::Operational);
        (hit.map(|(component, _)| *component).collect(), worst)
    }
}

/// The bulletin of a declared incident, with its first update.
pub fn open(id: BulletinId, incident: &Incident, known: Known<'_>) -> Bulletin {
    let (components, state) = known.hit();
    let facts = Facts {
        hop: known.worst(&incident.hop),
        hit: &components,
        installed: known.installed,
        spared: known.verdicts,
        customers: incident.tenants.iter().filter(|it| !it.is_reserved()).count(),
        since: known.since(incident),
        next_by: after(known.now, known.promise),
    };
    let mut bulletin = Bulletin {
        id,
        kind: Kind::Trouble { incident: Some(incident.id) },
        title: words::title(&facts),
        state,
        began_at: facts.since,
        updates: Vec::new(),
        next_by: None,
        hand: None,
        components: components.clone(),
    };
    let text = words::first(&facts);
    let update = Update { at: known.now, phase: Phase::Investigating, text, by: None };
    bulletin.say(update, known.promise);
    bulletin
}

/// What the public is to be told of an incident that a person declares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeclaredTrouble {
    /// How bad it is for them.
    pub state: State,
    /// What it touches.
    pub components: Vec<Component>,
    /// What is affected, in their words; empty: that is not known.
    pub affected: String,
}

/// The bulletin of the incident of that id that a person declared, with its first update.
pub fn tell(
    (id, incident): (BulletinId, IncidentId),
    (mut told, by): (DeclaredTrouble, String),
    since: Timestamp,
    known: Known<'_>,
) -> Bulletin {
    told.components.sort_unstable();
    told.components.dedup();
    let text = words::first_told(&told, since, &known);
    let mut bulletin = Bulletin {
        id,
        kind: Kind::Trouble { incident: Some(incident) },
        title: words::title_told(&told),
        state: told.state,
        components: told.components,
        began_at: since,
        updates: Vec::new(),
        next_by: None,
        hand: None,
    };
    let update = Update { at: known.now, phase: Phase::Investigating, text, by: Some(by) };
    bulletin.say(update, known.promise);
    bulletin
}

/// Brings the bulletin of a declared incident up to date. Says whether anything is new.
pub fn follow(bulletin: &mut Bulletin, incident: &Incident, known: Known<'_>) -> bool {
    if !bulletin.open() && !broke_again(bulletin, incident, known) {
        return false;
    }
    let before = bulletin.clone();
    let (hit, worst) = known.hit();
    let new: Vec<Component> =
        hit.into_iter().filter(|it| !bulletin.components.contains(it)).collect();
    bulletin.components.extend(&new);
    bulletin.components.sort_unstable();
    bulletin.state = bulletin.state.max(worst);
    if !bulletin.open() {
        // Whoever ended it has let go of it.
        bulletin.hand = None;
    }
    if bulletin.hand.is_none()
        && let Some(update) = due(bulletin, incident, &new, known)
    {
        bulletin.say(update, known.promise);
    }
    *bulletin != before
}

/// Whether something broke after a person said that it is over, in an incident that goes on.
fn broke_again(bulletin: &Bulletin, incident: &Incident, known: Known<'_>) -> bool {
    let since = known.verdicts.iter().map(|it| it.since).max();
    incident.open() && since.zip(bulletin.ended_at()).is_some_and(|(since, ended)| since > ended)
}

/// The update that is to be made now by itself.
fn due(
    bulletin: &Bulletin,
    incident: &Incident,
    new: &[Component],
    known: Known<'_>,
) -> Option<Update> {
    let drafted = draft(bulletin, Some(incident), known);
    let late = bulletin.next_by.is_some_and(|by| known.now >= before(by));
    let moved = drafted.phase != bulletin.phase();
    (moved || late || !new.is_empty()).then_some(drafted)
}

fn before(by: Timestamp) -> Timestamp {
    by.saturating_sub(AHEAD).unwrap_or(by)
}

/// What could be said next: by itself where it must be, else when a person posts it.
pub fn draft(bulletin: &Bulletin, incident: Option<&Incident>, known: Known<'_>) -> Update {
    let (phase, text) = match (bulletin.kind, incident) {
        (Kind::Trouble { .. }, Some(incident)) => {
            let phase = next_phase(bulletin, incident, known);
            (phase, words::next(bulletin, phase, incident, &known))
        }
        (Kind::Trouble { .. }, None) => {
            let by = after(known.now, known.promise);
            (bulletin.phase(), words::still(bulletin, by, known.now))
        }
        (Kind::Maintenance { .. }, _) => (bulletin.phase(), String::new()),
    };
    Update { at: known.now, phase, text, by: None }
}

/// How far the incident says that it has come. What a person has said stays, as long as nothing
/// better is known.
fn next_phase(bulletin: &Bulletin, incident: &Incident, known: Known<'_>) -> Phase {
    let now = bulletin.phase();
    let by_itself = bulletin.updates.last().is_none_or(|update| update.by.is_none());
    match (incident.recovered_at, incident.mitigated_at) {
        (Some(_), _) => Phase::Resolved,
        (None, Some(_)) => Phase::Monitoring,
        (None, None) if known.harmless && !now.ends() => Phase::Monitoring,
        (None, None) if now == Phase::Monitoring && by_itself => Phase::Investigating,
        (None, None) if broke_again(bulletin, incident, known) => Phase::Investigating,
        (None, None) => now,
    }
}
