//! Events by every way in, to the answer that its clients need.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;

use crate::world::{KEY, World};

const BEARER: (&str, &str) = ("authorization", "Bearer 0123456789abcdef0123456789abcdef");

#[tokio::test]
async fn an_event_is_accepted_with_its_id_and_a_link() {
    let world = World::new().await;
    let answer = world.post("/api/v1/events", &[BEARER], r#"{"summary":"disk full"}"#).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let body = answer.json();
    let id = body["id"].as_str().unwrap();
    assert!(id.starts_with("evt_"));
    assert_eq!(body["url"], format!("http://bugle.test/events/{id}"));
    assert_eq!(body["dedup_key"], id.strip_prefix("evt_").unwrap());
    assert_eq!(world.accepted().await, 1);
}

#[tokio::test]
async fn a_retry_with_the_same_idempotency_key_is_answered_as_the_first() {
    let world = World::new().await;
    let headers = [BEARER, ("idempotency-key", "deploy-7")];
    let body = r#"{"summary":"disk full"}"#;
    let first = world.post("/api/v1/events", &headers, body).await;
    let again = world.post("/api/v1/events/", &headers, body).await;
    assert_eq!((again.status, &again.text), (StatusCode::ACCEPTED, &first.text));
    assert!(first.headers.get("idempotency-replayed").is_none());
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = world.post("/api/v1/events", &headers, r#"{"summary":"other"}"#).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.json()["code"], "idempotency_key_reused");
    assert_eq!(world.accepted().await, 1);
}

#[tokio::test]
async fn real_clients_get_the_answers_they_need() {
    let world = World::new().await;
    let v2 = |key: &str| json!({"status":"success","message":"Event processed","dedup_key":key});
    for (fixture, key) in [
        ("pagerduty_py_trigger_all_fields", "disk/db1"),
        ("pagerduty_py_acknowledge", "disk/db1"),
        ("pagerduty_py_resolve", "disk/db1"),
    ] {
        let answer = world.replay(fixture, "", "").await;
        assert_eq!((answer.status, answer.json()), (StatusCode::ACCEPTED, v2(key)), "{fixture}");
    }
    let made_up = world.replay("pagerduty_py_trigger", "", "").await;
    assert_eq!(made_up.json()["dedup_key"].as_str().unwrap().len(), 32);
    let change = world.replay("pagerduty_py_change", "", "").await;
    let body = json!({"status":"success","message":"Change event processed"});
    assert_eq!((change.status, change.json()), (StatusCode::ACCEPTED, body));
    // Trailing slashes, answered at once and not redirected.
    let pypd = world.replay("pypd_v2", &"R".repeat(32), KEY).await;
    assert_eq!((pypd.status, pypd.json()), (StatusCode::ACCEPTED, v2("k1")));
    let pypd = world.replay("pypd_v1", &"S".repeat(32), KEY).await;
    let v1 = json!({"status":"success","message":"Event processed","incident_key":"i1"});
    assert_eq!((pypd.status, pypd.json()), (StatusCode::OK, v1));
    let alertmanager = world.replay("alertmanager_pagerduty_v1_trigger", "", "").await;
    assert_eq!(alertmanager.status, StatusCode::OK);
    let alertmanager = world.replay("alertmanager_pagerduty_v2_trigger", "", "").await;
    assert_eq!(alertmanager.status, StatusCode::ACCEPTED);
    assert_eq!(world.accepted().await, 9);
}

#[tokio::test]
async fn alertmanager_and_prometheus_get_the_answers_they_need() {
    let world = World::new().await;
    let webhook = world.replay("alertmanager_webhook_firing", "Bearer sekret", BEARER.1).await;
    assert_eq!((webhook.status, webhook.json()["events"].as_i64()), (StatusCode::OK, Some(2)));
    let in_url = format!("token={KEY}");
    let resolved = world.replay("alertmanager_webhook_resolved", "token=abc", &in_url).await;
    assert_eq!(resolved.status, StatusCode::UNAUTHORIZED, "a wrong header is not passed over");
    let prometheus = world.replay("prometheus_firing", "Bearer KEY", BEARER.1).await;
    assert_eq!((prometheus.status, prometheus.text.as_str()), (StatusCode::OK, ""));
    let amtool = Request::post(format!("/api/v2/alerts?token={KEY}"))
        .body(Body::from(r#"[{"labels":{"alertname":"Foo"}}]"#))
        .unwrap();
    assert_eq!(world.send(amtool).await.status, StatusCode::OK);
    assert_eq!(world.accepted().await, 4);
}

#[tokio::test]
async fn a_key_that_nobody_has_is_refused_in_each_dialect() {
    let world = World::new().await;
    let bad = ("authorization", "Bearer nobody");
    let native = world.post("/api/v1/events", &[bad], r#"{"summary":"x"}"#).await;
    assert_eq!(native.status, StatusCode::UNAUTHORIZED);
    assert_eq!(native.headers["content-type"], "application/problem+json");
    let v2 = world.replay("pypd_v2", "", "").await;
    assert_eq!(v2.status, StatusCode::BAD_REQUEST);
    assert_eq!(v2.json()["errors"][0], "Invalid routing key");
    let api = world.post("/api/v2/alerts", &[bad], "[]").await;
    assert_eq!(api.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.accepted().await, 0);
}

#[tokio::test]
async fn too_much_is_answered_so_that_clients_come_again() {
    let world = World::with(1, false).await;
    let one = || world.post("/api/v1/events", &[BEARER], r#"{"summary":"x"}"#);
    assert_eq!(one().await.status, StatusCode::ACCEPTED);
    let over = one().await;
    assert_eq!(over.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(over.json()["code"], "quota_exceeded");
    assert!(over.headers.contains_key("retry-after"));
    let webhook = r#"{"alerts":[{"labels":{"severity":"warning"}}]}"#;
    let webhook = world.post("/alertmanager/webhook", &[BEARER], webhook).await;
    assert_eq!(webhook.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let world = World::new().await;
    let long = format!(r#"{{"summary":"{}"}}"#, "x".repeat(600_000));
    let answer = world.post("/api/v1/events", &[BEARER], &long).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let below = format!(r#"{{"summary":"{}"}}"#, "x".repeat(500_000));
    let answer = world.post("/api/v1/events", &[BEARER], &below).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_disabled_integration_takes_nothing() {
    let world = World::with(100, true).await;
    let answer = world.post("/api/v1/events", &[BEARER], r#"{"summary":"x"}"#).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.json()["code"], "integration_disabled");
}

#[tokio::test]
async fn other_methods_are_told_which_are_allowed() {
    let world = World::new().await;
    for (method, path, allow) in [
        ("QUERY", "/v2/enqueue", "POST"),
        ("GET", "/v2/enqueue/", "POST"),
        ("DELETE", "/api/v1/events", "POST,GET,HEAD"),
        ("PATCH", "/api/v1/teams", "GET,HEAD,POST"),
        ("POST", "/livez", "GET,HEAD"),
    ] {
        let request = Request::builder().method(method).uri(path);
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        let mut given: Vec<_> = answer.headers["allow"].to_str().unwrap().split(',').collect();
        let mut wanted: Vec<_> = allow.split(',').collect();
        given.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(given, wanted, "{method} {path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_under_the_api() {
    let world = World::new().await;
    let request = Request::get("/api/v1/nothing").body(Body::empty()).unwrap();
    let answer = world.send(request).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let body = answer.json();
    assert_eq!(body["code"], "no_such_route");
    assert_eq!(body["type"], "/docs/errors#no_such_route");
    let request_id = answer.headers["x-request-id"].to_str().unwrap();
    assert_eq!(body["instance"], request_id);
    assert!(request_id.starts_with("req_"));
}

#[tokio::test]
async fn amtool_reads_back_what_it_added() {
    let world = World::new().await;
    let status = world.replay("amtool_status", "", "").await;
    assert_eq!(status.status, StatusCode::OK);
    for field in ["cluster", "config", "uptime", "versionInfo"] {
        assert!(!status.json()[field].is_null(), "{field}");
    }
    let path = format!("/api/v2/alerts?token={KEY}");
    let added = world.post(&path, &[], r#"[{"labels":{"alertname":"Foo","a":"b"}}]"#).await;
    assert_eq!(added.status, StatusCode::OK);
    world.until_decided().await;
    let query = "active=true&inhibited=false&silenced=false&unprocessed=false";
    let get = |filter: &str| {
        let uri = format!("{path}&{query}{filter}");
        world.send(Request::get(uri).body(Body::empty()).unwrap())
    };
    let found = get("").await;
    let alerts = found.json();
    assert_eq!(alerts.as_array().unwrap().len(), 1, "{}", found.text);
    assert_eq!(alerts[0]["labels"], json!({"alertname":"Foo","a":"b"}));
    for field in
        ["annotations", "endsAt", "fingerprint", "receivers", "startsAt", "status", "updatedAt"]
    {
        assert!(!alerts[0][field].is_null(), "{field}");
    }
    assert_eq!(get("&filter=alertname%3D%22Foo%22").await.json(), alerts);
    assert_eq!(get("&filter=alertname%3D%22Bar%22").await.json(), json!([]));
    let stranger = Request::get("/api/v2/alerts").body(Body::empty()).unwrap();
    assert_eq!(world.send(stranger).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_rejected_request_is_noted_with_its_reason() {
    let world = World::new().await;
    world.post("/api/v1/events", &[BEARER], r#"{"severity":"severe"}"#).await;
    let noted = world.rejected().await;
    assert_eq!((noted.status, noted.code.as_str()), (400, "invalid_event"));
    assert_eq!(noted.raw, br#"{"severity":"severe"}"#);
    assert!(noted.detail.contains("critical, high, medium, low or info"), "{}", noted.detail);
}

#[tokio::test]
async fn readiness_says_what_it_looked_at() {
    let world = World::new().await;
    let request = Request::get("/readyz").body(Body::empty()).unwrap();
    let answer = world.send(request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let names: Vec<_> = answer.json()["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|condition| condition["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["database", "workers", "stages", "operators", "running"]);
}
