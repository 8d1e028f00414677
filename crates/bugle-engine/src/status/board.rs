//! The board: all that a status page says at one moment.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::bulletin::{Bulletin, Kind, Phase};
use super::history::{History, Span, history};
use super::rules::States;
use super::{Component, State};

/// What the watch said last is too old to be taken for how things are.
pub const BLIND_AFTER: SignedDuration = SignedDuration::from_secs(15);

/// A component on the board. One of another region may be none that is known here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Which: a [`Component`]'s word.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it is for, in a sentence; empty: not told.
    pub purpose: String,
    /// How it does.
    pub state: State,
    /// Since when it is in that state, as far as is known.
    pub since: Option<Timestamp>,
    /// How it did.
    pub history: History,
}

/// A component that a bulletin touches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Touched {
    /// Which: that of its row, where it has one.
    pub id: String,
    /// What people call it.
    pub name: String,
}

impl From<Component> for Touched {
    fn from(it: Component) -> Self {
        Self { id: it.as_str().to_owned(), name: it.name().to_owned() }
    }
}

/// Nobody knows how a region does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unseen {
    /// Until when it was known; `None`: it never was.
    pub since: Option<Timestamp>,
}

/// An installation with components of its own: this one, or one that serves another region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Region {
    /// Its name; empty where there is only one.
    pub name: String,
    /// Where its own page is; empty: it is the one that writes this board.
    pub url: String,
    /// Its components, in the order they are shown, as they were when it was last known.
    pub rows: Vec<Row>,
    /// What the public was told there, newest first.
    pub bulletins: Vec<Bulletin<Touched>>,
    /// Set where nobody knows how it does now.
    pub unseen: Option<Unseen>,
}

impl Region {
    /// Its name as a path and an id have it: small letters, digits and dashes.
    pub fn slug(&self) -> String {
        slug(&self.name)
    }

    /// The worst state of any of its components, as far as is known.
    pub fn worst(&self) -> State {
        self.rows.iter().map(|row| row.state).max().unwrap_or(State::Operational)
    }
}

/// A name as a path and an id have it: small letters, digits and dashes.
pub fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(plain).collect()
}

/// Whose status page it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// The installation's own: how Bugle does.
    Installation,
    /// A tenant's: how its services do.
    Tenant {
        /// Whether they are as bad as their open alerts say.
        follow_alerts: bool,
        /// How often its files are made anew, in minutes.
        every_min: usize,
    },
}

impl Whose {
    /// How often its files are made anew, in minutes.
    pub fn every_min(self) -> usize {
        match self {
            Self::Installation => 1,
            Self::Tenant { every_min, .. } => every_min,
        }
    }

    /// The same in words, after "anew".
    pub fn how_often(self) -> String {
        match self.every_min() {
            1 => "each minute".to_owned(),
            many => format!("every {many} minutes"),
        }
    }
}

/// All that a status page says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Board {
    /// Whose page it is, by name.
    pub name: String,
    /// Whose page it is.
    pub whose: Whose,
    /// Where its files are served, without a slash at the end.
    pub url: String,
    /// When it was made.
    pub at: Timestamp,
    /// When the watch last said how things are.
    pub seen_at: Timestamp,
    /// The regions; the one that writes it is the first.
    pub regions: Vec<Region>,
    /// What the public was told, newest first. Where there are several regions, titles name theirs.
    bulletins: Vec<Bulletin<Touched>>,
}

/// Whose page it is, and when it was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// Whose page it is, by name.
    pub name: String,
    /// Whose page it is.
    pub whose: Whose,
    /// Where its files are served, without a slash at the end.
    pub url: String,
    /// When it was made.
    pub at: Timestamp,
    /// When the watch last said how things are.
    pub seen_at: Timestamp,
}

impl Board {
    /// A board over `regions`.
    pub fn new(head: Head, regions: Vec<Region>) -> Self {
        let Head { name, whose, url, at, seen_at } = head;
        let bulletins = told(&regions);
        Self { name, whose, url, at, seen_at, regions, bulletins }
    }

    /// The same with one region alone.
    pub fn of(&self, region: &Region) -> Self {
        let own = region.url.is_empty();
        let head = Head {
            name: self.name.clone(),
            whose: self.whose,
            url: self.url.clone(),
            at: self.at,
            seen_at: if own { self.seen_at } else { self.at },
        };
        Self::new(head, vec![region.clone()])
    }

    /// Where people read it.
    pub fn home(&self) -> String {
        match self.whose {
            Whose::Installation => format!("{}/status", self.url),
            Whose::Tenant { .. } => format!("{}/", self.url),
        }
    }

    /// Whether it is over several regions.
    pub fn together(&self) -> bool {
        self.regions.len() > 1
    }

