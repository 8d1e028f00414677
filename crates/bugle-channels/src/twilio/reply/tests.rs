//! Each line of the manual, a line here.

use bugle_domain::notification::SendOutcome;
use bytes::Bytes;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn answered(status: u16, retry_after: Option<&str>, body: &str) -> Reply {
    let retry_after = retry_after.map(str::to_owned);
    Reply::Answered(Answer { status, retry_after, body: Bytes::copy_from_slice(body.as_bytes()) })
}

#[track_caller]
fn check(reply: Reply, outcome: SendOutcome, fault: Option<Fault>) {
    let text = format!("{reply:?}");
    let done = classify(reply, at(1_000));
    assert_eq!((done.outcome, done.fault), (outcome, fault), "{text}");
}

fn error(status: u16, code: u32) -> Reply {
    let body =
        format!(r#"{{"code":{code},"message":"no","more_info":"https://x","status":{status}}}"#);
    answered(status, None, &body)
}

#[test]
fn a_created_message_is_accepted_under_its_name() {
    let done = classify(answered(201, None, r#"{"sid":"SM1","status":"queued"}"#), at(0));
    assert_eq!(done.outcome, SendOutcome::Accepted);
    assert_eq!(done.provider_ref.as_deref(), Some("SM1"));
    assert_eq!((done.delivered, done.fault), (false, None));
}

#[test]
fn an_answer_that_names_no_message_is_unsure() {
    let unsure = SendOutcome::RetryUnsure { at: at(1_010) };
    check(answered(200, None, "<html>Welcome to the hotel</html>"), unsure, Some(Fault::Provider));
    check(Reply::CutOff("reset".to_owned()), unsure, Some(Fault::Provider));
}

#[test]
fn what_has_not_left_is_tried_again() {
    let retry = |second| SendOutcome::RetryAt { at: at(second) };
    check(Reply::NotSent("refused".to_owned()), retry(1_010), Some(Fault::Provider));
    check(Reply::TooLate, retry(1_000), Some(Fault::Us));
}

#[test]
fn waits_are_as_asked_up_to_a_ceiling() {
    let waits = [
        (None, 1_010),
        (Some("7"), 1_007),
        (Some("0"), 1_001),
        (Some("86400"), 1_300),
        (Some("soon"), 1_010),
        (Some("Thu, 01 Jan 1970 00:17:00 GMT"), 1_020),
        (Some("Thu, 01 Jan 1970 00:00:00 GMT"), 1_001),
    ];
    for status in [429, 500, 502, 503, 504] {
        for (asked, until) in waits {
            let outcome = SendOutcome::RetryAt { at: at(until) };
            check(answered(status, asked, ""), outcome, Some(Fault::Provider));
        }
    }
    assert!(classify(answered(429, None, ""), at(0)).limited);
    assert!(!classify(answered(503, None, ""), at(0)).limited);
}

#[test]
fn codes_say_whose_fault_it_is() {
    let (contact, us) = (Some(Fault::Contact), Some(Fault::Us));
    for code in [21_211, 21_614, 21_612, 21_217] {
        check(error(400, code), SendOutcome::Refused, contact);
    }
    for code in [21_408, 21_215] {
        check(error(400, code), SendOutcome::Misconfigured, contact);
    }
    for code in [20_003, 20_005, 21_606, 21_608, 21_212, 30_034] {
        check(error(400, code), SendOutcome::Misconfigured, us);
    }
    let retry = SendOutcome::RetryAt { at: at(1_010) };
    check(error(400, 21_611), retry, Some(Fault::Provider));
    check(error(400, 99_999), SendOutcome::Refused, us);
}

#[test]
fn an_opted_out_number_is_gone() {
    let done = classify(error(400, 21_610), at(0));
    assert_eq!((done.outcome, done.gone), (SendOutcome::Refused, true));
}

#[test]
fn statuses_without_a_code_speak_for_themselves() {
    let us = Some(Fault::Us);
    check(answered(401, None, ""), SendOutcome::Misconfigured, us);
    check(answered(403, None, ""), SendOutcome::Misconfigured, us);
    check(answered(404, None, ""), SendOutcome::Misconfigured, us);
    check(answered(301, None, ""), SendOutcome::Misconfigured, us);
    check(answered(400, None, "not json"), SendOutcome::Refused, us);
}

#[test]
fn details_are_words_and_short() {
    let done = classify(error(400, 21_211), at(0));
    assert_eq!(done.detail, "HTTP 400, error 21211: no");
    let long = format!(r#"{{"message":"{}\n"}}"#, "x".repeat(1_000));
    assert_eq!(classify(answered(400, None, &long), at(0)).detail.chars().count(), 300);
}
