//! `status`: what the status page says, and, for operators, what is said on it.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::context::Context;
use super::subscribers::{SubscribersCommand, subscribers};
use crate::client::not_understood;
use crate::failure::{Failure, Reason};
use crate::output::{Cell, Output, Table, Tone};
use crate::when;

const EXAMPLES: &str = "\
Examples:
  bugle status                        what everybody reads
  bugle status open \"Web pages are slow\" --state degraded_performance --component web \\
      --text \"Pages take up to 20 s. Notifications are not affected. We are looking.\"
  bugle status draft                  what could be said next of the one that is open
  bugle status post --draft           say just that
  bugle status post \"A disk is full. We make room.\" --phase identified
  bugle status resolve \"Pages are as fast as ever since 10:40 UTC.\"
  bugle status maintenance \"New database\" --component web --component api \\
      --from 2026-12-01T02:00:00Z --until 2026-12-01T03:00:00Z \\
      --text \"Pages can be read, and not changed. Notifications go out as always.\"

What the watch sees is told without you; `take-over` keeps it from saying more by itself.";

/// How far a trouble or planned work may have come.
const PHASES: [&str; 8] = [
    "investigating",
    "identified",
    "monitoring",
    "resolved",
    "postmortem",
    "scheduled",
    "in_progress",
    "completed",
];

/// What is done with the status page.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct StatusArgs {
    /// What to do [default: write what the page says]
    #[command(subcommand)]
    pub what: Option<StatusCommand>,
}

/// What can be done with the status page, by operators.
#[derive(Clone, Debug, Subcommand)]
pub enum StatusCommand {
    /// List what was told in 90 days, newest first
    List,
    /// Show all that was said of one trouble or planned work
    Show(BulletinArgs),
    /// Tell of a trouble that the watch does not see
    Open(OpenArgs),
    /// Say what is new
    Post(PostArgs),
    /// Say that it is over, or that planned work is done
    Resolve(ResolveArgs),
    /// Nothing more is said by itself: you keep the promises
    TakeOver(BulletinArgs),
    /// What is due is said by itself again
    GiveBack(BulletinArgs),
    /// Announce planned work; it begins and ends on the page by itself
    Maintenance(MaintenanceArgs),
    /// Write what could be said next, made from what is known
    Draft(BulletinArgs),
    /// Who is told by mail, text or webhook of what the page says
    #[command(subcommand)]
    Subscribers(SubscribersCommand),
}

/// Which bulletin.
#[derive(Clone, Debug, Args)]
pub struct BulletinArgs {
    /// Its id (bul_...) [default: the only one that is open]
    #[arg(value_name = "BULLETIN")]
    pub bulletin: Option<String>,
}

/// A trouble.
#[derive(Clone, Debug, Args)]
pub struct OpenArgs {
    /// In a line, as a customer would say it
    pub title: String,
    /// What it means for them
    #[arg(long)]
    pub text: String,
    /// How bad it is
    #[arg(long, value_parser = ["degraded_performance", "partial_outage", "major_outage"])]
    pub state: String,
    /// What it touches: intake, web, api, integrations, email_initiation, email, sms or voice; may
    /// be given more than once
    #[arg(long = "component", value_name = "COMPONENT", required = true)]
    pub components: Vec<String>,
    /// The incident that a person declared for it (inc_...)
    #[arg(long)]
    pub incident: Option<String>,
}

/// Planned work.
#[derive(Clone, Debug, Args)]
pub struct MaintenanceArgs {
    /// In a line
    pub title: String,
    /// What it means for those who use it
    #[arg(long)]
    pub text: String,
    /// What it touches: intake, web, api, integrations, email_initiation, email, sms or voice; may
    /// be given more than once
    #[arg(long = "component", value_name = "COMPONENT", required = true)]
    pub components: Vec<String>,
    /// When it begins, such as 2026-12-01T02:00:00Z
    #[arg(long, value_name = "TIME")]
    pub from: Timestamp,
    /// When it ends
    #[arg(long, value_name = "TIME")]
    pub until: Timestamp,
}

/// What is new.
#[derive(Clone, Debug, Args)]
pub struct PostArgs {
    /// What to say
    #[arg(required_unless_present = "draft", conflicts_with = "draft")]
    pub text: Option<String>,
    /// Say what `bugle status draft` shows
    #[arg(long)]
    pub draft: bool,
    /// How far it has come; of planned work one of the last three [default: as far as before]
    #[arg(long, value_parser = PHASES)]
    pub phase: Option<String>,
    /// Of which (bul_...) [default: the only one that is open]
    #[arg(long, value_name = "BULLETIN")]
    pub bulletin: Option<String>,
    /// Say it only if nothing was said since this version, as `show` and `draft` name it
    #[arg(long, value_name = "VERSION")]
    pub version: Option<i64>,
}

