//! The way of a change from planned to known-good.

use bugle_domain::NodeId;
use bugle_domain::stage::{Stage, StageRun};
use jiff::{SignedDuration, Timestamp};

use super::undo;
use super::{Action, Change, ChangeState, Evidence, Observation, STEP_LIMIT, Step};

/// Says what follows. `None`: nothing does yet, or it is over.
pub fn step(change: &Change, seen: &Observation, now: Timestamp) -> Option<Step> {
    if change.state.is_final() {
        return None;
    }
    if change.state == ChangeState::Undoing {
        return undo::finish(change, seen, now);
    }
    if let Some(wanted) = &change.undo {
        let why = match wanted.reason.as_str() {
            "" => format!("{} wanted it undone", wanted.by),
            reason => format!("{} wanted it undone: {reason}", wanted.by),
        };
        return Some(undo::by_hand(change, seen, now, why));
    }
    if let Some(why) = verdict(change, seen) {
        return Some(undo::by_itself(change, seen, now, why));
    }
    if let Some(step) = forth(change, seen, now) {
        return Some(step);
    }
    Some(undo::by_itself(change, seen, now, stuck(change, seen, now)?))
}

/// The next checkpoint, if it is passed.
fn forth(change: &Change, seen: &Observation, now: Timestamp) -> Option<Step> {
    match change.state {
        ChangeState::Planned => check(change, seen, now),
        ChangeState::Checked => held(change, seen, now),
        ChangeState::Drained => applied(change, seen, now),
        ChangeState::AppliedOne => canaried(change, seen, now),
        ChangeState::Canaried => everywhere(change, seen, now),
        ChangeState::AppliedAll => watched(change, seen, now),
        ChangeState::Watched => Some(known_good(change, now)),
        ChangeState::KnownGood
        | ChangeState::Undoing
        | ChangeState::Undone
        | ChangeState::Refused => None,
    }
}

/// Goes to `state`.
pub(super) fn enter(
    change: &Change,
    state: ChangeState,
    now: Timestamp,
    actions: Vec<Action>,
    evidence: Vec<Evidence>,
) -> Step {
    let change = Change { state, entered_at: now, ..change.clone() };
    Step { change, actions, evidence }
}

pub(super) fn green(text: impl Into<String>) -> Evidence {
    Evidence { ok: true, text: text.into() }
}

pub(super) fn red(text: impl Into<String>) -> Evidence {
    Evidence { ok: false, text: text.into() }
}

/// What the watch says against a stage that was changed, and did not say before.
fn verdict(change: &Change, seen: &Observation) -> Option<String> {
    use ChangeState::{AppliedAll, AppliedOne, Canaried, Watched};
    if !matches!(change.state, AppliedOne | Canaried | AppliedAll | Watched) {
        return None;
    }
    let against = |stage: &Stage| {
        let mut new =
            seen.view.against(*stage).filter(|verdict| !change.before.contains(&verdict.hop));
        let verdict = new.next()?;
        Some(format!("the watch names {}: {}", stage.as_str(), verdict.evidence))
    };
    change.stages.iter().find_map(against)
}

/// Why the next checkpoint is not going to be passed.
fn stuck(change: &Change, seen: &Observation, now: Timestamp) -> Option<String> {
    use ChangeState::{AppliedAll, AppliedOne, Canaried, Checked, Drained};
    let node = *change.nodes.get(change.reached.saturating_sub(1))?;
    let late = now.duration_since(counts_from(change, seen, node)) > STEP_LIMIT;
    let limit = STEP_LIMIT.as_secs();
    let late_because = |what: &str| late.then(|| format!("node {node} {what} within {limit} s"));
    match change.state {
        Checked => late_because("was not free of work"),
        Drained => {
            not_taken(change, seen, node).or_else(|| late_because("did not take the revision"))
        }
        AppliedOne => late_because("let no canary through"),
        Canaried => not_taken(change, seen, node)
            .or_else(|| late_because("did not take the revision or let no canary through")),
        AppliedAll => {
            let silent = silent(change, seen, now)?;
            Some(format!("node {silent} let no canary through for {limit} s"))
        }
        _ => None,
    }
}

