//! A change that does not fit is refused on the page; forced, it goes red and is undone before the
//! operator's eyes; another one is undone by a button.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bugle_domain::stage::Stage;
use fantoccini::{Client, Locator};

use super::{picture, signed_in};
use crate::changes::{LANES, view};
use crate::world::{LIMIT, World};

/// Has the watch say, over and over, that all is well, until dispatch is said to be broken.
#[expect(clippy::disallowed_methods, reason = "a test aborts what it spawned itself")]
fn watch(w: &World) -> (Arc<AtomicBool>, tokio::task::JoinHandle<()>) {
    let red = Arc::new(AtomicBool::new(false));
    let (app, node, clock, asked) =
        (w.app().clone(), w.node_id(), w.clock.clone(), Arc::clone(&red));
    let feeding = tokio::spawn(async move {
        loop {
            let broken = asked.load(Ordering::Relaxed).then_some(Stage::Dispatch);
            app.feed_watch(view(node, clock.now(), broken));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    (red, feeding)
}

pub(super) async fn find(client: &Client, xpath: &str) -> fantoccini::elements::Element {
    client.wait().at_most(LIMIT).for_element(Locator::XPath(xpath)).await.unwrap()
}

async fn press(client: &Client, does: &str) {
    let button = format!("//button[@name='do'][@value='{does}']");
    find(client, &button).await.click().await.unwrap();
}

/// Writes the known-good with something replaced into the form, and has it planned.
pub(super) async fn plan(w: &World, client: &Client, from: &str, to: &str) {
    client.goto(&format!("{}/changes/new", w.base)).await.unwrap();
    let field = client.wait().at_most(LIMIT).for_element(Locator::Id("document")).await.unwrap();
    let text = field.prop("value").await.unwrap().unwrap();
    assert!(text.contains(from), "{text}");
    field.clear().await.unwrap();
    field.send_keys(&text.replace(from, to)).await.unwrap();
    press(client, "plan").await;
    find(client, "//h2[.='What it would do']").await;
}

pub(super) async fn apply(client: &Client, reason: &str) {
    let field = client.wait().at_most(LIMIT).for_element(Locator::Id("reason")).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(reason).await.unwrap();
    press(client, "apply").await;
}

/// Waits until the page of the change says this; without script it is asked for again.
pub(super) async fn shows(client: &Client, script: bool, text: &str) {
    let line = format!("//main//*[contains(@class, 'badge')][.='{text}']");
    for _ in 0..60 {
        if client.find(Locator::XPath(&line)).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        if !script {
            client.refresh().await.unwrap();
        }
    }
    panic!("the page never said {text}");
}

async fn a_change_goes_red_and_is_undone(width: u32, script: bool) {
    let w = World::in_real_time().await;
    let (red, feeding) = watch(&w);
    let client = signed_in(&w, width, script).await;
    let shot = format!("{width}-{}", if script { "script" } else { "plain" });
    plan(&w, &client, LANES.0, LANES.1).await;
    let misfit = "//li[contains(., 'lane \"urgent\"') and contains(., 'does not read it')]";
    find(&client, misfit).await;
    picture(&client, &format!("change-plan-{shot}")).await;
    apply(&client, "clean up").await;
    find(&client, "//*[@id='errors'][contains(., 'Refused')]").await;
    find(&client, "//input[@name='force']").await.click().await.unwrap();
    apply(&client, "clean up").await;
    shows(&client, script, "applied everywhere").await;
    picture(&client, &format!("change-applied-{shot}")).await;
    red.store(true, Ordering::Relaxed);
    shows(&client, script, "undone").await;
    find(&client, "//main//*[@role='alert'][contains(., 'The watch names dispatch')]").await;
    picture(&client, &format!("change-undone-{shot}")).await;
    red.store(false, Ordering::Relaxed);
    plan(&w, &client, "parallel = 256", "parallel = 64").await;
    apply(&client, "less at once").await;
    find(&client, "//button[.='Undo']").await.click().await.unwrap();
    shows(&client, script, "undone").await;
    client.goto(&format!("{}/changes", w.base)).await.unwrap();
    find(&client, "//li[contains(., '1. ') and contains(., 'refused')]").await;
    picture(&client, &format!("changes-{shot}")).await;
    feeding.abort();
    client.close().await.unwrap();
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_undone_before_ones_eyes_on_a_phone() {
    a_change_goes_red_and_is_undone(390, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_undone_before_ones_eyes_on_a_phone_without_javascript() {
    a_change_goes_red_and_is_undone(390, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_undone_before_ones_eyes_at_a_desk() {
    a_change_goes_red_and_is_undone(1_440, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_undone_before_ones_eyes_at_a_desk_without_javascript() {
    a_change_goes_red_and_is_undone(1_440, false).await;
}
