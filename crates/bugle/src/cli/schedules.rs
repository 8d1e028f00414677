//! `who`: who is on call, until when, and whether they can be reached.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::WhoArgs;
use super::context::Context;
use super::names::{self, Named, Page};
use crate::client::not_understood;
use crate::failure::{Failure, Reason};
use crate::output::{Cell, Table, Tone};
use crate::when;

/// Who is on call in one schedule.
#[derive(Deserialize)]
struct OnCall {
    schedule: Named,
    time_zone: String,
    user: Option<Named>,
    until: Option<Timestamp>,
    next: Option<NextOnCall>,
    #[serde(default)]
    by_override: Option<Value>,
    reachable: bool,
}

/// Who comes next.
#[derive(Deserialize)]
struct NextOnCall {
    #[serde(default)]
    name: Option<String>,
    at: Timestamp,
}

/// Shows who is on call.
///
/// # Errors
///
/// The server does not answer, or the schedule is not found. [`Reason::Attention`]: somebody on
/// call can't be reached, or nobody is on call.
pub async fn who(context: &Context, args: &WhoArgs) -> Result<(), Failure> {
    let page: Page<Value> = context.client.get("/api/v1/on-call", &[]).await?;
    let mut rows: Vec<(Value, OnCall)> = Vec::new();
    for value in page.data {
        let row = serde_json::from_value(value.clone()).map_err(not_understood)?;
        rows.push((value, row));
    }
    if let Some(typed) = &args.schedule {
        let among: Vec<Named> = rows.iter().map(|(_, row)| row.schedule.clone()).collect();
        let id = names::find("schedules", typed, &among)?.id.clone();
        rows.retain(|(_, row)| row.schedule.id == id);
    }
    if context.output.json {
        let values: Vec<&Value> = rows.iter().map(|(value, _)| value).collect();
        context.output.value(&values)?;
    } else {
        let mut table = Table::new(&["schedule", "on call", "until", "next", "reach"]);
        for (_, row) in &rows {
            table.row(cells(row));
        }
        context.output.table(&table)?;
    }
    match rows.iter().find(|(_, row)| row.user.is_none() || !row.reachable) {
        None => Ok(()),
        Some((_, row)) => {
            let message = match &row.user {
                None => format!("Nobody is on call in {}.", row.schedule.name),
                Some(person) => format!("{} has no proven way to be reached.", person.name),
            };
            Err(Failure::new(Reason::Attention, message))
        }
    }
}

fn cells(row: &OnCall) -> Vec<Cell> {
    let until = row.until.map_or("-".to_owned(), |at| when::in_zone(at, &row.time_zone));
    let next = row.next.as_ref().map_or("-".to_owned(), |next| {
        let name = next.name.as_deref().unwrap_or("nobody");
        format!("{name} from {}", when::in_zone(next.at, &row.time_zone))
    });
    let person = match &row.user {
        Some(person) if row.by_override.as_ref().is_some_and(|id| !id.is_null()) => {
            Cell::from(format!("{} (cover)", person.name))
        }
        Some(person) => Cell::from(person.name.clone()),
        None => Cell::toned("nobody", Tone::Bad),
    };
    let reach = match (&row.user, row.reachable) {
        (None, _) => Cell::from("-"),
        (Some(_), true) => Cell::toned("✓ proven", Tone::Good),
        (Some(_), false) => Cell::toned("✗ no proven method", Tone::Bad),
    };
    vec![row.schedule.name.clone().into(), person, until.into(), next.into(), reach]
}
