//! The keeper: beats, watches other nodes beat, takes tenants that nobody serves, gives back what
//! the dead had claimed, and ends what waits too long.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bugle_channels::LONGEST_REQUEST;
use bugle_domain::ledger::Ledger;
use bugle_domain::notification::{Notification, NotificationState};
use bugle_domain::stage::Stage;
use bugle_domain::{AllTenants, NodeId};
use bugle_engine::dispatch;
use bugle_engine::heard::{self, Beat};
use bugle_store::{Lost, NodeBeat, Overdue, StoreError};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::alerting;
use crate::app::Inner;
use crate::clock::Pace;
use crate::dispatch::TRY_WITHIN;
use crate::error::Chain;
use crate::rehearsal::Mechanism;

const BEAT: SignedDuration = SignedDuration::from_secs(1);
/// The same on the machine's own clock: a node lives while its machine does, also where a test
/// holds the time.
const BEAT_OF_MACHINE: Duration = Duration::from_secs(1);
/// A node is dead when its counter was watched standing still this long, on the watcher's clock.
const DEAD_AFTER: Duration = Duration::from_secs(4);
/// A keeper that has not looked for so long was not watching: what stood still meanwhile may only
/// have been out of sight, as when the database was away.
const BLIND_AFTER: Duration = Duration::from_secs(3);
/// Time after a claim's send-by during which its request may still be under way.
const REQUEST_LIMIT: SignedDuration =
    SignedDuration::from_secs(LONGEST_REQUEST.as_secs().cast_signed());
/// A try of a node that lives hangs when its claim's send-by passed this long ago: the node itself
/// gives a try up before, and has had time to save that.
const HUNG_AFTER: SignedDuration = SignedDuration::from_secs(
    TRY_WITHIN.as_secs().cast_signed() + LONGEST_REQUEST.as_secs().cast_signed(),
);
/// Where the database was away, nodes that live may have outcomes to save for so long afterwards.
const SAVES_WITHIN: Duration = Duration::from_secs(30);
/// Rows that one round of upkeep touches, so that it never holds up urgent work.
const STEP_ROWS: u32 = 500;
/// No further step is begun in a round after so long: the next beat is due, and the others' beats
/// must be looked at.
const UPKEEP: Duration = Duration::from_secs(1);
/// Rounds between readings of the ledger for the metrics.
const GAUGES_EVERY: u64 = 5;

/// Another node's counter, as it was seen.
#[derive(Clone, Copy)]
struct Seen {
    beat: i64,
    since: Instant,
    /// It was seen to move: a counter of a node that died before we looked never does.
    moved: bool,
}

/// Other nodes' counters, and when they were looked at last.
#[derive(Default)]
struct Others {
    looked_at: Option<Instant>,
    /// Since when it has looked without a break, by a clock that nobody set.
    looks_since: Option<Instant>,
    pace: Pace,
    seen: BTreeMap<NodeId, Seen>,
}

impl Others {
    /// The nodes whose counter has stood still for too long, with where it stands; `time` is by the
    /// clock that tries are timed with.
    fn look(&mut self, own: NodeId, nodes: &[NodeBeat], time: Timestamp) -> Vec<(NodeId, i64)> {
        let blind = self.looked_at.is_some_and(|at| at.elapsed() > BLIND_AFTER);
        let now = Instant::now();
        self.looked_at = Some(now);
        // Who set the clock cannot tell by it how long others have been at their tries.
        let unbroken = self.pace.set_by(time).is_none() && !blind;
        self.looks_since = self.looks_since.filter(|_| unbroken).or(Some(now));
        self.seen.retain(|known, _| nodes.iter().any(|node| node.node == *known));
        let mut dead = Vec::new();
        for other in nodes.iter().filter(|other| other.node != own) {
            let new = Seen { beat: other.beat, since: Instant::now(), moved: false };
            let entry = self.seen.entry(other.node).or_insert(new);
            if entry.beat != other.beat {
                *entry = Seen { moved: true, ..new };
            } else if blind {
                entry.since = new.since;
            } else if entry.since.elapsed() >= DEAD_AFTER {
                entry.moved = false;
                dead.push((other.node, other.beat));
            }
        }
        dead
    }

