//! A tenant's own status page: made by a file, red by an alert, told of by a person, and there when
//! the process is dead.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::clients::{free_port, listens};
use crate::server::{LIMIT, Server};
use crate::world::{new_schema, variable};

/// From an event to the page.
const SEEN_WITHIN: Duration = Duration::from_secs(10);

/// What the company says it has.
fn configuration() -> Value {
    json!({
        "services": [{ "name": "payments-db" }, { "name": "Tracking" }],
        "integrations": [{ "name": "monitor", "dialect": "native", "service": "payments-db" }],
        "status_pages": [{
            "name": "Halden Freight",
            "services": [{ "service": "payments-db", "name": "Paying" }, { "service": "Tracking" }],
        }],
    })
}

/// The ids of the one object of each kind.
struct Made {
    page: String,
    integration: String,
    service: String,
}

async fn apply(server: &Server, configuration: Value) -> Made {
    let (status, applied) = server.post("/api/v1/apply", configuration).await;
    assert_eq!(status, 200, "{applied:#}");
    let id = |list: &Value| list["data"][0]["id"].as_str().unwrap().to_owned();
    let services = server.get("/api/v1/services").await;
    let named = services["data"].as_array().unwrap().iter().find(|it| it["name"] == "payments-db");
    Made {
        page: id(&server.get("/api/v1/status-pages").await),
        integration: id(&server.get("/api/v1/integrations").await),
        service: named.unwrap()["id"].as_str().unwrap().to_owned(),
    }
}

