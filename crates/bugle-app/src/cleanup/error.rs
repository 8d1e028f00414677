//! What can go wrong with a clean-up.

use bugle_engine::cleanup::CleanUpState;
use bugle_store::StoreError;

use crate::change::ChangeError;
use crate::error::{ErrorKind, Forbidden, UseCaseError, storage_kind};

/// A clean-up was not begun, taken back or read. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum CleanUpError {
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no such clean-up.
    #[error("clean-up {0} does not exist")]
    NotFound(i64),
    /// What it took away can't be put back any more.
    #[error("it can't be put back: it is {}", .state.as_str())]
    TooLate {
        /// Where it stands.
        state: CleanUpState,
    },
    /// The watch says that something of ours is broken.
    #[error("not while something is broken: {0}")]
    Red(String),
    /// The reason is missing or too long.
    #[error("say why, in at most {limit} characters")]
    Reason {
        /// The limit.
        limit: usize,
    },
    /// The change that carries it out.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The database failed.
    #[error("could not read or save")]
    Store(#[from] StoreError),
}

impl UseCaseError for CleanUpError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::TooLate { .. } | Self::Red(_) => ErrorKind::Conflict,
            Self::Reason { .. } => ErrorKind::Invalid,
            Self::Change(error) => error.kind(),
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "clean_up_not_found",
            Self::TooLate { .. } => "clean_up_too_late",
            Self::Red(_) => "clean_up_red",
            Self::Reason { .. } => "reason_missing",
            Self::Change(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}
