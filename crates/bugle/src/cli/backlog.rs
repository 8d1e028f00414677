//! `ledger --backlog`: what is owed and due, and what would become of it.

use bugle_engine::dispatch::{BacklogLine, Fates};
use bugle_engine::message::text::duration;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

use super::context::Context;
use crate::client::not_understood;
use crate::failure::Failure;
use crate::output::{Cell, Table, Tone};

/// The backlog, as far as it is shown.
#[derive(Deserialize)]
struct Backlog {
    owed: i64,
    total: Fates,
    lines: Vec<BacklogLine>,
    #[serde(default)]
    drain: Option<Drain>,
}

/// How it drains.
#[derive(Deserialize)]
struct Drain {
    per_second: f64,
    #[serde(default)]
    clear_in_s: Option<i64>,
    share: i64,
}

/// Shows the backlog.
///
/// # Errors
///
/// The server does not answer or says no.
pub async fn backlog(context: &Context) -> Result<(), Failure> {
    let value: Value = context.client.get("/api/v1/backlog", &[]).await?;
    if context.output.json {
        return Ok(context.output.value(&value)?);
    }
    let backlog: Backlog = serde_json::from_value(value).map_err(not_understood)?;
    context.output.table(&fates_table(&backlog))?;
    if context.output.aligned {
        context.output.line(&format!("\n{}", in_words(&backlog)))?;
    }
    Ok(())
}

fn fates_table(backlog: &Backlog) -> Table {
    let mut table = Table::new(&[
        "lane",
        "severity",
        "owed",
        "sent",
        "digested",
        "acknowledged",
        "resolved",
        "too late",
    ]);
    for BacklogLine { lane, severity, fates } in &backlog.lines {
        table.row(row(lane.as_str(), severity.as_str(), fates));
    }
    table.row(row("all", "", &backlog.total));
    table
}

fn row(lane: &str, severity: &str, fates: &Fates) -> Vec<Cell> {
    let mut cells: Vec<Cell> = vec![lane.into(), severity.into()];
    let counts = [fates.total(), fates.sent, fates.digested];
    cells.extend(counts.map(|count| count.to_string().into()));
    let ended = [fates.acknowledged, fates.resolved, fates.expired];
    cells.extend(ended.map(|count| Cell::toned(count.to_string(), Tone::Dim)));
    cells
}

/// What the drain does, in a sentence.
fn in_words(backlog: &Backlog) -> String {
    let Some(drain) = &backlog.drain else {
        return match backlog.owed {
            0 => "Nothing is owed and due.".to_owned(),
            owed => format!("{owed} are owed and due; nothing was taken off them lately."),
        };
    };
    let clear = drain.clear_in_s.map_or(String::new(), |seconds| {
        format!(", clear in {}", duration(SignedDuration::from_secs(seconds)))
    });
    let Drain { per_second, share, .. } = drain;
    format!("Draining {per_second:.1} a second{clear}; it may take {share} % of what can be sent.")
}