    /// Regions of which nobody knows how they do.
    pub fn unseen(&self) -> impl Iterator<Item = &Region> {
        self.regions.iter().filter(|region| region.unseen.is_some())
    }

    /// Whether nothing bad is known, and not everything is known.
    pub fn doubtful(&self) -> bool {
        let unknown = self.blind() || self.unseen().next().is_some();
        unknown && self.worst() < State::Degraded
    }

    /// What the public was told, newest first.
    pub fn bulletins(&self) -> &[Bulletin<Touched>] {
        &self.bulletins
    }

    /// Every component.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.regions.iter().flat_map(|region| &region.rows)
    }

    /// Regions of which it is known how they do.
    fn known(&self) -> impl Iterator<Item = &Region> {
        self.regions.iter().filter(|region| region.unseen.is_none())
    }

    /// The worst state of any component of which it is known how it does.
    pub fn worst(&self) -> State {
        self.known().map(Region::worst).max().unwrap_or(State::Operational)
    }

    /// Whether nobody knows how things are.
    pub fn blind(&self) -> bool {
        self.at.duration_since(self.seen_at) > BLIND_AFTER
    }

    /// Troubles, newest first.
    pub fn troubles(&self) -> impl Iterator<Item = &Bulletin<Touched>> {
        self.bulletins.iter().filter(|it| matches!(it.kind, Kind::Trouble { .. }))
    }

    /// Troubles that go on, newest first.
    pub fn open(&self) -> impl Iterator<Item = &Bulletin<Touched>> {
        self.troubles().filter(|it| it.open())
    }

    /// Scheduled maintenance, newest first.
    pub fn maintenances(&self) -> impl Iterator<Item = &Bulletin<Touched>> {
        self.bulletins.iter().filter(|it| matches!(it.kind, Kind::Maintenance { .. }))
    }

    /// Scheduled maintenance that has not begun.
    pub fn upcoming(&self) -> impl Iterator<Item = &Bulletin<Touched>> {
        self.maintenances().filter(|it| it.phase() == Phase::Scheduled)
    }

    /// Scheduled maintenance that is under way.
    pub fn under_way(&self) -> impl Iterator<Item = &Bulletin<Touched>> {
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
        let unseen: Vec<&str> = self.unseen().map(|region| region.name.as_str()).collect();
        if !unseen.is_empty() && self.worst() < State::Degraded {
            return format!("{}: not known", unseen.join(", "));
        }
        let hit = self.hit();
        match self.worst() {
            State::Operational => "Everything works".to_owned(),
            State::Maintenance => "Scheduled maintenance is under way".to_owned(),
            State::Degraded => format!("{}: degraded", hit.join(", ")),
            State::PartialOutage => format!("{}: partly failing", hit.join(", ")),
            State::MajorOutage => format!("{}: down", hit.join(", ")),
        }
    }

    /// The components in the worst state, each with its region where there are several.
    fn hit(&self) -> Vec<String> {
        let worst = self.worst();
        let mut names = Vec::new();
        for region in self.known() {
            let hit = region.rows.iter().filter(|row| row.state == worst);
            names.extend(hit.map(|row| match region.name.as_str() {
                name if self.together() => format!("{name} {}", row.name),
                _ => row.name.clone(),
            }));
        }
        names
    }
}

/// What the public was told in all regions, newest first. No id is there twice: no other region can
/// take the place of what is told here.
fn told(regions: &[Region]) -> Vec<Bulletin<Touched>> {
    let mut ids = BTreeSet::new();
    let mut all = Vec::new();
    for region in regions {
        for bulletin in &region.bulletins {
            if !ids.insert(bulletin.id) {
                continue;
            }
            let mut bulletin = bulletin.clone();
            if regions.len() > 1 {
                let known = if region.unseen.is_some() { " (not known now)" } else { "" };
                bulletin.title = format!("{}{known}: {}", region.name, bulletin.title);
            }
            all.push(bulletin);
        }
    }
    if regions.len() > 1 {
        all.sort_by_key(|it| std::cmp::Reverse(it.began_at));
    }
    all
}

/// The installation's components with their histories.
pub fn rows(shown: &States, spans: &[Span], now: Timestamp) -> Vec<Row> {
    let told = |it: &Component| (Touched::from(*it), it.purpose().to_owned());
    shown.iter().map(|(it, state)| row(*it, told(it), *state, (spans, now))).collect()
}

/// What is known by its id, name and purpose, in a state, with its history.
pub(super) fn row<C: Copy + Eq>(
    component: C,
    (Touched { id, name }, purpose): (Touched, String),
    state: State,
    (spans, now): (&[Span<C>], Timestamp),
) -> Row {
    let own = spans.iter().filter(|it| it.component == component && it.state == state);
    let since = own.map(|span| span.from).max();
    Row { id, name, purpose, state, since, history: history(component, spans, now) }
}
