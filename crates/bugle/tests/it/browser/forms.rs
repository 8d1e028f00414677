//! The forms for what is seldom changed by hand: people, policies, services, and one's own.

use std::process::Stdio;

use fantoccini::{Client, Locator};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{browser, picture, signed_in};
use crate::world::{LENA, LIMIT, World};

async fn fill(client: &Client, field: &str, text: &str) {
    let field = client.wait().at_most(LIMIT).for_element(Locator::Id(field)).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(text).await.unwrap();
}

async fn pick(client: &Client, field: &str, label: &str) {
    let field = client.wait().at_most(LIMIT).for_element(Locator::Id(field)).await.unwrap();
    field.select_by_label(label).await.unwrap();
}

async fn click(client: &Client, css: &str) {
    let button = client.wait().at_most(LIMIT).for_element(Locator::Css(css)).await.unwrap();
    button.click().await.unwrap();
}

async fn said(client: &Client, text: &str) {
    let line = format!("//*[@id='flash'][contains(., '{text}')]");
    client.wait().at_most(LIMIT).for_element(Locator::XPath(&line)).await.unwrap();
}

async fn wrong(client: &Client, field: &str) {
    let link = format!("#errors a[href='#{field}']");
    client.wait().at_most(LIMIT).for_element(Locator::Css(&link)).await.unwrap();
}

async fn named(w: &World, kind: &str, name: &str) -> Value {
    let mut all = w.get(&format!("/api/v1/{kind}")).await["data"].take();
    let found = all.as_array_mut().unwrap().iter_mut().find(|it| it["name"] == name);
    found.unwrap().take()
}

async fn policy_and_service(w: &World, client: &Client, shot: &str) {
    client.goto(&format!("{}/policies/new", w.base)).await.unwrap();
    click(client, ".form .btn.main").await;
    wrong(client, "name").await;
    picture(client, &format!("policy-wrong-{shot}")).await;
    fill(client, "name", "Storage").await;
    pick(client, "levels-0-targets-0", LENA).await;
    fill(client, "levels-0-delay_s", "120").await;
    click(client, ".form .btn.main").await;
    said(client, "Made.").await;
    let policy = named(w, "policies", "Storage").await;
    assert_eq!(policy["levels"][0]["delay_s"], 120);
    client.goto(&format!("{}/services/new", w.base)).await.unwrap();
    fill(client, "name", "disks").await;
    pick(client, "policy", "Storage").await;
    fill(client, "runbook_url", "not a link").await;
    click(client, ".form .btn.main").await;
    wrong(client, "runbook_url").await;
    fill(client, "runbook_url", "https://runbooks.example/disks").await;
    click(client, ".form .btn.main").await;
    said(client, "Made.").await;
    assert_eq!(named(w, "services", "disks").await["policy"], policy["id"]);
    picture(client, &format!("services-{shot}")).await;
}

async fn person(w: &World, client: &Client, shot: &str) {
    client.goto(&format!("{}/people/new", w.base)).await.unwrap();
    fill(client, "name", "Jonas Weber").await;
    fill(client, "email", "jonas@halden.example").await;
    pick(client, "role", "viewer").await;
    click(client, ".form .btn.main").await;
    said(client, "Give Jonas Weber this link").await;
    picture(client, &format!("people-{shot}")).await;
    assert_eq!(named(w, "users", "Jonas Weber").await["role"], "viewer");
}

async fn own(w: &World, client: &Client, shot: &str) {
    client.goto(&format!("{}/me", w.base)).await.unwrap();
    fill(client, "address", "+491713920077").await;
    fill(client, "way-name", "spare phone").await;
    click(client, "#add .btn.main").await;
    let text = w.lab.phone("+491713920077").wait_for_text("Bugle code", LIMIT).await.unwrap();
    let code = text.body.split_whitespace().next().unwrap();
    let field = Locator::Css("input[autocomplete=one-time-code]");
    let field = client.wait().at_most(LIMIT).for_element(field).await.unwrap();
    picture(client, &format!("me-code-{shot}")).await;
    field.send_keys(code).await.unwrap();
    click(client, "form[action$='/prove'] .btn.main").await;
    let proven = "//li[contains(., 'spare phone')]//*[.='Proven']";
    client.wait().at_most(LIMIT).for_element(Locator::XPath(proven)).await.unwrap();
    fill(client, "time_zone", "Mars/Base").await;
    click(client, "form[action='/me/profile'] .btn.main").await;
    wrong(client, "time_zone").await;
    fill(client, "time_zone", "Europe/Madrid").await;
    click(client, "form[action='/me/profile'] .btn.main").await;
    let user = |users: &Value| {
        let all = users["data"].as_array().unwrap().iter();
        all.clone().any(|it| it["name"] == LENA && it["time_zone"] == "Europe/Madrid")
    };
    w.until("the zone", || async { user(&w.get("/api/v1/users").await) }).await;
    picture(client, &format!("me-{shot}")).await;
}

async fn all_forms(width: u32, script: bool) {
    let w = World::in_real_time().await;
    let client = signed_in(&w, width, script).await;
    let shot = format!("{width}-{}", if script { "script" } else { "plain" });
    policy_and_service(&w, &client, &shot).await;
    person(&w, &client, &shot).await;
    own(&w, &client, &shot).await;
    client.close().await.unwrap();
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_are_filled_in_on_a_phone_without_javascript() {
    all_forms(390, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_are_filled_in_at_a_desk() {
    all_forms(1_440, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_set_up_link_leads_to_somebody_who_is_signed_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = tokio::process::Command::new(env!("CARGO_BIN_EXE_bugle"))
        .args(["serve", "--data"])
        .arg(folder.path())
        .args(["--listen", "127.0.0.1:0"])
        .env_clear()
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let url = loop {
        let line = lines.next_line().await.unwrap().expect("it stopped before it was ready");
        if let Some((_, url)) = line.split_once("Open once: ") {
            break url.to_owned();
        }
    };
    let client = browser(390, true).await;
    client.goto(&url).await.unwrap();
    fill(&client, "organisation", "Halden Freight").await;
    fill(&client, "name", LENA).await;
    fill(&client, "email", "lena@halden.example").await;
    fill(&client, "password", "a sentence is good").await;
    picture(&client, "set-up").await;
    click(&client, ".form .btn.main").await;
    client.wait().at_most(LIMIT).for_element(Locator::Css("body.app main")).await.unwrap();
    let menu = Locator::Css(".top .menu");
    client.wait().at_most(LIMIT).for_element(menu).await.unwrap();
    picture(&client, "set-up-done").await;
    client.goto(&url).await.unwrap();
    let form = client.find(Locator::Id("organisation")).await;
    assert!(form.is_err(), "the link works once");
    client.close().await.unwrap();
    server.kill().await.unwrap();
}
