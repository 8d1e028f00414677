//! `apply` and `export`: the tenant's configuration as one file.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::ApplyArgs;
use super::context::Context;
use crate::client::not_understood;
use crate::failure::{Failure, Reason};
use crate::output::{Output, Tone};

/// Largest file that is sent.
const MAX_FILE_BYTES: u64 = 8 * 1_024 * 1_024;

/// What the server says to a file.
#[derive(Deserialize)]
struct Answer {
    #[serde(flatten)]
    plan: Plan,
    #[serde(default, rename = "applied")]
    done: bool,
    #[serde(default)]
    keys: BTreeMap<String, String>,
}

/// The difference between a file and what is.
#[derive(Deserialize)]
struct Plan {
    changes: Vec<Change>,
    #[serde(default)]
    unchanged: usize,
    #[serde(default)]
    kept: Vec<String>,
    #[serde(default)]
    notes: Vec<String>,
}

/// One object that differs.
#[derive(Deserialize)]
struct Change {
    action: String,
    kind: String,
    name: String,
    #[serde(default)]
    fields: Vec<FieldChange>,
}

/// One field that differs.
#[derive(Deserialize)]
struct FieldChange {
    field: String,
    before: Value,
    after: Value,
}

/// Applies a file, or shows what would change.
///
/// # Errors
///
/// The file can't be read, is wrong, or the server says no. Nothing is changed then.
pub async fn apply(context: &Context, args: &ApplyArgs) -> Result<(), Failure> {
    let text = read_file(&args.file)?;
    let json = text.trim_start().starts_with('{');
    let media_type = if json { "application/json" } else { "application/toml" };
    let flags = [("dry_run", args.plan), ("delete", args.delete)];
    let query: Vec<(&str, &str)> =
        flags.into_iter().filter(|(_, on)| *on).map(|(name, _)| (name, "1")).collect();
    let value: Value = context.client.post_text("/api/v1/apply", &query, media_type, text).await?;
    if context.output.json {
        return Ok(context.output.value(&value)?);
    }
    let answer: Answer = serde_json::from_value(value).map_err(not_understood)?;
    show(context.output, &answer)
}

fn show(output: Output, answer: &Answer) -> Result<(), Failure> {
    for change in &answer.plan.changes {
        let (sign, tone) = match change.action.as_str() {
            "create" => ("+", Tone::Good),
            "delete" => ("-", Tone::Bad),
            _ => ("~", Tone::Warn),
        };
        let head = format!("{sign} {} {} {:?}", change.action, change.kind, change.name);
        output.line(&output.paint(&head, tone))?;
        for field in &change.fields {
            output.line(&format!("    {}: {} -> {}", field.field, field.before, field.after))?;
        }
    }
    for (integration, key) in &answer.keys {
        output.line(&format!("key of integration {integration:?}, shown once: {key}"))?;
    }
    for kept in &answer.plan.kept {
        output.remark(&format!("kept, although not in the file: {kept}"))?;
    }
    for note in &answer.plan.notes {
        output.remark(&format!("note: {note}"))?;
    }
    let count = answer.plan.changes.len();
    let done = if answer.done { "applied" } else { "planned, nothing was changed" };
    output.remark(&format!("{count} changes {done}, {} unchanged", answer.plan.unchanged))?;
    Ok(())
}

pub(super) fn read_file(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(MAX_FILE_BYTES).read_to_string(&mut text)
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut text))
    };
    match read {
        Ok(_) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let message = format!("There is no file {}.", path.display());
            Err(Failure::new(Reason::NotFound, message).with_hint("bugle export > oncall.toml"))
        }
        Err(error) => Err(Failure::because(&path.display().to_string(), &error)),
    }
}

/// Writes the configuration as a file for [`apply`].
///
/// # Errors
///
/// The server does not answer or says no.
pub async fn export(context: &Context) -> Result<(), Failure> {
    let kind = if context.output.json { "application/json" } else { "application/toml" };
    let text = context.client.get_text("/api/v1/export", kind).await?;
    Ok(context.output.line(text.trim_end())?)
}
