//! What can go wrong when something is only read.

use bugle_store::StoreError;

use crate::error::{ErrorKind, Forbidden, Problem, UseCaseError, storage_kind, summary};
use crate::paging::BadCursor;

/// Something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no such thing in this tenant.
    #[error("{what} {id} does not exist")]
    NotFound {
        /// What it is.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The bytes were deleted after their time of keeping.
    #[error("the received bytes are no longer kept")]
    Expired,
    /// A schedule names a zone that does not exist.
    #[error("the time zone \"{name}\" does not exist")]
    Zone {
        /// The name.
        name: String,
    },
    /// What was sent can't be used; every reason is listed.
    #[error("{}", summary(.0))]
    Invalid(Vec<Problem>),
    /// The database failed.
    #[error("could not read or save")]
    Store(#[from] StoreError),
}

impl UseCaseError for ReadError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::NotFound { .. } | Self::Expired => ErrorKind::NotFound,
            Self::Zone { .. } => ErrorKind::Conflict,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotFound { .. } => "not_found",
            Self::Expired => "bytes_expired",
            Self::Zone { .. } => "zone_unknown",
            Self::Invalid(_) => "invalid",
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

impl From<bugle_engine::zone::ZoneError> for ReadError {
    fn from(error: bugle_engine::zone::ZoneError) -> Self {
        Self::Zone { name: error.name }
    }
}

impl From<BadCursor> for ReadError {
    fn from(cursor: BadCursor) -> Self {
        Self::Invalid(cursor.into())
    }
}
