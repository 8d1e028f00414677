//! Signs and words for every state that a notification can be in.

use bugle_domain::notification::Lane;
use bugle_domain::{AlertId, ClaimId, MethodId, NotificationId};

use super::*;
use crate::sample;

/// A text to Lena, in `state`.
fn text(state: NotificationState, tries: u16, receipt: Option<Receipt>) -> Notification {
    Notification {
        id: NotificationId::from_stored(sample::nth(101)),
        alert: AlertId::from_stored(sample::nth(100)),
        user: UserId::from_stored(sample::nth(sample::LENA)),
        method: MethodId::from_stored(sample::nth(11)),
        channel: Channel::Sms,
        lane: Lane::Urgent,
        level: 0,
        cycle: 0,
        due_at: sample::now(),
        wanted_at: sample::now(),
        deadline: sample::now(),
        state,
        tries,
        receipt: receipt.map(|receipt| (receipt, sample::now())),
        possible_repeat: false,
        token: None,
        provider_ref: None,
        created_at: sample::now(),
    }
}

fn attempt(outcome: &str, detail: &str) -> Attempt {
    Attempt {
        notification: NotificationId::from_stored(sample::nth(101)),
        number: 1,
        provider: "twilio".to_owned(),
        started_at: sample::now(),
        finished_at: sample::now(),
        outcome: outcome.to_owned(),
        detail: detail.to_owned(),
        provider_ref: None,
    }
}

fn shown(notification: &Notification, attempts: Vec<Attempt>) -> String {
    let line = line(&sample::directory(), notification, attempts, Some(notification.user));
    assert!(line.you && line.name == "Lena Ortiz");
    format!("{:?}: {}", line.glyph, line.words)
}

#[test]
fn words_say_no_more_than_is_known() {
    let ended = |end, reason: &str| NotificationState::Ended {
        end,
        reason: reason.to_owned(),
        at: sample::now(),
    };
    let handed_off = || NotificationState::HandedOff { receipt_due: sample::now() };
    let sending = NotificationState::Sending {
        claim: ClaimId::from_stored(sample::nth(1)),
        send_by: sample::now(),
    };
    let refused = || vec![attempt("refused", "21610: the recipient has opted out")];
    let rows = [
        shown(&text(NotificationState::Waiting, 0, None), vec![]),
        shown(&text(NotificationState::Waiting, 1, None), vec![attempt("retry_at", "503")]),
        shown(&text(NotificationState::Waiting, 1, None), vec![attempt("unsure", "cut off")]),
        shown(&text(sending, 1, None), vec![]),
        shown(&text(handed_off(), 1, Some(Receipt::Accepted)), vec![]),
        shown(&text(handed_off(), 1, Some(Receipt::Delivered)), vec![]),
        shown(&text(handed_off(), 1, Some(Receipt::Seen)), vec![]),
        shown(&text(ended(End::Answered, "answered"), 1, Some(Receipt::Answered)), vec![]),
        shown(&text(ended(End::Delivered, "delivered"), 1, Some(Receipt::Delivered)), vec![]),
        shown(&text(ended(End::Failed, "refused"), 1, None), refused()),
        shown(&text(ended(End::Cancelled, "acknowledged"), 0, None), vec![]),
        shown(&text(ended(End::Expired, "deadline"), 0, None), vec![]),
        shown(&text(ended(End::Expired, "no_receipt"), 1, Some(Receipt::Accepted)), vec![]),
    ];
    insta::assert_snapshot!(rows.join("\n"), @r"
    Waiting: not sent yet
    Trying: not taken (503), tried again
    Trying: possibly sent; tried again
    Trying: being sent to …318
    Accepted: accepted for …318, not delivered yet
    Delivered: delivered to …318
    Seen: opened
    Answered: answered
    Delivered: delivered to …318
    Failed: refused (21610: the recipient has opted out)
    Cancelled: not sent: somebody acknowledged first
    Failed: not sent: too late to matter
    Accepted: accepted for …318, no word since
    ");
}
