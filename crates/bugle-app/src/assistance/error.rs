//! What can go wrong with assistance requests.

use bugle_store::StoreError;

use crate::error::{ErrorKind, Forbidden, Problem, UseCaseError, storage_kind, summary};

/// An assistance request could not be opened, shown, answered or closed.
#[derive(Debug, thiserror::Error)]
pub enum AssistanceError {
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is none of that id, for this caller.
    #[error("there is no such assistance request")]
    NotFound,
    /// What was sent can't be used; every reason is listed.
    #[error("{}", summary(.0))]
    Invalid(Vec<Problem>),
    /// The tenant has as many open as it may.
    #[error(
        "{most} assistance requests are open, which is as many as may be; they are answered first"
    )]
    TooMany {
        /// How many may be.
        most: u32,
    },
    /// It is closed, and nothing more is said about it.
    #[error("it is closed; open another one")]
    Closed,
    /// No trace is attached to it, so that nobody can say why it was closed.
    #[error("no trace is attached: read it again, then close it")]
    Untraced,
    /// It names no way in that something could be sent along.
    #[error("no integration is known of it, so there is no path to send anything along")]
    NoPath,
    /// Something is being sent along its path.
    #[error("its path is being replicated at this moment; look at what comes of it")]
    Replicating,
    /// This node sends as many replicas as it may.
    #[error("at most {most} replicas are sent in a minute; the next one can be sent in {wait_s} s")]
    TooManyReplicas {
        /// How many may be.
        most: u32,
        /// When there is room again, seconds.
        wait_s: i64,
    },
    /// Somebody changed it at the same moment.
    #[error("somebody changed it at the same moment; look at it again")]
    Overtaken,
    /// The database.
    #[error("could not read or save")]
    Store(#[from] StoreError),
}

impl UseCaseError for AssistanceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::NotFound => ErrorKind::NotFound,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::TooMany { .. } | Self::TooManyReplicas { .. } => ErrorKind::RateLimited,
            Self::Closed | Self::Untraced | Self::NoPath | Self::Replicating | Self::Overtaken => {
                ErrorKind::Conflict
            }
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotFound => "no_assistance_request",
            Self::Invalid(_) => "invalid",
            Self::TooMany { .. } => "assistance_too_many",
            Self::Closed => "assistance_closed",
            Self::Untraced => "assistance_untraced",
            Self::NoPath => "assistance_no_path",
            Self::Replicating => "assistance_replicating",
            Self::TooManyReplicas { .. } => "assistance_too_many_replicas",
            Self::Overtaken => "assistance_overtaken",
            Self::Store(error) => error.code(),
        }
    }

    fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problems) => problems,
            _ => &[],
        }
    }
}
