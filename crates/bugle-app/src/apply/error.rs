//! Why a configuration file was not applied.

use bugle_store::StoreError;

use crate::error::{ErrorKind, Forbidden, Problem, UseCaseError, problem, storage_kind, summary};
use crate::objects::{Dependant, in_use};

/// A configuration file could not be planned, applied or written.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Somebody changed the configuration meanwhile; nothing was applied.
    #[error("the configuration was changed by somebody else meanwhile; plan again")]
    Changed,
    /// What the file would delete is needed by something that stays.
    #[error("{}", in_use(.0))]
    InUse(Vec<Dependant>),
    /// Nobody would be left who can manage users.
    #[error("this would remove the last admin")]
    LastAdmin,
    /// What was sent can't be used; every reason is listed.
    #[error("{}", summary(.0))]
    Invalid(Vec<Problem>),
    /// The database failed.
    #[error("could not read or save")]
    Store(#[source] StoreError),
}

impl UseCaseError for ApplyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::Changed | Self::InUse(_) | Self::LastAdmin => ErrorKind::Conflict,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::Changed => "configuration_changed",
            Self::InUse(_) => "object_in_use",
            Self::LastAdmin => "last_admin",
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

impl From<StoreError> for ApplyError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale { .. } | StoreError::Replanned { .. } => Self::Changed,
            StoreError::NameTaken { kind, name } => {
                let message = format!("there is already a {} named {name}", kind.as_str());
                Self::Invalid(vec![problem("", "name_taken", message)])
            }
            other => Self::Store(other),
        }
    }
}
