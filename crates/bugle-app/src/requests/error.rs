//! Why an event was not sent from here.

use bugle_store::StoreError;
use jiff::SignedDuration;

use crate::error::{ErrorKind, Forbidden, Problem, UseCaseError, storage_kind, summary};
use crate::intake::IntakeError;

/// An event could not be sent through an integration.
#[derive(Debug, thiserror::Error)]
pub enum SendEventError {
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// This tenant has no such integration.
    #[error("integration {0} does not exist")]
    NoSuchIntegration(bugle_domain::IntegrationId),
    /// The integration refuses events.
    #[error("integration \"{0}\" is disabled")]
    Disabled(String),
    /// Intake did not take it.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// What was sent can't be used; every reason is listed.
    #[error("{}", summary(.0))]
    Invalid(Vec<Problem>),
    /// The database failed.
    #[error("could not read or save")]
    Store(#[from] StoreError),
}

impl UseCaseError for SendEventError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::NoSuchIntegration(_) => ErrorKind::NotFound,
            Self::Disabled(_) => ErrorKind::Conflict,
            Self::Intake(error) => error.kind(),
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NoSuchIntegration(_) => "object_not_found",
            Self::Disabled(_) => "integration_disabled",
            Self::Intake(error) => error.code(),
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
            Self::Intake(error) => error.retry_after(),
            _ => None,
        }
    }
}
