//! From what was seen to verdicts: who agrees, since when, and when it is over.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::stage::Stage;
use bugle_domain::{EventId, NodeId, TenantId};
use jiff::Timestamp;

use super::books::{Audit, Books, Flow};
use super::flight::{Flight, Goal, Marks, Missing, Path, Track, ms_between};
use super::thresholds::{CONFIRM_MS, Thresholds};
use super::{Canary, Hop, Verdict};

/// Tenants that a verdict names.
const MAX_TENANTS: usize = 5;
/// A verdict against a stage that began so shortly before the database failed is explained by it.
const EXPLAINED_MS: i64 = 3_000;

/// A reason to think that a hop is broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signal {
    /// Which.
    pub hop: Hop,
    /// Since when.
    pub since: Timestamp,
    /// It is enough to declare it.
    pub ripe: bool,
    /// What was seen, in words.
    pub text: String,
    /// What waits because of it.
    pub waiting: i64,
    /// Whose that is.
    pub tenants: Vec<TenantId>,
    /// Nothing that users ask for is held up by it.
    pub harmless: bool,
}

impl Signal {
    /// One that leaves no doubt.
    pub fn certain(hop: Hop, since: Timestamp, text: String) -> Self {
        Self { hop, since, ripe: true, text, waiting: 0, tenants: Vec::new(), harmless: false }
    }
}

/// Everything that was seen at one moment, but for the canaries.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Seen {
    /// The books; `None` where they could not be read.
    pub books: Option<Books>,
    /// Since when each worker has made no pass.
    pub pulses: Vec<(Stage, Timestamp)>,
    /// What else was found.
    pub others: Vec<Signal>,
    /// Ages mean nothing just now: the clock was set.
    pub clock_was_set: bool,
}

/// A hop that is suspected or declared broken.
#[derive(Clone, PartialEq, Debug)]
struct Case {
    since: Timestamp,
    declared: bool,
    last_red: Timestamp,
    texts: Vec<String>,
    waiting: i64,
    tenants: Vec<TenantId>,
    /// When it was last seen to hold something up.
    last_harm: Option<Timestamp>,
}

/// The probe that must fail.
#[derive(Clone, PartialEq, Debug)]
struct Control {
    track: Track,
    began: Option<Timestamp>,
    reported: Option<Timestamp>,
}

/// Watches one node's paths and the books.
#[derive(Clone, PartialEq, Debug)]
pub struct Watcher {
    node: NodeId,
    thresholds: Thresholds,
    tracks: Vec<Track>,
    control: Option<Control>,
    audit: Audit,
    cases: BTreeMap<Hop, Case>,
}

impl Watcher {
    /// Nothing was seen yet.
    pub fn new(node: NodeId, thresholds: Thresholds, paths: Vec<(Path, Goal)>) -> Self {
        let tracks = paths.into_iter().map(|(path, goal)| Track::new(path, goal)).collect();
        let (audit, cases) = (Audit::default(), BTreeMap::new());
        Self { node, thresholds, tracks, control: None, audit, cases }
    }

    /// Changes the thresholds from now on.
    pub fn set_thresholds(&mut self, thresholds: Thresholds) {
        self.thresholds = thresholds;
    }

    /// The paths that are watched.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// Begins the probe that must fail on `path`.
    pub fn begin_control(&mut self, path: Path, now: Timestamp) {
        let (track, reported) = (Track::new(path, Goal::Arrived), self.control_reported());
        self.control = Some(Control { track, began: Some(now), reported });
    }

    /// Whether the probe that must fail is under way: canaries are to be sent on its path.
    pub fn control_runs(&self) -> bool {
        self.control.as_ref().is_some_and(|control| control.began.is_some())
    }

    /// When the probe that must fail was last reported.
    pub fn control_reported(&self) -> Option<Timestamp> {
        self.control.as_ref().and_then(|control| control.reported)
    }

    /// Adds a canary that was sent.
    pub fn send(&mut self, path: &Path, flight: Flight) {
        if let Some(track) = self.track_of(path) {
            track.send(flight);
        }
    }

    fn track_of(&mut self, path: &Path) -> Option<&mut Track> {
        let control = self.control.as_mut().map(|control| &mut control.track);
        self.tracks.iter_mut().chain(control).find(|track| track.path == *path)
    }

