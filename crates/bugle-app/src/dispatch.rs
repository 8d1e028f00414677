//! The dispatch worker: claims what is due, sends it, and hands on what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bugle_channels::{LONGEST_REQUEST, Lookup, Sent};
use bugle_domain::contact::Channel;
use bugle_domain::notification::{Attempt, SendOutcome};
use bugle_domain::object::Directory;
use bugle_domain::stage::Stage;
use bugle_domain::text::truncate;
use bugle_domain::{ClaimId, TenantId, TenantScope};
use bugle_engine::dispatch::{self, Candidate, Room, Tried};
use bugle_store::{Claimed, DispatchPass, StoreError, Stretch, TriedRow};
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::app::Inner;
use crate::compose::Composed;
use crate::entropy;
use crate::error::Chain;
use crate::record::{Held, Tried as Recorded};
use crate::rehearsal::Step;

use self::judging::Judging;
use self::making::Made;
use self::under_way::UnderWay;

mod judging;
mod making;
mod under_way;

/// Most notifications in one claim that came to be due lately.
const BATCH: usize = 256;
/// Most of those that are late: as many as there may be in one person's digest.
pub(crate) const LATE_BATCH: u32 = 2_048;
/// A claimed message is begun within this time or not at all.
const SEND_WITHIN: Duration = Duration::from_secs(8);
/// A try takes no longer than this, whatever it hangs in: three providers may be asked whether they
/// had the message, and one of them to send it.
pub(crate) const TRY_WITHIN: Duration = LONGEST_REQUEST.saturating_mul(4);
/// What is on record of a try at which the program failed, and of one that took too long.
const FAILED: &str = "the program failed while it was sent; see its log";
const HUNG: &str = "it took too long and was given up";
/// Wait where a backlog had no room, before it is looked at again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_millis(250);
/// Wait after a tenant's configuration could not be read.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(5);
/// Look for work at least this often: what a lost wake-up costs.
const POLL: SignedDuration = SignedDuration::from_secs(1);
/// Longest `detail` of an attempt, in characters.
const MAX_DETAIL: usize = 300;

/// Claims what is due and sends it. What is sent, held back or dropped is the engine's decision.
#[derive(Clone)]
pub(crate) struct DispatchLoop {
    app: Arc<Inner>,
    /// One for each message that may be under way.
    permits: Arc<Semaphore>,
    /// The messages under way.
    under_way: Arc<UnderWay>,
    /// How many permits there are.
    size: Arc<AtomicUsize>,
    tried: mpsc::Sender<Vec<Recorded>>,
}

impl DispatchLoop {
    pub(crate) fn new(app: Arc<Inner>, tried: mpsc::Sender<Vec<Recorded>>) -> Self {
        let permits = Arc::new(Semaphore::new(0));
        Self { app, permits, under_way: Arc::default(), size: Arc::default(), tried }
    }