/// Why it is over.
#[derive(Clone, Debug, Args)]
pub struct ResolveArgs {
    /// What to say
    pub text: String,
    /// Of which (bul_...) [default: the only one that is open]
    #[arg(long, value_name = "BULLETIN")]
    pub bulletin: Option<String>,
}

/// A bulletin, as far as it is used.
#[derive(Deserialize)]
struct Bulletin {
    id: String,
    version: i64,
    kind: String,
    title: String,
    open: bool,
    state: String,
    components: Vec<String>,
    by_hand: bool,
    next_by: Option<Timestamp>,
    taken_over_by: Option<String>,
    updates: Vec<Update>,
    draft: Update,
}

#[derive(Deserialize)]
struct Update {
    at: Timestamp,
    phase: String,
    text: String,
    by: Option<String>,
}

#[derive(Deserialize)]
struct Bulletins {
    data: Vec<Bulletin>,
}

impl Bulletin {
    fn phase(&self) -> &str {
        self.updates.last().map_or("", |update| &update.phase)
    }
}

/// Writes what the page says, or does what is asked.
///
/// # Errors
///
/// The server does not answer or says no, there is no such bulletin, or it is not clear which is
/// meant.
pub async fn status(context: &Context, args: &StatusArgs) -> Result<(), Failure> {
    let Some(what) = &args.what else { return page(context).await };
    match what {
        StatusCommand::List => list(context).await,
        StatusCommand::Show(args) => {
            show(context.output, read(context, args.bulletin.as_deref()).await?)
        }
        StatusCommand::Draft(args) => {
            draft(context.output, read(context, args.bulletin.as_deref()).await?)
        }
        StatusCommand::Open(args) => publish(context, &trouble(args)).await,
        StatusCommand::Maintenance(args) => publish(context, &maintenance(args)).await,
        StatusCommand::Post(args) => post(context, args).await,
        StatusCommand::Resolve(args) => resolve(context, args).await,
        StatusCommand::TakeOver(args) => hand(context, args, true).await,
        StatusCommand::GiveBack(args) => hand(context, args, false).await,
        StatusCommand::Subscribers(command) => subscribers(context, command).await,
    }
}

async fn page(context: &Context) -> Result<(), Failure> {
    let (client, output) = (&context.client, context.output);
    if output.json {
        let summary: Value = client.get("/api/v2/summary.json", &[]).await.map_err(no_page)?;
        return Ok(output.value(&summary)?);
    }
    let text = client.get_text("/status", "text/plain").await.map_err(no_page)?;
    Ok(output.line(text.trim_end())?)
}

/// A server that answers, and has no page, says so in words of its own.
fn no_page(failure: Failure) -> Failure {
    if failure.hint.is_some() {
        return failure;
    }
    let message = "There is no status page yet: it needs the watch, and a few seconds.";
    Failure::new(Reason::Failed, message).with_hint("bugle watch")
}

fn trouble(args: &OpenArgs) -> Value {
    json!({
        "title": args.title,
        "text": args.text,
        "state": args.state,
        "components": args.components,
        "incident": args.incident,
    })
}

fn maintenance(args: &MaintenanceArgs) -> Value {
    json!({
        "title": args.title,
        "text": args.text,
        "components": args.components,
        "from": args.from,
        "until": args.until,
    })
}

async fn publish(context: &Context, body: &Value) -> Result<(), Failure> {
    show(context.output, context.client.post("/api/v1/bulletins", body).await?)
}

async fn post(context: &Context, args: &PostArgs) -> Result<(), Failure> {
    let it = understood(&read(context, args.bulletin.as_deref()).await?)?;
    let (phase, text) = match &args.text {
        Some(text) => (it.phase(), text),
        None => (it.draft.phase.as_str(), &it.draft.text),
    };
    let phase = args.phase.as_deref().unwrap_or(phase);
    say(context, &it, (args.version.unwrap_or(it.version), phase, text)).await
}

async fn resolve(context: &Context, args: &ResolveArgs) -> Result<(), Failure> {
    let it = understood(&read(context, args.bulletin.as_deref()).await?)?;
    let phase = if it.kind == "maintenance" { "completed" } else { "resolved" };
    say(context, &it, (it.version, phase, &args.text)).await
}

async fn say(
    context: &Context,
    it: &Bulletin,
    (version, phase, text): (i64, &str, &str),
) -> Result<(), Failure> {
    let body = json!({ "version": version, "phase": phase, "text": text });
    let path = format!("/api/v1/bulletins/{}/updates", it.id);
    let said = context.client.post(&path, &body).await;
    let said = said.map_err(|failure: Failure| match failure.reason {
        Reason::Refused => failure.with_hint(format!("bugle status show {}", it.id)),
        _ => failure,
    });
    show(context.output, said?)
}

