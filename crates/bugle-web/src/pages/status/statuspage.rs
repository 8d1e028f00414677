//! The JSON of Atlassian's Statuspage, public API v2, read-only.
//!
//! Its field names are theirs: <https://www.githubstatus.com/api/v2/summary.json> is an example.

use bugle_engine::status::State;
use bugle_engine::status::board::{Board, Region, Row, Touched, Unseen};
use bugle_engine::status::bulletin::{Bulletin, Kind, Phase};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// What stands for the page's id, which Statuspage gives out and we do not.
const PAGE_ID: &str = "bugle";
/// Incidents in a list.
const MAX_LISTED: usize = 50;

/// `summary.json`: everything that matters now.
pub(super) fn summary(board: &Board) -> String {
    text(
        board,
        &json!({
            "components": all_components(board),
            "incidents": board.open().map(|it| incident(board, it)).collect::<Vec<_>>(),
            "scheduled_maintenances": board
                .under_way()
                .chain(board.upcoming())
                .map(|it| incident(board, it))
                .collect::<Vec<_>>(),
            "status": rollup(board),
        }),
    )
}

/// `status.json`: one word and one sentence.
pub(super) fn status(board: &Board) -> String {
    text(board, &json!({ "status": rollup(board) }))
}

/// `components.json`.
pub(super) fn components(board: &Board) -> String {
    text(board, &json!({ "components": all_components(board) }))
}

/// `incidents.json`: the latest.
pub(super) fn incidents(board: &Board) -> String {
    list(board, "incidents", board.troubles())
}

/// `incidents/unresolved.json`.
pub(super) fn unresolved(board: &Board) -> String {
    list(board, "incidents", board.open())
}

/// `scheduled-maintenances.json`: the latest.
pub(super) fn maintenances(board: &Board) -> String {
    list(board, "scheduled_maintenances", board.maintenances())
}

/// `scheduled-maintenances/upcoming.json`.
pub(super) fn upcoming(board: &Board) -> String {
    list(board, "scheduled_maintenances", board.upcoming())
}

/// `scheduled-maintenances/active.json`.
pub(super) fn active(board: &Board) -> String {
    list(board, "scheduled_maintenances", board.under_way())
}

fn list<'a>(
    board: &Board,
    name: &str,
    bulletins: impl Iterator<Item = &'a Bulletin<Touched>>,
) -> String {
    let found: Vec<Value> = bulletins.take(MAX_LISTED).map(|it| incident(board, it)).collect();
    text(board, &json!({ name: found }))
}

/// What every one of them says of the page, and `body`.
fn text(board: &Board, body: &Value) -> String {
    #[derive(Serialize)]
    struct Whole<'a> {
        page: Value,
        #[serde(flatten)]
        body: &'a Value,
    }
    let page = json!({
        "id": PAGE_ID,
        "name": board.name,
        "url": board.home(),
        "time_zone": "Etc/UTC",
        "updated_at": time(board.at),
    });
    // Only maps with keys of another kind than text can't be written.
    serde_json::to_string(&Whole { page, body }).unwrap_or_default()
}

fn rollup(board: &Board) -> Value {
    let (indicator, description) = match board.worst() {
        _ if board.doubtful() && board.together() => ("minor", "Status of a Region Not Known"),
        State::Operational => ("none", "All Systems Operational"),
        State::Maintenance => ("maintenance", "Service Under Maintenance"),
        State::Degraded => ("minor", "Partially Degraded Service"),
        State::PartialOutage => ("major", "Partial System Outage"),
        State::MajorOutage => ("critical", "Major Service Outage"),
    };
    json!({ "indicator": indicator, "description": description })
}

fn component_id(region: &Region, row: &Row) -> String {
    match region.name.as_str() {
        "" => row.id.clone(),
        _ => format!("{}-{}", region.slug(), row.id),
    }
}

fn all_components(board: &Board) -> Vec<Value> {
    let mut all = Vec::new();
    for region in &board.regions {
        if !region.name.is_empty() {
            all.push(group(board, region, all.len()));
        }
        for row in &region.rows {
            all.push(component(board, region, row, all.len()));
        }
    }
    all
}

