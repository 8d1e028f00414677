//! `ledger` and `why`: the books, and the causal record of one event or alert.

use bugle_domain::ledger::{OwedAge, Sums};
use bugle_engine::incident::report::{Impact, TenantImpact};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::context::Context;
use super::{LedgerArgs, WhyArgs};
use crate::client::not_understood;
use crate::failure::{Failure, Reason};
use crate::output::{Cell, Table, Tone};
use crate::when;

/// The books, as far as they are shown.
#[derive(Deserialize)]
struct Ledger {
    balanced: bool,
    total: Sums,
    #[serde(default)]
    oldest_pending_ms: Option<i64>,
    #[serde(default)]
    owed: Vec<OwedAge>,
}

/// Shows the books.
///
/// # Errors
///
/// The server does not answer or says no. [`Reason::Attention`]: the books do not balance.
pub async fn ledger(context: &Context, args: &LedgerArgs) -> Result<(), Failure> {
    if let Some(from) = args.from {
        return between(context, args, from).await;
    }
    let query: &[(&str, &str)] = if args.all { &[("all", "1")] } else { &[] };
    let value: Value = context.client.get("/api/v1/ledger", query).await?;
    let ledger: Ledger = serde_json::from_value(value.clone()).map_err(not_understood)?;
    if context.output.json {
        context.output.value(&value)?;
    } else {
        context.output.table(&sums_table(&ledger.total))?;
        if context.output.aligned {
            ages(context, &ledger)?;
        }
    }
    if ledger.balanced && ledger.total.balanced() {
        Ok(())
    } else {
        Err(Failure::new(Reason::Attention, "The books do not balance: something was lost."))
    }
}

/// What happened between two times.
#[derive(Deserialize)]
struct Between {
    total: Impact,
    tenants: Vec<TenantImpact>,
}

async fn between(context: &Context, args: &LedgerArgs, from: Timestamp) -> Result<(), Failure> {
    let mut query = vec![("from", from.to_string())];
    query.extend(args.until.map(|until| ("until", until.to_string())));
    query.extend(args.all.then(|| ("all", "1".to_owned())));
    let query: Vec<(&str, &str)> = query.iter().map(|(name, it)| (*name, it.as_str())).collect();
    let value: Value = context.client.get("/api/v1/ledger/between", &query).await?;
    if context.output.json {
        return Ok(context.output.value(&value)?);
    }
    let found: Between = serde_json::from_value(value).map_err(not_understood)?;
    let columns = found.total.columns().map(|(name, _)| name);
    let mut table = Table::new(&[&["tenant"], &columns[..]].concat());
    let row = |name: &str, impact: &Impact| -> Vec<Cell> {
        let numbers = impact.columns().map(|(_, number)| number.to_string().into());
        std::iter::once(name.to_owned().into()).chain(numbers).collect()
    };
    for it in &found.tenants {
        table.row(row(&it.name, &it.impact));
    }
    table.row(row("all", &found.total));
    Ok(context.output.table(&table)?)
}

fn sums_table(sums: &Sums) -> Table {
    let mut table = Table::new(&["books", "count"]);
    let ended = &sums.ended;
    let rows = [
        ("events accepted", sums.accepted),
        ("  pending", sums.pending),
        ("  alerted", sums.alerted),
        ("  folded", sums.folded),
        ("  suppressed", sums.suppressed),
        ("notifications owed", sums.owed),
        ("  waiting", sums.waiting),
        ("  sending", sums.sending),
        ("  handed off", sums.handed_off),
        ("  answered", ended.answered),
        ("  delivered", ended.delivered),
        ("  failed", ended.failed),
        ("  cancelled", ended.cancelled),
        ("  expired", ended.expired),
    ];
    for (name, count) in rows {
        table.row(vec![name.into(), count.to_string().into()]);
    }
    let differences = [
        ("event difference", sums.event_difference()),
        ("notification difference", sums.notification_difference()),
    ];
    for (name, difference) in differences {
        let tone = if difference == 0 { Tone::Good } else { Tone::Bad };
        table.row(vec![name.into(), Cell::toned(difference.to_string(), tone)]);
    }
    table
}

fn ages(context: &Context, ledger: &Ledger) -> Result<(), Failure> {
    let pending = ledger.oldest_pending_ms.map_or("nothing is pending".to_owned(), |ms| {
        format!("the oldest pending event is {ms} ms old")
    });
    context.output.line(&format!("\n{}.", capital(&pending)))?;
    for age in &ledger.owed {
        context.output.line(&format!(
            "{} due on {} ({}), the oldest for {} ms.",
            age.count,
            age.channel.as_str(),
            age.lane.as_str(),
            age.oldest_ms
        ))?;
    }
    Ok(())
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    first + chars.as_str()
}

/// The causal record.
#[derive(Deserialize)]
struct Why {
    #[serde(default)]
    answer: String,
    steps: Vec<Step>,
    #[serde(default)]
    cut: bool,
}

/// One step of it.
#[derive(Deserialize)]
struct Step {
    at: Timestamp,
    stage: String,
    text: String,
}

/// Explains an alert or an event.
///
/// # Errors
///
/// The server does not answer, or there is nothing of that id.
pub async fn why(context: &Context, args: &WhyArgs) -> Result<(), Failure> {
    let id = args.id.trim_start_matches('#');
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let message = format!("{:?} is not an alert or an event.", args.id);
        return Err(Failure::new(Reason::Usage, message).with_hint("bugle alerts --status all"));
    }
    let kind = if id.starts_with("evt_") { "events" } else { "alerts" };
    let value: Value = context.client.get(&format!("/api/v1/{kind}/{id}/why"), &[]).await?;
    if context.output.json {
        return Ok(context.output.value(&value)?);
    }
    let why: Why = serde_json::from_value(value).map_err(not_understood)?;
    if context.output.aligned && !why.answer.is_empty() {
        context.output.line(&format!("{}\n", why.answer))?;
    }
    let mut table = Table::new(&["time (UTC)", "stage", "what happened"]);
    for step in why.steps {
        let at = Cell::toned(when::precise(step.at), Tone::Dim);
        table.row(vec![at, step.stage.into(), step.text.into()]);
    }
    context.output.table(&table)?;
    if why.cut {
        context.output.remark("There is more: only the first steps are shown.")?;
    }
    Ok(())
}
