//! What callbacks say, as tables.

use super::*;

fn params(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

#[test]
fn states_of_messages() {
    let gone = |gone| (false, Fault::Contact, gone);
    let states = [
        ("MessageStatus=queued", MessageProgress::OnItsWay),
        ("MessageStatus=sending", MessageProgress::OnItsWay),
        ("MessageStatus=sent", MessageProgress::OnItsWay),
        ("MessageStatus=invented_tomorrow", MessageProgress::OnItsWay),
        ("MessageStatus=delivered", MessageProgress::Delivered),
        ("SmsStatus=delivered", MessageProgress::Delivered),
        ("MessageStatus=read", MessageProgress::Seen),
        ("MessageStatus=failed&ErrorCode=30001", failed_with((true, Fault::Provider, false))),
        ("MessageStatus=undelivered&ErrorCode=30003", failed_with((true, Fault::Contact, false))),
        ("MessageStatus=undelivered&ErrorCode=30008", failed_with((true, Fault::Contact, false))),
        ("MessageStatus=undelivered&ErrorCode=30004", failed_with(gone(false))),
        ("MessageStatus=undelivered&ErrorCode=30005", failed_with(gone(false))),
        ("MessageStatus=undelivered&ErrorCode=30006", failed_with(gone(false))),
        ("MessageStatus=undelivered&ErrorCode=21610", failed_with(gone(true))),
        ("MessageStatus=failed&ErrorCode=30002", failed_with((false, Fault::Us, false))),
        ("MessageStatus=failed&ErrorCode=30007", failed_with((false, Fault::Us, false))),
        ("MessageStatus=failed", failed_with(gone(false))),
    ];
    for (text, progress) in states {
        let report = message_status(&params(&format!("MessageSid=SM1&{text}"))).unwrap();
        assert_eq!(report.progress, progress, "{text}");
        assert_eq!(report.provider_ref, "SM1");
    }
}

fn failed_with((retry, fault, gone): (bool, Fault, bool)) -> MessageProgress {
    MessageProgress::Failed { retry, fault, gone }
}

#[test]
fn states_of_calls() {
    let ended = |how, seconds: Option<u64>| CallProgress::Ended {
        how,
        talked: seconds.map(Duration::from_secs),
    };
    let states = [
        ("CallStatus=queued", CallProgress::Dialling),
        ("CallStatus=initiated", CallProgress::Dialling),
        ("CallStatus=ringing", CallProgress::Ringing),
        ("CallStatus=in-progress", CallProgress::InCall),
        ("CallStatus=completed&CallDuration=14", ended(CallEnd::HungUp, Some(14))),
        ("CallStatus=completed&AnsweredBy=human", ended(CallEnd::HungUp, None)),
        ("CallStatus=completed&AnsweredBy=machine_end_beep", ended(CallEnd::Voicemail, None)),
        ("CallStatus=completed&AnsweredBy=machine_start", ended(CallEnd::Voicemail, None)),
        ("CallStatus=completed&AnsweredBy=fax", ended(CallEnd::Voicemail, None)),
        ("CallStatus=completed&AnsweredBy=unknown", ended(CallEnd::HungUp, None)),
        ("CallStatus=busy", ended(CallEnd::Busy, None)),
        ("CallStatus=no-answer", ended(CallEnd::NoAnswer, None)),
        ("CallStatus=failed&SipResponseCode=404", ended(CallEnd::Failed, None)),
        ("CallStatus=canceled", ended(CallEnd::Cancelled, None)),
    ];
    for (text, progress) in states {
        let report = call_status(&params(&format!("CallSid=CA1&{text}&SequenceNumber=2"))).unwrap();
        assert_eq!((report.progress, report.sequence), (progress, Some(2)), "{text}");
    }
    let report = call_status(&params("CallSid=CA1&CallStatus=failed&SipResponseCode=404")).unwrap();
    assert_eq!(report.detail, "failed, error 404");
    let strange = call_status(&params("CallSid=CA1&CallStatus=dreaming"));
    assert_eq!(strange, Err(CallbackError("CallStatus")));
}

#[test]
fn only_a_key_of_a_telephone_is_a_key() {
    for (text, key) in [
        ("Digits=4", Some('4')),
        ("Digits=%23", Some('#')),
        ("Digits=*", Some('*')),
        ("Digits=44", Some('4')),
        ("Digits=", None),
        ("", None),
        ("Digits=x", None),
        ("Digits=hangup", None),
    ] {
        assert_eq!(gather(&params(&format!("CallSid=CA1&{text}"))).unwrap().key, key, "{text}");
    }
}

#[test]
fn a_text_from_a_phone_has_a_number_and_a_text() {
    let text =
        inbound_text(&params("MessageSid=SM1&From=%2B4930123456&To=%2B1500&Body=ack")).unwrap();
    assert_eq!((text.from.as_str(), text.text.as_str()), ("+4930123456", "ack"));
    let long = format!("MessageSid=SM1&From=%2B4930123456&Body={}", "x".repeat(9_000));
    assert_eq!(inbound_text(&params(&long)).unwrap().text.len(), 1_600);
    let short_code = params("MessageSid=SM1&From=12345&Body=ack");
    assert_eq!(inbound_text(&short_code), Err(CallbackError("From")));
}

#[test]
fn what_is_missing_is_named() {
    assert_eq!(message_status(&params("")), Err(CallbackError("SmsSid")));
    assert_eq!(message_status(&params("MessageSid=SM1")), Err(CallbackError("SmsStatus")));
    assert_eq!(call_status(&params("CallStatus=busy")), Err(CallbackError("CallSid")));
    assert_eq!(voice_request(&params("")), Err(CallbackError("CallSid")));
    assert_eq!(Callback::parse("fax", &[]), Err(CallbackError("kind")));
}

#[test]
fn a_request_for_words_says_who_answered() {
    for (text, who) in [
        ("", None),
        ("&AnsweredBy=human", Some(AnsweredBy::Human)),
        ("&AnsweredBy=machine_end_silence", Some(AnsweredBy::Machine)),
        ("&AnsweredBy=unknown", Some(AnsweredBy::Unknown)),
    ] {
        let request = voice_request(&params(&format!("CallSid=CA1{text}"))).unwrap();
        assert_eq!(request.answered_by, who, "{text}");
    }
}
