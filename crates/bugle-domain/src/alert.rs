//! Alerts: what people act on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::{EventBody, Link};
use crate::ids::{
    AlertId, EventId, IntegrationId, NotificationId, PolicyId, ScheduleId, ServiceId, TeamId,
    UserId,
};
use crate::policy::{Level, Policy, Target};
use crate::severity::{Severity, Urgency};

/// Where an alert stands, for lists and filters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertStatus {
    /// Nobody has answered.
    Open,
    /// Somebody has it.
    Acknowledged,
    /// It is over. Final.
    Resolved,
}

impl AlertStatus {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Resolved];

    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// By which way a response came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// The pages.
    Web,
    /// The API.
    Api,
    /// The command line.
    Cli,
    /// A reply by text message.
    Sms,
    /// A key pressed in a call.
    Voice,
    /// The link in a message.
    Link,
    /// An event of the sender.
    Event,
    /// Bugle itself, as when `endsAt` passes.
    Timer,
}

/// Who did something.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Actor {
    /// A person.
    User {
        /// Which.
        id: UserId,
        /// Their name then.
        name: String,
    },
    /// The sender of an event, through its integration.
    Sender {
        /// Which integration.
        integration: IntegrationId,
    },
    /// An API key.
    Key {
        /// What the key is called.
        name: String,
    },
    /// Bugle itself.
    System,
}

/// The policy as it was when the alert began; later edits change nothing here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StampedPolicy {
    /// Which policy.
    pub id: PolicyId,
    /// Its name then.
    pub name: String,
    /// Its levels then.
    pub levels: Vec<Level>,
    /// Its repeats then.
    pub repeat: u8,
    /// Whether it is the tenant's fallback, either because nothing was routed or because the first
    /// policy was exhausted.
    pub fallback: bool,
}

impl StampedPolicy {
    /// Copies `policy` as it is now.
    pub fn of(policy: &Policy, fallback: bool) -> Self {
        Self {
            id: policy.id,
            name: policy.name.clone(),
            levels: policy.levels.clone(),
            repeat: policy.repeat,
            fallback,
        }
    }
}

/// Where the escalation of an alert stands. States carry what only they have.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Escalation {
    /// `level` has been told; nobody has answered. The next step is due at `deadline`.
    Waiting {
        /// Index into the stamped policy's levels.
        level: usize,
        /// How often the whole policy was gone through before, 0-based.
        cycle: u8,
        /// When it was told: when its notifications came to be owed.
        #[serde(default)]
        told_at: Timestamp,
        /// When the engine must look at this alert again: the level's delay later, or more where
        /// its clock stood because we were the delay.
        deadline: Timestamp,
    },
    /// Every level was told, repeats and fallback included, and none answered.
    Exhausted,
    /// A person has taken it.
    Acknowledged,
    /// It is over.
    Resolved,
}

/// An alert as kept.
#[derive(Clone, PartialEq, Debug)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// Its number within the tenant, as people say it: `#4812`. 0 until the store has given it one.
    pub number: i64,
    /// Where it came from.
    pub integration: IntegrationId,
    /// What is broken, if anything was routed.
    pub service: Option<ServiceId>,
    /// Events of that integration with this key fold into it while it is not resolved.
    pub dedup_key: String,
    /// Where it stands.
    pub status: AlertStatus,
    /// The worst severity of its triggers so far.
    pub severity: Severity,
    /// What is wrong: the summary of its latest trigger.
    pub summary: String,
    /// Which machine or thing says so.
    pub source: String,
    /// Links of its latest trigger.
    pub links: Vec<Link>,
    /// Details of its latest trigger.
    pub details: serde_json::Map<String, serde_json::Value>,
    /// The policy as it was when the alert began (or was exhausted, for the fallback). `None` only
    /// where the tenant has no policy at all: then nobody can be told, and the timeline says so.
    pub policy: Option<StampedPolicy>,
    /// Where escalation stands.
    pub escalation: Escalation,
    /// When it resolves by itself unless refreshed.
    pub resolve_at: Option<Timestamp>,
    /// The event that opened it.
    pub opened_by: EventId,
    /// When the event that opened it was received.
    pub opened_at: Timestamp,
    /// Events in it, the first included.
    pub event_count: i64,
    /// When the last of them came.
    pub last_event_at: Timestamp,
    /// Who has it, and since when.
    pub acknowledged: Option<(Actor, Timestamp)>,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
}

impl Alert {
    /// How loudly people are told of it.
    pub fn urgency(&self) -> Urgency {
        self.severity.urgency().unwrap_or(Urgency::Normal)
    }

