//! The status page as people see it: on a phone and at a desk, by day and by night, without script.

use bugle_domain::stage::Stage;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use super::{Chromium, browser, picture, signed_in};
use crate::watch::quick;
use crate::world::{LIMIT, World};

async fn devtools(client: &Client, cmd: &str, params: Value) {
    let body = json!({ "cmd": cmd, "params": params });
    client.issue_cmd(Chromium { path: "goog/cdp/execute", body }).await.unwrap();
}

async fn open(world: &World, client: &Client) {
    client.goto(&format!("{}/status", world.base)).await.unwrap();
    let first = client.wait().at_most(LIMIT).for_element(Locator::Css("h1")).await.unwrap();
    assert_eq!(first.text().await.unwrap(), "Notifications are late");
}

async fn number(client: &Client, script: &str) -> i64 {
    client.execute(&format!("return {script}"), vec![]).await.unwrap().as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_page_is_one_request_fits_every_screen_and_says_its_age() {
    let world = World::watched(None, quick).await;
    world.until_green().await;
    world.app().hold(Stage::Dispatch, true).await;
    world
        .until("it is told", || async {
            let text = reqwest::get(format!("{}/index.txt", world.base)).await.unwrap();
            text.text().await.unwrap().contains("Notifications are late")
        })
        .await;
    for (width, script) in [(390, true), (390, false), (1_440, true)] {
        let client = browser(width, script).await;
        for scheme in ["light", "dark"] {
            let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
            devtools(&client, "Emulation.setEmulatedMedia", json!({ "features": [feature] })).await;
            open(&world, &client).await;
            let loaded = number(&client, "performance.getEntriesByType('resource').length").await;
            assert_eq!(loaded, 0, "one request");
            let page = "document.documentElement";
            let over = format!("{page}.scrollWidth - {page}.clientWidth");
            assert_eq!(number(&client, &over).await, 0, "nothing is beside the screen");
            let how = if script { "script" } else { "plain" };
            picture(&client, &format!("status-{width}-{how}-{scheme}")).await;
        }
        let age = client.find(Locator::Css("#age")).await.unwrap().text().await.unwrap();
        assert!(age.starts_with("Written "), "{age}");
        client.close().await.unwrap();
    }
    let client = browser(390, true).await;
    let later = "const now = Date.now; Date.now = () => now() + 12 * 6e4";
    let cmd = "Page.addScriptToEvaluateOnNewDocument";
    devtools(&client, cmd, json!({ "source": later })).await;
    open(&world, &client).await;
    let old = Locator::XPath("//*[@id='age'][starts-with(., 'This page is 12 min old.')]");
    client.wait().at_most(LIMIT).for_element(old).await.unwrap();
    client.close().await.unwrap();
    world.app().hold(Stage::Dispatch, false).await;
    world.until_green().await;
    world.settle().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_tells_and_posts_without_javascript_on_a_phone() {
    let world = World::watched(None, quick).await;
    world.until_green().await;
    let client = signed_in(&world, 390, false).await;
    client.goto(&format!("{}/status-page/troubles/new", world.base)).await.unwrap();
    let form = client.form(Locator::Css("main form.card")).await.unwrap();
    form.set_by_name("title", "Pages are slow").await.unwrap();
    form.set_by_name("text", "We look into it.").await.unwrap();
    let box_of_web = client.find(Locator::Css("input[value=web]")).await.unwrap();
    box_of_web.click().await.unwrap();
    picture(&client, "status-trouble-plain").await;
    submit(&client).await;
    previewed(&client, "We look into it.").await;
    picture(&client, "status-trouble-preview").await;
    client.find(Locator::Css("main form.card .btn.main")).await.unwrap().click().await.unwrap();
    let told = Locator::XPath("//*[@id='flash'][contains(., 'The public is told.')]");
    client.wait().at_most(LIMIT).for_element(told).await.unwrap();
    picture(&client, "status-bulletin-plain").await;
    let choice = client.find(Locator::Id("phase")).await.unwrap();
    choice.select_by_value("resolved").await.unwrap();
    client.find(Locator::Css("main form .btn.main")).await.unwrap().click().await.unwrap();
    previewed(&client, "Over.").await;
    picture(&client, "status-bulletin-preview").await;
    client.find(Locator::Css("main form .btn.main")).await.unwrap().click().await.unwrap();
    let posted = Locator::XPath("//*[@id='flash'][contains(., 'It is posted.')]");
    client.wait().at_most(LIMIT).for_element(posted).await.unwrap();
    client.close().await.unwrap();
    world
        .until("the public reads it", || async {
            let page = reqwest::get(format!("{}/history.html", world.base)).await.unwrap();
            page.text().await.unwrap().contains("Pages are slow")
        })
        .await;
    world.settle().await;
    world.end().await;
}

/// Pictures of a path on a phone and at a desk, by day and by night, where nothing is beside the
/// screen.
async fn pictures(world: &World, (path, name): (&str, &str), sign_in: bool) {
    for width in [390, 1_440] {
        let client =
            if sign_in { signed_in(world, width, true).await } else { browser(width, true).await };
        for scheme in ["light", "dark"] {
            let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
            devtools(&client, "Emulation.setEmulatedMedia", json!({ "features": [feature] })).await;
            client.goto(&format!("{}{path}", world.base)).await.unwrap();
            client.wait().at_most(LIMIT).for_element(Locator::Css("h1")).await.unwrap();
            let page = "document.documentElement";
            let over = format!("{page}.scrollWidth - {page}.clientWidth");
            assert_eq!(number(&client, &over).await, 0, "nothing is beside the screen: {path}");
            picture(&client, &format!("{name}-{width}-{scheme}")).await;
        }
        client.close().await.unwrap();
    }
}

async fn flash(client: &Client, text: &str) {
    let said = format!("//*[@id='flash'][contains(., '{text}')]");
    client.wait().at_most(LIMIT).for_element(Locator::XPath(&said)).await.unwrap();
}

/// Waits until it is shown how the public will read a text, of which nothing is posted.
async fn previewed(client: &Client, text: &str) {
    let drawn = format!("//*[@id='preview']//ol[contains(., '{text}')]");
    let drawn = format!("{drawn} | //*[@id='preview']//p[@class='what'][contains(., '{text}')]");
    client.wait().at_most(LIMIT).for_element(Locator::XPath(&drawn)).await.unwrap();
    let not_yet = "//*[@id='preview'][contains(., 'Nothing is posted yet.')]";
    client.find(Locator::XPath(not_yet)).await.unwrap();
}

async fn submit(client: &Client) {
    let button = client.find(Locator::Css("main form.card .btn.main")).await.unwrap();
    button.click().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_makes_a_page_and_tells_the_public_on_it_without_javascript() {
    let world = World::watched(None, quick).await;
    world.until_green().await;
    let client = signed_in(&world, 390, false).await;
    client.goto(&format!("{}/status-pages/new", world.base)).await.unwrap();
    let form = client.form(Locator::Css("main form.card")).await.unwrap();
    form.set_by_name("name", "Halden Freight").await.unwrap();
    submit(&client).await;
    let wrong = Locator::XPath("//*[@id='errors'][contains(., 'ust have 1 to 30 entries')]");
    client.wait().at_most(LIMIT).for_element(wrong).await.unwrap();
    for checkbox in client.find_all(Locator::Css("input[name=services]")).await.unwrap() {
        checkbox.click().await.unwrap();
    }
    submit(&client).await;
    flash(&client, "Made.").await;
    let desk = client.current_url().await.unwrap().path().to_owned();
    let public = desk.replace("/status-pages/", "/status/p/") + "/";
    let says = async |text: &str| {
        let page = reqwest::get(format!("{}{public}index.txt", world.base)).await.unwrap();
        page.text().await.unwrap().contains(text)
    };
    world.until("the page is written", || says("Everything works.")).await;
    world.post_event("checkout", crate::world::critical("db1 is down")).await;
    world.until("it is red", || says(": down.")).await;

    client.goto(&format!("{}{desk}/troubles/new", world.base)).await.unwrap();
    let form = client.form(Locator::Css("main form.card")).await.unwrap();
    form.set_by_name("title", "Paying is slow").await.unwrap();
    form.set_by_name("text", "Cards take a minute.").await.unwrap();
    let first = client.find(Locator::Css("input[name=components]")).await.unwrap();
    first.click().await.unwrap();
    submit(&client).await;
    previewed(&client, "Cards take a minute.").await;
    submit(&client).await;
    flash(&client, "The public is told.").await;
    let bulletin = client.current_url().await.unwrap().path().to_owned();
    world.until("it is told", || says("Cards take a minute.")).await;
    pictures(&world, (&public, "tenant-page"), false).await;
    for (path, name) in [
        ("/status-pages", "tenant-pages"),
        (&*desk, "tenant-desk"),
        (&*format!("{desk}/edit"), "tenant-edit"),
        (&*format!("{desk}/maintenance/new"), "tenant-maintenance"),
        (&*bulletin, "tenant-bulletin"),
    ] {
        pictures(&world, (path, name), true).await;
    }
    client.goto(&format!("{}{bulletin}", world.base)).await.unwrap();
    let choice = client.find(Locator::Id("phase")).await.unwrap();
    choice.select_by_value("resolved").await.unwrap();
    let text = client.find(Locator::Id("text")).await.unwrap();
    text.clear().await.unwrap();
    text.send_keys("It is over.").await.unwrap();
    client.find(Locator::Css("main form .btn.main")).await.unwrap().click().await.unwrap();
    previewed(&client, "It is over.").await;
    client.find(Locator::Css("main form .btn.main")).await.unwrap().click().await.unwrap();
    flash(&client, "It is posted.").await;
    client.close().await.unwrap();
    world.sender_resolves("db1 is down").await;
    world.until("it is green again", || says("Everything works.")).await;
    world.settle().await;
    world.end().await;
}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_keeps_its_services_however_many_there_are() {
    let world = World::watched(None, quick).await;
    let mut last = serde_json::Value::Null;
    for number in 0..210 {
        let service = json!({ "name": format!("service {number}") });
        last = world.post("/api/v1/services", service).await["id"].clone();
    }
    let page = json!({ "name": "Halden Freight", "services": [{ "service": last }] });
    let made = world.post("/api/v1/status-pages", page).await;
    let id = made["id"].as_str().unwrap();
    let client = signed_in(&world, 390, false).await;
    client.goto(&format!("{}/status-pages/{id}/edit", world.base)).await.unwrap();
    submit(&client).await;
    flash(&client, "Saved.").await;
    let saved = world.get(&format!("/api/v1/status-pages/{id}")).await;
    assert_eq!(saved["services"][0]["service"], last, "{saved}");
    client.close().await.unwrap();
    world.end().await;
}

/// Watched, and Danish numbers may ask for texts.
fn texting(lab: &bugle_lab::Lab, behaviour: &mut bugle::node::Behaviour) {
    quick(lab, behaviour);
    let prefixes = vec!["+45".to_owned()];
    behaviour.status.texts = bugle_app::status::Texts { prefixes, per_day: 9, codes_per_day: 9 };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_by_text_types_the_code_without_script_on_any_screen() {
    let world = World::watched(None, quick).await;
    let client = browser(390, false).await;
    client.goto(&format!("{}/status/subscribe", world.base)).await.unwrap();
    assert!(client.find(Locator::Css("input[name='by'][value='sms']")).await.is_err(), "it is off");
    day_and_night(&client, "subscribe-390").await;
    client.close().await.unwrap();
    world.end().await;

    let world = World::watched(None, texting).await;
    for (width, number) in [(390, "+4512345678"), (1_440, "+4587654321")] {
        let client = browser(width, false).await;
        client.goto(&format!("{}/status/subscribe", world.base)).await.unwrap();
        day_and_night(&client, &format!("subscribe-text-{width}")).await;
        client
            .find(Locator::Css("input[name='by'][value='sms']"))
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
        let form = client.form(Locator::Css("form[action='/status/subscribe']")).await.unwrap();
        form.set_by_name("address", number).await.unwrap();
        press(&client, "form[action='/status/subscribe'] button", "#code").await;
        day_and_night(&client, &format!("subscribe-code-{width}")).await;
        let text = world.lab.phone(number).wait_for_text("is your code", LIMIT).await.unwrap();
        let form =
            client.form(Locator::Css("form[action='/status/subscribe/code']")).await.unwrap();
        form.set_by_name("code", &text.body[..6]).await.unwrap();
        press(&client, "form[action='/status/subscribe/code'] button", "#flash").await;
        day_and_night(&client, &format!("subscriber-text-{width}")).await;
        client.close().await.unwrap();
    }
    world.end().await;
}

/// Presses a button, and waits for what follows.
async fn press(client: &Client, button: &str, then: &str) {
    client.find(Locator::Css(button)).await.unwrap().click().await.unwrap();
    client.wait().at_most(LIMIT).for_element(Locator::Css(then)).await.unwrap();
}

/// A page by day and by night.
async fn day_and_night(client: &Client, name: &str) {
    for theme in ["day", "night"] {
        let set = "document.documentElement.dataset.theme = arguments[0]";
        client.execute(set, vec![theme.into()]).await.unwrap();
        picture(client, &format!("{name}-{theme}")).await;
    }
}