    /// Runs until `stop` is cancelled, then waits until all that was claimed has an outcome, which
    /// takes at most the channels' request limit.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut first = BTreeSet::new();
        while !stop.is_cancelled() {
            let now = self.app.clock.now();
            let only = std::mem::take(&mut first);
            let next_due = match self.claim(&only, now).await {
                Ok(claimed) => {
                    self.app.pulse.beat(Stage::Dispatch);
                    if claimed.more || !only.is_empty() {
                        continue;
                    }
                    if claimed.only_left {
                        now.saturating_add(LOOK_AGAIN).ok()
                    } else {
                        claimed.next_due
                    }
                }
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "could not claim what is due");
                    None
                }
            };
            let poll = now.saturating_add(POLL).unwrap_or(Timestamp::MAX);
            let until = next_due.map_or(poll, |due| due.min(poll));
            tokio::select! {
                () = stop.cancelled() => (),
                places = self.app.wake_dispatch.woken() => first = places,
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

    /// Claims as much as there is room to send, everywhere or at a few places only, and begins to
    /// send it.
    async fn claim(&self, only: &BTreeSet<Stretch>, now: Timestamp) -> Result<Claimed, StoreError> {
        let ready = self.app.stages.of(Stage::Dispatch);
        self.resize(usize::try_from(ready.revision.dispatch.parallel).unwrap_or(usize::MAX));
        // Closed only when the process ends, and then nothing is claimed.
        let Ok(room) = self.permits.acquire().await else { return Ok(Claimed::default()) };
        drop(room);
        let in_hand = self.app.begin_pass(Stage::Dispatch);
        let Some(_in_hand) = in_hand else { return Ok(Claimed::default()) };
        let free = self.permits.available_permits().max(1);
        let room = self.room(free, now);
        let claim = ClaimId::new(now, entropy::bytes());
        let started = Instant::now();
        let send_by = now.saturating_add(SignedDuration::try_from(SEND_WITHIN).unwrap_or_default());
        let judging = Judging { app: &self.app, limits: &ready.limits, room: &room, now };
        let mut judge = |candidates: &[Candidate]| judging.judge(candidates);
        let mut claimed = self
            .app
            .store
            .dispatch_pass(
                &DispatchPass {
                    node: self.app.node,
                    lanes: &ready.lanes,
                    only,
                    claim,
                    send_by: send_by.unwrap_or(Timestamp::MAX),
                    limit: u32::try_from(free.min(BATCH)).unwrap_or(1),
                    late: if room.late == 0 { 0 } else { LATE_BATCH },
                    now,
                },
                &mut judge,
            )
            .await?;
        self.app.reach(Step::Claimed, claimed.sends.iter().map(|(_, one)| one.tenant));
        let messages = group(std::mem::take(&mut claimed.sends));
        self.note_drain(&messages, claimed.ended.len(), now);
        let messages: Vec<_> =
            messages.into_values().map(|carried| (carried, Held::new(&self.app, claim))).collect();
        for (messages, held) in messages {
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { break };
            let late = messages.iter().all(|one| one.is_late(now));
            let Some(first) = messages.first() else { continue };
            let of = (first.tenant, first.notification.channel);
            let permit = Permit::new(self, permit, of, late);
            let sender = self.clone();
            let send = async move {
                sender.send((held, now), messages, started + SEND_WITHIN, permit).await;
            };
            self.app.tasks.once(send);
        }
        Ok(claimed)
    }

    /// The room that a pass has, and a backlog in it.
    fn room(&self, free: usize, now: Timestamp) -> Room {
        let parallel = self.size.load(Ordering::Relaxed);
        let under_way = self.under_way.late();
        let channels = &self.app.channels;
        let (rates, openings) = (channels.hourly_rates(), channels.openings(now));
        let room = self.app.drain().room((parallel, free), under_way, &rates, now);
        let mut room = Room { openings, ..room };
        self.under_way.leave_places(&mut room, parallel, (Instant::now(), now));
        room
    }

    /// Notes what a pass took off the backlog.
    fn note_drain(&self, messages: &BTreeMap<usize, Vec<Candidate>>, ended: usize, now: Timestamp) {
        let mut by_channel: BTreeMap<Channel, usize> = BTreeMap::new();
        let mut taken = ended;
        for carried in messages.values() {
            let late = carried.iter().filter(|one| one.is_late(now)).count();
            taken += late;
            if let Some(first) = carried.first().filter(|_| late == carried.len()) {
                *by_channel.entry(first.notification.channel).or_default() += 1;
            }
        }
        self.app.drain().took(u64::try_from(taken).unwrap_or(u64::MAX), &by_channel, now);
    }

    /// Sends one message, which may carry several notifications, and queues what came of it.
    async fn send(
        &self,
        (held, claimed_at): (Arc<Held>, Timestamp),
        carried: Vec<Candidate>,
        send_by: Instant,
        permit: Permit,
    ) {
        let started_at = self.app.clock.now();
        let Some(first) = carried.first() else { return };
        let scope = TenantScope::granted(first.tenant);
        let (sent, made) = match self.app.directories.get(scope).await {
            Ok(directory) => {
                let resolved = self.resolved_meanwhile(scope, &carried).await;
                let made = making::make(&self.app, &directory, carried, (resolved, started_at));
                let handed = AssertUnwindSafe(self.hand_over(&directory, &made, send_by));
                let sent = tokio::time::timeout(TRY_WITHIN, handed.catch_unwind()).await;
                let failed = |what| self.failed_under_way(&made.carried, what);
                let sent = match sent {
                    Ok(sent) => sent.unwrap_or_else(|_| failed(FAILED)),
                    Err(_) => failed(HUNG),
                };
                (sent, made)
            }
            Err(error) => {
                tracing::error!(error = %Chain(&error), "could not read a tenant's configuration");
                (retry(started_at), Made::nothing("", carried))
            }
        };
        drop(permit);
        let times = (claimed_at, self.app.clock.now());
        if let Some(first) = made.carried.first() {
            count(&sent, first);
        }
        let mut tried = rows(&held, made.carried, &sent, times);
        tried.extend(rows(&held, made.failed, &refused(making::FAILED), times));
        if self.tried.send(tried).await.is_err() {
            tracing::error!(
                "an outcome could not be queued; its claim will be found and looked up"
            );
        }
    }

    /// Gives a message to its provider.
    async fn hand_over(&self, directory: &Directory, made: &Made, send_by: Instant) -> Sent {
        let Some(first) = made.carried.first() else { return refused("nothing to send") };
        match &made.composed {
            Composed::Outgoing(outgoing) if first.tenant.is_reserved() => {
                let method = directory.methods.get(&first.notification.method);
                let provider = method.map_or("", |method| &method.name);
                let now = self.app.clock.now();
                let channels = &self.app.channels;
                let sent = channels.send_canary(outgoing, provider, send_by, now).await;
                self.app.note_provider_use(outgoing.address.channel(), &sent.provider);
                sent
            }
            Composed::Outgoing(outgoing) => self.send_or_find(outgoing, first, send_by).await,
            Composed::Unreachable(why) => refused(why),
        }
    }

    /// The program failed after it may have asked the provider.
    fn failed_under_way(&self, carried: &[Candidate], what: &'static str) -> Sent {
        for one in carried {
            self.app.note_failure(one, what);
        }
        let at = self.app.clock.now().saturating_add(RETRY_AFTER).unwrap_or(Timestamp::MAX);
        Sent { outcome: SendOutcome::RetryUnsure { at }, asked: true, ..refused(what) }
    }

    /// How many alerts of a digest's reader were over before anything of them could be sent.
    async fn resolved_meanwhile(&self, scope: TenantScope, carried: &[Candidate]) -> u64 {
        let digest = carried.iter().filter(|one| one.digest);
        let Some(since) = digest.map(|one| one.notification.wanted_at).min() else { return 0 };
        let Some(user) = carried.first().map(|one| one.notification.user) else { return 0 };
        match self.app.store.resolved_meanwhile(scope, user, since).await {
            Ok(count) => count,
            Err(error) => {
                // The digest goes without that line.
                tracing::error!(error = %Chain(&error), "could not count what was resolved");
                0
            }
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
                asked: true,
                ..refused("")
            };
        }
        self.app.send(outgoing, send_by).await
    }
}

