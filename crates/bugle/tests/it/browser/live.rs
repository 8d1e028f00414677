//! Windows of one browser share one live stream.

use fantoccini::wd::WindowHandle;
use fantoccini::{Client, Locator};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::signed_in;
use crate::world::{LIMIT, World};

/// Streams that the server holds open.
fn streams(metrics: &PrometheusHandle) -> Option<String> {
    let text = metrics.render();
    let line = text.lines().find_map(|line| line.strip_prefix("bugle_live_streams "));
    line.map(str::to_owned)
}

async fn shows(client: &Client, window: &WindowHandle, text: &str) {
    client.switch_to_window(window.clone()).await.unwrap();
    let row = format!("//main//*[contains(., '{text}')]");
    client.wait().at_most(LIMIT).for_element(Locator::XPath(&row)).await.unwrap();
}

async fn open(w: &World, client: &Client, path: &str) -> WindowHandle {
    let window = client.new_window(false).await.unwrap().handle;
    client.switch_to_window(window.clone()).await.unwrap();
    client.goto(&format!("{}{path}", w.base)).await.unwrap();
    window
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_share_one_stream_and_another_leads_when_the_leader_goes() {
    let metrics = PrometheusBuilder::new().install_recorder().unwrap();
    let w = World::in_real_time().await;
    let client = signed_in(&w, 1_440, true).await;
    client.goto(&format!("{}/alerts", w.base)).await.unwrap();
    let first = client.window().await.unwrap();
    let live = Locator::Css("#live[data-state=on]");
    client.wait().at_most(LIMIT).for_element(live).await.unwrap();
    let others =
        [open(&w, &client, "/alerts?q=is%3Aopen").await, open(&w, &client, "/alerts").await];
    for window in &others {
        client.switch_to_window(window.clone()).await.unwrap();
        client.wait().at_most(LIMIT).for_element(live).await.unwrap();
    }
    w.trigger("db1 is down").await;
    for window in std::iter::once(&first).chain(&others) {
        shows(&client, window, "db1 is down").await;
    }
    let one = || async { streams(&metrics).as_deref() == Some("1") };
    w.until("one stream", one).await;
    client.switch_to_window(first).await.unwrap();
    client.close_window().await.unwrap();
    client.switch_to_window(others[0].clone()).await.unwrap();
    w.trigger("db2 is down").await;
    for window in &others {
        shows(&client, window, "db2 is down").await;
    }
    w.until("one stream again", one).await;
    client.close().await.unwrap();
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_without_locks_has_a_stream_of_its_own() {
    let w = World::in_real_time().await;
    let client = signed_in(&w, 390, true).await;
    // As in a page that is not served over https: there are no locks.
    super::without_locks(&client).await;
    client.goto(&format!("{}/alerts", w.base)).await.unwrap();
    let live = Locator::Css("#live[data-state=on]");
    client.wait().at_most(LIMIT).for_element(live).await.unwrap();
    let locks = client.execute("return !!navigator.locks", Vec::new()).await.unwrap();
    assert_eq!(locks, false, "this is not tried");
    w.trigger("db1 is down").await;
    let window = client.window().await.unwrap();
    shows(&client, &window, "db1 is down").await;
    client.close().await.unwrap();
    w.end().await;
}
