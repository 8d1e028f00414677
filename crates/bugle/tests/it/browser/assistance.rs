//! Assistance as people see it: asked on a phone without script, answered at a desk.

use bugle_lab::{Answer, Knobs};
use fantoccini::{Client, Locator};

use super::{picture, signed_in};
use crate::assistance::TEXTS;
use crate::mail_in::takes_mail;
use crate::watch::quick;
use crate::world::{LIMIT, World};

/// What the operator says.
const ANSWER: &str = "She has it: look at the receipt.";

/// Scrolls to the hops.
const SHOW_PATH: &str = "document.getElementById('path').scrollIntoView()";

/// Presses the button that does this, and waits until the page says so.
async fn press(client: &Client, action: &str, says: &str) {
    let button = format!("form[action$='{action}'] button");
    client.find(Locator::Css(&button)).await.unwrap().click().await.unwrap();
    let flash = format!("//*[@id='flash'][contains(., '{says}')]");
    client.wait().at_most(LIMIT).for_element(Locator::XPath(&flash)).await.unwrap();
}

async fn text(client: &Client) -> String {
    client.find(Locator::Css("main")).await.unwrap().text().await.unwrap()
}

pub(super) async fn fits(client: &Client) {
    let page = "document.documentElement";
    let over = format!("return {page}.scrollWidth - {page}.clientWidth");
    let over = client.execute(&over, vec![]).await.unwrap();
    assert_eq!(over.as_i64(), Some(0), "nothing is beside the screen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_not_paged_asks_on_a_phone_and_an_operator_answers() {
    let world = World::watched(None, quick).await;
    world.until_green().await;
    world.trigger("db1 is down").await;
    world.settle().await;
    let phone = signed_in(&world, 390, false).await;
    phone.goto(&format!("{}/alerts/1", world.base)).await.unwrap();
    let ask = phone.find(Locator::LinkText("Nobody was paged?")).await.unwrap();
    // The bar with the large button may lie over it until the page is scrolled.
    let ask = ask.attr("href").await.unwrap().unwrap();
    phone.goto(&format!("{}{ask}", world.base)).await.unwrap();
    let form = Locator::Css("form[action='/assistance/new']");
    phone.wait().at_most(LIMIT).for_element(form).await.unwrap();
    let form = phone.form(form).await.unwrap();
    form.set_by_name("expected", "Priya should have had a call").await.unwrap();
    picture(&phone, "assistance-form-390").await;
    press(&phone, "/assistance/new", "It is asked").await;
    let said = text(&phone).await;
    assert!(said.contains("What the ledger says") && said.contains("The causal record"), "{said}");
    picture(&phone, "assistance-asked-390").await;

    let desk = signed_in(&world, 1_440, true).await;
    desk.goto(&format!("{}/assistance-desk", world.base)).await.unwrap();
    picture(&desk, "assistance-desk-1440").await;
    let one = desk.find(Locator::Css("main .rows a")).await.unwrap();
    one.click().await.unwrap();
    desk.wait().at_most(LIMIT).for_element(Locator::Css("#path")).await.unwrap();
    press(&desk, "/replicate", "It was sent along the path").await;
    let said = text(&desk).await;
    assert!(said.contains("Nothing stopped it."), "{said}");
    for service in TEXTS {
        world.lab.set(service, Knobs::answering(Answer::Error(503)));
    }
    desk.refresh().await.unwrap();
    press(&desk, "/replicate", "It was sent along the path").await;
    for service in TEXTS {
        world.lab.set(service, Knobs::default());
    }
    let said = text(&desk).await;
    assert!(said.contains("It stops at sms, by simulated"), "{said}");
    fits(&desk).await;
    desk.execute(SHOW_PATH, vec![]).await.unwrap();
    picture(&desk, "assistance-stopped-1440").await;
    let page = desk.current_url().await.unwrap();
    let narrow = signed_in(&world, 390, true).await;
    narrow.goto(page.as_str()).await.unwrap();
    fits(&narrow).await;
    narrow.execute(SHOW_PATH, vec![]).await.unwrap();
    picture(&narrow, "assistance-stopped-390").await;
    narrow.goto(&format!("{}/assistance-desk", world.base)).await.unwrap();
    fits(&narrow).await;
    picture(&narrow, "assistance-desk-390").await;
    narrow.close().await.unwrap();
    let answer = desk.form(Locator::Css("form[action$='/answer']")).await.unwrap();
    answer.set_by_name("text", ANSWER).await.unwrap();
    press(&desk, "/answer", "Mailed to").await;
    world.lab.mailbox("lena@halden.example").wait_for_mail(ANSWER, LIMIT).await.unwrap();
    fits(&desk).await;
    picture(&desk, "assistance-answered-1440").await;
    press(&desk, "/close", "It is closed").await;
    desk.close().await.unwrap();

    phone.refresh().await.unwrap();
    let said = text(&phone).await;
    assert!(said.contains(ANSWER), "{said}");
    assert!(said.contains("Closed"), "{said}");
    picture(&phone, "assistance-answered-390").await;
    phone.close().await.unwrap();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_shows_where_to_write() {
    let world = World::watched(None, takes_mail).await;
    let address = world.help_address().await;
    for width in [390, 1_440] {
        let client = signed_in(&world, width, false).await;
        client.goto(&format!("{}/assistance", world.base)).await.unwrap();
        assert!(text(&client).await.contains(&address));
        fits(&client).await;
        picture(&client, &format!("assistance-by-mail-{width}")).await;
        client.close().await.unwrap();
    }
    world.end().await;
}
