//! A clean-up is looked at, done and taken back on its pages.

use std::time::Duration;

use fantoccini::Client;
use serde_json::json;

use super::changes::find;
use super::{picture, signed_in};
use crate::world::World;

/// Asks for the page again until it says where the clean-up stands.
async fn stands(client: &Client, state: &str) {
    let badge = format!("//main//*[contains(@class, 'badge')][.='{state}']");
    for _ in 0..60 {
        if client.find(fantoccini::Locator::XPath(&badge)).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        client.refresh().await.unwrap();
    }
    panic!("the page never said {state}");
}

async fn say_why(client: &Client, why: &str, button: &str) {
    find(client, "//input[@name='reason']").await.send_keys(why).await.unwrap();
    find(client, &format!("//button[.='{button}']")).await.click().await.unwrap();
}

async fn users_go_and_come_back(width: u32, script: bool) {
    let w = World::in_real_time().await;
    w.add_disabled_users(130).await;
    let plan = json!({"what": "users"});
    let known = || async { w.try_post("/api/v1/clean-ups", plan.clone()).await.1["going"] == 130 };
    w.until("they are known", known).await;
    let client = signed_in(&w, width, script).await;
    let shot = format!("{width}-{}", if script { "script" } else { "plain" });
    client.goto(&format!("{}/changes", w.base)).await.unwrap();
    find(&client, "//a[.='Clean up']").await.click().await.unwrap();
    find(&client, "//nav//a[contains(@href, 'what=users')]").await.click().await.unwrap();
    find(&client, "//h2[contains(., '130')]").await;
    picture(&client, &format!("clean-up-plan-{shot}")).await;
    say_why(&client, "left last year", "Clean up").await;
    stands(&client, "removed").await;
    picture(&client, &format!("clean-up-removed-{shot}")).await;
    say_why(&client, "still needed", "Put everything back").await;
    stands(&client, "restored").await;
    picture(&client, &format!("clean-up-restored-{shot}")).await;
    client.close().await.unwrap();
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_up_on_a_phone() {
    users_go_and_come_back(390, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_up_at_a_desk_without_javascript() {
    users_go_and_come_back(1_440, false).await;
}
