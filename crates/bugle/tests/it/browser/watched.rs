//! With a watch of its own: the drawing of the pipeline with its canaries, well and broken, and a
//! change that the watch itself turns red.

use bugle_domain::stage::Stage;
use fantoccini::{Client, Locator};

use super::changes::{apply, find, plan, shows};
use super::{picture, signed_in};
use crate::changes::LANES;
use crate::watch::{quick, stage};
use crate::world::{LIMIT, World};

async fn drawing(w: &World, client: &Client, name: &str) {
    client.goto(&format!("{}/pipeline", w.base)).await.unwrap();
    client.wait().at_most(LIMIT).for_element(Locator::Css("main svg")).await.unwrap();
    picture(client, name).await;
}

async fn the_drawing_shows_what_is_broken(width: u32) {
    let w = World::watched(None, quick).await;
    w.until_green().await;
    let client = signed_in(&w, width, true).await;
    drawing(&w, &client, &format!("pipeline-{width}")).await;
    find(&client, "//main//*[contains(., 'Nothing is broken.')]").await;
    w.app().hold(Stage::Dispatch, true).await;
    w.until_broken(&stage(Stage::Dispatch)).await;
    drawing(&w, &client, &format!("pipeline-broken-{width}")).await;
    find(&client, "//main//*[@role='alert'][contains(., 'notifications are not sent')]").await;
    w.app().hold(Stage::Dispatch, false).await;
    w.until_green().await;
    // The page follows by itself.
    find(&client, "//main//*[contains(., 'Nothing is broken.')]").await;
    client.close().await.unwrap();
    w.end().await;
}

async fn a_change_that_the_watch_turns_red_is_undone(width: u32) {
    let w = World::watched(None, quick).await;
    w.until_green().await;
    let client = signed_in(&w, width, true).await;
    plan(&w, &client, LANES.0, LANES.1).await;
    find(&client, "//input[@name='force']").await.click().await.unwrap();
    apply(&client, "clean up").await;
    shows(&client, true, "applied on one node").await;
    picture(&client, &format!("change-watched-{width}")).await;
    shows(&client, true, "undone").await;
    find(&client, "//main//*[@role='alert']").await;
    picture(&client, &format!("change-watched-undone-{width}")).await;
    // Within the hour it is tried again only by who says that they know.
    plan(&w, &client, LANES.0, LANES.1).await;
    find(&client, "//input[@name='again']").await;
    picture(&client, &format!("change-again-{width}")).await;
    client.close().await.unwrap();
    w.until_green().await;
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pipeline_is_drawn_on_a_phone() {
    the_drawing_shows_what_is_broken(390).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pipeline_is_drawn_at_a_desk() {
    the_drawing_shows_what_is_broken(1_440).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_watch_undoes_a_change_on_a_phone() {
    a_change_that_the_watch_turns_red_is_undone(390).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_watch_undoes_a_change_at_a_desk() {
    a_change_that_the_watch_turns_red_is_undone(1_440).await;
}
