//! Guarded changes of the stages, for operators: the list, one change with its checkpoints, and
//! undoing it. Forms and revisions have files of their own.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::change::{Change, ChangeKind, ChangeState, ChangeView, Checkpoint, StoredRevision};
use bugle_domain::NodeId;
use bugle_domain::stage::StageRun;
use http::StatusCode;

use super::cleanup::{self, CleanUpRow};
use super::error::{PageError, sentence};
use super::parts::{Link, Pair};
use super::pipeline::short;
use super::shell::{Section, page};
use super::times::{Times, When, length};
use super::visitor::{Visitor, forget_said, see};

mod diff;
mod form;
mod revision;

pub(super) use form::{begin, new_form};
pub(super) use revision::{compare, one as revision};
#[cfg(test)]
pub(super) use {
    form::example,
    revision::{build as build_revision, build_diff},
};

#[derive(Template)]
#[template(path = "changes.html")]
pub(super) struct ChangesPage {
    /// What the last request caused.
    said: Option<String>,
    /// The known-good, once there is one.
    known_good: Option<i64>,
    /// What runs something else, or not as it should.
    apart: Vec<Apart>,
    changes: Vec<ChangeRow>,
    revisions: Vec<RevisionRow>,
    clean_ups: Vec<CleanUpRow>,
}

/// A stage that does not run the known-good, or does nothing.
struct Apart {
    stage: &'static str,
    node: String,
    revision: i64,
    held: bool,
    error: Option<String>,
}

/// A change of the list.
struct ChangeRow {
    number: i64,
    title: String,
    state: Badge,
    by: String,
    reason: String,
    at: When,
}

/// A revision of the list.
struct RevisionRow {
    number: i64,
    state: Option<Badge>,
    by: String,
    reason: String,
    at: When,
}

/// A word with its colour.
struct Badge {
    class: &'static str,
    text: &'static str,
}

#[derive(Template)]
#[template(path = "change.html")]
pub(super) struct ChangePage {
    /// What the last request caused.
    said: Option<String>,
    heading: String,
    state: Badge,
    /// Where it is taken back, while it can be.
    undo: Option<&'static str>,
    /// Why it was refused or undone.
    why: Option<String>,
    /// What there is to know about it.
    facts: Vec<Pair>,
    /// What would change back, and how.
    links: Vec<Link>,
    /// What was seen.
    steps: Vec<Step>,
    /// What is still to be seen.
    left: Vec<Left>,
}

/// A checkpoint that was come to.
struct Step {
    ok: bool,
    name: String,
    at: When,
    took: String,
    evidence: String,
}

/// A checkpoint that is not passed yet.
struct Left {
    name: &'static str,
    proves: &'static str,
    /// Whether it is the one that is waited for, and for how long.
    since: Option<String>,
}

