//! Every notification ends, whatever providers, phones and our own crashes do to it.

use bugle_domain::contact::Channel;
use bugle_domain::notification::{End, Receipt, SendOutcome};
use proptest::prelude::*;

use super::*;

/// What happens to a notification once it is claimed, or while a provider has it.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Accepted,
    Retry(i64),
    Unsure(i64),
    Refused,
    Misconfigured,
    ClaimLost,
    Delivered,
    Bounced,
    NoKey,
    Silence,
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Accepted),
        4 => (0..900_i64).prop_map(Fate::Retry),
        2 => (0..900_i64).prop_map(Fate::Unsure),
        1 => Just(Fate::Refused),
        1 => Just(Fate::Misconfigured),
        2 => Just(Fate::ClaimLost),
        2 => Just(Fate::Delivered),
        3 => Just(Fate::Bounced),
        3 => Just(Fate::NoKey),
        2 => Just(Fate::Silence),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn every_notification_ends(
        channel in prop::sample::select(&Channel::ALL[..]),
        fates in prop::collection::vec(any_fate(), 60),
    ) {
        live(channel, &fates)?;
    }
}

/// Lets a notification live until it ends, each fate happening when its turn comes.
fn live(channel: Channel, fates: &[Fate]) -> Result<(), TestCaseError> {
    let limits = Limits::standard();
    let mut candidate = candidate(1, channel, Severity::Critical);
    let mut now = sec(0);
    for fate in fates {
        let notification = &mut candidate.notification;
        let next = match notification.state.clone() {
            NotificationState::Waiting => {
                now = now.max(notification.due_at);
                let room = Room { messages: 1, late: 1, program_places: 1, ..Room::default() };
                let one = std::slice::from_ref(&candidate);
                match judge(one, &limits, &room, now).0.remove(0) {
                    Verdict::Send { .. } | Verdict::Digest { .. } => {
                        claim(&mut candidate.notification, now);
                        continue;
                    }
                    Verdict::End { end, reason } => {
                        prop_assert_eq!((end, reason), (End::Expired, "deadline"));
                        prop_assert!(now > candidate.notification.deadline);
                        return Ok(());
                    }
                    Verdict::Hold { until } => {
                        prop_assert!(now > candidate.notification.deadline, "only for a digest");
                        prop_assert!(!candidate.held && until > now);
                        candidate.held = true;
                        candidate.notification.due_at = until;
                        continue;
                    }
                    Verdict::PutOff { .. } | Verdict::Leave => {
                        return Err(TestCaseError::fail("there is room for one message"));
                    }
                }
            }
            NotificationState::Sending { .. } => Some(sending(notification, *fate, &limits, now)),
            NotificationState::HandedOff { receipt_due } => {
                let news = match fate {
                    Fate::Delivered => ReceiptNews::Delivered,
                    Fate::Bounced => {
                        ReceiptNews::Undelivered { permanent: false, detail: String::new() }
                    }
                    Fate::NoKey => ReceiptNews::CallEnded {
                        answered_by_key: false,
                        voicemail: false,
                        picked_up: true,
                    },
                    _ => {
                        now = receipt_due;
                        let ended = after_silence(notification, now).unwrap();
                        prop_assert_eq!(kind(&ended), Some(End::Expired));
                        return Ok(());
                    }
                };
                after_receipt(notification, &news, &limits, now)
            }
            NotificationState::Ended { .. } => return Ok(()),
        };
        let Some(next) = next else { continue };
        prop_assert!(!next.hop || kind(&next).is_some(), "hops only at the end");
        candidate.unsure = next.unsure;
        apply(&mut candidate.notification, next);
        prop_assert!(candidate.notification.tries <= limits.max_tries, "too many tries");
    }
    let ended = matches!(candidate.notification.state, NotificationState::Ended { .. });
    prop_assert!(ended, "it goes on for ever: {:?}", candidate.notification);
    Ok(())
}

fn claim(notification: &mut Notification, now: Timestamp) {
    notification.tries += 1;
    let claim = id(bugle_domain::ClaimId::from_stored, u128::from(notification.tries));
    notification.state = NotificationState::Sending { claim, send_by: now };
}

fn sending(notification: &Notification, fate: Fate, limits: &Limits, now: Timestamp) -> Next {
    let at = |seconds| now + SignedDuration::from_secs(seconds);
    let outcome = match fate {
        Fate::ClaimLost => return after_lost_claim(notification, limits, now),
        Fate::Retry(seconds) => SendOutcome::RetryAt { at: at(seconds) },
        Fate::Unsure(seconds) => SendOutcome::RetryUnsure { at: at(seconds) },
        Fate::Refused => SendOutcome::Refused,
        Fate::Misconfigured => SendOutcome::Misconfigured,
        Fate::Accepted | Fate::Delivered | Fate::Bounced | Fate::NoKey | Fate::Silence => {
            SendOutcome::Accepted
        }
    };
    let delivered = notification.channel == Channel::Webhook;
    let id = notification.id;
    let tried =
        Tried { notification: id, outcome, delivered, another_provider: false, asked: true };
    after_try(notification, &tried, limits, now)
}

fn apply(notification: &mut Notification, next: Next) {
    notification.state = next.state;
    notification.due_at = next.due_at.unwrap_or(notification.due_at);
    notification.receipt = next.receipt;
    notification.possible_repeat |= next.unsure;
}

fn kind(next: &Next) -> Option<End> {
    match next.state {
        NotificationState::Ended { end, .. } => Some(end),
        _ => None,
    }
}

#[test]
fn an_answer_ends_a_notification_wherever_it_stands() {
    let claim = id(bugle_domain::ClaimId::from_stored, 1);
    let states = [
        NotificationState::Waiting,
        NotificationState::Sending { claim, send_by: sec(8) },
        NotificationState::HandedOff { receipt_due: sec(300) },
        NotificationState::Ended {
            end: End::Expired,
            reason: "no_receipt".to_owned(),
            at: sec(300),
        },
    ];
    for state in states {
        let notification = Notification { state, ..notification(1, Channel::Voice) };
        let limits = Limits::standard();
        let next = after_receipt(&notification, &ReceiptNews::Answered, &limits, sec(9)).unwrap();
        assert_eq!(kind(&next), Some(End::Answered));
        assert_eq!(next.receipt, Some((Receipt::Answered, sec(9))));
        assert!(!next.hop);
    }
}
