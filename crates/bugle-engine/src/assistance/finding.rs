//! What the ledger says of an assistance request: why nobody was paged, that somebody was, or that
//! it cannot say.

use bugle_domain::alert::{Alert, AlertStatus, TimelineEntry};
use bugle_domain::contact::Channel;
use bugle_domain::event::{Action, Event, EventOutcome, SuppressReason};
use bugle_domain::integration::{Dialect, Integration};
use bugle_domain::notification::{Attempt, End, Notification, NotificationState, Receipt};
use bugle_domain::object::Directory;
use bugle_domain::stage::Stage;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::message::text::duration;
use crate::watch::Hop;

/// An event that is not decided after this time is stuck.
pub const DECIDED_WITHIN: SignedDuration = SignedDuration::from_secs(15);
/// A message that is due and not sent after this time is stuck; so is an alert of which nobody is
/// owed anything.
const SENT_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// Whether the ledger can explain it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Standing {
    /// It can.
    Explained,
    /// It is under way: a moment later it is one of the others.
    Undecided,
    /// It cannot.
    Unexplained,
}

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $standing:ident, $words:literal;)*) => {
        /// What the ledger says, as a closed set.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Cause { $($(#[$doc])* $name,)* }

        impl Cause {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word used in text, API and database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// In a few words, for lists.
            pub fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }

            /// Whether that explains it.
            pub fn standing(self) -> Standing {
                match self { $(Self::$name => Standing::$standing,)* }
            }
        }
    };
}

causes! {
    /// Severity `info` pages nobody.
    Info = "info", Explained, "info pages nobody";
    /// A change event pages nobody.
    Change = "change", Explained, "a change pages nobody";
    /// It was about an alert that was not open.
    NoOpenAlert = "no_open_alert", Explained, "no such alert was open";
    /// It ended or took an alert.
    Ending = "ending", Explained, "it took or ended an alert";
    /// It went into an alert that was open already.
    Folded = "folded", Explained, "folded into an open alert";
    /// The code failed at it, and the fallback policy was told.
    Quarantined = "quarantined", Explained, "set aside, fallback told";
    /// There is no policy and no fallback.
    NoPolicy = "no_policy", Explained, "no policy";
    /// Nobody in the levels could be reached.
    Unreachable = "unreachable", Explained, "nobody could be reached";
    /// Somebody took it before a message went out.
    Taken = "taken", Explained, "somebody had it already";
    /// It was over before a message went out.
    Over = "over", Explained, "it was over already";
    /// The rules of whoever is told wait before they send.
    NotDue = "not_due", Explained, "not due yet";
    /// A provider could not take it, and it is tried again.
    Retrying = "retrying", Explained, "tried again";
    /// A provider has it.
    Sent = "sent", Explained, "a provider has it";
    /// A phone, mailbox or program has it.
    Delivered = "delivered", Explained, "delivered";
    /// Every try failed.
    Failed = "failed", Explained, "could not be delivered";
    /// The way in is disabled.
    Disabled = "disabled", Explained, "the integration is disabled";
    /// Requests were refused at the door.
    Rejected = "rejected", Explained, "refused at the door";
    /// Nothing came in the time that is meant.
    NothingCame = "nothing_came", Explained, "nothing came in";
    /// It is older than what is kept.
    NotKept = "not_kept", Explained, "older than what is kept";
    /// Alerting has only just got it.
    Deciding = "deciding", Undecided, "being decided";
    /// A message is going out.
    GoingOut = "going_out", Undecided, "going out";
    /// Whoever asks has the id of an event that the ledger does not know.
    NoSuchEvent = "no_such_event", Unexplained, "not in the ledger";
    /// It was accepted, and nothing was decided in time.
    NoOutcome = "no_outcome", Unexplained, "accepted and not decided";
    /// There is an alert, and nobody is owed anything about it.
    NothingOwed = "nothing_owed", Unexplained, "nobody is owed anything";
    /// A message is owed, due, and not sent.
    Owed = "owed", Unexplained, "owed and not sent";
    /// A message was never sent, and it is too late now.
    NeverSent = "never_sent", Unexplained, "never sent";
}

/// Where on the way it came to what is said.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Place {
    /// The hop.
    #[serde(default)]
    pub hop: Option<Hop>,
    /// What its sender spoke.
    #[serde(default)]
    pub dialect: Option<Dialect>,
    /// The channel of the message.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// The provider that was tried last.
    #[serde(default)]
    pub provider: Option<String>,
}

/// What the ledger says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// As a stable word.
    pub cause: Cause,
    /// In a sentence or two.
    pub text: String,
    /// Where.
    #[serde(default)]
    pub place: Place,
}

