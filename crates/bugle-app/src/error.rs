//! What errors of use cases have in common: a closed kind, a stable code, the printer of chains.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use bugle_engine::check::Problem;
pub use bugle_store::StoreError;
use jiff::SignedDuration;

/// Sorts what the store said.
pub(crate) fn storage_kind(error: &StoreError) -> ErrorKind {
    match error.kind() {
        bugle_store::ErrorKind::Conflict => ErrorKind::Conflict,
        bugle_store::ErrorKind::Unavailable => ErrorKind::Unavailable,
        bugle_store::ErrorKind::Internal => ErrorKind::Internal,
    }
}

/// Whether the same may succeed when it is done again, under the same ids.
pub(crate) fn transient(error: &StoreError) -> bool {
    error.kind() == bugle_store::ErrorKind::Unavailable
}

/// What `work` gives, or `None` where it panics. Whoever asks throws away what it was working on.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Sorts an error for the layer above: status, log level, retry and metric follow from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ErrorKind {
    /// What was asked for does not exist for this caller.
    NotFound,
    /// What was sent does not mean anything valid.
    Invalid,
    /// It is valid and does not fit what is there now.
    Conflict,
    /// The caller is known and may not.
    Forbidden,
    /// The caller is not known.
    Unauthenticated,
    /// Too often; a later try will do.
    RateLimited,
    /// Something needed can't be reached right now; a later try will do.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// What the outside needs of every use case's error.
pub trait UseCaseError: std::error::Error + Send + Sync + 'static {
    /// Sorts the error.
    fn kind(&self) -> ErrorKind;

    /// Stable token for clients and for `docs/errors.md`. Never renamed.
    fn code(&self) -> &'static str;

    /// Every single thing that is wrong with what was sent, with JSON pointers.
    fn problems(&self) -> &[Problem] {
        &[]
    }

    /// How long to wait before the next try, where that is known.
    fn retry_after(&self) -> Option<SignedDuration> {
        None
    }
}

/// The caller's role does not allow it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this needs the permission \"{permission}\", which {who} does not have")]
pub struct Forbidden {
    /// The permission that was missing.
    pub permission: &'static str,
    /// The role that lacks it, as shown.
    pub who: &'static str,
}

/// Prints an error and all its causes, joined by `: `.
pub struct Chain<'a>(pub &'a dyn std::error::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

/// What is wrong in one line, for the error that carries `problems`.
pub(crate) fn summary(problems: &[Problem]) -> String {
    match problems {
        [] => "it is not valid".to_owned(),
        [only] => only.message.clone(),
        [first, rest @ ..] => format!("{} (and {} more)", first.message, rest.len()),
    }
}

/// One problem as the whole list.
pub(crate) fn problem(pointer: &str, code: &'static str, message: impl Into<String>) -> Problem {
    Problem { pointer: pointer.to_owned(), code, message: message.into() }
}
