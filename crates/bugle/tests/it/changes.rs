//! Guarded changes: what does not fit is refused; forced, it undoes itself.

use bugle_domain::NodeId;
use bugle_domain::contact::Channel;
use bugle_domain::stage::Stage;
use bugle_engine::watch::{Canary, Hop, Verdict, View};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::on_each_database;
use crate::world::{LENA, LIMIT, World};

on_each_database! {
    a_revert_to_other_lanes_is_refused_and_forced_undoes_itself
    undone_just_now_it_is_tried_again_only_by_who_says_so
    a_change_goes_through_its_checkpoints_to_known_good
    a_revision_that_no_node_can_use_is_undone
    behind_the_guards_back_work_waits_and_the_doctor_says_why
}

/// The document of a revision, with something replaced.
async fn document(w: &World, from: &str, to: &str) -> String {
    let first = w.get("/api/v1/revisions/1").await;
    let text = first["document"].as_str().unwrap().to_owned();
    assert!(text.contains(from), "{text}");
    text.replace(from, to)
}

/// Lanes as they were called once.
pub(crate) const LANES: (&str, &str) =
    ("lanes = [\"bulk\", \"urgent\"]\nparallel", "lanes = [\"notifications\"]\nparallel");

/// What the watch says where all is well, or where a stage is not.
pub(crate) fn view(node: NodeId, now: Timestamp, broken: Option<Stage>) -> View {
    let canary = Canary {
        node,
        channel: Channel::Sms,
        provider: "simulated".to_owned(),
        sent_at: now,
        through: Some(now),
        stuck: None,
        hops_ms: Vec::new(),
    };
    let verdict = |stage| Verdict {
        hop: Hop::Stage { stage },
        since: now,
        evidence: "1 notification waits for 6 s".to_owned(),
        waiting: 1,
        tenants: Vec::new(),
        nodes: vec![node],
        harmless: false,
    };
    let verdicts = broken.map(verdict).into_iter().collect();
    View { at: now, verdicts, canaries: vec![canary] }
}

/// Has the watch say it.
fn say(w: &World, broken: Option<Stage>) {
    w.app().feed_watch(view(w.node_id(), w.clock.now(), broken));
}

