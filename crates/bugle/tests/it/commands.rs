//! The command line against a running node, as a person and as a script use it.

use std::process::Output;

use crate::world::{LENA, World};

/// Runs `bugle` with the world's server and key, and with nothing else of the surroundings.
async fn bugle(w: &World, arguments: &[&str]) -> Output {
    tokio::process::Command::new(env!("CARGO_BIN_EXE_bugle"))
        .args(arguments)
        .env_clear()
        .env("BUGLE_SERVER", &w.base)
        .env("BUGLE_API_KEY", &w.api_key)
        .env("BUGLE_PROFILE_FILE", "/nonexistent/profiles.toml")
        .output()
        .await
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_triggered_seen_taken_explained_and_ended() {
    let w = World::on_sqlite().await;
    let triggered = bugle(
        &w,
        &["trigger", "db1 is down", "--severity", "critical", "--service", "checkout-api"],
    )
    .await;
    assert!(triggered.status.success(), "{}", complained(&triggered));
    assert!(said(&triggered).starts_with("evt_"));
    w.settle().await;
    let listed = said(&bugle(&w, &["alerts"]).await);
    assert!(listed.starts_with("#1\t◆ critical\topen"), "{listed}");
    let taken = said(&bugle(&w, &["ack", "1"]).await);
    assert_eq!(taken.trim(), "1: Acknowledged. Priya will not be paged.");
    let why = said(&bugle(&w, &["why", "#1"]).await);
    assert!(why.contains(LENA) && why.contains("Payments"), "{why}");
    assert!(said(&bugle(&w, &["resolve", "1"]).await).contains("Resolved"));
    let ledger = bugle(&w, &["ledger", "--json"]).await;
    assert!(ledger.status.success());
    let ledger: serde_json::Value = serde_json::from_str(&said(&ledger)).unwrap();
    assert_eq!(
        (ledger["total"]["accepted"].as_i64(), ledger["balanced"].as_bool()),
        (Some(1), Some(true))
    );
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_have_exit_codes_and_say_what_to_try() {
    let w = World::on_sqlite().await;
    let missing = bugle(&w, &["ack", "99"]).await;
    assert_eq!(missing.status.code(), Some(3), "{}", complained(&missing));
    let slip = bugle(&w, &["alerts", "--service", "chekout-api"]).await;
    assert_eq!(slip.status.code(), Some(3));
    assert!(complained(&slip).contains("Did you mean \"checkout-api\"?"), "{}", complained(&slip));
    let wrong = bugle(&w, &["alerts", "--limit", "many"]).await;
    assert_eq!(wrong.status.code(), Some(2));
    let nobody = bugle(&w, &["who"]).await;
    assert_eq!(nobody.status.code(), Some(6), "{}", complained(&nobody));
    assert!(complained(&nobody).contains("Nobody is on call in Archive on call"));
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_exported_applies_without_a_change() {
    let w = World::on_sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("oncall.toml");
    std::fs::write(&file, said(&bugle(&w, &["export"]).await)).unwrap();
    let file = file.to_str().unwrap();
    let plan = bugle(&w, &["apply", "-f", file, "--plan"]).await;
    assert!(plan.status.success(), "{}", complained(&plan));
    assert_eq!(said(&plan), "");
    assert!(complained(&plan).contains("0 changes planned"), "{}", complained(&plan));
    w.end().await;
}
