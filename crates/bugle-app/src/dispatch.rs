//! The dispatch worker: claims what is due, sends it, and hands on what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bugle_channels::{Lookup, Sent};
use bugle_domain::notification::{Attempt, SendOutcome};
use bugle_domain::stage::Stage;
use bugle_domain::{ClaimId, TenantScope};
use bugle_engine::dispatch::{self, Candidate, Tried};
use bugle_store::{Claimed, DispatchPass, StoreError, TriedRow};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::app::Inner;
use crate::compose::{self, Composed};
use crate::entropy;
use crate::error::Chain;
use crate::record::Tried as Recorded;

/// Most notifications in one claim.
const BATCH: usize = 256;
/// A claimed message is begun within this time or not at all.
const SEND_WITHIN: Duration = Duration::from_secs(8);
/// Look for work at least this often: what a lost wake-up costs.
/// Wait after a tenant's configuration could not be read.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(5);
const POLL: SignedDuration = SignedDuration::from_secs(1);

/// Claims what is due and sends it. What is sent, held back or dropped is the engine's decision.
#[derive(Clone)]
pub(crate) struct DispatchLoop {
    app: Arc<Inner>,
    /// One for each message that may be under way.
    permits: Arc<Semaphore>,
    /// How many of them there are.
    size: Arc<AtomicUsize>,
    tried: mpsc::Sender<Vec<Recorded>>,
}

impl DispatchLoop {
    pub(crate) fn new(app: Arc<Inner>, tried: mpsc::Sender<Vec<Recorded>>) -> Self {
        Self { app, permits: Arc::new(Semaphore::new(0)), size: Arc::default(), tried }
    }

    /// Runs until `stop` is cancelled, then waits until all that was claimed has an outcome, which
    /// takes at most the channels' request limit.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let now = self.app.clock.now();
            let next_due = match self.claim(now).await {
                Ok(claimed) if claimed.more => continue,
                Ok(claimed) => claimed.next_due,
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "could not claim what is due");
                    None
                }
            };
            let poll = now.saturating_add(POLL).unwrap_or(Timestamp::MAX);
            let until = next_due.map_or(poll, |due| due.min(poll));
            tokio::select! {
                () = stop.cancelled() => (),
                () = self.app.wake_dispatch.notified() => (),
                () = self.app.clock.sleep_until(until) => (),
            }
        }
        let all = u32::try_from(self.size.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        let _ = self.permits.acquire_many(all).await;
    }

    /// Lets as many messages go at the same time as the revision says. Those under way are
    /// finished first.
    fn resize(&self, wanted: usize) {
        let size = self.size.load(Ordering::Relaxed);
        let size = if wanted >= size {
            self.permits.add_permits(wanted - size);
            wanted
        } else {
            size - self.permits.forget_permits(size - wanted)
        };
        self.size.store(size, Ordering::Relaxed);
    }

    /// Claims as much as there is room to send, and begins to send it.
    async fn claim(&self, now: Timestamp) -> Result<Claimed, StoreError> {
        let ready = self.app.stages.of(Stage::Dispatch);
        self.resize(usize::try_from(ready.revision.dispatch.parallel).unwrap_or(usize::MAX));
        if !self.app.stages.works(Stage::Dispatch) {
            return Ok(Claimed::default());
        }
        // Closed only when the process ends, and then nothing is claimed.
        let Ok(room) = self.permits.acquire().await else { return Ok(Claimed::default()) };
        drop(room);
        let limit = self.permits.available_permits().clamp(1, BATCH);
        let claim = ClaimId::new(now, entropy::bytes());
        let started = Instant::now();
        let send_by = now.saturating_add(SignedDuration::try_from(SEND_WITHIN).unwrap_or_default());
        let limits = &ready.limits;
        let mut judge = |candidates: &[Candidate]| dispatch::judge(candidates, limits, now);
        let mut claimed = self
            .app
            .store
            .dispatch_pass(
                &DispatchPass {
                    node: self.app.node,
                    lanes: &ready.lanes,
                    claim,
                    send_by: send_by.unwrap_or(Timestamp::MAX),
                    limit: u32::try_from(limit).unwrap_or(1),
                    now,
                },
                &mut judge,
            )
            .await?;
        for (_, messages) in group(std::mem::take(&mut claimed.sends)) {
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { break };
            let sender = self.clone();
            let send = async move {
                sender.send(claim, messages, started + SEND_WITHIN, permit).await;
            };
            self.app.tasks.once(send);
        }
        Ok(claimed)
    }

    /// Sends one message, which may carry several notifications, and queues what came of it.
    async fn send(
        &self,
        claim: ClaimId,
        carried: Vec<Candidate>,
        send_by: Instant,
        permit: OwnedSemaphorePermit,
    ) {
        let started_at = self.app.clock.now();
        let Some(first) = carried.first() else { return };
        let scope = TenantScope::granted(first.tenant);
        let sent = match self.app.directories.get(scope).await {
            Ok(directory) => match compose::compose(&self.app, &directory, &carried, started_at) {
                Composed::Outgoing(outgoing) => self.send_or_find(&outgoing, first, send_by).await,
                Composed::Unreachable(why) => refused(why),
            },
            Err(error) => {
                tracing::error!(error = %Chain(&error), "could not read a tenant's configuration");
                retry(started_at)
            }
        };
        drop(permit);
        let finished_at = self.app.clock.now();
        note(&sent, first);
        let tried = rows(&self.app, claim, carried, &sent, (started_at, finished_at));
        if self.tried.send(tried).await.is_err() {
            tracing::error!(
                "an outcome could not be queued; its claim will be found and looked up"
            );
        }
    }

    /// Asks the provider first where an earlier try may have reached it.
    async fn send_or_find(
        &self,
        outgoing: &bugle_channels::Outgoing,
        first: &Candidate,
        send_by: Instant,
    ) -> Sent {
        // What the provider had of an earlier try is not this one.
        let known = first.notification.provider_ref.as_deref();
        if first.unsure
            && let Lookup::Found { provider, provider_ref } =
                self.app.channels.lookup(outgoing, None, self.app.clock.now()).await
            && known != Some(provider_ref.as_str())
        {
            return Sent {
                provider,
                outcome: SendOutcome::Accepted,
                detail: "the provider had it already; not sent again".to_owned(),
                provider_ref: Some(provider_ref),
                ..refused("")
            };
        }
        self.app.channels.send(outgoing, send_by, self.app.clock.now()).await
    }
}

