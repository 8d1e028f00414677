//! `watch`: what is broken, how the canaries do, what runs out.

use bugle_app::watch::{Report, title};
use bugle_engine::watch::runway::Level;
use bugle_engine::watch::{Canary, Verdict};
use serde::Deserialize;
use serde_json::Value;

use super::context::Context;
use crate::client::not_understood;
use crate::failure::{Failure, Reason};
use crate::output::{Cell, Table, Tone};
use crate::when;

/// What the server says, as far as it is shown.
#[derive(Deserialize)]
struct Watch {
    on: bool,
    verdicts: Vec<Verdict>,
    canaries: Vec<Canary>,
    nodes: Vec<Report>,
}

/// Shows what the watch sees.
///
/// # Errors
///
/// The server does not answer or says no. [`Reason::Attention`]: something is broken.
pub async fn watch(context: &Context) -> Result<(), Failure> {
    let value: Value = context.client.get("/api/v1/watch", &[]).await?;
    let watch: Watch = serde_json::from_value(value.clone()).map_err(not_understood)?;
    if context.output.json {
        context.output.value(&value)?;
    } else {
        show(context, &watch)?;
    }
    match watch.verdicts.first() {
        Some(worst) => Err(Failure::new(Reason::Attention, format!("{}.", title(&worst.hop)))
            .with_hint("bugle incidents show")),
        None if !watch.on => {
            let message = "The watch of this server is off.";
            Err(Failure::new(Reason::Attention, message).with_hint("set watch.every"))
        }
        None => Ok(()),
    }
}

fn show(context: &Context, watch: &Watch) -> Result<(), Failure> {
    for verdict in &watch.verdicts {
        let since = when::precise(verdict.since);
        context.output.line(&format!(
            "{} since {since}: {}",
            context.output.paint(&title(&verdict.hop), Tone::Bad),
            verdict.evidence
        ))?;
    }
    let mut table = Table::new(&["canaries", "state", "hops"]);
    for canary in &watch.canaries {
        let state = match (&canary.stuck, canary.through) {
            (Some(hop), _) => Cell::toned(format!("stuck at {}", hop.name()), Tone::Bad),
            (None, Some(_)) => Cell::toned("through".to_owned(), Tone::Good),
            (None, None) => Cell::toned("on its way".to_owned(), Tone::Dim),
        };
        let hops: Vec<String> = canary
            .hops_ms
            .iter()
            .map(|(stage, ms)| format!("{} {ms} ms", stage.as_str()))
            .collect();
        let path = format!("{} by {}", canary.channel.as_str(), canary.provider);
        table.row(vec![path.into(), state, hops.join(", ").into()]);
    }
    context.output.table(&table)?;
    let mut table = Table::new(&["node", "what", "state"]);
    for report in &watch.nodes {
        for gauge in &report.gauges {
            let tone = match gauge.level {
                Level::Ok => Tone::Good,
                Level::Warn => Tone::Warn,
                Level::Bad => Tone::Bad,
            };
            let text = Cell::toned(gauge.text.clone(), tone);
            table.row(vec![report.node.to_string().into(), gauge.name.clone().into(), text]);
        }
    }
    Ok(context.output.table(&table)?)
}
