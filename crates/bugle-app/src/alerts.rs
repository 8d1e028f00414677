//! Alerts as people see them: lists, the whole of one, and what they do with it.

pub mod error;
mod list;
mod respond;
pub mod token;
pub(crate) mod told;
mod view;

use bugle_domain::alert::{Alert, AlertStatus};
use bugle_domain::contact::Channel;
use bugle_domain::notification::Attempt;
use bugle_domain::{AlertId, EventId, NotificationId, PolicyId, ServiceId, Severity, UserId};
use bugle_engine::respond::Effect;
use jiff::Timestamp;
use serde::Serialize;
use url::Url;

/// Longest note, in characters.
pub const MAX_NOTE_CHARS: usize = 4_000;

/// Which alerts are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AlertQuery {
    /// Any of these; empty: all.
    pub statuses: Vec<AlertStatus>,
    /// Any of these; empty: all.
    pub severities: Vec<Severity>,
    /// Of this service.
    pub service: Option<ServiceId>,
    /// Whose summary, source or dedup key has this text, in any case.
    pub text: Option<String>,
    /// Opened at or after this.
    pub since: Option<Timestamp>,
    /// Of which this person was told.
    pub told: Option<UserId>,
}

/// One alert in a list.
#[derive(Clone, PartialEq, Debug)]
pub struct AlertRow {
    /// The alert.
    pub alert: Alert,
    /// What is broken.
    pub service: Option<ServiceRef>,
    /// What comes next, if nobody answers.
    pub next: Option<NextStep>,
    /// Who has it.
    pub acknowledged_by: Option<String>,
}

/// How many alerts there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct AlertCounts {
    /// Nobody has answered.
    pub open: i64,
    /// Somebody has it.
    pub acknowledged: i64,
    /// Over.
    pub resolved: i64,
}

/// A service, as far as an alert shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ServiceRef {
    /// Which.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub team: Option<String>,
    /// What it is, in a sentence.
    pub description: String,
    /// Where the steps to mend it are written.
    pub runbook_url: Option<Url>,
}

/// What follows if nobody answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NextStep {
    /// The level that is told, 0-based.
    pub level: usize,
    /// When.
    pub at: Timestamp,
    /// First names of those who are told then, as things stand.
    pub names: Vec<String>,
}

/// Everything an alert's page needs.
#[derive(Clone, PartialEq, Debug)]
pub struct AlertView {
    /// The alert.
    pub alert: Alert,
    /// The first sentence of the page, for whoever hears it: "Critical. checkout-api 5xx at 14.2 %.
    /// Paging you. Next: Priya in 3 minutes 54."
    pub headline: String,
    /// What is broken.
    pub service: Option<ServiceRef>,
    /// Name of the integration it came by.
    pub integration: String,
    /// The policy it follows, as stamped: id and name.
    pub policy: Option<(PolicyId, String)>,
    /// Events folded into it after the first.
    pub folded: i64,
    /// Who has been told, oldest first, what waits last.
    pub told: Vec<ToldLine>,
    /// What comes next, if nobody answers.
    pub next: Option<NextStep>,
    /// What the button does, in words: "Stops the calls. Priya will not be woken."
    pub preview: String,
    /// First names of those whom "pass on" would tell; empty: nobody is left.
    pub pass_on_to: Vec<String>,
    /// The log, oldest first.
    pub timeline: Vec<TimelineLine>,
    /// The last alert with the same key, if there was one.
    pub similar: Option<SimilarAlert>,
    /// Other alerts that are not over, worst first; at most 5.
    pub also_open: Vec<AlertRow>,
    /// Changes of the same service in the day before, newest first; at most 10.
    pub changes: Vec<ChangeLine>,
    /// When this was read; countdowns start from here.
    pub now: Timestamp,
}

/// The sign beside somebody who has been told. Words stand beside it, always.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Glyph {
    /// Dotted ring: not due yet, or due and not sent.
    Waiting,
    /// Half: being sent, or tried, failed and to be tried again.
    Trying,
    /// Hollow ring: a provider has it.
    Accepted,
    /// Filled: it reached the phone, mailbox or program.
    Delivered,
    /// Filled with an eye: opened.
    Seen,
    /// Tick: answered by key, reply or tap.
    Answered,
    /// Cross: no provider could deliver it, or no receipt came.
    Failed,
    /// Dash: not needed any more.
    Cancelled,
}

/// One person by one method: one line of "who has been told".
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ToldLine {
    /// The notification.
    pub notification: NotificationId,
    /// Who.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// Whether it is the reader.
    pub you: bool,
    /// Which way.
    pub channel: Channel,
    /// Where to, mostly hidden: `…318`.
    pub address: String,
    /// The level that owed it, 0-based.
    pub level: usize,
    /// When it was sent, or is due.
    pub at: Timestamp,
    /// The sign.
    pub glyph: Glyph,
    /// The words beside it: "delivered to …318".
    pub words: String,
    /// It may have been sent twice.
    pub possible_repeat: bool,
    /// Four characters that its message carries.
    pub reference: String,
    /// Every try, oldest first.
    pub attempts: Vec<Attempt>,
}

/// One line of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TimelineLine {
    /// When.
    pub at: Timestamp,
    /// What, in one sentence.
    pub text: String,
    /// What kind of line, as a stable word: `opened`, `level_told`, `acknowledged`, `note` …
    pub kind: &'static str,
}

/// An earlier alert with the same key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SimilarAlert {
    /// Which.
    pub id: AlertId,
    /// Its number.
    pub number: i64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// Who took it.
    pub acknowledged_by: Option<String>,
    /// Its last note, if anybody wrote one.
    pub note: Option<String>,
}

/// A change of the same service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ChangeLine {
    /// The event that told of it.
    pub event: EventId,
    /// When.
    pub at: Timestamp,
    /// What was changed, in a line.
    pub summary: String,
    /// Which machine or thing says so.
    pub source: String,
    /// Where to read more.
    pub link: Option<String>,
}

/// What came of a response.
#[derive(Clone, PartialEq, Debug)]
pub struct Answered {
    /// What it caused.
    pub effect: Effect,
    /// The same in a sentence: "Acknowledged. Priya will not be paged."
    pub sentence: String,
    /// The alert as it now stands.
    pub alert: Alert,
}

/// What a link in a message may show and do: this one alert, and nothing else.
#[derive(Clone, PartialEq, Debug)]
pub struct TokenView {
    /// The alert's page, without other alerts.
    pub view: AlertView,
    /// Whose link it is.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// Zone of the link's owner, which times are shown in.
    pub time_zone: String,
    /// Which notification carried it.
    pub notification: NotificationId,
}

#[cfg(test)]
mod tests;
