//! Canaries: synthetic events, and how far each one got on its path.

use std::collections::{BTreeMap, VecDeque};

use bugle_domain::contact::Channel;
use bugle_domain::notification::Lane;
use bugle_domain::stage::Stage;
use bugle_domain::{EventId, NodeId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::thresholds::{LOST_OF, Thresholds};
use super::{Canary, Hop};

/// Canaries of one path that are remembered.
const MAX_FLIGHTS: usize = 128;
/// A canary that so many later ones overtook was lost.
const OVERTAKEN_BY: usize = 3;

/// How far canaries are followed on a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Until a provider took the message: no receipt can be had.
    Taken,
    /// Until a receipt says that it arrived.
    Arrived,
}

/// A way through the pipeline.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Path {
    /// To which channel.
    pub channel: Channel,
    /// By which provider.
    pub provider: String,
    /// In which queue.
    pub lane: Lane,
}

/// When a canary passed each point; what has not happened is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// Intake kept the event.
    pub accepted: Option<Timestamp>,
    /// Alerting decided it.
    pub decided: Option<Timestamp>,
    /// Dispatch claimed its notification.
    pub claimed: Option<Timestamp>,
    /// The provider took the message.
    pub taken: Option<Timestamp>,
    /// A receipt says that it arrived.
    pub arrived: Option<Timestamp>,
}

/// One canary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flight {
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Its event, once intake has answered.
    pub event: Option<EventId>,
    /// How far it got.
    pub marks: Marks,
    /// What intake or the provider said against it, in words.
    pub fault: Option<String>,
}

impl Flight {
    fn through(&self, goal: Goal) -> bool {
        match goal {
            Goal::Taken => self.marks.taken.is_some(),
            Goal::Arrived => self.marks.arrived.is_some(),
        }
    }

    /// The hop that has it, since when, and how long that may take.
    fn stuck(&self, path: &Path, thresholds: &Thresholds) -> (Hop, Timestamp, i64) {
        let stage = |stage| Hop::Stage { stage };
        let provider = || Hop::Provider { channel: path.channel, provider: path.provider.clone() };
        let marks = &self.marks;
        let late = thresholds.late_ms;
        match (marks.accepted, marks.decided, marks.claimed, marks.taken) {
            (None, ..) => (stage(Stage::Intake), self.sent_at, late),
            (Some(at), None, ..) => (stage(Stage::Alerting), at, late),
            (_, Some(at), None, _) => (stage(Stage::Dispatch), at, late),
            (_, _, Some(at), None) => (provider(), at, thresholds.provider_late_ms),
            (_, _, _, Some(at)) => (provider(), at, thresholds.receipt_ms(path.channel)),
        }
    }

    /// The hop at which it is overdue, if it is.
    fn overdue(&self, path: &Path, thresholds: &Thresholds, now: Timestamp) -> Option<Hop> {
        let (hop, since, limit) = self.stuck(path, thresholds);
        (ms_between(since, now) >= limit).then_some(hop)
    }
}

/// What a path says of its hop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Missing {
    /// Where canaries stay.
    pub(super) hop: Hop,
    /// Since when nothing came through.
    pub(super) since: Timestamp,
    /// Whether that alone is enough.
    pub(super) enough: bool,
    /// How many are missing, or what was said.
    pub(super) text: String,
    /// It is the receipt that is missing.
    pub(super) receipt: bool,
}

/// The canaries of one path.
#[derive(Clone, PartialEq, Debug)]
pub struct Track {
    /// Which way.
    pub path: Path,
    /// How far they are followed.
    pub goal: Goal,
    flights: VecDeque<Flight>,
    /// Of the latest that are settled, where they were lost, or `None` where they came through;
    /// newest last. Those lost in a row count as one: that is a break, and not a leak.
    settled: VecDeque<Option<Hop>>,
    /// When the latest that came through had been sent, and how it went.
    through: Option<Flight>,
}

impl Track {
    /// A path on which nothing was sent yet.
    pub fn new(path: Path, goal: Goal) -> Self {
        let (flights, settled) = (VecDeque::new(), VecDeque::new());
        Self { path, goal, flights, settled, through: None }
    }

    /// Adds a canary that was sent.
    pub fn send(&mut self, flight: Flight) {
        if self.flights.len() >= MAX_FLIGHTS {
            self.flights.pop_front();
        }
        self.flights.push_back(flight);
    }

    /// Notes how far the canary of an event got. That a program took a webhook is not enough: it
    /// comes back to us, and has arrived when it was seen here.
    pub fn mark(&mut self, event: EventId, marks: Marks, fault: Option<String>) {
        let said = marks.arrived.filter(|_| self.path.channel != Channel::Webhook);
        let known = self.flights.iter_mut().find(|flight| flight.event == Some(event));
        if let Some(flight) = known {
            flight.marks = Marks { arrived: flight.marks.arrived.or(said), ..marks };
            flight.fault = fault;
        }
    }

    /// Notes that the canary of an event arrived.
    pub fn arrived(&mut self, event: EventId, at: Timestamp) {
        let known = self.flights.iter_mut().find(|flight| flight.event == Some(event));
        if let Some(flight) = known {
            flight.marks.arrived.get_or_insert(at);
        }
    }