/// A message under way: it gives its place back when it ends.
struct Permit {
    _place: OwnedSemaphorePermit,
    under_way: Arc<UnderWay>,
    number: u64,
    /// Who is told when something waits for its place.
    app: Arc<Inner>,
}

impl Permit {
    fn new(
        of: &DispatchLoop,
        place: OwnedSemaphorePermit,
        whose: (TenantId, Channel),
        late: bool,
    ) -> Self {
        let under_way = Arc::clone(&of.under_way);
        let number = under_way.begin(whose, late, Instant::now());
        Self { _place: place, under_way, number, app: Arc::clone(&of.app) }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.under_way.end(self.number) {
            self.app.wake_dispatch.wake();
        }
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
    held: &Arc<Held>,
    carried: Vec<Candidate>,
    sent: &Sent,
    (started_at, finished_at): (Timestamp, Timestamp),
) -> Vec<Recorded> {
    let detail = if carried.first().is_some_and(|first| first.digest) {
        let said = format!("in a digest of {}: {}", carried.len(), sent.detail);
        truncate(&said, MAX_DETAIL)
    } else {
        sent.detail.clone()
    };
    let ready = held.app.stages.of(Stage::Dispatch);
    let claim = held.claim;
    let row = |candidate: Candidate| {
        let id = candidate.notification.id;
        let Sent { outcome, delivered, another_provider, asked, .. } = *sent;
        let tried = Tried { notification: id, outcome, delivered, another_provider, asked };
        let limits = &ready.limits;
        let next = dispatch::after_try(&candidate.notification, &tried, limits, finished_at);
        let attempt = Attempt {
            notification: id,
            number: candidate.notification.tries,
            provider: sent.provider.clone(),
            started_at,
            finished_at,
            outcome: if next.uncounted { "not_asked" } else { outcome.as_str() }.to_owned(),
            detail: detail.clone(),
            provider_ref: sent.provider_ref.clone(),
        };
        let (tenant, alert) = (candidate.tenant, candidate.alert.id);
        let phone = matches!(candidate.notification.channel, Channel::Sms | Channel::Voice);
        let taken = matches!(outcome, SendOutcome::Accepted | SendOutcome::RetryUnsure { .. });
        let rang = (phone && taken).then_some(candidate.notification.method);
        Recorded {
            row: TriedRow { tenant, notification: id, claim, next, attempt, rang },
            alert,
            held: Arc::clone(held),
        }
    };
    carried.into_iter().map(row).collect()
}

fn count(sent: &Sent, first: &Candidate) {
    let channel = first.notification.channel.as_str();
    let outcome = sent.outcome.as_str();
    metrics::counter!("bugle_sends_total", "channel" => channel, "outcome" => outcome).increment(1);
    metrics::histogram!("bugle_send_seconds", "channel" => channel).record(sent.took);
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
        asked: false,
        took: Duration::ZERO,
        fault: None,
    }
}

/// The claim is given back for a while.
fn retry(now: Timestamp) -> Sent {
    let at = now.saturating_add(RETRY_AFTER).unwrap_or(now);
    Sent { outcome: SendOutcome::RetryAt { at }, ..refused("our database did not answer") }
}
