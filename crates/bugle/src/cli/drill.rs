//! `drill`: rehearsed failures on a node that is thrown away.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bugle_app::entropy;
use bugle_lab::drill::{self, Drill, Entry, Held, Scorecard};
use serde_json::json;

use super::DrillArgs;
use super::configuration_file;
use crate::environment::Environment;
use crate::failure::{Failure, Reason};
use crate::output::{Output, Table};
use crate::serve;
use crate::suggest;

/// Holds a drill, or lists all.
///
/// # Errors
///
/// There is no such drill, it could not be held, or its gate does not hold.
pub fn run(args: &DrillArgs, output: Output, environment: &Environment) -> Result<(), Failure> {
    if args.name == "list" {
        return list(output);
    }
    let known = drill::ALL.iter().map(|drill| drill.name);
    if !known.clone().any(|name| name == args.name) {
        let near = suggest::did_you_mean(&args.name, known);
        let message = format!("There is no drill {:?}.{near}", args.name);
        return Err(Failure::new(Reason::NotFound, message).with_hint("bugle drill list"));
    }
    let quiet = environment.variable("BUGLE__LOG__LEVEL").is_none();
    let flags = [("log.level", "(drill)", quiet.then_some("error"))];
    serve::start_log(&configuration_file::load(None, environment, &flags)?.log);
    let scorecard = serve::runtime()?.block_on(hold(args, output))?;
    if output.json {
        output.value(&scorecard)?;
    } else {
        output.line(scorecard.text().trim_end())?;
    }
    if let Some(folder) = &args.report {
        let path = write(folder, &scorecard)?;
        output.remark(&format!("Report: {path}.md and {path}.json"))?;
    }
    if scorecard.passed {
        return Ok(());
    }
    let hint = format!("--seed {} repeats it", scorecard.seed);
    Err(Failure::new(Reason::Failed, "The gate does not hold.").with_hint(hint))
}

fn list(output: Output) -> Result<(), Failure> {
    if output.json {
        let drill = |drill: &Drill| {
            let variants: Vec<&str> =
                drill.variants.iter().chain(drill.more_variants).copied().collect();
            json!({ "name": drill.name, "injects": drill.injects, "variants": variants })
        };
        let all: Vec<_> = drill::ALL.iter().map(drill).collect();
        return Ok(output.value(&all)?);
    }
    let mut table = Table::new(&["drill", "injects"]);
    for drill in drill::ALL {
        table.row(vec![drill.name.into(), drill.injects.into()]);
    }
    Ok(output.table(&table)?)
}

async fn hold(args: &DrillArgs, output: Output) -> Result<Scorecard, Failure> {
    let program = std::env::current_exe()?;
    let seed = args.seed.unwrap_or_else(|| u32::from_le_bytes(entropy::bytes()).into());
    let tell = move |entry: &Entry| {
        // Beside the result, which may be JSON. Nobody looks on when it can't be written.
        drop(output.remark(&entry.to_string()));
    };
    output.remark(&format!("Drill {}, seed {seed}. Times are UTC.", args.name))?;
    let held = Held::by(program, seed, Arc::new(tell))
        .without(args.without.clone())
        .on(args.database.clone())
        .at_scale(args.scale)
        .given_up_after(args.give_up_after.map(Duration::from_secs));
    let held = drill::hold(&args.name, &args.variant, &held).await;
    held.map_err(|error| Failure::because("the drill could not be held", &error))
}

/// Writes the report as Markdown and JSON, and those of its incidents beside it; gives the path
/// without its end.
fn write(folder: &Path, scorecard: &Scorecard) -> Result<String, Failure> {
    std::fs::create_dir_all(folder)?;
    let stem = format!("{}-{}", scorecard.drill, scorecard.seed);
    let path = folder.join(&stem);
    let json = serde_json::to_string_pretty(scorecard)
        .map_err(|error| Failure::because("the report can't be written", &error))?;
    std::fs::write(path.with_extension("md"), scorecard.markdown())?;
    std::fs::write(path.with_extension("json"), json + "\n")?;
    for run in &scorecard.runs {
        for (number, draft) in run.measured.incident_reports.iter().enumerate() {
            let name = [run.variant.as_str(), "incident", &(number + 1).to_string()]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("-");
            std::fs::write(folder.join(format!("{stem}-{name}.md")), draft)?;
        }
    }
    Ok(path.display().to_string())
}
