//! `login`: saves a server and a key for later commands.

use std::io::{BufRead, Write};
use std::process::{Command, Stdio};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::Common;
use super::context::{Context, parse_server};
use crate::client::Client;
use crate::client::not_understood;
use crate::environment::Environment;
use crate::failure::{Failure, Reason};
use crate::output::Output;
use crate::profile::{self, DEFAULT_PROFILE, Profile};

/// Who the key belongs to.
#[derive(Deserialize)]
struct Me {
    #[serde(default)]
    tenant: Value,
    #[serde(default)]
    role: String,
}

/// Asks for a key, tries it, and saves it.
///
/// # Errors
///
/// The server does not take the key. Nothing is saved then.
pub async fn login(common: &Common, environment: &Environment) -> Result<(), Failure> {
    let output = Output::new(common.json, environment);
    let path = environment
        .profile_file()
        .ok_or_else(|| Failure::new(Reason::Failed, "There is no home directory."))?;
    let unnamed = Common { profile: None, ..common.clone() };
    let server = parse_server(Context::new(&unnamed, environment)?.client.server().as_str())?;
    let key = ask_for_key(output, environment, &server)?;
    let client = Client::new(server.clone(), Some(key.clone()))?;
    let value: Value = client.get("/api/v1/me", &[]).await?;
    let me: Me = serde_json::from_value(value.clone()).map_err(not_understood)?;
    let name = common.profile.as_deref().unwrap_or(DEFAULT_PROFILE);
    let mut profiles = profile::load(&path)?;
    let saved = Profile { server: server.to_string(), key: key.expose_secret().to_owned() };
    profiles.insert(name.to_owned(), saved);
    profile::save(&path, &profiles)?;
    if output.json {
        return Ok(output.value(&value)?);
    }
    let tenant = me.tenant.as_str().or_else(|| me.tenant.get("name")?.as_str()).unwrap_or("");
    output.line(&format!("Signed in to {tenant} at {server} as {}.", me.role))?;
    Ok(output.remark(&format!("Saved in {}.", path.display()))?)
}

fn ask_for_key(
    output: Output,
    environment: &Environment,
    server: &url::Url,
) -> Result<SecretString, Failure> {
    if let Some(key) = environment.variable("BUGLE_API_KEY") {
        return Ok(SecretString::from(key.to_owned()));
    }
    if environment.terminal_in {
        output.remark(&format!("Make a key at {server}settings/keys and paste it here."))?;
        let mut err = std::io::stderr().lock();
        write!(err, "API key (not shown): ")?;
        err.flush()?;
        drop(err);
        echo(false);
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if environment.terminal_in {
        echo(true);
        output.remark("")?;
    }
    read?;
    let key = line.trim();
    if key.is_empty() {
        let failure = Failure::new(Reason::Usage, "No key was given.");
        return Err(failure.with_hint("bugle login < key.txt"));
    }
    Ok(SecretString::from(key.to_owned()))
}

/// Turns the terminal's echo on or off. Where `stty` is missing the key is seen while typed.
fn echo(on: bool) {
    let flag = if on { "echo" } else { "-echo" };
    let status = Command::new("stty").arg(flag).stderr(Stdio::null()).status();
    drop(status);
}
