//! `change cleanup` and `change restore`: taking away what is no longer used, and putting it back.

use clap::Args;
use serde_json::{Value, json};

use super::change::text;
use super::context::Context;
use crate::failure::Failure;
use crate::output::{Cell, Table, Tone};

/// What is cleaned up.
#[derive(Clone, Debug, Args)]
pub struct CleanUpArgs {
    /// keys, users, integrations, nodes or providers; without it, clean-ups are listed
    #[arg(value_parser = ["keys", "users", "integrations", "nodes", "providers"])]
    pub what: Option<String>,
    /// Do it; without it, only what would go and what is in use is shown
    #[arg(long, requires_all = ["what", "reason"])]
    pub apply: bool,
    /// Why; goes on record
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// Plans or begins a clean-up, or lists them.
///
/// # Errors
///
/// The server does not answer or says no.
pub(super) async fn clean_up(context: &Context, args: &CleanUpArgs) -> Result<(), Failure> {
    let Some(what) = &args.what else { return log(context).await };
    let body = json!({ "what": what, "apply": args.apply, "reason": args.reason });
    let answer: Value = context.client.post("/api/v1/clean-ups", &body).await?;
    if context.output.json {
        return Ok(context.output.value(&answer)?);
    }
    if args.apply {
        let line = format!("Clean-up {} has begun, in small steps.", answer["number"]);
        context.output.line(&line)?;
        return Ok(context.output.remark("Next: bugle change cleanup")?);
    }
    let mut table = Table::new(&["", "name", "tenant", "against"]);
    for (list, word, tone) in [("goes", "goes", Tone::Bad), ("stays", "stays", Tone::Good)] {
        for one in answer[list].as_array().into_iter().flatten() {
            let against = one["against"].as_array().into_iter().flatten();
            let against: Vec<&str> = against.filter_map(Value::as_str).collect();
            table.row(vec![
                Cell::toned(word, tone),
                text(one, "name").to_owned().into(),
                text(one, "tenant").to_owned().into(),
                against.join("; ").into(),
            ]);
        }
    }
    context.output.table(&table)?;
    let sum = format!("{} would go, {} are in use.", answer["going"], answer["left"]);
    Ok(context.output.line(&sum)?)
}

/// Puts back what a clean-up took away.
///
/// # Errors
///
/// The server does not answer or says no.
pub(super) async fn restore(context: &Context, number: i64, reason: &str) -> Result<(), Failure> {
    let path = format!("/api/v1/clean-ups/{number}/restore");
    let answer: Value = context.client.post(&path, &json!({ "reason": reason })).await?;
    if context.output.json {
        return Ok(context.output.value(&answer)?);
    }
    Ok(context.output.line(&format!("Clean-up {number} is being put back."))?)
}

async fn log(context: &Context) -> Result<(), Failure> {
    let found: Value = context.client.get("/api/v1/clean-ups", &[]).await?;
    if context.output.json {
        return Ok(context.output.value(&found)?);
    }
    let mut table =
        Table::new(&["clean-up", "what", "state", "removed", "left", "restored", "by", "reason"]);
    for one in found["data"].as_array().into_iter().flatten() {
        let number = |name: &str| one[name].to_string().into();
        let word = |name: &str| text(one, name).to_owned().into();
        table.row(vec![
            number("number"),
            word("what"),
            word("state"),
            number("removed"),
            number("left"),
            number("restored"),
            word("author"),
            word("reason"),
        ]);
    }
    Ok(context.output.table(&table)?)
}
