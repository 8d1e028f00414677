//! Two regions, each an installation of its own: one page is over both, and tells the truth when
//! one of them is dead.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::Server;

/// A region that does not answer is not known within this time, with what tells of it.
const NOT_KNOWN_WITHIN: Duration = Duration::from_secs(90);
const OWN: &str = "[status]\nname = \"Halden\"\nregion = \"EMEA\"\n\
                   [channels.webhook]\nallow = [\"127.0.0.0/8\"]\n";

async fn text(base: &str, path: &str) -> String {
    reqwest::get(format!("{base}/{path}")).await.unwrap().text().await.unwrap()
}

async fn until(server: &Server, path: &str, within: Duration, holds: impl Fn(&str) -> bool) {
    let began = Instant::now();
    loop {
        let found = text(server.base(), path).await;
        if holds(&found) {
            return;
        }
        assert!(began.elapsed() < within, "never came: {found}\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_page_is_over_both_regions_and_says_when_one_of_them_is_not_known() {
    let mut other = Server::new("[status]\nname = \"Halden\"\nregion = \"North America\"\n").await;
    other.start().await;
    let mut own = Server::new("").await;
    let url = other.base();
    own.configure(&format!(
        "{OWN}[status.regions.na]\nname = \"North America\"\nurl = \"{url}\"\n\
         [status.regions.deaf]\nname = \"Deaf\"\nurl = \"http://127.0.0.1:9\"\n"
    ));
    own.start().await;
    let minute = Duration::from_mins(1);
    until(&own, "index.txt", minute, |page| {
        page.contains("\nNorth America\nEvent intake             Working")
            && page.contains("\nEMEA\nEvent intake             Working")
            && page.starts_with("Halden status: Deaf: not known.")
    })
    .await;
    let page = text(own.base(), "regions/north-america.html").await;
    assert!(page.contains("North America") && !page.contains("EMEA"), "{page}");
    let away = reqwest::get(format!("{}/regions/..%2Fbugle.html", own.base())).await.unwrap();
    assert_eq!(away.status(), 404);
    // The other one is a page of its own, as before.
    assert!(!text(other.base(), "index.txt").await.contains("EMEA"));

    other.kill().await;
    until(&own, "index.txt", NOT_KNOWN_WITHIN, |page| {
        page.contains("\nNorth America: NOT KNOWN since 20")
            && page.contains("Event intake             Not known")
            && page.contains("\nEMEA\nEvent intake             Working")
    })
    .await;
    let summary = text(own.base(), "api/v2/summary.json").await;
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["status"]["indicator"], "minor", "{summary}");
    let of = |group: &str| {
        let all = summary["components"].as_array().unwrap().iter();
        let all = all.filter(|it| it["group_id"] == group);
        all.map(|it| it["status"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert!(of("north-america").iter().all(|it| *it == "degraded_performance"), "{summary}");
    assert!(of("emea").iter().all(|it| *it == "operational") && !of("emea").is_empty());
    assert!(text(own.base(), "badge.svg").await.contains("not known"));
    own.kill().await;
}

/// A region that takes connections and answers with `answer`, or not at all.
fn odd_region(answer: Option<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            match &answer {
                None => silent.push(stream),
                Some(answer) => {
                    let _asked = stream.read(&mut [0; 4_096]);
                    // Whoever has read enough hangs up.
                    let _hung_up = stream.write_all(answer);
                }
            }
        }
    });
    url
}

fn too_large() -> Vec<u8> {
    let body = format!("{{\"version\":1,\"region\":\"{}\"", "x".repeat(1 << 20));
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_that_hangs_or_says_too_much_holds_up_nobody_and_the_last_word_is_kept() {
    let mut other = Server::new("[status]\nname = \"Halden\"\nregion = \"North America\"\n").await;
    other.start().await;
    let (slow, large) = (odd_region(None), odd_region(Some(too_large())));
    let mut own = Server::new("").await;
    let url = other.base();
    own.configure(&format!(
        "{OWN}[status.regions.na]\nname = \"North America\"\nurl = \"{url}\"\n\
         [status.regions.slow]\nname = \"Slow\"\nurl = \"{slow}\"\n\
         [status.regions.large]\nname = \"Large\"\nurl = \"{large}\"\n"
    ));
    own.start().await;
    until(&own, "index.txt", Duration::from_mins(1), |page| {
        page.contains("\nNorth America\nEvent intake             Working")
            && page.contains("\nEMEA\nEvent intake             Working")
            && page.contains("\nSlow: NOT KNOWN, never read")
            && page.contains("\nLarge: NOT KNOWN, never read")
    })
    .await;

    // After a restart here, a region that is silent since has said something.
    other.kill().await;
    own.kill().await;
    own.start().await;
    until(&own, "index.txt", NOT_KNOWN_WITHIN, |page| {
        page.contains("\nNorth America: NOT KNOWN since 20")
            && page.contains("Event intake             Not known")
            && page.contains("\nEMEA\nEvent intake             Working")
    })
    .await;
    own.kill().await;
}
