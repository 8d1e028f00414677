//! What can go wrong with an incident.

use bugle_engine::incident::command::CommandError;
use bugle_engine::incident::room::Refusal;
use bugle_store::StoreError;

use crate::alerts::error::AlertError;
use crate::error::{ErrorKind, Forbidden, Problem, UseCaseError, storage_kind};
use crate::intake::IntakeError;
use crate::status::StatusError;

/// An incident could not be declared, shown, answered or worked on. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum IncidentError {
    /// There is none of that id, or none that this link answers.
    #[error("there is no such incident")]
    NotFound,
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// It can't be done as things are.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What was typed is no command.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// Nobody who could be meant has that name.
    #[error("nobody who can work on this incident is called {0:?}")]
    Nobody(String),
    /// More than one may be meant.
    #[error("{wanted:?} may be {}: write the mail address", .found.join(" or "))]
    Several {
        /// The name.
        wanted: String,
        /// Who may be meant.
        found: Vec<String>,
    },
    /// Too many are open.
    #[error("{most} incidents are open: close one that is over before another is declared")]
    TooManyOpen {
        /// How many may be.
        most: u32,
    },
    /// Nothing was said to the public, so nothing can be added.
    #[error(
        "the public is not told of it yet: tell them on the incident's page first, with what it \
         touches"
    )]
    NotTold,
    /// It is a tenant's, and no status page tells of it.
    #[error(
        "no status page tells of a tenant's incident: write /update for the timeline, and tell \
         customers on your own status page"
    )]
    NotPublic,
    /// There is no room for another line.
    #[error("the timeline is full: nothing can be noted in it any more")]
    Full,
    /// Somebody is being paged already.
    #[error("{name} is being paged already, by alert #{number}")]
    PagedAlready {
        /// Who.
        name: String,
        /// By which alert.
        number: i64,
    },
    /// Others did something at the same moment, again and again.
    #[error("others did something at the same moment; try again")]
    Busy,
    /// There is no such alert.
    #[error(transparent)]
    Alert(#[from] AlertError),
    /// The page was not taken.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The status page did not take it.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// The database.
    #[error("could not read or save")]
    Store(#[from] StoreError),
}

impl UseCaseError for IncidentError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound => ErrorKind::NotFound,
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::Refused(Refusal::Closed | Refusal::EndsByItself)
            | Self::TooManyOpen { .. }
            | Self::NotTold
            | Self::NotPublic
            | Self::Full
            | Self::PagedAlready { .. }
            | Self::Busy => ErrorKind::Conflict,
            Self::Refused(_) | Self::Command(_) | Self::Nobody(_) | Self::Several { .. } => {
                ErrorKind::Invalid
            }
            Self::Alert(error) => error.kind(),
            Self::Intake(error) => error.kind(),
            Self::Status(error) => error.kind(),
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "no_incident",
            Self::Forbidden(_) => "forbidden",
            Self::Refused(Refusal::Closed) => "incident_closed",
            Self::Refused(Refusal::EndsByItself) => "incident_of_watch",
            Self::Refused(_) => "incident_refused",
            Self::Command(_) => "no_command",
            Self::Nobody(_) | Self::Several { .. } => "nobody_of_that_name",
            Self::TooManyOpen { .. } => "too_many_incidents",
            Self::NotTold => "public_not_told",
            Self::NotPublic => "incident_not_public",
            Self::Full => "timeline_full",
            Self::PagedAlready { .. } => "paged_already",
            Self::Busy => "incident_busy",
            Self::Alert(error) => error.code(),
            Self::Intake(error) => error.code(),
            Self::Status(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    fn problems(&self) -> &[Problem] {
        match self {
            Self::Status(error) => error.problems(),
            _ => &[],
        }
    }
}
