//! What can go wrong with a guarded change.

use bugle_domain::revision::Mistakes;
use bugle_store::StoreError;

use crate::error::{ErrorKind, Forbidden, UseCaseError, storage_kind};

/// A change was not begun, undone or read. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The document has mistakes.
    #[error("the revision can't be read: {0}")]
    Mistakes(#[from] Mistakes),
    /// It does not fit; every reason is listed.
    #[error("refused: {}", .0.join("; "))]
    Refused(Vec<String>),
    /// It would change nothing.
    #[error("the stages run that already")]
    Nothing,
    /// Another change is not over yet.
    #[error("another change is under way: wait until it is over, or undo it")]
    UnderWay,
    /// It was planned on a known-good that is not that any more.
    #[error("another change ended meanwhile; plan it again")]
    Overtaken,
    /// There is nothing to undo.
    #[error("no change is under way")]
    NoneUnderWay,
    /// There is no such revision.
    #[error("revision {0} does not exist")]
    NoRevision(i64),
    /// There is no such change.
    #[error("change {0} does not exist")]
    NoChange(i64),
    /// The reason is missing or too long.
    #[error("say why, in at most {limit} characters")]
    Reason {
        /// The limit.
        limit: usize,
    },
    /// It is to be watched too briefly or too long.
    #[error("a change is watched for 10 s to 24 h")]
    WatchTime,
    /// The database failed.
    #[error("could not read or save")]
    Store(#[from] StoreError),
}

impl UseCaseError for ChangeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::Mistakes(_) | Self::Reason { .. } | Self::WatchTime => ErrorKind::Invalid,
            Self::Refused(_)
            | Self::Nothing
            | Self::UnderWay
            | Self::Overtaken
            | Self::NoneUnderWay => ErrorKind::Conflict,
            Self::NoRevision(_) | Self::NoChange(_) => ErrorKind::NotFound,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::Mistakes(_) => "revision_unreadable",
            Self::Refused(_) => "change_refused",
            Self::Nothing => "change_empty",
            Self::UnderWay => "change_under_way",
            Self::Overtaken => "change_overtaken",
            Self::NoneUnderWay => "no_change_under_way",
            Self::NoRevision(_) => "revision_not_found",
            Self::NoChange(_) => "change_not_found",
            Self::Reason { .. } => "reason_missing",
            Self::WatchTime => "watch_time_range",
            Self::Store(error) => error.code(),
        }
    }
}
