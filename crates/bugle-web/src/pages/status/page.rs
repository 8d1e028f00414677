//! The status page and its history as HTML: one request each, true without script.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use bugle_engine::status::State;
use bugle_engine::status::board::{Board, Region, Row, Touched, Whose};
use bugle_engine::status::bulletin::{Bulletin, Kind};
use bugle_engine::status::history::{Day, History};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::super::times::{Times, When, format, length};
use super::bars;

/// Both are part of the pages, which must be whole without us.
const STYLE: &str = concat!(
    include_str!("../../../assets/bulletin.css"),
    include_str!("../../../assets/status.css")
);
const SCRIPT: &str = include_str!("../../../assets/status.js");
/// Updates of a bulletin that the first page shows.
const MAX_UPDATES: usize = 3;
/// Bulletins that are over that the first page shows.
const MAX_PAST: usize = 5;
/// Bulletins on the page of the history.
const MAX_HISTORY: usize = 50;

/// What browsers may do with the pages: nothing but their own style and script.
pub(super) fn policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let hash = |text: &str| BASE64.encode(Sha256::digest(text.as_bytes()));
        format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash(STYLE),
            hash(SCRIPT)
        )
    });
    &POLICY
}

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    style: &'static str,
    script: &'static str,
    name: String,
    /// Where the live server takes who wants to be told, which this file can't; empty: nowhere.
    subscribe: String,
    /// What makes a component as bad as it is.
    counted: &'static str,
    /// What is said of what follows where nobody knows how things are, around since when.
    stale: (&'static str, &'static str),
    headline: String,
    class: &'static str,
    /// When nobody knows how things are: since when.
    blind: Option<When>,
    written: When,
    whose: Whose,
    first_day: String,
    open: Vec<Told>,
    regions: Vec<Group>,
    /// Regions are folded, and have their bars on pages of their own.
    together: bool,
    /// From the file to the folder.
    up: &'static str,
    planned: Vec<Told>,
    past: Vec<Told>,
    bars_width: i64,
}

/// A region.
struct Group {
    name: String,
    slug: String,
    /// Its own page; empty: it is here.
    url: String,
    class: &'static str,
    says: String,
    /// Nobody knows how it does: until when it was known, if it ever was.
    unseen: bool,
    seen: Option<When>,
    lines: Vec<Line>,
    /// Those of which nothing bad is known, in a sentence.
    rest: String,
}

/// A component.
struct Line {
    name: String,
    says: String,
    bars: String,
    percent: String,
    class: &'static str,
    state: String,
    /// It is not known to work.
    bad: bool,
}

/// A bulletin.
struct Told {
    id: String,
    title: String,
    class: &'static str,
    state: &'static str,
    /// What matters of it, in a sentence.
    what: String,
    touches: String,
    hit: usize,
    began: When,
    ended: Option<When>,
    lasted: String,
    next: Option<When>,
    updates: Vec<Said>,
    more: bool,
}

/// An update.
struct Said {
    at: When,
    phase: &'static str,
    text: String,
}

/// `index.html`.
pub(super) fn index(board: &Board) -> String {
    page(board, "")
}

/// `regions/SLUG.html`: one region alone.
pub(super) fn region(board: &Board) -> String {
    page(board, "../")
}

fn page(board: &Board, up: &'static str) -> String {
    let times = Times::new("UTC", board.at);
    let page = StatusPage {
        style: STYLE,
        script: SCRIPT,
        name: board.name.clone(),
        subscribe: subscribe(board),
        counted: counted(board),
        stale: stale(board),
        headline: board.headline(),
        class: headline_class(board),
        blind: board.blind().then(|| times.exact(board.seen_at)),
        written: written(board, &times),
        whose: board.whose,
        first_day: first_day(board, &times),
        open: board.open().map(|it| brief(told(it, MAX_UPDATES, &times))).collect(),
        regions: board.regions.iter().map(|region| group(region, &times)).collect(),
        together: board.together(),
        up,
        planned: board
            .under_way()
            .chain(board.upcoming())
            .map(|it| told(it, MAX_UPDATES, &times))
            .collect(),
        past: past(board).take(MAX_PAST).map(|it| told(it, 1, &times)).collect(),
        bars_width: bars::WIDTH,
    };
    page.render().unwrap_or_default()
}

/// Nobody is told of a tenant's page.
fn subscribe(board: &Board) -> String {
    match board.whose {
        Whose::Installation => format!("{}/status/subscribe", board.url),
        Whose::Tenant { .. } => String::new(),
    }
}

fn counted(board: &Board) -> &'static str {
    match board.whose {
        Whose::Installation => {
            "A component is down or degraded when synthetic events, sent each second, do not come \
             through it."
        }
        Whose::Tenant { follow_alerts: true, .. } => {
            "A component is as bad as the worst alert that is open for it, or as its owner says, \
             whichever is worse."
        }
        Whose::Tenant { follow_alerts: false, .. } => "A component is as bad as its owner says.",
    }
}

