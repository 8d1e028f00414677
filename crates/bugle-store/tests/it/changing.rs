//! Revisions, targets and changes.

use bugle_domain::revision::Revision;
use bugle_domain::stage::{Stage, StageRun};
use bugle_engine::change::{
    Action, Change, ChangeKind, ChangeState, Evidence, Step, UndoWanted, WATCH_FOR,
};
use bugle_engine::cleanup::{ByChange, CleanUp, CleanUpState, What};
use bugle_store::{Begun, CleanUpStep, NewRevision, RevisionSource, Stepped, Store};

use crate::support::{NODE, World, all, at, node, on_each_store, tenant};

on_each_store! {
    a_revision_is_kept_under_the_next_number_and_found
    the_first_revision_is_kept_once
    a_stage_runs_the_known_good_until_it_is_told_otherwise
    one_change_is_under_way_at_a_time
    the_change_of_a_clean_up_is_a_step_of_it_that_no_other_overtakes
    a_refused_change_is_logged_and_is_never_under_way
    a_step_is_saved_with_all_that_it_does_or_not_at_all
    tenants_that_were_moved_come_back_in_a_new_epoch
}

const DOCUMENT: &str = include_str!("../../../bugle-domain/src/revision/tests/revision.toml");

fn revision(parallel: u32) -> Revision {
    Revision::parse(&DOCUMENT.replace("parallel = 256", &format!("parallel = {parallel}"))).unwrap()
}

fn new(revision: &Revision) -> NewRevision<'_> {
    NewRevision { revision, author: "Priya", reason: "more room", source: RevisionSource::Change }
}

fn change() -> Change {
    Change {
        clean_up: None,
        number: 0,
        kind: ChangeKind::Apply,
        revision: 2,
        previous: 1,
        stages: vec![Stage::Dispatch],
        nodes: vec![node(NODE)],
        reached: 0,
        author: "Priya".to_owned(),
        reason: "more room".to_owned(),
        forced: false,
        watch_for: WATCH_FOR,
        state: ChangeState::Planned,
        entered_at: at(1),
        began_at: at(1),
        before: Vec::new(),
        why: None,
        undo: None,
    }
}

/// Begins the change where the first revision is the known-good.
async fn begin(store: &Store, number: u128) -> Change {
    store.first_revision(new(&revision(1)), at(1)).await.unwrap();
    match store.begin_change(&change(), node(number)).await.unwrap() {
        Begun::Written(change) => *change,
        other => panic!("{other:?}"),
    }
}

fn to(change: &Change, state: ChangeState, actions: Vec<Action>) -> Step {
    let evidence = vec![Evidence { ok: true, text: state.words().to_owned() }];
    Step { change: Change { state, ..change.clone() }, actions, evidence }
}