    /// The events that are still followed.
    pub fn events(&self) -> impl Iterator<Item = EventId> {
        self.flights.iter().filter_map(|flight| flight.event)
    }

    /// Settles what came through, and with it what was sent before and overtaken by three: that
    /// was lost.
    pub fn settle_through(&mut self) {
        let goal = self.goal;
        let newest = self.flights.iter().rev().find(|flight| flight.through(goal));
        if let Some(newest) = newest
            && self.through.as_ref().is_none_or(|known| known.sent_at < newest.sent_at)
        {
            self.through = Some(newest.clone());
        }
        while let Some(first) = self.flights.iter().position(|flight| flight.through(goal)) {
            let through = self.flights.iter().filter(|flight| flight.through(goal)).count();
            if first > 0 && through < OVERTAKEN_BY {
                return;
            }
            if let Some(lost) = self.flights.front().filter(|_| first > 0) {
                let (hop, ..) = lost.stuck(&self.path, &Thresholds::STANDARD);
                self.settle(Some(hop));
            }
            self.flights.drain(..=first);
            self.settle(None);
        }
    }

    fn settle(&mut self, lost: Option<Hop>) {
        if self.settled.len() >= LOST_OF {
            self.settled.pop_front();
        }
        self.settled.push_back(lost);
    }

    /// The oldest canary that is missing, where no later one came through.
    fn silent(&self) -> Option<&Flight> {
        let later =
            |flight: &Flight| self.through.as_ref().is_some_and(|it| it.sent_at > flight.sent_at);
        self.flights.iter().find(|flight| !flight.through(self.goal) && !later(flight))
    }

    /// What is to be said against a hop, if anything.
    pub(super) fn missing(&self, thresholds: &Thresholds, now: Timestamp) -> Option<Missing> {
        if let Some(oldest) = self.silent()
            && let Some(hop) = oldest.overdue(&self.path, thresholds, now)
        {
            let count = self.flights.iter().filter(|it| !it.through(self.goal)).count();
            let mut text = format!("{count} canaries did not come through");
            if let Some(fault) = &oldest.fault {
                text = format!("{text}: {fault}");
            }
            let silent_ms = ms_between(oldest.sent_at, now);
            return Some(Missing {
                hop,
                since: oldest.sent_at,
                enough: silent_ms >= thresholds.declare_after_ms && count > 1,
                text,
                receipt: oldest.marks.taken.is_some(),
            });
        }
        self.leak(thresholds)
    }

    /// Canaries are lost again and again while others come through.
    fn leak(&self, thresholds: &Thresholds) -> Option<Missing> {
        let mut lost: BTreeMap<&Hop, usize> = BTreeMap::new();
        for hop in self.settled.iter().flatten() {
            *lost.entry(hop).or_default() += 1;
        }
        let (hop, count) = lost.into_iter().max_by_key(|(_, count)| *count)?;
        (count >= thresholds.lost).then(|| Missing {
            hop: hop.clone(),
            since: self.through.as_ref().map_or(Timestamp::MIN, |flight| flight.sent_at),
            enough: true,
            text: format!("canaries were lost {count} times in the last {}", self.settled.len()),
            receipt: false,
        })
    }

    /// How it does, for people and for changes.
    pub fn canary(&self, node: NodeId, thresholds: &Thresholds, now: Timestamp) -> Option<Canary> {
        let newest = self.flights.back().or(self.through.as_ref())?;
        let stuck = self.silent().and_then(|it| it.overdue(&self.path, thresholds, now));
        Some(Canary {
            node,
            channel: self.path.channel,
            provider: self.path.provider.clone(),
            sent_at: newest.sent_at,
            through: self.through.as_ref().map(|flight| flight.sent_at),
            stuck,
            hops_ms: self.through.as_ref().map(hops).unwrap_or_default(),
        })
    }

    /// How long the provider took for the latest canary that came through.
    pub fn provider_ms(&self) -> Option<i64> {
        let marks = self.through.as_ref()?.marks;
        Some(ms_between(marks.claimed?, marks.taken?))
    }
}

fn hops(flight: &Flight) -> Vec<(Stage, i64)> {
    let marks = &flight.marks;
    let ways = [
        (Stage::Intake, Some(flight.sent_at), marks.accepted),
        (Stage::Alerting, marks.accepted, marks.decided),
        (Stage::Dispatch, marks.decided, marks.claimed),
        (Stage::Responses, marks.taken, marks.arrived),
    ];
    let took = |(stage, from, to): (Stage, Option<Timestamp>, Option<Timestamp>)| {
        Some((stage, ms_between(from?, to?)))
    };
    ways.into_iter().filter_map(took).collect()
}

/// Whole milliseconds from one time to a later one; 0 where it is not later.
pub fn ms_between(from: Timestamp, to: Timestamp) -> i64 {
    let ms = to.duration_since(from).max(SignedDuration::ZERO).as_millis();
    i64::try_from(ms).unwrap_or(i64::MAX)
}
