//! A schedule is made and its layers are changed on pages.

use fantoccini::{Client, Locator};
use serde_json::Value;

use super::{picture, signed_in};
use crate::world::{LENA, LIMIT, PRIYA, World};

/// Presses the button of the form that does this, and waits for the answer.
async fn press(client: &Client, does: &str) {
    // Each answer says when it was made.
    let body = client.find(Locator::Css("body")).await.unwrap();
    let made = body.attr("data-now").await.unwrap().unwrap();
    let button = format!("button[name=do][value='{does}']:not(.vh)");
    client.find(Locator::Css(&button)).await.unwrap().click().await.unwrap();
    let answer = format!("body:not([data-now='{made}'])");
    client.wait().at_most(LIMIT).for_element(Locator::Css(&answer)).await.unwrap();
}

async fn write(client: &Client, field: &str, text: &str) {
    let field = client.wait().at_most(LIMIT).for_element(Locator::Id(field)).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(text).await.unwrap();
}

async fn choose(client: &Client, field: &str, label: &str) {
    let field = client.wait().at_most(LIMIT).for_element(Locator::Id(field)).await.unwrap();
    field.select_by_label(label).await.unwrap();
}

async fn said(client: &Client, text: &str) {
    let line = format!("//*[@id='flash'][contains(., '{text}')]");
    client.wait().at_most(LIMIT).for_element(Locator::XPath(&line)).await.unwrap();
}

/// The schedule as the API says it.
async fn schedule(w: &World, name: &str) -> Value {
    let mut all = w.get("/api/v1/schedules").await["data"].take();
    let found = all.as_array_mut().unwrap().iter_mut().find(|it| it["name"] == name);
    found.unwrap().take()
}

/// First names of those who take turns in a layer.
async fn turns(w: &World, schedule: &Value, layer: usize) -> Vec<String> {
    let users = w.get("/api/v1/users").await["data"].take();
    let name = |id: &Value| {
        let user = users.as_array().unwrap().iter().find(|user| user["id"] == *id).unwrap();
        user["name"].as_str().unwrap().to_owned()
    };
    schedule["layers"][layer]["participants"].as_array().unwrap().iter().map(name).collect()
}

async fn make(w: &World, client: &Client) {
    client.goto(&format!("{}/schedules", w.base)).await.unwrap();
    client.find(Locator::LinkText("New schedule")).await.unwrap().click().await.unwrap();
    write(client, "name", "Nights").await;
    choose(client, "people-0", LENA).await;
    choose(client, "people-1", PRIYA).await;
    write(client, "time_zone", "Europe/Berlin").await;
    client.find(Locator::Css(".form .btn.main")).await.unwrap().click().await.unwrap();
    said(client, "is on call now").await;
    let made = schedule(w, "Nights").await;
    assert_eq!(turns(w, &made, 0).await, [LENA, PRIYA]);
}

async fn change(w: &World, client: &Client, name: &str) {
    client.find(Locator::LinkText("Change layers")).await.unwrap().click().await.unwrap();
    client.wait().at_most(LIMIT).for_element(Locator::Id("layers")).await.unwrap();
    press(client, "add").await;
    write(client, "layers-1-name", "Weekends").await;
    choose(client, "layers-1-add", PRIYA).await;
    press(client, "person-add 1").await;
    choose(client, "layers-1-add", LENA).await;
    press(client, "person-add 1").await;
    press(client, "person-up 1 1").await;
    press(client, "hours-add 1").await;
    write(client, "layers-1-length-count", "0").await;
    press(client, "save").await;
    let problem = Locator::Css("#errors a[href='#layers-1-length-count']");
    client.wait().at_most(LIMIT).for_element(problem).await.unwrap();
    picture(client, &format!("schedule-wrong-{name}")).await;
    write(client, "layers-1-length-count", "2").await;
    press(client, "preview").await;
    said(client, "is on call now").await;
    picture(client, &format!("schedule-effect-{name}")).await;
    assert_eq!(schedule(w, "Nights").await["layers"].as_array().unwrap().len(), 1);
    press(client, "save").await;
    said(client, "Saved.").await;
    let saved = schedule(w, "Nights").await;
    assert_eq!(turns(w, &saved, 1).await, [LENA, PRIYA]);
    assert_eq!(saved["layers"][1]["length"]["count"], 2);
    assert_eq!(saved["layers"][1]["restrictions"].as_array().unwrap().len(), 1);
}

async fn take_out(w: &World, client: &Client, name: &str) {
    client.find(Locator::LinkText("Change layers")).await.unwrap().click().await.unwrap();
    client.wait().at_most(LIMIT).for_element(Locator::Id("layers")).await.unwrap();
    press(client, "down 0").await;
    press(client, "remove 1").await;
    client.find(Locator::Id("layers-1-keep")).await.unwrap();
    picture(client, &format!("schedule-removed-{name}")).await;
    press(client, "save").await;
    said(client, "Saved.").await;
    let left = schedule(w, "Nights").await;
    assert_eq!(left["layers"].as_array().unwrap().len(), 1);
    assert_eq!(left["layers"][0]["name"], "Weekends");
}

async fn make_and_change(width: u32, script: bool) {
    let w = World::in_real_time().await;
    let client = signed_in(&w, width, script).await;
    let name = format!("{width}-{}", if script { "script" } else { "plain" });
    make(&w, &client).await;
    change(&w, &client, &name).await;
    take_out(&w, &client, &name).await;
    client.close().await.unwrap();
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_is_made_and_changed_on_a_phone() {
    make_and_change(390, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_is_made_and_changed_at_a_desk_without_javascript() {
    make_and_change(1_440, false).await;
}
