//! Real processes that are killed and started again: settings of the file that changed meanwhile,
//! and a change or clean-up that was under way.

use std::time::{Duration, Instant};

use bugle_app::Clock;
use bugle_app::store::{Store, SubscriberClaim};
use bugle_domain::SubscriberId;
use bugle_domain::contact::{Address, Channel};
use bugle_engine::status::subscribers::Subscriber;
use bugle_lab::Lab;
use serde_json::{Value, json};

use crate::server::{LIMIT, Server};

/// Providers that nothing is sent to here.
const MAIL: &str = "[providers.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = 1\n\
                    from = \"Bugle <bugle@halden.example>\"\nsecurity = \"none\"\n\
                    [channels]\nemail = [\"mail\"]\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_of_the_file_that_changed_become_a_change_or_are_refused_loudly() {
    let mut server = Server::new(MAIL).await;
    server.configure(&format!("{MAIL}[dispatch]\nparallel = 17\n"));
    server.start().await;
    let passed = |found: &Value| {
        let seen = found["checkpoints"].as_array().into_iter().flatten();
        seen.into_iter().any(|it| it["state"] == "applied_all")
    };
    let change = server.until("/api/v1/changes/1", passed).await;
    assert_eq!(change["author"], "configuration file", "{change:#}");
    let revision = server.get("/api/v1/revisions/2").await;
    assert!(revision["document"].as_str().unwrap().contains("parallel = 17"), "{revision:#}");
    let (status, _) = server.post("/api/v1/changes/undo", json!({})).await;
    assert_eq!(status, 202);
    server.until("/api/v1/changes/1", |found| found["state"] == "undone").await;
    server.method().await;
    server.kill().await;
    // Somebody is reached by mail, and nobody sends it any more.
    server.configure("");
    server.start().await;
    let refused = server.until("/api/v1/changes/2", |found| found["over"] == true).await;
    assert_eq!(refused["state"], "refused", "{refused:#}");
    let why = refused["why"].as_str().unwrap();
    assert!(why.contains("has no provider for email, which is used"), "{why}");
    server.until_logged("a change is refused").await;
    server.kill().await;
    server.start().await;
    server.until_logged("the stages do not run what the configuration file has").await;
    let (runs, good) = (server.get("/readyz").await, server.get("/api/v1/revisions/1").await);
    assert!(good["document"].as_str().unwrap().contains("email"), "{runs:#}");
    server.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_node_is_killed_in_the_middle_of_it_is_gone_on_with() {
    let mut server = Server::new(MAIL).await;
    server.start().await;
    server.until_green(1).await;
    let cases = [
        ("parallel = 256", "parallel = 31", "checked"),
        ("parallel = 256", "parallel = 32", "applied_all"),
    ];
    for (from, to, reached) in cases {
        let how = json!({"reason": "a test", "watch_s": 10});
        let number = server.begin((from, to), how).await;
        let path = format!("/api/v1/changes/{number}");
        let passed = |found: &Value| {
            let seen = found["checkpoints"].as_array().into_iter().flatten();
            seen.into_iter().any(|it| it["state"] == reached)
        };
        let before = server.until(&path, passed).await;
        assert_eq!(before["over"], false, "{before:#}");
        server.kill().await;
        server.start().await;
        let after = server.until(&path, |found| found["over"] == true).await;
        let state = after["state"].as_str().unwrap();
        assert!(["known_good", "undone"].contains(&state), "{after:#}");
        let revision = if state == "known_good" { &after["revision"] } else { &after["previous"] };
        let document = server.get(&format!("/api/v1/revisions/{revision}")).await;
        assert_eq!(document["document"].as_str().unwrap().contains(to), state == "known_good");
        server.until_green(1).await;
    }
    server.kill().await;
}