fn stale(board: &Board) -> (&'static str, &'static str) {
    match board.whose {
        Whose::Installation => {
            ("Our own checks were last heard at", "What follows is what they said then.")
        }
        Whose::Tenant { .. } => {
            ("Alerts were last known to come through at", "What follows is what was known then.")
        }
    }
}

/// A bulletin as the pages show it, alone.
#[derive(Template)]
#[template(path = "status_preview.html")]
struct Preview {
    told: Told,
    planned: bool,
    open: bool,
    up: String,
}

/// A bulletin as the page would show it at `now`, to be seen by who writes it. `up` is where the
/// page is.
pub(super) fn preview(it: &Bulletin<Touched>, up: &str, now: Timestamp) -> String {
    let (times, open) = (Times::new("UTC", now), it.open());
    let planned = open && matches!(it.kind, Kind::Maintenance { .. });
    let told = match (open, planned) {
        (true, false) => brief(told(it, MAX_UPDATES, &times)),
        (true, true) => told(it, MAX_UPDATES, &times),
        (false, _) => told(it, usize::MAX, &times),
    };
    Preview { told, planned, open, up: up.to_owned() }.render().unwrap_or_default()
}

#[derive(Template)]
#[template(path = "status_history.html")]
struct HistoryPage {
    style: &'static str,
    script: &'static str,
    name: String,
    written: When,
    whose: Whose,
    bulletins: Vec<Told>,
    components: Vec<(String, String, Vec<String>)>,
    up: &'static str,
}

/// `history.html`.
pub(super) fn history(board: &Board) -> String {
    let times = Times::new("UTC", board.at);
    let days = |region: &Region, row: &Row| {
        let trouble = row.history.days.iter().rev().filter_map(|day| day_says(day, &times));
        let name = match region.name.as_str() {
            region if board.together() => format!("{region}, {}", row.name),
            _ => row.name.clone(),
        };
        (name, percent(row.history.up), trouble.collect())
    };
    let days_of = |region| {
        let region: &Region = region;
        region.rows.iter().map(move |row| days(region, row))
    };
    let page = HistoryPage {
        style: STYLE,
        script: SCRIPT,
        name: board.name.clone(),
        written: written(board, &times),
        whose: board.whose,
        bulletins: board
            .bulletins()
            .iter()
            .take(MAX_HISTORY)
            .map(|it| told(it, usize::MAX, &times))
            .collect(),
        components: board.regions.iter().flat_map(days_of).collect(),
        up: "",
    };
    page.render().unwrap_or_default()
}

/// The whole date: nobody knows how old the page is when it is read.
fn written(board: &Board, times: &Times) -> When {
    let text = format(&times.at(board.at), "%-d %b %Y %H:%M:%S");
    When { text, ..times.exact(board.at) }
}

fn past(board: &Board) -> impl Iterator<Item = &Bulletin<Touched>> {
    board.bulletins().iter().filter(|it| !it.open())
}

fn headline_class(board: &Board) -> &'static str {
    let open = board.open().next().map(|it| it.state.max(board.worst()));
    match open {
        Some(state) => bars::class(state.max(State::Degraded)),
        None if board.blind() || board.doubtful() => "un",
        None => bars::class(board.worst()),
    }
}

fn group(region: &Region, times: &Times) -> Group {
    let unseen = region.unseen.is_some();
    let seen = region.unseen.and_then(|it| it.since);
    Group {
        name: region.name.clone(),
        slug: region.slug(),
        url: region.url.clone(),
        class: if unseen { "un" } else { bars::class(region.worst()) },
        says: says(region),
        unseen,
        seen: seen.map(|at| times.exact(at)),
        lines: region.rows.iter().map(|row| line(row, unseen)).collect(),
        rest: rest(region),
    }
}

/// How a region does, in a few words.
fn says(region: &Region) -> String {
    let worst = region.worst().words().to_lowercase();
    let bad = region.rows.iter().filter(|row| row.state != State::Operational).count();
    match (region.unseen, bad) {
        (Some(_), 0) => "not known".to_owned(),
        (Some(_), _) => format!("not known; was {worst}"),
        (None, 0) => worst,
        (None, _) => format!("{worst}: {bad} of {} components", region.rows.len()),
    }
}

fn rest(region: &Region) -> String {
    let good = region.rows.iter().filter(|row| row.state == State::Operational);
    let names: Vec<&str> = good.map(|row| row.name.as_str()).collect();
    if names.is_empty() {
        return String::new();
    }
    let state = state_words(State::Operational, region.unseen.is_some());
    format!("{state}: {}.", names.join(", "))
}

/// The state of a component, in words.
pub(super) fn state_words(state: State, unseen: bool) -> String {
    match state {
        _ if !unseen => state.words().to_owned(),
        State::Operational => "Not known".to_owned(),
        _ => format!("Not known; was {}", state.words().to_lowercase()),
    }
}

