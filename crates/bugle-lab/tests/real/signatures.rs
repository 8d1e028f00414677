//! Our signatures, and the lab's, as others read them.

use std::time::Duration;

use bugle_app::Clock;
use bugle_channels::{
    Channels, Content, Limits, Outgoing, Roots, Settings, TwilioSettings, WebhookSettings,
};
use bugle_domain::contact::{Address, Channel};
use bugle_domain::{NotificationId, TenantId};
use bugle_lab::{Hook, Lab};
use serde_json::json;
use tokio::time::Instant;

use crate::python::Python;

const LIMIT: Duration = Duration::from_secs(10);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn channels(lab: &Lab) -> Channels {
    let limits = Limits { connect: LIMIT, request: LIMIT, rate: None };
    let account = lab.account();
    let settings = Settings {
        email: Vec::new(),
        sms: vec![TwilioSettings {
            name: "texts".to_owned(),
            api_base: lab.twilio_base(),
            account_sid: account.sid.to_owned(),
            auth_token: account.token.into(),
            callback_keys: Vec::new(),
            from: account.number.to_owned(),
            limits,
        }],
        voice: Vec::new(),
        webhook: WebhookSettings { allow: vec!["127.0.0.0/8".parse().unwrap()], limits },
        roots: Roots::default(),
    };
    Channels::new(settings, lab.hook_url("/")).unwrap()
}

/// Sends now, so that the time in the signature is believed.
async fn send(channels: &Channels, address: Address, content: Content) -> NotificationId {
    let now = Clock::system().now();
    let message = Outgoing {
        notification: NotificationId::new(now, [7; 10]),
        tenant: TenantId::new(now, [1; 10]),
        address,
        content,
        possible_repeat: false,
        validity_s: 300,
    };
    channels.send(&message, Instant::now() + LIMIT, now).await;
    message.notification
}

fn params(hook: &Hook) -> Vec<(String, String)> {
    let body = String::from_utf8_lossy(&hook.body).into_owned();
    let url: reqwest::Url = format!("http://x/?{body}").parse().unwrap();
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn an_independent_library_believes_our_webhooks() {
    let lab = Lab::start(Clock::system()).await.unwrap();
    let channels = channels(&lab);
    let address = Address::Webhook(lab.hook_url("/alerts"));
    let body = r#"{"type":"alert.opened","text":"Łódź 14 %"}"#;
    let id = "ntf_1".to_owned();
    let content = Content::Webhook { id, body: body.as_bytes().into(), secret: SECRET.into() };
    send(&channels, address, content).await;
    let hook = lab.hooks().wait_for("/alerts", 1, LIMIT).await.unwrap().remove(0);
    let mut python = Python::start("signatures.py", &[]);
    let question = |body: &str| {
        let headers = &hook.headers;
        json!({ "kind": "webhook", "secret": SECRET, "headers": headers, "body": body })
    };
    let received = String::from_utf8_lossy(&hook.body).into_owned();
    assert_eq!(python.ask(&question(&received)).await, json!({ "ok": true }));
    assert_eq!(python.ask(&question(&received.replace("14", "15"))).await["ok"], false);
    lab.stop().await;
}

#[tokio::test]
async fn twilios_own_library_believes_the_labs_callbacks() {
    let lab = Lab::start(Clock::system()).await.unwrap();
    let channels = channels(&lab);
    let address = Address::parse(Channel::Sms, "+4930123456").unwrap();
    let id = send(&channels, address, Content::Sms { text: "café down".to_owned() }).await;
    let path = format!("/callbacks/twilio/texts/message/{id}");
    let hook = lab.hooks().wait_for(&path, 1, LIMIT).await.unwrap().remove(0);
    let mut python = Python::start("signatures.py", &[]);
    let question = |token: &str| {
        let url = lab.hook_url(&path);
        let signature = &hook.headers["x-twilio-signature"];
        let params = params(&hook);
        json!({
            "kind": "twilio", "token": token, "url": url, "params": params, "signature": signature,
        })
    };
    assert_eq!(python.ask(&question(lab.account().token)).await, json!({ "ok": true }));
    assert_eq!(python.ask(&question("another")).await, json!({ "ok": false }));
    lab.stop().await;
}
