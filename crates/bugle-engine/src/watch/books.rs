//! The ledger's audit: how old what waits is, and whether as much goes out as comes in.

use std::collections::VecDeque;

use bugle_domain::TenantId;
use bugle_domain::contact::Channel;
use bugle_domain::notification::Lane;
use bugle_domain::stage::Stage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Hop;
use super::flight::ms_between;
use super::judge::Signal;
use super::thresholds::{CONFIRM_MS, Thresholds};

/// How far back flow is looked at.
const WINDOW_MS: i64 = 10_000;
/// Observations kept for it.
const MAX_WINDOW: usize = 32;
/// A flow in smaller than this in a window proves nothing.
const MIN_FLOW: i64 = 5;
/// A sum that does not come out counts when it was seen so often in a row.
const CONFIRM_SUMS: u32 = 3;

/// Work that waits, as far as it is counted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Waiting {
    /// Since when the oldest waits.
    pub oldest: Option<Timestamp>,
    /// How many; [`counted_to_the_end`](Self::more) says whether that is all.
    pub count: i64,
    /// There are more than were counted.
    pub more: bool,
    /// Whose it is, oldest first; a few.
    pub tenants: Vec<TenantId>,
}

/// What is owed and due in one lane.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OwedLane {
    /// Which lane.
    pub lane: Lane,
    /// The channel of the oldest.
    pub channel: Option<Channel>,
    /// What waits.
    pub waiting: Waiting,
}

/// Running totals, over all tenants.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Events accepted.
    pub accepted: i64,
    /// Events with an outcome.
    pub decided: i64,
    /// Notifications that came to be owed.
    pub owed: i64,
    /// Notifications that ended.
    pub ended: i64,
}

/// The books at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Books {
    /// Events without an outcome.
    pub pending: Waiting,
    /// What is owed and due, by lane.
    pub owed: Vec<OwedLane>,
    /// Totals since the beginning.
    pub totals: Totals,
    /// What the two sums differ by, where everything could be counted.
    pub difference: Option<i64>,
}

/// Flow over a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Flow {
    /// Over how long, milliseconds.
    pub over_ms: i64,
    /// Events that came in.
    pub events_in: i64,
    /// Events that were decided.
    pub events_out: i64,
    /// Notifications that came to be owed.
    pub owed_in: i64,
    /// Notifications that ended.
    pub owed_out: i64,
}

/// What is remembered from one audit to the next.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Audit {
    window: VecDeque<(Timestamp, Totals)>,
    differences: u32,
}

impl Audit {
    /// Takes in the books of one moment, and says what is wrong with them.
    pub(super) fn observe(
        &mut self,
        books: &Books,
        thresholds: &Thresholds,
        now: Timestamp,
    ) -> Vec<Signal> {
        self.remember(books.totals, now);
        let mut signals = Vec::new();
        let alerting = Hop::Stage { stage: Stage::Alerting };
        let dispatch = Hop::Stage { stage: Stage::Dispatch };
        let text = |age| format!("the oldest event has had no outcome for {age} s");
        signals.extend(waits(
            &books.pending,
            alerting.clone(),
            thresholds.pending_ms,
            (now, &text),
        ));
        for owed in &books.owed {
            let text = |age| {
                let channel = owed.channel.map_or("", Channel::as_str);
                let lane = owed.lane.as_str();
                format!("the oldest {channel} notification in the {lane} lane is {age} s late")
            };
            signals.extend(waits(
                &owed.waiting,
                dispatch.clone(),
                thresholds.owed_ms,
                (now, &text),
            ));
        }
        let flow = self.flow();
        if flow.over_ms >= WINDOW_MS - 2_000 && flow.events_in >= MIN_FLOW && flow.events_out == 0 {
            let text = format!("{} events came in and none was decided", flow.events_in);
            signals.push(Signal::certain(alerting, self.window_from(now), text));
        }
        self.differences = match books.difference {
            Some(0) => 0,
            Some(_) => self.differences.saturating_add(1),
            None => self.differences,
        };
        if self.differences >= CONFIRM_SUMS {
            let text = "the books do not balance: something was lost or made up".to_owned();
            signals.push(Signal::certain(Hop::Store, now, text));
        }
        signals
    }

    fn remember(&mut self, totals: Totals, now: Timestamp) {
        // What is older than the window is needed once, as its beginning.
        while self.window.len() >= MAX_WINDOW
            || self.window.get(1).is_some_and(|(at, _)| ms_between(*at, now) >= WINDOW_MS)
        {
            self.window.pop_front();
        }
        self.window.push_back((now, totals));
    }

    fn window_from(&self, now: Timestamp) -> Timestamp {
        self.window.front().map_or(now, |(at, _)| *at)
    }

    /// What went in and out lately.
    pub fn flow(&self) -> Flow {
        let (Some((from, first)), Some((to, last))) = (self.window.front(), self.window.back())
        else {
            return Flow::default();
        };
        Flow {
            over_ms: ms_between(*from, *to),
            events_in: last.accepted - first.accepted,
            events_out: last.decided - first.decided,
            owed_in: last.owed - first.owed,
            owed_out: last.ended - first.ended,
        }
    }
}

fn waits(
    waiting: &Waiting,
    hop: Hop,
    late_ms: i64,
    (now, text): (Timestamp, &dyn Fn(i64) -> String),
) -> Option<Signal> {
    let oldest = waiting.oldest?;
    let age = ms_between(oldest, now);
    (age >= late_ms).then(|| Signal {
        hop,
        since: oldest,
        ripe: age >= late_ms + CONFIRM_MS,
        text: text(age / 1_000),
        waiting: waiting.count,
        tenants: waiting.tenants.clone(),
        harmless: false,
    })
}