fn line(row: &Row, unseen: bool) -> Line {
    let state = state_words(row.state, unseen);
    let trouble = row.history.days.iter().filter(|day| in_trouble(day)).count();
    let percent = percent(row.history.up);
    let name = row.name.clone();
    Line {
        says: format!("{name}: {percent} over 90 days. Days with trouble: {trouble}."),
        bars: bars::bars(&row.history.days),
        name,
        percent,
        class: if unseen { "un" } else { bars::class(row.state) },
        bad: row.state != State::Operational,
        state,
    }
}

fn in_trouble(day: &Day) -> bool {
    day.worst.is_some_and(|state| state != State::Operational)
}

/// `99.91 %`, rounded down: only what had no failure at all is 100.
pub(super) fn percent(up: Option<i64>) -> String {
    match up {
        Some(10_000) => "100 %".to_owned(),
        Some(up) => format!("{}.{:02} %", up / 100, up % 100),
        None => "not measured".to_owned(),
    }
}

fn first_day(board: &Board, times: &Times) -> String {
    let history: Option<&History> = board.rows().next().map(|row| &row.history);
    let day = history.and_then(|history| history.days.first());
    day.map(|day| day_name(day, times)).unwrap_or_default()
}

fn day_name(day: &Day, times: &Times) -> String {
    let midnight = day.date.to_zoned(times.zone().clone());
    midnight.map(|at| format(&at, "%-d %b")).unwrap_or_default()
}

/// What was wrong on a day; `None`: nothing.
fn day_says(day: &Day, times: &Times) -> Option<String> {
    let state = day.worst.filter(|_| in_trouble(day))?;
    let name = day_name(day, times);
    let trouble = length(SignedDuration::from_secs(day.trouble_s));
    let lost = length(SignedDuration::from_secs(day.lost_s));
    Some(match day.lost_s {
        0 => format!("{name}: {} for {trouble}", state.words().to_lowercase()),
        _ => {
            format!("{name}: {} at worst, for {trouble}; {lost} lost", state.words().to_lowercase())
        }
    })
}

fn told(it: &Bulletin<Touched>, updates: usize, times: &Times) -> Told {
    let names: Vec<&str> = it.components.iter().map(|it| it.name.as_str()).collect();
    let (began, end) = match it.kind {
        Kind::Trouble { .. } => (it.began_at, it.ended_at()),
        Kind::Maintenance { from, until } => (from, Some(until)),
    };
    let said = |update: &bugle_engine::status::bulletin::Update| Said {
        at: times.short(update.at),
        phase: update.phase.words(),
        text: update.text.clone(),
    };
    Told {
        id: it.id.to_string(),
        title: it.title.clone(),
        class: bars::class(it.state.max(State::Maintenance)),
        state: it.phase().words(),
        what: it.facts().to_owned(),
        touches: names.join(", "),
        hit: names.len(),
        began: times.short(began),
        ended: end.map(|at| times.short(at)),
        lasted: length(end.unwrap_or(times.now()).duration_since(began)),
        next: it.next_by.map(|at| times.short(at)),
        updates: it.updates.iter().rev().take(updates).map(said).collect(),
        more: it.updates.len() > updates,
    }
}

/// Without saying the facts twice, above the updates and in the first of them.
fn brief(mut told: Told) -> Told {
    for said in &mut told.updates {
        if let Some(rest) = said.text.strip_prefix(&told.what) {
            said.text = rest.trim_start().to_owned();
        }
    }
    told
}

/// `badge.svg`.
pub(super) fn badge(board: &Board) -> String {
    let (word, colour) = match board.worst() {
        _ if board.blind() || board.doubtful() => ("not known", "#55606B"),
        State::Operational => ("working", "#1F6B54"),
        State::Maintenance => ("scheduled maintenance", "#3C66A8"),
        State::Degraded => ("degraded", "#7A5C00"),
        State::PartialOutage => ("partly failing", "#B4500F"),
        State::MajorOutage => ("down", "#6F0D35"),
    };
    let (left, right) = (52, 16 + word.len() * 7);
    let (width, middle) = (left + right, left + right / 2);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"20\" role=\"img\" \
         aria-label=\"Status: {word}\"><title>Status: {word}</title>\
         <rect width=\"{width}\" height=\"20\" rx=\"4\" fill=\"#16202A\"/>\
         <path d=\"M{left} 0h{cut}a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4h-{cut}z\" fill=\"{colour}\"/>\
         <g fill=\"#fff\" font-family=\"system-ui,sans-serif\" font-size=\"12\" \
         text-anchor=\"middle\"><text x=\"26\" y=\"14\">status</text>\
         <text x=\"{middle}\" y=\"14\">{word}</text></g></svg>\n",
        cut = right - 4
    )
}
