//! Twilio's own client finds in the lab what it finds at Twilio.

use bugle_app::Clock;
use bugle_lab::{Answer, Knobs, Lab, Service};
use serde_json::json;

use crate::python::Python;

const PHONE: &str = "+4930123456";

#[tokio::test]
async fn twilios_own_client_works_with_the_lab() {
    let lab = Lab::start(Clock::system()).await.unwrap();
    let (base, account) = (lab.twilio_base(), lab.account());
    let mut python = Python::start(
        "twilio_client.py",
        &[base.as_str(), account.sid, account.token, account.number],
    );
    let text = python.ask(&json!({ "do": "text", "to": PHONE })).await;
    assert_eq!(text["status"], "queued");
    assert_ne!(text["date"], "None");
    let url = lab.hook_url("/words");
    let call = python.ask(&json!({ "do": "call", "to": PHONE, "url": url })).await;
    assert_eq!(call["status"], "queued");
    let listed = python.ask(&json!({ "do": "list", "to": PHONE })).await;
    assert_eq!(listed, json!({ "messages": [text["sid"]], "calls": [call["sid"]] }));
    let account = python.ask(&json!({ "do": "account" })).await;
    assert_eq!(account, json!({ "status": "active" }));
    assert_eq!(lab.phone(PHONE).texts()[0].body, "Ahoy é");

    lab.set(Service::Texts, Knobs::answering(Answer::Refuse(21_211)));
    let refused = python.ask(&json!({ "do": "text", "to": PHONE })).await;
    assert_eq!(refused, json!({ "status": 400, "code": 21211 }));
    let wrong = python.ask(&json!({ "do": "call", "to": "12", "url": url })).await;
    assert_eq!(wrong, json!({ "status": 400, "code": 21211 }));
    lab.stop().await;
}
