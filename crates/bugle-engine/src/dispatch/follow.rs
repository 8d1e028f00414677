//! What follows from a try, a receipt, silence, or a claim that was lost.

use bugle_domain::contact::Channel;
use bugle_domain::notification::{End, Notification, NotificationState, Receipt, SendOutcome};
use jiff::{SignedDuration, Timestamp};

use super::{Limits, Next, ReceiptNews, Tried};

/// Calls of one notification: the first, and one more when nobody pressed a key.
const CALLS: u16 = 2;
/// How long after a message bounced for the moment it is sent again.
const RESEND_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// What follows from a try that is over. `notification` is as it was claimed, this try counted.
pub fn after_try(
    notification: &Notification,
    tried: &Tried,
    limits: &Limits,
    now: Timestamp,
) -> Next {
    match tried.outcome {
        SendOutcome::Accepted if tried.delivered => {
            let receipt = Some(better(notification, Receipt::Delivered, now));
            Next { receipt, ..ended(notification, End::Delivered, "delivered", now) }
        }
        SendOutcome::Accepted => {
            let receipt_due = plus(now, limits.receipt_wait(notification.channel));
            Next {
                receipt: Some(better(notification, Receipt::Accepted, now)),
                ..stays(notification, NotificationState::HandedOff { receipt_due })
            }
        }
        SendOutcome::RetryAt { at } if !tried.asked => {
            let uncounted = Notification { tries: 0, ..notification.clone() };
            Next { uncounted: true, ..again(&uncounted, at, limits, now) }
        }
        SendOutcome::RetryAt { at } => again(notification, at, limits, now),
        SendOutcome::RetryUnsure { at } => {
            let next = again(notification, at, limits, now);
            let unsure = next.state == NotificationState::Waiting;
            Next { unsure, ..next }
        }
        SendOutcome::Refused => failed(notification, "refused", now),
        SendOutcome::Misconfigured if tried.another_provider => {
            again(notification, now, limits, now)
        }
        SendOutcome::Misconfigured => failed(notification, "misconfigured", now),
    }
}

/// What follows from news of a message that was sent. News may come late, twice and in any order:
/// a receipt only ever becomes better, and what has ended stays ended, but for an answer, which
/// counts whenever it comes. `None`: nothing changes. What is sending may stay so, with a better
/// receipt. News of a try other than the latest must not be given.
pub fn after_receipt(
    notification: &Notification,
    news: &ReceiptNews,
    limits: &Limits,
    now: Timestamp,
) -> Option<Next> {
    let next = match news {
        ReceiptNews::Answered | ReceiptNews::CallEnded { answered_by_key: true, .. } => {
            answered(notification, now)
        }
        ReceiptNews::Seen => arrived(notification, Receipt::Seen, "seen", now),
        ReceiptNews::Delivered => arrived(notification, Receipt::Delivered, "delivered", now),
        ReceiptNews::Undelivered { permanent, .. } => {
            bounced(notification, *permanent, limits, now)
        }
        ReceiptNews::CallEnded { voicemail, picked_up, .. } => {
            let heard = *picked_up && !*voicemail;
            unanswered(notification, heard, limits, now)
        }
    };
    (next != unchanged(notification)).then_some(next)
}

/// What follows when no receipt came in time. A silent phone is a failed one: the person's next
/// method is used. Mail rarely says that it arrived. `None`: nothing changes.
pub fn after_silence(notification: &Notification, now: Timestamp) -> Option<Next> {
    match notification.state {
        NotificationState::HandedOff { receipt_due } if receipt_due <= now => {
            let silent = matches!(notification.channel, Channel::Sms | Channel::Voice);
            let heard = notification.receipt.is_some_and(|(best, _)| best >= Receipt::Delivered);
            let hop = silent && !heard;
            Some(Next { hop, ..ended(notification, End::Expired, "no_receipt", now) })
        }
        NotificationState::HandedOff { .. }
        | NotificationState::Waiting
        | NotificationState::Sending { .. }
        | NotificationState::Ended { .. } => None,
    }
}

/// What follows from a claim found in the hands of the dead: it may have been sent, so the provider
/// is asked before it is sent again.
pub fn after_lost_claim(notification: &Notification, limits: &Limits, now: Timestamp) -> Next {
    match notification.state {
        NotificationState::Sending { .. } if notification.tries >= limits.max_tries => {
            failed(notification, "gave_up", now)
        }
        NotificationState::Sending { .. } => Next {
            due_at: Some(now),
            unsure: true,
            ..stays(notification, NotificationState::Waiting)
        },
        NotificationState::Waiting
        | NotificationState::HandedOff { .. }
        | NotificationState::Ended { .. } => unchanged(notification),
    }
}

