//! How a command fails: what to say, what to try, and the exit code that follows.

use std::fmt;
use std::process::ExitCode;

/// Why a command failed, for the exit code. Scripts rely on these numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// It was tried and did not work: 1.
    Failed,
    /// It was asked for in a wrong way: 2.
    Usage,
    /// There is no such thing: 3.
    NotFound,
    /// A valid key is needed: 4.
    Login,
    /// A rule of the server forbids it: 5.
    Refused,
    /// It was done, and something needs attention: 6.
    Attention,
}

impl Reason {
    /// The number of the exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Login => 4,
            Self::Refused => 5,
            Self::Attention => 6,
        }
    }
}

/// A failure, in words for the person at the terminal.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub reason: Reason,
    /// What went wrong, with a full stop.
    pub message: String,
    /// A command or a step that helps.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure for `reason`.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), hint: None }
    }

    /// Adds what to try.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A failure of something underneath, with its whole chain of causes.
    pub fn because(what: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        Self::new(Reason::Failed, format!("{what}: {}.", Chain(error)))
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.reason.code())
    }
}

impl From<std::io::Error> for Failure {
    /// Standard output or input is gone, as when a pipe was closed.
    fn from(error: std::io::Error) -> Self {
        Self::because("standard input or output", &error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nTry: {hint}"),
            None => Ok(()),
        }
    }
}

/// An error and its causes, on one line.
pub struct Chain<'a>(pub &'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
