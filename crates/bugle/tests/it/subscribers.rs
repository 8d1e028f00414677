//! Subscribers of the status page, their whole way: ask, confirm, be told, unsubscribe; by mail and
//! by webhook, through real servers.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use bugle::node::Behaviour;
use bugle_app::status::{NewTrouble, Post};
use bugle_domain::contact::{Address, Channel};
use bugle_domain::{BulletinId, SubscriberId};
use bugle_engine::status::bulletin::Phase;
use bugle_engine::status::subscribers::Subscriber;
use bugle_engine::status::{Component, State};
use bugle_lab::Lab;
use serde_json::{Value, json};

use crate::watch::quick;
use crate::world::{LENA, LIMIT, World, new_schema};

const ADA: &str = "ada@customer.example";

impl World {
    /// Presses a button of a public page, with the fields of its form.
    pub(crate) async fn press(&self, path: &str, fields: &[(&str, &str)]) -> u16 {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let body: Vec<String> =
            fields.iter().map(|(key, value)| format!("{key}={}", escaped(value))).collect();
        let request = http.build().unwrap().post(format!("{}{path}", self.base));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(body.join("&")).send().await.unwrap().status().as_u16()
    }

    pub(crate) async fn tells(&self) -> BulletinId {
        let new = NewTrouble {
            title: "Pages are slow".to_owned(),
            text: "We look into it.".to_owned(),
            state: Some(State::Degraded),
            components: vec![Component::Web],
            incident: None,
        };
        self.app().tell_trouble(&self.operator().await, new).await.unwrap()
    }

    pub(crate) async fn goes_on(&self, id: BulletinId, phase: Phase, text: &str) {
        let operator = self.operator().await;
        let version = self.app().bulletin(&operator, id).await.unwrap().version;
        let post = Post { version, phase: Some(phase), text: text.to_owned() };
        self.app().post_update(&operator, id, post).await.unwrap();
    }
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
}

/// Watched, and nothing to one phone waits for what else may come.
pub(crate) fn at_once(lab: &Lab, behaviour: &mut Behaviour) {
    quick(lab, behaviour);
    behaviour.stages.dispatch.bundle_window = Duration::ZERO;
}

/// The path of a subscriber's page, out of a text.
pub(crate) fn own_page(text: &str) -> String {
    let (_, rest) = text.split_once("/status/subscribers/").unwrap();
    let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
    format!("/status/subscribers/{}", &rest[..end])
}

async fn ask_by_mail(w: &World) -> String {
    let asks = [("by", "email"), ("address", ADA), ("components", "web")];
    assert_eq!(w.press("/status/subscribe", &asks).await, 303);
    let question = w.lab.mailbox(ADA).wait_for_mail("Confirm", LIMIT).await.unwrap();
    let own = own_page(&question.text);
    let page = reqwest::get(format!("{}{own}", w.base)).await.unwrap().text().await.unwrap();
    assert!(page.contains("Was it you?") && page.contains(ADA), "{page}");
    own
}

/// Gives the path of the page, and the path that the hooks come to.
async fn ask_by_webhook(w: &World) -> (String, &'static str) {
    let url = w.lab.hook_url("/readers");
    assert_eq!(
        w.press("/status/subscribe", &[("by", "webhook"), ("address", url.as_str())]).await,
        303
    );
    let path = "/readers";
    let question = w.lab.hooks().wait_for(path, 1, LIMIT).await.unwrap().remove(0);
    let body: Value = serde_json::from_slice(&question.body).unwrap();
    assert_eq!(body["type"], "status.confirm", "{body}");
    assert!(question.headers.contains_key("webhook-signature"), "{:?}", question.headers);
    (own_page(body["confirm"].as_str().unwrap()), path)
}

async fn a_subscribers_whole_way(w: World) {
    w.until_green().await;
    let own = ask_by_mail(&w).await;
    let first = w.tells().await;
    let (program, path) = ask_by_webhook(&w).await;
    // Looking is not pressing: who has only looked is told of nothing.
    assert_eq!(w.press(&own, &[("components", "web"), ("components", "sms")]).await, 303);
    assert_eq!(w.press(&program, &[]).await, 303);
    assert_eq!(w.press(&own.replace("sub_", "sub_0"), &[]).await, 404);
    assert_eq!(w.press(&format!("{own}x"), &[]).await, 404, "the token counts");

    w.goes_on(first, Phase::Identified, "A disk is full.").await;
    let mail = w.lab.mailbox(ADA).wait_for_mail("A disk is full.", LIMIT).await.unwrap();
    assert_eq!(mail.subject, "[Bugle status] Cause found: Pages are slow");
    let header = |name: &str| mail.headers.iter().find(|(key, _)| key == name).unwrap().1.clone();
    let end = header("list-unsubscribe");
    assert!(end.ends_with(&format!("{own}/unsubscribe>")), "{end}");
    assert_eq!(header("list-unsubscribe-post"), "List-Unsubscribe=One-Click");
    let hooks = w.lab.hooks().wait_for(path, 2, LIMIT).await.unwrap();
    let told: Value = serde_json::from_slice(&hooks[1].body).unwrap();
    assert_eq!((&told["type"], &told["status"]), (&"status.update".into(), &"identified".into()));
    assert_eq!(told["components"], json!(["web"]), "{told}");

    let one_click = [("List-Unsubscribe", "One-Click")];
    assert_eq!(w.press(&format!("{own}/unsubscribe"), &one_click).await, 200);
    w.goes_on(first, Phase::Resolved, "It is over.").await;
    w.lab.hooks().wait_for(path, 3, LIMIT).await.unwrap();
    assert_eq!(w.press(&own, &[]).await, 404, "the address is forgotten");
    assert_eq!(w.press(&format!("{program}/unsubscribe"), &[]).await, 200);
    w.until("nobody is left", || async {
        w.app().subscriber_counts(&w.operator().await).await.unwrap().channels.is_empty()
    })
    .await;
    let mails = w.lab.mailbox(ADA).mails();
    assert_eq!(mails.len(), 2, "the question, and one update: {mails:#?}");
    assert_eq!(w.lab.hooks().at(path).len(), 3, "nothing came twice");
    w.end().await;
}

