//! The way back: to the known-good, everywhere at once, with nothing held any longer.

use bugle_domain::NodeId;
use bugle_domain::stage::Stage;
use jiff::Timestamp;

use super::forth::{enter, green, red};
use super::{Action, Change, ChangeState, Observation, STEP_LIMIT, Step};

/// Takes it back because of what was seen, however often that was done before. It is not tried
/// again unseen.
pub(super) fn by_itself(change: &Change, seen: &Observation, now: Timestamp, why: String) -> Step {
    let block = Action::Block { revision: change.revision, why: why.clone() };
    let mut step = by_hand(change, seen, now, why);
    step.actions.push(block);
    step
}

/// Takes it back.
pub(super) fn by_hand(change: &Change, seen: &Observation, now: Timestamp, why: String) -> Step {
    let mut nodes = change.nodes.clone();
    nodes.extend(seen.runs.iter().map(|run| run.node));
    nodes.sort_unstable();
    nodes.dedup();
    let back =
        |node| Action::Target { node, stages: change.stages.clone(), revision: change.previous };
    let mut actions: Vec<Action> = nodes.into_iter().map(back).collect();
    actions.extend([Action::ReleaseAll, Action::GiveBack]);
    let mut step = enter(change, ChangeState::Undoing, now, actions, vec![red(why.clone())]);
    step.change.why = Some(why);
    step
}

/// Ends it when every node that lives runs the known-good again, or has said for a while why it
/// can't.
pub(super) fn finish(change: &Change, seen: &Observation, now: Timestamp) -> Option<Step> {
    let late = now.duration_since(change.entered_at) > STEP_LIMIT;
    let mut evidence = Vec::new();
    for node in seen.alive.keys().filter(|node| !runs(change, seen, **node, change.previous)) {
        // One that cannot, since its own file has changed meanwhile, must not bar the way for ever.
        let error = cannot(change, seen, *node).filter(|_| late)?;
        let previous = change.previous;
        evidence.push(red(format!("node {node} can't run revision {previous}: {error}")));
    }
    if evidence.is_empty() {
        let text = format!("every node runs revision {} again; nothing is held", change.previous);
        evidence.push(green(text));
    }
    let actions = vec![Action::KnownGood { revision: change.previous }];
    Some(enter(change, ChangeState::Undone, now, actions, evidence))
}

/// Why a changed stage of a node does not run what it is to go back to.
fn cannot<'a>(change: &Change, seen: &'a Observation, node: NodeId) -> Option<&'a str> {
    let of = |run: &&bugle_domain::stage::StageRun| {
        run.node == node && change.stages.contains(&run.stage) && run.revision != change.previous
    };
    seen.runs.iter().filter(of).find_map(|run| run.error.as_deref())
}

/// Whether a node runs `revision` in every changed stage.
pub(super) fn runs(change: &Change, seen: &Observation, node: NodeId, revision: i64) -> bool {
    let runs = |stage: &Stage| {
        let of = |run: &&bugle_domain::stage::StageRun| run.node == node && run.stage == *stage;
        seen.runs.iter().find(of).is_some_and(|run| run.revision == revision)
    };
    change.stages.iter().all(runs)
}
