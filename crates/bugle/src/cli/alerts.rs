//! `alerts`, `ack`, `resolve` and `pass-on`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::context::Context;
use super::names::{self, Page};
use super::{AlertsArgs, RespondArgs};
use crate::client::not_understood;
use crate::failure::{Failure, Reason};
use crate::output::{Cell, Table, Tone};
use crate::when;

/// An alert of a list.
#[derive(Deserialize)]
struct Row {
    number: i64,
    status: String,
    severity: String,
    summary: String,
    opened_at: jiff::Timestamp,
    #[serde(default)]
    event_count: i64,
    #[serde(default)]
    service: Option<Value>,
    #[serde(default)]
    acknowledged_by: Option<Value>,
    #[serde(default)]
    next: Option<NextStep>,
}

/// Who is told next.
#[derive(Deserialize)]
struct NextStep {
    at: jiff::Timestamp,
    names: Vec<String>,
}

/// What the server says to a response.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    sentence: String,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

/// Lists alerts, the newest first.
///
/// # Errors
///
/// The server does not answer or says no; the service is not found.
pub async fn list(context: &Context, args: &AlertsArgs) -> Result<(), Failure> {
    let limit = args.limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    match args.status.as_deref() {
        Some("all") => (),
        Some(status) => query.push(("status", status)),
        None => query.push(("status", "open,acknowledged")),
    }
    let service = match &args.service {
        Some(typed) => {
            let among = names::all(context, "services").await?;
            Some(names::find("services", typed, &among)?.id.clone())
        }
        None => None,
    };
    let optional = [("service", &service), ("severity", &args.severity), ("q", &args.search)];
    query.extend(optional.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))));
    let page: Page<Value> = context.client.get("/api/v1/alerts", &query).await?;
    if context.output.json {
        return Ok(context.output.value(&page.data)?);
    }
    let rows: Vec<Row> = page
        .data
        .into_iter()
        .map(serde_json::from_value)
        .collect::<Result<_, _>>()
        .map_err(not_understood)?;
    if rows.is_empty() && context.output.aligned {
        return Ok(context.output.line("Everything is quiet.")?);
    }
    let now = when::now();
    let mut table = Table::new(&["alert", "severity", "state", "age", "events", "service", "what"]);
    for row in &rows {
        table.row(cells(row, now));
    }
    Ok(context.output.table(&table)?)
}

fn cells(row: &Row, now: jiff::Timestamp) -> Vec<Cell> {
    let severity = match row.severity.as_str() {
        "critical" => Cell::toned("◆ critical", Tone::Bad),
        "high" => Cell::toned("▲ high", Tone::Warn),
        "medium" => Cell::from("● medium"),
        "low" => Cell::from("○ low"),
        other => Cell::toned(other, Tone::Dim),
    };
    vec![
        format!("#{}", row.number).into(),
        severity,
        state(row, now),
        when::ago(row.opened_at, now).into(),
        row.event_count.to_string().into(),
        name_of(row.service.as_ref()).unwrap_or_else(|| "-".to_owned()).into(),
        row.summary.clone().into(),
    ]
}

fn state(row: &Row, now: jiff::Timestamp) -> Cell {
    match (row.status.as_str(), &row.next) {
        ("open", Some(next)) if !next.names.is_empty() => {
            let left = when::clock_left(next.at, now);
            Cell::toned(format!("open, {left} to {}", next.names.join(", ")), Tone::Bad)
        }
        ("open", _) => Cell::toned("open", Tone::Bad),
        ("acknowledged", _) => match name_of(row.acknowledged_by.as_ref()) {
            Some(name) => Cell::toned(format!("acknowledged by {name}"), Tone::Warn),
            None => Cell::toned("acknowledged", Tone::Warn),
        },
        (other, _) => Cell::toned(other, Tone::Good),
    }
}

/// The name in `"name"` or in `{"name": …}`.
fn name_of(value: Option<&Value>) -> Option<String> {
    let value = value?;
    value.as_str().or_else(|| value.get("name")?.as_str()).map(str::to_owned)
}

/// Answers each alert with `action`: `acknowledge`, `resolve` or `pass-on`.
///
/// # Errors
///
/// The first that failed; the others are tried all the same, and each is reported.
pub async fn respond(context: &Context, args: &RespondArgs, action: &str) -> Result<(), Failure> {
    let mut answers = Vec::new();
    let mut failed: Option<Failure> = None;
    for typed in &args.alerts {
        let alert = typed.trim_start_matches('#');
        if alert.is_empty() || !alert.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let message = format!("{typed:?} is not an alert.");
            return Err(Failure::new(Reason::Usage, message).with_hint("bugle alerts"));
        }
        let path = format!("/api/v1/alerts/{alert}/{action}");
        let body = match action {
            "pass-on" => level_known(context, alert).await?,
            _ => json!({}),
        };
        match context.client.post::<Answer>(&path, &body).await {
            Ok(answer) if context.output.json => {
                let mut value = answer.rest;
                value.insert("sentence".to_owned(), answer.sentence.into());
                answers.push(Value::Object(value));
            }
            Ok(answer) => context.output.line(&format!("{typed}: {}", answer.sentence))?,
            Err(failure) => {
                if failed.is_some() || args.alerts.len() > 1 {
                    context.output.remark(&format!("{typed}: {}", failure.message))?;
                }
                failed.get_or_insert(failure);
            }
        }
    }
    if context.output.json {
        context.output.value(&answers)?;
    }
    failed.map_or(Ok(()), Err)
}

/// The level that an alert waits for, so that what is passed on meanwhile is not passed on again.
async fn level_known(context: &Context, alert: &str) -> Result<Value, Failure> {
    let view: Value = context.client.get(&format!("/api/v1/alerts/{alert}"), &[]).await?;
    Ok(json!({ "told_at": view.pointer("/alert/escalation/told_at") }))
}