async fn nobody_is_flooded_by_who_asks_for_them(w: World) {
    w.until_green().await;
    let asks = [("by", "email"), ("address", ADA)];
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(w.press("/status/subscribe", &asks).await);
    }
    assert_eq!(answers[..10], [303; 10], "who asks learns nothing");
    assert_eq!(answers[10..], [429; 2], "too many from one place");
    w.lab.mailbox(ADA).wait_for_mail("Confirm", LIMIT).await.unwrap();
    w.settle().await;
    let mails = w.lab.mailbox(ADA).mails().len();
    assert!((1..=2).contains(&mails), "{mails} questions");
    let wrong = [("by", "webhook"), ("address", "not a url")];
    assert_eq!(w.press("/status/subscribe", &wrong).await, 429);
    w.end().await;
}

/// Somebody who has confirmed, without having been asked.
pub(crate) async fn confirmed(w: &World, number: u128, channel: Channel, address: &str) {
    let asks = Subscriber {
        id: SubscriberId::from_stored(uuid::Uuid::from_u128(1 + number)),
        address: Address::parse(channel, address).unwrap(),
        components: Vec::new(),
        asked_at: w.clock.now(),
        confirmed_at: None,
    };
    w.store.ask_to_subscribe(&asks).await.unwrap();
    w.store.confirm_subscriber(asks.id, &[], w.clock.now()).await.unwrap();
}

/// So many readers of mails.
async fn crowd(w: &World, size: u128) {
    for number in 0..size {
        let address = format!("reader{number}@customer.example");
        confirmed(w, number, Channel::Email, &address).await;
    }
}

/// A program at a host of its own that lets everybody connect and never says anything.
fn hanging_program() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    (format!("http://{}", listener.local_addr().unwrap()), listener)
}

async fn a_program_that_hangs_holds_up_neither_mails_nor_other_programs(w: World) {
    w.until_green().await;
    let (hangs, listener) = hanging_program();
    for number in 0..20 {
        confirmed(&w, 1_000 + number, Channel::Webhook, &format!("{hangs}/{number}")).await;
    }
    let url = w.lab.hook_url("/readers");
    confirmed(&w, 2_000, Channel::Webhook, url.as_str()).await;
    crowd(&w, 32).await;
    let began = Instant::now();
    w.tells().await;
    for number in 0..32 {
        let mailbox = w.lab.mailbox(&format!("reader{number}@customer.example"));
        mailbox.wait_for_mail("Pages are slow", LIMIT).await.unwrap();
    }
    let told = |body: &[u8]| String::from_utf8_lossy(body).contains("status.update");
    w.until("the program that answers is told", || async {
        w.lab.hooks().at("/readers").iter().any(|hook| told(&hook.body))
    })
    .await;
    let took = began.elapsed();
    // 32 updates, 8 each tenth of a second, and few questions; one that hangs takes 5 seconds.
    assert!(took < Duration::from_secs(9), "who hangs held up the others: {took:?}");
    drop(listener);
    w.end().await;
}

async fn many_subscribers_do_not_hold_up_a_page(w: World) {
    w.until_green().await;
    crowd(&w, 500).await;
    w.tells().await;
    w.lab.mailbox("reader1@customer.example").wait_for_mail("Pages are slow", LIMIT).await.unwrap();
    for round in 0..5 {
        let (began, text) = (Instant::now(), format!("db{round} is down"));
        w.post_event("checkout", crate::world::critical(&text)).await;
        w.phone(LENA).wait_for_text(&text, LIMIT).await.unwrap();
        let took = began.elapsed();
        assert!(took < Duration::from_secs(3), "a page waited for subscribers: {took:?}");
    }
    let told = (0..500).map(|number| w.lab.mailbox(&format!("reader{number}@customer.example")));
    let told: usize = told.map(|mailbox| mailbox.mails().len()).sum();
    assert!(told > 0 && told <= 1_000, "{told} mails: an update, and at most a question before it");
    w.end().await;
}

macro_rules! on_each {
    ($($name:ident)*) => { $(mod $name {
        use super::*;

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn sqlite() {
            super::$name(World::watched(None, at_once).await).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn postgres() {
            super::$name(World::watched(Some(new_schema().await), at_once).await).await;
        }
    })* };
}

on_each! {
    a_subscribers_whole_way
    nobody_is_flooded_by_who_asks_for_them
    many_subscribers_do_not_hold_up_a_page
    a_program_that_hangs_holds_up_neither_mails_nor_other_programs
}
