//! `Idempotency-Key`: a request that is sent again is answered as the first, and not done twice.
//!
//! A request is noted before it is done, and its answer after. One that was noted and never
//! answered may have been done; it is not done again under its key.

use bugle_store::{KeptAnswer, KeyedRequest, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::caller::Caller;
use crate::error::{ErrorKind, UseCaseError, storage_kind};

/// How long an answer is kept.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Longest key, in bytes.
pub const MAX_KEY_BYTES: usize = 240;
/// Longest answer that is kept, in bytes.
pub const MAX_ANSWER_BYTES: usize = 64 * 1_024;
/// A request that has not ended after this has ended with its node: longer than an answer may take.
const RUNS_AT_MOST: SignedDuration = SignedDuration::from_mins(2);

/// What was asked under a key.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The key, as the caller made it.
    pub key: &'a str,
    /// `POST`.
    pub method: &'a str,
    /// The path.
    pub path: &'a str,
    /// What follows the path in the address.
    pub query: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// What was answered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers that belong to it.
    pub head: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What is to be done with a request that has a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Begun {
    /// It is done now; its answer is handed to [`App::end_keyed`].
    First(Turn),
    /// It was done before, and this was the answer.
    Again(Answer),
}

/// The right to do a request under its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Turn {
    scope: bugle_domain::TenantScope,
    key_hash: [u8; 32],
}

/// How a request ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// So that its answer can be given again.
    Answered(Answer),
    /// So, but the answer is not kept: it is too long, or shows a secret.
    NotKept(u16),
    /// By a fault of ours: it may be sent again.
    Failed,
}

/// A request with a key was not done.
#[derive(Debug, thiserror::Error)]
pub enum KeyedRequestError {
    /// The key is empty or too long.
    #[error("an Idempotency-Key has 1 to {MAX_KEY_BYTES} bytes")]
    Unusable,
    /// It came with another body or query before.
    #[error("this Idempotency-Key came with another request before; use a new one")]
    Reused,
    /// The first is still being done.
    #[error("the first request with this Idempotency-Key is still being done; retry in a moment")]
    Running,
    /// The first never came to an end.
    #[error(
        "the first request with this Idempotency-Key did not come to an end and may have been \
         done; look, and use a new key to do it again"
    )]
    Unknown,
    /// The first was done, and its answer is not kept.
    #[error(
        "the first request with this Idempotency-Key was answered with status {0}; answers that \
         are long or show a secret are not kept"
    )]
    NotKept(u16),
    /// The database failed.
    #[error("could not look the Idempotency-Key up")]
    Store(#[from] StoreError),
}

impl UseCaseError for KeyedRequestError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unusable | Self::Reused => ErrorKind::Invalid,
            Self::Running | Self::Unknown | Self::NotKept(_) => ErrorKind::Conflict,
            Self::Store(error) => storage_kind(error),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unusable => "idempotency_key_unusable",
            Self::Reused => "idempotency_key_reused",
            Self::Running => "idempotency_running",
            Self::Unknown => "idempotency_outcome_unknown",
            Self::NotKept(_) => "idempotency_answer_not_kept",
            Self::Store(error) => error.code(),
        }
    }
}

impl App {
    /// Begins a request that came with an `Idempotency-Key`. The key counts for this caller in this
    /// role, for this method and path.
    pub async fn begin_keyed(
        &self,
        caller: &Caller,
        asked: &Asked<'_>,
    ) -> Result<Begun, KeyedRequestError> {
        if asked.key.is_empty() || asked.key.len() > MAX_KEY_BYTES {
            return Err(KeyedRequestError::Unusable);
        }
        let who = caller.user.map_or_else(|| caller.audit_name(), |user| user.to_string());
        let role = caller.role.as_str();
        let key_hash = hash(&[&who, role, asked.method, asked.path, asked.key], &[]);
        let request_hash = hash(&[asked.query], asked.body);
        let now = self.now();
        let forgotten = now.saturating_sub(KEPT_FOR).unwrap_or(Timestamp::MIN);
        let store = &self.inner().store;
        let hashes = (&key_hash, &request_hash);
        match store.begin_keyed_request(caller.scope, hashes, now, forgotten).await? {
            None => Ok(Begun::First(Turn { scope: caller.scope, key_hash })),
            Some(before) => repeat(before, &request_hash, now).map(Begun::Again),
        }
    }

    /// Ends a request that came with a key.
    pub async fn end_keyed(&self, turn: &Turn, ended: Ended) -> Result<(), StoreError> {
        let Turn { scope, key_hash } = turn;
        let store = &self.inner().store;
        let (status, answer) = match ended {
            Ended::Failed => return store.forget_keyed_request(*scope, key_hash).await,
            Ended::NotKept(status) => (status, None),
            Ended::Answered(answer) => (answer.status, kept(answer)),
        };
        store.end_keyed_request(*scope, key_hash, status, answer.as_ref()).await
    }
}

/// What is to be answered where a request with this key came before.
fn repeat(
    before: KeyedRequest,
    request_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Answer, KeyedRequestError> {
    if before.request_hash != *request_hash {
        return Err(KeyedRequestError::Reused);
    }
    let Some(status) = before.status else {
        let runs = now.duration_since(before.begun_at) < RUNS_AT_MOST;
        return Err(if runs { KeyedRequestError::Running } else { KeyedRequestError::Unknown });
    };
    let answer = before.answer.and_then(|KeptAnswer { head, body }| {
        Some(Answer { status, head: serde_json::from_str(&head).ok()?, body })
    });
    answer.ok_or(KeyedRequestError::NotKept(status))
}

/// The answer as it is kept; `None`: it is not.
fn kept(answer: Answer) -> Option<KeptAnswer> {
    let fits = answer.body.len() <= MAX_ANSWER_BYTES && !answer.body.contains('\0');
    let head = serde_json::to_string(&answer.head).ok().filter(|_| fits)?;
    Some(KeptAnswer { head, body: answer.body })
}

/// SHA-256 of parts and a rest, so that no two ways of cutting the same text are alike.
fn hash(parts: &[&str], rest: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.update(rest);
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
