//! `doctor`: what could keep Bugle from working, each line ok or how to mend it.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::configuration_file;
use super::context::Context;
use super::{Common, DoctorArgs};
use crate::client::Client;
use crate::config::Config;
use crate::environment::Environment;
use crate::failure::{Failure, Reason};
use crate::output::{Cell, Output, Table, Tone};

/// How long an address may take to answer.
const PROBE_LIMIT: Duration = Duration::from_secs(5);

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warn,
    Fail,
}

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Check {
    name: String,
    state: State,
    text: String,
    /// How to mend it; empty where nothing is wrong.
    #[serde(default)]
    fix: String,
}

impl Check {
    fn new(name: &str, state: State, text: impl Into<String>, fix: &str) -> Self {
        Self { name: name.to_owned(), state, text: text.into(), fix: fix.to_owned() }
    }
}

/// The server's own checks.
#[derive(Deserialize)]
struct FromServer {
    #[serde(alias = "data")]
    checks: Vec<Check>,
}

/// Checks what can be seen from here, and asks the server for what it sees.
///
/// # Errors
///
/// [`Reason::Failed`]: a check failed. [`Reason::Attention`]: one needs attention.
pub async fn doctor(
    common: &Common,
    args: &DoctorArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let mut checks = Vec::new();
    let flags = [("database.url", "--database", args.data.database.as_deref())];
    match configuration_file::load(args.data.config.as_deref(), environment, &flags) {
        Ok(config) => {
            checks.push(Check::new("configuration", State::Ok, "no mistakes", ""));
            let running = crate::data_dir::running_at(&args.data.data);
            checks.push(data_directory(args));
            checks.push(port(&config, running.as_deref()));
            checks.push(address(&config).await);
        }
        Err(failure) => {
            let fix = failure.hint.clone().unwrap_or_default();
            checks.push(Check::new("configuration", State::Fail, failure.message, &fix));
        }
    }
    checks.extend(from_server(common, environment).await);
    show(Output::new(common.json, environment), &checks)
}

fn data_directory(args: &DoctorArgs) -> Check {
    let path = &args.data.data;
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => {
            let text = format!("{shown} can be read by others");
            Check::new("data directory", State::Warn, text, &format!("chmod 700 {shown}"))
        }
        Ok(meta) if meta.is_dir() => Check::new("data directory", State::Ok, shown.to_string(), ""),
        Ok(_) => {
            let text = format!("{shown} is not a directory");
            Check::new("data directory", State::Fail, text, "name another with --data")
        }
        Err(_) => {
            let text = format!("{shown} is not there yet; the first start makes it");
            Check::new("data directory", State::Ok, text, "")
        }
    }
}

fn port(config: &Config, running: Option<&str>) -> Check {
    let listen = config.server.listen;
    if let Some(address) = running {
        return Check::new("port", State::Ok, format!("a server runs at {address}"), "");
    }
    match std::net::TcpListener::bind(listen) {
        Ok(_) => Check::new("port", State::Ok, format!("{listen} is free"), ""),
        Err(error) => {
            let text = format!("{listen}: {error}");
            let next = listen.port().wrapping_add(1).max(1_024);
            let fix = format!("stop what uses it, or bugle serve --listen {}:{next}", listen.ip());
            Check::new("port", State::Fail, text, &fix)
        }
    }
}

async fn address(config: &Config) -> Check {
    let Some(url) = &config.server.public_url else {
        let text = "not set: links in messages work on this machine only";
        return Check::new("public address", State::Warn, text, "set server.public_url");
    };
    if url.scheme() == "http" {
        let text = format!("{url} is not encrypted");
        return Check::new("public address", State::Warn, text, "put a TLS proxy in front");
    }
    let alive = match Client::new(url.clone(), None) {
        Ok(client) => tokio::time::timeout(PROBE_LIMIT, client.get_text("/livez", "*/*")).await,
        Err(failure) => Ok(Err(failure)),
    };
    match alive {
        Ok(Ok(_)) => Check::new("public address", State::Ok, format!("{url} answers"), ""),
        Ok(Err(failure)) => {
            let text = format!("{url}: {}", failure.message);
            Check::new(
                "public address",
                State::Fail,
                text,
                "point DNS and the proxy at this server",
            )
        }
        Err(_) => {
            let text = format!("{url} did not answer within {} s", PROBE_LIMIT.as_secs());
            Check::new("public address", State::Fail, text, "check DNS, proxy and firewall")
        }
    }
}

async fn from_server(common: &Common, environment: &Environment) -> Vec<Check> {
    let context = match Context::new(common, environment) {
        Ok(context) => context,
        Err(failure) => return vec![Check::new("server", State::Fail, failure.message, "")],
    };
    match context.client.get::<FromServer>("/api/v1/doctor", &[]).await {
        Ok(answer) => answer.checks,
        Err(failure) if failure.reason == Reason::Login => {
            let text = "a key is needed to see what the server sees";
            vec![Check::new("server", State::Warn, text, "bugle login")]
        }
        Err(failure) => {
            let fix = "bugle serve, or name the server with --server";
            vec![Check::new("server", State::Warn, failure.message, fix)]
        }
    }
}

fn show(output: Output, checks: &[Check]) -> Result<(), Failure> {
    if output.json {
        output.value(&checks)?;
    } else {
        let mut table = Table::new(&["check", "", "what was found"]);
        for check in checks {
            let state = match check.state {
                State::Ok => Cell::toned("✓ ok", Tone::Good),
                State::Warn => Cell::toned("! look", Tone::Warn),
                State::Fail => Cell::toned("✗ fix", Tone::Bad),
            };
            let fix =
                if check.fix.is_empty() { String::new() } else { format!(" → {}", check.fix) };
            let text = format!("{}{fix}", check.text);
            table.row(vec![check.name.clone().into(), state, text.into()]);
        }
        output.table(&table)?;
    }
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    match (count(State::Fail), count(State::Warn)) {
        (0, 0) => Ok(()),
        (0, look) => {
            Err(Failure::new(Reason::Attention, format!("{look} of the checks need attention.")))
        }
        (failed, _) => Err(Failure::new(Reason::Failed, format!("{failed} of the checks failed."))),
    }
}
