//! What became of each message: why it was owed, every try, every receipt, and its end.

use bugle_domain::contact::Channel;
use bugle_domain::notification::{Attempt, End, Notification, NotificationState, Receipt};
use bugle_domain::object::Directory;
use serde_json::json;

use super::{Stage, WhyStep};
use crate::alerts::told::{cancelled, failed};

/// The steps of one notification.
pub(super) fn steps(
    directory: &Directory,
    notification: &Notification,
    attempts: &[Attempt],
) -> Vec<WhyStep> {
    let whom = whom(directory, notification);
    let mut steps = vec![owed(notification, &whom)];
    steps.extend(attempts.iter().map(|attempt| tried(attempt, &whom)));
    if let Some((receipt, at)) = notification.receipt {
        let text = format!("{whom}: {}.", received(receipt, notification.channel));
        let data = json!({ "notification": notification.id, "receipt": receipt });
        steps.push(WhyStep { at, stage: Stage::Receipts, text, data });
    }
    steps.extend(end(notification, attempts, &whom));
    steps
}

/// `Lena Ortiz by sms to …318`.
fn whom(directory: &Directory, notification: &Notification) -> String {
    let method = directory.methods.get(&notification.method);
    let address = method.map_or_else(|| "?".to_owned(), |it| it.address.masked());
    let name = directory.user_name(notification.user);
    format!("{name} by {} to {address}", notification.channel.as_str())
}

fn owed(notification: &Notification, whom: &str) -> WhyStep {
    let level = notification.level + 1;
    let wait = notification.wanted_at.duration_since(notification.created_at).as_secs();
    let when = match wait {
        ..=0 => "due at once".to_owned(),
        wait => format!("due {wait} s later by the person's rules"),
    };
    WhyStep {
        at: notification.created_at,
        stage: Stage::Alerting,
        text: format!("{whom} came to be owed, {when}, because level {level} was told."),
        data: json!({
            "notification": notification.id,
            "reference": notification.reference(),
            "user": notification.user,
            "channel": notification.channel,
            "lane": notification.lane,
            "level": notification.level,
            "cycle": notification.cycle,
            "wanted_at": notification.wanted_at,
            "due_at": notification.due_at,
            "deadline": notification.deadline,
            "state": notification.state,
        }),
    }
}

fn tried(attempt: &Attempt, whom: &str) -> WhyStep {
    let provider = match attempt.provider.as_str() {
        "" => "no provider",
        name => name,
    };
    let result = match attempt.outcome.as_str() {
        "accepted" => "accepted",
        "retry_at" => "not taken, to be tried again",
        "refused" => "refused for good",
        "misconfigured" => "the provider does not accept us",
        "unsure" => "no answer came, so it may have been sent",
        "lost" => "the server that was sending it stopped",
        "not_asked" => "waits for one to take it",
        "found" => "the provider had it already",
        other => other,
    };
    let detail = match attempt.detail.as_str() {
        "" => String::new(),
        detail => format!(" ({detail})"),
    };
    WhyStep {
        at: attempt.finished_at,
        stage: Stage::Dispatch,
        text: format!("{whom}, try {} with {provider}: {result}{detail}.", attempt.number),
        data: serde_json::to_value(attempt).unwrap_or_default(),
    }
}

fn received(receipt: Receipt, channel: Channel) -> &'static str {
    match (receipt, channel) {
        (Receipt::Accepted, _) => "the provider has it, and has said nothing more",
        (Receipt::Delivered, Channel::Voice) => "the call was picked up",
        (Receipt::Delivered, Channel::Email | Channel::Sms | Channel::Webhook) => "delivered",
        (Receipt::Seen, _) => "opened",
        (Receipt::Answered, _) => "answered",
    }
}

fn end(notification: &Notification, attempts: &[Attempt], whom: &str) -> Option<WhyStep> {
    let NotificationState::Ended { end, reason, at } = &notification.state else {
        return None;
    };
    let text = match (end, reason.as_str()) {
        // The receipt has said it.
        (End::Answered | End::Delivered, _) => return None,
        (End::Cancelled, reason) => format!("{whom} was cancelled: {}.", cancelled(reason)),
        (End::Failed, reason) => format!("{whom} failed: {}.", failed(reason, attempts)),
        (End::Expired, "deadline") => format!("{whom} was not sent: too late to matter."),
        (End::Expired, _) => format!("{whom}: no receipt came in time."),
    };
    let data = json!({ "notification": notification.id, "end": end, "reason": reason });
    let stage = if *end == End::Expired && reason != "deadline" {
        Stage::Receipts
    } else {
        Stage::Dispatch
    };
    Some(WhyStep { at: *at, stage, text, data })
}
