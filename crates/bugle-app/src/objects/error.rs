//! Why configuration was not read or changed.

use bugle_domain::object::ObjectKind;
use bugle_store::StoreError;

use crate::error::{ErrorKind, Forbidden, Problem, UseCaseError, storage_kind, summary};
use crate::objects::{Dependant, in_use};
use crate::paging::BadCursor;

/// An object could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no such object in this tenant.
    #[error("{} {id} does not exist", kind.as_str())]
    NotFound {
        /// Which kind.
        kind: ObjectKind,
        /// Its prefixed id.
        id: String,
    },
    /// Another object of this kind has this name.
    #[error("there is a {} named \"{name}\" already", kind.as_str())]
    NameTaken {
        /// Which kind.
        kind: ObjectKind,
        /// The name.
        name: String,
    },
    /// Others depend on it.
    #[error("{}", in_use(dependants))]
    InUse {
        /// Who.
        dependants: Vec<Dependant>,
    },
    /// Somebody changed it since the caller has read it.
    #[error("it was changed by somebody else since you opened it")]
    Stale {
        /// What the caller has seen.
        expected: i64,
        /// What is there; `None`: it is gone.
        actual: Option<i64>,
    },
    /// Nobody would be left who can manage users.
    #[error("this is the last admin; make another one first")]
    LastAdmin,
    /// It is the tenant's fallback policy.
    #[error("this is the fallback policy; choose another one in the settings first")]
    FallbackPolicy,
    /// A responder covers own shifts, or takes shifts over; this is neither.
    #[error("you can take a shift over or have your own covered; for others ask a manager")]
    NotYourShift,
    /// The key belongs to another integration.
    #[error("this key is used by another integration")]
    KeyTaken,
    /// What was sent can't be used; every reason is listed.
    #[error("{}", summary(.0))]
    Invalid(Vec<Problem>),
    /// The database failed.
    #[error("could not read or save")]
    Store(#[source] StoreError),
}

impl UseCaseError for ObjectError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden(_) | Self::NotYourShift => ErrorKind::Forbidden,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::NameTaken { .. }
            | Self::InUse { .. }
            | Self::Stale { .. }
            | Self::LastAdmin
            | Self::FallbackPolicy
            | Self::KeyTaken => ErrorKind::Conflict,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotFound { .. } => "object_not_found",
            Self::NameTaken { .. } => "name_taken",
            Self::InUse { .. } => "object_in_use",
            Self::Stale { .. } => "version_conflict",
            Self::LastAdmin => "last_admin",
            Self::FallbackPolicy => "fallback_policy_in_use",
            Self::NotYourShift => "not_your_shift",
            Self::KeyTaken => "key_taken",
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

impl From<StoreError> for ObjectError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale { expected, current, .. } => {
                Self::Stale { expected, actual: (current > 0).then_some(current) }
            }
            StoreError::NameTaken { kind, name } => Self::NameTaken { kind, name },
            StoreError::KeyTaken => Self::KeyTaken,
            other => Self::Store(other),
        }
    }
}

impl From<BadCursor> for ObjectError {
    fn from(cursor: BadCursor) -> Self {
        Self::Invalid(cursor.into())
    }
}
