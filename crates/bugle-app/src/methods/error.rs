//! Why a contact method was not added, proven or used.

use bugle_domain::{MethodId, UserId};
use bugle_store::StoreError;
use jiff::SignedDuration;

use crate::error::{ErrorKind, Forbidden, Problem, UseCaseError, storage_kind, summary};
use crate::methods::CODE_TRIES;

/// A contact method or rule could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum MethodError {
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no such user.
    #[error("user {0} does not exist")]
    NoSuchUser(UserId),
    /// There is no such contact method.
    #[error("contact method {0} does not exist")]
    NoSuchMethod(MethodId),
    /// The code is not the one that was sent, is too old, or was tried too often.
    #[error("this code is not right or no longer holds; ask for another after {CODE_TRIES} tries")]
    WrongCode,
    /// It was proven before.
    #[error("this contact method is proven already")]
    AlreadyProven,
    /// It must be proven before it is used.
    #[error("this contact method is not proven yet; type the code that was sent to it")]
    NotProven,
    /// Too many codes or tests were sent.
    #[error("too many messages; try again in {} s", retry_after.as_secs().max(1))]
    TooMany {
        /// When the next may be sent.
        retry_after: SignedDuration,
    },
    /// Somebody changed the user's rules at the same time.
    #[error("it was changed by somebody else at the same time; try again")]
    Stale,
    /// What was sent can't be used; every reason is listed.
    #[error("{}", summary(.0))]
    Invalid(Vec<Problem>),
    /// The database failed.
    #[error("could not read or save")]
    Store(#[source] StoreError),
}

impl UseCaseError for MethodError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::NoSuchUser(_) | Self::NoSuchMethod(_) => ErrorKind::NotFound,
            Self::WrongCode | Self::Invalid(_) => ErrorKind::Invalid,
            Self::AlreadyProven | Self::NotProven | Self::Stale => ErrorKind::Conflict,
            Self::TooMany { .. } => ErrorKind::RateLimited,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NoSuchUser(_) => "user_not_found",
            Self::NoSuchMethod(_) => "method_not_found",
            Self::WrongCode => "code_wrong",
            Self::AlreadyProven => "method_already_proven",
            Self::NotProven => "method_not_proven",
            Self::TooMany { .. } => "method_rate_limited",
            Self::Stale => "version_conflict",
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

    fn retry_after(&self) -> Option<SignedDuration> {
        match self {
            Self::TooMany { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}

impl From<StoreError> for MethodError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale { .. } => Self::Stale,
            other => Self::Store(other),
        }
    }
}
