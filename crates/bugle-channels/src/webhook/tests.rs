//! A webhook's request as it leaves.

use bugle_domain::contact::{Address, Channel};
use bugle_domain::{NotificationId, TenantId};

use super::*;
use crate::message::Content;

#[track_caller]
fn request_of(id: &str, secret: &str, possible_repeat: bool) -> Result<Request<Bytes>, String> {
    let now = Timestamp::from_second(1_614_265_330).unwrap();
    let url = Url::parse("https://hooks.example/bugle?team=a").unwrap();
    let body = Bytes::from_static(br#"{"test": 2432232314}"#);
    let secret = SecretString::from(secret);
    let message = Outgoing {
        notification: NotificationId::new(now, [7; 10]),
        tenant: TenantId::new(now, [1; 10]),
        address: Address::parse(Channel::Webhook, url.as_str()).unwrap(),
        content: Content::Voice,
        possible_repeat,
        validity_s: 300,
    };
    request(&message, Payload { url: &url, id, body: &body, secret: &secret }, now)
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn a_request_is_signed_over_its_id_time_and_body() {
    let request = request_of("msg_p5jXN8AQM9LWM0D4loKWxJek", SECRET, false).unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "https://hooks.example/bugle?team=a");
    let headers: Vec<String> = request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    insta::assert_snapshot!(headers.join("\n").replace(AGENT, "Bugle/VERSION"), @r"
    content-type: application/json
    user-agent: Bugle/VERSION
    webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek
    webhook-timestamp: 1614265330
    webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=
    ");
}

#[test]
fn a_repeat_says_so() {
    let request = request_of("ntf_1", SECRET, true).unwrap();
    assert_eq!(request.headers()["bugle-possible-repeat"], "true");
}

#[test]
fn a_bad_secret_or_id_is_not_sent() {
    assert!(request_of("ntf_1", "whsec_abc", false).is_err());
    assert!(request_of("ntf_1\r\nX: y", SECRET, false).is_err());
}
