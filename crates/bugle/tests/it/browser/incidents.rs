//! The room of an incident: two people in it at once, on a desk's screen and on a phone's.

use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::json;

use super::{by_link, picture, signed_in};
use crate::watch::quick;
use crate::world::{LIMIT, World};

async fn press(client: &Client, text: &str) {
    let button = format!("//button[normalize-space()='{text}']");
    let button = client.wait().at_most(LIMIT).for_element(Locator::XPath(&button)).await.unwrap();
    button.click().await.unwrap();
}

/// Waits until the page shows a text somewhere in an element.
async fn shows(client: &Client, place: &str, text: &str) {
    let found = format!("//*[@id='{place}']//*[contains(., '{text}')]");
    client.wait().at_most(LIMIT).for_element(Locator::XPath(&found)).await.unwrap();
}

async fn write(client: &Client, text: &str) {
    let field = client.wait().at_most(LIMIT).for_element(Locator::Css("#entry")).await.unwrap();
    field.send_keys(text).await.unwrap();
    press(client, "Add").await;
}

/// Pictures of the whole page, by day and by night.
async fn pictures(client: &Client, name: &str, (width, height): (u32, u32)) {
    client.set_window_size(width, height).await.unwrap();
    for theme in ["day", "night"] {
        let set = "document.documentElement.dataset.theme = arguments[0]";
        client.execute(set, vec![theme.into()]).await.unwrap();
        picture(client, &format!("{name}-{theme}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_in_a_room_see_each_others_notes_live() {
    let w = World::in_real_time().await;
    w.trigger("db1 is down").await;
    let lena = signed_in(&w, 1_440, true).await;
    lena.goto(&format!("{}/alerts/1", w.base)).await.unwrap();
    let declare = Locator::LinkText("Declare incident");
    lena.wait().at_most(LIMIT).for_element(declare).await.unwrap().click().await.unwrap();
    press(&lena, "Declare it").await;
    shows(&lena, "lines", "Declared by Lena").await;
    let room = lena.current_url().await.unwrap();
    assert!(room.path().starts_with("/incidents/inc_"), "{room}");

    let link = w.sign_in_link_of("priya@halden.example").await;
    let priya = by_link(&link, 390, true).await;
    priya.goto(room.as_str()).await.unwrap();
    press(&priya, "Join").await;
    shows(&lena, "here", "Priya Nair").await;
    let typing = priya.find(Locator::Css("#entry")).await.unwrap();
    typing.send_keys("half a sen").await.unwrap();
    write(&lena, "it is the disk of db1").await;
    shows(&priya, "lines", "it is the disk of db1").await;
    let kept = priya.find(Locator::Css("#entry")).await.unwrap();
    assert_eq!(kept.prop("value").await.unwrap().as_deref(), Some("half a sen"));
    write(&priya, "tence").await;
    shows(&lena, "lines", "half a sentence").await;
    write(&priya, "/task Order a disk").await;
    shows(&lena, "main", "Order a disk").await;

    // What is wrong with a command is said, and nothing of it is lost.
    write(&lena, "/laed Priya").await;
    shows(&lena, "errors", "There is no command /laed").await;
    let kept = lena.find(Locator::Css("#entry")).await.unwrap();
    assert_eq!(kept.prop("value").await.unwrap().as_deref(), Some("/laed Priya"));
    lena.goto(room.as_str()).await.unwrap();
    pictures(&lena, "incident-1440", (1_440, 1_400)).await;
    pictures(&priya, "incident-390", (390, 2_600)).await;
    priya.goto(&format!("{}/alerts/1", w.base)).await.unwrap();
    pictures(&priya, "incident-alert-390", (390, 1_200)).await;
    priya.goto(&format!("{}/incidents", w.base)).await.unwrap();
    pictures(&priya, "incidents-390", (390, 700)).await;
    lena.goto(&format!("{room}/report")).await.unwrap();
    pictures(&lena, "incident-report-1440", (1_440, 1_600)).await;
    lena.goto(&format!("{}/incidents/new", w.base)).await.unwrap();
    pictures(&lena, "incident-new-1440", (1_440, 900)).await;
    for client in [lena, priya] {
        client.close().await.unwrap();
    }
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_works_without_script() {
    let w = World::in_real_time().await;
    let client = signed_in(&w, 390, false).await;
    client.goto(&format!("{}/incidents/new", w.base)).await.unwrap();
    client.find(Locator::Css("#title")).await.unwrap().send_keys("all is slow").await.unwrap();
    press(&client, "Declare it").await;
    write(&client, "/comms Priya").await;
    shows(&client, "role-communications", "Priya Nair").await;
    write(&client, "/severity bad").await;
    shows(&client, "errors", "is followed by critical or major").await;
    client.close().await.unwrap();
    w.end().await;
}

/// What the public reads.
async fn public(w: &World) -> String {
    let page = reqwest::get(format!("{}/index.txt", w.base)).await.unwrap();
    page.text().await.unwrap()
}

/// Writes an update of which the cause is known, and asks how the public will read it.
async fn preview(client: &Client, text: &str) {
    let phase = client.find(Locator::Css("#phase")).await.unwrap();
    phase.select_by_value("identified").await.unwrap();
    let field = client.find(Locator::Css("#update")).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(text).await.unwrap();
    press(client, "Preview").await;
}

/// An incident of the installation of which the public is told; gives its room.
async fn public_incident(w: &World) -> String {
    let new = json!({ "title": "mail is slow", "installation": true });
    let id = w.post("/api/v1/incidents", new).await["incident"]["id"].clone();
    let trouble = json!({
        "incident": id, "title": "Mail is slow", "text": "We are looking.",
        "components": ["email"], "state": "degraded_performance",
    });
    w.post("/api/v1/bulletins", trouble).await;
    format!("{}/incidents/{}", w.base, id.as_str().unwrap())
}

/// Posts by keyboard: from what is drawn, past its link to all updates, to the button.
async fn by_keyboard(client: &Client) {
    let mut focus = client.active_element().await.unwrap();
    assert_eq!(focus.attr("id").await.unwrap().as_deref(), Some("previewed"));
    for wanted in ["All updates", "Post update"] {
        focus.send_keys(&String::from(char::from(Key::Tab))).await.unwrap();
        focus = client.active_element().await.unwrap();
        assert_eq!(focus.text().await.unwrap(), wanted);
    }
    focus.send_keys(&String::from(char::from(Key::Enter))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_reads_what_was_previewed_and_not_before() {
    let w = World::watched(None, quick).await;
    w.until_green().await;
    let room = public_incident(&w).await;
    for (width, script) in [(390, false), (1_440, true)] {
        let client = signed_in(&w, width, script).await;
        client.goto(&room).await.unwrap();
        shows(&client, "saying", "and nothing else").await;
        let text = format!("The spool <b> is full, seen at {width}.");
        preview(&client, "   ").await;
        shows(&client, "errors", "Say something").await;
        preview(&client, &text).await;
        shows(&client, "preview", &text).await;
        shows(&client, "preview", "Cause found.").await;
        let page = "document.documentElement";
        let over = format!("return {page}.scrollWidth - {page}.clientWidth");
        let over = client.execute(&over, vec![]).await.unwrap();
        assert_eq!(over, json!(0), "nothing is beside the screen");
        let kept = client.find(Locator::Css("#update")).await.unwrap();
        assert_eq!(kept.prop("value").await.unwrap().as_deref(), Some(&*text));
        let phase = client.find(Locator::Css("#phase")).await.unwrap();
        assert_eq!(phase.prop("value").await.unwrap().as_deref(), Some("identified"));
        assert!(!public(&w).await.contains(&text), "nothing is posted by a preview");
        if script {
            pictures(&client, "incident-preview-1440", (1_440, 1_800)).await;
            by_keyboard(&client).await;
        } else {
            picture(&client, "incident-preview-390-plain").await;
            press(&client, "Post update").await;
        }
        client
            .wait()
            .at_most(LIMIT)
            .for_element(Locator::XPath("//*[@id='flash'][contains(., 'The public is told.')]"))
            .await
            .unwrap();
        w.until("the public reads it", || async { public(&w).await.contains(&text) }).await;
        write(&client, "/status monitoring: It is fast again.").await;
        w.until("and that it works", || async {
            public(&w).await.contains("Works again. It is fast again.")
        })
        .await;
        client.close().await.unwrap();
    }
    let phone = signed_in(&w, 390, true).await;
    phone.goto(&room).await.unwrap();
    preview(&phone, "The spool is full.").await;
    shows(&phone, "preview", "The spool is full.").await;
    pictures(&phone, "incident-preview-390", (390, 3_600)).await;
    phone.close().await.unwrap();
    w.settle().await;
    w.end().await;
}
