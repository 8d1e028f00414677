//! Intake: events are committed together, and answered only then.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bugle_domain::event::NewEvent;
use bugle_domain::stage::Stage;
use bugle_domain::{IntegrationId, NodeId, Severity, TenantId};
pub use bugle_store::Accepted;
use bugle_store::{Store, StoreError};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::SignedDuration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::error::{Chain, ErrorKind, UseCaseError, transient};
use crate::pulse::Holds;
use crate::rehearsal::Swallow;
use crate::wake::Wake;

/// Most events in one commit.
const BATCH_EVENTS: usize = 256;
/// Most requests that wait for a commit. More are asked to come again.
const QUEUE_REQUESTS: usize = 8_192;
/// Tries to commit a batch, under the same ids, before its senders are asked to come again.
const COMMIT_TRIES: u32 = 3;
const COMMIT_BACK_OFF: Duration = Duration::from_millis(50);
/// What a sender is told to wait when too much came at once.
const RETRY_AFTER_S: u32 = 2;

/// Events could not be taken. Nothing of the request was kept, or all of it under ids that a retry
/// with the same idempotency key finds.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// More came than can be committed.
    #[error("too many events at once; retry in {retry_after_s} s")]
    Overloaded {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// The integration's quota for this minute is used up.
    #[error("this integration may send {per_minute} events a minute; retry in {retry_after_s} s")]
    Quota {
        /// The quota.
        per_minute: u32,
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// The database did not take them.
    #[error("events can't be stored right now; retry in {RETRY_AFTER_S} s")]
    Store(#[source] Arc<StoreError>),
}

impl UseCaseError for IntakeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Overloaded { .. } | Self::Store(_) => ErrorKind::Unavailable,
            Self::Quota { .. } => ErrorKind::RateLimited,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Overloaded { .. } => "intake_overloaded",
            Self::Quota { .. } => "quota_exceeded",
            Self::Store(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<SignedDuration> {
        Some(SignedDuration::from_secs(self.retry_after_s().into()))
    }
}

impl IntakeError {
    /// Seconds after which a retry makes sense.
    pub fn retry_after_s(&self) -> u32 {
        match self {
            Self::Overloaded { retry_after_s } | Self::Quota { retry_after_s, .. } => {
                *retry_after_s
            }
            Self::Store(_) => RETRY_AFTER_S,
        }
    }
}

type Reply = Result<Vec<Accepted>, Arc<StoreError>>;

struct Request {
    events: Vec<NewEvent>,
    reply: oneshot::Sender<Reply>,
}

/// The way in for events.
#[derive(Clone)]
pub struct Intake {
    queue: mpsc::Sender<Request>,
    quotas: Arc<Quotas>,
    holds: Arc<Holds>,
    /// What a rehearsal has it lose.
    swallow: Option<Swallow>,
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("quotas", &self.quotas).finish_non_exhaustive()
    }
}

impl Intake {
    /// Makes the queue; its worker is the second value.
    pub(crate) fn new(
        store: Store,
        node: NodeId,
        wake: Arc<Wake<TenantId>>,
        holds: &Arc<Holds>,
    ) -> (Self, Committer) {
        let (queue, requests) = mpsc::channel(QUEUE_REQUESTS);
        let requests = Arc::new(tokio::sync::Mutex::new(requests));
        let committer = Committer { store, node, wake, requests, grown: Arc::default() };
        (Self { queue, quotas: Arc::default(), holds: Arc::clone(holds), swallow: None }, committer)
    }

    /// The same, losing what a rehearsal says.
    pub(crate) fn swallowing(self, swallow: Option<Swallow>) -> Self {
        Self { swallow, ..self }
    }

    /// Commits the events of one request, together with those of others, and says of each whether
    /// it is new or repeats an earlier one.
    ///
    /// # Errors
    ///
    /// [`IntakeError`]: nothing was answered for, and the sender should try again.
    pub async fn accept(
        &self,
        events: Vec<NewEvent>,
        quota_per_minute: u32,
    ) -> Result<Vec<Accepted>, IntakeError> {
        self.quotas.check(&events, quota_per_minute)?;
        let (reply, answer) = oneshot::channel();
        let overloaded = || IntakeError::Overloaded { retry_after_s: RETRY_AFTER_S };
        if self.holds.holds(Stage::Intake) {
            return Err(overloaded());
        }
        if let Some(swallow) = &self.swallow
            && events.iter().any(|event| swallow(event.tenant))
        {
            return Ok(events.iter().map(|_| Accepted::New).collect());
        }
        self.queue.try_send(Request { events, reply }).map_err(|_| overloaded())?;
        answer.await.map_err(|_| overloaded())?.map_err(IntakeError::Store)
    }
}

/// Batches that are under way at once: while one is committed the next is ready to go.
pub(crate) const COMMITTERS: usize = 2;

/// Takes what waits, commits it at once, and meanwhile lets the next batch gather: no request waits
/// for a timer, and none costs a disk flush of its own under load.
#[derive(Clone)]
pub(crate) struct Committer {
    store: Store,
    node: NodeId,
    wake: Arc<Wake<TenantId>>,
    requests: Arc<tokio::sync::Mutex<mpsc::Receiver<Request>>>,
    grown: Arc<Notify>,
}

impl Committer {
    /// Has the database look at its tables when they have grown much, one look at a time and beside
    /// the committers, until `stop` is cancelled. A look under way is given up then.
    pub(crate) async fn follow_growth(self, stop: CancellationToken) {
        let looks = async {
            loop {
                self.grown.notified().await;
                if let Err(error) = self.store.look_at_growth().await {
                    tracing::warn!(error = %Chain(&error), "could not look at the tables again");
                }
            }
        };
        stop.run_until_cancelled(looks).await;
    }

    /// Runs until `stop` is cancelled and the queue is empty.
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            let batch = {
                let mut requests = self.requests.lock().await;
                let first = tokio::select! {
                    request = requests.recv() => request,
                    () = stop.cancelled() => requests.try_recv().ok(),
                };
                let Some(first) = first else { return };
                gather(first, &mut requests)
            };
            self.commit(batch).await;
        }
    }

    async fn commit(&self, batch: Vec<Request>) {
        let mut events = Vec::with_capacity(batch.len());
        let mut replies = Vec::with_capacity(batch.len());
        for request in batch {
            replies.push((request.events.len(), request.reply));
            events.extend(request.events);
        }
        match self.store_batch(&events).await {
            Ok(accepted) => {
                self.wake.look_at(events.iter().map(|event| event.tenant));
                metrics::counter!("bugle_events_accepted_total").increment(events.len() as u64);
                let mut accepted = accepted.into_iter();
                for (count, reply) in replies {
                    // A sender that went away finds its events by its key when it retries.
                    let _ = reply.send(Ok(accepted.by_ref().take(count).collect()));
                }
                if self.store.note_growth(events.len()) {
                    self.grown.notify_one();
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                tracing::error!(error = %Chain(&*error), "could not commit events");
                for (_, reply) in replies {
                    let _ = reply.send(Err(Arc::clone(&error)));
                }
            }
        }
    }

    /// Commits under fixed ids, so that trying again after an unknown outcome is harmless.
    async fn store_batch(&self, events: &[NewEvent]) -> Result<Vec<Accepted>, StoreError> {
        let mut tries = 1;
        loop {
            match self.store.accept_events(self.node, events).await {
                Err(error) if transient(&error) && tries < COMMIT_TRIES => {
                    tries += 1;
                    tokio::time::sleep(COMMIT_BACK_OFF).await;
                }
                outcome => return outcome,
            }
        }
    }
}

