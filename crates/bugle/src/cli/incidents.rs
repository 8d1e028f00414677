//! `incident`: what was declared, the room and the timeline of one, and its report.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::change::text;
use super::context::Context;
use super::{CloseArgs, DeclareArgs, IncidentsArgs, IncidentsCommand};
use crate::client::not_understood;
use crate::failure::{Failure, Reason};
use crate::output::{Cell, Table, Tone};
use crate::when;

/// An incident, as far as it is shown.
#[derive(Deserialize)]
struct Incident {
    id: String,
    status: String,
    severity: String,
    title: String,
    affected: String,
    evidence: Option<String>,
    detected_at: Timestamp,
    declared_at: Timestamp,
    first_post_at: Option<Timestamp>,
    mitigated_at: Option<Timestamp>,
    drained_at: Option<Timestamp>,
    recovered_at: Option<Timestamp>,
    answered_at: Option<Timestamp>,
    answered_by: Option<String>,
    close_reason: Option<String>,
    roles: BTreeMap<String, Person>,
}

/// Somebody in its room.
#[derive(Deserialize)]
struct Person {
    name: String,
}

/// A line of its timeline.
#[derive(Deserialize)]
struct Line {
    at: Timestamp,
    source: String,
    text: String,
}

#[derive(Deserialize)]
struct View {
    incident: Incident,
    timeline: Vec<Line>,
}

#[derive(Deserialize)]
struct Incidents {
    data: Vec<Incident>,
}

/// Declares, lists, shows, closes, answers or reports on incidents, or writes into their rooms.
///
/// # Errors
///
/// The server does not answer or says no, or there is no such incident.
pub async fn incidents(context: &Context, args: &IncidentsArgs) -> Result<(), Failure> {
    match &args.what {
        None | Some(IncidentsCommand::List) => list(context).await,
        Some(IncidentsCommand::Declare(args)) => {
            show(context, context.client.post("/api/v1/incidents", &declared(args)).await?)
        }
        Some(IncidentsCommand::Show(args)) => {
            let path = path(context, &args.incident).await?;
            show(context, context.client.get(&path, &[]).await?)
        }
        Some(IncidentsCommand::Note(args)) => {
            let path = format!("{}/say", path(context, &args.incident).await?);
            show(context, context.client.post(&path, &json!({ "text": args.text })).await?)
        }
        Some(IncidentsCommand::Close(args)) => {
            let path = format!("{}/acts", path(context, &args.incident).await?);
            show(context, context.client.post(&path, &closed(args)).await?)
        }
        Some(IncidentsCommand::Report(args)) => {
            let path = format!("{}/report", path(context, &args.incident).await?);
            report(context, &context.client.get(&path, &[]).await?)
        }
        Some(IncidentsCommand::Answer(args)) => {
            let path = format!("{}/answer", path(context, &args.incident).await?);
            show(context, context.client.post(&path, &json!({})).await?)
        }
    }
}

fn declared(args: &DeclareArgs) -> Value {
    let told = |state| json!({ "state": state, "components": args.components });
    json!({
        "told": args.tell.as_ref().map(told),
        "title": args.title,
        "severity": args.severity,
        "affected": args.affected,
        "alert": args.alert,
        "installation": args.installation,
        "commander": args.commander,
        "communications": args.communications,
        "scribe": args.scribe,
    })
}

fn closed(args: &CloseArgs) -> Value {
    json!({ "act": "close", "reason": args.reason, "mitigated_at": args.mitigated_at })
}

fn report(context: &Context, report: &Value) -> Result<(), Failure> {
    if context.output.json {
        return Ok(context.output.value(report)?);
    }
    Ok(context.output.line(text(report, "markdown").trim_end())?)
}

async fn read(context: &Context) -> Result<(Value, Incidents), Failure> {
    let value: Value = context.client.get("/api/v1/incidents", &[]).await?;
    let list = serde_json::from_value(value.clone()).map_err(not_understood)?;
    Ok((value, list))
}

async fn list(context: &Context) -> Result<(), Failure> {
    let (value, list) = read(context).await?;
    if context.output.json {
        return Ok(context.output.value(&value)?);
    }
    let mut table = Table::new(&["incident", "status", "severity", "declared (UTC)", "what"]);
    for it in list.data {
        let tone = if it.status == "open" { Tone::Bad } else { Tone::Good };
        table.row(vec![
            it.id.into(),
            Cell::toned(it.status, tone),
            it.severity.into(),
            when::precise(it.declared_at).into(),
            it.title.into(),
        ]);
    }
    Ok(context.output.table(&table)?)
}

/// Where the incident is read that an id or a place in the list names.
async fn path(context: &Context, wanted: &str) -> Result<String, Failure> {
    let id = match wanted.parse::<usize>() {
        Ok(place) => {
            let (_, list) = read(context).await?;
            let found = place.checked_sub(1).and_then(|index| list.data.into_iter().nth(index));
            found.map(|it| it.id)
        }
        Err(_) => wanted.starts_with("inc_").then(|| wanted.to_owned()),
    };
    let id = id.ok_or_else(|| {
        Failure::new(Reason::NotFound, format!("There is no incident {wanted:?}."))
            .with_hint("bugle incident list")
    })?;
    Ok(format!("/api/v1/incidents/{id}"))
}

fn show(context: &Context, value: Value) -> Result<(), Failure> {
    if context.output.json {
        return Ok(context.output.value(&value)?);
    }
    let View { incident, timeline } = serde_json::from_value(value).map_err(not_understood)?;
    let output = context.output;
    output.line(&format!("{} ({}, {})", incident.title, incident.severity, incident.status))?;
    for text in incident.evidence.iter().chain(Some(&incident.affected)) {
        if !text.is_empty() {
            output.line(text)?;
        }
    }
    output.line("")?;
    let steps = [
        ("broken", Some(incident.detected_at)),
        ("declared", Some(incident.declared_at)),
        ("said outside", incident.first_post_at),
        ("mitigated", incident.mitigated_at),
        ("drained", incident.drained_at),
        ("recovered", incident.recovered_at),
        ("answered", incident.answered_at),
    ];
    let mut table = Table::new(&["step", "time (UTC)", "after"]);
    for (name, at) in steps {
        let after = at.map(|at| format!("{} s", at.duration_since(incident.detected_at).as_secs()));
        let at = at.map_or_else(|| "not yet".to_owned(), when::precise);
        table.row(vec![name.into(), at.into(), after.unwrap_or_default().into()]);
    }
    output.table(&table)?;
    if let Some(by) = incident.answered_by {
        output.line(&format!("Answered by {by}."))?;
    }
    for (role, person) in &incident.roles {
        output.line(&format!("{role}: {}", person.name))?;
    }
    if let Some(reason) = &incident.close_reason {
        output.line(&format!("Over: {reason}"))?;
    }
    let mut table = Table::new(&["time (UTC)", "from", "what happened"]);
    for line in timeline {
        let at = Cell::toned(when::precise(line.at), Tone::Dim);
        table.row(vec![at, line.source.into(), line.text.into()]);
    }
    Ok(output.table(&table)?)
}