/// All that is known of an alert.
#[derive(Clone, Copy, Debug)]
pub struct AlertRecord<'a> {
    /// The alert.
    pub alert: &'a Alert,
    /// Its timeline, oldest first.
    pub timeline: &'a [(Timestamp, TimelineEntry)],
    /// What was owed about it, oldest first, with every try.
    pub notifications: &'a [(Notification, Vec<Attempt>)],
}

/// What came by a way in, or by any, in the time that is meant.
#[derive(Clone, Debug, Default)]
pub struct Came<'a> {
    /// The way in, where one is meant.
    pub integration: Option<&'a Integration>,
    /// What is found of each event, newest first.
    pub events: Vec<Finding>,
    /// Whether there are more of them.
    pub more_events: bool,
    /// Requests that were refused: when, and why, newest first.
    pub rejected: Vec<(Timestamp, String)>,
    /// Whether there are more of them.
    pub more_rejected: bool,
    /// How much of the time is no longer kept.
    pub gone: Gone,
}

/// How much of a time that is meant is older than what is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Gone {
    /// Nothing.
    #[default]
    Nothing,
    /// What was before this.
    Before(Timestamp),
    /// All of it: everything is kept for so long.
    All(SignedDuration),
}

impl Gone {
    /// Of a time from `from` until `until`, where everything is kept for so long.
    pub fn of(from: Timestamp, until: Timestamp, kept: SignedDuration, now: Timestamp) -> Self {
        match now.checked_sub(kept) {
            Ok(since) if until < since => Self::All(kept),
            Ok(since) if from < since => Self::Before(since),
            Ok(_) | Err(_) => Self::Nothing,
        }
    }
}

fn finding(cause: Cause, stage: Stage, text: impl Into<String>) -> Finding {
    let place = Place { hop: Some(Hop::Stage { stage }), ..Place::default() };
    Finding { cause, text: text.into(), place }
}

/// What is found of an event.
pub fn of_event(
    directory: &Directory,
    event: &Event,
    alert: Option<AlertRecord<'_>>,
    now: Timestamp,
) -> Finding {
    let mut found = match (&event.outcome, alert) {
        (None, _) => undecided(event, now),
        (Some(EventOutcome::Suppressed { reason }), _) => suppressed(event, *reason),
        (Some(EventOutcome::Folded { .. }), alert) => folded(directory, event, alert, now),
        (Some(EventOutcome::Alerted { .. }), Some(alert)) => of_alert(directory, alert, now),
        (Some(EventOutcome::Alerted { .. }), None) => not_kept("The alert that it opened"),
    };
    found.place.dialect = Some(event.dialect);
    found
}

/// What is found of an event or alert, as `what` says, that the ledger does not have: by when its
/// id was made, and for how long everything is kept.
pub fn of_missing(
    what: &str,
    made_at: Option<Timestamp>,
    kept: SignedDuration,
    now: Timestamp,
) -> Finding {
    let made = made_at.map(utc).map(|at| format!("; its id was made at {at}")).unwrap_or_default();
    if made_at.is_some_and(|at| now.duration_since(at) > kept) {
        let kept = duration(kept);
        let text = format!("The ledger no longer holds the {what} (kept for {kept}){made}.");
        return finding(Cause::NotKept, Stage::Intake, text);
    }
    let text = format!("The ledger has no such {what}{made}.");
    finding(Cause::NoSuchEvent, Stage::Intake, text)
}

fn not_kept(what: &str) -> Finding {
    finding(Cause::NotKept, Stage::Intake, format!("{what} is older than what is kept."))
}

fn undecided(event: &Event, now: Timestamp) -> Finding {
    let waited = now.duration_since(event.received_at);
    let text = format!("It was accepted and waits to be decided for {}.", duration(waited));
    let cause = if waited < DECIDED_WITHIN { Cause::Deciding } else { Cause::NoOutcome };
    finding(cause, Stage::Alerting, text)
}

fn suppressed(event: &Event, reason: SuppressReason) -> Finding {
    let (cause, text) = match reason {
        SuppressReason::Info => {
            (Cause::Info, "Its severity is info, which pages nobody.".to_owned())
        }
        SuppressReason::Change => (Cause::Change, "It is a change, which pages nobody.".to_owned()),
        SuppressReason::NoOpenAlert => {
            let key = &event.body.dedup_key;
            (
                Cause::NoOpenAlert,
                format!("No alert with key \"{key}\" was open, so it did nothing."),
            )
        }
        SuppressReason::Quarantined => {
            let text = "It could not be decided after several tries; the fallback policy was told.";
            (Cause::Quarantined, text.to_owned())
        }
    };
    finding(cause, Stage::Alerting, text)
}