/// Things go once, whoever is killed; and all of them come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_up_whose_node_is_killed_in_the_middle_of_it_is_gone_on_with() {
    let mut server = Server::new(MAIL).await;
    server.start().await;
    for number in 0..350 {
        let (name, email) = (format!("Gone {number}"), format!("gone{number}@halden.example"));
        let user = json!({"name": name, "email": email, "role": "viewer", "disabled": true});
        let (status, made) = server.post("/api/v1/users", user).await;
        assert!(status < 300, "{made:#}");
    }
    let wanted = json!({"what": "users", "apply": true, "reason": "left"});
    assert_eq!(server.post("/api/v1/clean-ups", wanted).await.0, 202);
    let path = "/api/v1/clean-ups/1";
    let some = |it: &Value, part: &str| (1..350).contains(&it[part].as_i64().unwrap());
    server.until(path, |it| some(it, "removed")).await;
    server.kill().await;
    server.start().await;
    let done = server.until(path, |it| it["state"] == "removed").await;
    assert_eq!((&done["removed"], &done["left"]), (&json!(350), &json!(0)), "{done:#}");
    let back = json!({"reason": "they came back"});
    assert_eq!(server.post(&format!("{path}/restore"), back).await.0, 202);
    server.until(path, |it| some(it, "restored")).await;
    server.kill().await;
    server.start().await;
    let back = server.until(path, |it| it["state"] == "restored").await;
    assert_eq!(back["restored"], 350, "{back:#}");
    server.kill().await;
}

/// Readers of mails, and programs.
const MAILS: u128 = 200;
const PROGRAMS: u128 = 100;
/// Messages that are under way at once, by each of the two.
const UNDER_WAY: usize = 8;

fn reader(number: u128) -> String {
    format!("reader{number}@customer.example")
}

/// Subscribers that have confirmed and were asked back before.
async fn subscribe(store: &Store, lab: &Lab) {
    let now = Clock::system().now();
    for number in 0..MAILS + PROGRAMS {
        let address = if number < MAILS {
            Address::parse(Channel::Email, &reader(number))
        } else {
            Address::parse(Channel::Webhook, lab.hook_url(&format!("/{number}")).as_str())
        };
        let asks = Subscriber {
            id: SubscriberId::from_stored(uuid::Uuid::from_u128(1 + number)),
            address: address.unwrap(),
            components: Vec::new(),
            asked_at: now,
            confirmed_at: None,
        };
        store.ask_to_subscribe(&asks).await.unwrap();
        store.confirm_subscriber(asks.id, &[], now).await.unwrap();
    }
    for channel in [Channel::Email, Channel::Webhook] {
        let takes = |_: &Address, _: &[_]| true;
        let claim = SubscriberClaim { channel, limit: 1_000, takes: &takes, else_at: now };
        for question in store.claim_subscriber_messages(&claim, now).await.unwrap() {
            store.end_subscriber_message(&question).await.unwrap();
        }
    }
}

/// How often each of them was told.
fn told(lab: &Lab) -> Vec<usize> {
    let mails = (0..MAILS).map(|number| lab.mailbox(&reader(number)).mails().len());
    let programs = MAILS..MAILS + PROGRAMS;
    mails.chain(programs.map(|number| lab.hooks().at(&format!("/{number}")).len())).collect()
}

async fn until_told(lab: &Lab, server: &Server, enough: usize) {
    let began = Instant::now();
    loop {
        let came: usize = told(lab).iter().sum();
        if came >= enough {
            return;
        }
        assert!(began.elapsed() < LIMIT, "{came} of {enough} were told: {}", server.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Killed in the middle of telling subscribers, it goes on with those it had not begun to tell.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_are_told_at_most_once_whoever_is_killed() {
    let lab = Lab::start(Clock::system()).await.unwrap();
    let port = format!("port = {}\n", lab.smtp_addr().port());
    let config = format!(
        "{}[channels.webhook]\nallow = [\"127.0.0.0/8\"]\n",
        MAIL.replace("port = 1\n", &port)
    );
    let mut server = Server::new(&config).await;
    let store = server.store().await;
    subscribe(&store, &lab).await;
    store.close().await;
    server.start().await;
    let trouble = json!({
        "title": "Pages are slow", "text": "We look into it.", "components": ["web"],
        "state": "degraded_performance",
    });
    let (status, made) = server.post("/api/v1/bulletins", trouble).await;
    assert_eq!(status, 201, "{made:#}");
    until_told(&lab, &server, 60).await;
    server.kill().await;
    let before: usize = told(&lab).iter().sum();
    let all = told(&lab).len();
    assert!(before < all, "it was killed too late");
    server.start().await;
    until_told(&lab, &server, all - 2 * UNDER_WAY).await;
    // Whatever else comes is there soon: five rounds of those who send.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let often = told(&lab);
    let untold = often.iter().filter(|times| **times == 0).count();
    assert!(often.iter().all(|times| *times <= 1), "somebody was told twice: {often:?}");
    assert!(untold <= 2 * UNDER_WAY, "{untold} were not told");
    server.kill().await;
    lab.stop().await;
}