/// A message's notifications together, in the order they were judged.
fn group(sends: Vec<(usize, Candidate)>) -> BTreeMap<usize, Vec<Candidate>> {
    let mut messages: BTreeMap<usize, Vec<Candidate>> = BTreeMap::new();
    for (message, candidate) in sends {
        messages.entry(message).or_default().push(candidate);
    }
    messages
}

/// What is recorded of each notification that the message carried.
fn rows(
    app: &Inner,
    claim: ClaimId,
    carried: Vec<Candidate>,
    sent: &Sent,
    (started_at, finished_at): (Timestamp, Timestamp),
) -> Vec<Recorded> {
    // Where another provider can take it, nothing is waited for.
    let outcome = match sent.outcome {
        SendOutcome::RetryAt { .. } if sent.another_provider => {
            SendOutcome::RetryAt { at: finished_at }
        }
        outcome => outcome,
    };
    let ready = app.stages.of(Stage::Dispatch);
    let row = |candidate: Candidate| {
        let id = candidate.notification.id;
        let tried = Tried { notification: id, outcome, delivered: sent.delivered };
        let limits = &ready.limits;
        let next = dispatch::after_try(&candidate.notification, &tried, limits, finished_at);
        let attempt = Attempt {
            notification: id,
            number: candidate.notification.tries,
            provider: sent.provider.clone(),
            started_at,
            finished_at,
            outcome: outcome.as_str().to_owned(),
            detail: sent.detail.clone(),
            provider_ref: sent.provider_ref.clone(),
        };
        let (tenant, alert) = (candidate.tenant, candidate.alert.id);
        Recorded { row: TriedRow { tenant, notification: id, claim, next, attempt }, alert }
    };
    carried.into_iter().map(row).collect()
}

fn note(sent: &Sent, first: &Candidate) {
    let channel = first.notification.channel.as_str();
    let outcome = sent.outcome.as_str();
    metrics::counter!("bugle_sends_total", "channel" => channel, "outcome" => outcome).increment(1);
    metrics::histogram!("bugle_send_seconds", "channel" => channel).record(sent.took);
    if matches!(sent.outcome, SendOutcome::Misconfigured) {
        let (provider, detail) = (&sent.provider, &sent.detail);
        tracing::error!(channel, provider, detail, "a provider does not accept us");
    }
}

/// Something that no provider needs to be asked about.
fn refused(why: &str) -> Sent {
    Sent {
        provider: String::new(),
        outcome: SendOutcome::Refused,
        detail: why.to_owned(),
        provider_ref: None,
        delivered: false,
        gone: false,
        another_provider: false,
        took: Duration::ZERO,
        fault: None,
    }
}

/// The claim is given back for a while.
fn retry(now: Timestamp) -> Sent {
    let at = now.saturating_add(RETRY_AFTER).unwrap_or(now);
    Sent { outcome: SendOutcome::RetryAt { at }, ..refused("our database did not answer") }
}