/// What a node said instead of running the wanted revision.
fn not_taken(change: &Change, seen: &Observation, node: NodeId) -> Option<String> {
    let concerned = |run: &&StageRun| {
        run.node == node && change.stages.contains(&run.stage) && run.revision != change.revision
    };
    let run = seen.runs.iter().filter(concerned).find(|run| run.error.is_some())?;
    let error = run.error.as_deref().unwrap_or_default();
    Some(format!("{} on node {node} did not take it: {error}", run.stage.as_str()))
}

/// A node that lives, and through which nothing came lately.
fn silent(change: &Change, seen: &Observation, now: Timestamp) -> Option<NodeId> {
    let from = now.saturating_sub(STEP_LIMIT).unwrap_or(Timestamp::MIN);
    let lives = |node: &NodeId| seen.alive.contains_key(node);
    let had_time = |node: &NodeId| counts_from(change, seen, *node) <= from;
    let came = |node: &NodeId| seen.view.green_since(*node, from) == Some(true);
    change.nodes.iter().copied().find(|node| lives(node) && had_time(node) && !came(node))
}

/// From when on it counts against a node that nothing came of it.
fn counts_from(change: &Change, seen: &Observation, node: NodeId) -> Timestamp {
    seen.alive.get(&node).map_or(change.entered_at, |since| change.entered_at.max(*since))
}

/// A canary is waited for: a node that has just started has seen none yet.
fn check(change: &Change, seen: &Observation, now: Timestamp) -> Option<Step> {
    let not_green = not_green(change, seen, now);
    let from = change.nodes.iter().map(|node| counts_from(change, seen, *node)).max();
    let from = from.unwrap_or(change.entered_at);
    let waits = now.duration_since(from) <= STEP_LIMIT && !change.forced;
    if waits && seen.misfits.is_empty() && not_green.is_some() {
        return None;
    }
    let mut against = seen.misfits.clone();
    against.extend(not_green);
    if !against.is_empty() && !change.forced {
        let why = against.join("; ");
        let evidence = against.into_iter().map(red).collect();
        let mut step = enter(change, ChangeState::Refused, now, Vec::new(), evidence);
        step.change.why = Some(why);
        return Some(step);
    }
    let mut evidence: Vec<Evidence> =
        against.into_iter().map(|text| red(format!("forced past: {text}"))).collect();
    if evidence.is_empty() {
        evidence.push(green("the stages fit each other, and the canary is green"));
    }
    let mut step = enter(change, ChangeState::Checked, now, drain(change), evidence);
    step.change.before = seen.view.verdicts.iter().map(|verdict| verdict.hop.clone()).collect();
    Some(step)
}

/// Why the canary does not count as green before anything is done.
fn not_green(change: &Change, seen: &Observation, now: Timestamp) -> Option<String> {
    let from = now.saturating_sub(STEP_LIMIT).unwrap_or(Timestamp::MIN);
    let came = |node: &&NodeId| seen.view.green_since(**node, from) != Some(true);
    let silent = change.nodes.iter().find(came)?;
    let limit = STEP_LIMIT.as_secs();
    Some(format!("no canary came through node {silent} in the last {limit} s"))
}

/// What frees the first node of work: alone, its stages are held; beside others, its tenants go to
/// one of them.
fn drain(change: &Change) -> Vec<Action> {
    let Some(&node) = change.nodes.first() else { return Vec::new() };
    let stages = to_hold(change);
    let mut actions = Vec::new();
    if let Some(&to) = change.nodes.get(1) {
        actions.push(Action::MoveAway { from: node, to });
    }
    if !stages.is_empty() {
        actions.push(Action::Hold { node, stages });
    }
    actions
}

fn to_hold(change: &Change) -> Vec<Stage> {
    let moved = change.nodes.len() > 1;
    let all = Stage::ALL.into_iter().filter(|stage| stage.can_be_held());
    all.filter(|stage| change.stages.contains(stage) || moved && *stage == Stage::Dispatch)
        .collect()
}