    fn all_tracks(&mut self) -> impl Iterator<Item = &mut Track> {
        let control = self.control.as_mut().map(|control| &mut control.track);
        self.tracks.iter_mut().chain(control)
    }

    /// Notes how far the canary of an event got.
    pub fn mark(&mut self, event: EventId, marks: Marks, fault: Option<&str>) {
        for track in self.all_tracks() {
            track.mark(event, marks, fault.map(str::to_owned));
        }
    }

    /// Notes that the canary of an event arrived.
    pub fn arrived(&mut self, event: EventId, at: Timestamp) {
        for track in self.all_tracks() {
            track.arrived(event, at);
        }
    }

    /// The oldest event that is still followed.
    pub fn oldest_event(&mut self) -> Option<EventId> {
        self.all_tracks().flat_map(|track| track.events()).min()
    }

    /// Takes in what was seen at `now`, and says what is broken, worst first.
    pub fn observe(&mut self, seen: &Seen, now: Timestamp) -> Vec<Verdict> {
        for track in self.all_tracks() {
            track.settle_through();
        }
        let mut signals = seen.others.clone();
        if !seen.clock_was_set {
            signals.extend(self.of_paths(now));
            signals.extend(seen.pulses.iter().filter_map(|pulse| self.of_pulse(*pulse, now)));
            if let Some(books) = &seen.books {
                signals.extend(self.audit.observe(books, &self.thresholds, now));
            }
        }
        signals.extend(self.of_control(now));
        if seen.clock_was_set {
            // Nothing was looked at, so nothing was seen to be well.
            for case in self.cases.values_mut() {
                (case.last_red, case.last_harm) = (now, case.last_harm.map(|_| now));
            }
        }
        self.judge(signals, now);
        self.verdicts(now)
    }

    fn of_paths(&self, now: Timestamp) -> Vec<Signal> {
        let mut by_hop: BTreeMap<Hop, Vec<(&Path, Missing)>> = BTreeMap::new();
        let found = self.tracks.iter().filter_map(|track| {
            track.missing(&self.thresholds, now).map(|missing| (&track.path, missing))
        });
        let found: Vec<_> = found.collect();
        let no_receipts = self.no_receipt_comes(&found);
        for (path, mut missing) in found {
            if no_receipts && missing.receipt {
                missing.hop = Hop::Stage { stage: Stage::Responses };
            }
            by_hop.entry(missing.hop.clone()).or_default().push((path, missing));
        }
        by_hop.into_iter().filter_map(|(hop, agreeing)| self.agree(hop, &agreeing)).collect()
    }

    /// Receipts are missing from everybody: that is us, not all providers at once.
    fn no_receipt_comes(&self, found: &[(&Path, Missing)]) -> bool {
        let without: BTreeSet<_> =
            found.iter().filter(|(_, it)| it.receipt).map(|(path, _)| *path).collect();
        let channels: BTreeSet<_> = without.iter().map(|path| path.channel).collect();
        let wanted = self.tracks.iter().filter(|track| track.goal == Goal::Arrived);
        channels.len() > 1
            && without.len() >= self.thresholds.agreeing
            && wanted.into_iter().all(|track| without.contains(&track.path))
    }

    fn agree(&self, hop: Hop, agreeing: &[(&Path, Missing)]) -> Option<Signal> {
        let oldest = agreeing.iter().map(|(_, missing)| missing).min_by_key(|it| it.since)?;
        let enough = agreeing.len() >= self.thresholds.agreeing;
        let paths: Vec<String> = agreeing
            .iter()
            .map(|(path, _)| format!("{} by {}", path.channel.as_str(), path.provider))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        Some(Signal {
            hop,
            since: oldest.since,
            ripe: enough || agreeing.iter().any(|(_, missing)| missing.enough),
            text: format!("{} ({})", oldest.text, paths.join(", ")),
            waiting: 0,
            tenants: Vec::new(),
            harmless: false,
        })
    }

    fn of_pulse(&self, (stage, last): (Stage, Timestamp), now: Timestamp) -> Option<Signal> {
        let age = ms_between(last, now);
        (age >= self.thresholds.pulse_ms).then(|| Signal {
            hop: Hop::Stage { stage },
            since: last,
            ripe: age >= self.thresholds.pulse_ms + CONFIRM_MS,
            text: format!("its worker has made no pass for {} s", age / 1_000),
            waiting: 0,
            tenants: Vec::new(),
            harmless: false,
        })
    }

