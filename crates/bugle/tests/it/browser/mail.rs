//! The address of an integration, shown to be copied.

use fantoccini::Locator;

use super::assistance::fits;
use super::{picture, signed_in};
use crate::mail_in::takes_mail;
use crate::world::World;

/// The integration in the list.
const ROW: &str = "//a[contains(@class, 'row')][.//*[text()='checkout']]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integrations_page_shows_its_mail_address_to_be_copied() {
    let world = World::watched(None, takes_mail).await;
    let address = world.event_address("checkout").await;
    for width in [390, 1_440] {
        let client = signed_in(&world, width, true).await;
        client.goto(&format!("{}/integrations", world.base)).await.unwrap();
        client.find(Locator::XPath(ROW)).await.unwrap().click().await.unwrap();
        client.find(Locator::LinkText("Mail")).await.unwrap().click().await.unwrap();
        let code = client.find(Locator::Css("#connect .code pre")).await.unwrap();
        assert_eq!(code.text().await.unwrap(), address);
        let copy = client.find(Locator::Css("#connect .code .copy")).await.unwrap();
        assert_eq!(copy.attr("data-copy").await.unwrap(), Some(address.clone()));
        assert!(copy.is_displayed().await.unwrap());
        fits(&client).await;
        picture(&client, &format!("integration-mail-{width}")).await;
        client.close().await.unwrap();
    }
    world.end().await;
}
