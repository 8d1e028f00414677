//! Tests of the answers to senders.

use super::*;
use crate::problem::FieldError;

fn quota() -> Refusal {
    Refusal::Intake(IntakeError::Quota { per_minute: 60, retry_after_s: 1 })
}

fn overloaded() -> Refusal {
    Refusal::Intake(IntakeError::Overloaded { retry_after_s: 2 })
}

fn wrong() -> Refusal {
    let error = |pointer: &str, message: &str| FieldError {
        pointer: pointer.to_owned(),
        code: "missing".to_owned(),
        message: message.to_owned(),
    };
    Refusal::Wrong(DialectError::Invalid(vec![
        error("/summary", "say what is wrong"),
        error("/source", "say who says so"),
    ]))
}

fn unreadable() -> Refusal {
    Refusal::Wrong(DialectError::Unreadable("expected value at line 1".to_owned()))
}

#[test]
fn each_dialect_answers_with_the_status_its_clients_understand() {
    type Make = fn() -> Refusal;
    let refusals: [(&str, Make); 11] = [
        ("too large", || Refusal::TooLarge),
        ("too slow", || Refusal::TooSlow),
        ("no key", || Refusal::NoKey),
        ("unknown key", || Refusal::UnknownKey),
        ("disabled", || Refusal::Disabled),
        ("wrong", wrong),
        ("unreadable", unreadable),
        ("other body", || Refusal::OtherBody),
        ("over quota", quota),
        ("overloaded", overloaded),
        ("database away", || Refusal::KeysUnavailable),
    ];
    let mut lines = vec!["                native v2  v1  webhook api mail".to_owned()];
    for (name, make) in refusals {
        let [native, v2, v1, webhook, api, mail] =
            Dialect::ALL.map(|dialect| kept_status(dialect, &make()));
        lines.push(format!("{name:15} {native}    {v2} {v1} {webhook}     {api} {mail}"));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
                    native v2  v1  webhook api mail
    too large       413    413 413 413     413 552
    too slow        408    408 408 408     408 451
    no key          401    400 400 401     401 550
    unknown key     401    400 400 401     401 550
    disabled        403    400 400 403     403 550
    wrong           400    400 400 400     400 554
    unreadable      400    400 400 400     400 554
    other body      422    422 422 422     422 554
    over quota      429    429 403 503     503 451
    overloaded      503    429 403 503     503 451
    database away   503    503 503 503     503 451
    ");
}

async fn text(dialect: Dialect, refusal: Refusal, key: Option<&str>) -> String {
    let response = refused(dialect, &refusal, key);
    let wait = response.headers().get(RETRY_AFTER).map(|wait| wait.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    let wait = wait.map(|wait| format!(" after {wait} s")).unwrap_or_default();
    format!("{status}{wait} {}", String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn our_own_errors_are_problems() {
    let native = Dialect::Native;
    insta::assert_snapshot!(text(native, wrong(), None).await, @r#"
    400 {"type":"/docs/errors#invalid_event","title":"Bad Request","status":400,"detail":"say what is wrong; say who says so","code":"invalid_event","errors":[{"pointer":"/summary","code":"missing","message":"say what is wrong"},{"pointer":"/source","code":"missing","message":"say who says so"}]}
    "#);
    insta::assert_snapshot!(text(native, quota(), None).await, @r#"
    429 after 1 s {"type":"/docs/errors#quota_exceeded","title":"Too Many Requests","status":429,"detail":"this integration may send 60 events a minute; retry in 1 s","code":"quota_exceeded"}
    "#);
    insta::assert_snapshot!(text(native, Refusal::UnknownKey, None).await, @r#"
    401 {"type":"/docs/errors#key_unknown","title":"Unauthorized","status":401,"detail":"no integration has this key","code":"key_unknown"}
    "#);
    insta::assert_snapshot!(text(Dialect::AlertmanagerWebhook, overloaded(), None).await, @r#"
    503 after 2 s {"type":"/docs/errors#intake_overloaded","title":"Service Unavailable","status":503,"detail":"too many events at once; retry in 2 s","code":"intake_overloaded"}
    "#);
}

#[tokio::test]
async fn errors_of_pagerduty_are_as_the_real_service_writes_them() {
    let v2 = Dialect::PagerdutyV2;
    insta::assert_snapshot!(text(v2, wrong(), Some("k")).await, @r#"
    400 {"errors":["say what is wrong","say who says so"],"message":"Event object is invalid","status":"invalid event"}
    "#);
    insta::assert_snapshot!(text(v2, unreadable(), None).await, @r#"
    400 {"errors":["JSON parse error"],"message":"Event object format is unrecognized","status":"Unrecognized object"}
    "#);
    insta::assert_snapshot!(text(v2, Refusal::UnknownKey, Some("short")).await, @r#"
    400 {"errors":["Length of 'routing_key' is incorrect (should be 32 characters)"],"message":"Event object is invalid","status":"invalid event"}
    "#);
    insta::assert_snapshot!(text(v2, quota(), None).await, @r#"
    429 after 1 s {"errors":["this integration may send 60 events a minute; retry in 1 s"],"message":"Requests for this service are arriving too quickly.  Please retry later.","status":"throttle exceeded"}
    "#);
    insta::assert_snapshot!(text(v2, Refusal::KeysUnavailable, None).await, @r#"
    503 after 2 s {"errors":["events can't be stored right now; retry later"],"message":"Event could not be stored. Please retry later.","status":"error"}
    "#);
    let v1 = text(Dialect::PagerdutyV1, overloaded(), None).await;
    assert!(v1.starts_with("403") && v1.contains("retry later"), "{v1}");
}

#[tokio::test]
async fn errors_of_alertmanager_are_json_texts() {
    insta::assert_snapshot!(text(Dialect::AlertmanagerApi, wrong(), None).await, @r#"400 "say what is wrong; say who says so""#);
    insta::assert_snapshot!(text(Dialect::AlertmanagerApi, quota(), None).await, @r#"
    503 after 1 s "this integration may send 60 events a minute; retry in 1 s"
    "#);
}