    /// The probe that must fail is reported by the same rules as any path; what comes of it stays
    /// here.
    fn of_control(&mut self, now: Timestamp) -> Option<Signal> {
        let thresholds = self.thresholds;
        let control = self.control.as_mut()?;
        let began = control.began?;
        if control.track.missing(&thresholds, now).is_some_and(|missing| missing.enough) {
            control.began = None;
            control.reported = Some(now);
            return None;
        }
        let late = ms_between(began, now) >= thresholds.control_ms;
        let text = "a probe that must fail was not reported".to_owned();
        late.then(|| Signal::certain(Hop::Watch, began, text))
    }

    fn judge(&mut self, signals: Vec<Signal>, now: Timestamp) {
        let mut by_hop: BTreeMap<Hop, Vec<Signal>> = BTreeMap::new();
        for signal in signals {
            by_hop.entry(signal.hop.clone()).or_default().push(signal);
        }
        for (hop, signals) in by_hop {
            let since = signals.iter().map(|it| it.since).min().unwrap_or(now);
            let case = self.cases.entry(hop).or_insert_with(|| Case {
                since,
                declared: false,
                last_red: now,
                texts: Vec::new(),
                waiting: 0,
                tenants: Vec::new(),
                last_harm: None,
            });
            case.last_red = now;
            if signals.iter().any(|signal| signal.ripe && !signal.harmless) {
                case.last_harm = Some(now);
            }
            case.declared |= signals.iter().any(|signal| signal.ripe);
            case.waiting = signals.iter().map(|it| it.waiting).max().unwrap_or(0);
            let tenants: BTreeSet<TenantId> =
                signals.iter().flat_map(|it| it.tenants.iter().copied()).collect();
            case.tenants = tenants.into_iter().take(MAX_TENANTS).collect();
            case.texts = signals.into_iter().map(|it| it.text).collect();
        }
        let clear_after = self.thresholds.clear_after_ms;
        self.cases.retain(|_, case| {
            let green_ms = ms_between(case.last_red, now);
            if case.declared { green_ms < clear_after } else { green_ms == 0 }
        });
    }

    fn verdicts(&self, now: Timestamp) -> Vec<Verdict> {
        let clear_after = self.thresholds.clear_after_ms;
        let harms =
            |case: &Case| case.last_harm.is_some_and(|at| ms_between(at, now) < clear_after);
        let database = self.cases.get(&Hop::Store).filter(|case| case.declared);
        let intake = Hop::Stage { stage: Stage::Intake };
        // What is only suspected is waited for: it is said of the door for mail, or of more.
        let beneath = [&Hop::Store, &intake].into_iter().filter_map(|hop| self.cases.get(hop));
        let intake_fails = beneath.into_iter().any(|case| !case.declared || harms(case));
        let explained = |hop: &Hop, case: &Case| match hop {
            Hop::Stage { .. } => {
                database.is_some_and(|it| ms_between(case.since, it.since) <= EXPLAINED_MS)
            }
            Hop::MailIn => intake_fails,
            Hop::Store | Hop::Provider { .. } | Hop::Watch => false,
        };
        let declared = self.cases.iter().filter(|(_, case)| case.declared);
        let mut verdicts: Vec<Verdict> = declared
            .filter(|(hop, case)| !explained(hop, case))
            .map(|(hop, case)| Verdict {
                hop: hop.clone(),
                since: case.since,
                evidence: case.texts.join("; "),
                waiting: case.waiting,
                tenants: case.tenants.clone(),
                nodes: vec![self.node],
                harmless: !harms(case),
            })
            .collect();
        verdicts.sort_by_key(|verdict| (verdict.hop.rank(), verdict.since));
        verdicts
    }

    /// How each path does.
    pub fn canaries(&self, now: Timestamp) -> Vec<Canary> {
        let canary = |track: &Track| track.canary(self.node, &self.thresholds, now);
        self.tracks.iter().filter_map(canary).collect()
    }

    /// What went in and out lately.
    pub fn flow(&self) -> Flow {
        self.audit.flow()
    }
}

#[cfg(test)]
mod tests;
