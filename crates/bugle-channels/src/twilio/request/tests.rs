//! Requests as they leave, beside those of Twilio's own client that were recorded.

use std::time::Duration;

use bugle_domain::contact::{Address, Channel};
use bugle_domain::{NotificationId, TenantId};
use jiff::Timestamp;
use url::Url;

use super::*;
use crate::message::Content;
use crate::settings::Limits;

fn settings(from: &str) -> TwilioSettings {
    let second = Duration::from_secs(1);
    TwilioSettings {
        name: "main".to_owned(),
        api_base: Url::parse("https://api.twilio.com").unwrap(),
        account_sid: "AC00000000000000000000000000000000".to_owned(),
        auth_token: "tok".into(),
        callback_keys: Vec::new(),
        from: from.to_owned(),
        limits: Limits { connect: second, request: second, rate: None },
    }
}

fn paths() -> CallbackPaths {
    CallbackPaths::new(&Url::parse("https://bugle.example/").unwrap(), "main")
}

fn message() -> Outgoing {
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    Outgoing {
        notification: NotificationId::new(now, [7; 10]),
        tenant: TenantId::new(now, [1; 10]),
        address: Address::parse(Channel::Sms, "+15558675310").unwrap(),
        content: Content::Voice,
        possible_repeat: false,
        validity_s: 300,
    }
}

/// One field a line, with the callbacks' common beginning shortened.
fn lines(form: &str) -> String {
    let base = "https%3A%2F%2Fbugle.example%2Fcallbacks%2Ftwilio%2Fmain%2F";
    form.replace('&', "\n&").replace(base, "BASE/")
}

#[test]
fn a_text_is_asked_for_as_twilios_own_client_does() {
    let to = "+15558675310".parse().unwrap();
    let form = message_form(&settings("+15017122661"), &paths(), &message(), (&to, "Ahoy é"));
    insta::assert_snapshot!(lines(&form), @r"
    To=%2B15558675310
    &StatusCallback=BASE/message%2Fntf_01a0c4506c0077078707070707070707
    &ValidityPeriod=300
    &From=%2B15017122661
    &Body=Ahoy+%C3%A9
    ");
    // Recorded from Twilio's client 9.13; only the callback's URL is another.
    let recorded = "To=%2B15558675310&StatusCallback=https%3A%2F%2Four%2Fcb%3Fx%3D1\
                    &ValidityPeriod=300&From=%2B15017122661&Body=Ahoy+%C3%A9";
    let without_callback = |form: &str| -> Vec<String> {
        form.split('&').filter(|one| !one.starts_with("StatusC")).map(str::to_owned).collect()
    };
    assert_eq!(without_callback(&form), without_callback(recorded));
}

#[test]
fn a_messaging_service_is_named_as_one() {
    let to = "+15558675310".parse().unwrap();
    let form = message_form(&settings("MG0123"), &paths(), &message(), (&to, "x"));
    assert!(form.contains("&MessagingServiceSid=MG0123&"), "{form}");
    assert!(!form.contains("From="), "{form}");
}

#[test]
fn a_call_is_asked_for_with_every_report_of_it() {
    let form = call_form(
        &settings("+15017122661"),
        &paths(),
        &message(),
        &"+15558675310".parse().unwrap(),
    );
    insta::assert_snapshot!(lines(&form), @r"
    To=%2B15558675310
    &From=%2B15017122661
    &Url=BASE/voice%2Fntf_01a0c4506c0077078707070707070707
    &Method=POST
    &StatusCallback=BASE/call%2Fntf_01a0c4506c0077078707070707070707
    &StatusCallbackEvent=initiated
    &StatusCallbackEvent=ringing
    &StatusCallbackEvent=answered
    &StatusCallbackEvent=completed
    &StatusCallbackMethod=POST
    &Timeout=30
    &TimeLimit=180
    &MachineDetection=DetectMessageEnd
    ");
}

#[test]
fn the_time_for_which_a_text_is_worth_delivering_is_within_twilios_limits() {
    let to = "+15558675310".parse().unwrap();
    for (asked, sent) in [(0, 1), (300, 300), (100_000, 36_000)] {
        let message = Outgoing { validity_s: asked, ..message() };
        let form = message_form(&settings("+15017122661"), &paths(), &message, (&to, "x"));
        assert!(form.contains(&format!("&ValidityPeriod={sent}&")), "{form}");
    }
}

#[test]
fn a_request_has_our_credentials_and_our_name() {
    let settings = settings("+15017122661");
    let authorization = authorization(&settings).unwrap();
    let request = create(&settings, &authorization, "Messages.json", "To=x".to_owned()).unwrap();
    assert_eq!(
        request.uri().to_string(),
        "https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000000/\
         Messages.json"
    );
    // Recorded from Twilio's client with the same account and token.
    assert_eq!(
        request.headers()["authorization"],
        "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDp0b2s="
    );
    assert!(request.headers()["authorization"].is_sensitive());
    assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
}

#[test]
fn every_text_has_its_reference_once_and_says_when_it_may_be_a_repeat() {
    let reference = reference(message().notification);
    let check = |possible_repeat, text: &str, expected: String| {
        let message = Outgoing { possible_repeat, ..message() };
        assert_eq!(text_of(&message, text), expected);
    };
    check(false, "db down", format!("db down #{reference}"));
    check(false, &format!("#{reference} db down"), format!("#{reference} db down"));
    check(true, "db down", format!("Possible repeat: db down #{reference}"));
    let said = format!("db down. Possible repeat #{reference}");
    check(true, &said, said.clone());
    check(false, &format!("X{reference}"), format!("X{reference} #{reference}"));
    let long = text_of(&Outgoing { possible_repeat: true, ..message() }, &"x".repeat(9_000));
    assert!(long.chars().count() <= 1_600 && has_word(&long, &reference));
}
