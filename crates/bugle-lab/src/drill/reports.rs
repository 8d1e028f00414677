//! The reports of a node's incidents, held against its books.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::api::{Api, Sums};
use super::error::DrillError;

/// How often it is asked whether incidents are over.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How exactly the books know the time.
const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);
/// Nothing was accepted so long before a report begins: the node was not there.
const BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// What is reported of a node's incidents.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// The drafts, oldest first.
    pub(super) drafts: Vec<String>,
    /// Where their numbers are not those of the books.
    pub(super) wrong: BTreeSet<String>,
}

/// Events and notifications.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Counted {
    accepted: u64,
    owed: u64,
}

impl Counted {
    /// What a count of rows says.
    fn read(total: &Value) -> Self {
        let count = |name: &str| total[name].as_u64().unwrap_or_default();
        Self { accepted: count("accepted"), owed: count("owed") }
    }
}

/// Reads the reports of all incidents that the watch declared, when they are over or `limit` has
/// passed. Nothing else may be accepted meanwhile.
///
/// # Errors
///
/// The node does not answer.
pub(super) async fn read(api: &Api, limit: Duration) -> Result<Reports, DrillError> {
    let mut reports = Reports::default();
    for id in over(api, limit).await? {
        let report = api.get(&format!("/api/v1/incidents/{id}/report")).await?;
        reports.drafts.extend(report["markdown"].as_str().map(str::to_owned));
        let sums = api.sums().await?;
        reports.wrong.extend(difference(&sums, &parts(api, &report).await?));
    }
    Ok(reports)
}

/// The incidents, oldest first, once they are over.
async fn over(api: &Api, limit: Duration) -> Result<Vec<String>, DrillError> {
    let began = Instant::now();
    loop {
        let list = api.get("/api/v1/incidents").await?;
        let all = list["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let watched = || all.iter().filter(|it| it["origin"]["by"] == "watch");
        if watched().all(|it| it["status"] != "open") || began.elapsed() > limit {
            let ids = watched().rev().filter_map(|it| it["id"].as_str());
            return Ok(ids.map(str::to_owned).collect());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What a report counts, and before and after it what the ledger does.
async fn parts(api: &Api, report: &Value) -> Result<[Counted; 3], DrillError> {
    let time = |name: &str| report[name].as_str().and_then(|text| text.parse().ok());
    let from: Timestamp = time("from").unwrap_or_default();
    let until: Timestamp = time("until").unwrap_or_default();
    let before = (earlier(from, BEFORE), earlier(from, MILLISECOND));
    let after = (later(until, MILLISECOND), later(until, BEFORE));
    Ok([between(api, before).await?, Counted::read(&report["total"]), between(api, after).await?])
}

async fn between(api: &Api, (from, until): (Timestamp, Timestamp)) -> Result<Counted, DrillError> {
    let path = format!("/api/v1/ledger/between?all=1&from={from}&until={until}");
    Ok(Counted::read(&api.get(&path).await?["total"]))
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// What is wrong where the parts do not come to the sums, which are counted as things happen and
/// not in rows.
fn difference(sums: &Sums, parts: &[Counted; 3]) -> Option<String> {
    let [before, reported, after] = parts;
    let of = |count: fn(&Counted) -> u64| parts.iter().map(count).sum::<u64>();
    let all = Counted { accepted: sums.accepted, owed: sums.owed };
    let counted = Counted { accepted: of(|it| it.accepted), owed: of(|it| it.owed) };
    (all != counted).then(|| {
        format!("{reported:?} with {before:?} before and {after:?} after it is not {all:?}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_come_to_the_sums_or_it_is_said_where_not() {
        let counted = |accepted, owed| Counted { accepted, owed };
        let parts = [counted(3, 4), counted(10, 20), counted(0, 1)];
        let sums = |accepted, owed| Sums {
            accepted,
            pending: 0,
            owed,
            waiting: 0,
            sending: 0,
            event_difference: 0,
            notification_difference: 0,
        };
        assert_eq!(difference(&sums(13, 25), &parts), None);
        let wrong = difference(&sums(14, 25), &parts).unwrap();
        assert!(wrong.contains("accepted: 10") && wrong.contains("accepted: 14"), "{wrong}");
        assert!(difference(&sums(13, 24), &parts).is_some());
    }
}
