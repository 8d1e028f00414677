//! `incidents`: what the watch declared, and the timeline of one.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::context::Context;
use super::{IncidentArgs, IncidentsArgs, IncidentsCommand};
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
    evidence: String,
    detected_at: Timestamp,
    declared_at: Timestamp,
    mitigated_at: Option<Timestamp>,
    drained_at: Option<Timestamp>,
    recovered_at: Option<Timestamp>,
    answered_at: Option<Timestamp>,
    answered_by: Option<String>,
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

/// Lists incidents, shows one, or answers one.
///
/// # Errors
///
/// The server does not answer or says no, or there is no such incident.
pub async fn incidents(context: &Context, args: &IncidentsArgs) -> Result<(), Failure> {
    match &args.what {
        None => list(context).await,
        Some(IncidentsCommand::Show(args)) => {
            let path = path(context, args).await?;
            show(context, context.client.get(&path, &[]).await?)
        }
        Some(IncidentsCommand::Answer(args)) => {
            let path = format!("{}/answer", path(context, args).await?);
            show(context, context.client.post(&path, &json!({})).await?)
        }
    }
}

async fn read(context: &Context) -> Result<(Value, Incidents), Failure> {
    let value: Value = context.client.get("/api/v1/incidents", &[]).await?;
    let list = serde_json::from_value(value.clone()).map_err(not_understood)?;
    Ok((value, list))
}

fn not_understood(error: serde_json::Error) -> Failure {
    Failure::because("the server's answer is not understood", &error)
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
async fn path(context: &Context, args: &IncidentArgs) -> Result<String, Failure> {
    let wanted = &args.incident;
    let id = match wanted.parse::<usize>() {
        Ok(place) => {
            let (_, list) = read(context).await?;
            let found = place.checked_sub(1).and_then(|index| list.data.into_iter().nth(index));
            found.map(|it| it.id)
        }
        Err(_) => wanted.starts_with("inc_").then(|| wanted.clone()),
    };
    let id = id.ok_or_else(|| {
        Failure::new(Reason::NotFound, format!("There is no incident {wanted:?}."))
            .with_hint("bugle incidents")
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
    output.line(&format!("{}\n", incident.evidence))?;
    let steps = [
        ("broken", Some(incident.detected_at)),
        ("declared", Some(incident.declared_at)),
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
    let mut table = Table::new(&["time (UTC)", "from", "what happened"]);
    for line in timeline {
        let at = Cell::toned(when::precise(line.at), Tone::Dim);
        table.row(vec![at, line.source.into(), line.text.into()]);
    }
    Ok(output.table(&table)?)
}
