//! `change`: guarded changes of the stages, planned, begun, undone and read.

use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::cleanup::{self, CleanUpArgs};
use super::configuration::read_file;
use super::context::Context;
use crate::failure::Failure;
use crate::output::{Cell, Table, Tone};

/// Longest reason of a refusal in the list, in characters; `show` has all of it.
const MAX_WHY: usize = 80;

/// How a change is made.
#[derive(Clone, Debug, Args)]
pub struct HowArgs {
    /// Why; goes on record
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Only show what would change, who is touched, and what speaks against it
    #[arg(long)]
    pub plan: bool,
    /// Go on although it does not fit; loud, and on record
    #[arg(long)]
    pub force: bool,
    /// With --force: go on although it was undone by itself within the last hour
    #[arg(long, requires = "force")]
    pub again: bool,
    /// Seconds that it is watched in the end [default: 300]
    #[arg(long, value_name = "SECONDS")]
    pub watch: Option<i64>,
}

/// What is done with the stages' revisions.
#[derive(Clone, Debug, Subcommand)]
pub enum ChangeCommand {
    /// Bring the stages to what a file says
    Apply {
        /// The file; - for standard input
        file: std::path::PathBuf,
        /// How.
        #[command(flatten)]
        how: HowArgs,
    },
    /// Bring the stages to a revision that there was
    Revert {
        /// Its number
        revision: i64,
        /// How.
        #[command(flatten)]
        how: HowArgs,
    },
    /// Take the change that is under way back
    Undo {
        /// Why; goes on record
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Take away what is no longer used; says what would go until --apply
    Cleanup(CleanUpArgs),
    /// Put back what a clean-up took away
    Restore {
        /// Its number
        number: i64,
        /// Why; goes on record
        #[arg(long)]
        reason: String,
    },
    /// List changes
    Log,
    /// Show one change with what was seen at its checkpoints
    Show {
        /// Its number
        number: i64,
    },
    /// Write a revision as a file for `bugle change apply`
    Revision {
        /// Its number
        number: i64,
    },
    /// Show in which settings two revisions differ
    Diff {
        /// The one
        before: i64,
        /// The other
        after: i64,
    },
}

/// Does it.
///
/// # Errors
///
/// The server does not answer or says no. [`crate::failure::Reason::Refused`]: it does not fit, or
/// another change is under way.
pub async fn run(context: &Context, command: &ChangeCommand) -> Result<(), Failure> {
    match command {
        ChangeCommand::Apply { file, how } => {
            let document = document(file)?;
            begin(context, json!({ "document": document }), how).await
        }
        ChangeCommand::Revert { revision, how } => {
            begin(context, json!({ "revision": revision }), how).await
        }
        ChangeCommand::Undo { reason } => {
            let body = json!({ "reason": reason });
            let change = context.client.post("/api/v1/changes/undo", &body).await?;
            show(context, &change)
        }
        ChangeCommand::Cleanup(args) => cleanup::clean_up(context, args).await,
        ChangeCommand::Restore { number, reason } => {
            cleanup::restore(context, *number, reason).await
        }
        ChangeCommand::Log => log(context).await,
        ChangeCommand::Show { number } => {
            let change = context.client.get(&format!("/api/v1/changes/{number}"), &[]).await?;
            show(context, &change)
        }
        ChangeCommand::Revision { number } => {
            let path = format!("/api/v1/revisions/{number}");
            let revision: Value = context.client.get(&path, &[]).await?;
            if context.output.json {
                return Ok(context.output.value(&revision)?);
            }
            Ok(context.output.line(text(&revision, "document").trim_end())?)
        }
        ChangeCommand::Diff { before, after } => {
            let path = format!("/api/v1/revisions/{before}/diff/{after}");
            let found: Value = context.client.get(&path, &[]).await?;
            if context.output.json {
                return Ok(context.output.value(&found)?);
            }
            differences(context, &found["data"])
        }
    }
}

fn document(file: &Path) -> Result<String, Failure> {
    read_file(file)
}

async fn begin(context: &Context, mut body: Value, how: &HowArgs) -> Result<(), Failure> {
    body["reason"] = json!(how.reason);
    body["plan"] = json!(how.plan);
    body["force"] = json!(how.force);
    body["again"] = json!(how.again);
    if let Some(watch) = how.watch {
        body["watch_s"] = json!(watch);
    }
    let answer: Value = context.client.post("/api/v1/changes", &body).await?;
    if context.output.json {
        return Ok(context.output.value(&answer)?);
    }
    if !how.plan {
        show(context, &answer)?;
        let number = &answer["number"];
        return Ok(context.output.remark(&format!("Next: bugle change show {number}"))?);
    }
    differences(context, &answer["differences"])?;
    let touched = format!(
        "{} tenants, {} services and {} events and notifications now waiting pass through it.",
        answer["tenants"], answer["services"], answer["waiting"]
    );
    context.output.line(&touched)?;
    for refusal in answer["refusals"].as_array().into_iter().flatten() {
        let line = format!("against: {}", refusal.as_str().unwrap_or_default());
        context.output.line(&context.output.paint(&line, Tone::Bad))?;
    }
    Ok(())
}

fn differences(context: &Context, found: &Value) -> Result<(), Failure> {
    let mut table = Table::new(&["setting", "before", "after"]);
    for one in found.as_array().into_iter().flatten() {
        let cells = ["key", "before", "after"].map(|name| text(one, name).to_owned().into());
        table.row(cells.into());
    }
    Ok(context.output.table(&table)?)
}

async fn log(context: &Context) -> Result<(), Failure> {
    let found: Value = context.client.get("/api/v1/changes", &[]).await?;
    if context.output.json {
        return Ok(context.output.value(&found)?);
    }
    let mut table = Table::new(&[
        "change",
        "state",
        "revision",
        "from",
        "by",
        "reason",
        "refused or undone because",
    ]);
    for one in found["data"].as_array().into_iter().flatten() {
        let number = |name: &str| one[name].to_string().into();
        let word = |name: &str| text(one, name).to_owned().into();
        table.row(vec![
            number("number"),
            state(one),
            number("revision"),
            number("previous"),
            word("author"),
            word("reason"),
            bugle_domain::text::truncate(text(one, "why"), MAX_WHY).into(),
        ]);
    }
    Ok(context.output.table(&table)?)
}

fn state(change: &Value) -> Cell {
    let state = text(change, "state");
    let tone = match state {
        "known_good" => Tone::Good,
        "refused" | "undoing" | "undone" => Tone::Bad,
        _ => Tone::Warn,
    };
    Cell::toned(state.replace('_', " "), tone)
}

/// One change and its checkpoints.
fn show(context: &Context, change: &Value) -> Result<(), Failure> {
    if context.output.json {
        return Ok(context.output.value(change)?);
    }
    let head = format!(
        "Change {}: revision {} to {}, {}",
        change["number"],
        change["previous"],
        change["revision"],
        text(change, "state").replace('_', " ")
    );
    context.output.line(&head)?;
    let mut table = Table::new(&["time (UTC)", "checkpoint", "", "what was seen"]);
    for seen in change["checkpoints"].as_array().into_iter().flatten() {
        let ok = seen["ok"].as_bool().unwrap_or_default();
        let (mark, tone) = if ok { ("ok", Tone::Good) } else { ("red", Tone::Bad) };
        table.row(vec![
            Cell::toned(text(seen, "at"), Tone::Dim),
            text(seen, "state").replace('_', " ").into(),
            Cell::toned(mark, tone),
            text(seen, "evidence").to_owned().into(),
        ]);
    }
    Ok(context.output.table(&table)?)
}

/// A text of what was answered.
pub(super) fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_default()
}