fn component(board: &Board, region: &Region, row: &Row, position: usize) -> Value {
    let first = row.history.days.iter().find(|day| day.worst.is_some());
    let group = (!region.name.is_empty()).then(|| region.slug());
    json!({
        "id": component_id(region, row),
        "name": row.name,
        "status": word(region, row.state),
        "created_at": time(board.at),
        "updated_at": time(row.since.unwrap_or(board.at)),
        "position": position + 1,
        "description": region.unseen.map_or_else(|| row.purpose.clone(), unseen_words),
        "showcase": true,
        "start_date": first.map(|day| day.date.to_string()),
        "group_id": group,
        "page_id": PAGE_ID,
        "group": false,
        "only_show_if_degraded": false,
    })
}

/// Statuspage has no word for what is not known: it is not said to work, and what was worse stays.
fn word(region: &Region, state: State) -> &'static str {
    match region.unseen {
        Some(_) => state.max(State::Degraded).as_str(),
        None => state.as_str(),
    }
}

fn unseen_words(unseen: Unseen) -> String {
    match unseen.since {
        Some(at) => format!("Not known since {}.", time(at)),
        None => "Not known.".to_owned(),
    }
}

fn group(board: &Board, region: &Region, position: usize) -> Value {
    let ids: Vec<String> = region.rows.iter().map(|row| component_id(region, row)).collect();
    json!({
        "id": region.slug(),
        "name": region.name,
        "status": word(region, region.worst()),
        "created_at": time(board.at),
        "updated_at": time(board.at),
        "position": position + 1,
        "description": region.unseen.map(unseen_words),
        "showcase": true,
        "start_date": null,
        "group_id": null,
        "page_id": PAGE_ID,
        "group": true,
        "only_show_if_degraded": false,
        "components": ids,
    })
}

fn incident(board: &Board, it: &Bulletin<Touched>) -> Value {
    let at = |phase: Phase| it.updates.iter().find(|update| update.phase == phase);
    let monitoring = at(Phase::Monitoring).map(|update| time(update.at));
    let touched = board
        .regions
        .iter()
        .filter(|region| region.bulletins.iter().any(|told| told.id == it.id))
        .take(1)
        .flat_map(|region| region.rows.iter().map(move |row| (region, row)))
        .filter(|(_, row)| it.components.iter().any(|component| component.id == row.id));
    let components: Vec<Value> = touched
        .enumerate()
        .map(|(position, (region, row))| component(board, region, row, position))
        .collect();
    let mut told = json!({
        "id": it.id.to_string(),
        "name": it.title,
        "status": it.phase().as_str(),
        "created_at": time(it.updates.first().map_or(it.began_at, |update| update.at)),
        "updated_at": time(it.updated_at()),
        "monitoring_at": monitoring,
        "resolved_at": it.ended_at().map(time),
        "impact": impact(it),
        "shortlink": format!("{}/history.html#{}", board.url, it.id),
        "started_at": time(it.began_at),
        "page_id": PAGE_ID,
        "incident_updates": updates(it),
        "components": components,
        "reminder_intervals": null,
    });
    if let (Kind::Maintenance { from, until }, Some(fields)) = (it.kind, told.as_object_mut()) {
        fields.insert("scheduled_for".to_owned(), time(from).into());
        fields.insert("scheduled_until".to_owned(), time(until).into());
    }
    told
}

fn impact(it: &Bulletin<Touched>) -> &'static str {
    match it.state {
        State::Operational => "none",
        State::Maintenance => "maintenance",
        State::Degraded => "minor",
        State::PartialOutage => "major",
        State::MajorOutage => "critical",
    }
}

/// Newest first.
fn updates(it: &Bulletin<Touched>) -> Vec<Value> {
    let numbered = it.updates.iter().enumerate().rev();
    let update = |(number, update): (usize, &bugle_engine::status::bulletin::Update)| {
        json!({
            "id": format!("{}-{}", it.id, number + 1),
            "status": update.phase.as_str(),
            "body": update.text,
            "incident_id": it.id.to_string(),
            "created_at": time(update.at),
            "updated_at": time(update.at),
            "display_at": time(update.at),
            "affected_components": null,
            "deliver_notifications": false,
            "custom_tweet": null,
            "tweet_id": null,
        })
    };
    numbered.map(update).collect()
}

/// RFC 3339 in UTC with milliseconds, as Statuspage writes it.
fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}
