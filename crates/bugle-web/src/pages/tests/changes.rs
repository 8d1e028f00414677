//! The operator's pages of changes: the list, one under way, one that was undone, the form with a
//! plan, a revision and a difference.

use std::collections::BTreeSet;

use bugle_app::change::{
    Change, ChangeKind, ChangePlan, ChangeState, ChangeView, Checkpoint, Difference,
    StoredRevision, WATCH_FOR,
};
use bugle_domain::NodeId;
use bugle_domain::revision::{Fingerprint, Revision};
use bugle_domain::stage::{Stage, StageRun};
use bugle_engine::change::checked::{Dependants, End, Misfit, What};
use jiff::SignedDuration;

use super::*;
use crate::pages::{changes, cleanup};

fn node() -> NodeId {
    NodeId::new(times().now(), [9; 10])
}

fn ago(seconds: i64) -> Timestamp {
    times().now() - SignedDuration::from_secs(seconds)
}

fn change(state: ChangeState) -> Change {
    Change {
        clean_up: None,
        number: 2,
        kind: ChangeKind::Apply,
        revision: 2,
        previous: 1,
        stages: vec![Stage::Dispatch],
        nodes: vec![node()],
        reached: 1,
        author: "user usr_0192f3a1 Lena Kovač".to_owned(),
        reason: "clean up".to_owned(),
        forced: true,
        watch_for: WATCH_FOR,
        state,
        entered_at: ago(4),
        began_at: ago(20),
        before: Vec::new(),
        why: None,
        undo: None,
    }
}

fn seen(seconds: i64, state: ChangeState, ok: bool, evidence: &str) -> Checkpoint {
    let (state, evidence) = (state.as_str().to_owned(), evidence.to_owned());
    Checkpoint { at: ago(seconds), state, ok, evidence }
}

fn on_its_way() -> Vec<Checkpoint> {
    use ChangeState::{AppliedAll, AppliedOne, Canaried, Checked, Drained};
    vec![
        seen(20, Checked, false, "forced past: alerting writes to the lane \"urgent\""),
        seen(18, Drained, true, "nothing new is taken by dispatch on this node"),
        seen(16, AppliedOne, true, "the node runs revision 2, and takes work again"),
        seen(10, Canaried, true, "a canary came through the node"),
        seen(4, AppliedAll, true, "the node runs revision 2"),
    ]
}

fn stored(number: i64, blocked: Option<&str>) -> StoredRevision {
    StoredRevision {
        number,
        document: "[intake]\nwrites = 1\n".to_owned(),
        fingerprint: "ab".repeat(32),
        author: "configuration file".to_owned(),
        reason: "first start".to_owned(),
        made_at: ago(3_600),
        blocked: blocked.map(|why| (ago(2), why.to_owned())),
    }
}

fn run(error: Option<&str>) -> StageRun {
    StageRun {
        node: node(),
        stage: Stage::Dispatch,
        revision: 2,
        fingerprint: Fingerprint::parse(&"ab".repeat(32)).unwrap(),
        since: ago(10),
        held: false,
        error: error.map(str::to_owned),
    }
}

fn differences() -> Vec<Difference> {
    let differs = |key: &str, before: &str, after: &str| Difference {
        key: key.to_owned(),
        before: Some(before.to_owned()),
        after: Some(after.to_owned()),
    };
    vec![
        differs("dispatch.lanes", "[\"bulk\", \"urgent\"]", "[\"notifications\"]"),
        differs("dispatch.parallel", "256", "64"),
    ]
}

fn plan() -> ChangePlan {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let touched = Dependants {
        tenants: names(&["Halden Freight"]),
        services: names(&["checkout", "disks", "orders", "payments", "search", "tax"]),
        methods: 14,
        waiting: 3,
    };
    let misfit = Misfit {
        what: What::Lane { lane: "urgent".to_owned() },
        from: End { stage: Stage::Alerting, revision: 1 },
        to: Some(End { stage: Stage::Dispatch, revision: 0 }),
        dependants: touched.clone(),
    };
    ChangePlan {
        from: 1,
        differences: differences(),
        stages: BTreeSet::from([Stage::Dispatch]),
        misfits: vec![misfit],
        touched,
        blocked: None,
    }
}

