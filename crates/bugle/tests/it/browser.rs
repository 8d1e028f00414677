//! A real Chromium: acknowledge from the alert's page, with and without JavaScript, on a phone's
//! screen and on a desk's. Pictures of what it showed are left in `target/screenshots`.

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

use crate::world::{LIMIT, World, variable};

async fn browser(width: u32, script: bool) -> Client {
    let mut options = json!({
        "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 format!("--window-size={width},900")],
    });
    if !script {
        options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
    }
    let mut capabilities = serde_json::Map::new();
    capabilities.insert("goog:chromeOptions".to_owned(), options);
    let url = variable("BUGLE_TEST_CHROMEDRIVER");
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities)
        .connect(&url)
        .await
        .unwrap();
    client.set_window_size(width, 900).await.unwrap();
    client
}

async fn picture(client: &Client, name: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/screenshots");
    std::fs::create_dir_all(folder).unwrap();
    let png = client.screenshot().await.unwrap();
    std::fs::write(format!("{folder}/{name}.png"), png).unwrap();
}

async fn acknowledge(width: u32, script: bool) {
    let w = World::in_real_time().await;
    w.trigger("checkout-api: 5xx errors at 14.2 %").await;
    let client = browser(width, script).await;
    client.goto(&w.sign_in_link().await).await.unwrap();
    // The link shows a page with a button, since mail scanners follow links.
    client.wait().at_most(LIMIT).for_element(Locator::Css("form button")).await.unwrap();
    client.find(Locator::Css("form button")).await.unwrap().click().await.unwrap();
    client.wait().at_most(LIMIT).for_element(Locator::Css("main")).await.unwrap();
    let name = format!("{width}-{}", if script { "script" } else { "plain" });
    client.goto(&format!("{}/alerts", w.base)).await.unwrap();
    picture(&client, &format!("alerts-{name}")).await;
    client.goto(&format!("{}/alerts/1", w.base)).await.unwrap();
    let button = Locator::XPath("//button[normalize-space()='Acknowledge']");
    client.wait().at_most(LIMIT).for_element(button).await.unwrap();
    picture(&client, &format!("alert-{name}")).await;
    client.find(button).await.unwrap().click().await.unwrap();
    w.until("acknowledged", || async { w.status(1).await == "acknowledged" }).await;
    let done = Locator::XPath("//*[contains(., 'cknowledged')]");
    client.wait().at_most(LIMIT).for_element(done).await.unwrap();
    picture(&client, &format!("acknowledged-{name}")).await;
    client.close().await.unwrap();
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_on_a_phone() {
    acknowledge(390, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_on_a_phone_without_javascript() {
    acknowledge(390, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_at_a_desk() {
    acknowledge(1_440, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_at_a_desk_without_javascript() {
    acknowledge(1_440, false).await;
}
