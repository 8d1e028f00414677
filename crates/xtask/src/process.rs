//! Running other programs.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::workspace;

/// A program to be run at the root of the workspace, which ends when this one does.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace::root()).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs a program to its end and lets it print as it likes.
///
/// # Errors
///
/// It could not be started, or it did not succeed.
pub(crate) async fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let status = command.status().await.with_context(|| format!("could not start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs a program to its end and returns what it printed.
///
/// # Errors
///
/// It could not be started, or it did not succeed: the error then says what it printed.
pub(crate) async fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command.output().await.with_context(|| format!("could not start `{shown}`"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("`{shown}` failed ({}): {}{}", output.status, said.trim(), errors.trim());
    }
    Ok(said)
}

/// Runs a program to its end and returns what it printed; its errors are shown as they come.
///
/// # Errors
///
/// It could not be started, or it did not succeed.
pub(crate) async fn printed(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let child = command.stdout(Stdio::piped()).spawn();
    let child = child.with_context(|| format!("could not start `{shown}`"))?;
    let output = child.wait_with_output().await?;
    if !output.status.success() {
        bail!("`{shown}` failed ({})", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The program's name and arguments, as one would type them.
fn show(command: &Command) -> String {
    let command = command.as_std();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Finds a program by its name on the search path.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = variable("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// A variable of the environment.
#[expect(clippy::disallowed_methods, reason = "xtask is a program of its own")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Waits until this program is asked to stop, and returns the signal's name.
pub(crate) async fn interrupted() -> &'static str {
    let (Ok(mut int), Ok(mut term)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = int.recv() => "Ctrl-C",
        _ = term.recv() => "SIGTERM",
    }
}
