//! A real Chromium: acknowledge from the alert's page, change schedules and all other forms, with
//! and without JavaScript, on a phone's screen and on a desk's. Pictures of what it showed are left
//! in `target/screenshots`.

mod assistance;
mod changes;
mod cleanups;
mod forms;
mod incidents;
mod live;
mod mail;
mod schedules;
mod status;
mod watched;

use fantoccini::wd::WebDriverCompatibleCommand;
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

/// A browser in which Lena has signed in.
async fn signed_in(w: &World, width: u32, script: bool) -> Client {
    by_link(&w.sign_in_link().await, width, script).await
}

/// A browser in which somebody has signed in by a link.
async fn by_link(link: &str, width: u32, script: bool) -> Client {
    let client = browser(width, script).await;
    client.goto(link).await.unwrap();
    // The link shows a page with a button, since mail scanners follow links.
    client.wait().at_most(LIMIT).for_element(Locator::Css("form button")).await.unwrap();
    client.find(Locator::Css("form button")).await.unwrap().click().await.unwrap();
    client.wait().at_most(LIMIT).for_element(Locator::Css("body.app main")).await.unwrap();
    client
}

/// What Chromium's driver can do besides the standard.
#[derive(Debug)]
struct Chromium {
    path: &'static str,
    body: serde_json::Value,
}

impl WebDriverCompatibleCommand for Chromium {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (reqwest::Method, Option<String>) {
        (reqwest::Method::POST, Some(self.body.to_string()))
    }
}

/// Cuts the browser off the network, or connects it again.
async fn cut(client: &Client, offline: bool) {
    let network = json!({ "offline": offline, "latency": 0, "throughput": 10_000_000 });
    let body = json!({ "network_conditions": network });
    client.issue_cmd(Chromium { path: "chromium/network_conditions", body }).await.unwrap();
}

/// Takes the locks from pages that are opened from now on.
async fn without_locks(client: &Client) {
    let source = "Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined })";
    let body = json!({
        "cmd": "Page.addScriptToEvaluateOnNewDocument", "params": { "source": source },
    });
    client.issue_cmd(Chromium { path: "goog/cdp/execute", body }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_it_says_so_offers_a_text_and_acknowledges_when_it_can() {
    let w = World::in_real_time().await;
    w.trigger("db1 is down").await;
    let client = signed_in(&w, 390, true).await;
    client.goto(&format!("{}/alerts/1", w.base)).await.unwrap();
    let button = Locator::XPath("//button[normalize-space()='Acknowledge']");
    let button = client.wait().at_most(LIMIT).for_element(button).await.unwrap();
    let text = client.find(Locator::Css("#bytext a")).await.unwrap();
    assert!(!text.is_displayed().await.unwrap(), "offered before it is needed");
    cut(&client, true).await;
    button.click().await.unwrap();
    let said = Locator::XPath("//*[@id='so'][.='Not sent yet. Trying. Pages will go on.']");
    client.wait().at_most(LIMIT).for_element(said).await.unwrap();
    assert!(text.is_displayed().await.unwrap());
    let href = text.attr("href").await.unwrap().unwrap();
    assert!(href.starts_with("sms:+") && href.ends_with("?&body=4%201"), "{href}");
    picture(&client, "alert-cut-off").await;
    assert_eq!(w.status(1).await, "open");
    cut(&client, false).await;
    w.until("acknowledged", || async { w.status(1).await == "acknowledged" }).await;
    let done = Locator::Css("#foot .done");
    client.wait().at_most(LIMIT).for_element(done).await.unwrap();
    client.close().await.unwrap();
    w.end().await;
}

async fn acknowledge(width: u32, script: bool) {
    let w = World::in_real_time().await;
    w.trigger("checkout-api: 5xx errors at 14.2 %").await;
    let client = signed_in(&w, width, script).await;
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