async fn until_said(base: &str, within: Duration, holds: impl Fn(&str) -> bool) -> String {
    let began = Instant::now();
    loop {
        let found = reqwest::get(format!("{base}index.txt")).await.unwrap().text().await.unwrap();
        if holds(&found) {
            return found;
        }
        assert!(began.elapsed() < within, "never came: {found}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn event(server: &Server, integration: &str, action: &str) {
    let event = json!({
        "action": action, "severity": "critical", "summary": "db1 is down", "dedup_key": "db1",
    });
    let path = format!("/api/v1/integrations/{integration}/events");
    let (status, said) = server.post(&path, event).await;
    assert!(status < 300, "{said:#}");
}

/// A plain file server over a folder, and where it is.
async fn file_server(folder: &Path) -> (tokio::process::Child, String) {
    let port = free_port().await;
    let mut server = Command::new(variable("BUGLE_TEST_PYTHON"));
    server.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]);
    server.stdout(Stdio::null()).stderr(Stdio::null());
    let child = server.current_dir(folder).kill_on_drop(true).spawn().unwrap();
    let began = Instant::now();
    while !listens(port).await {
        assert!(began.elapsed() < LIMIT, "the file server never listened");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (child, format!("http://127.0.0.1:{port}/"))
}

async fn a_page_of_a_tenant_follows_its_alerts_and_outlives_the_process(mut server: Server) {
    server.start().await;
    let made = apply(&server, configuration()).await;
    let desk = format!("/api/v1/status-pages/{}/bulletins", made.page);
    let address = server.get(&desk).await["address"].as_str().unwrap().to_owned();
    let public = format!("{}/status/p/{}/", server.base(), made.page);
    assert!(address.ends_with(&format!("/status/p/{}/", made.page)), "{address}");
    let page =
        until_said(&public, LIMIT, |page| page.contains("Paying                   Working")).await;
    assert!(page.starts_with("Halden Freight status: Everything works."), "{page}");
    assert!(page.contains("Tracking                 Working") && !page.contains("payments-db"));

    event(&server, &made.integration, "trigger").await;
    let page =
        until_said(&public, SEEN_WITHIN, |page| page.contains("status: Paying: down.")).await;
    assert!(page.contains("Paying                   Down"), "{page}");
    assert!(page.contains("Tracking                 Working"), "{page}");
    event(&server, &made.integration, "resolve").await;
    until_said(&public, SEEN_WITHIN, |page| page.contains("status: Everything works.")).await;

    let told = json!({
        "title": "Paying is slow", "text": "Cards take a minute.", "state": "degraded_performance",
        "components": [made.service],
    });
    let (status, told) = server.post(&desk, told).await;
    assert_eq!(status, 201, "{told:#}");
    assert_eq!((&told["next_by"], &told["open"]), (&Value::Null, &json!(true)));
    until_said(&public, SEEN_WITHIN, |page| page.contains("Cards take a minute.")).await;
    let one = format!("{desk}/{}", told["id"].as_str().unwrap());
    let found =
        json!({ "version": told["version"], "phase": "identified", "text": "A full disk." });
    assert_eq!(server.post(&format!("{one}/updates"), found.clone()).await.0, 200);
    assert_eq!(server.post(&format!("{one}/updates"), found).await.0, 409, "it was read before");
    until_said(&public, SEEN_WITHIN, |page| page.contains("A full disk.")).await;
    let summary = reqwest::get(format!("{public}api/v2/summary.json")).await.unwrap();
    let summary: Value = summary.json().await.unwrap();
    assert_eq!(summary["status"]["indicator"], "minor", "{summary:#}");
    assert_eq!(summary["incidents"][0]["components"][0]["id"], json!(made.service));
    nothing_else_is_there(&server, &public).await;

    server.kill().await;
    let folder = server.data().join("status/p").join(&made.page);
    let (mut files, base) = file_server(&folder).await;
    let page = reqwest::get(&base).await.unwrap().text().await.unwrap();
    for said in ["Paying is slow", "A full disk.", "Written <time datetime=", "Tracking"] {
        assert!(page.contains(said), "{said:?} is not in {page}");
    }
    assert!(page.len() <= 14_000 && !page.contains("/status/subscribe"), "{}", page.len());
    files.kill().await.unwrap();
    nothing_lists_the_pages(&server).await;
}

/// A plain file server over the whole folder shows no page's address.
async fn nothing_lists_the_pages(server: &Server) {
    let (mut files, base) = file_server(&server.data().join("status")).await;
    let found = reqwest::get(format!("{base}p/")).await.unwrap();
    assert_eq!((found.status().as_u16(), found.text().await.unwrap().as_str()), (200, ""));
    files.kill().await.unwrap();
}

/// What is no file of the page is not told apart from what never was.
async fn nothing_else_is_there(server: &Server, public: &str) {
    let other = format!("{}/status/p/stp_{}/", server.base(), "0".repeat(32));
    for path in [
        format!("{public}status.json"),
        format!("{public}../index.html%00"),
        format!("{public}..%2F..%2Findex.html"),
        other,
        format!("{}/status/p/nobody/", server.base()),
        format!("{}/status/p/", server.base()),
    ] {
        assert_eq!(reqwest::get(&path).await.unwrap().status(), 404, "{path}");
    }
    let bare = reqwest::get(public.trim_end_matches('/')).await.unwrap();
    assert_eq!(bare.url().as_str(), public, "its links lead below it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_not_public_has_no_file() {
    let mut server = Server::new("").await;
    server.start().await;
    let made = apply(&server, configuration()).await;
    let public = format!("{}/status/p/{}/", server.base(), made.page);
    until_said(&public, LIMIT, |page| page.contains("Everything works")).await;
    let folder = server.data().join("status/p").join(&made.page);
    let mut hidden = configuration();
    hidden["status_pages"][0]["enabled"] = json!(false);
    apply(&server, hidden).await;
    let began = Instant::now();
    while folder.exists() {
        assert!(began.elapsed() < SEEN_WITHIN, "it is still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(reqwest::get(&public).await.unwrap().status(), 404);
    let desk = server.get(&format!("/api/v1/status-pages/{}/bulletins", made.page)).await;
    assert_eq!((&desk["address"], &desk["services"][0]["name"]), (&Value::Null, &json!("Paying")));
    server.kill().await;
}

mod a_page_of_a_tenant_follows_its_alerts_and_outlives_the_process {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        let server = Server::new("").await;
        super::a_page_of_a_tenant_follows_its_alerts_and_outlives_the_process(server).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        let (url, key) = (new_schema().await, "07".repeat(32));
        let config = format!("[server]\nkey = \"{key}\"\n[database]\nurl = \"{url}\"\n");
        let server = Server::new(&config).await;
        super::a_page_of_a_tenant_follows_its_alerts_and_outlives_the_process(server).await;
    }
}
