//! Subscribers by text, their whole way: ask, prove the number, be told, end it by a reply or a
//! link; and the ceiling on what strangers cost.

use bugle::node::Behaviour;
use bugle_app::status::Texts;
use bugle_engine::status::bulletin::Phase;
use bugle_lab::{Lab, Phone};

use crate::subscribers::at_once;
use crate::world::{LENA, LIMIT, World, new_schema};

const ADA: &str = "+4512345678";

/// Watched, and whoever has a Danish or German number may ask for texts, a few times a day.
fn texting(lab: &Lab, behaviour: &mut Behaviour) {
    at_once(lab, behaviour);
    let prefixes = vec!["+45".to_owned(), "+49".to_owned()];
    behaviour.status.texts = Texts { prefixes, per_day: 6, codes_per_day: 3 };
}

/// The first digits in a text that are six.
fn code_in(text: &str) -> String {
    let mut words = text.split(|c: char| !c.is_ascii_digit());
    words.find(|word| word.len() == 6).unwrap().to_owned()
}

/// Another code.
fn other_than(code: &str) -> &'static str {
    if code == "123456" { "654321" } else { "123456" }
}

/// The path of the short address in a text.
fn short_in(text: &str) -> String {
    let (_, rest) = text.split_once("/u/").unwrap();
    format!("/u/{}", rest.split_whitespace().next().unwrap())
}

impl World {
    async fn asks_by_text(&self, number: &str) -> u16 {
        let asks = [("by", "sms"), ("address", number), ("components", "web")];
        self.press("/status/subscribe", &asks).await
    }

    async fn types(&self, number: &str, code: &str) -> u16 {
        self.press("/status/subscribe/code", &[("number", number), ("code", code)]).await
    }

    /// Asks, and types the code that comes.
    async fn is_told_by_text(&self, phone: &Phone) {
        let before = phone.texts().iter().filter(|it| !it.from_phone).count();
        assert_eq!(self.asks_by_text(phone.number()).await, 200);
        let texts = phone.wait_for_texts(before + 1, LIMIT).await.unwrap();
        assert_eq!(self.types(phone.number(), &code_in(&texts[before].body)).await, 303);
    }

    /// Where a path leads.
    async fn leads(&self, path: &str) -> (u16, String) {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let url = format!("{}{path}", self.base);
        let answer = client.build().unwrap().get(url).send().await.unwrap();
        let to = answer.headers().get("location").map(|it| it.to_str().unwrap().to_owned());
        (answer.status().as_u16(), to.unwrap_or_default())
    }

    async fn until_nobody_is_told(&self) {
        self.until("nobody is left", || async {
            let counts = self.app().subscriber_counts(&self.operator().await).await.unwrap();
            counts.channels.is_empty()
        })
        .await;
    }
}

async fn a_number_is_proven_told_of_each_turn_and_ended(w: World) {
    w.until_green().await;
    let phone = w.lab.phone(ADA);
    assert_eq!(w.asks_by_text("+45 12 34 56 78").await, 200);
    let question = phone.wait_for_text("is your code for updates", LIMIT).await.unwrap().body;
    let code = code_in(&question);
    assert_eq!(w.types(ADA, other_than(&code)).await, 422);
    assert_eq!(w.types("+4587654321", &code).await, 422, "a code is for its number");
    assert_eq!(w.types(ADA, &format!(" {code} ")).await, 303);
    assert_eq!(w.types(ADA, &code).await, 422, "a code holds once");

    let bulletin = w.tells().await;
    let told = phone.wait_for_text("Pages are slow", LIMIT).await.unwrap().body;
    assert!(told.starts_with("Bugle status: We are looking: Pages are slow (Web "), "{told}");
    assert!(told.contains("/status End: ") && told.len() <= 306, "{told}");
    w.goes_on(bulletin, Phase::Investigating, "It goes on.").await;
    w.settle().await;
    w.goes_on(bulletin, Phase::Identified, "A disk is full.").await;
    phone.wait_for_text("Cause found", LIMIT).await.unwrap();
    assert_eq!(phone.texts().len(), 3, "a code, and two turns: {:#?}", phone.texts());

    let short = short_in(&told);
    let (status, own) = w.leads(&short).await;
    assert_eq!(status, 303, "{own}");
    let page = reqwest::get(format!("{}{own}", w.base)).await.unwrap().text().await.unwrap();
    assert!(page.contains(ADA) && page.contains("Unsubscribe"), "looking ends nothing: {page}");
    assert_eq!(w.press(&format!("{own}/unsubscribe"), &[]).await, 200);
    assert_eq!(w.leads(&short).await.0, 404);
    w.until_nobody_is_told().await;

    // And again, to be ended by a reply.
    w.is_told_by_text(&phone).await;
    phone.reply("Stop.").await.unwrap();
    phone.wait_for_text("You get no more updates", LIMIT).await.unwrap();
    w.until_nobody_is_told().await;
    w.end().await;
}

async fn stop_of_a_person_who_is_paged_too_ends_the_updates_only(w: World) {
    w.until_green().await;
    let phone = w.phone(LENA);
    w.is_told_by_text(&phone).await;
    w.post_event("checkout", crate::world::critical("db1 is down")).await;
    phone.wait_for_text("db1 is down", LIMIT).await.unwrap();
    phone.reply("STOP").await.unwrap();
    phone.wait_for_text("You get no more updates", LIMIT).await.unwrap();
    w.until_nobody_is_told().await;
    assert_eq!(w.status(1).await, "open", "no page was answered");
    phone.reply("4").await.unwrap();
    phone.wait_for_text("Priya", LIMIT).await.unwrap();
    assert_eq!(w.status(1).await, "acknowledged");
    phone.reply("STOP").await.unwrap();
    w.settle().await;
    w.post_event("checkout", crate::world::critical("db2 is down")).await;
    phone.wait_for_text("db2 is down", LIMIT).await.unwrap();
    w.end().await;
}

async fn strangers_cost_no_more_than_the_ceiling(w: World) {
    w.until_green().await;
    assert_eq!(w.asks_by_text("+4612345678").await, 422, "not of the prefixes");
    let phone = w.lab.phone(ADA);
    assert_eq!(w.asks_by_text(ADA).await, 200);
    let code = code_in(&phone.wait_for_text("is your code", LIMIT).await.unwrap().body);
    assert_eq!(w.asks_by_text(ADA).await, 200, "one is under way, and who asks learns nothing");
    for _ in 0..5 {
        assert_eq!(w.types(ADA, other_than(&code)).await, 422);
    }
    assert_eq!(w.types(ADA, &code).await, 422, "it was tried too often");
    for (number, answer) in [("+4511111111", 200), ("+4522222222", 200), ("+4533333333", 429)] {
        assert_eq!(w.asks_by_text(number).await, answer, "{number}: three codes a day");
    }
    assert_eq!(w.asks_by_text("+4544444444").await, 429, "too many from one network");
    w.lab.phone("+4522222222").wait_for_text("is your code", LIMIT).await.unwrap();
    assert_eq!(phone.texts().len(), 1, "{:#?}", phone.texts());
    w.end().await;
}

macro_rules! on_each {
    ($($name:ident)*) => { $(mod $name {
        use super::*;

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn sqlite() {
            super::$name(World::watched(None, texting).await).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn postgres() {
            super::$name(World::watched(Some(new_schema().await), texting).await).await;
        }
    })* };
}

on_each! {
    a_number_is_proven_told_of_each_turn_and_ended
    stop_of_a_person_who_is_paged_too_ends_the_updates_only
    strangers_cost_no_more_than_the_ceiling
}