fn folded(
    directory: &Directory,
    event: &Event,
    alert: Option<AlertRecord<'_>>,
    now: Timestamp,
) -> Finding {
    let Some(record) = alert else { return not_kept("The alert that it went into") };
    let number = record.alert.number;
    match event.body.action {
        Action::Acknowledge | Action::Resolve => {
            let text = format!("It took or ended alert #{number}, which pages nobody.");
            finding(Cause::Ending, Stage::Alerting, text)
        }
        Action::Trigger | Action::Change => {
            let inside = of_alert(directory, record, now);
            let text = format!("It went into alert #{number}, which was open. {}", inside.text);
            match inside.cause.standing() {
                Standing::Explained => Finding { cause: Cause::Folded, text, ..inside },
                Standing::Undecided | Standing::Unexplained => Finding { text, ..inside },
            }
        }
    }
}

/// What is found of an alert.
pub fn of_alert(directory: &Directory, record: AlertRecord<'_>, now: Timestamp) -> Finding {
    if record.notifications.is_empty() {
        return nothing_owed(record, now);
    }
    let all = || record.notifications.iter();
    if let Some(reached) =
        all().filter(|(it, _)| it.receipt.is_some()).max_by_key(|(it, _)| it.receipt)
    {
        return reached_by(directory, reached);
    }
    let stuck = |it: &&(Notification, Vec<Attempt>)| stuck(&it.0, now).is_some();
    let first = all().find(stuck).or_else(|| all().find(|(it, _)| !has_ended(it)));
    match first {
        Some(owed) => owed_by(directory, owed, now),
        None => ended(directory, record),
    }
}

fn nothing_owed(record: AlertRecord<'_>, now: Timestamp) -> Finding {
    let alert = record.alert;
    let number = alert.number;
    let skipped = |(_, entry): &(Timestamp, TimelineEntry)| {
        matches!(entry, TimelineEntry::LevelSkipped { .. })
    };
    let (cause, text) = if alert.policy.is_none() {
        (Cause::NoPolicy, "There is no policy to follow and no fallback.".to_owned())
    } else if alert.status == AlertStatus::Acknowledged {
        (Cause::Taken, "Somebody took it before anybody had to be told.".to_owned())
    } else if alert.status == AlertStatus::Resolved {
        (Cause::Over, "It was over before anybody had to be told.".to_owned())
    } else if record.timeline.iter().any(skipped) {
        (Cause::Unreachable, "Nobody in its levels could be reached.".to_owned())
    } else {
        let waited = now.duration_since(alert.opened_at);
        let cause = if waited < SENT_WITHIN { Cause::Deciding } else { Cause::NothingOwed };
        let waited = duration(waited);
        (cause, format!("Alert #{number} is open for {waited}, and nobody is owed a message."))
    };
    finding(cause, Stage::Alerting, text)
}

/// Where a message is, and who tried it.
fn place(notification: &Notification, tries: &[Attempt]) -> Place {
    let provider = tries.iter().rev().map(|it| &it.provider).find(|name| !name.is_empty());
    let hop = match provider {
        Some(provider) => {
            Hop::Provider { channel: notification.channel, provider: provider.clone() }
        }
        None => Hop::Stage { stage: Stage::Dispatch },
    };
    let channel = Some(notification.channel);
    Place { hop: Some(hop), channel, provider: provider.cloned(), dialect: None }
}

fn reached_by(directory: &Directory, (it, tries): &(Notification, Vec<Attempt>)) -> Finding {
    let Some((receipt, at)) = it.receipt else { return not_kept("The receipt") };
    let (name, channel, at) = (directory.user_name(it.user), it.channel.as_str(), utc(at));
    let (cause, text) = match receipt {
        Receipt::Accepted => {
            let text =
                format!("A provider took the {channel} to {name} at {at}; nothing more is known.");
            (Cause::Sent, text)
        }
        Receipt::Delivered => {
            (Cause::Delivered, format!("The {channel} to {name} was delivered at {at}."))
        }
        Receipt::Seen => (Cause::Delivered, format!("{name} opened the {channel} at {at}.")),
        Receipt::Answered => (Cause::Delivered, format!("{name} answered the {channel} at {at}.")),
    };
    Finding { cause, text, place: place(it, tries) }
}

fn has_ended(notification: &Notification) -> bool {
    matches!(notification.state, NotificationState::Ended { .. })
}

/// Why a message counts as stuck.
fn stuck(it: &Notification, now: Timestamp) -> Option<Cause> {
    let late = |since: Timestamp| now.duration_since(since) >= SENT_WITHIN;
    match &it.state {
        NotificationState::Waiting if it.tries == 0 && late(it.due_at) => Some(Cause::Owed),
        NotificationState::Sending { send_by, .. } if late(*send_by) => Some(Cause::Owed),
        NotificationState::Ended { end: End::Expired, .. } if it.tries == 0 => {
            Some(Cause::NeverSent)
        }
        NotificationState::Waiting
        | NotificationState::Sending { .. }
        | NotificationState::HandedOff { .. }
        | NotificationState::Ended { .. } => None,
    }
}