async fn a_revision_is_kept_under_the_next_number_and_found(world: World) {
    let store = &world.store;
    assert_eq!(store.known_good().await.unwrap(), None);
    let (one, two) = (revision(1), revision(2));
    assert_eq!(store.keep_revision(new(&one), at(1)).await.unwrap(), 1);
    assert_eq!(store.keep_revision(new(&two), at(2)).await.unwrap(), 2);
    let found = store.revision(2).await.unwrap().unwrap();
    assert_eq!(Revision::parse(&found.document), Ok(two.clone()));
    assert_eq!(found.fingerprint, two.fingerprint().to_string());
    assert_eq!((found.author.as_str(), found.made_at, found.blocked), ("Priya", at(2), None));
    assert_eq!(store.revision(3).await.unwrap(), None);
    let listed = store.revisions(all()).await.unwrap();
    assert_eq!(listed.iter().map(|kept| kept.number).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(store.latest_revision_of_file().await.unwrap(), None);
}

async fn the_first_revision_is_kept_once(world: World) {
    let store = &world.store;
    let (one, other) = (revision(1), revision(2));
    let file = |revision| NewRevision { source: RevisionSource::File, ..new(revision) };
    assert_eq!(store.first_revision(file(&one), at(1)).await.unwrap(), 1);
    assert_eq!(store.first_revision(file(&other), at(2)).await.unwrap(), 1);
    let kept = store.latest_revision_of_file().await.unwrap().unwrap();
    assert_eq!(Revision::parse(&kept.document), Ok(one));
    assert_eq!(store.known_good().await.unwrap(), Some(1));
}

async fn a_stage_runs_the_known_good_until_it_is_told_otherwise(world: World) {
    let store = &world.store;
    assert!(store.stage_targets(node(NODE)).await.unwrap().is_empty());
    store.aim_stage(node(NODE), Stage::Dispatch, 7).await.unwrap();
    let targets = store.stage_targets(node(NODE)).await.unwrap();
    assert_eq!((targets[0].stage, targets[0].revision), (Stage::Dispatch, Some(7)));
    assert!(store.stage_targets(node(9)).await.unwrap().is_empty(), "it is of one node");
    let mut run = StageRun {
        node: node(NODE),
        stage: Stage::Dispatch,
        revision: 7,
        fingerprint: revision(1).fingerprint(),
        since: at(3),
        held: true,
        error: Some("line 1: not TOML".to_owned()),
    };
    store.report_stages(std::slice::from_ref(&run)).await.unwrap();
    assert_eq!(store.stage_runs().await.unwrap(), [run.clone()]);
    run.error = None;
    store.report_stages(std::slice::from_ref(&run)).await.unwrap();
    assert_eq!(store.stage_runs().await.unwrap(), [run]);
}

async fn one_change_is_under_way_at_a_time(world: World) {
    let store = &world.store;
    let begun = begin(store, 1).await;
    assert_eq!(begun.number, 1);
    assert_eq!(store.begin_change(&change(), node(2)).await.unwrap(), Begun::UnderWay);
    let driven = store.change_under_way().await.unwrap().unwrap();
    assert_eq!((driven.change, driven.driver, driven.epoch), (begun.clone(), node(1), 1));
    let wanted = UndoWanted { by: "Priya".to_owned(), reason: "no".to_owned() };
    assert!(store.want_undo(1, &wanted).await.unwrap());
    assert!(!store.want_undo(1, &wanted).await.unwrap(), "it is wanted already");
    assert_eq!(store.guarded_change(1).await.unwrap().unwrap().undo, Some(wanted.clone()));
    let over = to(&begun, ChangeState::Undone, Vec::new());
    assert!(store.advance_change(&over, 1, at(2)).await.unwrap());
    assert_eq!(store.change_under_way().await.unwrap(), None);
    assert!(!store.want_undo(1, &wanted).await.unwrap(), "it is over");
    assert_eq!(begin(store, 2).await.number, 2);
    let elsewhere = Change { previous: 9, ..change() };
    let step = to(&store.guarded_change(2).await.unwrap().unwrap(), ChangeState::Undone, vec![]);
    assert!(store.advance_change(&step, 1, at(3)).await.unwrap());
    assert_eq!(store.begin_change(&elsewhere, node(1)).await.unwrap(), Begun::Overtaken);
    let numbers: Vec<i64> =
        store.guarded_changes(all()).await.unwrap().iter().map(|change| change.number).collect();
    assert_eq!(numbers, [2, 1]);
}

async fn the_change_of_a_clean_up_is_a_step_of_it_that_no_other_overtakes(world: World) {
    let store = &world.store;
    store.first_revision(new(&revision(1)), at(1)).await.unwrap();
    let wanted = CleanUp {
        number: 0,
        what: What::Providers,
        author: "Priya".to_owned(),
        reason: "unused".to_owned(),
        began_at: at(1),
        state: CleanUpState::Removing,
        entered_at: at(1),
        step: 0,
        after: None,
        removed: 0,
        left: 0,
        restored: 0,
        restored_by: None,
        changes: ByChange::default(),
    };
    let first = store.begin_clean_up(&wanted).await.unwrap();
    let change = Change { clean_up: Some(first.number), ..change() };
    let judged = CleanUp { left: 3, ..first.clone() };
    let begun = store.begin_change_for(&judged, &change, node(1)).await.unwrap();
    assert!(matches!(begun, Begun::Written(_)), "{begun:?}");
    let saved = store.clean_up(first.number).await.unwrap().unwrap();
    assert_eq!(saved, CleanUp { step: 1, ..judged });
    // Another node, which saw no change yet, thinks that there is nothing to take back.
    let restored = first.enter(CleanUpState::Restored, at(2));
    let stepped = store.step_clean_up(&restored, &CleanUpStep::Nothing, at(2)).await.unwrap();
    assert_eq!(stepped, Stepped::Overtaken);

    let second = store.begin_clean_up(&wanted).await.unwrap();
    let restored = second.enter(CleanUpState::Restored, at(2));
    store.step_clean_up(&restored, &CleanUpStep::Nothing, at(2)).await.unwrap();
    let Begun::Written(first) = begun else { return };
    let over = to(&first, ChangeState::Undone, Vec::new());
    assert!(store.advance_change(&over, 1, at(3)).await.unwrap());
    let begun = store.begin_change_for(&second, &change, node(1)).await.unwrap();
    assert_eq!(begun, Begun::Overtaken, "it was taken back meanwhile");
    assert_eq!(store.change_under_way().await.unwrap(), None);
}

async fn a_refused_change_is_logged_and_is_never_under_way(world: World) {
    let store = &world.store;
    let why = "alerting writes to the lane \"urgent\"".to_owned();
    let refused = Change {
        state: ChangeState::Refused,
        why: Some(why.clone()),
        entered_at: at(7),
        ..change()
    };
    let begun = begin(store, 1).await;
    let logged = store.log_refused(&refused, node(1), std::slice::from_ref(&why)).await.unwrap();
    assert_eq!((logged.number, logged.state), (2, ChangeState::Refused), "also beside another");
    let driven = store.change_under_way().await.unwrap().unwrap();
    assert_eq!(driven.change.number, begun.number);
    assert_eq!(store.guarded_change(2).await.unwrap().unwrap().why.as_ref(), Some(&why));
    let seen = store.checkpoints(2).await.unwrap();
    assert_eq!((seen[0].at, seen[0].ok, &seen[0].evidence), (at(7), false, &why));
}

async fn a_step_is_saved_with_all_that_it_does_or_not_at_all(world: World) {
    let store = &world.store;
    let kept = revision(1);
    store.first_revision(new(&kept), at(1)).await.unwrap();
    let begun = begin(store, 1).await;
    let stages = vec![Stage::Dispatch];
    let hold = Action::Hold { node: node(NODE), stages: stages.clone() };
    let target = Action::Target { node: node(NODE), stages, revision: 2 };
    let step = to(&begun, ChangeState::Drained, vec![hold, target]);
    // Another node took the change over meanwhile.
    let driven = store.change_under_way().await.unwrap().unwrap();
    assert!(store.take_change(&driven, node(2)).await.unwrap());
    assert!(!store.take_change(&driven, node(3)).await.unwrap());
    assert!(!store.advance_change(&step, 1, at(2)).await.unwrap());
    assert!(store.stage_targets(node(NODE)).await.unwrap().is_empty());
    assert!(store.checkpoints(1).await.unwrap().is_empty());
    assert!(store.advance_change(&step, 2, at(2)).await.unwrap());
    let aimed = store.stage_targets(node(NODE)).await.unwrap();
    assert_eq!((aimed[0].revision, aimed[0].held), (Some(2), true));
    assert_eq!(store.keep_revision(new(&revision(2)), at(2)).await.unwrap(), 2);
    let block = Action::Block { revision: 2, why: "red".to_owned() };
    let end = [Action::ReleaseAll, block, Action::KnownGood { revision: 1 }];
    let end = to(&begun, ChangeState::Undone, end.to_vec());
    assert!(store.advance_change(&end, 2, at(3)).await.unwrap());
    assert!(store.stage_targets(node(NODE)).await.unwrap().is_empty());
    let red = Some((at(3), "red".to_owned()));
    assert_eq!(store.revision(2).await.unwrap().unwrap().blocked, red);
    let again = store.keep_revision(new(&revision(2)), at(3)).await.unwrap();
    assert_eq!(store.revision(again).await.unwrap().unwrap().blocked, None);
    assert_eq!(store.blocked(&revision(2)).await.unwrap(), red, "whatever its number");
    assert_eq!(store.blocked(&revision(1)).await.unwrap(), None);
    let seen: Vec<(String, bool)> =
        store.checkpoints(1).await.unwrap().into_iter().map(|c| (c.evidence, c.ok)).collect();
    assert_eq!(seen, [("drained".to_owned(), true), ("undone".to_owned(), true)]);
}

async fn tenants_that_were_moved_come_back_in_a_new_epoch(world: World) {
    let store = &world.store;
    let before = store.placements(node(NODE)).await.unwrap()[&tenant(1)];
    let begun = begin(store, 1).await;
    let away = Action::MoveAway { from: node(NODE), to: node(2) };
    let step = to(&begun, ChangeState::Checked, vec![away.clone(), away]);
    assert!(store.advance_change(&step, 1, at(2)).await.unwrap());
    assert!(store.placements(node(NODE)).await.unwrap().is_empty());
    assert_eq!(store.placements(node(2)).await.unwrap()[&tenant(1)], before + 1);
    let step = to(&begun, ChangeState::Canaried, vec![Action::GiveBack, Action::GiveBack]);
    assert!(store.advance_change(&step, 1, at(3)).await.unwrap());
    assert_eq!(store.placements(node(NODE)).await.unwrap()[&tenant(1)], before + 2);
}