async fn hand(context: &Context, args: &BulletinArgs, take: bool) -> Result<(), Failure> {
    let it = understood(&read(context, args.bulletin.as_deref()).await?)?;
    let path = format!("/api/v1/bulletins/{}/take-over", it.id);
    show(context.output, context.client.post(&path, &json!({ "take": take })).await?)
}

/// The bulletin with an id, or the only one that is open.
async fn read(context: &Context, wanted: Option<&str>) -> Result<Value, Failure> {
    let id = match wanted {
        Some(id) if id.starts_with("bul_") => id.to_owned(),
        Some(other) => {
            let message = format!("There is no bulletin {other:?}.");
            return Err(Failure::new(Reason::NotFound, message).with_hint("bugle status list"));
        }
        None => only_open(bulletins(context).await?.1)?,
    };
    let found = context.client.get(&format!("/api/v1/bulletins/{id}"), &[]).await;
    found.map_err(|failure: Failure| match failure.reason {
        Reason::NotFound => failure.with_hint("bugle status list"),
        _ => failure,
    })
}

fn only_open(all: Vec<Bulletin>) -> Result<String, Failure> {
    let mut open = all.into_iter().filter(|it| it.open);
    let Some(first) = open.next() else {
        return Err(Failure::new(Reason::NotFound, "Nothing is open on the status page.")
            .with_hint("bugle status list, or bugle status open to tell of something"));
    };
    let others: Vec<Bulletin> = open.collect();
    if others.is_empty() {
        return Ok(first.id);
    }
    let said = |it: &Bulletin| format!("\n  {}  {}", it.id, it.title);
    let all: String = std::iter::once(&first).chain(&others).map(said).collect();
    let message = format!("{} bulletins are open; say which is meant.{all}", others.len() + 1);
    Err(Failure::new(Reason::Usage, message).with_hint(format!("the same with {}", first.id)))
}

async fn bulletins(context: &Context) -> Result<(Value, Vec<Bulletin>), Failure> {
    let value: Value = context.client.get("/api/v1/bulletins", &[]).await?;
    let list: Bulletins = serde_json::from_value(value.clone()).map_err(not_understood)?;
    Ok((value, list.data))
}

fn understood(value: &Value) -> Result<Bulletin, Failure> {
    Bulletin::deserialize(value).map_err(not_understood)
}

async fn list(context: &Context) -> Result<(), Failure> {
    let (value, list) = bulletins(context).await?;
    if context.output.json {
        return Ok(context.output.value(&value)?);
    }
    let mut table = Table::new(&["bulletin", "phase", "last said (UTC)", "what"]);
    for it in list {
        let tone = if it.open { Tone::Bad } else { Tone::Good };
        let at = it.updates.last().map(|update| when::precise(update.at)).unwrap_or_default();
        let phase = Cell::toned(it.phase(), tone);
        table.row(vec![it.id.into(), phase, at.into(), it.title.into()]);
    }
    Ok(context.output.table(&table)?)
}

fn show(output: Output, value: Value) -> Result<(), Failure> {
    if output.json {
        return Ok(output.value(&value)?);
    }
    let it = understood(&value)?;
    output.line(&format!("{} ({}, {})", it.title, it.phase(), it.state))?;
    output.line(&format!("{}, version {}: {}", it.id, it.version, it.components.join(", ")))?;
    if let Some(by) = it.next_by.filter(|_| it.open) {
        output.line(&format!("Next update promised by {} UTC.", when::precise(by)))?;
    }
    let voice = match &it.taken_over_by {
        Some(name) => Some(format!("{name} has taken over: nothing is said by itself.")),
        None if it.by_hand && it.open => Some("Only people can say more of it.".to_owned()),
        None => None,
    };
    if let Some(voice) = voice {
        output.line(&voice)?;
    }
    let mut table = Table::new(&["time (UTC)", "phase", "by", "what was said"]);
    for update in it.updates {
        let at = Cell::toned(when::precise(update.at), Tone::Dim);
        let by = update.by.unwrap_or_else(|| "Bugle".to_owned());
        table.row(vec![at, update.phase.into(), by.into(), update.text.into()]);
    }
    Ok(output.table(&table)?)
}

fn draft(output: Output, value: Value) -> Result<(), Failure> {
    if output.json {
        return Ok(output.value(value.get("draft").unwrap_or(&Value::Null))?);
    }
    let it = understood(&value)?;
    output.line(&it.draft.text)?;
    let said = format!("{} of {} at version {}", it.draft.phase, it.id, it.version);
    Ok(output.remark(&output.paint(&said, Tone::Dim))?)
}
