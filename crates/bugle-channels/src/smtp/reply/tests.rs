//! What silence means, by the step; what codes mean is tried on real connections by the lab.

use bugle_domain::notification::SendOutcome;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn time_that_runs_out_is_unsure_only_after_the_text_began_to_leave() {
    assert_eq!(timed_out(false, at(0)).outcome, SendOutcome::RetryAt { at: at(10) });
    assert_eq!(timed_out(true, at(0)).outcome, SendOutcome::RetryUnsure { at: at(10) });
}

#[test]
fn what_was_not_sent_is_not_unsure() {
    let done = classify(&Trouble::TooLate, at(7));
    assert_eq!((done.outcome, done.fault), (SendOutcome::RetryAt { at: at(7) }, Some(Fault::Us)));
    let done = classify(&Trouble::AddressNotAscii, at(7));
    assert_eq!((done.outcome, done.fault), (SendOutcome::Refused, Some(Fault::Contact)));
}
