//! What follows from tries, receipts, silence and lost claims.

use bugle_domain::contact::Channel;
use bugle_domain::notification::{Receipt, SendOutcome};
use proptest::prelude::*;

use super::*;

const DELIVERED: ReceiptNews = ReceiptNews::Delivered;
const NO_KEY: ReceiptNews =
    ReceiptNews::CallEnded { answered_by_key: false, voicemail: false, picked_up: true };
const VOICEMAIL: ReceiptNews =
    ReceiptNews::CallEnded { answered_by_key: false, voicemail: true, picked_up: true };

fn bounced(permanent: bool) -> ReceiptNews {
    ReceiptNews::Undelivered { permanent, detail: "30005".to_owned() }
}

/// A notification in a state, after some tries.
fn sent(channel: Channel, tries: u16) -> Notification {
    let claim = id(bugle_domain::ClaimId::from_stored, 9);
    let state = NotificationState::Sending { claim, send_by: sec(8) };
    Notification { state, tries, ..notification(1, channel) }
}

fn handed_off(channel: Channel, tries: u16) -> Notification {
    let state = NotificationState::HandedOff { receipt_due: sec(300) };
    let receipt = Some((Receipt::Accepted, sec(1)));
    Notification { state, receipt, ..sent(channel, tries) }
}

fn show(next: Option<Next>) -> String {
    let Some(next) = next else { return "nothing".to_owned() };
    let after = |at: Timestamp| at.duration_since(sec(10)).as_secs();
    let mut words = vec![match &next.state {
        NotificationState::Waiting => format!("again in {} s", after(next.due_at.unwrap())),
        NotificationState::Sending { .. } => "still sending".to_owned(),
        NotificationState::HandedOff { receipt_due } => {
            format!("handed off, receipt within {} s", after(*receipt_due))
        }
        NotificationState::Ended { end, reason, .. } => format!("{} ({reason})", end.as_str()),
    }];
    if let Some((receipt, _)) = next.receipt {
        words.push(receipt.as_str().to_owned());
    }
    if next.unsure {
        words.push("unsure".to_owned());
    }
    if next.hop {
        words.push("hop".to_owned());
    }
    words.join(", ")
}

fn tried(notification: &Notification, outcome: SendOutcome, delivered: bool) -> String {
    let id = notification.id;
    let tried =
        Tried { notification: id, outcome, delivered, another_provider: false, asked: true };
    show(Some(after_try(notification, &tried, &Limits::standard(), sec(10))))
}

fn news(notification: &Notification, news: &ReceiptNews) -> String {
    show(after_receipt(notification, news, &Limits::standard(), sec(10)))
}

#[test]
fn a_try_leads_on_by_its_outcome() {
    use SendOutcome::{Accepted, Misconfigured, Refused, RetryAt, RetryUnsure};
    let check = |outcome, delivered, expected: &str| {
        assert_eq!(tried(&sent(Channel::Sms, 1), outcome, delivered), expected);
    };
    check(Accepted, false, "handed off, receipt within 300 s, accepted");
    check(RetryAt { at: sec(40) }, false, "again in 30 s");
    check(RetryUnsure { at: sec(40) }, false, "again in 30 s, unsure");
    check(Refused, false, "failed (refused), hop");
    check(Misconfigured, false, "failed (misconfigured), hop");
    assert_eq!(
        tried(&sent(Channel::Webhook, 1), Accepted, true),
        "delivered (delivered), delivered"
    );
    let email = tried(&sent(Channel::Email, 1), Accepted, false);
    assert_eq!(email, "handed off, receipt within 3600 s, accepted");
}

#[test]
fn where_nobody_was_asked_only_the_deadline_counts() {
    let outcome = |at| SendOutcome::RetryAt { at };
    let next = |tries, at| {
        let claimed = sent(Channel::Voice, tries);
        let (notification, outcome) = (claimed.id, outcome(at));
        let tried = Tried {
            notification,
            outcome,
            delivered: false,
            another_provider: false,
            asked: false,
        };
        after_try(&claimed, &tried, &Limits::standard(), sec(10))
    };
    let last = Limits::standard().max_tries;
    let again = next(last, sec(11));
    assert!(again.uncounted);
    assert_eq!(show(Some(again)), "again in 1 s");
    assert_eq!(show(Some(next(1, sec(3_601)))), "failed (gave_up), hop");
}