#[test]
fn change_pages() {
    let app = shell("Changes", Section::Changes);
    let list = |changes, revisions, runs: &[StageRun]| {
        changes::build_list(changes, revisions, Some(1), runs, &times())
    };
    show("changes-empty", &app, &list(Vec::new(), vec![stored(1, None)], &[]));
    let all = vec![change(ChangeState::AppliedAll), change(ChangeState::KnownGood)];
    let revisions = vec![stored(2, Some("the watch names dispatch")), stored(1, None)];
    let html = show("changes", &app, &list(all, revisions, &[run(None), run(Some("no such"))]));
    assert!(html.contains("applied everywhere") && html.contains("Lena Kovač: clean up"));
    assert!(!html.contains("usr_0192f3a1 Lena"), "ids are for the log");
    let under_way =
        ChangeView { change: change(ChangeState::AppliedAll), checkpoints: on_its_way() };
    let html = show("change", &app, &changes::build(under_way, &times()));
    assert!(html.contains("action=\"/changes/undo\"") && html.contains("waited for, 4 s"));
    let why = "the watch names dispatch: 1 notification waits for 6 s";
    let mut checkpoints = on_its_way();
    checkpoints.push(seen(2, ChangeState::Undoing, false, why));
    checkpoints.push(seen(1, ChangeState::Undone, true, "every node runs revision 1 again"));
    let change = Change { why: Some(why.to_owned()), ..change(ChangeState::Undone) };
    let html =
        show("change-undone", &app, &changes::build(ChangeView { change, checkpoints }, &times()));
    assert!(!html.contains("/changes/undo") && html.contains(why));
}

#[test]
fn plans_and_revisions() {
    let app = shell("New change", Section::Changes);
    let document = include_str!("../../../../bugle-domain/src/revision/tests/revision.toml");
    Revision::parse(document).unwrap();
    let html = show("change-form", &app, &changes::example(document, &plan(), times().now()));
    assert!(html.contains("<del>- parallel = 256</del>"), "{html}");
    assert!(html.contains("alerting (revision 1) writes to the lane") || html.contains("Alerting"));
    assert!(html.contains("name=\"force\"") && html.contains("6 services: checkout"));
    let fits = ChangePlan { misfits: Vec::new(), ..plan() };
    let html = show("change-form-fits", &app, &changes::example(document, &fits, times().now()));
    assert!(!html.contains("name=\"force\""), "what fits needs no force");
    let revision = StoredRevision { document: document.to_owned(), ..stored(2, Some("red")) };
    show("revision", &app, &changes::build_revision(revision, Some(1), &times()));
    show("revision-diff", &app, &changes::build_diff((1, 2), &differences()));
}

#[test]
fn clean_up_pages() {
    use bugle_app::cleanup::{CleanUp, CleanUpPlan, CleanUpState, Named, RemovedThing, What};
    use bugle_domain::TenantId;
    use bugle_engine::cleanup::{ByChange, Candidate};

    let app = shell("Clean up", Section::Changes);
    let id = node().as_uuid();
    let candidate = |name: &str, against: &[&str]| Named {
        tenant: "Halden Freight".to_owned(),
        candidate: Candidate {
            id,
            name: name.to_owned(),
            with: vec![(bugle_domain::object::ObjectKind::Method, id)],
            against: against.iter().map(|why| (*why).to_owned()).collect(),
        },
    };
    let plan = CleanUpPlan {
        what: What::Users,
        going: 1,
        left: 1,
        goes: vec![candidate("Jonas Weber", &[])],
        stays: vec![candidate("Priya Nair", &["it is named by schedule \"Payments primary\""])],
    };
    let html = show("clean-up-form", &app, &cleanup::build_form(plan, String::new(), Vec::new()));
    assert!(html.contains("It is named by schedule") && html.contains("1 is in use"));
    let it = CleanUp {
        number: 1,
        what: What::Users,
        author: "user usr_0192f3a1 Lena Kovač".to_owned(),
        reason: "left long ago".to_owned(),
        began_at: ago(60),
        state: CleanUpState::Removed,
        entered_at: ago(50),
        step: 3,
        after: None,
        removed: 1,
        left: 1,
        restored: 0,
        restored_by: None,
        changes: ByChange { removal: Some(4), ..ByChange::default() },
    };
    let thing = RemovedThing {
        tenant: TenantId::from_stored(id),
        kind: "user".to_owned(),
        id,
        name: "Jonas Weber".to_owned(),
        stuck: true,
    };
    let html = show("clean-up", &app, &cleanup::build(&it, vec![thing], &times()));
    assert!(html.contains("/clean-ups/1/restore") && html.contains("name was taken meanwhile"));
}
