//! What the surroundings of the process say: variables and terminals, read once.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

/// Variables and terminals as they were when the program began.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// All variables whose name and value are text.
    pub variables: BTreeMap<String, String>,
    /// Whether a person reads standard output.
    pub terminal_out: bool,
    /// Whether a person can answer on standard input.
    pub terminal_in: bool,
}

impl Environment {
    /// Reads them.
    pub fn capture() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            variables,
            terminal_out: io::stdout().is_terminal(),
            terminal_in: io::stdin().is_terminal(),
        }
    }

    /// A variable that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The file in which servers and keys are kept by `bugle login`.
    pub fn profile_file(&self) -> Option<PathBuf> {
        if let Some(file) = self.variable("BUGLE_PROFILE_FILE") {
            return Some(PathBuf::from(file));
        }
        let folder = match self.variable("XDG_CONFIG_HOME") {
            Some(folder) => PathBuf::from(folder),
            None => PathBuf::from(self.variable("HOME")?).join(".config"),
        };
        Some(folder.join("bugle").join("profiles.toml"))
    }

    /// Whether to colour what is written.
    pub fn colour(&self) -> bool {
        let dumb = self.variable("TERM").is_some_and(|term| term == "dumb");
        self.terminal_out && self.variable("NO_COLOR").is_none() && !dumb
    }
}
