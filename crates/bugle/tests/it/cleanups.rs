//! Clean-ups: what nothing uses goes in small steps, what is used stays, and all of it comes back.

use bugle_domain::stage::Stage;
use bugle_engine::cleanup::{GRACE, IDLE};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::changes::view;
use crate::on_each_database;
use crate::world::{LENA, LIMIT, World};

on_each_database! {
    a_user_that_nothing_names_goes_and_comes_back
    an_integration_whose_sender_still_knocks_stays
    an_integration_with_an_open_alert_stays
    a_clean_up_of_many_users_does_not_hold_up_a_page
    a_clean_up_is_taken_back_when_the_watch_turns_red
    a_provider_that_nothing_goes_through_goes_by_a_change_and_comes_back
    a_provider_that_is_new_or_the_last_of_its_channel_stays
    a_clean_up_of_providers_whose_change_turns_red_took_nothing
}

async fn person(w: &World, name: &str, email: &str) -> String {
    let made =
        w.post("/api/v1/users", json!({"name": name, "email": email, "role": "viewer"})).await;
    made["user"]["id"].as_str().or(made["id"].as_str()).unwrap().to_owned()
}

/// Disabled, behind everything that only people use.
async fn disabled(w: &World, name: &str, email: &str) {
    let id = person(w, name, email).await;
    let body = json!({"name": name, "email": email, "role": "viewer", "disabled": true});
    assert!(w.put(&format!("/api/v1/users/{id}"), body).await < 300);
}