    /// Whether outcomes could be saved for long enough, as far as can be seen from here.
    fn could_save(&self) -> bool {
        self.looks_since.is_some_and(|since| since.elapsed() >= SAVES_WITHIN)
    }

    /// Those whose counter moves.
    fn living(&self) -> BTreeSet<NodeId> {
        self.seen.iter().filter(|(_, seen)| seen.moved).map(|(node, _)| *node).collect()
    }
}

/// Upkeep, once a second.
#[derive(Clone)]
pub(crate) struct Keeper {
    app: Arc<Inner>,
    others: Arc<Mutex<Others>>,
}

impl Keeper {
    pub(crate) fn new(app: Arc<Inner>) -> Self {
        Self { app, others: Arc::default() }
    }

    /// Takes this node's tenants back, and gives back what its earlier run had claimed: that run is
    /// known to be dead, because two processes never share a data directory.
    pub(crate) async fn begin(&self) -> Result<(), StoreError> {
        let (store, node, now) = (&self.app.store, self.app.node, self.app.clock.now());
        let begun = Instant::now();
        let heard_since = heard_since(&store.nodes().await?, now);
        let epochs = store.take_placements(node, now, heard_since).await?;
        store.mark_in_hand(epochs.keys().copied(), alerting::BATCH).await?;
        self.app.placement.held(epochs, heard_since, begun);
        let lost = self.give_back(Lost::EarlierRunOf(node), now, None).await?;
        if lost > 0 {
            tracing::warn!(lost, "messages of the earlier run may have been sent; looking them up");
        }
        Ok(())
    }