fn held(change: &Change, seen: &Observation, now: Timestamp) -> Option<Step> {
    let node = *change.nodes.first()?;
    let stages = to_hold(change);
    let is_held = |stage: &Stage| {
        seen.runs.iter().any(|run| run.node == node && run.stage == *stage && run.held)
    };
    if !stages.iter().all(is_held) {
        return None;
    }
    let names: Vec<&str> = stages.iter().map(|stage| stage.as_str()).collect();
    let text = match (change.nodes.len(), names.as_slice()) {
        (_, []) => "nothing has to be held for it".to_owned(),
        (1, names) => format!("{} on node {node} is held; what comes waits", names.join(" and ")),
        (_, names) => {
            let held = names.join(" and ");
            format!("node {node} has no tenants, and {held} is held there")
        }
    };
    let actions = vec![target(change, node)];
    let mut step = enter(change, ChangeState::Drained, now, actions, vec![green(text)]);
    step.change.reached = 1;
    Some(step)
}

fn target(change: &Change, node: NodeId) -> Action {
    Action::Target { node, stages: change.stages.clone(), revision: change.revision }
}

/// Whether a node runs the wanted revision in every changed stage.
fn runs(change: &Change, seen: &Observation, node: NodeId) -> bool {
    undo::runs(change, seen, node, change.revision)
}

fn applied(change: &Change, seen: &Observation, now: Timestamp) -> Option<Step> {
    let node = *change.nodes.first()?;
    if !runs(change, seen, node) {
        return None;
    }
    let text = format!("node {node} runs revision {}, and takes work again", change.revision);
    let actions = vec![Action::ReleaseAll];
    Some(enter(change, ChangeState::AppliedOne, now, actions, vec![green(text)]))
}

fn canaried(change: &Change, seen: &Observation, now: Timestamp) -> Option<Step> {
    let node = *change.nodes.first()?;
    if seen.view.green_since(node, change.entered_at) != Some(true) {
        return None;
    }
    let text = format!("a canary came through node {node}");
    let mut step =
        enter(change, ChangeState::Canaried, now, vec![Action::GiveBack], vec![green(text)]);
    step.reach_next();
    Some(step)
}

impl Step {
    /// Tells the next node to run it.
    fn reach_next(&mut self) {
        let reached = self.change.reached;
        if let Some(node) = self.change.nodes.get(reached).copied() {
            self.actions.push(target(&self.change, node));
            self.change.reached = reached + 1;
        }
    }
}

/// One node after the other; a dead one takes it when it comes back.
fn everywhere(change: &Change, seen: &Observation, now: Timestamp) -> Option<Step> {
    let node = *change.nodes.get(change.reached.checked_sub(1)?)?;
    let lives = seen.alive.contains_key(&node);
    let came = seen.view.green_since(node, change.entered_at) == Some(true);
    // Through the first one a canary came already.
    let done = runs(change, seen, node) && (came || change.reached == 1);
    if lives && !done {
        return None;
    }
    let text = if lives {
        format!("node {node} runs revision {}", change.revision)
    } else {
        format!("node {node} is dead; it takes the revision when it comes back")
    };
    let evidence = vec![green(text)];
    if change.reached < change.nodes.len() {
        let mut step = enter(change, ChangeState::Canaried, now, Vec::new(), evidence);
        step.reach_next();
        return Some(step);
    }
    Some(enter(change, ChangeState::AppliedAll, now, Vec::new(), evidence))
}

fn watched(change: &Change, seen: &Observation, now: Timestamp) -> Option<Step> {
    let watched: SignedDuration = now.duration_since(change.entered_at);
    let came = |node: &NodeId| seen.view.green_since(*node, change.entered_at) == Some(true);
    let living: Vec<NodeId> =
        change.nodes.iter().copied().filter(|node| seen.alive.contains_key(node)).collect();
    if watched < change.watch_for || !living.iter().all(came) {
        return None;
    }
    let text = format!("nothing was said against it for {} s", watched.as_secs());
    Some(enter(change, ChangeState::Watched, now, Vec::new(), vec![green(text)]))
}

fn known_good(change: &Change, now: Timestamp) -> Step {
    let revision = change.revision;
    let text = format!("revision {revision} is what every node falls back to");
    let actions = vec![Action::KnownGood { revision }, Action::GiveBack];
    enter(change, ChangeState::KnownGood, now, actions, vec![green(text)])
}
