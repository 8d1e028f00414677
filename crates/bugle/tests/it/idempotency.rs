//! A change that is sent again under its `Idempotency-Key` is made once.

use serde_json::json;

use crate::on_each_database;
use crate::world::World;

on_each_database! {
    what_is_sent_twice_is_made_once_and_answered_twice
    a_key_with_another_body_is_refused
    what_failed_to_be_valid_is_answered_again
    a_secret_is_shown_once_and_never_kept
    a_key_outlives_a_restart
}

const NOTES: &str = "/api/v1/alerts/1/notes";

async fn what_is_sent_twice_is_made_once_and_answered_twice(w: World) {
    w.trigger("db1 is down").await;
    let first = w.post_keyed(NOTES, "note-1", json!({ "text": "looking" })).await;
    let again = w.post_keyed(NOTES, "note-1", json!({ "text": "looking" })).await;
    assert_eq!((first.status, first.replayed), (201, false), "{}", first.body);
    assert_eq!((again.status, again.replayed), (201, true), "{}", again.body);
    assert_eq!(again.body, first.body);
    let other = w.post_keyed(NOTES, "note-2", json!({ "text": "looking" })).await;
    assert!(!other.replayed);
    let alert = w.get("/api/v1/alerts/1").await.to_string();
    assert_eq!(alert.matches("looking").count(), 2, "{alert}");
    w.end().await;
}

async fn a_key_with_another_body_is_refused(w: World) {
    let team = |name: &str| json!({ "name": name });
    let first = w.post_keyed("/api/v1/teams", "k", team("Payments")).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let other = w.post_keyed("/api/v1/teams", "k", team("Billing")).await;
    assert_eq!((other.status, &other.body["code"]), (422, &json!("idempotency_key_reused")));
    let elsewhere = w.post_keyed("/api/v1/services", "k", team("Billing")).await;
    assert_eq!(elsewhere.status, 201, "{}", elsewhere.body);
    w.end().await;
}

async fn what_failed_to_be_valid_is_answered_again(w: World) {
    for replayed in [false, true] {
        let answer = w.post_keyed("/api/v1/teams", "k", json!({ "name": "" })).await;
        assert_eq!((answer.status, answer.replayed), (422, replayed), "{}", answer.body);
        assert_eq!(answer.body["code"], "invalid");
    }
    w.end().await;
}

async fn a_secret_is_shown_once_and_never_kept(w: World) {
    let key = json!({ "name": "deploys", "role": "viewer" });
    let first = w.post_keyed("/api/v1/api-keys", "k", key.clone()).await;
    let secret = first.body["secret"].as_str().unwrap();
    assert!(secret.starts_with("bgl_live_"));
    let again = w.post_keyed("/api/v1/api-keys", "k", key).await;
    assert_eq!((again.status, &again.body["code"]), (409, &json!("idempotency_answer_not_kept")));
    assert!(!again.body.to_string().contains(secret));
    let keys = w.get("/api/v1/api-keys").await.to_string();
    assert_eq!(keys.matches("deploys").count(), 1, "{keys}");
    w.end().await;
}

async fn a_key_outlives_a_restart(mut w: World) {
    let team = json!({ "name": "Payments" });
    let first = w.post_keyed("/api/v1/teams", "k", team.clone()).await;
    w.down_for(60).await;
    let again = w.post_keyed("/api/v1/teams", "k", team.clone()).await;
    assert_eq!((again.status, again.replayed, again.body), (201, true, first.body));
    w.down_for(86_400).await;
    let forgotten = w.post_keyed("/api/v1/teams", "k", team).await;
    assert_eq!((forgotten.status, forgotten.replayed), (422, false), "the name is taken");
    w.end().await;
}
