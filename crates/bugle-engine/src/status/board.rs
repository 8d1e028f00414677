//! The board: all that a status page says at one moment.

use jiff::{SignedDuration, Timestamp};

use super::bulletin::{Bulletin, Kind, Phase};
use super::history::{History, Span, history};
use super::rules::States;
use super::{Component, State};

/// What the watch said last is too old to be taken for how things are.
pub const BLIND_AFTER: SignedDuration = SignedDuration::from_secs(15);

/// A component on the board.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Which.
    pub component: Component,
    /// How it does.
    pub state: State,
    /// Since when it is in that state, as far as is known.
    pub since: Option<Timestamp>,
    /// How it did.
    pub history: History,
}

/// A part of the installation with components of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Region {
    /// Its name; empty where there is only one.
    pub name: String,
    /// Its components, in the order they are shown.
    pub rows: Vec<Row>,
}

/// All that a status page says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Board {
    /// Whose page it is.
    pub name: String,
    /// Where Bugle itself is found.
    pub url: String,
    /// When it was made.
    pub at: Timestamp,
    /// When the watch last said how things are.
    pub seen_at: Timestamp,
    /// The regions.
    pub regions: Vec<Region>,
    /// What the public was told, newest first.
    pub bulletins: Vec<Bulletin>,
}

impl Board {
    /// Every component.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.regions.iter().flat_map(|region| &region.rows)
    }

    /// The worst state of any component.
    pub fn worst(&self) -> State {
        self.rows().map(|row| row.state).max().unwrap_or(State::Operational)
    }

    /// Whether nobody knows how things are.
    pub fn blind(&self) -> bool {
        self.at.duration_since(self.seen_at) > BLIND_AFTER
    }

    /// Troubles, newest first.
    pub fn troubles(&self) -> impl Iterator<Item = &Bulletin> {
        self.bulletins.iter().filter(|it| matches!(it.kind, Kind::Trouble { .. }))
    }

    /// Troubles that go on, newest first.
    pub fn open(&self) -> impl Iterator<Item = &Bulletin> {
        self.troubles().filter(|it| it.open())
    }

    /// Scheduled maintenance, newest first.
    pub fn maintenances(&self) -> impl Iterator<Item = &Bulletin> {
        self.bulletins.iter().filter(|it| matches!(it.kind, Kind::Maintenance { .. }))
    }

    /// Scheduled maintenance that has not begun.
    pub fn upcoming(&self) -> impl Iterator<Item = &Bulletin> {
        self.maintenances().filter(|it| it.phase() == Phase::Scheduled)
    }

    /// Scheduled maintenance that is under way.
    pub fn under_way(&self) -> impl Iterator<Item = &Bulletin> {
        self.maintenances().filter(|it| it.phase() == Phase::InProgress)
    }

    /// The sentence that stands first.
    pub fn headline(&self) -> String {
        if let Some(open) = self.open().next() {
            return open.title.clone();
        }
        if self.blind() {
            return "We can't see at the moment whether everything works".to_owned();
        }
        let hit: Vec<&str> = self
            .rows()
            .filter(|row| row.state == self.worst())
            .map(|row| row.component.name())
            .collect();
        match self.worst() {
            State::Operational => "Everything works".to_owned(),
            State::Maintenance => "Scheduled maintenance is under way".to_owned(),
            State::Degraded => format!("{}: degraded", hit.join(", ")),
            State::PartialOutage => format!("{}: partly failing", hit.join(", ")),
            State::MajorOutage => format!("{}: down", hit.join(", ")),
        }
    }
}

/// The components with their histories.
pub fn rows(shown: &States, spans: &[Span], now: Timestamp) -> Vec<Row> {
    let row = |(component, state): (&Component, &State)| {
        let own = spans.iter().filter(|it| it.component == *component && it.state == *state);
        Row {
            component: *component,
            state: *state,
            since: own.map(|span| span.from).max(),
            history: history(*component, spans, now),
        }
    };
    shown.iter().map(row).collect()
}
