//! Drills: each passes, and fails with the right line where what it tests is taken out.

use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::sync::Semaphore;

/// How long one drill may take.
const LIMIT: Duration = Duration::from_mins(3);
/// Drills held at the same time: more would only measure each other.
static PLACES: Semaphore = Semaphore::const_new(4);

/// A drill that was held: its scorecard, and whether the program was content.
struct Held {
    scorecard: Value,
    content: bool,
    said: String,
}

/// Holds a drill with the program itself.
async fn hold(arguments: &str) -> Held {
    let _place = PLACES.acquire().await.unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bugle"));
    command.arg("drill").args(arguments.split(' ')).args(["--json", "--seed", "14"]);
    let output = command.env_clear().kill_on_drop(true).output();
    let output = tokio::time::timeout(LIMIT, output).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let scorecard = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{arguments}: {error}\n{said}"));
    Held { scorecard, content: output.status.success(), said }
}

async fn passes(arguments: &str) {
    let Held { scorecard, content, said } = hold(arguments).await;
    let checks = &scorecard["runs"][0]["checks"];
    assert_eq!(scorecard["passed"], true, "{arguments}: {checks:#}\n{said}");
    assert!(content, "{arguments}: {said}");
}

/// It fails, and of its lines at least these.
async fn fails(arguments: &str, lines: &[&str]) {
    let Held { scorecard, content, said } = hold(arguments).await;
    assert!(!content && scorecard["passed"] == false, "{arguments}: {said}");
    let checks = scorecard["runs"][0]["checks"].as_array().unwrap();
    let failed: Vec<&str> = checks
        .iter()
        .filter(|check| check["ok"] == false)
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    for line in lines {
        assert!(failed.contains(line), "{arguments}: {failed:?}\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_careless_revert_is_refused_or_undone() {
    tokio::join!(
        passes("march-14 --variant a"),
        passes("march-14 --variant b"),
        passes("march-14 --variant c"),
        passes("march-14 --variant responses-b"),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_step_loses_nothing() {
    tokio::join!(
        passes("kill --variant claim"),
        passes("kill --variant call"),
        passes("kill --variant answer"),
        passes("kill --variant commit"),
        passes("kill --variant receipt"),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_pipe_is_seen_and_its_backlog_hurts_nobody() {
    tokio::join!(
        passes("dead-pipe --variant alerting"),
        passes("dead-pipe --variant dispatch --scale 2000"),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_code_fails_at_stops_nothing_beside_it() {
    tokio::join!(
        passes("poison --variant event"),
        passes("poison --variant notification"),
        passes("poison --variant revision"),
        fails("poison --variant event --without set-aside --give-up-after 5", &["lost"]),
        fails(
            "poison --variant notification --without set-aside --give-up-after 5",
            &["lost", "operators are told", "failed, on record", "what goes out with it"],
        ),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_page_outlives_everything_else() {
    tokio::join!(
        passes("status-alone"),
        fails(
            "status-alone --without watch --give-up-after 5",
            &["the public told", "every reader is told, and how old it is"],
        ),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_do_not_wait_for_those_who_read_the_status_page() {
    passes("readers --scale 800").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_calls_wake_an_operator_though_all_is_green() {
    tokio::join!(
        passes("two-calls --variant two"),
        passes("two-calls --variant one"),
        fails(
            "two-calls --variant two --without assistance --give-up-after 5",
            &["an operator is paged"],
        ),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_use_is_not_cleaned_up_and_what_is_not_hurts_nobody() {
    tokio::join!(
        passes("unused --variant integration"),
        passes("unused --variant service"),
        passes("unused --variant provider"),
        passes("unused --variant accounts --scale 250"),
        fails(
            "unused --variant integration --without in-use --give-up-after 5",
            &["refused", "nobody misses a page"],
        ),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_and_a_lying_provider_hurt_nobody() {
    tokio::join!(
        passes("storm --variant over-quota --scale 30"),
        fails(
            "storm --variant over-quota --scale 30 --without quota",
            &["turned away over its quota"],
        ),
        passes("lying-provider --variant fails"),
        fails(
            "lying-provider --variant fails --without failover --give-up-after 20",
            &["texts lost"]
        ),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_fails_without_what_it_tests() {
    tokio::join!(
        fails("march-14 --variant b --without undo --give-up-after 12", &["mitigated"]),
        fails("march-14 --variant c --without undo --give-up-after 12", &["mitigated", "lost"]),
        fails(
            "march-14 --variant c --without watch --give-up-after 12",
            &["declared", "the public told"],
        ),
        fails("kill --variant claim --without resume --give-up-after 5", &["lost"]),
        fails("dead-pipe --variant dispatch --scale 1000 --without judge", &["no flood"]),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_has_the_measures_beside_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().to_str().unwrap();
    passes(&format!("march-14 --variant a --report {report}")).await;
    let markdown = std::fs::read_to_string(folder.path().join("march-14-14.md")).unwrap();
    assert!(markdown.contains("14 March 2019") && markdown.contains("12 min"), "{markdown}");
    let json = std::fs::read_to_string(folder.path().join("march-14-14.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    for key in [
        "detected_s",
        "first_post_s",
        "declared_s",
        "mitigated_s",
        "drained_s",
        "stall_s",
        "lost",
        "duplicated",
        "stale",
        "passed",
    ] {
        assert!(json.get(key).is_some(), "{key}: {json:#}");
    }
}

#[tokio::test]
async fn a_drill_that_there_is_not_is_said_so() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bugle"));
    let output = command.args(["drill", "march-15"]).env_clear().output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("march-14"), "{said}");
}
