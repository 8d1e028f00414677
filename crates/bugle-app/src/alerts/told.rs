//! "Who has been told": one notification as a sign and words that say no more than is known.

use bugle_domain::UserId;
use bugle_domain::contact::Channel;
use bugle_domain::notification::{Attempt, End, Notification, NotificationState, Receipt};
use bugle_domain::object::Directory;
use jiff::Timestamp;

use super::{Glyph, ToldLine};

/// Shows one notification, with its attempts, oldest first.
pub(crate) fn line(
    directory: &Directory,
    notification: &Notification,
    attempts: Vec<Attempt>,
    reader: Option<UserId>,
) -> ToldLine {
    let address = directory
        .methods
        .get(&notification.method)
        .map_or_else(|| "a removed method".to_owned(), |method| method.address.masked());
    let (glyph, words) = words(notification, &attempts, &address);
    ToldLine {
        notification: notification.id,
        user: notification.user,
        name: directory.user_name(notification.user).to_owned(),
        you: reader == Some(notification.user),
        channel: notification.channel,
        level: notification.level,
        at: shown_at(notification, &attempts),
        glyph,
        words,
        possible_repeat: notification.possible_repeat,
        reference: notification.reference(),
        attempts,
        address,
    }
}

/// When it was first sent, or else is due, or else ended.
fn shown_at(notification: &Notification, attempts: &[Attempt]) -> Timestamp {
    if let Some(first) = attempts.first() {
        return first.started_at;
    }
    match &notification.state {
        NotificationState::Waiting | NotificationState::Sending { .. } => notification.due_at,
        NotificationState::HandedOff { .. } => notification.created_at,
        NotificationState::Ended { at, .. } => *at,
    }
}

/// The sign and the words.
fn words(notification: &Notification, attempts: &[Attempt], to: &str) -> (Glyph, String) {
    let best = notification.receipt.map(|(receipt, _)| receipt);
    match &notification.state {
        NotificationState::Waiting if notification.tries == 0 => {
            (Glyph::Waiting, "not sent yet".to_owned())
        }
        NotificationState::Waiting => (Glyph::Trying, waiting_again(notification, attempts)),
        NotificationState::Sending { .. } => (Glyph::Trying, format!("being sent to {to}")),
        NotificationState::HandedOff { .. } => handed_off(notification.channel, best, to),
        NotificationState::Ended { end, reason, .. } => {
            ended(*end, reason, notification, attempts, to)
        }
    }
}

fn waiting_again(notification: &Notification, attempts: &[Attempt]) -> String {
    let rang = notification.channel == Channel::Voice && notification.receipt.is_some();
    match attempts.last() {
        _ if rang => "no answer, rings once more".to_owned(),
        Some(last) if last.outcome == "unsure" || last.outcome == "lost" => {
            "possibly sent; tried again".to_owned()
        }
        Some(last) if !last.detail.is_empty() => {
            format!("not taken ({}), tried again", last.detail)
        }
        Some(_) | None => "not taken, tried again".to_owned(),
    }
}

fn handed_off(channel: Channel, best: Option<Receipt>, to: &str) -> (Glyph, String) {
    match best {
        Some(Receipt::Answered) => (Glyph::Answered, "answered".to_owned()),
        Some(Receipt::Seen) => (Glyph::Seen, "opened".to_owned()),
        Some(Receipt::Delivered) => (Glyph::Delivered, delivered(channel, to)),
        Some(Receipt::Accepted) | None => match channel {
            Channel::Voice => (Glyph::Accepted, format!("ringing {to}")),
            Channel::Email | Channel::Sms | Channel::Webhook => {
                (Glyph::Accepted, format!("accepted for {to}, not delivered yet"))
            }
        },
    }
}

fn delivered(channel: Channel, to: &str) -> String {
    match channel {
        Channel::Voice => format!("{to} was picked up, no key pressed"),
        Channel::Email | Channel::Sms | Channel::Webhook => format!("delivered to {to}"),
    }
}

fn ended(
    end: End,
    reason: &str,
    notification: &Notification,
    attempts: &[Attempt],
    to: &str,
) -> (Glyph, String) {
    let best = notification.receipt.map(|(receipt, _)| receipt);
    match end {
        End::Answered => (Glyph::Answered, answered(notification.channel)),
        End::Delivered if best == Some(Receipt::Seen) => (Glyph::Seen, "opened".to_owned()),
        End::Delivered => (Glyph::Delivered, delivered(notification.channel, to)),
        End::Failed => (Glyph::Failed, failed(reason, attempts)),
        End::Cancelled => {
            let sent = if best.is_some() { "" } else { "not sent: " };
            (Glyph::Cancelled, format!("{sent}{}", cancelled(reason)))
        }
        End::Expired => match (reason, best) {
            ("deadline", _) => (Glyph::Failed, "not sent: too late to matter".to_owned()),
            (_, Some(_)) => (Glyph::Accepted, format!("accepted for {to}, no word since")),
            (_, None) => (Glyph::Failed, "no receipt came".to_owned()),
        },
    }
}

fn answered(channel: Channel) -> String {
    match channel {
        Channel::Voice => "answered by key",
        Channel::Sms => "answered",
        Channel::Email => "answered by link",
        Channel::Webhook => "answered by the program",
    }
    .to_owned()
}

/// Why it was not needed any more, in words.
pub(crate) fn cancelled(reason: &str) -> &'static str {
    match reason {
        "acknowledged" => "somebody acknowledged first",
        "resolved" => "it was over first",
        "passed_on" => "it was passed on",
        _ => "not needed any more",
    }
}

/// Why nobody could deliver it, in words, with what the provider said last.
pub(crate) fn failed(reason: &str, attempts: &[Attempt]) -> String {
    let what = match reason {
        "refused" => "refused",
        "misconfigured" => "the provider does not accept us",
        "gave_up" => "given up after several tries",
        "undelivered" => "not delivered",
        "unanswered" => "no answer",
        "no_method" => "the contact method is gone",
        "program_failed" => "the program failed at it",
        _ => "failed",
    };
    let detail = attempts.last().map_or("", |last| last.detail.as_str());
    if detail.is_empty() { what.to_owned() } else { format!("{what} ({detail})") }
}

#[cfg(test)]
mod tests;