    /// When the engine must next look at it: the next escalation step or its own end.
    pub fn due_at(&self) -> Option<Timestamp> {
        let step = match self.escalation {
            Escalation::Waiting { deadline, .. } => Some(deadline),
            Escalation::Exhausted | Escalation::Acknowledged | Escalation::Resolved => None,
        };
        let end = self.resolve_at.filter(|_| self.status != AlertStatus::Resolved);
        match (step, end) {
            (Some(step), Some(end)) => Some(step.min(end)),
            (step, end) => step.or(end),
        }
    }

    /// Takes over what the latest trigger says. The worst severity stays.
    pub fn refresh(&mut self, body: EventBody, at: Timestamp) {
        self.severity = self.severity.min(body.severity);
        self.summary = body.summary;
        self.source = body.source;
        self.links = body.links;
        self.details = body.details;
        self.resolve_at = body.ends_at;
        self.last_event_at = at;
    }
}

/// Why somebody or a level could not be told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreachable {
    /// The schedule has nobody on call.
    Gap,
    /// The team has no members.
    EmptyTeam,
    /// The user has no contact method that was proven.
    NoProvenMethod,
    /// The user is disabled.
    Disabled,
    /// The target no longer exists.
    Gone,
}

/// A target of a level that reached nobody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Missed {
    /// The target.
    pub target: Target,
    /// Its name then.
    pub name: String,
    /// Why it reached nobody.
    pub why: Unreachable,
}

/// How a user came to be told: the path from the policy's target to the person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Told {
    /// Who.
    pub user: UserId,
    /// Their name then.
    pub name: String,
    /// Through which schedule, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<(ScheduleId, String)>,
    /// Through which team, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<(TeamId, String)>,
    /// How many notifications they are owed.
    pub notifications: u32,
}

/// One line of an alert's timeline: a decision, with its reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TimelineEntry {
    /// An event opened the alert.
    Opened {
        /// Which.
        event: EventId,
        /// The policy it follows, by name; `None`: there is none at all.
        policy: Option<String>,
        /// Why that policy.
        route: Route,
    },
    /// A level was told.
    LevelTold {
        /// 0-based.
        level: usize,
        /// 0-based.
        cycle: u8,
        /// Who, and how it came to them.
        told: Vec<Told>,
        /// Targets that reached nobody.
        missed: Vec<Missed>,
        /// When the next step is due.
        next_at: Timestamp,
    },
    /// A level reached nobody and was skipped with its delay, at once.
    LevelSkipped {
        /// 0-based.
        level: usize,
        /// 0-based.
        cycle: u8,
        /// Its targets, and why each reached nobody.
        missed: Vec<Missed>,
    },
    /// A level's time came while none of its pages had gone out: its clock stands, because we are
    /// the delay.
    ClockStands {
        /// 0-based.
        level: usize,
        /// 0-based.
        cycle: u8,
    },
    /// The first page of a level went out late: its time runs from there.
    ClockRuns {
        /// 0-based.
        level: usize,
        /// 0-based.
        cycle: u8,
        /// When the page went out.
        from: Timestamp,
        /// Seconds after the level was told.
        late_s: i64,
        /// When the next step is due.
        next_at: Timestamp,
    },
    /// The policy was gone through; the tenant's fallback follows.
    FallbackBegun {
        /// The fallback's name.
        policy: String,
    },
    /// Everything was gone through and nobody answered.
    Exhausted,
    /// A later trigger made it worse; louder rules apply from now on.
    Worsened {
        /// Before.
        from: Severity,
        /// Now.
        to: Severity,
    },
    /// Somebody took it.
    Acknowledged {
        /// Who.
        by: Actor,
        /// How.
        via: Via,
        /// Through which notification, if through one.
        notification: Option<NotificationId>,
    },
    /// Somebody passed it on to the next level.
    PassedOn {
        /// Who.
        by: Actor,
        /// How.
        via: Via,
    },
    /// It is over.
    Resolved {
        /// Who.
        by: Actor,
        /// How.
        via: Via,
    },
    /// Its end came while its sender could not reach us: the sender is waited for again.
    WaitsAgain {
        /// Since when it can.
        heard_since: Timestamp,
        /// When the alert resolves by itself if no news has come.
        until: Timestamp,
    },
    /// A notification could not be delivered by one method; the person's next was used at once.
    Hopped {
        /// Which failed.
        from: NotificationId,
        /// Which was brought forward; `None`: there was none left.
        to: Option<NotificationId>,
    },
    /// A person wrote something.
    Note {
        /// Who.
        by: Actor,
        /// What.
        text: String,
    },
}

/// Why an alert follows its policy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// The integration names a service, and the service names the policy.
    Service,
    /// The integration names no service: the tenant's fallback policy.
    NoService,
    /// The service names no policy: the tenant's fallback policy.
    NoPolicy,
    /// Somebody was asked for by name, and after them the tenant's fallback policy.
    Person,
    /// The event could not be decided: the tenant's fallback policy.
    Quarantined,
}
