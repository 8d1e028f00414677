//! What each node runs: a mixed set is an alarm at once.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::NodeId;
use bugle_domain::stage::Stage;
use jiff::Timestamp;

use super::{Hop, Verdict};

/// What a stage runs on one node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StageRun {
    /// On which node.
    pub node: NodeId,
    /// Which stage.
    pub stage: Stage,
    /// What it runs.
    pub fingerprint: String,
    /// Since when.
    pub since: Timestamp,
}

/// The first stage, if any, that does not run the same everywhere.
pub fn fingerprints(runs: &[StageRun]) -> Option<Verdict> {
    let mut by_stage: BTreeMap<Stage, Vec<&StageRun>> = BTreeMap::new();
    for run in runs {
        by_stage.entry(run.stage).or_default().push(run);
    }
    by_stage.into_iter().find_map(|(stage, runs)| {
        let different: BTreeSet<&str> = runs.iter().map(|run| run.fingerprint.as_str()).collect();
        let newest = runs.iter().map(|run| run.since).max()?;
        let list: Vec<&str> = different.iter().copied().collect();
        (different.len() > 1).then(|| Verdict {
            hop: Hop::Stage { stage },
            since: newest,
            evidence: format!("nodes run different settings: {}", list.join(", ")),
            waiting: 0,
            tenants: Vec::new(),
            nodes: runs.iter().map(|run| run.node).collect(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(node: u8, stage: Stage, fingerprint: &str) -> StageRun {
        let since = Timestamp::UNIX_EPOCH;
        let node = NodeId::new(since, [node; 10]);
        StageRun { node, stage, fingerprint: fingerprint.to_owned(), since }
    }

    #[test]
    fn a_mixed_set_is_named_and_an_even_one_is_not() {
        let even = [run(1, Stage::Dispatch, "a"), run(2, Stage::Dispatch, "a")];
        assert_eq!(fingerprints(&even), None);
        let mixed = [run(1, Stage::Alerting, "a"), run(1, Stage::Dispatch, "a")];
        let mixed = [mixed.to_vec(), vec![run(2, Stage::Dispatch, "b")]].concat();
        let verdict = fingerprints(&mixed).unwrap();
        assert_eq!(verdict.hop, Hop::Stage { stage: Stage::Dispatch });
        assert_eq!(verdict.nodes.len(), 2);
    }
}
