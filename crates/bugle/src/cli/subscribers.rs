//! `status subscribers`: who is told of what the status page says. For operators.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::context::Context;
use crate::client::not_understood;
use crate::failure::{Failure, Reason};
use crate::output::{Cell, Output, Table, Tone};
use crate::when;

/// What is done with subscribers.
#[derive(Clone, Debug, Subcommand)]
pub enum SubscribersCommand {
    /// Count them, and list them, newest first; most of an address is hidden
    List(ListArgs),
    /// Find one by the whole address
    Find(AddressArgs),
    /// Forget one, as its owner asks for; it is in the audit log
    Remove(SubscriberArgs),
}

/// How much of the list.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// How many at most, 1-200
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    /// Go on after this one (sub_...)
    #[arg(long, value_name = "SUBSCRIBER")]
    pub after: Option<String>,
}

/// Whose address.
#[derive(Clone, Debug, Args)]
pub struct AddressArgs {
    /// A mail address, a number such as +4512345678, or a URL
    pub address: String,
}

/// Which subscriber.
#[derive(Clone, Debug, Args)]
pub struct SubscriberArgs {
    /// Its id (sub_...), as `list` and `find` show it
    #[arg(value_name = "SUBSCRIBER")]
    pub subscriber: String,
}

/// A subscriber, as far as it is shown.
#[derive(Deserialize)]
struct Subscriber {
    id: String,
    channel: String,
    address: String,
    components: Vec<String>,
    asked_at: Timestamp,
    confirmed_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Listed {
    data: Vec<Subscriber>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Counts {
    channels: Vec<ChannelCount>,
    components: Vec<ComponentCount>,
}

#[derive(Deserialize)]
struct ChannelCount {
    channel: String,
    confirmed: i64,
    asked: i64,
}

#[derive(Deserialize)]
struct ComponentCount {
    component: String,
    confirmed: i64,
}

/// Lists, finds or removes.
///
/// # Errors
///
/// The server does not answer or says no, or there is no such subscriber.
pub(super) async fn subscribers(
    context: &Context,
    command: &SubscribersCommand,
) -> Result<(), Failure> {
    match command {
        SubscribersCommand::List(args) => list(context, args).await,
        SubscribersCommand::Find(args) => {
            let body = json!({ "address": args.address });
            let found = context.client.post("/api/v1/subscribers/find", &body).await;
            found_one(context.output, found.map_err(to_list)?)
        }
        SubscribersCommand::Remove(args) => remove(context, &args.subscriber).await,
    }
}

async fn list(context: &Context, args: &ListArgs) -> Result<(), Failure> {
    let (client, output) = (&context.client, context.output);
    let limit = args.limit.to_string();
    let mut part = vec![("limit", limit.as_str())];
    part.extend(args.after.as_deref().map(|after| ("after", after)));
    let list: Value = client.get("/api/v1/subscribers", &part).await?;
    let counts: Value = client.get("/api/v1/subscribers/counts", &[]).await?;
    if output.json {
        return Ok(output.value(&json!({ "counts": counts, "list": list }))?);
    }
    let counts: Counts = serde_json::from_value(counts).map_err(not_understood)?;
    let Listed { data, next } = serde_json::from_value(list).map_err(not_understood)?;
    output.remark(&sums(&counts))?;
    output.table(&table(data))?;
    match next {
        Some(next) => {
            Ok(output.remark(&format!("More: bugle status subscribers list --after {next}"))?)
        }
        None => Ok(()),
    }
}

/// `email 12 (3 not confirmed), sms 4; intake 9, web 16`.
fn sums(counts: &Counts) -> String {
    let by_channel = |it: &ChannelCount| match it.asked {
        0 => format!("{} {}", it.channel, it.confirmed),
        asked => format!("{} {} ({asked} not confirmed)", it.channel, it.confirmed),
    };
    if counts.channels.is_empty() {
        return "Nobody is told yet.".to_owned();
    }
    let channels: Vec<String> = counts.channels.iter().map(by_channel).collect();
    let components =
        counts.components.iter().map(|it| format!("{} {}", it.component, it.confirmed));
    format!("{}; {}", channels.join(", "), components.collect::<Vec<_>>().join(", "))
}

fn table(data: Vec<Subscriber>) -> Table {
    let mut table = Table::new(&["subscriber", "by", "address", "told of", "asked (UTC)", "since"]);
    for it in data {
        let of = if it.components.is_empty() { "all".to_owned() } else { it.components.join(", ") };
        let since = match it.confirmed_at {
            Some(at) => Cell::toned(when::precise(at), Tone::Good),
            None => Cell::toned("not confirmed", Tone::Dim),
        };
        let asked = when::precise(it.asked_at);
        let (id, by, address) = (it.id.into(), it.channel.into(), it.address.into());
        table.row(vec![id, by, address, of.into(), asked.into(), since]);
    }
    table
}

fn found_one(output: Output, value: Value) -> Result<(), Failure> {
    if output.json {
        return Ok(output.value(&value)?);
    }
    let found = serde_json::from_value(value).map_err(not_understood)?;
    Ok(output.table(&table(vec![found]))?)
}

async fn remove(context: &Context, id: &str) -> Result<(), Failure> {
    if !id.starts_with("sub_") {
        let message = format!("{id:?} is not the id of a subscriber.");
        return Err(
            Failure::new(Reason::Usage, message).with_hint("bugle status subscribers find ADDRESS")
        );
    }
    context.client.delete(&format!("/api/v1/subscribers/{id}")).await.map_err(to_list)?;
    let output = context.output;
    if output.json {
        return Ok(output.value(&json!({ "removed": id }))?);
    }
    Ok(output.line(&format!("{id} is forgotten."))?)
}

fn to_list(failure: Failure) -> Failure {
    match failure.reason {
        Reason::NotFound => failure.with_hint("bugle status subscribers list"),
        _ => failure,
    }
}
