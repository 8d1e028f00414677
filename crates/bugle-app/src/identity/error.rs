//! Why somebody is not let in, or a credential not changed.

use bugle_domain::role::Role;
use bugle_domain::{ApiKeyId, SessionId};
use bugle_store::StoreError;
use jiff::SignedDuration;

use crate::error::{ErrorKind, Forbidden, Problem, UseCaseError, storage_kind, summary};

/// Set-up could not be done.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// It has been done before, and is over for good.
    #[error("this installation has been set up already")]
    AlreadyDone,
    /// The token is not the one that was printed, or was used.
    #[error("the set-up link is not valid; restart the server to get a new one")]
    BadToken,
    /// What was sent can't be used; every reason is listed.
    #[error("{}", summary(.0))]
    Invalid(Vec<Problem>),
    /// The database failed.
    #[error("could not read or save")]
    Store(#[from] StoreError),
}

impl UseCaseError for SetupError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyDone => ErrorKind::Conflict,
            Self::BadToken => ErrorKind::Unauthenticated,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyDone => "setup_done",
            Self::BadToken => "setup_token_invalid",
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

/// Somebody could not be signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Address and password do not belong together. Which of the two is wrong is not said.
    #[error("mail address and password do not belong together")]
    Refused,
    /// The link was used, is too old, or never was.
    #[error("this sign-in link has been used or is too old")]
    BadLink,
    /// Too many tries for this address or from this place.
    #[error("too many tries; try again in {} s", retry_after.as_secs().max(1))]
    TooMany {
        /// When the next try may be made.
        retry_after: SignedDuration,
    },
    /// The database failed.
    #[error("could not read or save")]
    Store(#[from] StoreError),
}

impl UseCaseError for SignInError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused | Self::BadLink => ErrorKind::Unauthenticated,
            Self::TooMany { .. } => ErrorKind::RateLimited,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Refused => "sign_in_refused",
            Self::BadLink => "sign_in_link_invalid",
            Self::TooMany { .. } => "sign_in_rate_limited",
            Self::Store(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<SignedDuration> {
        match self {
            Self::TooMany { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}

/// A request's credential was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// There is no such session, or it has ended.
    #[error("the session has ended; sign in again")]
    NoSession,
    /// There is no such key.
    #[error("the API key is not valid")]
    BadKey,
    /// The key's time is over.
    #[error("the API key has expired")]
    KeyExpired,
    /// Its owner is disabled or gone.
    #[error("this user is disabled")]
    Disabled,
    /// The database failed.
    #[error("could not read or save")]
    Store(#[from] StoreError),
}

impl UseCaseError for AuthError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSession | Self::BadKey | Self::KeyExpired | Self::Disabled => {
                ErrorKind::Unauthenticated
            }
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoSession => "session_invalid",
            Self::BadKey => "api_key_invalid",
            Self::KeyExpired => "api_key_expired",
            Self::Disabled => "user_disabled",
            Self::Store(error) => error.code(),
        }
    }
}

/// Something of a person's own could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// A key asks for what only a person has.
    #[error("only a signed-in person can do this")]
    NotAPerson,
    /// The current password is not this.
    #[error("the current password is not right")]
    WrongPassword,
    /// There is no such session of this person.
    #[error("session {0} does not exist")]
    NoSuchSession(SessionId),
    /// There is no such user.
    #[error("user {0} does not exist")]
    NoSuchUser(String),
    /// What was sent can't be used; every reason is listed.
    #[error("{}", summary(.0))]
    Invalid(Vec<Problem>),
    /// The database failed.
    #[error("could not read or save")]
    Store(#[from] StoreError),
}

impl UseCaseError for ProfileError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden(_) | Self::NotAPerson | Self::WrongPassword => ErrorKind::Forbidden,
            Self::NoSuchSession(_) | Self::NoSuchUser(_) => ErrorKind::NotFound,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotAPerson => "person_needed",
            Self::WrongPassword => "password_wrong",
            Self::NoSuchSession(_) => "session_not_found",
            Self::NoSuchUser(_) => "user_not_found",
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

/// An API key could not be made, listed or revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The caller may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no such key that the caller may see.
    #[error("API key {0} does not exist")]
    NoSuchKey(ApiKeyId),
    /// A key may not do more than who makes it.
    #[error("a key may not do more than its maker, who is {}", .0.as_str())]
    RoleTooHigh(Role),
    /// A key makes a personal key of nobody.
    #[error("only a signed-in person can make a personal key")]
    NotAPerson,
    /// What was sent can't be used; every reason is listed.
    #[error("{}", summary(.0))]
    Invalid(Vec<Problem>),
    /// The database failed.
    #[error("could not read or save")]
    Store(#[from] StoreError),
}

impl UseCaseError for KeyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden(_) | Self::RoleTooHigh(_) | Self::NotAPerson => ErrorKind::Forbidden,
            Self::NoSuchKey(_) => ErrorKind::NotFound,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NoSuchKey(_) => "api_key_not_found",
            Self::RoleTooHigh(_) => "api_key_role_too_high",
            Self::NotAPerson => "person_needed",
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
