//! What can go wrong with the status page.

use bugle_store::StoreError;
use jiff::SignedDuration;

use super::subscribers::wait_s;
use crate::error::{ErrorKind, Forbidden, Problem, UseCaseError, storage_kind, summary};

/// A bulletin was not published, changed or read. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no such bulletin.
    #[error("there is no such bulletin")]
    NotFound,
    /// Something was said in between.
    #[error("something was said in between; read it and post again")]
    Overtaken,
    /// There is no such subscriber, or the token is not theirs.
    #[error("there is no such subscriber, or this is not their link")]
    NoSubscriber,
    /// Too many asked from one place.
    #[error("too many asked from your network; try again in {} s", wait_s(*.wait))]
    TooOften {
        /// How long to wait.
        wait: SignedDuration,
    },
    /// What was typed can't be used.
    #[error("{}", summary(.0))]
    Invalid(Vec<Problem>),
    /// The database failed.
    #[error("could not read or save")]
    Store(#[from] StoreError),
}

impl UseCaseError for StatusError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::NotFound | Self::NoSubscriber => ErrorKind::NotFound,
            Self::TooOften { .. } => ErrorKind::RateLimited,
            Self::Overtaken => ErrorKind::Conflict,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotFound => "no_bulletin",
            Self::NoSubscriber => "no_subscriber",
            Self::TooOften { .. } => "subscribe_rate_limited",
            Self::Overtaken => "version_conflict",
            Self::Invalid(_) => "invalid",
            Self::Store(error) => error.code(),
        }
    }

    fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problems) => problems,
            Self::Forbidden(_)
            | Self::NotFound
            | Self::NoSubscriber
            | Self::TooOften { .. }
            | Self::Overtaken
            | Self::Store(_) => &[],
        }
    }
}