async fn names(w: &World, kind: &str) -> Vec<String> {
    let found = w.get(&format!("/api/v1/{kind}?limit=200")).await;
    let found = found["data"].as_array().unwrap().iter();
    found.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

/// Lets seconds pass, while the watch says so, until a clean-up stands there.
async fn pass_until(w: &World, number: i64, state: &str, broken: Option<Stage>) -> Value {
    let path = format!("/api/v1/clean-ups/{number}");
    for _ in 0..600 {
        let found = w.get(&path).await;
        if found["state"] == state {
            return found;
        }
        second(w, broken).await;
    }
    panic!("never came to {state}: {:#}", w.get(&path).await);
}

/// A second passes, while the watch says so.
async fn second(w: &World, broken: Option<Stage>) {
    w.app().feed_watch(view(w.node_id(), w.clock.now(), broken));
    w.clock.push(SignedDuration::from_secs(1));
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
}

/// Who sends texts by the newest revision.
async fn texts(w: &World) -> String {
    let revisions = w.get("/api/v1/revisions").await;
    let newest = revisions["data"][0]["number"].as_i64().unwrap();
    let revision = w.get(&format!("/api/v1/revisions/{newest}")).await;
    let document = revision["document"].as_str().unwrap().to_owned();
    let mut of_texts = document.lines().skip_while(|line| *line != "[channels.sms]");
    of_texts.find(|line| line.starts_with("providers")).unwrap().to_owned()
}

async fn plan(w: &World) -> Value {
    w.try_post("/api/v1/clean-ups", json!({"what": "providers"})).await.1
}

/// What speaks against a provider; `None`: it goes.
fn against(plan: &Value, name: &str) -> Option<String> {
    let of = |list: &str| plan[list].as_array().unwrap().iter().find(|it| it["name"] == name);
    assert!(of("goes").is_some() || of("stays").is_some(), "{plan:#}");
    of("stays").map(|it| it["against"].to_string())
}

/// A month later: only the first provider of texts has been used of late.
async fn a_month_later(w: &World) {
    w.until("they are known", || async { plan(w).await.to_string().contains("it was named") })
        .await;
    w.clock.push(IDLE + SignedDuration::from_hours(1));
    w.trigger("db1 is down").await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    w.until("its use is noted", || async {
        against(&plan(w).await, "simulated (sms)").is_some_and(|why| why.contains("last day"))
    })
    .await;
}

const SPARE: &str = "simulated_spare (sms)";

async fn a_provider_that_nothing_goes_through_goes_by_a_change_and_comes_back(w: World) {
    a_month_later(&w).await;
    let planned = plan(&w).await;
    assert_eq!(against(&planned, SPARE), None, "{planned:#}");
    let both = texts(&w).await;
    let wanted = json!({"what": "providers", "apply": true, "reason": "we pay for nothing"});
    let (status, begun) = w.try_post("/api/v1/clean-ups", wanted.clone()).await;
    assert_eq!(status, 202, "{begun:#}");
    w.until("its change is under way", || async {
        w.get("/api/v1/clean-ups/1").await["removed_by_change"] == 1
    })
    .await;
    let (status, second) = w.try_post("/api/v1/clean-ups", wanted).await;
    assert_eq!((status, second["code"].as_str()), (409, Some("change_under_way")), "{second:#}");
    let done = pass_until(&w, 1, "removed", None).await;
    assert!(done["kept"].to_string().contains(SPARE), "{done:#}");
    assert_eq!(done["removed"], planned["going"], "{done:#}");
    let change = w.get("/api/v1/changes/1").await;
    assert_eq!(change["state"], "known_good", "{change:#}");
    assert_eq!(texts(&w).await, "providers = [\"simulated\"]");
    let back = json!({"reason": "it is our spare"});
    assert_eq!(w.try_post("/api/v1/clean-ups/1/restore", back).await.0, 202);
    let done = pass_until(&w, 1, "restored", None).await;
    assert_eq!((&done["restored"], &done["restored_by_change"]), (&done["removed"], &json!(2)));
    assert_eq!(texts(&w).await, both);
    assert!(against(&plan(&w).await, SPARE).unwrap().contains("it was named"), "it is new again");
    w.end().await;
}

async fn a_provider_that_is_new_or_the_last_of_its_channel_stays(w: World) {
    w.until("they are known", || async { plan(&w).await.to_string().contains("it was named") })
        .await;
    w.clock.push(IDLE + SignedDuration::from_hours(1));
    let planned = plan(&w).await;
    let first = against(&planned, "simulated (sms)").unwrap();
    assert!(first.contains("nobody else would serve sms"), "{first}");
    assert!(first.contains("sms is needed") && first.contains("Halden Freight"), "{first}");
    assert_eq!(against(&planned, SPARE), None, "{planned:#}");
    w.end().await;
}

async fn a_clean_up_of_providers_whose_change_turns_red_took_nothing(w: World) {
    a_month_later(&w).await;
    let before = w.get("/api/v1/revisions").await["known_good"].clone();
    let wanted = json!({"what": "providers", "apply": true, "reason": "unused, they say"});
    assert_eq!(w.try_post("/api/v1/clean-ups", wanted).await.0, 202);
    w.until("its change is under way", || async {
        w.get("/api/v1/clean-ups/1").await["removed_by_change"] == 1
    })
    .await;
    while w.get("/api/v1/changes/1").await["state"] != "applied_all" {
        second(&w, None).await;
    }
    let done = pass_until(&w, 1, "restored", Some(Stage::Dispatch)).await;
    assert_eq!((&done["removed"], &done["restored"]), (&json!(0), &json!(0)), "{done:#}");
    assert_eq!(done["restored_by"], "the guard of changes", "{done:#}");
    assert_eq!(w.get("/api/v1/revisions").await["known_good"], before);
    w.end().await;
}

async fn until(w: &World, number: i64, state: &str) -> Value {
    let path = format!("/api/v1/clean-ups/{number}");
    w.until(state, || async { w.get(&path).await["state"] == state }).await;
    w.get(&path).await
}

async fn a_user_that_nothing_names_goes_and_comes_back(w: World) {
    disabled(&w, "Gone Person", "gone@halden.example").await;
    let plan = json!({"what": "users"});
    let (status, planned) = w.try_post("/api/v1/clean-ups", plan.clone()).await;
    assert_eq!((status, &planned["going"]), (200, &json!(1)), "{planned:#}");
    assert_eq!(planned["goes"][0]["name"], "Gone Person");
    assert!(names(&w, "users").await.contains(&"Gone Person".to_owned()), "it was a plan");
    let nameless = json!({"what": "users", "apply": true});
    assert_eq!(w.try_post("/api/v1/clean-ups", nameless).await.0, 422, "a reason is needed");
    let wanted = json!({"what": "users", "apply": true, "reason": "left"});
    assert_eq!(w.try_post("/api/v1/clean-ups", wanted).await.0, 202);
    let done = until(&w, 1, "removed").await;
    assert_eq!((&done["removed"], &done["left"]), (&json!(1), &json!(0)), "{done:#}");
    assert_eq!(done["kept"][0]["name"], "Gone Person");
    assert!(!names(&w, "users").await.contains(&"Gone Person".to_owned()));
    let back = json!({"reason": "they came back"});
    assert_eq!(w.try_post("/api/v1/clean-ups/1/restore", back.clone()).await.0, 202);
    until(&w, 1, "restored").await;
    assert!(names(&w, "users").await.contains(&"Gone Person".to_owned()));
    let (status, late) = w.try_post("/api/v1/clean-ups/1/restore", back).await;
    assert_eq!((status, late["code"].as_str()), (409, Some("clean_up_too_late")));
    w.end().await;
}

/// Disables the integration of the checkout.
async fn disable_checkout(w: &World) {
    let found = w.get("/api/v1/integrations").await;
    let all = found["data"].as_array().unwrap();
    let checkout = all.iter().find(|it| it["name"] == "checkout").unwrap();
    let path = format!("/api/v1/integrations/{}", checkout["id"].as_str().unwrap());
    let body = json!({
        "name": "checkout", "dialect": checkout["dialect"], "service": checkout["service"],
        "disabled": true,
    });
    assert!(w.put(&path, body).await < 300);
}

/// Whether an open alert speaks against the only candidate.
async fn an_alert_holds_it(w: &World) -> bool {
    let (_, planned) = w.try_post("/api/v1/clean-ups", json!({"what": "integrations"})).await;
    let all =
        planned["goes"].as_array().unwrap().iter().chain(planned["stays"].as_array().unwrap());
    let against: Vec<Value> =
        all.flat_map(|it| it["against"].as_array().unwrap().clone()).collect();
    against.contains(&json!("1 of its alerts is open"))
}

async fn an_integration_with_an_open_alert_stays(w: World) {
    w.trigger("db1 is down").await;
    w.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    disable_checkout(&w).await;
    w.clock.push(IDLE + SignedDuration::from_hours(1));
    assert!(an_alert_holds_it(&w).await);
    w.post("/api/v1/alerts/1/resolve", json!({})).await;
    assert!(!an_alert_holds_it(&w).await);
    w.end().await;
}

async fn an_integration_whose_sender_still_knocks_stays(w: World) {
    w.trigger("db1 is down").await;
    disable_checkout(&w).await;
    let plan = json!({"what": "integrations"});
    let (_, planned) = w.try_post("/api/v1/clean-ups", plan.clone()).await;
    assert_eq!((&planned["going"], &planned["left"]), (&json!(0), &json!(1)), "{planned:#}");
    let against = planned["stays"][0]["against"][0].as_str().unwrap();
    assert_eq!(against, "it was used within the last day");
    let wanted = json!({"what": "integrations", "apply": true, "reason": "unused, they say"});
    w.try_post("/api/v1/clean-ups", wanted).await;
    let done = until(&w, 1, "removed").await;
    assert_eq!((&done["removed"], &done["left"]), (&json!(0), &json!(1)), "{done:#}");
    assert!(names(&w, "integrations").await.contains(&"checkout".to_owned()));
    w.clock.push(IDLE.max(GRACE) + SignedDuration::from_secs(1));
    until(&w, 1, "purged").await;
    w.settle().await;
    w.end().await;
}

async fn a_clean_up_of_many_users_does_not_hold_up_a_page(w: World) {
    w.add_disabled_users(1_000).await;
    let wanted = json!({"what": "users", "apply": true, "reason": "expired"});
    assert_eq!(w.try_post("/api/v1/clean-ups", wanted).await.0, 202);
    for round in 0..5 {
        let began = std::time::Instant::now();
        let event = json!({
            "action": "trigger", "summary": format!("db{round} is down"),
            "severity": "critical", "source": "test", "dedup_key": format!("db{round}"),
        });
        w.post_event("checkout", event).await;
        let text = format!("db{round} is down");
        w.clock.push(SignedDuration::from_secs(30));
        w.phone(LENA).wait_for_text(&text, LIMIT).await.unwrap();
        assert!(began.elapsed().as_secs() < 5, "a page waited for the clean-up");
    }
    let done = until(&w, 1, "removed").await;
    assert_eq!(done["removed"], 1_000, "{done:#}");
    w.end().await;
}

async fn a_clean_up_is_taken_back_when_the_watch_turns_red(w: World) {
    let say = |broken| w.app().feed_watch(view(w.node_id(), w.clock.now(), broken));
    w.add_disabled_users(1_000).await;
    let wanted = json!({"what": "users", "apply": true, "reason": "expired"});
    let plan = json!({"what": "users"});
    let known =
        || async { w.try_post("/api/v1/clean-ups", plan.clone()).await.1["going"] == 1_000 };
    w.until("they are known", known).await;
    say(Some(Stage::Dispatch));
    let (status, refused) = w.try_post("/api/v1/clean-ups", wanted.clone()).await;
    assert_eq!((status, refused["code"].as_str()), (409, Some("clean_up_red")), "{refused:#}");
    say(None);
    assert_eq!(w.try_post("/api/v1/clean-ups", wanted).await.0, 202);
    let path = "/api/v1/clean-ups/1";
    w.until("it is under way", || async { w.get(path).await["removed"] != 0 }).await;
    say(Some(Stage::Dispatch));
    let done = until(&w, 1, "restored").await;
    let removed = done["removed"].as_i64().unwrap();
    assert!(removed > 0 && removed < 1_000, "{done:#}");
    assert_eq!(done["restored"], done["removed"], "{done:#}");
    assert_eq!(done["restored_by"], "the watch", "{done:#}");
    w.end().await;
}
