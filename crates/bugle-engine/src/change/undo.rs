//! The way back: to the known-good, everywhere at once, with nothing held any longer.

use bugle_domain::NodeId;
use bugle_domain::stage::Stage;
use jiff::Timestamp;

use super::forth::{enter, green, red};
use super::{Action, Change, ChangeState, Observation, Step, UNDO_EVERY};

/// Takes it back because of what was seen, unless the same revision was taken back just before:
/// then the revision is not the cause, and going to and fro helps nobody.
pub(super) fn by_itself(
    change: &Change,
    seen: &Observation,
    now: Timestamp,
    why: String,
) -> Option<Step> {
    let lately = |at: Timestamp| now.duration_since(at) < UNDO_EVERY;
    if !seen.undone_at.is_some_and(lately) {
        let block = Action::Block { revision: change.revision, why: why.clone() };
        let mut step = by_hand(change, seen, now, why);
        step.actions.push(block);
        return Some(step);
    }
    if change.left_standing {
        return None;
    }
    let text = format!(
        "{why}; revision {} was undone within the last hour already, so it is left as it is: \
         undo it by hand, or wait",
        change.revision
    );
    let change = Change { left_standing: true, ..change.clone() };
    Some(Step { change, actions: vec![Action::ReleaseAll], evidence: vec![red(text)] })
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

/// Ends it when every node that lives runs the known-good again.
pub(super) fn finish(change: &Change, seen: &Observation, now: Timestamp) -> Option<Step> {
    if !seen.alive.iter().all(|node| runs(change, seen, *node, change.previous)) {
        return None;
    }
    let text = format!("every node runs revision {} again; nothing is held", change.previous);
    let actions = vec![Action::KnownGood { revision: change.previous }];
    Some(enter(change, ChangeState::Undone, now, actions, vec![green(text)]))
}

/// Whether a node runs `revision` in every changed stage.
pub(super) fn runs(change: &Change, seen: &Observation, node: NodeId, revision: i64) -> bool {
    let runs = |stage: &Stage| {
        let of = |run: &&bugle_domain::stage::StageRun| run.node == node && run.stage == *stage;
        seen.runs.iter().find(of).is_some_and(|run| run.revision == revision)
    };
    change.stages.iter().all(runs)
}
