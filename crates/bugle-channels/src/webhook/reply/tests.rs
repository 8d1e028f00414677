//! What a program's answer means, as a table.

use bugle_domain::notification::SendOutcome;
use bytes::Bytes;

use super::*;
use crate::http::Answer;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[track_caller]
fn check(reply: Reply, outcome: SendOutcome) {
    let text = format!("{reply:?}");
    let done = classify(reply, at(0));
    let fault = (outcome != SendOutcome::Accepted).then_some(Fault::Contact);
    assert_eq!((done.outcome, done.fault), (outcome, fault), "{text}");
    assert_eq!(done.delivered, outcome == SendOutcome::Accepted, "{text}");
    assert!(done.provider_ref.is_none());
}

fn status(status: u16, retry_after: Option<&str>) -> Reply {
    let retry_after = retry_after.map(str::to_owned);
    Reply::Answered(Answer { status, retry_after, body: Bytes::new() })
}

#[test]
fn statuses() {
    let retry = |second| SendOutcome::RetryAt { at: at(second) };
    check(status(200, None), SendOutcome::Accepted);
    check(status(204, None), SendOutcome::Accepted);
    check(status(302, None), SendOutcome::Refused);
    check(status(400, None), SendOutcome::Refused);
    check(status(401, None), SendOutcome::Refused);
    check(status(404, None), SendOutcome::Refused);
    check(status(410, None), SendOutcome::Refused);
    check(status(408, None), retry(10));
    check(status(425, None), retry(10));
    check(status(429, Some("3")), retry(3));
    check(status(500, None), retry(10));
    check(status(503, Some("9999")), retry(300));
    check(Reply::NotSent("connection refused".to_owned()), retry(10));
    check(Reply::CutOff("reset".to_owned()), SendOutcome::RetryUnsure { at: at(10) });
    check(Reply::Blocked, SendOutcome::Refused);
    assert_eq!(classify(Reply::TooLate, at(5)).outcome, retry(5));
}

#[test]
fn only_gone_is_gone() {
    assert!(classify(status(410, None), at(0)).gone);
    assert!(!classify(status(404, None), at(0)).gone);
}