/// Lets seconds pass until the change stands there.
async fn until(w: &World, number: i64, state: &str, broken: Option<Stage>) -> Value {
    let mut last = Value::Null;
    for _ in 0..600 {
        say(w, broken);
        last = w.get(&format!("/api/v1/changes/{number}")).await;
        if last["state"] == state {
            return last;
        }
        assert!(last["over"] != true, "{last:#}");
        w.clock.push(SignedDuration::from_millis(500));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("never came to {state}: {last:#}");
}

async fn a_revert_to_other_lanes_is_refused_and_forced_undoes_itself(w: World) {
    say(&w, None);
    let old = document(&w, LANES.0, LANES.1).await;
    let wanted = json!({"document": old, "reason": "clean up"});
    let (status, refused) = w.try_post("/api/v1/changes", wanted.clone()).await;
    assert_eq!((status, refused["code"].as_str()), (409, Some("change_refused")), "{refused:#}");
    let said = refused["detail"].as_str().unwrap();
    let both = "alerting (revision 1) writes to the lane \"urgent\", and dispatch (new) does not";
    assert!(said.contains(both) && said.contains("Halden Freight"), "{said}");
    let log = w.get("/api/v1/changes").await;
    let logged = &log["data"][0];
    assert_eq!((&logged["state"], &logged["reason"]), (&json!("refused"), &json!("clean up")));
    assert!(logged["why"].as_str().unwrap().contains(both), "{log:#}");
    let mut forced = wanted;
    forced["force"] = json!(true);
    let (status, begun) = w.try_post("/api/v1/changes", forced).await;
    assert_eq!(status, 202, "{begun:#}");
    until(&w, 2, "applied_all", None).await;
    // Accepted, then silent.
    let event = json!({
        "action": "trigger", "summary": "db1 is down", "severity": "critical",
        "source": "test", "dedup_key": "db1",
    });
    w.post_event("checkout", event).await;
    let undone = until(&w, 2, "undone", Some(Stage::Dispatch)).await;
    let why = undone["why"].as_str().unwrap();
    assert!(why.contains("the watch names dispatch"), "{undone:#}");
    assert!(w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.is_ok());
    assert_eq!(w.get("/api/v1/revisions/3").await["blocked"], why);
    w.settle().await;
    w.end().await;
}

/// Nothing goes to and fro unless a person wants it; and what is red never stays.
async fn undone_just_now_it_is_tried_again_only_by_who_says_so(w: World) {
    say(&w, None);
    let old = document(&w, LANES.0, LANES.1).await;
    let mut wanted = json!({"document": old, "reason": "clean up", "force": true});
    assert_eq!(w.try_post("/api/v1/changes", wanted.clone()).await.0, 202);
    until(&w, 1, "applied_all", None).await;
    until(&w, 1, "undone", Some(Stage::Dispatch)).await;
    say(&w, None);
    let (status, refused) = w.try_post("/api/v1/changes", wanted.clone()).await;
    assert_eq!((status, refused["code"].as_str()), (409, Some("change_refused")), "{refused:#}");
    let said = refused["detail"].as_str().unwrap();
    assert!(said.contains("it was undone at") && said.contains("say that you know it"), "{said}");
    let mut known = wanted.clone();
    known["again"] = json!(true);
    assert_eq!(w.try_post("/api/v1/changes", known).await.0, 202);
    until(&w, 3, "applied_all", None).await;
    let undone = until(&w, 3, "undone", Some(Stage::Dispatch)).await;
    assert!(undone["why"].as_str().unwrap().contains("the watch names dispatch"), "{undone:#}");
    // An hour later it is a forced change like any other.
    w.clock.push(SignedDuration::from_mins(61));
    say(&w, None);
    assert_eq!(w.try_post("/api/v1/changes", wanted.clone()).await.0, 202);
    until(&w, 4, "applied_all", None).await;
    until(&w, 4, "undone", Some(Stage::Dispatch)).await;
    wanted["force"] = json!(false);
    let (status, refused) = w.try_post("/api/v1/changes", wanted).await;
    assert_eq!((status, refused["code"].as_str()), (409, Some("change_refused")), "{refused:#}");
    w.settle().await;
    w.end().await;
}

async fn a_change_goes_through_its_checkpoints_to_known_good(w: World) {
    say(&w, None);
    let document = document(&w, "parallel = 256", "parallel = 64").await;
    let plan = json!({"document": document, "plan": true});
    let (status, planned) = w.try_post("/api/v1/changes", plan).await;
    assert_eq!((status, planned["refusals"].as_array().unwrap().len()), (200, 0), "{planned:#}");
    assert_eq!(planned["stages"], json!(["dispatch"]));
    let nameless = json!({"document": document});
    assert_eq!(w.try_post("/api/v1/changes", nameless).await.0, 422, "a reason is needed");
    let wanted = json!({"document": document, "reason": "less at once", "watch_s": 10});
    let (status, begun) = w.try_post("/api/v1/changes", wanted.clone()).await;
    assert_eq!(status, 202, "{begun:#}");
    let (status, second) = w.try_post("/api/v1/changes", wanted).await;
    assert_eq!((status, second["code"].as_str()), (409, Some("change_under_way")));
    let done = until(&w, 1, "known_good", None).await;
    let states: Vec<&str> = done["checkpoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seen| seen["state"].as_str().unwrap())
        .collect();
    let all =
        ["checked", "drained", "applied_one", "canaried", "applied_all", "watched", "known_good"];
    assert_eq!(states, all, "{done:#}");
    w.trigger("db1 is down").await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    w.end().await;
}

async fn a_revision_that_no_node_can_use_is_undone(w: World) {
    say(&w, None);
    let providers = "providers = [\"simulated\", \"simulated_spare\"]";
    let document = document(&w, providers, "providers = [\"pigeons\"]").await;
    let wanted = json!({"document": document, "reason": "birds", "force": true});
    assert_eq!(w.try_post("/api/v1/changes", wanted).await.0, 202);
    let undone = until(&w, 1, "undone", None).await;
    assert!(undone["why"].as_str().unwrap().contains("no [providers.pigeons"), "{undone:#}");
    w.trigger("db1 is down").await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    w.end().await;
}

async fn behind_the_guards_back_work_waits_and_the_doctor_says_why(w: World) {
    let document = document(&w, "[dispatch]\naccepts = [1]", "[dispatch]\naccepts = [7]").await;
    w.put_stage_on(Stage::Dispatch, &document).await;
    let stopped = || async {
        let ready = w.get("/readyz").await.to_string();
        ready.contains("alerting (revision 1) writes version 1, which it does not accept")
    };
    w.until("dispatch says that it cannot read", stopped).await;
    let event = json!({
        "action": "trigger", "summary": "db1 is down", "severity": "critical",
        "source": "test", "dedup_key": "db1",
    });
    w.post_event("checkout", event).await;
    w.put_stage_back(Stage::Dispatch).await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    w.settle().await;
    w.end().await;
}
