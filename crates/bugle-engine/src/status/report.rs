//! The report: what one region's installation tells the others of itself, as a file that all read.
//!
//! What another region says is data: it is bounded and cleaned as it is read, and a word that a
//! later version says is taken for something that is not as it should be, never for well.

use bugle_domain::BulletinId;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::board::{BLIND_AFTER, Board, Region, Row, Touched, Unseen, slug};
use super::bulletin::{Bulletin, Kind, Phase, Update};
use super::history::{DAYS, Day, FRESH, History};
use super::{Component, State};

/// What this version writes, and the only one that it reads.
const VERSION: u32 = 1;
/// A region that was not read for so long is not known.
pub const UNREAD_AFTER: SignedDuration = SignedDuration::from_secs(60);
/// Bytes of the bulletins that are written: all of it fits into what is read of an answer.
const BULLETIN_BYTES: usize = 40_000;
/// What is read: components, bulletins, updates of each.
const MAX_COMPONENTS: usize = 50;
const MAX_BULLETINS: usize = 50;
const MAX_UPDATES: usize = 4;
/// Characters of a name and of a text.
const MAX_NAME: usize = 120;
const MAX_TEXT: usize = 2_000;
const DAY_S: i64 = 86_400;

/// What an installation tells of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Report {
    version: u32,
    region: String,
    /// When it was written.
    at: Timestamp,
    /// When the watch there last said how things are.
    seen_at: Timestamp,
    components: Vec<Part>,
    bulletins: Vec<Told>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Part {
    id: String,
    name: String,
    state: String,
    since: Option<Timestamp>,
    up: Option<i64>,
    /// The first of the days.
    first_day: Option<Date>,
    /// The worst state, seconds lost, seconds of trouble.
    days: Vec<(Option<String>, i64, i64)>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Told {
    id: BulletinId,
    /// From and until; left out: it is a trouble.
    maintenance: Option<(Timestamp, Timestamp)>,
    title: String,
    state: String,
    components: Vec<String>,
    began_at: Timestamp,
    next_by: Option<Timestamp>,
    updates: Vec<Said>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Said {
    at: Timestamp,
    phase: String,
    text: String,
}

/// A report can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is none.
    #[error("it is no report of a status page")]
    NoReport(#[from] serde_json::Error),
    /// It is of a version that is not known here.
    #[error("it is of version {0}, which is not known here")]
    Version(u32),
}

impl Report {
    /// What the writer of `board` tells of itself. Who said what stays here.
    pub fn of(board: &Board) -> Option<Self> {
        let own = board.regions.first()?;
        Some(Self {
            version: VERSION,
            region: own.name.clone(),
            at: board.at,
            seen_at: board.seen_at,
            components: own.rows.iter().map(part).collect(),
            bulletins: within(own.bulletins.iter()),
        })
    }

    /// As it is written.
    pub fn text(&self) -> String {
        // Only maps with keys of another kind than text can't be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`Self::text`] gives.
    ///
    /// # Errors
    ///
    /// [`Unreadable`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut report: Self = serde_json::from_slice(bytes)?;
        if report.version != VERSION {
            return Err(Unreadable::Version(report.version));
        }
        report.components.truncate(MAX_COMPONENTS);
        report.bulletins.truncate(MAX_BULLETINS);
        Ok(report)
    }

    fn unseen(&self, read_at: Timestamp, now: Timestamp) -> Option<Unseen> {
        let read = now.duration_since(read_at) <= UNREAD_AFTER;
        // One that is dead behind a file server is read all the time.
        let fresh = now.duration_since(self.at).abs() <= FRESH;
        let saw = self.at.duration_since(self.seen_at) <= BLIND_AFTER;
        let known = self.seen_at.min(read_at).min(now);
        (!(read && fresh && saw)).then_some(Unseen { since: Some(known) })
    }
}

/// A region by what was last read of it, and when.
pub fn region(name: &str, url: &str, last: Option<(&Report, Timestamp)>, now: Timestamp) -> Region {
    let (mut rows, mut bulletins, mut unseen) = (vec![], vec![], Some(Unseen { since: None }));
    if let Some((report, read_at)) = last {
        rows = report.components.iter().map(row).collect();
        bulletins = report.bulletins.iter().filter_map(|told| bulletin(told, &rows)).collect();
        unseen = report.unseen(read_at, now);
        if rows.is_empty() {
            unseen = unseen.or(Some(Unseen { since: None }));
        }
    }
    Region { name: name.to_owned(), url: url.to_owned(), rows, bulletins, unseen }
}

/// Those that fit, open ones first.
fn within<'a>(all: impl Iterator<Item = &'a Bulletin<Touched>>) -> Vec<Told> {
    let mut all: Vec<&Bulletin<Touched>> = all.collect();
    all.sort_by_key(|it| !it.open());
    let mut bytes = 0;
    let fits = |it: &Told| {
        bytes += serde_json::to_vec(it).map_or(BULLETIN_BYTES, |text| text.len());
        bytes <= BULLETIN_BYTES
    };
    all.into_iter().take(MAX_BULLETINS).map(told).take_while(fits).collect()
}

fn part(row: &Row) -> Part {
    let day = |day: &Day| (day.worst.map(|it| it.as_str().to_owned()), day.lost_s, day.trouble_s);
    Part {
        id: row.id.clone(),
        name: row.name.clone(),
        state: row.state.as_str().to_owned(),
        since: row.since,
        up: row.history.up,
        first_day: row.history.days.first().map(|day| day.date),
        days: row.history.days.iter().map(day).collect(),
    }
}

fn told(it: &Bulletin<Touched>) -> Told {
    let maintenance = match it.kind {
        Kind::Trouble { .. } => None,
        Kind::Maintenance { from, until } => Some((from, until)),
    };
    // The first one says how it began.
    let late = it.updates.len().saturating_sub(MAX_UPDATES - 1).max(1);
    let updates = it.updates.iter().take(1).chain(it.updates.iter().skip(late));
    let said = |update: &Update| Said {
        at: update.at,
        phase: update.phase.as_str().to_owned(),
        text: clean(&update.text, MAX_TEXT),
    };
    Told {
        id: it.id,
        maintenance,
        title: it.title.clone(),
        state: it.state.as_str().to_owned(),
        components: it.components.iter().map(|it| it.id.clone()).collect(),
        began_at: it.began_at,
        next_by: it.next_by,
        updates: updates.map(said).collect(),
    }
}

fn state(word: &str) -> State {
    State::parse(word).unwrap_or(State::Degraded)
}

/// Without what controls a terminal, and not longer than `most`.
fn clean(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').take(most).collect()
}

fn row(part: &Part) -> Row {
    let known = Component::parse(&part.id);
    Row {
        id: slug(&clean(&part.id, MAX_NAME)),
        name: known.map_or_else(|| clean(&part.name, MAX_NAME), |it| it.name().to_owned()),
        purpose: known.map_or("", Component::purpose).to_owned(),
        state: state(&part.state),
        since: part.since,
        history: History { days: days(part), up: part.up.filter(|up| (0..=10_000).contains(up)) },
    }
}

fn days(part: &Part) -> Vec<Day> {
    let Some(first) = part.first_day else { return Vec::new() };
    let most = usize::try_from(DAYS).unwrap_or_default();
    let dates = std::iter::successors(Some(first), |date| date.tomorrow().ok());
    let day = |(date, (worst, lost, trouble)): (Date, &(Option<String>, i64, i64))| Day {
        date,
        worst: worst.as_deref().map(state),
        lost_s: (*lost).clamp(0, DAY_S),
        trouble_s: (*trouble).clamp(0, DAY_S),
    };
    dates.zip(part.days.iter().take(most)).map(day).collect()
}

/// `None`: it says nothing. What it touches is of the region's own `rows`.
fn bulletin(told: &Told, rows: &[Row]) -> Option<Bulletin<Touched>> {
    let kind = match told.maintenance {
        None => Kind::Trouble { incident: None },
        Some((from, until)) => Kind::Maintenance { from, until },
    };
    let begins = match kind {
        Kind::Trouble { .. } => Phase::Investigating,
        Kind::Maintenance { .. } => Phase::Scheduled,
    };
    let said = |said: &Said| Update {
        at: said.at,
        phase: Phase::parse(&said.phase).unwrap_or(begins),
        text: clean(&said.text, MAX_TEXT),
        by: None,
    };
    let updates: Vec<Update> = told.updates.iter().take(MAX_UPDATES).map(said).collect();
    (!updates.is_empty()).then(|| Bulletin {
        id: told.id,
        kind,
        title: clean(&told.title, MAX_NAME).replace('\n', " "),
        state: state(&told.state),
        components: told.components.iter().filter_map(|id| touched(id, rows)).collect(),
        began_at: told.began_at,
        updates,
        next_by: told.next_by,
        hand: None,
    })
}

fn touched(id: &str, rows: &[Row]) -> Option<Touched> {
    let id = slug(&clean(id, MAX_NAME));
    let row = rows.iter().find(|row| row.id == id)?;
    Some(Touched { name: row.name.clone(), id })
}
