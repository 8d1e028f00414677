//! `assist`: say that nobody was paged, and, for operators, answer who says so.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::names;
use crate::client::not_understood;
use crate::failure::{Failure, Reason};
use crate::output::{Cell, Output, Table, Tone};
use crate::when;

/// What can be done about a page that did not come.
#[derive(Clone, Debug, Subcommand)]
pub enum AssistCommand {
    /// Say that nobody was paged; shows what the ledger says
    Open(OpenArgs),
    /// List requests, newest first
    List(ListArgs),
    /// Show one with the causal record
    Show(RequestArgs),
    /// Say more about a request of your own
    Say(WordsArgs),
    /// Answer one, on its page and by mail (operators)
    Answer(WordsArgs),
    /// Read again what the ledger says (operators)
    Trace(RequestArgs),
    /// Send something that pages nobody along its path, and show where it stops (operators)
    Replicate(RequestArgs),
    /// Close one that has its trace (operators)
    Close(RequestArgs),
}

/// What was not paged about.
#[derive(Clone, Debug, Args)]
pub struct OpenArgs {
    /// What you expected, in a line
    pub expected: String,
    /// The event that was sent (evt_...)
    #[arg(long, conflicts_with = "alert")]
    pub event: Option<String>,
    /// The alert, by number or id
    #[arg(long)]
    pub alert: Option<String>,
    /// The integration it was sent by: a name or id
    #[arg(long)]
    pub integration: Option<String>,
    /// From when on it was sent, as RFC 3339 [default: an hour before --until]
    #[arg(long, value_name = "TIME")]
    pub from: Option<Timestamp>,
    /// Until when [default: now]
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
}

/// Whose requests.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// Everybody's (operators)
    #[arg(long)]
    pub all: bool,
}

/// Which request.
#[derive(Clone, Debug, Args)]
pub struct RequestArgs {
    /// Its id (ast_...)
    #[arg(value_name = "REQUEST")]
    pub request: String,
}

/// Which request, and what is said.
#[derive(Clone, Debug, Args)]
pub struct WordsArgs {
    /// Its id (ast_...)
    #[arg(value_name = "REQUEST")]
    pub request: String,
    /// What to say
    pub text: String,
}

/// A request, as far as it is shown.
#[derive(Deserialize)]
struct Request {
    id: String,
    tenant_name: String,
    status: String,
    expected: String,
    opened_at: Timestamp,
    opened_by: String,
    finding: Option<Finding>,
    said: Vec<Said>,
    replica: Option<Replica>,
    trace: Option<Trace>,
}

#[derive(Deserialize)]
struct Finding {
    standing: String,
    text: String,
}

#[derive(Deserialize)]
struct Said {
    at: Timestamp,
    by: String,
    text: String,
    mailed: Option<String>,
}

#[derive(Deserialize)]
struct Replica {
    at: Timestamp,
    outcome: String,
    hops: Vec<Passed>,
}

#[derive(Deserialize)]
struct Passed {
    hop: String,
    passage: String,
    text: String,
    at: Option<Timestamp>,
    took_ms: Option<u64>,
    provider: Option<String>,
}

#[derive(Deserialize)]
struct Trace {
    record: Option<Record>,
}

#[derive(Deserialize)]
struct Record {
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    at: Timestamp,
    stage: String,
    text: String,
}

#[derive(Deserialize)]
struct Listed {
    data: Vec<Request>,
    groups: Vec<Group>,
}

/// Requests that belong together.
#[derive(Deserialize)]
struct Group {
    requests: Vec<String>,
    paged: bool,
    shared: Vec<Shared>,
}

#[derive(Deserialize)]
struct Shared {
    what: String,
    value: String,
}

/// Opens, lists, shows, answers, traces, replicates or closes.
///
/// # Errors
///
/// The server does not answer or says no, or there is no such request.
pub async fn assist(context: &Context, command: &AssistCommand) -> Result<(), Failure> {
    match command {
        AssistCommand::Open(args) => open(context, args).await,
        AssistCommand::List(args) => list(context, args.all).await,
        AssistCommand::Show(args) => {
            let path = path(&args.request, "")?;
            show(context.output, context.client.get(&path, &[]).await?)
        }
        AssistCommand::Say(args) => say(context, args, "/messages").await,
        AssistCommand::Answer(args) => say(context, args, "/answer").await,
        AssistCommand::Trace(args) => act(context, &args.request, "/trace").await,
        AssistCommand::Replicate(args) => act(context, &args.request, "/replicate").await,
        AssistCommand::Close(args) => act(context, &args.request, "/close").await,
    }
}

