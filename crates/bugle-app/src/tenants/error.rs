//! Why a tenant was not made or changed.

use crate::error::StoreError;

use crate::error::{ErrorKind, Forbidden, Problem, UseCaseError, storage_kind, summary};

/// A tenant could not be read, made or changed.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// What was sent can't be used; every reason is listed.
    #[error("{}", summary(.0))]
    Invalid(Vec<Problem>),
    /// The database failed.
    #[error("could not read or save")]
    Store(#[from] StoreError),
}

impl UseCaseError for TenantError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::Invalid(_) => "invalid",
            Self::Store(_) => "storage_failed",
        }
    }

    fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problems) => problems,
            _ => &[],
        }
    }
}