#[test]
fn tries_end_with_their_number_and_with_the_deadline() {
    use SendOutcome::{RetryAt, RetryUnsure};
    let last = Limits::standard().max_tries;
    assert_eq!(
        tried(&sent(Channel::Sms, last - 1), RetryAt { at: sec(11) }, false),
        "again in 1 s"
    );
    let over = "failed (gave_up), hop";
    assert_eq!(tried(&sent(Channel::Sms, last), RetryAt { at: sec(11) }, false), over);
    assert_eq!(tried(&sent(Channel::Sms, last), RetryUnsure { at: sec(11) }, false), over);
    assert_eq!(tried(&sent(Channel::Sms, 1), RetryAt { at: sec(3_601) }, false), over);
    assert_eq!(tried(&sent(Channel::Sms, 1), RetryAt { at: sec(3_600) }, false), "again in 3590 s");
    assert_eq!(tried(&sent(Channel::Sms, 1), RetryAt { at: sec(1) }, false), "again in 0 s");
}

#[test]
fn where_we_are_not_accepted_another_provider_comes_before_another_method() {
    let once = sent(Channel::Sms, 1);
    let outcome = SendOutcome::Misconfigured;
    let tried = Tried {
        notification: once.id,
        outcome,
        delivered: false,
        another_provider: true,
        asked: true,
    };
    let next = |notification: &Notification| {
        show(Some(after_try(notification, &tried, &Limits::standard(), sec(10))))
    };
    assert_eq!(next(&once), "again in 0 s");
    assert_eq!(next(&sent(Channel::Sms, 8)), "failed (gave_up), hop");
}

#[test]
fn a_text_ends_when_it_is_delivered() {
    let sms = handed_off(Channel::Sms, 1);
    assert_eq!(news(&sms, &DELIVERED), "delivered (delivered), delivered");
    assert_eq!(news(&sms, &ReceiptNews::Seen), "delivered (seen), seen");
    assert_eq!(news(&sms, &ReceiptNews::Answered), "answered (answered), answered");
    assert_eq!(news(&sms, &bounced(true)), "failed (undelivered), accepted, hop");
    assert_eq!(news(&sms, &bounced(false)), "again in 30 s, accepted");
    assert_eq!(
        news(&handed_off(Channel::Sms, 8), &bounced(false)),
        "failed (gave_up), accepted, hop"
    );
}

#[test]
fn only_a_key_answers_a_call_and_it_rings_once_more() {
    let key = ReceiptNews::CallEnded { answered_by_key: true, voicemail: false, picked_up: true };
    let first = handed_off(Channel::Voice, 1);
    assert_eq!(news(&first, &key), "answered (answered), answered");
    assert_eq!(news(&first, &NO_KEY), "again in 90 s, delivered");
    assert_eq!(news(&first, &VOICEMAIL), "again in 90 s, accepted");
    assert_eq!(news(&first, &DELIVERED), "handed off, receipt within 290 s, delivered");
    let second = handed_off(Channel::Voice, 2);
    assert_eq!(news(&second, &NO_KEY), "failed (unanswered), delivered, hop");
    assert_eq!(news(&second, &VOICEMAIL), "failed (unanswered), accepted, hop");
    let late = Notification { deadline: sec(60), ..first };
    assert_eq!(news(&late, &VOICEMAIL), "failed (unanswered), accepted, hop");
}

#[test]
fn news_before_the_try_is_recorded_counts() {
    assert_eq!(news(&sent(Channel::Sms, 1), &DELIVERED), "delivered (delivered), delivered");
    assert_eq!(news(&sent(Channel::Voice, 1), &DELIVERED), "still sending, delivered");
    assert_eq!(news(&sent(Channel::Voice, 1), &VOICEMAIL), "again in 90 s");
}

#[test]
fn a_message_that_arrived_after_all_is_not_sent_again() {
    let unsure = Notification { possible_repeat: true, ..notification(1, Channel::Sms) };
    assert_eq!(news(&unsure, &DELIVERED), "delivered (delivered), delivered");
    assert_eq!(news(&unsure, &bounced(true)), "nothing");
}