/// `GET /changes`, for operators.
pub(super) async fn list(State(app): State<App>, visitor: Visitor) -> Result<Response, PageError> {
    let body = load_list(&app, &visitor).await?;
    let shell = visitor.shell(&app, "Changes", Section::Changes).await?;
    let mut response = page(StatusCode::OK, &shell.live("changes".to_owned()), &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// Reads the list.
pub(super) async fn load_list(app: &App, visitor: &Visitor) -> Result<ChangesPage, PageError> {
    let changes = app.guarded_changes(&visitor.caller).await?;
    let (revisions, known_good) = app.stage_revisions(&visitor.caller).await?;
    let runs = app.stage_runs(&visitor.caller).await?;
    let mut body = build_list(changes, revisions, known_good, &runs, &visitor.times);
    body.clean_ups = cleanup::rows(app.clean_ups(&visitor.caller).await?, &visitor.times);
    body.said.clone_from(&visitor.browser.said);
    Ok(body)
}

/// What the list says. Pure.
pub(super) fn build_list(
    changes: Vec<Change>,
    revisions: Vec<StoredRevision>,
    known_good: Option<i64>,
    runs: &[StageRun],
    times: &Times,
) -> ChangesPage {
    let change = |it: Change| ChangeRow {
        number: it.number,
        title: title(&it),
        state: badge(it.state),
        by: who(&it.author),
        at: times.short(it.began_at),
        reason: it.reason,
    };
    let revision = |it: StoredRevision| RevisionRow {
        number: it.number,
        state: state_of(&it, known_good),
        by: who(&it.author),
        at: times.short(it.made_at),
        reason: it.reason,
    };
    let differs = |run: &&StageRun| Some(run.revision) != known_good || run.error.is_some();
    ChangesPage {
        said: None,
        known_good,
        apart: runs.iter().filter(differs).map(apart).collect(),
        changes: changes.into_iter().map(change).collect(),
        revisions: revisions.into_iter().map(revision).collect(),
        clean_ups: Vec::new(),
    }
}

fn apart(run: &StageRun) -> Apart {
    Apart {
        stage: run.stage.as_str(),
        node: short(run.node),
        revision: run.revision,
        held: run.held,
        error: run.error.clone(),
    }
}

fn state_of(it: &StoredRevision, known_good: Option<i64>) -> Option<Badge> {
    if known_good == Some(it.number) {
        return Some(Badge { class: "ok", text: "known-good" });
    }
    it.blocked.as_ref().map(|_| Badge { class: "bad", text: "undone" })
}

/// `Revision 1 → 2`.
fn title(it: &Change) -> String {
    format!("Revision {} → {}", it.previous, it.revision)
}

fn badge(state: ChangeState) -> Badge {
    let class = match state {
        ChangeState::KnownGood => "ok",
        ChangeState::Undoing | ChangeState::Undone | ChangeState::Refused => "bad",
        _ => "",
    };
    Badge { class, text: state.words() }
}

/// The name of who did it, without the id that the audit log has.
pub(super) fn who(author: &str) -> String {
    let named = author.strip_prefix("user ").and_then(|rest| rest.split_once(' '));
    named.map_or(author, |(_, name)| name).to_owned()
}

/// `GET /changes/{number}`, for operators.
pub(super) async fn one(
    State(app): State<App>,
    visitor: Visitor,
    Path(number): Path<i64>,
) -> Result<Response, PageError> {
    let body = load(&app, &visitor, number).await?;
    let shell = visitor.shell(&app, &body.heading, Section::Changes).await?;
    let shell = shell.live(format!("change {number}")).back("/changes", "Changes");
    let mut response = page(StatusCode::OK, &shell, &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// Reads one.
pub(super) async fn load(
    app: &App,
    visitor: &Visitor,
    number: i64,
) -> Result<ChangePage, PageError> {
    let view = app.guarded_change(&visitor.caller, number).await?;
    let mut body = build(view, &visitor.times);
    body.said.clone_from(&visitor.browser.said);
    Ok(body)
}

/// `POST /changes/undo`, for operators.
pub(super) async fn undo(State(app): State<App>, visitor: Visitor) -> Result<Response, PageError> {
    let number = app.undo_change(&visitor.caller, "").await?;
    Ok(see(&visitor.browser, &format!("/changes/{number}"), "It is being undone."))
}

/// What the page of one says. Pure.
pub(super) fn build(ChangeView { change, checkpoints }: ChangeView, times: &Times) -> ChangePage {
    let taken_back = matches!(change.state, ChangeState::Undoing) || change.undo.is_some();
    ChangePage {
        said: None,
        heading: format!("Change {}", change.number),
        state: badge(change.state),
        undo: (!change.state.is_final() && !taken_back).then_some("/changes/undo"),
        facts: facts(&change, times),
        links: links(&change),
        left: left(&change, times),
        steps: steps(&change, checkpoints, times),
        why: change.why.clone().map(|why| sentence(&with_short_names(&change.nodes, why))),
    }
}

fn facts(it: &Change, times: &Times) -> Vec<Pair> {
    let pair = |key: &str, value: String| Pair { key: key.to_owned(), value };
    let kind = match it.kind {
        ChangeKind::Apply => "to a new revision",
        ChangeKind::Revert => "back to a revision",
    };
    let stages: Vec<&str> = it.stages.iter().map(|stage| stage.as_str()).collect();
    let nodes: Vec<String> = it.nodes.iter().copied().map(short).collect();
    let mut facts = vec![
        pair("Who", who(&it.author)),
        pair("Why", it.reason.clone()),
        pair("Began", times.exact(it.began_at).text),
        pair("What", format!("{}, {kind}", title(it))),
        pair("Stages", stages.join(", ")),
        pair("Nodes", nodes.join(", ")),
        pair("Watched for", length(it.watch_for)),
    ];
    facts.retain(|fact| !fact.value.is_empty());
    if it.forced {
        facts.push(pair("Forced", "it went on although it does not fit".to_owned()));
    }
    if let Some(undo) = &it.undo {
        facts.push(pair("Undone by", format!("{} {}", who(&undo.by), undo.reason)));
    }
    facts
}

fn links(it: &Change) -> Vec<Link> {
    let (from, to) = (it.previous, it.revision);
    let mut links =
        vec![Link::new(format!("/revisions/{from}/diff/{to}"), "What it changes".to_owned())];
    if it.state == ChangeState::KnownGood {
        let text = format!("Go back to revision {from}");
        links.push(Link::new(format!("/changes/new?revision={from}"), text));
    }
    links
}

fn steps(change: &Change, checkpoints: Vec<Checkpoint>, times: &Times) -> Vec<Step> {
    let words: BTreeMap<&str, &str> =
        ChangeState::ALL.into_iter().map(|state| (state.as_str(), state.words())).collect();
    let mut before = change.began_at;
    let mut step = |it: Checkpoint| {
        let took = length(it.at.duration_since(before));
        before = it.at;
        let name = words.get(it.state.as_str()).copied().unwrap_or(&it.state).to_owned();
        let evidence = with_short_names(&change.nodes, it.evidence);
        Step { ok: it.ok, name, at: times.exact(it.at), took, evidence }
    };
    checkpoints.into_iter().map(&mut step).collect()
}

/// Nodes as they are called elsewhere on pages.
fn with_short_names(nodes: &[NodeId], text: String) -> String {
    nodes.iter().fold(text, |text, node| text.replace(&node.to_string(), &short(*node)))
}

/// The checkpoints that are not passed yet; none where it is being taken back.
fn left(change: &Change, times: &Times) -> Vec<Left> {
    use ChangeState::{AppliedAll, AppliedOne, Canaried, Checked, Drained, KnownGood, Watched};
    if change.state.is_final() || change.state == ChangeState::Undoing {
        return Vec::new();
    }
    let all = [Checked, Drained, AppliedOne, Canaried, AppliedAll, Watched, KnownGood];
    let to_come = all.into_iter().filter(|state| *state > change.state);
    let waits = length(times.now().duration_since(change.entered_at));
    to_come
        .enumerate()
        .map(|(at, state)| Left {
            name: state.words(),
            proves: proves(state),
            since: (at == 0).then(|| waits.clone()),
        })
        .collect()
}

/// What a checkpoint proves.
fn proves(state: ChangeState) -> &'static str {
    match state {
        ChangeState::Checked => "The stages fit each other, and the canary is green.",
        ChangeState::Drained => "The first node is free of work; what comes waits.",
        ChangeState::AppliedOne => "It runs the revision, and takes work again.",
        ChangeState::Canaried => "A canary came through it.",
        ChangeState::AppliedAll => "The other nodes followed, one at a time.",
        ChangeState::Watched => "Nothing was said against it for its time.",
        ChangeState::KnownGood => "Every node falls back to it from now on.",
        ChangeState::Planned
        | ChangeState::Undoing
        | ChangeState::Undone
        | ChangeState::Refused => "",
    }
}