fn owed_by(
    directory: &Directory,
    (it, tries): &(Notification, Vec<Attempt>),
    now: Timestamp,
) -> Finding {
    let whose = format!("The {} to {}", it.channel.as_str(), directory.user_name(it.user));
    let last = tries.last().map(|last| last.detail.as_str()).unwrap_or_default();
    let due = utc(it.due_at);
    let (cause, text) = match stuck(it, now) {
        Some(Cause::NeverSent) => {
            (Cause::NeverSent, format!("{whose} was due at {due} and was never sent."))
        }
        Some(cause) => (cause, format!("{whose} was due at {due} and has not been sent.")),
        None if it.tries > 0 && it.state == NotificationState::Waiting => {
            (Cause::Retrying, format!("{whose} is tried again at {due}: {last}."))
        }
        None if it.due_at > now => (Cause::NotDue, format!("{whose} is due at {due}.")),
        None => (Cause::GoingOut, format!("{whose} is going out.")),
    };
    Finding { cause, text, place: place(it, tries) }
}

/// Everything ended and nothing arrived.
fn ended(directory: &Directory, record: AlertRecord<'_>) -> Finding {
    let cancelled = |(it, _): &&(Notification, Vec<Attempt>)| {
        matches!(it.state, NotificationState::Ended { end: End::Cancelled, .. })
    };
    let failed = record.notifications.iter().rev().find(|it| !cancelled(it));
    match failed {
        Some((it, tries)) => {
            let (channel, name) = (it.channel.as_str(), directory.user_name(it.user));
            let why = match (tries.last(), &it.state) {
                (Some(last), _) => last.detail.clone(),
                (None, NotificationState::Ended { reason, .. }) => reason.clone(),
                (None, _) => String::new(),
            };
            let text = format!("The {channel} to {name} could not be delivered: {why}.");
            Finding { cause: Cause::Failed, text, place: place(it, tries) }
        }
        None if record.alert.acknowledged.is_some() => {
            finding(Cause::Taken, Stage::Dispatch, "Somebody took it before a message went out.")
        }
        None => finding(Cause::Over, Stage::Dispatch, "It was over before a message went out."),
    }
}

/// What is found of a time: the event that can be explained least, or why there is none.
pub fn of_time(came: Came<'_>) -> Finding {
    let by = came.integration.map(|it| format!(" by \"{}\"", it.name)).unwrap_or_default();
    let dialect = came.integration.map(|it| it.dialect);
    let count = came.events.len();
    // Of equals the first, which is the newest.
    let least = came.events.iter().rev().max_by_key(|found| found.cause.standing()).cloned();
    let mut found = match least {
        Some(found) if count == 1 && !came.more_events => found,
        Some(found) => {
            let count = at_least(count, came.more_events);
            let text = format!("{count} events came{by}. Of one: {}", found.text);
            Finding { text, ..found }
        }
        None => nothing_came(&came, &by),
    };
    found.place.dialect = found.place.dialect.or(dialect);
    found
}

fn at_least(count: usize, more: bool) -> String {
    if more { format!("At least {count}") } else { count.to_string() }
}

/// Why no event is in the ledger of a time.
fn nothing_came(came: &Came<'_>, by: &str) -> Finding {
    if let (Gone::All(kept), true) = (came.gone, came.rejected.is_empty()) {
        let kept = duration(kept);
        let text = format!("The ledger no longer holds what came{by} then (kept for {kept}).");
        return finding(Cause::NotKept, Stage::Intake, text);
    }
    if came.integration.is_some_and(|it| it.disabled) {
        let text = format!("Nothing came{by}: it is disabled, and refuses events.");
        return finding(Cause::Disabled, Stage::Intake, text);
    }
    if let Some((at, why)) = came.rejected.first() {
        let (at, times) = (utc(*at), at_least(came.rejected.len(), came.more_rejected));
        let text = format!("{times} requests{by} were refused, the last at {at}: {why}.");
        return finding(Cause::Rejected, Stage::Intake, text);
    }
    let (when, kept) = match came.gone {
        Gone::Before(since) => (
            format!("from {} on", TimeZone::UTC.to_datetime(since).strftime("%Y-%m-%d %H:%M UTC")),
            " What was before is no longer kept.",
        ),
        Gone::Nothing | Gone::All(_) => ("in that time".to_owned(), ""),
    };
    let text = format!(
        "Nothing came in{by} {when}: no request, accepted or refused. Of refused ones the newest \
         of each integration are kept.{kept}"
    );
    finding(Cause::NothingCame, Stage::Intake, text)
}

fn utc(at: Timestamp) -> String {
    TimeZone::UTC.to_datetime(at).strftime("%H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests;
