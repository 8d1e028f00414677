//! What the nodes run: a mixed set, and a stage that cannot run what it should, are alarms.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::stage::{Stage, StageRun};
use jiff::Timestamp;

use super::Hop;
use super::flight::ms_between;
use super::judge::Signal;
use super::thresholds::CONFIRM_MS;

/// What speaks against stages, where no change is under way.
///
/// It is ripe after a moment: after a change the nodes follow each other within a second.
pub fn fingerprints(runs: &[StageRun], now: Timestamp) -> Vec<Signal> {
    let mut by_stage: BTreeMap<Stage, Vec<&StageRun>> = BTreeMap::new();
    for run in runs {
        by_stage.entry(run.stage).or_default().push(run);
    }
    by_stage.into_iter().filter_map(|(stage, runs)| against(stage, &runs, now)).collect()
}

fn against(stage: Stage, runs: &[&StageRun], now: Timestamp) -> Option<Signal> {
    let since = runs.iter().map(|run| run.since).max()?;
    let found: BTreeSet<String> =
        runs.iter().map(|run| format!("{} ({})", run.revision, run.fingerprint)).collect();
    let text = if let Some(error) = runs.iter().find_map(|run| run.error.as_ref()) {
        format!("it does not run what it should: {error}")
    } else if found.len() > 1 {
        let found: Vec<String> = found.into_iter().collect();
        format!("nodes run different revisions: {}", found.join(", "))
    } else {
        return None;
    };
    let hop = Hop::Stage { stage };
    let ripe = ms_between(since, now) >= CONFIRM_MS;
    // Where it does hold something up, the canaries say so.
    Some(Signal { ripe, harmless: true, ..Signal::certain(hop, since, text) })
}

#[cfg(test)]
mod tests {
    use bugle_domain::NodeId;
    use bugle_domain::revision::Revision;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn run(node: u8, stage: Stage, parallel: u32) -> StageRun {
        let since = Timestamp::UNIX_EPOCH;
        let mut revision = Revision::standard(BTreeMap::new());
        revision.dispatch.parallel = parallel;
        StageRun {
            node: NodeId::new(since, [node; 10]),
            stage,
            revision: parallel.into(),
            fingerprint: revision.fingerprint(),
            since,
            held: false,
            error: None,
        }
    }

    #[test]
    fn a_mixed_set_is_named_and_an_even_one_is_not() {
        let even = [run(1, Stage::Dispatch, 1), run(2, Stage::Dispatch, 1)];
        assert_eq!(fingerprints(&even, at(9)), []);
        let mixed =
            [run(1, Stage::Alerting, 1), run(1, Stage::Dispatch, 1), run(2, Stage::Dispatch, 2)];
        let [signal] = &fingerprints(&mixed, at(2))[..] else { panic!("one stage is mixed") };
        assert_eq!(signal.hop, Hop::Stage { stage: Stage::Dispatch });
        assert!(signal.text.contains("different revisions"), "{}", signal.text);
        assert!(signal.ripe, "an alarm");
    }

    #[test]
    fn a_stage_that_cannot_take_its_revision_is_named() {
        let stuck = StageRun { error: Some("it is empty".to_owned()), ..run(1, Stage::Intake, 1) };
        let [signal] = &fingerprints(&[stuck], at(1))[..] else { panic!("one stage is stuck") };
        assert_eq!(signal.text, "it does not run what it should: it is empty");
        assert!(!signal.ripe, "nodes follow each other within a moment");
    }
}
