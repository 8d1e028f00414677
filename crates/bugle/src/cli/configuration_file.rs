//! Loading the configuration for a command, and `check-config`.

use std::path::Path;

use serde_json::json;

use super::CheckConfigArgs;
use crate::config::{self, Config, ConfigErrors, Sources};
use crate::environment::Environment;
use crate::failure::{Failure, Reason};
use crate::output::Output;

/// A flag that sets a key: the key, the flag, the value if the flag was given.
pub type Flag<'a> = (&'static str, &'static str, Option<&'a str>);

/// Reads the configuration from the file, the environment and `flags`.
///
/// # Errors
///
/// The file can't be read, or there are mistakes, which are all named.
pub fn load(
    file: Option<&Path>,
    environment: &Environment,
    flags: &[Flag<'_>],
) -> Result<Config, Failure> {
    let text = file.map(read).transpose()?;
    parse(file, text.as_deref(), environment, flags).map_err(|errors| {
        Failure::new(Reason::Usage, format!("{errors}"))
            .with_hint("bugle check-config --defaults shows every key")
    })
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::new(Reason::NotFound, format!("There is no file {}.", path.display()))
                .with_hint(format!("bugle check-config --defaults > {}", path.display()))
        }
        _ => Failure::because(&path.display().to_string(), &error),
    })
}

fn parse(
    file: Option<&Path>,
    text: Option<&str>,
    environment: &Environment,
    flags: &[Flag<'_>],
) -> Result<Config, ConfigErrors> {
    let flags = flags
        .iter()
        .filter_map(|(key, flag, value)| Some((*key, *flag, (*value)?.to_owned())))
        .collect();
    let variables = environment.variables.clone();
    config::parse(&Sources { file: file.zip(text), variables, flags })
}

/// Checks a configuration, without starting anything.
///
/// # Errors
///
/// There are mistakes, which are all named.
pub fn check(
    args: &CheckConfigArgs,
    output: Output,
    environment: &Environment,
) -> Result<(), Failure> {
    if args.defaults {
        return Ok(output.line(config::DEFAULTS.trim_end())?);
    }
    let file = args.config.as_deref();
    let text = file.map(read).transpose()?;
    let result = parse(file, text.as_deref(), environment, &[]);
    if output.json {
        let errors = result.as_ref().err().map_or(&[][..], |errors| &errors.errors);
        let errors: Vec<serde_json::Value> = errors
            .iter()
            .map(|error| {
                let (key, problem) = (&error.key, &error.problem);
                json!({ "key": key, "origin": error.origin.to_string(), "problem": problem })
            })
            .collect();
        output.value(&json!({ "ok": errors.is_empty(), "errors": errors }))?;
    }
    match result {
        Ok(_) if output.json => Ok(()),
        Ok(_) => Ok(output.line("The configuration is right.")?),
        Err(errors) => Err(Failure::new(Reason::Usage, errors.to_string())),
    }
}