    /// Runs until `stop` is cancelled.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut round = 0_u64;
        while !stop.is_cancelled() {
            let now = self.app.clock.now();
            if let Err(error) = self.round(now, round).await {
                tracing::error!(error = %Chain(&error), "upkeep failed");
            }
            round += 1;
            tokio::select! {
                () = stop.cancelled() => (),
                () = self.app.clock.sleep(BEAT) => (),
                () = tokio::time::sleep(BEAT_OF_MACHINE) => (),
            }
        }
    }

    async fn round(&self, now: Timestamp, round: u64) -> Result<(), StoreError> {
        self.beat(now).await?;
        if self.app.directories.refresh().await? {
            self.app.integration_keys.forget_all();
        }
        // What a living node is still to save is not lost; it looks after its own.
        let mut others = self.app.living();
        others.remove(&self.app.node);
        let others: Vec<NodeId> = others.into_iter().collect();
        let until = Some(Instant::now() + UPKEEP);
        let hung = self.others().could_save().then_some(HUNG_AFTER);
        let overdue = Overdue { grace: REQUEST_LIMIT, living: &others, hung };
        let lost = self.give_back(Lost::LongerThan(overdue), now, until).await?;
        let mut expired = 0;
        loop {
            let ended = self.app.store.expire_receipts(self.app.node, STEP_ROWS, now).await?;
            expired += ended;
            if ended < STEP_ROWS || is_past(until) {
                break;
            }
        }
        if lost > 0 || expired > 0 {
            self.app.wake_dispatch.wake();
        }
        metrics::counter!("bugle_claims_lost_total").increment(u64::from(lost));
        metrics::counter!("bugle_receipts_expired_total").increment(u64::from(expired));
        if round.is_multiple_of(GAUGES_EVERY) {
            self.gauges(now).await?;
        }
        Ok(())
    }

    /// Beats, and takes tenants that nobody serves or whose node is dead.
    async fn beat(&self, now: Timestamp) -> Result<(), StoreError> {
        let (store, node, begun) = (&self.app.store, self.app.node, Instant::now());
        let nodes = store.nodes().await?;
        let heard_since = heard_since(&nodes, now);
        if !store.beat(node, now, heard_since).await? {
            store.take_placements(node, now, heard_since).await?;
        }
        for (dead, beat) in self.watch(&nodes) {
            let taken = store.take_over_placements(node, dead, beat).await?;
            if taken > 0 {
                tracing::warn!(node = %dead, taken, "took over the tenants of a node that is dead");
            }
        }
        let epochs = store.adopt_placements(node).await?;
        self.app.placement.held(epochs, heard_since, begun);
        self.app.wake_alerting.wake();
        Ok(())
    }

    fn others(&self) -> MutexGuard<'_, Others> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches the others' counters; gives those of the dead.
    fn watch(&self, nodes: &[NodeBeat]) -> Vec<(NodeId, i64)> {
        let mut others = self.others();
        let dead = others.look(self.app.node, nodes, self.app.clock.now());
        self.app.set_living(others.living(), dead.iter().map(|(node, _)| *node).collect());
        dead
    }

    /// Takes claims out of the hands of the dead, all of them or as many as it can until then.
    async fn give_back(
        &self,
        lost: Lost<'_>,
        now: Timestamp,
        until: Option<Instant>,
    ) -> Result<u32, StoreError> {
        if self.app.lacks(Mechanism::Resume) {
            return Ok(0);
        }
        let ready = self.app.stages.of(Stage::Dispatch);
        let limits = &ready.limits;
        // What this process is still to save is not lost, however long the database is away.
        let held = |of: &Notification| match of.state {
            NotificationState::Sending { claim, .. } => self.app.held.has(claim),
            _ => false,
        };
        let mut follow =
            |of: &Notification| (!held(of)).then(|| dispatch::after_lost_claim(of, limits, now));
        let mut total = 0;
        loop {
            let of = (self.app.node, lost);
            let found = self.app.store.lost_claims(of, STEP_ROWS, now, &mut follow).await?;
            total += found;
            if found < STEP_ROWS || is_past(until) {
                return Ok(total);
            }
        }
    }

    /// Tells the metrics how the backlog drains on this node; zeros where none does.
    fn drain_gauges(&self, ledger: &Ledger, now: Timestamp) {
        let left = ledger.owed.iter().map(|owed| owed.count).sum::<i64>();
        let view = self.app.draining(u64::try_from(left).unwrap_or_default(), now);
        let rate = view.map_or(0.0, |view| view.per_second);
        let clear = view.and_then(|view| view.clear_in).unwrap_or_default();
        metrics::gauge!("bugle_backlog_drained_per_second").set(rate);
        metrics::gauge!("bugle_backlog_clear_seconds").set(clear.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "metrics are floating point numbers")]
        metrics::gauge!("bugle_backlog_owed").set(left as f64);
    }

    /// Tells the metrics how the ledger stands.
    async fn gauges(&self, now: Timestamp) -> Result<(), StoreError> {
        #[expect(clippy::cast_precision_loss, reason = "metrics are floating point numbers")]
        let seconds = |ms: i64| ms as f64 / 1_000.0;
        let ledger = self.app.store.ledger_of_all(AllTenants::granted(), now).await?;
        let oldest = ledger.oldest_pending_ms.unwrap_or(0);
        metrics::gauge!("bugle_oldest_pending_event_seconds").set(seconds(oldest));
        for owed in &ledger.owed {
            let labels = [("lane", owed.lane.as_str()), ("channel", owed.channel.as_str())];
            metrics::gauge!("bugle_oldest_owed_notification_seconds", &labels)
                .set(seconds(owed.oldest_ms));
        }
        self.drain_gauges(&ledger, now);
        let sums = &ledger.total;
        let difference = sums.event_difference().abs() + sums.notification_difference().abs();
        #[expect(clippy::cast_precision_loss, reason = "metrics are floating point numbers")]
        metrics::gauge!("bugle_ledger_difference").set(difference as f64);
        Ok(())
    }
}

fn is_past(until: Option<Instant>) -> bool {
    until.is_some_and(|until| Instant::now() >= until)
}

/// Since when senders could always reach some node.
fn heard_since(nodes: &[NodeBeat], now: Timestamp) -> Timestamp {
    let beat = |node: &NodeBeat| Beat { seen_at: node.seen_at, heard_since: node.heard_since };
    heard::since(nodes.iter().map(beat), now)
}

#[cfg(test)]
mod tests;
