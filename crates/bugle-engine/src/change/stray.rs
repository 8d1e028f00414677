//! Strays: stages that were put on something, or held, and not by a change.
//!
//! A change leaves no target behind when it is over, so that every target found without one is a
//! stray: somebody went around the guard. It is an alarm at once, and is taken back.

use std::collections::BTreeMap;

use bugle_domain::NodeId;
use bugle_domain::stage::{Stage, StageRun};
use jiff::{SignedDuration, Timestamp};

use crate::watch::judge::Signal;
use crate::watch::{Hop, View};

/// A stray that the watch has not named is taken back after this time: the watch may be off.
pub const PUT_BACK_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// A stage that has a target, while no change is under way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Stray {
    /// On which node.
    pub node: NodeId,
    /// Which stage.
    pub stage: Stage,
    /// The revision it was put on; `None`: it is only held.
    pub revision: Option<i64>,
    /// Whether it takes no new work.
    pub held: bool,
}

impl Stray {
    /// What was done to it, in words.
    fn words(&self) -> String {
        match (self.revision, self.held) {
            (Some(revision), false) => format!("it was put on revision {revision}"),
            (Some(revision), true) => format!("it was put on revision {revision} and held"),
            (None, _) => "it was held".to_owned(),
        }
    }

    /// What speaks against its stage. It leaves no doubt once the stage has taken it, since a
    /// change and its targets are saved together. A stage that stays on its last good one holds
    /// nothing up.
    pub fn signal(&self, runs: &[StageRun], now: Timestamp) -> Signal {
        let hop = Hop::Stage { stage: self.stage };
        let text = format!("{}, and not by a change", self.words());
        let own = runs.iter().find(|run| run.node == self.node && run.stage == self.stage);
        let taken = own.is_some_and(|run| self.is_taken(run));
        let harmless = !taken && own.is_some_and(|run| run.error.is_some());
        let ripe = taken || harmless;
        Signal { ripe, harmless, ..Signal::certain(hop, now, text) }
    }

    fn is_taken(&self, run: &StageRun) -> bool {
        run.held == self.held && self.revision.is_none_or(|number| run.revision == number)
    }

    /// What is noted when it is taken back to the known-good.
    pub fn taken_back(&self, known_good: i64) -> String {
        let (stage, node, words) = (self.stage.as_str(), self.node, self.words());
        format!(
            "{stage} on node {node} is back on revision {known_good}: {words}, and not by a change"
        )
    }
}

/// The strays that were seen, and since when.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Strays(BTreeMap<Stray, Timestamp>);

impl Strays {
    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes in what there is now, and says which are to be taken back: those that the watch names,
    /// so that nobody is healed unseen, and those that it has had its time for.
    pub fn observe(&mut self, found: &[Stray], view: &View, now: Timestamp) -> Vec<Stray> {
        self.0.retain(|stray, _| found.contains(stray));
        let mut due = Vec::new();
        for stray in found {
            let since = *self.0.entry(*stray).or_insert(now);
            let named = view.against(stray.stage).next().is_some();
            if named || now.duration_since(since) >= PUT_BACK_AFTER {
                due.push(*stray);
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use bugle_domain::revision::Revision;

    use super::*;
    use crate::watch::Verdict;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn stray() -> Stray {
        let node = NodeId::new(at(0), [1; 10]);
        Stray { node, stage: Stage::Dispatch, revision: Some(2), held: false }
    }

    fn view(against: Option<Stage>) -> View {
        let verdict = |stage| Verdict {
            hop: Hop::Stage { stage },
            since: at(0),
            evidence: String::new(),
            waiting: 0,
            tenants: Vec::new(),
            nodes: Vec::new(),
            harmless: false,
        };
        let verdicts = against.map(verdict).into_iter().collect();
        View { at: at(0), verdicts, canaries: Vec::new() }
    }

    #[test]
    fn one_that_the_watch_names_is_taken_back_at_once() {
        let mut strays = Strays::default();
        assert_eq!(strays.observe(&[stray()], &view(None), at(0)), []);
        assert_eq!(strays.observe(&[stray()], &view(Some(Stage::Alerting)), at(1)), []);
        let named = view(Some(Stage::Dispatch));
        assert_eq!(strays.observe(&[stray()], &named, at(2)), [stray()]);
    }

    #[test]
    fn one_that_nobody_names_is_taken_back_after_its_time() {
        let mut strays = Strays::default();
        assert_eq!(strays.observe(&[stray()], &view(None), at(0)), []);
        assert_eq!(strays.observe(&[stray()], &view(None), at(9)), []);
        assert_eq!(strays.observe(&[stray()], &view(None), at(10)), [stray()]);
        strays.observe(&[], &view(None), at(11));
        assert_eq!(strays.observe(&[stray()], &view(None), at(12)), [], "its time begins anew");
    }

    #[test]
    fn it_is_an_alarm_that_leaves_no_doubt() {
        let run = |revision, error: Option<&str>| StageRun {
            node: stray().node,
            stage: Stage::Dispatch,
            revision,
            fingerprint: Revision::standard(BTreeMap::new()).fingerprint(),
            since: at(4),
            held: false,
            error: error.map(str::to_owned),
        };
        let signal = |run| stray().signal(&[run], at(5));
        let taken = signal(run(2, None));
        assert_eq!((taken.ripe, taken.harmless), (true, false));
        assert_eq!(taken.text, "it was put on revision 2, and not by a change");
        let last_good = signal(run(1, Some("it cannot be read")));
        assert_eq!((last_good.ripe, last_good.harmless), (true, true));
        let stuck = signal(run(2, Some("it has no lane to write to")));
        assert_eq!((stuck.ripe, stuck.harmless), (true, false), "it took what it can't work with");
        assert!(!signal(run(1, None)).ripe, "it was not taken yet");
        let held = Stray { revision: None, held: true, ..stray() };
        assert_eq!(held.signal(&[], at(5)).text, "it was held, and not by a change");
    }
}