#[test]
fn what_has_ended_stays_ended_but_for_an_answer() {
    let end = |end, receipt| Notification {
        state: NotificationState::Ended { end, reason: String::new(), at: sec(5) },
        receipt,
        ..handed_off(Channel::Sms, 1)
    };
    let delivered = end(End::Delivered, Some((Receipt::Delivered, sec(5))));
    assert_eq!(news(&delivered, &DELIVERED), "nothing");
    assert_eq!(news(&delivered, &bounced(true)), "nothing");
    assert_eq!(news(&delivered, &ReceiptNews::Seen), "delivered (), seen");
    assert_eq!(news(&delivered, &ReceiptNews::Answered), "answered (answered), answered");
    let expired = end(End::Expired, Some((Receipt::Accepted, sec(5))));
    assert_eq!(news(&expired, &DELIVERED), "expired (), delivered");
    let answered = end(End::Answered, Some((Receipt::Answered, sec(5))));
    assert_eq!(news(&answered, &ReceiptNews::Answered), "nothing");
    assert_eq!(news(&answered, &NO_KEY), "nothing");
}

#[test]
fn silence_of_a_phone_uses_the_next_method_and_of_a_mailbox_does_not() {
    let silent = |channel| show(after_silence(&handed_off(channel, 1), sec(300)));
    assert_eq!(silent(Channel::Sms), "expired (no_receipt), accepted, hop");
    assert_eq!(silent(Channel::Voice), "expired (no_receipt), accepted, hop");
    assert_eq!(silent(Channel::Email), "expired (no_receipt), accepted");
    assert_eq!(show(after_silence(&handed_off(Channel::Sms, 1), sec(299))), "nothing");
    assert_eq!(show(after_silence(&sent(Channel::Sms, 1), sec(900))), "nothing");
}

#[test]
fn a_lost_claim_is_tried_again_as_unsure() {
    let lost =
        |notification| show(Some(after_lost_claim(&notification, &Limits::standard(), sec(10))));
    assert_eq!(lost(sent(Channel::Sms, 1)), "again in 0 s, unsure");
    assert_eq!(lost(sent(Channel::Sms, 8)), "failed (gave_up), hop");
    let handed_off = handed_off(Channel::Sms, 1);
    assert_eq!(lost(handed_off), "handed off, receipt within 290 s, accepted");
}

fn any_news() -> impl Strategy<Value = ReceiptNews> {
    prop_oneof![
        Just(DELIVERED),
        Just(ReceiptNews::Seen),
        Just(ReceiptNews::Answered),
        any::<bool>().prop_map(bounced),
        Just(NO_KEY),
        Just(VOICEMAIL),
    ]
}

proptest! {
    #[test]
    fn receipts_only_become_better_and_answers_are_final(
        channel in prop::sample::select(&Channel::ALL[..]),
        tries in 1..9_u16,
        all in prop::collection::vec(any_news(), 0..12),
    ) {
        check_receipts(channel, tries, &all)?;
    }
}

fn check_receipts(channel: Channel, tries: u16, all: &[ReceiptNews]) -> Result<(), TestCaseError> {
    let mut current = handed_off(channel, tries);
    let mut answered = false;
    for one in all {
        let Some(next) = after_receipt(&current, one, &Limits::standard(), sec(10)) else {
            continue;
        };
        let rank = |receipt: Option<(Receipt, Timestamp)>| receipt.map(|it| it.0);
        prop_assert!(rank(next.receipt) >= rank(current.receipt), "a receipt became worse");
        prop_assert_eq!(next.due_at.is_some(), next.state == NotificationState::Waiting);
        if let NotificationState::Ended { .. } = current.state {
            prop_assert!(!next.hop, "hopped after its end");
            prop_assert!(matches!(next.state, NotificationState::Ended { .. }), "began again");
        }
        let is_answered = matches!(next.state, NotificationState::Ended { end: End::Answered, .. });
        prop_assert!(!answered || is_answered, "an answer was taken back");
        answered = is_answered;
        current.state = next.state;
        current.receipt = next.receipt;
    }
    prop_assert_eq!(answered, all.contains(&ReceiptNews::Answered));
    Ok(())
}
