//! Assistance requests: "I sent this, and nobody was paged."
//!
//! What the ledger says of one is its [`Finding`]; what several have in common, and whether
//! operators are paged about them, is in [`group`].

use bugle_domain::{AlertId, AssistanceId, EventId, IntegrationId, NodeId, TenantId, UserId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub mod finding;
pub mod group;
pub mod letter;
pub mod page;
pub mod replica;

use self::finding::{Finding, Standing};
use self::replica::Replica;

/// A request without a trace counts as one that the ledger cannot explain after this time.
const TRACED_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// What is not settled is read again after as long as it has been asked, but within these bounds.
const TRACE_AGAIN: SignedDuration = SignedDuration::from_secs(10);
const TRACE_AGAIN_AT_MOST: SignedDuration = SignedDuration::from_mins(10);
/// What is not settled by then is read again only when somebody says so.
const TRACED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What an assistance request is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum About {
    /// This event.
    Event {
        /// Which; it need not be kept.
        event: EventId,
    },
    /// This alert.
    Alert {
        /// Which.
        alert: AlertId,
    },
    /// Whatever came in the time that is meant.
    Time,
}

impl About {
    /// The word used in text and API.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Event { .. } => "event",
            Self::Alert { .. } => "alert",
            Self::Time => "time",
        }
    }
}

/// Who says that nobody was paged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reporter {
    /// The person, where one is known: answers are mailed to them.
    pub user: Option<UserId>,
    /// Their name, or the key's, then.
    pub name: String,
}

/// Something that was said in the conversation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// By whom, by name.
    pub by: String,
    /// Whether that is an operator, who answers; or the tenant, who asks.
    pub operator: bool,
    /// What.
    pub text: String,
    /// What came of mailing it to the reporter, in words; `None`: it is not mailed.
    #[serde(default)]
    pub mailed: Option<String>,
    /// It records what somebody did, and answers nothing.
    #[serde(default)]
    pub record: bool,
}

/// The page that operators get about it. What is the same for all that are on the page is kept with
/// each, so that it holds whichever of them is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Paged {
    /// The request that the page is named after: the oldest of those it was about first.
    pub named: AssistanceId,
    /// When it was decided that it is on the page.
    pub at: Timestamp,
    /// The pipeline has not taken it yet.
    #[serde(default)]
    pub owed: bool,
    /// The alarm about the page; `None`: it rings no more.
    #[serde(default)]
    pub alarm: Option<Alarm>,
    /// Somebody has answered the alarm.
    #[serde(default)]
    pub answered: bool,
}

impl Paged {
    /// On a page that owes nothing.
    pub fn new(named: AssistanceId, at: Timestamp) -> Self {
        Self { named, at, owed: false, alarm: None, answered: false }
    }
}

/// The alarm about a page, which rings until somebody answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Alarm {
    /// Which node rings.
    pub node: NodeId,
    /// When it rang for the first time; `None`: it has not.
    pub rang: Option<Timestamp>,
}

/// Who closed it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Closed {
    /// When.
    pub at: Timestamp,
    /// By whom, by name.
    pub by: String,
}

/// An assistance request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AssistanceRequest {
    /// Its id.
    pub id: AssistanceId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it is about.
    pub about: About,
    /// The way in that is meant, where one is known.
    pub integration: Option<IntegrationId>,
    /// What was expected, in the reporter's words.
    pub expected: String,
    /// The time that is meant: from then.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
    /// Who asks.
    pub by: Reporter,
    /// Since when.
    pub opened_at: Timestamp,
    /// What the ledger says; `None` while no trace is attached.
    pub finding: Option<Finding>,
    /// When that was read.
    pub traced_at: Option<Timestamp>,
    /// The page about it.
    pub paged: Option<Paged>,
    /// The conversation, oldest first.
    pub said: Vec<Said>,
    /// What came of sending something along its path the last time.
    pub replica: Option<Replica>,
    /// Who closed it.
    pub closed: Option<Closed>,
}

impl AssistanceRequest {
    /// Whether it waits for an answer or for its end.
    pub fn open(&self) -> bool {
        self.closed.is_none()
    }

    /// Whether the ledger can explain it, as far as is known at `now`.
    pub fn standing(&self, now: Timestamp) -> Standing {
        match &self.finding {
            Some(finding) => finding.cause.standing(),
            None if now.duration_since(self.opened_at) < TRACED_WITHIN => Standing::Undecided,
            None => Standing::Unexplained,
        }
    }

    /// Whether what the ledger says may be another thing at `now`, and is to be read again: what is
    /// not settled, each time after twice as long. `tried_at` is when it was read in vain.
    pub fn wants_trace(&self, tried_at: Option<Timestamp>, now: Timestamp) -> bool {
        let settled =
            self.finding.as_ref().is_some_and(|it| it.cause.standing() != Standing::Undecided);
        let Some(last) = self.traced_at.max(tried_at) else { return !settled };
        let age = last.duration_since(self.opened_at);
        let wait = age.clamp(TRACE_AGAIN, TRACE_AGAIN_AT_MOST);
        !settled && age < TRACED_FOR && now.duration_since(last) >= wait
    }

    /// When anything was last done about it.
    pub fn updated_at(&self) -> Timestamp {
        let times = [
            Some(self.opened_at),
            self.traced_at,
            self.said.last().map(|said| said.at),
            self.replica.as_ref().map(|replica| replica.at),
            self.closed.as_ref().map(|closed| closed.at),
        ];
        times.into_iter().flatten().max().unwrap_or(self.opened_at)
    }

    /// Whether an operator has answered.
    pub fn answered(&self) -> bool {
        self.said.iter().any(|said| said.operator && !said.record)
    }
}

#[cfg(test)]
mod tests;
