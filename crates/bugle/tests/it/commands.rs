//! The command line against a running node, as a person and as a script use it.

use std::process::Output;

use bugle_domain::SubscriberId;
use bugle_domain::contact::{Address, Channel};
use bugle_engine::status::Component;
use bugle_engine::status::subscribers::Subscriber;

use crate::changes::{LANES, view};
use crate::world::{LENA, World};

/// Runs `bugle` with the world's server and key, and with nothing else of the surroundings.
pub(crate) async fn bugle(w: &World, arguments: &[&str]) -> Output {
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

pub(crate) fn said(output: &Output) -> String {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_planned_refused_begun_undone_and_looked_back_at() {
    let w = World::on_sqlite().await;
    w.app().feed_watch(view(w.node_id(), w.clock.now(), None));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stages.toml");
    let document = said(&bugle(&w, &["change", "revision", "1"]).await);
    std::fs::write(&file, document.replace(LANES.0, LANES.1)).unwrap();
    let path = file.to_str().unwrap();
    let plan = said(&bugle(&w, &["change", "apply", path, "--plan"]).await);
    assert!(plan.contains("dispatch.lanes") && plan.contains("against: "), "{plan}");
    let refused = bugle(&w, &["change", "apply", path, "--reason", "clean up"]).await;
    assert_eq!(refused.status.code(), Some(5), "{}", complained(&refused));
    assert!(complained(&refused).contains("does not read it"), "{}", complained(&refused));
    let log = said(&bugle(&w, &["change", "log"]).await);
    assert!(log.contains("refused") && log.contains("clean up"), "{log}");
    std::fs::write(&file, document.replace("parallel = 256", "parallel = 64")).unwrap();
    let begun = bugle(&w, &["change", "apply", path, "--reason", "less at once"]).await;
    assert!(begun.status.success(), "{}", complained(&begun));
    let undone = bugle(&w, &["change", "undo", "--reason", "second thoughts"]).await;
    assert!(undone.status.success(), "{}", complained(&undone));
    let over = || async { w.get("/api/v1/changes/2").await["over"] == true };
    w.until("it is undone", over).await;
    let shown = said(&bugle(&w, &["change", "show", "2"]).await);
    assert!(shown.contains("undone") && shown.contains("second thoughts"), "{shown}");
    let diff = said(&bugle(&w, &["change", "diff", "1", "3"]).await);
    assert!(diff.contains("dispatch.parallel") && diff.contains("256"), "{diff}");
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_up_says_what_would_go_goes_and_comes_back() {
    let w = World::on_sqlite().await;
    w.add_disabled_users(2).await;
    let planned = || async {
        let plan = said(&bugle(&w, &["change", "cleanup", "users"]).await);
        plan.contains("Gone 0") && plan.contains("2 would go, 0 are in use.")
    };
    w.until("the plan names them", planned).await;
    let nameless = bugle(&w, &["change", "cleanup", "users", "--apply", "--reason", ""]).await;
    assert!(!nameless.status.success(), "a reason is needed");
    let apply = ["change", "cleanup", "users", "--apply", "--reason", "left"];
    let begun = bugle(&w, &apply).await;
    assert!(begun.status.success(), "{}", complained(&begun));
    let state = |wanted: &'static str| {
        let w = &w;
        move || async move { said(&bugle(w, &["change", "cleanup"]).await).contains(wanted) }
    };
    w.until("removed", state("removed")).await;
    let back = bugle(&w, &["change", "restore", "1", "--reason", "needed"]).await;
    assert!(back.status.success(), "{}", complained(&back));
    w.until("restored", state("restored")).await;
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_declared_written_into_closed_and_reported_on() {
    let w = World::on_sqlite().await;
    let declared =
        bugle(&w, &["incident", "declare", "all is slow", "--affected", "Payments"]).await;
    assert!(declared.status.success(), "{}", complained(&declared));
    assert!(said(&declared).starts_with("all is slow (critical, open)"), "{}", said(&declared));
    let noted = bugle(&w, &["incident", "note", "/task Call the bank"]).await;
    assert!(said(&noted).contains("Task 1: Call the bank"), "{}", complained(&noted));
    let wrong = bugle(&w, &["incident", "note", "/taks Call"]).await;
    assert_eq!(wrong.status.code(), Some(2), "{}", complained(&wrong));
    assert!(complained(&wrong).contains("/close REASON"), "{}", complained(&wrong));
    let listed = said(&bugle(&w, &["incident", "list"]).await);
    assert!(listed.contains("\topen\tcritical\t"), "{listed}");
    let closed = said(&bugle(&w, &["incident", "close", "a new disk"]).await);
    assert!(closed.contains("Over: a new disk"), "{closed}");
    let report = said(&bugle(&w, &["incident", "report"]).await);
    assert!(report.starts_with("# Incident report: all is slow"), "{report}");
    let report = bugle(&w, &["incident", "report", "--json"]).await;
    let report: serde_json::Value = serde_json::from_str(&said(&report)).unwrap();
    assert_eq!(report["total"]["accepted"], 0);
    let shown = bugle(&w, &["incidents", "show", "1", "--json"]).await;
    let shown: serde_json::Value = serde_json::from_str(&said(&shown)).unwrap();
    assert_eq!(shown["incident"]["close_reason"], "a new disk");
    let missing = bugle(&w, &["incident", "show", "9"]).await;
    assert_eq!(missing.status.code(), Some(3), "{}", complained(&missing));
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_not_paged_asks_and_is_answered_with_the_ledgers_record() {
    let w = World::on_sqlite().await;
    let sent = ["trigger", "disk is full", "--severity", "info", "--service", "checkout-api"];
    let event = said(&bugle(&w, &sent).await);
    let event = event.split_whitespace().next().unwrap();
    w.settle().await;
    let asked = bugle(&w, &["assist", "open", "a text about the disk", "--event", event]).await;
    assert!(asked.status.success(), "{}", complained(&asked));
    let asked = said(&asked);
    let id = asked.split_whitespace().next().unwrap().to_owned();
    assert!(id.starts_with("ast_"), "{asked}");
    assert!(asked.contains("The ledger (explained): Its severity is info"), "{asked}");
    assert!(asked.contains("which is tracked and pages nobody"), "the causal record: {asked}");

    let listed = said(&bugle(&w, &["assist", "list", "--all"]).await);
    assert!(listed.contains(&id) && listed.contains("open"), "{listed}");
    let answered = said(&bugle(&w, &["assist", "answer", &id, "Send it as critical."]).await);
    assert!(answered.contains("Send it as critical."), "{answered}");
    let replicated = said(&bugle(&w, &["assist", "replicate", &id]).await);
    assert!(replicated.contains("alerting\tthrough"), "{replicated}");
    let closed = bugle(&w, &["assist", "close", &id, "--json"]).await;
    let closed: serde_json::Value = serde_json::from_str(&said(&closed)).unwrap();
    assert_eq!(closed["status"], "closed");
    assert!(closed["trace"]["record"]["steps"].is_array(), "{closed}");
    let late = bugle(&w, &["assist", "say", &id, "Thanks"]).await;
    assert!(complained(&late).contains("It is closed"), "{}", complained(&late));
    let unknown = bugle(&w, &["assist", "show", "7"]).await;
    assert_eq!(unknown.status.code(), Some(3));
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_is_told_from_the_command_line() {
    let w = World::watched(None, crate::watch::quick).await;
    w.until_green().await;
    w.until("the page is written", || async {
        said(&bugle(&w, &["status"]).await).contains("Everything works.")
    })
    .await;
    let open = ["status", "open", "Pages are slow", "--text", "We look into it."];
    let how = ["--state", "degraded_performance", "--component", "web", "--component", "api"];
    let opened = bugle(&w, &[open.as_slice(), &how].concat()).await;
    assert!(opened.status.success(), "{}", complained(&opened));
    assert!(said(&opened).contains("Only people can say more of it."), "{}", said(&opened));
    w.until("everybody reads it", || async {
        said(&bugle(&w, &["status"]).await).contains("Pages are slow")
    })
    .await;
    let posted = bugle(&w, &["status", "post", "A disk is full.", "--phase", "identified"]).await;
    assert!(said(&posted).contains("identified\tLena Kovač\tA disk is full."), "{}", said(&posted));
    let late = ["status", "post", "A disk was full.", "--version", "1"];
    let late = bugle(&w, &late).await;
    assert_eq!(late.status.code(), Some(5), "{}", complained(&late));
    assert!(complained(&late).contains("Try: bugle status show bul_"), "{}", complained(&late));
    let draft = said(&bugle(&w, &["status", "draft"]).await);
    let said_draft = said(&bugle(&w, &["status", "post", "--draft"]).await);
    assert!(said_draft.contains(draft.split(". ").next().unwrap()), "{draft}\n{said_draft}");
    let resolved = bugle(&w, &["status", "resolve", "As fast as ever.", "--json"]).await;
    let resolved: serde_json::Value = serde_json::from_str(&said(&resolved)).unwrap();
    assert_eq!((&resolved["open"], &resolved["by_hand"]), (&false.into(), &true.into()));
    let none = bugle(&w, &["status", "resolve", "Again."]).await;
    assert_eq!(none.status.code(), Some(3), "{}", complained(&none));
    w.until("nobody reads of it as open", || async {
        let page = said(&bugle(&w, &["status", "--json"]).await);
        let page: serde_json::Value = serde_json::from_str(&page).unwrap();
        page["incidents"].as_array().is_some_and(Vec::is_empty)
    })
    .await;
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planned_work_is_announced_taken_over_and_done_from_the_command_line() {
    let w = World::on_sqlite().await;
    let (from, until) = (w.clock.now(), w.clock.now() + jiff::SignedDuration::from_hours(30));
    let plan = async |title: &str, until: &str| {
        let from = from.to_string();
        let plan = ["status", "maintenance", title, "--component", "api", "--text", "Read only."];
        bugle(&w, &[plan.as_slice(), &["--from", &from, "--until", until]].concat()).await
    };
    let backwards = plan("New disks", "2020-01-01T00:00:00Z").await;
    assert_eq!(backwards.status.code(), Some(2));
    assert!(complained(&backwards).contains("/until: say when it ends"));
    assert!(plan("New disks", &until.to_string()).await.status.success());
    let taken = said(&bugle(&w, &["status", "take-over"]).await);
    assert!(taken.contains("has taken over"), "{taken}");
    let given = said(&bugle(&w, &["status", "give-back"]).await);
    assert!(!given.contains("has taken over"), "{given}");

    assert!(plan("New cables", &until.to_string()).await.status.success());
    let unclear = bugle(&w, &["status", "resolve", "Done."]).await;
    assert_eq!(unclear.status.code(), Some(2));
    let unclear = complained(&unclear);
    assert!(unclear.contains("2 bulletins are open; say which is meant."), "{unclear}");
    let listed = said(&bugle(&w, &["status", "list"]).await);
    let row = listed.lines().find(|line| line.ends_with("New cables")).unwrap();
    let id = row.split('\t').next().unwrap();
    let done = said(&bugle(&w, &["status", "resolve", "Done.", "--bulletin", id]).await);
    assert!(done.starts_with("New cables (completed"), "{done}");
    let missing = bugle(&w, &["status", "show", "7"]).await;
    assert_eq!(missing.status.code(), Some(3));
    assert!(complained(&missing).contains("Try: bugle status list"), "{}", complained(&missing));
    let nowhere = bugle(&w, &["status", "open", "a", "--text", "b", "--state", "bad"]).await;
    assert!(complained(&nowhere).contains("major_outage"), "{}", complained(&nowhere));
    let no_page = bugle(&w, &["status"]).await;
    assert!(complained(&no_page).contains("it needs the watch"), "{}", complained(&no_page));
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_list_find_and_forget_subscribers_on_record() {
    let w = World::on_sqlite().await;
    for (number, address) in [(1, "ada@customer.example"), (2, "ben@customer.example")] {
        let asks = Subscriber {
            id: SubscriberId::from_stored(uuid::Uuid::from_u128(number)),
            address: Address::parse(Channel::Email, address).unwrap(),
            components: vec![Component::Web],
            asked_at: w.clock.now(),
            confirmed_at: None,
        };
        w.store.ask_to_subscribe(&asks).await.unwrap();
    }
    let first = bugle(&w, &["status", "subscribers", "list", "--limit", "1"]).await;
    let shown = said(&first);
    assert!(shown.contains("b…@customer.example\tweb\t"), "the newest, masked: {shown}");
    let more = complained(&first);
    assert!(more.contains("email 0 (2 not confirmed); intake 0"), "{more}");
    let after = more.rsplit(' ').next().unwrap().trim();
    let rest = ["status", "subscribers", "list", "--after", after];
    let rest = said(&bugle(&w, &rest).await);
    assert!(rest.contains("a…@customer.example") && rest.lines().count() == 1, "{rest}");
    let found = bugle(&w, &["status", "subscribers", "find", "ada@customer.example"]).await;
    let found = said(&found);
    let id = found.split('\t').next().unwrap();
    let missing = bugle(&w, &["status", "subscribers", "find", "a@customer.example"]).await;
    assert_eq!(missing.status.code(), Some(3), "{}", complained(&missing));
    let removed = said(&bugle(&w, &["status", "subscribers", "remove", id]).await);
    assert!(removed.contains("is forgotten."), "{removed}");
    let again = bugle(&w, &["status", "subscribers", "remove", id]).await;
    assert_eq!(again.status.code(), Some(3), "{}", complained(&again));
    let audit = w.get("/api/v1/audit").await;
    let text = "removed the subscriber a…@customer.example";
    assert_eq!(audit["data"][0]["text"], text, "{audit}");
    w.end().await;
}