fn answered(notification: &Notification, now: Timestamp) -> Next {
    let receipt = Some(better(notification, Receipt::Answered, now));
    match notification.state {
        NotificationState::Ended { end: End::Answered, .. } => unchanged(notification),
        NotificationState::Ended { .. }
        | NotificationState::Waiting
        | NotificationState::Sending { .. }
        | NotificationState::HandedOff { .. } => {
            Next { receipt, ..ended(notification, End::Answered, "answered", now) }
        }
    }
}

/// It reached its phone or mailbox. Only a key counts in a call, so there this ends nothing.
fn arrived(
    notification: &Notification,
    receipt: Receipt,
    reason: &'static str,
    now: Timestamp,
) -> Next {
    let better = Some(better(notification, receipt, now));
    match (&notification.state, notification.channel) {
        (NotificationState::Ended { .. }, _) | (_, Channel::Voice) => {
            Next { receipt: better, ..unchanged(notification) }
        }
        (
            NotificationState::Waiting
            | NotificationState::Sending { .. }
            | NotificationState::HandedOff { .. },
            Channel::Email | Channel::Sms | Channel::Webhook,
        ) => Next { receipt: better, ..ended(notification, End::Delivered, reason, now) },
    }
}

fn bounced(notification: &Notification, permanent: bool, limits: &Limits, now: Timestamp) -> Next {
    let arrived = notification.receipt.is_some_and(|(best, _)| best >= Receipt::Delivered);
    match notification.state {
        NotificationState::HandedOff { .. } | NotificationState::Sending { .. } if !arrived => {
            if permanent {
                failed(notification, "undelivered", now)
            } else {
                again(notification, plus(now, RESEND_AFTER), limits, now)
            }
        }
        NotificationState::HandedOff { .. }
        | NotificationState::Sending { .. }
        | NotificationState::Waiting
        | NotificationState::Ended { .. } => unchanged(notification),
    }
}

/// A call in which nobody pressed a key: it rings once more, then the person's next method is used.
fn unanswered(notification: &Notification, heard: bool, limits: &Limits, now: Timestamp) -> Next {
    let receipt = if heard {
        Some(better(notification, Receipt::Delivered, now))
    } else {
        notification.receipt
    };
    match notification.state {
        NotificationState::HandedOff { .. } | NotificationState::Sending { .. } => {
            let redial_at = plus(now, limits.redial_after);
            let once_more = notification.tries < CALLS && redial_at <= notification.deadline;
            if once_more {
                let waits = stays(notification, NotificationState::Waiting);
                Next { due_at: Some(redial_at), receipt, ..waits }
            } else {
                Next { receipt, ..failed(notification, "unanswered", now) }
            }
        }
        NotificationState::Waiting | NotificationState::Ended { .. } => {
            Next { receipt, ..unchanged(notification) }
        }
    }
}

/// Another try at `at`, if that is neither too late nor one too many.
fn again(notification: &Notification, at: Timestamp, limits: &Limits, now: Timestamp) -> Next {
    if at > notification.deadline || notification.tries >= limits.max_tries {
        return failed(notification, "gave_up", now);
    }
    // What an earlier try may have done is as unsure as before.
    let unsure = notification.possible_repeat;
    Next { due_at: Some(at.max(now)), unsure, ..stays(notification, NotificationState::Waiting) }
}

fn failed(notification: &Notification, reason: &'static str, now: Timestamp) -> Next {
    Next { hop: true, ..ended(notification, End::Failed, reason, now) }
}

fn ended(notification: &Notification, end: End, reason: &'static str, now: Timestamp) -> Next {
    let state = NotificationState::Ended { end, reason: reason.to_owned(), at: now };
    stays(notification, state)
}

fn unchanged(notification: &Notification) -> Next {
    let due_at = match notification.state {
        NotificationState::Waiting => Some(notification.due_at),
        NotificationState::Sending { .. }
        | NotificationState::HandedOff { .. }
        | NotificationState::Ended { .. } => None,
    };
    let unsure = due_at.is_some() && notification.possible_repeat;
    Next { due_at, unsure, ..stays(notification, notification.state.clone()) }
}

fn stays(notification: &Notification, state: NotificationState) -> Next {
    Next {
        state,
        due_at: None,
        receipt: notification.receipt,
        unsure: false,
        hop: false,
        uncounted: false,
    }
}

/// The better of the known receipt and this one.
fn better(notification: &Notification, receipt: Receipt, now: Timestamp) -> (Receipt, Timestamp) {
    match notification.receipt {
        Some(known) if known.0 >= receipt => known,
        Some(_) | None => (receipt, now),
    }
}

fn plus(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}