async fn open(context: &Context, args: &OpenArgs) -> Result<(), Failure> {
    let mut body = Map::new();
    body.insert("expected".to_owned(), args.expected.as_str().into());
    let integration = match &args.integration {
        Some(typed) => {
            let all = names::all(context, "integrations").await?;
            Some(names::find("integrations", typed, &all)?.id.clone())
        }
        None => None,
    };
    let from = args.from.map(|at| at.to_string());
    let until = args.until.map(|at| at.to_string());
    let given = [
        ("event", args.event.clone()),
        ("alert", args.alert.clone()),
        ("integration", integration),
        ("from", from),
        ("until", until),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            body.insert(name.to_owned(), value.into());
        }
    }
    let opened = context.client.post("/api/v1/assistance", &Value::Object(body)).await?;
    show(context.output, opened)
}

async fn list(context: &Context, all: bool) -> Result<(), Failure> {
    let whose: &[(&str, &str)] = if all { &[("all", "1")] } else { &[] };
    let value: Value = context.client.get("/api/v1/assistance", whose).await?;
    let output = context.output;
    if output.json {
        return Ok(output.value(&value)?);
    }
    let Listed { data, groups } = serde_json::from_value(value).map_err(not_understood)?;
    let mut table = Table::new(&["request", "status", "opened (UTC)", "client", "the ledger"]);
    for it in data {
        let tone = if it.status == "open" { Tone::Bad } else { Tone::Good };
        table.row(vec![
            it.id.into(),
            Cell::toned(it.status, tone),
            when::precise(it.opened_at).into(),
            it.tenant_name.into(),
            it.finding.map(|it| it.text).unwrap_or_default().into(),
        ]);
    }
    output.table(&table)?;
    for group in groups.iter().filter(|group| group.requests.len() > 1) {
        let shared: Vec<String> =
            group.shared.iter().map(|it| format!("{} {}", it.what, it.value)).collect();
        let paged = if group.paged { "; operators were paged" } else { "" };
        let (count, shared) = (group.requests.len(), shared.join(", "));
        output.line(&format!("{count} belong together: same {shared}{paged}."))?;
    }
    Ok(())
}

async fn say(context: &Context, args: &WordsArgs, what: &str) -> Result<(), Failure> {
    let body = json!({ "text": args.text });
    show(context.output, context.client.post(&path(&args.request, what)?, &body).await?)
}

async fn act(context: &Context, request: &str, what: &str) -> Result<(), Failure> {
    show(context.output, context.client.post(&path(request, what)?, &json!({})).await?)
}

fn path(request: &str, what: &str) -> Result<String, Failure> {
    if request.starts_with("ast_") {
        return Ok(format!("/api/v1/assistance/{request}{what}"));
    }
    let message = format!("There is no assistance request {request:?}.");
    Err(Failure::new(Reason::NotFound, message).with_hint("bugle assist list"))
}

fn show(output: Output, value: Value) -> Result<(), Failure> {
    if output.json {
        return Ok(output.value(&value)?);
    }
    let it: Request = serde_json::from_value(value).map_err(not_understood)?;
    let opened = when::precise(it.opened_at);
    output.line(&format!("{} ({}), by {} at {opened} UTC", it.id, it.status, it.opened_by))?;
    output.line(&format!("Expected: {}", it.expected))?;
    match it.finding {
        Some(found) => output.line(&format!("The ledger ({}): {}", found.standing, found.text))?,
        None => output.line("No trace is attached yet.")?,
    }
    let steps = it.trace.and_then(|trace| trace.record).map(|record| record.steps);
    let mut table = Table::new(&["time (UTC)", "stage", "what happened"]);
    for step in steps.unwrap_or_default() {
        let at = Cell::toned(when::precise(step.at), Tone::Dim);
        table.row(vec![at, step.stage.into(), step.text.into()]);
    }
    if !table.is_empty() {
        output.table(&table)?;
    }
    if let Some(replica) = it.replica {
        hops(output, &replica)?;
    }
    for said in it.said {
        let at = when::precise(said.at);
        output.line(&format!("{at} {}: {}", said.by, said.text))?;
        if let Some(mailed) = said.mailed {
            output.line(&output.paint(&mailed, Tone::Dim))?;
        }
    }
    Ok(())
}

fn hops(output: Output, replica: &Replica) -> Result<(), Failure> {
    let (at, outcome) = (when::precise(replica.at), &replica.outcome);
    output.line(&format!("Replicated at {at} UTC: {outcome}"))?;
    let mut table = Table::new(&["hop", "passage", "time (UTC)", "took", "what was seen"]);
    for hop in &replica.hops {
        let tone = match hop.passage.as_str() {
            "through" => Tone::Good,
            "stopped" => Tone::Bad,
            _ => Tone::Dim,
        };
        let passage = Cell::toned(hop.passage.as_str(), tone);
        let by = hop.provider.as_ref().map(|it| format!(" by {it}")).unwrap_or_default();
        let at = hop.at.map(when::precise).unwrap_or_default();
        let took = hop.took_ms.map(|it| format!("{it} ms")).unwrap_or_default();
        let name = format!("{}{by}", hop.hop);
        let at = Cell::toned(at, Tone::Dim);
        table.row(vec![name.into(), passage, at, took.into(), hop.text.as_str().into()]);
    }
    Ok(output.table(&table)?)
}