fn gather(first: Request, requests: &mut mpsc::Receiver<Request>) -> Vec<Request> {
    let mut events = first.events.len();
    let mut batch = vec![first];
    while events < BATCH_EVENTS {
        let Ok(next) = requests.try_recv() else { break };
        events += next.events.len();
        batch.push(next);
    }
    batch
}

/// Each integration's quota, and one of the same size for its critical events alone, so that a
/// flood of lesser ones never keeps a critical one out.
#[derive(Debug, Default)]
struct Quotas(Mutex<BTreeMap<IntegrationId, Buckets>>);

#[derive(Debug)]
struct Buckets {
    per_minute: u32,
    all: DefaultDirectRateLimiter,
    critical: DefaultDirectRateLimiter,
}

impl Buckets {
    fn new(per_minute: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        let (all, critical) = (RateLimiter::direct(quota), RateLimiter::direct(quota));
        Self { per_minute, all, critical }
    }
}

impl Quotas {
    fn check(&self, events: &[NewEvent], per_minute: u32) -> Result<(), IntakeError> {
        let Some(first) = events.first() else { return Ok(()) };
        let mut quotas = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let buckets = quotas.entry(first.integration).or_insert_with(|| Buckets::new(per_minute));
        if buckets.per_minute != per_minute {
            *buckets = Buckets::new(per_minute);
        }
        let critical = events.iter().any(|event| event.body.severity == Severity::Critical);
        let count = u32::try_from(events.len()).unwrap_or(u32::MAX).min(per_minute);
        let count = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let fits = |bucket: &DefaultDirectRateLimiter| matches!(bucket.check_n(count), Ok(Ok(())));
        if fits(&buckets.all) || (critical && fits(&buckets.critical)) {
            return Ok(());
        }
        metrics::counter!("bugle_events_over_quota_total").increment(events.len() as u64);
        Err(IntakeError::Quota { per_minute, retry_after_s: (60 / per_minute.max(1)).clamp(1, 60) })
    }
}

#[cfg(test)]
mod tests;
