//! What can go wrong with the status page.

use bugle_engine::status::subscribers::CODE_TRIES;
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
    /// The tenant has no such status page.
    #[error("there is no such status page")]
    NoPage,
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
    /// The code is not the one that was sent, is too old, or was tried too often.
    #[error("this code is not right or no longer holds; ask for another after {CODE_TRIES} tries")]
    WrongCode,
    /// No more texts go out today.
    #[error("no more texts go out today; ask by mail, or tomorrow")]
    TextsUsedUp,
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
            Self::NotFound | Self::NoPage | Self::NoSubscriber => ErrorKind::NotFound,
            Self::TooOften { .. } | Self::TextsUsedUp => ErrorKind::RateLimited,
            Self::Overtaken => ErrorKind::Conflict,
            Self::WrongCode | Self::Invalid(_) => ErrorKind::Invalid,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotFound => "no_bulletin",
            Self::NoPage => "object_not_found",
            Self::NoSubscriber => "no_subscriber",
            Self::TooOften { .. } => "subscribe_rate_limited",
            Self::Overtaken => "version_conflict",
            Self::WrongCode => "code_wrong",
            Self::TextsUsedUp => "subscriber_texts_used_up",
            Self::Invalid(_) => "invalid",
            Self::Store(error) => error.code(),
        }
    }

    fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problems) => problems,
            Self::Forbidden(_)
            | Self::NotFound
            | Self::NoPage
            | Self::NoSubscriber
            | Self::TooOften { .. }
            | Self::Overtaken
            | Self::WrongCode
            | Self::TextsUsedUp
            | Self::Store(_) => &[],
        }
    }
}
