//! What happens to a request once it is read: its key is looked up, and its events are committed.

use std::sync::Arc;

use bugle_app::App;
use bugle_app::entropy;
use bugle_app::intake::IntakeError;
use bugle_app::keys::IntegrationRef;
use bugle_app::senders::RejectedRequest;
use bugle_domain::EventId;
use bugle_domain::event::{EventBody, NewEvent};
use bugle_domain::integration::Dialect;
use bytes::Bytes;
use jiff::Timestamp;

use super::said::{DialectError, Events};
use super::{answers, text};

/// Longest idempotency key, in bytes, with room for an event's number.
pub(super) const MAX_IDEMPOTENCY_BYTES: usize = 240;
/// Most bytes kept of a request that was not accepted.
const MAX_REJECTED_BYTES: usize = 16 * 1_024;

/// A request that was read whole and parsed.
pub(crate) struct Arrived<'a> {
    /// What its path says its sender speaks.
    pub(crate) dialect: Dialect,
    /// The key, from wherever the dialect has it.
    pub(crate) key: Option<&'a str>,
    /// Makes retries harmless.
    pub(crate) idempotency_key: Option<&'a str>,
    /// All bytes of the body.
    pub(crate) raw: Bytes,
    /// What they say.
    pub(crate) events: Events,
    /// When the request had been read.
    pub(crate) now: Timestamp,
}

/// One event that is durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Taken {
    /// Its id, or that of the first event with the same idempotency key.
    pub(crate) id: EventId,
    /// What it folds by.
    pub(crate) dedup_key: String,
    /// It had been taken before.
    pub(crate) repeat: bool,
}

/// Why nothing was taken.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The body is longer than allowed.
    TooLarge,
    /// The body did not come within the time allowed.
    TooSlow,
    /// There is no key.
    NoKey,
    /// Nobody has that key.
    UnknownKey,
    /// The key's integration is disabled.
    Disabled,
    /// The body is not what the dialect asks for.
    Wrong(DialectError),
    /// The idempotency key was used with another body, or is too long.
    OtherBody,
    /// It was too much, or the database is away.
    Intake(IntakeError),
    /// The database did not say whose the key is.
    KeysUnavailable,
}

/// The integration that `key` belongs to.
pub(crate) async fn integration(
    app: &App,
    key: Option<&str>,
) -> Result<Arc<IntegrationRef>, Refusal> {
    let key = key.map(str::trim).filter(|key| !key.is_empty()).ok_or(Refusal::NoKey)?;
    let found = app.integration_for_key(key).await.map_err(|_| Refusal::KeysUnavailable)?;
    found.ok_or(Refusal::UnknownKey)
}

/// Looks up the key and commits the events. When this returns them, they are durable.
pub(crate) async fn take(app: &App, request: Arrived<'_>) -> Result<Vec<Taken>, Refusal> {
    let to = integration(app, request.key).await?;
    take_for(app, request, &to).await
}

/// The same where it is known whose the events are.
pub(crate) async fn take_for(
    app: &App,
    request: Arrived<'_>,
    to: &Arc<IntegrationRef>,
) -> Result<Vec<Taken>, Refusal> {
    let (dialect, raw, at) = (request.dialect, request.raw.clone(), request.now);
    let taken = commit(app, request, to).await;
    if let Err(refusal) = &taken {
        let mut raw = Vec::from(raw);
        raw.truncate(MAX_REJECTED_BYTES);
        let rejected = RejectedRequest {
            at,
            dialect,
            status: answers::kept_status(dialect, refusal),
            code: answers::code(refusal).to_owned(),
            detail: answers::reason(refusal),
            raw,
        };
        app.note_rejected(Arc::clone(to), rejected);
    }
    taken
}

async fn commit(
    app: &App,
    request: Arrived<'_>,
    to: &Arc<IntegrationRef>,
) -> Result<Vec<Taken>, Refusal> {
    if to.integration.disabled {
        return Err(Refusal::Disabled);
    }
    if request.raw.len() > app.max_body() {
        return Err(Refusal::TooLarge);
    }
    let mut bodies = request.events.map_err(Refusal::Wrong)?;
    if request.idempotency_key.is_some_and(|key| key.len() > MAX_IDEMPOTENCY_BYTES) {
        return Err(Refusal::OtherBody);
    }
    text::without_nul(&request.raw, &mut bodies);
    let mut raw = Some(Vec::from(request.raw));
    let mut events: Vec<NewEvent> = Vec::with_capacity(bodies.len());
    for (index, body) in bodies.into_iter().enumerate() {
        let id = entropy::event_id(request.now);
        let idempotency_key = request.idempotency_key.map(|key| numbered(key, index));
        events.push(NewEvent {
            id,
            tenant: to.tenant,
            integration: to.integration.id,
            dialect: request.dialect,
            received_at: request.now,
            body: with_key(body, id, idempotency_key.as_deref()),
            idempotency_key,
            request: events.first().map_or(id, |first| first.id),
            raw: raw.take(),
        });
    }
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut taken: Vec<Taken> = events.iter().map(Taken::of).collect();
    let accepted = app.intake().accept(events, to.integration.quota_per_minute).await;
    for (taken, accepted) in taken.iter_mut().zip(accepted.map_err(Refusal::Intake)?) {
        taken.learn(accepted, request.dialect)?;
    }
    Ok(taken)
}

/// An event without a dedup key folds with nothing: its own id is its key. With an idempotency key,
/// that is, so that a retry says the same as the first.
fn with_key(mut body: EventBody, id: EventId, idempotency_key: Option<&str>) -> EventBody {
    if body.dedup_key.is_empty() {
        body.dedup_key = match idempotency_key {
            Some(key) => format!("once:{key}"),
            None => id.as_uuid().simple().to_string(),
        };
    }
    body
}

/// The idempotency key of one of several events of a request.
fn numbered(key: &str, index: usize) -> String {
    if index == 0 { key.to_owned() } else { format!("{key}#{index}") }
}

impl Taken {
    fn of(event: &NewEvent) -> Self {
        Self { id: event.id, dedup_key: event.body.dedup_key.clone(), repeat: false }
    }

    /// A mail's id is its own: what servers on the way make of the rest does not count.
    fn learn(
        &mut self,
        accepted: bugle_app::intake::Accepted,
        dialect: Dialect,
    ) -> Result<(), Refusal> {
        use bugle_app::intake::Accepted;
        match accepted {
            Accepted::New => Ok(()),
            Accepted::Repeat { same_body: false, .. } if dialect != Dialect::Email => {
                Err(Refusal::OtherBody)
            }
            Accepted::Repeat { id, .. } => {
                (self.id, self.repeat) = (id, true);
                Ok(())
            }
        }
    }
}
