//! Why an alert was not shown or answered.

use bugle_store::StoreError;

use crate::error::{ErrorKind, Forbidden, Problem, UseCaseError, storage_kind, summary};
use crate::paging::BadCursor;
use crate::responses::RespondError;

/// An alert could not be read or answered.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// This tenant has no such alert.
    #[error("alert {0} does not exist")]
    NotFound(String),
    /// The link is not valid, or no longer.
    #[error("this link is not valid any more; sign in to see the alert")]
    LinkGone,
    /// What was sent can't be used; every reason is listed.
    #[error("{}", summary(.0))]
    Invalid(Vec<Problem>),
    /// The stage that takes answers stands still.
    #[error("answers can't be taken right now; try again")]
    Stopped,
    /// The database failed.
    #[error("could not read or save")]
    Store(#[from] StoreError),
}

impl UseCaseError for AlertError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::NotFound(_) | Self::LinkGone => ErrorKind::NotFound,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Stopped => ErrorKind::Unavailable,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "alert_not_found",
            Self::LinkGone => "link_expired",
            Self::Invalid(_) => "invalid",
            Self::Stopped => "responses_stopped",
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

impl From<BadCursor> for AlertError {
    fn from(cursor: BadCursor) -> Self {
        Self::Invalid(cursor.into())
    }
}

impl From<RespondError> for AlertError {
    fn from(error: RespondError) -> Self {
        match error {
            RespondError::NoSuchAlert(id) => Self::NotFound(id.to_string()),
            RespondError::Stopped => Self::Stopped,
            RespondError::Store(error) => Self::Store(error),
        }
    }
}
